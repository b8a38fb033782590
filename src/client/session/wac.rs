//! The WAC session (W12 to W14).

use std::mem;

use super::command::{HELP, QUIT, WHO, parse_direct};
use super::{Action, Config, Input, Session, print, typed_lines, warn, warn_of_unsent};
use crate::client::messages;
use crate::limits::{END_WAIT, LOGIN_WAIT, QUIT_WAIT};
use crate::protocol::wac::Wac;
use crate::protocol::{Dialect, Event, Request, RequestError};

/// The other word by which one leaves.
const PLAIN_QUIT: &str = "quit";

/// Asks for the secret.
const SECRET: &str = "!sec";

/// Who logs in when nobody knows a name.
const GUEST: &str = "guest";

/// A person's session with a WAC server. It shows what the server says, whatever that is, and waits for no answer.
#[derive(Debug)]
pub(super) struct WacSession {
    /// The server, as messages call it.
    server: String,
    /// The one name it ever logs in with.
    name: String,
    /// Whether to connect again when the connection is lost.
    reconnect: bool,
    stage: Stage,
    /// The server has said so.
    is_welcome: bool,
    /// The connection was lost once.
    was_lost: bool,
    /// What was typed before it could be sent, and is done as soon as it can.
    kept: Vec<Input>,
    /// The person is leaving, by a word or by the end of input, and what still arrives is shown.
    leaving: Option<Leaving>,
    /// The server has said good-bye.
    dismissed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// Connected; the login is sent, and everything else is sent behind it.
    Ready,
    /// Connecting once more, after the connection was lost.
    Returning,
    /// Connected once more; the server has not said yet what becomes of the login. One that never does is taken to agree.
    LoggingIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    Quit,
    EndOfInput,
}

impl WacSession {
    /// A session that logs in with the name that was asked for, or the system's, or as a guest (W12).
    pub(super) fn new(setup: Config) -> Self {
        let name = setup.name.or(setup.user).filter(|name| !name.is_empty());
        Self {
            server: setup.server,
            name: name.unwrap_or_else(|| GUEST.to_owned()),
            reconnect: setup.reconnect,
            stage: Stage::Connecting,
            is_welcome: false,
            was_lost: false,
            kept: Vec::new(),
            leaving: None,
            dismissed: false,
        }
    }

    fn typed(&mut self, line: &str, actions: &mut Vec<Action>) {
        match line.trim() {
            "" => {}
            HELP => actions.push(Action::Help),
            SECRET => actions.push(send(&Request::Secret)),
            WHO => actions.push(send(&Request::List)),
            trimmed => match parse_direct(line) {
                Some((to, text)) => actions.push(send(&Request::Direct { to, text })),
                None if trimmed.starts_with('@') => actions.push(print(messages::WHISPER_HINT)),
                None => actions.push(send(&Request::Broadcast { text: line })),
            },
        }
    }

    fn leave(&mut self, leaving: Leaving, actions: &mut Vec<Action>) {
        self.leaving = Some(leaving);
        let wait = if leaving == Leaving::Quit { QUIT_WAIT } else { END_WAIT };
        actions.extend([Action::WaitAtMost(wait), Action::FinishSending]);
    }

    fn received(&mut self, line: String, actions: &mut Vec<Action>) {
        let event = Wac.decode_event(&line).unwrap_or(Event::Text(&line));
        self.dismissed = event == Event::Goodbye;
        let is_refused =
            matches!(event, Event::NameInUse { .. } | Event::ServerFull | Event::Error(RequestError::InvalidName(_)));
        let is_welcome = matches!(event, Event::Welcome { .. });
        if is_refused && !self.is_welcome {
            if self.was_lost && self.leaving.is_none() {
                self.reconnect(messages::cannot_log_in_again(&self.server, &line), actions);
            } else {
                // There is no other name to try (W12), and nothing that one could do without.
                actions.extend([print(line), Action::Exit(1)]);
            }
            return;
        }
        self.is_welcome |= is_welcome;
        match event {
            Event::Delivery { from, .. } => {
                let sender = 0..from.len();
                actions.push(Action::Message { line, sender });
            }
            Event::Users(names) => {
                let names = Action::Names(names.into_iter().map(str::to_owned).collect());
                actions.extend([print(line), names]);
            }
            _ => actions.push(print(line)),
        }
        if self.stage == Stage::LoggingIn && is_welcome {
            self.ready(actions);
        }
    }

    /// What is typed goes out from now on, and what was typed before.
    fn ready(&mut self, actions: &mut Vec<Action>) {
        self.stage = Stage::Ready;
        actions.extend([Action::WaitForever, Action::LoggedIn]);
        for input in mem::take(&mut self.kept) {
            self.handle(input, actions);
        }
    }

    fn reconnect(&mut self, why: String, actions: &mut Vec<Action>) {
        self.stage = Stage::Returning;
        (self.was_lost, self.is_welcome, self.dismissed) = (true, false, false);
        actions.extend([Action::WaitForever, Action::Reconnect(why)]);
    }

    fn is_returning(&self) -> bool {
        matches!(self.stage, Stage::Returning | Stage::LoggingIn)
    }

