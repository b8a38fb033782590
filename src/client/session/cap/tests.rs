//! The session as a function, rule by rule.

use super::*;
use crate::client::session::testing::{handle, show};
use crate::client::session::{Config, Input, Session};
use crate::protocol::Scope;
use crate::signals::Signal;

/// A session that is fed inputs; what it does is written as one line an action.
struct Script {
    session: Session,
}

impl Script {
    /// At the name prompt, connected.
    fn new() -> Self {
        let mut script = Self { session: Session::new(&PROTOCOL, config(None)) };
        assert_eq!(script.feed(Input::Start), ["print Welcome to Chat Client. Enter your login:", "connect"]);
        assert_eq!(script.feed(Input::Connected), [""; 0]);
        script
    }

    /// Logged in as ann.
    fn chatting() -> Self {
        let mut script = Self::new();
        assert_eq!(script.typed("ann"), ["send HELLO-FROM ann", "wait 10"]);
        assert_eq!(script.received("HELLO ann"), ["wait for ever", "print Successfully logged in as ann!"]);
        script
    }

    fn feed(&mut self, input: Input) -> Vec<String> {
        let mut actions = handle(&mut self.session, input);
        // What changes neither the screen nor the connection has tests of its own.
        actions.retain(|action| !matches!(action, Action::LoggedIn | Action::Names(_) | Action::Sent { .. }));
        actions.into_iter().map(show).collect()
    }

    fn typed(&mut self, line: &str) -> Vec<String> {
        self.feed(Input::Typed(line.to_owned()))
    }

    fn received(&mut self, line: &str) -> Vec<String> {
        self.feed(Input::Received(line.to_owned()))
    }
}

fn config(name: Option<&str>) -> Config {
    Config {
        server: "here port 1".into(),
        name: name.map(String::from),
        user: Some("user".into()),
        ..Config::default()
    }
}

fn lost(line: &str) -> String {
    format!("warn Your last message was not acknowledged; it may be lost: {line}")
}

const NOTHING: [&str; 0] = [];

#[test]
fn ri2_ri3_a_login() {
    Script::chatting();
}

#[test]
fn a_name_from_the_command_line_is_sent_when_connected() {
    let mut script = Script { session: Session::new(&PROTOCOL, config(Some("ann"))) };
    assert_eq!(script.feed(Input::Start), ["print Welcome to Chat Client. Enter your login:", "connect"]);
    assert_eq!(script.feed(Input::Connected), ["send HELLO-FROM ann", "wait 10"]);
}

#[test]
fn ri4_ra2_a_name_in_use_is_asked_for_again_on_a_new_connection() {
    let mut script = Script::new();
    script.typed("ann");
    assert_eq!(
        script.received("IN-USE"),
        [
            "print Cannot log in as ann. That username is already in use.",
            "disconnect",
            "print Enter your login:",
            "wait for ever"
        ]
    );
    assert_eq!(script.typed("bob"), ["connect"]);
    assert_eq!(script.feed(Input::Connected), ["send HELLO-FROM bob", "wait 10"]);
    assert_eq!(script.received("HELLO bob"), ["wait for ever", "print Successfully logged in as bob!"]);
}

#[test]
fn ri5_ra4_names_that_cannot_be_are_refused_without_the_server() {
    let mut script = Script::new();
    for name in ["a!b", "@bob", "!who", "/who", "a#", "$", "50%", "^", "a&b", "*", "@bob hi"] {
        let refused = format!("print Cannot log in as {name}. That username contains disallowed characters.");
        assert_eq!(script.typed(name), [refused.as_str(), "print Enter your login:"]);
    }
    assert_eq!(script.typed("ann"), ["send HELLO-FROM ann", "wait 10"]);
}

#[test]
fn ri5_ri12_ra5_ra6_what_the_server_refuses_is_asked_for_again() {
    for (reply, shown) in [
        ("BAD-RQST-BODY", "print Cannot log in as a b. That username contains disallowed characters."),
        ("BAD-RQST-HDR", "print Error: Unknown issue in previous message header."),
    ] {
        let mut script = Script::new();
        assert_eq!(script.typed("a b"), ["send HELLO-FROM a b", "wait 10"]);
        assert_eq!(script.received(reply), [shown, "disconnect", "print Enter your login:", "wait for ever"]);
        assert_eq!(script.typed("ann"), ["connect"]);
    }
}

#[test]
fn ra6_an_empty_name_is_asked_for_again_and_nothing_is_sent() {
    let mut script = Script::new();
    for line in ["", "   "] {
        assert_eq!(script.typed(line), ["print Enter your login:"]);
    }
}

#[test]
fn ri6_a_full_server_ends_the_program() {
    let mut script = Script::new();
    script.typed("ann");
    assert_eq!(script.received("BUSY"), ["print Cannot log in. The server is full!", "exit 1"]);
}

