//! What Tab makes of the word before the cursor: a name somebody was seen under, or a command.

use crate::limits::NAMES_REMEMBERED;

/// The words that Tab knows.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    commands: Vec<&'static str>,
    /// Names, the one seen last at the end.
    names: Vec<String>,
}

/// What can take the place of the word before the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// Where that word begins: bytes from the start of the text.
    pub(crate) start: usize,
    /// The words to take its place, without a blank behind them; Tab goes through them in this order, Shift-Tab in the opposite one.
    pub(crate) words: Vec<String>,
}

impl Completion {
    /// Creates a completion that knows these commands, and no names yet.
    pub(crate) fn new(commands: Vec<&'static str>) -> Self {
        Self { commands, names: Vec::new() }
    }

    /// Adds a name, as the latest one.
    pub(crate) fn add(&mut self, name: &str) {
        if self.names.last().is_some_and(|last| last == name) {
            return;
        }
        self.names.retain(|known| known != name);
        if self.names.len() == NAMES_REMEMBERED {
            self.names.remove(0);
        }
        self.names.push(name.to_owned());
    }

    /// Returns what can take the place of the end of `before`, the text up to the cursor. It is empty on an empty line, and
    /// at the start of any other.
    pub(crate) fn candidates(&self, before: &str) -> Candidates {
        let start = before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
        let word = &before[start..];
        let words = if let Some(beginning) = word.strip_prefix('@') {
            let names = self.names.iter().rev();
            names.filter(|name| name.starts_with(beginning)).map(|name| format!("@{name}")).collect()
        } else if let Some(beginning) = word.strip_prefix(['!', '/']).filter(|_| start == 0) {
            let mark = &word[..1];
            let commands = self.commands.iter().filter_map(|command| command.strip_prefix('!'));
            commands
                .filter(|command| command.starts_with(beginning))
                .map(|command| format!("{mark}{command}"))
                .collect()
        } else {
            Vec::new()
        };
        Candidates { start, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(start: usize, words: &[&str]) -> Candidates {
        Candidates { start, words: words.iter().map(|&word| word.to_owned()).collect() }
    }

    #[test]
    fn names_are_found_by_their_beginning_the_last_one_first_and_commands_at_the_start() {
        let mut completion = Completion::new(vec!["!quit", "!who", "!help"]);
        for name in ["bob", "annabel", "anna", "bob", "élan", "éclair"] {
            completion.add(name);
        }
        for (before, expected) in [
            ("@b", candidates(0, &["@bob"])),
            ("hi @a", candidates(3, &["@anna", "@annabel"])),
            ("漢\u{3000}@é", candidates(6, &["@éclair", "@élan"])),
            ("@x", candidates(0, &[])),
            ("!w", candidates(0, &["!who"])),
            ("/w", candidates(0, &["/who"])),
            ("!", candidates(0, &["!quit", "!who", "!help"])),
            ("hi !w", candidates(3, &[])),
            ("b", candidates(0, &[])),
            ("", candidates(0, &[])),
        ] {
            assert_eq!(completion.candidates(before), expected, "{before:?}");
        }
    }

    #[test]
    fn the_names_seen_last_are_remembered() {
        let mut completion = Completion::new(Vec::new());
        for number in 0..=NAMES_REMEMBERED {
            completion.add(&format!("n{number}"));
        }
        assert_eq!(completion.candidates("@n0"), candidates(0, &[]));
        assert_eq!(completion.candidates("@").words.last().map(String::as_str), Some("@n1"));
    }
}
