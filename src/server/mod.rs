//! The server: a thread for each address that it listens on, one for each client, and the room that they share.
//!
//! It knows the [`crate::protocol`] only through [`crate::protocol::Dialect`], and nothing of the client program. It prints
//! nothing: events go to a [`Log`].

mod capacity;
mod close_reason;
mod connection;
mod context;
mod counters;
mod delivery;
mod lines;
mod lobby;
#[doc = include_str!("manual.md")]
pub mod manual {}
mod rate_limit;
mod registry;
mod requests;
mod secret;
mod settings;
mod shutdown;
mod source;
mod sync;
mod trace;
mod turns;

use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use self::capacity::Machine;
use self::connection::Connection;
use self::context::Context;
use self::counters::Count;
use self::delivery::outbox::Outbox;
use self::delivery::sender::Sender;
use self::delivery::socket::{ClientSocket, Socket, WRITE_TIMEOUT};
use self::lobby::Lobby;
pub use self::settings::Settings;
use self::source::Source;
use self::sync::{pause, read_lock};
use crate::limits;
use crate::log::{Level, Log};
use crate::program::describe;
use crate::sys;

/// Connections that may wait for `accept`; the kernel cuts it to `net.core.somaxconn`.
const ACCEPT_QUEUE: i32 = 4096;

/// The listener's options hold for all streams that it accepts.
const OPTIONS_ARE_INHERITED: bool = cfg!(target_os = "linux");

/// Wait after a failed `accept`.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Ports that are tried if the system may pick one that has to be free at several addresses.
const PORT_TRIES: usize = 20;

const RAISE: &str = "raise 'ulimit -n', or give it more memory";

/// A server that listens.
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use std::io;
/// use std::net::TcpStream;
/// use std::sync::Arc;
///
/// use parley::log::{Level, Log};
/// use parley::net::write_fully;
/// use parley::server::{Server, Settings};
///
/// let log = Log::start(Level::Warn, io::stderr())?;
/// let server = Arc::new(Server::bind("127.0.0.1:0", Settings::default(), log)?);
/// server.start()?;
///
/// let mut stream = TcpStream::connect(server.local_addrs()?[0])?;
/// write_fully(&mut stream, b"HELLO-FROM ann\n")?;
/// let mut reply = String::new();
/// BufReader::new(stream).read_line(&mut reply)?;
/// assert_eq!(reply, "HELLO ann\n");
/// # io::Result::Ok(())
/// ```
pub struct Server {
    listeners: Vec<TcpListener>,
    context: Arc<Context>,
    lobby: Arc<Lobby>,
    log: Log,
    last_id: AtomicU64,
}

impl Server {
    /// Begins to listen on all of these addresses that this machine has, on the same port. Clients can connect from now on,
    /// and are served once [`Self::start`] is called.
    ///
    /// # Errors
    ///
    /// When no address is one of this machine, or one is in use; [`ErrorKind::QuotaExceeded`] when the limits of the process
    /// leave no room for a connection.
    pub fn bind(addresses: impl ToSocketAddrs, settings: Settings, log: Log) -> io::Result<Self> {
        let bounds = Machine::read().bounds(&settings);
        if bounds.connections == 0 {
            let text = format!("this machine's limits leave no room for a connection: {RAISE}");
            return Err(io::Error::new(ErrorKind::QuotaExceeded, text));
        }
        let listeners = listen(&addresses.to_socket_addrs()?.collect::<Vec<_>>())?;
        for listener in &listeners {
            if OPTIONS_ARE_INHERITED {
                set_options(&TcpStream::from(OwnedFd::from(listener.try_clone()?)), settings.slow_timeout)?;
            }
            if let Err(error) = sys::lengthen_accept_queue(listener, ACCEPT_QUEUE) {
                log.event(Level::Warn, format_args!("the accept queue stays short: {}", describe(&error)));
            }
        }
        if bounds.are_lowered {
            let (connections, clients) = (bounds.connections, bounds.clients.min(bounds.connections));
            let sizes = format!("backlogs of {} bytes, lines of {}", bounds.max_backlog, bounds.max_line);
            let text = "connections fit into this machine's limits";
            log.event(Level::Warn, format_args!("{connections} {text}: {clients} clients, {sizes}; {RAISE}"));
        }
        Ok(Self {
            listeners,
            lobby: Arc::new(Lobby::new(bounds.connections, bounds.lobby)),
            context: Arc::new(Context::new(settings, bounds, &log)),
            log,
            last_id: AtomicU64::new(0),
        })
    }

