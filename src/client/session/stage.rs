//! The stages of a session.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    Closed,
    Connecting,
    Open { is_heard: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Asking { was_refused: bool },
    LoggingIn { is_sent: bool, attempt: Attempt },
    Chatting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    First,
    /// After a loss during the login (K4), or because of a request (K1).
    Second,
    /// After a loss in the chat: repeated until it works.
    Reconnect,
}

#[derive(Debug, Default)]
pub(super) struct Ending {
    /// The user leaves once everything typed before is done.
    pub(super) leaving: Option<Leaving>,
    /// The sending half is shut down once everything is sent. Received lines are still shown.
    pub(super) is_finishing: bool,
    pub(super) is_over: bool,
    /// A line was not sent, or a message reached nobody (K3).
    pub(super) has_failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    Quit,
    EndOfInput,
    /// With the exit status.
    Signal(u8),
}
