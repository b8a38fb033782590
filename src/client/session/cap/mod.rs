//! The CAP session (RI1 to R13, RA2 to RA6, K1 to K6).

use super::awaited::{Audience, Awaited};
use super::command::Command;
use super::dialect_session::{DialectSession, Protocol};
use super::interface::{Action, Names};
use super::shared::Shared;
use super::usage::{DIRECT, HELP, IGNORE, QUIT, TO, UNIGNORE, WHO};
use crate::client::messages;
use crate::limits::MAX_LINE;
use crate::protocol::cap::{CAP, REVISION_1, REVISION_2};
use crate::protocol::{Dialect, Event, Request, RequestError};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "cap",
    needs_name: false,
    about: "which asks for your name",
    commands: &[DIRECT, TO, WHO, IGNORE, UNIGNORE, HELP, QUIT],
    limits: "CAP cannot send to everybody and does not mark private messages.",
    dialect: &CAP,
    has_broadcast: false,
    acknowledges: true,
    // A server may close a silent connection just when the user enters the name.
    retries_login: true,
    farewell: None,
    prompt: "",
    begin: |shared| begin(REVISION_2, shared),
};

pub(super) const PROTOCOL_1: Protocol =
    Protocol { name: "cap1", begin: |shared| begin(REVISION_1, shared), ..PROTOCOL };

/// Characters that the client refuses in a name (RA4).
const NOT_IN_NAMES: &[char] = &['!', '@', '#', '$', '%', '^', '&', '*'];

#[derive(Debug, Default)]
struct CapSession {
    /// The name comes from the command line.
    is_name_given: bool,
    /// A list to request again because the server closed the connection on `LIST` (K1).
    resumed: Option<Audience>,
    /// A failure has to name its message: several are unacknowledged, or it was typed long ago.
    is_ambiguous: bool,
}

fn begin(revision: u8, shared: &mut Shared) -> Box<dyn DialectSession> {
    shared.revision = revision;
    Box::new(CapSession::default())
}

impl CapSession {
    fn send_message(&mut self, to: &str, text: &str, shared: &mut Shared) {
        shared.send(&Request::Direct { to, text });
        shared.awaited.push_message(&format!("@{to} {text}"));
        self.is_ambiguous |= shared.awaited.messages() > 1;
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

    /// Handles the reply to a login. Returns `false` for other lines.
    fn login_answered(&mut self, event: &Event<'_>, shared: &mut Shared) -> bool {
        let name = shared.name.clone();
        match event {
            Event::Welcome { .. } => {
                self.is_ambiguous = shared.is_reconnecting();
                shared.logged_in();
                match self.resumed.take() {
                    Some(audience) => shared.request_list(audience),
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

    /// Asks for another name. A script with `--name` has none.
    fn refused(&mut self, why: String, shared: &mut Shared) {
        if shared.is_reconnecting() {
            shared.reconnect(why);
        } else if self.is_name_given && !shared.is_interactive() {
            shared.fail(why);
        } else {
            shared.refuse(why);
        }
    }

    /// Reports a request that the server refused.
    fn failed(&mut self, text: &str, answered: Option<Awaited>, shared: &mut Shared) {
        if answered.as_ref().is_some_and(Awaited::is_for_completion) {
            return;
        }
        shared.print(text);
        shared.note_failure();
        let Some(Awaited::Message { line, bytes }) = answered else { return };
        if let Some(line) = line.filter(|_| self.is_ambiguous) {
            shared.warn(messages::not_delivered(&line));
        }
        if bytes >= MAX_LINE && text == messages::BAD_BODY {
            shared.warn(messages::perhaps_too_long(bytes));
        }
    }

    /// K1: a server that does not know `LIST` may know `WHO`.
    fn header_refused(&mut self, shared: &mut Shared) {
        let answered = shared.awaited.take(|_| true);
        match answered {
            Some(Awaited::List { audience, revision: REVISION_2 }) => {
                shared.revision = REVISION_1;
                return shared.request_list(audience);
            }
            Some(Awaited::List { .. }) => shared.revision = REVISION_2,
            Some(Awaited::Message { .. }) | None => {}
        }
        self.failed(messages::BAD_HEADER, answered, shared);
    }
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

    fn act(&mut self, command: Command<'_>, _line: &str, shared: &mut Shared) {
        match command {
            Command::Who => shared.request_list(Audience::Person),
            Command::Direct { to, text } => self.send_message(to, text, shared),
            _ => {}
        }
    }

    fn received(&mut self, line: String, shared: &mut Shared) {
        if line.is_empty() {
            return;
        }
        let Some(event) = CAP.decode_event(&line) else {
            return shared.warn(messages::UNEXPECTED_REPLY);
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
                shared.awaited.take(Awaited::is_message);
                shared.print(messages::SENT);
            }
            Event::NoSuchUser { .. } => {
                let answered = shared.awaited.take(Awaited::is_message);
                if let Some(Awaited::Message { line: Some(line), .. }) = &answered {
                    let to = line.trim_start_matches('@').split(' ').next().unwrap_or_default();
                    shared.push(Action::Names(Names::Left(to.to_owned())));
                }
                self.failed(messages::NO_SUCH_USER, answered, shared);
            }
            Event::Users(names) => {
                let answered = shared.awaited.take(|awaited| !awaited.is_message());
                shared.listed(messages::online(&names), &names, answered.as_ref());
            }
            Event::Error(RequestError::Header) => self.header_refused(shared),
            Event::Error(_) => {
                let answered = shared.awaited.take(|_| true);
                self.failed(messages::BAD_BODY, answered, shared);
            }
            Event::ServerFull if shared.is_asking() => Self::server_full(shared),
            _ => shared.warn(messages::UNEXPECTED_REPLY),
        }
        self.is_ambiguous &= shared.awaited.messages() > 0;
    }

    fn resumes(&mut self, shared: &mut Shared) -> bool {
        let Some(&Awaited::List { audience, revision: REVISION_2 }) = shared.awaited.front() else { return false };
        (self.resumed, shared.revision) = (Some(audience), REVISION_1);
        true
    }

    fn can_hide_list(&self) -> bool {
        true
    }

    /// A `WHO` may follow a refused `LIST` (K1).
    fn may_send_more(&self, shared: &Shared) -> bool {
        shared
            .awaited
            .any(|awaited| matches!(awaited, Awaited::List { audience: Audience::Person, revision: REVISION_2 }))
    }
}

#[cfg(test)]
mod tests;
