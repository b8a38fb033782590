//! The session: a function from what happens to what is to be done about it.
//!
//! A session does no I/O of its own and looks at no clock, so each one is tested as the function it is: inputs go in by
//! `Session::handle`, and what is to be done comes out of `Session::poll_action`. Where it stands:
//!
//! ```text
//!   Asking ----a name----> LoggingIn ---answered---> Chatting
//!     ^                     |    ^                      |
//!     |                     |    +--- connection lost --+   with --reconnect, until it works again
//!     +--- refused (CAP) ---+
//!                           +--- refused (else), or no answer ---> Exit 1
//!
//!   typed while LoggingIn: waits in `typed_ahead`, and is acted upon as soon as the login is answered
//!   !quit, end of input:   what waits is sent, then the sending side is shut down, then what arrives is shown ---> Exit
//! ```
//!
//! All of that is the same for every dialect; what a dialect does in its own way is its `DialectSession`.

mod cap;
mod chat1;
pub(crate) mod command;
mod protocols;
mod shared;
#[cfg(test)]
mod tests;
mod wac;

use std::fmt;
#[cfg(test)]
use std::iter;
use std::ops::Range;
use std::time::Duration;

use self::command::{Command, is_paste};
pub use self::protocols::{PROTOCOLS, Protocol, Usage};
use self::shared::{Leaving, Loss, Shared};
use crate::client::messages;
use crate::protocol::{Dialect, Request, Scope};
use crate::signals::Signal;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The program has started. The first input, and it comes once.
    Start,
    /// A line was typed, or came through a pipe. Where several were pasted it is all of them, with the line feeds between
    /// them; what was pasted so is text, and never a command.
    Typed(String),
    /// A line was typed that is too long for anybody.
    TypedTooLong,
    /// Nothing more will be typed.
    TypedEnd,
    /// Somebody at a terminal has begun to complete a word, perhaps a name.
    Completing,
    /// The connection that was asked for is there.
    Connected,
    /// It could not be made, for this reason.
    Unreachable(String),
    /// A line came from the server.
    Received(String),
    /// The connection has ended; with a reason unless the server closed it in good order.
    Disconnected(Option<String>),
    /// A signal wants the program to end.
    Signal(Signal),
    /// The time of the last [`Action::WaitAtMost`] is over. `unsent`: the server has not even taken all that was sent.
    TimeUp { unsent: bool },
}

/// Something to do, in the order in which a session says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Show a line, or several, on standard output.
    Print(String),
    /// Show somebody's message; the name of who sent it stands there in the line.
    Message { line: String, sender: Range<usize>, scope: Scope },
    /// Show what a line has become that was typed at a terminal: a message, which is on its way, to everybody or to one user.
    Sent { to: Option<String>, text: String },
    /// Have this typed line come back ready for a recipient in front of it.
    LacksRecipient(String),
    /// Remember these names: they can be completed.
    Names(Vec<String>),
    /// Show what can be typed.
    Help,
    /// Show a diagnostic on standard error.
    Warn(String),
    /// Connect to the server.
    Connect,
    /// Drop the connection, if there is one, and connect after a while, the longer the more often this has been to no
    /// avail. The text says what has happened.
    Reconnect(String),
    /// The login has worked: the next [`Action::Reconnect`] is a first one.
    LoggedIn,
    /// Drop the connection; nothing more will be heard of it.
    Disconnect,
    /// Send these bytes.
    Send(Vec<u8>),
    /// When all is sent, tell the server that nothing more will come. The time of [`Action::WaitAtMost`] begins anew with
    /// every part that the server takes of what is still to be sent.
    FinishSending,
    /// Wait for the next input no longer than this from now on; takes the place of an earlier one.
    WaitAtMost(Duration),
    /// Wait for the next input as long as it takes.
    WaitForever,
    /// End the program with this status.
    Exit(u8),
}

/// What a session is begun with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The server, as messages call it.
    pub server: String,
    /// The name that was asked for.
    pub name: Option<String>,
    /// The name that the system knows the person by.
    pub user: Option<String>,
    /// Whether to connect and to log in again when the connection is lost.
    pub reconnect: bool,
    /// Whether a person types at a terminal, and it is no script's lines that come through a pipe.
    pub interactive: bool,
}

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
    fn parse<'a>(&self, line: &'a str) -> Command<'a> {
        Command::parse(line)
    }

    /// Returns what to say to a person who typed this at a terminal, if it is not to be acted upon: it is more likely a
    /// slip than a message.
    fn hint(&self, command: Command<'_>, line: &str) -> Option<&'static str>;

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
}

