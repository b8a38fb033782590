//! Wraps chat lines at words, and indents every row but the first. So no text of a message stands where a line begins, and
//! no user can fake another user's line with padding.

use std::borrow::Cow;

use super::layout::TAB;
use crate::client::ui::unicode::{most_columns, next_boundary};

/// Columns before each row but the first.
const INDENT: usize = 2;

/// Most bytes of one character, those that join it included.
const CHARACTER: usize = 64;

/// Returns the rows of a line, which may have colours, with line feeds between them.
pub(super) fn wrap(line: &str, columns: usize) -> Cow<'_, str> {
    if is_plain_row(line, columns) {
        return Cow::Borrowed(line);
    }
    let mut wrapper = Wrapper {
        rest: line,
        columns,
        indent: INDENT.min(columns.saturating_sub(INDENT)),
        text: String::with_capacity(line.len() + line.len() / 16 + 64),
        column: 0,
        gap: None,
        is_full: false,
    };
    while !wrapper.rest.is_empty() {
        wrapper.take_piece();
    }
    Cow::Owned(wrapper.text)
}

/// Returns whether a line is ASCII with or without colours, and fits on one row.
fn is_plain_row(line: &str, columns: usize) -> bool {
    let mut taken = 0;
    let mut is_color = false;
    for byte in line.bytes() {
        match byte {
            b'\x1b' => is_color = true,
            _ if is_color => is_color = byte != b'm',
            b' '..=b'~' if taken < columns => taken += 1,
            _ => return false,
        }
    }
    true
}

struct Wrapper<'a> {
    /// The text that is left.
    rest: &'a str,
    columns: usize,
    indent: usize,
    /// The rows so far.
    text: String,
    /// Columns in use on this row.
    column: usize,
    /// The last blanks on this row, where it may end.
    gap: Option<Gap>,
    /// These blanks have filled the row.
    is_full: bool,
}

/// Blanks between words: their bytes in the text, and the column behind them.
#[derive(Clone, Copy)]
struct Gap {
    from: usize,
    to: usize,
    column: usize,
}

impl Wrapper<'_> {
    fn take_piece(&mut self) {
        let (taken, rest) = split_piece(self.rest, self.columns);
        self.rest = rest;
        match taken {
            _ if taken.starts_with('\x1b') => self.text += taken,
            " " => self.put_blanks(1),
            "\t" => self.put_blanks(TAB - self.column % TAB),
            "\u{3000}" => self.put_blanks(2),
            _ if taken.is_ascii() || width(taken) + self.indent <= self.columns => self.put(taken, width(taken)),
            // It is wider than a row.
            _ => taken.char_indices().for_each(|(at, c)| match &taken[at..at + c.len_utf8()] {
                one if width(one) + self.indent <= self.columns => self.put(one, width(one)),
                _ => self.put("?", 1),
            }),
        }
    }

    fn put_blanks(&mut self, count: usize) {
        if self.column + count > self.columns {
            self.is_full = true;
            return;
        }
        let from = self.gap.filter(|gap| gap.to == self.text.len()).map_or(self.text.len(), |gap| gap.from);
        self.text.extend(std::iter::repeat_n(' ', count));
        self.column += count;
        self.gap = Some(Gap { from, to: self.text.len(), column: self.column });
    }

    /// Writes a character of this width, or several letters.
    fn put(&mut self, mut piece: &str, mut width: usize) {
        if self.is_full {
            let end = self.gap.filter(|gap| gap.to == self.text.len()).map_or(self.text.len(), |gap| gap.from);
            self.text.truncate(end);
            self.begin_row("");
        }
        while self.column + width > self.columns {
            if let Some(gap) = self.gap.filter(|gap| self.fits_on_a_row(width, gap.column)) {
                let word = self.text.split_off(gap.to);
                let columns = self.column - gap.column;
                self.text.truncate(gap.from);
                self.begin_row(&word);
                self.column += columns;
                break;
            }
            if piece.len() == width {
                // Letters may continue on the next row.
                let (fitting, rest) = piece.split_at(self.columns - self.column);
                self.text += fitting;
                (piece, width) = (rest, rest.len());
            }
            self.begin_row("");
        }
        self.text += piece;
        self.column += width;
    }

    /// Returns whether the word from this column on, with the next `width` columns and the rest of it, fits on one row.
    fn fits_on_a_row(&self, width: usize, from: usize) -> bool {
        let mut columns = self.column - from + width;
        let mut rest = self.rest;
        while columns + self.indent <= self.columns {
            if rest.is_empty() || rest.starts_with([' ', '\t', '\u{3000}']) {
                return true;
            }
            let (taken, behind) = split_piece(rest, self.columns);
            columns += if taken.starts_with('\x1b') { 0 } else { self::width(taken) };
            rest = behind;
        }
        false
    }

    fn begin_row(&mut self, word: &str) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', self.indent));
        self.text += word;
        (self.column, self.gap, self.is_full) = (self.indent, None, false);
    }
}

