//! Servers, clients and bare connections for tests. All of them end when they are dropped.

mod bystanders;
mod client;
mod flooders;
mod half_closed;
mod peer;
mod server;
mod terminal;
mod timing;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use parley::signals::Signal;

pub(crate) use self::bystanders::Bystanders;
pub(crate) use self::client::Client;
pub(crate) use self::flooders::{Flooder, Reading, flood, flood_until_full};
pub(crate) use self::half_closed::HalfClosed;
pub(crate) use self::peer::{FakeServer, Peer};
pub(crate) use self::server::{Server, Usage};
pub(crate) use self::terminal::Terminal;
pub(crate) use self::timing::{Measured, keeps, p99_for, timed};
pub(crate) use crate::random::Random;

/// How long a test waits for a fact before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The server's program.
pub(crate) fn server_program() -> Command {
    Command::new(cargo_bin!("server"))
}

/// The client's program.
pub(crate) fn client_program() -> Command {
    Command::new(cargo_bin!("client"))
}

/// Waits until `fact` is there.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = fact() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// Sets a flag when it is dropped, so that the threads of a test end also where it fails.
pub(crate) struct SetOnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Everything that a stream yields, collected by a thread.
#[derive(Clone, Default)]
struct Collected(Arc<(Mutex<CollectedState>, Condvar)>);

#[derive(Default)]
struct CollectedState {
    text: String,
    ended: bool,
}

impl Collected {
    fn from(stream: impl Read + Send + 'static) -> Self {
        Self::at(usize::MAX, stream)
    }

    /// No more than so many bytes of it a second.
    fn at(rate: usize, stream: impl Read + Send + 'static) -> Self {
        let collected = Self::default();
        let to_fill = collected.clone();
        let thread = move || {
            let mut stream = BufReader::new(stream);
            let mut cut = Vec::new();
            loop {
                let read = stream.fill_buf().map(<[u8]>::to_vec).unwrap_or_default();
                stream.consume(read.len());
                if rate < usize::MAX {
                    thread::park_timeout(Duration::from_secs_f64(read.len() as f64 / rate as f64));
                }
                let ended = read.is_empty();
                cut.extend(read);
                let whole = if ended { cut.len() } else { whole_characters(&cut) };
                let mut state = to_fill.0.0.lock().unwrap_or_else(PoisonError::into_inner);
                state.text += &String::from_utf8_lossy(&cut.drain(..whole).collect::<Vec<_>>());
                state.ended |= ended;
                to_fill.0.1.notify_all();
                if ended {
                    return;
                }
            }
        };
        thread::Builder::new().spawn(thread).expect("a thread");
        collected
    }

    #[track_caller]
    fn wait_for<T>(&self, what: &str, mut fact: impl FnMut(&str, bool) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = fact(&state.text, state.ended) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what} in:\n{}", state.text);
            state = self.0.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// How many bytes there are before the last character, if that one is cut; else all.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// The signals that end a client, and the statuses it ends with. Under `nohup` it lives on after the one that is ignored.
pub(crate) fn ending_signals() -> Vec<(&'static str, i32)> {
    let mut signals = vec![("INT", 130), ("TERM", 143), ("HUP", 129)];
    signals.retain(|(name, _)| *name != "HUP" || !Signal::HangUp.is_ignored());
    signals
}

/// The most bytes of memory that a process has taken so far; `None` when it has ended.
pub(crate) fn peak_memory(pid: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
}

/// Waits until all threads of a process sleep.
#[track_caller]
pub(crate) fn wait_until_asleep(pid: u32) {
    let tasks = format!("/proc/{pid}/task");
    wait_for("a process to have nothing to do", || {
        let stats = fs::read_dir(&tasks).expect("it runs").flatten();
        let mut stats = stats.flat_map(|task| fs::read_to_string(task.path().join("stat")));
        // Behind the name: S where it sleeps.
        stats.all(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))).then_some(())
    });
}

/// Sends a process a signal, such as `INT`.
pub(crate) fn send_signal(signal: &str, pid: u32) {
    let status = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().expect("it runs");
    assert!(status.success());
}

impl Random {
    /// So many bytes, whatever they are.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }
}
