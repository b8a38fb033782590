//! The client's command line.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{DEFAULT_PORT, Flag, Invocation, Matches, Problem, Spec, UsageError, without_brackets};
use crate::client::session::{PROTOCOLS, Protocol};
use crate::client::{Color, UiOptions};

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
    /// Whether to connect again when the connection is lost.
    pub reconnect: bool,
    /// How the person wants it.
    pub ui: UiOptions,
}

static SPEC: Spec = Spec {
    program: "client",
    about: "A chat client for one server, at the keyboard or in a pipe.",
    usage: "client [OPTIONS] or client USER chat://HOST:PORT",
    words: 2,
    flags: &[
        Flag::option("address", "ADDRESS", "Connect to this address or name").short('a').default("127.0.0.1"),
        Flag::option("port", "PORT", "Connect to this port").short('p').default("5378"),
        Flag::option("protocol", "PROTOCOL", "Speak this protocol").choices(protocols).default("cap"),
        Flag::option("name", "NAME", "Log in with this name, without being asked for it").short('n'),
        Flag::switch("reconnect", "Connect again, with the same name, when the connection is lost"),
        Flag::option("color", "WHEN", "Color senders' names (always), or only what the client adds (auto)")
            .choices(colors)
            .default("auto"),
        Flag::switch("timestamps", "Show the time before each line"),
        Flag::switch("bell", "Make a sound with each message"),
        Flag::option("log", "FILE", "Copy the chat to the end of this file, which only you can read"),
        Flag::switch("plain", "Leave the editing of lines to the terminal"),
    ],
    more,
};

/// The commands of each protocol, examples, exit statuses.
fn more() -> String {
    let mut text = String::new();
    for protocol in PROTOCOLS {
        text += &format!("\nIn the chat, with {}, {}:\n{}", protocol.name, protocol.about, protocol.help());
    }
    text + EXAMPLES
}

const EXAMPLES: &str = "
Examples:
  client --address chat.example.org --name ann
  client ann chat://chat.example.org:5378
  printf 'ann\\n@bob I am late\\n' | client

Exit status: 0 after a good end, 1 when the connection fails or is lost or the login is refused for good,
2 for a wrong command line, 128 and its number after a signal: 130 after Ctrl-C.
";

fn colors() -> Vec<String> {
    Color::ALL.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// What a word for colours stands for.
fn color(word: &str) -> Option<Color> {
    Color::ALL.iter().find_map(|(name, color)| (*name == word).then_some(*color))
}

/// The options that say nothing of the server or the login.
fn ui(matches: &Matches) -> Result<UiOptions, UsageError> {
    Ok(UiOptions {
        plain: matches.has("plain"),
        color: matches.choice("color", color)?.unwrap_or_default(),
        timestamps: matches.has("timestamps"),
        bell: matches.has("bell"),
        log: matches.text("log").map(PathBuf::from),
    })
}

fn protocols() -> Vec<String> {
    PROTOCOLS.iter().map(|protocol| protocol.name.to_owned()).collect()
}

/// The kind of session that a protocol's name stands for.
fn protocol(key: &str) -> Option<&'static Protocol> {
    PROTOCOLS.iter().find(|protocol| protocol.name == key)
}

/// Takes the client's arguments apart.
///
/// # Errors
///
/// [`UsageError`], which says what is wrong and what would be right.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation<Options>, UsageError> {
    let matches = match SPEC.parse(args)? {
        Invocation::Run(matches) => matches,
        Invocation::Print(text) => return Ok(Invocation::Print(text)),
    };
    let options = match &matches.words[..] {
        [] => by_options(&matches)?,
        [user, server] => by_url(&matches, user, server)?,
        _ => return Err(SPEC.error(Problem::InvalidServer)),
    };
    Ok(Invocation::Run(options))
}

fn by_options(matches: &Matches) -> Result<Options, UsageError> {
    let protocol = matches.choice("protocol", protocol)?.unwrap_or(&PROTOCOLS[0]);
    let name = matches.text("name").map(str::to_owned);
    if protocol.needs_name && name.is_none() {
        return Err(SPEC.error(Problem::Missing("name")));
    }
    let port = matches.number("port", 1, u16::MAX)?.unwrap_or(DEFAULT_PORT);
    let (reconnect, ui) = (matches.has("reconnect"), ui(matches)?);
    Ok(Options { address: matches.address()?, port, protocol, name, reconnect, ui })
}

