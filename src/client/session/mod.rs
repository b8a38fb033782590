//! The session: a state machine without I/O and clock. `Session::handle` takes an input, `Session::poll_action` returns the
//! actions to perform. Its stages:
//!
//! ```text
//!   Asking ----a name----> LoggingIn ---answered---> Chatting
//!     ^                     |    ^                      |
//!     |                     |    +--- connection lost --+   with --reconnect or at a keyboard, until it works
//!     +--- refused (CAP) ---+
//!                           +--- refused (else), or no answer (not at a terminal) ---> Exit 1
//!
//!   lines typed while LoggingIn: wait in `typed_ahead` until the login is answered
//!   !quit, end of input:         sends all lines, shuts the sending half down, shows the last replies ---> Exit
//! ```
//!
//! A new protocol needs a file with a `DialectSession` and an entry in [`PROTOCOLS`]. A new command needs an entry in `usage`
//! and a `Command`.

mod awaited;
mod cap;
mod chat1;
mod command;
mod dialect_session;
mod interface;
mod people;
mod shared;
mod stage;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod usage;
mod wac;

use self::awaited::{Audience, Awaited};
pub(crate) use self::command::NameOf;
pub use self::command::Usage;
use self::command::{Command, is_paste};
use self::dialect_session::DialectSession;
pub use self::dialect_session::Protocol;
pub use self::interface::Config;
pub(crate) use self::interface::{Action, Input, Names};
use self::shared::Shared;
use self::stage::Leaving;
use crate::client::messages;
use crate::protocol::{Dialect, PeerState, Request};

/// All protocols. The first one is the default.
pub static PROTOCOLS: &[Protocol] = &[cap::PROTOCOL, wac::PROTOCOL, chat1::PROTOCOL, cap::PROTOCOL_1];

#[derive(Debug)]
pub(crate) struct Session {
    protocol: &'static Protocol,
    shared: Shared,
    dialect: Box<dyn DialectSession>,
    /// A line that is sent if the user submits it again.
    held: Option<String>,
}

impl Session {
    pub(crate) fn new(protocol: &'static Protocol, config: Config) -> Self {
        let mut shared = Shared::new(config, protocol.dialect);
        let dialect = (protocol.begin)(&mut shared);
        Self { protocol, shared, dialect, held: None }
    }

