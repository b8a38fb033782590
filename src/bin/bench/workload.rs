//! What is measured, and how.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::connection::{Connection, End, PATIENCE};
use crate::target::Target;

/// One result of one run.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
}

impl Figure {
    fn new(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self { name, unit, value }
    }
}

/// Something to measure.
pub(crate) struct Workload {
    pub(crate) name: String,
    kind: Kind,
}

enum Kind {
    /// One WAC user broadcasts without a pause; all others read.
    FanOut { recipients: usize, text: usize, messages: usize },
    /// CAP users send to one partner each without a pause, and hear each acknowledgement.
    Pairs { pairs: usize, messages: usize },
    /// Two CAP users answer each other; both poll.
    PingPong { rounds: usize },
    /// Many CAP users log in and say nothing; then one message goes to all.
    Idle { connections: usize },
}

/// Bytes of a text, where nothing else is said.
const TEXT: usize = 64;

/// Bytes that all recipients together get in one run of a fan-out, about.
const FAN_OUT_BYTES: usize = 400 << 20;

/// All workloads.
pub(crate) fn all() -> Vec<Workload> {
    let fan_out = |recipients, text| Workload {
        name: format!("fan-out 1 to {recipients}, {text} B"),
        kind: Kind::FanOut { recipients, text, messages: FAN_OUT_BYTES / (recipients * (text + 16)) },
    };
    let mut all = vec![fan_out(100, TEXT)];
    all.extend([10, 1000].map(|recipients| fan_out(recipients, TEXT)));
    all.extend([16, 1 << 10, 16 << 10].map(|text| fan_out(100, text)));
    all.push(Workload { name: String::from("50 pairs, 64 B"), kind: Kind::Pairs { pairs: 50, messages: 20_000 } });
    all.push(Workload { name: String::from("ping-pong"), kind: Kind::PingPong { rounds: 20_000 } });
    all.push(Workload { name: String::from("1000 idle"), kind: Kind::Idle { connections: 1000 } });
    all
}

impl Workload {
    /// Runs it once.
    pub(crate) fn run(&self, target: &Target) -> io::Result<Vec<Figure>> {
        match self.kind {
            Kind::FanOut { recipients, text, messages } => fan_out(target, recipients, text, messages),
            Kind::Pairs { pairs, messages } => exchange_in_pairs(target, pairs, messages),
            Kind::PingPong { rounds } => ping_pong(target, rounds),
            Kind::Idle { connections } => idle(connections),
        }
    }
}

/// A name that nobody has had before, as the server may still be busy with the last run's.
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

/// `count` numbered lines with texts of `text` bytes.
fn lines(before: &str, text: usize, count: usize) -> Arc<Vec<u8>> {
    let pad = "x".repeat(text.saturating_sub(9));
    let mut lines = Vec::with_capacity(count * (before.len() + text + 1));
    for number in 0..count {
        lines.extend_from_slice(format!("{before}{number:08} {pad}\n").as_bytes());
    }
    Arc::new(lines)
}

/// A question that each dialect answers in a line of its own, and the answer.
const CAP_FENCE: (&str, &str) = ("SEND nobody. x", "BAD-DEST-USER");
const WAC_FENCE: (&str, &str) = ("W nobody. x", "No user named nobody. is logged in.");

/// Has all ends send and hear everything, and nothing else; returns how long it took.
fn exchange(mut ends: Vec<(End, (&str, &str))>) -> io::Result<Duration> {
    let mut buffer = vec![0; 256 << 10];
    let begun = Instant::now();
    let mut last_progress = begun;
    loop {
        let mut progress = false;
        let mut done = true;
        for (end, _) in &mut ends {
            progress |= end.poll(&mut buffer)?;
            done &= end.is_done();
        }
        if done {
            let time = begun.elapsed();
            ends.into_iter().try_for_each(|(end, (question, answer))| end.finish(question, answer))?;
            return Ok(time);
        }
        if progress {
            last_progress = Instant::now();
        } else if last_progress.elapsed() > PATIENCE {
            return Err(io::Error::other("messages are lost: nothing has come for a while"));
        } else {
            thread::yield_now();
        }
    }
}

fn rate(count: usize, time: Duration) -> Vec<Figure> {
    vec![Figure::new("deliveries", "M/s", count as f64 / time.as_secs_f64() / 1e6)]
}

fn fan_out(target: &Target, recipients: usize, text: usize, messages: usize) -> io::Result<Vec<Figure>> {
    let name = new_name();
    let nothing = Arc::new(Vec::new());
    let expected = lines(&format!("{name}: "), text, messages);
    let sender = End::new(wac(target, &name)?, lines("MSG ", text, messages), Arc::clone(&nothing))?;
    let mut ends = vec![(sender, WAC_FENCE)];
    for _ in 0..recipients {
        let recipient = End::new(wac(target, &new_name())?, Arc::clone(&nothing), Arc::clone(&expected))?;
        ends.push((recipient, WAC_FENCE));
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
        ends.push((End::new(cap(target, &to)?, Arc::clone(&nothing), deliveries)?, CAP_FENCE));
        let script = lines(&format!("SEND {to} "), TEXT, messages);
        ends.push((End::new(cap(target, &from)?, script, Arc::clone(&acknowledgements))?, CAP_FENCE));
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
        ann.send(format!("SEND {bob_name} {round}\n").as_bytes())?;
        bob.expect(&format!("DELIVERY {ann_name} {round}"))?;
        bob.send(format!("SEND {ann_name} {round}\n").as_bytes())?;
        // The answer may be faster than the acknowledgement, which another thread brings.
        ann.expect_both("SEND-OK", &format!("DELIVERY {bob_name} {round}"))?;
        times.push(begun.elapsed());
        bob.expect("SEND-OK")?;
    }
    Ok(percentiles(times, "µs", 1e6, &[("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)]))
}

/// Which time so large a share of all did not take longer than.
fn percentiles(
    mut times: Vec<Duration>,
    unit: &'static str,
    per_second: f64,
    shares: &[(&'static str, f64)],
) -> Vec<Figure> {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * per_second;
    shares.iter().map(|(name, share)| Figure::new(name, unit, at(*share))).collect()
}

fn idle(connections: usize) -> io::Result<Vec<Figure>> {
    /// Logins that are under way at a time.
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
    let mut figures = vec![Figure::new("logins", "1/s", logins)];
    if let (Some(before), Some(after)) = (before, target.resident()) {
        let each = (after - before).max(0.0) / connections as f64 / 1024.0;
        figures.push(Figure::new("memory of each", "KiB", each));
    }
    let name = new_name();
    let nothing = Arc::new(Vec::new());
    let expected = lines(&format!("DELIVERY {name} "), TEXT, 1);
    let sender = End::new(wac(target, &name)?, lines("MSG ", TEXT, 1), Arc::clone(&nothing))?;
    let mut ends = vec![(sender, WAC_FENCE)];
    for client in clients {
        ends.push((End::new(client, Arc::clone(&nothing), Arc::clone(&expected))?, CAP_FENCE));
    }
    let reached = exchange(ends)?.as_secs_f64() * 1e3;
    figures.push(Figure::new("one message to all", "ms", reached));
    Ok(figures)
}
