//! What a client's lines ask for, and the answers.

use std::fmt;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::close_reason::CloseReason;
use super::context::Context;
use super::counters::Count;
use super::delivery::Member;
use super::delivery::sender::{Delivered, Sender};
use super::lobby::Place;
use super::registry::JoinError;
use super::source::Source;
use super::sync::{lock, read_lock, write_lock};
use super::trace::Trace;
use crate::log::Level;
use crate::net::Line;
use crate::program;
use crate::protocol::{self, Dialect, Event, Name, PeerState, Presence, Request, RequestError, Scope};

/// Bytes of replies that are gathered before they are added to the client's outbox.
const MAX_REPLIES: usize = 64 << 10;

/// What the server knows of a client, and what it is about to tell it.
pub(crate) struct Client {
    pub(crate) context: Arc<Context>,
    peer: SocketAddr,
    /// Known from the first line on.
    dialect: Option<&'static dyn Dialect>,
    pub(crate) state: PeerState,
    /// Its number in the registry, if it is there.
    number: Option<u64>,
    /// Its coming was announced, so its going will be.
    is_announced: bool,
    pub(crate) sender: Sender,
    /// Replies that are not in the client's outbox yet.
    pub(crate) replies: Vec<u8>,
    /// Its messages to itself and to `echobot`, which come a moment after their acknowledgements.
    pub(crate) echo: Vec<u8>,
    pub(crate) trace: Trace,
    pub(crate) place: Place,
}

/// What follows from a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    /// The same, but too many of such lines have to wait: a refused login, or a change of the name.
    Slower,
    Close(CloseReason),
}

impl Client {
    pub(crate) fn new(context: Arc<Context>, peer: SocketAddr, sender: Sender, place: Place) -> Self {
        let dialect = context.settings.dialect;
        let trace = Trace::new(context.traced.clone());
        Self {
            context,
            peer,
            dialect,
            state: PeerState::default(),
            number: None,
            is_announced: false,
            sender,
            replies: Vec::new(),
            echo: Vec::new(),
            trace,
            place,
        }
    }

    pub(crate) fn is_logged_in(&self) -> bool {
        self.state.name.is_some()
    }

    /// Returns whether the client needs no further lines handled: its connection is closed, or the server is going away.
    pub(crate) fn should_stop(&self) -> bool {
        self.sender.is_closed || self.context.shutdown.has_begun()
    }

