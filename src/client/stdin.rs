//! The stdin thread: reports lines, or keys for the line editor.

use std::io::{self, ErrorKind, IsTerminal, Read};
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use super::permits::{Permit, Permits};
use crate::limits::{BACKGROUND_RETRY, BUSY_STREAM_RETRY, CLIENT_MAX_LINE, ESCAPE_TIMEOUT, KEYBOARD_READ};
use crate::net::{Line, LineReader};
use crate::sys::is_in_foreground;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A report of the stdin thread. The last line needs no LF. Keys come `after_pause` if the terminal was silent for
/// [`ESCAPE_TIMEOUT`]. `HangUp` is the end of the input because the terminal is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StdinEvent {
    Line(String),
    Keys { bytes: Vec<u8>, after_pause: bool },
    Foreground,
    TooLong,
    End,
    HangUp,
}

/// Starts the thread. It ends with the input, or when `report` returns `false`.
pub(crate) fn spawn(as_keys: bool, report: impl Fn(StdinEvent, Permit) -> bool + Send + 'static) -> io::Result<()> {
    let permits = Permits::default();
    let on_terminal = io::stdin().is_terminal();
    let builder = thread::Builder::new().name(String::from("stdin"));
    let thread = move || {
        let report = |event: StdinEvent| {
            let event = match event {
                StdinEvent::End if on_terminal && !io::stdin().is_terminal() => StdinEvent::HangUp,
                StdinEvent::HangUp if !on_terminal => StdinEvent::End,
                event => event,
            };
            let permit = permits.acquire(match &event {
                StdinEvent::Line(line) => line.len(),
                StdinEvent::Keys { bytes, .. } => bytes.len(),
                _ => 0,
            });
            report(event, permit)
        };
        if as_keys { read_keys(io::stdin(), report) } else { read_lines(io::stdin(), report) }
    };
    builder.spawn(thread).map(drop)
}

/// Retries reads that fail while the program is in the background, or because another program made the stream non-blocking.
struct RetryingReader<'a, R, F> {
    source: R,
    report: &'a F,
}

impl<R: Read, F: Fn(StdinEvent) -> bool> Read for RetryingReader<'_, R, F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.source.read(into) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => pause(BUSY_STREAM_RETRY),
                Err(error) if is_in_foreground() => return Err(error),
                Err(_) => {
                    while !is_in_foreground() {
                        pause(BACKGROUND_RETRY);
                    }
                    if !(self.report)(StdinEvent::Foreground) {
                        return Ok(0);
                    }
                }
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "no event to wait for: the system does not report when a stream becomes readable"
)]
fn pause(time: Duration) {
    thread::sleep(time);
}

/// Reports keys until the input ends or `report` returns `false`.
fn read_keys(source: impl Read, report: impl Fn(StdinEvent) -> bool) {
    let mut source = RetryingReader { source, report: &report };
    let mut buffer = [0; KEYBOARD_READ];
    let end = loop {
        let begun = Instant::now();
        let bytes = match source.read(&mut buffer) {
            Ok(0) => break StdinEvent::End,
            Ok(count) => buffer[..count].to_vec(),
            Err(_) => break StdinEvent::HangUp,
        };
        // A read of bytes that were there already is short.
        if !report(StdinEvent::Keys { bytes, after_pause: begun.elapsed() >= ESCAPE_TIMEOUT }) {
            return;
        }
    };
    report(end);
}

/// Reports lines until the input ends or `report` returns `false`.
fn read_lines(source: impl Read, report: impl Fn(StdinEvent) -> bool) {
    let mut reader = LineReader::new(RetryingReader { source, report: &report }, CLIENT_MAX_LINE);
    let mut is_first = true;
    // Some editors write a byte order mark.
    let mut text_of = |line: &[u8]| {
        let line = if mem::take(&mut is_first) { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        String::from_utf8_lossy(line).into_owned()
    };
    let end = loop {
        let event = match reader.read_line() {
            Ok(Some(Line::Whole(line))) => StdinEvent::Line(text_of(line)),
            Ok(Some(Line::TooLong(_))) => StdinEvent::TooLong,
            Ok(None) => break StdinEvent::End,
            Err(_) => break StdinEvent::HangUp,
        };
        if !report(event) {
            return;
        }
    };
    let rest = reader.into_rest();
    if rest.is_empty() || report(StdinEvent::Line(text_of(&rest))) {
        report(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    /// All that is reported of these lines.
    fn events(source: impl Read) -> Vec<StdinEvent> {
        let events = RefCell::new(Vec::new());
        read_lines(source, |event| {
            events.borrow_mut().push(event);
            true
        });
        events.into_inner()
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let line = |text: &str| StdinEvent::Line(text.into());
        assert_eq!(
            events(&b"\xef\xbb\xbfann\n\xef\xbb\xbfbob\n"[..]),
            [line("ann"), line("\u{feff}bob"), StdinEvent::End]
        );
        assert_eq!(events(&b"\xef\xbb\xbfann"[..]), [line("ann"), StdinEvent::End]);
    }

    #[test]
    fn k3_the_last_line_needs_no_line_feed() {
        let typed = |text: &str| StdinEvent::Line(text.to_owned());
        assert_eq!(events(&b"ann\r\n\n@bob hi"[..]), [typed("ann"), typed(""), typed("@bob hi"), StdinEvent::End]);
    }

    #[test]
    fn a_non_blocking_terminal_is_not_the_end() {
        struct Busy(usize);
        impl Read for Busy {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => Err(ErrorKind::WouldBlock.into()),
                    2 => {
                        into[..4].copy_from_slice(b"ann\n");
                        Ok(4)
                    }
                    _ => Ok(0),
                }
            }
        }
        assert_eq!(events(Busy(0)), [StdinEvent::Line("ann".into()), StdinEvent::End]);
    }

    #[test]
    fn it_ends_when_nobody_listens() {
        let count = Cell::new(0);
        read_lines(&b"a\nb\nc\n"[..], |_| {
            count.set(count.get() + 1);
            count.get() < 2
        });
        assert_eq!(count.get(), 2);
    }
}
