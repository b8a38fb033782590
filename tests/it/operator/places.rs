//! How many may be connected, and for how long without logging in.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;

use crate::support::{Peer, Server, SetOnDrop, Usage, wait_for};

#[test]
fn who_does_not_log_in_in_time_is_disconnected_even_if_it_trickles() {
    let server = Server::with(&["--login-timeout", "5"]);
    let mut ann = server.cap("ann");
    let begun = Instant::now();
    let mut mute = server.connect();
    let trickler = server.connect();
    let bytes = trickler.stream.try_clone().expect("a socket");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while (&bytes).write(b"H").is_ok() {
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        mute.expect_end();
        assert!(begun.elapsed() >= Duration::from_secs(5));
        wait_for("both to be gone", || {
            (server.log().matches("not logged in within the time limit").count() == 2).then_some(())
        });
    });
    drop(trickler);
    ann.expect_silence();
}

#[test]
fn in_a_full_lobby_a_newcomer_waits_for_nobody_and_the_crowd_makes_the_room() {
    let server = Server::with(&["--address", "::"]);
    let mut alone = server.connect_from_elsewhere();
    let mut crowd: Vec<Peer> = (0..511).map(|_| server.connect()).collect();
    // Whoever says nothing at once, as this machine is busy, is one of a crowd that rushes in.
    let mut ann = wait_for("ann to come in", || server.try_cap("ann"));
    crowd[0].expect_end();
    server.wait_for_log("others wait for its place");
    // Only as many had to go as were in the way, and nobody who came from elsewhere.
    for (name, stranger) in [("alone", &mut alone), ("bob", &mut crowd[510])] {
        stranger.ask(&format!("HELLO-FROM {name}"), &format!("HELLO {name}"));
    }
    ann.ask("LIST", "LIST-OK echobot,ann,alone,bob");
}

#[test]
fn a_crowd_of_strangers_that_knocks_for_ever_keeps_nobody_out() {
    let server = Server::with(&["--address", "::"]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Whoever is thrown out knocks again, and so does one after the other.
            let mut crowd: Vec<Peer> = Vec::new();
            let mut next = 0;
            while !over.load(Ordering::Acquire) {
                let mut stranger = server.connect();
                if next % 100 == 0 {
                    // So the server has seen all before this one, however slow it is: none of them has hung up by then.
                    let _ = stranger.stream.write(b"LIST\n").and_then(|_| stranger.stream.read(&mut [0; 100]));
                }
                if crowd.len() < 1500 {
                    crowd.push(stranger);
                } else {
                    crowd[next] = stranger;
                }
                next = (next + 1) % 1500;
            }
        });
        let _over = SetOnDrop(&over);
        server.wait_for_log("others wait for its place");
        for number in 0..10 {
            let mut peer = server.connect_from_elsewhere();
            peer.ask(&format!("HELLO-FROM far{number}"), &format!("HELLO far{number}"));
            wait_for("a login from the crowd's address", || server.try_cap(&format!("near{number}")));
        }
    });
}

#[test]
fn those_who_come_from_one_address_after_as_many_as_may_are_told_that_it_is_full() {
    let server = Server::with(&["--address", "::", "--max-per-address", "2"]);
    let (ann, mut bob) = (server.cap("ann"), server.wac("bob"));
    let (mut cap, mut wac, mut chat) = (server.connect(), server.connect(), server.connect());
    cap.ask("HELLO-FROM cap", "BUSY");
    cap.expect_end();
    chat.ask("REGISTER chat CHAT/1.0", "503 Server full");
    chat.expect_end();
    // A name in use is told first, as it is where the room is full (G4).
    wac.ask("LIN bob", "Cannot log in as bob: that name is already in use.");
    wac.ask("LIN wac", "Cannot log in: the server is full.");
    let mut far = server.connect_from_elsewhere();
    far.ask("HELLO-FROM far", "HELLO far");
    bob.ask("LIN eve", "You are now known as eve.");
    drop((ann, cap, chat));
    server.wait_for_log("ann left");
    wait_for("a place of that address", || {
        wac.send_line("LIN wac");
        (wac.recv_line().as_deref() == Some(b"Welcome, wac.")).then_some(())
    });
    server.connect().ask("HELLO-FROM cap", "BUSY");
}

#[test]
fn two_thousand_connects_resets_and_refusals_leave_nothing_of_an_address_counted() {
    come_and_be_refused(2000);
}

/// Ten times as many: `make soak`.
#[test]
#[ignore = "takes half a minute; `make soak` runs it"]
fn soak_twenty_thousand_connects_resets_and_refusals_leave_nothing_of_an_address_counted() {
    come_and_be_refused(20_000);
}

