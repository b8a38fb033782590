//! The options of the user interface.

use std::env;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// The options of the user interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UiOptions {
    /// Leave the line being typed to the terminal.
    pub plain: bool,
    /// When to use colours.
    pub color: Color,
    /// Show the time before each line.
    pub timestamps: bool,
    /// Which messages ring the bell.
    pub bell: Bell,
    /// Copy the chat to this file.
    pub log: Option<PathBuf>,
    /// Show each line of the protocol on standard error.
    pub trace: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// In keyboard mode, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// From the start, to any kind of output.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Every value, by its name on the command line.
    pub const ALL: [(&'static str, Self); 3] = [("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
}

/// Which messages ring the bell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bell {
    /// None.
    #[default]
    Off,
    /// Direct messages, and those with the user's name.
    Personal,
    /// All messages.
    All,
}

impl UiOptions {
    /// Returns whether to edit the line here: the standard streams are a terminal that understands escape sequences.
    pub(crate) fn want_editor(&self) -> bool {
        let is_dumb = env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        !self.plain && io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
    }
}
