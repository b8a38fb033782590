//! The client against servers that no client deserves: it ends or goes on as it should, and never panics.

use std::fs;

use crate::support::{Client, FakeServer, Peer, Random, ending_signals, wait_for};

const HEADERS: [&str; 14] = [
    "HELLO",
    "IN-USE",
    "BUSY",
    "LIST-OK",
    "WHO-OK",
    "SEND-OK",
    "UNKNOWN",
    "BAD-DEST-USER",
    "DELIVERY",
    "BAD-RQST-HDR",
    "BAD-RQST-BODY",
    "HELLO-FROM",
    "SEND",
    "",
];

/// A client of each protocol that has done all it does by itself, and the server's end.
fn clients(server: &FakeServer) -> Vec<(Client, Peer)> {
    let port = server.port();
    let mut all = Vec::new();
    for (protocol, login, answer) in [
        ("cap", "HELLO-FROM ann", "HELLO ann"),
        ("wac", "LIN ann", "Welcome, ann."),
        ("chat", "REGISTER ann CHAT/1.0", "200 OK"),
    ] {
        let client = Client::with(&port, &["--protocol", protocol, "--name", "ann"]);
        let mut peer = server.accept();
        peer.ask_back(login, answer);
        all.push((client, peer));
    }
    all
}

/// The client still shows what comes, and goes when it is told to.
#[track_caller]
fn is_fine(mut client: Client, mut peer: Peer) {
    peer.send_line("DELIVERY bob fence");
    let shown = ["From bob: fence\n", "DELIVERY bob fence\n"];
    wait_for("the fence", || shown.iter().any(|line| client.output_so_far().ends_with(line)).then_some(()));
    client.type_line("!quit");
    while peer.recv_line().is_some() {}
    drop(peer);
    client.expect_status(0);
    assert!(!client.errors_so_far().contains("panicked"), "{}", client.errors_so_far());
}

#[test]
fn rt4_an_endless_line_is_given_up_and_the_next_one_is_shown() {
    let server = FakeServer::start();
    let block = vec![b'A'; 1 << 20];
    for (client, mut peer) in clients(&server) {
        for _ in 0..80 {
            peer.send(&block);
        }
        peer.send_line("");
        client.expect_error("The server sent a line that is too long to show.");
        is_fine(client, peer);
    }
}

#[test]
fn g2_garbage_is_shown_harmlessly_or_not_at_all() {
    let server = FakeServer::start();
    let mut garbage = Random(0x5eed).bytes(200_000);
    garbage.push(b'\n');
    for (client, mut peer) in clients(&server) {
        peer.send(&garbage);
        is_fine(client, peer);
    }
    let (client, mut peer) = clients(&server).remove(1);
    peer.send(&garbage);
    peer.send_line("fence");
    wait_for("the fence", || client.output_so_far().ends_with("fence\n").then_some(()));
    assert!(!client.output_so_far().chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')));
}

#[test]
fn ri1_rt7_headers_in_random_order_never_end_it_and_are_never_shown() {
    let server = FakeServer::start();
    let (client, mut peer) = clients(&server).remove(0);
    let mut random = Random(0x5eed);
    for _ in 0..2000 {
        let header = HEADERS[random.below(HEADERS.len())];
        let body = ["", " ", " bob", " bob hi", " a,b,c"][random.below(5)];
        peer.send_line(&format!("{header}{body}"));
    }
    peer.send_line("DELIVERY bob fence");
    wait_for("the fence", || client.output_so_far().ends_with("From bob: fence\n").then_some(()));
    let output = client.output_so_far() + &client.errors_so_far();
    for header in HEADERS.iter().filter(|header| header.contains('-') || **header == "DELIVERY") {
        assert!(!output.contains(header), "{header}");
    }
    is_fine(client, peer);
}

#[test]
fn rt3_g14_a_server_that_goes_in_the_middle_of_a_line_ends_it_and_in_cap_half_a_line_is_not_shown() {
    let server = FakeServer::start();
    for (number, (mut client, mut peer)) in clients(&server).into_iter().enumerate() {
        peer.send(b"DELIVERY bob half of it");
        drop(peer);
        client.expect_status(1);
        let is_cap = number == 0;
        assert_eq!(!client.output_so_far().contains("half"), is_cap, "{}", client.output_so_far());
    }
}

#[test]
fn k6_the_system_probes_a_server_that_says_nothing() {
    let server = FakeServer::start();
    for (_client, peer) in clients(&server) {
        let [from, to] =
            [peer.stream.peer_addr(), peer.stream.local_addr()].map(|end| end.expect("it is there").port());
        let connections = fs::read_to_string("/proc/net/tcp").expect("Linux has it");
        let ends = format!(": 0100007F:{from:04X} 0100007F:{to:04X} ");
        let connection = connections.lines().find(|line| line.contains(&ends));
        // The timer: 02 is the one for probes.
        let timer = connection.and_then(|line| line.split_whitespace().nth(5)).expect("it is listed");
        assert!(timer.starts_with("02:"), "{timer}");
    }
}

#[test]
fn a_copy_that_cannot_be_written_is_given_up_with_the_reason_in_words() {
    let server = FakeServer::start();
    let mut client = Client::with(&server.port(), &["--name", "ann", "--log", "/dev/full"]);
    client.expect_error("Nothing more is copied to /dev/full: No space left on device\n");
    server.accept().ask_back("HELLO-FROM ann", "HELLO ann");
    client.expect_eventually("Successfully logged in as ann!");
}

#[test]
fn k6_signals_end_every_client() {
    let server = FakeServer::start();
    for (signal, status) in ending_signals() {
        for (mut client, peer) in clients(&server) {
            client.signal(signal);
            client.expect_status(status);
            drop(peer);
        }
    }
}
