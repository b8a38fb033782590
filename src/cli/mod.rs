//! Command lines as data: a flag sets a field of its program's options, and the same table makes the help.
//!
//! Nothing here prints or ends the program: a help text and an error are values.

#![expect(clippy::unit_arg, reason = "a flag sets its field in one expression")]

pub mod client;
pub mod server;
mod values;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use self::values::{address, number, one_of, seconds, size, without_brackets, wrap};
use crate::protocol;

/// Default address of both programs.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1";

/// Default port of both programs.
pub const DEFAULT_PORT: u16 = 5378;

/// Returns the name that a program was started with, from the first word of its command line.
pub fn program_name(first_word: Option<&OsStr>, default: &str) -> String {
    let name = first_word.map(Path::new).and_then(Path::file_name).map(OsStr::as_encoded_bytes).unwrap_or_default();
    if name.is_empty() { default.to_owned() } else { protocol::sanitize(name).into_owned() }
}

/// Why a program ends instead of running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Print this text on stdout and exit with status 0.
    Print(String),
    /// The command line is wrong: print this line on stderr and exit with status 2.
    Wrong(String),
}

/// Sets a field from a value. The error names what is expected, such as "a number from 1 to 9".
type SetValue<O> = fn(&mut O, &str) -> Result<(), String>;

#[derive(Debug)]
enum Update<O> {
    Switch(fn(&mut O)),
    Value(SetValue<O>),
    Help,
    Version,
}

/// A flag of a program whose options are an `O`.
#[derive(Debug)]
struct Flag<O> {
    /// Its names and its value, as in the help: `-p, --port PORT`. A word in brackets may be left out: `--bell [all]`.
    synopsis: &'static str,
    help: &'static str,
    default: &'static str,
    /// All values, where they are few.
    choices: fn() -> Vec<&'static str>,
    update: Update<O>,
}

impl<O: 'static> Flag<O> {
    /// The flags of every program.
    const OTHER: &'static [Self] = &[
        Self::new("-h, --help", "Print this help", Update::Help),
        Self::new("-V, --version", "Print the version", Update::Version),
    ];

    const fn new(synopsis: &'static str, help: &'static str, update: Update<O>) -> Self {
        Self { synopsis, help, default: "", choices: Vec::new, update }
    }

    const fn switch(synopsis: &'static str, help: &'static str, set: fn(&mut O)) -> Self {
        Self::new(synopsis, help, Update::Switch(set))
    }

    const fn value(synopsis: &'static str, help: &'static str, set: SetValue<O>) -> Self {
        Self::new(synopsis, help, Update::Value(set))
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    const fn choices(mut self, choices: fn() -> Vec<&'static str>) -> Self {
        self.choices = choices;
        self
    }

    fn long(&self) -> &'static str {
        self.synopsis.split(' ').find(|word| word.starts_with("--")).unwrap_or_default()
    }

    /// Returns the word that may follow, if it may be left out.
    fn optional_word(&self) -> Option<&'static str> {
        self.synopsis.split_once('[')?.1.strip_suffix(']')
    }

    fn set(&self, set: SetValue<O>, options: &mut O, value: &str) -> Result<(), String> {
        let choices = (self.choices)();
        let is_choice = choices.is_empty() || choices.contains(&value);
        let result = if is_choice { set(options, value) } else { Err(one_of(&choices)) };
        result.map_err(|expected| format!("invalid value '{value}' for '{}': expected {expected}", self.long()))
    }

    /// Returns its lines in the help, without an LF.
    fn description(&self) -> String {
        const INDENT: usize = 31;
        let indent = if self.synopsis.starts_with("--") { "      " } else { "  " };
        let choices = format!("({})", one_of(&(self.choices)()));
        let default = format!("[default: {}]", self.default);
        let mut words: Vec<&str> = self.help.split(' ').collect();
        words.extend(choices.split(' ').filter(|_| choices != "()"));
        words.extend(Some(&*default).filter(|_| !self.default.is_empty()));
        format!("{:INDENT$}{}", format!("{indent}{}", self.synopsis), wrap(&words, INDENT))
    }
}

