//! The socket thread: connects, then reports each line from the server.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Duration;

use crate::client::messages;
use crate::client::permits::{Permit, Permits};
use crate::limits::{CLIENT_MAX_LINE, CLIENT_WRITE_TIMEOUT, CONNECT_TIMEOUT, SERVER_SILENCE, UNACKNOWLEDGED_TIMEOUT};
use crate::net::{Excerpt, Line, LineReader};
use crate::protocol::{Dialect, sanitize};
use crate::sys;

/// A report of the socket thread.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    /// With the sending half of the connection.
    Connected(TcpStream),
    Unreachable(io::Error),
    /// A line, with its control characters replaced.
    Received(String),
    /// An excerpt of a line as it was received.
    Traced(String),
    TooLong,
    /// With the read error, if any.
    Disconnected(Option<io::Error>),
}

impl From<Line<'_>> for SocketEvent {
    fn from(line: Line<'_>) -> Self {
        let Line::Whole(line) = line else { return Self::TooLong };
        let line = sanitize(line);
        // Each replacement character takes three bytes.
        if line.len() > CLIENT_MAX_LINE { Self::TooLong } else { Self::Received(line.into_owned()) }
    }
}

/// Starts the thread. It ends with the connection, or when `report` returns `false`. With `trace` it also reports each line as
/// it was received.
pub(crate) fn spawn(
    address: (String, u16),
    dialect: &'static dyn Dialect,
    trace: bool,
    report: impl Fn(SocketEvent, Permit) -> bool + Send + 'static,
) -> io::Result<()> {
    let permits = Permits::default();
    let builder = thread::Builder::new().name(String::from("socket"));
    let thread = move || {
        let report = |event| {
            let permit = permits.acquire(match &event {
                SocketEvent::Received(text) | SocketEvent::Traced(text) => text.len(),
                _ => 0,
            });
            report(event, permit)
        };
        match connect(&address.0, address.1).and_then(|stream| Ok((stream.try_clone()?, stream))) {
            Ok((sending_half, stream)) => {
                if report(SocketEvent::Connected(sending_half)) {
                    let reader = LineReader::new(stream, CLIENT_MAX_LINE);
                    let silence = dialect.needs_no_line_feed().then_some(SERVER_SILENCE);
                    Receiver { reader, dialect, silence, trace, has_traced_partial: false, report }.run();
                }
            }
            Err(error) => drop(report(SocketEvent::Unreachable(error))),
        }
    };
    builder.spawn(thread).map(drop)
}

struct Receiver<F> {
    reader: LineReader<TcpStream>,
    dialect: &'static dyn Dialect,
    /// The pause that ends a line, until the server sends its first LF.
    silence: Option<Duration>,
    trace: bool,
    has_traced_partial: bool,
    report: F,
}

impl<F: Fn(SocketEvent) -> bool> Receiver<F> {
    fn run(mut self) {
        self.set_timeout();
        let end = loop {
            let has_timeout = self.timeout().is_some();
            let traced = self.trace_next();
            let received = match traced.and_then(|()| self.reader.read_line()) {
                Ok(Some(line)) => Some(SocketEvent::from(line)),
                Ok(None) => break None,
                Err(error) if has_timeout && error.kind() == ErrorKind::WouldBlock => None,
                Err(error) => break Some(error),
            };
            let event = if let Some(event) = received {
                if self.silence.take().is_some() {
                    self.set_timeout();
                }
                event
            } else {
                self.trace_partial();
                if self.silence.is_none() {
                    continue;
                }
                let Some(line) = self.reader.take_partial_line() else { continue };
                line.into()
            };
            self.has_traced_partial = false;
            if !(self.report)(event) {
                return;
            }
        };
        self.trace_partial();
        let rest = sanitize(self.reader.partial_line());
        if end.is_none() && !rest.is_empty() && self.dialect.is_last_event(&rest) {
            (self.report)(SocketEvent::Received(rest.into_owned()));
        }
        (self.report)(SocketEvent::Disconnected(end));
    }

    /// Returns the pause after which a line without an LF counts, or is traced.
    fn timeout(&self) -> Option<Duration> {
        self.silence.or(self.trace.then_some(SERVER_SILENCE))
    }

    fn set_timeout(&self) {
        // If this fails, lines without an LF are shown later.
        let _ = self.reader.source().set_read_timeout(self.timeout());
    }

    /// Traces a line without an LF, once.
    fn trace_partial(&mut self) {
        let partial = self.reader.partial_line();
        if self.trace && !partial.is_empty() && !self.has_traced_partial {
            self.has_traced_partial = true;
            (self.report)(SocketEvent::Traced(Excerpt::of(partial).with_note("and no LF yet (G1)").to_string()));
        }
    }

    /// Traces the next line, waiting for it as [`LineReader::read_line`] does.
    fn trace_next(&mut self) -> io::Result<()> {
        while self.trace {
            if let Some(line) = self.reader.peek_line() {
                (self.report)(SocketEvent::Traced(Excerpt::of(line).to_string()));
                break;
            }
            if self.reader.fill()? == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Connects to the first address of the host that accepts.
fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let unknown = || io::Error::other(messages::UNKNOWN_HOST);
    let mut failure = unknown();
    for address in (host, port).to_socket_addrs().map_err(|_| unknown())? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                sys::keep_alive(&stream, UNACKNOWLEDGED_TIMEOUT)?;
                stream.set_write_timeout(Some(CLIENT_WRITE_TIMEOUT))?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
