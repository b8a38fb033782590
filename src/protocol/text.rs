//! Text as it may be shown to a person: UTF-8 with nothing in it that drives a terminal (G2).

use std::borrow::Cow;

/// Returns the line as text that can do no harm to the terminal that shows it (G2): each invalid UTF-8 sequence, control
/// character other than TAB, bidi control and line separator becomes U+FFFD. Borrows when there is nothing to replace.
pub fn sanitize(line: &[u8]) -> Cow<'_, str> {
    if let (true, Ok(text)) = (is_plain(line), std::str::from_utf8(line)) {
        return Cow::Borrowed(text);
    }
    let text = String::from_utf8_lossy(line);
    if !text.chars().any(needs_replacement) {
        return text;
    }
    Cow::Owned(text.chars().map(|c| if needs_replacement(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
}

/// Returns whether the line is ASCII without control characters other than TAB. It has no branch for each byte, so that the
/// compiler can test many at a time.
#[expect(clippy::needless_bitwise_bool, reason = "a branch for each byte would be slower")]
fn is_plain(line: &[u8]) -> bool {
    line.iter().fold(true, |plain, byte| plain & (matches!(byte, b' '..=b'~') | (*byte == b'\t')))
}

/// Returns whether the beginning of a line shows that it is of some binary protocol: one control character other than TAB
/// and CR is enough. TLS begins so, and most others.
pub fn looks_binary(partial_line: &[u8]) -> bool {
    partial_line.iter().any(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r'))
}

/// Control characters can move the cursor or set colours (C1 also begins sequences, as ESC does); bidi controls and the two
/// separators change how a terminal orders and breaks what comes after them.
fn needs_replacement(c: char) -> bool {
    let bidi_or_separator = matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\t') || bidi_or_separator
}

/// Appends the parts and an LF.
pub(super) fn put_line(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g2_harmless_text_is_untouched_and_borrowed() {
        for text in ["", "hello, world", "tab\there", "é 漢 🙂 e\u{301}", "\u{200d}\u{200b}", "\u{2030}"] {
            assert!(matches!(sanitize(text.as_bytes()), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn what_nobody_typed_is_garbage() {
        for line in [&b"\x16\x03\x01"[..], b"\0", b"abc\x01"] {
            assert!(looks_binary(line), "{line:?}");
        }
        for line in [&b""[..], b"HELLO-FROM a\tb\r", "é 漢".as_bytes(), b"\xfe"] {
            assert!(!looks_binary(line), "{line:?}");
        }
    }

    #[test]
    fn g2_what_drives_a_terminal_is_replaced() {
        let cases: [(&[u8], &str); 9] = [
            (b"a\x1b[2Jb", "a\u{fffd}[2Jb"),
            (b"\x1b]0;title\x07", "\u{fffd}]0;title\u{fffd}"),
            (b"a\rb\x08\x00\x7f", "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}"),
            ("\u{9b}31m".as_bytes(), "\u{fffd}31m"),
            (b"\x9b31m", "\u{fffd}31m"),
            ("\u{202e}\u{2066}\u{2069}\u{202a}".as_bytes(), "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("\u{2028}\u{2029}".as_bytes(), "\u{fffd}\u{fffd}"),
            (b"half \xe6\xbc", "half \u{fffd}"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        ];
        for (line, expected) in cases {
            assert_eq!(sanitize(line), expected, "{line:?}");
        }
    }
}
