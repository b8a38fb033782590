//! A connection that is not there, as a person sees it on a real terminal.

use crate::support::{Server, Terminal};

#[test]
fn retries_rewrite_one_row_and_enter_tries_at_once() {
    let mut server = Server::start();
    let port = server.port();
    let mut ann = Terminal::with(140, 24, &format!("--port {port} --name ann"));
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
fn ri6_a_full_server_ends_it_also_at_a_keyboard_unless_it_is_told_to_reconnect() {
    let server = Server::with(&["--max-clients", "1"]);
    let bob = server.cap("bob");
    let mut people = ["", "--reconnect"].map(|options| {
        let mut ann = Terminal::with(140, 24, &format!("--port {} {options}", server.port()));
        ann.waits_for("Enter your login:\r\n");
        ann.types("a");
        ann.waits_for("a");
        ann.types("nn\n");
        ann.waits_for("Cannot log in. The server is full");
        ann
    });
    people[0].ends(1);
    let ann = &mut people[1];
    ann.waits_for("; trying again in 1 s. Enter tries at once, !quit leaves.\r\n");
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
