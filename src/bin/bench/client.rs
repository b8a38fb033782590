//! One connection of the load generator, and the check of what it receives.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use parley::net;

use crate::failure::Failure;

/// How long nothing may happen before the server counts as stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that is logged in.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
}

impl Client {
    /// Connects, says the first line and hears the answer.
    pub(crate) fn log_in(server: SocketAddr, login: &str, answer: &str) -> Result<Self, Failure> {
        let mut client = Self::connect(server, login)?;
        client.expect(answer)?;
        Ok(client)
    }

    /// Connects and says the first line.
    pub(crate) fn connect(server: SocketAddr, login: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let client = Self { stream };
        client.send(format!("{login}\n").as_bytes())?;
        Ok(client)
    }

    /// Sends all of it.
    pub(crate) fn send(&self, bytes: &[u8]) -> Result<(), Failure> {
        match net::write_available(&mut &self.stream, bytes, PATIENCE)? {
            sent if sent == bytes.len() => Ok(()),
            _ => Err(Failure::new("the server does not take what it is sent")),
        }
    }

    /// The next bytes have to be these lines.
    pub(crate) fn expect(&mut self, lines: &str) -> Result<(), Failure> {
        let mut heard = vec![0; lines.len() + 1];
        let mut count = 0;
        while count < heard.len() {
            match self.stream.read(&mut heard[count..]) {
                Ok(0) => return Err(Failure::new("the server has closed a connection")),
                Ok(more) => count += more,
                // Of a non-blocking stream: whoever made it so wants to poll.
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(error) => return Err(error.into()),
            }
        }
        if heard.strip_suffix(b"\n") == Some(lines.as_bytes()) {
            Ok(())
        } else {
            Err(Failure::new(format!("expected {lines:?}, heard {:?}", String::from_utf8_lossy(&heard))))
        }
    }
}

/// One end of an exchange: what it has to send, and byte for byte what it has to hear.
pub(crate) struct End {
    client: Client,
    script: Arc<Vec<u8>>,
    sent: usize,
    expected: Arc<Vec<u8>>,
    heard: usize,
}

impl End {
    /// An end that sends `script` as fast as the server takes it and has to hear `expected`.
    pub(crate) fn new(client: Client, script: Arc<Vec<u8>>, expected: Arc<Vec<u8>>) -> Result<Self, Failure> {
        client.stream.set_nonblocking(true)?;
        Ok(Self { client, script, sent: 0, expected, heard: 0 })
    }

    /// Whether everything is sent and heard.
    pub(crate) fn is_done(&self) -> bool {
        self.sent == self.script.len() && self.heard == self.expected.len()
    }

    /// Nothing more has come than what was expected: the answer to this question comes next.
    pub(crate) fn finish(mut self, question: &str, answer: &str) -> Result<(), Failure> {
        self.client.stream.set_nonblocking(false)?;
        self.client.send(format!("{question}\n").as_bytes())?;
        self.client.expect(answer)
    }

    /// Sends and hears what it can without waiting; says whether that was anything.
    pub(crate) fn poll(&mut self, buffer: &mut [u8]) -> Result<bool, Failure> {
        let rest = &self.script[self.sent..];
        let sent = net::write_available(&mut &self.client.stream, rest, Duration::ZERO)?;
        self.sent += sent;
        if self.heard == self.expected.len() {
            return Ok(sent > 0);
        }
        match self.client.stream.read(buffer) {
            Ok(0) => Err(Failure::new("the server has closed a connection")),
            Ok(count) => self.check(&buffer[..count]).map(|()| true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(sent > 0),
            Err(error) => Err(error.into()),
        }
    }

    fn check(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let expected = self.expected.get(self.heard..self.heard + bytes.len());
        if expected != Some(bytes) {
            return Err(Failure::new(format!("what came after {} bytes is not what was sent", self.heard)));
        }
        self.heard += bytes.len();
        Ok(())
    }
}
