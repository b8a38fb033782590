//! Whether the server is going away, and whether all that it has accepted is handled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Passes and good-byes that are going on, and whether new passes may begin.
#[derive(Debug, Default)]
pub(super) struct Closing {
    closed: AtomicBool,
    passes: AtomicUsize,
    /// Connections that are not in the registry any more and still get their last bytes.
    partings: AtomicUsize,
}

/// A connection's last bytes are on their way, until this is dropped.
#[derive(Debug)]
pub(super) struct Parting(Arc<Closing>);

/// A pass that is going on, until this is dropped.
#[derive(Debug)]
pub(super) struct RunningPass<'a>(&'a Closing);

impl Closing {
    /// Begins a pass over lines that have been read; `None` when the server is going away, and they are not accepted.
    pub(super) fn begin_pass(&self) -> Option<RunningPass<'_>> {
        // Both sides write their own flag before they look at the other's, in one order for all: so either this pass is
        // seen by whoever closes, or it sees that it may not begin.
        self.passes.fetch_add(1, Ordering::SeqCst);
        let pass = RunningPass(self);
        (!self.is_closed()).then_some(pass)
    }

    /// From now on no pass begins.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Whether the server is going away.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Begins the end of a connection, before it leaves the registry.
    pub(super) fn begin_parting(self: &Arc<Self>) -> Parting {
        self.partings.fetch_add(1, Ordering::SeqCst);
        Parting(Arc::clone(self))
    }

    /// Whether some connection's last bytes are on their way.
    pub(super) fn has_partings(&self) -> bool {
        self.partings.load(Ordering::SeqCst) > 0
    }

    /// Waits until every pass is over; `false` when that takes too long.
    pub(super) fn wait_for_passes(&self, deadline: Instant) -> bool {
        while self.passes.load(Ordering::SeqCst) > 0 {
            if Instant::now() >= deadline {
                return false;
            }
            thread::park_timeout(Duration::from_millis(1));
        }
        true
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        self.0.partings.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for RunningPass<'_> {
    fn drop(&mut self) {
        self.0.passes.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_that_have_begun_are_waited_for_and_no_new_one_begins() {
        let closing = Closing::default();
        let pass = closing.begin_pass();
        assert!(pass.is_some());
        closing.close();
        assert!(closing.begin_pass().is_none());
        assert!(!closing.wait_for_passes(Instant::now()));
        drop(pass);
        assert!(closing.wait_for_passes(Instant::now()));
    }

    #[test]
    fn partings_are_counted() {
        let closing = Arc::new(Closing::default());
        let parting = closing.begin_parting();
        assert!(closing.has_partings());
        drop(parting);
        assert!(!closing.has_partings());
    }
}