#[test]
fn ri7_ri8_ri9_sending() {
    let mut script = Script::chatting();
    assert_eq!(script.typed("@bob hi, all "), ["send SEND bob hi, all "]);
    assert_eq!(script.received("SEND-OK"), ["print The message was sent succesfully"]);
    for reply in ["BAD-DEST-USER", "UNKNOWN"] {
        assert_eq!(script.typed("@eve  two"), ["send SEND eve  two"]);
        assert_eq!(script.received(reply), ["print The destination user does not exist"]);
    }
}

#[test]
fn ri10_a_delivery_is_shown_whenever_it_comes() {
    let mut script = Script::new();
    assert_eq!(script.received("DELIVERY bob early"), ["print From bob: early"]);
    script.typed("ann");
    assert_eq!(script.received("DELIVERY bob  a  b "), ["print From bob:  a  b "]);
    assert_eq!(script.received("HELLO ann"), ["wait for ever", "print Successfully logged in as ann!"]);
    assert_eq!(script.received("DELIVERY bob SEND-OK"), ["print From bob: SEND-OK"]);
}

#[test]
fn ri11_the_list() {
    let mut script = Script::chatting();
    for command in ["!who", " !who "] {
        assert_eq!(script.typed(command), ["send LIST"]);
        let list = "print There are 2 online users:\n- echobot\n- ann";
        assert_eq!(script.received("LIST-OK echobot,ann"), [list]);
    }
    assert_eq!(script.received("WHO-OK"), ["print There are 0 online users:"]);
}

#[test]
fn ri12_r13_errors_after_login() {
    let mut script = Script::chatting();
    script.typed("@bob hi");
    assert_eq!(script.received("BAD-RQST-HDR"), ["print Error: Unknown issue in previous message header."]);
    script.typed("@bob hi");
    assert_eq!(script.received("BAD-RQST-BODY"), ["print Error: Unknown issue in previous message body."]);
}

#[test]
fn ri1_rt7_headers_that_answer_nothing_do_no_harm() {
    let unexpected = "warn The server sent an unexpected reply.";
    let cases = [
        ("HELLO ann", unexpected),
        ("IN-USE", unexpected),
        ("BUSY", unexpected),
        ("DELIVERY", unexpected),
        ("WHAT-IS-THIS 42", unexpected),
        ("SEND-OK", "print The message was sent succesfully"),
        ("UNKNOWN", "print The destination user does not exist"),
        ("BAD-DEST-USER", "print The destination user does not exist"),
        ("LIST-OK ann", "print There are 1 online users:\n- ann"),
        ("BAD-RQST-HDR", "print Error: Unknown issue in previous message header."),
        ("BAD-RQST-BODY", "print Error: Unknown issue in previous message body."),
    ];
    for (mut script, in_chat) in [(Script::new(), false), (Script::chatting(), true)] {
        for (line, shown) in cases.iter().chain(cases.iter().rev()).filter(|case| in_chat || case.0 != "BUSY") {
            assert_eq!(script.received(line), [*shown], "{line:?}");
        }
    }
    let mut script = Script::new();
    script.received("IN-USE");
    assert_eq!(script.typed("ann"), ["send HELLO-FROM ann", "wait 10"]);
}

#[test]
fn k1_who_works_with_a_server_of_revision_1_and_is_remembered() {
    let mut script = Script::chatting();
    assert_eq!(script.typed("!who"), ["send LIST"]);
    assert_eq!(script.received("BAD-RQST-HDR"), ["send WHO"]);
    assert_eq!(script.received("WHO-OK ann"), ["print There are 1 online users:\n- ann"]);
    assert_eq!(script.typed("!who"), ["send WHO"]);
}

#[test]
fn k0_cap1_asks_who_from_the_start() {
    let mut script = Script { session: Session::new(&PROTOCOL_1, config(Some("ann"))) };
    for input in [Input::Start, Input::Connected, Input::Received("HELLO ann".to_owned())] {
        script.feed(input);
    }
    assert_eq!(script.typed("!who"), ["send WHO"]);
    assert_eq!(script.received("WHO-OK ann"), ["print There are 1 online users:\n- ann"]);
}

#[test]
fn k1_only_when_both_fail_the_error_is_shown() {
    let mut script = Script::chatting();
    script.typed("!who");
    script.received("BAD-RQST-HDR");
    assert_eq!(script.received("BAD-RQST-HDR"), ["print Error: Unknown issue in previous message header."]);
    assert_eq!(script.typed("!who"), ["send LIST"]);
}

#[test]
fn k1_a_server_that_closes_on_list_is_asked_in_the_other_words_on_a_new_connection() {
    let mut script = Script::chatting();
    script.typed("!who");
    assert_eq!(script.feed(Input::Disconnected(None)), ["connect"]);
    assert_eq!(script.feed(Input::Connected), ["send HELLO-FROM ann", "wait 10"]);
    assert_eq!(script.received("HELLO ann"), ["wait for ever", "send WHO"]);
    assert_eq!(script.received("WHO-OK ann"), ["print There are 1 online users:\n- ann"]);
    assert_eq!(script.typed("!who"), ["send WHO"]);
    let lost = "warn The connection to here port 1 was lost: the server closed it.";
    assert_eq!(script.feed(Input::Disconnected(None)), [lost, "exit 1"]);
}

