//! What a typed line asks for, in whatever dialect.

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
    /// `!say TEXT`: a message for everybody, whatever it reads like.
    Say(&'a str),
    /// It begins as a command does, or as a message for one user, and is none.
    Unknown,
    /// Anything else.
    Text(&'a str),
}

impl<'a> Command<'a> {
    /// Parses a line. A command may begin with `/` as well as with `!`.
    pub(crate) fn parse(line: &'a str) -> Self {
        let start = line.trim_start();
        if start.is_empty() {
            Self::Blank
        } else if let Some(command) = start.strip_prefix(['!', '/']) {
            Self::parse_marked(command)
        } else if start.starts_with('@') {
            line.strip_prefix('@').and_then(parse_direct).unwrap_or(Self::Unknown)
        } else {
            Self::Text(line)
        }
    }

    /// Parses what stands behind the `!`.
    fn parse_marked(command: &'a str) -> Self {
        match (command.trim_end(), command.split_once(' ')) {
            ("quit", _) => Self::Quit,
            ("help", _) => Self::Help,
            ("who", _) => Self::Who,
            ("sec", _) => Self::Secret,
            (_, Some(("say", text))) if !text.trim().is_empty() => Self::Say(text),
            (_, Some(("msg", rest))) => parse_direct(rest.trim_start()).unwrap_or(Self::Unknown),
            _ => Self::Unknown,
        }
    }
}

/// Parses `NAME TEXT`.
fn parse_direct(line: &str) -> Option<Command<'_>> {
    let (to, text) = line.split_once(' ')?;
    (!to.is_empty()).then_some(Command::Direct { to, text })
}

/// Returns whether several lines were pasted, with or without an end of the last.
pub(crate) fn is_paste(text: &str) -> bool {
    text.contains('\n')
}

/// Parses lines that were pasted. They are text, whatever they read like, but for the name of a recipient; a line without
/// one goes to whom the first line names.
pub(crate) fn parse_paste(text: &str) -> Vec<(Command<'_>, &str)> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let Some(first) = lines.next() else { return Vec::new() };
    let start = match Command::parse(first) {
        command @ (Command::Direct { .. } | Command::Say(_) | Command::Text(_)) => command,
        _ => Command::Unknown,
    };
    let rest = lines.map(|line| {
        let command = match (start, Command::parse(line)) {
            (Command::Say(_), _) => Command::Say(line),
            (_, direct @ Command::Direct { .. }) => direct,
            (Command::Direct { to, .. }, _) => Command::Direct { to, text: line },
            (_, text @ Command::Text(_)) => text,
            _ => Command::Unknown,
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

    #[test]
    fn w13_a_command_begins_with_an_exclamation_mark_or_a_slash() {
        for (word, command) in
            [("quit", Command::Quit), ("help", Command::Help), ("who", Command::Who), ("sec", Command::Secret)]
        {
            for mark in ["!", "/", " !", "  /"] {
                assert_eq!(Command::parse(&format!("{mark}{word} ")), command);
            }
        }
        assert_eq!(Command::parse("!say  !any text "), Command::Say(" !any text "));
        let direct = Command::Direct { to: "bob", text: " hi " };
        for line in ["@bob  hi ", "/msg bob  hi ", "!msg  bob  hi "] {
            assert_eq!(Command::parse(line), direct);
        }
        for line in [
            "!",
            "/",
            "!whp",
            "/quit now",
            "!quitting",
            "!say",
            "/say  ",
            "!msg",
            "/msg bob",
            "@bob",
            "@ hi",
            " @bob hi",
        ] {
            assert_eq!(Command::parse(line), Command::Unknown, "{line:?}");
        }
        for line in ["hi", " hi", "hi !quit", "quit"] {
            assert_eq!(Command::parse(line), Command::Text(line));
        }
        assert_eq!((Command::parse(""), Command::parse(" \t")), (Command::Blank, Command::Blank));
    }

    #[test]
    fn k2_a_name_and_a_blank_are_a_message_whatever_follows() {
        for (line, text) in [("@bob ", ""), ("@bob  \t", " \t"), ("/msg bob ", "")] {
            assert_eq!(Command::parse(line), Command::Direct { to: "bob", text });
        }
    }
}
