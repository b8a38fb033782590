//! A client's lines, also those of a client that sends no line feeds (G13).

use std::io;
use std::mem;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::sync::pause;
use crate::net::{Line, LineReader, TelnetReader};
use crate::sys;

/// How often a client whose input was ended is looked at.
const DRAIN_SLICE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct Lines {
    reader: LineReader<TelnetReader<TcpStream>>,
    pub(crate) has_read_line_feed: bool,
    /// What has come of a line is a line.
    is_ended: bool,
    pub(crate) last_read: Instant,
    timeout: Option<Duration>,
}

impl Lines {
    pub(crate) fn new(stream: TcpStream, limit: usize) -> Self {
        Self {
            reader: LineReader::new(TelnetReader::new(stream), limit),
            has_read_line_feed: false,
            is_ended: false,
            last_read: Instant::now(),
            timeout: None,
        }
    }

    /// Changes the limit, beginning with the next line.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.reader.set_limit(limit);
    }

    /// Returns the next line that has come already.
    pub(crate) fn next(&mut self) -> Option<Line<'_>> {
        if mem::take(&mut self.is_ended) {
            return self.reader.take_partial_line();
        }
        let line = self.reader.buffered_line()?;
        self.has_read_line_feed = true;
        Some(line)
    }

    /// Returns the line that [`Self::next`] will, as it came, its ending included.
    pub(crate) fn peek(&mut self) -> Option<&[u8]> {
        if self.is_ended { Some(self.reader.partial_line()) } else { self.reader.peek_line() }
    }

    /// Returns the beginning of a line that has not come to its end yet.
    pub(crate) fn partial(&self) -> &[u8] {
        self.reader.partial_line()
    }

    /// Treats what has come of a line as a whole one.
    pub(crate) fn end_line(&mut self) {
        self.is_ended = true;
    }

    /// Treats what has come of a line as the beginning of one that is too long.
    pub(crate) fn discard_line(&mut self) -> Line<'_> {
        self.reader.discard_line()
    }

    /// Returns whether there is more to read, or the end of the stream.
    pub(crate) fn has_input(&self) -> bool {
        sys::has_input(self.reader.source().source())
    }

    /// Returns whether the next line has no LF, and no line before it had one.
    pub(crate) fn has_no_line_feeds(&self) -> bool {
        self.is_ended && !self.has_read_line_feed
    }

    /// Returns what the telnet commands that have come are to be answered with.
    pub(crate) fn take_telnet_answer(&mut self) -> Vec<u8> {
        self.reader.source_mut().take_answer()
    }

    /// Reads once, and waits for it until the deadline, if there is one; after that it fails with
    /// [`io::ErrorKind::WouldBlock`]. Returns how many bytes came; 0 is the end of the stream.
    pub(crate) fn read_until(&mut self, deadline: Option<Instant>) -> io::Result<usize> {
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if timeout.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if timeout != self.timeout {
            self.timeout = timeout;
            let _ = self.reader.source().source().set_read_timeout(timeout);
        }
        let count = self.reader.fill()?;
        self.last_read = Instant::now();
        Ok(count)
    }

    /// Drops the lines that have come, and the answers to telnet commands, which would add up.
    fn discard(&mut self) {
        while self.next().is_some() {}
        drop(self.take_telnet_answer());
    }

    /// Reads and drops everything until the client has closed its side too, or the deadline.
    pub(crate) fn drain(&mut self, deadline: Instant) {
        loop {
            self.discard();
            match self.read_until(Some(deadline)) {
                Ok(1..) => {}
                // The server itself has ended the input, and cannot see when the client closes its side.
                Ok(_) if self.reader.source().source().peer_addr().is_ok() && Instant::now() < deadline => {
                    pause(DRAIN_SLICE);
                }
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;

    #[test]
    fn g2_dropped_lines_and_telnet_answers_do_not_add_up() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut client = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        let mut lines = Lines::new(listener.accept().expect("it has come").0, 100);
        let sent = client.write(b"LIST\n\xff\xfd\x06\xff\xf1WHO").expect("there is room");
        assert_eq!((sent, lines.read_until(None).expect("it has come")), (13, 8));
        lines.discard();
        assert_eq!(lines.take_telnet_answer(), Vec::new());
        assert_eq!(lines.partial(), b"WHO");
    }
}
