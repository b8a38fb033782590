//! The CAP client in a script: what it sends, shows and returns.

use crate::support::{Client, Server};

const WELCOME: &str = "Welcome to Chat Client. Enter your login:";
const SENT: &str = "The message was sent succesfully";

/// Runs a client with these options and this input, and returns its output, its diagnostics and its status.
fn run_script(port: &str, options: &[&str], script: &str) -> (String, String, i32) {
    let mut client = Client::with(port, options);
    client.type_bytes(script.as_bytes());
    client.end_input();
    let status = client.status();
    (client.output_so_far(), client.errors_so_far(), status)
}

#[test]
fn k6_a_script_whose_name_is_refused_sends_nothing_under_another_one() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let _ann = server.cap("ann");
    for (name, refusal) in [
        ("ann", "Cannot log in as ann. That username is already in use.\n"),
        ("a b", "Cannot log in as a b. That username contains disallowed characters.\n"),
        ("a!b", "Cannot log in as a!b. That username contains disallowed characters.\n"),
    ] {
        let script = "@bob I am late\nnope\n@bob start without me\n";
        let (output, errors, status) = run_script(&server.port(), &["--name", name], script);
        assert_eq!((output.as_str(), status), (&*format!("{WELCOME}\n"), 1), "{name}");
        assert!(errors.starts_with(refusal), "{errors}");
    }
    bob.expect_silence();
}

#[test]
fn k3_names_that_come_by_the_pipe_are_tried_in_turn_and_none_that_works_is_status_1() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let _ann = server.cap("ann");
    let (output, errors, status) = run_script(&server.port(), &[], "ann\ntom\n@bob hi\n");
    assert!(output.ends_with(&format!("Successfully logged in as tom!\n{SENT}\n")), "{output}");
    assert_eq!((errors.as_str(), status), ("", 0));
    bob.expect("DELIVERY tom hi");
    let (output, errors, status) = run_script(&server.port(), &[], "ann\n@bob hi\n");
    assert_eq!((errors.as_str(), status), ("No login has worked: nothing was sent.\n", 1), "{output}");
    bob.expect_silence();
}

#[test]
fn k2_quit_in_a_pipe_does_not_overtake_the_lines_before_it() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let _taken = server.cap("taken");
    let (output, errors, status) = run_script(&server.port(), &[], "taken\nfine\n@bob hi\n!quit\n");
    assert!(output.ends_with(&format!("Successfully logged in as fine!\n{SENT}\n")), "{output}");
    assert_eq!((errors.as_str(), status), ("", 0));
    bob.expect("DELIVERY fine hi");
}

#[test]
fn k3_a_line_of_a_script_that_is_too_long_to_send_is_status_1() {
    let server = Server::start();
    let script = format!("ann\n@echobot {}\n@echobot hi\n", "x".repeat(8 << 20));
    let (output, errors, status) = run_script(&server.port(), &[], &script);
    assert!(output.ends_with(&format!("{SENT}\nFrom echobot: hi\n")), "{output}");
    assert_eq!((errors.as_str(), status), ("That line is too long to send.\n", 1));
}
