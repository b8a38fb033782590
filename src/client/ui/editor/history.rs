//! What was typed before, to be brought back and changed.

use std::collections::{BTreeMap, VecDeque};

use crate::limits::{HISTORY_BYTES, HISTORY_LINES};

/// The lines that were typed, and which of them is being looked at.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<String>,
    /// Bytes of all lines.
    bytes: usize,
    /// How many lines back somebody is looking; at 0 it is the new line.
    back: usize,
    /// What those that were looked at have been changed to, the new line included, by how far back they are.
    drafts: BTreeMap<usize, String>,
}

impl History {
    /// Adds a line, as the latest one.
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

    /// Goes back to the new line, and forgets what was in it and what the others were changed to.
    pub(crate) fn leave(&mut self) {
        self.back = 0;
        self.drafts.clear();
    }

    /// Returns the line before the one that is shown.
    pub(crate) fn older(&mut self, shown: &str) -> Option<String> {
        (self.back < self.lines.len()).then(|| self.go_to(self.back + 1, shown))
    }

    /// Returns the line after the one that is shown; the new one after the last.
    pub(crate) fn newer(&mut self, shown: &str) -> Option<String> {
        self.back.checked_sub(1).map(|back| self.go_to(back, shown))
    }

    fn go_to(&mut self, back: usize, shown: &str) -> String {
        self.drafts.insert(self.back, shown.to_owned());
        self.back = back;
        let line = self.drafts.get(&back).or_else(|| self.lines.iter().rev().nth(back.checked_sub(1)?));
        line.cloned().unwrap_or_default()
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
        assert_eq!((history.older("draft"), history.newer("draft")), (None, None));
        for line in ["one", "two", "two", " "] {
            history.push(line);
        }
        assert_eq!(history.older("draft"), some("two"));
        assert_eq!(history.older("two"), some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer("one, changed"), some("two"));
        assert_eq!(history.newer("two, changed"), some("draft"));
        assert_eq!(history.newer("draft"), None);
        assert_eq!(history.older("another draft"), some("two, changed"));
        assert_eq!(history.older("two, changed"), some("one, changed"));
        history.push("three");
        assert_eq!(history.older(""), some("three"));
        assert_eq!(history.older("three"), some("two"));
    }

    #[test]
    fn it_is_bounded_and_keeps_the_latest_line_however_long_it_is() {
        let mut history = History::default();
        for number in 0..=HISTORY_LINES {
            history.push(&number.to_string());
        }
        let mut count = 0;
        while history.older("").is_some() {
            count += 1;
        }
        assert_eq!(count, HISTORY_LINES);
        history.push(&"x".repeat(HISTORY_BYTES + 1));
        assert_eq!(history.older("").map(|line| line.len()), Some(HISTORY_BYTES + 1));
        assert_eq!(history.older(""), None);
    }
}
