//! What Tab makes of the word before the cursor: a name somebody was seen under, or a command.

use crate::limits::NAMES_REMEMBERED;

/// The words that Tab knows.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    commands: Vec<&'static str>,
    /// Names, the one seen last at the end.
    names: Vec<String>,
}

/// Completions of a word.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Completed {
    /// What every possible word begins with; longer than the word, or the same.
    pub(crate) common: String,
    /// The possible words, in order.
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

    /// Returns what a word can become; `None` if it is no beginning of a name or a command. A command is the first word of a line.
    pub(crate) fn complete(&self, word: &str, is_first: bool) -> Option<Completed> {
        let mut words: Vec<String> = if let Some(beginning) = word.strip_prefix('@') {
            self.names.iter().filter(|name| name.starts_with(beginning)).map(|name| format!("@{name}")).collect()
        } else if let Some(beginning) = word.strip_prefix(['!', '/']).filter(|_| is_first) {
            let mark = &word[..1];
            let commands = self.commands.iter().filter_map(|command| command.strip_prefix('!'));
            commands
                .filter(|command| command.starts_with(beginning))
                .map(|command| format!("{mark}{command}"))
                .collect()
        } else {
            return None;
        };
        words.sort_unstable();
        let common = match (words.first(), words.last()) {
            (Some(first), Some(last)) => first[..common_bytes(first, last)].to_owned(),
            _ => word.to_owned(),
        };
        Some(Completed { common, words })
    }
}

/// Returns the bytes of the characters with which both begin.
fn common_bytes(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(common: &str, words: &[&str]) -> Option<Completed> {
        Some(Completed { common: common.to_owned(), words: words.iter().map(|&word| word.to_owned()).collect() })
    }

    #[test]
    fn names_and_commands_are_found_by_their_beginning() {
        let mut completion = Completion::new(vec!["!quit", "!who", "!help"]);
        for name in ["bob", "anna", "annabel", "bob", "élan", "éclair"] {
            completion.add(name);
        }
        assert_eq!(completion.complete("@b", true), completed("@bob", &["@bob"]));
        assert_eq!(completion.complete("@a", false), completed("@anna", &["@anna", "@annabel"]));
        assert_eq!(completion.complete("@é", false), completed("@é", &["@éclair", "@élan"]));
        assert_eq!(completion.complete("@x", true), completed("@x", &[]));
        assert_eq!(completion.complete("!w", true), completed("!who", &["!who"]));
        assert_eq!(completion.complete("/w", true), completed("/who", &["/who"]));
        assert_eq!(completion.complete("!", true), completed("!", &["!help", "!quit", "!who"]));
        assert_eq!(
            (completion.complete("!w", false), completion.complete("b", true), completion.complete("", true)),
            (None, None, None)
        );
    }

    #[test]
    fn the_names_seen_last_are_remembered() {
        let mut completion = Completion::new(Vec::new());
        for number in 0..=NAMES_REMEMBERED {
            completion.add(&format!("n{number}"));
        }
        assert_eq!(completion.complete("@n0", true), completed("@n0", &[]));
        assert_eq!(completion.complete("@n1", true).expect("names").words[0], "@n1");
    }
}