#[test]
fn k1_the_error_is_matched_to_the_request_it_answers() {
    let mut script = Script::chatting();
    script.typed("@bob hi");
    script.typed("!who");
    assert_eq!(script.received("SEND-OK"), ["print The message was sent succesfully"]);
    assert_eq!(script.received("DELIVERY bob x"), ["print From bob: x"]);
    assert_eq!(script.received("BAD-RQST-HDR"), ["send WHO"]);
}

#[test]
fn k2_lines_typed_during_the_login_wait_for_it() {
    let mut script = Script::new();
    script.typed("ann");
    assert!(!script.session.wants_input());
    assert_eq!(script.typed("@bob hi"), NOTHING);
    assert_eq!(script.typed("!who"), NOTHING);
    assert_eq!(
        script.received("HELLO ann"),
        ["wait for ever", "print Successfully logged in as ann!", "send SEND bob hi", "send LIST"]
    );
    assert!(script.session.wants_input());
}

#[test]
fn k2_after_a_refusal_they_are_names_to_try() {
    let mut script = Script::new();
    script.typed("ann");
    script.typed("@bob hi");
    script.typed("eve");
    script.typed("@bob hello");
    assert_eq!(
        script.received("IN-USE")[4..],
        [
            "print Cannot log in as @bob hi. That username contains disallowed characters.",
            "print Enter your login:",
            "connect"
        ]
    );
    assert_eq!(script.feed(Input::Connected), ["send HELLO-FROM eve", "wait 10"]);
    assert_eq!(
        script.received("HELLO eve"),
        ["wait for ever", "print Successfully logged in as eve!", "send SEND bob hello"]
    );
}

#[test]
fn k2_at_a_terminal_they_wait_for_another_name() {
    let mut script = Script { session: Session::new(&PROTOCOL, at_a_terminal(None)) };
    for input in [Input::Start, Input::Connected, Input::Typed("ann".into()), Input::Typed("@bob hi".into())] {
        script.feed(input);
    }
    assert_eq!(script.received("IN-USE")[2..], ["print Enter your login:", "wait for ever"]);
    script.typed("eve");
    script.feed(Input::Connected);
    assert_eq!(script.received("HELLO eve")[2..], ["send SEND bob hi"]);
}

#[test]
fn k2_what_means_nothing_gets_a_hint_and_an_empty_line_nothing() {
    let mut script = Script::chatting();
    for line in ["hello", "@bob", "@ hi", "!hello", "!whoo", "/hello", " @bob hi", "quit"] {
        let shown = script.typed(line);
        assert_eq!(shown.len(), 1, "{line:?}");
        assert!(["print", "@<username> <message>", "!who", "!quit"].iter().all(|word| shown[0].contains(word)));
    }
    for line in ["", "  "] {
        assert_eq!(script.typed(line), NOTHING);
    }
}

#[test]
fn k3_the_end_of_input_sends_everything_first_and_waits_for_the_answers() {
    let mut script = Script::new();
    script.typed("ann");
    script.typed("@bob hi");
    assert_eq!(script.feed(Input::TypedEnd), ["wait 5"]);
    assert_eq!(
        script.received("HELLO ann"),
        ["wait 5", "print Successfully logged in as ann!", "send SEND bob hi", "finish"]
    );
    assert_eq!(script.received("SEND-OK"), ["print The message was sent succesfully"]);
    assert_eq!(script.feed(Input::Disconnected(None)), ["exit 0"]);
}

#[test]
fn k3_a_server_that_does_not_close_is_waited_for_until_the_time_is_up() {
    let mut script = Script::chatting();
    assert_eq!(script.feed(Input::TypedEnd), ["wait 5", "finish"]);
    assert_eq!(script.feed(Input::TimeUp { unsent: false }), ["exit 0"]);
}

#[test]
fn k3_a_server_that_never_answers_the_login_is_an_error() {
    let mut script = Script::new();
    script.typed("ann");
    script.feed(Input::TypedEnd);
    assert_eq!(script.feed(Input::TimeUp { unsent: false }), ["warn No answer from here port 1.", "exit 1"]);
}

#[test]
fn k1_k3_k5_the_sending_side_stays_open_while_who_may_have_to_follow() {
    for end in [Input::TypedEnd, Input::Typed("!quit".into())] {
        let mut script = Script::chatting();
        assert_eq!(script.typed("!who"), ["send LIST"]);
        assert_eq!(script.feed(end).len(), 1);
        assert_eq!(script.received("BAD-RQST-HDR"), ["send WHO", "finish"]);
        assert_eq!(script.received("WHO-OK ann"), ["print There are 1 online users:\n- ann"]);
        assert_eq!(script.feed(Input::Disconnected(None)), ["exit 0"]);
    }
}

