//! Pastes into the client, as a person sees them on a real terminal.

use std::thread;
use std::time::Duration;

use crate::support::{Server, Terminal, wait_until_asleep};

const SENT: &str = "The message was sent succesfully";

#[test]
fn a_paste_of_many_lines_is_asked_about() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::with_person(60, &server.port());
    let lines: Vec<String> = (1..=30).map(|number| format!("line {number}")).collect();
    let question = "Send 30 lines? Enter sends them, Ctrl-C drops them";
    ann.types("@bob ");
    ann.sees("@bob");
    ann.types(&format!("\x1b[200~{}\r\x1b[201~", lines.join("\r")));
    // As much of it is shown as leaves room for messages.
    ann.sees(&format!("{}\n{question}", lines[19..].join("\n")));
    ann.types("a\x7f\x03");
    ann.sees("@bob");
    for refusal in ["n", "\x1b"] {
        ann.types(&format!("\x1b[200~{}\x1b[201~", lines.join("\r")));
        ann.sees(&format!("{}\n{question}", lines[19..].join("\n")));
        ann.types(refusal);
        ann.sees("@bob");
    }
    bob.expect_silence();
    ann.forget();
    ann.types(&format!("\x1b[200~{}\x1b[201~", lines.join("\r")));
    ann.waits_for(question);
    ann.types("\n");
    for line in &lines {
        bob.expect(&format!("DELIVERY ann {line}"));
    }
}

#[test]
fn pasted_lines_are_sent_after_enter_and_not_before() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::logged_in(40, 24, &server.port(), "ann");
    ann.types("x\x7f");
    ann.waits_for("\x1b[?2004h");
    ann.types("\x1b[200~@bob one\r@bob two\r\n@bob three\x1b[201~");
    ann.sees("@bob one\n@bob two\n@bob three");
    bob.expect_silence();
    ann.types("\n");
    for text in ["one", "two", "three"] {
        bob.expect(&format!("DELIVERY ann {text}"));
    }
    ann.sees(&["@bob one\n@bob two\n@bob three", SENT, SENT, SENT].join("\n"));
}

#[test]
fn the_first_paste_waits_for_enter_as_any_other() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::with(40, 24, &format!("--port {} --name ann --protocol wac", server.port()));
    ann.waits_for("Welcome, ann.\r\n");
    ann.forget();
    ann.types("one\rquit\rthree");
    ann.sees("one\nquit\nthree");
    bob.expect_silence();
    ann.waits_for("\x1b[?2004h");
    // Somebody looks at it.
    wait_until_asleep(ann.pid());
    thread::park_timeout(Duration::from_millis(500));
    ann.types("\r");
    for text in ["one", "quit", "three"] {
        bob.expect(&format!("DELIVERY ann {text}"));
    }
}

#[test]
fn where_a_shell_controls_jobs_the_first_paste_may_have_brackets_and_need_not() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let client = assert_cmd::cargo::cargo_bin!("client").display();
    for (pasted, texts) in [
        ("\x1b[200~@bob one\r\x1b[201~", &["one"][..]),
        // By a terminal that knows nothing of brackets.
        ("@bob one\r@bob two\r", &["one", "two"]),
    ] {
        let line = format!("set -m; '{client}' --port {} --name ann", server.port());
        let mut ann = Terminal::running(60, 24, &line);
        ann.waits_for("\x1b[?2004h");
        ann.waits_for("logged in as ann!\r\n");
        ann.forget();
        ann.types(pasted);
        let lines: Vec<String> = texts.iter().map(|text| format!("@bob {text}")).collect();
        ann.sees(&lines.join("\n"));
        bob.expect_silence();
        // Somebody looks at it.
        wait_until_asleep(ann.pid());
        thread::park_timeout(Duration::from_millis(500));
        ann.types("\r");
        for text in texts {
            bob.expect(&format!("DELIVERY ann {text}"));
        }
        ann.types("!quit\r");
        ann.ends(0);
        server.wait_for_log("ann left");
    }
}

#[test]
fn lines_that_a_program_types_are_sent_as_they_come_and_see_no_escape() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    for line_end in ["\n", "\r\n"] {
        let mut ann = Terminal::with(80, 24, &format!("--port {}", server.port()));
        ann.waits_for("Enter your login:\r\n");
        ann.types(&["ann", "@bob one", "@bob two", ""].join(line_end));
        bob.expect("DELIVERY ann one");
        bob.expect("DELIVERY ann two");
        ann.types(&format!("!quit{line_end}"));
        ann.ends(0);
        assert!(!ann.written().contains('\x1b'), "{:?}", ann.written());
    }
}

#[test]
fn a_paste_of_a_megabyte_is_taken() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    let text = "0123456789".repeat(99_000);
    ann.types(&format!("\x1b[200~@bob {text}\x1b[201~"));
    ann.types("\n");
    bob.expect(&format!("DELIVERY ann {text}"));
    ann.waits_for(SENT);
    ann.types("!quit\n");
    ann.ends(0);
}
