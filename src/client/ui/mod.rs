//! The person's side: what is shown, on the standard streams and in the copy, and what is typed.

mod editor;
mod screen;
mod style;
pub(crate) mod terminal;
mod transcript;
mod unicode;

use std::env;
use std::io::{self, IsTerminal};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command as Program, Stdio};
use std::time::SystemTime;

use self::editor::{Completion, Decoder, Editor, Key, Outcome};
use self::screen::{InputLine, OutputMode, Screen, Stream};
pub use self::style::Color;
use self::style::LineStyle;
use self::terminal::Terminal;
pub(crate) use self::transcript::Transcript;
use crate::client::messages;
use crate::client::session::command::QUIT;
use crate::client::session::{Command, Protocol};
use crate::net;

/// What stands in the copy before what was typed.
const TYPED: &str = "> ";

/// How a person wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UiOptions {
    /// To leave the line being typed to the terminal.
    pub plain: bool,
    /// What is coloured.
    pub color: Color,
    /// To show the time before each line.
    pub timestamps: bool,
    /// To make a sound with each message.
    pub bell: bool,
    /// A file to copy the chat to.
    pub log: Option<PathBuf>,
}

impl UiOptions {
    /// Whether the line being typed is to be edited here: somebody is at a terminal, and has not said otherwise.
    pub(crate) fn want_editor(&self) -> bool {
        !self.plain && io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb()
    }
}

/// The standard streams, the input's line and the copy.
#[derive(Debug)]
pub(crate) struct Console {
    screen: Screen,
    line_style: LineStyle,
    bell: bool,
    transcript: Option<Transcript>,
    protocol: &'static Protocol,
    /// If the line being typed is edited here.
    input: Option<LineInput>,
}

/// The line being typed, and what it takes.
#[derive(Debug)]
struct LineInput {
    terminal: Terminal,
    decoder: Decoder,
    editor: Editor,
    completion: Completion,
}

impl LineInput {
    /// What is to be shown of it: nothing while the terminal is somebody else's, and while it shows what is typed itself.
    fn line<'a>(&'a self, prompt: &'a str) -> InputLine<'a> {
        if self.terminal.is_editing() {
            InputLine { prompt, text: self.editor.text(), cursor: self.editor.cursor() }
        } else {
            InputLine::default()
        }
    }
}

