//! What a typed line asks for, in whatever dialect.

use crate::client::messages;
use crate::protocol::Name;

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

/// What a typed line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// Nothing: there are only blanks.
    Blank,
    /// `!quit`: to leave.
    Quit,
    /// `!help`: what can be typed.
    Help,
    /// `!who`: who is online.
    Who,
    /// `!sec`: the secret.
    Secret,
    /// `@NAME TEXT` or `!msg NAME TEXT`: a message for one user. The text may be blank.
    Direct { to: &'a str, text: &'a str },
    /// `!to NAME`: to send what is typed to this user, from now on; `!to`: no longer.
    Recipient(Option<&'a str>),
    /// `!ignore`: whose messages are hidden.
    Ignored,
    /// `!ignore NAME`: to hide the messages of this user.
    Ignore(&'a str),
    /// `!unignore NAME`: to show them again.
    Unignore(&'a str),
    /// It begins as a command does, or as a message for one user, and is none.
    Unknown,
    /// Anything else.
    Text(&'a str),
}

impl<'a> Command<'a> {
    /// Parses a line, where there are these commands. They may begin with `/` as well as with `!`.
    pub(crate) fn parse(line: &'a str, commands: &[Usage]) -> Self {
        let start = line.trim_start();
        if start.is_empty() {
            Self::Blank
        } else if let Some(marked) = start.strip_prefix(['!', '/']) {
            let (word, rest) = marked.split_at(marked.find(char::is_whitespace).unwrap_or(marked.len()));
            let is_word = |known: &&str| known.eq_ignore_ascii_case(word);
            let usage = commands.iter().find(|usage| usage.words.iter().any(is_word));
            usage.and_then(|usage| (usage.parse)(rest)).unwrap_or(Self::Unknown)
        } else if start.starts_with('@') {
            line.strip_prefix('@').and_then(parse_direct).unwrap_or(Self::Unknown)
        } else {
            Self::Text(line)
        }
    }

    /// Returns the same for somebody who sends plain lines to this user.
    pub(crate) fn addressed(self, recipient: Option<&'a str>) -> Self {
        match (self, recipient) {
            (Self::Text(text), Some(to)) => Self::Direct { to, text },
            _ => self,
        }
    }
}

/// Parses `NAME TEXT`.
fn parse_direct(line: &str) -> Option<Command<'_>> {
    let (to, text) = line.split_once(' ')?;
    (!to.is_empty()).then_some(Command::Direct { to, text })
}

/// Parses what stands behind the word of a message for one user: a name, with or without an `@`, and the text.
pub(super) fn message(rest: &str) -> Option<Command<'_>> {
    parse_direct(without_mark(rest.trim_start()))
}

/// Returns the command if nothing stands behind its word.
pub(super) fn alone<'a>(rest: &str, command: Command<'a>) -> Option<Command<'a>> {
    rest.trim().is_empty().then_some(command)
}

/// Returns the name that stands behind the word of a command, with or without an `@`; a sentence is none.
pub(super) fn name(rest: &str) -> Option<&str> {
    let name = without_mark(rest.trim());
    name.parse::<Name>().is_ok().then_some(name)
}

/// Returns a name without the `@` that may stand before it.
fn without_mark(name: &str) -> &str {
    name.strip_prefix('@').unwrap_or(name)
}

/// Returns what a line that is no command was probably meant to be: a command with a slip in its word, or used wrongly.
pub(crate) fn correction(line: &str, commands: &[Usage]) -> Option<String> {
    let typed = line.trim_start();
    let word = typed.strip_prefix(['!', '/'])?.split_whitespace().next()?.to_lowercase();
    let is_known = |usage: &&Usage| usage.words.contains(&word.as_str());
    if let Some(usage) = commands.iter().find(is_known) {
        return Some(messages::usage(usage.syntax));
    }
    let known = commands.iter().flat_map(|usage| usage.words).find(|known| is_one_edit_away(&word, known))?;
    Some(messages::did_you_mean(&typed[..=word.len()], &format!("{}{known}", &typed[..1])))
}

