//! The server's command line.

use std::ffi::OsString;

use super::{DEFAULT_PORT, Invocation, Spec, UsageError, address, invalid, number, seconds};
use crate::limits;
use crate::log::{LEVELS, Level};
use crate::protocol::{DIALECTS, Dialect};
use crate::server::Settings;

/// What the server is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A name or an address of this machine; `None` is this machine alone, IPv4 and IPv6.
    pub address: Option<String>,
    /// 0 lets the system pick one.
    pub port: u16,
    /// The least important events that are logged.
    pub log_level: Level,
    /// Everything else.
    pub settings: Settings,
}

/// The options, and the port, whose default depends on the protocol.
#[derive(Debug)]
struct Args {
    options: Options,
    port: Option<u16>,
}

/// The protocol that stands for each client's own.
const AUTO: &str = "auto";

/// The largest `--max-backlog`, in bytes.
const MAX_MAX_BACKLOG: usize = 1 << 40;

type Flag = super::Flag<Args>;

static SPEC: Spec<Args> = Spec {
    role: "server",
    about: "A chat server: everybody in one room, whatever protocol their client speaks.",
    usage: &["{program} [OPTIONS]"],
    max_positionals: 0,
    flags: &[
        Flag::option(
            "address",
            "ADDRESS",
            "Listen on this address or name; 0.0.0.0 or :: for all of this machine",
            |args, value| Ok(args.options.address = Some(address(value)?)),
        )
        .short('a')
        .default("127.0.0.1 and ::1"),
        Flag::option(
            "port",
            "PORT",
            "Listen on this port; 0, the default for chat alone, lets the system pick one",
            |args, value| Ok(args.port = Some(number(value, 0..=u16::MAX)?)),
        )
        .short('p')
        .default("5378"),
        Flag::option(
            "protocol",
            "PROTOCOL",
            "Speak this protocol; auto goes by each client's first line",
            |args, value| {
                Ok(args.options.settings.dialect = DIALECTS.iter().find(|dialect| dialect.name() == value).copied())
            },
        )
        .choices(|| DIALECTS.iter().map(|dialect| dialect.name()).chain([AUTO]).collect())
        .default(AUTO),
        Flag::option(
            "secret",
            "TEXT",
            "The secret, instead of a random one that changes every 10 minutes",
            |args, value| match value.trim() {
                "" => Err(String::from("a line of text")),
                _ => Ok(args.options.settings.secret = Some(value.to_owned())),
            },
        ),
        Flag::option("max-clients", "COUNT", "Clients that may be logged in at a time", |args, value| {
            Ok(args.options.settings.max_clients = Some(number(value, 0..=1_000_000)?))
        })
        .default("1024"),
        Flag::option("max-per-address", "COUNT", "Clients from one address that may be logged in", |args, value| {
            Ok(args.options.settings.max_per_address = Some(number(value, 1..=1_000_000)?))
        })
        .default("off"),
        Flag::option("max-rate", "LINES", "Read no more lines a second from one client", |args, value| {
            Ok(args.options.settings.max_rate = Some(number(value, 1..=1_000_000_000)?))
        })
        .default("off"),
        Flag::option("max-line", "BYTES", "Length of the longest line, its line feed included", |args, value| {
            Ok(args.options.settings.max_line = Some(number(value, limits::MIN_MAX_LINE..=1 << 30)?))
        })
        .default("1048576"),
        Flag::option(
            "max-backlog",
            "BYTES",
            "What may wait for one client, at least one longest line",
            |args, value| Ok(args.options.settings.max_backlog = Some(number(value, 0..=MAX_MAX_BACKLOG)?)),
        )
        .default("4194304"),
        Flag::option(
            "max-memory",
            "BYTES",
            "Memory that the server may take, half of it for what waits",
            |args, value| Ok(args.options.settings.max_memory = Some(number(value, 1..=1 << 50)?)),
        )
        .default("what there is"),
        Flag::option("slow-timeout", "SECONDS", "Disconnect a client that is behind for so long", |args, value| {
            Ok(args.options.settings.slow_timeout = seconds(value)?)
        })
        .default("2"),
        Flag::option(
            "login-timeout",
            "SECONDS",
            "Disconnect a client that has not logged in by then",
            |args, value| Ok(args.options.settings.login_timeout = seconds(value)?),
        )
        .default("60"),
        Flag::option("idle-timeout", "SECONDS", "Disconnect a client that says nothing for so long", |args, value| {
            Ok(args.options.settings.idle_timeout = Some(seconds(value)?))
        })
        .default("off"),
        Flag::switch("announce", "Tell WAC and CHAT/1.0 clients who joins, leaves and changes the name", |args, on| {
            args.options.settings.announce = on;
        }),
        Flag::switch("no-echobot", "Do without echobot, the user who answers with what you say", |args, on| {
            args.options.settings.echobot = !on;
        }),
        Flag::option(
            "log-level",
            "LEVEL",
            "What goes to standard error; trace is each line of everybody",
            |args, value| {
                let level = LEVELS.into_iter().find(|level| level.name() == value);
                Ok(args.options.log_level = level.unwrap_or(args.options.log_level))
            },
        )
        .choices(|| LEVELS.iter().map(|level| level.name()).collect())
        .default("info"),
        Flag::option(
            "trace",
            "NAME",
            "Log each line from and to this user; may be given for several",
            |args, value| match value.parse() {
                Ok(name) => Ok(args.options.settings.trace.push(name)),
                Err(_) => Err(String::from("1 to 64 letters, digits, '_', '-' and '.'")),
            },
        ),
    ],
    after_help: || String::from(AFTER_HELP),
};

