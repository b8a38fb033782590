//! One connection of the load generator, and the check of the bytes that it receives.

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use parley::net;

/// How long a read or a write may take before the run fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that is logged in.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
}

impl Connection {
    /// Connects, sends the login and checks the answer.
    pub(crate) fn log_in(server: SocketAddr, login: &str, answer: &str) -> io::Result<Self> {
        let mut connection = Self::connect(server, login)?;
        connection.expect(answer)?;
        Ok(connection)
    }

    /// Connects and sends the login.
    pub(crate) fn connect(server: SocketAddr, login: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let connection = Self { stream };
        connection.send(login)?;
        Ok(connection)
    }

    /// Sends a line.
    pub(crate) fn send(&self, line: &str) -> io::Result<()> {
        let bytes = format!("{line}\n").into_bytes();
        match net::write_available(&mut &self.stream, &bytes, PATIENCE)? {
            sent if sent == bytes.len() => Ok(()),
            _ => Err(io::Error::other("the server does not read")),
        }
    }

    /// Reads exactly these lines.
    pub(crate) fn expect(&mut self, lines: &str) -> io::Result<()> {
        self.expect_any(&[&format!("{lines}\n")])
    }

    /// Reads one of these texts, which have the same length. A non-blocking stream is polled.
    pub(crate) fn expect_any(&mut self, texts: &[&str]) -> io::Result<()> {
        let mut heard = vec![0; texts[0].len()];
        let mut count = 0;
        while count < heard.len() {
            match self.stream.read(&mut heard[count..]) {
                Ok(0) => return Err(closed()),
                Ok(more) => count += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(error) => return Err(error),
            }
        }
        let unexpected = || io::Error::other(format!("expected {texts:?}, got {:?}", String::from_utf8_lossy(&heard)));
        texts.iter().any(|text| text.as_bytes() == heard).then_some(()).ok_or_else(unexpected)
    }
}

fn closed() -> io::Error {
    io::Error::other("the server has closed a connection")
}

/// A connection, the bytes that it sends and the bytes that it receives.
pub(crate) struct End {
    stream: TcpStream,
    script: Arc<Vec<u8>>,
    sent: usize,
    expected: Arc<Vec<u8>>,
    heard: usize,
}

impl End {
    pub(crate) fn new(connection: Connection, script: Arc<Vec<u8>>, expected: Arc<Vec<u8>>) -> io::Result<Self> {
        let stream = connection.stream;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, script, sent: 0, expected, heard: 0 })
    }

    /// Returns whether everything is sent and received.
    pub(crate) fn is_done(&self) -> bool {
        self.sent == self.script.len() && self.heard == self.expected.len()
    }

    /// Sends and receives without waiting, and returns whether any byte moved.
    pub(crate) fn poll(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let sent = net::write_available(&mut &self.stream, &self.script[self.sent..], Duration::ZERO)?;
        self.sent += sent;
        if self.heard == self.expected.len() {
            return Ok(sent > 0);
        }
        match self.stream.read(buffer) {
            Ok(0) => Err(closed()),
            Ok(count) => self.check(&buffer[..count]).map(|()| true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(sent > 0),
            Err(error) => Err(error),
        }
    }

    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.expected.get(self.heard..self.heard + bytes.len()) != Some(bytes) {
            return Err(io::Error::other(format!("byte {} or a later one is not what was sent", self.heard)));
        }
        self.heard += bytes.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Receives these bytes from a server, of which it expects "ann: one" and "ann: two".
    fn hear(bytes: &[u8]) -> io::Result<bool> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let connection = Connection::connect(listener.local_addr()?, "LIN bob")?;
        let (server, _) = listener.accept()?;
        let mut end = End::new(connection, Arc::default(), Arc::new(b"ann: one\nann: two\n".to_vec()))?;
        net::write_fully(&mut &server, bytes)?;
        drop(server);
        while !end.is_done() {
            end.poll(&mut [0; 64])?;
        }
        Ok(end.is_done())
    }

    #[test]
    fn lost_repeated_or_reordered_messages_are_errors() {
        assert!(hear(b"ann: one\nann: two\n").expect("all of it"));
        for bytes in [&b"ann: one\n"[..], b"ann: one\nann: one\n", b"ann: two\nann: one\n", b"ann: one\nann: twp\n"] {
            hear(bytes).expect_err("it is not what was sent");
        }
    }
}
