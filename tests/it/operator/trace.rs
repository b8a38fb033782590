//! What goes over the wire, as the server logs it for whoever writes a client, and as the client shows it.

use assert_cmd::cargo::cargo_bin_cmd;

use crate::support::{Client, FakeServer, PATIENCE, Server, Terminal};

/// The trace lines of the log so far, without their time and level.
fn traced(server: &Server) -> Vec<String> {
    let log = server.log();
    log.lines().filter_map(|line| line.split_once(" trace ")).map(|(_, text)| text.to_owned()).collect()
}

#[test]
fn c13_c14_each_line_is_logged_as_it_came_with_what_is_wrong_about_it() {
    let server = Server::with(&["--log-level", "trace"]);
    let mut ann = server.connect();
    let address = ann.stream.local_addr().expect("connected");
    ann.send_line("HELLO-FROM ann\r");
    ann.expect("HELLO ann");
    ann.ask("SEND ann", "BAD-RQST-BODY");
    ann.send(b"WHO\0\n");
    ann.expect("BAD-RQST-HDR");
    ann.send(b"SEND nobody \xff\xc3(\n");
    ann.expect("BAD-DEST-USER");
    ann.ask("LIST", "LIST-OK echobot,ann");
    ann.send(b"\xff\xf4\xff\xf1LIST\n");
    ann.expect("LIST-OK echobot,ann");
    // The beginning of a line, and never its end.
    ann.send(b"LIST");
    server.wait_for_log("ann > \"LIST\"");
    drop(ann);
    server.wait_for_log("ann left");
    let expected = [
        "the log shows every line of all clients, with its text",
        &format!(r#"{address} > "HELLO-FROM ann\r\n""#),
        r#"ann < "HELLO ann\n""#,
        r#"ann > "SEND ann\n" BAD-RQST-BODY: SEND needs a name and a text (C14)"#,
        r#"ann < "BAD-RQST-BODY\n""#,
        r#"ann > "WHO\0\n" BAD-RQST-HDR: the first word is none of LIST, WHO and SEND (C14)"#,
        r#"ann < "BAD-RQST-HDR\n""#,
        r#"ann > "SEND nobody \xff\xc3(\n" BAD-DEST-USER: nobody of that name is logged in; capitals count (C9)"#,
        r#"ann < "BAD-DEST-USER\n""#,
        r#"ann > "LIST\n""#,
        r#"ann < "LIST-OK echobot,ann\n""#,
        r#"ann > "LIST\n""#,
        r#"ann < "LIST-OK echobot,ann\n""#,
        r#"ann > "LIST" and no LF yet (G1)"#,
        r#"ann > "LIST" is not handled: it has no LF (G1)"#,
    ];
    assert_eq!(traced(&server), expected);
    assert!(
        server.log().lines().next().is_some_and(|line| line.contains("the log shows every line")),
        "{}",
        server.log()
    );
}

#[test]
fn g1_c9_a_message_to_nobody_and_a_line_without_lf_are_explained() {
    let server = Server::with(&["--log-level", "trace"]);
    let mut ann = server.cap("ann");
    ann.ask("SEND nobody hi", "BAD-DEST-USER");
    let line = server.wait_for_log(r#"ann > "SEND nobody hi\n" BAD-DEST-USER: "#);
    assert!(line.contains("nobody of that name is logged in") && line.ends_with("(C9)"), "{line}");
    ann.send(b"LIST");
    server.wait_for_log(r#"ann > "LIST" and no LF yet (G1)"#);
}

#[test]
fn c13_w9_h3_a_refused_login_says_why_in_each_protocol() {
    let server = Server::with(&["--log-level", "trace", "--max-clients", "1"]);
    let _ann = server.cap("ann");
    for (line, answer, reason) in [
        ("HELLO-FROM ann", "IN-USE", "IN-USE: somebody has that name (C3)"),
        ("HELLO-FROM bob", "BUSY", "BUSY: as many are logged in as may be (C4)"),
        ("HELLO-FROM", "BAD-RQST-BODY", "BAD-RQST-BODY: HELLO-FROM needs a name (C13)"),
        ("MSG hi", "Log in first: LIN <name>", "Log in first: LIN <name>: MSG and W need a login (W9)"),
        ("REGISTER bob", "400 Invalid registration", "400 Invalid registration: the first line is REGISTER, a name"),
    ] {
        let mut peer = server.connect();
        let address = peer.stream.local_addr().expect("connected");
        peer.ask(line, answer);
        server.wait_for_log(&format!(r#"{address} > "{line}\n" {reason}"#));
        server.wait_for_log(&format!(r#"{address} < "{answer}\n""#));
    }
}

#[test]
fn g7_a_batch_is_logged_line_by_line_in_the_order_in_which_it_goes_out() {
    let server = Server::with(&["--trace", "bob", "--trace", "nobody", "--log-level", "error"]);
    let (mut ann, mut bob) = (server.wac("ann"), server.cap("bob"));
    let lines: String = (0..100).map(|number| format!("W bob {number}\n")).collect();
    ann.send(lines.as_bytes());
    for number in 0..100 {
        bob.expect(&format!("DELIVERY ann {number}"));
    }
    bob.ask("LIST", "LIST-OK echobot,ann,bob");
    server.wait_for_log("LIST-OK");
    let log = traced(&server);
    assert_eq!(log[0], "the log shows every line of bob, nobody, with its text");
    assert!(log[1].ends_with(r#" > "HELLO-FROM bob\n""#) && log[2] == r#"bob < "HELLO bob\n""#, "{log:?}");
    let deliveries: Vec<String> = (0..100).map(|number| format!(r#"bob < "DELIVERY ann {number}\n""#)).collect();
    assert_eq!(log[3..103], deliveries);
    assert_eq!(log[103..], [r#"bob > "LIST\n""#, r#"bob < "LIST-OK echobot,ann,bob\n""#]);
}

#[test]
fn g8_g13_a_long_line_shows_its_ends_and_one_without_lf_that_it_has_none() {
    let server = Server::with(&["--trace", "ann", "--trace", "eve"]);
    let mut ann = server.cap("ann");
    let text = format!("SEND echobot {}the end", "x".repeat((1 << 20) - 21));
    assert_eq!(text.len() + 1, 1 << 20);
    ann.ask(&text, "SEND-OK");
    // Where the machine is busy, its beginning is shown before.
    let line = server.wait_for_log(" 1048576 bytes ");
    let shown = r#"x" ... 1048576 bytes ... "xxx"#;
    assert!(line.contains(shown) && line.ends_with(r#"xthe end\n""#) && line.len() < 1000, "{line}");
    let line = server.wait_for_log("DELIVERY echobot x");
    assert!(line.contains(&shown.replace("576", "580")) && line.len() < 1000, "{line}");
    ann.send(text.as_bytes());
    ann.send(b"too much\n");
    server.wait_for_log(" BAD-RQST-BODY: the line is longer than a line may be (G8)");
    let mut eve = server.connect();
    eve.send(b"REGISTER eve CHAT/1.0");
    server.wait_for_log(r#"> "REGISTER eve CHAT/1.0""#);
    server.wait_for_log(r#"eve < "200 Registration successful""#);
}

#[test]
fn lines_that_have_to_wait_are_not_taken_for_one_without_lf() {
    let server = Server::with(&["--trace", "ann", "--log-level", "error", "--max-rate", "2"]);
    let mut ann = server.connect();
    ann.send(b"HELLO-FROM ann\nLIST\nLIST\nLIST\nLIST\nLIST\nLIST\nSEND");
    ann.expect("HELLO ann");
    (0..6).for_each(|_| ann.expect("LIST-OK echobot,ann"));
    server.wait_for_log("and no LF yet");
    let partial: Vec<String> = traced(&server).into_iter().filter(|line| line.contains("no LF")).collect();
    assert_eq!(partial, [r#"ann > "SEND" and no LF yet (G1)"#]);
}

#[test]
fn every_line_of_a_flood_is_logged_or_counted() {
    let server = Server::with(&["--log-level", "trace"]);
    let mut ann = server.cap("ann");
    let lines = "LIST x\n".repeat(100_000);
    ann.send(lines.as_bytes());
    for _ in 0..100_000 {
        ann.expect("BAD-RQST-BODY");
    }
    // What was dropped is told with the next line that is not.
    let mut bob = server.cap("bob");
    let mut asked = 0;
    while !server.log().contains(r#"bob < "BAD-RQST-BODY"#) {
        bob.ask("LIST x", "BAD-RQST-BODY");
        asked += 1;
    }
    drop(bob);
    server.wait_for_log("bob left");
    let log = server.log();
    let count = |line: &str| line.strip_suffix(" log lines were dropped")?.rsplit(' ').next()?.parse::<usize>().ok();
    let dropped: usize = log.lines().filter_map(count).sum();
    let shown = log.lines().filter(|line| count(line).is_none()).count();
    // Both ways; the first line, and for each of the two that it has come, and its login both ways and in words; that one has
    // left. Where the machine is busy, some beginnings of lines as well.
    let expected = 2 * (100_000 + asked) + 1 + 2 * 4 + 1;
    assert!((expected - 1..expected + 100).contains(&(shown + dropped)), "{shown} and {dropped}: {expected}");
}

/// What a client with these options and this input writes to its two standard streams.
fn traced_client(server: &Server, options: &[&str], typed: &str) -> (String, String) {
    let mut client = cargo_bin_cmd!("client");
    client.timeout(PATIENCE).args(["--port", &server.port(), "--trace"]).args(options).write_stdin(typed);
    let output = client.assert().success().get_output().clone();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr))
}

#[test]
fn the_client_shows_what_it_says_and_hears_in_each_protocol_on_standard_error() {
    let server = Server::start();
    let (shown, traced) = traced_client(&server, &[], "ann\n@echobot hi\n");
    assert!(
        shown.ends_with("The message was sent succesfully\nFrom echobot: hi\n") && !shown.contains("trace"),
        "{shown}"
    );
    let expected = [
        r#"trace > "HELLO-FROM ann\n""#,
        r#"trace < "HELLO ann\n""#,
        r#"trace > "SEND echobot hi\n""#,
        r#"trace < "SEND-OK\n""#,
        r#"trace < "DELIVERY echobot hi\n""#,
    ];
    assert_eq!(traced.lines().collect::<Vec<_>>(), expected);
    let mut eve = server.wac("eve");
    let (_, traced) = traced_client(&server, &["--protocol", "wac", "--name", "ann"], "hi\n!who\n");
    eve.expect("ann: hi");
    // It does not wait for the answers to what comes from a pipe.
    let in_direction =
        |direction: &str| -> Vec<&str> { traced.lines().filter_map(|line| line.strip_prefix(direction)).collect() };
    assert_eq!(in_direction("trace > "), [r#""LIN ann\n""#, r#""MSG hi\n""#, r#""WHO\n""#]);
    assert_eq!(in_direction("trace < "), [r#""Welcome, ann.\n""#, r#""Online: echobot, eve, ann\n""#]);
    let (_, traced) = traced_client(&server, &["--protocol", "chat", "--name", "ann"], "hi\n");
    eve.expect("ann: hi");
    let mut lines: Vec<&str> = traced.lines().collect();
    lines.sort_unstable();
    let expected = [
        r#"trace < "200 Registration successful\n""#,
        r#"trace > "@ann: hi\n""#,
        r#"trace > "DISCONNECT ann CHAT/1.0\n""#,
        r#"trace > "REGISTER ann CHAT/1.0\n""#,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn the_client_shows_what_a_server_gets_wrong() {
    let server = FakeServer::start();
    let mut client = Client::with(&server.port(), &["--trace"]);
    let mut peer = server.accept();
    client.type_line("ann");
    peer.expect("HELLO-FROM ann");
    // Nothing of it is shown (RT3), but what is missing can be seen.
    peer.send(b"HELLO ann");
    client.expect_error(r#"trace < "HELLO ann" and no LF yet (G1)"#);
    peer.send(b"\0\r\n");
    client.expect_error(r#"trace < "HELLO ann\0\r\n""#);
}

#[test]
fn rt6_a_traced_line_spoils_nothing_that_is_being_typed() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut terminal = Terminal::with(60, 24, &format!("--port {} --name ann --trace", server.port()));
    terminal.waits_for("logged in as ann!");
    terminal.types("@bob I am");
    terminal.waits_for("I am");
    terminal.forget();
    bob.ask("SEND ann hi", "SEND-OK");
    terminal.sees("trace < \"DELIVERY bob hi\\n\"\nFrom bob: hi\n@bob I am");
    terminal.types(" here\r");
    bob.expect("DELIVERY ann I am here");
    terminal.waits_for("trace > \"SEND bob I am here\\n\"");
    terminal.waits_for("trace < \"SEND-OK\\n\"");
}
