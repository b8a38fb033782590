//! What one client's lines bring about: messages to others and replies to itself.
//!
//! Consecutive messages to the same recipients are a *batch*, looked up and encoded once. A batch ends before anything else
//! is added, so that the order of everything stays as it was sent (G7). What one read has brought is added first and then
//! flushed, so that each recipient gets it with one `write`.

use std::mem;
use std::slice;
use std::sync::Arc;
use std::time::Instant;

use super::Member;
use super::outbox::{Addition, Outbox, Pushed};
use crate::limits;
use crate::protocol::{Dialect, Event, Name};
use crate::server::context::Context;
use crate::server::counters::Count;
use crate::server::rate_limit::RateLimit;
use crate::server::turns::Turn;

/// Bytes of encoded messages after which a batch ends, for all dialects together: short input may become long.
const MAX_BATCH: usize = 128 << 10;

/// Bytes of one read that a sender adds before it flushes. So the socket was offered what waits in a backlog.
const MAX_UNFLUSHED: usize = 128 << 10;

/// The sending side of one client's lines.
pub(crate) struct Sender {
    id: u64,
    pub(crate) own: Arc<Outbox>,
    context: Arc<Context>,
    /// Bytes that the client may say without counting as one that floods.
    talk: RateLimit,
    /// Held while the lines of a client that floods are handled.
    turn: Option<Turn>,
    batch: Batch,
    /// Outboxes to be flushed.
    dirty: Vec<Arc<Outbox>>,
    /// Bytes added since the last flush.
    unflushed: usize,
    /// The client's own connection was found closed.
    pub(crate) is_closed: bool,
}

/// Messages to the same recipients.
#[derive(Debug, Default)]
struct Batch {
    recipients: Recipients,
    /// Number of messages, announcements not counted.
    count: usize,
    /// All of them, in each dialect of the recipients.
    encoded: Vec<(&'static dyn Dialect, Vec<u8>)>,
}

#[derive(Debug, Default)]
enum Recipients {
    #[default]
    Nobody,
    /// The member that had this name when the batch began.
    One { name: String, member: Arc<Member> },
    /// Every member there was when the batch began.
    Everyone(Vec<Arc<Member>>),
}

/// What became of a batch of messages to one recipient.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) count: usize,
    pub(crate) name: String,
    /// They were handed on.
    pub(crate) is_sent: bool,
}

impl Sender {
    /// Creates the sender of the connection with this id, which no other one has and which is not 0.
    pub(crate) fn new(id: u64, own: Arc<Outbox>, context: Arc<Context>) -> Self {
        let now = Instant::now();
        let mut talk = RateLimit::new(limits::TALK_RATE, limits::TALK_BURST, now);
        talk.charge((limits::TALK_BURST - limits::TALK_OF_NEWCOMERS) as usize, now);
        Self {
            id,
            own,
            context,
            talk,
            turn: None,
            batch: Batch::default(),
            dirty: Vec::new(),
            unflushed: 0,
            is_closed: false,
        }
    }

    /// Returns whether a batch of direct messages to this name has begun.
    pub(crate) fn is_to(&self, to: &str) -> bool {
        matches!(&self.batch.recipients, Recipients::One { name, .. } if name == to)
    }

    pub(crate) fn is_to_everyone(&self) -> bool {
        matches!(self.batch.recipients, Recipients::Everyone(_))
    }

    /// Begins a batch of direct messages. The one before it must have ended.
    pub(crate) fn begin_to(&mut self, name: &str, member: Arc<Member>) {
        self.batch.encoded.push((member.dialect, Vec::new()));
        self.batch.recipients = Recipients::One { name: name.to_owned(), member };
    }

    /// Begins a batch of broadcasts. The one before it must have ended.
    pub(crate) fn begin_to_everyone(&mut self, members: Vec<Arc<Member>>) {
        for member in &members {
            if !self.batch.encoded.iter().any(|(dialect, _)| *dialect == member.dialect) {
                self.batch.encoded.push((member.dialect, Vec::new()));
            }
        }
        self.batch.recipients = Recipients::Everyone(members);
    }

