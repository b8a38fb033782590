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
    /// `@NAME TEXT`: a message for one user.
    Direct { to: &'a str, text: &'a str },
    /// Anything else.
    Text(&'a str),
}

impl<'a> Command<'a> {
    /// Parses a line.
    pub(crate) fn parse(line: &'a str) -> Self {
        match line.trim() {
            "" => Self::Blank,
            "!quit" => Self::Quit,
            "!help" => Self::Help,
            "!who" => Self::Who,
            "!sec" => Self::Secret,
            _ => match parse_direct(line) {
                Some((to, text)) => Self::Direct { to, text },
                None => Self::Text(line),
            },
        }
    }
}

/// The name and the text of `@<username> <message>`.
fn parse_direct(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.strip_prefix('@')?.split_once(' ')?;
    (!name.is_empty() && !text.trim().is_empty()).then_some((name, text))
}
