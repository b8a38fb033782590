//! The CHAT/1.0 session (H12 to H15).

use super::command::{self, Command, Usage};
use super::dialect_session::{DialectSession, Protocol};
use super::shared::Shared;
use super::usage::{HELP, IGNORE, MESSAGE, QUIT, UNIGNORE};
use crate::client::messages;
use crate::protocol::chat1::Chat1;
use crate::protocol::{Dialect, Event, Name, Request};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "chat",
    needs_name: true,
    about: "which takes your name from --name or USER",
    commands: &[MESSAGE, IGNORE, UNIGNORE, HELP, QUIT],
    limits: "CHAT/1.0 cannot send to one user, list who is online or change your name.",
    dialect: &Chat1,
    has_broadcast: true,
    acknowledges: false,
    retries_login: false,
    farewell: Some(Request::Leave),
    prompt: messages::PROMPT,
    begin: |shared| {
        // A client of this protocol ends with its server, unless the user has asked for more (H15).
        shared.config.reconnect.get_or_insert(false);
        Box::new(Chat1Session)
    },
};

#[derive(Debug)]
struct Chat1Session;

impl DialectSession for Chat1Session {
    fn start(&mut self, shared: &mut Shared) {
        shared.print(messages::CONNECTING);
        let name = shared.config.name.clone().unwrap_or_default();
        shared.log_in(&name);
    }

    fn connected(&mut self, shared: &mut Shared) {
        shared.print(messages::CONNECTED);
        shared.send_login();
    }

    fn unreachable(&mut self, reason: &str, shared: &mut Shared) {
        match reason {
            messages::UNKNOWN_HOST => shared.fail(messages::cannot_connect(&shared.config.server, &reason)),
            _ => shared.fail(messages::NOT_ACCEPTING),
        }
    }

    /// CHAT/1.0 has no private messages. A line that looks like one is not meant for everybody.
    fn slip(&self, command: Command<'_>, line: &str, commands: &[Usage]) -> Option<String> {
        if !matches!(command, Command::Direct { .. } | Command::Unknown) {
            return None;
        }
        let name = line.trim_start().strip_prefix('@').and_then(|rest| rest.split_whitespace().next());
        let looks_private = name.is_some_and(|name| name.trim_end_matches(':').parse::<Name>().is_ok());
        if looks_private { Some(messages::EVERYBODY_READS.to_owned()) } else { command::correction(line, commands) }
    }

    fn act(&mut self, _command: Command<'_>, line: &str, shared: &mut Shared) {
        shared.send(&Request::Broadcast { text: line });
    }

    fn received(&mut self, line: String, shared: &mut Shared) {
        match Chat1.decode_event(&line) {
            Some(Event::Welcome { .. }) if shared.is_login_sent() => {
                shared.logged_in();
                shared.print(messages::REGISTERED);
            }
            Some(Event::ServerFull) if shared.is_login_sent() && shared.insists() => {
                shared.try_again(messages::cannot_log_in_again(&shared.config.server, &line));
            }
            Some(Event::NameInUse { .. }) if shared.is_reconnecting() => {
                shared.reconnect(messages::cannot_log_in_again(&shared.config.server, &line));
            }
            Some(Event::NameInUse { .. } | Event::ServerFull | Event::Error(_)) if shared.is_login_sent() => {
                shared.warn_of_long_name();
                shared.fail(line);
            }
            Some(Event::Goodbye) if shared.reconnects() => {
                shared.reconnect(messages::connection_lost(&shared.config.server, None));
            }
            Some(Event::Goodbye) => {
                shared.print(messages::DISCONNECTED);
                shared.exit(0);
            }
            Some(Event::Delivery { scope, from, .. }) => {
                let sender = 1..1 + from.len();
                shared.message(line, sender, scope);
            }
            Some(Event::Presence(presence)) => shared.presence(&line, presence),
            _ => shared.print(line),
        }
    }

