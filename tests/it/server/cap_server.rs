//! CAP on the server, byte for byte (C1 to C14).

use crate::support::{Peer, Server};

/// Says one line as a first line, and has to get this answer and the end.
#[track_caller]
fn refused(server: &Server, line: &str, answer: &str) {
    let mut peer = server.connect();
    peer.ask(line, answer);
    peer.expect_end();
}

#[test]
fn c1_c2_c5_c6_a_login_and_the_list_in_order_of_arrival() {
    let server = Server::start();
    let mut ann = server.cap("ann");
    let _zoe = server.cap("zoe");
    let _bob = server.cap("bob");
    ann.ask("LIST", "LIST-OK echobot,ann,zoe,bob");
}

#[test]
fn c3_a_name_in_use_is_refused_and_the_holder_is_undisturbed() {
    let server = Server::start();
    let mut ann = server.cap("ann");
    refused(&server, "HELLO-FROM ann", "IN-USE");
    refused(&server, "HELLO-FROM echobot", "IN-USE");
    ann.expect_silence();
}

#[test]
fn c4_a_full_server_says_busy_and_a_place_that_is_left_can_be_taken() {
    let server = Server::with(&["--max-clients", "2"]);
    let ann = server.cap("ann");
    let mut bob = server.cap("bob");
    refused(&server, "HELLO-FROM eve", "BUSY");
    refused(&server, "HELLO-FROM bob", "IN-USE");
    refused(&server, "HELLO-FROM a,b", "BAD-RQST-BODY");
    drop(ann);
    server.wait_for_log("ann left");
    let _eve = server.cap("eve");
    bob.ask("LIST", "LIST-OK echobot,bob,eve");
}

#[test]
fn c7_c8_c10_a_message_reaches_its_recipient_verbatim() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.cap("ann"), server.cap("bob"));
    for text in ["hi", " two  blanks ", "DELIVERY eve x", "tab\there", "é 漢 🙂", "SEND-OK"] {
        ann.ask(&format!("SEND bob {text}"), "SEND-OK");
        bob.expect(&format!("DELIVERY ann {text}"));
    }
    ann.expect_silence();
}

#[test]
fn c8_to_oneself_the_reply_comes_before_the_delivery() {
    let server = Server::start();
    let mut ann = server.cap("ann");
    for name in ["ann", "echobot"] {
        ann.ask(&format!("SEND {name} hello"), "SEND-OK");
        ann.expect(&format!("DELIVERY {name} hello"));
    }
}

#[test]
fn c5_c6_c9_both_revisions_work_side_by_side() {
    let server = Server::start();
    let (mut new, mut old) = (server.cap("new"), server.cap("old"));
    new.ask("SEND nobody x", "BAD-DEST-USER");
    old.ask("SEND nobody x", "BAD-DEST-USER");
    old.ask("WHO", "WHO-OK echobot,new,old");
    old.ask("SEND nobody x", "UNKNOWN");
    old.ask("LIST", "LIST-OK echobot,new,old");
    old.ask("SEND nobody x", "BAD-DEST-USER");
    new.ask("LIST", "LIST-OK echobot,new,old");
    new.ask("SEND Old x", "BAD-DEST-USER");
}

#[test]
fn c11_c12_c13_g12_before_login_everything_else_is_answered_and_closed() {
    let server = Server::start();
    for line in ["LIST", "SEND ann hi", "HELLO", "hello-from ann", "HELLO-FROMann", "", " ", "GET / HTTP/1.1"] {
        refused(&server, line, "BAD-RQST-HDR");
    }
    let too_long = "x".repeat(65);
    for name in [
        "",
        " ",
        "a b",
        " a  b ",
        "a,b",
        "ann\u{1160}",
        "\u{3164}",
        "@ann",
        "a!",
        "\"ann\"",
        "a\u{7}",
        "a\u{301}",
        &too_long,
    ] {
        refused(&server, &format!("HELLO-FROM {name}"), "BAD-RQST-BODY");
    }
    refused(&server, "HELLO-FROM", "BAD-RQST-BODY");
}

#[test]
fn c14_after_login_an_error_keeps_the_connection() {
    let server = Server::start();
    let mut ann = server.cap("ann");
    for line in ["HELLO-FROM bob", "HELLO-FROM ann", "HELLO-FROM", "", " ", " LIST", "list", "QUIT", "SENDbob hi"] {
        ann.ask(line, "BAD-RQST-HDR");
    }
    for line in ["LIST x", "SEND", "SEND ", "SEND ann", "SEND ann ", "SEND ann  \t ", "SEND nobody  ", "SEND  ann"] {
        ann.ask(line, "BAD-RQST-BODY");
    }
    ann.ask("LIST", "LIST-OK echobot,ann");
    ann.ask("WHO x", "BAD-RQST-BODY");
    ann.expect_silence();
}

#[test]
fn a_script_through_a_pipe_gets_all_its_answers_in_order() {
    let server = Server::start();
    let mut peer: Peer = server.connect();
    peer.send(b"HELLO-FROM a\nLIST\nSEND a x\nWHO\nSEND nobody y\n");
    peer.finish();
    for line in ["HELLO a", "LIST-OK echobot,a", "SEND-OK", "DELIVERY a x", "WHO-OK echobot,a", "UNKNOWN"] {
        peer.expect(line);
    }
    peer.expect_end();
}
