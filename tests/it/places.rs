//! How many may be connected, and for how long without logging in.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;

use super::support::{Peer, Server, wait_for};

#[test]
fn who_does_not_log_in_in_time_is_disconnected_even_if_it_trickles() {
    let server = Server::with(&["--login-timeout", "0.5"]);
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
        assert!(begun.elapsed() >= Duration::from_millis(500));
        wait_for("both to be gone", || {
            (server.log().matches("not logged in within the time limit").count() == 2).then_some(())
        });
    });
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(trickler);
    ann.expect_silence();
}

#[test]
fn in_a_full_lobby_a_newcomer_waits_for_nobody_and_the_crowd_makes_the_room() {
    let server = Server::with(&["--address", "::"]);
    let mut alone = server.connect_from_elsewhere();
    let mut crowd: Vec<Peer> = (0..511).map(|_| server.connect()).collect();
    let mut ann = server.cap("ann");
    crowd[0].expect_end();
    server.wait_for_log("others wait for its place");
    // Only as many had to go as were in the way, and nobody who came from elsewhere.
    for (name, stranger) in [("alone", &mut alone), ("bob", &mut crowd[510])] {
        stranger.ask(&format!("HELLO-FROM {name}"), &format!("HELLO {name}"));
    }
    ann.ask("LIST", "LIST-OK echobot,ann,alone,bob");
}

/// A server that may open few files.
fn with_open_files(count: usize) -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {count}; exec \"$0\" --port 0")]).arg(cargo_bin!("server"));
    Server::from(command)
}

#[test]
fn connections_past_what_the_machine_bears_are_refused_and_the_others_go_on() {
    let server = with_open_files(64);
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
fn where_nobody_could_connect_it_does_not_start() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 17; exec \"$0\" --port 0"]).arg(cargo_bin!("server"));
    let output = command.output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("no room for a connection: raise 'ulimit -n'"), "{error}");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

#[test]
fn strangers_cannot_take_the_places_of_those_who_log_in() {
    let server = with_open_files(64);
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