const AFTER_HELP: &str = "
Example:
  {program} --address 0.0.0.0 --port 5378 --max-clients 100

Ctrl-C ends it in good order: what was sent is delivered first. A second one ends it at once.
Exit status: 0 after a good end, 1 when it cannot listen or is ended at once, 2 for a wrong command line.
";

/// Parses the command line of a server that was started with the name `program`.
///
/// # Errors
///
/// [`UsageError`], which says what is wrong and what would be right.
pub fn parse(program: &str, args: impl IntoIterator<Item = OsString>) -> Result<Invocation<Options>, UsageError> {
    let command = SPEC.called(program);
    let options = Options { address: None, port: DEFAULT_PORT, log_level: Level::Info, settings: Settings::default() };
    let args = command.parse(Args { options, port: None }, args)?;
    args.and_then(|(Args { mut options, port }, _)| {
        let has_fixed_port = options.settings.dialect.is_none_or(Dialect::has_fixed_port);
        options.port = port.unwrap_or(if has_fixed_port { DEFAULT_PORT } else { 0 });
        let max_line = options.settings.max_line.unwrap_or(limits::MAX_LINE);
        if let Some(max_backlog) = options.settings.max_backlog.filter(|max_backlog| *max_backlog < max_line) {
            let expected = format!("a number from {max_line} to {MAX_MAX_BACKLOG}");
            return Err(command.error(&invalid("max-backlog", &max_backlog.to_string(), &expected)));
        }
        Ok(options)
    })
}

#[cfg(test)]
mod tests {
    use super::super::outcome;
    use super::*;
    use std::time::Duration;

    fn run(args: &[&str]) -> Result<Options, String> {
        outcome(parse("server", args.iter().map(OsString::from)))
    }

    #[test]
    fn without_arguments_everything_is_as_the_help_says() {
        let options = run(&[]).expect("the defaults");
        assert_eq!((options.address, options.port, options.log_level), (None, 5378, Level::Info));
        assert_eq!(options.settings, Settings::default());
        let help = run(&["--help"]).expect_err("a text");
        let settings = Settings::default();
        for (long, default) in [
            ("address", String::from("127.0.0.1 and ::1")),
            ("port", options.port.to_string()),
            ("protocol", AUTO.to_owned()),
            ("max-clients", limits::MAX_CLIENTS.to_string()),
            ("max-line", limits::MAX_LINE.to_string()),
            ("max-backlog", limits::MAX_BACKLOG.to_string()),
            ("slow-timeout", settings.slow_timeout.as_secs().to_string()),
            ("login-timeout", settings.login_timeout.as_secs().to_string()),
            ("idle-timeout", String::from("off")),
            ("max-per-address", String::from("off")),
            ("max-rate", String::from("off")),
            ("max-memory", String::from("what there is")),
            ("log-level", options.log_level.to_string()),
        ] {
            let line = help.lines().find(|line| line.contains(&format!("--{long} "))).expect("in the help");
            assert!(line.ends_with(&format!("[default: {default}]")), "{line}");
        }
    }

