//! The protocols that a session can speak, by their names on command lines, and what can be typed in each.
//!
//! A further protocol is one file with a `DialectSession`, one `mod` line beside the others, and one entry in [`PROTOCOLS`].
//! A further command is an entry in a table below, which also makes the help and what Tab knows, and what is done about it.

use super::command::{Command, alone, message, name};
use super::{Config, Session, cap, chat1, wac};

/// All protocols; the first one is what a person gets who does not say.
pub static PROTOCOLS: &[Protocol] = &[cap::PROTOCOL, wac::PROTOCOL, chat1::PROTOCOL, cap::PROTOCOL_1];

/// What plain text is where it goes to everybody.
pub(super) const MESSAGE: Usage =
    Usage { syntax: "MESSAGE", meaning: "Send a message to everybody", words: &[], takes: None, parse: |_| None };
pub(super) const DIRECT: Usage = Usage {
    syntax: "@NAME MESSAGE",
    meaning: "Send a message to one user (or: /msg NAME MESSAGE)",
    words: &["msg"],
    takes: Some(NameOf::Anybody),
    parse: message,
};
pub(super) const TO: Usage = Usage {
    syntax: "!to NAME",
    meaning: "Send plain lines to one user (or: /query NAME), until !to",
    words: &["to", "query"],
    takes: Some(NameOf::Anybody),
    parse: |rest| alone(rest, Command::Recipient(None)).or_else(|| Some(Command::Recipient(Some(name(rest)?)))),
};
pub(super) const WHO: Usage = Usage {
    syntax: "!who",
    meaning: "List who is online",
    words: &["who"],
    takes: None,
    parse: |rest| alone(rest, Command::Who),
};
pub(super) const SECRET: Usage = Usage {
    syntax: "!sec",
    meaning: "Ask for the secret",
    words: &["sec"],
    takes: None,
    parse: |rest| alone(rest, Command::Secret),
};
pub(super) const IGNORE: Usage = Usage {
    syntax: "!ignore NAME",
    meaning: "Hide what a user says; !ignore lists whom",
    words: &["ignore"],
    takes: Some(NameOf::Anybody),
    parse: |rest| alone(rest, Command::Ignored).or_else(|| name(rest).map(Command::Ignore)),
};
pub(super) const UNIGNORE: Usage = Usage {
    syntax: "!unignore NAME",
    meaning: "Stop ignoring NAME",
    words: &["unignore"],
    takes: Some(NameOf::Ignored),
    parse: |rest| name(rest).map(Command::Unignore),
};
pub(super) const HELP: Usage = Usage {
    syntax: "!help",
    meaning: "Show this help",
    words: &["help"],
    takes: None,
    parse: |rest| alone(rest, Command::Help),
};
pub(super) const QUIT: Usage = Usage {
    syntax: "!quit",
    meaning: "Leave",
    words: &["quit"],
    takes: None,
    parse: |rest| alone(rest, Command::Quit),
};

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
    /// What cannot be done in it, in a sentence.
    pub limits: &'static str,
    /// Begins a session.
    pub(crate) begin: fn(Config) -> Session,
}

/// Something that can be typed.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// How it is typed.
    pub syntax: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// The words that stand behind the `!` of it.
    pub(crate) words: &'static [&'static str],
    /// Whose name stands behind such a word.
    pub(crate) takes: Option<NameOf>,
    /// Parses what stands behind such a word; `None` if it is not used like that.
    pub(super) parse: fn(&str) -> Option<Command<'_>>,
}

/// Those one of whom a command names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameOf {
    Anybody,
    /// Somebody whose messages are hidden.
    Ignored,
}

impl Usage {
    /// Returns the word by which it is known, unless it is a message.
    pub(crate) fn word(&self) -> Option<&'static str> {
        self.syntax.split([' ', ',']).next().filter(|word| word.starts_with('!'))
    }
}

impl Protocol {
    /// Returns what can be typed, a line each, and what cannot be done.
    pub fn help(&self) -> String {
        let width = self.commands.iter().map(|usage| usage.syntax.len()).max().unwrap_or(0);
        let lines =
            self.commands.iter().map(|Usage { syntax, meaning, .. }| format!("  {syntax:width$}   {meaning}\n"));
        lines.collect::<String>() + "  " + self.limits + "\n"
    }
}
