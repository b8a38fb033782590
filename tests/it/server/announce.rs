//! Who comes and goes, where the server is told to say so (G15).

use std::io::Write;
use std::time::Instant;

use crate::support::{Peer, Server};

/// The next line.
#[track_caller]
fn line(peer: &mut Peer) -> String {
    String::from_utf8(peer.recv_line().expect("a line")).expect("text")
}

#[test]
fn g15_wac_and_chat1_are_told_who_joins_leaves_and_changes_the_name() {
    let server = Server::with(&["--announce"]);
    let mut wac = server.wac("wac");
    let mut chat = server.chat("chat");
    wac.expect("* chat has joined");
    let mut cap = server.cap("cap");
    let mut told = |line: &str| [&mut wac, &mut chat].map(|peer| peer.expect(line));
    told("* cap has joined");
    let mut bob = server.wac("bob");
    told("* bob has joined");
    bob.ask("LIN bob", "You are now known as bob.");
    bob.ask("LIN cap", "Cannot log in as cap: that name is already in use.");
    bob.ask("LIN eve", "You are now known as eve.");
    told("* bob is now eve");
    drop(bob);
    told("* eve has left");
    let mut dan = server.chat("dan");
    told("* dan has joined");
    dan.send_line("DISCONNECT dan CHAT/1.0");
    told("* dan has left");
    let mut gus = server.cap("gus");
    told("* gus has joined");
    gus.send_line("SEND gus unread");
    gus.reset();
    told("* gus has left");
    // CAP has no word for any of it.
    cap.expect_silence();
}

#[test]
fn g15_a_client_that_reads_no_replies_is_announced_as_gone() {
    let server = Server::with(&["--announce", "--slow-timeout", "1"]);
    let mut wac = server.wac("wac");
    let bob = server.wac("bob");
    wac.expect("* bob has joined");
    // Far more replies than the kernel takes.
    while (&bob.stream).write_all(&b"X\n".repeat(1000)).is_ok() {}
    wac.expect("* bob has left");
}

#[test]
fn g15_nobody_is_told_unless_the_server_was_told_to() {
    let server = Server::start();
    let mut wac = server.wac("wac");
    let bob = server.cap("bob");
    drop(bob);
    server.wait_for_log("bob left");
    wac.ask("WHO", "Online: echobot, wac");
}

#[test]
fn g15_the_end_of_the_server_is_no_crowd_that_leaves() {
    let server = Server::with(&["--announce"]);
    let mut wac = server.wac("wac");
    let others: Vec<_> = (0..20).map(|number| server.cap(&format!("c{number}"))).collect();
    for number in 0..20 {
        wac.expect(&format!("* c{number} has joined"));
    }
    server.signal("TERM");
    wac.expect("The server is shutting down.");
    drop(others);
    wac.expect_end();
}

#[test]
fn g15_whoever_comes_and_goes_all_the_time_is_announced_so_often_and_no_more() {
    const LOGINS: usize = 800;
    let server = Server::with(&["--announce"]);
    let mut wac = server.wac("wac");
    let begun = Instant::now();
    for number in 0..LOGINS {
        drop(server.cap(&format!("c{number}")));
    }
    let most = 500 + 50 * (begun.elapsed().as_secs() as usize + 1);
    server.wait_for_log(&format!("c{} left", LOGINS - 1));
    let mut present = Vec::new();
    let mut joined = 0;
    wac.send_line("SEC");
    loop {
        let line = line(&mut wac);
        if let Some(name) = line.strip_prefix("* ").and_then(|line| line.strip_suffix(" has joined")) {
            present.push(name.to_owned());
            joined += 1;
        } else if let Some(name) = line.strip_prefix("* ").and_then(|line| line.strip_suffix(" has left")) {
            let before = present.len();
            present.retain(|present| present != name);
            assert_eq!(present.len() + 1, before, "{line}");
        } else if line.starts_with("The secret is") {
            break;
        }
    }
    assert!((500..=most).contains(&joined), "{joined} of {LOGINS}, at most {most}");
}
