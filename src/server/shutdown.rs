//! Whether the server is going away, and how long it has for that.
//!
//! Each connection ends on its own thread: it reads no more, delivers its messages and says good-bye. All have one deadline.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

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

    /// Returns whether it began at least `time` ago.
    pub(crate) fn has_lasted(&self, time: Duration) -> bool {
        self.begun.get().is_some_and(|begun| begun.elapsed() >= time)
    }
}
