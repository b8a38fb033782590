//! What one sender has added to outboxes and not yet flushed: what one read brought is added first and then flushed at once,
//! but for a read that becomes more than some. Here a sender also waits for its turn with recipients that are full.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::allowance::Allowance;
use super::outbox::{Outbox, Pushed};
use super::socket::{ClientSocket, Socket};
use super::state::Bytes;
use crate::server::close_reason::CloseReason;

/// From when on a wait is one that people notice.
const LONG_WAIT: Duration = Duration::from_secs(1);

/// How long the turn of a sender takes that floods: one whose recipients keep up, and one that had to wait lately. Changing
/// turns more often would cost more than it helps others.
const TURNS: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(2)];

/// How long a sender counts as one that had to wait.
const WAITED_LATELY: Duration = Duration::from_secs(10);

/// Outboxes of clients that flood or are flooded that are flushed before a sender is heard again.
const BUSY_ROUND: usize = 16;

/// Bytes that a sender adds before it flushes, however many more its read has brought: nobody falls behind for what nobody
/// has tried to write yet.
const MAX_UNFLUSHED: usize = 128 << 10;

/// The outboxes that a sender has to flush, and those it waits for. Each connection has one.
#[derive(Debug)]
pub(crate) struct FlushList<S: Socket = ClientSocket> {
    id: u64,
    /// The sender's own outbox; `None` is the server itself.
    own: Option<Arc<Outbox<S>>>,
    allowance: Allowance,
    dirty: Vec<Arc<Outbox<S>>>,
    /// Bytes charged since the last flush.
    unflushed: usize,
    /// Outboxes in which something of the sender's waits for its turn, and its tickets.
    waits: Vec<(Arc<Outbox<S>>, u64)>,
    /// How often the sender has waited for long since that was asked.
    long_waits: usize,
    /// The sender's own connection was closed while it waited, or before its answers were pushed.
    is_over: bool,
    /// When the sender waited last.
    waited: Option<Instant>,
    /// The sender floods, and its turn has begun.
    turn: Option<Turn>,
    /// Among whom its last turn was, and where it ended in their virtual time.
    due: Option<(usize, Duration)>,
}

/// A turn of a sender that floods.
#[derive(Debug)]
struct Turn {
    begun: Instant,
    /// Among whom it is: [`OutboxConfig::flooders`](super::config::OutboxConfig::flooders).
    kind: usize,
    /// Its start in their virtual time.
    start: Duration,
}

impl Turn {
    /// Returns whether it has taken long enough, and others come first.
    fn is_over(&self) -> bool {
        self.begun.elapsed() >= TURNS[self.kind]
    }
}

impl<S: Socket> FlushList<S> {
    /// Creates the list of a sender, whose connection has this id, which no other one has and which is not 0.
    pub(crate) fn new(id: u64, own: Option<Arc<Outbox<S>>>) -> Self {
        Self {
            id,
            own,
            allowance: Allowance::default(),
            dirty: Vec::new(),
            unflushed: 0,
            waits: Vec::new(),
            long_waits: 0,
            is_over: false,
            waited: None,
            turn: None,
            due: None,
        }
    }

    /// Counts bytes that are about to be added, to one recipient or to many. Returns whether the sender's allowance covers
    /// them.
    pub(crate) fn charge(&mut self, bytes: usize) -> bool {
        let is_covered = self.allowance.charge(bytes);
        self.unflushed += bytes;
        self.tell_own();
        is_covered
    }

    /// Waits for the sender's turn, if it floods: lines of few of those are handled at a time, of fewer still where their
    /// recipients do not keep up, so that they leave the machine to others.
    pub(crate) fn begin_turn(&mut self) {
        let floods = self.allowance.is_spent() && self.turn.is_none();
        let Some(own) = self.own.as_ref().filter(|_| floods) else { return };
        let kind = usize::from(self.waited.is_some_and(|waited| waited.elapsed() < WAITED_LATELY));
        let due = self.due.filter(|(last, _)| *last == kind).map(|(_, due)| due);
        let start = own.config.flooders[kind].acquire(due, || self.own_is_closed());
        self.is_over |= start.is_none();
        self.turn = start.map(|start| Turn { begun: Instant::now(), kind, start });
    }

    /// Ends the sender's turn, and returns whether it had one.
    pub(crate) fn end_turn(&mut self) -> bool {
        let Some(Turn { begun, kind, start }) = self.turn.take() else { return false };
        self.due = Some((kind, start + begun.elapsed()));
        if let Some(own) = &self.own {
            own.config.flooders[kind].release();
        }
        true
    }

    /// Has others have their turns before the sender goes on, once its own has taken long enough, or if it floods and has none
    /// yet. Flushes where that, or how much it has added, asks for it.
    fn pass_turn_on(&mut self) {
        let is_others = self.turn.as_ref().map_or(self.allowance.is_spent(), Turn::is_over);
        if is_others || self.unflushed >= MAX_UNFLUSHED {
            self.flush();
        }
        if is_others {
            self.end_turn();
            self.begin_turn();
        }
    }

