//! A text with a cursor, which may have several lines.

use std::ops::Range;

use crate::client::ui::unicode::{next_boundary, previous_boundary};
use crate::limits::EDITED_BYTES;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LineBuffer {
    pub(super) text: String,
    /// In bytes, between two characters.
    cursor: usize,
}

impl LineBuffer {
    /// Creates a line with the cursor at its end.
    pub(super) fn new(text: String) -> Self {
        Self { cursor: text.len(), text }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(super) fn move_to(&mut self, cursor: usize) {
        self.cursor = cursor;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    pub(super) fn behind(&self) -> &str {
        &self.text[self.cursor..]
    }

    /// Inserts as much text as fits before the cursor, and returns whether that is all.
    pub(super) fn insert(&mut self, text: &str) -> bool {
        let room = EDITED_BYTES.saturating_sub(self.text.len());
        let fits = (0..=text.len().min(room)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.text.insert_str(self.cursor, &text[..fits]);
        self.cursor += fits;
        fits == text.len()
    }

    /// Removes text, and puts the cursor there.
    pub(super) fn remove(&mut self, range: Range<usize>) -> String {
        self.cursor = range.start;
        self.text.drain(range).collect()
    }

    /// Returns where the character before the cursor begins.
    pub(super) fn previous(&self) -> usize {
        previous_boundary(&self.text, self.cursor)
    }

    /// Returns where the character behind the cursor ends.
    pub(super) fn next(&self) -> usize {
        next_boundary(&self.text, self.cursor)
    }

    pub(super) fn line_start(&self) -> usize {
        self.before().rfind('\n').map_or(0, |at| at + 1)
    }

    pub(super) fn line_end(&self) -> usize {
        self.behind().find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    /// Returns where the word before the cursor begins.
    pub(super) fn word_before(&self, separates: impl Fn(char) -> bool) -> usize {
        let word_end = self.before().trim_end_matches(&separates).len();
        let before = &self.text[..word_end];
        before.char_indices().rev().find(|(_, c)| separates(*c)).map_or(0, |(at, c)| at + c.len_utf8())
    }

    /// Returns where the word behind the cursor ends.
    pub(super) fn word_after(&self, separates: impl Fn(char) -> bool) -> usize {
        let word = self.behind().trim_start_matches(&separates);
        let start = self.text.len() - word.len();
        word.find(separates).map_or(self.text.len(), |at| start + at)
    }
}

pub(super) fn is_separator(c: char) -> bool {
    !c.is_alphanumeric() && c != '_'
}
