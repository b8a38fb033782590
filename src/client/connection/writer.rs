//! The sending half of the connection: what is to be sent goes out as the server takes it.

use std::net::{Shutdown, TcpStream};

use crate::limits::CLIENT_WRITE_TIMEOUT;
use crate::net;

/// The sending half, and what waits for it.
#[derive(Debug)]
pub(crate) struct SendBuffer {
    stream: TcpStream,
    /// What is to be sent; the first `sent` bytes of it are gone.
    pending: Vec<u8>,
    sent: usize,
    /// To be shut down when all is sent.
    finish: bool,
}

impl SendBuffer {
    /// Takes over the sending half of `stream`.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, pending: Vec::new(), sent: 0, finish: false }
    }

    /// Adds to what is to be sent.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Shuts the sending half down when all is sent.
    pub(crate) fn finish(&mut self) {
        self.finish = true;
    }

    /// Drops the connection.
    pub(crate) fn close(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Returns whether it is to be shut down, and has not been yet.
    pub(crate) fn is_finishing(&self) -> bool {
        self.finish
    }

    /// Returns how many bytes are still to be sent.
    pub(crate) fn unsent(&self) -> usize {
        self.pending.len() - self.sent
    }

    /// Sends what the server takes within a moment. Returns whether it took anything.
    pub(crate) fn send_some(&mut self) -> bool {
        let mut sent = 0;
        if self.unsent() > 0 {
            let unsent = &self.pending[self.sent..];
            // Of an error the thread on the socket reports what became of the connection.
            sent = net::write_available(&mut &self.stream, unsent, CLIENT_WRITE_TIMEOUT).unwrap_or(unsent.len());
            self.sent += sent;
            self.forget_sent();
        }
        if self.finish && self.unsent() == 0 {
            self.finish = false;
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        sent > 0
    }
    /// Gives back the memory of what is sent, as soon as that is the larger part: so each byte is moved once at most, and the
    /// buffer of a server that never takes all of it does not grow.
    fn forget_sent(&mut self) {
        if self.unsent() == 0 {
            (self.pending, self.sent) = (Vec::new(), 0);
        } else if self.sent > self.unsent() {
            self.pending.drain(..self.sent);
            self.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    #[test]
    fn what_a_slow_server_has_taken_is_not_kept() {
        const LINES: usize = 1 << 20;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (mut server, _) = listener.accept().expect("a connection");
        stream.set_write_timeout(Some(CLIENT_WRITE_TIMEOUT)).expect("a socket");
        let mut buffer = SendBuffer::new(stream);
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
