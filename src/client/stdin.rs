//! The thread on standard input: turns what is typed, or comes through a pipe, into events: a line each, or keys as they
//! come where the line is edited here.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::ui::terminal::is_in_foreground;
use crate::limits::{BACKGROUND_RETRY, BUSY_STREAM_RETRY, CLIENT_MAX_LINE, CLIENT_READ_AHEAD, KEYBOARD_READ};
use crate::net::{Line, LineReader};

/// What the thread reports.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StdinEvent {
    /// A line, also the last one if it has no LF.
    Line(String),
    /// What a terminal has sent.
    Keys(Vec<u8>),
    /// The terminal belongs to this program again.
    Foreground,
    /// A line that is too long.
    TooLong,
    /// There is no more.
    End,
}

/// How far the thread may be ahead of whoever handles its reports.
#[derive(Debug)]
pub(crate) struct Permits(Receiver<()>);

impl Permits {
    /// Lets the thread report once more.
    pub(crate) fn release(&self) {
        let _ = self.0.try_recv();
    }
}

/// Starts the thread, which reports keys or else lines. It ends with the input, or when `report` says that nobody wants to
/// hear of it any more.
pub(crate) fn spawn(as_keys: bool, mut report: impl FnMut(StdinEvent) -> bool + Send + 'static) -> io::Result<Permits> {
    let (ahead, permits) = mpsc::sync_channel(CLIENT_READ_AHEAD);
    thread::Builder::new().name(String::from("keyboard")).spawn(move || {
        let report = |what| ahead.send(()).is_ok() && report(what);
        if as_keys { read_keys(io::stdin(), report) } else { read_lines(io::stdin(), report) }
    })?;
    Ok(Permits(permits))
}

/// Reports what comes until there is no more, or nobody wants to hear of it. What cannot be read counts as the end.
fn read_keys(mut source: impl Read, mut report: impl FnMut(StdinEvent) -> bool) {
    let mut buffer = [0; KEYBOARD_READ];
    loop {
        match source.read(&mut buffer) {
            Ok(count @ 1..) => {
                if !report(StdinEvent::Keys(buffer[..count].to_vec())) {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::park_timeout(BUSY_STREAM_RETRY),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) if !is_in_foreground() => {
                wait_for_foreground();
                if !report(StdinEvent::Foreground) {
                    return;
                }
            }
            Ok(0) | Err(_) => {
                report(StdinEvent::End);
                return;
            }
        }
    }
}

/// Waits while it is somebody else who is typing: after Ctrl-Z and `bg`, say.
fn wait_for_foreground() {
    while !is_in_foreground() {
        thread::park_timeout(BACKGROUND_RETRY);
    }
}

/// Reports lines until there is no more, or nobody wants to hear of it. What cannot be read counts as the end.
fn read_lines(source: impl Read, mut report: impl FnMut(StdinEvent) -> bool) {
    let mut reader = LineReader::new(source, CLIENT_MAX_LINE);
    loop {
        while let Some(line) = reader.buffered_line() {
            let heard = match line {
                Line::Whole(line) => report(StdinEvent::Line(String::from_utf8_lossy(line).into_owned())),
                Line::TooLong(_) => report(StdinEvent::TooLong),
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
            Err(_) if !is_in_foreground() => wait_for_foreground(),
            Err(_) => break,
        }
    }
    let rest = reader.into_rest();
    if rest.is_empty() || report(StdinEvent::Line(String::from_utf8_lossy(&rest).into_owned())) {
        report(StdinEvent::End);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k3_the_last_line_needs_no_line_feed() {
        let mut reports = Vec::new();
        read_lines(&b"ann\r\n\n@bob hi"[..], |report| {
            reports.push(report);
            true
        });
        let typed = |text: &str| StdinEvent::Line(text.to_owned());
        assert_eq!(reports, [typed("ann"), typed(""), typed("@bob hi"), StdinEvent::End]);
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
        read_lines(Busy(0), |report| {
            reports.push(report);
            true
        });
        assert_eq!(reports, [StdinEvent::Line("ann".into()), StdinEvent::End]);
    }

    #[test]
    fn it_ends_when_nobody_listens() {
        let mut count = 0;
        read_lines(&b"a\nb\nc\n"[..], |_| {
            count += 1;
            count < 2
        });
        assert_eq!(count, 2);
    }
}
