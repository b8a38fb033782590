//! The line editor: keys in, edits and whole lines out.
//!
//! The effect of a key depends on the keys before it alone: the editor knows no terminal, stream or clock.

mod completion;
mod history;
mod keys;
mod line_buffer;
mod search;

use std::mem;
use std::ops::Range;

pub(crate) use self::completion::{Candidates, Completion};
use self::history::History;
pub(crate) use self::keys::{Decoder, INTERRUPT, Key, Outcome};
use self::line_buffer::{LineBuffer, is_separator};
use self::search::{Search, Step};
use crate::client::messages;
use crate::limits::PASTED_LINES;

/// What types the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A program that sends whole lines: keys for editing alone do nothing.
    #[default]
    Script,
    /// A user at a keyboard.
    Keyboard,
}

/// The line being typed, which may hold several pasted lines.
#[derive(Debug, Default)]
pub(crate) struct Editor {
    buffer: LineBuffer,
    history: History,
    /// The text that Ctrl-Y inserts: what the last keys in a row have deleted.
    killed: String,
    /// The last key has deleted text.
    is_killing: bool,
    /// What Tab goes through, while it is pressed repeatedly.
    cycle: Option<Candidates>,
    /// The last paste, until another key is pressed.
    paste: Option<Paste>,
    search: Option<Search>,
    mode: Mode,
}

#[derive(Debug)]
struct Paste {
    /// The line before the paste.
    before: LineBuffer,
    /// What is shown while the user is asked whether to send many lines.
    question: Option<String>,
}

impl Editor {
    /// Returns the line being typed, or the one that a search has found.
    pub(crate) fn text(&self) -> &str {
        self.shown().text()
    }

    pub(crate) fn cursor(&self) -> usize {
        self.shown().cursor()
    }

    /// Returns the prompt of a search in progress.
    pub(crate) fn search_prompt(&self) -> Option<&str> {
        self.search.as_ref().map(|search| search.prompt.as_str())
    }

    /// Returns the pasted lines with a question below them, while the user is asked whether to send them.
    pub(crate) fn question(&self) -> Option<&str> {
        self.paste.as_ref()?.question.as_deref()
    }

    pub(crate) fn clear(&mut self) {
        (self.search, self.paste) = (None, None);
        self.buffer = LineBuffer::default();
    }

    pub(crate) fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// Returns whether this key begins to complete a name.
    pub(crate) fn begins_name(&self, key: &Key) -> bool {
        let is_command = self.text().starts_with(['!', '/']) && !self.buffer.before().contains(char::is_whitespace);
        let is_editing = self.search.is_none() && self.question().is_none();
        let is_tab = matches!(key, Key::Tab | Key::BackTab);
        is_tab && self.mode == Mode::Keyboard && is_editing && self.cycle.is_none() && !is_command
    }

    pub(crate) fn add_history_entry(&mut self, line: &str) {
        self.history.push(line);
    }

    /// Puts a submitted line back, with the cursor at its end, unless another line is being typed.
    pub(crate) fn give_back(&mut self, line: &str) {
        if self.buffer.is_empty() {
            self.buffer = LineBuffer::new(line.to_owned());
        }
    }

    pub(crate) fn handle_key(&mut self, key: Key, completion: &Completion) -> Option<Outcome> {
        let keyboard_only = matches!(key, Key::BackTab | Key::KillWordRight | Key::Yank | Key::Search | Key::Interrupt);
        if self.mode == Mode::Script && keyboard_only {
            return (key == Key::Interrupt).then_some(Outcome::Interrupt);
        }
        if self.question().is_some() {
            match key {
                Key::Paste(_) | Key::Enter | Key::Interrupt | Key::Clear => {}
                _ if key == Key::Escape || key == Key::Text(String::from("n")) => {
                    return self.handle_key(Key::Interrupt, completion).and(None);
                }
                _ => return Some(Outcome::Bell),
            }
        }
        match self.search.take() {
            Some(_) if key == Key::Interrupt => {
                self.buffer = LineBuffer::default();
                return Some(Outcome::Cleared);
            }
            Some(mut search) => match search.handle_key(&key, &self.history) {
                Step::Stay(outcome) => {
                    self.search = Some(search);
                    return outcome;
                }
                Step::Cancel => return None,
                Step::Accept => {
                    if let Some((back, line)) = search.found {
                        self.history.go_to_found(back, self.buffer.text());
                        self.buffer = line;
                    }
                }
            },
            None if key == Key::Search => {
                self.search = Some(Search::new());
                return None;
            }
            None => {}
        }
        let cycle = self.cycle.take();
        let was_killing = mem::take(&mut self.is_killing);
        let paste = self.paste.take();
        match key {
            Key::Text(text) => self.insert(&text),
            Key::Paste(text) => self.insert_pasted(&text, paste),
            Key::Enter => Some(self.submit()),
            Key::Tab if self.mode == Mode::Script => self.insert("\t"),
            Key::Tab | Key::BackTab => self.complete(cycle, key == Key::Tab, completion),
            Key::Interrupt => self.interrupt(paste),
            Key::EndOfInput if self.buffer.is_empty() => Some(Outcome::End),
            Key::Clear => {
                self.paste = paste;
                Some(Outcome::Clear)
            }
            Key::Up => self.recall_older(),
            Key::Down => self.recall_newer(),
            Key::Yank => (!self.buffer.insert(&self.killed)).then_some(Outcome::Bell),
            key => {
                self.edit(&key, was_killing);
                None
            }
        }
    }

