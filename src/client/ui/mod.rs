//! The user interface: what is shown on the standard streams, what is copied to a file, and what is typed.

pub(crate) mod editor;
mod line_input;
mod options;
mod output;
pub(crate) mod screen;
mod style;
pub(crate) mod terminal;
#[cfg(test)]
mod tests;
mod transcript;
mod unicode;

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use self::editor::{Key, Mode, Outcome};
use self::line_input::LineInput;
pub use self::options::{Bell, Color, UiOptions};
use self::output::Output;
use self::screen::{InputLine, OutputMode, Screen, Size, Stream, Wrapping};
use self::style::LineStyle;
use self::terminal::Terminal;
pub(crate) use self::transcript::Transcript;
use crate::client::messages;
use crate::client::session::{Names, Protocol};
use crate::limits::{OUTPUT_WAIT, RESTORE_STEP, RESTORE_STEPS, RESTORE_WAIT};
use crate::protocol::{Scope, sanitize};
use crate::sys;

/// Mark of a typed line in the copy.
const TYPED: &str = "> ";

/// What keys ask of the rest of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyAction {
    /// Handle a line, or several pasted ones as one text.
    Submit(String),
    /// The first single key was pressed: a user is at the keyboard.
    Person,
    /// Ask who is online: the user completes names.
    RefreshNames,
    /// End, as on a signal.
    Interrupt,
}

/// The standard streams, the line being typed and the copy in a file.
#[derive(Debug)]
pub(crate) struct Ui {
    mode: Mode,
    screen: Screen,
    output: Output,
    /// How long the end waits for the output.
    pub(crate) patience: Duration,
    style: LineStyle,
    /// A diagnostic in a row above the line being typed.
    passing: Option<String>,
    /// Submitted lines that are not shown yet, with their prompts; a line that becomes a message is shown as that.
    entered: VecDeque<(String, String)>,
    /// Each line of the protocol is shown.
    pub(crate) traces: bool,
    transcript: Option<Transcript>,
    protocol: &'static Protocol,
    /// `None` where the terminal edits the line itself, and for a pipe.
    input: Option<LineInput>,
}

impl Ui {
    /// Takes the standard streams. The output thread calls `notify` when its state changes.
    pub(crate) fn open(
        options: &UiOptions,
        protocol: &'static Protocol,
        transcript: Option<Transcript>,
        notify: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let is_terminal = io::stdout().is_terminal();
        let mut ui = Self {
            mode: Mode::Script,
            screen: Screen::new(if is_terminal { OutputMode::Prompts } else { OutputMode::Lines }),
            output: Output::start(notify)?,
            patience: OUTPUT_WAIT,
            style: LineStyle::new(options),
            passing: None,
            entered: VecDeque::new(),
            traces: options.trace,
            transcript,
            protocol,
            input: None,
        };
        if options.want_editor() {
            ui.enter_raw_mode();
        }
        Ok(ui)
    }

    /// Takes the line being typed over from the terminal, if that is possible.
    fn enter_raw_mode(&mut self) {
        match Terminal::open() {
            Ok(Some((mut terminal, size))) => {
                self.screen = Screen::new(OutputMode::Editing(size));
                self.screen.control(terminal.begin_bracketed_paste());
                self.input = Some(LineInput::new(terminal, self.protocol));
            }
            Ok(None) => {}
            Err(error) => self.screen.warn(&messages::plain_mode(&error)),
        }
    }

    /// Returns whether the reader of standard input must report keys instead of lines.
    pub(crate) fn takes_keys(&self) -> bool {
        self.input.is_some()
    }

    /// Returns whether a user is at the keyboard.
    pub(crate) fn has_person(&self) -> bool {
        self.mode == Mode::Keyboard
    }

    fn enter_keyboard_mode(&mut self) {
        self.mode = Mode::Keyboard;
        self.style.enter_keyboard_mode();
        let Some(input) = &mut self.input else { return };
        input.editor.set_mode(self.mode);
        if input.terminal.has_size {
            let all = io::stderr().is_terminal();
            self.screen.wrap_lines(if all { Wrapping::Everything } else { Wrapping::Chat });
        }
    }

    /// Handles bytes from the terminal.
    pub(crate) fn handle_keys(&mut self, bytes: &[u8], after_pause: bool, prompt: &str) -> Vec<KeyAction> {
        let mut actions = Vec::new();
        let Some(input) = &mut self.input else { return actions };
        let keys = input.decode(bytes, after_pause);
        let ends_line = bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        if input.is_pasting || !ends_line {
            self.screen.control(input.terminal.enable_bracketed_paste());
        }
        if self.mode == Mode::Script && input.is_single_key(&keys, after_pause) {
            self.enter_keyboard_mode();
            actions.push(KeyAction::Person);
        }
        for key in keys {
            if self.input.as_ref().is_some_and(|input| input.editor.begins_name(&key)) {
                actions.push(KeyAction::RefreshNames);
            }
            actions.extend(self.handle_key(key, prompt));
        }
        for action in &actions {
            if let KeyAction::Submit(line) = action {
                self.log(TYPED, line);
            }
        }
        actions
    }

