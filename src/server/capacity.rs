//! How many connections fit into this machine's limits, and how much may wait for each of them.
//!
//! Past the limit on mappings the kernel aborts the process, past the limit on memory it kills it. So the bounds are worked
//! out at the start, and hold whatever the clients do.

use std::fs;
use std::path::Path;

use crate::limits::{MAX_BACKLOG, MAX_BACKLOG_BEFORE_LOGIN, MAX_CLIENTS, MAX_LINE, MAX_LOBBY, THREAD_STACK};
use crate::server::settings::Settings;
use crate::sys;

/// Threads of one connection: one that reads from it, and one that writes if the client does not keep up.
const THREADS: usize = 2;

/// Memory mappings of one thread: its stack, its signal stack, and a guard page for each.
const MAPPINGS_PER_THREAD: usize = 4;

/// Memory mappings of the program itself: its code, its heap, large buffers.
const MAPPINGS_RESERVED: usize = 4096;

/// Open files of one connection: its socket, and the clone that others write to.
const FILES: usize = 2;

/// Open files of the program itself: standard streams, listeners, and what an `accept` needs for a moment.
const FILES_RESERVED: usize = 16;

/// Bytes of memory of the program itself.
const MEMORY_RESERVED: usize = 6 << 20;

/// Bytes of memory that are planned for one client at least: fewer clients fit rather than less.
const MIN_SHARE: usize = 512 << 10;

/// Bytes of memory that are assumed where the system does not tell.
const UNKNOWN_MEMORY: usize = 2 << 30;

/// What the process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) open_files: usize,
    pub(crate) mappings: usize,
    /// Bytes, of the machine or of the control group.
    pub(crate) memory: usize,
    /// Bytes of address space that are left.
    pub(crate) address_space: usize,
}

/// What the server keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Open connections.
    pub(crate) connections: usize,
    /// Those of them that are not logged in.
    pub(crate) lobby: usize,
    pub(crate) clients: usize,
    pub(crate) max_backlog: usize,
    pub(crate) max_line: usize,
    /// Less fits than the settings ask for.
    pub(crate) are_lowered: bool,
}

impl Machine {
    pub(crate) fn read() -> Self {
        let mappings = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
        let of_machine = field("/proc/meminfo", "MemAvailable:").unwrap_or(UNKNOWN_MEMORY);
        let used = field("/proc/self/status", "VmSize:").unwrap_or_default();
        Self {
            open_files: sys::max_open_files().unwrap_or(1024),
            mappings: mappings.trim().parse().unwrap_or(65_530),
            memory: control_group_limits(Path::new("/sys/fs/cgroup")).into_iter().fold(of_machine, usize::min),
            address_space: sys::max_address_space().map_or(usize::MAX, |limit| limit.saturating_sub(used)),
        }
    }

    /// Works the bounds out. Backlogs and lines get half of the memory, and each client has an equal *share* of that.
    pub(crate) fn bounds(self, settings: &Settings) -> Bounds {
        let memory = settings.max_memory.unwrap_or(self.memory).saturating_sub(MEMORY_RESERVED);
        let space = self.address_space.saturating_sub(MEMORY_RESERVED);
        let by_files = self.open_files.saturating_sub(FILES_RESERVED) / FILES;
        let by_mappings = self.mappings.saturating_sub(MAPPINGS_RESERVED) / (MAPPINGS_PER_THREAD * THREADS);
        let by_space = space / (THREADS * THREAD_STACK + 2 * MIN_SHARE);
        let fit = by_files.min(by_mappings).min(by_space);
        // Half of what fits at most, so that strangers cannot keep out those that log in.
        let lobby = MAX_LOBBY.min(fit / 2).max(1);
        let wanted = settings.max_clients.unwrap_or(MAX_CLIENTS);
        let by_memory = memory / 2 / MIN_SHARE;
        let connections = fit.min(wanted.saturating_add(lobby)).min(by_memory.saturating_add(lobby.min(by_memory)));
        let clients = if settings.max_clients.is_some() { wanted } else { wanted.min(by_memory) };
        let stacks = connections * THREADS * THREAD_STACK;
        let share = memory.min(space.saturating_sub(stacks)) / 2 / clients.min(connections).max(1);
        let max_line = settings.max_line.unwrap_or(MAX_LINE.min((share / 8).max(MAX_BACKLOG_BEFORE_LOGIN)));
        let backlog = MAX_BACKLOG.min(share / 2).max(max_line).max(MAX_BACKLOG_BEFORE_LOGIN);
        let max_backlog = settings.max_backlog.unwrap_or(backlog);
        let are_lowered = connections < wanted.saturating_add(lobby)
            || max_backlog < settings.max_backlog.unwrap_or(MAX_BACKLOG)
            || max_line < settings.max_line.unwrap_or(MAX_LINE);
        Bounds { connections, lobby, clients, max_backlog, max_line, are_lowered }
    }
}

