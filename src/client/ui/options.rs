//! What a person has asked for, and what the terminal and the environment say to it.

use std::env;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::{Command as Program, Stdio};

use super::style::{self, Color};

/// What a person has asked for on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UiOptions {
    /// Leave the line being typed to the terminal.
    pub plain: bool,
    /// What is coloured.
    pub color: Color,
    /// Show the time before each line.
    pub timestamps: bool,
    /// What makes a sound.
    pub bell: Bell,
    /// A file to copy the chat to.
    pub log: Option<PathBuf>,
    /// Show each line that comes and goes, as it is, on standard error.
    pub trace: bool,
}

/// What makes a sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bell {
    /// Nothing.
    #[default]
    Off,
    /// Messages for oneself alone, and those with one's name.
    Personal,
    /// All messages.
    All,
}

impl UiOptions {
    /// Returns whether the line being typed is to be edited here: somebody is at a terminal, and has not said otherwise.
    pub(crate) fn want_editor(&self) -> bool {
        !self.plain && io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb()
    }

    /// Returns whether there are to be colours as soon as a person is there.
    pub(super) fn may_color(&self) -> bool {
        self.color == Color::Auto && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }
}

fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// Returns the seconds by which the clock on the wall is ahead of UTC, by the system's `date`.
pub(super) fn clock_ahead_of_utc() -> i64 {
    let output = Program::new("date").arg("+%z").stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.ok().and_then(|output| style::ahead_of_utc(&String::from_utf8_lossy(&output.stdout))).unwrap_or(0)
}
