//! Clients that know what others are promised: what they cost those who do nothing but talk.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Flooder, Peer, Reading, Server, SetOnDrop, flood, keeps, timed, wait_for};

/// One of the longest names there are: it makes the shortest lines long.
fn long_name(number: usize) -> String {
    format!("{}{number:02}", "\u{10400}".repeat(62))
}

/// Sends a line over and over until the server does not take any more, because its sender waits for a recipient. Returns the
/// number of bytes that it took.
fn send_until_it_waits(sender: &mut Peer, line: &str) -> usize {
    let block = line.repeat(60_000 / line.len() + 1);
    sender.stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a socket");
    let mut sent = 0;
    loop {
        match sender.stream.write(&block.as_bytes()[sent % block.len()..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                return sent;
            }
        }
    }
}

/// A recipient that does not read and whose backlog is full, and the one who waits for it.
fn deaf_and_flooder(server: &Server) -> (Peer, Peer) {
    let deaf = server.wac("deaf");
    let mut flooder = server.wac("flooder");
    let line = format!("W deaf {}\n", "x".repeat(100));
    // A server that took nothing for a moment may have been busy.
    wait_for("the backlog to be full", || {
        let sent = send_until_it_waits(&mut flooder, &line);
        server.wait_until_asleep();
        (sent == 0).then_some(())
    });
    (deaf, flooder)
}

#[test]
fn who_does_not_flood_does_not_wait_for_a_recipient_that_is_full() {
    // Nobody counts as slow before the test is over.
    let server = Server::with(&["--slow-timeout", "300"]);
    let (deaf, flooder) = deaf_and_flooder(&server);
    let (mut ann, mut bob, mut carl) = (server.wac("ann"), server.cap("bob"), server.chat("carl"));
    for number in 0..50 {
        ann.send_line(&format!("MSG {number}"));
        bob.expect(&format!("DELIVERY ann {number}"));
        carl.expect(&format!("@ann: {number}"));
        carl.send_line(&format!("@carl: {number}"));
        bob.expect(&format!("DELIVERY carl {number}"));
        ann.expect(&format!("carl: {number}"));
        bob.ask(&format!("SEND deaf {number}"), "SEND-OK");
        ann.send_line(&format!("W bob {number}"));
        bob.expect(&format!("DELIVERY ann {number}"));
    }
    drop((deaf, flooder));
}

#[test]
fn g5_a_sender_that_is_reset_while_it_waits_gives_its_name_back() {
    let server = Server::with(&["--slow-timeout", "300"]);
    let (deaf, flooder) = deaf_and_flooder(&server);
    let mut ann = server.cap("ann");
    ann.send_line("SEND flooder hi");
    ann.expect("SEND-OK");
    // What it has not read makes its end a reset.
    flooder.reset();
    server.wait_for_log("flooder left: reset by the client");
    assert!(!server.log().contains("deaf left"), "{}", server.log());
    drop((server.cap("flooder"), deaf));
}

#[test]
fn short_lines_that_become_long_are_not_multiplied_past_every_bound() {
    const SENDERS: usize = 8;
    let server = Server::with(&["--slow-timeout", "300"]);
    let victim = server.wac("v");
    let mut senders: Vec<Peer> = (0..SENDERS).map(|number| server.wac(&long_name(number))).collect();
    let before = server.usage().resident_kib;
    thread::scope(|scope| {
        for sender in &mut senders {
            scope.spawn(|| {
                // A long line makes room for many short ones in one read.
                sender.send(format!("W nobody {}\n", "y".repeat(600_000)).as_bytes());
                send_until_it_waits(sender, "W v x\n");
            });
        }
    });
    let grown = server.usage().resident_kib.saturating_sub(before);
    assert!(grown < (4 + 8) * 1024 + SENDERS * 512, "{grown} KiB");
    drop(victim);
}