    fn handle_key(&mut self, key: Key, prompt: &str) -> Option<KeyAction> {
        let input = self.input.as_mut()?;
        match input.editor.handle_key(key, &input.completion)? {
            Outcome::Submit(text) => {
                match self.mode {
                    _ if !input.terminal.is_editing() => {}
                    Mode::Keyboard => {
                        self.screen.erase();
                        self.entered.push_back((prompt.to_owned(), text.clone()));
                    }
                    Mode::Script => self.screen.commit(InputLine { prompt, text: &text, cursor: text.len() }),
                }
                return Some(KeyAction::Submit(text));
            }
            Outcome::End => return Some(KeyAction::Submit(String::from("!quit"))),
            Outcome::Interrupt => return Some(KeyAction::Interrupt),
            Outcome::Cleared => self.screen.print(&self.style.dim(messages::CTRL_C_AGAIN)),
            Outcome::Clear => self.screen.clear(),
            Outcome::Bell => self.screen.ring(),
        }
        None
    }

    /// Returns when an ESC counts as a key of its own, if no more bytes follow it.
    pub(crate) fn escape_at(&self) -> Option<Instant> {
        self.input.as_ref()?.escape_at()
    }

    /// Gives up the line being typed, or the one that a search has found, and leaves it on the screen.
    pub(crate) fn abandon_line(&mut self, prompt: &str) {
        let Some(input) = &mut self.input else { return };
        if !input.editor.text().is_empty() {
            self.screen.finish(input.whole_line(prompt));
            input.editor.clear();
        }
    }

    pub(crate) fn add_history_entry(&mut self, line: &str) {
        if let Some(input) = &mut self.input {
            input.editor.add_history_entry(line);
        }
    }

    /// Puts a submitted line that was not sent back into the editor, unless another line is being typed. In a script this does
    /// nothing: the next line would be appended to it.
    pub(crate) fn give_back(&mut self, line: &str) {
        if let (Some(input), Mode::Keyboard) = (&mut self.input, self.mode) {
            input.editor.give_back(line);
        }
    }

    /// Returns whether no line is being typed, so that one can be given back.
    pub(crate) fn is_line_empty(&self) -> bool {
        self.input.as_ref().is_some_and(|input| input.editor.text().is_empty())
    }

    /// Returns whether this line was submitted and is not shown yet.
    pub(crate) fn has_entered(&self, line: &str) -> bool {
        self.entered.front().is_some_and(|(_, text)| text == line)
    }

    /// Shows the oldest such line as it was typed, unless it is shown in another way.
    pub(crate) fn settle_entered(&mut self, is_replaced: bool) {
        if let Some((prompt, text)) = self.entered.pop_front().filter(|_| !is_replaced) {
            self.screen.commit(InputLine { prompt: &prompt, text: &text, cursor: text.len() });
        }
    }

    /// Copies a line that came from a pipe, or from a terminal that edits it itself.
    pub(crate) fn log_line(&mut self, line: &str) {
        self.screen.commit(InputLine::default());
        self.log(TYPED, line);
    }

    /// Stores the names of users who are online, for completion.
    pub(crate) fn note_names(&mut self, names: &Names) {
        if let Some(input) = &mut self.input {
            input.completion.note_names(names);
        }
    }

    /// Shows one or several lines of the chat.
    pub(crate) fn print(&mut self, text: &str) {
        self.log("", text);
        self.screen.print(&self.style.line(text, SystemTime::now()));
    }

    /// Shows a message to the user `me`; the sender's name is at `sender` in the line.
    pub(crate) fn print_message(&mut self, line: &str, sender: Range<usize>, scope: Scope, me: &str) {
        let is_direct = scope == Scope::Direct;
        if let Some(input) = &mut self.input {
            input.completion.note_message(&line[sender.clone()], is_direct);
        }
        self.log("", line);
        let rings = self.style.rings(&line[sender.end..], is_direct, me);
        self.screen.print(&self.style.message(line, sender, me, SystemTime::now()));
        if rings {
            self.screen.ring();
        }
    }

