//! The line editor, as a person sees it on a real terminal.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::{FakeServer, Server, Terminal, wait_until_asleep};

const SENT: &str = "The message was sent succesfully";

/// The text as a terminal of so many columns wraps it.
fn wrapped(text: &str, columns: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let rows = chars.chunks(columns).map(|row| row.iter().collect::<String>().trim_end().to_owned());
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn rt6_a_half_typed_line_survives_ten_messages() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let long = format!("@bob {}", "0123456789".repeat(6));
    for (number, (columns, line)) in
        [(80, "@bob half a line"), (20, "@bob half a line and more"), (20, &long[..60]), (20, &long)]
            .into_iter()
            .enumerate()
    {
        let name = format!("ann{number}");
        let mut ann = Terminal::logged_in(columns, 24, &server.port(), &name);
        let (half, rest) = line.split_at(10);
        ann.types(half);
        ann.sees(half.trim_end());
        for number in 0..10 {
            bob.ask(&format!("SEND {name} m{number}"), "SEND-OK");
        }
        ann.waits_for("m9");
        ann.types(rest);
        let messages: Vec<String> = (0..10).map(|number| format!("From bob: m{number}")).collect();
        let messages = messages.join("\n");
        ann.sees(&[messages.clone(), wrapped(line, columns)].join("\n"));
        ann.types("\n");
        bob.expect(&format!("DELIVERY {name} {}", &line[5..]));
        ann.sees(&[messages, wrapped(line, columns), wrapped(SENT, columns)].join("\n"));
        ann.types("!quit\n");
        ann.ends(0);
    }
}

#[test]
fn while_nothing_is_typed_there_is_no_escape_at_all() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::with(80, 24, &format!("--port {} --name ann", server.port()));
    ann.waits_for("logged in as ann!\r\n");
    for number in 0..10 {
        bob.ask(&format!("SEND ann m{number}"), "SEND-OK");
    }
    ann.waits_for("m9\r\n");
    let messages: String = (0..10).map(|number| format!("From bob: m{number}\r\n")).collect();
    let login = "Welcome to Chat Client. Enter your login:\r\nSuccessfully logged in as ann!\r\n";
    assert_eq!(ann.written(), format!("{login}{messages}"));
}

#[test]
fn ri7_quit_works_however_much_was_typed_ahead() {
    let server = FakeServer::start();
    let mut ann = Terminal::with(80, 24, &format!("--port {}", server.port()));
    let mut peer = server.accept();
    ann.types("ann\n");
    peer.expect("HELLO-FROM ann");
    for number in 0..1100 {
        ann.types(&format!("@bob {number}\n"));
    }
    ann.waits_for("That line is not sent: too many wait already.");
    ann.types("!quit\n");
    ann.ends(0);
}

#[test]
fn keys_edit_and_bring_back() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    ann.types("@bob wrld\x1b[D\x1b[D\x1b[Do");
    ann.sees("@bob world");
    assert_eq!(ann.cursor(), (0, 7));
    ann.types("\x01\x1b[3~\x1b[3~\x1b[3~\x1b[3~\x05!");
    ann.sees(" world!");
    ann.types("\x15@bob 漢e\u{301}x\x7f\x7f字\n");
    bob.expect("DELIVERY ann 漢字");
    ann.sees(&format!("@bob 漢字\n{SENT}"));
    ann.types("\x1b[A");
    ann.sees(&format!("@bob 漢字\n{SENT}\n@bob 漢字"));
    ann.types("\x17again\n");
    bob.expect("DELIVERY ann again");
}

#[test]
fn text_typed_over_an_old_line_is_kept() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    for text in ["first", "second"] {
        ann.types(&format!("@bob {text}\n"));
        bob.expect(&format!("DELIVERY ann {text}"));
        ann.waits_for(SENT);
    }
    ann.types("\x1b[A\x15@bob a long new message\x1b[A\x1b[B\n");
    bob.expect("DELIVERY ann a long new message");
}

#[test]
fn ctrl_s_halts_nothing_and_a_tab_in_the_middle_of_a_read_is_text() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    ann.types("@bob a\x13\tb");
    bob.ask("SEND ann hi", "SEND-OK");
    ann.sees("From bob: hi\n@bob a  b");
    ann.types("\n");
    bob.expect("DELIVERY ann a\tb");
}

