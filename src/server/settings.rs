//! What a server can be told.

use std::time::Duration;

use crate::limits;
use crate::protocol::{Dialect, Name};

/// The settings of a server. [`Settings::default`] is what `limits` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The dialect of every client; `None` goes by each client's first line.
    pub dialect: Option<&'static dyn Dialect>,
    /// The secret, instead of a random one (W11).
    pub secret: Option<String>,
    /// Logged-in clients, `echobot` not counted; `None` is `limits::MAX_CLIENTS` or what fits into the memory.
    pub max_clients: Option<usize>,
    /// Logged-in clients from one address; `None` is no limit.
    pub max_per_address: Option<usize>,
    /// Lines a second that a client may send; the server reads further ones later. `None` is no limit.
    pub max_rate: Option<u32>,
    /// Bytes of the longest line, including its LF; `None` is `limits::MAX_LINE` or what fits into the memory.
    pub max_line: Option<usize>,
    /// Bytes that may wait for one recipient; `None` is `limits::MAX_BACKLOG` or what fits into the memory.
    pub max_backlog: Option<usize>,
    /// Bytes of memory that the server may take, half of it for what waits; `None` is all that this process may have.
    pub max_memory: Option<usize>,
    /// How long a recipient may be behind.
    pub slow_timeout: Duration,
    /// How long a client may take to log in.
    pub login_timeout: Duration,
    /// How long a logged-in client may say nothing; `None` is no limit.
    pub idle_timeout: Option<Duration>,
    /// Whether `echobot` is online (G11).
    pub echobot: bool,
    /// Whether logins, leaves and changes of names are announced (G15).
    pub announce: bool,
    /// Users whose lines are logged; with [`Level::Trace`](crate::log::Level::Trace) all lines are.
    pub trace: Vec<Name>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dialect: None,
            secret: None,
            max_clients: None,
            max_per_address: None,
            max_rate: None,
            max_line: None,
            max_backlog: None,
            max_memory: None,
            slow_timeout: limits::SLOW_TIMEOUT,
            login_timeout: limits::LOGIN_TIMEOUT,
            idle_timeout: None,
            echobot: true,
            announce: false,
            trace: Vec::new(),
        }
    }
}