/// Returns whether one character more, less or other, or two that are exchanged, make one word the other.
fn is_one_edit_away(one: &str, other: &str) -> bool {
    let [one, other]: [Vec<char>; 2] = [one.chars().collect(), other.chars().collect()];
    let start = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let end = one[start..].iter().rev().zip(other[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    match (&one[start..one.len() - end], &other[start..other.len() - end]) {
        ([a, b], [c, d]) => (a, b) == (d, c),
        (one, other) => one.len() <= 1 && other.len() <= 1,
    }
}

/// Returns whether several lines were pasted, with or without an end of the last.
pub(crate) fn is_paste(text: &str) -> bool {
    text.contains('\n')
}

/// Parses lines that were pasted. They are text, whatever they read like, but for the name of a recipient; a line without
/// one goes to whom the first line names, or else to the recipient of plain lines.
pub(crate) fn parse_paste<'a>(
    text: &'a str,
    commands: &[Usage],
    recipient: Option<&'a str>,
) -> Vec<(Command<'a>, &'a str)> {
    let parse = |line| match Command::parse(line, commands) {
        command @ Command::Direct { .. } => command,
        Command::Unknown if line.trim_start().starts_with('@') => Command::Unknown,
        _ => Command::Text(line),
    };
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let Some(first) = lines.next() else { return Vec::new() };
    let start = parse(first).addressed(recipient);
    let rest = lines.map(|line| {
        let command = match (start, parse(line)) {
            (_, direct @ Command::Direct { .. }) => direct,
            (Command::Direct { to, .. }, _) => Command::Direct { to, text: line },
            (_, command) => command,
        };
        (command, line)
    });
    let names_only = matches!(start, Command::Direct { text, .. } if text.trim().is_empty());
    let start = (!names_only).then_some((start, first));
    start.into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::session::PROTOCOLS;

    /// Parses a line of WAC, which has all commands.
    fn parse(line: &str) -> Command<'_> {
        Command::parse(line, PROTOCOLS[1].commands)
    }

    #[test]
    fn w13_a_command_begins_with_an_exclamation_mark_or_a_slash() {
        for (words, command) in [
            ("quit", Command::Quit),
            ("help", Command::Help),
            ("who", Command::Who),
            ("sec", Command::Secret),
            ("to", Command::Recipient(None)),
            ("query", Command::Recipient(None)),
            ("to bob", Command::Recipient(Some("bob"))),
            ("query   @bob", Command::Recipient(Some("bob"))),
            ("ignore", Command::Ignored),
            ("ignore bob", Command::Ignore("bob")),
            ("unignore bob", Command::Unignore("bob")),
        ] {
            for mark in ["!", "/", " !", "  /"] {
                assert_eq!(parse(&format!("{mark}{words} ")), command);
            }
        }
        let direct = Command::Direct { to: "bob", text: " hi " };
        for line in ["@bob  hi ", "/msg bob  hi ", "!msg  bob  hi ", "/msg @bob  hi "] {
            assert_eq!(parse(line), direct);
        }
        for line in [
            "!",
            "/",
            "!whp",
            "/quit now",
            "!quitting",
            "!msg",
            "/msg bob",
            "/msg @ hi",
            "!to be or not to be",
            "!to a,b",
            "!ignore all of it",
            "!unignore",
            "@bob",
            "@ hi",
            " @bob hi",
        ] {
            assert_eq!(parse(line), Command::Unknown, "{line:?}");
        }
        for line in ["hi", " hi", "hi !quit", "quit"] {
            assert_eq!(parse(line), Command::Text(line));
        }
        assert_eq!((parse(""), parse(" \t")), (Command::Blank, Command::Blank));
    }

    #[test]
    fn k2_a_name_and_a_blank_are_a_message_whatever_follows() {
        for (line, text) in [("@bob ", ""), ("@bob  \t", " \t"), ("/msg bob ", "")] {
            assert_eq!(parse(line), Command::Direct { to: "bob", text });
        }
    }

    #[test]
    fn k2_w13_a_protocol_has_its_own_commands() {
        let of = |line: &'static str| [0, 1, 2].map(|index| Command::parse(line, PROTOCOLS[index].commands));
        let unknown = Command::Unknown;
        assert_eq!(of("!sec"), [unknown, Command::Secret, unknown]);
        assert_eq!(of("!who"), [Command::Who, Command::Who, unknown]);
        let to_bob = Command::Recipient(Some("bob"));
        assert_eq!(of("!to bob"), [to_bob, to_bob, unknown]);
        assert_eq!(of("!ignore"), [Command::Ignored; 3]);
    }
}
