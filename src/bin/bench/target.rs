//! The server that is measured.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// A server of this program's own; it ends with it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    program: Program,
}

impl Target {
    /// Starts a server that nobody has talked to.
    pub(crate) fn start() -> io::Result<Self> {
        let program = env::current_exe()?.with_file_name("server");
        let mut command = Command::new(&program);
        command.args(["--port", "0", "--max-clients", "20000", "--log-level", "error"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::other(format!("cannot start {}: {error}", program.display())))?;
        let output = child.stdout.take().map(BufReader::new);
        let address = output
            .into_iter()
            .flat_map(BufRead::lines)
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on ").and_then(|address| address.parse().ok()));
        let program = Program(child);
        let address = address.ok_or_else(|| io::Error::other("the server does not say where it listens"))?;
        Ok(Self { address, program })
    }

    /// Bytes of memory that the server has in use, if the system tells.
    pub(crate) fn resident(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.0.id())).ok()?;
        let field = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        field.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1024.0)
    }
}

/// A program that ends when it is dropped.
#[derive(Debug)]
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
