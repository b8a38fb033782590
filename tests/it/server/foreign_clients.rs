//! Clients that others wrote by the words of the assignments alone, against our server (G12, G13).

use std::io::Read;

use crate::support::Server;

#[test]
fn g13_a_chat1_client_without_line_feeds_registers_talks_and_leaves() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.connect(), server.chat("bob"));
    ann.send(b"REGISTER ann CHAT/1.0");
    ann.expect_bytes(b"200 Registration successful");
    bob.send_line("@bob: hi");
    ann.expect_bytes(b"@bob: hi");
    ann.send(b"@ann: hello");
    bob.expect("@ann: hello");
    ann.send(b"DISCONNECT bob CHAT/1.0");
    ann.expect_bytes(b"400 Invalid request");
    ann.send(b"DISCONNECT ann CHAT/1.0");
    ann.expect_end();
    server.chat("ann");
    let mut refused = server.connect();
    refused.send(b"REGISTER bob CHAT/1.0");
    refused.expect_bytes(b"401 Client already registered");
    refused.expect_end();
}

#[test]
fn g13_a_chat1_client_that_sends_its_first_line_feed_is_answered_with_line_feeds() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.connect(), server.chat("bob"));
    ann.send(b"REGISTER ann CHAT/1.0");
    ann.expect_bytes(b"200 Registration successful");
    ann.send(b"@ann: hello\n");
    bob.expect("@ann: hello");
    bob.send_line("@bob: hi");
    bob.send_line("@bob: all");
    ann.expect("@bob: hi");
    ann.expect("@bob: all");
}

#[test]
fn g13_a_chat1_client_without_line_feeds_gets_each_message_whole_and_in_order() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.connect(), server.chat("bob"));
    ann.send(b"REGISTER ann CHAT/1.0");
    ann.expect_bytes(b"200 Registration successful");
    let texts: Vec<String> = (0..2000).map(|number| format!("@bob: {number}")).collect();
    bob.send((texts.join("\n") + "\n").as_bytes());
    ann.expect_bytes(texts.concat().as_bytes());
}

#[test]
fn g13_a_wac_client_without_line_feeds_logs_in_talks_and_leaves() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.connect(), server.wac("bob"));
    ann.send(b"LIN ann");
    ann.expect("Welcome, ann.");
    ann.send(b"MSG hello");
    bob.expect("ann: hello");
    ann.send(b"W bob psst");
    bob.expect("ann whispers, \"psst\"");
    bob.send_line("MSG hi");
    ann.expect("bob: hi");
    ann.send(b"MSG bye");
    ann.finish();
    bob.expect("ann: bye");
    ann.expect_end();
}

#[test]
fn g13_what_is_left_at_the_end_of_the_stream_is_a_line_but_in_cap() {
    let server = Server::start();
    let (mut ann, mut bob, mut eve) = (server.chat("ann"), server.wac("bob"), server.cap("eve"));
    bob.send(b"MSG one\nMSG two");
    bob.finish();
    ann.expect("@bob: one");
    ann.expect("@bob: two");
    eve.expect("DELIVERY bob one");
    eve.expect("DELIVERY bob two");
    let mut dan = server.connect();
    dan.send(b"HELLO-FROM dan\nSEND eve one\nSEND eve two");
    dan.finish();
    dan.expect("HELLO dan");
    dan.expect("SEND-OK");
    dan.expect_end();
    eve.expect("DELIVERY dan one");
    eve.expect_silence();
    let mut nobody = server.connect();
    nobody.send(b"HELLO-FROM nobody");
    nobody.finish();
    nobody.expect_end();
    ann.send_line("fence");
    eve.expect("DELIVERY ann fence");
}

#[test]
fn g13_text_that_the_network_cuts_into_pieces_is_one_line() {
    let server = Server::start();
    let mut bob = server.wac("bob");
    for attempt in 0.. {
        let mut ann = server.connect();
        let in_time = ann.send_slowly(b"LIN ann");
        ann.finish();
        let welcome = ann.recv_line().expect("an answer");
        if in_time {
            assert_eq!(welcome, b"Welcome, ann.");
        }
        // A machine that is too busy for it proves nothing else.
        if in_time || attempt == 10 {
            break;
        }
    }
    bob.send_line("fence");
    bob.expect("Unknown command. Use LIN, MSG, W, WHO or SEC.");
}

#[test]
fn g13_after_the_first_line_feed_only_a_line_feed_ends_a_line() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.wac("ann"), server.wac("bob"));
    ann.send(b"MSG typed by ");
    // Whoever has never sent an LF is answered after that silence, so it is over for ann too.
    let mut dan = server.connect();
    dan.send(b"LIN dan");
    dan.expect("Welcome, dan.");
    ann.send(b"hand\n");
    bob.expect("ann: typed by hand");
}

#[test]
fn c7_blanks_before_the_name_are_one_and_the_text_is_verbatim() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.connect(), server.cap("bob"));
    ann.ask("HELLO-FROM  ann \t", "HELLO ann");
    for (line, delivery) in
        [("SEND  bob hi", "DELIVERY ann hi"), ("SEND \t bob  two  blanks ", "DELIVERY ann  two  blanks ")]
    {
        ann.ask(line, "SEND-OK");
        bob.expect(delivery);
    }
    server.connect().ask("HELLO-FROM a b", "BAD-RQST-BODY");
}