impl Session {
    fn new(shared: Shared, dialect: impl DialectSession + 'static) -> Self {
        Self { shared, dialect: Box::new(dialect) }
    }

    /// Returns what is spoken on the connection.
    pub(crate) fn dialect(&self) -> &'static dyn Dialect {
        self.shared.dialect
    }

    /// Takes an input; what is to be done about it comes out of [`Session::poll_action`].
    pub(crate) fn handle(&mut self, input: Input) {
        let Self { shared, dialect } = self;
        match input {
            Input::Start => dialect.start(shared),
            Input::Typed(text) if shared.is_leaving() => shared.typed_too_late(&text),
            Input::TypedTooLong => shared.typed_too_long(),
            Input::TypedEnd if shared.is_leaving() => {}
            Input::Typed(text) => self.typed(text),
            Input::TypedEnd => shared.leave(Leaving::EndOfInput),
            Input::Completing => {}
            Input::Connected => {
                shared.connection_opened();
                dialect.connected(shared);
            }
            Input::Unreachable(reason) if shared.is_reconnecting() => {
                shared.reconnect(messages::cannot_connect(&shared.config.server, &reason));
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

    /// Returns what stands before what is typed, on a terminal.
    pub(crate) fn prompt(&self) -> &'static str {
        if self.shared.is_chatting() && !self.shared.is_leaving() { self.dialect.prompt() } else { "" }
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
        if !is_paste(&text) && self.dialect.parse(&text) == Command::Quit {
            self.shared.leave(Leaving::Quit);
        } else if self.shared.is_logging_in() {
            self.shared.type_ahead(text);
        } else {
            self.act(&text);
        }
    }

    /// Does what was typed, or says why not.
    fn act(&mut self, text: &str) {
        let Self { shared, dialect } = self;
        if shared.is_asking() {
            dialect.name_typed(text, shared);
            return;
        }
        let commands = if is_paste(text) { command::parse_paste(text) } else { vec![(dialect.parse(text), text)] };
        if shared.config.interactive {
            let hint = commands.iter().find_map(|(command, line)| Some((dialect.hint(*command, line)?, *command)));
            if let Some((hint, command)) = hint {
                shared.print(hint);
                if matches!(command, Command::Text(_)) {
                    shared.push(Action::LacksRecipient(text.to_owned()));
                }
                return;
            }
        }
        for (command, line) in commands {
            match command {
                Command::Blank => {}
                Command::Help => shared.push(Action::Help),
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
        let Self { shared, dialect } = self;
        match shared.connection_closed(reason.is_none(), dialect.retries_login()) {
            Loss::Expected => {}
            Loss::Retry => shared.connect(),
            Loss::Reconnect => {
                dialect.disconnected(shared);
                shared.reconnect(messages::connection_lost(&shared.config.server, reason));
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

/// What the tests of sessions need.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// What a session does about an input.
    pub(crate) fn handle(session: &mut Session, input: Input) -> Vec<Action> {
        session.handle(input);
        iter::from_fn(|| session.poll_action()).collect()
    }

    /// The same, as one line an action, without what typed lines become, which is what is sent.
    pub(crate) fn feed(session: &mut Session, input: Input) -> Vec<String> {
        let actions = handle(session, input).into_iter();
        actions.filter(|action| !matches!(action, Action::Sent { .. })).map(show).collect()
    }

    /// An action as one line.
    pub(crate) fn show(action: Action) -> String {
        match action {
            Action::Print(text) => format!("print {text}"),
            Action::Warn(text) => format!("warn {text}"),
            Action::Message { line, .. } => format!("print {line}"),
            Action::Sent { to, text } => format!("sent to {}: {text}", to.as_deref().unwrap_or("all")),
            Action::LacksRecipient(line) => format!("lacks recipient: {line}"),
            Action::Names(names) => format!("names {}", names.join(" ")),
            Action::Help => "help".into(),
            Action::Connect => "connect".into(),
            Action::Reconnect(why) => format!("reconnect: {why}"),
            Action::LoggedIn => "logged in".into(),
            Action::Disconnect => "disconnect".into(),
            Action::Send(bytes) => format!("send {}", String::from_utf8(bytes).expect("text").trim_end_matches('\n')),
            Action::FinishSending => "finish".into(),
            Action::WaitAtMost(time) => format!("wait {}", time.as_secs()),
            Action::WaitForever => "wait for ever".into(),
            Action::Exit(status) => format!("exit {status}"),
        }
    }
}
