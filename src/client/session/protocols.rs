//! The protocols that a session can speak, by their names on command lines, and what can be typed in each.

use super::cap::CapSession;
use super::chat1::Chat1Session;
use super::wac::WacSession;
use super::{Config, Session};

const WHO: Command = Command { usage: "!who", meaning: "List who is online" };
const HELP: Command = Command { usage: "!help", meaning: "Say what can be typed" };
const QUIT: Command = Command { usage: "!quit", meaning: "Leave" };

/// All kinds of sessions; the first one is what a person gets who does not say.
pub static PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "cap",
        needs_name: false,
        about: "which asks for your name",
        commands: &[Command { usage: "@NAME MESSAGE", meaning: "Send a message to one user" }, WHO, HELP, QUIT],
        begin: |setup| Box::new(CapSession::new(setup)),
    },
    Protocol {
        name: "wac",
        needs_name: false,
        about: "where your name is --name, or what you are called on this machine",
        commands: &[
            Command { usage: "MESSAGE", meaning: "Send a message to everybody" },
            Command { usage: "@NAME MESSAGE", meaning: "Whisper to one user" },
            WHO,
            Command { usage: "!sec", meaning: "Ask for the secret" },
            HELP,
            Command { usage: "!quit, quit", meaning: "Leave" },
        ],
        begin: |setup| Box::new(WacSession::new(setup)),
    },
    Protocol {
        name: "chat",
        needs_name: true,
        about: "where your name is --name, or USER",
        commands: &[Command { usage: "MESSAGE", meaning: "Send a message to everybody" }, HELP, QUIT],
        begin: |setup| Box::new(Chat1Session::new(setup)),
    },
];

/// A kind of session.
#[derive(Debug)]
pub struct Protocol {
    /// Its protocol's name on command lines.
    pub name: &'static str,
    /// Whether it cannot begin without a name.
    pub needs_name: bool,
    /// What to know of it before anything is typed.
    pub about: &'static str,
    /// What can be typed.
    pub commands: &'static [Command],
    /// Begins one.
    pub begin: fn(Config) -> Box<dyn Session>,
}

/// Something that can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// How it is typed.
    pub usage: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

impl Command {
    /// The word by which it is known, if it is not a message.
    pub(crate) fn word(&self) -> Option<&'static str> {
        self.usage.split([' ', ',']).next().filter(|word| word.starts_with('!'))
    }
}

impl Protocol {
    /// What can be typed, a line each.
    pub fn help(&self) -> String {
        let width = self.commands.iter().map(|command| command.usage.len()).max().unwrap_or(0);
        let lines = self.commands.iter().map(|Command { usage, meaning }| format!("  {usage:width$}   {meaning}\n"));
        lines.collect()
    }
}
