//! One sender's pass over the lines that one read brought: everything is added to outboxes first, and flushed once.

use std::net::TcpStream;
use std::sync::Arc;

use super::outbox::{Bytes, Outbox, Socket, TryPushError};
use crate::limits::PASS_PATIENCE;

/// The outboxes that a sender has dirty and not yet flushed. One for each connection, used again for each pass.
#[derive(Debug)]
pub(crate) struct FlushList<S = TcpStream> {
    id: u64,
    dirty: Vec<Arc<Outbox<S>>>,
}

/// The recipient's connection is closed, and it did not get the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl<S: Socket> FlushList<S> {
    /// The pass of the connection with this id, which no other one has and which is not 0.
    pub(crate) fn new(id: u64) -> Self {
        Self { id, dirty: Vec::new() }
    }

    /// Adds bytes to an outbox; waits while it has no room.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the recipient is.
    pub(crate) fn push(&mut self, outbox: &Arc<Outbox<S>>, bytes: Bytes<'_>) -> Result<(), Closed> {
        loop {
            match outbox.try_push(bytes, self.id) {
                Ok(true) => self.dirty.push(Arc::clone(outbox)),
                Ok(false) => {}
                Err(TryPushError::Closed) => return Err(Closed),
                Err(TryPushError::Full) => {
                    self.flush();
                    outbox.wait_for_room();
                    continue;
                }
            }
            return Ok(());
        }
    }

    /// The id under which outboxes know this pass, for [`Outbox::force_push`].
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Waits until one more line has room in an outbox, whatever its length.
    pub(crate) fn make_room(&mut self, outbox: &Arc<Outbox<S>>) {
        if !outbox.has_room() {
            self.flush();
            outbox.wait_for_room();
        }
    }

    /// Takes over the duty to flush an outbox.
    pub(crate) fn touch(&mut self, outbox: &Arc<Outbox<S>>) {
        self.dirty.push(Arc::clone(outbox));
    }

    /// Flushes every dirty outbox: first those that take all without a wait. The others have had time to make room by then;
    /// one that still takes nothing holds the sender up for a moment, and after that writer threads do the rest.
    pub(crate) fn flush(&mut self) {
        self.dirty.retain(|outbox| !outbox.try_flush());
        let mut patience = PASS_PATIENCE;
        for outbox in self.dirty.drain(..) {
            outbox.flush(&mut patience);
        }
    }
}
