//! A user who has said everything and has not read anything yet.

use super::{Peer, Server};

const LINES: usize = 20_000;
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
        let Self(mut peer) = self;
        let text = "x".repeat(BYTES);
        peer.expect("HELLO ann");
        for number in 0..LINES {
            peer.expect("SEND-OK");
            peer.expect(&format!("DELIVERY ann {number} {text}"));
        }
        peer.expect_end();
    }
}
