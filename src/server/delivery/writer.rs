//! The writer thread of an outbox whose client does not take its bytes at once.
//!
//! It also looks at the two clocks by which such a client is given up: behind for too long ([`SlowClock`]), or taking
//! nothing for too long. It ends when the client has kept up for a while, and senders write for themselves again.
//!
//! [`SlowClock`]: super::slow_clock::SlowClock

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::buf_list::BufList;
use super::outbox::Outbox;
use super::socket::Socket;
use super::state::Mode;
use crate::limits;
use crate::server::close_reason::CloseReason;
use crate::server::sync::{lock, wait_for};
use crate::sys;

/// Bytes handed to one `write`, so that the account of what is still in flight stays fresh.
const WRITE_CHUNK: usize = 256 << 10;

/// Starts the writer thread of an outbox that has just become [`Mode::Queued`].
pub(crate) fn spawn<S: Socket>(outbox: Arc<Outbox<S>>) -> io::Result<()> {
    let builder = thread::Builder::new().name(String::from("writer")).stack_size(limits::THREAD_STACK);
    builder.spawn(move || Writer { outbox, last_held_up: Instant::now() }.run()).map(drop)
}

struct Writer<S: Socket> {
    outbox: Arc<Outbox<S>>,
    /// When the client last did not take its bytes, or else when the thread began.
    last_held_up: Instant,
}

impl<S: Socket> Writer<S> {
    fn run(mut self) {
        while let Some(taken) = self.next_pending() {
            if let Err(reason) = self.write(taken) {
                self.outbox.close(reason);
            }
        }
    }

    /// Waits for something to write; `None` when this thread has nothing more to do.
    fn next_pending(&self) -> Option<BufList> {
        let outbox = &*self.outbox;
        let mut state = lock(&outbox.state);
        while state.closed.is_none() {
            if !state.pending.is_empty() {
                return Some(state.take_pending());
            }
            let left = outbox.config.writer_linger.saturating_sub(self.last_held_up.elapsed());
            if left.is_zero() {
                state.mode = Mode::Idle;
                return None;
            }
            state.writer_waits = true;
            state = wait_for(&outbox.work, state, left);
            state.writer_waits = false;
        }
        None
    }

    fn write(&mut self, mut taken: BufList) -> Result<(), CloseReason> {
        let outbox = &*self.outbox;
        let mut last_progress = Instant::now();
        while !taken.is_empty() {
            let chunk = &taken.chunk()[..taken.chunk().len().min(WRITE_CHUNK)];
            let sent = outbox.socket.send(chunk).map_err(|error| CloseReason::Failed(error.kind()))?;
            let now = Instant::now();
            if sent > 0 {
                last_progress = now;
            }
            if sent < chunk.len() {
                self.last_held_up = now;
            }
            taken.advance(sent);
            let mut state = lock(&outbox.state);
            state.in_flight = taken.len();
            state.clock.took(sent, now);
            let admitted = state.admit_waiters(&outbox.config);
            let behind = state.clock.behind(now);
            let result = match state.closed {
                Some(reason) => Err(reason),
                None if behind >= outbox.config.slow_timeout => Err(CloseReason::Slow),
                None if now.duration_since(last_progress) >= outbox.config.stall_timeout => Err(CloseReason::Stalled),
                None => Ok(()),
            };
            outbox.unlock(state, admitted);
            result?;
        }
        Ok(())
    }
}

impl<S: Socket> Drop for Writer<S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.outbox.close(CloseReason::Panicked);
        }
        if self.outbox.config.give_writer_back() {
            sys::release_memory();
        }
    }
}
