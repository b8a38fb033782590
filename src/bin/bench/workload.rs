//! The workloads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::connection::{Connection, End, PATIENCE};
use crate::report::Figure;
use crate::target::Target;

/// A workload: runs once and returns its figures.
type Workload = Box<dyn Fn(&Target) -> io::Result<Vec<Figure>>>;

/// Bytes of a message's text by default.
const TEXT: usize = 64;

/// Bytes that all recipients of a fan-out receive together in one run, roughly.
const FAN_OUT_BYTES: usize = 400 << 20;

/// Returns all workloads with their names.
pub(crate) fn all() -> Vec<(String, Workload)> {
    let mut all: Vec<(String, Workload)> = Vec::new();
    for (recipients, text) in [(100, TEXT), (10, TEXT), (1000, TEXT), (100, 16), (100, 1 << 10), (100, 16 << 10)] {
        let messages = FAN_OUT_BYTES / (recipients * (text + 16));
        let run = move |target: &Target| fan_out(target, recipients, text, messages);
        all.push((format!("fan-out 1 to {recipients}, {text} B"), Box::new(run)));
    }
    all.push((String::from("50 pairs, 64 B"), Box::new(|target| exchange_in_pairs(target, 50, 20_000))));
    all.push((String::from("ping-pong"), Box::new(|target| ping_pong(target, 20_000))));
    all.push((String::from("1000 idle"), Box::new(|_| idle(1000))));
    all
}

/// Returns an unused name: the server may still be closing the connections of the last run.
fn new_name() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("bench{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

fn cap(target: &Target, name: &str) -> io::Result<Connection> {
    Connection::log_in(target.address, &format!("HELLO-FROM {name}"), &format!("HELLO {name}"))
}

fn wac(target: &Target, name: &str) -> io::Result<Connection> {
    Connection::log_in(target.address, &format!("LIN {name}"), &format!("Welcome, {name}."))
}

/// Returns `count` numbered lines with texts of `text` bytes.
fn lines(before: &str, text: usize, count: usize) -> Arc<Vec<u8>> {
    let pad = "x".repeat(text.saturating_sub(9));
    let mut lines = Vec::with_capacity(count * (before.len() + text + 1));
    for number in 0..count {
        lines.extend_from_slice(format!("{before}{number:08} {pad}\n").as_bytes());
    }
    Arc::new(lines)
}

/// Polls all ends until each has sent and received everything, and returns how long it took.
fn exchange(mut ends: Vec<End>) -> io::Result<Duration> {
    let mut buffer = vec![0; 256 << 10];
    let begun = Instant::now();
    let mut last_progress = begun;
    loop {
        let mut progress = false;
        let mut done = true;
        for end in &mut ends {
            progress |= end.poll(&mut buffer)?;
            done &= end.is_done();
        }
        if done {
            return Ok(begun.elapsed());
        }
        if progress {
            last_progress = Instant::now();
        } else if last_progress.elapsed() > PATIENCE {
            return Err(io::Error::other("messages are lost: no byte moves"));
        } else {
            thread::yield_now();
        }
    }
}

fn rate(count: usize, time: Duration) -> Vec<Figure> {
    vec![("deliveries", "M/s", count as f64 / time.as_secs_f64() / 1e6)]
}

fn fan_out(target: &Target, recipients: usize, text: usize, messages: usize) -> io::Result<Vec<Figure>> {
    let name = new_name();
    let nothing = Arc::new(Vec::new());
    let expected = lines(&format!("{name}: "), text, messages);
    let mut ends = vec![End::new(wac(target, &name)?, lines("MSG ", text, messages), Arc::clone(&nothing))?];
    for _ in 0..recipients {
        ends.push(End::new(wac(target, &new_name())?, Arc::clone(&nothing), Arc::clone(&expected))?);
    }
    Ok(rate(recipients * messages, exchange(ends)?))
}

fn exchange_in_pairs(target: &Target, pairs: usize, messages: usize) -> io::Result<Vec<Figure>> {
    let acknowledgements = Arc::new(b"SEND-OK\n".repeat(messages));
    let nothing = Arc::new(Vec::new());
    let mut ends = Vec::new();
    for _ in 0..pairs {
        let (from, to) = (new_name(), new_name());
        let deliveries = lines(&format!("DELIVERY {from} "), TEXT, messages);
        ends.push(End::new(cap(target, &to)?, Arc::clone(&nothing), deliveries)?);
        let script = lines(&format!("SEND {to} "), TEXT, messages);
        ends.push(End::new(cap(target, &from)?, script, Arc::clone(&acknowledgements))?);
    }
    Ok(rate(pairs * messages, exchange(ends)?))
}

fn ping_pong(target: &Target, rounds: usize) -> io::Result<Vec<Figure>> {
    let (ann_name, bob_name) = (new_name(), new_name());
    let (mut ann, mut bob) = (cap(target, &ann_name)?, cap(target, &bob_name)?);
    ann.stream.set_nonblocking(true)?;
    bob.stream.set_nonblocking(true)?;
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let begun = Instant::now();
        ann.send(&format!("SEND {bob_name} {round}"))?;
        bob.expect(&format!("DELIVERY {ann_name} {round}"))?;
        bob.send(&format!("SEND {ann_name} {round}"))?;
        // Two threads of the server write to ann, so the answer may overtake the acknowledgement.
        let answer = format!("DELIVERY {bob_name} {round}");
        ann.expect_any(&[&format!("SEND-OK\n{answer}\n"), &format!("{answer}\nSEND-OK\n")])?;
        times.push(begun.elapsed());
        bob.expect("SEND-OK")?;
    }
    times.sort_unstable();
    let at = |share: f64| times[((rounds - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    Ok([("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)]
        .map(|(name, share)| (name, "µs", at(share)))
        .into())
}

fn idle(connections: usize) -> io::Result<Vec<Figure>> {
    /// Simultaneous logins.
    const WINDOW: usize = 32;
    let target = &Target::start()?;
    let before = target.resident();
    let begun = Instant::now();
    let mut clients = Vec::with_capacity(connections);
    while clients.len() < connections {
        let names: Vec<String> = (0..WINDOW.min(connections - clients.len())).map(|_| new_name()).collect();
        let arrive = |name: &String| Connection::connect(target.address, &format!("HELLO-FROM {name}"));
        let arrived: Vec<Connection> = names.iter().map(arrive).collect::<Result<_, _>>()?;
        for (mut client, name) in arrived.into_iter().zip(&names) {
            client.expect(&format!("HELLO {name}"))?;
            clients.push(client);
        }
    }
    let logins = connections as f64 / begun.elapsed().as_secs_f64();
    let mut figures = vec![("logins", "1/s", logins)];
    if let (Some(before), Some(after)) = (before, target.resident()) {
        let each = (after - before).max(0.0) / connections as f64 / 1024.0;
        figures.push(("memory of each", "KiB", each));
    }
    let name = new_name();
    let nothing = Arc::new(Vec::new());
    let expected = lines(&format!("DELIVERY {name} "), TEXT, 1);
    let mut ends = vec![End::new(wac(target, &name)?, lines("MSG ", TEXT, 1), Arc::clone(&nothing))?];
    for client in clients {
        ends.push(End::new(client, Arc::clone(&nothing), Arc::clone(&expected))?);
    }
    let reached = exchange(ends)?.as_secs_f64() * 1e3;
    figures.push(("one message to all", "ms", reached));
    Ok(figures)
}
