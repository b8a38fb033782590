//! Candidates for the word before the cursor: commands, and names of users.

use std::collections::HashSet;

use crate::client::session::{NameOf, Names, Protocol, Usage};
use crate::limits::NAMES_REMEMBERED;

/// The words that Tab completes.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    commands: Vec<&'static str>,
    /// Commands that take a name, without their marks.
    takers: Vec<(&'static str, NameOf)>,
    /// The dialect has direct messages.
    has_direct: bool,
    /// The dialect has broadcasts, which `NAME: ` may begin.
    has_room: bool,
    /// Senders of messages, the latest one at the end.
    speakers: Vec<String>,
    /// Senders of direct messages, likewise.
    writers: Vec<String>,
    /// Recipients of direct messages, likewise.
    recipients: Vec<String>,
    /// Users in the last list, in its order, and those that have joined since.
    others: Vec<String>,
    ignored: Vec<String>,
}

/// Replacements for the word before the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// The byte at which that word begins.
    pub(crate) start: usize,
    /// The replacements without a blank behind them, in the order of Tab. While Tab is pressed repeatedly, the first one stands
    /// before the cursor.
    pub(crate) words: Vec<String>,
}

impl Completion {
    pub(crate) fn new(commands: Vec<&'static str>) -> Self {
        Self { commands, ..Self::default() }
    }

    pub(crate) fn for_protocol(protocol: &Protocol) -> Self {
        let has = |syntax: &str| protocol.commands.iter().any(|usage| usage.syntax == syntax);
        let takers = |usage: &Usage| usage.takes.map(|whose| usage.words.iter().map(move |word| (*word, whose)));
        Self {
            takers: protocol.commands.iter().filter_map(takers).flatten().collect(),
            has_direct: has("@NAME MESSAGE"),
            has_room: has("MESSAGE"),
            ..Self::new(protocol.commands.iter().filter_map(Usage::word).collect())
        }
    }

    pub(crate) fn note_message(&mut self, from: &str, is_direct: bool) {
        remember(&mut self.speakers, from);
        if is_direct {
            remember(&mut self.writers, from);
        }
    }

    pub(crate) fn note_sent(&mut self, to: &str) {
        remember(&mut self.recipients, to);
    }

    pub(crate) fn note_names(&mut self, names: &Names) {
        match names {
            Names::Online(names) => {
                // A longer list is stored in part, and does not tell who has left.
                if names.len() < NAMES_REMEMBERED {
                    let online: HashSet<&String> = names.iter().collect();
                    self.lists().into_iter().for_each(|list| list.retain(|name| online.contains(name)));
                }
                self.others.clone_from(names);
                self.others.truncate(NAMES_REMEMBERED);
            }
            Names::Joined(name) => {
                self.others.retain(|known| known != name);
                self.others.truncate(NAMES_REMEMBERED - 1);
                self.others.push(name.clone());
            }
            Names::Left(name) => self.lists().into_iter().for_each(|list| list.retain(|known| known != name)),
            Names::Renamed { from, to } => {
                for list in self.lists().into_iter().filter(|list| list.contains(from)) {
                    list.retain(|known| known != to);
                    list.iter_mut().filter(|name| *name == from).for_each(|name| name.clone_from(to));
                }
            }
            Names::Ignored(names) => self.ignored.clone_from(names),
        }
    }

    fn lists(&mut self) -> [&mut Vec<String>; 4] {
        [&mut self.speakers, &mut self.writers, &mut self.recipients, &mut self.others]
    }

