//! Clients that send without a pause, all of them on one thread.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Peer, Server};

/// How a flooder reads.
#[derive(Clone, Copy)]
pub(crate) enum Reading {
    /// Everything, as fast as it comes.
    All,
    Nothing,
    /// This many bytes, then nothing until this time has passed since it began with them.
    Batches(usize, Duration),
}

/// A client that sends the same lines over and over.
pub(crate) struct Flooder {
    stream: TcpStream,
    script: Vec<u8>,
    sent: usize,
    reading: Reading,
    /// Bytes of the current batch not yet read.
    left: usize,
    next_batch: Instant,
    /// Lines that it has to receive over and over, beside those of bystanders; nothing where any line may come.
    expected: Vec<u8>,
    received: usize,
    /// The beginning of a line.
    partial: Vec<u8>,
    is_gone: bool,
}

impl Flooder {
    pub(crate) fn new(peer: Peer, script: impl Into<Vec<u8>>, reading: Reading) -> Self {
        peer.stream.set_nonblocking(true).expect("a socket");
        Self {
            stream: peer.stream,
            script: script.into(),
            sent: 0,
            reading,
            left: 0,
            next_batch: Instant::now(),
            expected: Vec::new(),
            received: 0,
            partial: Vec::new(),
            is_gone: false,
        }
    }

    /// A WAC user that whispers to itself, and checks that every line comes back once and in order.
    pub(crate) fn of_itself(server: &Server, name: &str, reading: Reading) -> Self {
        let text = |number: usize| format!("{number:03} and a text of some length");
        let script: String = (0..1000).map(|number| format!("W {name} {}\n", text(number))).collect();
        let expected: String = (0..1000).map(|number| format!("{name} whispers, \"{}\"\n", text(number))).collect();
        Self { expected: expected.into_bytes(), ..Self::new(server.wac(name), script, reading) }
    }

    /// Sends and reads what it can without waiting; returns whether that was anything.
    fn step(&mut self, buffer: &mut [u8]) -> bool {
        let sent = self.stream.write(&self.script[self.sent..]);
        let sent = self.transferred(sent);
        self.sent = (self.sent + sent) % self.script.len();
        let most = self.may_read(buffer.len());
        if most == 0 {
            return sent > 0;
        }
        let read = self.stream.read(&mut buffer[..most]);
        let read = self.transferred(read);
        self.left = self.left.saturating_sub(read);
        if !self.expected.is_empty() {
            self.check(&buffer[..read]);
        }
        sent + read > 0
    }

    /// How many bytes were written or read; the connection is over where that fails.
    fn transferred(&mut self, result: io::Result<usize>) -> usize {
        match result {
            Ok(count @ 1..) => return count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            _ => self.is_gone = true,
        }
        0
    }

    fn may_read(&mut self, most: usize) -> usize {
        match self.reading {
            Reading::All => most,
            Reading::Nothing => 0,
            Reading::Batches(bytes, pause) => {
                if Instant::now() >= self.next_batch {
                    (self.left, self.next_batch) = (bytes, Instant::now() + pause);
                }
                most.min(self.left)
            }
        }
    }

    fn check(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(part);
            if !part.ends_with(b"\n") {
                return;
            }
            if !self.partial.starts_with(b"bystander-") {
                let expected = &self.expected[self.received..];
                let shown = String::from_utf8_lossy(&self.partial);
                assert!(expected.starts_with(&self.partial), "{shown:?} is lost, doubled or out of order");
                self.received = (self.received + self.partial.len()) % self.expected.len();
            }
            self.partial.clear();
        }
    }
}

/// Lets all of them flood until it is over. One that is disconnected is silent from then on.
pub(crate) fn flood(flooders: &mut [Flooder], is_over: &AtomicBool) {
    flood_until(flooders, |_| is_over.load(Ordering::Acquire));
}

/// Lets all of them flood until the server has taken nothing for a moment.
pub(crate) fn flood_until_full(flooders: &mut [Flooder]) {
    flood_until(flooders, |last| last.elapsed() > Duration::from_millis(500));
}

/// The condition is given the time of the last progress.
fn flood_until(flooders: &mut [Flooder], is_over: impl Fn(Instant) -> bool) {
    let mut buffer = vec![0; 256 << 10];
    let mut last = Instant::now();
    while !is_over(last) {
        let mut progress = false;
        for flooder in flooders.iter_mut().filter(|flooder| !flooder.is_gone) {
            progress |= flooder.step(&mut buffer);
        }
        if progress {
            last = Instant::now();
        } else {
            thread::park_timeout(Duration::from_millis(1));
        }
    }
}