#[test]
fn k3_the_end_of_input_at_the_prompt_quits_once_it_is_known_whether_there_is_a_server() {
    let mut script = Script::new();
    assert_eq!(script.feed(Input::TypedEnd), ["wait 1", "finish"]);
    assert_eq!(script.feed(Input::Disconnected(None)), ["exit 0"]);

    let mut script = Script { session: Session::new(&PROTOCOL, config(None)) };
    script.feed(Input::Start);
    assert_eq!(script.feed(Input::TypedEnd), ["wait 1"]);
    assert_eq!(script.feed(Input::Connected), ["finish"]);
}

#[test]
fn k4_an_unreachable_server_is_reported() {
    let mut script = Script { session: Session::new(&PROTOCOL, config(None)) };
    script.feed(Input::Start);
    let shown = script.feed(Input::Unreachable("refused".into()));
    assert_eq!(shown, ["warn Cannot connect to here port 1: refused", "exit 1"]);
}

#[test]
fn k4_a_connection_that_is_gone_at_the_prompt_is_made_anew_without_a_word() {
    let mut script = Script::new();
    assert_eq!(script.feed(Input::Disconnected(None)), NOTHING);
    assert_eq!(script.typed("ann"), ["connect"]);
    assert_eq!(script.feed(Input::Connected), ["send HELLO-FROM ann", "wait 10"]);
}

#[test]
fn k4_so_is_one_that_goes_while_the_name_is_on_its_way() {
    let mut script = Script::new();
    script.typed("ann");
    assert_eq!(script.feed(Input::Disconnected(Some("reset".into()))), ["connect"]);
    assert_eq!(script.feed(Input::Connected), ["send HELLO-FROM ann", "wait 10"]);
    let lost = "warn The connection to here port 1 was lost: reset";
    assert_eq!(script.feed(Input::Disconnected(Some("reset".into()))), [lost, "exit 1"]);
}

#[test]
fn ri7_k5_quit_at_each_point() {
    let mut connecting = Script { session: Session::new(&PROTOCOL, config(None)) };
    connecting.feed(Input::Start);
    assert_eq!(connecting.typed("!quit"), ["exit 0"]);

    let mut logging_in = Script::new();
    logging_in.typed("ann");
    for mut script in [Script::new(), logging_in, Script::chatting()] {
        assert_eq!(script.typed("!quit"), ["wait 1", "finish"]);
        assert_eq!(script.typed("@bob more"), NOTHING);
        assert_eq!(script.feed(Input::TypedEnd), NOTHING);
        assert_eq!(script.received("DELIVERY bob late"), ["print From bob: late"]);
        assert_eq!(script.feed(Input::Disconnected(None)), ["exit 0"]);
    }

    let mut waiting = Script::chatting();
    waiting.typed("@bob hi");
    assert_eq!(waiting.typed("!quit"), ["wait 1", "finish"]);
    assert_eq!(waiting.feed(Input::Disconnected(None)), [&lost("@bob hi"), "exit 0"]);

    let mut gone = Script::new();
    gone.feed(Input::Disconnected(None));
    assert_eq!(gone.typed("!quit"), ["wait 1", "exit 0"]);
}

#[test]
fn k2_k5_quit_during_the_login_still_sends_what_was_typed_before() {
    let mut script = Script::new();
    script.typed("ann");
    script.typed("@bob hi");
    assert_eq!(script.typed("!quit"), ["wait 1"]);
    assert_eq!(
        script.received("HELLO ann"),
        ["wait 1", "print Successfully logged in as ann!", "send SEND bob hi", "finish"]
    );
    assert_eq!(script.feed(Input::TimeUp { unsent: false }), [&lost("@bob hi"), "exit 0"]);

    let mut script = Script::new();
    script.typed("ann");
    script.typed("@bob hi");
    script.typed("!quit");
    assert_eq!(script.received("IN-USE").last().map(String::as_str), Some("exit 0"));
}

#[test]
fn k6_a_lost_connection_is_said_and_is_status_1() {
    let mut script = Script::chatting();
    let lost = "warn The connection to here port 1 was lost: the server closed it.";
    assert_eq!(script.feed(Input::Disconnected(None)), [lost, "exit 1"]);

    let mut script = Script::chatting();
    script.received("BAD-RQST-HDR");
    script.typed("!who");
    script.received("BAD-RQST-HDR");
    script.feed(Input::TypedEnd);
    assert_eq!(script.feed(Input::Disconnected(Some("reset".into())))[1], "exit 1");
}

#[test]
fn k6_ctrl_c_ends_it_at_once_with_status_130() {
    for mut script in [Script::new(), Script::chatting()] {
        assert_eq!(script.feed(Input::Signal(Signal::Interrupt)), ["exit 130"]);
    }
    assert_eq!(Script::chatting().feed(Input::Signal(Signal::Terminate)), ["exit 143"]);
}

