//! The commands in typed lines.

use crate::client::messages;
use crate::protocol::Name;

/// A command in `!help` and in the parser.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Its syntax.
    pub syntax: &'static str,
    /// Its description.
    pub meaning: &'static str,
    /// Its words after the `!`.
    pub(crate) words: &'static [&'static str],
    /// The name that follows the word.
    pub(crate) takes: Option<NameOf>,
    /// Parses the arguments.
    pub(super) parse: fn(&str) -> Option<Command<'_>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameOf {
    Anybody,
    Ignored,
}

impl Usage {
    /// Returns the word with its `!`, unless this is a message.
    pub(crate) fn word(&self) -> Option<&'static str> {
        self.syntax.split([' ', ',']).next().filter(|word| word.starts_with('!'))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// Only blanks.
    Blank,
    /// `!quit`.
    Quit,
    /// `!help`.
    Help,
    /// `!who`.
    Who,
    /// `!sec`.
    Secret,
    /// `@NAME TEXT` or `!msg NAME TEXT`. The text may be blank.
    Direct { to: &'a str, text: &'a str },
    /// `!to NAME` or `!to`.
    Recipient(Option<&'a str>),
    /// `!ignore`.
    Ignored,
    /// `!ignore NAME`.
    Ignore(&'a str),
    /// `!unignore NAME`.
    Unignore(&'a str),
    /// Begins like a command or a message for one user, but is neither.
    Unknown,
    /// A plain line.
    Text(&'a str),
}

impl<'a> Command<'a> {
    /// Parses a line. Commands begin with `!` or `/`.
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

    /// Addresses a plain line to the recipient.
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

/// Parses the arguments of `!msg`: a name, with or without an `@`, and the text.
pub(super) fn message(rest: &str) -> Option<Command<'_>> {
    parse_direct(without_mark(rest.trim_start()))
}

/// Returns the command if it has no arguments.
pub(super) fn alone<'a>(rest: &str, command: Command<'a>) -> Option<Command<'a>> {
    rest.trim().is_empty().then_some(command)
}

/// Parses the argument of a command as a name, with or without an `@`.
pub(super) fn name(rest: &str) -> Option<&str> {
    let name = without_mark(rest.trim());
    name.parse::<Name>().is_ok().then_some(name)
}

fn without_mark(name: &str) -> &str {
    name.strip_prefix('@').unwrap_or(name)
}

/// Corrects a command that is misspelled or has wrong arguments.
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

/// Returns whether the words differ by one character, or by the order of two.
fn is_one_edit_away(one: &str, other: &str) -> bool {
    let [one, other]: [Vec<char>; 2] = [one.chars().collect(), other.chars().collect()];
    let start = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let end = one[start..].iter().rev().zip(other[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    match (&one[start..one.len() - end], &other[start..other.len() - end]) {
        ([a, b], [c, d]) => (a, b) == (d, c),
        (one, other) => one.len() <= 1 && other.len() <= 1,
    }
}

pub(crate) fn is_paste(text: &str) -> bool {
    text.contains('\n')
}

/// Parses pasted lines. They are text, except for the name of a recipient; a line without a name goes to the recipient of
/// the first line.
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