    /// Adds a message to the batch. Returns whether the batch is full and has to end.
    pub(crate) fn add(&mut self, event: &Event<'_>) -> bool {
        self.batch.count += usize::from(matches!(event, Event::Delivery { .. }));
        let mut bytes = 0;
        for (dialect, encoded) in &mut self.batch.encoded {
            dialect.encode_event(event, 0, encoded);
            bytes += encoded.len();
        }
        bytes >= MAX_BATCH.min(self.context.bounds.max_backlog / 4)
    }

    /// Ends the batch: adds its messages to the outboxes of its recipients. Returns what became of direct ones.
    pub(crate) fn end_batch(&mut self) -> Option<Delivered> {
        let Batch { recipients, count, encoded } = mem::take(&mut self.batch);
        let members = match &recipients {
            Recipients::Nobody => return None,
            Recipients::One { member, .. } => slice::from_ref(member),
            Recipients::Everyone(members) => members,
        };
        let finish = |(dialect, mut bytes): (_, Vec<u8>)| {
            bytes.shrink_to_fit();
            (dialect, Arc::new(bytes))
        };
        let encoded: Vec<_> = encoded.into_iter().map(finish).collect();
        let longest = encoded.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or_default();
        let is_small = self.charge(longest);
        self.context.counters.add(Count::MessagesIn, count);
        let reached = self.deliver(members, &encoded, is_small);
        self.context.counters.add(Count::MessagesOut, count * reached);
        self.share_time();
        match recipients {
            Recipients::One { name, .. } => Some(Delivered { count, name, is_sent: reached > 0 }),
            _ => None,
        }
    }

