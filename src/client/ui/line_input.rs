//! The line being typed on a terminal: bytes to keys, and the editor's line to the screen.

use std::time::Instant;

use super::editor::{Completion, Decoder, Editor, INTERRUPT, Key};
use super::screen::InputLine;
use super::terminal::Terminal;
use super::unicode::next_boundary;
use crate::client::session::Protocol;
use crate::limits::ESCAPE_TIMEOUT;

/// The terminal's mark of the start of a paste.
const PASTE_BEGINS: &[u8] = b"\x1b[200~";

/// The terminal, the editor and the state between the two.
#[derive(Debug)]
pub(super) struct LineInput {
    pub(super) terminal: Terminal,
    decoder: Decoder,
    pub(super) editor: Editor,
    pub(super) completion: Completion,
    /// A paste without brackets goes on up to a pause.
    pub(super) is_pasting: bool,
    /// When an ESC that has come last counts as a key of its own.
    escape_at: Option<Instant>,
}

impl LineInput {
    pub(super) fn new(terminal: Terminal, protocol: &Protocol) -> Self {
        Self {
            terminal,
            decoder: Decoder::default(),
            editor: Editor::default(),
            completion: Completion::for_protocol(protocol),
            is_pasting: false,
            escape_at: None,
        }
    }

    /// Returns the keys in bytes from the terminal.
    ///
    /// Several lines at once that end with CR alone are a paste where the terminal does not mark pastes: no user presses Enter
    /// so fast, and a program that types whole lines ends them with LF.
    pub(super) fn decode(&mut self, bytes: &[u8], after_pause: bool) -> Vec<Key> {
        if bytes.windows(PASTE_BEGINS.len()).any(|part| part == PASTE_BEGINS) {
            self.terminal.note_brackets();
        }
        let line_end = bytes.iter().position(|byte| *byte == b'\r');
        let has_others = bytes.iter().any(|byte| matches!(*byte, b'\n' | INTERRUPT));
        let are_lines = line_end.is_some_and(|at| at + 1 < bytes.len()) && !has_others;
        self.is_pasting = (self.is_pasting && !after_pause) || (are_lines && self.terminal.pastes_without_brackets());
        let mut keys =
            if self.is_pasting { self.decoder.decode_pasted(bytes) } else { self.decoder.decode(bytes, after_pause) };
        // Nor does a user press a key that fast behind Tab: it is part of a text.
        let typed = keys.iter().rposition(|key| *key != Key::Tab).unwrap_or(0);
        keys[..typed].iter_mut().filter(|key| **key == Key::Tab).for_each(|tab| *tab = Key::Text("\t".into()));
        self.escape_at = self.decoder.is_behind_escape().then(|| Instant::now() + ESCAPE_TIMEOUT);
        keys
    }

    /// Returns whether these keys are a single one that a user has pressed. Without a pause before it, it may be the rest of a
    /// line that is longer than one read.
    pub(super) fn is_single_key(&self, keys: &[Key], after_pause: bool) -> bool {
        is_single_key(keys) && (after_pause || self.editor.text().is_empty())
    }

    /// Returns when an ESC counts as a key of its own, if that key means something now.
    pub(super) fn escape_at(&self) -> Option<Instant> {
        let heeds_escape = self.editor.search_prompt().is_some() || self.editor.question().is_some();
        self.escape_at.filter(|_| heeds_escape)
    }

    /// Returns the line to show, or the question about a paste.
    pub(super) fn line<'a>(&'a self, prompt: &'a str) -> InputLine<'a> {
        let mut line = self.whole_line(self.editor.search_prompt().unwrap_or(prompt));
        if let Some(text) = self.editor.question().filter(|_| self.terminal.is_editing()) {
            (line.text, line.cursor) = (text, text.len());
        }
        line
    }

    /// Returns the line being typed; an empty one while the terminal belongs to another program or echoes by itself.
    pub(super) fn whole_line<'a>(&'a self, prompt: &'a str) -> InputLine<'a> {
        if self.terminal.is_editing() {
            InputLine { prompt, text: self.editor.text(), cursor: self.editor.cursor() }
        } else {
            InputLine::default()
        }
    }
}

/// Returns whether these keys are a single one that a program does not send: not Enter, nor a key that ends the client.
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
    fn a_single_key_in_a_read_comes_from_a_user_and_whole_lines_do_not() {
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
