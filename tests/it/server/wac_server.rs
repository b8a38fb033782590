//! WAC on the server (W1 to W11).

use crate::support::Server;

const NOT_UNDERSTOOD: &str = "Unknown command. Use LIN, MSG, W, WHO or SEC.";
const LOG_IN_FIRST: &str = "Log in first: LIN <name>";

#[test]
fn w1_w7_a_login_and_a_change_of_name_at_any_time() {
    let server = Server::start();
    let mut ann = server.connect();
    ann.ask("LIN \"ann\"", "Welcome, ann.");
    ann.ask("LIN eve", "You are now known as eve.");
    ann.ask("LIN eve", "You are now known as eve.");
    ann.ask("WHO", "Online: echobot, eve");
    let _ann = server.cap("ann");
    ann.ask("LIN ann", "Cannot log in as ann: that name is already in use.");
    ann.ask("LIN echobot", "Cannot log in as echobot: that name is already in use.");
    let malformed = "that name is malformed (use letters, digits, '_', '-' and '.').";
    for name in ["a b", "a,b", "@ann", "a!", "\"\"ann\"\"", "\""] {
        let shown = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(name);
        ann.ask(&format!("LIN {name}"), &format!("Cannot log in as {shown}: {malformed}"));
    }
    ann.ask("LIN \"\"", &format!("Cannot log in as : {malformed}"));
    ann.send(b"LIN an\x07n\n");
    ann.expect(&format!("Cannot log in as an\u{fffd}n: {malformed}"));
    ann.ask("WHO", "Online: echobot, eve, ann");
}

#[test]
fn w7_a_name_in_use_in_another_dialect_is_in_use() {
    let server = Server::start();
    let (_cap, _chat) = (server.cap("cap"), server.chat("chat"));
    let mut wac = server.connect();
    for name in ["cap", "chat"] {
        wac.ask(&format!("LIN {name}"), &format!("Cannot log in as {name}: that name is already in use."));
    }
    wac.ask("LIN wac", "Welcome, wac.");
    let mut cap = server.connect();
    cap.ask("HELLO-FROM wac", "IN-USE");
    cap.expect_end();
    let mut chat = server.connect();
    chat.ask("REGISTER wac CHAT/1.0", "401 Client already registered");
    chat.expect_end();
}

#[test]
fn w2_w3_w10_messages_reach_everyone_else_and_whispers_one() {
    let server = Server::start();
    let (mut ann, mut bob, mut eve) = (server.wac("ann"), server.wac("bob"), server.wac("eve"));
    ann.send_line("MSG  hi, all ");
    ann.send_line("W bob  psst ");
    bob.expect("ann:  hi, all ");
    bob.expect("ann whispers, \" psst \"");
    eve.expect("ann:  hi, all ");
    eve.send_line("MSG fence");
    ann.expect("eve: fence");
    bob.expect("eve: fence");
    ann.ask("W nobody hello", "No user named nobody is logged in.");
    ann.ask("W ann to myself", "ann whispers, \"to myself\"");
    ann.ask("W echobot hello", "echobot whispers, \"hello\"");
}

#[test]
fn w7_w8_what_is_unknown_or_incomplete_is_told_and_nothing_closes() {
    let server = Server::start();
    let mut bob = server.wac("bob");
    let mut ann = server.connect();
    ann.ask("WHO", "Online: echobot, bob");
    for round in 0..2 {
        for (usage, lines) in [
            ("Usage: LIN <name>", &["LIN", "LIN ", "LIN   "][..]),
            ("Usage: MSG <text>", &["MSG", "MSG ", "MSG  \t"]),
            ("Usage: W <name> <text>", &["W", "W bob", "W bob ", "W bob   "]),
        ] {
            for line in lines {
                ann.ask(line, usage);
            }
        }
        for line in ["", " ", "   ", "lin ann", "QUIT", "WHO x", "SEC x"] {
            ann.ask(line, NOT_UNDERSTOOD);
        }
        let long = "x".repeat(if round == 0 { 5000 } else { 2 << 20 });
        ann.ask(&long, NOT_UNDERSTOOD);
        ann.ask(&format!("SEC{long}"), NOT_UNDERSTOOD);
        if round == 0 {
            ann.ask("LIN ann", "Welcome, ann.");
            ann.ask(&format!("MSG {}", "x".repeat(2 << 20)), "That line is too long.");
        }
    }
    ann.send_line("MSG still here");
    bob.expect("ann: still here");
}

