//! The CAP client at a keyboard, against our server and against servers that behave differently.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{self, Client, FakeServer, Peer, Server, Terminal, client_program};

const WELCOME: &str = "Welcome to Chat Client. Enter your login:";
const AGAIN: &str = "Enter your login:";
const SENT: &str = "The message was sent succesfully";

/// A client logged in as ann to a fake server, with the server's end.
fn with_fake_server() -> (FakeServer, Peer, Client) {
    let server = FakeServer::start();
    let mut client = Client::start(&server.port());
    let mut peer = server.accept();
    client.type_line("ann");
    peer.expect("HELLO-FROM ann");
    peer.send_line("HELLO ann");
    client.expect(WELCOME);
    client.expect("Successfully logged in as ann!");
    (server, peer, client)
}

#[test]
fn ri8_ri9_ri10_ri11_two_people_chat() {
    let server = Server::start();
    let mut ann = Client::logged_in(&server.port(), "ann");
    let mut bob = Client::logged_in(&server.port(), "bob");
    ann.type_line("@bob hello, bob");
    ann.expect(SENT);
    bob.expect("From ann: hello, bob");
    bob.type_line("@ann  two  blanks");
    bob.expect(SENT);
    ann.expect("From bob:  two  blanks");
    ann.type_line("@eve anybody there?");
    ann.expect("The destination user does not exist");
    ann.type_line("!who");
    for line in ["There are 3 online users:", "- echobot", "- ann", "- bob"] {
        ann.expect(line);
    }
    for mut client in [ann, bob] {
        client.type_line("!quit");
        client.expect_exit(0);
        assert_eq!(client.errors_so_far(), "");
    }
}

#[test]
fn ri4_ri5_ra2_ra4_ra5_a_failed_login_is_tried_again_without_a_restart() {
    let server = Server::start();
    let _ann = server.cap("ann");
    let mut client = Client::start(&server.port());
    client.expect(WELCOME);
    for (name, refusal) in [
        ("ann", "Cannot log in as ann. That username is already in use."),
        ("a b", "Cannot log in as a b. That username contains disallowed characters."),
        ("a,b", "Cannot log in as a,b. That username contains disallowed characters."),
        ("@bob", "Cannot log in as @bob. That username contains disallowed characters."),
        ("!who", "Cannot log in as !who. That username contains disallowed characters."),
        ("ann", "Cannot log in as ann. That username is already in use."),
    ] {
        client.type_line(name);
        client.expect(refusal);
        client.expect(AGAIN);
    }
    client.type_line("");
    client.expect(AGAIN);
    client.type_line("bob");
    client.expect("Successfully logged in as bob!");
}

#[test]
fn ri12_ra6_a_header_error_to_a_login_asks_again() {
    let server = FakeServer::start();
    let mut client = Client::start(&server.port());
    let mut peer = server.accept();
    client.expect(WELCOME);
    client.type_line("ann");
    peer.expect("HELLO-FROM ann");
    peer.send_line("BAD-RQST-HDR");
    client.expect("Error: Unknown issue in previous message header.");
    client.expect(AGAIN);
    client.type_line("ann");
    let mut second = server.accept();
    second.expect("HELLO-FROM ann");
    second.send_line("HELLO ann");
    client.expect("Successfully logged in as ann!");
}

#[test]
fn ri1_rt7_every_header_at_any_time_is_handled() {
    let (_server, mut peer, mut client) = with_fake_server();
    let mut expected = Vec::new();
    for (line, shown) in [
        ("SEND-OK", Some(SENT)),
        ("UNKNOWN", Some("The destination user does not exist")),
        ("BAD-DEST-USER", Some("The destination user does not exist")),
        ("BAD-RQST-HDR", Some("Error: Unknown issue in previous message header.")),
        ("BAD-RQST-BODY", Some("Error: Unknown issue in previous message body.")),
        ("DELIVERY bob SEND-OK", Some("From bob: SEND-OK")),
        ("WHO-OK bob", Some("There are 1 online users:")),
        ("HELLO ann", None),
        ("IN-USE", None),
        ("BUSY", None),
        ("NO-SUCH-HEADER 1 2 3", None),
        ("", None),
        ("DELIVERY", None),
    ] {
        peer.send_line(line);
        expected.extend(shown);
        if line.starts_with("WHO-OK") {
            expected.push("- bob");
        }
    }
    for line in expected {
        client.expect(line);
    }
    client.type_line("!quit");
    peer.expect_end();
    drop(peer);
    client.expect_exit(0);
    assert_eq!(client.errors_so_far(), "The server sent an unexpected reply.\n".repeat(5));
    assert!(!client.output_so_far().contains("HDR") && !client.output_so_far().contains("IN-USE"));
}

