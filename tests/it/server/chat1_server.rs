//! CHAT/1.0 on the server (H1 to H11, H16).

use crate::support::{Server, server_program};

#[test]
fn h1_h2_h6_registered_clients_talk_to_everyone_else() {
    let server = Server::start();
    let (mut ann, mut bob, mut eve) = (server.chat("ann"), server.chat("bob"), server.chat("eve"));
    for text in ["hi", " two  blanks ", "é 漢 🙂", "@bob, hello", "200 OK"] {
        ann.send_line(&format!("@ann: {text}"));
        bob.expect(&format!("@ann: {text}"));
        eve.expect(&format!("@ann: {text}"));
    }
    bob.send_line("@bob: fence");
    ann.expect("@bob: fence");
}

#[test]
fn h3_h11_a_malformed_registration_is_refused_and_closed() {
    let server = Server::start();
    for line in [
        "REGISTER",
        "REGISTER ann",
        "REGISTER ann CHAT/2.0",
        "REGISTER ann CHAT/1.0 x",
        "REGISTER ann b CHAT/1.0",
        "REGISTER a,b CHAT/1.0",
        "REGISTER @ann CHAT/1.0",
        "REGISTER  CHAT/1.0",
        "REGISTER a\u{301} CHAT/1.0",
    ] {
        let mut peer = server.connect();
        peer.ask(line, "400 Invalid registration");
        peer.expect_end();
    }
    let mut peer = server.connect();
    peer.send(b"REGISTER a\x1bb CHAT/1.0\n");
    peer.expect("400 Invalid registration");
    peer.expect_end();
    let mut peer = server.connect();
    peer.send(&[b"REGISTER ", &[b'x'; 5000][..]].concat());
    peer.expect("400 Invalid registration");
    peer.expect_end();
}

#[test]
fn h4_h5_a_name_in_use_and_a_full_server_are_told_and_closed() {
    let server = Server::with(&["--max-clients", "1"]);
    let mut ann = server.chat("ann");
    for (name, answer) in [
        ("ann", "401 Client already registered"),
        ("echobot", "401 Client already registered"),
        ("bob", "503 Server full"),
    ] {
        let mut peer = server.connect();
        peer.ask(&format!("REGISTER {name} CHAT/1.0"), answer);
        peer.expect_end();
    }
    ann.send_line("DISCONNECT ann CHAT/1.0");
    ann.expect_end();
    let _bob = server.chat("bob");
}

#[test]
fn h7_a_good_bye_gets_no_reply_and_frees_the_name() {
    let server = Server::start();
    let mut bob = server.chat("bob");
    for _ in 0..20 {
        let mut ann = server.chat("ann");
        ann.send(b"@ann: bye\nDISCONNECT ann CHAT/1.0\n@ann: too late\n");
        ann.expect_end();
        bob.expect("@ann: bye");
    }
    server.wait_for_log("ann left: quit");
    bob.send_line("@bob: fence");
}

#[test]
fn h7_nobody_says_good_bye_for_another() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.chat("ann"), server.chat("bob"));
    ann.ask("DISCONNECT bob CHAT/1.0", "400 Invalid request");
    ann.ask("DISCONNECT nobody CHAT/1.0", "400 Invalid request");
    ann.send_line("@ann: still here");
    bob.expect("@ann: still here");
    bob.send_line("@bob: me too");
    ann.expect("@bob: me too");
}

#[test]
fn h9_nobody_speaks_for_another() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.chat("ann"), server.chat("bob"));
    for (line, relayed) in [
        ("@bob: I owe ann 100", "@ann: @bob: I owe ann 100"),
        ("@annabel: hi", "@ann: @annabel: hi"),
        ("@ann:hi", "@ann: @ann:hi"),
        ("hello", "@ann: hello"),
        ("DISCONNECT CHAT/1.0", "@ann: DISCONNECT CHAT/1.0"),
        ("REGISTER eve", "@ann: REGISTER eve"),
        ("@ann: hi", "@ann: hi"),
    ] {
        ann.send_line(line);
        bob.expect(relayed);
    }
}

#[test]
fn h6_blank_lines_and_texts_are_passed_over() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.chat("ann"), server.chat("bob"));
    for line in ["", " ", "   ", "@ann: ", "@ann:   \t"] {
        ann.send_line(line);
    }
    ann.send_line("@ann: fence");
    bob.expect("@ann: fence");
    bob.send_line("@bob: fence");
    ann.expect("@bob: fence");
}

#[test]
fn g8_a_line_over_the_limit_is_an_error_and_the_next_one_works() {
    let server = Server::with(&["--max-line", "1000"]);
    let (mut ann, mut bob) = (server.chat("ann"), server.chat("bob"));
    ann.ask(&format!("@ann: {}", "x".repeat(2000)), "400 Line too long");
    ann.send_line("@ann: short");
    bob.expect("@ann: short");
}

#[test]
fn a_client_by_somebody_else_works_unchanged() {
    let server = Server::start();
    let mut eve = server.chat("eve");
    let mut other = server.connect();
    other.send(b"REGISTER ann CHAT/1.0\r\n");
    other.expect("200 Registration successful");
    other.send(b"@ann: hello\r\n");
    eve.expect("@ann: hello");
    eve.send_line("@eve: hello ann");
    other.expect("@eve: hello ann");
    server.signal("TERM");
    other.expect("DISCONNECT CHAT/1.0");
    other.expect_end();
}

#[test]
fn g13_the_login_timeout_ends_no_client_that_logged_in_without_lf() {
    let server = Server::with(&["--login-timeout", "5"]);
    let mut ann = server.connect();
    ann.send(b"REGISTER ann CHAT/1.0");
    ann.expect_bytes(b"200 Registration successful");
    // It came later than ann, so its time is over later.
    let mut late = server.connect();
    late.expect_end();
    let mut bob = server.chat("bob");
    bob.send_line("@bob: still here?");
    ann.expect_bytes(b"@bob: still here?");
}

#[test]
fn h16_the_system_picks_a_port_and_it_is_reported() {
    let (one, other) = (Server::start(), Server::start());
    assert!(one.address.port() > 0 && one.address.port() != other.address.port());
    one.chat("ann");
    let mut command = server_program();
    command.args(["--protocol", "chat"]);
    let server = Server::from(command);
    assert_ne!(server.address.port(), 5378);
    server.wait_for_log(&format!("clients connect to chat://{}", server.address));
    server.chat("ann");
}
