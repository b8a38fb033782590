//! The server's good-bye.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use parley::signals::Signal;

use crate::support::{Client, HalfClosed, Peer, Server, send_signal, wait_for};

#[test]
fn h8_each_dialect_hears_its_good_bye() {
    for signal in ["INT", "TERM"] {
        let mut server = Server::start();
        let (mut cap, mut wac, mut chat) = (server.cap("cap"), server.wac("wac"), server.chat("chat"));
        server.signal(signal);
        chat.expect("DISCONNECT CHAT/1.0");
        wac.expect("The server is shutting down.");
        for peer in [&mut cap, &mut wac, &mut chat] {
            peer.expect_end();
        }
        drop((cap, wac, chat));
        server.expect_exit(0);
    }
}

#[test]
fn w8_whoever_has_spoken_wac_hears_the_good_bye_without_a_login_too() {
    let mut server = Server::start();
    let (mut wac, mut silent, mut chat) = (server.connect(), server.connect(), server.connect());
    wac.ask("WHO", "Online: echobot");
    chat.ask("LIN a,b", "Cannot log in as a,b: that name is malformed (use letters, digits, '_', '-' and '.').");
    server.signal("TERM");
    for peer in [&mut wac, &mut chat] {
        peer.expect("The server is shutting down.");
        peer.expect_end();
    }
    silent.expect_end();
    drop((wac, silent, chat));
    server.expect_exit(0);
}

#[test]
fn every_client_that_was_logged_in_is_logged_as_gone() {
    let mut server = Server::start();
    let ann = server.cap("ann");
    server.signal("TERM");
    // It does not hang up before the server is gone.
    server.expect_exit(0);
    drop(ann);
    assert!(server.log().contains("shutting down with 1 online\n"), "{}", server.log());
    assert!(server.log().contains("ann left: shutdown\n"), "{}", server.log());
    assert!(!server.log().contains("ann did not take its last lines"), "{}", server.log());

    let mut server = Server::start();
    let peers: Vec<Peer> = (0..20).map(|number| server.chat(&format!("c{number}"))).collect();
    server.signal("TERM");
    server.expect_exit(0);
    drop(peers);
    assert!(server.log().contains("shutting down with 20 online\n"), "{}", server.log());
    assert_eq!(server.log().matches(" left: shutdown").count(), 20, "{}", server.log());
}

#[test]
fn a_hang_up_ends_it_in_good_order_unless_nohup_has_started_it() {
    let mut server = Server::start();
    let mut wac = server.wac("wac");
    if Signal::HangUp.is_ignored() {
        return;
    }
    server.signal("HUP");
    wac.expect("The server is shutting down.");
    wac.expect_end();
    drop(wac);
    server.expect_exit(0);

    let mut command = Command::new("nohup");
    command.arg(cargo_bin!("server")).args(["--port", "0"]);
    let mut server = Server::from(command);
    let mut ann = server.cap("ann");
    server.signal("HUP");
    ann.expect_silence();
    server.signal("TERM");
    drop(ann);
    server.expect_exit(0);
}

#[test]
fn signals_that_mean_nothing_to_it_do_not_end_it() {
    let mut server = Server::start();
    let mut wac = server.wac("wac");
    for signal in ["USR2", "ALRM"] {
        server.signal(signal);
    }
    server.wait_for_log("alarm means nothing here");
    wac.ask("WHO", "Online: echobot, wac");
    server.signal("TERM");
    wac.expect("The server is shutting down.");
    drop(wac);
    server.expect_exit(0);
}

