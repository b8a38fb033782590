//! What is pending for one client, between everybody who sends to it and its socket.

use std::io;
use std::mem;
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::buf_list::BufList;
use super::socket::{ClientSocket, Socket};
use super::writer;
use crate::server::close_reason::CloseReason;
use crate::server::sync::{lock, wait, wait_for};

/// How long a writer thread's `write` waits for a recipient that takes nothing before it looks at the clocks.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_millis(100);

/// Writes that a sender makes in a row to one recipient before it leaves the rest, which others keep adding, to a writer
/// thread.
const DIRECT_ROUNDS: usize = 16;

/// What all outboxes of a server have in common.
#[derive(Debug)]
pub(crate) struct OutboxConfig {
    /// Bytes that may wait for one recipient.
    pub max_backlog: usize,
    /// How long a recipient may stay over half of them.
    pub slow_timeout: Duration,
    /// How long it may take nothing at all.
    pub stall_timeout: Duration,
    /// How long it has to keep up before its writer thread ends.
    pub writer_linger: Duration,
    /// Writer threads that may still be started.
    pub writers_left: AtomicUsize,
}

impl OutboxConfig {
    /// Half of the largest backlog: the mark over which a recipient counts as behind.
    pub(crate) fn low_water(&self) -> usize {
        self.max_backlog / 2
    }

    fn take_writer(&self) -> bool {
        self.writers_left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok()
    }

    pub(crate) fn give_writer_back(&self) {
        self.writers_left.fetch_add(1, Ordering::AcqRel);
    }
}

/// The bytes pending for one client, and its socket.
#[derive(Debug)]
pub(crate) struct Outbox<S = ClientSocket> {
    pub(crate) socket: S,
    pub(crate) config: Arc<OutboxConfig>,
    pub(crate) state: Mutex<State>,
    /// Something is pending; only the writer thread waits for it.
    pub(crate) work: Condvar,
    /// The backlog is down to the mark, or the outbox is closed.
    pub(crate) room: Condvar,
}

/// What an [`Outbox`] keeps under its lock.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Bytes that nobody has begun to write.
    pub(crate) pending: BufList,
    /// Bytes that somebody is writing right now, and that the kernel has not taken yet.
    pub(crate) in_flight: usize,
    pub(crate) mode: Mode,
    /// The id of the flush list that this outbox is on since the pending bytes were last taken; 0 is none.
    pub(crate) queued_by: u64,
    /// Since when the backlog has been over the mark.
    pub(crate) over_since: Option<Instant>,
    /// Nothing is admitted until the backlog is down to the mark.
    pub(crate) backpressure: bool,
    /// Threads that wait for `room`.
    pub(crate) waiting: usize,
    /// The writer thread waits for `work`.
    pub(crate) writer_waits: bool,
    pub(crate) closed: Option<CloseReason>,
}

/// Who writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nobody at the moment; the next sender will.
    #[default]
    Idle,
    /// A sender.
    Direct,
    /// The writer thread.
    Queued,
}

/// Bytes to be added to an outbox.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bytes<'a> {
    /// For this recipient alone.
    Own(&'a [u8]),
    /// For many recipients.
    Shared(&'a Arc<Vec<u8>>),
}

impl Bytes<'_> {
    fn len(self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
        }
    }
}

/// Why bytes were not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TryPushError {
    /// There is no room; wait for it.
    Full,
    /// The connection is closed.
    Closed,
}

impl State {
    pub(crate) fn backlog(&self) -> usize {
        self.pending.len() + self.in_flight
    }

    /// Whether so many bytes may be added now. An addition is judged by its own size; one that is larger than the largest
    /// backlog has to wait until nothing is pending.
    pub(crate) fn admits(&mut self, count: usize, config: &OutboxConfig) -> bool {
        let behind_for_long = self.over_since.is_some_and(|since| since.elapsed() >= config.slow_timeout / 2);
        let fits = self.backlog() == 0 || self.backlog() + count <= config.max_backlog;
        self.backpressure |= behind_for_long || !fits;
        !self.backpressure
    }

    /// Takes all pending bytes in order to write them.
    pub(crate) fn take_pending(&mut self) -> BufList {
        let batch = mem::take(&mut self.pending);
        self.in_flight = batch.len();
        self.queued_by = 0;
        batch
    }

    /// Puts bytes that were taken and not written back in front of those that have come meanwhile.
    fn put_back(&mut self, mut batch: BufList) {
        self.in_flight = 0;
        batch.append(mem::take(&mut self.pending));
        self.pending = batch;
    }
}

impl<S: Socket> Outbox<S> {
    /// Creates an empty outbox for `socket`, whose write timeout is [`WRITE_TIMEOUT`].
    pub(crate) fn new(socket: S, config: Arc<OutboxConfig>) -> Self {
        Self { socket, config, state: Mutex::default(), work: Condvar::new(), room: Condvar::new() }
    }

    /// Adds bytes behind all others. Returns whether the caller, whose flush list has this id (not 0), has to flush.
    pub(crate) fn try_push(&self, bytes: Bytes<'_>, list: u64) -> Result<bool, TryPushError> {
        let mut state = lock(&self.state);
        if state.closed.is_some() {
            return Err(TryPushError::Closed);
        }
        if !state.admits(bytes.len(), &self.config) {
            return Err(TryPushError::Full);
        }
        Ok(self.append(&mut state, bytes, list))
    }

    /// Adds bytes whether there is room or not. Returns whether the caller has to flush.
    pub(crate) fn force_push(&self, bytes: &[u8], list: u64) -> bool {
        let mut state = lock(&self.state);
        state.closed.is_none() && self.append(&mut state, Bytes::Own(bytes), list)
    }