fn come_and_be_refused(times: usize) {
    let server = Server::with(&["--max-per-address", "2", "--log-level", "error"]);
    let ann = server.cap("ann");
    for number in 0..times {
        let mut peer = server.connect();
        match number % 4 {
            0 => {
                // A telnet option, which is refused, so that there is something to reset.
                peer.send(b"\xff\xfd\x03");
                peer.reset();
            }
            1 => {
                peer.send_line("HELLO-FROM ann");
                peer.finish();
            }
            2 => {
                peer.send_line("HELLO-FROM x\nSEND ann hi");
                peer.reset();
            }
            _ => {}
        }
    }
    drop(ann);
    wait_for("two of that address to be let in, and no more", || {
        let first = server.try_cap("first")?;
        let second = server.try_cap("second")?;
        server.connect().ask("HELLO-FROM third", "BUSY");
        drop((first, second));
        Some(())
    });
}

/// A server with this limit of `ulimit`.
fn with_limit(limit: &str) -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limit}; exec \"$0\" --port 0")]).arg(cargo_bin!("server"));
    Server::from(command)
}

#[test]
fn strangers_that_do_not_read_their_answers_cost_little_and_are_disconnected_as_slow() {
    const STRANGERS: usize = 3;
    let server = Server::with(&["--protocol", "wac", "--login-timeout", "600"]);
    let before = server.usage().resident_kib;
    let strangers: Vec<Peer> = (0..STRANGERS).map(|_| server.connect()).collect();
    std::thread::scope(|scope| {
        for stranger in &strangers {
            // Far more answers than the kernel takes.
            scope.spawn(|| while (&stranger.stream).write_all(&b"X\n".repeat(1000)).is_ok() {});
        }
        wait_for("all of them to be gone", || {
            let grown = server.usage().resident_kib.saturating_sub(before);
            assert!(grown < 1024 + STRANGERS * 512, "{grown} KiB");
            (server.log().matches("left: slow").count() == STRANGERS).then_some(())
        });
    });
}

