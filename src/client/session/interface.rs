//! The inputs and actions of a session.

use std::ops::Range;
use std::time::Duration;

use crate::protocol::Scope;
use crate::signals::Signal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Always the first input.
    Start,
    /// A line, or a paste with line feeds in it. A paste has no commands.
    Typed(String),
    /// A line was too long to send.
    TypedTooLong,
    /// The end of the input.
    TypedEnd,
    /// The first key came from a person instead of a program.
    Person,
    /// The user completes names and the last list is old.
    Completing,
    /// The connection is established.
    Connected,
    /// The connection failed, with the reason.
    Unreachable(String),
    /// A line came from the server.
    Received(String),
    /// With a reason, unless the server closed the connection.
    Disconnected(Option<String>),
    /// A signal that ends the program.
    Signal(Signal),
    /// The last [`Action::WaitAtMost`] has expired. `unsent`: the server has not taken every byte.
    TimeUp { unsent: bool },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Show lines on standard output.
    Print(String),
    /// Show a message. `sender` is the range of its sender's name.
    Message { line: String, sender: Range<usize>, scope: Scope },
    /// Show a sent message in place of the line typed at a terminal.
    Sent { to: Option<String>, text: String },
    /// Put an unsent line back into the editor.
    GiveBack(String),
    /// Update the names for the completion.
    Names(Names),
    /// Show the help.
    Help,
    /// Show a diagnostic on standard error.
    Warn(String),
    /// Connect to the server.
    Connect,
    /// Drop the connection and connect again after a backoff. With the reason.
    Reconnect(String),
    /// Reset the backoff.
    LoggedIn,
    /// Drop the connection.
    Disconnect,
    /// Send these bytes.
    Send(Vec<u8>),
    /// Shut the sending half down once everything is sent. Each partial write restarts [`Action::WaitAtMost`].
    FinishSending,
    /// Set the timeout.
    WaitAtMost(Duration),
    /// Clear the timeout.
    WaitForever,
    /// End the program with this status.
    Exit(u8),
}

/// A change of the names for the completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    Online(Vec<String>),
    Joined(String),
    Left(String),
    Renamed { from: String, to: String },
    Ignored(Vec<String>),
}

/// The parameters of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The name of the server in messages.
    pub server: String,
    /// The value of `--name`.
    pub name: Option<String>,
    /// The user's name in the system.
    pub user: Option<String>,
    /// Whether to reconnect after a loss. By default only at a keyboard.
    pub reconnect: Option<bool>,
    /// Whether standard input is a terminal.
    pub interactive: bool,
}