#[test]
fn k3_k6_what_the_server_does_not_take_is_an_error() {
    let mut script = Script::chatting();
    script.typed("@bob hi");
    script.feed(Input::TypedEnd);
    let told = "warn No answer from here port 1: not everything was sent.";
    assert_eq!(script.feed(Input::TimeUp { unsent: true }), [told, &lost("@bob hi"), "exit 1"]);

    let mut script = Script::chatting();
    script.feed(Input::TypedEnd);
    let lost = "warn The connection to here port 1 was lost: reset";
    assert_eq!(script.feed(Input::Disconnected(Some("reset".into()))), [lost, "exit 1"]);
    let mut script = Script::chatting();
    script.typed("!quit");
    assert_eq!(script.feed(Input::Disconnected(Some("reset".into()))), ["exit 0"]);
}

#[test]
fn a_login_that_is_never_answered_is_given_up() {
    let mut script = Script::new();
    script.typed("ann");
    assert_eq!(script.feed(Input::TimeUp { unsent: false }), ["warn No answer from here port 1.", "exit 1"]);
}

#[test]
fn g2_a_name_is_shown_without_what_drives_a_terminal() {
    let mut script = Script::new();
    let refused = "print Cannot log in as \u{fffd}[2J!. That username contains disallowed characters.";
    assert_eq!(script.typed("\u{1b}[2J!")[0], refused);
}

#[test]
fn what_a_message_and_a_list_tell_of_names() {
    let mut script = Script::chatting();
    let mut actions = handle(&mut script.session, Input::Received("DELIVERY From From: hi".into()));
    actions.extend(handle(&mut script.session, Input::Received("LIST-OK a,ann,b".into())));
    let line = String::from("From From: From: hi");
    assert_eq!(actions[0], Action::Message { line, sender: 5..9, scope: Scope::Direct });
    assert_eq!(actions[2], Action::Names(Names::Online(vec!["a".into(), "b".into()])));
}

#[test]
fn help_is_for_the_chat_and_a_name_like_any_other_before_it() {
    let mut script = Script::new();
    let refused = script.typed("!help");
    assert_eq!(refused[0], "print Cannot log in as !help. That username contains disallowed characters.");
    assert_eq!(Script::chatting().typed("!help"), ["help"]);
}

#[test]
fn names_are_asked_for_until_one_is_given() {
    let mut script = Script::new();
    assert!(script.session.asks_for_name());
    script.typed("ann");
    script.received("IN-USE");
    assert!(script.session.asks_for_name());
    assert!(!Script::chatting().session.asks_for_name());
}

/// Logged in as ann, and to come back after a loss.
fn returning() -> Script {
    let config = Config { reconnect: Some(true), interactive: true, ..config(Some("ann")) };
    let mut script = Script { session: Session::new(&PROTOCOL, config) };
    script.feed(Input::Start);
    script.feed(Input::Connected);
    script.received("HELLO ann");
    script
}

const LOST: [&str; 2] = ["wait for ever", "reconnect: The connection to here port 1 was lost: the server closed it."];

#[test]
fn a_lost_connection_comes_back_with_the_same_name_and_what_was_typed_waits() {
    let mut script = returning();
    script.typed("@bob one");
    let lost = script.feed(Input::Disconnected(None));
    assert_eq!(
        lost,
        [["warn Your last message was not acknowledged; it may be lost: @bob one"].as_slice(), &LOST].concat()
    );
    assert_eq!(script.typed("@bob two"), NOTHING);
    let again = script.feed(Input::Unreachable("refused".into()));
    assert_eq!(again, ["wait for ever", "reconnect: Cannot connect to here port 1: refused"]);
    assert_eq!(script.feed(Input::Connected), ["send HELLO-FROM ann", "wait 10"]);
    let in_use = "reconnect: Cannot log in as ann. That username is already in use.";
    assert_eq!(script.received("IN-USE"), ["wait for ever", in_use]);
    script.feed(Input::Connected);
    assert_eq!(script.received("BUSY"), ["wait for ever", "reconnect: Cannot log in. The server is full!"]);
    script.feed(Input::Connected);
    let no_answer = "reconnect: No answer from here port 1.";
    assert_eq!(script.feed(Input::TimeUp { unsent: false }), ["wait for ever", no_answer]);
    script.feed(Input::Connected);
    assert_eq!(script.feed(Input::Disconnected(None)), LOST);
    script.feed(Input::Connected);
    let back = ["wait for ever", "print Successfully logged in as ann!", "send SEND bob two"];
    assert_eq!(script.received("HELLO ann"), back);
}

#[test]
fn what_was_acknowledged_is_not_called_lost() {
    let mut script = returning();
    script.typed("@bob one");
    script.received("SEND-OK");
    assert_eq!(script.feed(Input::Disconnected(None)), LOST);
}

