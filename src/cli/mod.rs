//! Command lines: options are data, from which both the parser and the help text are made.
//!
//! Help and version are values like any other; nothing here prints or ends a program.

pub mod bench;
pub mod client;
pub mod server;

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::client::messages;
use crate::protocol;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation<T> {
    /// To run with these options.
    Run(T),
    /// To print this text on standard output.
    Print(String),
}

/// An option of a program.
#[derive(Debug)]
pub(crate) struct Flag {
    long: &'static str,
    short: Option<char>,
    /// What stands for its value in the help text; an option without one is a switch.
    value: Option<&'static str>,
    help: &'static str,
    /// The default, as a user would type it.
    default: Option<&'static str>,
    /// The values it takes, where they are few.
    choices: fn() -> Vec<String>,
}

impl Flag {
    const fn switch(long: &'static str, help: &'static str) -> Self {
        Self { long, short: None, value: None, help, default: None, choices: Vec::new }
    }

    const fn option(long: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { value: Some(value), ..Self::switch(long, help) }
    }

    const fn short(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn choices(self, choices: fn() -> Vec<String>) -> Self {
        Self { choices, ..self }
    }

    /// The option as the help text shows it: all its names, and what stands for its value.
    fn synopsis(&self) -> String {
        let short = self.short.map_or_else(|| String::from("    "), |short| format!("-{short}, "));
        let value = self.value.map(|value| format!(" {value}")).unwrap_or_default();
        format!("  {short}--{}{value}", self.long)
    }

    /// What the help text says about it.
    fn description(&self) -> String {
        let choices = (self.choices)();
        let choices = if choices.is_empty() { String::new() } else { format!(": {}", one_of(&choices)) };
        let default = self.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
        format!("{}{choices}{default}", self.help)
    }

    /// Whether `word` is this option.
    fn is_called(&self, word: &str) -> bool {
        let short = self.short.is_some_and(|short| word.strip_prefix('-').is_some_and(|rest| rest.chars().eq([short])));
        short || word.strip_prefix("--") == Some(self.long)
    }
}

/// A program's command line.
#[derive(Debug)]
pub(crate) struct Spec {
    program: &'static str,
    about: &'static str,
    usage: &'static str,
    /// How many arguments that are no options it takes.
    words: usize,
    flags: &'static [Flag],
    /// What follows the options in the help text.
    more: fn() -> String,
}

/// What is wrong with a command line; it shows as one line that names the program and also says what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    problem: Problem,
    program: &'static str,
    usage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    UnknownOption(String),
    UnexpectedArgument(String),
    NoValue(&'static str),
    ValueForSwitch(&'static str),
    BadValue {
        option: &'static str,
        value: String,
        expected: String,
    },
    /// The protocol has to have that option.
    Missing(&'static str),
    /// The option says what the chat:// server says already.
    Conflict(&'static str),
    /// H13.
    InvalidServer,
}

/// The options that were given, in order; the last one of a kind counts.
#[derive(Debug)]
pub(crate) struct Matches {
    spec: &'static Spec,
    given: Vec<(&'static str, String)>,
    /// The arguments that are no options.
    words: Vec<String>,
}

static HELP: Flag = Flag::switch("help", "Print this help").short('h');
static VERSION: Flag = Flag::switch("version", "Print the version").short('V');

impl Spec {
    fn error(&self, problem: Problem) -> UsageError {
        UsageError { problem, program: self.program, usage: self.usage }
    }

    fn all_flags(&self) -> impl Iterator<Item = &Flag> {
        self.flags.iter().chain([&HELP, &VERSION])
    }

    /// Takes the arguments behind the program's name apart.
    pub(crate) fn parse(
        &'static self,
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Invocation<Matches>, UsageError> {
        let mut matches = Matches { spec: self, given: Vec::new(), words: Vec::new() };
        let mut args = args.into_iter().map(|arg| protocol::sanitize(arg.as_encoded_bytes()).into_owned());
        while let Some(arg) = args.next() {
            if !arg.starts_with('-') || arg == "-" {
                if matches.words.len() == self.words {
                    return Err(self.error(Problem::UnexpectedArgument(arg)));
                }
                matches.words.push(arg);
                continue;
            }
            let (word, mut value) = match arg.split_once('=') {
                Some((word, value)) if word.starts_with("--") => (word, Some(value.to_owned())),
                _ => (arg.as_str(), None),
            };
            let Some(flag) = self.all_flags().find(|flag| flag.is_called(word)) else {
                return Err(self.error(Problem::UnknownOption(word.to_owned())));
            };
            if flag.value.is_some() {
                value = value.or_else(|| args.next());
            } else if value.is_some() {
                return Err(self.error(Problem::ValueForSwitch(flag.long)));
            }
            match (flag.long, value) {
                ("help", _) => return Ok(Invocation::Print(self.help())),
                ("version", _) => return Ok(Invocation::Print(self.version())),
                (long, Some(value)) => matches.given.push((long, value)),
                (long, None) if flag.value.is_none() => matches.given.push((long, String::new())),
                (long, None) => return Err(self.error(Problem::NoValue(long))),
            }
        }
        Ok(Invocation::Run(matches))
    }

    fn version(&self) -> String {
        format!("parley {} {}\n", self.program, env!("CARGO_PKG_VERSION"))
    }

    fn help(&self) -> String {
        let mut text = format!("{}\n\nUsage: {}\n\nOptions:\n", self.about, self.usage.replace(USAGE_OR, "\n       "));
        let width = self.all_flags().map(|flag| flag.synopsis().len()).max().unwrap_or(0);
        for flag in self.all_flags() {
            text += &format!("{:width$}  {}\n", flag.synopsis(), flag.description());
        }
        text + &(self.more)()
    }
}

/// What is between two forms of a usage line.
const USAGE_OR: &str = " or ";

/// `a, b or c`.
fn one_of(choices: &[String]) -> String {
    match choices {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => choices.concat(),
    }
}

impl Matches {
    /// Whether a switch was given.
    pub(crate) fn has(&self, long: &'static str) -> bool {
        self.given.iter().any(|(given, _)| *given == long)
    }

    /// The value of an option, if it was given.
    pub(crate) fn text(&self, long: &'static str) -> Option<&str> {
        self.given.iter().rev().find_map(|(given, value)| (*given == long).then_some(value.as_str()))
    }

    /// The value of an option, taken apart by `parse`; `expected` says what it may be.
    pub(crate) fn value<T>(
        &self,
        long: &'static str,
        expected: impl fmt::Display,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, UsageError> {
        let Some(text) = self.text(long) else { return Ok(None) };
        match parse(text) {
            Some(value) => Ok(Some(value)),
            None => {
                let (value, expected) = (text.to_owned(), expected.to_string());
                Err(self.spec.error(Problem::BadValue { option: long, value, expected }))
            }
        }
    }

    /// The value of an option that has choices.
    pub(crate) fn choice<T>(
        &self,
        long: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, UsageError> {
        let flag = self.spec.flags.iter().find(|flag| flag.long == long);
        let choices = flag.map_or_else(Vec::new, |flag| (flag.choices)());
        self.value(long, one_of(&choices), parse)
    }

    /// The value of an option that is a number within bounds.
    pub(crate) fn number<T>(&self, long: &'static str, least: T, most: T) -> Result<Option<T>, UsageError>
    where
        T: FromStr + PartialOrd + Copy + fmt::Display,
    {
        let parse = |text: &str| text.parse().ok().filter(|number| (least..=most).contains(number));
        self.value(long, format_args!("a number from {least} to {most}"), parse)
    }

    /// The value of an option that is a time in seconds, which may have a fraction.
    pub(crate) fn seconds(&self, long: &'static str) -> Result<Option<Duration>, UsageError> {
        let parse = |text: &str| {
            let seconds: f64 = text.parse().ok()?;
            (0.001..=86_400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
        };
        self.value(long, "seconds, from 0.001 to 86400", parse)
    }

    /// The value of `--address`: a name or an address, IPv6 with or without brackets.
    pub(crate) fn address(&self) -> Result<String, UsageError> {
        let parse = |text: &str| {
            let bare = without_brackets(text);
            (!bare.is_empty() && bare.matches(':').count() != 1).then(|| bare.to_owned())
        };
        let address = self.value("address", "a name or an address; a port goes into '--port'", parse)?;
        Ok(address.unwrap_or_else(|| DEFAULT_ADDRESS.to_owned()))
    }
}

/// An IPv6 address without the brackets that set it off from a port.
fn without_brackets(address: &str) -> &str {
    address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address)
}

/// Where the server listens and the client connects to, if nothing else is said.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1";

/// The port that goes with it.
pub const DEFAULT_PORT: u16 = 5378;

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.problem == Problem::InvalidServer {
            return f.write_str(messages::INVALID_SERVER);
        }
        write!(f, "{}: ", self.program)?;
        match &self.problem {
            Problem::InvalidServer => {}
            Problem::UnknownOption(option) => write!(f, "unknown option '{option}'")?,
            Problem::UnexpectedArgument(argument) => write!(f, "unexpected argument '{argument}'")?,
            Problem::NoValue(option) => write!(f, "option '--{option}' needs a value")?,
            Problem::ValueForSwitch(option) => write!(f, "option '--{option}' takes no value")?,
            Problem::BadValue { option, value, expected } => {
                write!(f, "'{value}' is no value for '--{option}', which takes {expected}")?;
            }
            Problem::Missing(option) => write!(f, "option '--{option}' is missing")?,
            Problem::Conflict(option) => write!(f, "option '--{option}' does not go with a chat:// server")?,
        }
        write!(f, "; usage: {} (see '{} --help')", self.usage, self.program)
    }
}

impl std::error::Error for UsageError {}

/// What a command line came to: the options, or the text that is shown instead.
#[cfg(test)]
fn outcome<T>(parsed: Result<Invocation<T>, UsageError>) -> Result<T, String> {
    match parsed {
        Ok(Invocation::Run(options)) => Ok(options),
        Ok(Invocation::Print(text)) => Err(text),
        Err(error) => Err(error.to_string()),
    }
}
