//! Bytes of the wire as a person can read them: nothing that cannot be seen is left out, and nothing drives a terminal.

use std::fmt;
use std::mem;

/// Bytes of a long line's beginning that are shown.
const HEAD: usize = 256;

/// Bytes of its end.
const TAIL: usize = 64;

/// A line as it came or went, however long: all of a short one, else its beginning and its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The beginning, and behind it the end.
    kept: Vec<u8>,
    /// Bytes of the whole line.
    len: usize,
    /// What is told of the line beside its bytes.
    note: String,
}

impl Excerpt {
    /// Creates the excerpt of a line.
    pub(crate) fn of(line: &[u8]) -> Self {
        let mut excerpt = Self::default();
        excerpt.add(line);
        excerpt
    }

    /// Adds what follows.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        let (head, rest) = bytes.split_at(bytes.len().min(HEAD.saturating_sub(self.kept.len())));
        self.kept.extend_from_slice(head);
        self.kept.extend_from_slice(&rest[rest.len().saturating_sub(TAIL)..]);
        if self.kept.len() > HEAD + TAIL {
            self.kept.drain(HEAD..self.kept.len() - TAIL);
        }
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
        let is_inside = |byte: &u8| byte & 0xc0 == 0x80;
        let (head, tail) = kept.split_at(HEAD);
        // Parts of a character that is cut would look like bytes that are none.
        let head = &head[..whole_characters(head)];
        let cut = tail.iter().take(3).take_while(|byte| is_inside(byte)).count();
        write!(f, "{} ... {len} bytes ... {}{note}", quote(head), quote(&tail[cut..]))
    }
}

/// Returns how many bytes there are before the last character, if that one is cut; else all.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
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

/// Splits a stream, in whatever pieces it comes, into excerpts of its lines.
#[derive(Debug, Default)]
pub(crate) struct ExcerptSplitter {
    line: Excerpt,
}

impl ExcerptSplitter {
    /// Adds what follows, and returns the lines that are whole with it. Their LFs are left out where they do not go over the
    /// wire.
    pub(crate) fn split(&mut self, bytes: &[u8], omit_line_feeds: bool) -> Vec<Excerpt> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let is_whole = piece.ends_with(b"\n");
            self.line.add(&piece[..piece.len() - usize::from(is_whole && omit_line_feeds)]);
            if is_whole {
                lines.push(mem::take(&mut self.line));
            }
        }
        lines
    }
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
    fn a_long_line_shows_its_beginning_its_length_and_its_end_however_it_is_cut() {
        let line = format!("SEND bob {}{}the end\n", "x".repeat(1 << 20), "y".repeat(57));
        let expected = format!(
            "\"SEND bob {}\" ... {} bytes ... \"{}the end\\n\"",
            "x".repeat(HEAD - 9),
            line.len(),
            "y".repeat(TAIL - 8)
        );
        for step in [1, 63, 64, 65, 300, 4096, line.len()] {
            let mut excerpt = Excerpt::default();
            line.as_bytes().chunks(step).for_each(|piece| excerpt.add(piece));
            assert_eq!(excerpt.to_string(), expected, "{step} at a time");
            assert!(excerpt.kept.capacity() < 2048);
        }
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

    #[test]
    fn a_stream_is_split_into_lines_wherever_it_is_cut() {
        let stream = b"HELLO ann\nSEND-OK\n\nDELIVERY";
        for step in 1..=stream.len() {
            for (omit, end) in [(false, "\\n"), (true, "")] {
                let mut splitter = ExcerptSplitter::default();
                let lines: Vec<String> = stream
                    .chunks(step)
                    .flat_map(|piece| splitter.split(piece, omit))
                    .map(|line| line.to_string())
                    .collect();
                assert_eq!(lines, [format!("\"HELLO ann{end}\""), format!("\"SEND-OK{end}\""), format!("\"{end}\"")]);
                assert_eq!(splitter.line, Excerpt::of(b"DELIVERY"));
            }
        }
    }
}