/// The options that a chat:// server takes the place of.
const SAID_BY_URL: [&str; 4] = ["address", "port", "protocol", "name"];

/// `<user> chat://<host>:<port>` (H12, H13).
fn by_url(matches: &Matches, user: &str, server: &str) -> Result<Options, UsageError> {
    if let Some((option, _)) = matches.given.iter().find(|(option, _)| SAID_BY_URL.contains(option)) {
        return Err(SPEC.error(Problem::Conflict(option)));
    }
    let (Some((address, port)), Some(protocol)) = (host_and_port(server), protocol("chat")) else {
        return Err(SPEC.error(Problem::InvalidServer));
    };
    let (address, name) = (address.to_owned(), Some(user.to_owned()));
    let (reconnect, ui) = (matches.has("reconnect"), ui(matches)?);
    Ok(Options { address, port, protocol, name, reconnect, ui })
}

fn host_and_port(url: &str) -> Option<(&str, u16)> {
    let (host, port) = url.strip_prefix("chat://")?.rsplit_once(':')?;
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| *port > 0 && is_number)?;
    let bare = without_brackets(host);
    let is_host = !host.is_empty() && !bare.contains(['/', '@', '[', ']']) && (!host.contains(':') || bare != host);
    is_host.then_some((bare, port))
}

#[cfg(test)]
mod tests {
    use super::super::outcome;
    use super::*;

    fn run(args: &[&str]) -> Result<(String, u16, &'static str, Option<String>), String> {
        let options = outcome(parse(args.iter().map(OsString::from)))?;
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
    }

    #[test]
    fn what_a_person_prefers_goes_with_either_form() {
        let args = ["--plain", "--color", "always", "--timestamps", "--bell", "--log", "chat.log", "--reconnect"];
        let ui = UiOptions {
            plain: true,
            color: Color::Always,
            timestamps: true,
            bell: true,
            log: Some(PathBuf::from("chat.log")),
        };
        for server in [&[][..], &["ann", "chat://localhost:99"]] {
            let options = outcome(parse(args.iter().chain(server).map(OsString::from))).expect("they go together");
            assert_eq!((options.ui, options.reconnect), (ui.clone(), true));
        }
        let options = outcome(parse([])).expect("nothing is needed");
        assert_eq!((options.ui, options.reconnect), (UiOptions::default(), false));
    }

    #[test]
    fn h12_a_user_and_a_server_are_the_same_as_the_options() {
        let by_url = run(&["ann", "chat://localhost:99"]);
        assert_eq!(by_url, Ok(("localhost".into(), 99, "chat", Some("ann".into()))));
        assert_eq!(by_url, run(&["--protocol", "chat", "--name", "ann", "--address", "localhost", "--port", "99"]));
        assert_eq!(run(&["ann"]), run(&["ann", ""]));
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
            "chat://localhost:99/",
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
            (&["--port", "0"][..], "'0' is no value for '--port'"),
            (&["--port", "x"], "'x' is no value for '--port'"),
            (&["ann", "chat://localhost:99", "x"], "unexpected argument 'x'"),
            (&["ann", "chat://localhost:99", "--port", "1"], "'--port' does not go with a chat:// server"),
            (&["--nmae", "ann"], "unknown option '--nmae'"),
            (&["--name"], "option '--name' needs a value"),
            (&["--protocol", "irc"], "which takes cap, wac or chat"),
            (&["--address", "localhost:99"], "a port goes into '--port'"),
            (&["--address", ""], "'' is no value for '--address'"),
            (&["--color", "red"], "which takes auto, always or never"),
            (&["--protocol", "chat"], "option '--name' is missing"),
        ] {
            let text = run(args).expect_err("it is wrong");
            assert!(text.contains(problem), "{text}");
            assert!(text.starts_with("client: ") && text.contains("usage: client [OPTIONS]"), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }
}
