//! What an outbox keeps under its lock: what is pending, and who waits for room.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::Instant;

use super::allowance::Allowance;
use super::buf_list::BufList;
use super::config::OutboxConfig;
use super::slow_clock::SlowClock;
use crate::server::close_reason::CloseReason;

/// Bytes up to which nobody waits whose allowance covers them, whatever the recipient does.
const SMALL: usize = 2 << 10;

/// Changes of what is held that the memory budget is told of.
const ACCOUNTED_STEP: usize = 16 << 10;

/// What an outbox keeps under its lock. Nothing takes long while it is held: nothing large is copied or freed, and nobody
/// is woken.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Bytes that nobody has begun to write.
    pub(crate) pending: BufList,
    /// Bytes that somebody is writing right now, and that the kernel has not taken yet.
    pub(crate) in_flight: usize,
    pub(crate) mode: Mode,
    /// The id of the flush list that this outbox is on since the pending bytes were last taken; 0 is none.
    pub(crate) queued_by: u64,
    /// Senders who wait for room, in the order in which they came.
    pub(crate) waiters: VecDeque<Waiter>,
    /// Bytes that they wait with.
    waiting: usize,
    /// Bytes that the common memory budget knows of.
    accounted: usize,
    /// The ticket of the last waiter.
    last_ticket: u64,
    pub(crate) clock: SlowClock,
    /// What tells a recipient that is flooded from one that is not; `None` before the first addition.
    received: Option<(Allowance, Instant)>,
    /// Threads that wait for `drained`.
    pub(crate) finishing: usize,
    /// The writer thread waits for `work`.
    pub(crate) writer_waits: bool,
    pub(crate) closed: Option<CloseReason>,
}

/// Who writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nobody at the moment; the next sender will.
    #[default]
    Idle,
    /// A sender.
    Direct,
    /// The writer thread.
    Queued,
}

/// A sender who waits for room, and the bytes that it waits with.
#[derive(Debug)]
pub(crate) struct Waiter {
    ticket: u64,
    bytes: BufList,
    thread: Thread,
}

/// Bytes to be added to an outbox.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bytes<'a> {
    /// For this recipient alone, and few.
    Own(&'a [u8]),
    /// Shared with others, or with the sender, as long as they are pending.
    Shared(&'a Arc<Vec<u8>>),
}

impl Bytes<'_> {
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
        }
    }

    fn append_to(self, list: &mut BufList) {
        match self {
            Self::Own(bytes) => list.push(bytes),
            Self::Shared(bytes) => list.push_shared(bytes),
        }
    }
}

/// Whether an addition may be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may.
    Granted,
    /// Its sender has to wait for its turn.
    Wait,
    /// Its sender does not flood and must not wait, and there is nothing left of the reserve.
    Exhausted,
}

impl State {
    pub(crate) fn backlog(&self) -> usize {
        self.pending.len() + self.in_flight
    }

    /// Judges an addition: up to the mark any is granted, which is a batch or a line at most; past it only what fits.
    /// `is_covered` is whether the sender's allowance covers it.
    pub(crate) fn admission(&self, count: usize, is_covered: bool, config: &OutboxConfig) -> Admission {
        let fits = self.backlog() <= config.low_water() || self.backlog() + count <= config.max_backlog;
        if self.waiters.is_empty() && fits {
            return Admission::Granted;
        }
        let left = (config.max_backlog + config.reserve()).saturating_sub(self.backlog());
        let is_small = count <= SMALL;
        match is_covered {
            // A large one takes a part only of what is left, so that there is something for those who say little.
            true if count <= left / 8 || (is_small && count <= left) => Admission::Granted,
            true if is_small => Admission::Exhausted,
            _ => Admission::Wait,
        }
    }

    /// Adds bytes behind all others.
    pub(crate) fn append(&mut self, bytes: Bytes<'_>, config: &OutboxConfig) {
        bytes.append_to(&mut self.pending);
        let now = Instant::now();
        let (allowance, last) = self.received.get_or_insert_with(|| (Allowance::default(), now));
        allowance.earn(now.saturating_duration_since(mem::replace(last, now)));
        allowance.charge(bytes.len());
        self.set_clock(config);
    }

