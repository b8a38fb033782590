//! Command lines, and runs that end by themselves.

use std::net::TcpListener;

use assert_cmd::{Command, cargo::cargo_bin_cmd};
use predicates::prelude::*;

use crate::support::{FakeServer, PATIENCE, Server};

fn server() -> Command {
    let mut command = cargo_bin_cmd!("server");
    command.timeout(PATIENCE);
    command
}

fn client(port: &str) -> Command {
    let mut command = cargo_bin_cmd!("client");
    command.timeout(PATIENCE).args(["--port", port]);
    command
}

fn one_line_with(part: &str) -> impl Predicate<str> {
    predicate::str::contains(part.to_owned()).and(predicate::str::contains("\n").count(1))
}

#[test]
fn help_and_version_go_to_standard_output_and_are_status_0() {
    for (mut command, program) in [(cargo_bin_cmd!("server"), "server"), (cargo_bin_cmd!("client"), "client")] {
        let version = format!("parley {program} {}\n", env!("CARGO_PKG_VERSION"));
        command.arg("--version").assert().success().stdout(version).stderr("");
    }
    let options = ["--address", "--port", "--max-clients", "--max-line", "--max-backlog", "--slow-timeout"];
    let more = ["--login-timeout", "--no-echobot", "--log-level", "--help", "--version", "Exit status"];
    let mut help = server().arg("--help").assert().success().stderr("");
    for part in options.into_iter().chain(more) {
        help = help.stdout(predicate::str::contains(part));
    }
    let mut help = cargo_bin_cmd!("client").arg("-h").assert().success().stderr("");
    for part in ["--address", "--port", "--name", "@NAME MESSAGE", "!who", "!quit", "Exit status"] {
        help = help.stdout(predicate::str::contains(part));
    }
}

#[test]
fn k6_a_wrong_command_line_is_one_line_with_the_usage_and_status_2() {
    for args in [&["--prot"][..], &["--port", "x"], &["--port"], &["5378"], &["--max-clients", "-1"]] {
        server().args(args).assert().code(2).stdout("").stderr(one_line_with("usage: server [OPTIONS]"));
    }
    for args in [&["--prot"][..], &["--port", "0"], &["--port"], &["--nmae", "ann"]] {
        cargo_bin_cmd!("client")
            .args(args)
            .assert()
            .code(2)
            .stdout("")
            .stderr(one_line_with("usage: client [OPTIONS]"));
    }
}

#[test]
fn a_server_that_cannot_listen_says_why_and_how_to_mend_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    server().args(["--port", &port]).assert().code(1).stdout("").stderr(one_line_with("choose one with --port"));
    for address in ["192.0.2.1", "nowhere.invalid"] {
        let options = ["--port", "0", "--address", address];
        server()
            .args(options)
            .assert()
            .code(1)
            .stdout("")
            .stderr(one_line_with("an address or a name of this machine"));
    }
}

#[test]
fn the_load_generator_takes_no_arguments() {
    cargo_bin_cmd!("bench").arg("--runs").assert().code(2).stdout("").stderr(one_line_with("no arguments"));
}

#[test]
fn the_server_listens_on_names_and_on_ipv6() {
    for (address, expected) in [("localhost", "127.0.0.1"), ("::1", "::1"), ("[::1]", "::1")] {
        let server = Server::with(&["--address", address]);
        let ip = server.address.ip();
        assert!(ip.is_loopback() && (ip.to_string() == expected || address == "localhost"), "{ip}");
        server.cap("ann").ask("LIST", "LIST-OK echobot,ann");
        let mut client = cargo_bin_cmd!("client");
        client.args(["-a", address, "-p", &server.port()]).write_stdin("bob\n").assert().success();
    }
}

#[test]
fn k4_without_a_server_the_client_says_so_with_status_1() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("bound").port().to_string()
    };
    client(&port)
        .assert()
        .code(1)
        .stdout("Welcome to Chat Client. Enter your login:\n")
        .stderr(predicate::str::starts_with(format!("Cannot connect to 127.0.0.1 port {port}: ")));
    let mut nowhere = cargo_bin_cmd!("client");
    nowhere
        .args(["--address", "nowhere.invalid"])
        .assert()
        .code(1)
        .stderr(predicate::str::contains("Cannot connect to"));
}

#[test]
fn ri2_ri3_ri8_ri10_ri11_k3_k5_a_whole_chat_through_a_pipe() {
    let server = Server::start();
    let shown = "Welcome to Chat Client. Enter your login:\n\
                 Successfully logged in as ann!\n\
                 The message was sent succesfully\n\
                 From echobot: hello\n\
                 There are 2 online users:\n\
                 - echobot\n\
                 - ann\n";
    for script in ["ann\n@echobot hello\n!who\n!quit\n", "ann\n@echobot hello\n!who\n", "ann\r\n@echobot hello\r\n!who"]
    {
        client(&server.port()).write_stdin(script).assert().success().stdout(shown).stderr("");
    }
}

#[test]
fn ri6_a_full_server_ends_the_client_with_status_1() {
    let server = Server::with(&["--max-clients", "1"]);
    let _ann = server.cap("ann");
    client(&server.port())
        .write_stdin("bob\n@ann hi\n")
        .assert()
        .code(1)
        .stdout("Welcome to Chat Client. Enter your login:\nCannot log in. The server is full!\n")
        .stderr("One line was not sent: @ann hi\n");
}

#[test]
fn k3_the_end_of_input_at_the_prompt_is_status_0() {
    let server = Server::start();
    for script in ["", "\n", "!quit\n", "@bob\n!quit\n"] {
        client(&server.port()).write_stdin(script).assert().success().stderr("");
    }
}

#[test]
fn k3_a_server_that_never_answers_is_an_error_when_there_is_something_to_send() {
    let server = FakeServer::start();
    client(&server.port())
        .write_stdin("ann\n@bob hi\n")
        .assert()
        .code(1)
        .stderr(predicate::str::contains("No answer from 127.0.0.1 port"));
}

#[test]
fn rt4_a_long_message_and_many_messages_go_through_whole() {
    let server = Server::start();
    let text = "x".repeat(1_000_000);
    let many: String = (0..5000).map(|number| format!("@echobot {number}\n")).collect();
    let script = format!("ann\n@echobot {text}\n{many}");
    let mut shown = String::from("Welcome to Chat Client. Enter your login:\nSuccessfully logged in as ann!\n");
    shown += &format!("The message was sent succesfully\nFrom echobot: {text}\n");
    for number in 0..5000 {
        shown += &format!("The message was sent succesfully\nFrom echobot: {number}\n");
    }
    let output = client(&server.port()).write_stdin(script).assert().success().get_output().stdout.clone();
    assert!(output == shown.as_bytes(), "{} bytes shown, {} expected", output.len(), shown.len());
}
