//! What a terminal sends, as keys: text, control characters and escape sequences, wherever they are cut.

use std::mem;

use crate::protocol::sanitize;

/// What was pressed, or pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of keys say it")]
pub(crate) enum Key {
    /// Characters that were typed.
    Text(String),
    /// Characters that were pasted, which may be several lines. A long paste comes as several of these, one behind the other.
    Paste(String),
    Enter,
    Tab,
    /// Shift-Tab.
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
    /// Ctrl-W: up to a blank.
    KillWord,
    /// Alt-Backspace: what [`Key::WordLeft`] moves over.
    KillWordLeft,
    /// Alt-D: what [`Key::WordRight`] moves over.
    KillWordRight,
    /// Ctrl-U.
    KillToStart,
    /// Ctrl-K.
    KillToEnd,
    /// Ctrl-Y.
    Yank,
    /// Ctrl-R.
    Search,
    /// Ctrl-S: back to what a search has found before.
    SearchNewer,
    /// Ctrl-G.
    Abort,
    /// ESC, as far as it is known to begin no sequence.
    Escape,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-L.
    Clear,
}

impl Key {
    /// Returns whether the key also works in a script.
    pub(super) fn is_for_scripts(&self) -> bool {
        !matches!(
            self,
            Self::BackTab
                | Self::KillWordRight
                | Self::Yank
                | Self::Search
                | Self::SearchNewer
                | Self::Abort
                | Self::Escape
                | Self::Interrupt
        )
    }
}

/// Ctrl-C.
pub(crate) const INTERRUPT: u8 = 0x03;

/// Longest escape sequence that is looked at; what is longer is passed over up to its end.
const SEQUENCE: usize = 32;

/// What ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns bytes into keys, and keeps what is cut for the next ones.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    state: State,
    /// Text so far; its last character may be cut.
    text: Vec<u8>,
    /// What has come of an escape sequence behind its introducer, or of the end of a paste.
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
    /// Before the last byte of a key that means nothing here.
    Unknown,
    /// Behind the first byte of a character that was pressed with Alt and means nothing here.
    AltCharacter,
    /// In a text that a terminal sends of itself; it ends with BEL or ESC `\`.
    Osc,
    /// Behind an ESC in such a text.
    OscEscape,
    /// Between the brackets of a paste.
    Paste,
}

impl Decoder {
    /// Returns the keys in these bytes. After a pause, what has come of an escape sequence will not go on: it was a key of its
    /// own, such as Esc.
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

    /// Returns the text in bytes that were pasted without brackets.
    pub(crate) fn decode_pasted(&mut self, bytes: &[u8]) -> Vec<Key> {
        bytes.iter().for_each(|byte| self.paste_text(*byte));
        self.take_text(false).map(Key::Paste).into_iter().collect()
    }

    /// Returns whether what has come last is an ESC, which a pause makes a key of its own.
    pub(crate) fn is_behind_escape(&self) -> bool {
        self.state == State::Escape
    }

    /// Nothing has come for a while, and now these bytes.
    fn pause(&mut self, bytes: &[u8], keys: &mut Vec<Key>) {
        match self.state {
            // Nobody pastes Ctrl-C alone: the end of the paste is lost.
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
        keys.push(match byte {
            b'\n' | b'\r' => Key::Enter,
            b'\t' => Key::Tab,
            0x7f | 0x08 => Key::Backspace,
            0x01 => Key::Home,
            0x02 => Key::Left,
            INTERRUPT => Key::Interrupt,
            0x04 => Key::EndOfInput,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x07 => Key::Abort,
            0x0b => Key::KillToEnd,
            0x0c => Key::Clear,
            0x0e => Key::Down,
            0x10 => Key::Up,
            0x12 => Key::Search,
            0x13 => Key::SearchNewer,
            0x15 => Key::KillToStart,
            0x17 => Key::KillWord,
            0x19 => Key::Yank,
            0x1b => {
                self.state = State::Escape;
                return;
            }
            _ => return,
        });
    }

    /// Behind ESC is a sequence, or a key that was pressed with Alt.
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

    /// A sequence that will have no end: what comes instead means what it always does.
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

    /// A line ends with CR, LF or both.
    fn paste_text(&mut self, byte: u8) {
        let after_return = mem::replace(&mut self.after_return, byte == b'\r');
        match byte {
            b'\n' if after_return => {}
            b'\r' => self.text.push(b'\n'),
            _ => self.text.push(byte),
        }
    }

    /// Hands over the text so far, as a key.
    fn end_text(&mut self, last: bool, keys: &mut Vec<Key>) {
        let key = if self.state == State::Paste { Key::Paste } else { Key::Text };
        keys.extend(self.take_text(last).map(key));
    }

    /// Takes the text so far; the last character of it waits for its other bytes unless it is the `last` text.
    fn take_text(&mut self, last: bool) -> Option<String> {
        let whole = if last { self.text.len() } else { whole_characters(&self.text) };
        let text: Vec<u8> = self.text.drain(..whole).collect();
        (whole > 0).then(|| clean_lines(&text))
    }
}

/// Returns the lines, harmless to a terminal.
fn clean_lines(text: &[u8]) -> String {
    let mut lines = String::with_capacity(text.len());
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            lines.push('\n');
        }
        lines += &sanitize(line);
    }
    lines
}

/// Returns how many bytes there are up to the last character, if that one is cut and can still become one; else all.
fn whole_characters(text: &[u8]) -> usize {
    let from = (text.len().saturating_sub(3)..text.len()).find(|at| text[*at] >= 0xc0).unwrap_or(text.len());
    let cut = text[from..].utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len());
    let is_cut =
        cut > 0 && std::str::from_utf8(&text[text.len() - cut..]).is_err_and(|error| error.error_len().is_none());
    if is_cut { text.len() - cut } else { text.len() }
}

#[cfg(test)]
mod tests;
