//! What the server counts, and says when it is asked with SIGUSR1.

use std::io::{Read, Write};
use std::thread;

use crate::support::{Peer, Server, wait_for};

/// Asks, and returns the newest answer.
fn ask(server: &Server) -> String {
    let told = || -> Vec<String> {
        let log = server.log();
        let lines = log.lines().filter(|line| line.contains(" online, ") && line.contains(" refused, "));
        lines.filter_map(|line| line.split_once(" info ")).map(|(_, text)| text.to_owned()).collect()
    };
    let before = told().len();
    server.signal("USR1");
    wait_for("an answer to SIGUSR1", || told().get(before).cloned())
}

#[test]
fn one_line_says_what_the_server_has_done() {
    let server = Server::with(&["--log-level", "error"]);
    let (mut ann, mut bob, mut eve) = (server.cap("ann"), server.cap("bob"), server.wac("eve"));
    ann.ask("SEND bob hi", "SEND-OK");
    bob.expect("DELIVERY ann hi");
    eve.send_line("MSG hello");
    ann.expect("DELIVERY eve hello");
    bob.expect("DELIVERY eve hello");
    let logins = [("HELLO-FROM ann", "IN-USE"), ("HELLO-FROM a b", "BAD-RQST-BODY"), ("GET", "BAD-RQST-HDR")];
    for (login, answer) in logins {
        let mut peer = server.connect();
        peer.ask(login, answer);
        peer.expect_end();
    }
    // What is answered is counted.
    eve.ask("WHO", "Online: echobot, ann, bob, eve");
    let said = ["HELLO-FROM ann", "HELLO-FROM bob", "LIN eve", "SEND bob hi", "MSG hello", "WHO"];
    let said = said.iter().chain(&logins.map(|(login, _)| login)).map(|line| line.len() + 1).sum::<usize>();
    let told = ask(&server);
    assert!(told.starts_with(&format!("3 online, 3 refused, 0 slow, messages 2 in 3 out, bytes {said} in ")), "{told}");
    assert!(told.len() < 100, "{told}");
}

#[test]
fn w7_a_refused_login_counts_although_the_connection_stays() {
    let server = Server::with(&["--max-clients", "1"]);
    let _ann = server.cap("ann");
    let mut bob = server.connect();
    bob.ask("LIN ann", "Cannot log in as ann: that name is already in use.");
    bob.ask("LIN bob", "Cannot log in: the server is full.");
    let told = ask(&server);
    assert!(told.starts_with("1 online, 2 refused, "), "{told}");
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
    let told = ask(&server);
    assert!(told.contains("messages 20 in 20 out, bytes 164 in "), "{told}");
}

#[test]
fn the_end_is_told_like_that_after_shutting_down() {
    let mut server = Server::start();
    let mut ann = server.cap("ann");
    server.signal("TERM");
    server.wait_for_log("shutting down with 1 online");
    ann.expect_end();
    drop(ann);
    server.wait_for_log("0 online, 0 refused, 0 slow, messages 0 in 0 out, bytes 15 in 10 out");
    server.expect_exit(0);
}

#[test]
fn it_is_told_at_once_while_a_hundred_clients_stall() {
    const STALLED: usize = 100;
    let server = Server::with(&["--max-backlog", "1048576", "--slow-timeout", "3600", "--max-clients", "300"]);
    let stalled: Vec<Peer> = (0..STALLED).map(|number| server.cap(&format!("c{number}"))).collect();
    let mut sender = server.wac("sender");
    let line = format!("MSG {}\n", "x".repeat(900_000));
    thread::scope(|scope| {
        let mut voice = sender.stream.try_clone().expect("a socket");
        scope.spawn(move || {
            // It waits in the end, and fails when the server ends.
            while voice.write_all(line.as_bytes()).is_ok() {}
        });
        // How many messages that takes depends on how much the system holds.
        wait_for("the sender to wait", || {
            server.wait_until_asleep();
            let told = ask(&server);
            (!told.contains(" messages 0 in ") && ask(&server) == told).then_some(())
        });
        assert!(ask(&server).starts_with("101 online, "));
        server.signal("KILL");
        let _ = sender.stream.read(&mut [0; 1]);
    });
    drop(stalled);
}
