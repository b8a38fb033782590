//! The CHAT/1.0 session (H12 to H15).

use std::mem;
use std::time::Duration;

use super::command::{HELP, QUIT};
use super::{Action, Config, Input, Session, print, typed_lines, warn, warn_of_unsent};
use crate::client::messages;
use crate::limits::{END_WAIT, LOGIN_WAIT, QUIT_WAIT};
use crate::protocol::chat1::Chat1;
use crate::protocol::{Dialect, Event, Request};

/// A person's session with a CHAT/1.0 server.
#[derive(Debug)]
pub(super) struct Chat1Session {
    /// The server, as messages call it.
    server: String,
    user: String,
    /// Whether to connect again when the connection is lost.
    reconnect: bool,
    /// It was registered before, and is on its way back.
    returning: bool,
    stage: Stage,
    /// What was typed before the registration was answered.
    kept: Vec<Input>,
    /// Status to end with once the server has hung up after our good-bye.
    leaving: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    Registering,
    Ready,
}

impl Chat1Session {
    /// A session that registers the name that was asked for.
    pub(super) fn new(setup: Config) -> Self {
        Self {
            server: setup.server,
            user: setup.name.unwrap_or_default(),
            reconnect: setup.reconnect,
            returning: false,
            stage: Stage::Connecting,
            kept: Vec::new(),
            leaving: None,
        }
    }

    fn send(&self, request: &Request<'_>) -> Action {
        let mut line = Vec::new();
        Chat1.encode_request(request, &self.user, 0, &mut line);
        Action::Send(line)
    }

    /// H14: says good-bye.
    fn leave(&mut self, status: u8, wait: Duration, actions: &mut Vec<Action>) {
        if self.stage == Stage::Connecting {
            actions.push(Action::Exit(status));
            return;
        }
        self.leaving = Some(status);
        actions.extend([Action::WaitAtMost(wait), self.send(&Request::Leave), Action::FinishSending]);
    }

    /// Keeps what was typed until the registration is answered. Whoever is done typing does not wait for that for ever.
    fn keep(&mut self, typed: Input, actions: &mut Vec<Action>) {
        match &typed {
            _ if self.returning => {}
            Input::TypedEnd => actions.push(Action::WaitAtMost(END_WAIT)),
            Input::Typed(line) if line.trim() == QUIT => actions.push(Action::WaitAtMost(QUIT_WAIT)),
            _ => {}
        }
        self.kept.push(typed);
    }

    fn received(&mut self, line: String, actions: &mut Vec<Action>) {
        match (self.stage, Chat1.decode_event(&line)) {
            (Stage::Registering, Some(Event::Welcome { .. })) => {
                self.stage = Stage::Ready;
                self.returning = false;
                actions.extend([Action::LoggedIn, print(messages::REGISTERED)]);
                if self.leaving.is_none() {
                    actions.push(Action::WaitForever);
                }
                for input in mem::take(&mut self.kept) {
                    self.handle(input, actions);
                }
            }
            (Stage::Registering, Some(Event::NameInUse { .. } | Event::ServerFull)) if self.returning => {
                match self.leaving {
                    Some(status) => actions.push(Action::Exit(status)),
                    None => self.reconnect(messages::cannot_log_in_again(&self.server, &line), actions),
                }
            }
            (Stage::Registering, Some(Event::NameInUse { .. } | Event::ServerFull | Event::Error(_))) => {
                actions.extend([warn(line), Action::Exit(1)]);
            }
            (_, Some(Event::Goodbye)) if self.reconnect && self.leaving.is_none() => self.lost(None, actions),
            (_, Some(Event::Delivery { from, .. })) => {
                let sender = 1..1 + from.len();
                actions.push(Action::Message { line, sender });
            }
            (_, Some(Event::Goodbye)) => actions.extend([print(messages::DISCONNECTED), Action::Exit(0)]),
            _ => actions.push(print(line)),
        }
    }

    /// The connection is lost, and it is to come back.
    fn lost(&mut self, reason: Option<&str>, actions: &mut Vec<Action>) {
        self.reconnect(messages::connection_lost(&self.server, reason), actions);
    }

    fn reconnect(&mut self, why: String, actions: &mut Vec<Action>) {
        self.stage = Stage::Connecting;
        self.returning = true;
        actions.extend([Action::WaitForever, Action::Reconnect(why)]);
    }

