//! The client's command line.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Command, DEFAULT_ADDRESS, DEFAULT_PORT, Invocation, Spec, UsageError, address, number, without_brackets};
use crate::client::session::{PROTOCOLS, Protocol};
use crate::client::{Bell, Color, UiOptions, messages};

/// What the client is told.
#[derive(Debug)]
pub struct Options {
    /// A name or an address.
    pub address: String,
    /// The server's port.
    pub port: u16,
    /// The protocol that is spoken.
    pub protocol: &'static Protocol,
    /// The name to log in with, instead of asking for it.
    pub name: Option<String>,
    /// Whether to connect again when the connection is lost, if that was said.
    pub reconnect: Option<bool>,
    /// How the person wants it.
    pub ui: UiOptions,
}

/// The flags that were args.
#[derive(Debug, Default)]
struct Args {
    address: Option<String>,
    port: Option<u16>,
    protocol: Option<&'static Protocol>,
    name: Option<String>,
    reconnect: Option<bool>,
    ui: UiOptions,
}

type Flag = super::Flag<Args>;

static SPEC: Spec<Args> = Spec {
    role: "client",
    about: "A chat client for one server, at the keyboard or in a pipe.",
    usage: &["{program} [OPTIONS]", "{program} USER chat://HOST:PORT"],
    max_positionals: 2,
    flags: &[
        Flag::option("address", "ADDRESS", "Connect to this address or name", |args, value| {
            Ok(args.address = Some(address(value)?))
        })
        .short('a')
        .default(DEFAULT_ADDRESS),
        Flag::option("port", "PORT", "Connect to this port", |args, value| {
            Ok(args.port = Some(number(value, 1..=u16::MAX)?))
        })
        .short('p')
        .default("5378"),
        Flag::option("protocol", "PROTOCOL", "Speak this protocol", |args, value| Ok(args.protocol = protocol(value)))
            .choices(|| PROTOCOLS.iter().map(|protocol| protocol.name).collect())
            .default("cap"),
        Flag::option("name", "NAME", "Log in with this name, without being asked for it", |args, value| {
            Ok(args.name = Some(value.to_owned()))
        })
        .short('n'),
        Flag::switch(
            "reconnect",
            "When the connection is lost, connect again, with the same name; as is done for a person",
            |args, on| {
                args.reconnect = Some(on);
            },
        ),
        Flag::switch("no-reconnect", "End when the connection is lost; as is done for a program", |args, on| {
            args.reconnect = Some(!on);
        }),
        Flag::option("color", "WHEN", "When to color names, times and whispers", |args, value| {
            let color = Color::ALL.iter().find(|(name, _)| *name == value);
            Ok(args.ui.color = color.map_or(Color::Auto, |(_, color)| *color))
        })
        .choices(|| Color::ALL.iter().map(|(name, _)| *name).collect())
        .default("auto"),
        Flag::switch("timestamps", "Show the time before each line", |args, on| {
            args.ui.timestamps = on;
        }),
        Flag::switch("bell", "Make a sound with whispers and with your name, or with each message", |args, on| {
            args.ui.bell = if on { Bell::Personal } else { Bell::Off };
        })
        .word("all", |args| args.ui.bell = Bell::All),
        Flag::option(
            "log",
            "FILE",
            "Copy the chat to the end of this file; a new one only you can read",
            |args, value| Ok(args.ui.log = Some(PathBuf::from(value))),
        ),
        Flag::switch("trace", "Show each line that comes and goes, as it is, on standard error", |args, on| {
            args.ui.trace = on;
        }),
        Flag::switch("plain", "Leave the editing of lines to the terminal", |args, on| args.ui.plain = on),
    ],
    after_help,
};

/// Returns the commands of each protocol, examples and exit statuses.
fn after_help() -> String {
    let mut text = String::new();
    for protocol in PROTOCOLS {
        text += &format!("\nIn the chat, with {}, {}:\n{}", protocol.name, protocol.about, protocol.help());
    }
    text + EXAMPLES
}

const EXAMPLES: &str = "
Examples:
  {program} --address chat.example.org --name ann
  {program} ann chat://chat.example.org:5378
  printf 'ann\\n@bob I am late\\n' | {program}

