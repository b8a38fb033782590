//! The CHAT/1.0 client (H12 to H15).

use std::net::TcpListener;

use crate::support::{Client, FakeServer, Peer, Server, Terminal, client_program, ending_signals};

const SCREEN: [&str; 3] =
    ["Connecting to server ...", "Connection to server established. Sending intro message...", ""];
const REGISTERED: &str = "Registration successful.  Ready for messaging!";
const DISCONNECTED: &str = "Disconnected from server ... exiting!";

fn alice(port: &str) -> Client {
    let mut command = client_program();
    command.args(["alice", &format!("chat://127.0.0.1:{port}")]);
    Client::from(command)
}

/// Alice, registered with a fake server that says so in its own words.
fn with_fake_server() -> (FakeServer, Peer, Client) {
    let server = FakeServer::start();
    let mut client = alice(&server.port());
    let mut peer = server.accept();
    peer.ask_back("REGISTER alice CHAT/1.0", "200 Registration succesful");
    for line in SCREEN.into_iter().chain([REGISTERED]) {
        client.expect(line);
    }
    (server, peer, client)
}

#[test]
fn h12_the_screen_and_the_lines_that_go_out() {
    let (_server, mut peer, mut client) = with_fake_server();
    for text in ["hello", " two  blanks ", "@bob, hello", "DISCONNECT alice CHAT/1.0"] {
        client.type_line(text);
        peer.expect(&format!("@alice: {text}"));
    }
    for line in ["@bob: hi", "@bob whispers: psst", "200 whatever"] {
        peer.send_line(line);
        client.expect(line);
    }
    client.type_line("");
    client.type_line("fence");
    peer.expect("@alice: fence");
}

#[test]
fn h12_the_options_are_the_same_as_the_address() {
    let server = Server::start();
    let mut client = Client::with(&server.port(), &["--protocol", "chat", "--name", "alice"]);
    for line in SCREEN.into_iter().chain([REGISTERED]) {
        client.expect(line);
    }
}

#[test]
fn h13_a_malformed_address_is_status_2_and_nobody_listening_status_1() {
    let mut command = client_program();
    command.args(["alice", "localhost:5378"]);
    let mut client = Client::from(command);
    client.expect_exit(2);
    let words = "Error:  Invalid server.  Enter a URL of the form:  chat://host:port\n";
    assert_eq!(client.errors_so_far(), words);

    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("bound").port().to_string()
    };
    let mut client = alice(&port);
    client.expect("Connecting to server ...");
    client.expect_exit(1);
    assert_eq!(client.errors_so_far(), "Error:  That host or port is not accepting connections.\n");
}

#[test]
fn h13_a_refusal_is_shown_in_the_server_s_words_with_status_1() {
    let server = Server::with(&["--max-clients", "1"]);
    let _alice = server.cap("alice");
    let mut client = alice(&server.port());
    SCREEN.iter().for_each(|line| client.expect(line));
    client.expect_exit(1);
    assert_eq!(client.errors_so_far(), "401 Client already registered\n");

    for line in ["400 Invalid registration", "503 Server full", "500 whatever"] {
        let server = FakeServer::start();
        let mut client = alice(&server.port());
        server.accept().ask_back("REGISTER alice CHAT/1.0", line);
        SCREEN.iter().for_each(|line| client.expect(line));
        client.expect_exit(1);
        assert_eq!(client.errors_so_far(), format!("{line}\n"));
    }
}

#[test]
fn h14_a_signal_sends_the_good_bye_and_says_so() {
    for (signal, status) in ending_signals() {
        let (_server, mut peer, mut client) = with_fake_server();
        client.signal(signal);
        peer.expect("DISCONNECT alice CHAT/1.0");
        peer.expect_end();
        client.expect("Interrupt received, shutting down ...");
        client.expect_exit(status);
    }
}

#[test]
fn h14_quit_and_the_end_of_input_send_the_good_bye() {
    for quit in [true, false] {
        let (_server, mut peer, mut client) = with_fake_server();
        client.type_line("the last words");
        if quit {
            client.type_line("!quit");
        } else {
            client.end_input();
        }
        peer.expect("@alice: the last words");
        peer.expect("DISCONNECT alice CHAT/1.0");
        peer.expect_end();
        drop(peer);
        client.expect_exit(0);
    }
}

#[test]
fn k3_what_comes_through_a_pipe_before_the_registration_is_sent_after_it() {
    let server = Server::start();
    let mut bob = server.chat("bob");
    for last in ["", "!quit\n"] {
        let mut client = alice(&server.port());
        client.type_bytes(format!("one\ntwo\n{last}").as_bytes());
        client.end_input();
        bob.expect("@alice: one");
        bob.expect("@alice: two");
        for line in SCREEN.into_iter().chain([REGISTERED]) {
            client.expect(line);
        }
        client.expect_exit(0);
        server.wait_for_log("alice left: quit");
    }
}

#[test]
fn h15_it_ends_by_itself_when_the_server_says_good_bye_or_is_gone() {
    let (_server, mut peer, mut client) = with_fake_server();
    peer.send_line("DISCONNECT CHAT/1.0");
    client.expect(DISCONNECTED);
    client.expect_exit(0);

    let (_server, peer, mut client) = with_fake_server();
    drop(peer);
    client.expect(DISCONNECTED);
    client.expect_exit(1);
}

#[test]
fn w13_h12_at_a_keyboard_what_looks_private_is_held_as_everybody_would_read_it() {
    let server = Server::start();
    let mut bob = server.wac("bob");
    let mut alice = Terminal::with(100, 24, &format!("--port {} --protocol chat --name alice", server.port()));
    alice.waits_for("Ready for messaging!");
    alice.meets_a_person();
    alice.types("@bob hunter2\r");
    alice.waits_for("CHAT/1.0 has no private messages: everybody would read this. Enter sends it as it is.");
    alice.types("\x15@carol, hi\r");
    bob.expect("alice: @carol, hi");
    alice.types("@bob hunter2\r");
    alice.waits_for("Enter sends it as it is.");
    alice.types("\r");
    bob.expect("alice: @bob hunter2");
}

#[test]
fn h15_at_a_keyboard_it_ends_with_its_server_too() {
    let server = FakeServer::start();
    let mut alice = Terminal::with(100, 24, &format!("--port {} --protocol chat --name alice", server.port()));
    let mut peer = server.accept();
    peer.ask_back("REGISTER alice CHAT/1.0", "200 Registration successful");
    alice.waits_for("Ready for messaging!");
    alice.meets_a_person();
    peer.send_line("DISCONNECT CHAT/1.0");
    alice.waits_for("Disconnected from server ... exiting!");
    alice.ends(0);
}
