//! Recipients that do not read: what they cost the others, and when they are given up.

use std::io::Read;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;

use crate::support::{Bystanders, Peer, Server};

/// More than the kernel takes for a reader that has stopped, and the backlog.
const FLOOD: usize = 12_000;

/// What `--slow-timeout` is by default.
const SLOW_TIMEOUT: Duration = Duration::from_secs(2);

fn text(number: usize) -> String {
    format!("{number} {}", "x".repeat(1000))
}

#[test]
fn a_reader_that_stops_is_disconnected_as_slow_and_the_others_get_everything() {
    const READERS: usize = 3;
    let server = Server::start();
    let mut bystanders = Bystanders::of(&server);
    let mut sleeper = server.cap("sleeper");
    let readers: Vec<Peer> = (0..READERS).map(|number| server.cap(&format!("r{number}"))).collect();
    let mut sender = server.wac("sender");
    let before = server.usage().resident_kib;
    let begun = Instant::now();
    bystanders.are_fine_while(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..FLOOD {
                    let text = text(number);
                    let mut lines = format!("W sleeper {text}\n");
                    (0..READERS).for_each(|reader| lines += &format!("W r{reader} {text}\n"));
                    sender.send(lines.as_bytes());
                }
            });
            for mut reader in readers {
                scope.spawn(move || {
                    for number in 0..FLOOD {
                        reader.expect(&format!("DELIVERY sender {}", text(number)));
                    }
                    reader.expect_silence();
                });
            }
            server.wait_for_log("sleeper left: slow");
            let grown = server.usage().resident_kib.saturating_sub(before);
            assert!(grown < (4 + 8) * 1024, "{grown} KiB");
        });
    });
    assert!(begun.elapsed() > SLOW_TIMEOUT);
    // What it had taken before is whole and in order; then its connection ends, in whatever way.
    let mut heard = Vec::new();
    let _ = sleeper.stream.read_to_end(&mut heard);
    let heard = String::from_utf8(heard).expect("text");
    for (number, line) in heard.lines().enumerate().take(heard.matches('\n').count()) {
        assert_eq!(line, format!("DELIVERY sender {}", text(number)));
    }
    // Everything that was meant for it after that was answered.
    sender.expect("No user named sleeper is logged in.");
}

#[test]
fn thirty_such_readers_hold_the_room_up_once_and_not_thirty_times() {
    const SLEEPERS: usize = 30;
    let server = Server::with(&["--max-backlog", "1048576"]);
    let mut bystanders = Bystanders::of(&server);
    let sleepers: Vec<Peer> = (0..SLEEPERS).map(|number| server.cap(&format!("sleeper{number}"))).collect();
    let mut sender = server.cap("sender");
    let text = "x".repeat(900_000);
    let begun = Instant::now();
    bystanders.are_fine_while(|| {
        for _ in 0..8 {
            for number in 0..SLEEPERS {
                sender.send_line(&format!("SEND sleeper{number} {text}"));
            }
            for _ in 0..SLEEPERS {
                sender.recv_line().expect("an answer");
            }
        }
    });
    server.wait_for_log("left: slow");
    // One after the other would take a minute.
    assert!(begun.elapsed() < SLOW_TIMEOUT * (SLEEPERS as u32 / 2), "{:?}", begun.elapsed());
    drop(sleepers);
}

#[test]
fn a_reader_that_trickles_is_disconnected_too() {
    let server = Server::with(&["--max-backlog", "1048576"]);
    let mut bystanders = Bystanders::of(&server);
    let mut trickler = server.cap("trickler");
    let mut sender = server.cap("sender");
    let over = AtomicBool::new(false);
    bystanders.are_fine_while(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                loop {
                    sender.send_line(&format!("SEND trickler {}", "x".repeat(10_000)));
                    if sender.recv_line().as_deref() == Some(b"BAD-DEST-USER") {
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
            over.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn a_healthy_reader_gets_every_one_of_500_long_messages() {
    const MESSAGES: usize = 500;
    let server = patient_server();
    let mut reader = server.cap("reader");
    let mut sender = server.cap("sender");
    let text = "x".repeat(64 << 10);
    let sent = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..MESSAGES {
                sender.send_line(&format!("SEND reader {number} {text}"));
                sent.fetch_add(1, Ordering::Relaxed);
            }
            for _ in 0..MESSAGES {
                sender.expect("SEND-OK");
            }
        });
        wait_until_full(&sent, MESSAGES);
        for number in 0..MESSAGES {
            reader.expect(&format!("DELIVERY sender {number} {text}"));
        }
    });
    reader.expect_silence();
}

