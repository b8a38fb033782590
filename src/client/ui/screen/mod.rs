//! The screen: chat lines, diagnostics, and below them the line being typed.
//!
//! It produces bytes for streams, and writes none. Without a prompt and a typed text, a chat line is written as it is, or as
//! its rows where lines are wrapped.

mod layout;
mod wrap;

use std::borrow::Cow;
use std::mem;

pub(crate) use self::layout::Size;
use self::layout::{Layout, Position, Row};
use self::wrap::wrap;
use super::unicode::joins;
use crate::limits::OUTPUT_CHUNK;

/// How standard output is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputMode {
    /// Lines without prompts.
    Lines,
    /// A terminal that edits the line itself.
    Prompts,
    /// A terminal of this size whose line is edited here.
    Editing(Size),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Errors,
}

/// A prompt and the text behind it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InputLine<'a> {
    pub(crate) prompt: &'a str,
    pub(crate) text: &'a str,
    /// In bytes from the start of the text.
    pub(crate) cursor: usize,
}

#[derive(Debug)]
pub(crate) struct Screen {
    mode: OutputMode,
    /// Bytes to write, in order.
    output: Vec<(Stream, Vec<u8>)>,
    /// The typed line as it is on the screen.
    drawn: Option<Drawn>,
    wrapping: Wrapping,
}

/// Which lines are wrapped at words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wrapping {
    #[default]
    Nothing,
    /// Chat lines; diagnostics go elsewhere.
    Chat,
    /// Chat lines and diagnostics.
    Everything,
}

/// A line as it was drawn. On a terminal that edits its line itself it is empty.
#[derive(Debug, Default)]
struct Drawn {
    /// Prompt and text.
    text: String,
    cursor: usize,
    /// Columns of each written row.
    rows: Vec<usize>,
    /// The cursor's place on these rows.
    at: Position,
    /// There are rows above that were not written.
    is_cut: bool,
    /// The terminal has changed its size since.
    outdated: bool,
}

impl Screen {
    pub(crate) fn new(mode: OutputMode) -> Self {
        Self { mode, output: Vec::new(), drawn: None, wrapping: Wrapping::Nothing }
    }

    /// Takes the bytes to write, in order.
    pub(crate) fn take_output(&mut self) -> Vec<(Stream, Vec<u8>)> {
        mem::take(&mut self.output)
    }

    pub(crate) fn wrap_lines(&mut self, wrapping: Wrapping) {
        self.wrapping = wrapping;
    }

    /// Shows one or several lines above the line being typed.
    pub(crate) fn print(&mut self, text: &str) {
        self.erase();
        self.put_lines(Stream::Output, text, self.wrapping != Wrapping::Nothing);
    }

    /// Shows a diagnostic in its place among the lines.
    pub(crate) fn warn(&mut self, text: &str) {
        self.erase();
        self.put_lines(Stream::Errors, text, self.wrapping == Wrapping::Everything);
    }

    pub(crate) fn ring(&mut self) {
        if self.mode != OutputMode::Lines {
            self.put("\x07");
        }
    }

    /// Writes a control sequence.
    pub(crate) fn control(&mut self, sequence: Option<&str>) {
        if let Some(sequence) = sequence {
            self.put(sequence);
        }
    }

    /// Draws the line being typed, if it has changed.
    pub(crate) fn refresh(&mut self, line: InputLine<'_>) {
        match self.mode {
            OutputMode::Lines => {}
            OutputMode::Prompts => {
                if self.drawn.is_none() && !line.prompt.is_empty() {
                    self.put(line.prompt);
                    self.drawn = Some(Drawn::default());
                }
            }
            OutputMode::Editing(size) => {
                let text = [line.prompt, line.text].concat();
                let cursor = line.prompt.len() + line.cursor;
                match &self.drawn {
                    Some(drawn) if drawn.shows(&text, cursor) => {}
                    _ if text.is_empty() => self.erase(),
                    _ => self.draw(text, cursor, size, DrawMode::Edit),
                }
            }
        }
    }

    /// Leaves the line where it is, and goes on below it. A terminal that edits the line itself has done so already.
    pub(crate) fn commit(&mut self, line: InputLine<'_>) {
        if let OutputMode::Editing(size) = self.mode {
            let text = [line.prompt, line.text].concat();
            let cursor = text.len();
            match &self.drawn {
                Some(drawn) if drawn.shows(&text, cursor) && drawn.is_one_row() => self.put("\n"),
                _ => self.draw(text, cursor, size, DrawMode::Commit),
            }
        }
        self.drawn = None;
    }

    pub(crate) fn clear(&mut self) {
        self.drawn = None;
        self.put("\x1b[H\x1b[2J");
    }

    /// Notes a new size of the terminal, which has wrapped its rows anew.
    pub(crate) fn resize(&mut self, size: Size) {
        self.mode = OutputMode::Editing(size);
        if let Some(drawn) = &mut self.drawn {
            drawn.outdated = true;
        }
    }

    /// Removes the line being typed from the screen.
    pub(crate) fn erase(&mut self) {
        match (self.mode, self.drawn.take()) {
            (OutputMode::Prompts, Some(_)) => self.put("\n"),
            (OutputMode::Editing(size), Some(drawn)) => {
                self.up(if drawn.outdated { drawn.rows_above_in(size) } else { drawn.at.row });
                self.put("\r\x1b[J");
            }
            _ => {}
        }
    }

    /// Leaves the line being typed, and puts the cursor at the start of the next row.
    pub(crate) fn finish(&mut self, line: InputLine<'_>) {
        if line.text.is_empty() {
            self.erase();
        } else {
            self.commit(line);
        }
    }

