//! The thread that writes the standard streams, so that the client never waits for a slow terminal or pipe.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::screen::Stream;
use crate::limits::{OUTPUT_BACKLOG, OUTPUT_CHUNK, OUTPUT_START};
use crate::net;

/// The queue of the thread. It is not bounded: the caller stops reading while [`Output::is_congested`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    /// Pieces of at most [`OUTPUT_CHUNK`] bytes.
    queue: VecDeque<(Stream, Vec<u8>)>,
    /// Bytes in the queue.
    queued: usize,
    is_writing: bool,
    /// The queue was too long, and is not short yet.
    is_congested: bool,
    /// Why standard output has failed; nothing more is written there.
    error: Option<io::Error>,
    /// The thread notifies when everything is written.
    is_finishing: bool,
}

impl State {
    fn is_done(&self) -> bool {
        self.queue.is_empty() && !self.is_writing
    }
}

impl Output {
    /// Starts the thread. It calls `notify` when a congestion is over, when standard output has failed, and when everything
    /// is written after [`Output::finish`].
    pub(crate) fn start(notify: impl Fn() + Send + 'static) -> io::Result<Self> {
        let output = Self::default();
        let thread = output.clone();
        thread::Builder::new().name(String::from("output")).spawn(move || thread.run(notify))?;
        Ok(output)
    }

    pub(crate) fn push(&self, stream: Stream, bytes: &[u8]) {
        let mut state = self.lock();
        state.queued += bytes.len();
        state.is_congested |= state.queued > OUTPUT_BACKLOG;
        for chunk in bytes.chunks(OUTPUT_CHUNK) {
            match state.queue.back_mut() {
                Some((last, piece)) if *last == stream && piece.len() + chunk.len() <= OUTPUT_CHUNK => {
                    piece.extend_from_slice(chunk);
                }
                _ => state.queue.push_back((stream, chunk.to_vec())),
            }
        }
        self.0.1.notify_all();
    }

    pub(crate) fn is_congested(&self) -> bool {
        self.lock().is_congested
    }

    /// Has the thread call `notify` when everything is written.
    pub(crate) fn finish(&self) {
        self.lock().is_finishing = true;
    }

    pub(crate) fn is_done(&self) -> bool {
        self.lock().is_done()
    }

    /// Waits until everything is written, and returns whether it is. The time begins when the thread has begun: on a busy
    /// machine that takes a moment.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let changed = &self.0.1;
        let begun =
            changed.wait_timeout_while(self.lock(), OUTPUT_START, |state| !state.is_done() && !state.is_writing);
        let state = begun.unwrap_or_else(PoisonError::into_inner).0;
        let written = changed.wait_timeout_while(state, timeout, |state| !state.is_done());
        written.unwrap_or_else(PoisonError::into_inner).0.is_done()
    }

    /// Drops everything that the thread has not begun to write.
    pub(crate) fn discard(&self) {
        let mut state = self.lock();
        state.queue.clear();
        state.queued = 0;
    }

    /// Returns the error of standard output, if it has failed.
    pub(crate) fn check(&self) -> io::Result<()> {
        let state = self.lock();
        state.error.as_ref().map_or(Ok(()), |error| Err(io::Error::new(error.kind(), error.to_string())))
    }

    fn run(&self, notify: impl Fn()) {
        loop {
            let (stream, bytes, has_failed) = self.next();
            let result = match stream {
                Stream::Output if has_failed => Ok(()),
                Stream::Output => net::write_fully(&mut io::stdout(), &bytes),
                // There is no other stream to report an error of this one on.
                Stream::Errors => net::write_fully(&mut io::stderr(), &bytes).or(Ok(())),
            };
            if self.end_write(result) {
                notify();
            }
        }
    }

    /// Waits for a piece, and takes it. The last value is whether standard output has failed.
    fn next(&self) -> (Stream, Vec<u8>, bool) {
        let mut state = self.lock();
        loop {
            if let Some((stream, bytes)) = state.queue.pop_front() {
                state.queued -= bytes.len();
                state.is_writing = true;
                self.0.1.notify_all();
                return (stream, bytes, state.error.is_some());
            }
            state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes the result of a write, and returns whether to notify.
    fn end_write(&self, result: io::Result<()>) -> bool {
        let mut state = self.lock();
        state.is_writing = false;
        let has_room = state.is_congested && state.queued <= OUTPUT_BACKLOG / 2;
        state.is_congested &= !has_room;
        let has_failed = result.is_err();
        state.error = result.err().or(state.error.take());
        self.0.1.notify_all();
        has_room || has_failed || (state.is_finishing && state.is_done())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_has_pieces_of_one_write_and_tells_when_it_is_long() {
        let output = Output::default();
        output.push(Stream::Output, b"a");
        output.push(Stream::Output, b"b");
        output.push(Stream::Errors, b"c");
        output.push(Stream::Output, &vec![b'd'; OUTPUT_BACKLOG]);
        assert!(output.is_congested());
        assert_eq!(output.next(), (Stream::Output, b"ab".to_vec(), false));
        assert_eq!(output.next(), (Stream::Errors, b"c".to_vec(), false));
        for _ in 0..OUTPUT_BACKLOG / OUTPUT_CHUNK {
            assert_eq!(output.next(), (Stream::Output, vec![b'd'; OUTPUT_CHUNK], false));
        }
        assert!(!output.is_done() && output.end_write(Ok(())) && output.is_done() && !output.is_congested());
    }

    #[test]
    fn a_failed_write_is_reported_and_an_end_notified() {
        let output = Output::default();
        output.push(Stream::Output, b"a");
        output.next();
        assert!(output.check().is_ok() && output.end_write(Err(io::ErrorKind::BrokenPipe.into())));
        assert_eq!(output.check().map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
        output.push(Stream::Output, b"b");
        assert_eq!(output.next(), (Stream::Output, b"b".to_vec(), true));
        assert!(!output.end_write(Ok(())));
        output.finish();
        output.push(Stream::Errors, b"c");
        output.next();
        assert!(output.end_write(Ok(())) && output.wait(Duration::ZERO));
    }
}
