//! The CAP session (RI1 to R13, RA2 to RA6, K1 to K6).

use std::collections::VecDeque;

use super::protocols::{HELP, Protocol, QUIT, Usage, WHO};
use super::shared::Shared;
use super::{Action, Command, Config, DialectSession, Session};
use crate::client::messages;
use crate::limits::{MAX_LINE, NAME_CHARS, NAMES_REMEMBERED};
use crate::protocol::cap::{CAP, REVISION_1, REVISION_2};
use crate::protocol::{Dialect, Event, Request, RequestError};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "cap",
    needs_name: false,
    about: "which asks for your name",
    commands: &[
        Usage { syntax: "@NAME MESSAGE", meaning: "Send a message to one user (or: /msg NAME MESSAGE)" },
        WHO,
        HELP,
        QUIT,
    ],
    begin,
};

/// Characters by which a name is refused without asking the server (RA4).
const NOT_IN_NAMES: &[char] = &['!', '@', '#', '$', '%', '^', '&', '*'];

/// What is particular to a CAP session.
#[derive(Debug, Default)]
struct CapSession {
    /// Requests that the server has not answered yet, in the order in which it will.
    awaited: VecDeque<Awaited>,
    /// The name that is tried is the one of the command line.
    is_name_given: bool,
    /// More than one message is to be acknowledged, or it was typed long ago: a failure has to say which one it is about.
    is_ambiguous: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// A message, in a line of so many bytes.
    Send {
        bytes: usize,
    },
    /// `LIST`, to be followed by `WHO` when the server does not know it (K1).
    List,
    Who,
}

fn begin(config: Config) -> Session {
    let mut shared = Shared::new(config, &CAP);
    shared.revision = REVISION_2;
    Session::new(shared, CapSession::default())
}

impl CapSession {
    fn request_list(&mut self, shared: &mut Shared) {
        shared.send(&Request::List);
        self.awaited.push_back(if shared.revision == REVISION_1 { Awaited::Who } else { Awaited::List });
    }

    fn send_message(&mut self, to: &str, text: &str, shared: &mut Shared) {
        let line = format!("@{to} {text}");
        shared.send_to_be_acknowledged(&Request::Direct { to, text }, &line);
        self.awaited.push_back(Awaited::Send { bytes: line.len() });
        self.is_ambiguous |= shared.unacknowledged() > 1;
    }

    fn try_name(&mut self, name: &str, shared: &mut Shared) {
        if name.is_empty() && !self.is_name_given {
            shared.print(messages::ENTER_LOGIN);
        } else if name.is_empty() || name.starts_with('/') || name.contains(NOT_IN_NAMES) || name.contains('\n') {
            self.refused(messages::malformed_name(name), shared);
        } else {
            shared.log_in(name);
        }
    }

    /// Takes what answers a login, and returns whether it does.
    fn login_answered(&mut self, event: &Event<'_>, shared: &mut Shared) -> bool {
        let name = shared.name.clone();
        match event {
            Event::Welcome { .. } => {
                self.is_ambiguous = shared.is_reconnecting();
                shared.logged_in();
                shared.print(messages::logged_in(&name));
            }
            Event::NameInUse { .. } => self.refused(messages::name_in_use(&name), shared),
            Event::Error(RequestError::Header) => self.refused(messages::BAD_HEADER.to_owned(), shared),
            Event::Error(_) => {
                if name.chars().count() > NAME_CHARS {
                    shared.warn(messages::NAME_TOO_LONG);
                }
                self.refused(messages::malformed_name(&name), shared);
            }
            Event::ServerFull if shared.is_reconnecting() => shared.reconnect(messages::SERVER_FULL.to_owned()),
            Event::ServerFull => Self::server_full(shared),
            _ => return false,
        }
        true
    }

    fn server_full(shared: &mut Shared) {
        shared.print(messages::SERVER_FULL);
        shared.exit(1);
    }

    /// Asks for another name. A script has none to offer in place of the one that it was told to use, only messages.
    fn refused(&mut self, why: String, shared: &mut Shared) {
        if shared.is_reconnecting() {
            shared.reconnect(why);
        } else if self.is_name_given && !shared.config.interactive {
            shared.fail(why);
        } else {
            shared.refuse(why);
        }
    }

    /// Takes the request that this can be the answer to off the awaited ones; those before it will get none. Returns the
    /// message, if that is what it was.
    fn answered(&mut self, fits: impl Fn(&Awaited) -> bool, shared: &mut Shared) -> Option<Message> {
        let at = self.awaited.iter().position(fits)?;
        let mut message = None;
        for awaited in self.awaited.drain(..=at) {
            message = match awaited {
                Awaited::Send { bytes } => shared.acknowledged().map(|line| Message { line, bytes }),
                Awaited::List | Awaited::Who => None,
            };
        }
        message
    }

