//! Many clients at once, and nothing left of them afterwards.

use super::support::{Peer, Server, wait_for};

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
            peer.say(&format!("SEND c{neighbour} {message}"));
        }
    }
    for (number, peer) in peers.iter_mut().enumerate() {
        let neighbour = (number + CLIENTS - 1) % CLIENTS;
        let mut acknowledged = 0;
        let mut delivered = 0;
        while acknowledged < MESSAGES || delivered < MESSAGES {
            let line = peer.line().expect("an answer or a delivery");
            if line == b"SEND-OK" {
                acknowledged += 1;
            } else {
                assert_eq!(String::from_utf8_lossy(&line), format!("DELIVERY c{neighbour} {delivered}"));
                delivered += 1;
            }
        }
    }
    drop(peers);
    wait_for("threads and open files to be given back", || {
        let now = server.usage();
        (now.threads == before.threads && now.files == before.files).then_some(())
    });
    let mut last = server.cap("last");
    last.ask("LIST", "LIST-OK echobot,last");
}

#[test]
fn g5_logins_and_resets_in_a_row_leave_one_session_of_the_name() {
    let server = Server::start();
    for _ in 0..300 {
        let mut peer = server.cap("ann");
        peer.say("LIST");
        peer.reset();
        wait_for("the name to be free", || {
            let mut next = server.connect();
            next.say("HELLO-FROM ann");
            if next.line().as_deref() != Some(b"HELLO ann") {
                return None;
            }
            next.ask("LIST", "LIST-OK echobot,ann");
            next.finish();
            next.expect_end();
            Some(())
        });
        wait_for("nobody to be left", || {
            let mut next = server.connect();
            next.say("HELLO-FROM ann");
            (next.line().as_deref() == Some(b"HELLO ann")).then(|| {
                next.finish();
                next.expect_end();
            })
        });
    }
}
