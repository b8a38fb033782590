//! The thread on the socket: connects, then turns what the server sends into events, a line each.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::thread;

use crate::client::permits::{Permit, Permits};
use crate::limits::{CLIENT_MAX_LINE, CLIENT_WRITE_TIMEOUT, CONNECT_TIMEOUT};
use crate::net::{Line, LineReader};
use crate::protocol::sanitize;
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

/// Starts the thread of a connection to a server. It ends with the connection, or when `report` says that nobody wants to
/// hear of it any more.
pub(crate) fn spawn(
    address: (String, u16),
    report: impl Fn(SocketEvent, Permit) -> bool + Send + 'static,
) -> io::Result<()> {
    let permits = Permits::default();
    let builder = thread::Builder::new().name(String::from("socket"));
    let thread = move || {
        connect_and_read(&address, |event| {
            let permit = permits.acquire(if let SocketEvent::Received(line) = &event { line.len() } else { 0 });
            report(event, permit)
        });
    };
    builder.spawn(thread).map(drop)
}

/// Reports until the connection has ended or nobody wants to hear of it any more.
fn connect_and_read((host, port): &(String, u16), report: impl Fn(SocketEvent) -> bool) {
    let opened = connect(host, *port).and_then(|stream| Ok((stream.try_clone()?, stream)));
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
        let event = match reader.read_line() {
            Ok(Some(Line::Whole(line))) => SocketEvent::Received(sanitize(line).into_owned()),
            Ok(Some(Line::TooLong(_))) => SocketEvent::TooLong,
            Ok(None) => break None,
            Err(error) => break Some(error),
        };
        if !report(event) {
            return;
        }
    };
    report(SocketEvent::Disconnected(end));
}

/// Connects to the first of the name's addresses that answers.
fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
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