#[test]
fn c8_g11_an_answer_to_oneself_comes_in_a_write_of_its_own_when_nothing_waits() {
    let server = Server::start();
    let mut ann = server.cap("ann");
    for name in ["echobot", "ann"] {
        // A busy machine may hand both over to one read; without the pause it always does.
        let alone = (0..50).any(|_| {
            ann.send_line(&format!("SEND {name} hi"));
            let mut buffer = [0; 4096];
            let count = ann.stream.read(&mut buffer).expect("an answer");
            let alone = &buffer[..count] == b"SEND-OK\n";
            if alone {
                ann.expect(&format!("DELIVERY {name} hi"));
            }
            alone
        });
        assert!(alone, "{name}");
    }
    ann.send(b"SEND echobot 1\nSEND ann 2\nLIST\nSEND echobot 3\nLIST\n");
    for line in [
        "SEND-OK",
        "DELIVERY echobot 1",
        "SEND-OK",
        "DELIVERY ann 2",
        "LIST-OK echobot,ann",
        "SEND-OK",
        "DELIVERY echobot 3",
        "LIST-OK echobot,ann",
    ] {
        ann.expect(line);
    }
}

#[test]
fn c6_c9_two_revisions_side_by_side() {
    let server = Server::start();
    let mut ann = server.cap("ann");
    for (line, answer) in [
        ("SEND nobody x", "BAD-DEST-USER"),
        ("WHO", "WHO-OK echobot,ann"),
        ("SEND nobody x", "UNKNOWN"),
        ("LIST", "LIST-OK echobot,ann"),
        ("SEND nobody x", "BAD-DEST-USER"),
    ] {
        ann.ask(line, answer);
    }
    ann.send(b"SEND nobody x\nWHO\nSEND nobody x\n");
    for line in ["BAD-DEST-USER", "WHO-OK echobot,ann", "UNKNOWN"] {
        ann.expect(line);
    }
    let first = Server::with(&["--protocol", "cap1"]);
    let mut bob = first.cap("bob");
    bob.ask("SEND nobody x", "UNKNOWN");
    bob.ask("LIST", "LIST-OK echobot,bob");
    bob.ask("SEND nobody x", "BAD-DEST-USER");
    first.connect().ask("LIN eve", "BAD-RQST-HDR");
}

#[test]
fn the_dialect_is_settled_by_the_login_and_not_by_the_first_word() {
    let server = Server::start();
    let mut ann = server.connect();
    ann.ask("WHO", "Online: echobot");
    ann.ask("HELLO-FROM ann", "HELLO ann");
    ann.ask("LIST", "LIST-OK echobot,ann");
    ann.ask("HELLO-FROM bob", "BAD-RQST-HDR");
    ann.ask("LIN bob", "BAD-RQST-HDR");
    let mut bob = server.connect();
    bob.ask("SEC x", "Unknown command. Use LIN, MSG, W, WHO or SEC.");
    bob.ask("REGISTER bob CHAT/1.0", "200 Registration successful");
    bob.send_line("LIN eve");
    ann.expect("DELIVERY bob LIN eve");
    let pinned = Server::with(&["--protocol", "wac"]);
    pinned.connect().ask("HELLO-FROM ann", "Unknown command. Use LIN, MSG, W, WHO or SEC.");
}

#[test]
fn w8_a_login_time_limit_says_why_it_ends_the_connection() {
    let server = Server::with(&["--login-timeout", "5"]);
    let mut wac = server.connect();
    wac.ask("WHO", "Online: echobot");
    wac.expect("You have not logged in in time; good-bye.");
    wac.expect_end();
    server.connect().expect_end();
}

#[test]
fn h17_nobody_leaves_or_registers_for_another() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.chat("ann"), server.chat("bob"));
    for line in ["DISCONNECT bob CHAT/1.0", "REGISTER ann CHAT/1.0", "REGISTER eve CHAT/1.0"] {
        ann.ask(line, "400 Invalid request");
    }
    ann.send_line("still here");
    bob.expect("@ann: still here");
}

#[test]
fn g1_programs_that_end_lines_by_cr_lf_are_understood_in_each_protocol() {
    let server = Server::start();
    let (mut cap, mut wac, mut chat) = (server.connect(), server.connect(), server.connect());
    cap.send(b"HELLO-FROM ann\r\n");
    cap.expect("HELLO ann");
    wac.send(b"LIN bob\r\n");
    wac.expect("Welcome, bob.");
    chat.send(b"REGISTER eve CHAT/1.0\r\n");
    chat.expect("200 Registration successful");
    cap.send(b"SEND bob hi\r\n");
    cap.expect("SEND-OK");
    wac.expect("ann whispers, \"hi\"");
    wac.send(b"MSG hello\r\n");
    cap.expect("DELIVERY bob hello");
    chat.expect("@bob: hello");
    chat.send(b"@eve: bye\r\nDISCONNECT eve CHAT/1.0\r\n");
    cap.expect("DELIVERY eve bye");
    wac.expect("eve: bye");
    chat.expect_end();
}

#[test]
fn a_server_without_places_refuses_every_login_as_full() {
    let server = Server::with(&["--max-clients", "0"]);
    for (login, answer) in [
        ("HELLO-FROM ann", "BUSY"),
        ("LIN ann", "Cannot log in: the server is full."),
        ("REGISTER ann CHAT/1.0", "503 Server full"),
    ] {
        server.connect().ask(login, answer);
    }
}