#[test]
fn one_can_leave_while_it_is_coming_back() {
    let mut script = returning();
    script.feed(Input::Disconnected(None));
    script.typed("@bob hi");
    assert_eq!(script.typed("!quit"), ["warn One line was not sent: @bob hi", "exit 0"]);
    let mut script = returning();
    script.feed(Input::Disconnected(None));
    script.feed(Input::Connected);
    script.typed("@bob hi");
    script.typed("@bob hello");
    script.typed("!quit");
    let unsent = "warn 2 lines were not sent:\n  @bob hi\n  @bob hello";
    assert_eq!(script.feed(Input::TimeUp { unsent: false }), [unsent, "exit 0"]);
    assert_eq!(script.received("IN-USE"), [unsent, "exit 0"]);
    let mut script = returning();
    script.feed(Input::Disconnected(None));
    assert_eq!(script.feed(Input::TypedEnd), NOTHING);
    script.feed(Input::Connected);
    assert_eq!(script.received("HELLO ann"), ["wait 5", "print Successfully logged in as ann!", "finish"]);
}

#[test]
fn it_comes_back_only_to_where_it_was() {
    let mut script = returning();
    script.typed("!quit");
    assert_eq!(script.feed(Input::Disconnected(None)), ["exit 0"]);
    let mut script = returning();
    script.feed(Input::TypedEnd);
    let lost = ["warn The connection to here port 1 was lost: reset", "exit 1"];
    assert_eq!(script.feed(Input::Disconnected(Some("reset".into()))), lost);
    let mut script =
        Script { session: Session::new(&PROTOCOL, Config { reconnect: Some(true), ..config(Some("ann")) }) };
    script.feed(Input::Start);
    let failed = script.feed(Input::Unreachable("refused".into()));
    assert_eq!(failed, ["warn Cannot connect to here port 1: refused", "exit 1"]);
}

#[test]
fn k6_a_name_that_was_asked_for_and_is_refused_is_the_end_of_a_script() {
    let in_use = "warn Cannot log in as ann. That username is already in use.";
    let malformed = "warn Cannot log in as a!b. That username contains disallowed characters.";
    let mut script = Script { session: Session::new(&PROTOCOL, config(Some("ann"))) };
    script.feed(Input::Start);
    script.feed(Input::Connected);
    script.typed("@bob hi");
    assert_eq!(script.received("IN-USE"), [in_use, "warn One line was not sent: @bob hi", "exit 1"]);
    let mut script = Script { session: Session::new(&PROTOCOL, config(Some("a!b"))) };
    assert_eq!(script.feed(Input::Start)[2..], [malformed, "exit 1"]);

    let mut script = Script { session: Session::new(&PROTOCOL, at_a_terminal(Some("ann"))) };
    script.feed(Input::Start);
    script.feed(Input::Connected);
    let asked = script.received("IN-USE");
    assert_eq!(asked[2..], ["print Enter your login:", "wait for ever"]);
    script.typed("bob");
    assert_eq!(script.feed(Input::Connected)[0], "send HELLO-FROM bob");
}

fn at_a_terminal(name: Option<&str>) -> Config {
    Config { interactive: true, ..config(name) }
}

#[test]
fn k3_an_input_that_ends_without_a_login_is_a_failure() {
    let vain = ["warn No login has worked: nothing was sent.", "exit 1"];
    let mut script = Script::new();
    script.typed("ann");
    script.feed(Input::TypedEnd);
    assert_eq!(script.received("IN-USE")[2..], vain);
    let mut script = Script::new();
    script.typed("a!b");
    script.feed(Input::TypedEnd);
    assert_eq!(script.feed(Input::Disconnected(None)), vain);
    let mut script = Script::new();
    script.typed("ann");
    script.received("IN-USE");
    assert_eq!(script.feed(Input::TypedEnd), [["wait 1"].as_slice(), &vain].concat());

    let mut script = Script { session: Session::new(&PROTOCOL, at_a_terminal(None)) };
    script.feed(Input::Start);
    script.feed(Input::Connected);
    script.typed("a!b");
    assert_eq!(script.feed(Input::TypedEnd), ["wait 1", "finish"]);
    assert_eq!(script.feed(Input::Disconnected(None)), ["exit 0"]);
}

#[test]
fn k2_in_a_pipe_quit_overtakes_nothing() {
    let mut script = Script::new();
    for line in ["taken", "fine", "@bob hi"] {
        script.typed(line);
    }
    assert_eq!(script.typed("!quit"), ["wait 1"]);
    assert_eq!(script.received("IN-USE").last().map(String::as_str), Some("connect"));
    assert_eq!(script.feed(Input::Connected), ["send HELLO-FROM fine", "wait 1"]);
    let sent = ["wait 1", "print Successfully logged in as fine!", "send SEND bob hi", "finish"];
    assert_eq!(script.received("HELLO fine"), sent);

    let mut script = Script { session: Session::new(&PROTOCOL, at_a_terminal(None)) };
    script.feed(Input::Start);
    script.feed(Input::Connected);
    for line in ["taken", "fine", "!quit"] {
        script.typed(line);
    }
    let left = ["disconnect", "warn One line was not sent: fine", "exit 0"];
    assert_eq!(script.received("IN-USE")[1..], left);
}