    pub(crate) fn dialect(&self) -> &'static dyn Dialect {
        self.protocol.dialect
    }

    pub(crate) fn handle(&mut self, input: Input) {
        let is_farewell = matches!(&input, Input::Typed(text) if self.is_farewell(text));
        let Self { protocol, shared, dialect, .. } = self;
        match input {
            Input::Start => dialect.start(shared),
            Input::Typed(text) if shared.is_leaving() => shared.typed_too_late(&text),
            Input::TypedTooLong => shared.typed_too_long(),
            Input::TypedEnd if shared.is_leaving() => {}
            Input::Typed(_) if is_farewell => shared.leave(Leaving::Quit),
            Input::Typed(text) if shared.is_logging_in() => shared.type_ahead(text),
            Input::Typed(text) => self.act(&text),
            Input::TypedEnd => shared.leave(Leaving::EndOfInput),
            Input::Person => shared.has_person = true,
            Input::Completing => {
                let is_asked = shared.awaited.any(Awaited::is_for_completion);
                if shared.is_chatting() && !shared.is_leaving() && !is_asked && dialect.can_hide_list() {
                    shared.request_list(Audience::Completion);
                }
            }
            Input::Connected => {
                shared.connection_opened();
                dialect.connected(shared);
            }
            Input::Unreachable(reason) if shared.keeps_trying() => {
                shared.try_again(messages::cannot_connect(&shared.config.server, &reason));
            }
            Input::Unreachable(reason) => dialect.unreachable(&reason, shared),
            Input::Received(line) => {
                shared.heard();
                dialect.received(line, shared);
            }
            Input::Disconnected(reason) => self.disconnected(reason.as_deref()),
            Input::Signal(signal) if protocol.farewell.is_none() || shared.is_leaving() => {
                shared.exit(signal.exit_status());
            }
            Input::Signal(signal) => {
                shared.print(messages::INTERRUPTED);
                shared.leave(Leaving::Signal(signal.exit_status()));
            }
            Input::TimeUp { .. } if shared.is_logging_in() && !shared.is_leaving_now() => {
                dialect.login_timed_out(shared);
            }
            Input::TimeUp { .. } if !shared.is_leaving() => shared.keep_waiting(),
            Input::TimeUp { unsent } => shared.time_up(unsent),
        }
        while let Some(line) = self.shared.next_typed_ahead() {
            self.act(&line);
        }
        if self.shared.is_done() && !self.dialect.may_send_more(&self.shared) {
            self.shared.finish(self.protocol.farewell.as_ref());
        }
    }

    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        self.shared.poll_action()
    }

    /// Returns whether a typed line is handled at once.
    pub(crate) fn wants_input(&self) -> bool {
        !self.shared.is_logging_in()
    }

    /// Returns whether the next typed line is a name.
    pub(crate) fn asks_for_name(&self) -> bool {
        self.shared.is_asking()
    }

    pub(crate) fn is_leaving_now(&self) -> bool {
        self.shared.is_leaving_now()
    }

    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    pub(crate) fn prompt(&self) -> String {
        match &self.shared.people.recipient {
            _ if !self.shared.is_chatting() || self.shared.is_leaving() => String::new(),
            Some(name) if self.shared.has_person => messages::recipient_prompt(name),
            _ => self.protocol.prompt.to_owned(),
        }
    }

    pub(crate) fn is_farewell(&self, line: &str) -> bool {
        !is_paste(line) && self.dialect.parse(line, self.protocol.commands) == Command::Quit
    }

    /// Returns the messages in unsent lines, as they were typed. Messages that need an acknowledgement are reported elsewhere.
    pub(crate) fn messages_in(&self, lines: &[u8]) -> Vec<String> {
        if self.protocol.acknowledges {
            return Vec::new();
        }
        let lines = String::from_utf8_lossy(lines);
        let typed = lines.lines().filter_map(|line| {
            let mut peer = PeerState { name: self.name().parse().ok(), revision: self.shared.revision };
            match self.dialect().decode_request(line, &mut peer) {
                Request::Broadcast { text } => Some(text.to_owned()),
                Request::Direct { to, text } => Some(format!("@{to} {text}")),
                _ => None,
            }
        });
        typed.collect()
    }

    /// Performs the commands of a line or of a paste.
    fn act(&mut self, text: &str) {
        let Self { protocol, shared, dialect, held } = self;
        if shared.is_asking() {
            return dialect.name_typed(text, shared);
        }
        let known = protocol.commands;
        let recipient = shared.people.recipient.clone();
        let commands = if is_paste(text) {
            command::parse_paste(text, known, recipient.as_deref())
        } else {
            vec![(dialect.parse(text, known).addressed(recipient.as_deref()), text)]
        };
        let mut not_commands =
            commands.iter().filter(|(command, _)| matches!(command, Command::Text(_) | Command::Unknown));
        if let Some((_, line)) = not_commands.next().filter(|_| !protocol.has_broadcast) {
            // A paste is sent as a whole or not at all.
            let correction = command::correction(line, known).filter(|_| shared.has_person);
            shared.print(correction.as_deref().unwrap_or(messages::HINT));
            return shared.note_failure();
        }
        let was_held = held.take().is_some_and(|held| held == text);
        if shared.has_person && !was_held {
            if let Some(slip) = commands.iter().find_map(|(command, line)| dialect.slip(*command, line, known)) {
                shared.push(Action::GiveBack(text.to_owned()));
                shared.print(messages::held(&slip));
                *held = Some(text.to_owned());
                return;
            }
        }
        for (command, line) in commands {
            self.perform(command, line);
        }
    }

    fn perform(&mut self, command: Command<'_>, line: &str) {
        let Self { shared, dialect, .. } = self;
        match command {
            Command::Blank => {}
            Command::Help => shared.push(Action::Help),
            Command::Recipient(name) => {
                shared.people.recipient = name.map(str::to_owned);
                // A person sees the recipient in the prompt.
                if shared.is_interactive() && !shared.has_person {
                    shared.print(messages::recipient(name));
                }
            }
            Command::Ignored => {
                let text = messages::ignored(&shared.people.ignored);
                shared.print(text);
            }
            Command::Ignore(name) => {
                shared.people.ignored.insert(name.to_owned());
                shared.tell_ignored();
                shared.print(messages::ignoring(name));
            }
            Command::Unignore(name) => {
                let was_ignored = shared.people.ignored.remove(name);
                shared.tell_ignored();
                shared.print(messages::not_ignoring(name, was_ignored));
            }
            command => dialect.act(command, line, shared),
        }
    }

    fn disconnected(&mut self, reason: Option<&str>) {
        let Self { protocol, shared, dialect, .. } = self;
        if shared.is_chatting() && !shared.is_leaving_now() && dialect.resumes(shared) {
            shared.resume();
        } else if !shared.connection_closed(reason, protocol.retries_login) {
            dialect.lost(reason, shared);
        }
    }
}
