//! The WAC client (W12 to W14).

use std::time::{Duration, Instant};

use super::support::{Client, FakeServer, Peer, Server, client_program};

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
    for typed in ["", "   ", "@bob", "@bob  "] {
        client.type_line(typed);
    }
    client.type_line("fence");
    peer.expect("MSG fence");
}

#[test]
fn w13_quit_leaves_at_once_even_if_the_server_says_nothing() {
    for word in ["quit", "!quit", " quit "] {
        let (_server, mut peer, mut client) = with_fake_server();
        let begun = Instant::now();
        client.type_line("the last words");
        client.type_line(word);
        client.expect_exit(0);
        assert!(begun.elapsed() < Duration::from_secs(5));
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
fn w12_a_refused_login_is_told_and_is_status_1() {
    let server = Server::with(&["--max-clients", "1"]);
    let _ann = server.cap("ann");
    for (name, line) in [
        ("ann", "Cannot log in as ann: that name is already in use."),
        ("a,b", "Cannot log in as a,b: that name is malformed (use letters, digits, '_', '-' and '.')."),
        ("bob", "Cannot log in: the server is full."),
    ] {
        let mut client = Client::with(&server.port(), &["--protocol", "wac", "--name", name]);
        client.expect(line);
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
