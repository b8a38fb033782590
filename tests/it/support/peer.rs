//! Bare connections: one end of one, and a server for one client that does what a test tells it to.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{PATIENCE, wait_for};

/// One end of a bare connection.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    /// What has come; the first `asked_for` bytes of it were asked for already.
    heard: Vec<u8>,
    asked_for: usize,
    /// What was said and heard lately, for the message of a failing test.
    transcript: String,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Self {
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
    pub(crate) fn send_line(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        self.note("→", &shown);
        if let Err(error) = self.stream.write_all(bytes) {
            panic!("cannot send: {error}\n{}", self.transcript);
        }
    }

    /// Sends bytes one at a time, 50 ms apart; returns whether this machine was quick enough for that.
    pub(crate) fn send_slowly(&mut self, bytes: &[u8]) -> bool {
        let pause = Duration::from_millis(50);
        let mut in_time = true;
        for byte in bytes {
            self.send(&[*byte]);
            let begun = Instant::now();
            while begun.elapsed() < pause {
                thread::park_timeout(pause.saturating_sub(begun.elapsed()));
            }
            in_time &= begun.elapsed() < pause * 2;
        }
        in_time
    }

    /// The next line without its LF; `None` at the end of the connection.
    #[track_caller]
    pub(crate) fn recv_line(&mut self) -> Option<Vec<u8>> {
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
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("cannot read: {error}\n{}", self.transcript),
            }
        }
    }

    /// The next line has to be this one.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &str) {
        match self.recv_line() {
            Some(line) if line == expected.as_bytes() => {}
            Some(_) => panic!("expected {expected:?}\n{}", self.transcript),
            None => panic!("expected {expected:?}, and the connection ended\n{}", self.transcript),
        }
    }

    /// The next bytes have to be these, and no LF behind them is waited for.
    #[track_caller]
    pub(crate) fn expect_bytes(&mut self, expected: &[u8]) {
        while self.heard.len() - self.asked_for < expected.len() {
            let mut buffer = [0; 4096];
            let count = self.stream.read(&mut buffer).expect("bytes");
            assert!(count > 0, "the connection ended\n{}", self.transcript);
            self.heard.extend_from_slice(&buffer[..count]);
        }
        let found = &self.heard[self.asked_for..][..expected.len()];
        let shown = String::from_utf8_lossy(found).into_owned();
        self.asked_for += expected.len();
        self.note("←", &shown);
        assert_eq!(shown, String::from_utf8_lossy(expected), "{}", self.transcript);
    }

    /// This line has to come, whatever comes before it. What is passed over is not noted, so that a flood of it is read fast.
    #[track_caller]
    pub(crate) fn expect_eventually(&mut self, expected: &str) {
        self.pass_until(expected, |line| line == expected.as_bytes());
    }

    /// The next line that begins like this has to go on like that; others are passed over.
    #[track_caller]
    pub(crate) fn expect_next(&mut self, beginning: &str, rest: &str) {
        let expected = format!("{beginning}{rest}");
        let line = self.pass_until(&expected, |line| line.starts_with(beginning.as_bytes()));
        assert_eq!(String::from_utf8_lossy(&line), expected);
    }

    #[track_caller]
    fn pass_until(&mut self, expected: &str, is_it: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        loop {
            let unread = &self.heard[self.asked_for..];
            let mut passed = 0;
            for line in unread.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n")) {
                passed += line.len() + 1;
                if is_it(line) {
                    let line = line.to_vec();
                    self.asked_for += passed;
                    return line;
                }
            }
            self.heard.drain(..self.asked_for + passed);
            self.asked_for = 0;
            self.transcript.clear();
            let mut buffer = [0; 65536];
            match self.stream.read(&mut buffer) {
                Ok(count @ 1..) => self.heard.extend_from_slice(&buffer[..count]),
                Ok(_) => panic!("expected {expected:?}, and the connection ended"),
                Err(error) => panic!("expected {expected:?}: {error}"),
            }
        }
    }

    /// Says a line and hears its answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str, answer: &str) {
        self.send_line(line);
        self.expect(answer);
    }

    /// Hears a line and answers it.
    #[track_caller]
    pub(crate) fn ask_back(&mut self, expected: &str, answer: &str) {
        self.expect(expected);
        self.send_line(answer);
    }

    /// The connection has to end here, in good order.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        assert!(self.recv_line().is_none(), "expected the end\n{}", self.transcript);
    }

    /// Nothing else has come before the answer to this, which any CAP user gets.
    #[track_caller]
    pub(crate) fn expect_silence(&mut self) {
        self.ask("SEND echobot fence", "SEND-OK");
        self.expect("DELIVERY echobot fence");
    }

    /// Shuts the sending side down.
    pub(crate) fn finish(&self) {
        self.stream.shutdown(Shutdown::Write).expect("a socket");
    }

    /// Ends the connection by a reset.
    pub(crate) fn reset(self) {
        // A close with unread input makes the kernel send one, once the input is there.
        let mut byte = [0; 1];
        let _ = self.stream.peek(&mut byte);
    }
}

/// A server for one client that does what a test tells it to.
pub(crate) struct FakeServer {
    listener: TcpListener,
}

impl FakeServer {
    pub(crate) fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("a free port") }
    }

    pub(crate) fn port(&self) -> String {
        self.listener.local_addr().expect("bound").port().to_string()
    }

    #[track_caller]
    pub(crate) fn accept(&self) -> Peer {
        self.listener.set_nonblocking(true).expect("a socket");
        let (stream, _) = wait_for("a connection", || self.listener.accept().ok());
        stream.set_nonblocking(false).expect("a socket");
        Peer::new(stream)
    }
}
