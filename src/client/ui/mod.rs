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
use self::screen::{Line, Screen, Stream, Style};
pub use self::style::Color;
use self::style::Looks;
use self::terminal::Terminal;
pub(crate) use self::transcript::Transcript;
use crate::client::messages;
use crate::client::session::command::QUIT;
use crate::client::session::{Command, Kind};
use crate::net;

/// What stands in the copy before what was typed.
const TYPED: &str = "> ";

/// How a person wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
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

impl Preferences {
    /// Whether the line being typed is to be edited here: somebody is at a terminal, and has not said otherwise.
    pub(crate) fn want_editor(&self) -> bool {
        !self.plain && io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb()
    }
}

/// The standard streams, the keyboard's line and the copy.
#[derive(Debug)]
pub(crate) struct Console {
    screen: Screen,
    looks: Looks,
    bell: bool,
    transcript: Option<Transcript>,
    kind: &'static Kind,
    /// If the line being typed is edited here.
    keyboard: Option<Keyboard>,
}

/// The line being typed, and what it takes.
#[derive(Debug)]
struct Keyboard {
    terminal: Terminal,
    decoder: Decoder,
    editor: Editor,
    completion: Completion,
}

impl Keyboard {
    /// What is to be shown of it: nothing while the terminal is somebody else's, and while it shows what is typed itself.
    fn line<'a>(&'a self, prompt: &'a str) -> Line<'a> {
        if self.terminal.is_editing() {
            Line { prompt, text: self.editor.text(), cursor: self.editor.cursor() }
        } else {
            Line::default()
        }
    }
}

impl Console {
    /// The standard streams as they are wanted, for this kind of session, and a file to copy the chat to.
    pub(crate) fn open(preferences: &Preferences, kind: &'static Kind, transcript: Option<Transcript>) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let may_color = is_terminal && !is_dumb() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let looks = Looks {
            dimmed: preferences.color == Color::Always || (preferences.color == Color::Auto && may_color),
            colored: preferences.color == Color::Always,
            clock: preferences.timestamps.then(clock_ahead_of_utc),
        };
        let mut console = Self {
            screen: Screen::new(if is_terminal { Style::Prompts } else { Style::Lines }),
            looks,
            bell: preferences.bell,
            transcript,
            kind,
            keyboard: None,
        };
        if preferences.want_editor() {
            console.edit();
        }
        console
    }

    /// Takes the line being typed over from the terminal, if that is possible.
    fn edit(&mut self) {
        match Terminal::open() {
            Ok(Some((terminal, size))) => {
                self.screen = Screen::new(Style::Editing(size));
                self.keyboard = Some(Keyboard {
                    terminal,
                    decoder: Decoder::default(),
                    editor: Editor::default(),
                    completion: Completion::new(self.kind.commands.iter().filter_map(Command::word).collect()),
                });
            }
            Ok(None) => {}
            Err(error) => self.screen.warn(&messages::plain_mode(&error)),
        }
    }

    /// Whether keys are wanted, and not lines.
    pub(crate) fn takes_keys(&self) -> bool {
        self.keyboard.is_some()
    }

    /// Shows a line of the chat, or several.
    pub(crate) fn print(&mut self, text: &str) {
        self.print_line(text, None);
    }

    /// Shows somebody's message; the name of who sent it stands there in the line.
    pub(crate) fn message(&mut self, line: &str, sender: Range<usize>) {
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.completion.saw(&line[sender.clone()]);
        }
        self.print_line(line, Some(sender));
        if self.bell {
            self.screen.ring();
        }
    }

    fn print_line(&mut self, text: &str, sender: Option<Range<usize>>) {
        self.copy("", text);
        self.screen.print(&self.looks.of(text, sender, SystemTime::now()));
    }

    /// Shows a diagnostic.
    pub(crate) fn warn(&mut self, text: &str) {
        self.copy("", text);
        self.screen.warn(text);
    }

    /// Remembers names, to be completed.
    pub(crate) fn saw(&mut self, names: &[String]) {
        if let Some(keyboard) = &mut self.keyboard {
            names.iter().for_each(|name| keyboard.completion.saw(name));
        }
    }

    /// Shows what can be typed.
    pub(crate) fn help(&mut self) {
        let mut text = self.kind.help();
        if self.keyboard.is_some() {
            text += messages::KEYS;
        }
        self.screen.print(&self.looks.aside(text.trim_end()));
    }

    /// Takes a line that the terminal, or a pipe, has handed over.
    pub(crate) fn line(&mut self, line: &str) {
        self.screen.done(Line::default());
        self.copy(TYPED, line);
    }

    /// Takes what a terminal has sent, and returns the lines that are done with it.
    ///
    /// # Errors
    ///
    /// As [`Console::show`].
    pub(crate) fn keys(&mut self, bytes: &[u8], prompt: &str) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        let Some(keyboard) = &mut self.keyboard else { return Ok(lines) };
        keyboard.terminal.ask_for_brackets()?;
        for key in keyboard.decoder.decode(bytes) {
            if key == Key::Enter && keyboard.terminal.is_editing() {
                self.screen.done(keyboard.line(prompt));
            }
            match keyboard.editor.press(key, &keyboard.completion) {
                None => {}
                Some(Outcome::Done(text)) if text.is_empty() => lines.push(text),
                Some(Outcome::Done(text)) => lines.extend(text.lines().map(str::to_owned)),
                Some(Outcome::End) => lines.push(QUIT.to_owned()),
                Some(Outcome::Clear) => self.screen.clear(),
                Some(Outcome::Possible(words)) => self.screen.print(&self.looks.aside(&words.join("  "))),
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
        if let Some(keyboard) = self.keyboard.as_mut().filter(|keyboard| !keyboard.editor.text().is_empty()) {
            self.screen.end(keyboard.line(prompt));
            keyboard.editor.clear();
        }
    }

    /// Remembers a typed line, for Up.
    pub(crate) fn remember(&mut self, line: &str) {
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.editor.remember(line);
        }
    }

    /// Shows everything that is to be shown, and behind it the line being typed.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written.
    pub(crate) fn show(&mut self, prompt: &str) -> io::Result<()> {
        match &self.keyboard {
            Some(keyboard) => self.screen.show(keyboard.line(prompt)),
            None => self.screen.show(Line { prompt, ..Line::default() }),
        }
        self.write()
    }

    /// Shows what is left to be shown, at the end.
    ///
    /// # Errors
    ///
    /// As [`Console::show`].
    pub(crate) fn end(&mut self, prompt: &str) -> io::Result<()> {
        match &self.keyboard {
            Some(keyboard) => self.screen.end(keyboard.line(prompt)),
            None => self.screen.end(Line::default()),
        }
        self.write()
    }

    /// Ctrl-Z: leaves the terminal to others.
    ///
    /// # Errors
    ///
    /// As [`Console::show`].
    pub(crate) fn leave_terminal(&mut self) -> io::Result<()> {
        self.screen.hide();
        self.write()?;
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.terminal.restore();
        }
        Ok(())
    }

    /// The terminal is ours again, and may have another size.
    pub(crate) fn take_terminal(&mut self) {
        if let Some(keyboard) = &mut self.keyboard {
            if let Err(error) = keyboard.terminal.edit() {
                self.screen.warn(&messages::plain_mode(&error));
            }
            self.screen.hide();
            self.resized();
        }
    }

    /// The terminal has another size.
    pub(crate) fn resized(&mut self) {
        if self.keyboard.is_some() {
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
