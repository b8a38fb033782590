//! The session: a function from what happens to what is to be done about it.
//!
//! A session does no I/O of its own and looks at no clock, so each one is tested as the function it is: inputs go in by
//! `Session::handle`, and what is to be done comes out of `Session::poll_action`. Where it stands:
//!
//! ```text
//!   Asking ----a name----> LoggingIn ---answered---> Chatting
//!     ^                     |    ^                      |
//!     |                     |    +--- connection lost --+   with --reconnect or a person, until it works again
//!     +--- refused (CAP) ---+
//!                           +--- refused (else), or no answer (not at a terminal) ---> Exit 1
//!
//!   typed while LoggingIn: waits in `typed_ahead`, and is acted upon as soon as the login is answered
//!   !quit, end of input:   what waits is sent, then the sending side is shut down, then what arrives is shown ---> Exit
//! ```
//!
//! All of that is the same for every dialect; what a dialect does in its own way is its `DialectSession`.
//!
//! A further protocol is one file with a `DialectSession`, one `mod` line beside the others, and one entry in [`PROTOCOLS`]. A
//! further command is an entry in `usage`, a `Command`, and what is done about it.

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

pub(crate) use self::command::NameOf;
pub use self::command::Usage;
use self::command::{Command, is_paste};
use self::dialect_session::DialectSession;
pub use self::dialect_session::Protocol;
pub use self::interface::Config;
pub(crate) use self::interface::{Action, Input, Names};
use self::shared::Shared;
use self::stage::{Leaving, Loss};
use crate::client::messages;
use crate::protocol::Dialect;
use crate::signals::Signal;

/// All protocols; the first one is what a person gets who does not say.
pub static PROTOCOLS: &[Protocol] = &[cap::PROTOCOL, wac::PROTOCOL, chat1::PROTOCOL, cap::PROTOCOL_1];

/// A person's session with a server.
#[derive(Debug)]
pub(crate) struct Session {
    protocol: &'static Protocol,
    shared: Shared,
    dialect: Box<dyn DialectSession>,
    /// The line that was not sent yet, but is if it is submitted once more.
    held: Option<String>,
}

impl Session {
    pub(crate) fn new(protocol: &'static Protocol, config: Config) -> Self {
        let mut shared = Shared::new(config, protocol.dialect);
        let dialect = (protocol.begin)(&mut shared);
        Self { protocol, shared, dialect, held: None }
    }

