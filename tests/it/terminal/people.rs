//! The client at a terminal, with several people: to whom lines go, whom Tab offers, and who is not heard.

use std::env;
use std::fs;

use crate::support::{Client, FakeServer, Server, Terminal, client_program};

/// A person at a terminal, logged in as ann.
#[track_caller]
fn person(server: &Server, protocol: &str, welcome: &str) -> Terminal {
    let mut ann = Terminal::with(100, 24, &format!("--port {} --protocol {protocol} --name ann", server.port()));
    ann.waits_for(welcome);
    ann.types("x");
    ann.waits_for("x");
    ann.types("\x7f");
    ann
}

#[test]
fn k2_w13_plain_lines_go_to_the_recipient_and_the_prompt_says_so() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut eve = server.wac("eve");
    for (protocol, welcome) in [("cap", "logged in as ann!"), ("wac", "Welcome, ann.")] {
        let mut ann = person(&server, protocol, welcome);
        ann.types("!to bob\r");
        ann.waits_for("[bob] ");
        ann.types("hello\r");
        bob.expect("DELIVERY ann hello");
        ann.types("/query eve\r");
        ann.waits_for("[eve] ");
        ann.types("psst\r");
        eve.expect("ann whispers, \"psst\"");
        ann.types("!to\rhello\r!quit\r");
        ann.ends(0);
    }
    // In WAC it has gone to everybody, in CAP to nobody.
    eve.expect("ann: hello");
    bob.expect("DELIVERY ann hello");
    bob.expect_silence();
}

#[test]
fn k2_a_script_can_say_to_whom_its_lines_go() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    for protocol in ["cap", "wac"] {
        let mut client = Client::with(&server.port(), &["--protocol", protocol, "--name", "ann"]);
        for line in ["!to bob", "one", "@bob two", "/query echobot", "three", "!to bob", "four", "!quit"] {
            client.type_line(line);
        }
        client.expect_status(0);
        for text in ["one", "two", "four"] {
            bob.expect(&format!("DELIVERY ann {text}"));
        }
    }
}

#[test]
fn k1_tab_completes_at_once_and_asks_for_the_names_that_the_next_tab_offers() {
    let server = FakeServer::start();
    let mut ann = Terminal::with(100, 24, &format!("--port {} --name ann", server.port()));
    let mut peer = server.accept();
    peer.ask_back("HELLO-FROM ann", "HELLO ann");
    ann.waits_for("logged in as ann!\r\n");
    ann.meets_a_person();
    for (name, text) in [("bob", "one"), ("gus", "two")] {
        peer.send_line(&format!("DELIVERY {name} {text}"));
        ann.waits_for(&format!("{text}\r\n"));
    }
    ann.forget();
    // Gus has left, and the client does not know it yet.
    ann.types("\t");
    ann.sees("@gus");
    peer.expect("LIST");
    ann.types("\x15");
    peer.send_line("LIST-OK echobot,bob,ann");
    peer.send_line("DELIVERY bob three");
    ann.waits_for("three\r\n");
    ann.forget();
    ann.types("\t");
    ann.sees("@bob");
    ann.types("\x15@ECHO\t");
    ann.sees("@echobot");
    assert!(!ann.written().contains("online users"));
    ann.types("\x15!quit\r");
    drop(peer);
    ann.ends(0);
}

#[test]
fn g15_tab_knows_who_has_joined_and_who_has_left() {
    let server = Server::with(&["--announce"]);
    for (protocol, welcome) in [("chat", "Ready for messaging!"), ("wac", "Welcome, ann.")] {
        let prompt = if protocol == "chat" { "> " } else { "" };
        let mut ann = person(&server, protocol, welcome);
        let mut bert = server.cap("Bert");
        let bob = server.cap("bob");
        ann.waits_for("* bob has joined");
        ann.types("b\t");
        ann.waits_for("Bert: ");
        ann.types("\t");
        ann.waits_for("bob: ");
        ann.types("\x15");
        drop(bob);
        ann.waits_for("* bob has left\r\n");
        ann.forget();
        ann.types("b\t\t");
        ann.sees(&format!("{prompt}Bert:"));
        ann.types("hi\r");
        bert.expect("DELIVERY ann Bert: hi");
        ann.types("!quit\r");
        ann.ends(0);
    }
}

