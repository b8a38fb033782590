//! Command lines as data: a flag sets its field of a program's options, and the same table makes the help text.
//!
//! Help and version are values like any other; nothing here prints or ends a program.

#![expect(clippy::unit_arg, reason = "a flag sets its field in one expression")]

pub mod client;
pub mod server;
mod values;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use self::values::{address, number, seconds, without_brackets};
use crate::protocol;

/// Where the server listens and the client connects to by default.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1";

/// The port that goes with [`DEFAULT_ADDRESS`].
pub const DEFAULT_PORT: u16 = 5378;

/// Returns the name that a program was started with, by the first word of its command line.
pub fn program_name(first_word: Option<&OsStr>, default: &str) -> String {
    let name = first_word.map(Path::new).and_then(Path::file_name).map(OsStr::as_encoded_bytes).unwrap_or_default();
    if name.is_empty() { default.to_owned() } else { protocol::sanitize(name).into_owned() }
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation<T> {
    /// To run with these options.
    Run(T),
    /// To print this text on standard output.
    Print(String),
}

/// What is wrong with a command line, in one line that also says what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Sets a field from a value; the error is what was expected instead, such as "a number from 1 to 9".
type SetValue<O> = fn(&mut O, &str) -> Result<(), String>;

/// A word behind a switch, and what it does then.
type Word<O> = (&'static str, fn(&mut O));

/// What a flag does to the options of its program.
#[derive(Debug)]
enum Update<O> {
    Switch(fn(&mut O, bool)),
    Value { placeholder: &'static str, set: SetValue<O> },
    Help,
    Version,
}

/// A flag of a program whose options are an `O`.
#[derive(Debug)]
pub(crate) struct Flag<O> {
    long: &'static str,
    short: Option<char>,
    help: &'static str,
    /// The default, as a user would type it.
    default: Option<&'static str>,
    /// The values it takes, where they are few.
    choices: fn() -> Vec<&'static str>,
    /// The word that may follow a switch, and what it does then.
    word: Option<Word<O>>,
    update: Update<O>,
}

impl<O> Flag<O> {
    const HELP: Self = Self::new("help", "Print this help", Update::Help).short('h');
    const VERSION: Self = Self::new("version", "Print the version", Update::Version).short('V');

    const fn new(long: &'static str, help: &'static str, update: Update<O>) -> Self {
        Self { long, short: None, help, default: None, choices: Vec::new, word: None, update }
    }

    const fn switch(long: &'static str, help: &'static str, set: fn(&mut O, bool)) -> Self {
        Self::new(long, help, Update::Switch(set))
    }

    const fn option(long: &'static str, placeholder: &'static str, help: &'static str, set: SetValue<O>) -> Self {
        Self::new(long, help, Update::Value { placeholder, set })
    }

    const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    const fn choices(mut self, choices: fn() -> Vec<&'static str>) -> Self {
        self.choices = choices;
        self
    }

    const fn word(mut self, word: &'static str, set: fn(&mut O)) -> Self {
        self.word = Some((word, set));
        self
    }

    /// Returns the flag as the help text shows it: its names, and what stands for its value.
    fn synopsis(&self) -> String {
        let short = self.short.map_or_else(|| String::from("    "), |short| format!("-{short}, "));
        let word = self.word.map(|(word, _)| format!(" [{word}]"));
        let placeholder = self.placeholder().map(|placeholder| format!(" {placeholder}")).or(word).unwrap_or_default();
        format!("  {short}--{}{placeholder}", self.long)
    }

    /// Returns what stands for its value, if it takes one.
    fn placeholder(&self) -> Option<&'static str> {
        match self.update {
            Update::Value { placeholder, .. } => Some(placeholder),
            _ => None,
        }
    }

    fn description(&self) -> String {
        let choices = (self.choices)();
        let choices = if choices.is_empty() { String::new() } else { format!(": {}", one_of(&choices)) };
        let default = self.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
        format!("{}{choices}{default}", self.help)
    }

    /// Returns what stands behind this flag's name in `arg`: nothing, or a value as in `--port=1` and `-p1`. `None` if it is
    /// another flag.
    fn strip_name<'a>(&self, arg: &'a str) -> Option<&'a str> {
        match arg.strip_prefix("--") {
            Some(long) => long.strip_prefix(self.long).filter(|rest| rest.is_empty() || rest.starts_with('=')),
            None => arg.strip_prefix('-')?.strip_prefix(self.short?),
        }
    }
}

/// A program's command line.
#[derive(Debug)]
pub(crate) struct Spec<O: 'static> {
    /// What the program is, in one word.
    role: &'static str,
    about: &'static str,
    /// The forms of a command line; `{program}` stands for its name.
    usage: &'static [&'static str],
    /// How many arguments that are no flags it takes.
    max_positionals: usize,
    flags: &'static [Flag<O>],
    /// What follows the flags in the help text; `{program}` stands for its name.
    after_help: fn() -> String,
}

/// A program's command line, and the name that the program was started with.
#[derive(Debug)]
pub(crate) struct Command<'a, O: 'static> {
    spec: &'static Spec<O>,
    program: &'a str,
}

impl<O> Spec<O> {
    fn called<'a>(&'static self, program: &'a str) -> Command<'a, O> {
        Command { spec: self, program }
    }
}

