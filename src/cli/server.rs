//! The server's command line.

use std::ffi::OsString;

use super::{DEFAULT_PORT, Exit, Spec, address, number, seconds, size};
use crate::limits;
use crate::log::{LEVELS, Level};
use crate::protocol::{DIALECTS, Dialect, InvalidName};
use crate::server::Settings;

/// Options of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A name or an address of this machine. `None` means its loopback addresses, IPv4 and IPv6.
    pub address: Option<String>,
    /// The port, if the command line has one.
    port: Option<u16>,
    /// The least important events that are logged.
    pub log_level: Level,
    /// Everything else.
    pub settings: Settings,
}

impl Options {
    /// Returns the port to listen on; 0 lets the system pick one.
    pub fn port(&self) -> u16 {
        let has_fixed_port = self.settings.dialect.is_none_or(Dialect::has_fixed_port);
        self.port.unwrap_or(if has_fixed_port { DEFAULT_PORT } else { 0 })
    }
}

/// The name that lets each client choose its protocol.
const AUTO: &str = "auto";

type Flag = super::Flag<Options>;

static SPEC: Spec<Options> = Spec {
    role: "server",
    about: "A chat server. Clients of all protocols meet in one room.",
    usage: &["{program} [OPTIONS]"],
    max_positionals: 0,
    groups: &[
        ("Address and protocol", ADDRESS),
        ("Room", ROOM),
        ("Limits (BYTES may be 64K, 1M or 2G)", LIMITS),
        ("Time limits", TIME_LIMITS),
        ("Log", LOG),
    ],
    after_help: || String::from(AFTER_HELP),
};

const ADDRESS: &[Flag] = &[
    Flag::value("-a, --address ADDRESS", "Listen on this address or name; 0.0.0.0 or :: for all", |args, value| {
        Ok(args.address = Some(address(value)?))
    })
    .default("127.0.0.1 and ::1"),
    Flag::value("-p, --port PORT", "Listen on this port; 0, the default for chat, takes a free one", |args, value| {
        Ok(args.port = Some(number(value, 0..=u16::MAX)?))
    })
    .default("5378"),
    Flag::value("--protocol PROTOCOL", "Speak this protocol; auto goes by each client's first line", |args, value| {
        Ok(args.settings.dialect = DIALECTS.iter().find(|dialect| dialect.name() == value).copied())
    })
    .choices(|| DIALECTS.iter().map(|dialect| dialect.name()).chain([AUTO]).collect())
    .default(AUTO),
];

const ROOM: &[Flag] = &[
    Flag::value("--secret TEXT", "Answer SEC with TEXT instead of a random secret", |args, value| match value.trim() {
        "" => Err(String::from("a line of text")),
        _ => Ok(args.settings.secret = Some(value.to_owned())),
    }),
    Flag::switch("--announce", "Tell WAC and CHAT/1.0 clients who joins and leaves", |args| {
        args.settings.announce = true;
    }),
    Flag::switch("--no-echobot", "Do not run echobot, which sends your messages back to you", |args| {
        args.settings.echobot = false;
    }),
];

const LIMITS: &[Flag] = &[
    Flag::value("--max-clients COUNT", "Log in at most COUNT clients", |args, value| {
        Ok(args.settings.max_clients = Some(number(value, 0..=1_000_000)?))
    })
    .default("1024"),
    Flag::value("--max-per-address COUNT", "Log in at most COUNT clients from one address", |args, value| {
        Ok(args.settings.max_per_address = Some(number(value, 1..=1_000_000)?))
    })
    .default("off"),
    Flag::value("--max-rate LINES", "Read at most LINES a second from one client", |args, value| {
        Ok(args.settings.max_rate = Some(number(value, 1..=1_000_000_000)?))
    })
    .default("off"),
    Flag::value("--max-line BYTES", "Accept lines of at most BYTES, line feed included", |args, value| {
        Ok(args.settings.max_line = Some(size(value, limits::MIN_MAX_LINE..=1 << 30)?))
    })
    .default("1M"),
    Flag::value("--max-backlog BYTES", "Queue at most BYTES for one client, at least --max-line", |args, value| {
        Ok(args.settings.max_backlog = Some(size(value, 0..=1 << 40)?))
    })
    .default("4M"),
    Flag::value("--max-memory BYTES", "Plan with BYTES of memory, half of it for queues", |args, value| {
        Ok(args.settings.max_memory = Some(size(value, 1..=1 << 50)?))
    })
    .default("what is available"),
];

const TIME_LIMITS: &[Flag] = &[
    Flag::value("--slow-timeout SECONDS", "Disconnect a client that is behind for SECONDS", |args, value| {
        Ok(args.settings.slow_timeout = seconds(value)?)
    })
    .default("2"),
    Flag::value("--login-timeout SECONDS", "Disconnect a client that does not log in within SECONDS", |args, value| {
        Ok(args.settings.login_timeout = seconds(value)?)
    })
    .default("60"),
    Flag::value("--idle-timeout SECONDS", "Disconnect a client that sends nothing for SECONDS", |args, value| {
        Ok(args.settings.idle_timeout = Some(seconds(value)?))
    })
    .default("off"),
];

