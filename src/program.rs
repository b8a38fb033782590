//! How both programs speak outside of their job: a text that was asked for, or what went wrong and with which status.

use std::env;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;
use std::sync::OnceLock;

use crate::net;

/// Panics in a debug build at the line that the environment names, for tests of what a panic leaves behind.
pub(crate) fn failpoint(line: &str) {
    static LINE: OnceLock<Option<String>> = OnceLock::new();
    if cfg!(debug_assertions) {
        let told = LINE.get_or_init(|| env::var("PARLEY_PANIC_AT").ok());
        assert_ne!(told.as_deref(), Some(line), "told to panic");
    }
}

/// Returns a problem in words alone, without the number that the standard library adds to what the system reports.
pub fn describe(problem: &dyn Display) -> String {
    let text = problem.to_string();
    let (before, rest) = text.split_once(" (os error ").unwrap_or((&text, ""));
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    [before, after.strip_prefix(')').unwrap_or(after)].concat()
}

/// Prints a text that was asked for, such as the help.
pub fn print(text: &str) -> ExitCode {
    net::write_fully(&mut io::stdout(), text.as_bytes()).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

/// Says on standard error what went wrong, and returns the status to end with: 1 when the world is in the way, 2 when
/// the command line is wrong.
pub fn fail(status: u8, problem: &dyn Display) -> ExitCode {
    // The exit status is all that is left to tell where standard error is closed.
    let _ = net::write_fully(&mut io::stderr(), (describe(problem) + "\n").as_bytes());
    ExitCode::from(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_in_words() {
        let refused = io::Error::from_raw_os_error(111);
        assert_eq!(describe(&refused), refused.to_string().replace(" (os error 111)", ""));
        assert_eq!(describe(&format_args!("cannot: {refused}; help")), format!("cannot: {}; help", describe(&refused)));
        assert_eq!(describe(&"nothing wrong"), "nothing wrong");
    }
}
