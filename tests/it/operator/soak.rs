//! What is promised in milliseconds. Each time is judged beside a control of plain sockets, as the machine may be busy:
//! `make soak` runs these tests, one at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::{
    Flooder, Measured, Peer, Reading, Server, SetOnDrop, flood, flood_until_full, keeps, p99_for, timed,
};

/// How long two bystanders talk.
const TALK: Duration = Duration::from_secs(5);

/// The time of a bystander's message.
const MESSAGE: Duration = Duration::from_millis(250);

/// The time of a shutdown.
const SHUTDOWN: Duration = Duration::from_millis(2500);

/// Two users, one by SEND and the other by MSG.
struct Talk {
    ann: Peer,
    eve: Peer,
    number: usize,
}

impl Talk {
    fn of(server: &Server) -> Self {
        Self { ann: server.cap("bystander-ann"), eve: server.wac("bystander-eve"), number: 0 }
    }

    /// One message, which arrives once and in order.
    fn exchange(&mut self) {
        let Self { ann, eve, number } = self;
        if *number % 2 == 0 {
            ann.send_line(&format!("SEND bystander-eve {number}"));
            ann.expect_next("SEND-OK", "");
            eve.expect_next("bystander-ann whispers, ", &format!("\"{number}\""));
        } else {
            eve.send_line(&format!("MSG {number}"));
            ann.expect_next("DELIVERY bystander-eve ", &number.to_string());
        }
        *number += 1;
    }
}

/// Two bystanders talk while something happens; returns the 99th percentile.
fn talk_beside(server: &Server, something: impl FnOnce(&AtomicBool) + Send) -> Measured {
    let mut talk = Talk::of(server);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = SetOnDrop(&is_over);
        scope.spawn(|| something(&is_over));
        p99_for(TALK, || talk.exchange())
    })
}

/// The messages of two bystanders keep this promise beside these clients.
#[track_caller]
fn talk_keeps(promise: Duration, flooders: impl Fn(&Server) -> Vec<Flooder>) {
    keeps(promise, || {
        let server = Server::start();
        let mut flooders = flooders(&server);
        talk_beside(&server, |is_over| flood(&mut flooders, is_over))
    });
}

/// WAC users that send this and read everything.
fn flooders(server: &Server, count: usize, line: &str) -> Vec<Flooder> {
    let script = line.repeat(1000);
    (0..count).map(|number| Flooder::new(server.wac(&format!("f{number}")), script.as_str(), Reading::All)).collect()
}

