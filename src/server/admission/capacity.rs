//! What this machine can bear: how many connections and writer threads fit into its open files and memory mappings.
//!
//! Past the limit on mappings the kernel does not refuse a thread, the process is aborted; so the caps stay below it.

use std::fs;

use crate::limits::{FILES_PER_CLIENT, FILES_RESERVED, MAPPINGS_PER_THREAD, MAPPINGS_RESERVED};
use crate::sys;

/// How much there is of what connections use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Files the process may have open.
    pub open_files: usize,
    /// Memory mappings the process may have.
    pub mappings: usize,
}

/// What fits into a [`Machine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Open connections, logged in or not.
    pub connections: usize,
    /// Threads that write to clients who do not keep up.
    pub writers: usize,
}

impl Machine {
    /// Returns what this process may use; where the system does not tell, what Linux allows if nobody changed anything.
    pub(crate) fn read() -> Self {
        let mappings = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
        Self { open_files: sys::max_open_files().unwrap_or(1024), mappings: mappings.trim().parse().unwrap_or(65_530) }
    }

    /// The caps. Of the threads that fit, three quarters are for connections and one quarter is for writers.
    pub(crate) fn capacity(self) -> Capacity {
        let threads = self.mappings.saturating_sub(MAPPINGS_RESERVED) / MAPPINGS_PER_THREAD;
        let writers = threads / 4;
        let by_files = self.open_files.saturating_sub(FILES_RESERVED) / FILES_PER_CLIENT;
        Capacity { connections: by_files.min(threads - writers), writers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_scarcer_counts() {
        let of = |open_files, mappings| Machine { open_files, mappings }.capacity();
        assert_eq!(of(1024, 65_530).connections, 504);
        assert_eq!(of(64, 65_530).connections, 24);
        assert_eq!(of(0, 0), Capacity { connections: 0, writers: 0 });
        let roomy = of(usize::MAX, 65_530);
        assert!(roomy.connections > 9_000 && roomy.writers > 3_000);
        let mappings = (roomy.connections + roomy.writers) * MAPPINGS_PER_THREAD;
        assert!(mappings + MAPPINGS_RESERVED <= 65_530);
    }
}