/// Splits a text behind its first visible ASCII characters, up to `most`, or behind its first character as a user sees it, or
/// behind the colour there.
fn split_piece(text: &str, most: usize) -> (&str, &str) {
    let bytes = &text.as_bytes()[..text.len().min(most + 1)];
    let letters = bytes.iter().take_while(|byte| matches!(byte, b'!'..=b'~')).count();
    // The next character may join the last letter.
    let is_joined = bytes.get(letters).is_some_and(|next| !next.is_ascii());
    let letters = if is_joined { letters.saturating_sub(1) } else { letters.min(most) };
    text.split_at(match bytes {
        _ if letters > 0 => letters,
        [b'\x1b', ..] => text.find('m').map_or(text.len(), |at| at + 1),
        [b'\t', ..] => 1,
        _ => {
            let most = (0..=text.len().min(CHARACTER)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            next_boundary(&text[..most], 0)
        }
    })
}

fn width(character: &str) -> usize {
    character.chars().map(most_columns).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(line: &str, columns: usize, rows: &[&str]) {
        assert_eq!(wrap(line, columns), rows.join("\n"), "{line:?}");
    }

    #[test]
    fn rows_end_between_words_and_all_but_the_first_are_indented() {
        expect("", 20, &[""]);
        expect("From bob: hi", 20, &["From bob: hi"]);
        expect("From bob: hello, world", 20, &["From bob: hello,", "  world"]);
        expect("aaaa bbbb cccc dddd", 10, &["aaaa bbbb", "  cccc", "  dddd"]);
        expect("aaaa bbbbb c", 10, &["aaaa bbbbb", "  c"]);
        expect("aaaa bbbb    cc", 10, &["aaaa bbbb", "  cc"]);
        expect("aaaa bbbbb    ", 10, &["aaaa bbbbb"]);
        expect("a\tb\tc", 20, &["a       b       c"]);
        expect("a\tb\tc", 10, &["a       b", "  c"]);
    }

    #[test]
    fn a_word_longer_than_a_row_begins_where_it_stands() {
        expect("hi aaaabbbbccccdddd e", 10, &["hi aaaabbb", "  bccccddd", "  d e"]);
        expect("aaaabbbbcccc", 4, &["aaaa", "  bb", "  bb", "  cc", "  cc"]);
        expect("ab", 1, &["a", "b"]);
    }

    #[test]
    fn a_character_stays_whole_where_there_is_room_for_it() {
        expect("aaaaaaaae\u{301}e\u{301}e\u{301}", 10, &["aaaaaaaae\u{301}e\u{301}", "  e\u{301}"]);
        expect("aaaaaaa漢字漢", 10, &["aaaaaaa漢", "  字漢"]);
        expect("漢", 1, &["?"]);
        expect("aaaaaaaa👩\u{200d}🚀", 10, &["aaaaaaaa", "  👩\u{200d}🚀"]);
        expect("aaa👩\u{200d}👩\u{200d}👩", 6, &["aaa👩\u{200d}", "  👩\u{200d}", "  👩"]);
    }

    #[test]
    fn colours_take_no_columns() {
        let (red, plain) = ("\x1b[31m", "\x1b[0m");
        expect(&format!("From {red}bob{plain}: hi"), 12, &[&format!("From {red}bob{plain}: hi")]);
        expect(&format!("aaaa {red}bobo{plain} c"), 10, &[&format!("aaaa {red}bobo{plain}"), "  c"]);
        expect(&format!("aaaaaaa {red}bobo{plain} c"), 10, &["aaaaaaa", &format!("  {red}bobo{plain} c")]);
    }

    #[test]
    fn rt4_a_line_of_a_megabyte_is_wrapped_in_full() {
        let text = "aaaaaaaaaaaaaaaaaa ".repeat(50_000);
        assert_eq!(wrap(&text, 20).lines().filter(|row| row.ends_with("aaaaaaaaaaaaaaaaaa")).count(), 50_000);
        for text in ["\u{301}", "🇦", "\u{200d}", "漢\u{fe0f}", "👩\u{200d}", "\t", "a\u{3000}", "a"] {
            let text = text.repeat(100_000);
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
            assert_eq!(letters(&wrap(&text, 20)), letters(&text));
        }
    }
}
