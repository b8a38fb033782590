//! The WAC session as a script: what happens, and what is done about it.

use super::*;
use crate::client::session::testing::{feed, handle};
use crate::client::session::{Config, Input, Session};
use crate::signals::Signal;

fn received(session: &mut Session, line: &str) -> Vec<String> {
    feed(session, Input::Received(line.to_owned()))
}

fn typed(session: &mut Session, line: &str) -> Vec<String> {
    feed(session, Input::Typed(line.to_owned()))
}

fn chatting(reconnect: bool) -> Session {
    let name = Some(String::from("ann"));
    let mut session = Session::new(
        &PROTOCOL,
        Config { server: "here".into(), name, user: None, reconnect: Some(reconnect), interactive: false },
    );
    assert_eq!(feed(&mut session, Input::Start), ["connect"]);
    assert_eq!(feed(&mut session, Input::Connected), ["send LIN ann", "wait 10", "wait 0.5"]);
    assert_eq!(feed(&mut session, Input::TimeUp { unsent: false }), ["wait for ever", "logged in"]);
    session
}

#[test]
fn w14_lines_are_shown_in_full_and_names_in_them_are_known() {
    let mut session = chatting(false);
    let mut actions = handle(&mut session, Input::Received("bob: hi".into()));
    actions.extend(handle(&mut session, Input::Received("bob whispers, \"psst\"".into())));
    let lines = [("bob: hi", Scope::Broadcast), ("bob whispers, \"psst\"", Scope::Direct)];
    let messages = lines.map(|(line, scope)| Action::Message { line: line.to_owned(), sender: 0..3, scope });
    assert_eq!(actions, messages);
    assert_eq!(typed(&mut session, "!who"), ["send WHO"]);
    assert_eq!(received(&mut session, "Online: a,  b"), ["print Online: a,  b", "names a b"]);
    assert_eq!(received(&mut session, "anything"), ["print anything"]);
    assert_eq!(typed(&mut session, "!help"), ["help"]);
}

#[test]
fn a_lost_connection_comes_back_and_what_was_typed_waits_for_the_login() {
    let mut session = chatting(true);
    received(&mut session, "The server is shutting down.");
    let lost = ["wait for ever", "reconnect: The connection to here was lost: the server closed it."];
    assert_eq!(feed(&mut session, Input::Disconnected(None)), lost);
    assert_eq!(typed(&mut session, "hello"), [""; 0]);
    let refused = ["wait for ever", "reconnect: Cannot connect to here: refused"];
    assert_eq!(feed(&mut session, Input::Unreachable("refused".into())), refused);
    assert_eq!(feed(&mut session, Input::Connected), ["send LIN ann", "wait 10"]);
    let in_use = "Cannot log in as ann: that name is already in use.";
    let again = format!("reconnect: Cannot log in to here again: {in_use}");
    assert_eq!(received(&mut session, in_use)[1..], [again]);
    feed(&mut session, Input::Connected);
    assert_eq!(received(&mut session, "Have a nice day!"), ["print Have a nice day!"]);
    let back = ["print Welcome, ann.", "wait for ever", "logged in", "send MSG hello"];
    assert_eq!(received(&mut session, "Welcome, ann."), back);
    feed(&mut session, Input::Disconnected(None));
    typed(&mut session, "late");
    assert_eq!(feed(&mut session, Input::Signal(Signal::Interrupt)), ["warn One line was not sent: late", "exit 130"]);
}

#[test]
fn w12_a_login_that_is_refused_is_the_end_as_there_is_no_other_name() {
    for line in [
        "Cannot log in as ann: that name is already in use.",
        "Cannot log in as ann: that name is malformed (use letters, digits, '_', '-' and '.').",
        "Cannot log in: the server is full.",
    ] {
        let mut session = chatting(false);
        typed(&mut session, "hello");
        let hint = Some("warn Choose another name with --name.").filter(|_| line.contains("as ann"));
        let told = format!("warn {line}");
        let told: Vec<_> = [&*told].into_iter().chain(hint).chain(["exit 1"]).collect();
        assert_eq!(received(&mut session, line), told);
        let mut session = chatting(false);
        received(&mut session, "Welcome, ann.");
        assert_eq!(received(&mut session, line), [format!("print {line}")]);
    }
}

