//! The load generator's command line.

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};

use super::{DEFAULT_PORT, Flag, Invocation, Spec, UsageError};

/// What the load generator is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The server that is measured; `None` starts one.
    pub server: Option<SocketAddr>,
    /// Runs of each workload that count.
    pub runs: usize,
    /// Whether the figures are for programs.
    pub json: bool,
}

static SPEC: Spec = Spec {
    program: "bench",
    about: "Measures what a server moves. Without an address it starts one.",
    usage: "bench [OPTIONS]",
    words: 0,
    flags: &[
        Flag::option("address", "ADDRESS", "Measure the server at this address or name").short('a'),
        Flag::option("port", "PORT", "Measure the server on this port").short('p'),
        Flag::option("runs", "COUNT", "Runs of each workload, after one that does not count").default("5"),
        Flag::switch("json", "Print the figures as JSON"),
    ],
    more: || String::from(MORE),
};

const MORE: &str = "
Each message is checked: it arrives once and in order, or the status is 1.
";

/// Takes the load generator's arguments apart.
///
/// # Errors
///
/// [`UsageError`], which says what is wrong and what would be right.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation<Options>, UsageError> {
    let matches = match SPEC.parse(args)? {
        Invocation::Run(matches) => matches,
        Invocation::Print(text) => return Ok(Invocation::Print(text)),
    };
    let port = matches.number("port", 1, u16::MAX)?;
    let address = matches.address()?;
    let resolve = |_: &str| (address.as_str(), port.unwrap_or(DEFAULT_PORT)).to_socket_addrs().ok()?.next();
    let server = match matches.value("address", "an address or a name", resolve)? {
        None if port.is_some() => resolve(""),
        server => server,
    };
    Ok(Invocation::Run(Options {
        server,
        runs: matches.number("runs", 1, 1000)?.unwrap_or(5),
        json: matches.has("json"),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::outcome;
    use super::*;

    fn run(args: &[&str]) -> Result<Options, String> {
        outcome(parse(args.iter().map(OsString::from)))
    }

    #[test]
    fn without_an_address_or_a_port_there_is_no_server_yet() {
        assert_eq!(run(&[]), Ok(Options { server: None, runs: 5, json: false }));
        let server = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        assert_eq!(run(&["-p", "99", "--json"]), Ok(Options { server: server(99), runs: 5, json: true }));
        assert_eq!(run(&["-a", "127.0.0.1", "--runs", "7"]).map(|options| options.server), Ok(server(5378)));
    }

    #[test]
    fn a_mistake_is_named() {
        for args in [&["--runs", "0"][..], &["--port", "0"], &["x"], &["--address", "no such name"]] {
            assert!(run(args).expect_err("it is wrong").starts_with("bench: "));
        }
    }
}
