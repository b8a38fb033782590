//! Why a connection ended: one reason each, logged once.

use std::fmt;
use std::io::ErrorKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    Quit,
    /// The client shut down its sending side.
    EndOfInput,
    Failed(ErrorKind),
    /// The client was refused at login, and has been told why.
    Refused,
    LoginTimeout,
    /// The client had not logged in, and others waited for a place.
    Displaced,
    Idle,
    /// The client did not read fast enough what others sent to it.
    Slow,
    /// The client read nothing at all for a long time.
    Stalled,
    Shutdown,
    Panicked,
}

impl CloseReason {
    /// Whether the client still gets what waits for it before the connection is closed.
    pub(super) fn is_orderly(self) -> bool {
        matches!(self, Self::Quit | Self::EndOfInput | Self::Refused | Self::LoginTimeout | Self::Idle | Self::Shutdown)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quit => "quit",
            Self::EndOfInput => "end of input",
            Self::Failed(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => "reset by the client",
            Self::Failed(kind) => return write!(f, "connection failed: {kind}"),
            Self::Refused => "refused",
            Self::LoginTimeout => "not logged in within the time limit",
            Self::Idle => "idle",
            Self::Displaced => "not logged in, and others wait for its place",
            Self::Slow => "slow: too much waited for it for too long",
            Self::Stalled => "slow: it took nothing for too long",
            Self::Shutdown => "shutdown",
            Self::Panicked => "internal error",
        })
    }
}