    /// Returns how many bytes are held here, those that senders wait with included.
    fn held(&self) -> usize {
        self.backlog() + self.waiting
    }

    /// Returns how many of them the common memory budget knows of.
    pub(crate) fn accounted(&self) -> usize {
        self.accounted
    }

    /// Has the common memory budget know how much is held here, more or less: few bytes make no difference. To be called
    /// when that has changed.
    pub(crate) fn account(&mut self, config: &OutboxConfig) {
        let held = if self.closed.is_some() { 0 } else { self.held() };
        let held = if held < ACCOUNTED_STEP { 0 } else { held };
        if held.abs_diff(self.accounted) >= ACCOUNTED_STEP {
            config.memory.adjust(self.accounted, held);
            self.accounted = held;
        }
    }

    /// The clock runs while the recipient is over the mark, or holds somebody up.
    fn set_clock(&mut self, config: &OutboxConfig) {
        self.account(config);
        if self.backlog() > config.low_water() || !self.waiters.is_empty() {
            self.clock.start();
        } else {
            self.clock.stop();
        }
    }

    /// Has this thread wait with these bytes behind all who wait already, and returns its ticket.
    pub(crate) fn wait(&mut self, bytes: Bytes<'_>, config: &OutboxConfig) -> u64 {
        self.last_ticket += 1;
        let mut list = BufList::default();
        bytes.append_to(&mut list);
        self.waiting += list.len();
        self.account(config);
        self.clock.start();
        self.waiters.push_back(Waiter { ticket: self.last_ticket, bytes: list, thread: thread::current() });
        self.last_ticket
    }

    /// Returns whether the waiter with this ticket still waits.
    pub(crate) fn waits(&self, ticket: u64) -> bool {
        self.waiters.binary_search_by_key(&ticket, |waiter| waiter.ticket).is_ok()
    }

    /// Takes a waiter out who does not want to wait any longer.
    pub(crate) fn withdraw(&mut self, ticket: u64) -> Option<Waiter> {
        let at = self.waiters.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()?;
        let waiter = self.waiters.remove(at)?;
        self.waiting -= waiter.bytes.len();
        Some(waiter)
    }

    /// Adds what the first waiters wait with as long as the backlog is not over the mark, and returns whom to wake for it.
    /// To be called when the backlog has become smaller.
    pub(crate) fn admit_waiters(&mut self, config: &OutboxConfig) -> Vec<Thread> {
        let mut admitted = Vec::new();
        while self.backlog() <= config.low_water() {
            let Some(Waiter { bytes, thread, .. }) = self.waiters.pop_front() else { break };
            self.waiting -= bytes.len();
            self.pending.append(bytes);
            admitted.push(thread);
        }
        self.set_clock(config);
        admitted
    }

    /// Returns whether the recipient is sent so much that a sender of it would flood.
    pub(crate) fn is_flooded(&self) -> bool {
        self.received.as_ref().is_some_and(|(allowance, _)| allowance.is_spent())
    }

    /// Takes all pending bytes in order to write them.
    pub(crate) fn take_pending(&mut self) -> BufList {
        let taken = mem::take(&mut self.pending);
        self.in_flight = taken.len();
        self.queued_by = 0;
        taken
    }

    /// Puts bytes that were taken and not written back in front of those that have come meanwhile.
    pub(crate) fn put_back(&mut self, mut taken: BufList) {
        if self.clock.is_running() {
            self.clock.took(self.in_flight - taken.len(), Instant::now());
        }
        self.in_flight = 0;
        taken.append(mem::take(&mut self.pending));
        self.pending = taken;
    }
}

/// Wakes senders whose bytes were added, or who wait in vain. To be called without the lock.
pub(crate) fn wake(threads: impl IntoIterator<Item = Thread>) {
    threads.into_iter().for_each(|thread| thread.unpark());
}

impl Waiter {
    /// The thread to be woken when there is nothing more to wait for.
    pub(crate) fn into_thread(self) -> Thread {
        self.thread
    }
}
