//! One client, on one thread: reads its lines, does what they ask for, and says why it ended.

use std::io::ErrorKind;
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::admission::lobby::LobbyGuard;
use super::close_reason::CloseReason;
use super::delivery::batch::{Batch, Delivered};
use super::delivery::flush_list::FlushList;
use super::delivery::outbox::{Bytes, Outbox};
use super::registry::{ECHOBOT, JoinError, Member, Recipient};
use super::sync::{read, write};
use super::{ConnectionPermit, Context};
use crate::limits;
use crate::log::Level;
use crate::net::{Line, LineReader, TelnetReader};
use crate::program;
use crate::protocol::{self, Dialect, Event, Name, PeerState, Request, RequestError, Scope};

/// Bytes of replies to a client that are put together before they are added to its outbox.
const MAX_REPLIES: usize = 64 << 10;

/// Bytes of that buffer that are kept between two reads, so that an idle connection stays small.
const REPLIES_KEPT: usize = 4 << 10;

/// A connection that has been accepted.
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) peer: SocketAddr,
    pub(crate) arrived: Instant,
    pub(crate) stream: TcpStream,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) place: LobbyGuard,
    pub(crate) permit: ConnectionPermit,
    pub(crate) context: Context,
}

impl Connection {
    /// Serves the client until the connection ends, and everything that was held for it is free again.
    pub(crate) fn run(self) {
        let max_line = limits::MAX_LINE_BEFORE_LOGIN.min(self.context.settings.max_line);
        let mut reader = LineReader::new(TelnetReader::new(self.stream), max_line);
        let mut handler = Handler {
            id: self.id,
            peer: self.peer,
            deadline: Some(self.arrived + self.context.settings.login_timeout),
            outbox: self.outbox,
            flush_list: FlushList::new(self.id),
            dialect: self.context.settings.dialect,
            state: PeerState::default(),
            place: Some(self.place),
            context: self.context,
            batch: Batch::default(),
            replies: Vec::new(),
        };
        handler.context.log.event(Level::Debug, format_args!("{} connected", handler.peer));
        let reason = handler.serve(&mut reader);
        handler.end(reason, &mut reader);
        drop(handler);
        drop(reader);
        drop(self.permit);
    }
}

/// Where a client's lines come from.
type Reader = LineReader<TelnetReader<TcpStream>>;

/// What the server and one client have to do with each other.
struct Handler {
    id: u64,
    peer: SocketAddr,
    /// When the client has to be logged in; once it is, when it has to have said something, if at all.
    deadline: Option<Instant>,
    outbox: Arc<Outbox>,
    flush_list: FlushList,
    /// Known from the first line on.
    dialect: Option<&'static dyn Dialect>,
    state: PeerState,
    /// Held until the client is logged in.
    place: Option<LobbyGuard>,
    context: Context,
    /// Messages that are not in any outbox yet.
    batch: Batch,
    /// Replies that are not in the client's outbox yet.
    replies: Vec<u8>,
}

