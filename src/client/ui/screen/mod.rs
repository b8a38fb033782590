//! What a person sees: lines, diagnostics, and below them the line being typed, which survives both.
//!
//! It only says which bytes go to which stream. While nothing is typed and there is no prompt, a line is that line and
//! nothing else, or the rows that it takes where lines are wrapped.

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
    /// Lines alone.
    Lines,
    /// A terminal that edits its line itself: lines and prompts.
    Prompts,
    /// A terminal of this size, whose line is edited here.
    Editing(Size),
}

/// A stream to write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Errors,
}

/// The line being typed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InputLine<'a> {
    pub(crate) prompt: &'a str,
    pub(crate) text: &'a str,
    /// Where the cursor is: bytes from the start of the text.
    pub(crate) cursor: usize,
}

/// The screen, as far as it is ours.
#[derive(Debug)]
pub(crate) struct Screen {
    mode: OutputMode,
    /// What is to be written, in order.
    output: Vec<(Stream, Vec<u8>)>,
    /// The line that is on the screen.
    drawn: Option<Drawn>,
    wrapping: Wrapping,
}

/// Which lines are wrapped at words on a terminal that is edited on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wrapping {
    #[default]
    Nothing,
    /// Chat lines; diagnostics go elsewhere.
    Chat,
    /// Chat lines and diagnostics.
    Everything,
}

/// A line as it was drawn.
#[derive(Debug)]
struct Drawn {
    /// The prompt and the text.
    text: String,
    cursor: usize,
    /// Columns of each of its rows, as they were written.
    rows: Vec<usize>,
    /// Where the cursor is on these rows.
    at: Position,
    /// What is above these rows is not shown.
    is_cut: bool,
    /// The terminal has changed since.
    outdated: bool,
}

impl Screen {
    /// Creates an empty screen.
    pub(crate) fn new(mode: OutputMode) -> Self {
        Self { mode, output: Vec::new(), drawn: None, wrapping: Wrapping::Nothing }
    }

    /// Takes what is to be written, in order.
    pub(crate) fn take_output(&mut self) -> Vec<(Stream, Vec<u8>)> {
        mem::take(&mut self.output)
    }

    /// Wraps these lines from now on.
    pub(crate) fn wrap_lines(&mut self, wrapping: Wrapping) {
        self.wrapping = wrapping;
    }

    /// Shows a line, or several, above the line being typed.
    pub(crate) fn print(&mut self, text: &str) {
        self.erase();
        self.put_lines(Stream::Output, text, self.wrapping != Wrapping::Nothing);
    }

    /// Shows a diagnostic, in its place among what is printed.
    pub(crate) fn warn(&mut self, text: &str) {
        self.erase();
        self.put_lines(Stream::Errors, text, self.wrapping == Wrapping::Everything);
    }

    /// Has the terminal make a sound.
    pub(crate) fn ring(&mut self) {
        if self.mode != OutputMode::Lines {
            self.put("\x07");
        }
    }

    /// Tells the terminal something that is not seen, if there is something to tell.
    pub(crate) fn control(&mut self, sequence: Option<&str>) {
        if let Some(sequence) = sequence {
            self.put(sequence);
        }
    }

