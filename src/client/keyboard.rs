//! The thread on standard input: turns what is typed, or comes through a pipe, into events, a line each.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use super::Event;
use crate::limits::{BUSY_STREAM_RETRY, CLIENT_MAX_LINE, CLIENT_READ_AHEAD};
use crate::net::{Line, LineReader};

/// What the thread reports.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// A line, also the last one if it has no LF.
    Typed(String),
    /// A line that is too long.
    TooLong,
    /// There is no more.
    End,
}

/// How far the thread may be ahead of whoever handles its lines.
#[derive(Debug)]
pub(super) struct Throttle(Receiver<()>);

impl Throttle {
    /// Lets the thread read one line more.
    pub(super) fn release(&self) {
        let _ = self.0.try_recv();
    }
}

/// Starts the thread.
pub(super) fn spawn(events: SyncSender<Event>) -> io::Result<Throttle> {
    let (ahead, throttle) = mpsc::sync_channel(CLIENT_READ_AHEAD);
    thread::Builder::new().name(String::from("keyboard")).spawn(move || {
        run(io::stdin(), |report| ahead.send(()).is_ok() && events.send(Event::Keyboard(report)).is_ok());
    })?;
    Ok(Throttle(throttle))
}

/// Reports until there is no more, or nobody wants to hear of it. What cannot be read counts as the end.
fn run(source: impl Read, mut report: impl FnMut(Report) -> bool) {
    let mut reader = LineReader::new(source, CLIENT_MAX_LINE);
    loop {
        while let Some(line) = reader.buffered_line() {
            let heard = match line {
                Line::Whole(line) => report(Report::Typed(String::from_utf8_lossy(line).into_owned())),
                Line::TooLong(_) => report(Report::TooLong),
            };
            if !heard {
                return;
            }
        }
        match reader.fill() {
            Ok(0) => break,
            Ok(_) => {}
            // Some other program has left the terminal non-blocking.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::park_timeout(BUSY_STREAM_RETRY),
            Err(_) => break,
        }
    }
    let rest = reader.into_rest();
    if rest.is_empty() || report(Report::Typed(String::from_utf8_lossy(&rest).into_owned())) {
        report(Report::End);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k3_the_last_line_needs_no_line_feed() {
        let mut reports = Vec::new();
        run(&b"ann\r\n\n@bob hi"[..], |report| {
            reports.push(report);
            true
        });
        let typed = |text: &str| Report::Typed(text.to_owned());
        assert_eq!(reports, [typed("ann"), typed(""), typed("@bob hi"), Report::End]);
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
        let mut reports = Vec::new();
        run(Busy(0), |report| {
            reports.push(report);
            true
        });
        assert_eq!(reports, [Report::Typed("ann".into()), Report::End]);
    }

    #[test]
    fn it_ends_when_nobody_listens() {
        let mut count = 0;
        run(&b"a\nb\nc\n"[..], |_| {
            count += 1;
            count < 2
        });
        assert_eq!(count, 2);
    }
}
