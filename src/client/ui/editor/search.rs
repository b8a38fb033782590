//! Ctrl-R: finds an earlier line by a text in it, while that text is typed.

use super::history::History;
use super::keys::{Key, Outcome};
use super::line_buffer::LineBuffer;
use crate::client::messages;
use crate::client::ui::unicode::previous_boundary;
use crate::limits::EDITED_BYTES;

#[derive(Debug)]
pub(super) struct Search {
    /// The text to find.
    text: String,
    /// The line that was found, and how many lines back it is.
    pub(super) found: Option<(usize, LineBuffer)>,
    has_failed: bool,
    pub(super) prompt: String,
}

/// What follows from a key.
#[derive(Debug)]
pub(super) enum Step {
    /// The search goes on.
    Stay(Option<Outcome>),
    /// The search ends, and the line is what it was before.
    Cancel,
    /// The search ends, and the key applies to the line that was found.
    Accept,
}

impl Search {
    pub(super) fn new() -> Self {
        Self { text: String::new(), found: None, has_failed: false, prompt: messages::searching("", false) }
    }

    pub(super) fn line(&self) -> Option<&LineBuffer> {
        self.found.as_ref().map(|(_, line)| line)
    }

    pub(super) fn handle_key(&mut self, key: &Key, history: &History) -> Step {
        Step::Stay(match key {
            Key::Text(text) | Key::Paste(text) if !text.contains('\n') => {
                if self.text.len() + text.len() > EDITED_BYTES {
                    return Step::Stay(Some(Outcome::Bell));
                }
                self.text += text;
                self.find(0, history)
            }
            Key::Backspace => {
                self.text.truncate(previous_boundary(&self.text, self.text.len()));
                self.found = None;
                self.find(0, history)
            }
            Key::Search => self.find(1, history),
            // The line that is shown is not the one that the text asks for.
            Key::Enter if self.has_failed && !self.line().is_some_and(|line| line.text().contains(&self.text)) => {
                Some(Outcome::Bell)
            }
            Key::Abort | Key::Escape => return Step::Cancel,
            _ => return Step::Accept,
        })
    }

    /// Looks for the text from so many lines behind the one that was found, which stays if there is no other.
    fn find(&mut self, further: usize, history: &History) -> Option<Outcome> {
        let back = self.found.as_ref().map_or(0, |(back, _)| *back);
        let shown = self.line().map(LineBuffer::text).filter(|_| further > 0);
        let found = history.search(&self.text, back + further, shown).filter(|_| !self.text.is_empty());
        self.has_failed = found.is_none() && !self.text.is_empty();
        self.found = found.or(self.found.take());
        self.prompt = messages::searching(&self.text, self.has_failed);
        self.has_failed.then_some(Outcome::Bell)
    }
}