/// Returns a field of a file below `/proc` that has kilobytes, in bytes.
fn field(file: &str, name: &str) -> Option<usize> {
    let text = fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.split_whitespace().next()?.parse::<usize>().ok()? * 1024)
}

/// Returns the memory limits of the control groups that the process is in, from its own up to the root. In a container its
/// own path does not exist below the mount, and the root of the mount is its own group.
fn control_group_limits(mount: &Path) -> Vec<usize> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let files = groups.lines().filter_map(|line| match line.splitn(3, ':').collect::<Vec<_>>()[..] {
        [_, "", path] => Some((mount.to_owned(), path, "memory.max")),
        [_, controllers, path] if controllers.split(',').any(|name| name == "memory") => {
            Some((mount.join("memory"), path, "memory.limit_in_bytes"))
        }
        _ => None,
    });
    files.flat_map(|(root, path, file)| limits_from(&root, path, file)).collect()
}

fn limits_from(root: &Path, path: &str, file: &str) -> Vec<usize> {
    let own = Path::new(path.trim_start_matches('/'));
    let read = |group: &Path| fs::read_to_string(root.join(group).join(file)).ok()?.trim().parse().ok();
    own.ancestors().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMY: Machine =
        Machine { open_files: usize::MAX, mappings: 65_530, memory: 24 << 30, address_space: usize::MAX };

    #[test]
    fn on_a_large_machine_the_defaults_stay() {
        let bounds = ROOMY.bounds(&Settings::default());
        let defaults = (MAX_CLIENTS, MAX_BACKLOG, MAX_LINE, false);
        assert_eq!((bounds.clients, bounds.max_backlog, bounds.max_line, bounds.are_lowered), defaults);
        let many = ROOMY.bounds(&Settings { max_clients: Some(1_000_000), ..Settings::default() });
        assert!(many.are_lowered && (7_500..7_800).contains(&many.connections), "{many:?}");
    }

    #[test]
    fn the_scarcest_resource_counts() {
        let few_files = Machine { open_files: 64, ..ROOMY }.bounds(&Settings::default());
        assert_eq!((few_files.connections, few_files.lobby, few_files.are_lowered), (24, 12, true));
        let nothing = Machine { open_files: 0, mappings: 0, memory: 0, address_space: 0 };
        assert_eq!(nothing.bounds(&Settings::default()).connections, 0);
    }

    #[test]
    fn what_may_wait_for_all_clients_fits_into_the_memory() {
        for megabytes in [16, 50, 96, 200, 512, 1000, 4000, 16_000] {
            let limit = megabytes << 20;
            for machine in [Machine { memory: limit, ..ROOMY }, Machine { address_space: limit, ..ROOMY }] {
                let bounds = machine.bounds(&Settings::default());
                // A line is read, decoded and encoded; small talk has a quarter more than the backlog.
                let each = bounds.max_backlog * 5 / 4 + bounds.max_line * 3;
                let stacks = if machine.memory == limit { 0 } else { bounds.connections * THREADS * THREAD_STACK };
                let all = bounds.clients.min(bounds.connections) * each + stacks + MEMORY_RESERVED;
                assert!(all <= limit, "{megabytes} MB: {bounds:?}");
                assert!(bounds.connections >= (megabytes / 4).min(100), "{megabytes} MB: {bounds:?}");
            }
        }
    }

    #[test]
    fn the_settings_of_the_user_are_not_lowered() {
        let settings = Settings { max_backlog: Some(9 << 20), max_line: Some(2 << 20), ..Settings::default() };
        let bounds = Machine { memory: 64 << 20, ..ROOMY }.bounds(&settings);
        assert_eq!((bounds.max_backlog, bounds.max_line), (9 << 20, 2 << 20));
    }

    #[test]
    fn s2_every_control_group_up_to_the_root_counts() {
        let root = std::env::temp_dir().join(format!("parley-groups-{}", std::process::id()));
        fs::create_dir_all(root.join("a/b")).expect("a folder");
        for (group, limit) in [("", "max\n"), ("a", "100\n"), ("a/b", "200\n")] {
            fs::write(root.join(group).join("memory.max"), limit).expect("a file");
        }
        assert_eq!(limits_from(&root, "/a/b", "memory.max"), [200, 100]);
        // The path of a container's host is not there.
        fs::write(root.join("memory.max"), "300\n").expect("a file");
        assert_eq!(limits_from(&root, "/docker/0123", "memory.max"), [300]);
        fs::remove_dir_all(&root).expect("it is there");
    }
}
