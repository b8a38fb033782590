//! The CAP session (RI1 to R13, RA2 to RA6, K1 to K6).

use std::collections::VecDeque;
use std::time::Duration;

use super::command::{HELP, QUIT, WHO, parse_direct};
use super::{Action, Config, Input, Session, print, warn, warn_of_unsent};
use crate::client::messages;
use crate::limits::{END_WAIT, LOGIN_WAIT, QUIT_WAIT};
use crate::protocol::cap::{Cap, REVISION_1, REVISION_2};
use crate::protocol::{Dialect, Event, Request, RequestError};

/// Characters by which a name is refused without asking the server (RA4).
const NOT_IN_NAMES: &[char] = &['!', '@', '#', '$', '%', '^', '&', '*'];

/// A person's session with a CAP server.
#[derive(Debug)]
pub(super) struct CapSession {
    /// The server, as messages call it.
    server: String,
    /// A name from the command line, to be tried first.
    given_name: Option<String>,
    /// The name that is logged in.
    name: String,
    /// Whether to connect again when the connection is lost.
    reconnect: bool,
    link: Link,
    stage: Stage,
    /// What the server is known to speak (K1).
    revision: u8,
    /// What was typed while the login was being answered (K2).
    kept: VecDeque<Typed>,
    /// Requests that the server has not answered yet, in the order in which it will.
    awaited: VecDeque<Awaited>,
    leaving: Leaving,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    Connecting,
    Up,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// At the name prompt.
    Asking,
    /// A name is given, and perhaps sent.
    LoggingIn { name: String, sent: bool, attempt: Attempt },
    /// Logged in.
    Chatting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    First,
    /// The connection was gone, and has been made anew (K4).
    Renewed,
    /// The connection was lost in mid-chat; this goes on until it works.
    Again,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Typed {
    Line(String),
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Send,
    /// `LIST`, to be followed by `WHO` when the server does not know it (K1).
    List,
    Who,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    No,
    /// As soon as everything is sent, the sending side is to be shut down. `quit`: the person said so, and does not want
    /// to be asked for anything any more.
    Soon {
        quit: bool,
    },
    /// It is being shut down; what still arrives is shown.
    Finished {
        quit: bool,
    },
}

impl CapSession {
    /// A session that logs in with the name that was asked for, if there is one.
    pub(super) fn new(setup: Config) -> Self {
        Self {
            server: setup.server,
            given_name: setup.name,
            name: String::new(),
            reconnect: setup.reconnect,
            link: Link::Down,
            stage: Stage::Asking,
            revision: REVISION_2,
            kept: VecDeque::new(),
            awaited: VecDeque::new(),
            leaving: Leaving::No,
        }
    }

    fn typed(&mut self, typed: Typed, actions: &mut Vec<Action>) {
        if self.leaving != Leaving::No {
            return;
        }
        match typed {
            Typed::Line(line) if line.trim() == QUIT => self.quit(actions),
            typed if self.is_logging_in() => {
                if typed == Typed::End && !self.is_returning() {
                    actions.push(Action::WaitAtMost(END_WAIT));
                }
                self.kept.push_back(typed);
            }
            Typed::Line(line) => self.act(&line, actions),
            Typed::End => self.leave(self.stage == Stage::Asking, END_WAIT, actions),
        }
    }

    fn act(&mut self, line: &str, actions: &mut Vec<Action>) {
        let line_without_blanks = line.trim();
        if self.stage == Stage::Asking {
            match line_without_blanks {
                "" => actions.push(print(messages::ENTER_LOGIN)),
                name => self.log_in(name, actions),
            }
        } else if line_without_blanks == WHO {
            let awaited = if self.revision == REVISION_1 { Awaited::Who } else { Awaited::List };
            self.request(&Request::List, awaited, actions);
        } else if line_without_blanks == HELP {
            actions.push(Action::Help);
        } else if let Some((to, text)) = parse_direct(line) {
            self.request(&Request::Direct { to, text }, Awaited::Send, actions);
        } else if !line_without_blanks.is_empty() {
            actions.push(print(messages::HINT));
        }
    }

