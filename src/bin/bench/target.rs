//! The measured server.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

/// A server that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Target {
    /// Starts a new server and waits until it listens.
    pub(crate) fn start() -> io::Result<Self> {
        let program = env::current_exe()?.with_file_name("server");
        let mut command = Command::new(&program);
        command.args(["--port", "0", "--max-clients", "20000", "--log-level", "error"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let cannot_start = |error| io::Error::other(format!("cannot start {}: {error}", program.display()));
        let mut target = Self { address: (Ipv4Addr::LOCALHOST, 0).into(), child: child.map_err(cannot_start)? };
        let output = target.child.stdout.take().map(BufReader::new);
        let mut lines = output.into_iter().flat_map(BufRead::lines).map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("Listening on ")?.parse().ok());
        target.address = address.ok_or_else(|| io::Error::other("the server does not report its address"))?;
        Ok(target)
    }

    /// Returns the bytes of the server's resident memory, where the system reports them.
    pub(crate) fn resident(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let field = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        field.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1024.0)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
