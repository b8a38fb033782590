//! What a client's lines ask for, and the answers to it.

use std::mem;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::Handler;
use crate::limits;
use crate::log::Level;
use crate::net::Line;
use crate::program;
use crate::protocol::{self, Dialect, Event, Name, PeerState, Presence, Request, RequestError, Scope};
use crate::server::close_reason::CloseReason;
use crate::server::counters::Count;
use crate::server::delivery::batch::Delivered;
use crate::server::delivery::state::Bytes;
use crate::server::registry::{ECHOBOT, JoinError, Member, Recipient};
use crate::server::sync::{lock, read_lock, write_lock};

/// Bytes of replies to a client that are put together before they are added to its outbox.
pub(super) const MAX_REPLIES: usize = 64 << 10;

/// Bytes of that buffer that are kept between two reads, so that an idle connection stays small.
const REPLIES_KEPT: usize = 4 << 10;

impl Handler {
    pub(super) fn handle(&mut self, line: &Line<'_>) -> ControlFlow<CloseReason> {
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
        if request == Request::Ignore {
            // It costs nobody else anything but time, which counts too.
            self.flush_list.charge(bytes.len() + 1);
        } else if !matches!(request, Request::Direct { .. } | Request::Broadcast { .. }) {
            // What was sent before is answered in the words that were spoken then.
            let learned = mem::replace(&mut self.state.revision, spoken);
            self.end_batch();
            self.state.revision = learned;
        }
        let accepted = match request {
            Request::Login { name } => self.log_in(dialect, name),
            Request::Invalid(error) => {
                self.refuse(&Event::Error(error), &text);
                false
            }
            Request::Leave => return ControlFlow::Break(CloseReason::Quit),
            request => {
                self.perform(&request);
                true
            }
        };
        if !accepted && self.login.is_none() && dialect.refusal_closes() {
            return ControlFlow::Break(CloseReason::Refused);
        }
        ControlFlow::Continue(())
    }

    /// Does what a client that may ask for it asks for.
    fn perform(&mut self, request: &Request<'_>) {
        if let Request::Direct { to, text } = *request {
            self.counters.messages_in += 1;
            return self.direct(to, text);
        }
        self.trace_line();
        match *request {
            Request::Broadcast { text } => {
                self.counters.messages_in += 1;
                self.broadcast(text);
            }
            Request::List => {
                let names = read_lock(&self.context.registry).names();
                self.reply(&Event::Users(names.iter().map(Name::as_str).collect()));
            }
            Request::Secret => {
                let secret = self.context.secret.tell();
                self.reply(&Event::Secret(&secret));
            }
            _ => {}
        }
    }

    /// Checks a name in the order of G4 and takes it; says whether it is taken now.
    fn log_in(&mut self, dialect: &'static dyn Dialect, text: &str) -> bool {
        let was_logged_in = self.login.is_some();
        let accepted = self.try_log_in(dialect, text);
        if let Some(trace) = &self.trace {
            trace.end_login(self.state.name.as_ref());
        }
        if was_logged_in || !accepted {
            self.login_rate.charge(Instant::now());
        }
        accepted
    }

    fn try_log_in(&mut self, dialect: &'static dyn Dialect, text: &str) -> bool {
        let Ok(name) = text.parse::<Name>() else {
            self.refuse(&Event::Error(RequestError::InvalidName(text)), "");
            return false;
        };
        // Who is told that it is logged in must not lose its place in the same moment.
        if self.login.is_none() {
            if self.permit.log_in().is_err() {
                return false;
            }
            self.outbox.is_strangers.store(false, Ordering::Relaxed);
        }
        match self.join(dialect, &name) {
            Ok(()) => {
                self.came_in(dialect, name);
                return true;
            }
            Err(JoinError::NameInUse) => self.refuse(&Event::NameInUse { name: text }, ""),
            Err(JoinError::Full) => {
                self.report(Level::Warn, format_args!("refused: the server is full"));
                self.refuse(&Event::ServerFull, "");
            }
        }
        if self.login.is_none() {
            self.outbox.is_strangers.store(true, Ordering::Relaxed);
            self.permit.undo_log_in(&self.outbox);
        }
        false
    }

    /// Takes the name in the registry; the answer is the first that the client hears after that (G6).
    fn join(&mut self, dialect: &'static dyn Dialect, name: &Name) -> Result<(), JoinError> {
        let text = name.as_str();
        self.post_replies();
        // Adding nothing waits for room, which the answer takes without any wait.
        self.flush_list.push(&self.outbox, Bytes::Own(&[]), false);
        self.flush_list.wait();
        if let Some(trace) = &self.trace {
            trace.begin_login(text);
        }
        if self.login.is_none() && self.permit.is_surplus() {
            let is_taken = read_lock(&self.context.registry).find(text).is_some();
            return Err(if is_taken { JoinError::NameInUse } else { JoinError::Full });
        }
        let welcome = if self.login.is_none() { Event::Welcome { name: text } } else { Event::Renamed { name: text } };
        let mut line = Vec::new();
        dialect.encode_event(&welcome, self.state.revision, &mut line);
        let member = Member { name: name.clone(), dialect, outbox: Arc::clone(&self.outbox) };
        let welcome = |member: &Member| self.flush_list.force_push(&member.outbox, &line);
        self.login = Some(write_lock(&self.context.registry).join(self.login, member, welcome)?);
        self.counters.row(Some(dialect)).add(Count::BytesOut, line.len());
        Ok(())
    }