impl Handler {
    fn serve(&mut self, reader: &mut Reader) -> CloseReason {
        let mut heard = false;
        loop {
            if let ControlFlow::Break(reason) = self.handle_buffered(reader) {
                return reason;
            }
            // Only now, as the client does not get that time taken off for which others held it up.
            if mem::take(&mut heard) && self.state.name.is_some() {
                self.deadline = self.idle_deadline();
            }
            let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return if self.state.name.is_some() { CloseReason::Idle } else { CloseReason::LoginTimeout };
            }
            if left.is_some() {
                let _ = reader.source().source().set_read_timeout(left);
            }
            match reader.fill() {
                Ok(0) => return self.outbox.close_reason().unwrap_or(CloseReason::EndOfInput),
                Ok(_) => heard = true,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => {}
                    kind => return self.outbox.close_reason().unwrap_or(CloseReason::Failed(kind)),
                },
            }
        }
    }

    /// Handles the lines that are there; once the server is going away, drops them.
    fn handle_buffered(&mut self, reader: &mut Reader) -> ControlFlow<CloseReason> {
        let shutdown = Arc::clone(&self.context.shutdown);
        let Some(_pass) = shutdown.begin_pass() else {
            while reader.buffered_line().is_some() {}
            return ControlFlow::Continue(());
        };
        self.replies.extend(reader.source_mut().take_answer());
        let mut result = ControlFlow::Continue(());
        while let (ControlFlow::Continue(()), Some(line)) = (result, reader.buffered_line()) {
            let was_logged_in = self.state.name.is_some();
            result = self.handle(&line);
            if self.batch.is_full(self.context.settings.max_backlog) {
                self.end_batch();
            }
            if !was_logged_in && self.state.name.is_some() {
                reader.set_limit(self.context.settings.max_line);
                let _ = reader.source().source().set_read_timeout(None);
            }
        }
        // Whoever is not a client of ours, but of some other kind of server, need not wait for the time limit.
        if result.is_continue() && self.state.name.is_none() && protocol::looks_binary(reader.partial_line()) {
            result = self.handle(&reader.discard_line());
        }
        self.flush();
        result
    }

    /// When a client that says nothing from now on has to go.
    fn idle_deadline(&self) -> Option<Instant> {
        self.context.settings.idle_timeout.map(|timeout| Instant::now() + timeout)
    }

    fn handle(&mut self, line: &Line<'_>) -> ControlFlow<CloseReason> {
        let (Line::Whole(bytes) | Line::TooLong(bytes)) = *line;
        let text = protocol::sanitize(bytes);
        program::failpoint(&text);
        let dialect = *self.dialect.get_or_insert_with(|| protocol::detect(&text));
        let request = match (dialect.decode_request(&text, &mut self.state), line) {
            (Request::Invalid(fault), _) => Request::Invalid(fault),
            (_, Line::TooLong(_)) => Request::Invalid(RequestError::TooLong),
            (request, Line::Whole(_)) => request,
        };
        if !matches!(request, Request::Direct { .. } | Request::Broadcast { .. }) {
            self.end_batch();
        }
        let accepted = match request {
            Request::Login { name } => self.login(dialect, name),
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
            Request::Invalid(fault) => {
                self.reply(&Event::Error(fault));
                false
            }
        };
        if !accepted && self.state.name.is_none() && dialect.refusal_closes() {
            return ControlFlow::Break(CloseReason::Refused);
        }
        ControlFlow::Continue(())
    }

    /// Checks a name in the order of G4 and takes it; says whether it is taken now.
    fn login(&mut self, dialect: &'static dyn Dialect, text: &str) -> bool {
        let Ok(name) = text.parse::<Name>() else {
            self.reply(&Event::Error(RequestError::InvalidName(text)));
            return false;
        };
        let welcome = match self.state.name {
            None => Event::Welcome { name: text },
            Some(_) => Event::Renamed { name: text },
        };
        self.post_replies();
        self.flush_list.make_room(&self.outbox);
        let mut line = Vec::new();
        dialect.encode_event(&welcome, self.state.revision, &mut line);
        let member = Member { id: self.id, name: name.clone(), dialect, outbox: Arc::clone(&self.outbox) };
        let joined =
            write(&self.context.registry).join(member, |member| self.flush_list.force_push(&member.outbox, &line));
        match joined {
            Ok(_) => {
                match self.state.name.replace(name) {
                    None => self.came_in(dialect, text),
                    Some(before) => self.context.log.event(Level::Info, format_args!("{before} is now {text}")),
                }
                true
            }
            Err(JoinError::NameInUse) => {
                self.reply(&Event::NameInUse { name: text });
                false
            }
            Err(JoinError::Full) => {
                self.context.log.event(Level::Warn, format_args!("{} refused: the server is full", self.peer));
                self.reply(&Event::ServerFull);
                false
            }
        }
    }

    fn came_in(&mut self, dialect: &dyn Dialect, name: &str) {
        self.deadline = self.idle_deadline();
        self.place = None;
        let (peer, key) = (self.peer, dialect.name());
        self.context.log.event(Level::Info, format_args!("{name} logged in from {peer} ({key})"));
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
                self.reply(&Event::Ack);
                self.reply(&Event::Delivery { scope: Scope::Direct, from: ECHOBOT, text });
            }
            // To oneself the reply comes before the delivery (C8).
            Some(Recipient::Member(member)) if member.id == self.id => {
                self.reply(&Event::Ack);
                self.reply(&delivery);
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
            let everyone = read(&self.context.registry).everyone_but(self.id);
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
        dialect.encode_event(event, self.state.revision, &mut self.replies);
        if self.replies.len() >= MAX_REPLIES {
            self.post_replies();
        }
    }

    /// A client that is gone is found out by the read.
    fn post_replies(&mut self) {
        let _ = self.flush_list.push(&self.outbox, Bytes::Own(&self.replies));
        self.replies.clear();
    }

    /// Everything that the lines handled so far have brought about goes out.
    fn flush(&mut self) {
        self.end_batch();
        self.post_replies();
        self.flush_list.flush();
        if self.replies.capacity() > REPLIES_KEPT {
            self.replies = Vec::new();
        }
    }

    /// Ends the connection: its name is free at once (G5), and in good order the client gets all that it is owed (G9)
    /// and no reset destroys it (G10).
    fn end(&mut self, reason: CloseReason, reader: &mut Reader) {
        let _parting = self.context.shutdown.begin_final_flush();
        write(&self.context.registry).leave(self.id);
        let who = self.state.name.as_ref().map_or_else(|| self.peer.to_string(), Name::to_string);
        let level = if self.state.name.is_some() || !reason.is_orderly() { Level::Info } else { Level::Debug };
        let said = if self.context.shutdown.is_closed() { CloseReason::Shutdown } else { reason };
        self.context.log.event(level, format_args!("{who} left: {said}"));
        let at_end = reason == CloseReason::EndOfInput;
        let timeout = if at_end { limits::HALF_CLOSED_TIMEOUT } else { limits::FLUSH_TIMEOUT };
        if reason.is_orderly() && self.outbox.finish(Instant::now() + timeout) {
            self.outbox.shutdown_sending();
            if !at_end {
                drain(reader, Instant::now() + limits::DRAIN_TIMEOUT);
            }
        } else if reason.is_orderly() {
            self.context.log.event(Level::Info, format_args!("{who} did not take its last lines"));
        }
        self.outbox.close(reason);
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        if thread::panicking() {
            write(&self.context.registry).leave(self.id);
            self.outbox.close(CloseReason::Panicked);
            self.flush_list.flush();
        }
    }
}

/// Reads what the client has sent and nobody wants any more, until it has closed its side too.
fn drain(reader: &mut Reader, deadline: Instant) {
    loop {
        while reader.buffered_line().is_some() {}
        let left = deadline.saturating_duration_since(Instant::now());
        if left < Duration::from_millis(1) {
            return;
        }
        let _ = reader.source().source().set_read_timeout(Some(left));
        if !matches!(reader.fill(), Ok(1..)) {
            return;
        }
    }
}
