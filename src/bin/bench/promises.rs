//! What is promised in milliseconds: how long others, the end and a client take while something is done to them.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::net::Shutdown;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parley::net;

use crate::connection::{Connection, PATIENCE};
use crate::target::{Program, Target, signal};
use crate::workload::{CAP_FENCE, Figure, WAC_FENCE, cap, new_name, percentiles, wac};

/// What happens to others while two people exchange messages, each of which is to arrive within 250 ms.
#[derive(Clone, Copy)]
pub(crate) enum Disturbance {
    /// Ten recipients that do not read, and somebody who writes to them without a pause.
    StalledReaders,
    /// Twenty who write to themselves without a pause and do not read.
    Flooders,
    /// Somebody who logs in and is reset, over and over.
    LoginsAndResets,
    /// Two hundred who say a letter now and then and never log in.
    Strangers,
}

/// How the server is ended.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// With a hundred clients of which five do not read.
    Deaf,
    /// With twenty clients that flood themselves.
    Flooders,
    /// By a second signal, while it waits for those who do not read.
    SecondSignal,
}

/// What a client is ended by.
#[derive(Clone, Copy)]
pub(crate) enum ClientEnd {
    /// SIGTERM, while nobody reads its output.
    Signal,
    /// `!quit`, while nobody reads its output.
    Quit,
    /// The end of the server.
    LostServer,
}

/// How long a disturbance lasts.
const DISTURBED: Duration = Duration::from_secs(2);

fn at_most(name: &'static str, most: f64, time: Duration) -> Figure {
    Figure { name, unit: "ms", value: time.as_secs_f64() * 1e3, most: Some(most) }
}

/// Two people exchange messages meanwhile.
pub(crate) fn bystanders(disturbance: Disturbance) -> io::Result<Vec<Figure>> {
    let target = &Target::start()?;
    let (ann_name, bob_name) = (new_name(), new_name());
    let (mut ann, mut bob) = (cap(target, &ann_name)?, cap(target, &bob_name)?);
    let over = &AtomicBool::new(false);
    let mut times = Vec::new();
    thread::scope(|scope| {
        let disturb = thread::Builder::new().spawn_scoped(scope, move || disturb(target, disturbance, over))?;
        let begun = Instant::now();
        let exchanged = (|| {
            while begun.elapsed() < DISTURBED {
                let sent = Instant::now();
                ann.send(format!("SEND {bob_name} hi\n").as_bytes())?;
                ann.expect("SEND-OK")?;
                bob.expect(&format!("DELIVERY {ann_name} hi"))?;
                times.push(sent.elapsed());
                thread::park_timeout(Duration::from_millis(1));
            }
            Ok(())
        })();
        over.store(true, Ordering::Release);
        disturb.join().unwrap_or_else(|_| Err(io::Error::other("the disturbance has panicked"))).and(exchanged)
    })?;
    let mut figures = percentiles(times, "ms", 1e3, &[("p50", 0.5), ("p99", 0.99), ("max", 1.0)]);
    if let Some(max) = figures.last_mut() {
        max.most = Some(250.0);
    }
    Ok(figures)
}

fn disturb(target: &Target, disturbance: Disturbance, over: &AtomicBool) -> io::Result<()> {
    match disturbance {
        Disturbance::StalledReaders => {
            let names: Vec<String> = (0..10).map(|_| new_name()).collect();
            let _deaf: Vec<Connection> = names.iter().map(|name| cap(target, name)).collect::<Result<_, _>>()?;
            let text = "x".repeat(1000);
            let block: String = names.iter().map(|name| format!("W {name} {text}\n")).collect();
            flood(&[(wac(target, &new_name())?, block)], || over.load(Ordering::Acquire))
        }
        Disturbance::Flooders => flood(&flooders(target)?, || over.load(Ordering::Acquire)),
        Disturbance::LoginsAndResets => {
            while !over.load(Ordering::Acquire) {
                // What it has not read makes its end a reset.
                cap(target, &new_name())?.send(b"LIST\n")?;
            }
            Ok(())
        }
        Disturbance::Strangers => {
            let strangers: Vec<Connection> =
                (0..200).map(|_| Connection::connect(target.address, "WHO")).collect::<Result<_, _>>()?;
            while !over.load(Ordering::Acquire) {
                strangers.iter().try_for_each(|stranger| stranger.send(b"H"))?;
                thread::park_timeout(Duration::from_millis(100));
            }
            Ok(())
        }
    }
}

