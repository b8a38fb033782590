//! The server: one thread that accepts, one thread for each client, and the room they share.
//!
//! It knows the [`crate::protocol`] only through [`crate::protocol::Dialect`], and nothing of the client program. It
//! prints nothing: events go to a [`Log`], and the address it listens on is asked for with [`Server::local_addr`].

mod admission;
mod close_reason;
mod connection;
mod counters;
mod delivery;
mod lines;
#[doc = include_str!("manual.md")]
pub mod manual {}
mod memory;
mod rate_limit;
mod registry;
mod secret;
mod semaphore;
mod shutdown;
mod sync;
mod trace;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use self::admission::capacity::Machine;
use self::admission::places::{NoPlace, PlaceLimits, Places};
use self::connection::Handler;
use self::counters::{Count, Counters};
use self::delivery::config::OutboxConfig;
use self::delivery::outbox::{Outbox, WRITE_TIMEOUT};
use self::delivery::socket::ClientSocket;
use self::memory::MemoryBudget;
use self::rate_limit::{LimitedLog, RateLimit};
use self::registry::Registry;
use self::secret::Secret;
use self::semaphore::Semaphore;
use self::shutdown::Shutdown;
use self::sync::{lock, read_lock};
use self::trace::{Trace, Traced};
use crate::limits;
use crate::log::{Level, Log};
use crate::program::describe;
use crate::protocol::{Dialect, Name};
use crate::sys;

/// What a server can be told. [`Settings::default`] is what `limits` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What every client speaks; `None` goes by each client's first line.
    pub dialect: Option<&'static dyn Dialect>,
    /// What the secret is, instead of a random one (W11).
    pub secret: Option<String>,
    /// Logged-in clients there may be, `echobot` not counted.
    pub max_clients: usize,
    /// Connections from one address that may log in; `None` is as many as there are places.
    pub max_per_address: Option<usize>,
    /// Lines a second that a client may send; what is over that is read later. `None` is as many as it likes.
    pub max_rate: Option<u32>,
    /// Bytes of the longest line, including its LF.
    pub max_line: usize,
    /// Bytes that may wait for all recipients together; `None` is half of the memory that there is.
    pub max_memory: Option<usize>,
    /// Bytes that may wait for one recipient.
    pub max_backlog: usize,
    /// How long a recipient may stay over half its backlog.
    pub slow_timeout: Duration,
    /// How long a client may take to log in.
    pub login_timeout: Duration,
    /// How long a logged-in client may say nothing; `None` is as long as it likes.
    pub idle_timeout: Option<Duration>,
    /// Whether `echobot` is online (G11).
    pub echobot: bool,
    /// Whether everybody is told who comes and goes (G15).
    pub announce: bool,
    /// Whose lines are logged as they come and go; everybody's are at [`Level::Trace`].
    pub trace: Vec<Name>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dialect: None,
            secret: None,
            max_clients: limits::MAX_CLIENTS,
            max_per_address: None,
            max_rate: None,
            max_line: limits::MAX_LINE,
            max_memory: None,
            max_backlog: limits::MAX_BACKLOG,
            slow_timeout: limits::SLOW_TIMEOUT,
            login_timeout: limits::LOGIN_TIMEOUT,
            idle_timeout: None,
            echobot: true,
            announce: false,
            trace: Vec::new(),
        }
    }
}

/// Connections that may wait for `accept`; the kernel cuts it to `net.core.somaxconn`.
const ACCEPT_QUEUE: i32 = 4096;

/// What is set for the listener holds for all streams that it accepts.
const OPTIONS_ARE_INHERITED: bool = cfg!(target_os = "linux");

/// Wait after the first failed `accept`; it doubles with each further failure in a row.
const ACCEPT_RETRY: Duration = Duration::from_millis(10);

/// Longest wait after a failed `accept`.
const MAX_ACCEPT_RETRY: Duration = Duration::from_millis(500);

/// What to do about limits that are too low.
const RAISE: &str = "raise 'ulimit -n', or give it more memory";

/// Log lines that all strangers together may cause at once.
const LOBBY_LOG_BURST: u32 = 1000;

