//! What a line was before each change, for Ctrl-_.

use std::collections::VecDeque;

use super::line_buffer::LineBuffer;
use crate::limits::UNDO_BYTES;

/// The states of a line before its changes.
#[derive(Debug, Default)]
pub(super) struct Undo {
    states: VecDeque<LineBuffer>,
    /// Bytes of all states.
    bytes: usize,
    /// The change that was made last, if the next one of its kind belongs to it.
    last: Option<Change>,
}

/// What a key does to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Puts characters in that were typed; those of a word belong together.
    Typing { begins_word: bool },
    /// Puts characters in that were pasted.
    Pasting,
    /// Takes a character out.
    Deleting,
    /// Does something that is undone by itself.
    Other,
}

impl Undo {
    /// Keeps the state before a change, unless that change goes on with the last one.
    pub(super) fn save(&mut self, before: &LineBuffer, change: Change) {
        let goes_on = match (self.last.replace(change), change) {
            (Some(Change::Typing { .. }), Change::Typing { begins_word }) => !begins_word,
            (Some(Change::Pasting), Change::Pasting) | (Some(Change::Deleting), Change::Deleting) => true,
            _ => false,
        };
        if goes_on || self.states.back().is_some_and(|state| state.text() == before.text()) {
            return;
        }
        self.states.push_back(before.clone());
        self.bytes += before.text().len();
        while self.bytes > UNDO_BYTES && self.states.len() > 1 {
            self.bytes -= self.states.pop_front().map_or(0, |state| state.text().len());
        }
    }

    /// Takes note that something else was done than to change the line.
    pub(super) fn end_run(&mut self) {
        self.last = None;
    }

    /// Returns what the line was before the last change that has not been undone.
    pub(super) fn undo(&mut self, now: &LineBuffer) -> Option<LineBuffer> {
        loop {
            let state = self.states.pop_back()?;
            self.bytes -= state.text().len();
            if state.text() != now.text() {
                return Some(state);
            }
        }
    }
}