    /// Shows the user's own message in place of the line as it was typed.
    pub(crate) fn print_sent(&mut self, from: &str, to: Option<&str>, text: &str) {
        if let (Some(input), Some(to)) = (&mut self.input, to) {
            input.completion.note_sent(to);
        }
        if self.mode == Mode::Keyboard {
            let to = to.map(|to| sanitize(to.as_bytes()));
            let text = sanitize(text.as_bytes());
            self.screen.print(&self.style.sent(from, to.as_deref(), &text, SystemTime::now()));
        }
    }

    /// Shows which commands and keys there are.
    pub(crate) fn print_help(&mut self) {
        let mut text = self.protocol.help();
        if self.input.is_some() {
            text += messages::KEYS;
        }
        self.screen.print(&self.style.dim(text.trim_end()));
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.log("", text);
        self.screen.warn(text);
    }

    /// Shows a diagnostic above the line being typed, in place of the last such one; in a script, as any other.
    pub(crate) fn warn_in_passing(&mut self, text: String) {
        if self.mode == Mode::Script {
            return self.warn(&text);
        }
        self.log("", &text);
        self.passing = Some(text + "\n");
    }

    /// Removes that diagnostic.
    pub(crate) fn forget_warning(&mut self) {
        self.passing = None;
    }

    /// Shows a line of the protocol.
    pub(crate) fn trace(&mut self, direction: char, line: &str) {
        self.screen.warn(&format!("trace {direction} {line}"));
    }

    /// Hands everything new to the output thread, and the line being typed behind it.
    ///
    /// # Errors
    ///
    /// When a write to standard output has failed.
    pub(crate) fn refresh(&mut self, prompt: &str) -> io::Result<()> {
        let prompt = &[self.passing.as_deref().unwrap_or_default(), prompt].concat();
        match &self.input {
            Some(input) => self.screen.refresh(input.line(prompt)),
            None => self.screen.refresh(InputLine { prompt, ..InputLine::default() }),
        }
        self.write();
        self.output.check()
    }

    pub(crate) fn is_congested(&self) -> bool {
        self.output.is_congested()
    }

    /// Hands over the last output.
    pub(crate) fn finish(&mut self, prompt: &str) {
        self.screen.finish(self.input.as_ref().map_or(InputLine::default(), |input| input.whole_line(prompt)));
        self.disable_bracketed_paste();
        self.write();
        self.output.finish();
    }

    /// Returns whether everything is written. After [`Ui::finish`] the output thread notifies when it is.
    pub(crate) fn is_finished(&self) -> io::Result<bool> {
        let is_finished = self.output.is_done();
        self.output.check()?;
        Ok(is_finished)
    }

    /// Ctrl-Z: restores the terminal for other programs.
    pub(crate) fn suspend(&mut self) {
        self.screen.erase();
        self.disable_bracketed_paste();
        self.write();
        self.output.wait(OUTPUT_WAIT);
        terminal::restore();
    }

    /// Takes the terminal again, which may have another size.
    pub(crate) fn resume(&mut self) {
        if let Some(input) = &mut self.input {
            if let Err(error) = input.terminal.enter_raw_mode() {
                self.screen.warn(&messages::plain_mode(&error));
            }
            self.screen.erase();
            self.screen.control(input.terminal.resume_bracketed_paste());
            self.resize();
        }
    }

    /// Redraws the line for another size of the terminal.
    pub(crate) fn resize(&mut self) {
        if self.input.is_some() {
            self.screen.resize(terminal::measure().unwrap_or(Size::FALLBACK));
        }
    }

    fn disable_bracketed_paste(&mut self) {
        if let Some(input) = &mut self.input {
            self.screen.control(input.terminal.disable_bracketed_paste());
        }
    }

    fn write(&mut self) {
        for (stream, bytes) in self.screen.take_output() {
            self.output.push(stream, &bytes);
        }
    }

    /// Copies text to the file, and gives the file up after an error.
    fn log(&mut self, mark: &str, text: &str) {
        let Some(transcript) = &mut self.transcript else { return };
        if let Err(error) = transcript.add(mark, text) {
            self.screen.warn(&messages::log_failed(&transcript.name(), &error));
            self.transcript = None;
        }
    }
}

impl Drop for Ui {
    /// Restores the terminal, even if it does not take the rest of the output.
    fn drop(&mut self) {
        self.disable_bracketed_paste();
        self.write();
        if !self.output.wait(self.patience) {
            self.output.discard();
            if self.input.is_some() {
                // The thread may be in the middle of a write, which a discarded queue of the terminal lets go on.
                let mut steps = 0..RESTORE_STEPS;
                while steps.next().is_some() && sys::discard_terminal_output() && !self.output.wait(RESTORE_STEP) {}
                sys::discard_terminal_output();
                self.output.push(Stream::Output, terminal::AFTER_DISCARD);
                self.output.wait(RESTORE_WAIT);
            }
        }
    }
}
