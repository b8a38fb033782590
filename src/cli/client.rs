//! The client's command line.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{DEFAULT_ADDRESS, DEFAULT_PORT, Exit, Spec, address, number, without_brackets};
use crate::client::session::{PROTOCOLS, Protocol};
use crate::client::{Bell, Color, UiOptions, messages};

/// Options of the client.
#[derive(Debug)]
pub struct Options {
    /// A name or an address.
    pub address: String,
    /// The server's port.
    pub port: u16,
    /// The protocol to speak.
    pub protocol: &'static Protocol,
    /// The name to log in with.
    pub name: Option<String>,
    /// Whether to reconnect after a lost connection; `None` decides by the keyboard.
    pub reconnect: Option<bool>,
    /// Options of the user interface.
    pub ui: UiOptions,
}

/// The flags that were given.
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
    about: "A chat client for the keyboard and for scripts.",
    usage: &["{program} [OPTIONS]", "{program} USER chat://HOST:PORT"],
    max_positionals: 2,
    groups: &[("Connection", CONNECTION), ("Terminal", TERMINAL), ("Scripts and debugging", SCRIPTS)],
    after_help,
};

const CONNECTION: &[Flag] = &[
    Flag::value("-a, --address ADDRESS", "Connect to this address or name", |args, value| {
        Ok(args.address = Some(address(value)?))
    })
    .default(DEFAULT_ADDRESS),
    Flag::value("-p, --port PORT", "Connect to this port", |args, value| {
        Ok(args.port = Some(number(value, 1..=u16::MAX)?))
    })
    .default("5378"),
    Flag::value("--protocol PROTOCOL", "Speak this protocol; cap1 is revision 1 of CAP", |args, value| {
        Ok(args.protocol = protocol(value))
    })
    .choices(|| PROTOCOLS.iter().map(|protocol| protocol.name).collect())
    .default("cap"),
    Flag::value("-n, --name NAME", "Log in as NAME instead of asking for a name", |args, value| match value.trim() {
        "" => Err(String::from("a name")),
        _ => Ok(args.name = Some(value.to_owned())),
    }),
    Flag::switch("--reconnect", "Connect again when the connection is lost (default at a keyboard)", |args| {
        args.reconnect = Some(true);
    }),
    Flag::switch("--no-reconnect", "Exit when the connection is lost (default in a script)", |args| {
        args.reconnect = Some(false);
    }),
];

const TERMINAL: &[Flag] = &[
    Flag::value("--color WHEN", "Color names, times and whispers", |args, value| {
        let color = Color::ALL.iter().find(|(name, _)| *name == value);
        Ok(args.ui.color = color.map_or(Color::Auto, |(_, color)| *color))
    })
    .choices(|| Color::ALL.iter().map(|(name, _)| *name).collect())
    .default("auto"),
    Flag::switch("--timestamps", "Show the time before each line", |args| args.ui.timestamps = true),
    Flag::value("--bell [all]", "Ring for whispers and your name, or for all messages", |args, value| match value {
        "" => Ok(args.ui.bell = Bell::Personal),
        "all" => Ok(args.ui.bell = Bell::All),
        _ => Err(String::from("all, or no value")),
    }),
    Flag::switch("--plain", "Leave line editing to the terminal", |args| args.ui.plain = true),
];

const SCRIPTS: &[Flag] = &[
    Flag::value("--log FILE", "Append the chat to FILE", |args, value| Ok(args.ui.log = Some(PathBuf::from(value)))),
    Flag::switch("--trace", "Print every line sent and received on stderr", |args| args.ui.trace = true),
];

/// Returns the commands of each protocol, examples and exit statuses.
fn after_help() -> String {
    let mut text = String::new();
    for protocol in PROTOCOLS {
        let commands = protocol.help();
        // Two revisions of one protocol have the same commands.
        if !text.contains(&commands) {
            text += &format!("\nCommands with {}, {}:\n{commands}", protocol.name, protocol.about);
        }
    }
    text + EXAMPLES
}

const EXAMPLES: &str = "
Examples:
  {program} --address chat.example.org --name ann
  {program} ann chat://chat.example.org:5378
  printf 'ann\\n@bob I am late\\n' | {program}

Exit status: 0 after !quit or the end of input, 1 when the connection fails or
is lost, the server is full or a login is refused in a script, 2 for a wrong
command line, 128 plus the number of a signal, such as 130 after Ctrl-C.
";

fn protocol(name: &str) -> Option<&'static Protocol> {
    PROTOCOLS.iter().find(|protocol| protocol.name == name)
}

