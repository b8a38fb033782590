//! Decodes what a terminal sends: text, control characters and escape sequences, cut anywhere.

use std::mem;

use crate::protocol::sanitize;

/// A key, or a paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Typed characters.
    Text(String),
    /// Pasted characters, line feeds included. A long paste comes in several parts.
    Paste(String),
    Enter,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Up,
    Down,
    Home,
    End,
    /// Deletes up to a blank.
    KillWord,
    /// Deletes what [`Key::WordLeft`] moves over.
    KillWordLeft,
    /// Deletes what [`Key::WordRight`] moves over.
    KillWordRight,
    KillToStart,
    KillToEnd,
    /// Inserts what was deleted.
    Yank,
    Search,
    /// Ends a search.
    Abort,
    /// An ESC that begins no sequence.
    Escape,
    Interrupt,
    EndOfInput,
    Clear,
}

/// An effect of a key beyond a change of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Handle this line, or these pasted lines; the editor is empty again.
    Submit(String),
    /// The input has ended.
    End,
    /// Ctrl-C has cleared the line.
    Cleared,
    /// End the program.
    Interrupt,
    /// Clear the screen.
    Clear,
    /// The key has no effect, or there is no room for its text.
    Bell,
}

/// Ctrl-C.
pub(crate) const INTERRUPT: u8 = 0x03;

/// Longest escape sequence that is decoded; a longer one is skipped up to its end.
const SEQUENCE: usize = 32;

/// The terminal's mark of the end of a paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns bytes into keys, and keeps an incomplete one for the next bytes.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    state: State,
    /// Text so far; its last character may be cut.
    text: Vec<u8>,
    /// The bytes of an escape sequence behind its introducer, or of the end of a paste.
    sequence: Vec<u8>,
    /// The last pasted byte was a CR.
    after_return: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// Behind ESC.
    Escape,
    /// Behind ESC `[`.
    Csi,
    /// Behind ESC `O`: one more byte.
    Ss3,
    /// Before the last byte of an unknown key.
    Unknown,
    /// In a character that was pressed with Alt.
    AltCharacter,
    /// In a report of the terminal, up to BEL or ESC `\`.
    Osc,
    /// Behind an ESC in a report.
    OscEscape,
    /// Between the brackets of a paste.
    Paste,
}

impl Decoder {
    /// Returns the keys in these bytes. A pause before them ends an incomplete escape sequence.
    pub(crate) fn decode(&mut self, bytes: &[u8], after_pause: bool) -> Vec<Key> {
        let mut keys = Vec::new();
        if after_pause {
            self.pause(bytes, &mut keys);
        }
        for byte in bytes {
            self.advance(*byte, &mut keys);
        }
        self.end_text(false, &mut keys);
        keys
    }

    /// Returns the text in bytes of a paste without marks.
    pub(crate) fn decode_pasted(&mut self, bytes: &[u8]) -> Vec<Key> {
        bytes.iter().for_each(|byte| self.paste_text(*byte));
        self.take_text(false).map(Key::Paste).into_iter().collect()
    }

    /// Returns whether the last byte was an ESC, which a pause makes a key.
    pub(crate) fn is_behind_escape(&self) -> bool {
        self.state == State::Escape
    }

    fn pause(&mut self, bytes: &[u8], keys: &mut Vec<Key>) {
        match self.state {
            // Ctrl-C alone is no part of a paste: the mark of its end is lost.
            State::Paste if bytes == [INTERRUPT] => self.end_text(true, keys),
            State::Paste => return,
            State::Escape => keys.push(Key::Escape),
            _ => {}
        }
        self.state = State::Ground;
    }

    fn advance(&mut self, byte: u8, keys: &mut Vec<Key>) {
        match self.state {
            State::Ground => self.ground(byte, keys),
            State::Escape => self.escape(byte, keys),
            State::Csi => self.csi(byte, keys),
            State::Ss3 => self.dispatch_csi(byte, keys),
            State::Unknown => self.state = State::Ground,
            State::AltCharacter if matches!(byte, 0x80..=0xbf) => {}
            State::AltCharacter => self.cut_short(byte, keys),
            State::Osc => match byte {
                0x07 => self.state = State::Ground,
                0x1b => self.state = State::OscEscape,
                b' '.. => {}
                _ => self.cut_short(byte, keys),
            },
            State::OscEscape if byte == b'\\' => self.state = State::Ground,
            State::OscEscape => self.escape(byte, keys),
            State::Paste => self.paste(byte, keys),
        }
    }

    fn ground(&mut self, byte: u8, keys: &mut Vec<Key>) {
        if byte >= b' ' && byte != 0x7f {
            self.text.push(byte);
            return;
        }
        self.end_text(true, keys);
        // Ctrl and this letter send the byte; Enter, Tab and Backspace are J or M, I, and H or ?.
        keys.push(match byte ^ 0x40 {
            b'J' | b'M' => Key::Enter,
            b'I' => Key::Tab,
            b'?' | b'H' => Key::Backspace,
            b'A' => Key::Home,
            b'B' => Key::Left,
            b'C' => Key::Interrupt,
            b'D' => Key::EndOfInput,
            b'E' => Key::End,
            b'F' => Key::Right,
            b'G' => Key::Abort,
            b'K' => Key::KillToEnd,
            b'L' => Key::Clear,
            b'N' => Key::Down,
            b'P' => Key::Up,
            b'R' => Key::Search,
            b'U' => Key::KillToStart,
            b'W' => Key::KillWord,
            b'Y' => Key::Yank,
            b'[' => {
                self.state = State::Escape;
                return;
            }
            _ => return,
        });
    }

