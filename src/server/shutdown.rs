//! Whether the server is going away, and how long it has for that.
//!
//! Each connection ends on its own thread: it reads no more, delivers its messages and says good-bye. All have one deadline.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::limits;

#[derive(Debug, Default)]
pub(crate) struct Shutdown {
    begun: OnceLock<Instant>,
}

impl Shutdown {
    pub(crate) fn begin(&self) {
        self.begun.get_or_init(Instant::now);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun.get().is_some()
    }

    /// Returns whether no sender waits for a full recipient any more.
    pub(crate) fn is_wait_over(&self) -> bool {
        self.has_passed(limits::SHUTDOWN_WAIT)
    }

    /// Returns whether nothing more is delivered.
    pub(crate) fn is_over(&self) -> bool {
        self.has_passed(limits::SHUTDOWN_TIMEOUT)
    }

    fn has_passed(&self, time: Duration) -> bool {
        self.begun.get().is_some_and(|begun| begun.elapsed() >= time)
    }
}