    /// Whether the next line would be admitted, whatever its length.
    pub(crate) fn has_room(&self) -> bool {
        lock(&self.state).admits(self.config.max_backlog, &self.config)
    }

    /// Waits until the backlog is down to the mark, or the outbox is closed. To be called after a [`TryPushError::Full`], and
    /// with everything on the caller's flush list flushed.
    pub(crate) fn wait_for_room(&self) {
        let mut state = lock(&self.state);
        while state.backpressure && state.closed.is_none() {
            state.waiting += 1;
            state = wait(&self.room, state);
            state.waiting -= 1;
        }
    }

    /// Writes what is pending as far as the recipient takes it without any wait, unless somebody else is doing so, and
    /// leaves the rest to a writer thread.
    pub(crate) fn flush(self: &Arc<Self>) {
        let _guard = CloseOnPanic(self);
        let mut state = lock(&self.state);
        if state.mode != Mode::Idle || state.pending.is_empty() || state.closed.is_some() {
            return;
        }
        state.mode = Mode::Direct;
        for round in 1.. {
            let mut batch = state.take_pending();
            drop(state);
            if let Err(error) = self.send_available(&mut batch) {
                // The mode stays as it is, so that nobody writes behind what is lost.
                return self.close(CloseReason::Failed(error.kind()));
            }
            state = lock(&self.state);
            let is_full = !batch.is_empty();
            state.put_back(batch);
            self.wake_if_drained(&mut state);
            if state.closed.is_some() || state.pending.is_empty() {
                state.mode = Mode::Idle;
                return;
            }
            if is_full || round % DIRECT_ROUNDS == 0 {
                state.mode = Mode::Queued;
                drop(state);
                if self.spawn_writer() {
                    return;
                }
                if is_full {
                    return self.close(CloseReason::NoWriter);
                }
                state = lock(&self.state);
                state.mode = Mode::Direct;
            }
        }
    }

    /// Sends what the peer takes of a batch without any wait.
    fn send_available(&self, batch: &mut BufList) -> io::Result<()> {
        while !batch.is_empty() {
            let chunk = batch.chunk().len();
            let sent = self.socket.try_send(batch.chunk())?;
            batch.advance(sent);
            if sent < chunk {
                break;
            }
        }
        Ok(())
    }

    /// Waits until all that is pending has gone out, and returns whether it has; `false` when the deadline passed or the
    /// connection broke first.
    pub(crate) fn finish(self: &Arc<Self>, deadline: Instant) -> bool {
        self.flush();
        let mut state = lock(&self.state);
        loop {
            if state.closed.is_some() {
                return false;
            }
            if state.backlog() == 0 && state.mode != Mode::Direct {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state.waiting += 1;
            state = wait_for(&self.room, state, left);
            state.waiting -= 1;
        }
    }

    /// Ends the connection at once: what is pending is dropped, and everybody who reads, writes or waits is woken. The
    /// first reason stays.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = lock(&self.state);
        if state.closed.is_some() {
            return;
        }
        state.closed = Some(reason);
        let _pending = mem::take(&mut state.pending);
        drop(state);
        self.work.notify_all();
        self.room.notify_all();
        self.socket.shutdown(Shutdown::Both);
    }

    /// Returns whether some sender waits for room.
    pub(crate) fn holds_senders_up(&self) -> bool {
        let state = lock(&self.state);
        state.backpressure && state.waiting > 0
    }

    /// Returns why it was closed, if it was.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        lock(&self.state).closed
    }

    /// Ends what the peer says, which wakes whoever reads it.
    pub(crate) fn end_input(&self) {
        self.socket.shutdown(Shutdown::Read);
    }

    /// Tells the peer that nothing more will come.
    pub(crate) fn shutdown_sending(&self) {
        self.socket.shutdown(Shutdown::Write);
    }

    /// Lets senders go on when the backlog is down to the mark. To be called when it has become smaller.
    pub(crate) fn wake_if_drained(&self, state: &mut State) {
        if state.backlog() <= self.config.low_water() {
            state.over_since = None;
            state.backpressure = false;
            if state.waiting > 0 {
                self.room.notify_all();
            }
        }
    }

    fn append(&self, state: &mut State, bytes: Bytes<'_>, list: u64) -> bool {
        if bytes.len() == 0 {
            return false;
        }
        match bytes {
            Bytes::Own(bytes) => state.pending.push(bytes),
            Bytes::Shared(bytes) => state.pending.push_shared(bytes),
        }
        if state.backlog() > self.config.low_water() {
            state.over_since.get_or_insert_with(Instant::now);
        }
        if state.mode == Mode::Queued {
            if mem::take(&mut state.writer_waits) {
                self.work.notify_one();
            }
            return false;
        }
        mem::replace(&mut state.queued_by, list) != list
    }

    /// Starts a writer thread for this outbox, which is [`Mode::Queued`] already. Returns whether there was one to be had.
    fn spawn_writer(self: &Arc<Self>) -> bool {
        if !self.config.take_writer() {
            return false;
        }
        let spawned = writer::spawn(Arc::clone(self)).is_ok();
        if !spawned {
            self.config.give_writer_back();
        }
        spawned
    }
}

/// Closes the outbox if the thread that writes to it panics: what it had taken is lost, and nothing may follow it.
struct CloseOnPanic<'a, S: Socket>(&'a Outbox<S>);

impl<S: Socket> Drop for CloseOnPanic<'_, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close(CloseReason::Panicked);
        }
    }
}