    /// Takes the byte behind ESC: it begins a sequence, or was pressed with Alt.
    fn escape(&mut self, byte: u8, keys: &mut Vec<Key>) {
        self.sequence.clear();
        self.state = match byte {
            b'[' => State::Csi,
            b'O' => State::Ss3,
            b']' | b'P' | b'X' | b'^' | b'_' => State::Osc,
            0x1b => State::Escape,
            0xc0.. => State::AltCharacter,
            _ => State::Ground,
        };
        keys.push(match byte.to_ascii_lowercase() {
            b'b' => Key::WordLeft,
            b'f' => Key::WordRight,
            b'd' => Key::KillWordRight,
            0x7f | 0x08 => Key::KillWordLeft,
            // Shift-Tab of the Linux console.
            b'\t' => Key::BackTab,
            _ => return,
        });
    }

    fn csi(&mut self, byte: u8, keys: &mut Vec<Key>) {
        match byte {
            // A function key of the Linux console: one more byte.
            b'[' if self.sequence.is_empty() => self.state = State::Unknown,
            b' '..=b'?' if self.sequence.len() < SEQUENCE => self.sequence.push(byte),
            b' '..=b'?' => {}
            b'@'..=b'~' => self.dispatch_csi(byte, keys),
            _ => self.cut_short(byte, keys),
        }
    }

    /// Drops an incomplete sequence; the byte means what it always does.
    fn cut_short(&mut self, byte: u8, keys: &mut Vec<Key>) {
        self.state = State::Ground;
        self.ground(byte, keys);
    }

    fn dispatch_csi(&mut self, last: u8, keys: &mut Vec<Key>) {
        self.state = State::Ground;
        if self.sequence.len() == SEQUENCE {
            return;
        }
        let with_modifier = self.sequence.contains(&b';');
        let number = self.sequence.split(|byte| *byte == b';').next().unwrap_or_default();
        keys.push(match (number, last) {
            (_, b'A') => Key::Up,
            (_, b'B') => Key::Down,
            (_, b'C') if with_modifier => Key::WordRight,
            (_, b'D') if with_modifier => Key::WordLeft,
            // Of rxvt, behind ESC O.
            (b"", b'c') => Key::WordRight,
            (b"", b'd') => Key::WordLeft,
            (_, b'C') => Key::Right,
            (_, b'D') => Key::Left,
            (_, b'H') | (b"1" | b"7", b'~') => Key::Home,
            (_, b'F') | (b"4" | b"8", b'~') => Key::End,
            (b"3", b'~') => Key::Delete,
            (_, b'Z') => Key::BackTab,
            (b"200", b'~') => {
                self.state = State::Paste;
                self.sequence.clear();
                return;
            }
            _ => return,
        });
    }

    fn paste(&mut self, byte: u8, keys: &mut Vec<Key>) {
        self.sequence.push(byte);
        if self.sequence == PASTE_END {
            self.end_text(true, keys);
            self.state = State::Ground;
        } else if !PASTE_END.starts_with(&self.sequence) {
            let text = mem::take(&mut self.sequence);
            // The last byte may begin the end again.
            let (last, before) = text.split_last().unwrap_or((&byte, &[]));
            before.iter().for_each(|byte| self.paste_text(*byte));
            if *last == PASTE_END[0] {
                self.sequence.push(*last);
            } else {
                self.paste_text(*last);
            }
        }
    }

    /// Takes a pasted byte. Lines end with CR, LF or both.
    fn paste_text(&mut self, byte: u8) {
        let after_return = mem::replace(&mut self.after_return, byte == b'\r');
        match byte {
            b'\n' if after_return => {}
            b'\r' => self.text.push(b'\n'),
            _ => self.text.push(byte),
        }
    }

    /// Adds the text so far to the keys.
    fn end_text(&mut self, last: bool, keys: &mut Vec<Key>) {
        let key = if self.state == State::Paste { Key::Paste } else { Key::Text };
        keys.extend(self.take_text(last).map(key));
    }

    /// Takes the text so far. An incomplete last character stays, unless the text ends here.
    fn take_text(&mut self, last: bool) -> Option<String> {
        let whole = if last { self.text.len() } else { whole_characters(&self.text) };
        let text: Vec<u8> = self.text.drain(..whole).collect();
        let lines: Vec<_> = text.split(|byte| *byte == b'\n').map(sanitize).collect();
        (whole > 0).then(|| lines.join("\n"))
    }
}

/// Returns the length without an incomplete last character.
fn whole_characters(text: &[u8]) -> usize {
    let from = (text.len().saturating_sub(3)..text.len()).find(|at| text[*at] >= 0xc0).unwrap_or(text.len());
    let cut = text[from..].utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len());
    let is_cut =
        cut > 0 && std::str::from_utf8(&text[text.len() - cut..]).is_err_and(|error| error.error_len().is_none());
    if is_cut { text.len() - cut } else { text.len() }
}

#[cfg(test)]
mod tests;