#[test]
fn k2_a_name_and_a_blank_are_sent_as_they_are_and_the_server_judges_them() {
    let mut script = Script::chatting();
    for (line, sent) in [("@bob ", "send SEND bob "), ("@bob  \t", "send SEND bob  \t")] {
        assert_eq!(script.typed(line), [sent]);
        assert_eq!(script.received("BAD-RQST-BODY"), ["print Error: Unknown issue in previous message body."]);
    }
}

#[test]
fn k2_what_means_nothing_is_never_sent_and_a_slip_is_named_at_a_keyboard() {
    let mut script = Script { session: Session::new(&PROTOCOL, at_a_terminal(None)) };
    for input in [Input::Start, Input::Connected, Input::Typed("ann".into()), Input::Received("HELLO ann".into())] {
        script.feed(input);
    }
    let hint = format!("print {}", messages::HINT);
    for text in ["hello", " hello", "one\n@bob two", "!whp", "@bob"] {
        assert_eq!(script.typed(text), [hint.as_str()]);
    }
    script.feed(Input::Person);
    for (line, told) in [
        ("hello", messages::HINT),
        ("/usr/bin", messages::HINT),
        ("!whp", "No such command: !whp. Did you mean !who?"),
        ("/QIUT", "No such command: /QIUT. Did you mean /quit?"),
        ("!to be or not to be", "Usage: !to NAME."),
    ] {
        assert_eq!(script.typed(line), [format!("print {told}")], "{line}");
    }
}

#[test]
fn k2_each_line_of_a_paste_goes_to_whom_the_first_one_names() {
    let mut script = Script { session: Session::new(&PROTOCOL, at_a_terminal(None)) };
    for input in [Input::Start, Input::Connected, Input::Typed("ann\n".into()), Input::Received("HELLO ann".into())] {
        script.feed(input);
    }
    let sent = ["send SEND bob line one", "send SEND bob !quit", "send SEND bob  three "];
    assert_eq!(script.typed("@bob line one\n!quit\n\n three "), sent);
    assert_eq!(script.typed("@bob \none\ntwo"), ["send SEND bob one", "send SEND bob two"]);
    assert_eq!(
        script.typed("/msg bob one\n@eve two\nthree"),
        ["send SEND bob one", "send SEND eve two", "send SEND bob three"]
    );
    for paste in ["!quit\n", "!who\nx", "one\n@bob two"] {
        let shown = script.typed(paste);
        assert!(shown.len() == 1 && shown[0].contains("Use @<username> <message>"), "{shown:?}");
    }
    script.typed("!to bob");
    assert_eq!(script.typed("!quit\none"), ["send SEND bob !quit", "send SEND bob one"]);
    let mut script = Script::new();
    let refused = script.typed("ann\nbob");
    assert_eq!(refused[0], "print Cannot log in as ann\u{fffd}bob. That username contains disallowed characters.");
}

#[test]
fn k2_commands_may_begin_with_a_slash_and_case_does_not_matter() {
    for line in ["/msg bob hi", "/msg @bob hi"] {
        assert_eq!(Script::chatting().typed(line), ["send SEND bob hi"]);
    }
    for line in ["/who", "!WHO"] {
        assert_eq!(Script::chatting().typed(line), ["send LIST"]);
    }
}

#[test]
fn ri9_which_message_failed_is_said_where_it_is_not_clear() {
    let nobody = "print The destination user does not exist";
    let sent = "print The message was sent succesfully";
    let mut script = Script::chatting();
    script.typed("@eve alone");
    assert_eq!(script.received("BAD-DEST-USER"), [nobody]);
    for line in ["@bob one", "@eve two", "@bob three", "@eve four"] {
        script.typed(line);
    }
    assert_eq!(script.received("SEND-OK"), [sent]);
    assert_eq!(script.received("BAD-DEST-USER"), [nobody, "warn Not delivered: @eve two"]);
    assert_eq!(script.received("SEND-OK"), [sent]);
    assert_eq!(script.received("UNKNOWN"), [nobody, "warn Not delivered: @eve four"]);
    script.typed("@eve alone");
    assert_eq!(script.received("BAD-DEST-USER"), [nobody]);
}

#[test]
fn ri9_what_bounces_after_a_reconnect_is_said() {
    let mut script = returning();
    script.feed(Input::Disconnected(None));
    script.typed("@bob queued");
    script.feed(Input::Connected);
    script.received("HELLO ann");
    let bounced = ["print The destination user does not exist", "warn Not delivered: @bob queued"];
    assert_eq!(script.received("BAD-DEST-USER"), bounced);
    script.typed("@bob again");
    assert_eq!(script.received("BAD-DEST-USER"), bounced[..1]);
}

#[test]
fn r13_a_message_that_may_be_too_long_is_said_to_be() {
    let mut script = Script::chatting();
    script.typed(&format!("@bob {}", "x".repeat(1 << 20)));
    let body = "print Error: Unknown issue in previous message body.";
    let told = "warn That message of 1048581 bytes may be too long for the server.";
    assert_eq!(script.received("BAD-RQST-BODY"), [body, told]);
    let mut script = Script::new();
    let name = "x".repeat(65);
    script.typed(&name);
    let told = "warn That username is too long: names have 64 characters at most.";
    assert!(script.received("BAD-RQST-BODY").contains(&told.to_owned()));
}

