//! One client, on one thread: reads its lines, does what they ask for, and says why it ended.

mod closing;
mod long_lines;
mod requests;
mod telemetry;

use std::fmt;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use self::long_lines::LongLine;
use self::requests::MAX_REPLIES;
use super::Context;
use super::admission::places::Permit;
use super::close_reason::CloseReason;
use super::counters::ConnectionCounters;
use super::delivery::batch::Batch;
use super::delivery::flush_list::FlushList;
use super::delivery::outbox::Outbox;
use super::lines::Lines;
use super::rate_limit::{LimitedLog, RateLimit};
use super::sync::lock;
use super::trace::Trace;
use crate::limits;
use crate::log::Level;
use crate::protocol::{self, Dialect, Event, PeerState};

/// Refused logins and changes of the name that a client may send a second, and at once.
const LOGIN_RATE: u32 = 5;

/// Seconds' worth of lines that a client may send at once, where lines are limited.
const RATE_BURST: u32 = 3;

/// How long a client that has sent too much may go unobserved.
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// What the server and one client have to do with each other.
pub(crate) struct Handler {
    peer: SocketAddr,
    /// When the client has to be logged in; once it is, when it has to have said something, if at all.
    deadline: Option<Instant>,
    outbox: Arc<Outbox>,
    flush_list: FlushList,
    /// Known from the first line on.
    dialect: Option<&'static dyn Dialect>,
    state: PeerState,
    /// The number of its login, once it is in the registry.
    login: Option<u64>,
    /// Everybody else was told that it has come.
    is_announced: bool,
    context: Context,
    /// Messages that are not in any outbox yet.
    batch: Batch,
    /// Replies that are not in the client's outbox yet.
    replies: Arc<Vec<u8>>,
    /// What the client has said to itself or to `echobot`, to be added to the replies a moment later.
    echo: Vec<u8>,
    /// When that moment has come.
    echo_at: Option<Instant>,
    /// Where events are reported once it is logged in.
    log: LimitedLog,
    /// How many lines are handled, if that is limited.
    line_rate: Option<RateLimit>,
    /// How many logins that are refused, and changes of the name.
    login_rate: RateLimit,
    /// Lines that have come have to wait.
    is_held_up: bool,
    counters: ConnectionCounters,
    /// Where what comes and goes is logged, if it is.
    trace: Option<Arc<Trace>>,
    /// Whether a long line of its own is being received.
    long_line: LongLine,
    /// Bytes of memory that its long lines take.
    extra_memory: usize,
    /// Free again when everything else is.
    permit: Permit,
}

impl Handler {
    /// Creates the handler of the connection with this id, which no other one has and which is not 0.
    pub(crate) fn new(id: u64, peer: SocketAddr, outbox: Arc<Outbox>, permit: Permit, context: Context) -> Self {
        let now = Instant::now();
        let line_rate =
            context.settings.max_rate.map(|rate| RateLimit::new(rate, rate.saturating_mul(RATE_BURST), now));
        Self {
            peer,
            deadline: Some(now + context.settings.login_timeout),
            flush_list: FlushList::new(id, Some(Arc::clone(&outbox))),
            counters: ConnectionCounters::new(Arc::clone(&context.counters), id),
            trace: outbox.socket.trace.clone(),
            outbox,
            dialect: context.settings.dialect,
            state: PeerState::default(),
            login: None,
            is_announced: false,
            log: LimitedLog::new(context.log.clone(), 0),
            line_rate,
            login_rate: RateLimit::new(LOGIN_RATE, LOGIN_RATE, now),
            context,
            batch: Batch::default(),
            replies: Arc::default(),
            echo: Vec::new(),
            echo_at: None,
            is_held_up: false,
            long_line: LongLine::None,
            extra_memory: 0,
            permit,
        }
    }

    /// Serves the client until the connection ends, and everything that was held for it is free again.
    pub(crate) fn run(mut self: Box<Self>, stream: TcpStream) {
        let max_line = limits::MAX_LINE_BEFORE_LOGIN.min(self.context.settings.max_line);
        let mut lines = Lines::new(stream, max_line);
        self.report(Level::Debug, format_args!("connected"));
        let reason = self.serve(&mut lines);
        self.flush_list.end_turn();
        self.end_long_line(LongLine::None);
        self.trace_rest(&mut lines);
        // Whoever closed the outbox knows better than the read that failed then.
        let reason = self.outbox.close_reason().unwrap_or(reason);
        self.close(reason, &mut lines);
        drop(lines);
    }

