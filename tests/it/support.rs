//! Servers, clients and bare connections for tests. All of them end when they are dropped.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;

/// How long a test waits for a fact before it fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The server's program.
pub fn server_program() -> Command {
    Command::new(cargo_bin!("server"))
}

/// The client's program.
pub fn client_program() -> Command {
    Command::new(cargo_bin!("client"))
}

/// Waits until `fact` is there.
#[track_caller]
pub fn wait_for<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = fact() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// Everything that a stream yields, collected by a thread.
#[derive(Clone, Default)]
struct Collected(Arc<(Mutex<CollectedState>, Condvar)>);

#[derive(Default)]
struct CollectedState {
    text: String,
    ended: bool,
}

impl Collected {
    fn from(stream: impl Read + Send + 'static) -> Self {
        let collected = Self::default();
        let to_fill = collected.clone();
        let thread = move || {
            let mut stream = BufReader::new(stream);
            loop {
                let mut line = Vec::new();
                let ended = stream.read_until(b'\n', &mut line).unwrap_or(0) == 0;
                let mut state = to_fill.0.0.lock().unwrap_or_else(PoisonError::into_inner);
                state.text += &String::from_utf8_lossy(&line);
                state.ended |= ended;
                to_fill.0.1.notify_all();
                if ended {
                    return;
                }
            }
        };
        thread::Builder::new().spawn(thread).expect("a thread");
        collected
    }

    #[track_caller]
    fn wait_for<T>(&self, what: &str, mut fact: impl FnMut(&str, bool) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = fact(&state.text, state.ended) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what} in:\n{}", state.text);
            state = self.0.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A running server on a port of its own.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    log: Collected,
}

impl Server {
    /// A server with everything as it is by default.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A server with these options.
    pub fn with(options: &[&str]) -> Self {
        let mut command = server_program();
        command.args(["--port", "0"]).args(options);
        Self::from(command)
    }

    /// The server that this command starts.
    pub fn from(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let log = Collected::from(child.stderr.take().expect("piped"));
        let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || output.next().and_then(Result::ok).unwrap_or_default();
        assert_eq!(line(), "Server is on");
        let address = line();
        let address = address.strip_prefix("Listening on ").unwrap_or_else(|| panic!("it said {address:?}"));
        Self { child, address: address.parse().expect("an address"), log }
    }

    pub fn port(&self) -> String {
        self.address.port().to_string()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A connection that has not said anything.
    #[track_caller]
    pub fn connect(&self) -> Peer {
        Peer::new(TcpStream::connect(self.address).expect("the server accepts"))
    }

    /// A CAP user.
    #[track_caller]
    pub fn cap(&self, name: &str) -> Peer {
        let mut peer = self.connect();
        peer.say(&format!("HELLO-FROM {name}"));
        peer.expect(&format!("HELLO {name}"));
        peer
    }

    /// A WAC user.
    #[track_caller]
    pub fn wac(&self, name: &str) -> Peer {
        let mut peer = self.connect();
        peer.ask(&format!("LIN {name}"), &format!("Welcome, {name}."));
        peer
    }

    /// A CHAT/1.0 user.
    #[track_caller]
    pub fn chat(&self, name: &str) -> Peer {
        let mut peer = self.connect();
        peer.ask(&format!("REGISTER {name} CHAT/1.0"), "200 Registration successful");
        peer
    }

    /// Waits for a log line with this in it.
    #[track_caller]
    pub fn wait_for_log(&self, part: &str) -> String {
        self.log.wait_for(part, |text, _| text.lines().find(|line| line.contains(part)).map(str::to_owned))
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.log.wait_for("", |text, _| Some(text.to_owned()))
    }

    /// Threads, open files and resident memory (KiB) of the process, as the system tells.
    pub fn usage(&self) -> Usage {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
            line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
        };
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("it runs").count();
        Usage { threads: field("Threads:"), files, resident_kib: field("VmRSS:") }
    }

    /// Waits until it uses as many threads and open files as it did.
    #[track_caller]
    pub fn wait_until_as_before(&self, before: Usage) {
        wait_for("threads and open files to be given back", || {
            let now = self.usage();
            (now.threads == before.threads && now.files == before.files).then_some(())
        });
    }

