//! A connection that is not there, as a person sees it on a real terminal.

use crate::support::{FakeServer, Server, Terminal};

#[test]
fn retries_rewrite_one_row_and_enter_tries_at_once() {
    let mut server = Server::start();
    let port = server.port();
    let mut ann = Terminal::with(140, 24, &format!("--port {port} --name ann --no-timestamps"));
    ann.waits_for("logged in as ann!\r\n");
    ann.forget();
    ann.meets_a_person();
    ann.types("half");
    server.kill();
    let there = format!("127.0.0.1 port {port}");
    let lost = format!(
        "The connection to {there} was lost: the server closed it; trying again in 1 s. Enter tries at once, !quit leaves."
    );
    let failed = format!("Cannot connect to {there}: Connection refused; trying again in");
    ann.waits_for("trying again in 1 s. Enter tries at once, !quit leaves.\r\n");
    ann.types("\x15");
    for _ in 0..3 {
        // By itself it would take its time, twice as long after each.
        ann.types("\n");
        ann.waits_for(&format!("{failed} 1 s."));
    }
    ann.shows("one row", |screen| {
        let rows: Vec<&str> = screen.lines().collect();
        matches!(rows[..], [first, second, "(not connected)"] if first == lost && second.starts_with(&failed))
    });
    ann.types("@bob waits\n");
    ann.shows("what waits", |screen| screen.contains("\n(not connected) @bob waits\n"));
    // Bob is there before ann comes back by herself.
    ann.signal("STOP");
    let server = Server::with(&["--port", &port]);
    let mut bob = server.cap("bob");
    ann.signal("CONT");
    ann.types("\n");
    bob.expect("DELIVERY ann waits");
    ann.shows("the chat", |screen| {
        let rows: Vec<&str> = screen.lines().collect();
        let ends = matches!(rows[2..], ["Successfully logged in as ann!", "ann → bob: waits", _]);
        ends && rows[..2] == [&*lost, "(not connected) @bob waits"]
    });
    ann.types("!quit\n");
    ann.ends(0);
}

#[test]
fn ri6_a_full_server_is_tried_again_where_a_person_is() {
    let server = Server::with(&["--max-clients", "1"]);
    let bob = server.cap("bob");
    let mut ann = Terminal::with(140, 24, &format!("--port {}", server.port()));
    ann.waits_for("Enter your login:\r\n");
    ann.types("a");
    ann.waits_for("a");
    ann.types("nn\n");
    ann.waits_for("Cannot log in. The server is full; trying again in 1 s. Enter tries at once, !quit leaves.\r\n");
    ann.shows("the prompt", |screen| screen.ends_with("\n(not connected)"));
    drop(bob);
    server.wait_for_log("bob left");
    ann.types("\n");
    ann.waits_for("Successfully logged in as ann!\r\n");
    ann.types("!quit\n");
    ann.ends(0);
}

#[test]
fn k6_without_a_person_or_with_no_reconnect_a_lost_connection_is_the_end() {
    for (options, has_person) in [("", false), ("--no-reconnect", true)] {
        let mut server = Server::start();
        let mut ann = Terminal::with(100, 24, &format!("--port {} --name ann {options}", server.port()));
        ann.waits_for("logged in as ann!\r\n");
        if has_person {
            ann.meets_a_person();
        }
        server.kill();
        ann.waits_for(" was lost: the server closed it.\r\n");
        ann.ends(1);
    }
}

#[test]
fn a_server_that_owes_an_answer_is_told_of_until_it_comes() {
    let mut people: Vec<_> = [
        ("cap", "HELLO-FROM ann", "HELLO ann", "@bob hi\n", "SEND bob hi", "SEND-OK"),
        ("wac", "LIN ann", "Welcome, ann.", "!who\n", "WHO", "Online: ann"),
        ("wac", "LIN ann", "Welcome, ann.", "hi\n", "MSG hi", "Online: ann"),
        ("chat", "REGISTER ann CHAT/1.0", "", "", "", "200 OK"),
    ]
    .into_iter()
    .map(|(protocol, login, welcome, typed, sent, answer)| {
        let server = FakeServer::start();
        let options = format!("--port {} --protocol {protocol} --name ann", server.port());
        let mut ann = Terminal::with(100, 24, &options);
        let mut peer = server.accept();
        peer.expect(login);
        if !welcome.is_empty() {
            peer.send_line(welcome);
            ann.waits_for("ann");
        }
        ann.meets_a_person();
        ann.types(typed);
        if !sent.is_empty() {
            peer.expect(sent);
        }
        (ann, peer, typed, answer)
    })
    .collect();
    for (ann, peer, typed, answer) in &mut people {
        if *typed == "hi\n" {
            // Nobody answers that; whether the server is there is found out by a question.
            peer.ask_back("WHO", answer);
            ann.types("!quit\n");
            continue;
        }
        ann.types("half");
        ann.shows("the silence", |screen| {
            let row = screen.lines().last().unwrap_or_default();
            let seconds = row.strip_prefix("(no answer for ").and_then(|rest| rest.split_once(" s) "));
            seconds.is_some_and(|(seconds, rest)| seconds.parse().is_ok_and(|s: u32| s >= 5) && rest.ends_with("half"))
        });
        peer.send_line(answer);
        ann.shows("the end of it", |screen| screen.lines().last().is_some_and(|row| !row.contains("no answer")));
        ann.types("\x15!quit\n");
    }
    for (mut ann, ..) in people {
        ann.ends(0);
    }
}