#[test]
fn w9_messages_need_a_login_and_are_not_forwarded_without_one() {
    let server = Server::start();
    let mut bob = server.wac("bob");
    let mut stranger = server.connect();
    stranger.ask("MSG hi", LOG_IN_FIRST);
    stranger.ask("W bob hi", LOG_IN_FIRST);
    stranger.ask("WHO", "Online: echobot, bob");
    stranger.ask("LIN ann", "Welcome, ann.");
    stranger.send_line("MSG fence");
    bob.expect("ann: fence");
}

#[test]
fn w7_a_full_server_says_so_and_listens_on() {
    let server = Server::with(&["--max-clients", "1"]);
    let bob = server.wac("bob");
    let mut ann = server.connect();
    ann.ask("LIN ann", "Cannot log in: the server is full.");
    drop(bob);
    server.wait_for_log("bob left");
    ann.ask("LIN ann", "Welcome, ann.");
}

#[test]
fn w11_the_secret_is_the_same_for_all_and_can_be_chosen() {
    let server = Server::start();
    let (mut ann, mut stranger) = (server.wac("ann"), server.connect());
    ann.send_line("SEC");
    let secret = ann.recv_line().expect("an answer");
    assert!(secret.starts_with(b"The secret is: "));
    let secret = String::from_utf8(secret).expect("text");
    for _ in 0..3 {
        stranger.ask("SEC", &secret);
        ann.ask("SEC", &secret);
    }
    let other = Server::start();
    let mut peer = other.connect();
    peer.send_line("SEC");
    assert_ne!(peer.recv_line().as_deref(), Some(secret.as_bytes()));

    let server = Server::with(&["--secret", "open sesame"]);
    server.connect().ask("SEC", "The secret is: open sesame");
}

#[test]
fn one_dialect_can_be_pinned() {
    let server = Server::with(&["--protocol", "wac"]);
    let mut ann = server.connect();
    ann.ask("HELLO-FROM ann", NOT_UNDERSTOOD);
    ann.ask("LIN ann", "Welcome, ann.");
    let server = Server::with(&["--protocol", "cap"]);
    let mut ann = server.connect();
    ann.ask("LIN ann", "BAD-RQST-HDR");
    ann.expect_end();
    let server = Server::with(&["--protocol", "chat"]);
    let mut ann = server.connect();
    ann.ask("HELLO-FROM ann", "400 Invalid registration");
    ann.expect_end();
}

#[test]
fn w2_a_connection_that_has_spoken_wac_hears_broadcasts_before_it_logs_in() {
    let server = Server::start();
    let (mut ann, mut eve) = (server.wac("ann"), server.chat("eve"));
    let (mut listener, mut silent, mut cap) = (server.connect(), server.connect(), server.cap("cap"));
    listener.ask("WHO", "Online: echobot, ann, eve, cap");
    ann.send_line("MSG hi, all");
    listener.expect("ann: hi, all");
    eve.expect("@ann: hi, all");
    cap.expect("DELIVERY ann hi, all");
    eve.send_line("@eve: hello");
    listener.expect("eve: hello");
    // A whisper is for its recipient only.
    ann.expect("eve: hello");
    cap.expect("DELIVERY eve hello");
    ann.send_line("W cap psst");
    cap.expect("DELIVERY ann psst");
    listener.ask("MSG hi", LOG_IN_FIRST);
    // From its login on it hears each broadcast once.
    listener.ask("LIN bob", "Welcome, bob.");
    ann.send_line("MSG one");
    ann.send_line("MSG two");
    listener.expect("ann: one");
    listener.expect("ann: two");
    // A connection that has said nothing hears nothing; one of its own protocol neither.
    silent.ask("HELLO-FROM silent", "HELLO silent");
    ann.send_line("MSG fence");
    silent.expect("DELIVERY ann fence");
}

#[test]
fn w2_a_listener_that_leaves_without_a_login_is_gone() {
    let server = Server::start();
    let before = server.usage();
    let mut ann = server.wac("ann");
    let mut listener = server.connect();
    listener.ask("SEC x", NOT_UNDERSTOOD);
    ann.send_line("MSG hi");
    listener.expect("ann: hi");
    listener.finish();
    listener.expect_end();
    drop(listener);
    ann.send_line("MSG hi");
    ann.ask("WHO", "Online: echobot, ann");
    drop(ann);
    server.wait_until_as_before(before);
}
