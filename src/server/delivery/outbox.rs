//! What is pending for one client, between everybody who sends to it and its socket.
//!
//! Whoever adds bytes also writes them, outside the lock, and takes along what others add meanwhile: one line is one
//! `write` when the room is idle, everything pending is one `write` when it is busy, and two senders never interleave.
//! A client that does not take its bytes at once gets a writer thread of its own ([`writer`](super::writer)) until it has kept
//! up for a while; from then on senders only add.
//!
//! # Bounds
//!
//! The backlog is what is pending plus what is being written. Up to half of `max_backlog` anything is admitted, past that
//! only what fits. A sender that is refused waits ([`Outbox::wait_for_room`]) until the backlog is down to half again,
//! and so does everybody who comes after it; that is the backpressure that slows a flood down. The same happens to a
//! recipient that has been over half its backlog for half of `slow_timeout`, so that a recipient that does read, however
//! busy its senders, gets below the mark within the other half; one that does not is disconnected.
//!
//! # Who writes
//!
//! While the mode is [`Mode::Idle`] and bytes are pending, some sender has the outbox in its [`FlushList`] and will flush it.
//! A sender flushes all that it has dirty before it waits for room. So pending bytes never lie forgotten.
//!
//! A sender first writes what can be written without any wait, to all recipients of a pass, by [`WithoutWaiting`]: a write
//! timeout cannot be shorter than one or two clock ticks, and ten stalled recipients would hold the room up ten times.
//!
//! [`FlushList`]: super::flush_list::FlushList

use std::io;
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::buf_list::BufList;
use super::writer;
use crate::limits;
use crate::net;
use crate::server::close_reason::CloseReason;
use crate::server::sync::{lock, wait, wait_for};
use crate::sys::WithoutWaiting;

/// The sending side of a connection.
pub(crate) trait Socket: Send + Sync + 'static {
    /// Sends what the peer takes before the write timeout or within `patience`, and returns how many bytes that were.
    /// Without patience it is what the peer takes without any wait.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    fn send(&self, bytes: &[u8], patience: Duration) -> io::Result<usize>;

    /// Sets how long one write may wait for a peer that takes nothing. A failure leaves the old one.
    fn set_write_timeout(&self, timeout: Duration);

    /// Shuts down one direction or both, which wakes whoever is blocked in it.
    fn shutdown(&self, how: Shutdown);
}

impl Socket for TcpStream {
    fn send(&self, bytes: &[u8], patience: Duration) -> io::Result<usize> {
        if patience.is_zero() {
            return net::write_available(&mut WithoutWaiting(self), bytes, Duration::MAX);
        }
        net::write_available(&mut &*self, bytes, patience)
    }

    fn set_write_timeout(&self, timeout: Duration) {
        let _ = Self::set_write_timeout(self, Some(timeout));
    }

    fn shutdown(&self, how: Shutdown) {
        let _ = Self::shutdown(self, how);
    }
}

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
pub(crate) struct Outbox<S = TcpStream> {
    pub(crate) socket: S,
    pub(crate) settings: Arc<OutboxConfig>,
    pub(crate) state: Mutex<State>,
    /// Something is pending; only the writer thread waits for it.
    pub(crate) work: Condvar,
    /// The backlog is down to the mark, or the outbox is closed.
    pub(crate) room: Condvar,
}

/// What an [`Outbox`] keeps under its lock.
#[derive(Debug)]
pub(crate) struct State {
    /// Bytes that nobody has begun to write.
    pub(crate) pending: BufList,
    /// Bytes that somebody is writing right now, and that the kernel has not taken yet.
    pub(crate) in_flight: usize,
    pub(crate) mode: Mode,
    /// The pass that has this outbox on its list since the pending bytes were last taken.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nobody at the moment; the next sender will.
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

    pub(crate) fn admits(&mut self, count: usize, settings: &OutboxConfig) -> bool {
        if self.backlog() <= settings.low_water() {
            return true;
        }
        let behind_for_long = self.over_since.is_some_and(|since| since.elapsed() >= settings.slow_timeout / 2);
        self.backpressure |= behind_for_long || self.backlog() + count > settings.max_backlog;
        !self.backpressure
    }