/// Users that flood themselves and read just enough to stay.
fn drainers(server: &Server, count: usize) -> Vec<Flooder> {
    let reading = Reading::Batches(2300 << 10, Duration::from_millis(1800));
    (0..count).map(|number| Flooder::of_itself(server, &format!("d{number}"), reading)).collect()
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_message_arrives_within_250_ms_beside_50_clients_that_flood_list() {
    talk_keeps(MESSAGE, |server| {
        let flooder = |number| Flooder::new(server.cap(&format!("f{number}")), "LIST\n".repeat(1000), Reading::All);
        (0..50).map(flooder).collect()
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_message_arrives_within_250_ms_beside_50_clients_that_flood_themselves() {
    talk_keeps(MESSAGE, |server| {
        (0..50).map(|number| Flooder::of_itself(server, &format!("f{number}"), Reading::All)).collect()
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_message_arrives_within_250_ms_beside_50_clients_that_flood_the_room() {
    talk_keeps(MESSAGE, |server| flooders(server, 50, "MSG and a text of some length\n"));
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_message_arrives_within_250_ms_beside_200_clients_that_whisper_to_nobody() {
    talk_keeps(MESSAGE, |server| flooders(server, 200, "W nobody and a text of some length\n"));
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_message_arrives_within_10_ms_beside_20_clients_that_drain_just_in_time() {
    talk_keeps(Duration::from_millis(10), |server| drainers(server, 20));
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_message_arrives_within_250_ms_beside_200_clients_that_drain_just_in_time() {
    talk_keeps(MESSAGE, |server| drainers(server, 200));
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_message_arrives_within_250_ms_beside_10_stalled_readers_that_are_flooded() {
    keeps(MESSAGE, || {
        let server = Server::start();
        let stalled: Vec<Peer> = (0..10).map(|number| server.cap(&format!("s{number}"))).collect();
        let text = "x".repeat(1000);
        let script: String = (0..10).map(|number| format!("W s{number} {text}\n")).collect();
        let mut flooder = [Flooder::new(server.wac("flooder"), script, Reading::All)];
        let measured = talk_beside(&server, |is_over| flood(&mut flooder, is_over));
        drop(stalled);
        measured
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_message_arrives_within_250_ms_beside_200_connections_that_trickle_and_never_log_in() {
    keeps(MESSAGE, || {
        let server = Server::start();
        let mut trickling: Vec<Peer> = (0..200).map(|_| server.connect()).collect();
        talk_beside(&server, |is_over| {
            while !is_over.load(Ordering::Acquire) {
                trickling.iter_mut().for_each(|peer| peer.send(b"H"));
                thread::park_timeout(Duration::from_millis(100));
            }
        })
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_message_arrives_within_250_ms_beside_logins_and_resets() {
    keeps(MESSAGE, || {
        let server = Server::start();
        talk_beside(&server, |is_over| {
            let mut names = (0..).map(|number| format!("c{number}"));
            while !is_over.load(Ordering::Acquire) {
                let mut peer = server.cap(&names.next().expect("endless"));
                peer.send_line("LIST");
                peer.reset();
            }
        })
    });
}

/// A server with 95 clients that listen, 5 that do not read what they are owed, and the sender.
fn with_five_stalled_readers() -> (Server, Vec<Peer>, Vec<Peer>) {
    let server = Server::with(&["--slow-timeout", "60"]);
    let stalled: Vec<Peer> = (0..5).map(|number| server.cap(&format!("s{number}"))).collect();
    let mut listeners: Vec<Peer> = (0..95).map(|number| server.chat(&format!("c{number}"))).collect();
    let mut sender = server.wac("sender");
    for number in 0..5 {
        sender.send(format!("W s{number} {}\n", "x".repeat(500_000)).repeat(11).as_bytes());
    }
    sender.ask("W nobody hi", "No user named nobody is logged in.");
    listeners.push(sender);
    (server, listeners, stalled)
}

/// Ends the server by SIGTERM; these hear their last line and hang up.
fn shut_down(server: &mut Server, listeners: Vec<Peer>) -> Measured {
    timed(|| {
        server.signal("TERM");
        for mut listener in listeners {
            while listener.recv_line().is_some() {}
        }
        server.expect_exit(0);
    })
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_shutdown_ends_within_2500_ms_with_100_clients_of_which_5_do_not_read() {
    keeps(SHUTDOWN, || {
        let (mut server, listeners, stalled) = with_five_stalled_readers();
        let measured = shut_down(&mut server, listeners);
        drop(stalled);
        measured
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_shutdown_ends_within_1500_ms_after_a_second_signal() {
    keeps(Duration::from_millis(1500), || {
        let (mut server, listeners, stalled) = with_five_stalled_readers();
        let measured = timed(|| {
            for signal in ["STOP", "INT", "TERM", "CONT"] {
                server.signal(signal);
            }
            server.expect_exit(1);
        });
        drop((listeners, stalled));
        measured
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_shutdown_ends_within_2500_ms_with_20_clients_that_flood_themselves() {
    keeps(SHUTDOWN, || {
        let mut server = Server::with(&["--slow-timeout", "60"]);
        let mut flooders: Vec<Flooder> =
            (0..20).map(|number| Flooder::of_itself(&server, &format!("f{number}"), Reading::Nothing)).collect();
        flood_until_full(&mut flooders);
        let listener = server.wac("listener");
        let measured = shut_down(&mut server, vec![listener]);
        drop(flooders);
        measured
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_shutdown_ends_within_2500_ms_with_200_clients_that_flood_broadcasts() {
    keeps(SHUTDOWN, || {
        let mut server = Server::start();
        let mut flooders = flooders(&server, 200, "MSG and a text of some length\n");
        let mut listener = server.cap("listener");
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let _over = SetOnDrop(&is_over);
            scope.spawn(|| flood(&mut flooders, &is_over));
            (0..1000).for_each(|_| drop(listener.recv_line().expect("a broadcast")));
            shut_down(&mut server, vec![listener])
        })
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_stalled_reader_that_is_flooded_is_gone_within_5_s() {
    keeps(Duration::from_secs(5), || {
        let server = Server::start();
        let stalled = server.cap("stalled");
        let script = format!("W stalled {}\n", "x".repeat(10_000));
        let mut flooder = [Flooder::new(server.wac("flooder"), script, Reading::All)];
        let is_over = AtomicBool::new(false);
        let measured = thread::scope(|scope| {
            let _over = SetOnDrop(&is_over);
            scope.spawn(|| flood(&mut flooder, &is_over));
            timed(|| drop(server.wait_for_log("stalled left: slow")))
        });
        drop(stalled);
        measured
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_tls_is_answered_within_1_s() {
    let server = Server::start();
    keeps(Duration::from_secs(1), || {
        timed(|| {
            let mut peer = server.connect();
            peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
            peer.expect("BAD-RQST-HDR");
            peer.expect_end();
        })
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_a_client_is_disconnected_within_1_s_after_the_login_timeout() {
    let server = Server::with(&["--login-timeout", "1"]);
    keeps(Duration::from_secs(1), || {
        let Measured { took, control } = timed(|| {
            let mut peer = server.connect();
            peer.ask("WHO", "Online: echobot");
            while peer.recv_line().is_some() {}
        });
        Measured { took: took.saturating_sub(Duration::from_secs(1)), control }
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_after_kill_9_the_port_is_available_within_1_s() {
    keeps(Duration::from_secs(1), || {
        let mut server = Server::start();
        let port = server.port();
        let clients: Vec<Peer> = (0..50).map(|number| server.cap(&format!("c{number}"))).collect();
        server.kill();
        let measured = timed(|| drop(Server::with(&["--port", &port])));
        drop(clients);
        measured
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_2000_clients_connect_at_once_within_900_ms() {
    let queue = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
    let count = queue.and_then(|text| text.trim().parse().ok()).unwrap_or(128).min(2000);
    keeps(Duration::from_millis(900), || {
        let server = Server::start();
        // The kernel's queue has to hold all of them, as a stopped server accepts none.
        server.signal("STOP");
        let mut peers: Vec<Peer> = Vec::new();
        let measured = timed(|| peers.extend((0..count).map(|_| server.connect())));
        server.signal("CONT");
        measured
    });
}
