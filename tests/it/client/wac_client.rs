//! The WAC client (W12 to W14).

use std::io::Read;

use crate::support::{Client, FakeServer, Peer, Server, Terminal, client_program};

/// A client named ann, connected to a fake server that has heard its login.
fn with_fake_server() -> (FakeServer, Peer, Client) {
    let server = FakeServer::start();
    let client = Client::with(&server.port(), &["--protocol", "wac", "--name", "ann"]);
    let mut peer = server.accept();
    peer.expect("LIN ann");
    (server, peer, client)
}

#[test]
fn w12_it_logs_in_by_itself_with_one_name() {
    let server = FakeServer::start();
    for (user, options, expected) in [
        (Some("eve"), &["--name", "ann"][..], "LIN ann"),
        (Some("eve"), &[], "LIN eve"),
        (Some(""), &[], "LIN guest"),
        (None, &[], "LIN guest"),
    ] {
        let mut command = client_program();
        command.args(["--port", &server.port(), "--protocol", "wac"]).args(options).env_remove("USER");
        if let Some(user) = user {
            command.env("USER", user);
        }
        let _client = Client::from(command);
        server.accept().expect(expected);
    }
}

#[test]
fn w13_what_is_typed_goes_to_all_and_commands_do_what_they_say() {
    let (_server, mut peer, mut client) = with_fake_server();
    for (typed, sent) in [
        ("hello, all", "MSG hello, all"),
        (" two  blanks ", "MSG  two  blanks "),
        ("quit it", "MSG quit it"),
        ("!sec", "SEC"),
        ("!sec", "SEC"),
        ("!who", "WHO"),
        ("@bob psst", "W bob psst"),
        ("@bob  two  blanks ", "W bob  two  blanks "),
    ] {
        client.type_line(typed);
        peer.expect(sent);
    }
    for typed in ["", "   "] {
        client.type_line(typed);
    }
    // What is no whisper is text.
    for typed in ["@bob", "@a,b hi", "!hello", "/me waves"] {
        client.type_line(typed);
        peer.expect(&format!("MSG {typed}"));
    }
}

#[test]
fn w13_quit_leaves_at_once_even_if_the_server_says_nothing() {
    for word in ["quit", "!quit", " quit "] {
        let (_server, mut peer, mut client) = with_fake_server();
        client.type_line("the last words");
        client.type_line(word);
        client.expect_exit(0);
        peer.expect("MSG the last words");
        peer.expect_end();
    }
}

#[test]
fn w6_w14_every_line_of_the_server_is_shown_in_full() {
    let (_server, mut peer, mut client) = with_fake_server();
    let long = "x".repeat(100_000);
    for line in ["Welcome, ann.", "", "  indented", "bob: hi", "BAD-RQST-HDR", "é 漢 🙂", &long] {
        peer.send_line(line);
        client.expect(line);
    }
    peer.send(b"bob: \x1b[2J\n");
    client.expect("bob: \u{fffd}[2J");
}

#[test]
fn k3_a_script_through_a_pipe_sends_everything_and_shows_what_comes() {
    let server = Server::with(&["--secret", "xyzzy"]);
    let mut bob = server.cap("bob");
    let mut client = Client::with(&server.port(), &["--protocol", "wac", "--name", "ann"]);
    for line in ["hello", "@bob psst", "!who", "!sec"] {
        client.type_line(line);
    }
    client.end_input();
    for line in ["Welcome, ann.", "Online: echobot, bob, ann", "The secret is: xyzzy"] {
        client.expect(line);
    }
    client.expect_exit(0);
    bob.expect("DELIVERY ann hello");
    bob.expect("DELIVERY ann psst");
}

#[test]
fn k6_w12_a_refused_login_is_told_on_standard_error_and_is_status_1() {
    let server = Server::with(&["--max-clients", "1"]);
    let _ann = server.cap("ann");
    for (name, line) in [
        ("ann", "Cannot log in as ann: that name is already in use."),
        ("a,b", "Cannot log in as a,b: that name is malformed (use letters, digits, '_', '-' and '.')."),
        ("bob", "Cannot log in: the server is full."),
    ] {
        let mut client = Client::with(&server.port(), &["--protocol", "wac", "--name", name]);
        client.expect_error(line);
        client.expect_exit(1);
    }
}

#[test]
fn k6_ctrl_c_is_status_130_and_a_lost_server_status_1() {
    let server = Server::start();
    let mut client = Client::with(&server.port(), &["--protocol", "wac", "--name", "ann"]);
    client.expect("Welcome, ann.");
    client.signal("INT");
    client.expect_exit(130);

    let (_server, peer, mut client) = with_fake_server();
    drop(peer);
    client.expect_error("The connection to 127.0.0.1 port");
    client.expect_exit(1);
}

