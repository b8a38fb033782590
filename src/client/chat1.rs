//! The CHAT/1.0 session (H12 to H15).

use std::mem;
use std::time::Duration;

use super::messages;
use super::session::{Action, Input, Session, Setup, print, warn};
use super::typed::QUIT;
use crate::limits::{END_WAIT, LOGIN_WAIT, QUIT_WAIT};
use crate::protocol::chat1::Chat1;
use crate::protocol::{Dialect, Event, Request};

/// A person's session with a CHAT/1.0 server.
#[derive(Debug)]
pub struct Chat1Session {
    /// The server, as messages call it.
    server: String,
    user: String,
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
    pub fn new(setup: Setup) -> Self {
        Self {
            server: setup.server,
            user: setup.name.unwrap_or_default(),
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
                actions.extend([print(messages::REGISTERED), Action::WaitForever]);
                for input in mem::take(&mut self.kept) {
                    self.handle(input, actions);
                }
            }
            (Stage::Registering, Some(Event::NameInUse { .. } | Event::ServerFull | Event::Faulty(_))) => {
                actions.extend([warn(line), Action::Exit(1)]);
            }
            (_, Some(Event::Goodbye)) => actions.extend([print(messages::DISCONNECTED), Action::Exit(0)]),
            _ => actions.push(print(line)),
        }
    }
}

impl Session for Chat1Session {
    fn handle(&mut self, input: Input, actions: &mut Vec<Action>) {
        match input {
            Input::Start => actions.extend([print(messages::CONNECTING), Action::Connect]),
            Input::Connected => {
                self.stage = Stage::Registering;
                actions.extend([print(messages::CONNECTED), self.send(&Request::Login { name: &self.user })]);
                if !self.kept.contains(&Input::TypedEnd) {
                    actions.push(Action::WaitAtMost(LOGIN_WAIT));
                }
            }
            Input::Unreachable(_) => actions.extend([warn(messages::NOT_ACCEPTING), Action::Exit(1)]),
            Input::Received(line) => self.received(line, actions),
            Input::Disconnected(_) => match self.leaving {
                Some(status) => actions.push(Action::Exit(status)),
                None => actions.extend([print(messages::DISCONNECTED), Action::Exit(1)]),
            },
            Input::TimeUp { unsent } => match self.leaving {
                Some(0) if unsent => {
                    actions.extend([warn(messages::not_all_sent(&self.server)), Action::Exit(1)]);
                }
                Some(status) => actions.push(Action::Exit(status)),
                None => actions.extend([warn(messages::no_answer(&self.server)), Action::Exit(1)]),
            },
            Input::Typed(_) | Input::TypedEnd | Input::Signal(_) if self.leaving.is_some() => {}
            Input::Signal(signal) => {
                actions.push(print(messages::INTERRUPTED));
                self.leave(signal.exit_status(), QUIT_WAIT, actions);
            }
            Input::Typed(line) if line.trim() == QUIT && self.kept.is_empty() => self.leave(0, QUIT_WAIT, actions),
            typed @ (Input::Typed(_) | Input::TypedEnd) if self.stage != Stage::Ready => self.keep(typed, actions),
            Input::Typed(line) if line.trim().is_empty() => {}
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
