//! Many clients at once, and nothing left of them afterwards.

use crate::support::{Peer, Server, wait_for};

const CLIENTS: usize = 1000;
const MESSAGES: usize = 10;

#[test]
fn c7_g7_a_thousand_clients_exchange_ten_thousand_messages_and_leave_no_trace() {
    let server = Server::start();
    let before = server.usage();

    let mut peers: Vec<Peer> = (0..CLIENTS).map(|number| server.cap(&format!("c{number}"))).collect();
    assert_eq!(server.usage().threads, before.threads + CLIENTS);
    for (number, peer) in peers.iter_mut().enumerate() {
        let neighbour = (number + 1) % CLIENTS;
        for message in 0..MESSAGES {
            peer.send_line(&format!("SEND c{neighbour} {message}"));
        }
    }
    for (number, peer) in peers.iter_mut().enumerate() {
        let neighbour = (number + CLIENTS - 1) % CLIENTS;
        let mut acknowledged = 0;
        let mut delivered = 0;
        while acknowledged < MESSAGES || delivered < MESSAGES {
            let line = peer.recv_line().expect("an answer or a delivery");
            if line == b"SEND-OK" {
                acknowledged += 1;
            } else {
                assert_eq!(String::from_utf8_lossy(&line), format!("DELIVERY c{neighbour} {delivered}"));
                delivered += 1;
            }
        }
    }
    drop(peers);
    server.wait_until_as_before(before);
    let mut last = server.cap("last");
    last.ask("LIST", "LIST-OK echobot,last");
}

#[test]
fn g5_logins_and_resets_in_a_row_leave_one_session_of_the_name() {
    let server = Server::start();
    for _ in 0..300 {
        let mut peer = server.cap("ann");
        peer.send_line("LIST");
        peer.reset();
        wait_for("the name to be free", || {
            let mut next = server.connect();
            next.send_line("HELLO-FROM ann");
            if next.recv_line().as_deref() != Some(b"HELLO ann") {
                return None;
            }
            next.ask("LIST", "LIST-OK echobot,ann");
            next.finish();
            next.expect_end();
            Some(())
        });
        wait_for("nobody to be left", || {
            let mut next = server.connect();
            next.send_line("HELLO-FROM ann");
            (next.recv_line().as_deref() == Some(b"HELLO ann")).then(|| {
                next.finish();
                next.expect_end();
            })
        });
    }
}

#[test]
fn five_hundred_who_come_at_once_are_all_logged_in_and_none_has_to_knock_twice() {
    let queue: usize =
        std::fs::read_to_string("/proc/sys/net/core/somaxconn").map_or(128, |text| text.trim().parse().unwrap_or(128));
    // Of more than there may be outside some would have to go, if their threads are not run before the next ones come.
    let crowd = queue.min(500);
    let server = Server::start();
    // A server that is stopped accepts nobody, so that the kernel's queue has to hold them all: a connection that finds no
    // room there would not come about before the server goes on.
    server.signal("STOP");
    let mut peers: Vec<Peer> = (0..crowd)
        .map(|number| {
            let mut peer = server.connect();
            peer.send_line(&format!("HELLO-FROM c{number}"));
            peer
        })
        .collect();
    server.signal("CONT");
    for (number, peer) in peers.iter_mut().enumerate() {
        peer.expect(&format!("HELLO c{number}"));
    }
    assert!(!server.log().contains("refused"), "{}", server.log());
}

#[test]
fn two_thousand_who_come_and_go_leave_no_trace() {
    come_and_go(2000);
}

/// Ten times as many: `make soak`.
#[test]
#[ignore = "takes half a minute; `make soak` runs it"]
fn soak_twenty_thousand_who_come_and_go_leave_no_trace() {
    come_and_go(20_000);
}

fn come_and_go(visitors: usize) {
    let server = Server::with(&["--log-level", "error"]);
    let mut bob = server.cap("bob");
    let visit = |number: usize| {
        let mut peer = server.connect();
        peer.send(format!("HELLO-FROM c{number}\nSEND bob {number}\n").as_bytes());
        peer.finish();
        peer.expect(&format!("HELLO c{number}"));
        peer.expect("SEND-OK");
        peer.expect_end();
    };
    let before = server.usage();
    // The first ones fill what is kept for good, such as the allocator's arenas.
    (0..1000).for_each(visit);
    let resident_before = server.usage().resident_kib;
    (1000..visitors).for_each(visit);
    (0..visitors).for_each(|number| bob.expect(&format!("DELIVERY c{number} {number}")));
    server.wait_until_as_before(before);
    let grown = server.usage().resident_kib.saturating_sub(resident_before);
    assert!(grown < 5 * 1024, "{grown} KiB");
}