    /// Returns the candidates for the last word of `before`, the text up to the cursor.
    pub(crate) fn candidates(&self, before: &str) -> Candidates {
        let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let start = before.len() - word.len();
        let command = before[..start].trim().strip_prefix(['!', '/']);
        let taker = self.takers.iter().find(|(taker, _)| command == Some(taker));
        let (mark, beginning) = word.split_at(usize::from(word.starts_with('@')));
        let words = if before.is_empty() {
            // The latest senders of direct messages, and behind them the latest recipients.
            let others = self.recipients.iter().rev().filter(|name| !self.writers.contains(name));
            let names = self.writers.iter().rev().chain(others).filter(|_| self.has_direct);
            names.map(|name| format!("@{name}")).collect()
        } else if let Some((_, whose)) = taker {
            let known: Vec<_> = match whose {
                NameOf::Anybody => self.names().collect(),
                NameOf::Ignored => self.ignored.iter().collect(),
            };
            beginning_with(beginning, known.into_iter()).map(|name| [mark, name].concat()).collect()
        } else if mark == "@" {
            beginning_with(beginning, self.names()).map(|name| format!("@{name}")).collect()
        } else if start > 0 {
            Vec::new()
        } else if let Some(beginning) = word.strip_prefix(['!', '/']) {
            let commands = self.commands.iter().filter_map(|command| command.strip_prefix('!'));
            let commands = commands.filter(|command| command.starts_with(beginning));
            commands.map(|command| format!("{}{command}", &word[..1])).collect()
        } else if self.has_room {
            beginning_with(word, self.names()).map(|name| format!("{name}:")).collect()
        } else {
            Vec::new()
        };
        Candidates { start, words }
    }

    /// Returns all names: senders first, the latest before all.
    fn names(&self) -> impl Iterator<Item = &String> {
        let others = self.others.iter().filter(|name| !self.speakers.contains(name));
        self.speakers.iter().rev().chain(others)
    }
}

/// Makes a name the latest one.
fn remember(names: &mut Vec<String>, name: &str) {
    if names.last().is_some_and(|last| last == name) {
        return;
    }
    names.retain(|known| known != name);
    if names.len() == NAMES_REMEMBERED {
        names.remove(0);
    }
    names.push(name.to_owned());
}

