//! The person's side: what is shown, on the standard streams and in the copy, and what is typed.

mod chat;
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
mod typing;
mod unicode;

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::time::Duration;

use self::line_input::LineInput;
use self::options::clock_ahead_of_utc;
pub use self::options::{Bell, UiOptions};
use self::output::Output;
use self::screen::{InputLine, OutputMode, Screen, Stream};
pub use self::style::Color;
use self::style::LineStyle;
use self::terminal::Terminal;
pub(crate) use self::transcript::Transcript;
pub(crate) use self::typing::KeyAction;
use crate::client::messages;
use crate::client::session::{Names, Protocol};
use crate::limits::{OUTPUT_WAIT, RESTORE_STEP, RESTORE_STEPS, RESTORE_WAIT};
use crate::sys;

/// What stands in the copy before what was typed.
const TYPED: &str = "> ";

/// The standard streams, the line being typed and the copy in a file.
#[derive(Debug)]
pub(crate) struct Ui {
    screen: Screen,
    output: Output,
    /// How long the end waits for what is still to be shown.
    patience: Duration,
    line_style: LineStyle,
    /// There are colours as soon as a person is there.
    may_color: bool,
    /// A person is there, and not a program that types whole lines: what is shown is more than lines.
    has_person: bool,
    /// What is said in a row that goes with the line being typed.
    passing: Option<String>,
    /// What was entered, and is not shown yet: it may become something else. With the prompts before it.
    entered: VecDeque<(String, String)>,
    bell: Bell,
    traces: bool,
    transcript: Option<Transcript>,
    protocol: &'static Protocol,
    /// `None` where the line being typed is left to the terminal, or to a pipe.
    input: Option<LineInput>,
}

impl Ui {
    /// Takes the standard streams for a session of this protocol, and a file to copy the chat to.
    ///
    /// # Errors
    ///
    /// When the thread that writes them cannot be started. It calls `notify` when there is something new to know of it.
    pub(crate) fn open(
        options: &UiOptions,
        protocol: &'static Protocol,
        transcript: Option<Transcript>,
        notify: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let is_terminal = io::stdout().is_terminal();
        let ahead = if options.timestamps { clock_ahead_of_utc() } else { 0 };
        let line_style = LineStyle::new(options.color == Color::Always, options.timestamps, ahead);
        let mut ui = Self {
            screen: Screen::new(if is_terminal { OutputMode::Prompts } else { OutputMode::Lines }),
            output: Output::start(notify)?,
            patience: OUTPUT_WAIT,
            line_style,
            may_color: options.may_color(),
            has_person: false,
            passing: None,
            entered: VecDeque::new(),
            bell: options.bell,
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

    /// Returns whether keys are wanted, and not lines.
    pub(crate) fn takes_keys(&self) -> bool {
        self.input.is_some()
    }

    /// Shows a diagnostic.
    pub(crate) fn warn(&mut self, text: &str) {
        self.log("", text);
        self.screen.warn(text);
    }

    /// Returns whether lines as they come and go are wanted.
    pub(crate) fn traces(&self) -> bool {
        self.traces
    }

    /// Shows a line as it came or went, which is no part of the chat.
    pub(crate) fn trace(&mut self, direction: char, line: &str) {
        self.screen.warn(&format!("trace {direction} {line}"));
    }

    /// Shows a person a diagnostic in a row above the line being typed, in place of the last one there.
    pub(crate) fn warn_in_passing(&mut self, text: String) {
        if self.has_person {
            self.log("", &text);
            self.passing = Some(text + "\n");
        } else {
            self.warn(&text);
        }
    }

    /// Takes that diagnostic away.
    pub(crate) fn forget_warning(&mut self) {
        self.passing = None;
    }

    /// Takes note of who is online, whose names can be completed.
    pub(crate) fn note_names(&mut self, names: &Names) {
        if let Some(input) = &mut self.input {
            input.completion.note_names(names);
        }
    }

    /// Shows what can be typed.
    pub(crate) fn print_help(&mut self) {
        let mut text = self.protocol.help();
        if self.input.is_some() {
            text += messages::KEYS;
        }
        self.screen.print(&self.line_style.dim(text.trim_end()));
    }

    /// Notes a line that the terminal, or a pipe, has handed over.
    pub(crate) fn log_line(&mut self, line: &str) {
        self.screen.commit(InputLine::default());
        self.log(TYPED, line);
    }

    /// Shows everything that is to be shown, and behind it the line being typed, as soon as standard output takes it.
    ///
    /// # Errors
    ///
    /// When standard output could not be written.
    pub(crate) fn refresh(&mut self, prompt: &str) -> io::Result<()> {
        let prompt = &[self.passing.as_deref().unwrap_or_default(), prompt].concat();
        match &self.input {
            Some(input) => self.screen.refresh(input.line(prompt)),
            None => self.screen.refresh(InputLine { prompt, ..InputLine::default() }),
        }
        self.write();
        self.output.check()
    }

    /// Returns whether more waits to be shown than should.
    pub(crate) fn is_congested(&self) -> bool {
        self.output.is_congested()
    }

    /// Shows what is left to be shown, at the end.
    pub(crate) fn finish(&mut self, prompt: &str) {
        match &self.input {
            Some(input) => self.screen.finish(input.whole_line(prompt)),
            None => self.screen.finish(InputLine::default()),
        }
        self.disable_bracketed_paste();
        self.write();
    }

    /// Returns whether all is shown, once more when it is.
    ///
    /// # Errors
    ///
    /// As [`Ui::refresh`].
    pub(crate) fn is_finished(&self) -> io::Result<bool> {
        let is_finished = self.output.finish();
        self.output.check()?;
        Ok(is_finished)
    }

    /// Has the end wait no longer than this for what is still to be shown.
    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Ctrl-Z: leaves the terminal to others.
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

    /// Draws the line anew for another size of the terminal.
    pub(crate) fn resize(&mut self) {
        if self.input.is_some() {
            self.screen.resize(Terminal::size());
        }
    }

    fn disable_bracketed_paste(&mut self) {
        if let Some(input) = &mut self.input {
            self.screen.control(input.terminal.disable_bracketed_paste());
        }
    }

    fn write(&mut self) {
        for (stream, bytes) in self.screen.take_output() {
            self.output.push(stream, bytes);
        }
    }

    /// Copies text to the file; one that cannot be written is given up.
    fn log(&mut self, mark: &str, text: &str) {
        let Some(transcript) = &mut self.transcript else { return };
        if let Err(error) = transcript.add(mark, text) {
            self.screen.warn(&messages::log_failed(&transcript.name(), &error));
            self.transcript = None;
        }
    }
}

impl Drop for Ui {
    /// Leaves the terminal as it was, whatever it has not taken of what was to be shown.
    fn drop(&mut self) {
        self.disable_bracketed_paste();
        self.write();
        if !self.output.wait(self.patience) {
            self.output.discard();
            if self.input.is_some() {
                // The piece that it is being given has to go the same way.
                let mut steps = 0..RESTORE_STEPS;
                while steps.next().is_some() && sys::discard_terminal_output() && !self.output.wait(RESTORE_STEP) {}
                sys::discard_terminal_output();
                self.output.push(Stream::Output, terminal::AFTER_DISCARD.into());
                self.output.wait(RESTORE_WAIT);
            }
        }
    }
}