    /// Applies a key that moves the cursor or deletes text.
    fn edit(&mut self, key: &Key, was_killing: bool) {
        let buffer = &mut self.buffer;
        let cursor = buffer.cursor();
        match key {
            Key::Left => buffer.move_to(buffer.previous()),
            Key::Right => buffer.move_to(buffer.next()),
            Key::WordLeft => buffer.move_to(buffer.word_before(is_separator)),
            Key::WordRight => buffer.move_to(buffer.word_after(is_separator)),
            Key::Home => buffer.move_to(buffer.line_start()),
            Key::End => buffer.move_to(buffer.line_end()),
            Key::Backspace => drop(buffer.remove(buffer.previous()..cursor)),
            Key::Delete | Key::EndOfInput => drop(buffer.remove(cursor..buffer.next())),
            Key::KillWord => self.kill(self.buffer.word_before(char::is_whitespace)..cursor, was_killing),
            Key::KillWordLeft => self.kill(self.buffer.word_before(is_separator)..cursor, was_killing),
            Key::KillWordRight => self.kill(cursor..self.buffer.word_after(is_separator), was_killing),
            Key::KillToStart => self.kill(self.buffer.line_start()..cursor, was_killing),
            Key::KillToEnd => self.kill(cursor..self.buffer.line_end(), was_killing),
            _ => {}
        }
        if self.buffer.is_empty() {
            self.history.begin_new_line();
        }
    }

    fn shown(&self) -> &LineBuffer {
        self.search.as_ref().and_then(Search::line).unwrap_or(&self.buffer)
    }

    fn insert(&mut self, text: &str) -> Option<Outcome> {
        (!self.buffer.insert(text)).then_some(Outcome::Bell)
    }

    /// Inserts pasted text, which may continue the `last` paste.
    fn insert_pasted(&mut self, text: &str, last: Option<Paste>) -> Option<Outcome> {
        let mut paste = last.unwrap_or_else(|| Paste { before: self.buffer.clone(), question: None });
        let outcome = self.insert(text);
        if self.mode == Mode::Keyboard {
            let text = self.buffer.text();
            let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
            let question = || [text.trim_end_matches('\n'), "\n", &messages::send_lines(lines)].concat();
            paste.question = (lines > PASTED_LINES).then(question);
        }
        self.paste = Some(paste);
        outcome
    }

    /// Ctrl-C: drops the paste in question or the line, or ends the program where there is neither.
    fn interrupt(&mut self, paste: Option<Paste>) -> Option<Outcome> {
        if self.buffer.is_empty() {
            return Some(Outcome::Interrupt);
        }
        self.history.leave();
        self.buffer = match paste {
            Some(Paste { before, question: Some(_) }) => before,
            _ => LineBuffer::default(),
        };
        self.buffer.is_empty().then_some(Outcome::Cleared)
    }

    /// Deletes text, and keeps it for Ctrl-Y, together with what the last key has deleted.
    fn kill(&mut self, range: Range<usize>, was_killing: bool) {
        let is_before_cursor = range.start < self.buffer.cursor();
        let killed = self.buffer.remove(range);
        self.is_killing = true;
        match (was_killing, is_before_cursor) {
            (false, _) if killed.is_empty() => {}
            (false, _) => self.killed = killed,
            (true, true) => self.killed.insert_str(0, &killed),
            (true, false) => self.killed += &killed,
        }
    }

    fn recall_older(&mut self) -> Option<Outcome> {
        let has_prefix = self.mode == Mode::Keyboard;
        let Some(line) = self.history.older(self.buffer.text(), has_prefix) else {
            return (has_prefix && !self.buffer.is_empty()).then_some(Outcome::Bell);
        };
        self.buffer = LineBuffer::new(line);
        None
    }

    fn recall_newer(&mut self) -> Option<Outcome> {
        self.buffer = LineBuffer::new(self.history.newer(self.buffer.text())?);
        None
    }

    fn submit(&mut self) -> Outcome {
        self.history.leave();
        Outcome::Submit(mem::take(&mut self.buffer).text)
    }

    /// Puts the next candidate, or the one before, in the place of the word before the cursor.
    fn complete(&mut self, cycle: Option<Candidates>, forward: bool, completion: &Completion) -> Option<Outcome> {
        let is_first = cycle.is_none();
        let mut candidates = cycle.unwrap_or_else(|| completion.candidates(self.buffer.before()));
        match &mut candidates.words[..] {
            [] => return None,
            words if !forward => words.rotate_right(1),
            words if !is_first => words.rotate_left(1),
            _ => {}
        }
        let is_followed = self.buffer.behind().starts_with(char::is_whitespace);
        let word = [candidates.words[0].as_str(), if is_followed { "" } else { " " }].concat();
        self.buffer.remove(candidates.start..self.buffer.cursor());
        self.cycle = Some(candidates);
        self.insert(&word)
    }
}

#[cfg(test)]
mod tests;
