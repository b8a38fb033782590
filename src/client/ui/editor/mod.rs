//! The line editor: keys in, edits and whole lines out.
//!
//! It knows the text, the cursor and what was typed before, and nothing of terminals, streams or clocks: what a key does
//! is a function of what was pressed before it.

mod completion;
mod history;
mod keys;

use std::mem;

pub(crate) use self::completion::{Candidates, Completion};
use self::history::History;
pub(crate) use self::keys::{Decoder, Key};
use super::unicode::{next_boundary, previous_boundary};
use crate::limits::EDITED_BYTES;

/// A line being typed; it may hold several pasted ones.
#[derive(Debug, Default)]
pub(crate) struct Editor {
    text: String,
    /// Where the next character goes: bytes from the start.
    cursor: usize,
    history: History,
    /// What was put in last did not fit.
    full: bool,
    /// What the last key, a Tab, has gone to.
    cycle: Option<Cycle>,
    /// A person is there, and not a program that types whole lines.
    has_person: bool,
}

/// The candidates that Tab goes through.
#[derive(Debug)]
struct Cycle {
    candidates: Candidates,
    /// Which of them is in the text, up to the cursor.
    current: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// What a key has brought about that is more than a change of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The line is done; the editor is empty again. Pasted lines come as one text.
    Submit(String),
    /// There will be no more lines.
    End,
    /// The screen is to be cleared.
    Clear,
    /// Somebody has begun to complete a word, and more may be known of the names next time.
    Completing,
    /// The line is as long as lines get.
    Full,
}

impl Editor {
    /// Returns what is being typed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns where the cursor is: bytes from the start of the text.
    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Gives up the line being typed.
    pub(crate) fn clear(&mut self) {
        self.cursor = 0;
        self.text.clear();
    }

    /// Takes note that a person is there: from now on keys do what a program that types whole lines does not expect.
    pub(crate) fn note_person(&mut self) {
        self.has_person = true;
    }

    /// Adds a line to what Up brings back.
    pub(crate) fn add_history_entry(&mut self, line: &str) {
        self.history.push(line);
    }

    /// Applies a key to the line.
    pub(crate) fn handle_key(&mut self, key: Key, completion: &Completion) -> Option<Outcome> {
        let cycle = self.cycle.take();
        let was_full = mem::take(&mut self.full);
        match key {
            // The rest of a paste whose beginning did not fit.
            Key::Text(_) if was_full => {
                self.full = true;
                return None;
            }
            Key::Text(text) => return self.insert(&text),
            Key::Enter => return Some(self.submit()),
            Key::Tab => return self.complete(cycle, Direction::Forward, completion),
            Key::BackTab => return self.complete(cycle, Direction::Backward, completion),
            Key::EndOfInput if self.text.is_empty() => return Some(Outcome::End),
            Key::Clear => return Some(Outcome::Clear),
            Key::Backspace => self.remove(previous_boundary(&self.text, self.cursor), self.cursor),
            Key::Delete | Key::EndOfInput => self.remove(self.cursor, next_boundary(&self.text, self.cursor)),
            Key::KillWord => self.remove(self.word_before(char::is_whitespace), self.cursor),
            Key::KillToStart => self.remove(self.line_start(), self.cursor),
            Key::KillToEnd => self.remove(self.cursor, self.line_end()),
            Key::Left => self.cursor = previous_boundary(&self.text, self.cursor),
            Key::Right => self.cursor = next_boundary(&self.text, self.cursor),
            Key::WordLeft => self.cursor = self.word_before(is_separator),
            Key::WordRight => self.cursor = self.word_after(is_separator),
            Key::Home => self.cursor = self.line_start(),
            Key::End => self.cursor = self.line_end(),
            Key::Up => {
                if let Some(line) = self.history.older(&self.text) {
                    self.replace(line);
                }
            }
            Key::Down => {
                if let Some(line) = self.history.newer(&self.text) {
                    self.replace(line);
                }
            }
        }
        None
    }

    fn insert(&mut self, text: &str) -> Option<Outcome> {
        let room = EDITED_BYTES.saturating_sub(self.text.len());
        let fits = (0..=text.len().min(room)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.text.insert_str(self.cursor, &text[..fits]);
        self.cursor += fits;
        self.full = fits < text.len();
        self.full.then_some(Outcome::Full)
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.drain(from..to);
        self.cursor = from;
    }

    fn replace(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    fn submit(&mut self) -> Outcome {
        self.cursor = 0;
        self.history.leave();
        Outcome::Submit(mem::take(&mut self.text))
    }

    /// Tab and Shift-Tab: go through what the word before the cursor can become.
    fn complete(&mut self, cycle: Option<Cycle>, direction: Direction, completion: &Completion) -> Option<Outcome> {
        let is_new = cycle.is_none();
        let cycle = match cycle {
            Some(cycle) => cycle.step(direction),
            None => Cycle::new(self.candidates(completion)?, direction),
        };
        let outcome = cycle.word().and_then(|word| {
            let followed = self.text[self.cursor..].starts_with(char::is_whitespace);
            let word = if followed { word.to_owned() } else { format!("{word} ") };
            self.remove(cycle.candidates.start, self.cursor);
            self.insert(&word)
        });
        if cycle.word().is_some() {
            self.cycle = Some(cycle);
        }
        outcome.or(is_new.then_some(Outcome::Completing))
    }

    /// Returns what Tab goes through here. Whoever types whole lines gets only what is beyond doubt.
    fn candidates(&self, completion: &Completion) -> Option<Candidates> {
        let before = &self.text[..self.cursor];
        let candidates = completion.candidates(before);
        let is_beyond_doubt = candidates.words.len() == 1 && before[candidates.start..].starts_with(['@', '!', '/']);
        (self.has_person || is_beyond_doubt).then_some(candidates)
    }

    /// Returns where the pasted line that the cursor is in begins.
    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    /// Returns where it ends.
    fn line_end(&self) -> usize {
        self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    /// Returns where the word before the cursor begins.
    fn word_before(&self, separates: impl Fn(char) -> bool) -> usize {
        let before = &self.text[..self.cursor];
        let word_end = before.trim_end_matches(&separates).len();
        start_of_last_word(&before[..word_end], separates)
    }

    /// Returns where the word behind the cursor ends.
    fn word_after(&self, separates: impl Fn(char) -> bool) -> usize {
        let behind = &self.text[self.cursor..];
        let word = behind.trim_start_matches(&separates);
        let start = self.text.len() - word.len();
        word.find(separates).map_or(self.text.len(), |at| start + at)
    }
}

impl Cycle {
    fn new(candidates: Candidates, direction: Direction) -> Self {
        let current = if direction == Direction::Forward { 0 } else { candidates.words.len().saturating_sub(1) };
        Self { candidates, current }
    }

    fn step(mut self, direction: Direction) -> Self {
        let count = self.candidates.words.len();
        let step = if direction == Direction::Forward { 1 } else { count - 1 };
        self.current = (self.current + step) % count;
        self
    }

    fn word(&self) -> Option<&str> {
        self.candidates.words.get(self.current).map(String::as_str)
    }
}

/// Returns where what is behind the last separator begins.
fn start_of_last_word(text: &str, separates: impl Fn(char) -> bool) -> usize {
    text.char_indices().rev().find(|(_, c)| separates(*c)).map_or(0, |(at, c)| at + c.len_utf8())
}

/// What is between the words that one moves over.
fn is_separator(c: char) -> bool {
    !c.is_alphanumeric() && c != '_'
}

#[cfg(test)]
mod tests;