    /// How long processors have worked for it.
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it runs");
        let fields = stat.rsplit(')').next().expect("what is behind the name").split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>().expect("a number")).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Sends it a signal, such as `INT`.
    pub fn signal(&self, signal: &str) {
        send_signal(signal, self.pid());
    }

    /// It has to end with this status.
    #[track_caller]
    pub fn expect_exit(&mut self, status: i32) {
        let ended = wait_for("the server's end", || self.child.try_wait().expect("it can be asked"));
        assert_eq!(ended.code(), Some(status), "{ended}\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send_signal(signal: &str, pid: u32) {
    let status = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().expect("it runs");
    assert!(status.success());
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub threads: usize,
    pub files: usize,
    pub resident_kib: usize,
}

/// One end of a bare connection.
pub struct Peer {
    pub stream: TcpStream,
    /// What has come; the first `asked_for` bytes of it were asked for already.
    heard: Vec<u8>,
    asked_for: usize,
    /// What was said and heard lately, for the message of a failing test.
    transcript: String,
}

impl Peer {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        Self { stream, heard: Vec::new(), asked_for: 0, transcript: String::new() }
    }

    /// Keeps the latest part of the transcript.
    fn note(&mut self, direction: &str, shown: &str) {
        if self.transcript.len() > 20_000 {
            self.transcript = String::from("…\n");
        }
        let _ = writeln!(self.transcript, "{direction} {shown:?}");
    }

    /// Sends a line.
    #[track_caller]
    pub fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send(&mut self, bytes: &[u8]) {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        self.note("→", &shown);
        if let Err(error) = self.stream.write_all(bytes) {
            panic!("cannot send: {error}\n{}", self.transcript);
        }
    }

    /// The next line without its LF; `None` at the end of the connection.
    #[track_caller]
    pub fn line(&mut self) -> Option<Vec<u8>> {
        let mut searched = 0;
        loop {
            let unread = &self.heard[self.asked_for..];
            if let Some(at) = unread[searched..].iter().position(|byte| *byte == b'\n') {
                let line = unread[..searched + at].to_vec();
                self.asked_for += line.len() + 1;
                let shown = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
                self.note("←", &shown);
                return Some(line);
            }
            searched = unread.len();
            self.heard.drain(..self.asked_for);
            self.asked_for = 0;
            let mut buffer = [0; 65536];
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    assert_eq!(self.heard, b"", "half a line at the end\n{}", self.transcript);
                    return None;
                }
                Ok(count) => self.heard.extend_from_slice(&buffer[..count]),
                Err(error) => panic!("cannot read: {error}\n{}", self.transcript),
            }
        }
    }

    /// The next line has to be this one.
    #[track_caller]
    pub fn expect(&mut self, expected: &str) {
        match self.line() {
            Some(line) if line == expected.as_bytes() => {}
            Some(_) => panic!("expected {expected:?}\n{}", self.transcript),
            None => panic!("expected {expected:?}, and the connection ended\n{}", self.transcript),
        }
    }

    /// This line has to come, whatever comes before it.
    #[track_caller]
    pub fn expect_somewhen(&mut self, expected: &str) {
        loop {
            match self.line() {
                Some(line) if line == expected.as_bytes() => return,
                Some(_) => self.transcript.clear(),
                None => panic!("expected {expected:?}, and the connection ended"),
            }
        }
    }

    /// Says a line and hears its answer.
    #[track_caller]
    pub fn ask(&mut self, line: &str, answer: &str) {
        self.say(line);
        self.expect(answer);
    }

    /// Hears a line and answers it.
    #[track_caller]
    pub fn ask_back(&mut self, expected: &str, answer: &str) {
        self.expect(expected);
        self.say(answer);
    }

    /// The connection has to end here, in good order.
    #[track_caller]
    pub fn expect_end(&mut self) {
        if self.line().is_some() {
            panic!("expected the end\n{}", self.transcript);
        }
    }

    /// Nothing else has come before the answer to this, which any CAP user gets.
    #[track_caller]
    pub fn expect_silence(&mut self) {
        self.ask("SEND echobot fence", "SEND-OK");
        self.expect("DELIVERY echobot fence");
    }

    /// Shuts the sending side down.
    pub fn finish(&self) {
        self.stream.shutdown(Shutdown::Write).expect("a socket");
    }

    /// Ends the connection by a reset.
    pub fn reset(self) {
        // A close with unread input makes the kernel send one, once the input is there.
        let mut byte = [0; 1];
        let _ = self.stream.peek(&mut byte);
    }
}

/// A server for one client that does what a test tells it to.
pub struct FakeServer {
    listener: TcpListener,
}

impl FakeServer {
    pub fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("a free port") }
    }

    pub fn port(&self) -> String {
        self.listener.local_addr().expect("bound").port().to_string()
    }

    #[track_caller]
    pub fn accept(&self) -> Peer {
        self.listener.set_nonblocking(true).expect("a socket");
        let (stream, _) = wait_for("a connection", || self.listener.accept().ok());
        stream.set_nonblocking(false).expect("a socket");
        Peer::new(stream)
    }
}

/// A running client, at a keyboard that a test types on.
pub struct Client {
    child: Child,
    keyboard: Option<ChildStdin>,
    output: Collected,
    errors: Collected,
    /// Bytes of the output that were asked for already.
    seen: usize,
}

impl Client {
    /// A client of the server on this port.
    pub fn start(port: &str) -> Self {
        Self::with(port, &[])
    }

