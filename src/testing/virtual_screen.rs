//! A terminal in miniature: applies what was written to it, and tells what a person would see.
//!
//! The integration tests use it too. It knows what our programs write and panics at everything else, so that nothing is written that is not looked at.

/// The terminal.
pub(crate) struct VirtualScreen {
    columns: usize,
    rows: usize,
    /// All rows, those that have scrolled out at the top included.
    grid: Vec<Row>,
    /// The first row that has not scrolled out.
    top: usize,
    /// The cursor, counted on all rows.
    row: usize,
    column: usize,
    /// The last character was written to the last column, and the next one goes to the next row.
    full: bool,
    /// What has come of an escape sequence.
    sequence: String,
}

#[derive(Clone, Default)]
struct Row {
    /// A character with what joins it; empty behind a wide one.
    cells: Vec<String>,
    /// It goes on in the next row.
    wraps: bool,
}

impl VirtualScreen {
    /// An empty screen.
    pub(crate) fn new(columns: usize, rows: usize) -> Self {
        let grid = vec![Row::default()];
        Self { columns, rows, grid, top: 0, row: 0, column: 0, full: false, sequence: String::new() }
    }

    /// Writes to the screen.
    pub(crate) fn write(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                _ if !self.sequence.is_empty() || c == '\x1b' => self.escape(c),
                '\n' => self.line_feed(),
                '\r' => (self.column, self.full) = (0, false),
                '\x07' => {}
                c if c.is_control() => panic!("unexpected {c:?}"),
                c => self.put(c),
            }
        }
    }

    /// What a person sees, with all that has scrolled out at the top; without blanks at the ends.
    pub(crate) fn text(&self) -> String {
        let rows: Vec<String> = self.grid.iter().map(|row| row.cells.concat().trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// The row of the cursor, counted like the lines of [`VirtualScreen::text`], and its column.
    pub(crate) fn cursor(&self) -> (usize, usize) {
        (self.row, self.column)
    }

    /// Forgets everything above the row of the cursor.
    pub(crate) fn forget(&mut self) {
        self.grid.drain(..self.row);
        (self.top, self.row) = (0, 0);
    }

    /// Gives it another size; rows that had wrapped are wrapped anew, as most terminals do.
    pub(crate) fn resize(&mut self, columns: usize, rows: usize) {
        let old = std::mem::take(&mut self.grid);
        let mut lines: Vec<Vec<String>> = vec![Vec::new()];
        let mut cursor = (0, 0);
        for (number, row) in old.iter().enumerate() {
            if number == self.row {
                cursor = (lines.len() - 1, lines[lines.len() - 1].len() + self.column);
            }
            let line = lines.last_mut().expect("there is one");
            line.extend(row.cells.iter().cloned());
            if row.wraps {
                let padding = self.columns.saturating_sub(row.cells.len());
                line.extend((0..padding).map(|_| String::from(" ")));
            } else {
                lines.push(Vec::new());
            }
        }
        if lines.len() > 1 {
            lines.pop();
        }
        (self.columns, self.rows, self.full) = (columns, rows, false);
        for (number, line) in lines.iter().enumerate() {
            if number == cursor.0 {
                // Behind the last character of a row that is full now, the cursor stays on that row.
                let is_behind_last = cursor.1 == line.len() && cursor.1 > 0;
                let at = if is_behind_last && cursor.1 % columns == 0 { cursor.1 - 1 } else { cursor.1 };
                (self.row, self.column) = (self.grid.len() + at / columns, at % columns);
            }
            let mut parts: Vec<Row> =
                line.chunks(columns).map(|cells| Row { cells: cells.to_vec(), wraps: true }).collect();
            parts.resize_with(parts.len().max(1), Row::default);
            parts.last_mut().expect("there is one").wraps = false;
            self.grid.append(&mut parts);
        }
        self.top = 0;
        self.reach_row();
        // The cursor stays on the screen; what is too far below it is lost.
        self.top = self.top.min(self.row);
        self.grid.truncate(self.top + rows);
    }

    fn put(&mut self, c: char) {
        let width = width(c);
        if width == 0 {
            let row = &mut self.grid[self.row];
            let before = if self.full { self.column } else { self.column.saturating_sub(1) };
            let at = (0..=before).rev().find(|at| row.cells.get(*at).is_some_and(|cell| !cell.is_empty()));
            if let Some(at) = at {
                row.cells[at].push(c);
            }
            return;
        }
        if self.full || self.column + width > self.columns {
            self.grid[self.row].wraps = true;
            self.line_feed();
        }
        let row = &mut self.grid[self.row];
        let needed = row.cells.len().max(self.column + width);
        row.cells.resize_with(needed, || String::from(" "));
        row.cells[self.column] = c.to_string();
        row.cells[self.column + 1..self.column + width].iter_mut().for_each(String::clear);
        self.column += width;
        if self.column == self.columns {
            (self.column, self.full) = (self.columns - 1, true);
        }
    }

    /// To the start of the next row: the terminal makes a CR LF of an LF.
    fn line_feed(&mut self) {
        (self.row, self.column, self.full) = (self.row + 1, 0, false);
        self.reach_row();
    }

    fn reach_row(&mut self) {
        let needed = self.grid.len().max(self.row + 1);
        self.grid.resize_with(needed, Row::default);
        self.top = self.top.max(needed.saturating_sub(self.rows));
    }

    fn escape(&mut self, c: char) {
        self.sequence.push(c);
        let Some(body) = self.sequence.strip_prefix("\x1b[") else { return };
        let Some(last) = body.chars().last().filter(char::is_ascii_alphabetic) else { return };
        let body = body[..body.len() - 1].to_owned();
        let count = body.parse().unwrap_or(1);
        match (body.as_str(), last) {
            (_, 'A') => self.row = self.row.saturating_sub(count).max(self.top),
            (_, 'C') => self.column = (self.column + count).min(self.columns - 1),
            ("", 'H') => (self.row, self.column) = (self.top, 0),
            ("", 'J') => {
                self.grid.truncate(self.row + 1);
                self.grid[self.row].cells.truncate(self.column);
                self.grid[self.row].wraps = false;
            }
            ("2", 'J') => {
                self.grid[self.top..].iter_mut().for_each(|row| *row = Row::default());
            }
            ("?2004", 'h' | 'l') | (_, 'm') => {}
            _ => panic!("unexpected {:?}", self.sequence),
        }
        self.full = false;
        self.sequence.clear();
    }
}

/// Columns that a character takes, for those that tests use.
fn width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff60}' => 2,
        '\u{1f300}'..='\u{1faff}' => 2,
        _ => 1,
    }
}