    /// Ends the sender's turn before it waits for input, or once it has taken long enough.
    pub(crate) fn end_turn_before_read(&mut self) {
        let may_go_on = self.turn.as_ref().is_some_and(|turn| !turn.is_over());
        if !may_go_on || !self.own.as_ref().is_some_and(|own| own.socket.has_input()) {
            self.end_turn();
        }
    }

    /// Counts a time in which the sender had nothing to say.
    pub(crate) fn earn(&mut self, silence: Duration) {
        self.allowance.earn(silence);
        self.tell_own();
    }

    fn tell_own(&self) {
        if let Some(own) = &self.own {
            own.floods.store(self.allowance.is_spent(), Ordering::Relaxed);
        }
    }

    /// Adds bytes to an outbox, or has them wait for their turn there, which [`Self::wait`] waits for. Returns `false` when
    /// the recipient's connection is closed.
    pub(crate) fn push(&mut self, outbox: &Arc<Outbox<S>>, bytes: Bytes<'_>, is_covered: bool) -> bool {
        let pushed = outbox.push(bytes, is_covered, self.id);
        self.note(outbox, pushed)
    }

    /// Adds bytes to an outbox whether it has room or not.
    pub(crate) fn force_push(&mut self, outbox: &Arc<Outbox<S>>, bytes: &[u8]) {
        let pushed = outbox.force_push(bytes, self.id);
        self.note(outbox, pushed);
    }

    fn note(&mut self, outbox: &Arc<Outbox<S>>, pushed: Pushed) -> bool {
        match pushed {
            Pushed::Flush => self.dirty.push(Arc::clone(outbox)),
            Pushed::Waits(ticket) => self.waits.push((Arc::clone(outbox), ticket)),
            // Nobody will hear the answers to what else was said.
            Pushed::Closed => self.is_over |= self.own.as_ref().is_some_and(|own| Arc::ptr_eq(own, outbox)),
            Pushed::Done => {}
        }
        pushed != Pushed::Closed
    }

    /// Waits until everything that was pushed is pending, with all recipients at once. Returns `false` when some of it never
    /// will be, because the recipient's connection is closed or the sender's own is.
    pub(crate) fn wait(&mut self) -> bool {
        if self.waits.is_empty() {
            self.pass_turn_on();
            return true;
        }
        self.flush();
        self.end_turn();
        let begun = Instant::now();
        let mut is_pending = true;
        self.set_owner_waits(true);
        for (outbox, ticket) in mem::take(&mut self.waits) {
            is_pending &= outbox.wait_for_turn(ticket, || self.own_is_closed());
        }
        self.set_owner_waits(false);
        self.long_waits += usize::from(begun.elapsed() >= LONG_WAIT);
        self.waited = Some(Instant::now());
        self.is_over |= self.own_is_closed();
        self.begin_turn();
        is_pending
    }

    /// Returns how often the sender has waited for long since this was asked.
    pub(crate) fn take_long_waits(&mut self) -> usize {
        mem::take(&mut self.long_waits)
    }

    fn set_owner_waits(&self, waits: bool) {
        if let Some(own) = &self.own {
            own.owner_waits.store(waits, Ordering::Relaxed);
        }
    }

    /// Returns whether the sender's own connection was found closed, so that it has nothing more to say.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Returns whether the sender's own connection is closed. It is closed here when it was reset, which the thread that
    /// would read it cannot see while it waits (G5).
    pub(crate) fn own_is_closed(&self) -> bool {
        let Some(own) = &self.own else { return false };
        if let Some(error) = own.socket.take_error() {
            own.close(CloseReason::Failed(error));
        }
        own.close_reason().is_some()
    }

    /// Flushes every outbox on the list. Those of clients that flood or are flooded come last, so that a crowd of them is not
    /// what the others wait for.
    pub(crate) fn flush(&mut self) {
        self.flush_quiet();
        self.dirty.drain(..).for_each(|outbox| outbox.flush());
    }

    /// The same, but once the sender has more to say, a sender that does not flood, the rest of the crowd waits until that has
    /// been heard. To be called before a read.
    pub(crate) fn flush_until_input(&mut self) {
        self.flush_quiet();
        while !self.dirty.is_empty() {
            let count = self.dirty.len().min(BUSY_ROUND);
            self.dirty.drain(..count).for_each(|outbox| outbox.flush());
            if !self.allowance.is_spent() && self.own.as_ref().is_some_and(|own| own.socket.has_input()) {
                return;
            }
        }
    }

    fn flush_quiet(&mut self) {
        self.unflushed = 0;
        self.dirty.retain(|outbox| {
            let is_busy = outbox.is_busy();
            if !is_busy {
                outbox.flush();
            }
            is_busy
        });
    }
}

impl<S: Socket> Drop for FlushList<S> {
    /// Nothing that is pending lies forgotten, however the sender ends.
    fn drop(&mut self) {
        self.flush();
        self.end_turn();
    }
}