#[test]
fn a_line_feed_pasted_behind_a_full_row_and_a_resize_do_no_harm() {
    let server = Server::start();
    let mut ann = Terminal::with(5, 24, &format!("--port {} --name ann", server.port()));
    ann.waits_for("ann!");
    ann.types("hello");
    ann.waits_for("hello");
    ann.types("\x1b[200~\nx\x1b[201~");
    ann.waits_for("x");
    ann.forget();
    ann.resize(7, 24);
    ann.resize(5, 24);
    ann.types("\x15\x7f\x15!quit\n");
    ann.ends(0);
}

#[test]
fn names_typed_at_the_login_are_not_brought_back() {
    let server = Server::start();
    let mut ann = Terminal::with(80, 24, &format!("--port {}", server.port()));
    ann.waits_for("Enter your login:");
    ann.types("ann\n");
    ann.waits_for("logged in as ann!\r\n");
    ann.forget();
    ann.types("\x1b[Ax");
    ann.sees("x");
}

#[test]
fn tab_completes_what_was_seen() {
    let server = Server::start();
    let mut bob = server.cap("bobolink");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    bob.ask("SEND ann hi", "SEND-OK");
    ann.sees("From bobolink: hi");
    ann.types("@");
    ann.sees("From bobolink: hi\n@");
    ann.types("b\t");
    ann.sees("From bobolink: hi\n@bobolink");
    ann.types("hello\n");
    bob.expect("DELIVERY ann hello");
    ann.sees(&format!("From bobolink: hi\nann → bobolink: hello\n{SENT}"));
    ann.forget();
    ann.types("!w\t");
    ann.waits_for("!who ");
    ann.types("\n");
    ann.waits_for("- bobolink");
    ann.waits_for("- ann");
    ann.types("!h\t");
    ann.waits_for("!help ");
    ann.types("\n");
    ann.waits_for("Send a message to one user");
}

#[test]
fn tab_goes_through_the_names_and_shift_tab_goes_back() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut bert = server.cap("bert");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    bob.ask("SEND ann one", "SEND-OK");
    ann.sees("From bob: one");
    bert.ask("SEND ann two", "SEND-OK");
    ann.sees("From bob: one\nFrom bert: two");
    let seen = "From bob: one\nFrom bert: two\n";
    for (keys, line) in
        [("@", "@"), ("\t", "@bert"), ("\t", "@bob"), ("\x1b[Z", "@bert"), ("\x1b[Z", "@bob"), ("hi", "@bob hi")]
    {
        ann.types(keys);
        ann.sees(&format!("{seen}{line}"));
    }
    ann.types("\n");
    bob.expect("DELIVERY ann hi");
}

#[test]
fn ctrl_c_clears_a_half_typed_line_and_leaves_when_it_is_empty() {
    let server = Server::start();
    let mut ann = Terminal::with_person(80, &server.port());
    ann.types("half a line");
    ann.sees("half a line");
    ann.types("\x03");
    ann.sees("Ctrl-C again leaves");
    ann.types("half");
    ann.sees("Ctrl-C again leaves\nhalf");
    ann.types("\x03\x03");
    ann.ends(130);
}

#[test]
fn ctrl_c_ends_a_script_at_once() {
    let server = Server::start();
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    ann.types("half a line");
    ann.sees("half a line");
    ann.types("and more\x03");
    ann.ends(130);
    assert!(!ann.written().contains("again leaves"));
}

#[test]
fn ctrl_r_searches_and_enter_sends() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::with_person(80, &server.port());
    for text in ["one", "two"] {
        ann.types(&format!("@bob {text}\n"));
        bob.expect(&format!("DELIVERY ann {text}"));
        ann.waits_for(&format!("{SENT}\r\n"));
    }
    ann.forget();
    ann.types("draft\x12bob");
    ann.sees("(reverse-i-search)`bob': @bob two");
    assert_eq!(ann.cursor(), (0, 26));
    bob.ask("SEND ann hi", "SEND-OK");
    ann.sees("From bob: hi\n(reverse-i-search)`bob': @bob two");
    ann.types("\x12");
    ann.sees("From bob: hi\n(reverse-i-search)`bob': @bob one");
    ann.types("\x1b");
    ann.sees("From bob: hi\ndraft");
    ann.types("\x12one\n");
    bob.expect("DELIVERY ann one");
    ann.shows("what was sent", |screen| {
        screen.starts_with("From bob: hi\n") && screen.ends_with(&format!("\nann → bob: one\n{SENT}"))
    });
}

#[test]
fn k2_a_text_without_a_recipient_is_not_sent_and_within_reach_of_up() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::with_person(80, &server.port());
    ann.types("hello\n");
    ann.waits_for("Use @<username>");
    ann.types("\x1b[A\x01@bob \n");
    bob.expect("DELIVERY ann hello");
    ann.types("/whp\n");
    ann.waits_for("No such command: /whp. Did you mean /who?");
    ann.types("/msg @bob hi\n");
    bob.expect("DELIVERY ann hi");
}