#[test]
fn ri7_quit_ends_it_at_any_point_even_if_the_server_says_nothing() {
    let server = FakeServer::start();
    // At the prompt, while the login is awaited, while a reply is awaited.
    for typed in [&[][..], &["ann"], &["ann", "@bob hi"]] {
        let mut client = Client::start(&server.port());
        let mut peer = server.accept();
        client.expect(WELCOME);
        for (number, line) in typed.iter().enumerate() {
            client.type_line(line);
            peer.recv_line().expect("the request");
            if number + 1 < typed.len() {
                peer.send_line("HELLO ann");
                client.expect("Successfully logged in as ann!");
            }
        }
        client.type_line("!quit");
        client.expect_exit(0);
        peer.expect_end();
    }
}

#[test]
fn rt3_rt5_a_line_is_shown_when_its_lf_has_come_and_not_before() {
    let (_server, mut peer, mut client) = with_fake_server();
    for byte in b"DELIVERY bob in pieces" {
        peer.send(&[*byte]);
    }
    peer.send(b"\nDELIVERY bob half of a li");
    client.expect("From bob: in pieces");
    peer.send(b"ne\nDELIVERY bob a\nDELIVERY bob b\n");
    for line in ["From bob: half of a line", "From bob: a", "From bob: b"] {
        client.expect(line);
    }
}

#[test]
fn g2_what_drives_a_terminal_is_not_shown() {
    let (_server, mut peer, mut client) = with_fake_server();
    peer.send(b"DELIVERY bob \x1b]0;owned\x07 \xff\xfe \x9b31m\n");
    client.expect("From bob: \u{fffd}]0;owned\u{fffd} \u{fffd}\u{fffd} \u{fffd}31m");
}

#[test]
fn rt4_a_line_of_eight_megabytes_is_shown_whole() {
    let (_server, mut peer, mut client) = with_fake_server();
    let text = "x".repeat((8 << 20) - "DELIVERY bob \n".len());
    peer.send_line(&format!("DELIVERY bob {text}"));
    client.expect(&format!("From bob: {text}"));
}

#[test]
fn rt6_a_server_that_takes_nothing_does_not_hold_back_what_it_says() {
    let (_server, mut peer, mut client) = with_fake_server();
    // More than the kernel takes for a peer that does not read.
    let text = "x".repeat(7 << 20);
    for _ in 0..2 {
        client.type_line(&format!("@bob {text}"));
    }
    for number in 0..100 {
        peer.send_line(&format!("DELIVERY bob {number}"));
        client.expect(&format!("From bob: {number}"));
    }
    for _ in 0..2 {
        peer.expect(&format!("SEND bob {text}"));
    }
}

#[test]
fn k1_who_works_with_a_server_of_either_revision() {
    let (_server, mut peer, mut client) = with_fake_server();
    client.type_line("!who");
    peer.expect("LIST");
    peer.send_line("BAD-RQST-HDR");
    peer.ask("DELIVERY bob between", "WHO");
    peer.send_line("WHO-OK ann,bob");
    for line in ["From bob: between", "There are 2 online users:", "- ann", "- bob"] {
        client.expect(line);
    }
    client.type_line("!who");
    peer.expect("WHO");
}