    /// Returns what is spoken on the connection.
    pub(crate) fn dialect(&self) -> &'static dyn Dialect {
        self.protocol.dialect
    }

    /// Takes an input; what is to be done about it comes out of [`Session::poll_action`].
    pub(crate) fn handle(&mut self, input: Input) {
        let Self { shared, dialect, .. } = self;
        match input {
            Input::Start => dialect.start(shared),
            Input::Typed(text) if shared.is_leaving() => shared.typed_too_late(&text),
            Input::TypedTooLong => shared.typed_too_long(),
            Input::TypedEnd if shared.is_leaving() => {}
            Input::Typed(text) => self.typed(text),
            Input::TypedEnd => shared.leave(Leaving::EndOfInput),
            Input::Person => shared.note_person(),
            Input::Completing => {
                if shared.is_chatting() && !shared.is_leaving() {
                    dialect.ask_for_names(shared);
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
            Input::Signal(signal) => self.signal(signal),
            Input::TimeUp { .. } if shared.is_logging_in() && !shared.is_leaving_now() => {
                dialect.login_timed_out(shared);
            }
            Input::TimeUp { .. } if !shared.is_leaving() => shared.keep_waiting(),
            Input::TimeUp { unsent } => shared.time_up(unsent),
        }
        self.settle();
    }

    /// Returns the next thing to do.
    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        self.shared.poll_action()
    }

    /// Returns whether a typed line would be acted upon now, rather than kept for later.
    pub(crate) fn wants_input(&self) -> bool {
        !self.shared.is_logging_in()
    }

    /// Returns whether the next typed line is a name, and nothing to be typed again.
    pub(crate) fn asks_for_name(&self) -> bool {
        self.shared.is_asking()
    }

    /// Returns whether the person, or a signal, wants the program to be gone, with nothing to be done first.
    pub(crate) fn is_leaving_now(&self) -> bool {
        self.shared.is_leaving_now()
    }

    /// Returns the name that is logged in, or to be.
    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    /// Returns what stands before what is typed, on a terminal.
    pub(crate) fn prompt(&self) -> &str {
        if !self.shared.is_chatting() || self.shared.is_leaving() {
            return "";
        }
        let recipient = self.shared.people.recipient_prompt().filter(|_| self.shared.has_person());
        recipient.unwrap_or(self.protocol.prompt)
    }

    /// Returns whether this line is the word by which one leaves.
    pub(crate) fn is_farewell(&self, line: &str) -> bool {
        !is_paste(line) && self.dialect.parse(line, self.protocol.commands) == Command::Quit
    }

    /// Returns what was typed for these lines, which were to be sent. Of messages that are to be acknowledged the session
    /// tells itself what becomes of them.
    pub(crate) fn messages_in(&self, lines: &[u8]) -> Vec<String> {
        if self.protocol.acknowledges {
            return Vec::new();
        }
        let lines = String::from_utf8_lossy(lines);
        lines.lines().filter_map(|line| self.shared.typed_form(line)).collect()
    }

    fn typed(&mut self, text: String) {
        if self.is_farewell(&text) {
            self.shared.leave(Leaving::Quit);
        } else if self.shared.is_logging_in() {
            self.shared.type_ahead(text);
        } else {
            self.act(&text);
        }
    }

    /// Does what was typed, or says why not.
    fn act(&mut self, text: &str) {
        let Self { protocol, shared, dialect, held } = self;
        if shared.is_asking() {
            return dialect.name_typed(text, shared);
        }
        let known = protocol.commands;
        let recipient = shared.people.recipient().map(str::to_owned);
        let commands = if is_paste(text) {
            command::parse_paste(text, known, recipient.as_deref())
        } else {
            vec![(dialect.parse(text, known).addressed(recipient.as_deref()), text)]
        };
        let is_no_command =
            |(command, _): &&(Command<'_>, &str)| matches!(command, Command::Text(_) | Command::Unknown);
        let no_command = commands.iter().find(is_no_command).filter(|_| !protocol.has_broadcast);
        if let Some((_, line)) = no_command {
            // Nothing of a paste is sent if some of it cannot be.
            let correction = command::correction(line, known).filter(|_| shared.has_person());
            shared.print(correction.as_deref().unwrap_or(messages::HINT));
            return shared.note_failure();
        }
        let was_held = held.take().is_some_and(|held| held == text);
        if shared.has_person() && !was_held {
            let slip = commands.iter().find_map(|(command, line)| dialect.slip(*command, line, known));
            if let Some(slip) = slip {
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
                shared.people.set_recipient(name);
                // Where no prompt says so, a line does.
                if shared.is_interactive() && !shared.has_person() {
                    shared.print(messages::recipient(name));
                }
            }
            Command::Ignored => {
                let names: Vec<_> = shared.people.ignored().map(String::as_str).collect();
                let text = messages::ignored(&names);
                shared.print(text);
            }
            Command::Ignore(name) => {
                shared.people.ignore(name);
                shared.tell_ignored();
                shared.print(messages::ignoring(name));
            }
            Command::Unignore(name) => {
                let was_ignored = shared.people.unignore(name);
                shared.tell_ignored();
                shared.print(messages::not_ignoring(name, was_ignored));
            }
            command => dialect.act(command, line, shared),
        }
    }

    fn signal(&mut self, signal: Signal) {
        let status = signal.exit_status();
        if self.protocol.farewell.is_none() || self.shared.is_leaving() {
            self.shared.exit(status);
        } else {
            self.shared.print(messages::INTERRUPTED);
            self.shared.leave(Leaving::Signal(status));
        }
    }

    fn disconnected(&mut self, reason: Option<&str>) {
        let Self { protocol, shared, dialect, .. } = self;
        if shared.is_chatting() && !shared.is_leaving_now() && dialect.resumes(shared) {
            return shared.resume();
        }
        match shared.connection_closed(reason.is_none(), protocol.retries_login) {
            Loss::Expected => {}
            Loss::Retry => shared.connect(),
            Loss::Reconnect => shared.reconnect(messages::connection_lost(&shared.config.server, reason)),
            Loss::Final if shared.keeps_trying() => {
                shared.try_again(messages::connection_lost(&shared.config.server, reason));
            }
            Loss::Final => dialect.lost(reason, shared),
        }
    }

    /// Acts upon what was typed ahead, as far as that is possible now, and then leaves if that is wanted.
    fn settle(&mut self) {
        while let Some(line) = self.shared.next_typed_ahead() {
            self.act(&line);
        }
        if self.shared.is_done() && !self.dialect.may_send_more(&self.shared) {
            self.shared.finish(self.protocol.farewell.as_ref());
        }
    }
}
