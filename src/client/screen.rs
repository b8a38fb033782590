//! What a person sees: lines, diagnostics, and below them the line being typed, which survives both.
//!
//! It only says which bytes go to which stream. While nothing is typed and there is no prompt, a line is that line and
//! nothing else.

mod layout;

use std::mem;

pub(super) use self::layout::Size;
use self::layout::{Layout, Position, Row};
use super::characters::{joins, width};

/// How standard output is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Lines alone.
    Lines,
    /// A terminal that edits its line itself: lines and prompts.
    Prompts,
    /// A terminal of this size, whose line is edited here.
    Editing(Size),
}

/// A stream to write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    Errors,
}

/// The line being typed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line<'a> {
    pub(super) prompt: &'a str,
    pub(super) text: &'a str,
    /// Where the cursor is: bytes from the start of the text.
    pub(super) cursor: usize,
}

/// The screen, as far as it is ours.
#[derive(Debug)]
pub(super) struct Screen {
    style: Style,
    /// What is to be written, in order.
    pieces: Vec<(Stream, Vec<u8>)>,
    /// The line that is on the screen.
    drawn: Option<Drawn>,
}

/// A line as it was drawn.
#[derive(Debug)]
struct Drawn {
    /// The prompt and the text.
    text: String,
    cursor: usize,
    /// Rows of it above the cursor.
    above: usize,
    /// Where it ends; its row is counted like `above`.
    end: Position,
    /// What is above these rows does not fit on the terminal.
    is_cut: bool,
    /// The terminal has changed since.
    outdated: bool,
}

impl Screen {
    /// An empty screen.
    pub(super) fn new(style: Style) -> Self {
        Self { style, pieces: Vec::new(), drawn: None }
    }

    /// What is to be written, in order.
    pub(super) fn take(&mut self) -> Vec<(Stream, Vec<u8>)> {
        mem::take(&mut self.pieces)
    }

    /// Shows a line, or several, above the line being typed.
    pub(super) fn print(&mut self, text: &str) {
        self.hide();
        self.put(text);
        self.put("\n");
    }

    /// Shows a diagnostic, in its place among what is printed.
    pub(super) fn warn(&mut self, text: &str) {
        self.hide();
        let text = format!("{text}\n");
        self.put_on(Stream::Errors, text.as_bytes());
    }

    /// Has the terminal make a sound.
    pub(super) fn ring(&mut self) {
        if self.style != Style::Lines {
            self.put("\x07");
        }
    }

    /// Shows the line being typed as it is now.
    pub(super) fn show(&mut self, line: Line<'_>) {
        match self.style {
            Style::Lines => {}
            Style::Prompts => {
                if self.drawn.is_none() && !line.prompt.is_empty() {
                    self.put(line.prompt);
                    self.drawn = Some(Drawn::at_end(line.prompt.to_owned(), Position::default()));
                }
            }
            Style::Editing(size) => {
                let text = [line.prompt, line.text].concat();
                let cursor = line.prompt.len() + line.cursor;
                match &self.drawn {
                    Some(drawn) if drawn.shows(&text, cursor) => {}
                    _ if text.is_empty() => self.hide(),
                    _ => self.draw(text, cursor, size, Below::Cursor),
                }
            }
        }
    }

    /// The line being typed is done: leaves it where it is, and goes on below it. A terminal that edits its line itself
    /// has done so already.
    pub(super) fn done(&mut self, line: Line<'_>) {
        if let Style::Editing(size) = self.style {
            let text = [line.prompt, line.text].concat();
            let cursor = text.len();
            match &self.drawn {
                Some(drawn) if drawn.shows(&text, cursor) && !drawn.is_cut => {
                    let is_on_row_of_its_own = drawn.end.is_on_new_row();
                    self.put(if is_on_row_of_its_own { "" } else { "\n" });
                }
                _ => self.draw(text, cursor, size, Below::Output),
            }
        }
        self.drawn = None;
    }

    /// Clears the terminal.
    pub(super) fn clear(&mut self) {
        self.drawn = None;
        self.put("\x1b[H\x1b[2J");
    }

    /// The terminal has this size now, and has wrapped what it shows anew.
    pub(super) fn resize(&mut self, size: Size) {
        self.style = Style::Editing(size);
        if let Some(drawn) = &mut self.drawn {
            let most = if drawn.is_cut { drawn.above } else { size.rows - 1 };
            drawn.above = drawn.rows_above_at_least(size.columns).min(most);
            drawn.outdated = true;
        }
    }

    /// Takes the line being typed off the screen.
    pub(super) fn hide(&mut self) {
        let Some(drawn) = self.drawn.take() else { return };
        match self.style {
            Style::Lines => {}
            Style::Prompts => self.put("\n"),
            Style::Editing(_) => {
                self.up(drawn.above);
                self.put("\r\x1b[J");
            }
        }
    }