    /// Shows that the server does not know what to do with a message, and with which one where that is not clear.
    fn failed(&mut self, text: &str, message: Option<Message>, shared: &mut Shared) {
        shared.print(text);
        let Some(Message { line, bytes }) = message else { return };
        if self.is_ambiguous {
            shared.warn(messages::not_delivered(&line));
        }
        if bytes >= MAX_LINE && text == messages::BAD_BODY {
            shared.warn(messages::perhaps_too_long(bytes));
        }
    }

    /// K1: a server that does not know `LIST` may know `WHO`.
    fn header_refused(&mut self, shared: &mut Shared) {
        match self.awaited.front() {
            Some(Awaited::List) => {
                self.awaited.pop_front();
                shared.revision = REVISION_1;
                self.request_list(shared);
                return;
            }
            Some(Awaited::Who) => shared.revision = REVISION_2,
            Some(Awaited::Send { .. }) | None => {}
        }
        let message = self.answered(|_| true, shared);
        self.failed(messages::BAD_HEADER, message, shared);
    }
}

/// A message that was answered.
struct Message {
    line: String,
    bytes: usize,
}

fn is_send(awaited: &Awaited) -> bool {
    matches!(awaited, Awaited::Send { .. })
}

impl DialectSession for CapSession {
    fn start(&mut self, shared: &mut Shared) {
        shared.print(messages::WELCOME);
        shared.connect();
        if let Some(name) = shared.config.name.take() {
            self.is_name_given = true;
            self.try_name(&name, shared);
        }
    }

    fn name_typed(&mut self, text: &str, shared: &mut Shared) {
        self.is_name_given = false;
        self.try_name(text.trim(), shared);
    }

    fn hint(&self, command: Command<'_>, _line: &str) -> Option<&'static str> {
        match command {
            Command::Blank | Command::Help | Command::Quit | Command::Who | Command::Direct { .. } => None,
            Command::Say(_) => Some(messages::NO_BROADCAST),
            Command::Secret | Command::Unknown | Command::Text(_) => Some(messages::HINT),
        }
    }

    fn act(&mut self, command: Command<'_>, line: &str, shared: &mut Shared) {
        match command {
            Command::Who => self.request_list(shared),
            Command::Direct { to, text } => self.send_message(to, text, shared),
            _ => shared.print(self.hint(command, line).unwrap_or_default()),
        }
    }

    fn received(&mut self, line: String, shared: &mut Shared) {
        if line.is_empty() {
            return;
        }
        let Some(event) = CAP.decode_event(&line) else {
            shared.warn(messages::UNEXPECTED_REPLY);
            return;
        };
        if shared.is_login_sent() && self.login_answered(&event, shared) {
            return;
        }
        match event {
            Event::Delivery { scope, from, text } => {
                let (line, sender) = messages::delivery(from, text);
                shared.push(Action::Message { line, sender, scope });
            }
            Event::Ack => {
                self.answered(is_send, shared);
                shared.print(messages::SENT);
            }
            Event::NoSuchUser { .. } => {
                let message = self.answered(is_send, shared);
                self.failed(messages::NO_SUCH_USER, message, shared);
            }
            Event::Users(names) => {
                self.answered(|awaited| !is_send(awaited), shared);
                shared.print(messages::online(&names));
                shared.push(Action::Names(
                    names.into_iter().rev().take(NAMES_REMEMBERED).rev().map(str::to_owned).collect(),
                ));
            }
            Event::Error(RequestError::Header) => self.header_refused(shared),
            Event::Error(_) => {
                let message = self.answered(|_| true, shared);
                self.failed(messages::BAD_BODY, message, shared);
            }
            Event::ServerFull if shared.is_asking() => Self::server_full(shared),
            _ => shared.warn(messages::UNEXPECTED_REPLY),
        }
        self.is_ambiguous &= shared.unacknowledged() > 0;
    }

    /// A server may hang up on a silent newcomer just when the name is given (K4).
    fn retries_login(&self) -> bool {
        true
    }

    fn disconnected(&mut self, _shared: &mut Shared) {
        self.awaited.clear();
    }

    fn acknowledges(&self) -> bool {
        true
    }

    /// A `LIST` may still have to be followed by a `WHO` (K1).
    fn may_send_more(&self) -> bool {
        self.awaited.contains(&Awaited::List)
    }
}

#[cfg(test)]
mod tests;
