//! Signals as reports from a thread that waits for them.

use std::ffi::c_int;
use std::fmt;
use std::io;
use std::thread;

use crate::sys::{
    self, BlockedSignals, SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGUSR1, SIGUSR2,
    SIGWINCH,
};

/// A signal that a program can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-\\.
    Quit,
    /// The default of `kill`, and the system shuts down.
    Terminate,
    /// The terminal has closed.
    HangUp,
    /// Ctrl-Z.
    Suspend,
    /// The process continues after a stop.
    Continue,
    /// SIGTTIN: the program has read from the terminal in the background. While it is waited for, the read fails instead.
    Background,
    /// The size of the terminal has changed.
    Resize,
    /// SIGUSR1.
    User1,
    /// SIGUSR2.
    User2,
    /// SIGALRM.
    Alarm,
    /// Another signal that ends a program, by its number.
    Other(u8),
}

impl Signal {
    fn number(self) -> c_int {
        match self {
            Self::Interrupt => SIGINT,
            Self::Quit => SIGQUIT,
            Self::Terminate => SIGTERM,
            Self::HangUp => SIGHUP,
            Self::Suspend => SIGTSTP,
            Self::Continue => SIGCONT,
            Self::Background => SIGTTIN,
            Self::Resize => SIGWINCH,
            Self::User1 => SIGUSR1,
            Self::User2 => SIGUSR2,
            Self::Alarm => SIGALRM,
            Self::Other(number) => c_int::from(number),
        }
    }

    /// Returns all others that end a program, except faults of the program itself.
    pub(crate) fn others() -> impl Iterator<Item = Self> {
        sys::OTHER_SIGNALS.iter().copied().chain(sys::REAL_TIME_SIGNALS).map(Self::Other)
    }

    /// Returns the exit status of a program that it ends: 130 after Ctrl-C, as in shells.
    pub(crate) fn exit_status(self) -> u8 {
        128 + self.number() as u8
    }

    /// Returns whether it ends a program by default.
    pub(crate) fn ends(self) -> bool {
        !matches!(self, Self::Suspend | Self::Continue | Self::Background | Self::Resize)
    }

    /// Returns whether the parent process has it ignored, as `nohup` does.
    pub fn is_ignored(self) -> bool {
        sys::is_ignored(self.number())
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "interrupted",
            Self::Quit => "quit",
            Self::Terminate => "told to terminate",
            Self::HangUp => "hung up",
            Self::User2 => "user signal 2",
            Self::Alarm => "alarm",
            _ => return write!(f, "signal {}", self.number()),
        })
    }
}

/// Starts a thread that passes each of these signals to `report` until that returns `false`. They no longer end the process
/// or interrupt a call. Call it before any other thread starts.
///
/// # Errors
///
/// When the system refuses.
pub fn forward(signals: &[Signal], mut report: impl FnMut(Signal) -> bool + Send + 'static) -> io::Result<()> {
    let numbers: Vec<c_int> = signals.iter().map(|signal| signal.number()).collect();
    let blocked = BlockedSignals::block(&numbers)?;
    let signals = signals.to_vec();
    let run = move || loop {
        match blocked.wait() {
            Ok(number) => {
                let signal = signals.iter().find(|signal| signal.number() == number);
                if signal.is_some_and(|signal| !report(*signal)) {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Better that a signal ends the process at once than that none can.
            Err(_) => return blocked.receive(),
        }
    };
    thread::Builder::new().name(String::from("signals")).spawn(run).map(drop)
}

/// Has a signal do to this process what it would if nobody had taken it.
pub(crate) fn raise_default(signal: Signal) {
    // A system that refuses leaves it to the signals that cannot be taken.
    let _ = sys::raise_default(signal.number());
}

/// Stops this process as Ctrl-Z would if nobody had taken that signal, and returns when it goes on; at once where nobody
/// could let it go on.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn suspend() -> io::Result<()> {
    sys::raise_default(SIGTSTP)
}