    pub fn with(port: &str, options: &[&str]) -> Self {
        let mut command = client_program();
        command.args(["--port", port]).args(options);
        Self::from(command)
    }

    /// The client that this command starts.
    pub fn from(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the client starts");
        let output = Collected::from(child.stdout.take().expect("piped"));
        let errors = Collected::from(child.stderr.take().expect("piped"));
        let keyboard = child.stdin.take();
        Self { child, keyboard, output, errors, seen: 0 }
    }

    /// A client that has logged in.
    #[track_caller]
    pub fn logged_in(port: &str, name: &str) -> Self {
        let mut client = Self::start(port);
        client.expect("Welcome to Chat Client. Enter your login:");
        client.type_line(name);
        client.expect(&format!("Successfully logged in as {name}!"));
        client
    }

    #[track_caller]
    pub fn type_line(&mut self, line: &str) {
        self.type_bytes(format!("{line}\n").as_bytes());
    }

    #[track_caller]
    pub fn type_bytes(&mut self, bytes: &[u8]) {
        let keyboard = self.keyboard.as_mut().expect("the keyboard is there");
        keyboard.write_all(bytes).expect("the client reads");
    }

    /// Sends it a signal, such as `INT`.
    pub fn signal(&self, signal: &str) {
        send_signal(signal, self.child.id());
    }

    /// Ends the client's standard input.
    pub fn end_input(&mut self) {
        self.keyboard = None;
    }

    /// The next line shown has to be this one.
    #[track_caller]
    pub fn expect(&mut self, expected: &str) {
        let seen = self.seen;
        let line = self.output.wait_for(expected, |text, ended| {
            let rest = &text[seen..];
            let whole = rest.split_once('\n').map(|(line, _)| line.to_owned());
            whole.or_else(|| ended.then(|| format!("{rest} (the end)")))
        });
        assert_eq!(line, expected, "in:\n{}", self.output_so_far());
        self.seen += line.len() + 1;
    }

    /// Waits for a line on standard error with this in it.
    #[track_caller]
    pub fn expect_error(&self, part: &str) {
        self.errors.wait_for(part, |text, _| text.contains(part).then_some(()));
    }

    /// The program has to end with this status, and with nothing shown that was not asked for.
    #[track_caller]
    pub fn expect_exit(&mut self, status: i32) {
        let ended = self.wait();
        self.output.wait_for("the end", |_, ended| ended.then_some(()));
        self.errors.wait_for("the end", |_, ended| ended.then_some(()));
        let output = self.output_so_far();
        assert_eq!(&output[self.seen..], "", "in:\n{output}");
        assert_eq!(ended.code(), Some(status), "{ended}\n{}", self.errors_so_far());
    }

    /// The program has to end with this status, whatever it shows.
    #[track_caller]
    pub fn expect_status(&mut self, status: i32) {
        let ended = self.wait();
        assert_eq!(ended.code(), Some(status), "{ended}\n{}", self.output_so_far());
    }

    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        wait_for("the client's end", || self.child.try_wait().expect("it can be asked"))
    }

    pub fn output_so_far(&self) -> String {
        self.output.wait_for("", |text, _| Some(text.to_owned()))
    }

    pub fn errors_so_far(&self) -> String {
        self.errors.wait_for("", |text, _| Some(text.to_owned()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two users who exchange messages while something happens to others.
pub struct Bystanders {
    ann: Peer,
    bob: Peer,
}

/// How long a bystander's message may take.
const BYSTANDERS_PATIENCE: Duration = Duration::from_millis(250);

impl Bystanders {
    pub fn of(server: &Server) -> Self {
        Self { ann: server.cap("bystander-ann"), bob: server.cap("bystander-bob") }
    }

    /// Does something, and meanwhile and once more afterwards has each message arrive in time.
    #[track_caller]
    pub fn are_fine_while<T>(&mut self, something: impl FnOnce() -> T) -> T {
        let over = AtomicBool::new(false);
        let (result, worst) = thread::scope(|scope| {
            let exchange = scope.spawn(|| {
                let mut worst = Duration::ZERO;
                loop {
                    let last = over.load(Ordering::Acquire);
                    let begun = Instant::now();
                    self.ann.say("SEND bystander-bob hi");
                    self.ann.expect_somewhen("SEND-OK");
                    self.bob.expect_somewhen("DELIVERY bystander-ann hi");
                    worst = worst.max(begun.elapsed());
                    if last {
                        return worst;
                    }
                    thread::park_timeout(Duration::from_millis(5));
                }
            });
            let result = panic::catch_unwind(AssertUnwindSafe(something));
            over.store(true, Ordering::Release);
            (result, exchange.join().expect("the bystanders' messages arrive"))
        });
        let result = result.unwrap_or_else(|panic| panic::resume_unwind(panic));
        assert!(worst < BYSTANDERS_PATIENCE, "a bystander's message took {worst:?}");
        result
    }
}
