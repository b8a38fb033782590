//! The WAC session (W12 to W14).

use std::mem;

use super::messages;
use super::session::{Action, Input, Session, Setup, print, warn};
use super::typed::{QUIT, WHO, addressed};
use crate::limits::{END_WAIT, QUIT_WAIT};
use crate::protocol::wac::Wac;
use crate::protocol::{Dialect, Event, Request};

/// The other word by which one leaves.
const PLAIN_QUIT: &str = "quit";

/// Asks for the secret.
const SECRET: &str = "!sec";

/// Who logs in when nobody knows a name.
const GUEST: &str = "guest";

/// A person's session with a WAC server. It shows what the server says, whatever that is, and waits for no answer.
#[derive(Debug)]
pub struct WacSession {
    /// The server, as messages call it.
    server: String,
    /// The one name it ever logs in with.
    name: String,
    connected: bool,
    /// What was typed before there was a connection, and is done as soon as there is one.
    kept: Vec<Input>,
    /// The person is leaving, by a word or by the end of input, and what still arrives is shown.
    leaving: Option<Leaving>,
    /// The server has said good-bye.
    dismissed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    Quit,
    EndOfInput,
}

impl WacSession {
    /// A session that logs in with the name that was asked for, or the system's, or as a guest (W12).
    pub fn new(setup: Setup) -> Self {
        let name = setup.name.or(setup.user).filter(|name| !name.is_empty());
        Self {
            server: setup.server,
            name: name.unwrap_or_else(|| GUEST.to_owned()),
            connected: false,
            kept: Vec::new(),
            leaving: None,
            dismissed: false,
        }
    }

    fn typed(&mut self, line: &str, actions: &mut Vec<Action>) {
        match line.trim() {
            "" => {}
            SECRET => actions.push(send(&Request::Secret)),
            WHO => actions.push(send(&Request::Names)),
            trimmed => match addressed(line) {
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
        self.dismissed = Wac.decode_event(&line) == Some(Event::Goodbye);
        actions.push(print(line));
    }

    fn disconnected(&self, reason: Option<&str>, actions: &mut Vec<Action>) {
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
                self.connected = true;
                actions.push(send(&Request::Login { name: &self.name }));
                for input in mem::take(&mut self.kept) {
                    self.handle(input, actions);
                }
            }
            Input::Unreachable(reason) => {
                actions.extend([warn(messages::cannot_connect(&self.server, &reason)), Action::Exit(1)]);
            }
            Input::Typed(_) | Input::TypedEnd if self.leaving.is_some() => {}
            Input::Typed(line) if is_quit(&line) && self.connected => self.leave(Leaving::Quit, actions),
            Input::Typed(line) if is_quit(&line) && self.kept.is_empty() => actions.push(Action::Exit(0)),
            Input::Typed(line) if is_quit(&line) => {
                actions.push(Action::WaitAtMost(QUIT_WAIT));
                self.kept.push(Input::Typed(line));
            }
            typed @ (Input::Typed(_) | Input::TypedEnd) if !self.connected => self.kept.push(typed),
            Input::Typed(line) => self.typed(&line, actions),
            Input::TypedEnd => self.leave(Leaving::EndOfInput, actions),
            Input::Received(line) => self.received(line, actions),
            Input::Disconnected(reason) => self.disconnected(reason.as_deref(), actions),
            Input::Signal(signal) => actions.push(Action::Exit(signal.exit_status())),
            Input::TimeUp { unsent: true } => {
                actions.extend([warn(messages::not_all_sent(&self.server)), Action::Exit(1)]);
            }
            Input::TimeUp { .. } if self.leaving.is_some() => actions.push(Action::Exit(0)),
            Input::TimeUp { .. } => actions.extend([warn(messages::no_answer(&self.server)), Action::Exit(1)]),
        }
    }

    fn wants_input(&self) -> bool {
        self.connected
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
