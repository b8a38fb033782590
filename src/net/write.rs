//! The write loop (RT2): every byte that leaves either program goes through here.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::limits::BUSY_STREAM_RETRY;

/// Writes as much of `bytes` as `out` takes, in as many `write` calls as that needs, and returns how many bytes went
/// out. Fewer than all of them means that `out` would have blocked, that its write timeout passed, or that `patience` did:
/// a write timeout begins anew with every part that goes out, so it is no bound by itself.
///
/// # Errors
///
/// Whatever `write` reports, except interruptions, which are tried again. A `write` that takes nothing although it was
/// offered something is [`ErrorKind::WriteZero`].
pub fn write_available(out: &mut impl Write, bytes: &[u8], patience: Duration) -> io::Result<usize> {
    let begun = Instant::now();
    let mut written = 0;
    while written < bytes.len() && (written == 0 || begun.elapsed() < patience) {
        match out.write(&bytes[written..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock | ErrorKind::TimedOut => break,
                _ => return Err(error),
            },
        }
    }
    Ok(written)
}

/// Writes all of `bytes` to a standard stream, then flushes it. A stream that another program has made non-blocking is
/// tried again after a moment.
///
/// # Errors
///
/// As [`write_available`].
pub fn write_fully(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    loop {
        let written = write_available(out, bytes, Duration::MAX)?;
        bytes = &bytes[written..];
        if bytes.is_empty() {
            return out.flush();
        }
        #[expect(clippy::disallowed_methods, reason = "the stream may be a file, for whose readiness no call waits")]
        thread::sleep(BUSY_STREAM_RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Answers each `write` as it is told to: takes that many bytes, or fails.
    struct Scripted {
        answers: VecDeque<Result<usize, ErrorKind>>,
        taken: Vec<u8>,
        calls: usize,
    }

    impl Scripted {
        fn new(answers: impl IntoIterator<Item = Result<usize, ErrorKind>>) -> Self {
            Self { answers: answers.into_iter().collect(), taken: Vec::new(), calls: 0 }
        }
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            let count = self.answers.pop_front().unwrap_or(Ok(1))?.min(bytes.len());
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn rt2_one_byte_at_a_time_arrives_whole() {
        let mut out = Scripted::new([]);
        assert_eq!(write_available(&mut out, b"SEND bob hi\n", Duration::MAX).expect("all is taken"), 12);
        assert_eq!((out.taken.as_slice(), out.calls), (&b"SEND bob hi\n"[..], 12));
    }

    #[test]
    fn rt2_interruptions_lose_and_repeat_nothing() {
        let mut out = Scripted::new([Err(ErrorKind::Interrupted), Ok(3), Err(ErrorKind::Interrupted), Ok(2), Ok(99)]);
        write_fully(&mut out, b"HELLO-FROM ann\n").expect("all is taken");
        assert_eq!(out.taken, b"HELLO-FROM ann\n");
    }

    #[test]
    fn rt2_a_write_of_nothing_is_an_error_and_not_a_loop() {
        let mut out = Scripted::new([Ok(2), Ok(0)]);
        let error = write_available(&mut out, b"LIST\n", Duration::MAX).expect_err("nothing was taken");
        assert_eq!((error.kind(), out.calls), (ErrorKind::WriteZero, 2));
    }

    #[test]
    fn a_full_peer_ends_the_loop_with_what_went_out() {
        for full in [ErrorKind::WouldBlock, ErrorKind::TimedOut] {
            let mut out = Scripted::new([Ok(2), Err(full)]);
            assert_eq!(write_available(&mut out, b"LIST\n", Duration::MAX).expect("a part is taken"), 2);
        }
    }

    #[test]
    fn a_peer_that_trickles_ends_the_loop_when_patience_is_over() {
        let mut out = Scripted::new([]);
        assert_eq!(write_available(&mut out, b"LIST\n", Duration::ZERO).expect("a part is taken"), 1);
        assert_eq!(out.calls, 1);
    }

    #[test]
    fn a_broken_peer_is_an_error() {
        let mut out = Scripted::new([Ok(2), Err(ErrorKind::BrokenPipe)]);
        let error = write_fully(&mut out, b"LIST\n").expect_err("it is gone");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_non_blocking_stream_gets_everything_in_the_end() {
        let mut out = Scripted::new([Ok(2), Err(ErrorKind::WouldBlock), Err(ErrorKind::WouldBlock), Ok(99)]);
        write_fully(&mut out, b"LIST\n").expect("all is taken");
        assert_eq!(out.taken, b"LIST\n");
    }

    #[test]
    fn nothing_to_write_is_no_call() {
        let mut out = Scripted::new([]);
        assert_eq!(write_available(&mut out, b"", Duration::MAX).expect("nothing"), 0);
        assert_eq!(out.calls, 0);
    }
}
