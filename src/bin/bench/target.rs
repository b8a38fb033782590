//! The server that is measured.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::failure::Failure;

/// A server: one that this program has started and ends again, or one that runs elsewhere.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    own: Option<Child>,
}

impl Target {
    /// The server at this address; without one, a new server of our own.
    pub(crate) fn new(elsewhere: Option<SocketAddr>) -> Result<Self, Failure> {
        elsewhere.map_or_else(Self::start, |address| Ok(Self { address, own: None }))
    }

    /// A server that nobody has talked to: a new one, unless it runs elsewhere.
    pub(crate) fn fresh(&self) -> Result<Self, Failure> {
        Self::new(self.own.is_none().then_some(self.address))
    }

    fn start() -> Result<Self, Failure> {
        let program = env::current_exe()?.with_file_name("server");
        let mut command = Command::new(&program);
        command.args(["--port", "0", "--max-clients", "20000", "--log-level", "error"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::new(format!("cannot start {}: {error}", program.display())))?;
        let output = child.stdout.take().map(BufReader::new);
        let address = output
            .into_iter()
            .flat_map(BufRead::lines)
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on ").and_then(|address| address.parse().ok()));
        let address = address.ok_or_else(|| Failure::new("the server does not say where it listens"))?;
        Ok(Self { address, own: Some(child) })
    }

    /// Bytes of memory that the server has in use, if it is our own and the system tells.
    pub(crate) fn resident(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.own.as_ref()?.id())).ok()?;
        let field = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        field.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1024.0)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(child) = &mut self.own {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