    fn came_in(&mut self, dialect: &dyn Dialect, name: Name) {
        if let Some(trace) = &self.trace {
            trace.end_login(Some(&name));
        }
        let text = name.to_string();
        if let Some(before) = self.state.name.replace(name) {
            if before.as_str() != text {
                self.announce(Presence::Renamed { from: before.as_str(), to: &text });
            }
            return self.log.event(Level::Info, &before, format_args!("is now {text}"));
        }
        self.is_announced = self.announce(Presence::Joined { name: &text });
        let peer = self.peer;
        self.report(Level::Info, format_args!("logged in from {peer} ({})", dialect.name()));
        self.deadline = self.idle_deadline();
    }

    /// Tells everybody else that somebody has come or has another name, if that is wanted and not too much (G15), and returns
    /// whether it does. It is a broadcast like any other.
    fn announce(&mut self, presence: Presence<'_>) -> bool {
        let is_told = self.context.settings.announce && lock(&self.context.announcements).try_charge(Instant::now());
        if is_told {
            self.begin_broadcast();
            self.batch.add(&Event::Presence(presence));
        }
        is_told
    }

    /// Tells everybody who was told that the client has come that it is gone; at the end of the server all are.
    pub(super) fn announce_leaving(&mut self) {
        let Some(name) = self.state.name.clone().filter(|_| self.is_announced) else { return };
        let shutdown = Arc::clone(&self.context.shutdown);
        let Some(_lines) = shutdown.begin_lines() else { return };
        self.begin_broadcast();
        self.batch.add(&Event::Presence(Presence::Left { name: name.as_str() }));
        self.flush();
    }

    fn direct(&mut self, to: &str, text: &str) {
        if self.batch.is_to(to) {
            self.trace_line();
            return self.batch.add(&delivery(&self.state, Scope::Direct, text));
        }
        self.end_batch();
        let recipient = read_lock(&self.context.registry).find(to);
        if recipient.is_some() {
            self.trace_line();
        }
        match recipient {
            None => self.refuse(&Event::NoSuchUser { name: to }, ""),
            Some(Recipient::Echobot) => {
                self.echo(&Event::Delivery { scope: Scope::Direct, from: ECHOBOT, text });
            }
            // To oneself the reply comes before the delivery (C8).
            Some(Recipient::Member(member)) if Arc::ptr_eq(&member.outbox, &self.outbox) => {
                let state = self.state.clone();
                self.echo(&delivery(&state, Scope::Direct, text));
            }
            Some(Recipient::Member(member)) => {
                self.batch.begin_to(to, member);
                self.batch.add(&delivery(&self.state, Scope::Direct, text));
            }
        }
    }

    fn broadcast(&mut self, text: &str) {
        self.begin_broadcast();
        self.batch.add(&delivery(&self.state, Scope::Broadcast, text));
    }

    /// Has the batch be one of messages to everybody else.
    fn begin_broadcast(&mut self) {
        if !self.batch.is_to_everyone() {
            self.end_batch();
            let everyone = read_lock(&self.context.registry).everyone_but(self.login.unwrap_or_default());
            self.batch.begin_to_everyone(everyone);
        }
    }

    /// Ends the batch of messages that is going on, and answers them.
    pub(super) fn end_batch(&mut self) {
        if let Some(Delivered { count, name, sent }) = self.batch.end(&mut self.flush_list, &self.counters) {
            let answer = if sent { Event::Ack } else { Event::NoSuchUser { name: &name } };
            self.reply_times(&answer, count);
        }
        self.relieve_memory();
    }

    /// Adds a line for the client itself, behind all that there is for it.
    pub(super) fn reply(&mut self, event: &Event<'_>) {
        self.reply_times(event, 1);
    }

    fn reply_times(&mut self, event: &Event<'_>, count: usize) {
        let Some(dialect) = self.dialect else { return };
        let replies = Arc::make_mut(&mut self.replies);
        let start = replies.len();
        dialect.encode_event(event, self.state.revision, replies);
        let end = replies.len();
        (1..count).for_each(|_| replies.extend_from_within(start..end));
        if self.replies.len() >= MAX_REPLIES {
            self.post_replies();
        }
    }

    /// Acknowledges what the client says to itself or to `echobot`, and has it delivered a moment later; at once if the client
    /// says more.
    fn echo(&mut self, delivery: &Event<'_>) {
        self.counters.row(self.dialect).add(Count::MessagesOut, 1);
        self.reply(&Event::Ack);
        if let Some(dialect) = self.dialect {
            dialect.encode_event(delivery, self.state.revision, &mut self.echo);
            self.echo_at = Some(Instant::now() + limits::ECHO_DELAY);
        }
    }

    fn post_replies(&mut self) {
        if !self.replies.is_empty() {
            self.counters.row(self.dialect).add(Count::BytesOut, self.replies.len());
        }
        let is_covered = self.flush_list.charge(self.replies.len());
        self.flush_list.push(&self.outbox, Bytes::Shared(&self.replies), is_covered);
        self.flush_list.wait();
        match Arc::get_mut(&mut self.replies) {
            Some(replies) if replies.capacity() <= REPLIES_KEPT => replies.clear(),
            _ => self.replies = Arc::default(),
        }
    }

    /// Everything that the lines handled so far have brought about goes out, and there is nothing more to have a turn for.
    pub(super) fn flush(&mut self) {
        self.post_all();
        self.flush_list.flush();
        self.flush_list.end_turn();
    }

    /// Everything that the lines handled so far have brought about is added to outboxes.
    pub(super) fn post_all(&mut self) {
        self.end_batch();
        self.post_replies();
        match self.flush_list.take_long_waits() {
            0 => {}
            waits => self.counters.row(self.dialect).add(Count::LongWaits, waits),
        }
    }
}

/// Returns a message of whoever is logged in.
fn delivery<'a>(state: &'a PeerState, scope: Scope, text: &'a str) -> Event<'a> {
    Event::Delivery { scope, from: state.name.as_ref().map_or("", Name::as_str), text }
}
