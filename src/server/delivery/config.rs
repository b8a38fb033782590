//! What all outboxes of a server have in common.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::server::memory::MemoryBudget;
use crate::server::semaphore::Semaphore;

/// What all outboxes of a server have in common.
#[derive(Debug)]
pub(crate) struct OutboxConfig {
    /// Bytes that may wait for one recipient.
    pub(crate) max_backlog: usize,
    /// How long a recipient may be behind within a minute.
    pub(crate) slow_timeout: Duration,
    /// How long it may take nothing at all.
    pub(crate) stall_timeout: Duration,
    /// How long it has to keep up before its writer thread ends.
    pub(crate) writer_linger: Duration,
    /// What all backlogs together may take.
    pub(crate) memory: MemoryBudget,
    /// Writer threads that there may be.
    pub(crate) max_writers: usize,
    /// Writer threads that there are.
    pub(crate) writers: AtomicUsize,
    /// Long lines that are being received at the same time.
    pub(crate) long_lines: Semaphore,
    /// Senders that flood and whose lines are handled at the same time: those whose recipients keep up, and those that had to
    /// wait lately, of whom half of the processors are kept free.
    pub(crate) flooders: [Semaphore; 2],
}

impl OutboxConfig {
    /// Returns the backlog over which a recipient may be behind: half of the largest one.
    pub(crate) fn low_water(&self) -> usize {
        self.max_backlog / 2
    }

    /// Returns how many bytes above the largest backlog are kept for senders who do not flood.
    pub(crate) fn reserve(&self) -> usize {
        self.max_backlog / 4
    }

    /// Takes one of the writer threads that there may be. Returns whether there was one.
    pub(crate) fn take_writer(&self) -> bool {
        let one_more = |writers| (writers < self.max_writers).then_some(writers + 1);
        self.writers.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// Gives a writer thread back that ends, or did not start. Returns whether it was the last one.
    pub(crate) fn give_writer_back(&self) -> bool {
        self.writers.fetch_sub(1, Ordering::AcqRel) == 1
    }
}