/// What every connection works with. Clones share it.
#[derive(Clone)]
struct Context {
    settings: Arc<Settings>,
    registry: Arc<RwLock<Registry>>,
    secret: Arc<Secret>,
    shutdown: Arc<Shutdown>,
    counters: Arc<Counters>,
    log: Log,
    /// Where events of connections that are not logged in are reported, however many there are of them.
    lobby_log: Arc<Mutex<LimitedLog>>,
    /// How many logins and changes of names are announced (G15).
    announcements: Arc<Mutex<RateLimit>>,
}

impl Context {
    /// Returns the outboxes of all who are connected: those online, and those outside.
    fn outboxes(&self, places: &Places) -> Vec<Arc<Outbox>> {
        let members = read_lock(&self.registry).everyone();
        let online = members.iter().map(|member| Arc::clone(&member.outbox));
        online.chain(places.outside()).collect()
    }
}

/// A server that listens.
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use std::net::TcpStream;
/// use std::{io, thread};
///
/// use parley::log::{Level, Log};
/// use parley::net::write_fully;
/// use parley::server::{Server, Settings};
///
/// let server = Server::bind("127.0.0.1:0", Settings::default(), Log::start(Level::Warn, io::stderr())?)?;
/// let address = server.local_addr()?;
/// thread::spawn(move || server.run());
///
/// let mut stream = TcpStream::connect(address)?;
/// write_fully(&mut stream, b"HELLO-FROM ann\n")?;
/// let mut reply = String::new();
/// BufReader::new(stream).read_line(&mut reply)?;
/// assert_eq!(reply, "HELLO ann\n");
/// # io::Result::Ok(())
/// ```
pub struct Server {
    listener: TcpListener,
    context: Context,
    places: Arc<Places>,
    outbox_config: Arc<OutboxConfig>,
    /// The id of the last connection.
    last_id: AtomicU64,
    traced: Option<Arc<Traced>>,
}

