//! The chat server's program: reads its command line, binds, says so, serves.

use std::env;
use std::io;
use std::panic;
use std::process::ExitCode;

use parley::cli::{self, Invocation};
use parley::log::{Level, Log};
use parley::server::Server;
use parley::{net, program, sys};

fn main() -> ExitCode {
    match cli::server::parse(env::args_os().skip(1)) {
        Ok(Invocation::Run(options)) => run(options),
        Ok(Invocation::Print(text)) => program::print(&text),
        Err(error) => program::fail("server", 2, &error),
    }
}

fn run(options: cli::server::Options) -> ExitCode {
    let (log, log_thread) = match Log::start(options.log_level, io::stderr()) {
        Ok(started) => started,
        Err(error) => return program::fail("server", 1, &format_args!("cannot start a thread: {error}")),
    };
    let panic_log = log.clone();
    panic::set_hook(Box::new(move |panic| panic_log.event(Level::Error, format_args!("internal error: {panic}"))));
    sys::raise_open_files();

    let (host, port) = (options.address.as_str(), options.port);
    let server = match Server::bind((host, port), options.settings, log) {
        Ok(server) => server,
        Err(error) => return program::fail("server", 1, &cannot_listen(host, port, &error)),
    };
    match server.local_addr() {
        // Whoever closed standard output does not want to know.
        Ok(address) => {
            drop(net::write_fully(&mut io::stdout(), format!("Server is on\nListening on {address}\n").as_bytes()))
        }
        Err(error) => return program::fail("server", 1, &cannot_listen(host, port, &error)),
    }
    server.run();
    drop(server);
    log_thread.finish();
    ExitCode::SUCCESS
}

fn cannot_listen(host: &str, port: u16, error: &io::Error) -> String {
    let mend = match error.kind() {
        io::ErrorKind::AddrInUse => "another program has that port: stop it, or choose one with --port",
        io::ErrorKind::PermissionDenied => "ports below 1024 are for root: choose another one with --port",
        _ => "--address takes an address or a name of this machine",
    };
    format!("cannot listen on {host} port {port}: {error}; {mend}")
}