    /// Draws `text` with the cursor at this byte.
    fn draw(&mut self, text: String, cursor: usize, size: Size, mode: DrawMode) {
        let Some(text) = self.append(text, cursor, size, mode) else { return };
        self.erase();
        let layout = Layout::new(&text, cursor, size.columns, 0);
        let most = match mode {
            DrawMode::Edit => size.input_rows(),
            // Rows that scroll out can be scrolled back to.
            DrawMode::Commit => layout.rows.len(),
        };
        let top = (layout.cursor.row + 1).saturating_sub(most);
        let bottom = layout.rows.len().min(top + most);
        self.put_rows(&layout.rows[top..bottom], mode);
        let Position { row, column } = layout.cursor;
        if cursor < text.len() {
            self.up(bottom - 1 - row);
            self.put("\r");
            // Write the text before the cursor again: only the terminal knows how wide it is.
            self.put(layout.rows[row].before(column));
        }
        let at = Position { row: row - top, column };
        let rows = layout.rows[top..bottom].iter().map(Row::columns).collect();
        self.drawn = Some(Drawn { text, cursor, rows, at, is_cut: top > 0, outdated: false });
    }

    /// Writes only the end that `text` has more than the drawn one. Returns the text if that is not enough.
    fn append(&mut self, text: String, cursor: usize, size: Size, mode: DrawMode) -> Option<String> {
        let goes_on =
            |drawn: &Drawn| drawn.is_continued_by(&text, cursor) && (mode == DrawMode::Edit || drawn.is_one_row());
        let Some(mut drawn) = self.drawn.take_if(|drawn| goes_on(drawn)) else { return Some(text) };
        let added = &text[drawn.text.len()..];
        let layout = Layout::new(added, added.len(), size.columns, drawn.at.column);
        if drawn.at.row + layout.rows.len() > size.input_rows() {
            self.drawn = Some(drawn);
            return Some(text);
        }
        self.put_rows(&layout.rows, mode);
        let mut rows = layout.rows.iter().map(Row::columns);
        if let (Some(last), Some(more)) = (drawn.rows.last_mut(), rows.next()) {
            *last += more;
        }
        drawn.rows.extend(rows);
        drawn.at = Position { row: drawn.at.row + layout.end.row, column: layout.end.column };
        self.drawn = Some(Drawn { text, cursor, ..drawn });
        None
    }

    fn put_rows(&mut self, rows: &[Row], mode: DrawMode) {
        for (number, row) in rows.iter().enumerate() {
            self.put(&row.text);
            let is_last = number + 1 == rows.len();
            if !is_last && (mode == DrawMode::Edit || !row.wraps) {
                self.put("\r\n");
            }
        }
        let is_on_new_row = matches!(rows, [.., before, last] if last.text.is_empty() && !before.wraps);
        if mode == DrawMode::Commit && !is_on_new_row {
            self.put("\n");
        }
    }

    fn up(&mut self, rows: usize) {
        if rows > 0 {
            self.put(&format!("\x1b[{rows}A"));
        }
    }

    fn put_lines(&mut self, stream: Stream, text: &str, wraps: bool) {
        let OutputMode::Editing(size) = self.mode else {
            self.put_on(stream, text.as_bytes());
            self.put_on(stream, b"\n");
            return;
        };
        for line in text.split('\n') {
            let shown = if wraps { wrap(line, size.columns) } else { Cow::Borrowed(line) };
            self.put_on(stream, shown.as_bytes());
            self.put_on(stream, b"\n");
        }
    }

    fn put(&mut self, text: &str) {
        self.put_on(Stream::Output, text.as_bytes());
    }

    fn put_on(&mut self, stream: Stream, bytes: &[u8]) {
        match self.output.last_mut() {
            // A long piece is not copied again.
            Some((last, piece)) if *last == stream && piece.len() < OUTPUT_CHUNK => piece.extend_from_slice(bytes),
            _ => self.output.push((stream, bytes.to_vec())),
        }
    }
}

/// How the rows of a line are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DrawMode {
    /// Each ends with a line feed, so that a terminal that becomes wider joins no rows: the count of rows to erase stays right.
    Edit,
    /// As one line that the terminal wraps, with the cursor below it.
    Commit,
}

impl Drawn {
    fn is_one_row(&self) -> bool {
        self.rows.len() == 1 && !self.is_cut
    }

    /// Returns how many rows are above the cursor after the terminal has wrapped each row anew. Behind a row that is full,
    /// terminals differ; then the result may be one less.
    fn rows_above_in(&self, size: Size) -> usize {
        let above: usize = self.rows[..self.at.row].iter().map(|columns| columns.div_ceil(size.columns).max(1)).sum();
        let is_behind_last = self.at.column == self.rows[self.at.row];
        let beside = if is_behind_last { self.at.column.saturating_sub(1) } else { self.at.column } / size.columns;
        (above + beside).min(size.rows - 1)
    }

    fn shows(&self, text: &str, cursor: usize) -> bool {
        !self.outdated && self.text == text && self.cursor == cursor
    }

    /// Returns whether the end that `text` has more can be appended. A character that joins the last one cannot, nor can a line
    /// feed: behind a full row the terminal is on the next one already.
    fn is_continued_by(&self, text: &str, cursor: usize) -> bool {
        let is_at_end = self.cursor == self.text.len() && cursor == text.len() && !self.outdated;
        let more = if is_at_end { text.strip_prefix(&self.text) } else { None };
        more.is_some_and(|more| more.chars().next().is_some_and(|first| first != '\n' && !joins(first)))
    }
}

#[cfg(test)]
mod tests;