    fn serve(&mut self, lines: &mut Lines) -> CloseReason {
        let mut heard = false;
        loop {
            if !self.has_memory(lines) {
                return CloseReason::NoMemory;
            }
            if let ControlFlow::Break(reason) = self.handle_buffered(lines) {
                return reason;
            }
            // Restart the idle clock only here: time spent blocked on slow recipients must not count against this client.
            if mem::take(&mut heard) && self.login.is_some() {
                self.deadline = self.idle_deadline();
            }
            // Where this thread was not run for a while, it was no silence.
            let silence_ends = self.silence_ends(lines).filter(|_| !lines.has_input());
            let partial_due = self.partial_due(lines).filter(|_| !lines.has_input());
            let times = [self.deadline, self.echo_at, silence_ends, partial_due, self.long_line_ends()];
            let next = times.into_iter().flatten().min();
            let is_over = |time: Option<Instant>| time.is_some_and(|time| time <= Instant::now());
            match self.read(lines, next) {
                Ok(0) => {
                    if self.dialect_of(lines.partial()).end_of_stream_ends_request() {
                        lines.end_line();
                        let _ = self.handle_buffered(lines);
                    }
                    return CloseReason::EndOfInput;
                }
                Ok(count) => {
                    heard = true;
                    self.counters.bytes_in += count;
                }
                Err(error) if error.kind() == ErrorKind::OutOfMemory => return CloseReason::NoMemory,
                Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return CloseReason::Failed(error.kind());
                }
                Err(_) if is_over(self.echo_at) => self.release_echo(),
                Err(_) if is_over(silence_ends) && !lines.has_input() => lines.end_line(),
                Err(_) if is_over(partial_due) && !lines.has_input() => self.trace_partial(lines),
                Err(_) if is_over(self.deadline) => return self.timed_out(),
                Err(_) => {}
            }
        }
    }

    /// Handles the lines that are there; once the server is going away, drops them.
    fn handle_buffered(&mut self, lines: &mut Lines) -> ControlFlow<CloseReason> {
        let shutdown = Arc::clone(&self.context.shutdown);
        self.is_held_up = false;
        self.flush_list.begin_turn();
        let Some(_lines) = shutdown.begin_lines() else {
            lines.discard();
            self.flush_list.end_turn();
            return ControlFlow::Continue(());
        };
        self.trace_telnet(lines);
        Arc::make_mut(&mut self.replies).extend(lines.take_telnet_answer());
        let mut result = ControlFlow::Continue(());
        while result.is_continue() {
            if self.flush_list.is_over() {
                result = ControlFlow::Break(CloseReason::EndOfInput);
                break;
            }
            self.is_held_up = !self.may_go_on();
            if self.is_held_up {
                break;
            }
            self.trace_next(lines);
            let Some(line) = lines.next() else { break };
            let was_logged_in = self.login.is_some();
            result = self.handle(&line);
            self.trace_line();
            if self.batch.is_full(self.context.settings.max_backlog) {
                lines.shrink();
                self.end_batch();
            }
            if !was_logged_in && self.login.is_some() {
                lines.set_limit(self.context.settings.max_line);
            }
        }
        // Answer binary protocols (TLS, ...) at once instead of at the login timeout.
        let may_go_on = result.is_continue() && !self.is_held_up;
        if may_go_on && self.login.is_none() && is_binary(lines.partial()) {
            if let Some(trace) = &self.trace {
                trace.begin_line(lines.partial());
            }
            result = self.handle(&lines.discard_line());
        }
        if self.dialect.is_some_and(Dialect::answers_in_kind) {
            self.outbox.socket.omit_line_feeds(!lines.has_read_line_feed());
        }
        self.counters.end_lines(self.dialect);
        self.post_all();
        if may_go_on {
            self.flush_list.flush_until_input();
        } else {
            self.flush_list.flush();
        }
        if let Some(trace) = &self.trace {
            trace.end_lines();
        }
        self.is_held_up |= self.owes_answers();
        if self.is_held_up {
            self.flush_list.end_turn();
        } else {
            self.flush_list.end_turn_before_read();
        }
        result
    }

    /// Returns whether the client's next line may be handled now.
    fn may_go_on(&self) -> bool {
        let is_in_time = !self.rate_limits().any(RateLimit::is_exhausted) || self.delay().is_zero();
        let has_room = self.login.is_some() || (self.replies.len() < MAX_REPLIES && !self.owes_answers());
        is_in_time && has_room
    }

    /// Returns whether somebody who is not logged in has not taken its answers yet, for which no other thread waits.
    fn owes_answers(&self) -> bool {
        self.login.is_none() && self.outbox.backlog() > 0
    }

    /// Returns how long it is until the client's next line may be handled.
    fn delay(&self) -> Duration {
        let exhausted = self.rate_limits().filter(|limit| limit.is_exhausted());
        exhausted.map(|limit| limit.delay(Instant::now())).max().unwrap_or_default()
    }

    fn rate_limits(&self) -> impl Iterator<Item = &RateLimit> {
        self.line_rate.iter().chain([&self.login_rate])
    }

    /// Reads once, until the deadline; does no more than to wait for a while when lines that have come have to wait.
    fn read(&mut self, lines: &mut Lines, deadline: Option<Instant>) -> io::Result<usize> {
        if !self.is_held_up {
            self.admit_long_line(lines);
            let silent_since = Instant::now();
            let read = lines.read_until(deadline);
            self.flush_list.earn(silent_since.elapsed());
            return read;
        }
        self.end_long_line(LongLine::None);
        if self.owes_answers() {
            self.outbox.flush_patiently();
        } else {
            #[expect(clippy::disallowed_methods, reason = "time has to pass, whatever happens")]
            thread::sleep(self.delay().min(MAX_PAUSE));
        }
        let is_over = self.flush_list.own_is_closed();
        Err(if is_over { ErrorKind::ConnectionAborted } else { ErrorKind::WouldBlock }.into())
    }

    /// Returns what a line that begins so would be taken for.
    fn dialect_of(&self, line: &[u8]) -> &'static dyn Dialect {
        let login = if self.login.is_none() && self.context.settings.dialect.is_none() { Some(line) } else { None };
        let login = login.and_then(|line| protocol::detect_login(&protocol::sanitize(line)));
        login.or(self.dialect).unwrap_or_else(|| protocol::detect(&protocol::sanitize(line)))
    }

    /// Returns when what has come of a line is a line, as nothing follows (G13).
    fn silence_ends(&self, lines: &Lines) -> Option<Instant> {
        if lines.has_read_line_feed() || lines.partial().is_empty() {
            return None;
        }
        // How it begins is all that counts, and a long line is not looked at again whenever a byte of it comes.
        let beginning = lines.partial().len().min(limits::MAX_LINE_BEFORE_LOGIN);
        let partial = protocol::sanitize(&lines.partial()[..beginning]);
        let silence = self.dialect_of(lines.partial()).silence_ends_request(&partial, &self.state)?;
        Some(lines.last_read() + silence)
    }

    /// Says what there is to say to a client that has taken too long, and why it ends.
    fn timed_out(&mut self) -> CloseReason {
        if self.login.is_some() {
            return CloseReason::Idle;
        }
        self.reply(&Event::LoginTimeout);
        self.flush();
        CloseReason::LoginTimeout
    }

    /// Lets the client hear what it has said to itself.
    fn release_echo(&mut self) {
        if self.echo_at.take().is_some() {
            Arc::make_mut(&mut self.replies).append(&mut self.echo);
        }
    }

    /// When a client that says nothing from now on has to go.
    fn idle_deadline(&self) -> Option<Instant> {
        self.context.settings.idle_timeout.map(|timeout| Instant::now() + timeout)
    }

    /// Reports an event of this client.
    fn report(&mut self, level: Level, text: fmt::Arguments<'_>) {
        match &self.state.name {
            Some(name) => self.log.event(level, name, text),
            None => lock(&self.context.lobby_log).event(level, &self.peer, text),
        }
    }
}

/// Returns whether the beginning of a line is not one of ours: its answer is the same then, whatever follows.
fn is_binary(partial_line: &[u8]) -> bool {
    protocol::looks_binary(partial_line) && !protocol::is_request(&protocol::sanitize(partial_line))
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.outbox.config.memory.adjust(self.extra_memory, 0);
        self.end_long_line(LongLine::None);
        if thread::panicking() {
            self.leave();
            self.outbox.close(CloseReason::Panicked);
        }
    }
}