impl<O> Command<'_, O> {
    /// Parses the arguments behind the program's name into `options`, and returns them with the positional ones. The last
    /// one of a flag counts.
    fn parse(&self, options: O, args: impl IntoIterator<Item = OsString>) -> Result<Parsed<O>, UsageError> {
        self.parse_words(options, args).map_err(|problem| self.error(&problem))
    }

    fn parse_words(&self, mut options: O, args: impl IntoIterator<Item = OsString>) -> Result<Parsed<O>, String> {
        let mut positionals = Vec::new();
        let args = args.into_iter().map(|arg| protocol::sanitize(arg.as_encoded_bytes()).into_owned());
        let mut args = args.peekable();
        while let Some(arg) = args.next() {
            if !arg.starts_with('-') || arg == "-" {
                if positionals.len() == self.spec.max_positionals {
                    return Err(unexpected(&arg));
                }
                positionals.push(arg);
                continue;
            }
            let unknown = || format!("unknown option '{}'", arg.split('=').next().unwrap_or_default());
            let found = self.all_flags().find_map(|flag| Some((flag, flag.strip_name(&arg)?)));
            let Some((flag, rest)) = found else {
                self.switch_taken_back(&arg).ok_or_else(unknown)?(&mut options, false);
                continue;
            };
            let attached =
                if arg.starts_with("--") { rest.strip_prefix('=') } else { Some(rest).filter(|rest| !rest.is_empty()) };
            if let Some((word, set)) = flag.word {
                if attached.or(args.peek().map(String::as_str)) == Some(word) {
                    args.next_if(|_| attached.is_none());
                    set(&mut options);
                    continue;
                }
            }
            if flag.placeholder().is_some() {
                let missing = || format!("option '--{}' needs a value", flag.long);
                let value = attached.map(str::to_owned).or_else(|| args.next()).ok_or_else(missing)?;
                Self::set(flag, &mut options, &value)?;
                continue;
            }
            match flag.update {
                _ if attached.is_some() && !arg.starts_with("--") => return Err(unknown()),
                _ if attached.is_some() => return Err(format!("option '--{}' takes no value", flag.long)),
                Update::Switch(set) => set(&mut options, true),
                Update::Help => return Ok(Invocation::Print(self.help())),
                _ => return Ok(Invocation::Print(self.version())),
            }
        }
        Ok(Invocation::Run((options, positionals)))
    }

    /// Sets a flag to a value.
    fn set(flag: &Flag<O>, options: &mut O, value: &str) -> Result<(), String> {
        let choices = (flag.choices)();
        let result = match flag.update {
            _ if !choices.is_empty() && !choices.contains(&value) => Err(one_of(&choices)),
            Update::Value { set, .. } => set(options, value),
            _ => Ok(()),
        };
        result.map_err(|expected| invalid(flag.long, value, &expected))
    }

    fn version(&self) -> String {
        format!("parley {} {}\n", self.spec.role, env!("CARGO_PKG_VERSION"))
    }

    /// Returns what sets the switch that `--no-` stands before in `arg`.
    fn switch_taken_back(&self, arg: &str) -> Option<fn(&mut O, bool)> {
        let long = arg.strip_prefix("--no-")?;
        self.spec.flags.iter().find(|flag| flag.long == long).and_then(|flag| match flag.update {
            Update::Switch(set) => Some(set),
            _ => None,
        })
    }

    fn all_flags(&self) -> impl Iterator<Item = &Flag<O>> {
        let others = [const { &Flag::HELP }, const { &Flag::VERSION }];
        self.spec.flags.iter().chain(others)
    }

    fn help(&self) -> String {
        let mut lines = vec![self.spec.about.to_owned(), String::new()];
        lines.push(format!("Usage: {}\n\nOptions:", self.spec.usage.join("\n       ")));
        let width = self.all_flags().map(|flag| flag.synopsis().len()).max().unwrap_or(0);
        lines.extend(self.all_flags().map(|flag| format!("{:width$}  {}", flag.synopsis(), flag.description())));
        self.with_name(&(lines.join("\n") + "\n" + &(self.spec.after_help)()))
    }

    fn error(&self, problem: &str) -> UsageError {
        let (program, usage) = (self.program, self.with_name(&self.spec.usage.join(" or ")));
        UsageError(format!("{program}: {problem}; usage: {usage} (see '{program} --help')"))
    }

    fn with_name(&self, text: &str) -> String {
        text.replace("{program}", self.program)
    }
}

/// What came of a command line: options and positional arguments.
type Parsed<O> = Invocation<(O, Vec<String>)>;

fn unexpected(arg: &str) -> String {
    format!("unexpected argument '{arg}'")
}

fn invalid(long: &str, value: &str, expected: &str) -> String {
    format!("invalid value '{value}' for '--{long}': expected {expected}")
}

impl<T> Invocation<T> {
    /// Goes on with the options, if it is to run.
    fn and_then<U>(self, build: impl FnOnce(T) -> Result<U, UsageError>) -> Result<Invocation<U>, UsageError> {
        match self {
            Self::Run(options) => build(options).map(Invocation::Run),
            Self::Print(text) => Ok(Invocation::Print(text)),
        }
    }
}

/// Returns `a, b or c`.
fn one_of(choices: &[&str]) -> String {
    match choices {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => choices.concat(),
    }
}

/// Returns the options, or the text that is shown instead.
#[cfg(test)]
fn outcome<T>(parsed: Result<Invocation<T>, UsageError>) -> Result<T, String> {
    match parsed {
        Ok(Invocation::Run(options)) => Ok(options),
        Ok(Invocation::Print(text)) => Err(text),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_called_by_the_name_it_was_started_with() {
        for (first_word, name) in [
            (Some("/usr/bin/parley"), "parley"),
            (Some("./target/release/client"), "client"),
            (Some("chat\x1b"), "chat\u{fffd}"),
            (Some(""), "client"),
            (None, "client"),
        ] {
            assert_eq!(program_name(first_word.map(OsStr::new), "client"), name);
        }
    }
}
