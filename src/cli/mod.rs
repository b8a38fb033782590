//! Command lines: options are data, from which both the parser and the help text are made.
//!
//! Help and version are values like any other; nothing here prints or ends a program.

pub mod client;
pub mod server;

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

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
}

/// A program's command line.
#[derive(Debug)]
pub(crate) struct Spec {
    program: &'static str,
    about: &'static str,
    usage: &'static str,
    flags: &'static [Flag],
    /// What follows the options in the help text.
    more: &'static str,
}

/// What is wrong with a command line; it shows as one line that also says what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    problem: Problem,
    usage: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    UnknownOption(String),
    UnexpectedArgument(String),
    NoValue(&'static str),
    ValueForSwitch(&'static str),
    BadValue { option: &'static str, value: String, expected: String },
}

/// The options that were given, in order; the last one of a kind counts.
#[derive(Debug)]
pub(crate) struct Matches {
    spec: &'static Spec,
    given: Vec<(&'static str, String)>,
}

const HELP: Flag = Flag { long: "help", short: Some('h'), value: None, help: "Print this help", default: None };
const VERSION: Flag = Flag { long: "version", short: Some('V'), value: None, help: "Print the version", default: None };

impl Spec {
    fn error(&self, problem: Problem) -> UsageError {
        UsageError { problem, usage: format!("usage: {} (see '{} --help')", self.usage, self.program) }
    }

    fn all_flags(&self) -> impl Iterator<Item = &Flag> {
        self.flags.iter().chain([&HELP, &VERSION])
    }

    /// Takes the arguments behind the program's name apart; `Err` of the outer result is a usage error, `Ok(Err(text))`
    /// a text to print.
    pub(crate) fn parse(
        &'static self,
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Result<Matches, String>, UsageError> {
        let mut matches = Matches { spec: self, given: Vec::new() };
        let mut args = args.into_iter().map(|arg| arg.to_string_lossy().into_owned());
        while let Some(arg) = args.next() {
            let (word, mut value) = match arg.split_once('=') {
                Some((word, value)) if word.starts_with("--") => (word, Some(value.to_owned())),
                _ => (arg.as_str(), None),
            };
            if !word.starts_with('-') || word == "-" {
                return Err(self.error(Problem::UnexpectedArgument(arg)));
            }
            let is_meant = |flag: &&Flag| {
                let short =
                    flag.short.is_some_and(|short| word.strip_prefix('-').is_some_and(|w| w.chars().eq([short])));
                short || word.strip_prefix("--") == Some(flag.long)
            };
            let Some(flag) = self.all_flags().find(is_meant) else {
                return Err(self.error(Problem::UnknownOption(word.to_owned())));
            };
            if flag.value.is_some() {
                value = value.or_else(|| args.next());
            } else if value.is_some() {
                return Err(self.error(Problem::ValueForSwitch(flag.long)));
            }
            match (flag.long, value) {
                ("help", _) => return Ok(Err(self.help())),
                ("version", _) => return Ok(Err(format!("parley {} {}\n", self.program, env!("CARGO_PKG_VERSION")))),
                (long, Some(value)) => matches.given.push((long, value)),
                (long, None) if flag.value.is_none() => matches.given.push((long, String::new())),
                (long, None) => return Err(self.error(Problem::NoValue(long))),
            }
        }
        Ok(Ok(matches))
    }

    fn help(&self) -> String {
        let mut text = format!("{}\n\nUsage: {}\n\nOptions:\n", self.about, self.usage);
        let names = |flag: &Flag| {
            let short = flag.short.map_or_else(|| String::from("    "), |short| format!("-{short}, "));
            let value = flag.value.map(|value| format!(" {value}")).unwrap_or_default();
            format!("  {short}--{}{value}", flag.long)
        };
        let width = self.all_flags().map(|flag| names(flag).len()).max().unwrap_or(0);
        for flag in self.all_flags() {
            let default = flag.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
            text += &format!("{:width$}  {}{default}\n", names(flag), flag.help);
        }
        text + self.more
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
    pub(crate) fn address(&self) -> String {
        let text = self.text("address").unwrap_or(DEFAULT_ADDRESS);
        text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).to_owned()
    }
}

/// Where the server listens and the client connects to, if nothing else is said.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1";

/// The port that goes with it.
pub const DEFAULT_PORT: u16 = 5378;

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::UnknownOption(option) => write!(f, "unknown option '{option}'")?,
            Problem::UnexpectedArgument(argument) => write!(f, "unexpected argument '{argument}'")?,
            Problem::NoValue(option) => write!(f, "option '--{option}' needs a value")?,
            Problem::ValueForSwitch(option) => write!(f, "option '--{option}' takes no value")?,
            Problem::BadValue { option, value, expected } => {
                write!(f, "'{value}' is no value for '--{option}', which takes {expected}")?;
            }
        }
        write!(f, "; {}", self.usage)
    }
}

impl std::error::Error for UsageError {}