Exit status: 0 after a good end, 1 when the connection fails or is lost or the login is refused for good,
2 for a wrong command line, 128 and its number after a signal: 130 after Ctrl-C.
";

fn protocol(name: &str) -> Option<&'static Protocol> {
    PROTOCOLS.iter().find(|protocol| protocol.name == name)
}

/// Parses the command line of a client that was started with the name `program`.
///
/// # Errors
///
/// [`UsageError`], which says what is wrong and what would be right.
pub fn parse(program: &str, args: impl IntoIterator<Item = OsString>) -> Result<Invocation<Options>, UsageError> {
    let command = SPEC.called(program);
    command.parse(Args::default(), args)?.and_then(|(args, positionals)| match &positionals[..] {
        [] => by_flags(&command, args),
        [user, server] => by_url(&command, args, user, server),
        _ => Err(invalid_server()),
    })
}

/// H13, in the specification's own words.
fn invalid_server() -> UsageError {
    UsageError(messages::INVALID_SERVER.to_owned())
}

fn by_flags(command: &Command<'_, Args>, args: Args) -> Result<Options, UsageError> {
    let protocol = args.protocol.unwrap_or(&PROTOCOLS[0]);
    if protocol.needs_name && args.name.is_none() {
        return Err(command.error("option '--name' is missing"));
    }
    Ok(Options {
        address: args.address.unwrap_or_else(|| DEFAULT_ADDRESS.to_owned()),
        port: args.port.unwrap_or(DEFAULT_PORT),
        protocol,
        name: args.name,
        reconnect: args.reconnect,
        ui: args.ui,
    })
}

/// `<user> chat://<host>:<port>` (H12, H13).
fn by_url(command: &Command<'_, Args>, args: Args, user: &str, server: &str) -> Result<Options, UsageError> {
    let said_twice = [
        ("address", args.address.is_some()),
        ("port", args.port.is_some()),
        ("protocol", args.protocol.is_some()),
        ("name", args.name.is_some()),
    ];
    if let Some((flag, _)) = said_twice.iter().find(|(_, is_given)| *is_given) {
        return Err(command.error(&format!("option '--{flag}' does not go with a chat:// server")));
    }
    let (address, port) = host_and_port(server).ok_or_else(invalid_server)?;
    let args = Args {
        address: Some(address.to_owned()),
        port: Some(port),
        protocol: protocol("chat"),
        name: Some(user.to_owned()),
        ..args
    };
    by_flags(command, args)
}

fn host_and_port(url: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, port) = rest.strip_suffix('/').unwrap_or(rest).rsplit_once(':')?;
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| *port > 0 && is_number)?;
    let bare = without_brackets(host);
    let is_host = scheme.eq_ignore_ascii_case("chat")
        && !host.is_empty()
        && !bare.contains(['/', '@', '[', ']'])
        && (!host.contains(':') || bare != host);
    is_host.then_some((bare, port))
}

#[cfg(test)]
mod tests {
    use super::super::outcome;
    use super::*;

    fn run(args: &[&str]) -> Result<(String, u16, &'static str, Option<String>), String> {
        let options = outcome(parse("client", args.iter().map(OsString::from)))?;
        Ok((options.address, options.port, options.protocol.name, options.name))
    }

    #[test]
    fn the_defaults_are_the_server_s() {
        assert_eq!(run(&[]), Ok(("127.0.0.1".into(), 5378, "cap", None)));
    }

    #[test]
    fn every_option_is_taken() {
        let expected = Ok(("localhost".into(), 99, "wac", Some("ann".into())));
        assert_eq!(run(&["-a", "localhost", "-p", "99", "-n", "ann", "--protocol", "wac"]), expected);
        assert_eq!(run(&["--address=localhost", "--port=99", "--name=ann", "--protocol=wac"]), expected);
        assert_eq!(run(&["-alocalhost", "-p99", "-nann", "--protocol", "wac"]), expected);
    }