#[test]
fn k2_a_line_typed_while_the_login_is_answered_waits_for_it() {
    let server = FakeServer::start();
    let mut client = Client::start(&server.port());
    let mut peer = server.accept();
    client.type_line("ann");
    client.type_line("@bob hi");
    peer.expect("HELLO-FROM ann");
    peer.send_line("DELIVERY bob fence");
    client.expect(WELCOME);
    client.expect("From bob: fence");
    peer.ask("HELLO ann", "SEND bob hi");
}

#[test]
fn k3_what_arrives_after_the_end_of_input_is_shown_until_the_server_closes() {
    let (_server, mut peer, mut client) = with_fake_server();
    client.type_line("@bob hi");
    client.end_input();
    peer.expect("SEND bob hi");
    peer.expect_end();
    peer.send_line("SEND-OK");
    client.expect(SENT);
    peer.send_line("DELIVERY bob late");
    client.expect("From bob: late");
    drop(peer);
    client.expect_exit(0);
}

#[test]
fn k4_a_server_that_hangs_up_on_a_silent_newcomer_is_called_again() {
    let server = FakeServer::start();
    let mut client = Client::start(&server.port());
    drop(server.accept());
    client.expect(WELCOME);
    client.type_line("ann");
    let mut peer = server.accept();
    peer.expect("HELLO-FROM ann");
    peer.send_line("HELLO ann");
    client.expect("Successfully logged in as ann!");
    assert_eq!(client.errors_so_far(), "");
}

#[test]
fn k5_a_message_typed_just_before_quit_is_not_lost() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    for number in 0..50 {
        let mut ann = Client::logged_in(&server.port(), "ann");
        ann.type_line(&format!("@bob {number}"));
        ann.type_line("!quit");
        bob.expect(&format!("DELIVERY ann {number}"));
        ann.expect(SENT);
        ann.expect_exit(0);
    }
}

#[test]
fn k6_a_lost_server_is_said_with_status_1() {
    let mut server = Server::start();
    let port = server.port();
    let mut clients = [Client::logged_in(&port, "ann"), Client::logged_in(&port, "bob")];
    server.kill();
    for client in &mut clients {
        client.expect_error("The connection to 127.0.0.1 port");
        client.expect_exit(1);
    }
}

#[test]
fn k6_a_closed_standard_output_ends_it_quietly() {
    let server = Server::start();
    let mut command = client_program();
    command.args(["--port", &server.port(), "--name", "ann"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
    for line in [WELCOME, "Successfully logged in as ann!"] {
        assert_eq!(output.next().and_then(Result::ok).as_deref(), Some(line));
    }
    drop(output);
    server.cap("bob").ask("SEND ann hi", "SEND-OK");
    let status = support::wait_for("the client's end", || child.try_wait().expect("it can be asked"));
    assert_eq!(status.code(), Some(0));
    let mut errors = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut errors).expect("text");
    assert_eq!(errors, "");
}

#[test]
fn k3_the_end_of_input_waits_for_a_slow_server_as_long_as_it_takes_anything() {
    const LINES: usize = 12;
    let (_server, mut peer, mut client) = with_fake_server();
    let text = "x".repeat(1 << 20);
    let heard = thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..LINES {
                client.type_line(&format!("@bob {text}"));
            }
            client.end_input();
        });
        let begun = Instant::now();
        // The server takes longer for it, in all, than the client waits for a server that takes nothing.
        let mut buffer = vec![0; 1 << 20];
        let mut heard = 0;
        while begun.elapsed() < Duration::from_secs(7) {
            thread::park_timeout(Duration::from_millis(500));
            heard += peer.stream.read(&mut buffer).expect("it is not reset");
        }
        heard + std::io::copy(&mut peer.stream, &mut std::io::sink()).expect("it is not reset") as usize
    });
    assert_eq!(heard, LINES * (text.len() + "SEND bob \n".len()));
    for _ in 0..LINES {
        peer.send_line("SEND-OK");
        client.expect(SENT);
    }
    drop(peer);
    client.expect_exit(0);
}