    fn lost(&mut self, _reason: Option<&str>, shared: &mut Shared) {
        shared.print(messages::DISCONNECTED);
        shared.exit(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::session::testing::{feed, handle};
    use crate::client::session::{Action, Config, Input, Session};
    use crate::protocol::Scope;

    fn received(session: &mut Session, line: &str) -> Vec<String> {
        feed(session, Input::Received(line.to_owned()))
    }

    fn ready(reconnect: bool) -> Session {
        let name = Some(String::from("ann"));
        let mut session = Session::new(
            &PROTOCOL,
            Config { server: "here".into(), name, user: None, reconnect: Some(reconnect), interactive: false },
        );
        feed(&mut session, Input::Start);
        feed(&mut session, Input::Connected);
        let registered = "print Registration successful.  Ready for messaging!";
        assert_eq!(received(&mut session, "200 OK"), ["wait for ever", "logged in", registered]);
        session
    }

    #[test]
    fn h6_h10_the_names_in_messages_are_known() {
        let mut session = ready(false);
        for (line, scope) in [("@bob: hi", Scope::Broadcast), ("@bob whispers: psst", Scope::Direct)] {
            let actions = handle(&mut session, Input::Received(line.to_owned()));
            assert_eq!(actions, [Action::Message { line: line.to_owned(), sender: 1..4, scope }]);
        }
        assert_eq!(received(&mut session, "anything"), ["print anything"]);
        assert_eq!(feed(&mut session, Input::Typed("!help".into())), ["help"]);
    }

    #[test]
    fn a_lost_connection_comes_back_and_what_was_typed_waits_for_the_registration() {
        let lost = ["wait for ever", "reconnect: The connection to here was lost: the server closed it."];
        let mut session = ready(true);
        assert_eq!(received(&mut session, "DISCONNECT CHAT/1.0"), lost);
        assert_eq!(feed(&mut session, Input::Typed("hello".into())), [""; 0]);
        feed(&mut session, Input::Unreachable("refused".into()));
        assert_eq!(feed(&mut session, Input::Connected)[1..], ["send REGISTER ann CHAT/1.0", "wait 10"]);
        let in_use = "reconnect: Cannot log in to here again: 401 Client already registered";
        assert_eq!(received(&mut session, "401 Client already registered"), ["wait for ever", in_use]);
        feed(&mut session, Input::Connected);
        assert_eq!(received(&mut session, "200 OK")[3..], ["send @ann: hello"]);
        assert_eq!(feed(&mut session, Input::Disconnected(None)), lost);
        assert_eq!(feed(&mut session, Input::Typed("!quit".into())), ["exit 0"]);
        let mut session = ready(true);
        feed(&mut session, Input::Disconnected(None));
        feed(&mut session, Input::Connected);
        assert_eq!(feed(&mut session, Input::Typed("!quit".into()))[1..], ["send DISCONNECT ann CHAT/1.0", "finish"]);
        assert_eq!(received(&mut session, "401 Client already registered"), ["exit 0"]);
        let mut session = ready(false);
        let left = ["print Disconnected from server ... exiting!", "exit 0"];
        assert_eq!(received(&mut session, "DISCONNECT CHAT/1.0"), left);
    }

    #[test]
    fn w13_h12_at_a_keyboard_what_looks_private_is_held_as_everybody_would_read_it() {
        for is_person in [false, true] {
            let name = Some(String::from("ann"));
            let mut session = Session::new(&PROTOCOL, Config { name, interactive: true, ..Config::default() });
            for input in [Input::Start, Input::Connected, Input::Received("200 OK".into())] {
                feed(&mut session, input);
            }
            if is_person {
                feed(&mut session, Input::Person);
            }
            let mut typed = |line: &str| feed(&mut session, Input::Typed(line.into()));
            for line in ["@bob hunter2", "@Bob hunter2", "@bob: hunter2", " @bob", "@ bob x", "one\n@bob two"] {
                let sent: Vec<_> = line.lines().map(|line| format!("send @ann: {line}")).collect();
                if is_person {
                    let held = format!("print {} Enter sends it as it is.", messages::EVERYBODY_READS);
                    assert_eq!(typed(line), [format!("give back {line}"), held], "{line:?}");
                }
                assert_eq!(typed(line), sent);
            }
            for line in ["@bob, hello", "hi @bob", "@bob's hat", "@", "!who", "/msg bob hi", "!sec"] {
                assert_eq!(typed(line), [format!("send @ann: {line}")]);
            }
            assert_eq!(
                typed("!who\n/msg bob hi\n!quit"),
                ["!who", "/msg bob hi", "!quit"].map(|line| format!("send @ann: {line}"))
            );
        }
    }

    #[test]
    fn h15_the_client_ends_with_its_server_also_at_a_keyboard() {
        for end in [Input::Received("DISCONNECT CHAT/1.0".into()), Input::Disconnected(None)] {
            let name = Some(String::from("ann"));
            let mut session = Session::new(&PROTOCOL, Config { name, interactive: true, ..Config::default() });
            for input in [Input::Start, Input::Connected, Input::Received("200 OK".into()), Input::Person] {
                feed(&mut session, input);
            }
            assert_eq!(feed(&mut session, end)[0], "print Disconnected from server ... exiting!");
        }
    }

    #[test]
    fn h3_g3_a_name_that_is_too_long_is_said_to_be() {
        let mut session = Session::new(&PROTOCOL, Config { name: Some("x".repeat(65)), ..Config::default() });
        feed(&mut session, Input::Start);
        feed(&mut session, Input::Connected);
        let too_long = "warn That username is too long: names have 64 characters at most.";
        let told = [too_long, "warn 400 Invalid registration", "exit 1"];
        assert_eq!(received(&mut session, "400 Invalid registration"), told);
    }

    #[test]
    fn k3_a_registration_without_an_answer_is_waited_for_at_a_terminal() {
        for interactive in [false, true] {
            let name = Some(String::from("ann"));
            let mut session =
                Session::new(&PROTOCOL, Config { server: "here".into(), name, interactive, ..Config::default() });
            feed(&mut session, Input::Start);
            feed(&mut session, Input::Connected);
            feed(&mut session, Input::Typed("hello".into()));
            let shown = feed(&mut session, Input::TimeUp { unsent: false });
            if interactive {
                assert_eq!(shown, ["warn No answer from here yet. It is waited for; !quit leaves.", "wait for ever"]);
                assert_eq!(received(&mut session, "200 OK")[3..], ["send @ann: hello"]);
            } else {
                assert_eq!(shown, ["warn No answer from here.", "warn One line was not sent: hello", "exit 1"]);
            }
        }
    }
}
