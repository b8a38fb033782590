//! What a typed line can mean in more than one session.

/// Leave.
pub(super) const QUIT: &str = "!quit";

/// List who is online.
pub(super) const WHO: &str = "!who";

/// Say what can be typed.
pub(super) const HELP: &str = "!help";

/// The name and the text of `@<username> <message>`.
pub(super) fn addressed(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.strip_prefix('@')?.split_once(' ')?;
    (!name.is_empty() && !text.trim().is_empty()).then_some((name, text))
}
