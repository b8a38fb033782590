//! What this machine can bear: how many connections and writer threads fit into its open files, memory mappings and
//! memory.
//!
//! Past the limit on mappings the kernel does not refuse a thread, and past the limit on memory the allocator does not
//! refuse a buffer: the process is aborted, or killed. So the caps stay below them.

use std::fs;

use crate::sys;

/// Memory mappings that one thread costs: its stack, its signal stack, and a guard page for each.
const MAPPINGS_PER_THREAD: usize = 4;

/// Memory mappings kept for the program itself: its code, its heap, large buffers.
const MAPPINGS_RESERVED: usize = 4096;

/// Open files of one connection: its socket, and the clone that others write to.
const FILES_PER_CLIENT: usize = 2;

/// Open files kept for the program itself: standard streams, the listener, and what an `accept` needs for a moment.
const FILES_RESERVED: usize = 16;

/// Bytes of memory that one connection needs at most, but for what waits for it and for long lines: its stack and its
/// buffers.
const MEMORY_PER_CLIENT: usize = 256 << 10;

/// Bytes of memory kept for the program itself, its log and what it needs for a moment.
const MEMORY_RESERVED: usize = 6 << 20;

/// How much there is of what connections use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Files the process may have open.
    pub(crate) open_files: usize,
    /// Memory mappings the process may have.
    pub(crate) mappings: usize,
    /// Bytes of memory that are left for the process.
    pub(crate) memory: usize,
}

/// What fits into a [`Machine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Open connections, logged in or not.
    pub(crate) connections: usize,
    /// Threads that write to clients who do not keep up.
    pub(crate) writers: usize,
    /// Bytes that may wait for all clients together.
    pub(crate) backlogs: usize,
}

impl Machine {
    /// Returns what this process may use; where the system does not tell, what Linux allows if nobody changed anything.
    pub(crate) fn read() -> Self {
        let mappings = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
        Self {
            open_files: sys::max_open_files().unwrap_or(1024),
            mappings: mappings.trim().parse().unwrap_or(65_530),
            memory: available_memory(),
        }
    }

    /// Returns the caps. Of the threads that fit, three quarters are for connections and one quarter is for writers; of the
    /// memory, one half is for what connections need in any case and the other one for what waits for them.
    pub(crate) fn capacity(self) -> Capacity {
        let threads = self.mappings.saturating_sub(MAPPINGS_RESERVED) / MAPPINGS_PER_THREAD;
        let writers = threads / 4;
        let by_files = self.open_files.saturating_sub(FILES_RESERVED) / FILES_PER_CLIENT;
        let backlogs = self.memory.saturating_sub(MEMORY_RESERVED) / 2;
        let by_memory = backlogs / MEMORY_PER_CLIENT;
        Capacity { connections: by_files.min(threads - writers).min(by_memory), writers, backlogs }
    }
}

/// Returns the least of what the machine has, what the control group may have and what is left of the address space.
fn available_memory() -> usize {
    let kib = |file: &str, field: &str| -> Option<usize> {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(field))?;
        Some(line.split_whitespace().next()?.parse::<usize>().ok()? * 1024)
    };
    let used = kib("/proc/self/status", "VmSize:").unwrap_or_default();
    let of_machine = kib("/proc/meminfo", "MemAvailable:");
    let of_address_space = sys::max_address_space().ok().map(|limit| limit.saturating_sub(used));
    of_machine.into_iter().chain(of_address_space).chain(of_control_group()).min().unwrap_or(usize::MAX)
}

/// Returns the limits of the control group that the process is in.
fn of_control_group() -> Vec<usize> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let files = groups.lines().filter_map(|line| match line.splitn(3, ':').collect::<Vec<_>>()[..] {
        [_, "", path] => Some((format!("/sys/fs/cgroup{path}"), "memory.max")),
        [_, "memory", path] => Some((format!("/sys/fs/cgroup/memory{path}"), "memory.limit_in_bytes")),
        _ => None,
    });
    files.filter_map(|(path, file)| fs::read_to_string(format!("{path}/{file}")).ok()?.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_scarcer_counts() {
        let with = |open_files, mappings, memory| Machine { open_files, mappings, memory }.capacity();
        let of = |open_files, mappings| with(open_files, mappings, usize::MAX);
        assert_eq!(of(1024, 65_530).connections, 504);
        assert_eq!(of(64, 65_530).connections, 24);
        assert_eq!(with(0, 0, 0), Capacity { connections: 0, writers: 0, backlogs: 0 });
        let small = with(1024, 65_530, MEMORY_RESERVED + (32 << 20));
        assert_eq!((small.connections, small.backlogs), (64, 16 << 20));
        let roomy = of(usize::MAX, 65_530);
        assert!(roomy.connections > 9_000 && roomy.writers > 3_000);
        let mappings = (roomy.connections + roomy.writers) * MAPPINGS_PER_THREAD;
        assert!(mappings + MAPPINGS_RESERVED <= 65_530);
    }
}
