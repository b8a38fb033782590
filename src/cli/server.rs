//! The server's command line.

use std::ffi::OsString;

use super::{DEFAULT_PORT, Flag, Invocation, Spec, UsageError};
use crate::limits;
use crate::log::{LEVELS, Level};
use crate::protocol::DIALECTS;
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
    words: 0,
    flags: &[
        Flag::option("address", "ADDRESS", "Listen on this address or name; 0.0.0.0 or :: for all of this machine")
            .short('a')
            .default("127.0.0.1"),
        Flag::option("port", "PORT", "Listen on this port; 0 lets the system pick one").short('p').default("5378"),
        Flag::option("protocol", "PROTOCOL", "Speak this protocol; auto goes by each client's first line")
            .choices(protocols)
            .default(AUTO),
        Flag::option("secret", "TEXT", "The secret, instead of a random one that changes every 10 minutes"),
        Flag::option("max-clients", "COUNT", "Clients that may be logged in at a time").default("1024"),
        Flag::option("max-line", "BYTES", "Length of the longest line, its line feed included").default("1048576"),
        Flag::option("max-backlog", "BYTES", "What may wait for one client, at least one longest line")
            .default("4194304"),
        Flag::option("slow-timeout", "SECONDS", "Disconnect a client that stays over half its backlog for so long")
            .default("2"),
        Flag::option("login-timeout", "SECONDS", "Disconnect a client that has not logged in by then").default("60"),
        Flag::option("idle-timeout", "SECONDS", "Disconnect a client that says nothing for so long").default("off"),
        Flag::switch("no-echobot", "Do without echobot, the user who answers with what you say"),
        Flag::option("log-level", "LEVEL", "What goes to standard error").choices(levels).default("info"),
    ],
    more: || String::from(MORE),
};

const MORE: &str = "
Example:
  server --address 0.0.0.0 --port 5378 --max-clients 100

Ctrl-C ends it in good order: what was sent is delivered first. A second one ends it at once.
Exit status: 0 after a good end, 1 when it cannot listen or is ended at once, 2 for a wrong command line.
";

/// The choice that lets the server find out for itself.
const AUTO: &str = "auto";

fn protocols() -> Vec<String> {
    DIALECTS.iter().map(|dialect| dialect.name()).chain([AUTO]).map(String::from).collect()
}

fn levels() -> Vec<String> {
    LEVELS.iter().map(ToString::to_string).collect()
}

/// Takes the server's arguments apart.
///
/// # Errors
///
/// [`UsageError`], which says what is wrong and what would be right.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation<Options>, UsageError> {
    let matches = match SPEC.parse(args)? {
        Invocation::Run(matches) => matches,
        Invocation::Print(text) => return Ok(Invocation::Print(text)),
    };
    let max_line = matches.number("max-line", limits::MIN_MAX_LINE, 1 << 30)?.unwrap_or(limits::MAX_LINE);
    let max_backlog = matches.number("max-backlog", max_line, 1 << 40)?.unwrap_or(limits::MAX_BACKLOG.max(max_line));
    let level = |text: &str| LEVELS.into_iter().find(|level| level.to_string() == text);
    let dialect = |text: &str| match text {
        AUTO => Some(None),
        key => DIALECTS.iter().find(|dialect| dialect.name() == key).map(|dialect| Some(*dialect)),
    };
    let secret = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
    Ok(Invocation::Run(Options {
        address: matches.address()?,
        port: matches.number("port", 0, u16::MAX)?.unwrap_or(DEFAULT_PORT),
        log_level: matches.choice("log-level", level)?.unwrap_or(Level::Info),
        settings: Settings {
            dialect: matches.choice("protocol", dialect)?.flatten(),
            secret: matches.value("secret", "a line of text", secret)?,
            max_clients: matches.number("max-clients", 1, 1_000_000)?.unwrap_or(limits::MAX_CLIENTS),
            max_line,
            max_backlog,
            slow_timeout: matches.seconds("slow-timeout")?.unwrap_or(limits::SLOW_TIMEOUT),
            login_timeout: matches.seconds("login-timeout")?.unwrap_or(limits::LOGIN_TIMEOUT),
            idle_timeout: matches.seconds("idle-timeout")?,
            echobot: !matches.has("no-echobot"),
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::super::outcome;
    use super::*;
    use std::time::Duration;

    fn run(args: &[&str]) -> Result<Options, String> {
        outcome(parse(args.iter().map(OsString::from)))
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
            ("protocol", AUTO.to_owned()),
            ("max-clients", settings.max_clients.to_string()),
            ("max-line", settings.max_line.to_string()),
            ("max-backlog", settings.max_backlog.to_string()),
            ("slow-timeout", settings.slow_timeout.as_secs().to_string()),
            ("login-timeout", settings.login_timeout.as_secs().to_string()),
            ("idle-timeout", String::from("off")),
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
        for dialect in DIALECTS {
            let options = run(&["--protocol", dialect.name()]).expect("it is spoken");
            assert_eq!(options.settings.dialect.map(|pinned| pinned.name()), Some(dialect.name()));
        }
        assert_eq!(run(&["--protocol", "auto"]).expect("the default").settings.dialect, None);
        assert_eq!(run(&["--secret", "open sesame"]).expect("a text").settings.secret.as_deref(), Some("open sesame"));
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
            (&["--protocol", "irc"], "which takes cap, "),
            (&["--protocol", "CAP"], " or auto"),
            (&["--secret", ""], "which takes a line of text"),
            (&["--two\nlines"], "unknown option '--two\u{fffd}lines'"),
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