    /// Whether the loss of the connection is not the end.
    fn is_to_return(&self) -> bool {
        self.returning || (self.reconnect && self.stage == Stage::Ready)
    }
}

impl Session for Chat1Session {
    fn handle(&mut self, input: Input, actions: &mut Vec<Action>) {
        match input {
            Input::Start => actions.extend([print(messages::CONNECTING), Action::Connect]),
            Input::Connected => {
                self.stage = Stage::Registering;
                actions.extend([print(messages::CONNECTED), self.send(&Request::Login { name: &self.user })]);
                if self.returning || !self.kept.contains(&Input::TypedEnd) {
                    actions.push(Action::WaitAtMost(LOGIN_WAIT));
                }
            }
            Input::Unreachable(reason) if self.returning => {
                self.reconnect(messages::cannot_connect(&self.server, &reason), actions);
            }
            Input::Unreachable(_) => actions.extend([warn(messages::NOT_ACCEPTING), Action::Exit(1)]),
            Input::Received(line) => self.received(line, actions),
            Input::Disconnected(reason) => match self.leaving {
                Some(status) => actions.push(Action::Exit(status)),
                None if self.is_to_return() => self.lost(reason.as_deref(), actions),
                None => actions.extend([print(messages::DISCONNECTED), Action::Exit(1)]),
            },
            Input::TimeUp { unsent } => match self.leaving {
                Some(0) if unsent => {
                    actions.extend([warn(messages::not_all_sent(&self.server)), Action::Exit(1)]);
                }
                Some(status) => actions.push(Action::Exit(status)),
                None if self.returning => {
                    self.reconnect(messages::no_answer(&self.server), actions);
                }
                None => actions.extend([warn(messages::no_answer(&self.server)), Action::Exit(1)]),
            },
            Input::Signal(signal) if self.leaving.is_some() => actions.push(Action::Exit(signal.exit_status())),
            Input::Typed(_) | Input::TypedEnd if self.leaving.is_some() => {}
            Input::Signal(signal) => {
                actions.push(print(messages::INTERRUPTED));
                self.leave(signal.exit_status(), QUIT_WAIT, actions);
            }
            Input::Typed(line) if line.trim() == QUIT && (self.kept.is_empty() || self.returning) => {
                actions.extend(warn_of_unsent(typed_lines(&mem::take(&mut self.kept))));
                self.leave(0, QUIT_WAIT, actions);
            }
            typed @ (Input::Typed(_) | Input::TypedEnd) if self.stage != Stage::Ready => self.keep(typed, actions),
            Input::Typed(line) if line.trim().is_empty() => {}
            Input::Typed(line) if line.trim() == HELP => actions.push(Action::Help),
            Input::Typed(line) => actions.push(self.send(&Request::Broadcast { text: &line })),
            Input::TypedEnd => self.leave(0, END_WAIT, actions),
        }
    }

    fn wants_input(&self) -> bool {
        self.stage == Stage::Ready
    }

    fn prompt(&self) -> &'static str {
        if self.stage == Stage::Ready && self.leaving.is_none() { messages::PROMPT } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::session::show;

    fn feed(session: &mut Chat1Session, input: Input) -> Vec<String> {
        let mut actions = Vec::new();
        session.handle(input, &mut actions);
        actions.into_iter().map(show).collect()
    }

    fn received(session: &mut Chat1Session, line: &str) -> Vec<String> {
        feed(session, Input::Received(line.to_owned()))
    }

    fn ready(reconnect: bool) -> Chat1Session {
        let name = Some(String::from("ann"));
        let mut session =
            Chat1Session::new(Config { server: "here".into(), name, user: None, reconnect, interactive: false });
        feed(&mut session, Input::Start);
        feed(&mut session, Input::Connected);
        let registered = "print Registration successful.  Ready for messaging!";
        assert_eq!(received(&mut session, "200 OK"), ["logged in", registered, "wait for ever"]);
        session
    }

    #[test]
    fn h6_h10_the_names_in_messages_are_known() {
        let mut session = ready(false);
        for line in ["@bob: hi", "@bob whispers: psst"] {
            let mut actions = Vec::new();
            session.handle(Input::Received(line.to_owned()), &mut actions);
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
