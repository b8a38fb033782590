//! The CAP session (RI1 to R13, RA2 to RA6, K1 to K6).

use std::collections::VecDeque;

use super::protocols::{DIRECT, HELP, IGNORE, Protocol, QUIT, TO, UNIGNORE, Usage, WHO};
use super::shared::Shared;
use super::{Action, Command, Config, DialectSession, Names, Session, command};
use crate::client::messages;
use crate::limits::MAX_LINE;
use crate::protocol::cap::{CAP, REVISION_1, REVISION_2};
use crate::protocol::{Dialect, Event, Request, RequestError};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "cap",
    needs_name: false,
    about: "which asks for your name",
    commands: &[DIRECT, TO, WHO, IGNORE, UNIGNORE, HELP, QUIT],
    limits: "CAP cannot send to everybody, nor say what was sent to you alone.",
    begin,
};

/// CAP that speaks revision 1 from the start.
pub(super) const PROTOCOL_1: Protocol = Protocol {
    name: "cap1",
    begin: |config| begin_with(config, REVISION_1),
    ..PROTOCOL
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
    /// A list that is asked for again, as the server has closed the connection on `LIST` (K1).
    resumed: Option<Audience>,
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
    List(Audience),
    Who(Audience),
}

/// For whom a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    /// A person, or a script, who sees the answer.
    Person,
    /// Tab, which needs the names; nobody sees anything of it.
    Completion,
}

fn begin(config: Config) -> Session {
    begin_with(config, REVISION_2)
}

fn begin_with(config: Config, revision: u8) -> Session {
    let mut shared = Shared::new(config, &CAP, PROTOCOL.commands);
    shared.revision = revision;
    Session::new(shared, CapSession::default())
}

impl CapSession {
    fn request_list(&mut self, audience: Audience, shared: &mut Shared) {
        shared.send(&Request::List);
        let is_who = shared.revision == REVISION_1;
        self.awaited.push_back(if is_who { Awaited::Who(audience) } else { Awaited::List(audience) });
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
                match self.resumed.take() {
                    Some(audience) => self.request_list(audience, shared),
                    None => shared.print(messages::logged_in(&name)),
                }
            }
            Event::NameInUse { .. } => self.refused(messages::name_in_use(&name), shared),
            Event::Error(RequestError::Header) => self.refused(messages::BAD_HEADER.to_owned(), shared),
            Event::Error(_) => {
                shared.warn_of_long_name();
                self.refused(messages::malformed_name(&name), shared);
            }
            Event::ServerFull => Self::server_full(shared),
            _ => return false,
        }
        true
    }

    fn server_full(shared: &mut Shared) {
        if shared.insists() {
            shared.try_again(messages::SERVER_FULL.to_owned());
        } else {
            shared.print(messages::SERVER_FULL);
            shared.exit(1);
        }
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

    /// Takes the request that this can be the answer to off the awaited ones, and returns it; those before it will get none.
    fn answered(&mut self, fits: impl Fn(&Awaited) -> bool, shared: &mut Shared) -> Option<Answered> {
        let at = self.awaited.iter().position(fits)?;
        let mut answered = None;
        for awaited in self.awaited.drain(..=at) {
            answered = match awaited {
                Awaited::Send { bytes } => shared.acknowledged().map(|line| Answered::Message { line, bytes }),
                Awaited::List(audience) | Awaited::Who(audience) => Some(Answered::List(audience)),
            };
        }
        answered
    }

    /// Shows that the server does not know what to do with a request, and with which message where that is not clear.
    fn failed(&mut self, text: &str, answered: Option<Answered>, shared: &mut Shared) {
        if let Some(Answered::List(Audience::Completion)) = answered {
            return;
        }
        shared.print(text);
        shared.note_failure();
        let Some(Answered::Message { line, bytes }) = answered else { return };
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
            Some(&Awaited::List(audience)) => {
                self.awaited.pop_front();
                shared.revision = REVISION_1;
                self.request_list(audience, shared);
                return;
            }
            Some(Awaited::Who(_)) => shared.revision = REVISION_2,
            Some(Awaited::Send { .. }) | None => {}
        }
        let answered = self.answered(|_| true, shared);
        self.failed(messages::BAD_HEADER, answered, shared);
    }

    /// Takes a list of names, and shows it to whoever has asked for it.
    fn listed(&mut self, names: &[&str], shared: &mut Shared) {
        let answered = self.answered(|awaited| !is_send(awaited), shared);
        if !matches!(answered, Some(Answered::List(Audience::Completion))) {
            shared.print(messages::online(names));
        }
        shared.online(names);
    }
}

/// A request that was answered.
enum Answered {
    /// A message, in a line of so many bytes.
    Message {
        line: String,
        bytes: usize,
    },
    List(Audience),
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

    /// What means nothing here is never sent, so that nothing has to be held.
    fn slip(&self, _command: Command<'_>, _line: &str, _commands: &[Usage]) -> Option<String> {
        None
    }

    fn act(&mut self, command: Command<'_>, line: &str, shared: &mut Shared) {
        match command {
            Command::Who => self.request_list(Audience::Person, shared),
            Command::Direct { to, text } => self.send_message(to, text, shared),
            _ => {
                let correction = command::correction(line, shared.commands).filter(|_| shared.has_person());
                shared.print(correction.as_deref().unwrap_or(messages::HINT));
                shared.note_failure();
            }
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
                shared.message(line, sender, scope);
            }
            Event::Ack => {
                self.answered(is_send, shared);
                shared.print(messages::SENT);
            }
            Event::NoSuchUser { .. } => {
                let answered = self.answered(is_send, shared);
                if let Some(Answered::Message { line, .. }) = &answered {
                    let to = line.trim_start_matches('@').split(' ').next().unwrap_or_default();
                    shared.push(Action::Names(Names::Left(to.to_owned())));
                }
                self.failed(messages::NO_SUCH_USER, answered, shared);
            }
            Event::Users(names) => self.listed(&names, shared),
            Event::Error(RequestError::Header) => self.header_refused(shared),
            Event::Error(_) => {
                let answered = self.answered(|_| true, shared);
                self.failed(messages::BAD_BODY, answered, shared);
            }
            Event::ServerFull if shared.is_asking() => Self::server_full(shared),
            _ => shared.warn(messages::UNEXPECTED_REPLY),
        }
        self.is_ambiguous &= shared.unacknowledged() > 0;
    }

    fn has_broadcast(&self) -> bool {
        false
    }

    fn resumes(&mut self, shared: &mut Shared) -> bool {
        let Some(&Awaited::List(audience)) = self.awaited.front() else { return false };
        self.awaited.clear();
        (self.resumed, shared.revision) = (Some(audience), REVISION_1);
        true
    }

    /// A server may hang up on a silent newcomer just when the name is given (K4).
    fn retries_login(&self) -> bool {
        true
    }

    fn disconnected(&mut self, _shared: &mut Shared) {
        self.awaited.clear();
    }

    fn ask_for_names(&mut self, shared: &mut Shared) {
        let is_for_completion = |awaited: &Awaited| {
            matches!(awaited, Awaited::List(Audience::Completion) | Awaited::Who(Audience::Completion))
        };
        if !self.awaited.iter().any(is_for_completion) {
            self.request_list(Audience::Completion, shared);
        }
    }

    fn acknowledges(&self) -> bool {
        true
    }

    /// A `LIST` may still have to be followed by a `WHO` (K1).
    fn may_send_more(&self) -> bool {
        self.awaited.contains(&Awaited::List(Audience::Person))
    }
}

#[cfg(test)]
mod tests;