#[test]
fn after_a_flood_memory_is_given_back() {
    const VICTIMS: usize = 12;
    let server = Server::with(&["--slow-timeout", "300"]);
    let before = server.usage().resident_kib;
    let victims: Vec<Peer> = (0..VICTIMS).map(|number| server.wac(&format!("v{number}"))).collect();
    let mut senders: Vec<Peer> = (0..VICTIMS).map(|number| server.wac(&long_name(number))).collect();
    thread::scope(|scope| {
        for (number, sender) in senders.iter_mut().enumerate() {
            scope.spawn(move || send_until_it_waits(sender, &format!("W v{number} x\n")));
        }
    });
    drop((victims, senders));
    // The C library keeps some 200 KiB for each of up to sixteen heaps.
    wait_for("memory to be given back", || (server.usage().resident_kib < before + (4 << 10)).then_some(()));
}

/// `make soak`: this machine has to be quick enough for a megabyte a second.
#[test]
#[ignore = "needs a machine that is not busy; `make soak` runs it"]
fn soak_a_burst_throws_nobody_out_who_reads_a_megabyte_a_second() {
    const LINES: usize = 100_000;
    let server = Server::start();
    let mut victim = server.wac("v");
    let name = long_name(0);
    let mut sender = server.wac(&name);
    let script: String = (0..LINES).map(|number| format!("W v {number}\n")).collect();
    let mut heard = 0;
    thread::scope(|scope| {
        scope.spawn(|| sender.send(script.as_bytes()));
        let begun = Instant::now();
        let mut buffer = vec![0; 16 << 10];
        // So slowly until it would have been behind for long enough, then as fast as it can.
        while begun.elapsed() < Duration::from_secs(6) {
            let count = victim.stream.read(&mut buffer).expect("it is not disconnected");
            heard += buffer[..count].iter().filter(|byte| **byte == b'\n').count();
            thread::park_timeout(Duration::from_millis(16));
        }
        while heard < LINES {
            let count = victim.stream.read(&mut buffer).expect("it is not disconnected");
            assert!(count > 0, "{}", server.log());
            heard += buffer[..count].iter().filter(|byte| **byte == b'\n').count();
        }
    });
    assert_eq!(heard, LINES);
}

#[test]
fn six_who_flood_themselves_do_not_hold_up_the_end() {
    const ATTACKERS: usize = 6;
    let mut server = Server::with(&["--slow-timeout", "300"]);
    let mut attackers: Vec<Peer> = (0..ATTACKERS).map(|number| server.wac(&format!("a{number}"))).collect();
    thread::scope(|scope| {
        for (number, attacker) in attackers.iter_mut().enumerate() {
            scope.spawn(move || send_until_it_waits(attacker, &format!("W a{number} and a text of some length\n")));
        }
    });
    let mut bob = server.cap("bob");
    let mut ann = server.wac("ann");
    ann.send_line("MSG the last message");
    bob.expect("DELIVERY ann the last message");
    let begun = Instant::now();
    server.signal("TERM");
    bob.expect_end();
    ann.expect("The server is shutting down.");
    ann.expect_end();
    drop((ann, bob));
    server.expect_exit(0);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    drop(attackers);
}

