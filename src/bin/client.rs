//! The chat client's program: reads its command line and runs the session.

use std::env;
use std::process::ExitCode;

use parley::cli::{self, Exit};
use parley::client::{self, session::Config};
use parley::program;

fn main() -> ExitCode {
    let mut args = env::args_os();
    let program = cli::program_name(args.next().as_deref(), "client");
    let options = match cli::client::parse(&program, args) {
        Ok(options) => options,
        Err(Exit::Print(text)) => return program::print(&text),
        Err(Exit::Wrong(problem)) => return program::fail(2, &problem),
    };
    let config = Config {
        server: format!("{} port {}", options.address, options.port),
        name: options.name,
        user: env::var("USER").ok(),
        reconnect: options.reconnect,
        interactive: false,
    };
    match client::run(options.protocol, config, options.ui, &options.address, options.port) {
        Ok(status) => ExitCode::from(status),
        Err(error) => program::fail(1, &format_args!("{program}: {error}")),
    }
}
