//! A user who has said everything and has not read anything yet.

use std::io::Read;

use super::{Peer, Server};

const LINES: usize = 8_000;
const BYTES: usize = 1000;

/// A user who has sent many lines to itself and shut down its sending side.
pub(crate) struct HalfClosed(Peer);

impl HalfClosed {
    /// The server has come to the end of its input, and still has answers to it.
    #[track_caller]
    pub(crate) fn owed_more_than_the_kernel_takes(server: &Server) -> Self {
        let mut peer = server.connect();
        let text = "x".repeat(BYTES);
        let script: String = (0..LINES).map(|number| format!("SEND ann {number} {text}\n")).collect();
        peer.send(format!("HELLO-FROM ann\n{script}").as_bytes());
        peer.finish();
        server.wait_for_log("ann left: end of input");
        Self(peer)
    }

    /// Reads all answers and the end.
    #[track_caller]
    pub(crate) fn expects_all_of_it(self) {
        if let Err(heard) = self.hears_all_of_it() {
            let ending = String::from_utf8_lossy(&heard[heard.len().saturating_sub(100)..]);
            panic!("{} bytes, ending in {ending:?}", heard.len());
        }
    }

    /// Reads up to the end; fails with what has come if that was not all.
    pub(crate) fn hears_all_of_it(self) -> Result<(), Vec<u8>> {
        let Self(mut peer) = self;
        let text = "x".repeat(BYTES);
        let answers: String = (0..LINES).map(|number| format!("SEND-OK\nDELIVERY ann {number} {text}\n")).collect();
        let mut heard = Vec::new();
        peer.stream.read_to_end(&mut heard).expect("an end that is no reset");
        if heard == format!("HELLO ann\n{answers}").as_bytes() { Ok(()) } else { Err(heard) }
    }
}
