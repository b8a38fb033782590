//! The rows of a line on a terminal.

use crate::client::ui::unicode::width;

/// Columns between two tab stops.
pub(super) const TAB: usize = 8;

/// A terminal's size in characters, at least 1 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// A place on rows; the first row and column are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) row: usize,
    pub(crate) column: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) text: String,
    /// The row is full, so that the terminal would wrap here.
    pub(crate) wraps: bool,
}

impl Row {
    pub(crate) fn columns(&self) -> usize {
        self.text.chars().map(width).sum()
    }

    /// Returns the text before this column.
    pub(crate) fn before(&self, column: usize) -> &str {
        let mut columns = 0;
        let behind = self.text.char_indices().find(|(_, c)| {
            columns += width(*c);
            columns > column
        });
        &self.text[..behind.map_or(self.text.len(), |(at, _)| at)]
    }
}

impl Size {
    /// The size of a terminal that does not know its own.
    pub(crate) const FALLBACK: Self = Self { columns: 80, rows: 24 };

    /// Returns how many rows the line being typed may take: half of them, so that messages are seen above it.
    pub(crate) fn input_rows(&self) -> usize {
        (self.rows / 2).max(1)
    }
}

#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) rows: Vec<Row>,
    pub(crate) cursor: Position,
    pub(crate) end: Position,
}

impl Layout {
    /// Lays `text` out from column `from` on, with the cursor at this byte.
    pub(crate) fn new(text: &str, cursor: usize, columns: usize, from: usize) -> Self {
        let mut pen = Pen { rows: vec![Row::default()], column: from, columns };
        let mut at_cursor = None;
        for (at, c) in text.char_indices() {
            let place = match c {
                '\n' => pen.break_line(),
                '\t' => pen.tab(),
                _ => pen.put(c),
            };
            if at == cursor {
                at_cursor = Some(place);
            }
        }
        if pen.column == columns {
            pen.end_row(true);
        }
        let end = pen.position();
        Self { rows: pen.rows, cursor: at_cursor.unwrap_or(end), end }
    }
}

struct Pen {
    rows: Vec<Row>,
    /// The next character's column; behind the last one when the row is full.
    column: usize,
    columns: usize,
}

impl Pen {
    fn position(&self) -> Position {
        Position { row: self.rows.len() - 1, column: self.column }
    }

    fn end_row(&mut self, wraps: bool) {
        if let Some(row) = self.rows.last_mut() {
            row.wraps = wraps;
        }
        self.rows.push(Row::default());
        self.column = 0;
    }

    /// Writes a character, and returns its place.
    fn put(&mut self, c: char) -> Position {
        let (c, width) = match width(c) {
            // It is wider than the terminal.
            width if width > self.columns => ('?', 1),
            width => (c, width),
        };
        if width > 0 && self.column + width > self.columns {
            self.end_row(true);
        }
        let place = self.position();
        if let Some(row) = self.rows.last_mut() {
            row.text.push(c);
        }
        self.column += width;
        place
    }

    fn tab(&mut self) -> Position {
        let place = self.put(' ');
        while self.column % TAB != 0 && self.column < self.columns {
            self.put(' ');
        }
        place
    }

    fn break_line(&mut self) -> Position {
        let Position { row, column } = self.position();
        self.end_row(false);
        Position { row, column: column.min(self.columns - 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, columns: usize) -> Vec<(String, bool)> {
        let layout = Layout::new(text, text.len(), columns, 0);
        layout.rows.into_iter().map(|row| (row.text, row.wraps)).collect()
    }

    fn expect(text: &str, columns: usize, expected: &[(&str, bool)]) {
        let expected: Vec<_> = expected.iter().map(|(text, wraps)| ((*text).to_owned(), *wraps)).collect();
        assert_eq!(rows(text, columns), expected, "{text:?}");
    }

    #[test]
    fn full_rows_wrap_and_a_last_full_one_leaves_the_cursor_on_the_next() {
        expect("", 3, &[("", false)]);
        expect("abcd", 3, &[("abc", true), ("d", false)]);
        expect("abc", 3, &[("abc", true), ("", false)]);
        expect("ab漢c", 3, &[("ab", true), ("漢c", true), ("", false)]);
        expect("abe\u{301}d", 3, &[("abe\u{301}", true), ("d", false)]);
        expect("a\n\nbc", 3, &[("a", false), ("", false), ("bc", false)]);
        expect("abc\nd", 3, &[("abc", false), ("d", false)]);
        expect("a\tb", 20, &[("a       b", false)]);
        expect("a\tb", 4, &[("a   ", true), ("b", false)]);
        expect("a漢", 1, &[("a", true), ("?", true), ("", false)]);
    }

    #[test]
    fn the_cursor_stands_on_its_character() {
        let at = |text: &str, cursor: usize, columns: usize| {
            let Position { row, column } = Layout::new(text, cursor, columns, 0).cursor;
            (row, column)
        };
        assert_eq!(at("abcd", 3, 3), (1, 0));
        assert_eq!(at("ab漢", 2, 3), (1, 0));
        assert_eq!(at("ab漢", 5, 3), (1, 2));
        assert_eq!(at("abc\nd", 3, 3), (0, 2));
        assert_eq!(at("a\nb", 1, 3), (0, 1));
        assert_eq!(at("a\tb", 2, 20), (0, 8));
        assert_eq!(at("", 0, 3), (0, 0));
    }
}
