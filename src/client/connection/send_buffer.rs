//! The sending half of the connection: what is to be sent goes out as the server takes it.

use std::collections::VecDeque;
use std::mem;
use std::net::{Shutdown, TcpStream};

use crate::limits::CLIENT_WRITE_TIMEOUT;
use crate::net::{self, Excerpt, ExcerptSplitter};

/// The sending half, and what waits for it.
#[derive(Debug)]
pub(crate) struct SendBuffer {
    stream: TcpStream,
    /// What is to be sent; the first `sent` bytes of it are gone.
    pending: Vec<u8>,
    sent: usize,
    /// How long the lines are that are not sent to their end, the first of which begins in `pending` where `sent_of_line`
    /// bytes of it are gone.
    lines: VecDeque<usize>,
    sent_of_line: usize,
    /// The system takes nothing any more; of the reason the thread on the socket reports.
    is_broken: bool,
    /// To be shut down when all is sent.
    finish: bool,
    /// What was sent of a line that is not sent to its end, if what is sent is to be seen.
    trace: Option<ExcerptSplitter>,
    /// Lines that were sent, to be seen.
    traced: Vec<Excerpt>,
}

impl SendBuffer {
    /// Takes over the sending half of `stream`. With `trace` it says what it has sent.
    pub(crate) fn new(stream: TcpStream, trace: bool) -> Self {
        Self {
            stream,
            pending: Vec::new(),
            sent: 0,
            lines: VecDeque::new(),
            sent_of_line: 0,
            is_broken: false,
            finish: false,
            trace: trace.then(ExcerptSplitter::default),
            traced: Vec::new(),
        }
    }

    /// Adds a line to what is to be sent.
    pub(crate) fn send(&mut self, line: &[u8]) {
        self.pending.extend_from_slice(line);
        self.lines.push_back(line.len());
    }

    /// Shuts the sending half down when all is sent.
    pub(crate) fn finish(&mut self) {
        self.finish = true;
    }

    /// Drops the connection, and returns the lines that were not sent to their end.
    pub(crate) fn close(mut self) -> Vec<u8> {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.pending.split_off(self.sent - self.sent_of_line)
    }

    /// Returns whether it is to be shut down, and has not been yet.
    pub(crate) fn is_finishing(&self) -> bool {
        self.finish
    }

    /// Returns how many bytes are still to be sent.
    pub(crate) fn unsent(&self) -> usize {
        self.pending.len() - self.sent
    }

    /// Returns whether there is more that could be sent.
    pub(crate) fn can_send(&self) -> bool {
        self.unsent() > 0 && !self.is_broken
    }

    /// Returns the lines that were sent since this was last asked, if they are traced.
    pub(crate) fn take_traced(&mut self) -> Vec<Excerpt> {
        mem::take(&mut self.traced)
    }

    /// Sends what the server takes within a moment. Returns whether it took anything.
    pub(crate) fn send_some(&mut self) -> bool {
        let mut sent = 0;
        if self.can_send() {
            match net::write_available(&mut &self.stream, &self.pending[self.sent..], CLIENT_WRITE_TIMEOUT) {
                Ok(count) => {
                    let bytes = &self.pending[self.sent..self.sent + count];
                    self.traced.extend(self.trace.iter_mut().flat_map(|trace| trace.split(bytes, false)));
                    sent = count;
                }
                Err(_) => self.is_broken = true,
            }
            self.forget(sent);
        }
        if self.finish && self.unsent() == 0 {
            self.finish = false;
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        sent > 0
    }

    /// Takes note of what was sent, and gives back its memory as soon as that is the larger part: so each byte is moved once
    /// at most, and the buffer of a server that never takes all of it does not grow.
    fn forget(&mut self, sent: usize) {
        self.sent += sent;
        self.sent_of_line += sent;
        while self.lines.front().is_some_and(|length| *length <= self.sent_of_line) {
            self.sent_of_line -= self.lines.pop_front().unwrap_or_default();
        }
        let whole_lines = self.sent - self.sent_of_line;
        if self.unsent() == 0 {
            (self.pending, self.sent) = (Vec::new(), 0);
        } else if whole_lines > self.pending.len() / 2 {
            self.pending.drain(..whole_lines);
            self.sent = self.sent_of_line;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    /// A buffer, and the server's end of its connection.
    fn connected() -> (SendBuffer, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        stream.set_write_timeout(Some(CLIENT_WRITE_TIMEOUT)).expect("a socket");
        (SendBuffer::new(stream, false), listener.accept().expect("a connection").0)
    }

    #[test]
    fn k6_the_lines_that_were_not_sent_to_their_end_are_known_however_the_connection_ends() {
        for is_reset in [false, true] {
            let (mut buffer, server) = connected();
            let long = vec![b'x'; 32 << 20];
            for line in [b"one\n", &long[..], b"\ntwo\n"] {
                buffer.send(line);
            }
            while buffer.send_some() {}
            assert!(buffer.can_send());
            if is_reset {
                // A close with unread input is a reset.
                drop(server);
                while buffer.can_send() {
                    buffer.send_some();
                }
            }
            assert_eq!(buffer.close(), [&long[..], b"\ntwo\n"].concat());
        }
    }

    #[test]
    fn what_a_slow_server_has_taken_is_not_kept() {
        const LINES: usize = 1 << 20;
        let (mut buffer, mut server) = connected();
        // More than the system takes, so that it is never empty.
        buffer.send(&vec![b'x'; 16 << 20]);
        let most = buffer.pending.len() + LINES;
        let (mut taken, mut read) = (0, vec![0; LINES]);
        while taken < 32 << 20 {
            buffer.send_some();
            assert!(buffer.unsent() > 0);
            server.read_exact(&mut read).expect("there is more");
            buffer.send(&read);
            taken += read.len();
            assert!(buffer.pending.len() <= 2 * most, "{} bytes are kept", buffer.pending.len());
        }
    }
}