    /// Nothing more will be shown: leaves the cursor at the start of a row. What was being typed stays.
    pub(super) fn end(&mut self, line: Line<'_>) {
        match self.style {
            Style::Editing(_) if line.text.is_empty() => self.hide(),
            Style::Editing(_) => self.done(line),
            Style::Lines | Style::Prompts => self.hide(),
        }
    }

    /// Has a terminal of this size show `text` with the cursor at this byte of it.
    fn draw(&mut self, text: String, cursor: usize, size: Size, below: Below) {
        let is_whole = |drawn: &&Drawn| below == Below::Cursor || !drawn.is_cut;
        if let Some(drawn) = self.drawn.as_ref().filter(|drawn| drawn.is_continued_by(&text, cursor)).filter(is_whole) {
            let (from, is_cut) = (drawn.end, drawn.is_cut);
            let added = &text[drawn.text.len()..];
            let layout = Layout::new(added, added.len(), size.columns, from.column);
            if from.row + layout.rows.len() <= size.rows {
                self.put_rows(&layout.rows, below);
                let end = Position { row: from.row + layout.end.row, column: layout.end.column };
                self.drawn = Some(Drawn { is_cut, ..Drawn::at_end(text, end) });
                return;
            }
        }
        self.hide();
        let layout = Layout::new(&text, cursor, size.columns, 0);
        let (top, bottom) = match below {
            Below::Cursor => (layout.top(size.rows), layout.rows.len().min(layout.top(size.rows) + size.rows)),
            // What scrolls out can be scrolled back to.
            Below::Output => (0, layout.rows.len()),
        };
        self.put_rows(&layout.rows[top..bottom], below);
        let above = layout.cursor.row - top;
        if cursor < text.len() {
            self.up(bottom - 1 - layout.cursor.row);
            self.put("\r");
            self.right(layout.cursor.column);
        }
        let end = Position { row: layout.end.row.saturating_sub(top), column: layout.end.column };
        self.drawn = Some(Drawn { text, cursor, above, end, is_cut: top > 0, outdated: false });
    }

    fn put_rows(&mut self, rows: &[Row], below: Below) {
        for (number, row) in rows.iter().enumerate() {
            self.put(&row.text);
            match rows.get(number + 1) {
                Some(next) if row.wraps && next.text.is_empty() && below == Below::Cursor => self.put(" \r"),
                Some(_) if row.wraps => {}
                Some(_) => self.put("\r\n"),
                None => {}
            }
        }
        let is_on_new_row = matches!(rows, [.., before, last] if last.text.is_empty() && !before.wraps);
        if below == Below::Output && !is_on_new_row {
            self.put("\n");
        }
    }

    fn up(&mut self, rows: usize) {
        if rows > 0 {
            self.put(&format!("\x1b[{rows}A"));
        }
    }

    fn right(&mut self, columns: usize) {
        if columns > 0 {
            self.put(&format!("\x1b[{columns}C"));
        }
    }

    fn put(&mut self, text: &str) {
        self.put_on(Stream::Output, text.as_bytes());
    }

    fn put_on(&mut self, stream: Stream, bytes: &[u8]) {
        match self.pieces.last_mut() {
            Some((last, piece)) if *last == stream => piece.extend_from_slice(bytes),
            _ => self.pieces.push((stream, bytes.to_vec())),
        }
    }
}

/// What is to stand on the row below a full last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Below {
    /// The cursor: a full row alone leaves it in the last column.
    Cursor,
    /// What is shown next; so the cursor goes there in any case.
    Output,
}

impl Drawn {
    fn at_end(text: String, end: Position) -> Self {
        Self { cursor: text.len(), text, above: end.row, end, is_cut: false, outdated: false }
    }

    /// How many rows of it there are above the cursor once a terminal has wrapped it anew to so many columns, or a few
    /// less: terminals differ in what becomes of wide characters and of a cursor behind a row that has just become full.
    /// A row that is taken for another's is not erased by mistake.
    fn rows_above_at_least(&self, columns: usize) -> usize {
        let (before, last) = match self.text[..self.cursor].rsplit_once('\n') {
            Some((before, last)) => (Some(before), last),
            None => (None, &self.text[..self.cursor]),
        };
        let columns_of = |line: &str| line.chars().map(width).sum::<usize>();
        let rows =
            before.map_or(0, |before| before.split('\n').map(|line| columns_of(line).div_ceil(columns).max(1)).sum());
        let column = columns_of(last);
        let is_behind_last = self.cursor == self.text.len() && !self.end.is_on_new_row();
        rows + if is_behind_last { column.saturating_sub(1) } else { column } / columns
    }

    fn shows(&self, text: &str, cursor: usize) -> bool {
        !self.outdated && self.text == text && self.cursor == cursor
    }

    /// Whether it is enough to write what `text` has more. What joins the last character does not count as more.
    fn is_continued_by(&self, text: &str, cursor: usize) -> bool {
        let is_at_end = self.cursor == self.text.len() && cursor == text.len() && !self.outdated;
        let more = if is_at_end { text.strip_prefix(&self.text) } else { None };
        more.is_some_and(|more| more.chars().next().is_some_and(|first| !joins(first)))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod virtual_screen;
