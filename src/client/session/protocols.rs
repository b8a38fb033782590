//! The protocols that a session can speak, by their names on command lines, and what can be typed in each.
//!
//! A further protocol is one file with a `DialectSession`, one `mod` line beside the others, and one entry in [`PROTOCOLS`].
//! A further command is a variant of `Command`, what each session does about it, and an entry among the `commands` of each
//! protocol that has it.

use super::{Config, Session, cap, chat1, wac};

/// All protocols; the first one is what a person gets who does not say.
pub static PROTOCOLS: &[Protocol] = &[cap::PROTOCOL, wac::PROTOCOL, chat1::PROTOCOL];

pub(super) const WHO: Usage = Usage { syntax: "!who", meaning: "List who is online" };
pub(super) const SAY: Usage = Usage { syntax: "!say MESSAGE", meaning: "Send it to everybody, whatever it reads like" };
pub(super) const HELP: Usage = Usage { syntax: "!help", meaning: "Say what can be typed" };
pub(super) const QUIT: Usage = Usage { syntax: "!quit", meaning: "Leave" };

/// A protocol that a session can speak.
#[derive(Debug)]
pub struct Protocol {
    /// Its name on command lines.
    pub name: &'static str,
    /// Whether it cannot begin without a name.
    pub needs_name: bool,
    /// What to know of it before anything is typed.
    pub about: &'static str,
    /// What can be typed.
    pub commands: &'static [Usage],
    /// Begins a session.
    pub(crate) begin: fn(Config) -> Session,
}

/// Something that can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// How it is typed.
    pub syntax: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

impl Usage {
    /// Returns the word by which it is known, unless it is a message.
    pub(crate) fn word(&self) -> Option<&'static str> {
        self.syntax.split([' ', ',']).next().filter(|word| word.starts_with('!'))
    }
}

impl Protocol {
    /// Returns what can be typed, a line each.
    pub fn help(&self) -> String {
        let width = self.commands.iter().map(|usage| usage.syntax.len()).max().unwrap_or(0);
        let lines = self.commands.iter().map(|Usage { syntax, meaning }| format!("  {syntax:width$}   {meaning}\n"));
        lines.collect()
    }
}