/// Returns the names with this beginning; case does not matter.
fn beginning_with<'a>(beginning: &str, names: impl Iterator<Item = &'a String>) -> impl Iterator<Item = &'a String> {
    let beginning = beginning.to_lowercase();
    names.filter(move |name| name.to_lowercase().starts_with(&beginning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::session::PROTOCOLS;

    /// The words that Tab offers behind this text.
    fn words(completion: &Completion, before: &str) -> String {
        completion.candidates(before).words.join(" ")
    }

    fn online(names: &[&str]) -> Names {
        Names::Online(names.iter().map(|&name| name.to_owned()).collect())
    }

    /// A completion in CAP, in WAC and in CHAT/1.0.
    fn each() -> [Completion; 3] {
        [0, 1, 2].map(|index| Completion::for_protocol(&PROTOCOLS[index]))
    }

    #[test]
    fn names_match_by_their_beginning_without_case_the_latest_sender_first() {
        let mut completion = Completion::for_protocol(&PROTOCOLS[0]);
        completion.note_names(&online(&["echobot", "Eve", "éric", "Éva", "bob", "emil"]));
        for name in ["emil", "Eve", "emil", "bob"] {
            completion.note_message(name, true);
        }
        for (before, expected) in [
            ("@e", "@emil @Eve @echobot"),
            ("@E", "@emil @Eve @echobot"),
            ("hi @eV", "@Eve"),
            ("漢\u{3000}@É", "@éric @Éva"),
            ("@x", ""),
            ("@", "@bob @emil @Eve @echobot @éric @Éva"),
            ("!wh", "!who"),
            ("/q", "/quit"),
            ("hi !w", ""),
            ("hi e", ""),
            ("hi ", ""),
            (" ", ""),
        ] {
            assert_eq!(words(&completion, before), expected, "{before:?}");
        }
        assert_eq!((completion.candidates("hi @e").start, completion.candidates("漢\u{3000}@e").start), (3, 6));
    }

    #[test]
    fn an_empty_line_offers_the_latest_senders_and_then_the_latest_recipients() {
        let mut all = each();
        for completion in &mut all {
            for name in ["bob", "eve", "bob"] {
                completion.note_sent(name);
            }
            assert_eq!(words(completion, ""), if completion.has_direct { "@bob @eve" } else { "" });
            for (name, is_direct) in [("dan", true), ("eve", true), ("gus", false)] {
                completion.note_message(name, is_direct);
            }
        }
        assert_eq!(all.map(|completion| words(&completion, "")), ["@eve @dan @bob", "@eve @dan @bob", ""]);
    }

    #[test]
    fn a_name_at_the_start_gets_a_colon_where_there_are_broadcasts() {
        let mut all = each();
        for completion in &mut all {
            completion.note_message("Eve", false);
            completion.note_names(&Names::Joined("emil".into()));
        }
        assert_eq!(all.map(|completion| words(&completion, "e")), ["", "Eve: emil:", "Eve: emil:"]);
    }

    #[test]
    fn names_are_offered_behind_a_command_that_takes_one() {
        let mut all = each();
        for completion in &mut all {
            completion.note_message("Eve", false);
            completion.note_names(&Names::Joined("emil".into()));
            completion.note_names(&Names::Ignored(vec!["edda".into(), "gus".into()]));
        }
        for (before, expected) in [
            ("!to e", ["Eve emil", "Eve emil", ""]),
            ("/query  E", ["Eve emil", "Eve emil", ""]),
            ("/msg ", ["Eve emil", "Eve emil", ""]),
            ("!ignore em", ["emil"; 3]),
            ("!ignore @e", ["@Eve @emil"; 3]),
            ("!unignore ", ["edda gus"; 3]),
            ("/unignore @G", ["@gus"; 3]),
            ("!unignore ev", [""; 3]),
            ("!to eve e", [""; 3]),
            ("!say e", [""; 3]),
            ("to e", [""; 3]),
        ] {
            assert_eq!(all.each_ref().map(|completion| words(completion, before)), expected, "{before:?}");
        }
        all[0].note_names(&Names::Ignored(Vec::new()));
        assert_eq!(words(&all[0], "!unignore "), "");
    }

    #[test]
    fn users_who_left_are_not_offered_and_renamed_ones_are() {
        let mut completion = Completion::for_protocol(&PROTOCOLS[1]);
        for name in ["ann", "bob", "eve"] {
            completion.note_message(name, true);
            completion.note_sent(name);
        }
        completion.note_names(&online(&["eve", "gus", "ann"]));
        assert_eq!((&*words(&completion, "@"), &*words(&completion, "")), ("@eve @ann @gus", "@eve @ann"));
        completion.note_message("Eva", true);
        completion.note_message("eve", true);
        completion.note_names(&Names::Renamed { from: "eve".into(), to: "Eva".into() });
        completion.note_names(&Names::Left("gus".into()));
        completion.note_names(&Names::Joined("dan".into()));
        assert_eq!((&*words(&completion, "@"), &*words(&completion, "")), ("@Eva @ann @dan", "@Eva @ann"));
        completion.note_names(&Names::Left("Eva".into()));
        assert_eq!((&*words(&completion, "@"), &*words(&completion, "")), ("@ann @dan", "@ann"));
    }

    #[test]
    fn stored_names_are_bounded_and_a_long_list_removes_no_name() {
        let mut completion = Completion::for_protocol(&PROTOCOLS[1]);
        for number in 0..=NAMES_REMEMBERED {
            completion.note_message(&format!("n{number}"), false);
        }
        let names: Vec<String> = (0..2 * NAMES_REMEMBERED).map(|number| format!("x{number}")).collect();
        completion.note_names(&Names::Online(names));
        completion.note_names(&Names::Joined("last".into()));
        let offered = completion.candidates("@").words;
        assert_eq!((offered.len(), &*offered[NAMES_REMEMBERED - 1]), (2 * NAMES_REMEMBERED, "@n1"));
        assert_eq!(offered.last().map(String::as_str), Some("@last"));
    }
}