#[test]
fn a_login_that_is_never_answered_does_not_hang_a_pipe() {
    let server = FakeServer::start();
    let mut client = Client::start(&server.port());
    let _peer = server.accept();
    client.expect(WELCOME);
    client.type_bytes("ann\n".repeat(1000).as_bytes());
    client.end_input();
    client.expect_error("No answer from 127.0.0.1 port");
    client.expect_exit(1);
}

#[test]
fn a_name_on_the_command_line_logs_in_by_itself() {
    let server = Server::start();
    let mut client = Client::with(&server.port(), &["--name", "ann"]);
    client.expect(WELCOME);
    client.expect("Successfully logged in as ann!");
}

#[test]
fn k2_r13_a_name_and_blanks_are_judged_by_the_server() {
    let server = Server::start();
    let mut client = Client::logged_in(&server.port(), "ann");
    for line in ["@echobot ", "@echobot   ", "/msg echobot "] {
        client.type_line(line);
        client.expect("Error: Unknown issue in previous message body.");
    }
    client.type_line("@echobot");
    client.expect("Use @<username> <message> to send, !who to list who is online, !quit to leave.");
}

#[test]
fn k2_each_line_of_a_paste_goes_to_whom_its_first_line_names() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    ann.types("@bob \x1b[200~line one\nline two\n!quit\x1b[201~");
    bob.expect_silence();
    ann.types("\n");
    for text in ["line one", "line two", "!quit"] {
        bob.expect(&format!("DELIVERY ann {text}"));
    }
    (0..3).for_each(|_| ann.waits_for(SENT));
    ann.types("!quit\n");
    ann.ends(0);
}

#[test]
fn ri9_which_message_failed_is_said_behind_the_answer_where_it_is_not_clear() {
    let (_server, mut peer, mut client) = with_fake_server();
    client.type_bytes(b"@bob one\n@eve two\n");
    peer.expect("SEND bob one");
    peer.expect("SEND eve two");
    peer.send_line("SEND-OK");
    peer.send_line("BAD-DEST-USER");
    client.expect(SENT);
    client.expect("The destination user does not exist");
    client.expect_error("Not delivered: @eve two\n");
}

#[test]
fn k3_a_login_without_an_answer_is_waited_for_at_a_terminal() {
    let server = FakeServer::start();
    let mut ann = Terminal::with(80, 24, &format!("--port {}", server.port()));
    let mut peer = server.accept();
    ann.types("ann\n");
    peer.expect("HELLO-FROM ann");
    ann.waits_for("yet. It is waited for; !quit leaves.");
    peer.send_line("HELLO ann");
    ann.waits_for("Successfully logged in as ann!");
    ann.types("!quit\n");
    ann.ends(0);
}

#[test]
fn k6_a_server_that_is_full_before_a_name_is_given_is_the_end() {
    let server = FakeServer::start();
    let mut client = Client::start(&server.port());
    server.accept().send_line("BUSY");
    client.expect(WELCOME);
    client.expect("Cannot log in. The server is full!");
    client.expect_exit(1);
}

#[test]
fn k3_the_end_of_input_at_the_prompt_waits_for_the_server_no_longer_than_quit() {
    let server = FakeServer::start();
    let mut client = Client::start(&server.port());
    let _peer = server.accept();
    client.expect(WELCOME);
    client.end_input();
    client.expect_exit(0);
}

#[test]
fn k3_a_message_of_a_script_without_an_answer_is_status_1() {
    let (_server, mut peer, mut client) = with_fake_server();
    client.type_line("@bob hi");
    client.end_input();
    peer.expect("SEND bob hi");
    peer.expect_end();
    drop(peer);
    client.expect_exit(1);
    assert_eq!(client.errors_so_far(), "Your last message was not acknowledged; it may be lost: @bob hi\n");
}

#[test]
fn ri11_blanks_in_a_list_are_dropped() {
    let (_server, mut peer, mut client) = with_fake_server();
    client.type_line("!who");
    peer.ask_back("LIST", "LIST-OK ann, bob");
    for line in ["There are 2 online users:", "- ann", "- bob"] {
        client.expect(line);
    }
}