    fn request(&mut self, request: &Request<'_>, awaited: Awaited, actions: &mut Vec<Action>) {
        actions.push(self.encode(request));
        self.awaited.push_back(awaited);
    }

    fn encode(&self, request: &Request<'_>) -> Action {
        let mut line = Vec::new();
        Cap.encode_request(request, "", self.revision, &mut line);
        Action::Send(line)
    }

    fn log_in(&mut self, name: &str, actions: &mut Vec<Action>) {
        if name.contains(NOT_IN_NAMES) {
            actions.extend([print(messages::malformed_name(name)), print(messages::ENTER_LOGIN)]);
            return;
        }
        if self.link == Link::Down {
            self.link = Link::Connecting;
            actions.push(Action::Connect);
        }
        self.stage = Stage::LoggingIn { name: name.to_owned(), sent: false, attempt: Attempt::First };
        self.send_login(actions);
    }

    /// Sends the name as soon as there is a connection.
    fn send_login(&mut self, actions: &mut Vec<Action>) {
        let Stage::LoggingIn { name, sent, .. } = &mut self.stage else { return };
        if self.link != Link::Up || *sent {
            return;
        }
        *sent = true;
        let name = name.clone();
        actions.push(self.encode(&Request::Login { name: &name }));
        if self.leaving == Leaving::No && (self.is_returning() || !self.kept.contains(&Typed::End)) {
            actions.push(Action::WaitAtMost(LOGIN_WAIT));
        }
    }

    fn is_logging_in(&self) -> bool {
        matches!(self.stage, Stage::LoggingIn { .. })
    }

    /// The name whose login the server is answering.
    fn name_being_answered(&self) -> Option<String> {
        match &self.stage {
            Stage::LoggingIn { name, sent: true, .. } => Some(name.clone()),
            _ => None,
        }
    }

    fn received(&mut self, line: &str, actions: &mut Vec<Action>) {
        let Some(event) = Cap.decode_event(line) else {
            actions.push(warn(messages::UNEXPECTED_REPLY));
            return;
        };
        let login = self.name_being_answered();
        match (event, login) {
            (Event::Delivery { from, text, .. }, _) => {
                let (line, sender) = messages::delivery(from, text);
                actions.push(Action::Message { line, sender });
            }
            (Event::Ack, _) => self.answer(&[Awaited::Send], messages::SENT, actions),
            (Event::NoSuchUser { .. }, _) => self.answer(&[Awaited::Send], messages::NO_SUCH_USER, actions),
            (Event::Users(names), _) => {
                self.answer(&[Awaited::List, Awaited::Who], messages::online(&names), actions);
                actions.push(Action::Names(names.iter().map(|&name| name.to_owned()).collect()));
            }
            (Event::Welcome { .. }, Some(name)) => self.logged_in(&name, actions),
            (Event::NameInUse { .. }, Some(name)) => self.refused(messages::name_in_use(&name), actions),
            (Event::Error(RequestError::Header), Some(_)) => self.refused(messages::BAD_HEADER.to_owned(), actions),
            (Event::Error(_), Some(name)) => self.refused(messages::malformed_name(&name), actions),
            (Event::ServerFull, Some(_)) if self.is_returning() => {
                self.reconnect(messages::SERVER_FULL.to_owned(), actions);
            }
            (Event::ServerFull, Some(_)) => {
                actions.extend([print(messages::SERVER_FULL), Action::Exit(1)]);
            }
            (Event::Error(RequestError::Header), None) => self.header_refused(actions),
            (Event::Error(_), None) => {
                self.awaited.pop_front();
                actions.push(print(messages::BAD_BODY));
            }
            _ => actions.push(warn(messages::UNEXPECTED_REPLY)),
        }
        if self.stage == Stage::Chatting {
            self.finish_if_leaving(actions);
        }
    }

