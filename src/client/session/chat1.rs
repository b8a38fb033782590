//! The CHAT/1.0 session (H12 to H15).

use super::protocols::{HELP, Protocol, QUIT, Usage};
use super::shared::Shared;
use super::{Action, Command, Config, DialectSession, Session};
use crate::client::messages;
use crate::protocol::chat1::Chat1;
use crate::protocol::{Dialect, Event, Request};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "chat",
    needs_name: true,
    about: "where your name is --name, or USER",
    commands: &[Usage { syntax: "MESSAGE", meaning: "Send a message to everybody" }, HELP, QUIT],
    begin,
};

/// What is particular to a CHAT/1.0 session.
#[derive(Debug)]
struct Chat1Session;

fn begin(config: Config) -> Session {
    Session::new(Shared::new(config, &Chat1), Chat1Session)
}

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

    fn unreachable(&mut self, _reason: &str, shared: &mut Shared) {
        shared.fail(messages::NOT_ACCEPTING);
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
            Some(Event::NameInUse { .. } | Event::ServerFull) if shared.is_reconnecting() => {
                shared.reconnect(messages::cannot_log_in_again(&shared.config.server, &line));
            }
            Some(Event::NameInUse { .. } | Event::ServerFull | Event::Error(_)) if shared.is_login_sent() => {
                shared.fail(line);
            }
            Some(Event::Goodbye) if shared.config.reconnect && !shared.is_leaving() => {
                shared.reconnect(messages::connection_lost(&shared.config.server, None));
            }
            Some(Event::Goodbye) => {
                shared.print(messages::DISCONNECTED);
                shared.exit(0);
            }
            Some(Event::Delivery { from, .. }) => {
                let sender = 1..1 + from.len();
                shared.push(Action::Message { line, sender });
            }
            _ => shared.print(line),
        }
    }

    fn lost(&mut self, _reason: Option<&str>, shared: &mut Shared) {
        shared.print(messages::DISCONNECTED);
        shared.exit(1);
    }

    fn farewell(&self) -> Option<Request<'static>> {
        Some(Request::Leave)
    }

    fn prompt(&self) -> &'static str {
        messages::PROMPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::session::testing::{feed, handle};
    use crate::client::session::{Action, Input};

    fn received(session: &mut Session, line: &str) -> Vec<String> {
        feed(session, Input::Received(line.to_owned()))
    }

    fn ready(reconnect: bool) -> Session {
        let name = Some(String::from("ann"));
        let mut session = begin(Config { server: "here".into(), name, user: None, reconnect, interactive: false });
        feed(&mut session, Input::Start);
        feed(&mut session, Input::Connected);
        let registered = "print Registration successful.  Ready for messaging!";
        assert_eq!(received(&mut session, "200 OK"), ["wait for ever", "logged in", registered]);
        session
    }

    #[test]
    fn h6_h10_the_names_in_messages_are_known() {
        let mut session = ready(false);
        for line in ["@bob: hi", "@bob whispers: psst"] {
            let actions = handle(&mut session, Input::Received(line.to_owned()));
            assert_eq!(actions, [Action::Message { line: line.to_owned(), sender: 1..4 }]);
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
}