    /// Returns the addresses that it listens on, with the port that the system picked if it was asked to (H16).
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn local_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(TcpListener::local_addr).collect()
    }

    /// Starts a thread for each address, which accepts clients and has them served, for ever.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a thread.
    pub fn start(self: &Arc<Self>) -> io::Result<()> {
        for at in 0..self.listeners.len() {
            let server = Arc::clone(self);
            let builder = thread::Builder::new().name(String::from("acceptor"));
            builder.spawn(move || server.accept(&server.listeners[at]))?;
        }
        Ok(())
    }

    /// A failed `accept` is never final: it is tried again after a while.
    fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept() {
                Ok((stream, peer)) => {
                    if let Err(error) = self.admit(stream, peer) {
                        self.context.counters.add(Count::Refused, 1);
                        self.context.report(Level::Warn, &peer, format_args!("refused: {}", describe(&error)));
                    }
                }
                Err(error) => {
                    self.log.event(Level::Warn, format_args!("cannot accept a connection: {}", describe(&error)));
                    pause(ACCEPT_RETRY);
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        if !OPTIONS_ARE_INHERITED {
            set_options(&stream, self.context.settings.slow_timeout)?;
        }
        let outbox = Arc::new(Outbox::new(ClientSocket::new(stream.try_clone()?), self.context.settings.slow_timeout));
        let place = self.lobby.enter(Source::from(peer.ip()), &outbox, || !sys::has_input(&stream));
        let place = place.map_err(io::Error::other)?;
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let sender = Sender::new(id, outbox, Arc::clone(&self.context));
        // Boxed, as each frame between here and its thread has room for a copy of its own, which an idle client keeps.
        let connection = Box::new(Connection::new(Arc::clone(&self.context), peer, stream, sender, place));
        let builder = thread::Builder::new().name(format!("client-{id}")).stack_size(limits::THREAD_STACK);
        builder.spawn(move || connection.run()).map(drop)
    }

    /// Ends the service. Nothing that clients say is listened to any more, and newcomers are turned away. What was accepted
    /// is delivered, each client hears its good-bye on its own thread, and connections close: in
    /// `limits::SHUTDOWN_TIMEOUT` at most, and a moment for the clients to hang up.
    pub fn shutdown(&self) {
        let online = read_lock(&self.context.registry).online();
        self.log.event(Level::Info, format_args!("shutting down with {online} online"));
        // First of all: a connection that leaves the room must not displace one that takes its last lines.
        // A client that logs in meanwhile is in the room before it leaves the lobby, so that none is missed.
        let in_lobby = self.lobby.close();
        self.context.shutdown.begin();
        self.context.turns.open();
        let members = read_lock(&self.context.registry).everyone_but(None);
        in_lobby
            .iter()
            .chain(members.iter().map(|member| &member.outbox))
            .for_each(|outbox| outbox.socket().shutdown(Shutdown::Read));
        self.lobby.wait_until_empty(limits::SHUTDOWN_TIMEOUT + limits::SHUTDOWN_HANG_UP + limits::SHUTDOWN_CLOSED);
        self.log_counts();
    }

    /// Logs what the server has done since its start.
    pub fn log_counts(&self) {
        let online = read_lock(&self.context.registry).online();
        self.log.report(Level::Info, format_args!("{online} online, {}", self.context.counters));
    }
}

/// Listens on each of these addresses that this machine has, on the same port.
fn listen(addresses: &[SocketAddr]) -> io::Result<Vec<TcpListener>> {
    // A port that the system picks for the first address may not be free at another one.
    let is_picked = addresses.iter().all(|address| address.port() == 0);
    let tries = if is_picked { PORT_TRIES } else { 1 };
    (1..tries).fold(listen_once(addresses), |listening, _| listening.or_else(|_| listen_once(addresses)))
}

fn listen_once(addresses: &[SocketAddr]) -> io::Result<Vec<TcpListener>> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut missing = io::Error::from(ErrorKind::AddrNotAvailable);
    for (at, address) in addresses.iter().enumerate() {
        if addresses[..at].contains(address) {
            continue;
        }
        let port =
            listeners.first().map_or(Ok(address.port()), |first| first.local_addr().map(|first| first.port()))?;
        match TcpListener::bind((address.ip(), port)) {
            Ok(listener) => listeners.push(listener),
            Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
                return Err(error);
            }
            Err(error) => missing = error,
        }
    }
    if listeners.is_empty() { Err(missing) } else { Ok(listeners) }
}

/// Sets what a client's stream needs.
fn set_options(stream: &TcpStream, slow_timeout: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    // A slow client must not be disconnected before the server finds it too slow.
    sys::keep_alive(stream, limits::UNACKNOWLEDGED_TIMEOUT.max(slow_timeout + limits::STALL_TIMEOUT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_streams_have_the_options_of_the_listener() {
        let log = Log::start(Level::Error, io::sink()).expect("a thread");
        let server = Server::bind("127.0.0.1:0", Settings::default(), log).expect("a free port");
        let _client = TcpStream::connect(server.local_addrs().expect("bound")[0]).expect("it listens");
        let (stream, _) = server.listeners[0].accept().expect("it has come");
        assert_eq!(stream.nodelay().expect("a socket"), OPTIONS_ARE_INHERITED);
        let timeout = stream.write_timeout().expect("a socket");
        assert_eq!(timeout, OPTIONS_ARE_INHERITED.then_some(WRITE_TIMEOUT));
    }
}