    /// Returns the dialect that a line with this beginning would be taken for.
    pub(crate) fn dialect_of(&self, line: &[u8]) -> &'static dyn Dialect {
        let may_change = !self.is_logged_in() && self.context.settings.dialect.is_none();
        let login = if may_change { protocol::detect_login(&protocol::sanitize(line)) } else { None };
        login.or(self.dialect).unwrap_or_else(|| protocol::detect(&protocol::sanitize(line)))
    }

    pub(crate) fn report(&self, level: Level, text: fmt::Arguments<'_>) {
        self.context.report(level, self.who(), text);
    }

    fn who(&self) -> &dyn fmt::Display {
        match &self.state.name {
            Some(name) => name,
            None => &self.peer,
        }
    }

    /// Does what a line asks for. A client that `omits_line_feeds` may be answered without any (G13).
    pub(crate) fn handle(&mut self, line: &Line<'_>, omits_line_feeds: bool) -> Flow {
        let (Line::Whole(bytes) | Line::TooLong(bytes)) = *line;
        let text = protocol::sanitize(bytes);
        program::failpoint(&text);
        self.release_echo();
        let dialect = self.dialect_of(bytes);
        self.speak(dialect);
        self.sender.own.socket().omit_line_feeds(omits_line_feeds && dialect.answers_in_kind());
        let spoken = self.state.revision;
        let request = match (dialect.decode_request(&text, &mut self.state), line) {
            (Request::Invalid(error), _) => Request::Invalid(error),
            (_, Line::TooLong(_)) => Request::Invalid(RequestError::TooLong),
            (Request::Direct { .. } | Request::Broadcast { .. }, _) if !self.is_logged_in() => {
                Request::Invalid(RequestError::NotLoggedIn)
            }
            (request, Line::Whole(_)) => request,
        };
        if !matches!(request, Request::Direct { .. } | Request::Broadcast { .. } | Request::Ignore) {
            // Messages before this line are answered in the words that were spoken then.
            let learned = mem::replace(&mut self.state.revision, spoken);
            self.end_batch();
            self.state.revision = learned;
        }
        if !matches!(request, Request::Login { .. } | Request::Invalid(_) | Request::Direct { .. }) {
            self.show_line("");
        }
        match request {
            Request::Login { name } => return self.log_in(dialect, name),
            Request::Invalid(error) => {
                self.refuse(&Event::Error(error), &text);
                return self.after_refusal(dialect);
            }
            Request::Leave => return Flow::Close(CloseReason::Quit),
            Request::Direct { to, text } => self.direct(to, text),
            Request::Broadcast { text } => {
                self.begin_broadcast();
                self.add(Scope::Broadcast, text);
            }
            Request::List => {
                let names = read_lock(&self.context.registry).names();
                self.reply(&Event::Users(names.iter().map(Name::as_str).collect()));
            }
            Request::Secret => self.reply(&Event::Secret(&self.context.secret.tell())),
            Request::Ignore => _ = self.sender.charge(bytes.len() + 1),
        }
        self.show_line("");
        Flow::Continue
    }

    fn after_refusal(&self, dialect: &dyn Dialect) -> Flow {
        if self.is_logged_in() || !dialect.refusal_closes() {
            return Flow::Continue;
        }
        self.count(Count::Refused);
        Flow::Close(CloseReason::Refused)
    }

    fn show_line(&mut self, note: &str) {
        if self.trace.is_wanted() {
            let who = self.who().to_string();
            self.trace.show_line(&who, note);
        }
    }

    fn show_replies(&self, lines: &[u8]) {
        self.trace.show_replies(self.who(), lines, self.sender.own.socket().omits_line_feeds());
    }

    /// Answers the line with a refusal, and logs why.
    fn refuse(&mut self, refusal: &Event<'_>, line: &str) {
        if let (true, Some(dialect)) = (self.trace.is_wanted(), self.dialect) {
            let mut answer = Vec::new();
            dialect.encode_event(refusal, self.state.revision, &mut answer);
            let answer = String::from_utf8_lossy(&answer);
            let answer = answer.lines().next().unwrap_or_default().trim_end_matches('.');
            self.show_line(&format!("{answer}: {}", dialect.explain(refusal, line, &self.state)));
        }
        self.reply(refusal);
    }

    /// Changes to a dialect. A client that is not logged in may hear broadcasts in it (W2).
    fn speak(&mut self, dialect: &'static dyn Dialect) {
        let may_listen = dialect.hears_before_login();
        if self.is_logged_in() || (self.dialect == Some(dialect) && self.number.is_some() == may_listen) {
            return;
        }
        self.dialect = Some(dialect);
        self.leave_room();
        if may_listen {
            let member = self.member(dialect, None);
            self.number = write_lock(&self.context.registry).join(None, member, |_| ()).ok();
        }
    }

    fn member(&self, dialect: &'static dyn Dialect, name: Option<Name>) -> Member {
        let trace = self.trace.of_name(name.as_ref().map(Name::as_str));
        Member { name, dialect, source: Source::from(self.peer.ip()), outbox: Arc::clone(&self.sender.own), trace }
    }

    /// Leaves the registry. The name is free at once (G5).
    pub(crate) fn leave_room(&mut self) {
        if let Some(number) = self.number.take() {
            write_lock(&self.context.registry).leave(number);
        }
    }

    /// Checks a name in the order of G4 and takes it.
    fn log_in(&mut self, dialect: &'static dyn Dialect, text: &str) -> Flow {
        let was_logged_in = self.is_logged_in();
        // Waits for space before the place is protected. The welcome is added under the registry's lock and must not wait.
        self.post_replies();
        self.trace.include_name(text);
        let refusal = match text.parse::<Name>() {
            Err(_) => Event::Error(RequestError::InvalidName(text)),
            // A client that hears that it is logged in must not lose its place in the same moment.
            Ok(_) if !was_logged_in && !self.place.set_logging_in(true) => return Flow::Close(CloseReason::Displaced),
            Ok(name) => match self.join(dialect, &name) {
                Ok(welcome) => {
                    self.show_line("");
                    self.enter(dialect, name, &welcome);
                    return if was_logged_in { Flow::Slower } else { Flow::Continue };
                }
                Err(JoinError::NameInUse) => Event::NameInUse { name: text },
                Err(JoinError::Full) => {
                    self.report(Level::Warn, format_args!("refused: the server is full"));
                    Event::ServerFull
                }
            },
        };
        self.place.set_logging_in(false);
        self.refuse(&refusal, "");
        self.trace.set_name(self.state.name.as_ref().map(Name::as_str));
        match self.after_refusal(dialect) {
            Flow::Continue => {
                self.context.counters.add(Count::Refused, usize::from(!was_logged_in));
                Flow::Slower
            }
            flow => flow,
        }
    }

    /// Takes the name in the registry. The answer is the first line that the client hears after that (G6). Returns it.
    fn join(&mut self, dialect: &'static dyn Dialect, name: &Name) -> Result<Vec<u8>, JoinError> {
        let text = name.as_str();
        let welcome = if self.is_logged_in() { Event::Renamed { name: text } } else { Event::Welcome { name: text } };
        let mut line = Vec::new();
        dialect.encode_event(&welcome, self.state.revision, &mut line);
        let member = self.member(dialect, Some(name.clone()));
        let (sender, bounds) = (&mut self.sender, self.context.bounds);
        let welcome = |member: &Member| {
            member.outbox.log_in(member.dialect, bounds.max_backlog);
            sender.force_reply(&line);
        };
        self.number = Some(write_lock(&self.context.registry).join(self.number, member, welcome)?);
        Ok(line)
    }

    fn enter(&mut self, dialect: &dyn Dialect, name: Name, welcome: &[u8]) {
        self.trace.set_name(Some(name.as_str()));
        let text = name.to_string();
        let before = self.state.name.replace(name);
        self.show_replies(welcome);
        if let Some(before) = before {
            if before.as_str() != text {
                self.announce(Presence::Renamed { from: before.as_str(), to: &text });
            }
            return self.context.report(Level::Info, &before, format_args!("is now {text}"));
        }
        self.place.leave_lobby();
        self.is_announced = self.announce(Presence::Joined { name: &text });
        self.report(Level::Info, format_args!("logged in from {} ({})", self.peer, dialect.name()));
    }

    /// Announces a login or a new name to all others, if the options and the rate allow it (G15). Returns whether it does.
    fn announce(&mut self, presence: Presence<'_>) -> bool {
        let is_wanted = self.context.settings.announce;
        let is_told = is_wanted && lock(&self.context.announcements).try_charge(Instant::now());
        if is_told {
            self.begin_broadcast();
            self.sender.add(&Event::Presence(presence));
        }
        is_told
    }

    /// Tells all others that the client is gone, if they were told that it had come. At the end of the server all are.
    pub(crate) fn announce_leaving(&mut self) {
        let is_told = self.is_announced && !self.context.shutdown.has_begun();
        let Some(name) = self.state.name.clone().filter(|_| is_told) else { return };
        self.begin_broadcast();
        self.sender.add(&Event::Presence(Presence::Left { name: name.as_str() }));
    }

    fn direct(&mut self, to: &str, text: &str) {
        if self.sender.is_to(to) {
            return self.add(Scope::Direct, text);
        }
        self.end_batch();
        let registry = read_lock(&self.context.registry);
        let (is_echobot, recipient) = (registry.is_echobot(to), registry.find(to));
        drop(registry);
        match recipient {
            None if is_echobot => self.echo(to, text),
            None => self.refuse(&Event::NoSuchUser { name: to }, ""),
            Some(member) if Arc::ptr_eq(&member.outbox, &self.sender.own) => self.echo(to, text),
            Some(member) => {
                self.sender.begin_to(to, member);
                self.add(Scope::Direct, text);
            }
        }
    }

    fn add(&mut self, scope: Scope, text: &str) {
        let from = self.state.name.as_ref().map_or("", Name::as_str);
        if self.sender.add(&Event::Delivery { scope, from, text }) {
            self.end_batch();
        }
    }

    fn begin_broadcast(&mut self) {
        if !self.sender.is_to_everyone() {
            self.end_batch();
            let everyone = read_lock(&self.context.registry).everyone_but(self.number);
            self.sender.begin_to_everyone(everyone);
        }
    }

    /// Ends the batch, and answers its messages.
    fn end_batch(&mut self) {
        if let Some(Delivered { count, name, is_sent }) = self.sender.end_batch() {
            let answer = if is_sent { Event::Ack } else { Event::NoSuchUser { name: &name } };
            self.reply_times(&answer, count);
        }
    }

    /// Adds a line for the client itself, behind all that there is for it.
    pub(crate) fn reply(&mut self, event: &Event<'_>) {
        self.reply_times(event, 1);
    }

    fn reply_times(&mut self, event: &Event<'_>, count: usize) {
        let Some(dialect) = self.dialect else { return };
        let start = self.replies.len();
        dialect.encode_event(event, self.state.revision, &mut self.replies);
        let end = self.replies.len();
        (1..count).for_each(|_| self.replies.extend_from_within(start..end));
        self.show_replies(&self.replies[start..]);
        if self.replies.len() >= MAX_REPLIES {
            self.post_replies();
        }
    }

    /// Acknowledges a message of the client to itself or to `echobot`, and has it delivered a moment later (C8, G11).
    fn echo(&mut self, from: &str, text: &str) {
        self.count(Count::MessagesIn);
        self.count(Count::MessagesOut);
        self.show_line("");
        self.reply(&Event::Ack);
        if let Some(dialect) = self.dialect {
            dialect.encode_event(&Event::Delivery { scope: Scope::Direct, from, text }, 0, &mut self.echo);
        }
    }

    /// Adds to the replies what the client has said to itself.
    pub(crate) fn release_echo(&mut self) {
        if !self.echo.is_empty() {
            self.show_replies(&self.echo);
            self.replies.append(&mut self.echo);
        }
    }

    pub(crate) fn count(&self, count: Count) {
        self.context.counters.add(count, 1);
    }

    fn post_replies(&mut self) {
        self.sender.reply(mem::take(&mut self.replies));
    }

    /// Sends out everything that the lines handled so far have brought about.
    pub(crate) fn flush(&mut self) {
        self.end_batch();
        self.post_replies();
        self.sender.flush();
    }

    /// Returns the client's good-bye at the end of the server, if its dialect has one.
    pub(crate) fn goodbye(&self) -> Vec<u8> {
        let mut line = Vec::new();
        if let Some(dialect) = self.dialect {
            dialect.encode_event(&Event::Goodbye, 0, &mut line);
            self.show_replies(&line);
        }
        line
    }

    /// Logs input that no line is made of, and why.
    pub(crate) fn trace_rest(&mut self, bytes: &[u8], note: &str) {
        self.trace.begin_line(bytes);
        self.show_line(note);
    }
}
