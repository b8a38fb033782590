//! What a person sees on a real terminal that a program does not: rows that cannot lie, own lines as what they became, and
//! whom the bell is for.

use std::env;
use std::fs;

use crate::support::{Server, Terminal};

/// A client that a person uses.
fn person(columns: usize, rows: usize, server: &Server, name: &str, options: &str) -> Terminal {
    let mut ann = Terminal::with(columns, rows, &format!("--port {} --name {name} {options}", server.port()));
    ann.shows("a login", |screen| screen.contains(name) || screen.contains("Ready for messaging!\n>"));
    ann.meets_a_person();
    ann
}

/// Whether this is `HH:MM ` and the text.
fn is_timed(row: &str, text: &str) -> bool {
    let is_time = |time: &str| time.len() == 6 && time.chars().filter(char::is_ascii_digit).count() == 4;
    row.strip_suffix(text).is_some_and(is_time)
}

#[test]
fn no_text_of_a_message_stands_where_a_line_begins() {
    let server = Server::start();
    let mut eve = server.cap("eve");
    let mut ann = person(40, 24, &server, "ann", "--color never");
    ann.types("half a line");
    ann.sees("half a line");
    let pad = " ".repeat(40 - "From eve: hi".len());
    eve.ask(&format!("SEND ann hi{pad}From bob: please send the money to eve"), "SEND-OK");
    ann.sees("From eve: hi\n  From bob: please send the money to eve\nhalf a line");
    ann.resize(20, 24);
    eve.ask("SEND ann hi\tFrom bob: please send the money", "SEND-OK");
    let last = "From eve: hi    From\n  bob: please send\n  the money\nhalf a line";
    ann.shows(last, |screen| screen.ends_with(last));
}

#[test]
fn rt4_a_message_of_a_megabyte_is_shown_and_copied_in_full() {
    let server = Server::start();
    let mut eve = server.cap("eve");
    let log = env::temp_dir().join(format!("parley-whole-{}", std::process::id()));
    let text = "word ".repeat(200_000);
    let mut ann = person(80, 10, &server, "ann", &format!("--log {}", log.display()));
    eve.ask(&format!("SEND ann {text}end"), "SEND-OK");
    ann.waits_for("end\r\n");
    assert_eq!(ann.written().matches("word").count(), 200_000);
    ann.types("!quit\n");
    ann.ends(0);
    let copied = fs::read_to_string(&log).expect("the copy");
    assert!(copied.contains(&format!("From eve: {text}end\n")));
    fs::remove_file(&log).expect("the copy");
}

#[test]
fn an_own_line_becomes_what_was_said_to_whom() {
    let server = Server::start();
    let mut bob = server.wac("bob");
    for (name, protocol, typed, own) in [
        ("ann", "cap", "@bob hello", "ann → bob: hello"),
        ("dan", "wac", "/msg bob hello", "dan → bob: hello"),
        ("eve", "wac", "hello", "eve: hello"),
        ("flo", "chat", "hello", "flo: hello"),
    ] {
        let mut ann = person(80, 24, &server, name, &format!("--color never --protocol {protocol}"));
        ann.types(&format!("{typed}\n!who\n"));
        let heard = bob.recv_line().expect("a message");
        assert!(heard.starts_with(name.as_bytes()), "{heard:?}");
        ann.shows(own, |screen| {
            let mut rows = screen.lines();
            rows.any(|row| row == own)
                && rows.any(|row| row.ends_with("!who"))
                && screen.lines().all(|row| !row.ends_with(&format!("> {typed}")) && row != typed)
        });
    }
}

#[test]
fn k0_colors_begin_with_the_first_key_and_times_need_an_option() {
    let server = Server::start();
    let mut bob = server.wac("bob");
    let client = |name: &str| format!("'{}' --port {} --protocol wac --name {name}", program(), server.port());
    for (name, line, is_colored, has_times) in [
        ("ann", client("ann"), true, false),
        ("eve", client("eve") + " --color never", false, false),
        ("dan", String::from("NO_COLOR=1 ") + &client("dan") + " --timestamps", false, true),
        ("flo", client("flo") + " --timestamps", true, true),
    ] {
        let mut person = Terminal::running(80, 24, &line);
        person.waits_for(&format!("Welcome, {name}."));
        bob.send_line(&format!("MSG hi {name}"));
        person.waits_for(&format!("bob: hi {name}\r\n"));
        person.meets_a_person();
        let before = person.written().len();
        bob.send_line(&format!("W {name} psst"));
        bob.send_line(&format!("MSG hi {name}"));
        let texts = ["bob whispers, \"psst\"", &format!("bob: hi {name}")];
        let looks_so = |row: &str, text: &str| if has_times { is_timed(row, text) } else { row == text };
        person.shows(&format!("{texts:?}"), |screen| {
            let rows: Vec<&str> = screen.lines().collect();
            rows.len() == 2 && rows.iter().zip(texts).all(|(row, text)| looks_so(row, text))
        });
        person.types(&format!("@{name} yo\r"));
        let own = format!("{name} → {name}: yo");
        person.shows(&own, |screen| screen.lines().any(|row| looks_so(row, &own)));
        let written = &person.written()[before..];
        assert_eq!(written.contains("\x1b[2m"), is_colored && has_times, "{written:?}");
        let has = |sequence: &str| written.contains(sequence);
        let highlighted = format!("bob\x1b[0m: hi \x1b[1;7m{name}\x1b[0m");
        assert_eq!(has(&highlighted) && has("\x1b[1mwhispers\x1b[0m"), is_colored, "{written:?}");
        assert_eq!(has("m"), is_colored, "{written:?}");
    }
}

#[test]
fn the_bell_is_for_what_is_meant_for_one_and_for_everything_where_that_is_wanted() {
    let server = Server::start();
    let mut bob = server.wac("bob");
    for (number, (options, expected)) in [
        ("--protocol wac --bell", [false, true, true]),
        ("--protocol chat --bell", [false, true, true]),
        ("--protocol wac --bell all", [true, true, true]),
        ("--protocol cap --bell", [true, true, true]),
        ("--protocol wac", [false, false, false]),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("ann{number}");
        let mut ann = Terminal::with(80, 24, &format!("--port {} --name {name} {options}", server.port()));
        server.wait_for_log(&format!("{name} logged in"));
        for (line, rings) in ["MSG one", "MSG two, ANN!", "W ann three"].into_iter().zip(expected) {
            let line = line.replace("ANN", &name.to_uppercase()).replace("ann", &name);
            let before = ann.written().len();
            bob.send_line(&line);
            bob.send_line("MSG fence");
            ann.waits_for("fence");
            let written = ann.written();
            let own = written[before..].split("fence").next().unwrap_or_default();
            // In CAP the fence rings as well.
            assert_eq!(own.contains('\x07'), rings, "{options}: {line}");
        }
        ann.types("!quit\n");
        ann.ends(0);
    }
}

fn program() -> String {
    assert_cmd::cargo::cargo_bin!("client").display().to_string()
}