impl Server {
    /// Begins to listen on `address`; from now on clients can connect, and are served once [`Self::run`] is called.
    ///
    /// # Errors
    ///
    /// When the address is not one of this machine, or is in use; [`io::ErrorKind::QuotaExceeded`] when the limits of the
    /// process leave no room for a connection.
    pub fn bind(address: impl ToSocketAddrs, settings: Settings, log: Log) -> io::Result<Self> {
        let traced = Traced::new(&log, &settings.trace);
        let capacity = Machine::read().capacity();
        if capacity.connections == 0 {
            let text = format!("this machine's limits leave no room for a connection: {RAISE}");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, text));
        }
        let listener = TcpListener::bind(address)?;
        if OPTIONS_ARE_INHERITED {
            set_options(&TcpStream::from(OwnedFd::from(listener.try_clone()?)))?;
        }
        if let Err(error) = sys::lengthen_accept_queue(&listener, ACCEPT_QUEUE) {
            log.event(Level::Warn, format_args!("the accept queue stays short: {}", describe(&error)));
        }
        // Half of the places and a quarter of the writers at most, so that strangers cannot keep out who wants to log in.
        let outside = limits::LOBBY_PLACES.min(capacity.connections / 2).min(capacity.writers / 4).max(1);
        let (fit, wanted) = (capacity.connections, settings.max_clients.saturating_add(outside));
        if fit < wanted {
            let text = "connections fit into this machine's limits, not";
            log.event(Level::Warn, format_args!("only {fit} {text} {wanted}: {RAISE}"));
        }
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let outbox_config = OutboxConfig {
            max_backlog: settings.max_backlog,
            slow_timeout: settings.slow_timeout,
            stall_timeout: limits::STALL_TIMEOUT.max(settings.slow_timeout),
            writer_linger: limits::WRITER_LINGER,
            memory: MemoryBudget::new(settings.max_memory.unwrap_or(capacity.backlogs)),
            max_writers: capacity.writers,
            writers: AtomicUsize::new(0),
            flooders: [Semaphore::new(cores), Semaphore::new((cores / 2).max(1))],
            long_lines: Semaphore::new(limits::LONG_LINES),
        };
        let announcements = RateLimit::new(limits::ANNOUNCE_RATE, limits::ANNOUNCE_BURST, Instant::now());
        let per_source = settings.max_per_address;
        let registry = Registry::new(settings.max_clients, settings.echobot);
        Ok(Self {
            listener,
            context: Context {
                secret: Arc::new(Secret::new(settings.secret.clone())),
                settings: Arc::new(settings),
                registry: Arc::new(RwLock::new(registry)),
                shutdown: Arc::default(),
                counters: Arc::new(Counters::new()),
                announcements: Arc::new(Mutex::new(announcements)),
                lobby_log: Arc::new(Mutex::new(LimitedLog::new(log.clone(), LOBBY_LOG_BURST))),
                log,
            },
            places: Arc::new(Places::new(PlaceLimits { open: fit, outside, per_source })),
            outbox_config: Arc::new(outbox_config),
            last_id: AtomicU64::new(0),
            traced,
        })
    }

    /// The address it listens on, with the port that the system picked if it was asked to (H16).
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts clients and serves them, for ever. A failed `accept` is never final: it is tried again after a while.
    pub fn run(&self) {
        let mut retry = ACCEPT_RETRY;
        loop {
            match self.listener.accept() {
                Ok((stream, peer)) => {
                    retry = ACCEPT_RETRY;
                    if let Err(error) = self.admit(stream, peer) {
                        self.context.counters.row(0, None).add(refusal(&error), 1);
                        lock(&self.context.lobby_log).event(
                            Level::Warn,
                            &peer,
                            format_args!("refused: {}", describe(&error)),
                        );
                    }
                }
                Err(error) => {
                    self.context
                        .log
                        .event(Level::Warn, format_args!("cannot accept a connection: {}", describe(&error)));
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "nothing tells when there is a file to be had again"
                    )]
                    thread::sleep(retry);
                    retry = (retry * 2).min(MAX_ACCEPT_RETRY);
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        if self.context.shutdown.has_begun() {
            return Ok(());
        }
        let mut permit = self.places.enter(peer.ip(), || !sys::has_input(&stream)).map_err(io::Error::other)?;
        if !OPTIONS_ARE_INHERITED {
            set_options(&stream)?;
        }
        let trace = self.traced.as_ref().map(|traced| Arc::new(Trace::new(traced, peer)));
        let socket = ClientSocket::new(stream.try_clone()?, trace);
        let outbox = Arc::new(Outbox::new(socket, Arc::clone(&self.outbox_config)));
        outbox.is_strangers.store(true, Ordering::Relaxed);
        permit.step_outside(&outbox);
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        // Boxed, as each frame between here and its thread has room for a copy of its own, of memory that an idle client keeps.
        let handler = Box::new(Handler::new(id, peer, outbox, permit, self.context.clone()));
        let builder = thread::Builder::new().name(format!("client-{id}")).stack_size(limits::THREAD_STACK);
        builder.spawn(move || handler.run(stream)).map(drop)
    }
}

/// Sets what a client's stream needs.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    sys::keep_alive(stream)
}

/// Returns what counts a connection that could not be let in.
fn refusal(error: &io::Error) -> Count {
    match error.get_ref().and_then(|error| error.downcast_ref::<NoPlace>()) {
        Some(NoPlace::Crowded) => Count::Crowded,
        Some(NoPlace::Full | NoPlace::Displaced) => Count::NoPlace,
        None => Count::System,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_streams_have_the_options_of_the_listener() {
        let log = Log::start(Level::Error, io::sink()).expect("a thread");
        let server = Server::bind("127.0.0.1:0", Settings::default(), log).expect("a free port");
        let _client = TcpStream::connect(server.local_addr().expect("bound")).expect("it listens");
        let (stream, _) = server.listener.accept().expect("it has come");
        assert_eq!(stream.nodelay().expect("a socket"), OPTIONS_ARE_INHERITED);
        let timeout = stream.write_timeout().expect("a socket");
        assert_eq!(timeout, OPTIONS_ARE_INHERITED.then_some(WRITE_TIMEOUT));
    }
}
