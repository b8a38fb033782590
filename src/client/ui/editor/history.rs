//! The lines that were typed before.

use std::collections::{BTreeMap, VecDeque};

use super::line_buffer::LineBuffer;
use crate::limits::{HISTORY_BYTES, HISTORY_LINES};

/// The typed lines, and which of them is shown.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<String>,
    /// Bytes in all lines.
    bytes: usize,
    /// How many lines back the shown one is; 0 is the new line.
    back: usize,
    /// Changed lines by their distance, the new one included.
    drafts: BTreeMap<usize, String>,
    /// The beginning that Up and Down look for.
    prefix: String,
}

impl History {
    pub(crate) fn push(&mut self, line: &str) {
        self.leave();
        if line.trim().is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push_back(line.to_owned());
        self.bytes += line.len();
        while self.lines.len() > HISTORY_LINES || (self.bytes > HISTORY_BYTES && self.lines.len() > 1) {
            self.bytes -= self.lines.pop_front().map_or(0, |line| line.len());
        }
    }

    /// Goes to an empty new line, and drops all changes.
    pub(crate) fn leave(&mut self) {
        self.back = 0;
        self.drafts.clear();
    }

    /// Makes the shown text the new line, and keeps changes of the others.
    pub(super) fn begin_new_line(&mut self) {
        self.back = 0;
    }

    /// Returns the next older line; with a prefix, the next one that begins like the new line.
    pub(crate) fn older(&mut self, shown: &str, has_prefix: bool) -> Option<String> {
        self.end_search_if_changed(shown);
        if self.back == 0 {
            self.prefix = if has_prefix { shown.to_owned() } else { String::new() };
        }
        let back = (self.back + 1..=self.lines.len()).find(|back| self.is_wanted(*back, shown))?;
        Some(self.go_to(back, shown))
    }

    /// Returns the next newer such line, and at last the new one.
    pub(crate) fn newer(&mut self, shown: &str) -> Option<String> {
        self.end_search_if_changed(shown);
        let back = (0..self.back).rev().find(|back| *back == 0 || self.is_wanted(*back, shown))?;
        Some(self.go_to(back, shown))
    }

    /// Returns the latest line with this text in it that is at least so many lines back and is not `shown` already, with its
    /// distance and the cursor at the text. Changes of old lines do not count.
    pub(super) fn search(&self, text: &str, back: usize, shown: Option<&str>) -> Option<(usize, LineBuffer)> {
        let back = back.max(1);
        (back..).zip(self.lines.iter().rev().skip(back - 1)).find_map(|(back, line)| {
            let mut found = LineBuffer::new(line.clone());
            found.move_to(line.rfind(text).filter(|_| shown != Some(line))?);
            Some((back, found))
        })
    }

    /// Goes to a line that a search has found.
    pub(super) fn go_to_found(&mut self, back: usize, shown: &str) {
        self.prefix.clear();
        self.go_to(back, shown);
    }

    /// Makes the shown line the new one if it was found by its beginning and then changed.
    fn end_search_if_changed(&mut self, shown: &str) {
        if !self.prefix.is_empty() && self.text_at(self.back).is_some_and(|found| found != shown) {
            self.begin_new_line();
        }
    }

    /// Returns whether the line at this distance has the prefix and differs from the shown one.
    fn is_wanted(&self, back: usize, shown: &str) -> bool {
        self.prefix.is_empty() || self.line(back).is_some_and(|line| line.starts_with(&self.prefix) && line != shown)
    }

    fn line(&self, back: usize) -> Option<&String> {
        self.lines.iter().rev().nth(back.checked_sub(1)?)
    }

    fn go_to(&mut self, back: usize, shown: &str) -> String {
        self.drafts.insert(self.back, shown.to_owned());
        self.back = back;
        self.text_at(back).cloned().unwrap_or_default()
    }

