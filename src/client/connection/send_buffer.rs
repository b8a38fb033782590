//! The sending half of the connection. Nothing here waits until everything is sent.

use std::mem;
use std::net::{Shutdown, TcpStream};

use crate::limits::CLIENT_WRITE_TIMEOUT;
use crate::net;

#[derive(Debug)]
pub(crate) struct SendBuffer {
    stream: TcpStream,
    /// Lines to send. The first `sent` bytes are sent.
    pending: Vec<u8>,
    sent: usize,
    /// The start of the first line in `pending` that is not sent to its end.
    line_start: usize,
    /// A write has failed. The reader thread reports the reason.
    is_broken: bool,
    /// The stream is to be shut down once everything is sent.
    is_finishing: bool,
}

impl SendBuffer {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, pending: Vec::new(), sent: 0, line_start: 0, is_broken: false, is_finishing: false }
    }

    pub(crate) fn send(&mut self, line: &[u8]) {
        self.pending.extend_from_slice(line);
    }

    /// Shuts the sending half down once everything is sent.
    pub(crate) fn finish(&mut self) {
        self.is_finishing = true;
    }

    /// Drops the connection. Returns the lines that were not sent to their end.
    pub(crate) fn close(mut self) -> Vec<u8> {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.pending.split_off(self.line_start)
    }

    pub(crate) fn is_finishing(&self) -> bool {
        self.is_finishing
    }

    pub(crate) fn unsent(&self) -> usize {
        self.pending.len() - self.sent
    }

    pub(crate) fn can_send(&self) -> bool {
        self.unsent() > 0 && !self.is_broken
    }

    /// Sends what the server takes within a moment. Returns whether it took anything.
    pub(crate) fn send_some(&mut self) -> bool {
        let mut count = 0;
        if self.can_send() {
            match net::write_available(&mut &self.stream, &self.pending[self.sent..], CLIENT_WRITE_TIMEOUT) {
                Ok(written) => count = written,
                Err(_) => self.is_broken = true,
            }
            self.advance(count);
        }
        if self.is_finishing && self.unsent() == 0 {
            self.is_finishing = false;
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        count > 0
    }

    /// Marks bytes as sent. Removes whole lines once they are the larger part, so that a byte is moved once at most and the
    /// memory is bounded by what is unsent.
    fn advance(&mut self, count: usize) {
        let bytes = &self.pending[self.sent..self.sent + count];
        if let Some(line_feed) = bytes.iter().rposition(|byte| *byte == b'\n') {
            self.line_start = self.sent + line_feed + 1;
        }
        self.sent += count;
        if self.unsent() == 0 {
            (self.pending, self.sent, self.line_start) = (Vec::new(), 0, 0);
        } else if self.line_start > self.pending.len() / 2 {
            self.pending.drain(..self.line_start);
            self.sent -= mem::take(&mut self.line_start);
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
        (SendBuffer::new(stream), listener.accept().expect("a connection").0)
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
        buffer.send(&[&vec![b'x'; 16 << 20][..], b"\n"].concat());
        let most = buffer.pending.len() + LINES;
        let (mut taken, mut read) = (0, vec![0; LINES]);
        while taken < 32 << 20 {
            buffer.send_some();
            assert!(buffer.unsent() > 0);
            server.read_exact(&mut read).expect("there is more");
            read[LINES - 1] = b'\n';
            buffer.send(&read);
            taken += read.len();
            assert!(buffer.pending.len() <= 2 * most, "{} bytes are kept", buffer.pending.len());
        }
    }
}
