//! `--reconnect`: a server that goes away and comes back.

use std::io::Read;

use crate::support::{Client, FakeServer, Server, wait_for};

const PROTOCOLS: [(&str, &str, &str); 3] = [
    ("cap", "@bob hello", "Successfully logged in as ann!"),
    ("wac", "@bob hello", "Welcome, ann."),
    ("chat", "hello", "Registration successful.  Ready for messaging!"),
];

#[test]
fn the_client_comes_back_with_its_name_and_what_was_typed_meanwhile() {
    for (protocol, line, welcome) in PROTOCOLS {
        for with_good_bye in [false, true] {
            let mut server = Server::start();
            let port = server.port();
            let mut ann = Client::with(&port, &["--protocol", protocol, "--name", "ann", "--reconnect"]);
            ann.expect_eventually(welcome);
            if with_good_bye {
                server.signal("TERM");
                server.expect_exit(0);
            } else {
                server.kill();
            }
            ann.expect_error("was lost: the server closed it; trying again in 1 s.");
            ann.type_line(line);
            // Bob is there before ann comes back.
            ann.signal("STOP");
            let server = Server::with(&["--port", &port]);
            let mut bob = server.wac("bob");
            ann.signal("CONT");
            ann.expect_eventually(welcome);
            assert!(matches!(&bob.recv_line().expect("a message")[..], b"ann: hello" | b"ann whispers, \"hello\""));
            ann.type_line("!quit");
            ann.expect_status(0);
        }
    }
}

#[test]
fn a_name_that_is_taken_meanwhile_is_waited_for() {
    for (protocol, _, welcome) in PROTOCOLS {
        let mut server = Server::start();
        let port = server.port();
        let mut ann = Client::with(&port, &["--protocol", protocol, "--name", "ann", "--reconnect"]);
        ann.expect_eventually(welcome);
        let somebody_else = wait_for("somebody who is there first", || {
            server.kill();
            ann.expect_error("trying again in 1 s.");
            server = Server::with(&["--port", &port]);
            server.try_cap("ann")
        });
        ann.expect_error("trying again in 2 s.");
        drop(somebody_else);
        ann.expect_eventually(welcome);
    }
}

#[test]
fn one_can_leave_while_it_is_away() {
    for (protocol, _, welcome) in PROTOCOLS {
        let mut server = Server::start();
        let mut ann = Client::with(&server.port(), &["--protocol", protocol, "--name", "ann", "--reconnect"]);
        ann.expect_eventually(welcome);
        server.kill();
        ann.expect_error("trying again in 1 s.");
        ann.type_line("!quit");
        ann.expect_status(0);
    }
}

#[test]
fn a_server_that_was_never_there_is_reported_at_once() {
    let port = {
        let mut server = Server::start();
        server.kill();
        server.port()
    };
    let mut ann = Client::with(&port, &["--reconnect"]);
    ann.expect("Welcome to Chat Client. Enter your login:");
    ann.expect_exit(1);
}

#[test]
fn k6_what_still_waits_is_told_by_its_text_however_it_ends() {
    for (protocol, line, welcome) in PROTOCOLS {
        let mut server = Server::start();
        let mut ann = Client::with(&server.port(), &["--protocol", protocol, "--name", "ann", "--reconnect"]);
        ann.expect_eventually(welcome);
        server.kill();
        ann.expect_error("trying again in 1 s.");
        ann.type_line(line);
        ann.expect_error("trying again in 2 s.");
        ann.signal("INT");
        ann.expect_status(130);
        assert!(ann.errors_so_far().ends_with(&format!("One line was not sent: {line}\n")), "{}", ann.errors_so_far());
    }
}

#[test]
fn ri9_what_bounces_after_a_reconnect_is_said_by_its_text() {
    let mut server = Server::start();
    let port = server.port();
    let mut ann = Client::with(&port, &["--name", "ann", "--reconnect"]);
    ann.expect_eventually("Successfully logged in as ann!");
    server.kill();
    ann.expect_error("trying again in 1 s.");
    ann.type_line("@bob are you there?");
    let _server = Server::with(&["--port", &port]);
    ann.expect_eventually("The destination user does not exist");
    ann.expect_error("Not delivered: @bob are you there?\n");
}

#[test]
fn k6_what_a_server_did_not_take_is_told_by_its_text_however_it_goes() {
    for (protocol, login, answer) in [("wac", "LIN ann", "Welcome, ann."), ("chat", "REGISTER ann CHAT/1.0", "200 OK")]
    {
        for end in ["close", "reset", "good-bye"] {
            let server = FakeServer::start();
            let options = ["--protocol", protocol, "--name", "ann", "--reconnect"];
            let mut ann = Client::with(&server.port(), &options);
            let mut peer = server.accept();
            peer.ask_back(login, answer);
            // More than the system takes for a server that does not read.
            ann.type_line(&format!("one{}", "x".repeat(7 << 20)));
            peer.stream.read_exact(&mut [0; 10]).expect("the beginning of it");
            match end {
                "close" => peer.finish(),
                "reset" => drop(peer),
                _ if protocol == "chat" => peer.send_line("DISCONNECT CHAT/1.0"),
                _ => continue,
            }
            ann.expect_error("One line was not sent: onexxx");
        }
    }
}
