//! The latest lines, as they were given to the screen. A terminal that becomes narrower breaks rows wherever they no longer fit,
//! and what follows begins in the first column, where only lines may; so these are wrapped anew, over what it has made of them.

use std::collections::VecDeque;

use super::layout::Size;
use super::wrap::wrap_part;
use super::{Screen, Stream, Wrapping};
use crate::limits::{RECENT_BYTES, RECENT_LINE, RECENT_LINES};

/// The latest lines, the oldest first.
#[derive(Debug, Default)]
pub(super) struct RecentLines {
    lines: VecDeque<RecentLine>,
    /// Bytes of all of them.
    bytes: usize,
    /// The last rows of the terminal, those that have scrolled out included, that are ours: above them may be what others wrote.
    rows: usize,
}

#[derive(Debug)]
struct RecentLine {
    stream: Stream,
    /// All of it, or where it is long what it begins with.
    text: String,
    /// How long all of it is.
    len: usize,
    /// The rows that it has taken.
    rows: usize,
}

impl RecentLines {
    /// Adds a line that has taken so many rows.
    pub(super) fn push(&mut self, stream: Stream, line: &str, rows: usize) {
        let end = (0..=line.len().min(RECENT_LINE)).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        self.lines.push_back(RecentLine { stream, text: line[..end].to_owned(), len: line.len(), rows });
        self.bytes += end;
        self.rows = self.rows.saturating_add(rows);
        while self.lines.len() > RECENT_LINES || self.bytes > RECENT_BYTES {
            self.bytes -= self.lines.pop_front().map_or(self.bytes, |line| line.text.len());
        }
    }

    /// Takes note that the terminal was cleared: of what is on these rows nothing is to be drawn again.
    pub(super) fn clear(&mut self, rows: usize) {
        *self = Self { rows, ..Self::default() };
    }

    /// Takes note that others have written to the terminal.
    pub(super) fn note_others(&mut self) {
        self.rows = 0;
    }

    /// Returns the last lines as they are on a terminal of this size, the last one first: as much as fills so many rows, and
    /// whatever may still be on the screen, so that none is lost.
    fn wrap_last(&mut self, size: Size, room: usize, Wrapping { kept, errors }: Wrapping) -> Vec<String> {
        let (mut before, mut taken) = (0, 0);
        let mut last = Vec::new();
        for line in self.lines.iter_mut().rev().filter(|line| errors || line.stream == Stream::Output) {
            before += line.rows;
            let may_be_seen = before < size.rows;
            if taken >= room && !may_be_seen {
                break;
            }
            let text = wrap_part(&line.text, line.len, size, kept);
            line.rows = rows(&text);
            let surplus = if may_be_seen { 0 } else { (taken + line.rows).saturating_sub(room) };
            taken += line.rows - surplus;
            last.push(without_rows(&text, surplus));
        }
        last
    }
}

impl Screen {
    /// Draws the latest lines over all that a terminal shows that is wider or narrower now, and leaves so many rows for the line
    /// being typed. What others have written there scrolls out first.
    pub(super) fn redraw(&mut self, size: Size, wrapping: Wrapping, input_rows: usize) {
        let lines = self.recent.wrap_last(size, size.rows.saturating_sub(input_rows), wrapping);
        if lines.is_empty() {
            return;
        }
        if self.recent.rows + input_rows < size.rows {
            self.put(&"\n".repeat(size.rows));
            self.recent.rows += size.rows;
        }
        self.put("\x1b[H");
        for line in lines.iter().rev() {
            // Row by row: some terminals put what is cleared at once into what has scrolled out.
            self.put(&["\x1b[K", &line.replace('\n', "\n\x1b[K"), "\n"].concat());
        }
        self.put("\x1b[J");
    }
}

/// Returns how many rows a line takes that was wrapped.
pub(super) fn rows(text: &str) -> usize {
    1 + text.bytes().filter(|byte| *byte == b'\n').count()
}

/// Returns a wrapped line without its first rows, in the colour that it has there.
fn without_rows(text: &str, count: usize) -> String {
    let Some((at, _)) = text.match_indices('\n').take(count).last() else { return text.to_owned() };
    let (above, rest) = (&text[..at], &text[at + 1..]);
    let color = above.rfind('\x1b').and_then(|from| Some(&above[from..=from + above[from..].find('m')?]));
    [color.unwrap_or_default(), rest].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { columns: 10, rows: 4 };
    const WRAPPING: Wrapping = Wrapping { kept: "--log has it", errors: true };

    fn lines(texts: &[&str]) -> RecentLines {
        let mut lines = RecentLines::default();
        texts.iter().for_each(|text| lines.push(Stream::Output, text, SIZE.rows));
        lines
    }

    #[test]
    fn the_last_rows_that_fit_are_drawn_again() {
        let mut recent = lines(&["one", "\x1b[31maaaa bbbb cccc dddd\x1b[0m", "two"]);
        assert_eq!(recent.wrap_last(SIZE, 2, WRAPPING), ["two", "\x1b[31m  dddd\x1b[0m"]);
        assert_eq!(recent.lines[1].rows, 3);
        assert_eq!(recent.lines[0].rows, 4);
        assert_eq!(recent.wrap_last(SIZE, 1, WRAPPING), ["two"]);
    }

    #[test]
    fn what_may_be_on_the_screen_is_drawn_however_many_rows_it_takes_now() {
        let mut recent = RecentLines::default();
        for text in ["one", "aaaa bbbb cccc", "dddd eeee ffff", "gggg hhhh iiii"] {
            recent.push(Stream::Output, text, 1);
        }
        let drawn = ["gggg hhhh\n  iiii", "dddd eeee\n  ffff", "aaaa bbbb\n  cccc"];
        assert_eq!(recent.wrap_last(SIZE, 2, WRAPPING), drawn);
    }

    #[test]
    fn diagnostics_that_go_elsewhere_are_not_drawn() {
        let mut recent = lines(&["one"]);
        recent.push(Stream::Errors, "oops", 1);
        assert_eq!(recent.wrap_last(SIZE, 4, Wrapping { errors: false, ..WRAPPING }), ["one"]);
        assert_eq!(recent.wrap_last(SIZE, 4, WRAPPING), ["oops", "one"]);
    }

    #[test]
    fn they_are_bounded_and_a_long_one_still_says_how_long_it_is() {
        let mut recent = RecentLines::default();
        for number in 0..2 * RECENT_LINES {
            recent.push(Stream::Output, &number.to_string(), 1);
        }
        assert_eq!(recent.lines.len(), RECENT_LINES);
        let long = "aaaa ".repeat(1 << 20);
        for _ in 0..20 {
            recent.push(Stream::Output, &long, 8);
        }
        assert_eq!(recent.bytes, recent.lines.iter().map(|line| line.text.len()).sum::<usize>());
        assert!(recent.bytes <= RECENT_BYTES, "{}", recent.bytes);
        for rows in [4, 1 << 20] {
            let last = recent.wrap_last(Size { rows, columns: 40 }, 1, WRAPPING);
            assert!(last[0].ends_with("… (5.2 MB; --log has it)"), "{:?}", &last[0][last[0].len() - 40..]);
        }
    }
}