/// A server that a reader who is stopped by a busy machine is not too slow for.
fn patient_server() -> Server {
    Server::with(&["--slow-timeout", "20"])
}

/// Waits until a sender cannot send any more, because everything between it and its reader is full; or has sent all.
fn wait_until_full(sent: &AtomicUsize, all: usize) {
    let mut before = usize::MAX;
    loop {
        let now = sent.load(Ordering::Relaxed);
        if now == all || now == before {
            return;
        }
        before = now;
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

#[test]
fn a_flood_to_one_reader_is_slowed_down_and_not_lost() {
    let server = patient_server();
    let mut bystanders = Bystanders::of(&server);
    let mut reader = server.cap("reader");
    let mut sender = server.cap("sender");
    let before = server.usage().resident_kib;
    let mut acknowledgements = sender.stream.try_clone().map(Peer::new).expect("a socket");
    let sent = AtomicUsize::new(0);
    bystanders.are_fine_while(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| flood(&mut sender, "SEND reader ", &sent));
            scope.spawn(|| (0..FLOOD_LINES).for_each(|_| acknowledgements.expect("SEND-OK")));
            wait_until_full(&sent, FLOOD_LINES);
            let grown = server.usage().resident_kib.saturating_sub(before);
            assert!(grown < (4 + 8) * 1024, "{grown} KiB");
            (0..FLOOD_LINES).for_each(|number| reader.expect(&format!("DELIVERY sender {}", flood_text(number))));
        });
    });
}

#[test]
fn a_flood_to_all_is_slowed_down_and_not_lost() {
    const READERS: usize = 2;
    let server = patient_server();
    let mut bystanders = Bystanders::of(&server);
    let readers: Vec<Peer> = (0..READERS).map(|number| server.wac(&format!("r{number}"))).collect();
    let mut sender = server.wac("sender");
    let sent = AtomicUsize::new(0);
    bystanders.are_fine_while(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| flood(&mut sender, "MSG ", &sent));
            wait_until_full(&sent, FLOOD_LINES);
            for mut reader in readers {
                scope.spawn(move || {
                    (0..FLOOD_LINES).for_each(|number| reader.expect(&format!("sender: {}", flood_text(number))));
                });
            }
        });
    });
}

/// How many lines a flood has.
const FLOOD_LINES: usize = 200_000;

fn flood_text(number: usize) -> String {
    format!("{number} and a text of the length that people write to each other, more or less")
}

/// Sends that behind this command as fast as it can.
fn flood(sender: &mut Peer, command: &str, sent: &AtomicUsize) {
    let mut lines = String::new();
    for number in 0..FLOOD_LINES {
        lines += &format!("{command}{}\n", flood_text(number));
        if lines.len() > 60_000 || number + 1 == FLOOD_LINES {
            sender.send(lines.as_bytes());
            sent.store(number + 1, Ordering::Relaxed);
            lines.clear();
        }
    }
}

#[test]
fn under_a_limit_of_200_mb_thirty_readers_that_stop_do_not_exhaust_memory() {
    const READERS: usize = 30;
    const BYTES: usize = 300_000_000;
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 204800; exec \"$0\" --port 0"]).arg(cargo_bin!("server"));
    let server = Server::from(command);
    let mut bystanders = Bystanders::of(&server);
    let readers: Vec<Peer> = (0..READERS).map(|number| server.cap(&format!("s{number}"))).collect();
    let mut sender = server.wac("sender");
    let text = "x".repeat(20_000);
    let round: String = (0..READERS).map(|number| format!("W s{number} {text}\n")).collect();
    bystanders.are_fine_while(|| {
        for _ in 0..BYTES / round.len() {
            sender.send(round.as_bytes());
        }
        sender.send_line("SEC x");
        sender.expect_eventually("Unknown command. Use LIN, MSG, W, WHO or SEC.");
    });
    drop(readers);
}