/// A program's command line. In its texts `{program}` stands for the name that the program was started with.
#[derive(Debug)]
struct Spec<O: 'static> {
    /// The program in one word.
    role: &'static str,
    about: &'static str,
    /// The forms of a command line.
    usage: &'static [&'static str],
    max_positionals: usize,
    /// Flags under the titles that they have in the help.
    groups: &'static [(&'static str, &'static [Flag<O>])],
    /// What follows the flags in the help.
    after_help: fn() -> String,
}

impl<O> Spec<O> {
    /// Parses the arguments of `program` into `options`, and returns the positional ones. The last occurrence of a flag
    /// counts.
    fn parse(
        &self,
        program: &str,
        options: &mut O,
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Vec<String>, Exit> {
        let mut positionals = Vec::new();
        let args = args.into_iter().map(|arg| protocol::sanitize(arg.as_encoded_bytes()).into_owned());
        let mut args = args.peekable();
        let wrong = |problem: String| self.wrong(program, &problem);
        while let Some(arg) = args.next() {
            if !arg.starts_with('-') || arg == "-" {
                if positionals.len() == self.max_positionals {
                    return Err(wrong(format!("unexpected argument '{arg}'")));
                }
                positionals.push(arg);
                continue;
            }
            let (name, attached) = split_flag(&arg);
            let mut flags = self.groups().flat_map(|(_, flags)| flags);
            let found = flags.find(|flag| flag.synopsis.split([',', ' ']).any(|word| word == name));
            let flag = found.ok_or_else(|| wrong(format!("unknown option '{name}'")))?;
            match flag.update {
                Update::Value(set) => {
                    let value = match (attached, flag.optional_word()) {
                        (Some(value), _) => Some(value.to_owned()),
                        (None, None) => args.next(),
                        (None, Some(word)) => Some(args.next_if(|next| next == word).unwrap_or_default()),
                    };
                    let value = value.ok_or_else(|| wrong(format!("option '{}' needs a value", flag.long())))?;
                    flag.set(set, options, &value).map_err(wrong)?;
                }
                _ if attached.is_some() => return Err(wrong(format!("option '{}' takes no value", flag.long()))),
                Update::Switch(set) => set(options),
                Update::Help => return Err(Exit::Print(self.help(program))),
                Update::Version => {
                    return Err(Exit::Print(format!("parley {} {}\n", self.role, env!("CARGO_PKG_VERSION"))));
                }
            }
        }
        Ok(positionals)
    }

    fn groups(&self) -> impl Iterator<Item = (&'static str, &'static [Flag<O>])> {
        self.groups.iter().copied().chain([("Other", Flag::OTHER)])
    }

    fn help(&self, program: &str) -> String {
        let mut text = format!("{}\n\nUsage: {}\n", self.about, self.usage.join("\n       "));
        for (title, flags) in self.groups() {
            let lines: Vec<String> = flags.iter().map(Flag::description).collect();
            text += &format!("\n{title}:\n{}\n", lines.join("\n"));
        }
        (text + &(self.after_help)()).replace("{program}", program)
    }

    /// Returns an error in one line, with the usage.
    fn wrong(&self, program: &str, problem: &str) -> Exit {
        let usage = self.usage.join(" or ").replace("{program}", program);
        Exit::Wrong(format!("{program}: {problem}; usage: {usage} (see '{program} --help')"))
    }
}

/// Splits `--port=1` and `-p1` into the flag's name and the value.
fn split_flag(arg: &str) -> (&str, Option<&str>) {
    if arg.starts_with("--") {
        return arg.split_once('=').map_or((arg, None), |(name, value)| (name, Some(value)));
    }
    let end = arg.char_indices().nth(2).map_or(arg.len(), |(at, _)| at);
    (&arg[..end], Some(&arg[end..]).filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_name_comes_from_the_first_word() {
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
