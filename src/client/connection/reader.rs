//! The thread on the socket: connects, then turns what the server sends into events, a line each.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::thread;

use crate::client::messages;
use crate::client::permits::{Permit, Permits};
use crate::limits::{CLIENT_MAX_LINE, CLIENT_WRITE_TIMEOUT, CONNECT_TIMEOUT, SERVER_SILENCE};
use crate::net::{Line, LineReader};
use crate::protocol::{Dialect, sanitize};
use crate::sys;

/// What the thread reports.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    /// The connection is there, and this is its sending half.
    Connected(TcpStream),
    /// It could not be made.
    Unreachable(io::Error),
    /// A line, harmless to a terminal.
    Received(String),
    /// A line that is too long.
    TooLong,
    /// The connection has ended.
    Disconnected(Option<io::Error>),
}

impl From<Line<'_>> for SocketEvent {
    fn from(line: Line<'_>) -> Self {
        match line {
            Line::Whole(line) => match sanitize(line) {
                // What stands in for a byte is three of them.
                line if line.len() > CLIENT_MAX_LINE => Self::TooLong,
                line => Self::Received(line.into_owned()),
            },
            Line::TooLong(_) => Self::TooLong,
        }
    }
}

/// Starts the thread of a connection to a server. It ends with the connection, or when `report` says that nobody wants to
/// hear of it any more.
pub(crate) fn spawn(
    address: (String, u16),
    dialect: &'static dyn Dialect,
    report: impl Fn(SocketEvent, Permit) -> bool + Send + 'static,
) -> io::Result<()> {
    let permits = Permits::default();
    let builder = thread::Builder::new().name(String::from("socket"));
    let thread = move || {
        connect_and_read(&address, dialect, |event| {
            let permit = permits.acquire(if let SocketEvent::Received(line) = &event { line.len() } else { 0 });
            report(event, permit)
        });
    };
    builder.spawn(thread).map(drop)
}

/// Reports until the connection has ended or nobody wants to hear of it any more.
fn connect_and_read((host, port): &(String, u16), dialect: &'static dyn Dialect, report: impl Fn(SocketEvent) -> bool) {
    // Until the server has sent its first LF.
    let mut silence = dialect.needs_no_line_feed().then_some(SERVER_SILENCE);
    let opened = connect(host, *port).and_then(|stream| {
        stream.set_read_timeout(silence)?;
        Ok((stream.try_clone()?, stream))
    });
    let (sending_half, stream) = match opened {
        Ok(halves) => halves,
        Err(error) => {
            report(SocketEvent::Unreachable(error));
            return;
        }
    };
    if !report(SocketEvent::Connected(sending_half)) {
        return;
    }
    let mut reader = LineReader::new(stream, CLIENT_MAX_LINE);
    let end = loop {
        let received = match reader.read_line() {
            Ok(Some(line)) => Some(SocketEvent::from(line)),
            Ok(None) => break None,
            Err(error) if silence.is_some() && error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => break Some(error),
        };
        let event = if let Some(event) = received {
            if silence.take().is_some() {
                let _ = reader.source().set_read_timeout(None);
            }
            event
        } else {
            let Some(line) = reader.take_partial_line() else { continue };
            line.into()
        };
        if !report(event) {
            return;
        }
    };
    let rest = sanitize(reader.partial_line());
    if end.is_none()
        && !rest.is_empty()
        && dialect.is_last_event(&rest)
        && !report(SocketEvent::Received(rest.into_owned()))
    {
        return;
    }
    report(SocketEvent::Disconnected(end));
}

/// Connects to the first of the name's addresses that answers.
fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let unknown = || io::Error::other(messages::UNKNOWN_HOST);
    let mut failure = unknown();
    for address in (host, port).to_socket_addrs().map_err(|_| unknown())? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                sys::keep_alive(&stream)?;
                stream.set_write_timeout(Some(CLIENT_WRITE_TIMEOUT))?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