    /// Shows an answer, and takes the request that it can be for off the awaited ones. Those before it will get none.
    fn answer(&mut self, to: &[Awaited], text: impl Into<String>, actions: &mut Vec<Action>) {
        if let Some(at) = self.awaited.iter().position(|awaited| to.contains(awaited)) {
            self.awaited.drain(..=at);
        }
        actions.push(print(text));
    }

    /// K1: a server that does not know `LIST` may know `WHO`.
    fn header_refused(&mut self, actions: &mut Vec<Action>) {
        match self.awaited.pop_front() {
            Some(Awaited::List) => {
                self.revision = REVISION_1;
                self.request(&Request::List, Awaited::Who, actions);
            }
            Some(Awaited::Who) => {
                self.revision = REVISION_2;
                actions.push(print(messages::BAD_HEADER));
            }
            Some(Awaited::Send) | None => actions.push(print(messages::BAD_HEADER)),
        }
    }

    fn logged_in(&mut self, name: &str, actions: &mut Vec<Action>) {
        self.stage = Stage::Chatting;
        name.clone_into(&mut self.name);
        if self.leaving == Leaving::No {
            actions.push(Action::WaitForever);
        }
        actions.extend([Action::LoggedIn, print(messages::logged_in(name))]);
        self.act_on_kept(actions);
    }

    /// RA2: asks again. The server closes after a refusal, so the next try gets a connection of its own.
    fn refused(&mut self, text: String, actions: &mut Vec<Action>) {
        if self.is_returning() {
            self.reconnect(text, actions);
            return;
        }
        actions.extend([print(text), Action::Disconnect]);
        self.link = Link::Down;
        self.stage = Stage::Asking;
        if self.leaving != Leaving::No {
            actions.push(Action::Exit(0));
            return;
        }
        actions.extend([print(messages::ENTER_LOGIN), Action::WaitForever]);
        self.act_on_kept(actions);
    }

    fn is_returning(&self) -> bool {
        matches!(self.stage, Stage::LoggingIn { attempt: Attempt::Again, .. })
    }

    /// Connects again, and logs in with the same name. What is typed meanwhile waits.
    fn reconnect(&mut self, why: String, actions: &mut Vec<Action>) {
        match self.leaving {
            Leaving::No => {}
            Leaving::Soon { quit: true } | Leaving::Finished { quit: true } => return self.exit(0, actions),
            _ => {
                actions.push(warn(why));
                return self.exit(1, actions);
            }
        }
        let unanswered = self.awaited.iter().filter(|awaited| **awaited == Awaited::Send).count();
        if unanswered > 0 {
            actions.push(warn(messages::unanswered(unanswered)));
        }
        self.awaited.clear();
        self.link = Link::Connecting;
        self.stage = Stage::LoggingIn { name: self.name.clone(), sent: false, attempt: Attempt::Again };
        actions.extend([Action::WaitForever, Action::Reconnect(why)]);
    }

    fn act_on_kept(&mut self, actions: &mut Vec<Action>) {
        while !self.is_logging_in() {
            match self.kept.pop_front() {
                Some(Typed::Line(line)) => self.act(&line, actions),
                Some(Typed::End) => self.typed(Typed::End, actions),
                None => return,
            }
        }
    }

    /// RI7: leaves, whatever is going on.
    fn quit(&mut self, actions: &mut Vec<Action>) {
        if self.link == Link::Connecting && (self.stage == Stage::Asking || self.is_returning()) {
            self.exit(0, actions);
        } else {
            self.leave(true, QUIT_WAIT, actions);
        }
    }

    /// Ends, and says what has come to nothing.
    fn exit(&self, status: u8, actions: &mut Vec<Action>) {
        let unsent = self.kept.iter().filter(|kept| matches!(kept, Typed::Line(_))).count();
        actions.extend(warn_of_unsent(unsent));
        actions.push(Action::Exit(status));
    }

    fn leave(&mut self, quit: bool, wait: Duration, actions: &mut Vec<Action>) {
        self.leaving = Leaving::Soon { quit };
        actions.push(Action::WaitAtMost(wait));
        if self.kept.is_empty() {
            self.finish_if_leaving(actions);
        }
    }

