//! The load generator: starts a server and measures what it moves.
//!
//! Every message that it counts is checked: each one arrived once and in order, or the program says so and ends with
//! status 1. Clients and server share the machine, so compare figures of one run with each other only.

mod connection;
mod report;
mod target;
mod workload;

use std::env;
use std::io;
use std::process::ExitCode;

use parley::program;

use self::report::Report;
use self::target::Target;

fn main() -> ExitCode {
    if env::args_os().len() > 1 {
        return program::fail(2, &"bench: it takes no arguments");
    }
    parley::sys::raise_open_files();
    match run() {
        Ok(table) => program::print(&table),
        Err(error) => program::fail(1, &format_args!("bench: {error}")),
    }
}

fn run() -> io::Result<String> {
    let target = Target::start()?;
    let mut report = Report::default();
    for workload in workload::all() {
        report.measure(&workload.name, || workload.run(&target))?;
    }
    Ok(report.table())
}