/// Parses the command line of a client that was started with the name `program`.
///
/// # Errors
///
/// [`Exit`], with the text that was asked for or what is wrong.
pub fn parse(program: &str, words: impl IntoIterator<Item = OsString>) -> Result<Options, Exit> {
    let mut args = Args::default();
    let positionals = SPEC.parse(program, &mut args, words)?;
    let needs = |problem: String| Err(Exit::Wrong(format!("{program}: {problem} (see '{program} --help')")));
    let form = format!("{program} USER chat://HOST:PORT");
    match &positionals[..] {
        [] => {}
        [user, ..] if user.contains("://") || user.trim().is_empty() => {
            return needs(format!("USER is missing: {form}"));
        }
        [host] if host.matches(':').count() == 1 => {
            return needs(format!("for a host use --address {}", host.replace(':', " --port ")));
        }
        [host] if host.contains(['.', ':']) => return needs(format!("for a host use --address {host}")),
        [_] => return needs(format!("USER alone is not enough: {form}")),
        [user, url, ..] => {
            if args.address.is_some() || args.port.is_some() || args.protocol.is_some() || args.name.is_some() {
                let problem = "--address, --port, --protocol and --name do not go with chat://HOST:PORT";
                return Err(SPEC.wrong(program, problem));
            }
            let invalid = || Exit::Wrong(messages::INVALID_SERVER.to_owned());
            let (host, port) = host_and_port(url).ok_or_else(invalid)?;
            (args.address, args.port) = (Some(host.to_owned()), Some(port));
            (args.protocol, args.name) = (protocol("chat"), Some(user.clone()));
        }
    }
    let protocol = args.protocol.unwrap_or(&PROTOCOLS[0]);
    if protocol.needs_name && args.name.is_none() {
        return Err(SPEC.wrong(program, "option '--name' is missing"));
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
    use super::*;

    fn options(args: &[&str]) -> Result<Options, String> {
        parse("client", args.iter().map(OsString::from)).map_err(|(Exit::Print(text) | Exit::Wrong(text))| text)
    }

    fn run(args: &[&str]) -> Result<(String, u16, &'static str, Option<String>), String> {
        let options = options(args)?;
        Ok((options.address, options.port, options.protocol.name, options.name))
    }

    #[test]
    fn the_defaults_are_those_of_the_server() {
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
    fn options_of_the_interface_go_with_either_form() {
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
            let options = options(&[&args[..], server].concat()).expect("they go together");
            assert_eq!((options.ui, options.reconnect), (ui.clone(), Some(true)));
        }
        let options = options(&[]).expect("nothing is needed");
        assert_eq!((options.ui, options.reconnect), (UiOptions::default(), None));
    }

    #[test]
    fn bell_takes_the_word_all_and_no_other() {
        for (args, bell) in [
            (&["--bell", "--plain"][..], Bell::Personal),
            (&["--bell", "all"], Bell::All),
            (&["--bell=all", "--plain"], Bell::All),
            (&["--bell", "all", "--bell"], Bell::Personal),
            (&["--plain"], Bell::Off),
            (&["--bell", "ann", "chat://localhost:99"], Bell::Personal),
        ] {
            let options = options(args).expect("it is right");
            assert_eq!(options.ui.bell, bell, "{args:?}");
        }
        assert!(
            run(&["--bell=some"]).expect_err("it is wrong").contains("'some' for '--bell': expected all, or no value")
        );
    }

    #[test]
    fn h12_a_user_and_a_url_equal_the_options() {
        let by_url = run(&["ann", "chat://localhost:99"]);
        assert_eq!(by_url, Ok(("localhost".into(), 99, "chat", Some("ann".into()))));
        assert_eq!(by_url, run(&["--protocol", "chat", "--name", "ann", "--address", "localhost", "--port", "99"]));
        assert_eq!(by_url, run(&["ann", "CHAT://localhost:99/"]));
        assert_eq!(run(&["ann", "chat://[::1]:99"]).expect("IPv6").0, "::1");
    }

    #[test]
    fn h13_a_malformed_url_is_an_invalid_server() {
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
    fn an_error_says_what_a_command_line_lacks() {
        for (args, problem) in [
            (&["ann"][..], "USER alone is not enough: client USER chat://HOST:PORT"),
            (&["chat://host:5532"], "USER is missing: client USER chat://HOST:PORT"),
            (&["", "chat://host:5532"], "USER is missing: client USER chat://HOST:PORT"),
            (&["192.168.1.5"], "for a host use --address 192.168.1.5"),
            (&["::1"], "for a host use --address ::1"),
            (&["localhost:99"], "for a host use --address localhost --port 99"),
        ] {
            assert_eq!(run(args), Err(format!("client: {problem} (see 'client --help')")));
        }
    }

    #[test]
    fn the_help_has_every_group_and_fits_80_columns() {
        let help = options(&["--help"]).expect_err("a text");
        assert_eq!(help.lines().find(|line| line.chars().count() > 80), None);
        for title in ["Connection:", "Terminal:", "Scripts and debugging:", "Other:", "Examples:"] {
            assert!(help.lines().any(|line| line == title), "{help}");
        }
        for protocol in ["cap", "wac", "chat"] {
            assert_eq!(help.matches(&format!("Commands with {protocol},")).count(), 1, "{help}");
        }
    }

    #[test]
    fn an_error_is_one_line_with_the_usage() {
        for (args, problem) in [
            (&["--port", "0"][..], "invalid value '0' for '--port'"),
            (&["--port", "x"], "invalid value 'x' for '--port'"),
            (&["ann", "chat://localhost:99", "x"], "unexpected argument 'x'"),
            (&["ann", "chat://localhost:99", "--port", "1"], "--name do not go with chat://HOST:PORT"),
            (&["--nmae", "ann"], "unknown option '--nmae'"),
            (&["--name"], "option '--name' needs a value"),
            (&["--protocol", "irc"], "expected cap, wac"),
            (&["--address", "localhost:99"], "a port goes into '--port'"),
            (&["--address", ""], "invalid value '' for '--address'"),
            (&["--name", ""], "invalid value '' for '--name': expected a name"),
            (&["--no-timestamps"], "unknown option '--no-timestamps'"),
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