/// A client named ann on a terminal, logged in, and somebody who hears what goes to everybody.
fn at_a_terminal(server: &Server, protocol: &str, welcome: &str) -> (Terminal, Peer) {
    let bob = server.wac("bob");
    let mut ann = Terminal::with(100, 24, &format!("--port {} --protocol {protocol} --name ann", server.port()));
    ann.waits_for(welcome);
    (ann, bob)
}

#[test]
fn w13_at_a_keyboard_a_slip_stays_in_the_editor_and_a_second_enter_sends_it() {
    for (protocol, welcome) in [("wac", "Welcome, ann."), ("chat", "Ready for messaging!")] {
        let server = Server::start();
        let (mut ann, mut bob) = at_a_terminal(&server, protocol, welcome);
        ann.meets_a_person();
        ann.types("!hlep\r");
        ann.waits_for("No such command: !hlep. Did you mean !help? Enter sends it as it is.");
        ann.shows("the line only below the hint", |screen| {
            screen.ends_with("!hlep") && screen.lines().filter(|line| line.ends_with("!hlep")).count() == 1
        });
        ann.types("\r");
        bob.expect("ann: !hlep");
        ann.types("/usr/bin/env\r");
        bob.expect("ann: /usr/bin/env");
        ann.types("/help\r");
        ann.waits_for("MESSAGE");
        ann.types("/quit\r");
        ann.ends(0);
    }
}

#[test]
fn w13_from_a_pipe_what_is_no_command_is_sent() {
    for (protocol, welcome) in [("wac", "Welcome, ann."), ("chat", "Registration successful.  Ready for messaging!")] {
        let server = Server::start();
        let mut bob = server.wac("bob");
        let mut ann = Client::with(&server.port(), &["--protocol", protocol, "--name", "ann"]);
        ann.expect_eventually(welcome);
        for (line, text) in [("!whp", "!whp"), ("/usr/bin", "/usr/bin"), ("!say hi", "!say hi")] {
            ann.type_line(line);
            bob.expect(&format!("ann: {text}"));
        }
        ann.type_line("/quit");
        ann.expect_status(0);
    }
}

#[test]
fn w13_the_lines_of_a_paste_are_no_commands() {
    let server = Server::start();
    let (mut ann, mut bob) = at_a_terminal(&server, "wac", "Welcome, ann.");
    ann.types("\x1b[200~How to leave ftp:\nquit\n!who\n!quit\n/quit\x1b[201~\n");
    for line in ["How to leave ftp:", "quit", "!who", "!quit", "/quit"] {
        bob.expect(&format!("ann: {line}"));
    }
    ann.types("fence\n");
    bob.expect("ann: fence");
}

#[test]
fn w12_a_name_that_nobody_asked_for_gets_a_number_when_it_is_taken() {
    let server = Server::start();
    let _others = [server.cap("sa_m"), server.wac("sa_m2")];
    let mut bob = server.cap("bob");
    let mut command = client_program();
    command.args(["--port", &server.port(), "--protocol", "wac"]).env("USER", "sa m");
    let mut client = Client::from(command);
    client.type_line("hello");
    for line in [
        "Cannot log in as sa_m: that name is already in use.",
        "Cannot log in as sa_m2: that name is already in use.",
        "Welcome, sa_m3.",
    ] {
        client.expect(line);
    }
    bob.expect("DELIVERY sa_m3 hello");
}

#[test]
fn w14_a_server_that_says_nothing_at_all_is_told_of() {
    let server = FakeServer::start();
    let mut ann = Terminal::with(80, 24, &format!("--port {} --protocol wac --name ann", server.port()));
    let mut peer = server.accept();
    peer.expect("LIN ann");
    ann.waits_for("yet. It is waited for; !quit leaves.");
    ann.types("hello\n");
    peer.expect("MSG hello");
    ann.types("!quit\n");
    ann.ends(0);

    let (_server, mut peer, mut client) = with_fake_server();
    client.type_line("hello");
    client.end_input();
    peer.expect("MSG hello");
    client.expect_exit(1);
    assert!(client.errors_so_far().starts_with("No answer from 127.0.0.1 port"), "{}", client.errors_so_far());
}

#[test]
fn w14_texts_that_read_like_the_server_s_words_change_nothing() {
    let (_server, mut peer, mut client) = with_fake_server();
    peer.send_line("Hello!");
    for line in ["Cannot log in as ann: that name is already in use.", "Cannot log in: the server is full."] {
        peer.send_line(line);
    }
    peer.send_line("fence");
    client.expect_eventually("fence");
    client.type_line("hi");
    peer.expect("MSG hi");
}

#[test]
fn k3_k6_a_server_that_closes_without_taking_everything_is_status_1() {
    let (_server, mut peer, mut client) = with_fake_server();
    client.type_line(&"x".repeat(7 << 20));
    client.end_input();
    peer.stream.read_exact(&mut [0; 10]).expect("the beginning of it");
    peer.finish();
    client.expect_error("was lost: the server closed it and has not taken everything.");
    client.expect_error("One line was not sent: xxx");
    client.expect_exit(1);
}