#[test]
fn a_standard_output_that_nobody_reads_holds_no_signal_up() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    drop(taken);
    let mut command = Command::new("sh");
    // As much as a pipe holds.
    command.args(["-c", &format!("head -c 65536 /dev/zero; exec \"$0\" --port {port}")]).arg(cargo_bin!("server"));
    let mut server =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let stream = wait_for("the server to listen", || TcpStream::connect(("127.0.0.1", port)).ok());
    let mut ann = Peer::new(stream);
    ann.ask("HELLO-FROM ann", "HELLO ann");
    send_signal("TERM", server.id());
    ann.expect_end();
    drop(ann);
    let ended = wait_for("the server's end", || server.try_wait().expect("it can be asked"));
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn with_a_hundred_clients_of_which_five_do_not_read_it_ends_and_owes_nobody_anything() {
    const CLIENTS: usize = 100;
    const DEAF: usize = 5;
    // They do not count as slow before the test is over.
    let mut server = Server::with(&["--slow-timeout", "600"]);
    let deaf: Vec<Peer> = (0..DEAF).map(|number| server.chat(&format!("deaf{number}"))).collect();
    let mut others: Vec<Peer> = (DEAF..CLIENTS).map(|number| server.chat(&format!("c{number}"))).collect();
    let mut sender = server.wac("sender");
    // More than the kernel takes for them, so that the server has lines left for them.
    let text = "x".repeat(500_000);
    for number in 0..DEAF {
        for _ in 0..11 {
            sender.send_line(&format!("W deaf{number} {text}"));
        }
    }
    sender.send_line("MSG the last message");
    sender.ask("WHO", &format!("Online: echobot, {}, sender", names(CLIENTS, DEAF)));
    server.signal("TERM");
    for peer in &mut others {
        peer.expect("@sender: the last message");
        peer.expect("DISCONNECT CHAT/1.0");
        peer.expect_end();
    }
    sender.expect("The server is shutting down.");
    sender.expect_end();
    drop((others, sender));
    server.expect_exit(0);
    assert_eq!(server.log().matches(" did not take its last lines").count(), DEAF, "{}", server.log());
    drop(deaf);
}

fn names(clients: usize, deaf: usize) -> String {
    let names =
        (0..deaf).map(|number| format!("deaf{number}")).chain((deaf..clients).map(|number| format!("c{number}")));
    names.collect::<Vec<_>>().join(", ")
}

#[test]
fn g9_a_half_closed_client_is_waited_for() {
    unless_too_busy(|| {
        let mut server = Server::with(&["--max-backlog", "67108864"]);
        let half_closed = HalfClosed::owed_more_than_the_kernel_takes(&server);
        server.signal("TERM");
        let heard = half_closed.hears_all_of_it();
        server.expect_exit(0);
        heard.is_ok()
    });
}

/// Tries what has its time while the server ends, three times: the server gives up what takes too long on a busy machine.
#[track_caller]
fn unless_too_busy(mut succeeds: impl FnMut() -> bool) {
    assert!((0..3).any(|_| succeeds()));
}

#[test]
fn one_full_recipient_costs_the_others_nothing_that_was_accepted() {
    for half_closes in [false, true] {
        unless_too_busy(|| all_that_was_accepted_is_delivered_past_a_full_recipient(half_closes));
    }
}

fn all_that_was_accepted_is_delivered_past_a_full_recipient(half_closes: bool) -> bool {
    let mut server = Server::with(&["--slow-timeout", "600"]);
    let deaf = server.chat("deaf");
    let mut listener = server.chat("listener");
    let mut sender = server.wac("sender");
    let text = "x".repeat(500_000);
    let script: String = (0..30).map(|number| format!("MSG {number} {text}\n")).collect();
    let mut voice = sender.stream.try_clone().expect("a socket");
    std::thread::scope(|scope| {
        scope.spawn(move || voice.write_all(script.as_bytes()));
        // The sender's pass waits for the one who does not read, whose backlog is full.
        let mut heard = 0;
        while heard < 5 {
            assert!(listener.recv_line().expect("a message").starts_with(format!("@sender: {heard} ").as_bytes()));
            heard += 1;
        }
        server.wait_until_asleep();
        if half_closes {
            deaf.finish();
            server.wait_for_log("deaf left");
        }
        server.signal("TERM");
        loop {
            let line = listener.recv_line().expect("a message or the good-bye");
            if line == b"DISCONNECT CHAT/1.0" {
                break;
            }
            assert!(line.starts_with(format!("@sender: {heard} ").as_bytes()));
            heard += 1;
        }
        listener.expect_end();
        // Messages that came before the good-bye are all that were accepted; none comes after it, and the sender has
        // not been told of any that was lost.
        sender.expect("The server is shutting down.");
        sender.expect_end();
        let _ = sender.stream.shutdown(std::net::Shutdown::Both);
        drop(listener);
    });
    server.expect_exit(0);
    drop(deaf);
    !server.log().contains("not everything")
}

