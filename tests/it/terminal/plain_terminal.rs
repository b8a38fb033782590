//! What a program sees that drives the client through a pseudo-terminal and sends it whole lines, byte for byte: nobody is
//! there, so it is lines only, without colours, and without escapes but the modes of the terminal and the one that takes the
//! prompt of CHAT/1.0 away.

use crate::support::{Server, Terminal};

/// A text wider than the terminal, with much that a person would be shown in another way.
const LONG: &str = "ann, these are words, and more words, and 漢字 e\u{301} 👩\u{200d}🚀 that take more than eighty columns \
    and more than one row                     From bob: bob";

/// Sends a line as a program does, and waits for what comes of it.
#[track_caller]
fn types(client: &mut Terminal, line: &str, awaited: &str) {
    client.types(&format!("{line}\n"));
    client.waits_for(awaited);
}

/// Leaves, and compares all that was written up to the end: these lines.
#[track_caller]
fn ends_with(client: &mut Terminal, lines: &[&str]) {
    client.types("!quit\n");
    client.ends(0);
    let written = client.written();
    let expected = lines.join("\r\n").replace("LONG", LONG);
    // On a busy machine there may be another try before the next line is typed.
    let mut tries = 0;
    let is_first_try = |line: &&str| {
        tries += usize::from(line.starts_with("Cannot connect to"));
        tries < 2 || !line.starts_with("Cannot connect to")
    };
    let seen: String = written.split_inclusive('\n').filter(is_first_try).collect();
    assert_eq!(seen.split("status 0\r\n").next(), Some(&*expected));
}

#[test]
fn rt3_a_program_that_types_whole_lines_sees_plain_lines_in_cap() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = Terminal::with(80, 24, &format!("--port {}", server.port()));
    ann.waits_for("Enter your login:\r\n");
    types(&mut ann, "a b", "Enter your login:\r\n");
    types(&mut ann, "bob", "Enter your login:\r\n");
    types(&mut ann, "ann", "logged in as ann!\r\n");
    types(&mut ann, "!who", "- ann\r\n");
    types(&mut ann, "@bob hello", "succesfully\r\n");
    bob.expect("DELIVERY ann hello");
    bob.ask(&format!("SEND ann \t{LONG}"), "SEND-OK");
    ann.waits_for("From bob: bob\r\n");
    types(&mut ann, &format!("@bob {LONG}"), "succesfully\r\n");
    types(&mut ann, "@nobody hello", "does not exist\r\n");
    types(&mut ann, "hello", "to leave.\r\n");
    types(&mut ann, "@bob ", "message body.\r\n");
    types(&mut ann, "", "\r\n");
    let login = [
        "Welcome to Chat Client. Enter your login:",
        "a b",
        "Cannot log in as a b. That username contains disallowed characters.",
        "Enter your login:",
        "bob",
        "Cannot log in as bob. That username is already in use.",
        "Enter your login:",
        "ann",
        "Successfully logged in as ann!",
    ];
    let chat = [
        "!who",
        "There are 3 online users:",
        "- echobot",
        "- bob",
        "- ann",
        "@bob hello",
        "The message was sent succesfully",
        "From bob: \tLONG",
        "@bob LONG",
        "The message was sent succesfully",
        "@nobody hello",
        "The destination user does not exist",
        "hello",
        "Use @<username> <message> to send, !who to list who is online, !quit to leave.",
        "@bob ",
        "Error: Unknown issue in previous message body.",
        "",
        "!quit",
        "",
    ];
    ends_with(&mut ann, &[&login[..], &chat].concat());
}

#[test]
fn w14_a_program_that_types_whole_lines_sees_plain_lines_in_wac() {
    let server = Server::start();
    let mut bob = server.wac("bob");
    let mut ann = Terminal::with(80, 24, &format!("--port {} --protocol wac --name ann", server.port()));
    ann.waits_for("Welcome, ann.\r\n");
    types(&mut ann, "!who", "bob, ann\r\n");
    types(&mut ann, "hello", "hello\r\n");
    bob.expect("ann: hello");
    types(&mut ann, "@bob psst", "psst\r\n");
    bob.expect("ann whispers, \"psst\"");
    types(&mut ann, LONG, "From bob: bob\r\n");
    bob.expect(&format!("ann: {LONG}"));
    bob.send_line(&format!("MSG \t{LONG}"));
    ann.waits_for("From bob: bob\r\n");
    bob.send_line("W ann psst, ann");
    ann.waits_for("psst, ann\"\r\n");
    types(&mut ann, "@nobody hello", "is logged in.\r\n");
    types(&mut ann, "!whp", "!whp\r\n");
    bob.expect("ann: !whp");
    let chat = [
        "Welcome, ann.",
        "!who",
        "Online: echobot, bob, ann",
        "hello",
        "@bob psst",
        "LONG",
        "bob: \tLONG",
        "bob whispers, \"psst, ann\"",
        "@nobody hello",
        "No user named nobody is logged in.",
        "!whp",
        "!quit",
        "",
    ];
    ends_with(&mut ann, &chat);
}

#[test]
fn h12_a_program_that_types_whole_lines_sees_plain_lines_in_chat() {
    let server = Server::start();
    let mut bob = server.chat("bob");
    let mut eve = server.wac("eve");
    let mut ann = Terminal::with(80, 24, &format!("ann chat://127.0.0.1:{}", server.port()));
    ann.waits_for("Ready for messaging!\r\n> ");
    types(&mut ann, "hello", "hello\r\n> ");
    bob.expect("@ann: hello");
    types(&mut ann, LONG, "From bob: bob\r\n> ");
    bob.expect(&format!("@ann: {LONG}"));
    bob.send_line(&format!("@bob: \t{LONG}"));
    ann.waits_for("From bob: bob\r\n> ");
    eve.send_line("W ann psst, ann");
    ann.waits_for("psst, ann\r\n> ");
    types(&mut ann, "@eve psst", "psst\r\n> ");
    bob.expect("@ann: @eve psst");
    let chat = [
        "Connecting to server ...",
        "Connection to server established. Sending intro message...",
        "",
        "Registration successful.  Ready for messaging!",
        "> hello",
        "> LONG",
        "> \r\x1b[J@bob: \tLONG",
        "> \r\x1b[J@eve whispers: psst, ann",
        "> @eve psst",
        "> !quit",
        "",
    ];
    ends_with(&mut ann, &chat);
}

#[test]
fn k6_a_program_that_types_whole_lines_sees_plain_lines_when_the_server_goes() {
    let mut server = Server::start();
    let port = server.port();
    let mut ann = Terminal::with(80, 24, &format!("--port {port} --name ann --reconnect"));
    ann.waits_for("logged in as ann!\r\n");
    server.kill();
    ann.waits_for("trying again in 1 s.\r\n");
    ann.waits_for("trying again in 2 s.\r\n");
    ann.types("\n@bob hello\n");
    let there = format!("127.0.0.1 port {port}");
    let chat = [
        "Welcome to Chat Client. Enter your login:",
        "Successfully logged in as ann!",
        &format!("The connection to {there} was lost: the server closed it; trying again in 1 s."),
        &format!("Cannot connect to {there}: Connection refused; trying again in 2 s."),
        "",
        "@bob hello",
        "!quit",
        "One line was not sent: @bob hello",
        "",
    ];
    ends_with(&mut ann, &chat);
}
