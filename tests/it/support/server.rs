//! The real server, as its clients, its operator and the system see it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Collected, Peer, send_signal, server_program, wait_for, wait_until_asleep};

/// A running server on a port of its own.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Collected,
}

impl Server {
    /// A server with everything as it is by default.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// A server with these options.
    pub(crate) fn with(options: &[&str]) -> Self {
        let mut command = server_program();
        command.args(["--port", "0"]).args(options);
        Self::from(command)
    }

    /// The server that this command starts.
    pub(crate) fn from(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let log = Collected::from(child.stderr.take().expect("piped"));
        let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || output.next().and_then(Result::ok).unwrap_or_default();
        assert_eq!(line(), "Server is on");
        let address = line();
        let address = address.strip_prefix("Listening on ").unwrap_or_else(|| panic!("it said {address:?}"));
        let server = Self { child, address: address.parse().expect("an address"), log };
        wait_for("the thread that wrote these lines to end", || (!server.has_thread("stdout")).then_some(()));
        server
    }

    pub(crate) fn port(&self) -> String {
        self.address.port().to_string()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A connection that has not said anything.
    #[track_caller]
    pub(crate) fn connect(&self) -> Peer {
        Peer::new(TcpStream::connect(self.address).expect("the server accepts"))
    }

    /// A connection that has not said anything, to a server on `::`, from another address than those of [`Self::connect`].
    #[track_caller]
    pub(crate) fn connect_from_elsewhere(&self) -> Peer {
        assert!(self.address.ip() == Ipv6Addr::UNSPECIFIED, "its clients have only one address");
        let address = (Ipv4Addr::LOCALHOST, self.address.port());
        Peer::new(TcpStream::connect(address).expect("the server accepts"))
    }

    /// A CAP user.
    #[track_caller]
    pub(crate) fn cap(&self, name: &str) -> Peer {
        let mut peer = self.connect();
        peer.send_line(&format!("HELLO-FROM {name}"));
        peer.expect(&format!("HELLO {name}"));
        peer
    }

    /// A CAP user, if the server lets it in; whatever else it does about the login.
    pub(crate) fn try_cap(&self, name: &str) -> Option<Peer> {
        let mut peer = self.connect();
        peer.stream.write_all(format!("HELLO-FROM {name}\n").as_bytes()).ok()?;
        let answer = format!("HELLO {name}\n");
        let mut heard = vec![0; answer.len()];
        peer.stream.read_exact(&mut heard).ok()?;
        (heard == answer.as_bytes()).then_some(peer)
    }

    /// Logs in as many CAP users as the server takes until it has said this in its log.
    pub(crate) fn fill_until_log(&self, part: &str, most: usize) -> Vec<Peer> {
        let mut peers = Vec::new();
        while !self.log().contains(part) {
            peers.extend(self.try_cap(&format!("c{}", peers.len())));
            assert!(peers.len() < most, "{}", self.log());
        }
        peers
    }

    /// A WAC user.
    #[track_caller]
    pub(crate) fn wac(&self, name: &str) -> Peer {
        let mut peer = self.connect();
        peer.ask(&format!("LIN {name}"), &format!("Welcome, {name}."));
        peer
    }

    /// A CHAT/1.0 user.
    #[track_caller]
    pub(crate) fn chat(&self, name: &str) -> Peer {
        let mut peer = self.connect();
        peer.ask(&format!("REGISTER {name} CHAT/1.0"), "200 Registration successful");
        peer
    }

    /// Waits for a log line with this in it.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, part: &str) -> String {
        self.log.wait_for(part, |text, _| text.lines().find(|line| line.contains(part)).map(str::to_owned))
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.log.wait_for("", |text, _| Some(text.to_owned()))
    }

    /// Threads, open files and resident memory (KiB) of the process, as the system tells.
    pub(crate) fn usage(&self) -> Usage {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
            line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
        };
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("it runs").count();
        Usage { threads: field("Threads:"), files, resident_kib: field("VmRSS:") }
    }

    /// How many threads that serve clients run at this moment, or would if there were a processor for them.
    pub(crate) fn running_clients(&self) -> usize {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("it runs");
        let stats = threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
        stats.filter(|stat| stat.contains("(client-") && stat.contains(") R ")).count()
    }

    fn has_thread(&self, name: &str) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("it runs");
        let names = threads.flatten().map(|thread| std::fs::read_to_string(thread.path().join("comm")));
        names.flatten().any(|found| found.trim_end() == name)
    }

    /// Waits until none of its threads has anything to do: they have read and answered what they were sent.
    #[track_caller]
    pub(crate) fn wait_until_asleep(&self) {
        wait_until_asleep(self.pid());
    }

    /// Waits until it uses as many threads and open files as it did.
    #[track_caller]
    pub(crate) fn wait_until_as_before(&self, before: Usage) {
        wait_for("threads and open files to be given back", || {
            let now = self.usage();
            (now.threads == before.threads && now.files == before.files).then_some(())
        });
    }

    /// How long processors have worked for it.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it runs");
        let fields = stat.rsplit(')').next().expect("what is behind the name").split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>().expect("a number")).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Sends it a signal, such as `INT`.
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(signal, self.pid());
    }

    /// It has to end with this status.
    #[track_caller]
    pub(crate) fn expect_exit(&mut self, status: i32) {
        let ended = wait_for("the server's end", || self.child.try_wait().expect("it can be asked"));
        self.log.wait_for("the end of its log", |_, ended| ended.then_some(()));
        assert_eq!(ended.code(), Some(status), "{ended}\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) threads: usize,
    pub(crate) files: usize,
    pub(crate) resident_kib: usize,
}
