//! What a session is: a function from what happens to what is to be done about it.
//!
//! A session does no I/O of its own and looks at no clock, so each one is tested as the function it is.

mod cap;
mod chat1;
pub(crate) mod command;
mod protocols;
#[cfg(test)]
mod tests;
mod wac;

use std::ops::Range;
use std::time::Duration;

pub use self::protocols::{Command, PROTOCOLS, Protocol};
use crate::client::messages;
use crate::signals::Signal;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the text of a variant tells its fields")]
pub enum Input {
    /// The program has started. The first input, and it comes once.
    Start,
    /// A line was typed, or came through a pipe. Where several were pasted it is all of them, with the line feeds between
    /// them; what was pasted so is text, and never a command.
    Typed(String),
    /// Nothing more will be typed.
    TypedEnd,
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
#[allow(missing_docs, reason = "the text of a variant tells its fields")]
pub enum Action {
    /// Show a line, or several, on standard output.
    Print(String),
    /// Show somebody's message; the name of who sent it stands there in the line.
    Message { line: String, sender: Range<usize> },
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

/// One dialect's client.
pub trait Session {
    /// Takes an input and appends what is to be done.
    fn handle(&mut self, input: Input, actions: &mut Vec<Action>);

    /// Whether a typed line would be acted upon now, rather than kept for later.
    fn wants_input(&self) -> bool {
        true
    }

    /// Whether the next typed line is a name, and nothing to be typed again.
    fn asks_for_name(&self) -> bool {
        false
    }

    /// What stands before what is typed, on a terminal.
    fn prompt(&self) -> &'static str {
        ""
    }
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

/// To show this.
pub(crate) fn print(text: impl Into<String>) -> Action {
    Action::Print(text.into())
}

/// To show this as a diagnostic.
pub(crate) fn warn(text: impl Into<String>) -> Action {
    Action::Warn(text.into())
}

/// To say, where it is so, that this many typed lines come to nothing.
pub(crate) fn warn_of_unsent(lines: usize) -> Option<Action> {
    (lines > 0).then(|| warn(messages::not_sent(lines)))
}

/// How many lines there are among these inputs.
pub(crate) fn typed_lines(kept: &[Input]) -> usize {
    kept.iter().filter(|kept| matches!(kept, Input::Typed(_))).count()
}

/// An action as one line, for the tests of sessions.
#[cfg(test)]
pub(crate) fn show(action: Action) -> String {
    match action {
        Action::Print(text) => format!("print {text}"),
        Action::Warn(text) => format!("warn {text}"),
        Action::Message { line, .. } => format!("print {line}"),
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