    /// Shuts the sending side down, once there is one, and unless a `LIST` may still have to be followed by a `WHO`.
    fn finish_if_leaving(&mut self, actions: &mut Vec<Action>) {
        let Leaving::Soon { quit } = self.leaving else { return };
        if self.awaited.contains(&Awaited::List) {
            return;
        }
        match self.link {
            Link::Up => {
                self.leaving = Leaving::Finished { quit };
                actions.push(Action::FinishSending);
            }
            Link::Connecting => {}
            Link::Down => actions.push(Action::Exit(0)),
        }
    }

    /// Whether the end of the connection is what the person wanted, or has to expect after the end of input.
    fn may_end_here(&self, reason: Option<&str>) -> bool {
        match self.leaving {
            Leaving::No => false,
            Leaving::Soon { quit } => quit,
            Leaving::Finished { quit } => quit || reason.is_none(),
        }
    }

    fn disconnected(&mut self, reason: Option<&str>, actions: &mut Vec<Action>) {
        self.link = Link::Down;
        if self.may_end_here(reason) {
            return self.exit(0, actions);
        }
        match &mut self.stage {
            Stage::Asking => {}
            Stage::Chatting if self.reconnect => {
                self.reconnect(messages::connection_lost(&self.server, reason), actions);
            }
            Stage::LoggingIn { attempt: Attempt::Again, .. } => {
                self.reconnect(messages::connection_lost(&self.server, reason), actions);
            }
            Stage::LoggingIn { sent, attempt, .. } if *attempt == Attempt::First => {
                (*sent, *attempt) = (false, Attempt::Renewed);
                self.link = Link::Connecting;
                actions.push(Action::Connect);
            }
            Stage::LoggingIn { .. } | Stage::Chatting => {
                actions.extend([warn(messages::connection_lost(&self.server, reason)), Action::Exit(1)]);
            }
        }
    }
}

impl Session for CapSession {
    fn handle(&mut self, input: Input, actions: &mut Vec<Action>) {
        match input {
            Input::Start => {
                self.link = Link::Connecting;
                actions.extend([print(messages::WELCOME), Action::Connect]);
                if let Some(name) = self.given_name.take() {
                    self.typed(Typed::Line(name), actions);
                }
            }
            Input::Typed(line) => self.typed(Typed::Line(line), actions),
            Input::TypedEnd => self.typed(Typed::End, actions),
            Input::Connected => {
                self.link = Link::Up;
                self.send_login(actions);
                if self.kept.is_empty() {
                    self.finish_if_leaving(actions);
                }
            }
            Input::Unreachable(reason) if self.is_returning() => {
                self.reconnect(messages::cannot_connect(&self.server, &reason), actions);
            }
            Input::Unreachable(reason) => {
                actions.extend([warn(messages::cannot_connect(&self.server, &reason)), Action::Exit(1)]);
            }
            Input::Received(line) => self.received(&line, actions),
            Input::Disconnected(reason) => self.disconnected(reason.as_deref(), actions),
            Input::Signal(signal) => actions.push(Action::Exit(signal.exit_status())),
            Input::TimeUp { .. } if self.is_returning() && self.leaving == Leaving::No => {
                self.reconnect(messages::no_answer(&self.server), actions);
            }
            Input::TimeUp { .. } if self.is_logging_in() && self.leaving == Leaving::No => {
                actions.extend([warn(messages::no_answer(&self.server)), Action::Exit(1)]);
            }
            Input::TimeUp { unsent: true } => {
                actions.extend([warn(messages::not_all_sent(&self.server)), Action::Exit(1)]);
            }
            Input::TimeUp { unsent: false } => self.exit(0, actions),
        }
    }

    fn wants_input(&self) -> bool {
        !self.is_logging_in()
    }

    fn asks_for_name(&self) -> bool {
        self.stage != Stage::Chatting && !self.is_returning()
    }
}

#[cfg(test)]
mod tests;
