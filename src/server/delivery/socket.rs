//! The sending side of a client's connection.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::net;
use crate::sys::WithoutWaiting;

/// How long a write waits for a recipient that takes nothing.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_millis(100);

/// Lines that are written each by itself in one go, so that a peer without LFs does not occupy a sender for long.
const MAX_LINES: usize = 64;

pub(crate) trait Socket: Send + Sync + 'static {
    /// Sends what the peer takes without any wait, and returns how many bytes that were. Fails when the connection is broken.
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Sends what the peer takes within the write timeout, and returns how many bytes. Fails when the connection is broken.
    fn send(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Returns how the connection broke, if it did since the last call.
    fn take_error(&self) -> Option<ErrorKind>;

    /// Shuts down one direction or both, which wakes a thread that is blocked in it.
    fn shutdown(&self, how: Shutdown);
}

/// A clone of a client's stream, for writing.
#[derive(Debug)]
pub(crate) struct ClientSocket {
    stream: TcpStream,
    /// Each line is written by itself and without its LF, to a client that sends none (G13).
    omits_line_feeds: AtomicBool,
}

impl ClientSocket {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, omits_line_feeds: AtomicBool::new(false) }
    }

    pub(crate) fn omit_line_feeds(&self, omit: bool) {
        self.omits_line_feeds.store(omit, Ordering::Relaxed);
    }

    pub(crate) fn omits_line_feeds(&self) -> bool {
        self.omits_line_feeds.load(Ordering::Relaxed)
    }

    fn write(&self, bytes: &[u8], write: impl Fn(&[u8]) -> io::Result<usize>) -> io::Result<usize> {
        if self.omits_line_feeds() { write_lines(bytes, write) } else { write(bytes) }
    }
}

/// Writes each line by itself and without its LF, until one is not taken whole, and no more than [`MAX_LINES`]. Returns the
/// number of bytes that are done with, the LFs included.
fn write_lines(bytes: &[u8], write: impl Fn(&[u8]) -> io::Result<usize>) -> io::Result<usize> {
    let mut done = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n').take(MAX_LINES) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let written = if text.is_empty() { 0 } else { write(text)? };
        if written < text.len() {
            return Ok(done + written);
        }
        done += line.len();
    }
    Ok(done)
}

impl Socket for ClientSocket {
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes, |bytes| net::write_available(&mut WithoutWaiting(&self.stream), bytes, Duration::MAX))
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes, |bytes| net::write_available(&mut &self.stream, bytes, WRITE_TIMEOUT))
    }

    fn take_error(&self) -> Option<ErrorKind> {
        self.stream.take_error().ok().flatten().map(|error| error.kind())
    }

    fn shutdown(&self, how: Shutdown) {
        let _ = self.stream.shutdown(how);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn g13_each_line_is_a_write_without_its_line_feed_wherever_the_peer_is_full() {
        let bytes = b"one\n\ntwo\nthree";
        for room in 0..=bytes.len() {
            let (writes, left) = (RefCell::new(Vec::new()), RefCell::new(room));
            let write = |text: &[u8]| {
                let count = text.len().min(*left.borrow());
                *left.borrow_mut() -= count;
                writes.borrow_mut().push(String::from_utf8_lossy(&text[..count]).into_owned());
                Ok(count)
            };
            let mut done = write_lines(bytes, write).expect("it takes some");
            *left.borrow_mut() = usize::MAX;
            done += write_lines(&bytes[done..], write).expect("it takes the rest");
            let writes = writes.into_inner();
            assert_eq!((done, writes.concat().as_str()), (bytes.len(), "onetwothree"), "{writes:?}");
            assert!(writes.len() <= 4, "{writes:?}");
        }
    }

    #[test]
    fn g13_no_more_lines_are_written_at_once_than_others_can_wait_for() {
        let bytes = b"one\n".repeat(MAX_LINES * 2);
        let writes = RefCell::new(0);
        let write = |text: &[u8]| {
            *writes.borrow_mut() += 1;
            Ok(text.len())
        };
        assert_eq!(write_lines(&bytes, write).expect("it takes all"), bytes.len() / 2);
        assert_eq!(writes.into_inner(), MAX_LINES);
    }
}
