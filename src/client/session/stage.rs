//! How far a session is, who types in it and how it ends.

/// Who types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A script, through a pipe.
    Script,
    /// Somebody at a terminal, by whole lines so far.
    Terminal,
    /// A person, key by key.
    Keyboard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    Closed,
    Connecting,
    /// The server may have said something already.
    Open {
        is_heard: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// At the name prompt.
    Asking {
        was_refused: bool,
    },
    /// There is a name; the login is sent as soon as there is a connection.
    LoggingIn {
        is_sent: bool,
        attempt: Attempt,
    },
    Chatting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    First,
    /// The connection was gone, and has been made anew (K4).
    Second,
    /// The connection was lost in mid-chat; this goes on until it works.
    Reconnect,
}

/// How a session ends.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// How the person leaves, as soon as everything typed before is done.
    pub(super) leaving: Option<Leaving>,
    /// The sending side is shut down, or will be when all is sent; what still arrives is shown.
    pub(super) is_finishing: bool,
    pub(super) is_over: bool,
    /// A line was not sent, or a message reached nobody (K3).
    pub(super) has_failed: bool,
}

/// How a person leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// By a word.
    Quit,
    /// With the end of the input.
    EndOfInput,
    /// By a signal, with this status.
    Signal(u8),
}

/// What the end of a connection means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It was to be expected.
    Expected,
    /// The login is to be tried once more on a new connection.
    Retry,
    /// The session goes on when there is a new one.
    Reconnect,
    /// The session has failed.
    Final,
}
