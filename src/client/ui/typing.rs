//! What a person types: from what the terminal sends to what is to be done about it.

use std::time::Instant;

use super::editor::{Key, Outcome};
use super::screen::InputLine;
use super::{TYPED, Ui};
use crate::client::messages;

/// What keys ask of the rest of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyAction {
    /// To take a line, or several that were pasted, as one text.
    Submit(String),
    /// To take note that a person is there.
    Person,
    /// Ask who is online: the user completes names.
    RefreshNames,
    /// To end, as a signal would.
    Interrupt,
}

impl Ui {
    /// Handles what a terminal has sent, and returns what that asks of others.
    pub(crate) fn handle_keys(&mut self, bytes: &[u8], after_pause: bool, prompt: &str) -> Vec<KeyAction> {
        let mut actions = Vec::new();
        let Some(input) = &mut self.input else { return actions };
        let was_person = input.editor.has_person();
        let keys = input.decode(bytes, after_pause);
        let appears = input.editor.has_person() && !was_person;
        if input.is_pasting || !bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            self.screen.control(input.terminal.enable_bracketed_paste());
        }
        if appears {
            self.note_person();
            actions.push(KeyAction::Person);
        }
        for key in keys {
            if self.input.as_ref().is_some_and(|input| input.editor.begins_name(&key)) {
                actions.push(KeyAction::RefreshNames);
            }
            actions.extend(self.handle_key(key, prompt));
        }
        if let Some(input) = &mut self.input {
            input.update();
        }
        for action in &actions {
            if let KeyAction::Submit(line) = action {
                self.log(TYPED, line);
            }
        }
        actions
    }

    fn handle_key(&mut self, key: Key, prompt: &str) -> Option<KeyAction> {
        let input = self.input.as_mut()?;
        match input.editor.handle_key(key, &input.completion)? {
            Outcome::Submit(text) => {
                match input.terminal.is_editing() {
                    true if self.has_person => {
                        self.screen.erase();
                        self.entered.push_back((prompt.to_owned(), text.clone()));
                    }
                    true => self.screen.commit(InputLine { prompt, text: &text, cursor: text.len() }),
                    false => {}
                }
                return Some(KeyAction::Submit(text));
            }
            Outcome::End => return Some(KeyAction::Submit(String::from("!quit"))),
            Outcome::Interrupt => return Some(KeyAction::Interrupt),
            Outcome::Cleared => self.screen.print(&self.line_style.dim(messages::CTRL_C_AGAIN)),
            Outcome::Clear => self.screen.clear(),
            Outcome::Bell => self.screen.ring(),
        }
        None
    }

    /// Leaves what is half-typed where it is: nothing will become of it.
    pub(crate) fn abandon_line(&mut self, prompt: &str) {
        let Some(input) = &mut self.input else { return };
        input.editor.cancel_search();
        if !input.editor.text().is_empty() {
            self.screen.finish(input.whole_line(prompt));
            input.editor.clear();
        }
    }

    /// Returns when it is known that an ESC was a key of its own, if that is awaited: then it wants to hear of no more bytes.
    pub(crate) fn escape_at(&self) -> Option<Instant> {
        self.input.as_ref()?.escape_at
    }

    /// Adds a typed line to what Up brings back.
    pub(crate) fn add_history_entry(&mut self, line: &str) {
        if let Some(input) = &mut self.input {
            input.editor.add_history_entry(line);
        }
    }

    /// Puts a submitted line back into the editor.
    pub(crate) fn give_back(&mut self, line: &str) {
        if let Some(input) = &mut self.input {
            input.editor.note_missing_beginning(line);
        }
    }
}
