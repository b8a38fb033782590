//! Ctrl-R: finds a line that was typed before by what is in it, while that is being typed.

use std::mem;
use std::ops::ControlFlow;

use super::history::Found;
use super::keys::Key;
use super::line_buffer::LineBuffer;
use super::{Editor, Outcome};
use crate::client::messages;
use crate::client::ui::unicode::previous_boundary;
use crate::limits::EDITED_BYTES;

/// A search that goes on.
#[derive(Debug)]
pub(super) struct Search {
    /// What is searched for.
    text: String,
    /// How many lines back the line is that was found; 0 before one was.
    back: usize,
    has_failed: bool,
    /// The line as it was before the search.
    before: LineBuffer,
    /// What stands before the line that was found.
    prompt: String,
}

/// Where to search, from the line that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seek {
    Here,
    Older,
    Newer,
}

impl Search {
    fn new(before: LineBuffer) -> Self {
        Self { text: String::new(), back: 0, has_failed: false, before, prompt: messages::searching("", false) }
    }

    pub(super) fn prompt(&self) -> &str {
        &self.prompt
    }
}

impl Editor {
    /// Applies a key that begins a search or belongs to one. Hands back any other: it ends the search, and applies to the line
    /// that was found.
    pub(super) fn handle_search_key(&mut self, key: Key) -> ControlFlow<Option<Outcome>, Key> {
        let Some(mut search) = self.search.take() else {
            if key != Key::Search {
                return ControlFlow::Continue(key);
            }
            self.search = Some(Search::new(self.buffer.clone()));
            return ControlFlow::Break(None);
        };
        let outcome = match key {
            Key::Text(text) | Key::Paste(text) if !text.contains('\n') => {
                let fits = search.text.len() + text.len() <= EDITED_BYTES;
                if fits {
                    search.text += &text;
                }
                (!fits || !self.find(&mut search, Seek::Here)).then_some(Outcome::Bell)
            }
            Key::Backspace => {
                search.text.truncate(previous_boundary(&search.text, search.text.len()));
                search.back = 0;
                self.find(&mut search, Seek::Here);
                None
            }
            Key::Search => {
                if search.text.is_empty() {
                    search.text.clone_from(&self.last_search);
                }
                (!self.find(&mut search, Seek::Older)).then_some(Outcome::Bell)
            }
            Key::SearchNewer => (!self.find(&mut search, Seek::Newer)).then_some(Outcome::Bell),
            // Nobody wants to send what was not searched for.
            Key::Enter if search.back == 0 && search.has_failed => Some(Outcome::Bell),
            Key::Enter if !self.text().contains(&search.text) => Some(Outcome::Bell),
            Key::Abort | Key::Escape => {
                self.buffer = search.before;
                return ControlFlow::Break(None);
            }
            Key::Interrupt => {
                self.buffer = LineBuffer::default();
                return ControlFlow::Break(Some(Outcome::Cleared));
            }
            key => {
                self.end_search(search);
                return ControlFlow::Continue(key);
            }
        };
        self.search = Some(search);
        ControlFlow::Break(outcome)
    }

    /// Shows a line that has the text in it. Returns whether there is one; else what was found last stays.
    fn find(&mut self, search: &mut Search, seek: Seek) -> bool {
        let Search { text, back, .. } = search;
        let shown = (*back > 0).then_some(self.buffer.text());
        let found = match seek {
            _ if text.is_empty() => None,
            Seek::Here => self.history.search(text, *back, None),
            Seek::Older => self.history.search(text, *back + 1, shown),
            Seek::Newer => self.history.search_newer(text, *back, shown),
        };
        search.has_failed = found.is_none() && !text.is_empty();
        if let Some(Found { back, line, at }) = found {
            search.back = back;
            self.buffer = LineBuffer::new(line);
            self.buffer.move_to(at);
        } else if text.is_empty() {
            search.back = 0;
            self.buffer = search.before.clone();
        }
        search.prompt = messages::searching(&search.text, search.has_failed);
        !search.has_failed
    }

    /// Takes the line that was found.
    fn end_search(&mut self, search: Search) {
        if search.back > 0 {
            self.history.go_to_found(search.back, search.before.text());
        }
        if !search.text.is_empty() {
            self.last_search = search.text;
        }
    }

    /// Gives a search up, if there is one.
    pub(crate) fn cancel_search(&mut self) {
        if let Some(search) = mem::take(&mut self.search) {
            self.buffer = search.before;
        }
    }
}