#[test]
fn w12_g3_a_name_that_is_too_long_is_said_to_be() {
    let name = "x".repeat(65);
    let malformed = format!("Cannot log in as {name}: that name is malformed (use letters, digits, '_', '-' and '.').");
    for line in [malformed.as_str(), "That line is too long."] {
        let mut session = Session::new(&PROTOCOL, Config { name: Some(name.clone()), ..Config::default() });
        feed(&mut session, Input::Start);
        feed(&mut session, Input::Connected);
        let too_long = "warn That username is too long: names have 64 characters at most.";
        let told = [&format!("warn {line}"), too_long, "warn Choose another name with --name.", "exit 1"];
        assert_eq!(received(&mut session, line), told);
    }
}

#[test]
fn a_server_that_says_nothing_to_a_login_is_taken_to_agree() {
    let mut session = chatting(true);
    feed(&mut session, Input::Disconnected(None));
    typed(&mut session, "hello");
    feed(&mut session, Input::Connected);
    let ready = ["wait for ever", "logged in", "send MSG hello"];
    assert_eq!(feed(&mut session, Input::TimeUp { unsent: false }), ready);
    let late = received(&mut session, "Cannot log in as ann: that name is already in use.");
    assert!(late[1].starts_with("reconnect: Cannot log in to here again"), "{late:?}");
}

#[test]
fn w14_a_list_counts_only_when_it_was_asked_for() {
    let mut session = chatting(false);
    for _ in 0..2 {
        let actions = handle(&mut session, Input::Received("Online: echobot, mallory".into()));
        let line = String::from("Online: echobot, mallory");
        assert_eq!(actions, [Action::Message { line, sender: 0..6, scope: Scope::Broadcast }]);
        typed(&mut session, "!who");
        assert_eq!(received(&mut session, "Online: ann")[1..], ["names "]);
    }
}

#[test]
fn w7_a_name_that_nobody_has_is_not_completed() {
    let mut session = chatting(false);
    received(&mut session, "Welcome, ann.");
    let line = "No user named bob is logged in.";
    let actions = handle(&mut session, Input::Received(line.into()));
    assert_eq!(actions, [Action::Names(Names::Left("bob".into())), Action::Print(line.into())]);
}

#[test]
fn w12_only_the_first_answer_to_a_login_can_refuse_it() {
    let refusals = ["Cannot log in as ann: that name is already in use.", "Cannot log in: the server is full."];
    for line in refusals {
        for answer in ["Hello, ann!", "Welcome, ann."] {
            let mut session = chatting(false);
            assert_eq!(received(&mut session, "bob: hi"), ["print bob: hi"]);
            received(&mut session, answer);
            assert_eq!(received(&mut session, line), [format!("print {line}")]);
        }
    }
}

/// Begins a session of somebody whom the system knows by this name.
fn user(user: Option<&str>, interactive: bool) -> Session {
    let mut session = Session::new(
        &PROTOCOL,
        Config { server: "here".into(), user: user.map(String::from), interactive, ..Config::default() },
    );
    feed(&mut session, Input::Start);
    session
}

#[test]
fn w12_a_name_that_nobody_asked_for_gets_a_number_when_it_is_taken() {
    let mut session = user(Some("sam"), true);
    assert_eq!(feed(&mut session, Input::Connected), ["send LIN sam", "wait 10", "wait 0.5"]);
    assert_eq!(typed(&mut session, "hello"), [""; 0]);
    for number in 2..5 {
        let taken = "Cannot log in as sam: that name is already in use.";
        let next = format!("send LIN sam{number}");
        assert_eq!(received(&mut session, taken), [&format!("print {taken}"), next.as_str(), "wait 10"]);
    }
    let welcome = ["print Welcome, sam4.", "wait for ever", "logged in", "send MSG hello"];
    assert_eq!(received(&mut session, "Welcome, sam4."), welcome);

    let mut session = user(Some("sam"), true);
    feed(&mut session, Input::Connected);
    typed(&mut session, "hello");
    let full = ["warn Cannot log in: the server is full.", "warn One line was not sent: hello", "exit 1"];
    assert_eq!(received(&mut session, "Cannot log in: the server is full."), full);
}

