//! The load generator: starts a server, or takes one that runs elsewhere, and measures what it moves.
//!
//! Every message that it counts is checked: each one arrived once and in order, or the program says so and ends with
//! status 1. Client and server share the machine, so compare figures of one run with each other only.

mod client;
mod failure;
mod report;
mod target;
mod workload;

use std::env;
use std::process::ExitCode;

use parley::cli::{self, Invocation};
use parley::program;

use self::failure::Failure;
use self::report::Report;
use self::target::Target;

fn main() -> ExitCode {
    let options = match cli::bench::parse(env::args_os().skip(1)) {
        Ok(Invocation::Run(options)) => options,
        Ok(Invocation::Print(text)) => return program::print(&text),
        Err(error) => return program::fail(2, &error),
    };
    parley::sys::raise_open_files();
    match run(&options) {
        Ok(text) => program::print(&text),
        Err(error) => program::fail(1, &format_args!("bench: {error}")),
    }
}

fn run(options: &cli::bench::Options) -> Result<String, Failure> {
    let target = Target::new(options.server)?;
    let mut report = Report::new(options.runs);
    for workload in workload::all() {
        report.measure(&workload.name, || workload.run(&target))?;
    }
    Ok(if options.json { report.json() } else { report.table() })
}