#[test]
fn bad_input_from_the_keyboard_does_no_harm() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    ann.types("@bob a\x1b[99;99z\x1b[5~\x1b]0;title\x07b\x1b[Dc\x1bt\x1bu\x1b.");
    ann.sees("@bob acb");
    ann.types_bytes(b"\x05 \xff\xe6\xbc.\n");
    bob.expect("DELIVERY ann acb \u{fffd}\u{fffd}.");
}

#[test]
fn a_lone_escape_swallows_nothing() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    for text in ["Please come at five", "Oh yes", "[brackets]", "bye", "for you"] {
        ann.types("@bob \x1b");
        ann.waits_for("@bob ");
        // Somebody takes the time to think.
        wait_until_asleep(ann.pid());
        thread::park_timeout(Duration::from_millis(500));
        ann.types(&format!("{text}\n"));
        bob.expect(&format!("DELIVERY ann {text}"));
    }
}

#[test]
fn a_byte_that_is_no_character_holds_nothing_back() {
    let server = Server::start();
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    ann.types_bytes(b"caf\xe9a");
    ann.sees("caf\u{fffd}a");
}

#[test]
fn terminals_of_any_size_work() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    for (columns, rows) in [(1, 1), (0, 0), (2, 2), (500, 50)] {
        let name = format!("ann{columns}");
        let mut ann = Terminal::with(columns, rows, &format!("--port {} --name {name}", server.port()));
        ann.waits_for(&format!("logged in as {name}!"));
        ann.types("@bob one\x1b[D\x1b[D");
        bob.ask(&format!("SEND {name} hi"), "SEND-OK");
        ann.waits_for("From bob: hi");
        ann.types("漢x\n");
        bob.expect(&format!("DELIVERY {name} o漢xne"));
        ann.types("!quit\n");
        ann.ends(0);
    }
}

#[test]
fn a_resized_terminal_shows_the_line_being_typed_as_it_is() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::logged_in(40, 24, &server.port(), "ann");
    let line = "@bob a line that is wider than this terminal is";
    ann.types(line);
    ann.sees(&wrapped(line, 40));
    for (number, columns) in [20, 60, 7, 40].into_iter().enumerate() {
        ann.resize(columns, 24);
        bob.ask("SEND ann m", "SEND-OK");
        ann.waits_for("From bob: m");
        let mut expected = vec![wrapped("From bob: m", columns); number + 1];
        expected.push(wrapped(line, columns));
        let expected = expected.join("\n");
        ann.sees(&expected);
        ann.types("\x1b[D\x1b[C");
        ann.sees(&expected);
    }
    ann.types("\n");
    bob.expect(&format!("DELIVERY ann {}", &line[5..]));
}

#[test]
fn a_flood_of_messages_does_not_hold_up_typing() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let flood = server.cap("flood");
    let mut ann = Terminal::logged_in(80, 24, &server.port(), "ann");
    let mut voice = flood.stream.try_clone().expect("a socket");
    let lines = "SEND ann a message of many\n".repeat(100);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                let _ = voice.write_all(lines.as_bytes());
            }
        });
        scope.spawn(|| io::copy(&mut &flood.stream, &mut io::sink()));
        // A line that waited for the end of the flood would wait for ever.
        for number in 0..5 {
            for c in format!("@bob {number}\n").chars() {
                ann.types(&c.to_string());
            }
            bob.expect(&format!("DELIVERY ann {number}"));
        }
        over.store(true, Ordering::Release);
        flood.finish();
    });
}

#[test]
fn h12_the_prompt_comes_back_below_each_message() {
    let server = Server::start();
    let mut bob = server.chat("bob");
    let mut alice = Terminal::with(80, 24, &format!("alice chat://127.0.0.1:{}", server.port()));
    alice.waits_for("Ready for messaging!");
    alice.waits_for("> ");
    for text in ["one", "two"] {
        bob.send_line(&format!("@bob: {text}"));
        alice.waits_for(&format!("@bob: {text}"));
    }
    alice.types("hello");
    bob.send_line("@bob: three");
    alice.waits_for("@bob: three");
    alice.types(" all\n");
    bob.expect("@alice: hello all");
    let intro = "Connecting to server ...\nConnection to server established. Sending intro message...\n\n\
        Registration successful.  Ready for messaging!";
    alice.sees(&format!("{intro}\n@bob: one\n@bob: two\n@bob: three\n> hello all\n>"));
}
