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
    /// Of this connection.
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

    /// Whether it is to be shut down, and has not been yet.
    pub(crate) fn is_finishing(&self) -> bool {
        self.finish
    }

    /// Bytes that are still to be sent.
    pub(crate) fn unsent(&self) -> usize {
        self.pending.len() - self.sent
    }

    /// Sends what the server takes within a moment; says whether it took anything.
    pub(crate) fn send_some(&mut self) -> bool {
        let mut sent = 0;
        if self.unsent() > 0 {
            let unsent = &self.pending[self.sent..];
            // Of an error the thread on the socket reports what became of the connection.
            sent = net::write_available(&mut &self.stream, unsent, CLIENT_WRITE_TIMEOUT).unwrap_or(unsent.len());
            self.sent += sent;
            if self.unsent() == 0 {
                (self.pending, self.sent) = (Vec::new(), 0);
            }
        }
        if self.finish && self.unsent() == 0 {
            self.finish = false;
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        sent > 0
    }
}
