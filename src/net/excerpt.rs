//! Bytes of the wire as a person can read them: nothing that cannot be seen is left out, and nothing drives a terminal.

use std::fmt;

/// Bytes of a long line's beginning that are shown.
const HEAD: usize = 256;

/// Bytes of its end.
const TAIL: usize = 64;

/// A line as it came or went, however long: all of a short one, else its beginning and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The beginning, and behind it the end.
    kept: Vec<u8>,
    /// Bytes of the whole line.
    len: usize,
    /// What is told of the line beside its bytes.
    note: String,
}

impl Excerpt {
    pub(crate) fn of(line: &[u8]) -> Self {
        let (head, rest) = line.split_at(line.len().min(HEAD));
        let tail = &rest[rest.len().saturating_sub(TAIL)..];
        Self { kept: [head, tail].concat(), len: line.len(), note: String::new() }
    }

    /// Adds what there is to tell of the line; it is shown behind it.
    pub(crate) fn with_note(mut self, note: &str) -> Self {
        if !note.is_empty() {
            self.note = format!(" {note}");
        }
        self
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, len, note } = self;
        if *len <= HEAD + TAIL {
            return write!(f, "{}{note}", quote(kept));
        }
        let (mut head, tail) = kept.split_at(HEAD);
        // Parts of a character that is cut would look like bytes that are none.
        if let Some(error) = std::str::from_utf8(head).err().filter(|error| error.error_len().is_none()) {
            head = &head[..error.valid_up_to()];
        }
        let cut = tail.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
        write!(f, "{} ... {len} bytes ... {}{note}", quote(head), quote(&tail[cut..]))
    }
}

/// Returns the bytes in quotes, as a Rust program would have them.
fn quote(bytes: &[u8]) -> String {
    let mut text = String::from('"');
    for chunk in bytes.utf8_chunks() {
        let quoted = format!("{:?}", chunk.valid());
        text += &quoted[1..quoted.len() - 1];
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        let cases: [(&[u8], &str); 9] = [
            (b"SEND bob hi\r\n", r#""SEND bob hi\r\n""#),
            (b"SEND bob hi", r#""SEND bob hi""#),
            (b"", r#""""#),
            (b"a\0b\tc\x1b[2J\x7f\n", r#""a\0b\tc\u{1b}[2J\u{7f}\n""#),
            (b"say \"hi\" \\ it's\n", r#""say \"hi\" \\ it's\n""#),
            ("é 漢 🙂\n".as_bytes(), "\"é 漢 🙂\\n\""),
            (b"\xff\xc3(\xe6\xbc\n", r#""\xff\xc3(\xe6\xbc\n""#),
            ("\u{202e}\u{9b}\u{2028}".as_bytes(), r#""\u{202e}\u{9b}\u{2028}""#),
            (b"\xff\xfd\x06", r#""\xff\xfd\u{6}""#),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Excerpt::of(bytes).to_string(), expected);
        }
        assert_eq!(Excerpt::of(b"FOO\n").with_note("no such word").to_string(), r#""FOO\n" no such word"#);
    }

    #[test]
    fn a_long_line_shows_its_beginning_its_length_and_its_end() {
        let line = format!("SEND bob {}{}the end\n", "x".repeat(1 << 20), "y".repeat(57));
        let expected = format!(
            "\"SEND bob {}\" ... {} bytes ... \"{}the end\\n\"",
            "x".repeat(HEAD - 9),
            line.len(),
            "y".repeat(TAIL - 8)
        );
        assert_eq!(Excerpt::of(line.as_bytes()).to_string(), expected);
        for len in [HEAD, HEAD + 1, HEAD + TAIL] {
            let line = "z".repeat(len);
            assert_eq!(Excerpt::of(line.as_bytes()).to_string(), format!("\"{line}\""));
        }
    }

    #[test]
    fn no_character_is_cut_in_the_middle() {
        for before in 0..4 {
            let line = format!("{}{}", "x".repeat(before), "漢".repeat(1000));
            let shown = Excerpt::of(line.as_bytes()).to_string();
            assert!(!shown.contains("\\x"), "{shown}");
            assert!(shown.contains(&format!(" ... {} bytes ... ", line.len())), "{shown}");
        }
    }
}
