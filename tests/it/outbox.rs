//! Recipients that do not read: what they cost the others, and when they are given up.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::support::{PATIENCE, Peer, Server};

/// More than the kernel takes for a reader that has stopped, and the backlog.
const FLOOD: usize = 20_000;

/// What `--slow-timeout` is by default.
const SLOW_TIMEOUT: Duration = Duration::from_secs(2);

fn text(number: usize) -> String {
    format!("{number} {}", "x".repeat(1000))
}

#[test]
fn a_reader_that_stops_is_disconnected_as_slow_and_the_others_get_everything() {
    let server = Server::start();
    let mut sleeper = server.cap("sleeper");
    let mut reader = server.cap("reader");
    let mut sender = server.cap("sender");
    let before = server.usage().resident_kib;

    let begun = Instant::now();
    let mut acknowledgements = sender.stream.try_clone().map(Peer::new).expect("a socket");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..FLOOD {
                sender.send(format!("SEND sleeper {0}\nSEND reader {0}\n", text(number)).as_bytes());
            }
        });
        scope.spawn(|| {
            for number in 0..FLOOD {
                reader.expect(&format!("DELIVERY sender {}", text(number)));
            }
        });
        scope.spawn(|| {
            let mut refused = 0;
            for _ in 0..FLOOD * 2 {
                match acknowledgements.line().as_deref() {
                    Some(b"SEND-OK") => {}
                    Some(b"BAD-DEST-USER") => refused += 1,
                    other => panic!("{other:?}"),
                }
            }
            assert!(refused > 0 && refused < FLOOD);
        });
        server.wait_for_log("sleeper left: slow");
        assert!(begun.elapsed() < Duration::from_secs(10));
        assert!(server.usage().resident_kib < before + (4 + 8) * 1024);
    });
    // What it had taken before is whole and in order; then its connection ends, in whatever way.
    let mut heard = Vec::new();
    let _ = sleeper.stream.read_to_end(&mut heard);
    let heard = String::from_utf8(heard).expect("text");
    for (number, line) in heard.lines().enumerate().take(heard.matches('\n').count()) {
        assert_eq!(line, format!("DELIVERY sender {}", text(number)));
    }
}

#[test]
fn a_hundred_such_readers_hold_the_room_up_once_and_not_a_hundred_times() {
    const SLEEPERS: usize = 100;
    let server = Server::with(&["--max-backlog", "1048576"]);
    let sleepers: Vec<Peer> = (0..SLEEPERS).map(|number| server.cap(&format!("sleeper{number}"))).collect();
    let mut sender = server.cap("sender");
    let (mut ann, mut bob) = (server.cap("ann"), server.cap("bob"));
    let text = "x".repeat(900_000);
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let begun = Instant::now();
            for _ in 0..8 {
                for number in 0..SLEEPERS {
                    sender.say(&format!("SEND sleeper{number} {text}"));
                }
                for _ in 0..SLEEPERS {
                    sender.line().expect("an answer");
                }
            }
            begun.elapsed()
        });
        // Meanwhile two others talk as if nothing were the matter.
        while !flood.is_finished() {
            let begun = Instant::now();
            ann.ask("SEND bob hi", "SEND-OK");
            bob.expect("DELIVERY ann hi");
            assert!(begun.elapsed() < SLOW_TIMEOUT, "{:?}", begun.elapsed());
        }
        let held_up = flood.join().expect("no panic");
        assert!(held_up < SLOW_TIMEOUT * SLEEPERS as u32 / 3, "{held_up:?}");
    });
    server.wait_for_log("left: slow");
    drop(sleepers);
}

#[test]
fn a_reader_that_trickles_is_disconnected_too() {
    let server = Server::with(&["--max-backlog", "1048576"]);
    let mut trickler = server.cap("trickler");
    let mut sender = server.cap("sender");
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                sender.say(&format!("SEND trickler {}", "x".repeat(10_000)));
                if sender.line().as_deref() == Some(b"BAD-DEST-USER") {
                    break;
                }
            }
        });
        scope.spawn(|| {
            let mut buffer = [0; 1024];
            while !over.load(Ordering::Relaxed) && matches!(trickler.stream.read(&mut buffer), Ok(1..)) {
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        server.wait_for_log("trickler left: slow");
        assert!(begun.elapsed() < SLOW_TIMEOUT * 5, "{:?}", begun.elapsed());
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_healthy_reader_gets_every_one_of_500_long_messages() {
    const MESSAGES: usize = 500;
    let server = Server::start();
    let mut reader = server.cap("reader");
    let mut sender = server.cap("sender");
    let text = "x".repeat(64 << 10);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..MESSAGES {
                sender.say(&format!("SEND reader {number} {text}"));
            }
            for _ in 0..MESSAGES {
                sender.expect("SEND-OK");
            }
        });
        for number in 0..MESSAGES {
            reader.expect(&format!("DELIVERY sender {number} {text}"));
        }
    });
    reader.expect_silence();
}

#[test]
fn a_flood_is_slowed_down_and_not_lost() {
    const LINES: usize = 200_000;
    let server = Server::start();
    let mut reader = server.cap("reader");
    let mut sender = server.cap("sender");
    let (mut ann, mut bob) = (server.cap("ann"), server.cap("bob"));
    let mut acknowledgements = sender.stream.try_clone().map(Peer::new).expect("a socket");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut lines = String::new();
            for number in 0..LINES {
                lines += &format!("SEND reader {number}\n");
                if lines.len() > 60_000 {
                    sender.send(lines.as_bytes());
                    lines.clear();
                }
            }
            sender.send(lines.as_bytes());
        });
        scope.spawn(|| (0..LINES).for_each(|_| acknowledgements.expect("SEND-OK")));
        let flood = scope.spawn(|| (0..LINES).for_each(|number| reader.expect(&format!("DELIVERY sender {number}"))));
        while !flood.is_finished() {
            let begun = Instant::now();
            ann.ask("SEND bob hi", "SEND-OK");
            bob.expect("DELIVERY ann hi");
            assert!(begun.elapsed() < PATIENCE / 10, "{:?}", begun.elapsed());
        }
    });
}