    /// Returns the line at this distance with its changes.
    fn text_at(&self, back: usize) -> Option<&String> {
        self.drafts.get(&back).or_else(|| self.line(back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(line: &str) -> Option<String> {
        Some(line.to_owned())
    }

    #[test]
    fn the_lines_come_back_and_the_draft_is_kept() {
        let mut history = History::default();
        assert_eq!((history.older("draft", false), history.newer("draft")), (None, None));
        for line in ["one", "two", "two", " "] {
            history.push(line);
        }
        assert_eq!(history.older("draft", false), some("two"));
        assert_eq!(history.older("two", false), some("one"));
        assert_eq!(history.older("one", false), None);
        assert_eq!(history.newer("one, changed"), some("two"));
        assert_eq!(history.newer("two, changed"), some("draft"));
        assert_eq!(history.newer("draft"), None);
        assert_eq!(history.older("another draft", false), some("two, changed"));
        assert_eq!(history.older("two, changed", false), some("one, changed"));
        history.push("three");
        assert_eq!(history.older("", false), some("three"));
        assert_eq!(history.older("three", false), some("two"));
    }

    #[test]
    fn the_history_is_bounded_and_keeps_the_latest_line() {
        let mut history = History::default();
        for number in 0..=HISTORY_LINES {
            history.push(&number.to_string());
        }
        let mut count = 0;
        while history.older("", false).is_some() {
            count += 1;
        }
        assert_eq!(count, HISTORY_LINES);
        history.push(&"x".repeat(HISTORY_BYTES + 1));
        assert_eq!(history.older("", false).map(|line| line.len()), Some(HISTORY_BYTES + 1));
        assert_eq!(history.older("", false), None);
    }

    #[test]
    fn the_lines_that_begin_like_the_new_one_come_back() {
        let mut history = History::default();
        for line in ["@bob one", "@eve two", "@bob three", "!who", "@bob three"] {
            history.push(line);
        }
        assert_eq!(history.older("@b", true), some("@bob three"));
        assert_eq!(history.older("@bob three", true), some("@bob one"));
        assert_eq!(history.older("@bob one", true), None);
        assert_eq!(history.newer("@bob one"), some("@bob three"));
        assert_eq!(history.newer("@bob three"), some("@b"));
        assert_eq!(history.older("@bx", true), None);
        assert_eq!(history.older("", true), some("@bob three"));
        assert_eq!(history.older("@bob three, changed", true), some("!who"));
        assert_eq!(history.newer("!who"), some("@bob three, changed"));
    }

    #[test]
    fn a_line_that_was_found_and_changed_is_the_new_one() {
        let mut history = History::default();
        for line in ["@bob one", "@carl two"] {
            history.push(line);
        }
        assert_eq!(history.older("@c", true), some("@carl two"));
        assert_eq!(history.older("@b", true), some("@bob one"));
        assert_eq!(history.newer("@bob one"), some("@b"));
        assert_eq!(history.older("@b", true), some("@bob one"));
        assert_eq!(history.newer("@bob one, changed"), None);
        assert_eq!(history.older("@bob one, changed", true), None);
    }

    #[test]
    fn lines_are_found_by_a_text_in_them() {
        let mut history = History::default();
        for line in ["@bob one two", "@eve two", "!who", "@eve two"] {
            history.push(line);
        }
        let search = |text, back, shown| {
            let (back, line) = history.search(text, back, shown)?;
            Some((back, line.text().to_owned(), line.cursor()))
        };
        assert_eq!(search("two", 1, None), Some((1, "@eve two".into(), 5)));
        assert_eq!(search("two", 2, Some("@eve two")), Some((4, "@bob one two".into(), 9)));
        assert_eq!(search("o", 4, None), Some((4, "@bob one two".into(), 11)));
        assert_eq!(search("x", 1, None), None);
        history.go_to_found(3, "draft");
        assert_eq!(history.older("@eve two", true), some("@bob one two"));
    }
}
