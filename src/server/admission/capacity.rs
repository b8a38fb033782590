//! What this machine can bear: how many connections and writer threads fit into its open files and memory mappings.
//!
//! Past the limit on mappings the kernel does not refuse a thread, the process is aborted; so the caps stay below it.

use std::fs;

use crate::limits::{FILES_PER_CLIENT, FILES_RESERVED, MAPPINGS_PER_THREAD, MAPPINGS_RESERVED};

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
    /// This machine, as `/proc` tells; where it does not, what a Linux system has if nobody changed anything.
    pub(crate) fn read() -> Self {
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let mappings = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
        Self {
            open_files: parse_open_files(&limits).unwrap_or(1024),
            mappings: mappings.trim().parse().unwrap_or(65_530),
        }
    }

    /// The caps. Of the threads that fit, three quarters are for connections and one quarter is for writers.
    pub(crate) fn capacity(self) -> Capacity {
        let threads = self.mappings.saturating_sub(MAPPINGS_RESERVED) / MAPPINGS_PER_THREAD;
        let writers = threads / 4;
        let by_files = self.open_files.saturating_sub(FILES_RESERVED) / FILES_PER_CLIENT;
        Capacity { connections: by_files.min(threads - writers), writers }
    }
}

/// The soft limit in the text of `/proc/self/limits`.
fn parse_open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\n\
                    Max processes             96365                96365                processes\n\
                    Max open files            20000                1048576              files\n";
        assert_eq!(parse_open_files(text), Some(20_000));
        assert_eq!(
            parse_open_files("Max open files            unlimited            unlimited            files"),
            Some(usize::MAX)
        );
        assert_eq!(parse_open_files("garbage"), None);
    }

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
