//! The server's command line.

use std::ffi::OsString;

use super::{DEFAULT_PORT, Flag, Invocation, Spec, UsageError};
use crate::limits;
use crate::log::{LEVELS, Level};
use crate::server::Settings;

/// What the server is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A name or an address of this machine.
    pub address: String,
    /// 0 lets the system pick one.
    pub port: u16,
    /// The least important events that are logged.
    pub log_level: Level,
    /// Everything else.
    pub settings: Settings,
}

static SPEC: Spec = Spec {
    program: "server",
    about: "A chat server: everybody in one room, whatever protocol their client speaks.",
    usage: "server [OPTIONS]",
    flags: &[
        Flag {
            long: "address",
            short: Some('a'),
            value: Some("ADDRESS"),
            help: "Listen on this address or name; 0.0.0.0 or :: for all of this machine",
            default: Some("127.0.0.1"),
        },
        Flag {
            long: "port",
            short: Some('p'),
            value: Some("PORT"),
            help: "Listen on this port; 0 lets the system pick one",
            default: Some("5378"),
        },
        Flag {
            long: "max-clients",
            short: None,
            value: Some("COUNT"),
            help: "Clients that may be logged in at a time",
            default: Some("1024"),
        },
        Flag {
            long: "max-line",
            short: None,
            value: Some("BYTES"),
            help: "Length of the longest line, its line feed included",
            default: Some("1048576"),
        },
        Flag {
            long: "max-backlog",
            short: None,
            value: Some("BYTES"),
            help: "What may wait for one client, at least one longest line",
            default: Some("4194304"),
        },
        Flag {
            long: "slow-timeout",
            short: None,
            value: Some("SECONDS"),
            help: "Disconnect a client that stays over half its backlog for so long",
            default: Some("2"),
        },
        Flag {
            long: "login-timeout",
            short: None,
            value: Some("SECONDS"),
            help: "Disconnect a client that has not logged in by then",
            default: Some("60"),
        },
        Flag {
            long: "no-echobot",
            short: None,
            value: None,
            help: "Do without echobot, the user who answers with what you say",
            default: None,
        },
        Flag {
            long: "log-level",
            short: None,
            value: Some("LEVEL"),
            help: "What goes to standard error: error, warn, info or debug",
            default: Some("info"),
        },
    ],
    more: "
Example:
  server --address 0.0.0.0 --port 5378 --max-clients 100

Exit status: 0 after a good end, 1 when it cannot listen, 2 for a wrong command line.
",
};

/// Takes the server's arguments apart.
///
/// # Errors
///
/// [`UsageError`], which says what is wrong and what would be right.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation<Options>, UsageError> {
    let matches = match SPEC.parse(args)? {
        Ok(matches) => matches,
        Err(text) => return Ok(Invocation::Print(text)),
    };
    let max_line = matches.number("max-line", limits::MIN_MAX_LINE, 1 << 30)?.unwrap_or(limits::MAX_LINE);
    let max_backlog = matches.number("max-backlog", max_line, 1 << 40)?.unwrap_or(limits::MAX_BACKLOG.max(max_line));
    let level = |text: &str| LEVELS.into_iter().find(|level| level.to_string() == text);
    Ok(Invocation::Run(Options {
        address: matches.address(),
        port: matches.number("port", 0, u16::MAX)?.unwrap_or(DEFAULT_PORT),
        log_level: matches.value("log-level", "error, warn, info or debug", level)?.unwrap_or(Level::Info),
        settings: Settings {
            max_clients: matches.number("max-clients", 1, 1_000_000)?.unwrap_or(limits::MAX_CLIENTS),
            max_line,
            max_backlog,
            slow_timeout: matches.seconds("slow-timeout")?.unwrap_or(limits::SLOW_TIMEOUT),
            login_timeout: matches.seconds("login-timeout")?.unwrap_or(limits::LOGIN_TIMEOUT),
            echobot: !matches.has("no-echobot"),
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn run(args: &[&str]) -> Result<Options, String> {
        match parse(args.iter().map(OsString::from)) {
            Ok(Invocation::Run(options)) => Ok(options),
            Ok(Invocation::Print(text)) => Err(text),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn without_arguments_everything_is_as_the_help_says() {
        let options = run(&[]).expect("the defaults");
        assert_eq!((options.address.as_str(), options.port, options.log_level), ("127.0.0.1", 5378, Level::Info));
        assert_eq!(options.settings, Settings::default());
        let help = run(&["--help"]).expect_err("a text");
        let settings = Settings::default();
        for (long, default) in [
            ("address", options.address),
            ("port", options.port.to_string()),
            ("max-clients", settings.max_clients.to_string()),
            ("max-line", settings.max_line.to_string()),
            ("max-backlog", settings.max_backlog.to_string()),
            ("slow-timeout", settings.slow_timeout.as_secs().to_string()),
            ("login-timeout", settings.login_timeout.as_secs().to_string()),
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
        assert_eq!((options.address.as_str(), options.port), ("::1", 0));
        assert_eq!(
            (options.settings.max_clients, options.settings.max_line, options.settings.max_backlog),
            (5, 1000, 2000)
        );
        let options =
            run(&["-p", "1", "--slow-timeout", "0.5", "--login-timeout=90", "--no-echobot", "--log-level", "debug"]);
        let options = options.expect("they are right");
        assert_eq!(options.settings.slow_timeout, Duration::from_millis(500));
        assert_eq!((options.settings.login_timeout.as_secs(), options.settings.echobot), (90, false));
        assert_eq!(options.log_level, Level::Debug);
        assert_eq!(run(&["-p", "1", "-p", "2"]).expect("the last one counts").port, 2);
        let long = run(&["--max-line", "8388608"]).expect("a long line");
        assert_eq!(long.settings.max_backlog, 8_388_608);
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
            (&["--port", "70000"], "'70000' is no value for '--port', which takes a number from 0 to 65535"),
            (&["--port", "-1"], "'-1' is no value for '--port', which takes a number from 0 to 65535"),
            (&["--max-clients", "0"], "which takes a number from 1 to"),
            (&["--max-line", "511"], "which takes a number from 512 to"),
            (&["--max-line", "5000", "--max-backlog", "4999"], "which takes a number from 5000 to"),
            (&["--slow-timeout", "0"], "which takes seconds, from 0.001 to 86400"),
            (&["--login-timeout", "soon"], "which takes seconds"),
            (&["--login-timeout", "NaN"], "which takes seconds"),
            (&["--log-level", "loud"], "which takes error, warn, info or debug"),
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
