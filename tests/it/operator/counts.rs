//! What the server counts, and says when it is asked with SIGUSR1.

use std::io::{Read, Write};
use std::thread;

use crate::support::{Peer, Server, wait_for};

/// Asks, and returns the newest line of a protocol.
fn ask(server: &Server, protocol: &str) -> String {
    let start = format!(" info {protocol}: ");
    let told = || -> Vec<String> {
        let log = server.log();
        log.lines().filter_map(|line| line.split_once(&start)).map(|(_, text)| text.to_owned()).collect()
    };
    let before = told().len();
    server.signal("USR1");
    wait_for("an answer to SIGUSR1", || told().get(before).cloned())
}

#[test]
fn each_protocol_is_counted_since_the_start_and_since_the_last_time() {
    let server = Server::with(&["--log-level", "error"]);
    let (mut ann, mut bob, mut eve) = (server.cap("ann"), server.cap("bob"), server.wac("eve"));
    ann.ask("SEND bob hi", "SEND-OK");
    bob.expect("DELIVERY ann hi");
    eve.send_line("MSG hello");
    ann.expect("DELIVERY eve hello");
    bob.expect("DELIVERY eve hello");
    for (login, answer) in [("HELLO-FROM ann", "IN-USE"), ("HELLO-FROM a b", "BAD-RQST-BODY"), ("GET", "BAD-RQST-HDR")]
    {
        let mut peer = server.connect();
        peer.ask(login, answer);
        peer.expect_end();
    }
    // What is answered is counted.
    ann.ask("LIST", "LIST-OK echobot,ann,bob,eve");
    eve.ask("WHO", "Online: echobot, ann, bob, eve");
    let first = ask(&server, "cap");
    let (now, counts) = first.split_once("; since the start: ").expect("both");
    assert_eq!(now, "2 online, 0 waiting to send, 0 behind");
    let (start, last) = counts.split_once("; since the last time: ").expect("both");
    assert_eq!(start, last);
    assert!(start.starts_with("messages 1 in 3 out, bytes "), "{start}");
    assert!(start.ends_with(" out, long waits 0, refused 1 name in use + 1 not a name + 1 not a login"), "{start}");
    assert!(
        ask(&server, "cap").ends_with("last time: messages 0 in 0 out, bytes 0 in 0 out, long waits 0, refused none")
    );
    assert!(
        ask(&server, "wac")
            .starts_with("1 online, 0 waiting to send, 0 behind; since the start: messages 1 in 0 out, ")
    );
    assert!(ask(&server, "chat").contains("start: messages 0 in 0 out, bytes 0 in 0 out, long waits 0, refused none;"));
    assert!(!server.log().contains("no protocol yet"), "{}", server.log());
}

#[test]
fn a_login_that_is_refused_counts_no_bytes_but_the_refusal() {
    let server = Server::start();
    let _ann = server.cap("ann");
    let mut other = server.connect();
    other.ask("HELLO-FROM ann", "IN-USE");
    other.expect_end();
    let (sent, answered) = (2 * "HELLO-FROM ann\n".len(), "HELLO ann\nIN-USE\n".len());
    let told = ask(&server, "cap");
    assert!(told.contains(&format!("start: messages 0 in 0 out, bytes {sent} in {answered} out, ")), "{told}");
}

#[test]
fn g13_messages_are_counted_that_are_handled_later_than_they_were_read() {
    let server = Server::with(&["--max-rate", "5"]);
    let mut bob = server.cap("bob");
    let mut ann = server.connect();
    ann.send(format!("LIN ann\n{}MSG last", "MSG hi\n".repeat(19)).as_bytes());
    ann.finish();
    (0..19).for_each(|_| bob.expect("DELIVERY ann hi"));
    bob.expect("DELIVERY ann last");
    ann.expect("Welcome, ann.");
    ann.expect_end();
    let told = ask(&server, "wac");
    assert!(told.contains("; since the start: messages 20 in 0 out, bytes 149 in "), "{told}");
}

#[test]
fn the_end_is_told_like_that_after_shutting_down() {
    let mut server = Server::start();
    let mut ann = server.cap("ann");
    server.signal("TERM");
    server.wait_for_log("shutting down with 1 client");
    for start in [" info cap: 1 online, ", " info wac: 0 online, ", " info chat: 0 online, "] {
        server.wait_for_log(start);
    }
    ann.expect_end();
    drop(ann);
    server.expect_exit(0);
}

#[test]
fn it_is_told_at_once_while_a_hundred_clients_stall_and_how_many_are_behind() {
    const STALLED: usize = 100;
    let server = Server::with(&["--max-backlog", "1048576", "--slow-timeout", "3600", "--max-clients", "300"]);
    let stalled: Vec<Peer> = (0..STALLED).map(|number| server.cap(&format!("c{number}"))).collect();
    let (mut sender, mut other) = (server.wac("sender"), server.wac("other"));
    let line = format!("MSG {}\n", "x".repeat(900_000));
    thread::scope(|scope| {
        scope.spawn(|| while matches!(other.stream.read(&mut vec![0; 1 << 16]), Ok(1..)) {});
        scope.spawn(|| {
            // It waits in the end, and fails when the server ends.
            while sender.stream.write_all(line.as_bytes()).is_ok() {}
        });
        let behind = format!("{STALLED} online, 0 waiting to send, {STALLED} behind;");
        wait_for("everybody to be behind", || ask(&server, "cap").starts_with(&behind).then_some(()));
        wait_for("the sender to wait", || ask(&server, "wac").starts_with("2 online, 1 waiting to send").then_some(()));
        server.signal("KILL");
    });
    drop(stalled);
}