#[test]
fn half_closed_clients_who_read_nothing_count_like_strangers_and_are_gone_after_ten_seconds() {
    let mut command = Command::new("sh");
    let options = "--port 0 --max-backlog 16777216";
    command.args(["-c", &format!("ulimit -n 32; exec \"$0\" {options}")]).arg(cargo_bin!("server"));
    let server = Server::from(command);
    let bob = server.cap("bob");
    let before = server.usage();
    let script = format!("SEND ann {}\n", "x".repeat(1_000_000)).repeat(9);
    let half_closed: Vec<Peer> = (0..16)
        .map(|number| {
            let mut peer = wait_for("a place", || server.try_cap("ann"));
            peer.send(script.as_bytes());
            peer.finish();
            wait_for("it to be gone", || {
                (server.log().matches("ann left: end of input").count() > number).then_some(())
            });
            peer
        })
        .collect();
    let begun = Instant::now();
    // Whoever comes in takes the place of one of them.
    assert_eq!(server.log().matches("too many connections").count(), 0);
    wait_for("all of them to be gone", || {
        let now = server.usage();
        (now.threads <= before.threads && now.files == before.files).then_some(())
    });
    assert!(begun.elapsed() > Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    server.wait_for_log("did not take its last lines");
    drop((half_closed, bob));
}

#[test]
fn connections_past_what_the_machine_bears_are_refused_and_the_others_go_on() {
    let server = with_limit("-n 64");
    server.wait_for_log("connections fit into this machine's limits");
    let mut clients = server.fill_until_log("refused: too many connections for this machine's limits", 64);
    assert!(clients.len() > 20, "{}", clients.len());
    let [ann, bob, ..] = &mut clients[..] else { panic!("too few") };
    ann.ask("SEND c1 hi", "SEND-OK");
    bob.expect("DELIVERY c0 hi");
    clients.truncate(2);
    wait_for("a new login to work", || server.try_cap("eve"));
}

#[test]
fn where_the_address_space_is_limited_as_many_can_log_in_as_it_says() {
    let server = with_limit("-v 200000");
    let warning = server.wait_for_log("connections fit into this machine's limits");
    let count = warning.split(' ').find_map(|word| word.parse::<usize>().ok()).expect("how many fit");
    assert!(count > 100, "{warning}");
    let clients: Vec<Peer> = (0..count).map(|number| server.wac(&format!("c{number}"))).collect();
    drop((clients, server));
}

#[test]
fn where_nobody_could_connect_it_does_not_start() {
    let mut command = Command::new("timeout");
    command.args(["20", "sh", "-c", "ulimit -n 17; exec \"$0\" --port 0"]).arg(cargo_bin!("server"));
    let output = command.output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("no room for a connection: raise 'ulimit -n'"), "{error}");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

#[test]
fn strangers_cannot_take_the_places_of_those_who_log_in() {
    let server = with_limit("-n 64");
    let (mut ann, mut bob) = (server.cap("ann"), server.cap("bob"));
    let crowd: Vec<Peer> = (0..30).map(|_| server.connect()).collect();
    let cpu_before = server.cpu_time();
    let begun = Instant::now();
    wait_for("a new login to work", || server.try_cap("eve"));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    ann.ask("SEND bob hi", "SEND-OK");
    bob.expect("DELIVERY ann hi");
    assert!(server.cpu_time().saturating_sub(cpu_before) < begun.elapsed() / 20 + Duration::from_millis(50));
    drop(crowd);
}

#[test]
fn a_refused_client_whose_socket_stays_open_does_not_count_against_its_address() {
    let server = Server::with(&["--max-per-address", "3"]);
    let (ann, _bob, _carl) = (server.cap("ann"), server.cap("bob"), server.cap("carl"));
    let mut refused = server.connect();
    refused.ask("HELLO-FROM eve", "BUSY");
    drop(ann);
    server.wait_for_log("ann left");
    server.cap("dora");
    refused.expect_end();
}

#[test]
fn g10_w8_the_login_timeout_is_told_although_input_is_pending() {
    let server = Server::with(&["--login-timeout", "2", "--max-line", "4096"]);
    for _ in 0..3 {
        let mut peer = server.connect();
        peer.ask("WHO", "Online: echobot");
        // It goes on to send, so that some input is always unread.
        let voice = peer.stream.try_clone().expect("a socket");
        std::thread::scope(|scope| {
            scope.spawn(move || while (&voice).write_all(b"WHO and something else\n").is_ok() {});
            peer.expect_eventually("You have not logged in in time; good-bye.");
            peer.expect_end();
            let _ = peer.stream.shutdown(Shutdown::Both);
        });
    }
}

/// A connection that sends so many bytes of telnet options and reads no answer. It stops where the server reads no more.
fn full_of_telnet_answers(server: &Server, size: usize) -> Peer {
    let mut peer = server.connect();
    peer.stream.set_write_timeout(Some(Duration::from_millis(200))).expect("a socket");
    let bytes = b"\xff\xfd\x06".repeat(size / 3);
    let mut sent = 0;
    while sent < bytes.len() {
        match peer.stream.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    peer
}

/// Resets these connections; the server spends next to no processor time on them until they are gone.
#[track_caller]
fn reset_cheaply(server: &Server, before: Usage, peers: Vec<Peer>) {
    let (begun, cpu) = (Instant::now(), server.cpu_time());
    peers.into_iter().for_each(Peer::reset);
    server.wait_until_as_before(before);
    let (waited, worked) = (begun.elapsed(), server.cpu_time().saturating_sub(cpu));
    assert!(worked < waited / 4 + Duration::from_millis(100), "{worked:?} of {waited:?}");
}

#[test]
fn a_connection_that_is_reset_before_it_takes_its_last_lines_costs_no_processor_time() {
    const COUNT: usize = 4;
    let server = Server::with(&["--login-timeout", "5"]);
    let before = server.usage();
    let peers: Vec<Peer> = (0..COUNT).map(|_| full_of_telnet_answers(&server, 16 << 20)).collect();
    wait_for("all of them to be given up", || (server.log().matches(" left: ").count() == COUNT).then_some(()));
    reset_cheaply(&server, before, peers);
}

/// Bytes that the kernel holds on their way from the server to this client.
fn bytes_in_the_kernel(server: &Server, peer: &Peer) -> usize {
    let (ours, its) = (server.address.port(), peer.stream.local_addr().expect("connected").port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("a table");
    let queue = |from: u16, to: u16, index: usize| {
        let ends = format!("0100007F:{from:04X} 0100007F:{to:04X} ");
        let line = table.lines().find(|line| line.contains(&ends)).expect("the connection");
        let queues = line.split_whitespace().nth(4).expect("two queues");
        usize::from_str_radix(queues.split(':').nth(index).expect("a queue"), 16).expect("a number")
    };
    queue(ours, its, 0) + queue(its, ours, 1)
}

#[test]
fn a_refused_connection_that_is_reset_before_it_takes_its_refusal_costs_no_processor_time() {
    const REFUSAL: &[u8] = b"BAD-RQST-BODY\n";
    let server = Server::start();
    let before = server.usage();
    // How much the kernel takes varies a little, so that not every round ends with a refusal that it does not take.
    for _ in 0..20 {
        let full = full_of_telnet_answers(&server, 16 << 20);
        server.wait_until_asleep();
        let size = bytes_in_the_kernel(&server, &full);
        reset_cheaply(&server, before, vec![full]);
        let mut refused = full_of_telnet_answers(&server, size);
        server.wait_until_asleep();
        let _ = refused.stream.write(b"HELLO-FROM a,b\n");
        server.wait_until_asleep();
        let taken = bytes_in_the_kernel(&server, &refused);
        reset_cheaply(&server, before, vec![refused]);
        if (size / 3 * 3..size / 3 * 3 + REFUSAL.len()).contains(&taken) {
            return;
        }
    }
}