impl Console {
    /// The standard streams as they are wanted, for this kind of session, and a file to copy the chat to.
    pub(crate) fn open(ui: &UiOptions, protocol: &'static Protocol, transcript: Option<Transcript>) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let may_color = is_terminal && !is_dumb() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let line_style = LineStyle {
            dimmed: ui.color == Color::Always || (ui.color == Color::Auto && may_color),
            colored: ui.color == Color::Always,
            clock: ui.timestamps.then(clock_ahead_of_utc),
        };
        let mut console = Self {
            screen: Screen::new(if is_terminal { OutputMode::Prompts } else { OutputMode::Lines }),
            line_style,
            bell: ui.bell,
            transcript,
            protocol,
            input: None,
        };
        if ui.want_editor() {
            console.enter_raw_mode();
        }
        console
    }

    /// Takes the line being typed over from the terminal, if that is possible.
    fn enter_raw_mode(&mut self) {
        match Terminal::open() {
            Ok(Some((terminal, size))) => {
                self.screen = Screen::new(OutputMode::Editing(size));
                self.input = Some(LineInput {
                    terminal,
                    decoder: Decoder::default(),
                    editor: Editor::default(),
                    completion: Completion::new(self.protocol.commands.iter().filter_map(Command::word).collect()),
                });
            }
            Ok(None) => {}
            Err(error) => self.screen.warn(&messages::plain_mode(&error)),
        }
    }

    /// Whether keys are wanted, and not lines.
    pub(crate) fn takes_keys(&self) -> bool {
        self.input.is_some()
    }

    /// Shows a line of the chat, or several.
    pub(crate) fn print(&mut self, text: &str) {
        self.print_line(text, None);
    }

    /// Shows somebody's message; the name of who sent it stands there in the line.
    pub(crate) fn message(&mut self, line: &str, sender: Range<usize>) {
        if let Some(input) = &mut self.input {
            input.completion.saw(&line[sender.clone()]);
        }
        self.print_line(line, Some(sender));
        if self.bell {
            self.screen.ring();
        }
    }

    fn print_line(&mut self, text: &str, sender: Option<Range<usize>>) {
        self.copy("", text);
        self.screen.print(&self.line_style.render(text, sender, SystemTime::now()));
    }

    /// Shows a diagnostic.
    pub(crate) fn warn(&mut self, text: &str) {
        self.copy("", text);
        self.screen.warn(text);
    }

    /// Remembers names, to be completed.
    pub(crate) fn saw(&mut self, names: &[String]) {
        if let Some(input) = &mut self.input {
            names.iter().for_each(|name| input.completion.saw(name));
        }
    }

    /// Shows what can be typed.
    pub(crate) fn help(&mut self) {
        let mut text = self.protocol.help();
        if self.input.is_some() {
            text += messages::KEYS;
        }
        self.screen.print(&self.line_style.dim(text.trim_end()));
    }

    /// Takes a line that the terminal, or a pipe, has handed over.
    pub(crate) fn line(&mut self, line: &str) {
        self.screen.commit(InputLine::default());
        self.copy(TYPED, line);
    }

    /// Takes what a terminal has sent, and returns the lines that are done with it; several that were pasted are one text.
    ///
    /// # Errors
    ///
    /// As [`Console::show`].
    pub(crate) fn keys(&mut self, bytes: &[u8], prompt: &str) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        let Some(input) = &mut self.input else { return Ok(lines) };
        input.terminal.enable_bracketed_paste()?;
        for key in input.decoder.decode(bytes) {
            if key == Key::Enter && input.terminal.is_editing() {
                self.screen.commit(input.line(prompt));
            }
            match input.editor.handle_key(key, &input.completion) {
                None => {}
                Some(Outcome::Submit(text)) => lines.push(text),
                Some(Outcome::End) => lines.push(QUIT.to_owned()),
                Some(Outcome::Clear) => self.screen.clear(),
                Some(Outcome::Candidates(words)) => self.screen.print(&self.line_style.dim(&words.join("  "))),
                Some(Outcome::Full) => self.screen.ring(),
            }
        }
        for line in &lines {
            self.copy(TYPED, line);
        }
        Ok(lines)
    }

    /// Leaves what is half-typed where it is: nothing will become of it.
    pub(crate) fn give_up_line(&mut self, prompt: &str) {
        if let Some(input) = self.input.as_mut().filter(|input| !input.editor.text().is_empty()) {
            self.screen.end(input.line(prompt));
            input.editor.clear();
        }
    }

    /// Remembers a typed line, for Up.
    pub(crate) fn remember(&mut self, line: &str) {
        if let Some(input) = &mut self.input {
            input.editor.remember(line);
        }
    }

    /// Shows everything that is to be shown, and behind it the line being typed.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written.
    pub(crate) fn show(&mut self, prompt: &str) -> io::Result<()> {
        match &self.input {
            Some(input) => self.screen.show(input.line(prompt)),
            None => self.screen.show(InputLine { prompt, ..InputLine::default() }),
        }
        self.write()
    }

    /// Shows what is left to be shown, at the end.
    ///
    /// # Errors
    ///
    /// As [`Console::show`].
    pub(crate) fn end(&mut self, prompt: &str) -> io::Result<()> {
        match &self.input {
            Some(input) => self.screen.end(input.line(prompt)),
            None => self.screen.end(InputLine::default()),
        }
        self.write()
    }

    /// Ctrl-Z: leaves the terminal to others.
    ///
    /// # Errors
    ///
    /// As [`Console::show`].
    pub(crate) fn leave_terminal(&mut self) -> io::Result<()> {
        self.screen.erase();
        self.write()?;
        if let Some(input) = &mut self.input {
            input.terminal.restore();
        }
        Ok(())
    }

    /// The terminal is ours again, and may have another size.
    pub(crate) fn take_terminal(&mut self) {
        if let Some(input) = &mut self.input {
            if let Err(error) = input.terminal.enter_raw_mode() {
                self.screen.warn(&messages::plain_mode(&error));
            }
            self.screen.erase();
            self.resized();
        }
    }

    /// The terminal has another size.
    pub(crate) fn resized(&mut self) {
        if self.input.is_some() {
            self.screen.resize(Terminal::size());
        }
    }

    fn write(&mut self) -> io::Result<()> {
        for (stream, bytes) in self.screen.take() {
            match stream {
                Stream::Output => net::write_fully(&mut io::stdout(), &bytes)?,
                // Nobody is left to hear of a standard error that cannot be written.
                Stream::Errors => drop(net::write_fully(&mut io::stderr(), &bytes)),
            }
        }
        Ok(())
    }

    /// Copies to the file; one that cannot be written is given up.
    fn copy(&mut self, mark: &str, text: &str) {
        let Some(transcript) = &mut self.transcript else { return };
        if let Err(error) = transcript.add(mark, text) {
            let warning = messages::log_failed(&transcript.name(), &error);
            self.transcript = None;
            self.screen.warn(&warning);
        }
    }
}

fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Seconds by which the clock on the wall is ahead of UTC, by the system's `date`.
fn clock_ahead_of_utc() -> i64 {
    let output = Program::new("date").arg("+%z").stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.ok().and_then(|output| style::ahead_of_utc(&String::from_utf8_lossy(&output.stdout))).unwrap_or(0)
}
