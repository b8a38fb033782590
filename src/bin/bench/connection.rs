//! One connection of the load generator, and the check of what it receives.

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use parley::net;

/// How long nothing may happen before the server counts as stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that is logged in.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
}

impl Connection {
    /// Connects, says the first line and hears the answer.
    pub(crate) fn log_in(server: SocketAddr, login: &str, answer: &str) -> io::Result<Self> {
        let mut connection = Self::connect(server, login)?;
        connection.expect(answer)?;
        Ok(connection)
    }

    /// Connects and says the first line.
    pub(crate) fn connect(server: SocketAddr, login: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let connection = Self { stream };
        connection.send(format!("{login}\n").as_bytes())?;
        Ok(connection)
    }

    /// Sends all of it.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match net::write_available(&mut &self.stream, bytes, PATIENCE)? {
            sent if sent == bytes.len() => Ok(()),
            _ => Err(io::Error::other("the server does not take what it is sent")),
        }
    }

    /// The next bytes have to be these lines.
    pub(crate) fn expect(&mut self, lines: &str) -> io::Result<()> {
        let heard = self.hear(lines.len() + 1)?;
        if heard.strip_suffix(b"\n") == Some(lines.as_bytes()) { Ok(()) } else { Err(unexpected(lines, &heard)) }
    }

    /// The next bytes have to be these two lines, whichever comes first.
    pub(crate) fn expect_both(&mut self, one: &str, other: &str) -> io::Result<()> {
        let heard = self.hear(one.len() + other.len() + 2)?;
        let fits = |one: &str, other: &str| heard == format!("{one}\n{other}\n").as_bytes();
        if fits(one, other) || fits(other, one) { Ok(()) } else { Err(unexpected(&format!("{one}\n{other}"), &heard)) }
    }

    fn hear(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut heard = vec![0; length];
        let mut count = 0;
        while count < heard.len() {
            match self.stream.read(&mut heard[count..]) {
                Ok(0) => return Err(io::Error::other("the server has closed a connection")),
                Ok(more) => count += more,
                // Of a non-blocking stream: whoever made it so wants to poll.
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(error) => return Err(error),
            }
        }
        Ok(heard)
    }
}

fn unexpected(lines: &str, heard: &[u8]) -> io::Error {
    io::Error::other(format!("expected {lines:?}, heard {:?}", String::from_utf8_lossy(heard)))
}

/// One end of an exchange: what it has to send, and byte for byte what it has to hear.
pub(crate) struct End {
    connection: Connection,
    script: Arc<Vec<u8>>,
    sent: usize,
    expected: Arc<Vec<u8>>,
    heard: usize,
}

impl End {
    /// An end that sends `script` as fast as the server takes it and has to hear `expected`.
    pub(crate) fn new(connection: Connection, script: Arc<Vec<u8>>, expected: Arc<Vec<u8>>) -> io::Result<Self> {
        connection.stream.set_nonblocking(true)?;
        Ok(Self { connection, script, sent: 0, expected, heard: 0 })
    }

    /// Whether everything is sent and heard.
    pub(crate) fn is_done(&self) -> bool {
        self.sent == self.script.len() && self.heard == self.expected.len()
    }

    /// Nothing more has come than what was expected: the answer to this question comes next.
    pub(crate) fn finish(mut self, question: &str, answer: &str) -> io::Result<()> {
        self.connection.stream.set_nonblocking(false)?;
        self.connection.send(format!("{question}\n").as_bytes())?;
        self.connection.expect(answer)
    }

    /// Sends and hears what it can without waiting; says whether that was anything.
    pub(crate) fn poll(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let rest = &self.script[self.sent..];
        let sent = net::write_available(&mut &self.connection.stream, rest, Duration::ZERO)?;
        self.sent += sent;
        if self.heard == self.expected.len() {
            return Ok(sent > 0);
        }
        match self.connection.stream.read(buffer) {
            Ok(0) => Err(io::Error::other("the server has closed a connection")),
            Ok(count) => self.check(&buffer[..count]).map(|()| true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(sent > 0),
            Err(error) => Err(error),
        }
    }

    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        let expected = self.expected.get(self.heard..self.heard + bytes.len());
        if expected != Some(bytes) {
            return Err(io::Error::other(format!("what came after {} bytes is not what was sent", self.heard)));
        }
        self.heard += bytes.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Hears these bytes from a server of which it expects "ann: one" and "ann: two".
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
    fn what_is_lost_twice_or_out_of_order_is_no_figure() {
        assert!(hear(b"ann: one\nann: two\n").expect("all of it"));
        for bytes in [&b"ann: one\n"[..], b"ann: one\nann: one\n", b"ann: two\nann: one\n", b"ann: one\nann: twp\n"] {
            hear(bytes).expect_err("it is not what was sent");
        }
    }
}
