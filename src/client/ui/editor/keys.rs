//! What a terminal sends, as keys: text, control characters and escape sequences, wherever they are cut.

use std::mem;

use crate::protocol::sanitize;

/// What was pressed, or pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of keys say it")]
pub(crate) enum Key {
    /// Characters to be put in: typed ones, or pasted ones, which may be several lines.
    Text(String),
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
    /// Ctrl-W.
    KillWord,
    /// Ctrl-U.
    KillToStart,
    /// Ctrl-K.
    KillToEnd,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-L.
    Clear,
}

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
    /// own, which does nothing, such as Esc.
    pub(crate) fn decode(&mut self, bytes: &[u8], after_pause: bool) -> Vec<Key> {
        let mut keys = Vec::new();
        if after_pause && self.state != State::Paste {
            self.state = State::Ground;
        }
        for byte in bytes {
            self.advance(*byte, &mut keys);
        }
        self.end_text(false, &mut keys);
        keys
    }

    /// Returns the text in bytes that were pasted without brackets.
    pub(crate) fn decode_pasted(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        bytes.iter().for_each(|byte| self.paste_text(*byte));
        self.end_text(false, &mut keys);
        keys
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
            0x04 => Key::EndOfInput,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x0b => Key::KillToEnd,
            0x0c => Key::Clear,
            0x0e => Key::Down,
            0x10 => Key::Up,
            0x15 => Key::KillToStart,
            0x17 => Key::KillWord,
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
        match byte {
            b'b' => keys.push(Key::WordLeft),
            b'f' => keys.push(Key::WordRight),
            0x7f | 0x08 => keys.push(Key::KillWord),
            // Of the Linux console.
            b'\t' => keys.push(Key::BackTab),
            _ => {}
        }
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
            self.state = State::Ground;
            self.end_text(true, keys);
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

    /// Hands over the text so far; the last character of it waits for its other bytes unless it is the `last` text.
    fn end_text(&mut self, last: bool, keys: &mut Vec<Key>) {
        let whole = if last { self.text.len() } else { whole_characters(&self.text) };
        if whole == 0 {
            return;
        }
        let text: Vec<u8> = self.text.drain(..whole).collect();
        keys.push(Key::Text(clean_lines(&text)));
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
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Vec<Key> {
        Decoder::default().decode(bytes, false)
    }

    /// The keys, with the text between other keys put together.
    fn joined(keys: Vec<Key>) -> Vec<Key> {
        let mut joined = Vec::new();
        for key in keys {
            match (joined.last_mut(), key) {
                (Some(Key::Text(text)), Key::Text(more)) => *text += &more,
                (_, key) => joined.push(key),
            }
        }
        joined
    }

    fn text(text: &str) -> Key {
        Key::Text(text.to_owned())
    }

    #[test]
    fn text_and_control_characters() {
        assert_eq!(decode("hé 漢\n".as_bytes()), [text("hé 漢"), Key::Enter]);
        assert_eq!(
            decode(b"\x01\x05\x02\x06\x17\x15\x0b\x0c\x04\x7f\x08\t\r"),
            [
                Key::Home,
                Key::End,
                Key::Left,
                Key::Right,
                Key::KillWord,
                Key::KillToStart,
                Key::KillToEnd,
                Key::Clear,
                Key::EndOfInput,
                Key::Backspace,
                Key::Backspace,
                Key::Tab,
                Key::Enter,
            ]
        );
        assert_eq!(decode(b"\0\x07\x1d"), []);
    }

    #[test]
    fn the_sequences_of_many_terminals() {
        for (sequences, key) in [
            (&["\x1b[A", "\x1bOA", "\x10"][..], Key::Up),
            (&["\x1b[B", "\x1bOB", "\x0e"], Key::Down),
            (&["\x1b[C", "\x1bOC"], Key::Right),
            (&["\x1b[D", "\x1bOD"], Key::Left),
            (&["\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"], Key::Home),
            (&["\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"], Key::End),
            (&["\x1b[3~", "\x1b[3;5~"], Key::Delete),
            (&["\x1b[1;5C", "\x1b[1;3C", "\x1bf"], Key::WordRight),
            (&["\x1b[1;5D", "\x1b[1;3D", "\x1bb"], Key::WordLeft),
            (&["\x1b\x7f"], Key::KillWord),
            (&["\x1b[Z", "\x1b[1;2Z", "\x1b\t"], Key::BackTab),
        ] {
            for sequence in sequences {
                assert_eq!(decode(sequence.as_bytes()), std::slice::from_ref(&key), "{sequence:?}");
            }
        }
    }

    #[test]
    fn what_is_unknown_is_passed_over_and_what_is_behind_it_is_not() {
        for unknown in [
            "\x1b[5~",
            "\x1b[99;99;99z",
            "\x1b[?1;2c",
            "\x1bOP",
            "\x1b[[A",
            "\x1bt",
            "\x1b.",
            "\x1b\n",
            "\x1b\x01",
            "\x1bé",
            "\x1b漢",
            "\x1b\x1bu",
            "\x1b]11;rgb:0/0/0\x07",
            "\x1bP1$r0m\x1b\\",
            "\x1b[201~",
        ] {
            assert_eq!(decode(format!("{unknown}x\n").as_bytes()), [text("x"), Key::Enter], "{unknown:?}");
        }
        assert_eq!(decode(b"\x1b[12\nx"), [Key::Enter, text("x")]);
        assert_eq!(decode(b"\x1b[12\x1b[Ax"), [Key::Up, text("x")]);
        assert_eq!(decode(b"\x1b_hello\nx"), [Key::Enter, text("x")]);
        assert_eq!(decode(format!("\x1b[{}~x", "1;".repeat(1000)).as_bytes()), [text("x")]);
    }

    #[test]
    fn an_escape_before_a_pause_is_a_key_of_its_own_that_does_nothing() {
        for begun in ["\x1b", "\x1b\x1b", "\x1bO", "\x1b[", "\x1b[1;", "\x1b]", "\x1bP", "\x1b_x\x1b"] {
            let mut decoder = Decoder::default();
            assert_eq!(decoder.decode(begun.as_bytes(), false), []);
            for typed in ["Please", "Oh yes", "[brackets]", "bye", "for you"] {
                assert_eq!(decoder.decode(typed.as_bytes(), true), [text(typed)], "{begun:?}");
            }
        }
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode(b"\x1b[200~a\x1b", false), [text("a")]);
        assert_eq!(joined(decoder.decode(b"[b\x1b[201~\n", true)), [text("\u{fffd}[b"), Key::Enter]);
    }

    #[test]
    fn an_impossible_byte_holds_no_key_back() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode(b"caf\xe9", false), [text("caf")]);
        assert_eq!(decoder.decode(b"a", false), [text("\u{fffd}a")]);
        for (bytes, shown) in [(&b"\xff"[..], "\u{fffd}"), (b"\xc0", "\u{fffd}"), (b"\xf0\x9f\x99a", "\u{fffd}a")] {
            assert_eq!(decoder.decode(bytes, false), [text(shown)], "{bytes:?}");
        }
        assert_eq!(decoder.decode(b"\xf0\x9f\x99", false), []);
        assert_eq!(decoder.decode(b"\x82", false), [text("🙂")]);
    }

    #[test]
    fn invalid_utf8_and_what_drives_a_terminal_become_harmless() {
        assert_eq!(decode(b"a\xffb\n"), [text("a\u{fffd}b"), Key::Enter]);
        assert_eq!(decode(b"a\xe6\xbc\n"), [text("a\u{fffd}"), Key::Enter]);
        assert_eq!(decode("\u{9b}31m\u{202e}".as_bytes()), [text("\u{fffd}31m\u{fffd}")]);
    }

    #[test]
    fn a_paste_is_text_whatever_is_in_it() {
        let pasted = decode(b"\x1b[200~a\tb\r\nc\rd\n\x1b[A\x1b[20\x03e\x1b[201~f");
        assert_eq!(joined(pasted), [text("a\tb\nc\nd\n\u{fffd}[A\u{fffd}[20\u{fffd}ef")]);
        assert_eq!(joined(decode(b"\x1b[200~\x1b[\x1b[201~\x1b[A")), [text("\u{fffd}["), Key::Up]);
    }

    #[test]
    fn a_paste_without_brackets_is_text_as_well() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode_pasted("a\tb\r\nc\r漢".as_bytes()), [text("a\tb\nc\n漢")]);
        assert_eq!(decoder.decode_pasted(b"\x1b[A\r\xe6"), [text("\u{fffd}[A\n")]);
        assert_eq!(decoder.decode_pasted(b"\xbc\xa2"), [text("漢")]);
    }

    #[test]
    fn it_makes_no_difference_where_the_bytes_are_cut() {
        let bytes = "a漢🙂\x1b[1;5C\x1bOH\n\x1b[200~x\ny\x1b[2\x1b[201~\x1b]0;t\x1b\\\x1b[Aé\n".as_bytes();
        let whole = joined(decode(bytes));
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::default();
            let mut keys = decoder.decode(&bytes[..cut], false);
            keys.extend(decoder.decode(&bytes[cut..], false));
            assert_eq!(joined(keys), whole, "cut at {cut}");
        }
        let mut decoder = Decoder::default();
        let one_by_one = bytes.iter().flat_map(|byte| decoder.decode(&[*byte], false)).collect();
        assert_eq!(joined(one_by_one), whole);
    }
}