const LOG: &[Flag] = &[
    Flag::value("--log-level LEVEL", "Log this much; trace logs every line of every client", |args, value| {
        let level = LEVELS.into_iter().find(|level| level.name() == value);
        Ok(args.log_level = level.unwrap_or(args.log_level))
    })
    .choices(|| LEVELS.iter().map(|level| level.name()).collect())
    .default("info"),
    Flag::value("--trace NAME", "Log every line from and to this user; repeatable", |args, value| {
        Ok(args.settings.trace.push(value.parse().map_err(|error: InvalidName| error.to_string())?))
    }),
];

const AFTER_HELP: &str = "
Example:
  {program} --address 0.0.0.0 --port 5378 --max-clients 100

Ctrl-C delivers every accepted message and exits. A second Ctrl-C exits at once.
Exit status: 0 after a graceful shutdown, 1 when the server cannot listen or is
stopped at once, 2 for a wrong command line.
";

/// Parses the command line of a server that was started with the name `program`.
///
/// # Errors
///
/// [`Exit`], with the text that was asked for or what is wrong.
pub fn parse(program: &str, args: impl IntoIterator<Item = OsString>) -> Result<Options, Exit> {
    let mut options = Options { address: None, port: None, log_level: Level::Info, settings: Settings::default() };
    SPEC.parse(program, &mut options, args)?;
    let max_line = options.settings.max_line.unwrap_or(limits::MAX_LINE);
    if options.settings.max_backlog.is_some_and(|max_backlog| max_backlog < max_line) {
        let problem = format!("'--max-backlog' must be at least '--max-line', which is {max_line} bytes");
        return Err(SPEC.wrong(program, &problem));
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn run(args: &[&str]) -> Result<Options, String> {
        parse("server", args.iter().map(OsString::from)).map_err(|(Exit::Print(text) | Exit::Wrong(text))| text)
    }

    #[test]
    fn the_help_names_the_defaults() {
        let options = run(&[]).expect("the defaults");
        assert_eq!((options.address.as_deref(), options.port(), options.log_level), (None, 5378, Level::Info));
        assert_eq!(options.settings, Settings::default());
        let help = help_in_one_line();
        let settings = Settings::default();
        for (long, default) in [
            ("address", String::from("127.0.0.1 and ::1")),
            ("port", options.port().to_string()),
            ("protocol", AUTO.to_owned()),
            ("max-clients", limits::MAX_CLIENTS.to_string()),
            ("max-line", format!("{}M", limits::MAX_LINE >> 20)),
            ("max-backlog", format!("{}M", limits::MAX_BACKLOG >> 20)),
            ("slow-timeout", settings.slow_timeout.as_secs().to_string()),
            ("login-timeout", settings.login_timeout.as_secs().to_string()),
            ("idle-timeout", String::from("off")),
            ("max-per-address", String::from("off")),
            ("max-rate", String::from("off")),
            ("max-memory", String::from("what is available")),
            ("log-level", options.log_level.name().to_owned()),
        ] {
            let (_, rest) = help.split_once(&format!("--{long} ")).expect("in the help");
            let (_, rest) = rest.split_once("[default: ").expect("a default");
            assert!(rest.starts_with(&format!("{default}]")), "{long}: {rest}");
        }
    }

    fn help_in_one_line() -> String {
        let help = run(&["--help"]).expect_err("a text");
        assert_eq!(help.lines().find(|line| line.chars().count() > 80), None);
        help.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_option_is_taken_in_each_form() {
        let options =
            run(&["-a", "[::1]", "--port=0", "--max-clients", "5", "--max-line=1000", "--max-backlog", "2000"]);
        let options = options.expect("they are right");
        assert_eq!((options.address.as_deref(), options.port()), (Some("::1"), 0));
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
        let ports = ["cap", "chat"].map(|name| run(&["--protocol", name]).expect("it is spoken").port());
        assert_eq!((ports, run(&["--protocol", "chat", "-p5378"]).expect("a port").port()), ([5378, 0], 5378));
        assert_eq!(run(&["--max-clients", "0"]).expect("always full").settings.max_clients, Some(0));
        assert_eq!(run(&["--protocol", "auto"]).expect("the default").settings.dialect, None);
        assert_eq!(run(&["--secret", "open sesame"]).expect("a text").settings.secret.as_deref(), Some("open sesame"));
        assert_eq!(run(&["-p", "1", "-p", "2"]).expect("the last one counts").port(), 2);
        let traced = run(&["--trace", "ann", "--trace=bob"]).expect("names").settings.trace;
        assert_eq!(traced.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ann", "bob"]);
    }

    #[test]
    fn an_error_is_one_line_with_the_usage() {
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
            (&["--max-memory", "0"], "expected bytes, such as 64K, from 1 to 1048576G"),
            (&["--max-rate", "0"], "expected a number from 1 to"),
            (&["--max-line", "511"], "expected bytes, such as 64K, from 512 to 1G"),
            (&["--max-line", "5000", "--max-backlog", "4999"], "at least '--max-line', which is 5000 bytes"),
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
    fn version_prints_the_version_of_the_package() {
        let text = run(&["-V"]).expect_err("a text");
        assert_eq!(text, format!("parley server {}\n", env!("CARGO_PKG_VERSION")));
    }
}