    #[test]
    fn what_a_person_prefers_goes_with_either_form() {
        let args =
            ["--plain", "--color", "always", "--timestamps", "--bell", "--log", "chat.log", "--reconnect", "--trace"];
        let ui = UiOptions {
            plain: true,
            color: Color::Always,
            timestamps: true,
            bell: Bell::Personal,
            log: Some(PathBuf::from("chat.log")),
            trace: true,
        };
        for server in [&[][..], &["ann", "chat://localhost:99"]] {
            let options =
                outcome(parse("client", args.iter().chain(server).map(OsString::from))).expect("they go together");
            assert_eq!((options.ui, options.reconnect), (ui.clone(), Some(true)));
        }
        let options = outcome(parse("client", [])).expect("nothing is needed");
        assert_eq!((options.ui, options.reconnect), (UiOptions::default(), None));
    }

    #[test]
    fn all_behind_the_bell_is_what_it_rings_for_and_anything_else_is_not() {
        for (args, bell) in [
            (&["--bell", "--plain"][..], Bell::Personal),
            (&["--bell", "all"], Bell::All),
            (&["--bell=all", "--plain"], Bell::All),
            (&["--bell", "all", "--bell"], Bell::Personal),
            (&["--bell", "all", "--no-bell"], Bell::Off),
            (&["--bell", "ann", "chat://localhost:99"], Bell::Personal),
        ] {
            let options = outcome(parse("client", args.iter().map(OsString::from))).expect("it is right");
            assert_eq!(options.ui.bell, bell, "{args:?}");
        }
        assert!(run(&["--bell=some"]).expect_err("it is wrong").contains("'--bell' takes no value"));
    }

    #[test]
    fn h12_a_user_and_a_server_are_the_same_as_the_options() {
        let by_url = run(&["ann", "chat://localhost:99"]);
        assert_eq!(by_url, Ok(("localhost".into(), 99, "chat", Some("ann".into()))));
        assert_eq!(by_url, run(&["--protocol", "chat", "--name", "ann", "--address", "localhost", "--port", "99"]));
        assert_eq!(run(&["ann"]), run(&["ann", ""]));
        assert_eq!(by_url, run(&["ann", "CHAT://localhost:99/"]));
        assert_eq!(run(&["ann", "chat://[::1]:99"]).expect("IPv6").0, "::1");
    }

    #[test]
    fn h13_a_malformed_server_is_told_in_the_specification_s_words() {
        let words = "Error:  Invalid server.  Enter a URL of the form:  chat://host:port";
        for server in [
            "localhost:99",
            "http://localhost:99",
            "chat://localhost",
            "chat://:99",
            "chat://localhost:",
            "chat://localhost:0",
            "chat://localhost:65536",
            "chat://localhost:99//",
            "chat://localhost:99/x",
            "chat://a/b:99",
            "chat://::1:99",
            "chat://[::1:99",
            "chat://localhost:+5",
            "chat:/localhost:99",
            "",
        ] {
            assert_eq!(run(&["ann", server]), Err(words.to_owned()), "{server:?}");
        }
    }

    #[test]
    fn a_mistake_is_named_in_one_line_with_the_usage() {
        for (args, problem) in [
            (&["--port", "0"][..], "invalid value '0' for '--port'"),
            (&["--port", "x"], "invalid value 'x' for '--port'"),
            (&["ann", "chat://localhost:99", "x"], "unexpected argument 'x'"),
            (&["ann", "chat://localhost:99", "--port", "1"], "'--port' does not go with a chat:// server"),
            (&["--nmae", "ann"], "unknown option '--nmae'"),
            (&["--name"], "option '--name' needs a value"),
            (&["--protocol", "irc"], "expected cap, wac"),
            (&["--address", "localhost:99"], "a port goes into '--port'"),
            (&["--address", ""], "invalid value '' for '--address'"),
            (&["--color", "red"], "expected auto, always or never"),
            (&["--protocol", "chat"], "option '--name' is missing"),
        ] {
            let text = run(args).expect_err("it is wrong");
            assert!(text.contains(problem), "{text}");
            assert!(text.starts_with("client: ") && text.contains("usage: client [OPTIONS]"), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }
}
