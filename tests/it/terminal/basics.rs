//! The client on a real terminal, which `script` of util-linux makes.

use std::process::Command;

use assert_cmd::cargo::cargo_bin;

use crate::support::{Client, Server};

/// A client whose standard streams are a terminal, logged in; the terminal echoes what is typed, as terminals do.
fn on_a_terminal(server: &Server, name: &str) -> Client {
    let mut command = Command::new("script");
    let client = cargo_bin!("client").display().to_string();
    command.args(["-qec", &format!("stty -onlcr; exec '{client}' --port {}", server.port()), "/dev/null"]);
    let mut client = Client::from(command);
    client.expect("Welcome to Chat Client. Enter your login:");
    client.type_line(name);
    client.expect(name);
    client.expect(&format!("Successfully logged in as {name}!"));
    client
}

#[test]
fn rt3_deliveries_are_plain_lines_back_to_back() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut ann = on_a_terminal(&server, "ann");
    for number in 0..10 {
        bob.ask(&format!("SEND ann m{number}"), "SEND-OK");
    }
    for number in 0..10 {
        ann.expect(&format!("From bob: m{number}"));
    }
    ann.type_line("@bob hi");
    bob.expect("DELIVERY ann hi");
    ann.expect("@bob hi");
    ann.expect("The message was sent succesfully");
}

#[test]
fn ri7_quit_needs_no_second_key() {
    let server = Server::start();
    let mut ann = on_a_terminal(&server, "ann");
    ann.type_line("!quit");
    ann.expect("!quit");
    ann.expect_exit(0);
}

#[test]
fn k6_ctrl_c_is_status_130() {
    let server = Server::start();
    let mut ann = on_a_terminal(&server, "ann");
    ann.type_bytes(b"\x03");
    ann.expect_status(130);
    server.wait_for_log("ann left");
}
