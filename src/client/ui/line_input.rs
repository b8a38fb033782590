//! The line being typed on a terminal: from what the terminal sends to keys, and from the editor to what is shown.

use std::time::Instant;

use super::editor::{Completion, Decoder, Editor, INTERRUPT, Key};
use super::screen::InputLine;
use super::terminal::Terminal;
use super::unicode::next_boundary;
use crate::client::session::Protocol;
use crate::limits::ESCAPE_TIMEOUT;

/// What a terminal puts before what is pasted.
const PASTE_BEGINS: &[u8] = b"\x1b[200~";

/// The line being typed, and what it takes.
#[derive(Debug)]
pub(super) struct LineInput {
    pub(super) terminal: Terminal,
    decoder: Decoder,
    pub(super) editor: Editor,
    pub(super) completion: Completion,
    /// What comes is pasted, up to a pause, by a terminal that has not been asked for brackets.
    pub(super) is_pasting: bool,
    /// What is pasted, and below it the question whether to send it.
    question: Option<String>,
    /// When an ESC that was pressed is known to be a key of its own, while somebody searches and it ends that.
    pub(super) escape_at: Option<Instant>,
}

impl LineInput {
    /// Creates an empty line on a terminal, for what can be typed in this protocol.
    pub(super) fn new(terminal: Terminal, protocol: &Protocol) -> Self {
        Self {
            terminal,
            decoder: Decoder::default(),
            editor: Editor::default(),
            completion: Completion::for_protocol(protocol),
            is_pasting: false,
            question: None,
            escape_at: None,
        }
    }

    /// Returns the keys in what a terminal has sent. Where it puts no brackets around what is pasted yet, several lines at once
    /// are a paste: only a terminal ends lines with CR alone, and nobody presses Enter so fast. A program that types whole
    /// lines ends them with LF, or with both.
    pub(super) fn decode(&mut self, bytes: &[u8], after_pause: bool) -> Vec<Key> {
        if bytes.windows(PASTE_BEGINS.len()).any(|part| part == PASTE_BEGINS) {
            self.terminal.note_brackets();
        }
        let line_end = bytes.iter().position(|byte| *byte == b'\r');
        let has_others = bytes.iter().any(|byte| matches!(*byte, b'\n' | INTERRUPT));
        let are_lines = line_end.is_some_and(|at| at + 1 < bytes.len()) && !has_others;
        self.is_pasting = (self.is_pasting && !after_pause) || (are_lines && self.terminal.pastes_without_brackets());
        if self.is_pasting {
            return self.decoder.decode_pasted(bytes);
        }
        let keys = self.decoder.decode(bytes, after_pause);
        // Behind no pause it may be the rest of a line that is longer than one read.
        if is_single_key(&keys) && (after_pause || self.editor.text().is_empty()) {
            self.editor.note_person();
        }
        keys
    }

    /// Takes note of what the keys have made of it.
    pub(super) fn update(&mut self) {
        let text = self.editor.text();
        self.question = self.editor.question().map(|question| format!("{}\n{question}", text.trim_end_matches('\n')));
        let heeds_escape = self.editor.search_prompt().is_some() || self.question.is_some();
        let awaits_escape = heeds_escape && self.decoder.is_behind_escape();
        self.escape_at = awaits_escape.then(|| Instant::now() + ESCAPE_TIMEOUT);
    }

    /// Returns what is to be shown of it.
    pub(super) fn line<'a>(&'a self, prompt: &'a str) -> InputLine<'a> {
        let mut line = self.whole_line(self.editor.search_prompt().unwrap_or(prompt));
        if let Some(text) = self.question.as_deref().filter(|_| self.terminal.is_editing()) {
            (line.text, line.cursor) = (text, text.len());
        }
        line
    }

    /// Returns what there is of it: nothing while the terminal is somebody else's, and while it shows what is typed itself.
    pub(super) fn whole_line<'a>(&'a self, prompt: &'a str) -> InputLine<'a> {
        if self.terminal.is_editing() {
            InputLine { prompt, text: self.editor.text(), cursor: self.editor.cursor() }
        } else {
            InputLine::default()
        }
    }
}

/// Returns whether somebody has pressed one key, and not Enter, as nobody does who sends whole lines. Those by which one
/// leaves are what a program sends as well.
fn is_single_key(keys: &[Key]) -> bool {
    let keys = if let [Key::Escape, keys @ ..] = keys { keys } else { keys };
    match keys {
        [] | [Key::Enter | Key::Paste(_) | Key::EndOfInput | Key::Interrupt] => false,
        [Key::Text(text)] => next_boundary(text, 0) == text.len(),
        [_] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_in_a_read_is_a_person_s_and_whole_lines_are_not() {
        let is_person = |bytes: &str| is_single_key(&Decoder::default().decode(bytes.as_bytes(), false));
        for key in ["a", "é", "e\u{301}", "👩\u{200d}🚀", "\t", "\x7f", "\x12", "\x1b[A", "\x1b[Z", "\x1bb"] {
            assert!(is_person(key), "{key:?}");
        }
        for other in
            ["", "\x03", "\x04", "\n", "\r", "ab", "a\n", "@bob hi\n", "\x1b", "\x1b[200~a\x1b[201~", "\x1b[A\n"]
        {
            assert!(!is_person(other), "{other:?}");
        }
    }
}