#[test]
fn lines_of_few_who_flood_are_handled_at_a_time() {
    const FLOODERS: usize = 40;
    let server = Server::start();
    let flooders: Vec<Peer> = (0..FLOODERS).map(|number| server.wac(&format!("f{number}"))).collect();
    let block = "W nobody and a text\n".repeat(5000);
    let is_over = AtomicBool::new(false);
    let mut running = thread::scope(|scope| {
        let _over = SetOnDrop(&is_over);
        for flooder in &flooders {
            scope.spawn(|| {
                let mut answers = flooder.stream.try_clone().expect("a socket");
                scope.spawn(move || while matches!(answers.read(&mut [0; 1 << 16]), Ok(1..)) {});
                let mut stream = &flooder.stream;
                while !is_over.load(Ordering::Relaxed) {
                    let Ok(_) = stream.write(block.as_bytes()) else { break };
                }
                let _ = flooder.stream.shutdown(Shutdown::Both);
            });
        }
        // What they are allowed is used up at once.
        wait_for("the flood", || (server.cpu_time() > Duration::from_millis(500)).then_some(()));
        let running: Vec<usize> = (0..200)
            .map(|_| {
                thread::yield_now();
                server.running_clients()
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        running
    });
    running.sort_unstable();
    let most = thread::available_parallelism().map_or(1, std::num::NonZero::get) + 8;
    assert!(running[running.len() / 2] <= most, "{running:?}");
}

/// Reads at this rate until it is told to stop or the connection ends. Returns whether it stayed connected.
fn read_at(rate: usize, peer: &mut Peer, is_over: &AtomicBool) -> bool {
    let step = Duration::from_millis(20);
    let mut buffer = vec![0; rate / 50];
    let mut next = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        next += step;
        thread::park_timeout(next.saturating_duration_since(Instant::now()));
        if !matches!(peer.stream.read(&mut buffer), Ok(1..)) {
            return false;
        }
    }
    true
}

#[test]
#[ignore = "takes a minute on a machine that is not busy; `make soak` runs it"]
fn soak_s18_newcomers_and_a_flood_disconnect_no_reader_that_takes_300_kb_a_second() {
    for rate in [300_000, 1_000_000, 5_000_000, 20_000_000] {
        let server = Server::with(&["--log-level", "error"]);
        let mut victim = server.wac("victim");
        let flooder =
            Flooder::new(server.wac("flooder"), "W victim and a text of some length\n".repeat(1000), Reading::All);
        let is_over = &AtomicBool::new(false);
        thread::scope(|scope| {
            let _over = SetOnDrop(is_over);
            let stayed = scope.spawn(move || read_at(rate, &mut victim, is_over));
            scope.spawn(move || flood(&mut [flooder], is_over));
            let begun = Instant::now();
            let mut number = 0;
            while begun.elapsed() < Duration::from_secs(12) {
                number += 1;
                // They stay until the victim has room for their lines; a server that is full of them refuses the next ones.
                if let Some(mut newcomer) = server.try_cap(&format!("n{number}")) {
                    newcomer.send(format!("SEND victim {}\n", "x".repeat(2000)).repeat(2).as_bytes());
                }
            }
            is_over.store(true, Ordering::Relaxed);
            assert!(stayed.join().expect("it reads"), "{rate} bytes a second");
        });
    }
}

#[test]
#[ignore = "takes half a minute on a machine that is not busy; `make soak` runs it"]
fn soak_s19_a_long_broadcast_goes_on_beside_a_slow_reader_that_is_kept_full() {
    let server = Server::with(&["--log-level", "error"]);
    let mut slow = server.wac("slow");
    let flooder = Flooder::new(server.wac("flooder"), "W slow and a text of some length\n".repeat(1000), Reading::All);
    let (mut talkers, mut listener) = (Vec::new(), server.wac("listener"));
    talkers.extend((0..5).map(|number| server.wac(&format!("t{number}"))));
    let is_over = &AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = SetOnDrop(is_over);
        scope.spawn(move || read_at(280_000, &mut slow, is_over));
        scope.spawn(move || flood(&mut [flooder], is_over));
        for talker in &mut talkers {
            scope.spawn(move || {
                let line = format!("W slow {}\n", "x".repeat(1190));
                while !is_over.load(Ordering::Relaxed) {
                    let _ = talker.stream.write_all(line.as_bytes());
                    thread::park_timeout(Duration::from_millis(21));
                }
                let _ = talker.stream.shutdown(Shutdown::Both);
            });
        }
        // Until everything is full.
        thread::park_timeout(Duration::from_secs(5));
        for number in 0..3 {
            let mut person = server.wac(&format!("p{number}"));
            let text = "y".repeat(70_000);
            for _ in 0..2 {
                keeps(Duration::from_millis(2500), || {
                    timed(|| {
                        person.send_line(&format!("MSG {text}"));
                        listener.expect_eventually(&format!("p{number}: {text}"));
                    })
                });
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