    /// Adds to each member what is encoded for its dialect. Returns how many members that reached. Recipients that are full
    /// come last, so that they hold nobody else up.
    fn deliver(
        &mut self,
        members: &[Arc<Member>],
        encoded: &[(&'static dyn Dialect, Arc<Vec<u8>>)],
        is_small: bool,
    ) -> usize {
        let (mut reached, mut sent) = (0, 0);
        let mut full = Vec::new();
        for member in members {
            let encoded = encoded.iter().find(|(dialect, _)| *dialect == member.dialect);
            let Some((dialect, bytes)) = encoded else { continue };
            if bytes.is_empty() {
                continue;
            }
            if let Some(trace) = &member.trace {
                let name = member.name.as_ref().map_or("(not logged in)", Name::as_str);
                trace.outgoing(&name, bytes, member.outbox.socket().omits_line_feeds());
            }
            let addition = Addition { bytes, is_small, sender: self.id, dialect: Some(*dialect) };
            let pushed = member.outbox.push(addition);
            if pushed == Pushed::Full {
                full.push((member, addition));
            } else if self.note(&member.outbox, pushed) {
                reached += 1;
                sent += bytes.len();
            }
        }
        for (member, addition) in full {
            let pushed = self.push_when_space(&member.outbox, addition);
            if self.note(&member.outbox, pushed) {
                reached += 1;
                sent += addition.bytes.len();
            }
        }
        self.context.counters.add(Count::BytesOut, sent);
        reached
    }

    fn push_when_space(&mut self, outbox: &Outbox, addition: Addition<'_>) -> Pushed {
        self.flush();
        self.turn = None;
        let (own, shutdown) = (&self.own, &self.context.shutdown);
        let should_stop = || own.close_if_broken() || shutdown.has_lasted(limits::SHUTDOWN_WAIT);
        let pushed = outbox.push_when_space(addition, should_stop);
        self.is_closed |= self.own.close_reason().is_some();
        pushed
    }

    /// Takes note of an addition. Returns whether it was made.
    fn note(&mut self, outbox: &Arc<Outbox>, pushed: Pushed) -> bool {
        match pushed {
            Pushed::Flush => self.dirty.push(Arc::clone(outbox)),
            Pushed::Closed => self.is_closed |= Arc::ptr_eq(&self.own, outbox),
            Pushed::Done | Pushed::Full => {}
        }
        matches!(pushed, Pushed::Flush | Pushed::Done)
    }

    /// Adds replies to the client's own outbox, as soon as there is space for them.
    pub(crate) fn reply(&mut self, replies: Vec<u8>) {
        if replies.is_empty() {
            return;
        }
        let is_small = self.charge(replies.len());
        self.context.counters.add(Count::BytesOut, replies.len());
        let (own, bytes) = (Arc::clone(&self.own), Arc::new(replies));
        let addition = Addition { bytes: &bytes, is_small, sender: self.id, dialect: None };
        let mut pushed = own.push(addition);
        if pushed == Pushed::Full {
            pushed = self.push_when_space(&own, addition);
        }
        self.note(&own, pushed);
        self.share_time();
    }

    /// Adds a line to the client's own outbox whether it has space or not. It never waits.
    pub(crate) fn force_reply(&mut self, line: &[u8]) {
        self.context.counters.add(Count::BytesOut, line.len());
        let own = Arc::clone(&self.own);
        let pushed = own.force_push(line, self.id);
        self.note(&own, pushed);
    }

    /// Counts bytes that the client has said. Returns whether they are small talk.
    pub(crate) fn charge(&mut self, bytes: usize) -> bool {
        self.unflushed += bytes;
        self.talk.charge(bytes, Instant::now())
    }

    /// Waits for a turn if the client floods and has none. A client whose connection is closed ends without one.
    pub(crate) fn begin_turn(&mut self) {
        if self.turn.is_none() && !self.talk.delay(Instant::now()).is_zero() {
            self.is_closed |= self.own.close_reason().is_some();
            self.turn = (!self.is_closed).then(|| self.context.turns.acquire());
        }
    }

    /// Lets others go on after a turn, or when the client begins to flood. Flushes before it waits, and past 128 KiB.
    fn share_time(&mut self) {
        let is_due = match &self.turn {
            Some(turn) => turn.is_over(),
            None => !self.talk.delay(Instant::now()).is_zero(),
        };
        if is_due || self.unflushed >= MAX_UNFLUSHED {
            self.flush();
        }
        if is_due {
            self.turn = None;
            self.begin_turn();
        }
    }

    /// Ends the turn before the client is read again, unless it `has_input` and its time is not over.
    pub(crate) fn end_turn(&mut self, has_input: impl FnOnce() -> bool) {
        if self.turn.as_ref().is_some_and(|turn| turn.is_over() || !has_input()) {
            self.turn = None;
        }
    }

    pub(crate) fn flush(&mut self) {
        self.unflushed = 0;
        // A sender that has to wait for a recipient does so without a turn.
        let mut proceed = || {
            self.turn = None;
            !self.context.shutdown.has_lasted(limits::SHUTDOWN_TIMEOUT)
        };
        self.dirty.drain(..).for_each(|outbox| outbox.flush(&mut proceed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Level, Log};
    use crate::server::capacity::Machine;
    use crate::server::close_reason::CloseReason;
    use crate::server::registry::tests::outbox;
    use crate::server::settings::Settings;
    use crate::server::turns::Turns;
    use std::io;

    #[test]
    fn a_client_whose_connection_is_closed_queues_for_no_turn() {
        let settings = Settings::default();
        let bounds = Machine::read().bounds(&settings);
        let log = Log::start(Level::Error, io::sink()).expect("a thread");
        let context = Context { turns: Arc::new(Turns::new(0)), ..Context::new(settings, bounds, &log) };
        let mut sender = Sender::new(1, outbox(), Arc::new(context));
        while sender.charge(1000) {}
        sender.own.close(CloseReason::Displaced);
        // There is no turn to be had.
        sender.begin_turn();
        assert!(sender.turn.is_none() && sender.is_closed);
    }
}
