//! Consecutive messages of one sender to the same recipients, put together before any outbox is touched.
//!
//! A read that brings many lines brings many to the same recipients, one after the other. They are looked up once, encoded
//! once for each dialect, and added to each outbox in one step. Whatever else the sender asks for ends the batch first, so
//! that the order of everything stays as it was sent (G7).

use std::mem;
use std::sync::Arc;

use super::flush_list::FlushList;
use super::state::Bytes;
use crate::protocol::{Dialect, Event};
use crate::server::counters::{ConnectionCounters, Count};
use crate::server::registry::Member;

/// Bytes of encoded messages after which a batch is full.
const MAX_BATCH: usize = 128 << 10;

/// Messages to the same recipients, or none.
#[derive(Default)]
pub(crate) struct Batch {
    recipients: Recipients,
    /// How many messages it has, announcements not counted.
    count: usize,
    /// All of them, for each dialect among the recipients.
    lines: Vec<Encoded>,
}

/// The messages of a batch in one dialect.
struct Encoded {
    dialect: &'static dyn Dialect,
    bytes: Vec<u8>,
}

/// The messages of a batch that is over, in one dialect.
struct Finished {
    dialect: &'static dyn Dialect,
    bytes: Arc<Vec<u8>>,
    /// To how many outboxes they were added.
    recipients: usize,
}

impl Finished {
    fn push_to(&mut self, member: &Member, flush_list: &mut FlushList, is_covered: bool) -> bool {
        // A dialect without a word for it leaves nothing to be added.
        if self.bytes.is_empty() {
            return true;
        }
        let is_pushed = flush_list.push(&member.outbox, Bytes::Shared(&self.bytes), is_covered);
        self.recipients += usize::from(is_pushed);
        is_pushed
    }
}

#[derive(Default)]
enum Recipients {
    #[default]
    Nobody,
    /// The one who had this name when the batch began.
    One { name: String, member: Arc<Member> },
    /// Everybody who was there when the batch began.
    Everyone(Vec<Arc<Member>>),
}

/// What became of a batch of messages to one recipient.
pub(crate) struct Delivered {
    /// How many messages there were.
    pub(crate) count: usize,
    /// The recipient's name.
    pub(crate) name: String,
    /// Whether they were handed on.
    pub(crate) sent: bool,
}

impl Batch {
    /// Returns whether it is a batch of direct messages to this name.
    pub(crate) fn is_to(&self, to: &str) -> bool {
        matches!(&self.recipients, Recipients::One { name, .. } if name == to)
    }

    /// Returns whether it is a batch of broadcasts.
    pub(crate) fn is_to_everyone(&self) -> bool {
        matches!(self.recipients, Recipients::Everyone(_))
    }

    /// Begins a batch of direct messages. The one before it has to be over.
    pub(crate) fn begin_to(&mut self, name: &str, member: Arc<Member>) {
        self.begin_in(member.dialect);
        self.recipients = Recipients::One { name: name.to_owned(), member };
    }

    /// Begins a batch of broadcasts. The one before it has to be over.
    pub(crate) fn begin_to_everyone(&mut self, members: Vec<Arc<Member>>) {
        members.iter().for_each(|member| self.begin_in(member.dialect));
        self.recipients = Recipients::Everyone(members);
    }

    fn begin_in(&mut self, dialect: &'static dyn Dialect) {
        if !self.lines.iter().any(|encoded| encoded.dialect == dialect) {
            self.lines.push(Encoded { dialect, bytes: Vec::new() });
        }
    }

    /// Adds a message.
    pub(crate) fn add(&mut self, delivery: &Event<'_>) {
        self.count += usize::from(matches!(delivery, Event::Delivery { .. }));
        for encoded in &mut self.lines {
            encoded.dialect.encode_event(delivery, 0, &mut encoded.bytes);
        }
    }

    /// Returns whether it has so many bytes, for all dialects together, that it has to end: what few bytes of input become
    /// is bounded here, whatever names and texts they have.
    pub(crate) fn is_full(&self, max_backlog: usize) -> bool {
        let bytes: usize = self.lines.iter().map(|encoded| encoded.bytes.len()).sum();
        bytes >= MAX_BATCH.min(max_backlog / 4)
    }

    /// Ends the batch: adds its messages to the outboxes of its recipients, and counts them. Returns what became of direct
    /// ones.
    pub(crate) fn end(&mut self, flush_list: &mut FlushList, counters: &ConnectionCounters) -> Option<Delivered> {
        let batch = mem::take(self);
        let finish = |Encoded { dialect, bytes }| Finished { dialect, bytes: Arc::new(bytes), recipients: 0 };
        let mut lines: Vec<Finished> = batch.lines.into_iter().map(finish).collect();
        let longest = lines.iter().map(|finished| finished.bytes.len()).max();
        let is_covered = flush_list.charge(longest.unwrap_or(0));
        let mut push = |member: &Arc<Member>| {
            let finished = lines.iter_mut().find(|finished| finished.dialect == member.dialect);
            finished.is_some_and(|finished| finished.push_to(member, flush_list, is_covered))
        };
        let mut delivered = None;
        match batch.recipients {
            Recipients::Nobody => return None,
            Recipients::One { name, ref member } => {
                let sent = push(member) && flush_list.wait();
                delivered = Some(Delivered { count: batch.count, sent, name });
            }
            Recipients::Everyone(ref members) => {
                // Whoever has just gone gets no broadcast, like anybody else who is not there.
                members.iter().for_each(|member| _ = push(member));
                flush_list.wait();
            }
        }
        for Finished { dialect, bytes, recipients } in &lines {
            let row = counters.row(Some(*dialect));
            row.add(Count::MessagesOut, batch.count * recipients);
            row.add(Count::BytesOut, bytes.len() * recipients);
        }
        delivered
    }
}
