//! What one sender has added to outboxes and not yet flushed: everything that one read brought is added first, and then
//! flushed once.

use std::sync::Arc;

use super::outbox::{Bytes, Outbox, TryPushError};
use super::socket::{ClientSocket, Socket};

/// The outboxes that a sender has to flush. Each connection has one.
#[derive(Debug)]
pub(crate) struct FlushList<S = ClientSocket> {
    id: u64,
    dirty: Vec<Arc<Outbox<S>>>,
}

/// The recipient's connection is closed, and it did not get the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl<S: Socket> FlushList<S> {
    /// Creates the list of the connection with this id, which no other one has and which is not 0.
    pub(crate) fn new(id: u64) -> Self {
        Self { id, dirty: Vec::new() }
    }

    /// Adds bytes to an outbox; waits while it has no room.
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

    /// Adds bytes to an outbox without any wait, whether it has room or not.
    pub(crate) fn force_push(&mut self, outbox: &Arc<Outbox<S>>, bytes: &[u8]) {
        if outbox.force_push(bytes, self.id) {
            self.dirty.push(Arc::clone(outbox));
        }
    }

    /// Waits until an outbox has room for one more line, whatever its length.
    pub(crate) fn make_room(&mut self, outbox: &Arc<Outbox<S>>) {
        if !outbox.has_room() {
            self.flush();
            outbox.wait_for_room();
        }
    }

    /// Flushes every outbox on the list.
    pub(crate) fn flush(&mut self) {
        self.dirty.drain(..).for_each(|outbox| outbox.flush());
    }
}