#[test]
fn w12_what_no_name_may_have_becomes_an_underscore() {
    let long = "x".repeat(80);
    for (name, login) in [
        (Some("ACME\\sam smith"), "LIN ACME_sam_smith"),
        (Some("zoë@home"), "LIN zoë_home"),
        (Some(&long), &format!("LIN {}", &long[..64])),
        (Some(""), "LIN guest"),
        (None, "LIN guest"),
    ] {
        assert_eq!(feed(&mut user(name, false), Input::Connected)[0], format!("send {login}"));
    }
    let mut session = user(Some(&long), false);
    feed(&mut session, Input::Connected);
    let next = received(&mut session, "Cannot log in as x: that name is already in use.");
    assert_eq!(next[1], format!("send LIN {}2", &long[..63]));
}

#[test]
fn w13_at_a_keyboard_a_slip_is_held_and_sent_if_it_is_submitted_once_more() {
    for is_person in [false, true] {
        let mut session = user(None, true);
        feed(&mut session, Input::Connected);
        received(&mut session, "Welcome, guest.");
        if is_person {
            feed(&mut session, Input::Person);
        }
        for (line, hint) in [
            ("!whp", "No such command: !whp. Did you mean !who?"),
            ("/qiut", "No such command: /qiut. Did you mean /quit?"),
            (" !hel", "No such command: !hel. Did you mean !help?"),
            ("!help me", "Usage: !help."),
        ] {
            let sent = format!("send MSG {line}");
            if is_person {
                let held = [format!("give back {line}"), format!("print {hint} Enter sends it as it is.")];
                assert_eq!(typed(&mut session, line), held);
            }
            assert_eq!(typed(&mut session, line), [sent]);
        }
        for line in ["!hello", "/me waves", "!", "/", "/usr/bin", "@bob", "@ hi", "@a,b hi", " @bob hi", "@bob "] {
            assert_eq!(typed(&mut session, line), [format!("send MSG {line}")], "{line:?}");
        }
        for (line, sent) in
            [("/who", "send WHO"), ("/SEC", "send SEC"), ("/msg bob  hi ", "send W bob  hi "), ("/help", "help")]
        {
            assert_eq!(typed(&mut session, line), [sent]);
        }
        assert_eq!(typed(&mut session, "/quit"), ["wait 1", "finish"]);
    }
}

#[test]
fn w13_the_lines_of_a_paste_are_text_and_never_commands() {
    let mut session = user(None, true);
    feed(&mut session, Input::Connected);
    received(&mut session, "Welcome, guest.");
    let sent = typed(&mut session, "How to leave ftp:\nquit\n\nis the command\n");
    assert_eq!(sent, ["send MSG How to leave ftp:", "send MSG quit", "send MSG is the command"]);
    for paste in ["one\n!quit\ntwo", "one\n/* two */", "!quit\n", "!who\n /x", "one\n@bob", "!to bob\nquit"] {
        let sent: Vec<_> = paste.lines().map(|line| format!("send MSG {line}")).collect();
        assert_eq!(typed(&mut session, paste), sent, "{paste:?}");
    }
    assert_eq!(
        typed(&mut session, "@bob one\ntwo\n/three\n@eve four\nfive"),
        ["send W bob one", "send W bob two", "send W bob /three", "send W eve four", "send W bob five"]
    );
}

