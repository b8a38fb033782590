//! What was typed before, to be brought back and changed.

use std::collections::VecDeque;
use std::mem;

use crate::limits::{HISTORY_BYTES, HISTORY_LINES};

/// The lines that were typed, and which of them is being looked at.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<String>,
    /// How many lines back somebody is looking; at 0 it is the new line.
    back: usize,
    /// The new line, while an older one is being looked at.
    draft: String,
}

impl History {
    /// Adds a line, as the latest one.
    pub(crate) fn push(&mut self, line: &str) {
        self.leave();
        if line.trim().is_empty() || line.len() > HISTORY_BYTES || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == HISTORY_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    /// Goes back to the new line, and forgets what was in it.
    pub(crate) fn leave(&mut self) {
        self.back = 0;
        self.draft.clear();
    }

    /// Returns the line before the one that is shown.
    pub(crate) fn older(&mut self, shown: &str) -> Option<String> {
        let line = self.lines.iter().rev().nth(self.back)?.clone();
        if self.back == 0 {
            shown.clone_into(&mut self.draft);
        }
        self.back += 1;
        Some(line)
    }

    /// Returns the line after the one that is shown; the new one after the last.
    pub(crate) fn newer(&mut self) -> Option<String> {
        self.back = self.back.checked_sub(1)?;
        match self.back.checked_sub(1) {
            Some(back) => self.lines.iter().rev().nth(back).cloned(),
            None => Some(mem::take(&mut self.draft)),
        }
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
        assert_eq!((history.older("draft"), history.newer()), (None, None));
        for line in ["one", "two", "two", " "] {
            history.push(line);
        }
        assert_eq!(history.older("draft"), some("two"));
        assert_eq!(history.older("two"), some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer(), some("two"));
        assert_eq!(history.newer(), some("draft"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn it_is_bounded() {
        let mut history = History::default();
        history.push(&"x".repeat(HISTORY_BYTES + 1));
        assert_eq!(history.older(""), None);
        for number in 0..=HISTORY_LINES {
            history.push(&number.to_string());
        }
        let mut count = 0;
        while history.older("").is_some() {
            count += 1;
        }
        assert_eq!(count, HISTORY_LINES);
    }
}