#[test]
fn k3_a_login_without_an_answer_is_waited_for_at_a_terminal() {
    let mut script = Script { session: Session::new(&PROTOCOL, at_a_terminal(None)) };
    script.feed(Input::Start);
    script.feed(Input::Connected);
    script.typed("ann");
    let told = "warn No answer from here port 1 yet. It is waited for; !quit leaves.";
    assert_eq!(script.feed(Input::TimeUp { unsent: false }), [told, "wait for ever"]);
    assert_eq!(script.typed("!quit"), ["wait 1", "finish"]);
    assert_eq!(script.typed("@bob more"), ["warn One line was not sent: @bob more"]);
}

#[test]
fn k6_a_full_server_that_says_so_before_a_name_is_given_is_the_end() {
    let mut script = Script::new();
    assert_eq!(script.received("BUSY"), ["print Cannot log in. The server is full!", "exit 1"]);
}

#[test]
fn k3_a_script_whose_message_reached_nobody_has_failed() {
    for (line, answer) in [
        ("@bob hi", "BAD-DEST-USER"),
        ("@bob hi", "UNKNOWN"),
        ("@bob hi", "BAD-RQST-BODY"),
        ("@bob hi", "BAD-RQST-HDR"),
        ("!whoo", ""),
        ("hello", ""),
    ] {
        let mut script = Script::chatting();
        script.typed(line);
        script.received(answer);
        script.feed(Input::TypedEnd);
        assert_eq!(script.feed(Input::Disconnected(None)), ["exit 1"], "{line} {answer}");
    }
}

#[test]
fn k3_a_send_of_a_script_without_an_answer_is_a_failure() {
    for end in [Input::Disconnected(None), Input::TimeUp { unsent: false }] {
        let mut script = Script::chatting();
        script.typed("@bob hi");
        script.typed("@eve hi");
        script.feed(Input::TypedEnd);
        script.received("SEND-OK");
        assert_eq!(script.feed(end), [&lost("@eve hi"), "exit 1"]);
    }
}

#[test]
fn k6_a_signal_tells_what_still_waited() {
    let mut script = returning();
    script.feed(Input::Disconnected(None));
    script.typed("@bob waits");
    let told = ["warn One line was not sent: @bob waits", "exit 130"];
    assert_eq!(script.feed(Input::Signal(Signal::Interrupt)), told);
}

#[test]
fn ri11_blanks_around_the_names_of_a_list_are_dropped() {
    let mut script = Script::chatting();
    assert_eq!(script.received("WHO-OK ann, bob ,eve"), ["print There are 3 online users:\n- ann\n- bob\n- eve"]);
}

#[test]
fn k1_names_are_asked_for_unseen_and_each_answer_is_that_of_its_request() {
    let mut script = Script::chatting();
    let online = "print There are 1 online users:\n- ann";
    assert_eq!(script.feed(Input::Completing), ["send LIST"]);
    assert_eq!(script.feed(Input::Completing), [""; 0]);
    assert_eq!(script.typed("!who"), ["send LIST"]);
    assert_eq!(script.typed("@bob hi"), ["send SEND bob hi"]);
    assert_eq!(script.received("LIST-OK ann,bob"), [""; 0]);
    assert_eq!(script.received("LIST-OK ann"), [online]);
    assert_eq!(script.received("SEND-OK"), ["print The message was sent succesfully"]);
    assert_eq!(script.received("LIST-OK ann"), [online]);
}

#[test]
fn ri9_a_name_that_nobody_has_is_not_completed() {
    let mut script = Script::chatting();
    for line in ["@bob hi", "@gus hi"] {
        script.typed(line);
    }
    script.received("SEND-OK");
    let actions = handle(&mut script.session, Input::Received("BAD-DEST-USER".into()));
    assert_eq!(actions[0], Action::Names(Names::Left("gus".into())));
}

#[test]
fn k1_a_server_without_lists_is_asked_in_both_words_and_nobody_hears_of_it() {
    let mut script = Script::chatting();
    assert_eq!(script.feed(Input::Completing), ["send LIST"]);
    assert_eq!(script.received("BAD-RQST-HDR"), ["send WHO"]);
    assert_eq!(script.received("WHO-OK ann"), [""; 0]);
    assert_eq!(script.feed(Input::Completing), ["send WHO"]);
    assert_eq!(script.received("BAD-RQST-HDR"), NOTHING);
    script.feed(Input::Completing);
    assert_eq!(script.received("BAD-RQST-BODY"), NOTHING);
    assert_eq!(script.received("BAD-RQST-BODY"), ["print Error: Unknown issue in previous message body."]);
    script.feed(Input::Completing);
    // It does not keep anybody who leaves.
    assert_eq!(script.typed("!quit"), ["wait 1", "finish"]);
}