#[test]
fn g10_whoever_talks_on_hears_the_good_bye_all_the_same() {
    for _ in 0..20 {
        let mut server = Server::start();
        let mut listener = server.chat("listener");
        let mut talker = server.chat("talker");
        let mut voice = talker.stream.try_clone().expect("a socket");
        std::thread::scope(|scope| {
            scope.spawn(move || while voice.write_all(b"@talker: and another thing\n").is_ok() {});
            listener.expect("@talker: and another thing");
            server.signal("INT");
            while listener.recv_line().expect("a good-bye") != b"DISCONNECT CHAT/1.0" {}
            listener.expect_end();
            drop(listener);
            talker.expect("DISCONNECT CHAT/1.0");
            talker.expect_end();
            let _ = talker.stream.shutdown(std::net::Shutdown::Both);
        });
        server.expect_exit(0);
    }
}

#[test]
fn a_second_signal_ends_it_at_once_with_status_1() {
    let mut server = Server::with(&["--slow-timeout", "600"]);
    let deaf = a_client_that_is_owed_something(&server);
    // Both are there before it can end by the first one alone.
    for signal in ["STOP", "INT", "TERM", "CONT"] {
        server.signal(signal);
    }
    server.expect_exit(1);
    assert!(!server.log().contains("did not take its last lines"), "{}", server.log());
    drop(deaf);
}

#[test]
fn newcomers_are_turned_away_and_strangers_do_not_hold_it_up() {
    let mut server = Server::with(&["--log-level", "debug", "--slow-timeout", "600"]);
    let stranger = server.connect();
    let deaf = a_client_that_is_owed_something(&server);
    server.signal("TERM");
    // As long as it waits for the one who does not read.
    server.wait_for_log("shutting down with");
    let known = server.log().matches(" connected").count();
    let newcomers: Vec<TcpStream> =
        (0..10).map_while(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, server.address.port())).ok()).collect();
    for mut newcomer in &newcomers {
        assert!(matches!(newcomer.read(&mut [0]), Ok(0) | Err(_)));
    }
    server.expect_exit(0);
    assert_eq!(server.log().matches(" connected").count(), known, "{}", server.log());
    drop((stranger, deaf));
}

/// Somebody who does not read what there is.
fn a_client_that_is_owed_something(server: &Server) -> Peer {
    let deaf = server.cap("deaf");
    let mut sender = server.wac("sender");
    for _ in 0..11 {
        sender.send_line(&format!("W deaf {}", "x".repeat(500_000)));
    }
    sender.ask("WHO", "Online: echobot, deaf, sender");
    deaf
}

#[test]
fn h15_ctrl_c_on_the_server_ends_all_clients_by_themselves() {
    let mut server = Server::start();
    let port = server.port();
    let mut cap = Client::logged_in(&port, "cap");
    let mut wac = Client::with(&port, &["--protocol", "wac", "--name", "wac"]);
    wac.expect("Welcome, wac.");
    let mut chat = Client::with(&port, &["--protocol", "chat", "--name", "chat"]);
    for line in
        ["Connecting to server ...", "Connection to server established. Sending intro message...", "", REGISTERED]
    {
        chat.expect(line);
    }
    server.signal("INT");
    server.expect_exit(0);
    cap.expect_error("The connection to 127.0.0.1 port");
    cap.expect_exit(1);
    wac.expect("The server is shutting down.");
    wac.expect_exit(0);
    chat.expect("Disconnected from server ... exiting!");
    chat.expect_exit(0);
}

const REGISTERED: &str = "Registration successful.  Ready for messaging!";

#[test]
fn c8_a_message_that_was_acknowledged_arrives_although_the_server_ends_at_once() {
    for number in 0..20 {
        let mut server = Server::start();
        let mut ann = server.cap("ann");
        ann.ask(&format!("SEND echobot {number}"), "SEND-OK");
        server.signal("TERM");
        ann.expect(&format!("DELIVERY echobot {number}"));
        ann.expect_end();
        drop(ann);
        server.expect_exit(0);
    }
}
