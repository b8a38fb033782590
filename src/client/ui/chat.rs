//! The chat as it is shown: plainly, or as a person likes it once one is there.

use std::io::{self, IsTerminal};
use std::ops::Range;
use std::time::SystemTime;

use super::options::Bell;
use super::screen::{InputLine, Wrapping};
use super::{Ui, style};
use crate::protocol::{Scope, sanitize};

impl Ui {
    /// Takes note that a person is there: from now on lines look as people like them.
    pub(super) fn note_person(&mut self) {
        self.has_person = true;
        self.line_style.colored |= self.may_color;
        self.wrap_lines();
    }

    /// Returns whether a person is there.
    pub(crate) fn has_person(&self) -> bool {
        self.has_person
    }

    fn wrap_lines(&mut self) {
        let wraps = self.has_person && self.input.as_ref().is_some_and(|input| input.terminal.has_size());
        self.screen.wrap_lines(match wraps {
            false => Wrapping::Nothing,
            true if io::stderr().is_terminal() => Wrapping::Everything,
            true => Wrapping::Chat,
        });
    }

    /// Shows a line of the chat, or several.
    pub(crate) fn print(&mut self, text: &str) {
        self.log("", text);
        self.screen.print(&self.line_style.line(text, SystemTime::now()));
    }

    /// Shows somebody's message to whoever is called `me`; the name of who sent it stands there in the line.
    pub(crate) fn print_message(&mut self, line: &str, sender: Range<usize>, scope: Scope, me: &str) {
        if let Some(input) = &mut self.input {
            input.completion.note_message(&line[sender.clone()], scope == Scope::Direct);
        }
        self.log("", line);
        self.screen.print(&self.line_style.message(line, sender.clone(), me, SystemTime::now()));
        let rings = match self.bell {
            Bell::Off => false,
            Bell::Personal => scope == Scope::Direct || style::find_name(&line[sender.end..], me).is_some(),
            Bell::All => true,
        };
        if rings {
            self.screen.ring();
        }
    }

    /// Takes note of a message of one's own, and shows it, where what was entered is not shown as it was typed.
    pub(crate) fn print_sent(&mut self, from: &str, to: Option<&str>, text: &str) {
        if let (Some(input), Some(to)) = (&mut self.input, to) {
            input.completion.note_sent(to);
        }
        if self.has_person {
            let to = to.map(|to| sanitize(to.as_bytes()));
            let text = sanitize(text.as_bytes());
            self.screen.print(&self.line_style.sent(from, to.as_deref(), &text, SystemTime::now()));
        }
    }

    /// Returns whether this was entered, and is not shown yet.
    pub(crate) fn has_entered(&self, line: &str) -> bool {
        self.entered.front().is_some_and(|(_, text)| text == line)
    }

    /// Shows what was entered as it was typed, unless it has become a message.
    pub(crate) fn settle_entered(&mut self, is_message: bool) {
        if let Some((prompt, text)) = self.entered.pop_front().filter(|_| !is_message) {
            self.screen.commit(InputLine { prompt: &prompt, text: &text, cursor: text.len() });
        }
    }
}
