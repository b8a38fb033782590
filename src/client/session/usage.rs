//! The table of commands, for the parser, `!help` and the completion.

use super::command::{Command, NameOf, Usage, alone, message, name};

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
    meaning: "Send plain lines to NAME until !to (or: /query NAME)",
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
    meaning: "Hide the messages of NAME; !ignore lists ignored users",
    words: &["ignore"],
    takes: Some(NameOf::Anybody),
    parse: |rest| alone(rest, Command::Ignored).or_else(|| name(rest).map(Command::Ignore)),
};
pub(super) const UNIGNORE: Usage = Usage {
    syntax: "!unignore NAME",
    meaning: "Show the messages of NAME again",
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