    /// Takes all pending bytes in order to write them.
    pub(crate) fn take_pending(&mut self) -> BufList {
        let batch = mem::take(&mut self.pending);
        self.in_flight = batch.len();
        self.queued_by = 0;
        batch
    }
}

impl<S: Socket> Outbox<S> {
    /// An outbox that nobody is behind of yet.
    pub(crate) fn new(socket: S, settings: Arc<OutboxConfig>) -> Self {
        socket.set_write_timeout(limits::DIRECT_WRITE_TIMEOUT);
        let state = State {
            pending: BufList::default(),
            in_flight: 0,
            mode: Mode::Idle,
            queued_by: 0,
            over_since: None,
            backpressure: false,
            waiting: 0,
            writer_waits: false,
            closed: None,
        };
        Self { socket, settings, state: Mutex::new(state), work: Condvar::new(), room: Condvar::new() }
    }

    /// Adds bytes behind all others. `Ok(true)` means that the caller, known as `pass` (not 0), has to flush.
    ///
    /// # Errors
    ///
    /// [`TryPushError`], and then nothing was added.
    pub(crate) fn try_push(&self, bytes: Bytes<'_>, pass: u64) -> Result<bool, TryPushError> {
        let mut state = lock(&self.state);
        if state.closed.is_some() {
            return Err(TryPushError::Closed);
        }
        if !state.admits(bytes.len(), &self.settings) {
            return Err(TryPushError::Full);
        }
        Ok(self.append(&mut state, bytes, pass))
    }

    /// Adds a line without asking for room, which the caller has waited for. The caller has to flush in any case.
    pub(crate) fn force_push(&self, line: &[u8], pass: u64) {
        let mut state = lock(&self.state);
        if state.closed.is_none() {
            self.append(&mut state, Bytes::Own(line), pass);
        }
    }

    /// Whether the next line would be admitted, whatever its length.
    pub(crate) fn has_room(&self) -> bool {
        lock(&self.state).admits(self.settings.max_backlog, &self.settings)
    }

    /// Waits until the backlog is down to the mark, or the outbox is closed. To be called after a [`TryPushError::Full`], and
    /// with every dirty outbox flushed.
    pub(crate) fn wait_for_room(&self) {
        let mut state = lock(&self.state);
        while state.backpressure && state.closed.is_none() {
            state.waiting += 1;
            state = wait(&self.room, state);
            state.waiting -= 1;
        }
    }

    /// Writes what is pending, as far as the recipient takes it without any wait, unless somebody else is doing so. `false`
    /// means that something is left, for which the caller has to call [`Outbox::flush`].
    pub(crate) fn try_flush(self: &Arc<Self>) -> bool {
        self.write(None)
    }

    /// Writes what is pending, unless somebody else is doing so. `patience` is how long the caller can still be held up;
    /// what it is held up here is taken off it. What the recipient has not taken then is left to a writer thread.
    pub(crate) fn flush(self: &Arc<Self>, patience: &mut Duration) {
        self.write(Some(patience));
    }

    fn write(self: &Arc<Self>, mut patience: Option<&mut Duration>) -> bool {
        let mut state = lock(&self.state);
        if state.mode != Mode::Idle || state.pending.is_empty() || state.closed.is_some() {
            return true;
        }
        state.mode = Mode::Direct;
        let mut rounds = 0;
        loop {
            let mut batch = state.take_pending();
            drop(state);
            let sent = self.send_batch(&mut batch, patience.as_deref_mut());
            state = lock(&self.state);
            state.in_flight = 0;
            let held_up = match sent {
                Ok(()) if !batch.is_empty() => {
                    batch.append(mem::take(&mut state.pending));
                    state.pending = batch;
                    true
                }
                Ok(()) => false,
                Err(error) => {
                    state.mode = Mode::Idle;
                    drop(state);
                    self.close(CloseReason::Failed(error.kind()));
                    return true;
                }
            };
            self.wake_if_drained(&mut state);
            if state.closed.is_some() || state.pending.is_empty() {
                state.mode = Mode::Idle;
                return true;
            }
            if held_up && patience.is_none() {
                state.mode = Mode::Idle;
                return false;
            }
            rounds += 1;
            if (held_up || rounds >= limits::DIRECT_ROUNDS) && self.spawn_writer(&mut state, held_up) {
                return true;
            }
            if held_up {
                drop(state);
                self.close(CloseReason::NoWriter);
                return true;
            }
        }
    }

