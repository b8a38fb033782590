//! What goes into a session, and what comes out of it.

use std::ops::Range;
use std::time::Duration;

use crate::protocol::Scope;
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
    /// A person is there, and not a program that types whole lines. Comes once at most.
    Person,
    /// A user completes names, and the last list is old: the next one is to be ready for the next time.
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
    /// Put this line back where lines are typed: it was not sent yet.
    GiveBack(String),
    /// Remember who is online: their names can be completed.
    Names(Names),
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

/// What is learned of who is online.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Everybody is in this list, or as many as it tells of.
    Online(Vec<String>),
    Joined(String),
    Left(String),
    Renamed {
        from: String,
        to: String,
    },
    /// The messages of these are hidden, and of nobody else.
    Ignored(Vec<String>),
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
    /// Whether to connect and to log in again when the connection is lost; unless it is said, where a person is there.
    pub reconnect: Option<bool>,
    /// Whether a person types at a terminal, and it is no script's lines that come through a pipe.
    pub interactive: bool,
}