    fn disconnected(&mut self, reason: Option<&str>, actions: &mut Vec<Action>) {
        if self.reconnect && self.leaving.is_none() {
            self.reconnect(messages::connection_lost(&self.server, reason), actions);
            return;
        }
        let expected = match self.leaving {
            None => self.dismissed,
            Some(Leaving::Quit) => true,
            Some(Leaving::EndOfInput) => reason.is_none(),
        };
        if expected {
            actions.push(Action::Exit(0));
        } else {
            actions.extend([warn(messages::connection_lost(&self.server, reason)), Action::Exit(1)]);
        }
    }
}

impl Session for WacSession {
    fn handle(&mut self, input: Input, actions: &mut Vec<Action>) {
        match input {
            Input::Start => actions.push(Action::Connect),
            Input::Connected => {
                actions.push(send(&Request::Login { name: &self.name }));
                match self.stage {
                    Stage::Returning => {
                        self.stage = Stage::LoggingIn;
                        actions.push(Action::WaitAtMost(LOGIN_WAIT));
                    }
                    _ => self.ready(actions),
                }
            }
            Input::Unreachable(reason) if self.is_returning() => {
                self.reconnect(messages::cannot_connect(&self.server, &reason), actions);
            }
            Input::Unreachable(reason) => {
                actions.extend([warn(messages::cannot_connect(&self.server, &reason)), Action::Exit(1)]);
            }
            Input::Typed(_) | Input::TypedEnd if self.leaving.is_some() => {}
            Input::Typed(line) if is_quit(&line) && self.stage == Stage::Ready => self.leave(Leaving::Quit, actions),
            Input::Typed(line) if is_quit(&line) && (self.kept.is_empty() || self.is_returning()) => {
                actions.extend(warn_of_unsent(typed_lines(&self.kept)));
                actions.push(Action::Exit(0));
            }
            Input::Typed(line) if is_quit(&line) => {
                actions.push(Action::WaitAtMost(QUIT_WAIT));
                self.kept.push(Input::Typed(line));
            }
            typed @ (Input::Typed(_) | Input::TypedEnd) if self.stage != Stage::Ready => self.kept.push(typed),
            Input::Typed(line) => self.typed(&line, actions),
            Input::TypedEnd => self.leave(Leaving::EndOfInput, actions),
            Input::Received(line) => self.received(line, actions),
            Input::Disconnected(reason) => self.disconnected(reason.as_deref(), actions),
            Input::Signal(signal) => actions.push(Action::Exit(signal.exit_status())),
            Input::TimeUp { .. } if self.stage == Stage::LoggingIn => self.ready(actions),
            Input::TimeUp { unsent: true } => {
                actions.extend([warn(messages::not_all_sent(&self.server)), Action::Exit(1)]);
            }
            Input::TimeUp { .. } if self.leaving.is_some() => actions.push(Action::Exit(0)),
            Input::TimeUp { .. } => actions.extend([warn(messages::no_answer(&self.server)), Action::Exit(1)]),
        }
    }

    fn wants_input(&self) -> bool {
        self.stage == Stage::Ready
    }
}

fn is_quit(line: &str) -> bool {
    matches!(line.trim(), QUIT | PLAIN_QUIT)
}

fn send(request: &Request<'_>) -> Action {
    let mut line = Vec::new();
    Wac.encode_request(request, "", 0, &mut line);
    Action::Send(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::session::show;

    fn feed(session: &mut WacSession, input: Input) -> Vec<String> {
        let mut actions = Vec::new();
        session.handle(input, &mut actions);
        actions.into_iter().map(show).collect()
    }

    fn received(session: &mut WacSession, line: &str) -> Vec<String> {
        feed(session, Input::Received(line.to_owned()))
    }

    fn typed(session: &mut WacSession, line: &str) -> Vec<String> {
        feed(session, Input::Typed(line.to_owned()))
    }

    fn chatting(reconnect: bool) -> WacSession {
        let name = Some(String::from("ann"));
        let mut session =
            WacSession::new(Config { server: "here".into(), name, user: None, reconnect, interactive: false });
        assert_eq!(feed(&mut session, Input::Start), ["connect"]);
        assert_eq!(feed(&mut session, Input::Connected), ["send LIN ann", "wait for ever", "logged in"]);
        session
    }

    #[test]
    fn w14_lines_are_shown_in_full_and_names_in_them_are_known() {
        let mut session = chatting(false);
        let mut actions = Vec::new();
        session.handle(Input::Received("bob: hi".into()), &mut actions);
        session.handle(Input::Received("bob whispers, \"psst\"".into()), &mut actions);
        let lines = ["bob: hi", "bob whispers, \"psst\""];
        assert_eq!(actions, lines.map(|line| Action::Message { line: line.to_owned(), sender: 0..3 }));
        assert_eq!(received(&mut session, "Online: a, b"), ["print Online: a, b", "names a b"]);
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
        typed(&mut session, "lost");
        assert_eq!(typed(&mut session, "quit"), ["warn One line was not sent.", "exit 0"]);
    }

    #[test]
    fn w12_a_login_that_is_refused_is_the_end_as_there_is_no_other_name() {
        for line in [
            "Cannot log in as ann: that name is already in use.",
            "Cannot log in as ann: that name is malformed (use letters, digits, '_', '-' and '.').",
            "Cannot log in: the server is full.",
        ] {
            let mut session = chatting(false);
            assert_eq!(received(&mut session, line), [&format!("print {line}"), "exit 1"]);
            let mut session = chatting(false);
            received(&mut session, "Welcome, ann.");
            assert_eq!(received(&mut session, line), [format!("print {line}")]);
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
}
