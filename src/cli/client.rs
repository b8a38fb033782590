//! The client's command line.

use std::ffi::OsString;

use super::{DEFAULT_PORT, Flag, Invocation, Spec, UsageError};

/// What the client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A name or an address.
    pub address: String,
    /// The server's port.
    pub port: u16,
    /// The name to log in with, instead of asking for it.
    pub name: Option<String>,
}

static SPEC: Spec = Spec {
    program: "client",
    about: "A chat client for one server, at the keyboard or in a pipe.",
    usage: "client [OPTIONS]",
    flags: &[
        Flag {
            long: "address",
            short: Some('a'),
            value: Some("ADDRESS"),
            help: "Connect to this address or name",
            default: Some("127.0.0.1"),
        },
        Flag {
            long: "port",
            short: Some('p'),
            value: Some("PORT"),
            help: "Connect to this port",
            default: Some("5378"),
        },
        Flag {
            long: "name",
            short: Some('n'),
            value: Some("NAME"),
            help: "Log in with this name, without being asked for it",
            default: None,
        },
    ],
    more: "
In the chat:
  @NAME MESSAGE   Send a message to one user
  !who            List who is online
  !quit           Leave

Examples:
  client --address chat.example.org --name ann
  printf 'ann\\n@bob I am late\\n' | client

Exit status: 0 after a good end, 1 when the connection fails or is lost or the server is full,
2 for a wrong command line.
",
};

/// Takes the client's arguments apart.
///
/// # Errors
///
/// [`UsageError`], which says what is wrong and what would be right.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation<Options>, UsageError> {
    let matches = match SPEC.parse(args)? {
        Ok(matches) => matches,
        Err(text) => return Ok(Invocation::Print(text)),
    };
    Ok(Invocation::Run(Options {
        address: matches.address(),
        port: matches.number("port", 1, u16::MAX)?.unwrap_or(DEFAULT_PORT),
        name: matches.text("name").map(str::to_owned),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> Result<Options, String> {
        match parse(args.iter().map(OsString::from)) {
            Ok(Invocation::Run(options)) => Ok(options),
            Ok(Invocation::Print(text)) => Err(text),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_defaults_are_the_server_s() {
        let expected = Options { address: "127.0.0.1".into(), port: 5378, name: None };
        assert_eq!(run(&[]), Ok(expected));
    }

    #[test]
    fn every_option_is_taken() {
        let expected = Options { address: "localhost".into(), port: 99, name: Some("ann".into()) };
        assert_eq!(run(&["-a", "localhost", "-p", "99", "-n", "ann"]), Ok(expected.clone()));
        assert_eq!(run(&["--address=localhost", "--port=99", "--name=ann"]), Ok(expected));
    }

    #[test]
    fn a_mistake_is_named_in_one_line_with_the_usage() {
        for args in [&["--port", "0"][..], &["--port", "x"], &["ann"], &["--nmae", "ann"], &["--name"]] {
            let text = run(args).expect_err("it is wrong");
            assert!(text.contains("usage: client [OPTIONS]") && !text.contains('\n'), "{text}");
        }
    }
}