#[test]
fn w14_a_server_that_says_nothing_is_told_of_at_a_terminal_and_fails_a_script() {
    let config = |interactive| {
        let name = Some(String::from("ann"));
        Config { server: "here".into(), name, interactive, ..Config::default() }
    };
    let mut session = Session::new(&PROTOCOL, config(true));
    feed(&mut session, Input::Start);
    feed(&mut session, Input::Connected);
    assert_eq!(feed(&mut session, Input::TimeUp { unsent: false }), ["wait 10", "logged in"]);
    let told = ["warn No answer from here yet. It is waited for; !quit leaves.", "wait for ever"];
    assert_eq!(feed(&mut session, Input::TimeUp { unsent: false }), told);
    assert_eq!(received(&mut session, "hi"), ["wait for ever", "print hi"]);
    assert_eq!(received(&mut session, "hi"), ["print hi"]);

    for heard in [false, true] {
        let mut session = Session::new(&PROTOCOL, config(false));
        feed(&mut session, Input::Start);
        feed(&mut session, Input::Connected);
        assert_eq!(typed(&mut session, "hello"), [""; 0]);
        assert_eq!(feed(&mut session, Input::TypedEnd), ["wait 5"]);
        let sent = ["wait 5", "logged in", "send MSG hello", "finish"];
        assert_eq!(feed(&mut session, Input::TimeUp { unsent: false }), sent);
        if heard {
            received(&mut session, "hi");
        }
        let end: &[&str] = if heard { &["exit 0"] } else { &["warn No answer from here.", "exit 1"] };
        assert_eq!(feed(&mut session, Input::TimeUp { unsent: false }), end);
    }
}

#[test]
fn w12_a_name_that_the_server_does_not_take_becomes_plainer_and_what_it_is_in_the_end_is_told() {
    let malformed = "Cannot log in as x: that name is malformed (use letters, digits, '_', '-' and '.').";
    let mut session = user(Some("zoë.b"), true);
    assert_eq!(feed(&mut session, Input::Connected)[0], "send LIN zoë.b");
    for next in ["zo__b", "guest"] {
        assert_eq!(received(&mut session, malformed)[1], format!("send LIN {next}"));
    }
    let taken = "Cannot log in as guest: that name is already in use.";
    assert_eq!(received(&mut session, taken)[1], "send LIN guest2");
    let told = ["print Nice to see you.", "wait for ever", "logged in", "print You are logged in as guest2."];
    assert_eq!(received(&mut session, "Nice to see you."), told);
    let mut session = user(None, true);
    feed(&mut session, Input::Connected);
    assert_eq!(
        received(&mut session, malformed),
        [format!("warn {malformed}"), "warn Choose another name with --name.".into(), "exit 1".into()]
    );
}

#[test]
fn w14_names_are_asked_for_unseen_where_the_answer_is_known_from_messages() {
    let mut session = chatting(false);
    assert_eq!(feed(&mut session, Input::Completing), [""; 0]);
    received(&mut session, "Welcome, ann.");
    assert_eq!(feed(&mut session, Input::Completing), ["send WHO"]);
    assert_eq!(feed(&mut session, Input::Completing), [""; 0]);
    assert_eq!(typed(&mut session, "!who"), ["send WHO"]);
    assert_eq!(received(&mut session, "bob: hi"), ["print bob: hi"]);
    assert_eq!(received(&mut session, "Online: ann, bob"), ["names bob"]);
    assert_eq!(received(&mut session, "Online: ann, eve"), ["print Online: ann, eve", "names eve"]);
    // Somebody is called like the beginning of a list.
    assert_eq!(received(&mut session, "Online: mallory"), ["print Online: mallory"]);
    assert_eq!(feed(&mut session, Input::Completing), [""; 0]);
    let mut session = chatting(false);
    received(&mut session, "Hello!");
    assert_eq!(feed(&mut session, Input::Completing), [""; 0]);
}

#[test]
fn k3_a_script_whose_whisper_reached_nobody_has_failed() {
    let mut session = chatting(false);
    received(&mut session, "Welcome, ann.");
    typed(&mut session, "@bob hi");
    received(&mut session, "No user named bob is logged in.");
    feed(&mut session, Input::TypedEnd);
    assert_eq!(feed(&mut session, Input::Disconnected(None)), ["exit 1"]);
}
