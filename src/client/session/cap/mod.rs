//! The CAP session (RI1 to R13, RA2 to RA6, K1 to K6).

use std::collections::VecDeque;

use super::protocols::{HELP, Protocol, QUIT, Usage, WHO};
use super::shared::Shared;
use super::{Action, Command, Config, DialectSession, Session};
use crate::client::messages;
use crate::protocol::cap::{Cap, REVISION_1, REVISION_2};
use crate::protocol::{Dialect, Event, Request, RequestError};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "cap",
    needs_name: false,
    about: "which asks for your name",
    commands: &[Usage { syntax: "@NAME MESSAGE", meaning: "Send a message to one user" }, WHO, HELP, QUIT],
    begin,
};

/// Characters by which a name is refused without asking the server (RA4).
const NOT_IN_NAMES: &[char] = &['!', '@', '#', '$', '%', '^', '&', '*'];

/// What is particular to a CAP session.
#[derive(Debug, Default)]
struct CapSession {
    /// Requests that the server has not answered yet, in the order in which it will.
    awaited: VecDeque<Awaited>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Send,
    /// `LIST`, to be followed by `WHO` when the server does not know it (K1).
    List,
    Who,
}

fn begin(config: Config) -> Session {
    let mut shared = Shared::new(config, &Cap);
    shared.revision = REVISION_2;
    Session::new(shared, CapSession::default())
}

impl CapSession {
    fn request(&mut self, request: &Request<'_>, awaited: Awaited, shared: &mut Shared) {
        shared.send(request);
        self.awaited.push_back(awaited);
    }

    /// Takes what answers a login, and returns whether it does.
    fn login_answered(event: &Event<'_>, shared: &mut Shared) -> bool {
        let name = shared.name.clone();
        match event {
            Event::Welcome { .. } => {
                shared.logged_in();
                shared.print(messages::logged_in(&name));
            }
            Event::NameInUse { .. } => Self::refused(messages::name_in_use(&name), shared),
            Event::Error(RequestError::Header) => Self::refused(messages::BAD_HEADER.to_owned(), shared),
            Event::Error(_) => Self::refused(messages::malformed_name(&name), shared),
            Event::ServerFull if shared.is_reconnecting() => shared.reconnect(messages::SERVER_FULL.to_owned()),
            Event::ServerFull => {
                shared.print(messages::SERVER_FULL);
                shared.exit(1);
            }
            _ => return false,
        }
        true
    }

    fn refused(text: String, shared: &mut Shared) {
        if shared.is_reconnecting() {
            shared.reconnect(text);
        } else {
            shared.print(text);
            shared.ask_again(messages::ENTER_LOGIN);
        }
    }

    /// Shows an answer, and takes the request that it can be for off the awaited ones. Those before it will get none.
    fn answered(&mut self, to: &[Awaited], text: impl Into<String>, shared: &mut Shared) {
        if let Some(at) = self.awaited.iter().position(|awaited| to.contains(awaited)) {
            self.awaited.drain(..=at);
        }
        shared.print(text);
    }

    /// K1: a server that does not know `LIST` may know `WHO`.
    fn header_refused(&mut self, shared: &mut Shared) {
        match self.awaited.pop_front() {
            Some(Awaited::List) => {
                shared.revision = REVISION_1;
                self.request(&Request::List, Awaited::Who, shared);
                return;
            }
            Some(Awaited::Who) => shared.revision = REVISION_2,
            Some(Awaited::Send) | None => {}
        }
        shared.print(messages::BAD_HEADER);
    }
}

impl DialectSession for CapSession {
    fn start(&mut self, shared: &mut Shared) {
        shared.print(messages::WELCOME);
        shared.connect();
        if let Some(name) = shared.config.name.take() {
            self.name_typed(&name, shared);
        }
    }

    fn name_typed(&mut self, line: &str, shared: &mut Shared) {
        let name = line.trim();
        if name.is_empty() {
            shared.print(messages::ENTER_LOGIN);
        } else if name.contains(NOT_IN_NAMES) {
            shared.print(messages::malformed_name(name));
            shared.print(messages::ENTER_LOGIN);
        } else {
            shared.log_in(name);
        }
    }

    fn act(&mut self, command: Command<'_>, _line: &str, shared: &mut Shared) {
        match command {
            Command::Who => {
                let awaited = if shared.revision == REVISION_1 { Awaited::Who } else { Awaited::List };
                self.request(&Request::List, awaited, shared);
            }
            Command::Direct { to, text } => self.request(&Request::Direct { to, text }, Awaited::Send, shared),
            _ => shared.print(messages::HINT),
        }
    }

    fn received(&mut self, line: String, shared: &mut Shared) {
        let Some(event) = Cap.decode_event(&line) else {
            shared.warn(messages::UNEXPECTED_REPLY);
            return;
        };
        if shared.is_login_sent() && Self::login_answered(&event, shared) {
            return;
        }
        match event {
            Event::Delivery { from, text, .. } => {
                let (line, sender) = messages::delivery(from, text);
                shared.push(Action::Message { line, sender });
            }
            Event::Ack => self.answered(&[Awaited::Send], messages::SENT, shared),
            Event::NoSuchUser { .. } => self.answered(&[Awaited::Send], messages::NO_SUCH_USER, shared),
            Event::Users(names) => {
                self.answered(&[Awaited::List, Awaited::Who], messages::online(&names), shared);
                shared.push(Action::Names(names.iter().map(|&name| name.to_owned()).collect()));
            }
            Event::Error(RequestError::Header) => self.header_refused(shared),
            Event::Error(_) => {
                self.awaited.pop_front();
                shared.print(messages::BAD_BODY);
            }
            _ => shared.warn(messages::UNEXPECTED_REPLY),
        }
    }

    /// A server may hang up on a silent newcomer just when the name is given (K4).
    fn retries_login(&self) -> bool {
        true
    }

    fn disconnected(&mut self, shared: &mut Shared) {
        let unanswered = self.awaited.iter().filter(|awaited| **awaited == Awaited::Send).count();
        if unanswered > 0 {
            shared.warn(messages::unanswered(unanswered));
        }
        self.awaited.clear();
    }

    /// A `LIST` may still have to be followed by a `WHO` (K1).
    fn may_send_more(&self) -> bool {
        self.awaited.contains(&Awaited::List)
    }
}

#[cfg(test)]
mod tests;