    /// Shows the line being typed as it is now.
    pub(crate) fn refresh(&mut self, line: InputLine<'_>) {
        match self.mode {
            OutputMode::Lines => {}
            OutputMode::Prompts => {
                if self.drawn.is_none() && !line.prompt.is_empty() {
                    self.put(line.prompt);
                    self.drawn = Some(Drawn::prompt(line.prompt));
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

    /// Commits the line being typed: leaves it where it is, and goes on below it. A terminal that edits its line itself
    /// has done so already.
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

    /// Clears the terminal.
    pub(crate) fn clear(&mut self) {
        self.drawn = None;
        self.put("\x1b[H\x1b[2J");
    }

    /// Notes that the terminal has this size now, and has wrapped what it shows anew.
    pub(crate) fn resize(&mut self, size: Size) {
        self.mode = OutputMode::Editing(size);
        if let Some(drawn) = &mut self.drawn {
            drawn.outdated = true;
        }
    }

    /// Takes the line being typed off the screen.
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

    /// Ends the output: leaves the cursor at the start of a row. What was being typed stays.
    pub(crate) fn finish(&mut self, line: InputLine<'_>) {
        match self.mode {
            OutputMode::Editing(_) if line.text.is_empty() => self.erase(),
            OutputMode::Editing(_) => self.commit(line),
            OutputMode::Lines | OutputMode::Prompts => self.erase(),
        }
    }

    /// Has a terminal of this size show `text` with the cursor at this byte of it.
    fn draw(&mut self, text: String, cursor: usize, size: Size, mode: DrawMode) {
        let Some(text) = self.append(text, cursor, size, mode) else { return };
        self.erase();
        let layout = Layout::new(&text, cursor, size.columns, 0);
        let (top, bottom) = match mode {
            DrawMode::Edit => (layout.top(size.input_rows()), layout.bottom(size.input_rows())),
            // What scrolls out can be scrolled back to.
            DrawMode::Commit => (0, layout.rows.len()),
        };
        self.put_rows(&layout.rows[top..bottom], mode);
        let Position { row, column } = layout.cursor;
        if cursor < text.len() {
            self.up(bottom - 1 - row);
            self.put("\r");
            // Only the terminal knows how far to the right this is: it may take several characters for one.
            self.put(layout.rows[row].before(column));
        }
        let at = Position { row: row - top, column };
        let rows = layout.rows[top..bottom].iter().map(Row::columns).collect();
        self.drawn = Some(Drawn { text, cursor, rows, at, is_cut: top > 0, outdated: false });
    }

    /// Writes only what `text` has more than what is drawn, where that is enough; else returns it.
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
            // Not to move what is long once more.
            Some((last, piece)) if *last == stream && piece.len() < OUTPUT_CHUNK => piece.extend_from_slice(bytes),
            _ => self.output.push((stream, bytes.to_vec())),
        }
    }
}

/// How the rows of a line are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DrawMode {
    /// Each as a line of its own, with the cursor behind the last one. So as many of them are above the cursor as were
    /// written, also on a terminal that has become wider and has not said so yet: too many would be other people's lines.
    Edit,
    /// As one line that the terminal wraps, and the cursor below it.
    Commit,
}

impl Drawn {
    /// A prompt on a terminal that edits its line itself.
    fn prompt(prompt: &str) -> Self {
        let (text, cursor, at) = (prompt.to_owned(), prompt.len(), Position::default());
        Self { text, cursor, rows: vec![0], at, is_cut: false, outdated: false }
    }

    fn is_one_row(&self) -> bool {
        self.rows.len() == 1 && !self.is_cut
    }

    /// Returns how many rows of it there are above the cursor when a terminal has wrapped each of its rows anew. Terminals
    /// differ in where they leave a cursor behind a row that has just become full; it may be one less than it is.
    fn rows_above_in(&self, size: Size) -> usize {
        let above: usize = self.rows[..self.at.row].iter().map(|columns| columns.div_ceil(size.columns).max(1)).sum();
        let is_behind_last = self.at.column == self.rows[self.at.row];
        let beside = if is_behind_last { self.at.column.saturating_sub(1) } else { self.at.column } / size.columns;
        (above + beside).min(size.rows - 1)
    }

    fn shows(&self, text: &str, cursor: usize) -> bool {
        !self.outdated && self.text == text && self.cursor == cursor
    }

    /// Returns whether it is enough to write what `text` has more. What joins the last character is not, nor what ends a row
    /// that is full: the terminal is on the next one already.
    fn is_continued_by(&self, text: &str, cursor: usize) -> bool {
        let is_at_end = self.cursor == self.text.len() && cursor == text.len() && !self.outdated;
        let more = if is_at_end { text.strip_prefix(&self.text) } else { None };
        more.is_some_and(|more| more.chars().next().is_some_and(|first| first != '\n' && !joins(first)))
    }
}

#[cfg(test)]
mod tests;
