//! What is pending for one client, between everybody who sends to it and its socket.

use std::io;
use std::mem;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::buf_list::BufList;
use super::config::OutboxConfig;
use super::socket::{ClientSocket, Socket};
use super::state::{Admission, Bytes, Mode, State, Waiter, wake};
use super::writer;
use crate::server::close_reason::CloseReason;
use crate::server::sync::{lock, wait_for};

/// How long a writer thread's `write` waits for a recipient that takes nothing before it looks at the clocks.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_millis(100);

/// How often a sender who waits for its turn looks whether its own connection is still there (G5).
const TURN_TIMEOUT: Duration = Duration::from_millis(50);

/// Writes that a sender makes in a row to one recipient before it leaves the rest, which others keep adding, to a writer
/// thread.
const DIRECT_ROUNDS: usize = 16;

/// The bytes pending for one client, and its socket.
#[derive(Debug)]
pub(crate) struct Outbox<S = ClientSocket> {
    pub(crate) socket: S,
    pub(crate) config: Arc<OutboxConfig>,
    pub(crate) state: Mutex<State>,
    /// Something is pending; only the writer thread waits for it.
    pub(crate) work: Condvar,
    /// Nothing is pending any more, or the outbox is closed.
    pub(crate) drained: Condvar,
    /// The client sends more than its allowance.
    pub(crate) floods: AtomicBool,
    /// The client, as a sender, waits for others to take what it sends.
    pub(crate) owner_waits: AtomicBool,
    /// The client is sent much at a time.
    is_flooded: AtomicBool,
    /// The client is not logged in: no thread is started to write to it, and the one that reads from it waits until it has
    /// taken everything.
    pub(crate) is_strangers: AtomicBool,
}

/// What became of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is pending, and the caller has to flush.
    Flush,
    /// It is pending, and somebody else writes it.
    Done,
    /// It waits for its turn with this ticket, and so has its sender to ([`Outbox::wait_for_turn`]).
    Waits(u64),
    /// The connection is closed.
    Closed,
}

impl<S: Socket> Outbox<S> {
    /// Creates an empty outbox for `socket`, whose write timeout is [`WRITE_TIMEOUT`].
    pub(crate) fn new(socket: S, config: Arc<OutboxConfig>) -> Self {
        Self {
            socket,
            config,
            state: Mutex::default(),
            work: Condvar::new(),
            drained: Condvar::new(),
            floods: AtomicBool::new(false),
            owner_waits: AtomicBool::new(false),
            is_flooded: AtomicBool::new(false),
            is_strangers: AtomicBool::new(false),
        }
    }

    /// Adds bytes behind all others, or has them wait for their turn. The caller's flush list has this id (not 0), and
    /// `is_covered` is whether its allowance covers the bytes.
    pub(crate) fn push(&self, bytes: Bytes<'_>, is_covered: bool, list: u64) -> Pushed {
        let mut state = lock(&self.state);
        if state.closed.is_some() {
            return Pushed::Closed;
        }
        match state.admission(bytes.len(), is_covered, &self.config) {
            Admission::Granted => self.append(state, bytes, list),
            Admission::Wait => Pushed::Waits(state.wait(bytes, &self.config)),
            Admission::Exhausted => {
                drop(state);
                self.close(CloseReason::Slow);
                Pushed::Closed
            }
        }
    }

    /// Adds bytes whether there is room or not.
    pub(crate) fn force_push(&self, bytes: &[u8], list: u64) -> Pushed {
        let state = lock(&self.state);
        if state.closed.is_some() { Pushed::Closed } else { self.append(state, Bytes::Own(bytes), list) }
    }

    fn append(&self, mut state: MutexGuard<'_, State>, bytes: Bytes<'_>, list: u64) -> Pushed {
        if bytes.len() == 0 {
            return Pushed::Done;
        }
        state.append(bytes, &self.config);
        self.is_flooded.store(state.is_flooded(), Ordering::Relaxed);
        if state.mode == Mode::Queued && !state.writer_waits {
            return Pushed::Done;
        }
        let was_queued = mem::replace(&mut state.queued_by, list) == list;
        if was_queued { Pushed::Done } else { Pushed::Flush }
    }

    /// Waits until the bytes with this ticket are pending, and returns whether they are: they are not when the outbox is
    /// closed first, or when `is_over` says that there is no sender any more. Everything on the caller's flush list has to
    /// be flushed.
    pub(crate) fn wait_for_turn(&self, ticket: u64, is_over: impl Fn() -> bool) -> bool {
        loop {
            let state = lock(&self.state);
            if state.closed.is_some() {
                return false;
            }
            if !state.waits(ticket) {
                return true;
            }
            drop(state);
            if is_over() {
                let withdrawn = lock(&self.state).withdraw(ticket);
                return withdrawn.is_none();
            }
            thread::park_timeout(TURN_TIMEOUT);
        }
    }

