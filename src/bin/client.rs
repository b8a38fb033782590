//! The chat client's program: reads its command line and runs the session.

use std::env;
use std::process::ExitCode;

use parley::cli::{self, Invocation};
use parley::client::cap::CapSession;
use parley::{client, program};

fn main() -> ExitCode {
    let options = match cli::client::parse(env::args_os().skip(1)) {
        Ok(Invocation::Run(options)) => options,
        Ok(Invocation::Print(text)) => return program::print(&text),
        Err(error) => return program::fail("client", 2, &error),
    };
    let server = format!("{} port {}", options.address, options.port);
    let session = CapSession::new(server, options.name);
    match client::run(session, &options.address, options.port) {
        Ok(status) => ExitCode::from(status),
        Err(error) => program::fail("client", 1, &error),
    }
}