#[test]
fn g15_whoever_changes_the_name_is_still_the_recipient_offered_and_hidden() {
    let server = Server::with(&["--announce"]);
    let mut bob = server.wac("bob");
    let mut gus = server.cap("gus");
    let mut ann = person(&server, "wac", "Welcome, ann.");
    bob.expect("* gus has joined");
    bob.expect("* ann has joined");
    bob.send_line("W ann psst");
    ann.waits_for("\"psst\"");
    ann.types("!to bob\r");
    ann.waits_for("[bob] ");
    bob.ask("LIN eve", "You are now known as eve.");
    ann.waits_for("* bob is now eve");
    ann.waits_for("[eve] ");
    ann.types("hi\r");
    bob.expect("ann whispers, \"hi\"");
    ann.types("\t");
    ann.waits_for("@eve");
    ann.types("\x15!ignore eve\r");
    ann.waits_for("What eve says is hidden now");
    bob.ask("LIN zoe", "You are now known as zoe.");
    ann.waits_for("* eve is now zoe");
    bob.send_line("W ann hidden");
    bob.ask("W nobody x", "No user named nobody is logged in.");
    gus.ask("SEND ann fence", "SEND-OK");
    ann.waits_for("\"fence\"");
    assert!(!ann.written().contains("hidden\""), "{}", ann.written());
    ann.types("!quit\r");
    ann.ends(0);
}

#[test]
fn k2_w13_whoever_is_ignored_is_neither_shown_nor_copied() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut eve = server.cap("eve");
    let log = env::temp_dir().join(format!("parley-ignored-{}", std::process::id()));
    let options = format!("--port {} --name ann --color never --log {}", server.port(), log.display());
    let mut ann = Terminal::with(80, 24, &options);
    ann.waits_for("logged in as ann!");
    ann.types("!ignore bob\n");
    ann.waits_for("What bob says is hidden now; !unignore bob shows it again.");
    bob.ask("SEND ann hidden", "SEND-OK");
    eve.ask("SEND ann fence", "SEND-OK");
    ann.waits_for("From eve: fence");
    ann.types("!ignore\n");
    ann.waits_for("Ignored: bob");
    ann.types("!");
    ann.waits_for("!");
    ann.types("unignore \t");
    ann.waits_for("bob ");
    ann.types("\n");
    ann.waits_for("What bob says is shown again.");
    bob.ask("SEND ann heard", "SEND-OK");
    ann.waits_for("From bob: heard");
    ann.types("!quit\n");
    ann.ends(0);
    let copied = fs::read_to_string(&log).expect("a copy");
    fs::remove_file(&log).expect("a file");
    assert!(
        !ann.written().contains("hidden\r") && !copied.contains(": hidden") && copied.contains("heard"),
        "{copied}"
    );
}

#[test]
fn w12_a_name_that_was_asked_for_and_is_refused_is_the_end() {
    let server = Server::start();
    let _ann = server.cap("ann");
    let mut client = Client::with(&server.port(), &["--protocol", "wac", "--name", "ann"]);
    client.expect_error("Cannot log in as ann: that name is already in use.\nChoose another name with --name.");
    client.expect_exit(1);

    let server = FakeServer::start();
    let mut command = client_program();
    command.args(["--port", &server.port(), "--protocol", "wac"]).env("USER", "zoë");
    let mut client = Client::from(command);
    let mut peer = server.accept();
    let malformed = "Cannot log in as zoë: that name is malformed (use letters, digits, '_', '-' and '.').";
    peer.ask_back("LIN zoë", malformed);
    client.expect(malformed);
    peer.ask_back("LIN zo_", "Hello!");
    client.expect("Hello!");
    client.expect("You are logged in as zo_.");
}