    /// Writes what is pending as far as the recipient takes it without any wait, unless somebody else is doing so, and
    /// leaves the rest to a writer thread. Where there is one that waits for work, wakes it.
    pub(crate) fn flush(self: &Arc<Self>) {
        let _guard = CloseOnPanic::new(self);
        let Some(mut taken) = self.begin_direct() else { return };
        for round in 1.. {
            if let Err(error) = self.send_available(&mut taken) {
                // The mode stays as it is, so that nobody writes behind what is lost.
                return self.close(CloseReason::Failed(error.kind()));
            }
            let is_full = !taken.is_empty();
            match self.end_round(taken, is_full || round % DIRECT_ROUNDS == 0) {
                Mode::Idle => return,
                Mode::Direct => {}
                Mode::Queued if self.spawn_writer() => return,
                Mode::Queued if is_full => return self.close(CloseReason::NoWriter),
                Mode::Queued => lock(&self.state).mode = Mode::Direct,
            }
            taken = lock(&self.state).take_pending();
        }
    }

    /// Writes some of what is pending, and waits for the recipient to take it for as long as one write may.
    pub(crate) fn flush_patiently(self: &Arc<Self>) {
        let _guard = CloseOnPanic::new(self);
        let Some(mut taken) = self.begin_direct() else { return };
        match self.socket.send(taken.chunk()) {
            Ok(sent) => {
                taken.advance(sent);
                self.end_round(taken, true);
            }
            Err(error) => self.close(CloseReason::Failed(error.kind())),
        }
    }

    /// Takes what is pending in order to write it here, unless there is nothing or somebody else writes.
    fn begin_direct(&self) -> Option<BufList> {
        let mut state = lock(&self.state);
        if mem::take(&mut state.writer_waits) {
            drop(state);
            self.work.notify_one();
            return None;
        }
        if state.mode != Mode::Idle || state.pending.is_empty() || state.closed.is_some() {
            return None;
        }
        state.mode = Mode::Direct;
        Some(state.take_pending())
    }

    /// Puts back what the recipient has not taken, and returns how it goes on.
    fn end_round(&self, taken: BufList, leave_to_writer: bool) -> Mode {
        let mut state = lock(&self.state);
        state.put_back(taken);
        let admitted = state.admit_waiters(&self.config);
        state.mode = match () {
            () if state.pending.is_empty() || state.closed.is_some() => Mode::Idle,
            () if leave_to_writer && self.is_strangers.load(Ordering::Relaxed) => Mode::Idle,
            () if leave_to_writer => Mode::Queued,
            () => Mode::Direct,
        };
        let mode = state.mode;
        self.unlock(state, admitted);
        mode
    }

    /// Gives back the lock under which the backlog has become smaller, and then wakes whoever waited for that.
    pub(crate) fn unlock(&self, state: MutexGuard<'_, State>, admitted: Vec<Thread>) {
        let is_finished = state.finishing > 0 && state.backlog() == 0;
        drop(state);
        wake(admitted);
        if is_finished {
            self.drained.notify_all();
        }
    }

    /// Returns whether others come first, as this client sends or is sent more than people say.
    pub(crate) fn is_busy(&self) -> bool {
        self.floods.load(Ordering::Relaxed) || self.is_flooded.load(Ordering::Relaxed)
    }

    /// Sends what the peer takes of these bytes without any wait.
    fn send_available(&self, taken: &mut BufList) -> io::Result<()> {
        while !taken.is_empty() {
            let chunk = taken.chunk().len();
            let sent = self.socket.try_send(taken.chunk())?;
            taken.advance(sent);
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
        while self.is_strangers.load(Ordering::Relaxed) && self.backlog() > 0 && Instant::now() < deadline {
            self.flush_patiently();
        }
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
            state.finishing += 1;
            state = wait_for(&self.drained, state, left);
            state.finishing -= 1;
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
        let pending = mem::take(&mut state.pending);
        let waiters = mem::take(&mut state.waiters);
        let (writer_waits, is_awaited) = (state.writer_waits, state.finishing > 0);
        state.account(&self.config);
        drop(state);
        drop(pending);
        wake(waiters.into_iter().map(Waiter::into_thread));
        if writer_waits {
            self.work.notify_all();
        }
        if is_awaited {
            self.drained.notify_all();
        }
        self.socket.shutdown(Shutdown::Both);
    }

    /// Returns whether some sender waits for its turn.
    pub(crate) fn holds_senders_up(&self) -> bool {
        !lock(&self.state).waiters.is_empty()
    }

    /// Returns whether the recipient is over the mark, or holds some sender up.
    pub(crate) fn is_behind(&self) -> bool {
        lock(&self.state).clock.is_running()
    }

    /// Returns how many bytes the recipient has not taken.
    pub(crate) fn backlog(&self) -> usize {
        lock(&self.state).backlog()
    }

    /// Returns how many bytes the common memory budget gets back when this is closed.
    pub(crate) fn accounted(&self) -> usize {
        lock(&self.state).accounted()
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

/// Closes the outbox if the thread that writes to it panics meanwhile: what it had taken is lost, and nothing may follow it.
struct CloseOnPanic<'a, S: Socket> {
    outbox: &'a Outbox<S>,
    /// It has panicked before, and flushes what it has added for others.
    was_panicking: bool,
}

impl<'a, S: Socket> CloseOnPanic<'a, S> {
    fn new(outbox: &'a Outbox<S>) -> Self {
        Self { outbox, was_panicking: thread::panicking() }
    }
}

impl<S: Socket> Drop for CloseOnPanic<'_, S> {
    fn drop(&mut self) {
        if thread::panicking() && !self.was_panicking {
            self.outbox.close(CloseReason::Panicked);
        }
    }
}
