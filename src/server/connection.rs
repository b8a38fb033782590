//! One client, on one thread: reads its lines, does what they ask for, and says why it ended.

use std::fmt;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Context;
use super::admission::places::Permit;
use super::close_reason::CloseReason;
use super::delivery::batch::{Batch, Delivered};
use super::delivery::flush_list::FlushList;
use super::delivery::outbox::Outbox;
use super::delivery::state::Bytes;
use super::lines::Lines;
use super::rate_limit::{LimitedLog, RateLimit};
use super::registry::{ECHOBOT, JoinError, Member, Recipient};
use super::sync::{lock, read, write};
use crate::limits;
use crate::log::Level;
use crate::net::Line;
use crate::program;
use crate::protocol::{self, Dialect, Event, Name, PeerState, Request, RequestError, Scope};

/// Bytes of replies to a client that are put together before they are added to its outbox.
const MAX_REPLIES: usize = 64 << 10;

/// Bytes of that buffer that are kept between two reads, so that an idle connection stays small.
const REPLIES_KEPT: usize = 4 << 10;

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
            outbox,
            dialect: context.settings.dialect,
            state: PeerState::default(),
            login: None,
            log: LimitedLog::new(context.log.clone(), 0),
            line_rate,
            login_rate: RateLimit::new(LOGIN_RATE, LOGIN_RATE, now),
            context,
            batch: Batch::default(),
            replies: Arc::default(),
            echo: Vec::new(),
            echo_at: None,
            permit,
        }
    }

    /// Serves the client until the connection ends, and everything that was held for it is free again.
    pub(crate) fn run(mut self, stream: TcpStream) {
        let max_line = limits::MAX_LINE_BEFORE_LOGIN.min(self.context.settings.max_line);
        let mut lines = Lines::new(stream, max_line);
        self.report(Level::Debug, format_args!("connected"));
        let reason = self.serve(&mut lines);
        // Whoever closed the outbox knows better than the read that failed then.
        let reason = self.outbox.close_reason().unwrap_or(reason);
        self.close(reason, &mut lines);
        drop(lines);
    }

    fn serve(&mut self, lines: &mut Lines) -> CloseReason {
        let mut heard = false;
        loop {
            if let ControlFlow::Break(reason) = self.handle_buffered(lines) {
                return reason;
            }
            // Restart the idle clock only here: time spent blocked on slow recipients must not count against this client.
            if mem::take(&mut heard) && self.login.is_some() {
                self.deadline = self.idle_deadline();
            }
            let silence_ends = self.silence_ends(lines);
            let next = [self.deadline, self.echo_at, silence_ends].into_iter().flatten().min();
            let is_over = |time: Option<Instant>| time.is_some_and(|time| time <= Instant::now());
            match self.read(lines, next) {
                Ok(0) => {
                    if self.dialect_of(lines.partial()).end_of_stream_ends_request() {
                        lines.end_line();
                        let _ = self.handle_buffered(lines);
                    }
                    return CloseReason::EndOfInput;
                }
                Ok(_) => heard = true,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut if is_over(self.echo_at) => self.release_echo(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut if is_over(silence_ends) => lines.end_line(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut if is_over(self.deadline) => return self.timed_out(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => {}
                    kind => return CloseReason::Failed(kind),
                },
            }
        }
    }

    /// Handles the lines that are there; once the server is going away, drops them.
    fn handle_buffered(&mut self, lines: &mut Lines) -> ControlFlow<CloseReason> {
        let shutdown = Arc::clone(&self.context.shutdown);
        let Some(_batch) = shutdown.begin_batch() else {
            while lines.next().is_some() {}
            return ControlFlow::Continue(());
        };
        Arc::make_mut(&mut self.replies).extend(lines.take_telnet_answer());
        let mut result = ControlFlow::Continue(());
        while result.is_continue() && self.delay().is_zero() {
            let Some(line) = lines.next() else { break };
            let was_logged_in = self.login.is_some();
            result = self.handle(&line);
            if self.batch.is_full(self.context.settings.max_backlog) {
                self.end_batch();
            }
            if self.flush_list.is_over() {
                result = ControlFlow::Break(CloseReason::EndOfInput);
            }
            if !was_logged_in && self.login.is_some() {
                lines.set_limit(self.context.settings.max_line);
            }
        }
        // Answer binary protocols (TLS, ...) at once instead of at the login timeout.
        let may_go_on = result.is_continue() && self.delay().is_zero();
        if may_go_on && self.login.is_none() && protocol::looks_binary(lines.partial()) {
            result = self.handle(&lines.discard_line());
        }
        if self.dialect.is_some_and(Dialect::answers_in_kind) {
            self.outbox.socket.omit_line_feeds(!lines.has_read_line_feed());
        }
        self.flush();
        result
    }

    /// Returns how long it is until the client's next line may be handled.
    fn delay(&self) -> Duration {
        let exhausted = self.line_rate.iter().chain([&self.login_rate]).filter(|limit| limit.is_exhausted());
        exhausted.map(|limit| limit.delay(Instant::now())).max().unwrap_or_default()
    }

    /// Reads once, until the deadline; only waits for a part of the time that the client's next line has to wait.
    fn read(&mut self, lines: &mut Lines, deadline: Option<Instant>) -> io::Result<usize> {
        let delay = self.delay();
        if delay.is_zero() {
            let silent_since = Instant::now();
            let read = lines.read_until(deadline);
            self.flush_list.earn(silent_since.elapsed());
            return read;
        }
        #[expect(clippy::disallowed_methods, reason = "time has to pass, whatever happens")]
        thread::sleep(delay.min(MAX_PAUSE));
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
        let partial = protocol::sanitize(lines.partial());
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
        self.echo_at = None;
        Arc::make_mut(&mut self.replies).append(&mut self.echo);
    }

    /// When a client that says nothing from now on has to go.
    fn idle_deadline(&self) -> Option<Instant> {
        self.context.settings.idle_timeout.map(|timeout| Instant::now() + timeout)
    }

    fn handle(&mut self, line: &Line<'_>) -> ControlFlow<CloseReason> {
        let (Line::Whole(bytes) | Line::TooLong(bytes)) = *line;
        let text = protocol::sanitize(bytes);
        program::failpoint(&text);
        if let Some(limit) = &mut self.line_rate {
            limit.charge(Instant::now());
        }
        self.release_echo();
        let dialect = self.dialect_of(bytes);
        self.dialect = Some(dialect);
        let spoken = self.state.revision;
        let request = match (dialect.decode_request(&text, &mut self.state), line) {
            (Request::Invalid(error), _) => Request::Invalid(error),
            (_, Line::TooLong(_)) => Request::Invalid(RequestError::TooLong),
            (Request::Direct { .. } | Request::Broadcast { .. }, _) if self.login.is_none() => {
                Request::Invalid(RequestError::NotLoggedIn)
            }
            (request, Line::Whole(_)) => request,
        };
        if !matches!(request, Request::Direct { .. } | Request::Broadcast { .. }) {
            // What was sent before is answered in the words that were spoken then.
            let learned = mem::replace(&mut self.state.revision, spoken);
            self.end_batch();
            self.state.revision = learned;
        }
        let accepted = match request {
            Request::Login { name } => self.log_in(dialect, name),
            Request::Direct { to, text } => {
                self.direct(to, text);
                true
            }
            Request::Broadcast { text } => {
                self.broadcast(text);
                true
            }
            Request::List => {
                let names = read(&self.context.registry).names();
                self.reply(&Event::Users(names.iter().map(Name::as_str).collect()));
                true
            }
            Request::Secret => {
                let secret = self.context.secret.tell();
                self.reply(&Event::Secret(&secret));
                true
            }
            Request::Ignore => true,
            Request::Leave => return ControlFlow::Break(CloseReason::Quit),
            Request::Invalid(error) => {
                self.reply(&Event::Error(error));
                false
            }
        };
        if !accepted && self.login.is_none() && dialect.refusal_closes() {
            return ControlFlow::Break(CloseReason::Refused);
        }
        ControlFlow::Continue(())
    }

    /// Checks a name in the order of G4 and takes it; says whether it is taken now.
    fn log_in(&mut self, dialect: &'static dyn Dialect, text: &str) -> bool {
        let was_logged_in = self.login.is_some();
        let accepted = self.try_log_in(dialect, text);
        if was_logged_in || !accepted {
            self.login_rate.charge(Instant::now());
        }
        accepted
    }

    fn try_log_in(&mut self, dialect: &'static dyn Dialect, text: &str) -> bool {
        let Ok(name) = text.parse::<Name>() else {
            self.reply(&Event::Error(RequestError::InvalidName(text)));
            return false;
        };
        // Who is told that it is logged in must not lose its place in the same moment.
        if self.login.is_none() && self.permit.log_in().is_err() {
            return false;
        }
        match self.join(dialect, &name) {
            Ok(()) => {
                self.came_in(dialect, name);
                return true;
            }
            Err(JoinError::NameInUse) => self.reply(&Event::NameInUse { name: text }),
            Err(JoinError::Full) => {
                self.report(Level::Warn, format_args!("refused: the server is full"));
                self.reply(&Event::ServerFull);
            }
        }
        if self.login.is_none() {
            self.permit.undo_log_in(&self.outbox);
        }
        false
    }

    /// Takes the name in the registry; the answer is the first that the client hears after that (G6).
    fn join(&mut self, dialect: &'static dyn Dialect, name: &Name) -> Result<(), JoinError> {
        let text = name.as_str();
        if self.login.is_none() && self.permit.is_surplus() {
            let is_taken = read(&self.context.registry).find(text).is_some();
            return Err(if is_taken { JoinError::NameInUse } else { JoinError::Full });
        }
        let welcome = if self.login.is_none() { Event::Welcome { name: text } } else { Event::Renamed { name: text } };
        self.post_replies();
        // Adding nothing waits for room, which the answer takes without any wait.
        self.flush_list.push(&self.outbox, Bytes::Own(&[]), false);
        self.flush_list.wait();
        let mut line = Vec::new();
        dialect.encode_event(&welcome, self.state.revision, &mut line);
        let member = Member { name: name.clone(), dialect, outbox: Arc::clone(&self.outbox) };
        let welcome = |member: &Member| self.flush_list.force_push(&member.outbox, &line);
        self.login = Some(write(&self.context.registry).join(self.login, member, welcome)?);
        Ok(())
    }

    fn came_in(&mut self, dialect: &dyn Dialect, name: Name) {
        let text = name.to_string();
        if let Some(before) = self.state.name.replace(name) {
            return self.log.event(Level::Info, &before, format_args!("is now {text}"));
        }
        let peer = self.peer;
        self.report(Level::Info, format_args!("logged in from {peer} ({})", dialect.name()));
        self.deadline = self.idle_deadline();
    }

    /// Reports an event of this client.
    fn report(&mut self, level: Level, text: fmt::Arguments<'_>) {
        match &self.state.name {
            Some(name) => self.log.event(level, name, text),
            None => lock(&self.context.lobby_log).event(level, &self.peer, text),
        }
    }

    fn direct(&mut self, to: &str, text: &str) {
        let from = self.state.name.clone();
        let from = from.as_ref().map_or("", Name::as_str);
        let delivery = Event::Delivery { scope: Scope::Direct, from, text };
        if self.batch.is_to(to) {
            return self.batch.add(&delivery);
        }
        self.end_batch();
        let recipient = read(&self.context.registry).find(to);
        match recipient {
            None => self.reply(&Event::NoSuchUser { name: to }),
            Some(Recipient::Echobot) => {
                self.echo(&Event::Delivery { scope: Scope::Direct, from: ECHOBOT, text });
            }
            // To oneself the reply comes before the delivery (C8).
            Some(Recipient::Member(member)) if Arc::ptr_eq(&member.outbox, &self.outbox) => {
                self.echo(&delivery);
            }
            Some(Recipient::Member(member)) => {
                self.batch.begin_to(to, member);
                self.batch.add(&delivery);
            }
        }
    }

    fn broadcast(&mut self, text: &str) {
        let from = self.state.name.clone();
        let from = from.as_ref().map_or("", Name::as_str);
        if !self.batch.is_to_everyone() {
            self.end_batch();
            let everyone = read(&self.context.registry).everyone_but(self.login.unwrap_or_default());
            self.batch.begin_to_everyone(everyone);
        }
        self.batch.add(&Event::Delivery { scope: Scope::Broadcast, from, text });
    }

    /// Ends the batch of messages that is going on, and answers them.
    fn end_batch(&mut self) {
        if let Some(Delivered { count, name, sent }) = self.batch.end(&mut self.flush_list) {
            let answer = if sent { Event::Ack } else { Event::NoSuchUser { name: &name } };
            (0..count).for_each(|_| self.reply(&answer));
        }
    }

    /// Adds a line for the client itself, behind all that there is for it.
    fn reply(&mut self, event: &Event<'_>) {
        let Some(dialect) = self.dialect else { return };
        dialect.encode_event(event, self.state.revision, Arc::make_mut(&mut self.replies));
        if self.replies.len() >= MAX_REPLIES {
            self.post_replies();
        }
    }

    /// Acknowledges what the client says to itself or to `echobot`, and has it delivered a moment later; at once if the client
    /// says more.
    fn echo(&mut self, delivery: &Event<'_>) {
        self.reply(&Event::Ack);
        if let Some(dialect) = self.dialect {
            dialect.encode_event(delivery, self.state.revision, &mut self.echo);
            self.echo_at = Some(Instant::now() + limits::ECHO_DELAY);
        }
    }

    /// A client that is gone is found out by the read.
    fn post_replies(&mut self) {
        let is_covered = self.flush_list.charge(self.replies.len());
        self.flush_list.push(&self.outbox, Bytes::Shared(&self.replies), is_covered);
        self.flush_list.wait();
        match Arc::get_mut(&mut self.replies) {
            Some(replies) if replies.capacity() <= REPLIES_KEPT => replies.clear(),
            _ => self.replies = Arc::default(),
        }
    }

    /// Everything that the lines handled so far have brought about goes out.
    fn flush(&mut self) {
        self.end_batch();
        self.post_replies();
        self.flush_list.flush();
    }

    /// Ends the connection: its name is free at once (G5), and in good order the client gets all that it is owed (G9)
    /// and no reset destroys it (G10).
    fn close(&mut self, reason: CloseReason, lines: &mut Lines) {
        self.permit.begin_leaving();
        self.leave();
        let level = if self.login.is_some() || !reason.is_orderly() { Level::Info } else { Level::Debug };
        let said = if self.context.shutdown.has_begun() { CloseReason::Shutdown } else { reason };
        if let Some(name) = &self.state.name {
            self.log.catch_up(name);
        }
        self.report(level, format_args!("left: {said}"));
        if reason.is_orderly() && !self.finish(reason, lines) {
            self.report(Level::Info, format_args!("did not take its last lines"));
        }
        self.outbox.close(reason);
    }

    /// Has the client take its last lines, and says whether it has.
    fn finish(&mut self, reason: CloseReason, lines: &mut Lines) -> bool {
        let at_end = reason == CloseReason::EndOfInput;
        let timeout = if at_end { limits::HALF_CLOSED_TIMEOUT } else { limits::FLUSH_TIMEOUT };
        self.release_echo();
        if self.context.shutdown.has_begun() && self.login.is_none() {
            self.reply(&Event::Goodbye);
        }
        self.flush();
        let delivered = self.outbox.finish(Instant::now());
        if !delivered || !at_end {
            self.permit.step_outside(&self.outbox);
        }
        if !delivered && !self.outbox.finish(Instant::now() + timeout) {
            return false;
        }
        self.outbox.shutdown_sending();
        if !at_end {
            lines.drain(Instant::now() + limits::DRAIN_TIMEOUT);
        }
        true
    }

    fn leave(&self) {
        if let Some(login) = self.login {
            write(&self.context.registry).leave(login);
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        if thread::panicking() {
            self.leave();
            self.outbox.close(CloseReason::Panicked);
            self.flush_list.flush();
        }
    }
}
