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

mod cap;
mod chat1;
mod command;
mod interface;
mod protocols;
mod shared;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod wac;

use std::fmt;

use self::command::{Command, is_paste};
pub use self::interface::Config;
pub(crate) use self::interface::{Action, Input, Names};
pub(crate) use self::protocols::NameOf;
pub use self::protocols::{PROTOCOLS, Protocol, Usage};
use self::shared::{Leaving, Loss, Shared};
use crate::client::messages;
use crate::protocol::{Dialect, Request};
use crate::signals::Signal;

/// What a dialect's session does in its own way.
pub(crate) trait DialectSession: fmt::Debug {
    /// Says what there is to say at first, and asks for a connection.
    fn start(&mut self, shared: &mut Shared);

    /// Called when the connection is there: sends the login.
    fn connected(&mut self, shared: &mut Shared) {
        shared.send_login();
    }

    /// Called when the connection could not be made, for this reason: ends.
    fn unreachable(&mut self, reason: &str, shared: &mut Shared) {
        shared.fail(messages::cannot_connect(&shared.config.server, &reason));
    }

    /// Takes what was typed at the name prompt, if there is one.
    fn name_typed(&mut self, _text: &str, _shared: &mut Shared) {}

    /// Returns what a line asks for that was typed in the chat.
    fn parse<'a>(&self, line: &'a str, commands: &[Usage]) -> Command<'a> {
        Command::parse(line, commands)
    }

    /// Returns why a line that was typed at a keyboard is more likely a slip than a message. It is held then, and sent if it
    /// is submitted once more (W13).
    fn slip(&self, command: Command<'_>, line: &str, commands: &[Usage]) -> Option<String> {
        let is_unknown = matches!(command, Command::Unknown);
        is_unknown.then(|| command::correction(line, commands)).flatten()
    }

    /// Does what a line asks for, as far as that is not the same everywhere.
    fn act(&mut self, command: Command<'_>, line: &str, shared: &mut Shared);

    /// Takes a line of the server.
    fn received(&mut self, line: String, shared: &mut Shared);

    /// Called when the login was not answered in time.
    fn login_timed_out(&mut self, shared: &mut Shared) {
        let why = messages::no_answer(&shared.config.server);
        if shared.is_reconnecting() {
            shared.reconnect(why);
        } else if shared.config.interactive && !shared.is_leaving() {
            shared.keep_waiting();
        } else {
            shared.fail(why);
        }
    }

    /// Returns whether a line without a recipient goes to everybody.
    fn has_broadcast(&self) -> bool {
        true
    }

    /// Called when the connection is lost in the chat. Returns whether a request was the reason, which is to be made in other
    /// words on a new connection (K1).
    fn resumes(&mut self, _shared: &mut Shared) -> bool {
        false
    }

    /// Returns whether to connect once more when the connection is lost with the login unanswered.
    fn retries_login(&self) -> bool {
        false
    }

    /// Called when the connection is lost, before the session goes on or ends.
    fn disconnected(&mut self, _shared: &mut Shared) {}

    /// Called when the connection is lost for good: says so, and ends.
    fn lost(&mut self, reason: Option<&str>, shared: &mut Shared) {
        shared.fail(messages::connection_lost(&shared.config.server, reason));
    }

    /// Returns whether something may still have to be sent before the sending side can be shut down.
    fn may_send_more(&self) -> bool {
        false
    }

    /// Returns the word by which one leaves, where the dialect has one.
    fn farewell(&self) -> Option<Request<'static>> {
        None
    }

    /// Asks the server who is online, where the answer can be kept from being shown.
    fn ask_for_names(&mut self, _shared: &mut Shared) {}

    /// Returns whether the server acknowledges messages.
    fn acknowledges(&self) -> bool {
        false
    }

    /// Returns what stands before what is typed in the chat, on a terminal.
    fn prompt(&self) -> &'static str {
        ""
    }
}

/// A person's session with a server.
#[derive(Debug)]
pub(crate) struct Session {
    shared: Shared,
    dialect: Box<dyn DialectSession>,
    /// The line that was not sent yet, but is if it is submitted once more.
    held: Option<String>,
}