    /// Sends what the peer takes of a batch: first without any wait, then within `patience`. A wait that was in vain leaves
    /// none.
    fn send_batch(&self, batch: &mut BufList, patience: Option<&mut Duration>) -> io::Result<()> {
        self.send_within(batch, Duration::ZERO)?;
        if let Some(patience) = patience.filter(|patience| !batch.is_empty() && !patience.is_zero()) {
            let begun = Instant::now();
            self.send_within(batch, limits::DIRECT_PATIENCE.min(*patience))?;
            *patience = if batch.is_empty() { patience.saturating_sub(begun.elapsed()) } else { Duration::ZERO };
        }
        Ok(())
    }

    fn send_within(&self, batch: &mut BufList, patience: Duration) -> io::Result<()> {
        let begun = Instant::now();
        while !batch.is_empty() {
            let piece = batch.chunk().len();
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() && !patience.is_zero() {
                break;
            }
            let sent = self.socket.send(batch.chunk(), left)?;
            batch.advance(sent);
            if sent < piece {
                break;
            }
        }
        Ok(())
    }

    /// Waits until all that is pending has gone out, and says whether it has; `false` when the deadline passed or the
    /// connection broke first.
    pub(crate) fn finish(self: &Arc<Self>, deadline: Instant) -> bool {
        let mut patience = limits::PASS_PATIENCE;
        self.flush(&mut patience);
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
        state.pending = BufList::default();
        self.work.notify_all();
        self.room.notify_all();
        drop(state);
        self.socket.shutdown(Shutdown::Both);
    }

    /// Whether some sender waits for room.
    pub(crate) fn holds_senders_up(&self) -> bool {
        let state = lock(&self.state);
        state.backpressure && state.waiting > 0
    }

    /// Why it was closed, if it was.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        lock(&self.state).closed
    }

    /// Tells the peer that nothing more will come.
    pub(crate) fn shutdown_sending(&self) {
        self.socket.shutdown(Shutdown::Write);
    }

    /// To be called when the backlog has become smaller: lets senders go on when it is down to the mark.
    pub(crate) fn wake_if_drained(&self, state: &mut State) {
        if state.backlog() <= self.settings.low_water() {
            state.over_since = None;
            state.backpressure = false;
            if state.waiting > 0 {
                self.room.notify_all();
            }
        }
    }

    fn append(&self, state: &mut State, bytes: Bytes<'_>, pass: u64) -> bool {
        if bytes.len() == 0 {
            return false;
        }
        match bytes {
            Bytes::Own(bytes) => state.pending.push(bytes),
            Bytes::Shared(bytes) => state.pending.push_shared(bytes),
        }
        if state.backlog() > self.settings.low_water() {
            state.over_since.get_or_insert_with(Instant::now);
        }
        if state.mode == Mode::Queued {
            if mem::take(&mut state.writer_waits) {
                self.work.notify_one();
            }
            return false;
        }
        mem::replace(&mut state.queued_by, pass) != pass
    }

    /// Leaves the writing to a writer thread; `false` when there is none to be had. `held_up` is whether the client was
    /// tried and did not take its bytes.
    pub(crate) fn spawn_writer(self: &Arc<Self>, state: &mut State, held_up: bool) -> bool {
        if !self.settings.take_writer() {
            return false;
        }
        let spawned = writer::spawn(Arc::clone(self), held_up).is_ok();
        if spawned {
            state.mode = Mode::Queued;
        } else {
            self.settings.give_writer_back();
        }
        spawned
    }
}
