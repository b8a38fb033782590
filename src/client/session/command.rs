//! What a typed line can mean in more than one session.

/// Leave.
pub(crate) const QUIT: &str = "!quit";

/// List who is online.
pub(crate) const WHO: &str = "!who";

/// Say what can be typed.
pub(crate) const HELP: &str = "!help";

/// The name and the text of `@<username> <message>`.
pub(crate) fn parse_direct(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.strip_prefix('@')?.split_once(' ')?;
    (!name.is_empty() && !text.trim().is_empty()).then_some((name, text))
}