impl Session {
    fn new(shared: Shared, dialect: impl DialectSession + 'static) -> Self {
        Self { shared, dialect: Box::new(dialect), held: None }
    }

    /// Returns what is spoken on the connection.
    pub(crate) fn dialect(&self) -> &'static dyn Dialect {
        self.shared.dialect
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
            Input::TimeUp { .. } if shared.waits_for_login() => dialect.login_timed_out(shared),
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
        if self.shared.is_chatting() && !self.shared.is_leaving() {
            self.shared.recipient_prompt().unwrap_or_else(|| self.dialect.prompt())
        } else {
            ""
        }
    }

    /// Returns whether this line is the word by which one leaves.
    pub(crate) fn is_farewell(&self, line: &str) -> bool {
        !is_paste(line) && self.dialect.parse(line, self.shared.commands) == Command::Quit
    }

    /// Returns what was typed for these lines, which were to be sent. Of messages that are to be acknowledged the session
    /// tells itself what becomes of them.
    pub(crate) fn messages_in(&self, lines: &[u8]) -> Vec<String> {
        if self.dialect.acknowledges() {
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
        let Self { shared, dialect, .. } = self;
        if shared.is_asking() {
            dialect.name_typed(text, shared);
            return;
        }
        let recipient = shared.recipient().map(str::to_owned);
        let commands = if is_paste(text) {
            command::parse_paste(text, shared.commands, recipient.as_deref())
        } else {
            vec![(dialect.parse(text, shared.commands).addressed(recipient.as_deref()), text)]
        };
        let was_held = self.held.take().is_some_and(|held| held == text);
        if shared.has_person() && !was_held {
            let slip = commands.iter().find_map(|(command, line)| dialect.slip(*command, line, shared.commands));
            if let Some(slip) = slip {
                shared.print(messages::held(&slip));
                shared.push(Action::GiveBack(text.to_owned()));
                self.held = Some(text.to_owned());
                return;
            }
        }
        let has_sense = |(command, _): &&(Command<'_>, &str)| !matches!(command, Command::Text(_) | Command::Unknown);
        let refused = commands.iter().find(|command| !has_sense(command)).copied();
        if let Some((command, line)) = refused.filter(|_| !dialect.has_broadcast()) {
            // Nothing of a paste is sent if some of it cannot be.
            return dialect.act(command, line, shared);
        }
        for (command, line) in commands {
            match command {
                Command::Blank => {}
                Command::Help => shared.push(Action::Help),
                Command::Recipient(name) => shared.set_recipient(name),
                Command::Ignored => shared.list_ignored(),
                Command::Ignore(name) => shared.ignore(name),
                Command::Unignore(name) => shared.unignore(name),
                command => dialect.act(command, line, shared),
            }
        }
    }

    fn signal(&mut self, signal: Signal) {
        let status = signal.exit_status();
        if self.dialect.farewell().is_none() || self.shared.is_leaving() {
            self.shared.exit(status);
        } else {
            self.shared.print(messages::INTERRUPTED);
            self.shared.leave(Leaving::Signal(status));
        }
    }

    fn disconnected(&mut self, reason: Option<&str>) {
        let Self { shared, dialect, .. } = self;
        if shared.is_chatting() && !shared.is_leaving_now() && dialect.resumes(shared) {
            return shared.resume();
        }
        match shared.connection_closed(reason.is_none(), dialect.retries_login()) {
            Loss::Expected => {}
            Loss::Retry => shared.connect(),
            Loss::Reconnect => {
                dialect.disconnected(shared);
                shared.reconnect(messages::connection_lost(&shared.config.server, reason));
            }
            Loss::Final if shared.keeps_trying() => {
                shared.try_again(messages::connection_lost(&shared.config.server, reason));
            }
            Loss::Final => {
                dialect.disconnected(shared);
                dialect.lost(reason, shared);
            }
        }
    }

    /// Acts upon what was typed ahead, as far as that is possible now, and then leaves if that is wanted.
    fn settle(&mut self) {
        while let Some(line) = self.shared.next_typed_ahead() {
            self.act(&line);
        }
        if self.shared.is_done() && !self.dialect.may_send_more() {
            self.shared.finish(self.dialect.farewell());
        }
    }
}
