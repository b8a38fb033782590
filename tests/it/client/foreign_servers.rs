//! Servers that others wrote by the words of the assignments alone, with our client (G14).

use crate::support::{Client, FakeServer, Peer};

/// A client that speaks this protocol, and the server's end of its connection.
fn client(options: &[&str]) -> (FakeServer, Peer, Client) {
    let server = FakeServer::start();
    let client = Client::with(&server.port(), options);
    let peer = server.accept();
    (server, peer, client)
}

#[test]
fn g14_a_chat1_server_without_line_feeds_is_understood() {
    let (_server, mut peer, mut client) = client(&["--protocol", "chat", "--name", "ann"]);
    peer.expect("REGISTER ann CHAT/1.0");
    peer.send(b"200 Registration succesful");
    client.expect_eventually("Registration successful.  Ready for messaging!");
    client.type_line("hello");
    peer.expect("@ann: hello");
    peer.send(b"@bob: hi");
    client.expect("@bob: hi");
    peer.send(b"DISCONNECT CHAT/1.0");
    drop(peer);
    client.expect("Disconnected from server ... exiting!");
    client.expect_exit(0);
}

#[test]
fn g14_a_wac_server_without_line_feeds_is_understood() {
    let (_server, mut peer, mut client) = client(&["--protocol", "wac", "--name", "ann"]);
    peer.expect("LIN ann");
    peer.send(b"Hello ann");
    client.expect("Hello ann");
    peer.send(b"bob says hi");
    client.expect("bob says hi");
    client.type_line("hi bob");
    peer.expect("MSG hi bob");
    peer.send(b"half a goodb");
    peer.finish();
    client.expect("half a goodb");
    drop(peer);
    client.expect_exit(1);
}

#[test]
fn g14_after_the_first_line_feed_only_a_line_feed_ends_a_line() {
    let (_server, mut peer, mut client) = client(&["--protocol", "wac", "--name", "ann"]);
    peer.expect("LIN ann");
    peer.send(b"one\ntwo and ");
    client.expect("one");
    // A server without line feeds is understood after that silence, so it is over for this one too.
    let (_other, mut other, mut witness) = self::client(&["--protocol", "wac", "--name", "bob"]);
    other.send(b"silence");
    witness.expect("silence");
    peer.send(b"a half\n");
    client.expect("two and a half");
}

#[test]
fn g14_rt3_in_cap_a_whole_word_at_the_end_counts_and_nothing_else_does() {
    let (_server, mut peer, mut client) = client(&["--name", "ann"]);
    peer.expect("HELLO-FROM ann");
    peer.send(b"HELLO ann\nDELIVERY bob whole\nDELIVERY bob half");
    peer.finish();
    client.expect_eventually("From bob: whole");
    client.expect_exit(1);
    assert!(!client.output_so_far().contains("half"));

    let server = FakeServer::start();
    let mut client = Client::start(&server.port());
    let mut peer = server.accept();
    client.expect("Welcome to Chat Client. Enter your login:");
    client.type_line("ann");
    peer.expect("HELLO-FROM ann");
    peer.send(b"IN-USE");
    drop(peer);
    client.expect("Cannot log in as ann. That username is already in use.");
    client.expect("Enter your login:");
}

#[test]
fn ri11_a_list_with_blanks_is_a_list_and_empty_lines_are_nothing() {
    let (_server, mut peer, mut client) = client(&["--name", "ann"]);
    peer.expect("HELLO-FROM ann");
    peer.send(b"\r\nHELLO ann\r\n\r\n");
    client.expect_eventually("Successfully logged in as ann!");
    for list in ["LIST-OK ann, bob\r\n", "LIST-OK  ann bob\r\n", "\nLIST-OK ann ,bob,\r\n"] {
        client.type_line("!who");
        peer.expect("LIST");
        peer.send(list.as_bytes());
        for line in ["There are 2 online users:", "- ann", "- bob"] {
            client.expect(line);
        }
    }
    assert_eq!(client.errors_so_far(), "");
}

#[test]
fn h13_a_name_that_does_not_resolve_is_called_that() {
    let mut client = Client::with("1", &["--protocol", "chat", "--name", "ann", "--address", "no.such.name.invalid"]);
    client.expect("Connecting to server ...");
    client.expect_error("no.such.name.invalid");
    client.expect_exit(1);
    assert!(!client.errors_so_far().contains("os error") && !client.errors_so_far().contains("not accepting"));
}

#[test]
fn g1_servers_that_end_lines_by_cr_lf_are_understood_in_each_protocol() {
    for (protocol, login, answer, typed, sent, message, shown) in [
        ("cap", "HELLO-FROM ann", "HELLO ann", "@bob hi", "SEND bob hi", "DELIVERY bob hello", "From bob: hello"),
        ("wac", "LIN ann", "Hi, ann!", "hi", "MSG hi", "bob: hello", "bob: hello"),
        ("chat", "REGISTER ann CHAT/1.0", "200 OK", "hi", "@ann: hi", "@bob: hello", "@bob: hello"),
    ] {
        let (_server, mut peer, mut client) = client(&["--protocol", protocol, "--name", "ann"]);
        peer.expect(login);
        peer.send(format!("{answer}\r\n{message}\r\n").as_bytes());
        client.expect_eventually(shown);
        client.type_line(typed);
        peer.expect(sent);
        client.type_line("!quit");
        if protocol == "chat" {
            peer.expect("DISCONNECT ann CHAT/1.0");
        }
        peer.expect_end();
        drop(peer);
        client.expect_status(0);
    }
}

#[test]
fn g14_text_that_the_network_cuts_into_pieces_is_one_line() {
    for attempt in 0.. {
        let (_server, mut peer, mut client) = client(&["--protocol", "wac", "--name", "ann"]);
        peer.expect("LIN ann");
        let in_time = peer.send_slowly(b"bob: hello");
        peer.finish();
        if in_time {
            client.expect("bob: hello");
        }
        // A machine that is too busy for it proves nothing else.
        if in_time || attempt == 10 {
            break;
        }
    }
}