    #[test]
    fn every_option_is_taken_in_each_form() {
        let options =
            run(&["-a", "[::1]", "--port=0", "--max-clients", "5", "--max-line=1000", "--max-backlog", "2000"]);
        let options = options.expect("they are right");
        assert_eq!((options.address.as_deref(), options.port), (Some("::1"), 0));
        assert_eq!(
            (options.settings.max_clients, options.settings.max_line, options.settings.max_backlog),
            (Some(5), Some(1000), Some(2000))
        );
        let options = run(&[
            "-p",
            "1",
            "--slow-timeout",
            "0.5",
            "--login-timeout=90",
            "--no-echobot",
            "--announce",
            "--log-level",
            "debug",
        ]);
        let options = options.expect("they are right");
        assert_eq!(options.settings.slow_timeout, Duration::from_millis(500));
        assert_eq!((options.settings.login_timeout.as_secs(), options.settings.echobot), (90, false));
        assert_eq!((options.log_level, options.settings.announce), (Level::Debug, true));
        for dialect in DIALECTS {
            let options = run(&["--protocol", dialect.name()]).expect("it is spoken");
            assert_eq!(options.settings.dialect.map(crate::protocol::Dialect::name), Some(dialect.name()));
        }
        let ports = ["cap", "chat"].map(|name| run(&["--protocol", name]).expect("it is spoken").port);
        assert_eq!((ports, run(&["--protocol", "chat", "-p5378"]).expect("a port").port), ([5378, 0], 5378));
        assert_eq!(run(&["--max-clients", "0"]).expect("always full").settings.max_clients, Some(0));
        assert_eq!(run(&["--protocol", "auto"]).expect("the default").settings.dialect, None);
        assert_eq!(run(&["--secret", "open sesame"]).expect("a text").settings.secret.as_deref(), Some("open sesame"));
        assert_eq!(run(&["-p", "1", "-p", "2"]).expect("the last one counts").port, 2);
        let traced = run(&["--trace", "ann", "--trace=bob"]).expect("names").settings.trace;
        assert_eq!(traced.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ann", "bob"]);
    }

    #[test]
    fn a_mistake_is_named_in_one_line_with_the_usage() {
        for (args, problem) in [
            (&["--prot", "1"][..], "unknown option '--prot'"),
            (&["-x"], "unknown option '-x'"),
            (&["--"], "unknown option '--'"),
            (&["5378"], "unexpected argument '5378'"),
            (&["--port"], "option '--port' needs a value"),
            (&["--no-echobot=1"], "option '--no-echobot' takes no value"),
            (&["--port", "70000"], "invalid value '70000' for '--port': expected a number from 0 to 65535"),
            (&["--port", "-1"], "invalid value '-1' for '--port': expected a number from 0 to 65535"),
            (&["--max-clients", "-1"], "expected a number from 0 to"),
            (&["--max-per-address", "0"], "expected a number from 1 to"),
            (&["--max-memory", "0"], "expected a number from 1 to"),
            (&["--max-rate", "0"], "expected a number from 1 to"),
            (&["--max-line", "511"], "expected a number from 512 to"),
            (&["--max-line", "5000", "--max-backlog", "4999"], "expected a number from 5000 to"),
            (&["--slow-timeout", "0"], "expected seconds, from 0.001 to 86400"),
            (&["--login-timeout", "soon"], "expected seconds"),
            (&["--login-timeout", "NaN"], "expected seconds"),
            (&["--protocol", "irc"], "expected cap, "),
            (&["--protocol", "CAP"], " or auto"),
            (&["--secret", ""], "expected a line of text"),
            (
                &["--trace", "a b"],
                "invalid value 'a b' for '--trace': expected 1 to 64 letters, digits, '_', '-' and '.'",
            ),
            (&["--two\nlines"], "unknown option '--two\u{fffd}lines'"),
            (&["--log-level", "loud"], "expected error, warn, info, debug or trace"),
        ] {
            let text = run(args).expect_err("it is wrong");
            assert!(text.contains(problem), "{text}");
            assert!(text.contains("usage: server [OPTIONS]") && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn the_version_is_the_package_s() {
        let text = run(&["-V"]).expect_err("a text");
        assert_eq!(text, format!("parley server {}\n", env!("CARGO_PKG_VERSION")));
    }
}
