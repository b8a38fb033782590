//! The load generator: starts a server and measures it.
//!
//! It compares every received byte with the expected one, and exits with status 1 at a difference. Clients and server
//! share the machine, so compare only figures of the same run.

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
    for (name, run) in workload::all() {
        report.measure(&name, || run(&target))?;
    }
    Ok(report.table())
}