/// Twenty who write to themselves, each with what it says.
fn flooders(target: &Target) -> io::Result<Vec<(Connection, String)>> {
    let flooder = |_| {
        let name = new_name();
        Ok((wac(target, &name)?, format!("W {name} and a text of some length\n").repeat(1000)))
    };
    (0..20).map(flooder).collect()
}

/// Has each of them say the same over and over, as far as the server takes it.
fn flood(flooders: &[(Connection, String)], mut is_over: impl FnMut() -> bool) -> io::Result<()> {
    let mut sent = vec![0; flooders.len()];
    flooders.iter().try_for_each(|(flooder, _)| flooder.stream.set_nonblocking(true))?;
    while !is_over() {
        let mut count = 0;
        for ((flooder, block), sent) in flooders.iter().zip(&mut sent) {
            let rest = &block.as_bytes()[*sent % block.len()..];
            // Whoever was disconnected is silent.
            let more = net::write_available(&mut &flooder.stream, rest, Duration::ZERO).unwrap_or(0);
            *sent += more;
            count += more;
        }
        if count == 0 {
            thread::park_timeout(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// Floods until nobody takes any more.
fn flood_until_full(flooders: &[(Connection, String)]) -> io::Result<()> {
    let begun = Instant::now();
    flood(flooders, || begun.elapsed() > Duration::from_secs(1))
}

/// How long the server's end takes.
pub(crate) fn end(end: End) -> io::Result<Vec<Figure>> {
    let mut target = Target::with(&["--slow-timeout", "60"])?;
    let mut sender = wac(&target, &new_name())?;
    let mut listeners = Vec::new();
    let mut others = Vec::new();
    if matches!(end, End::Flooders) {
        let flooders = flooders(&target)?;
        flood_until_full(&flooders)?;
        others.extend(flooders.into_iter().map(|(flooder, _)| flooder));
    } else {
        for number in 0..100 {
            let name = new_name();
            let client = cap(&target, &name)?;
            if number < 5 {
                sender.send(format!("W {name} {}\n", "x".repeat(500_000)).repeat(11).as_bytes())?;
                others.push(client);
            } else {
                listeners.push(client);
            }
        }
        sender.send(format!("{}\n", WAC_FENCE.0).as_bytes())?;
        sender.expect(WAC_FENCE.1)?;
    }
    let begun = Instant::now();
    signal("TERM", target.pid())?;
    sender.expect("The server is shutting down.")?;
    let most = if matches!(end, End::SecondSignal) { 1500.0 } else { 2500.0 };
    if matches!(end, End::SecondSignal) {
        signal("TERM", target.pid())?;
    } else {
        listeners.push(sender);
        for mut listener in listeners {
            let _ = listener.stream.read(&mut [0]);
            let _ = listener.stream.shutdown(Shutdown::Both);
        }
    }
    target.wait()?;
    drop(others);
    Ok(vec![at_most("end", most, begun.elapsed())])
}

/// How long it takes until something happens to a client that does not behave.
pub(crate) fn misbehaved() -> io::Result<Vec<Figure>> {
    let target = Target::with(&["--login-timeout", "1"])?;
    let begun = Instant::now();
    let mut other = Connection::connect(target.address, "\x16\x03\x01\x02\0\x01\0\x01\u{fffd}\x03\x03")?;
    other.expect("BAD-RQST-HDR")?;
    let answered = begun.elapsed();
    let begun = Instant::now();
    let mut stranger = Connection::connect(target.address, "WHO")?;
    while stranger.stream.read(&mut [0; 100])? > 0 {}
    let closed = begun.elapsed().saturating_sub(Duration::from_secs(1));

    let name = new_name();
    let _stalled = cap(&target, &name)?;
    let mut sender = wac(&target, &new_name())?;
    let flooder = [(wac(&target, &new_name())?, format!("W {name} {}\n", "x".repeat(10_000)))];
    let (begun, mut asked) = (Instant::now(), Instant::now());
    flood(&flooder, || {
        if asked.elapsed() < Duration::from_millis(50) {
            return false;
        }
        asked = Instant::now();
        let is_sent = sender.send(format!("W {name} hi\n").as_bytes()).is_ok();
        !is_sent || begun.elapsed() > PATIENCE || hears(&mut sender)
    })?;
    let slow = begun.elapsed();
    Ok(vec![
        at_most("TLS answered", 1000.0, answered),
        at_most("closed after limit", 2000.0, closed),
        at_most("stalled is gone", 5000.0, slow),
    ])
}

/// Whether the server has said something, by now.
fn hears(connection: &mut Connection) -> bool {
    let _ = connection.stream.set_read_timeout(Some(Duration::from_millis(1)));
    connection.stream.peek(&mut [0]).is_ok()
}

/// How long it takes until the port can be had again after the server was killed, and until two thousand are connected.
pub(crate) fn arrivals() -> io::Result<Vec<Figure>> {
    let mut target = Target::start()?;
    let port = target.address.port().to_string();
    let clients: Vec<Connection> = (0..50).map(|_| cap(&target, &new_name())).collect::<Result<_, _>>()?;
    signal("KILL", target.pid())?;
    target.wait()?;
    let begun = Instant::now();
    let target = Target::with(&["--port", &port])?;
    let again = begun.elapsed();
    drop(clients);
    // One that is stopped accepts nobody, so that all of them have to find room in the kernel's queue.
    let queue = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
    let crowd = queue.and_then(|text| text.trim().parse().ok()).unwrap_or(128).min(2000);
    signal("STOP", target.pid())?;
    let begun = Instant::now();
    let crowd: io::Result<Vec<Connection>> =
        (0..crowd).map(|_| Connection::connect(target.address, CAP_FENCE.0)).collect();
    let connected = begun.elapsed();
    signal("CONT", target.pid())?;
    crowd.map(drop)?;
    Ok(vec![at_most("restart after kill", 1000.0, again), at_most("2000 connect", 900.0, connected)])
}

/// How long a client takes to end.
pub(crate) fn client_end(end: ClientEnd) -> io::Result<Vec<Figure>> {
    let mut target = Target::start()?;
    let name = new_name();
    let mut client = Program(start_client(&target, &name)?);
    let mut output = BufReader::new(client.0.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?);
    let mut shown = String::new();
    while !shown.contains(&name) && output.read_line(&mut shown)? > 0 {}
    if !matches!(end, ClientEnd::LostServer) {
        flood_until_full(&[(wac(&target, &new_name())?, format!("W {name} {}\n", "x".repeat(1000)))])?;
    }
    let begun = Instant::now();
    let most = match end {
        ClientEnd::Signal => signal("TERM", client.0.id()).map(|()| 1000.0)?,
        ClientEnd::Quit => {
            client.0.stdin.iter_mut().try_for_each(|stdin| net::write_fully(stdin, b"!quit\n"))?;
            2000.0
        }
        ClientEnd::LostServer => {
            signal("KILL", target.pid())?;
            target.wait()?;
            1000.0
        }
    };
    client.wait()?;
    Ok(vec![at_most("end", most, begun.elapsed())])
}

fn start_client(target: &Target, name: &str) -> io::Result<Child> {
    let program = env::current_exe()?.with_file_name("client");
    let mut command = Command::new(program);
    command.args(["--port", &target.address.port().to_string(), "--name", name]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}
