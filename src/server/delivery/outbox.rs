//! The bytes that wait for one client, between all threads that send to it and its socket.
//!
//! ```text
//!              flush                   all sent
//!     ┌──────────────────► Direct ──────────────────┐
//!     │                       │                     │
//!   Idle ◄────────────────────┼─────────────────────┘
//!     ▲                       │ the socket is full, or 16 rounds
//!     │  nothing left         ▼
//!     └─────────────────── Queued ──────► closed: slow, stalled, error
//! ```
//!
//! - *Idle*: no thread writes. While bytes are pending, a sender has the outbox on its list, and flushes it before it waits
//!   for anything.
//! - *Direct*: a sender writes, outside the lock and without waiting for the recipient, and takes along what others add
//!   meanwhile. So everything pending is one `write`, and two senders never interleave.
//! - *Queued*: a writer thread writes until nothing is left, and senders only add. It is the one that finds a recipient too
//!   slow: the [clock](SlowClock) runs while the backlog is over the mark or a sender waits.
//!
//! ```text
//!   0              the mark        max_backlog     + a quarter
//!   ├───────────────────┼───────────────────┼─────────┤
//!     any addition        what fits           reserve: small talk only
//! ```
//!
//! The *backlog* is what is pending and what is being written; the *mark* is half of `max_backlog`. An addition that does
//! not fit waits in line until it does: that slows a flood down instead of losing it. *Small talk*, from a sender that has
//! not used up its tokens, goes past the line into the reserve, and waits only if that is full as well.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::Shutdown;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::buf_list::BufList;
use super::slow_clock::SlowClock;
use super::socket::{ClientSocket, Socket};
use crate::limits;
use crate::protocol::Dialect;
use crate::server::close_reason::CloseReason;
use crate::server::sync::lock;

/// How often a thread that waits for a recipient looks whether it still has to (G5).
const WAIT_SLICE: Duration = Duration::from_millis(50);

/// Writes that a sender makes in a row to one recipient. After that a writer thread takes over what others keep adding.
const MAX_ROUNDS: usize = 16;

/// Bytes that the writer thread hands to one `write`, so that the backlog stays up to date.
const WRITE_CHUNK: usize = 256 << 10;

#[derive(Debug)]
pub(crate) struct Outbox<S = ClientSocket> {
    socket: S,
    state: Mutex<State>,
    /// Everything was written, or the outbox is closed.
    drained: Condvar,
}

/// Nothing takes long while this is locked: nothing large is copied or freed.
#[derive(Debug)]
struct State {
    /// Bytes that no thread has begun to write.
    pending: BufList,
    /// Bytes that a thread is writing and the kernel has not taken yet.
    in_flight: usize,
    mode: Mode,
    /// The sender that has this outbox on its list since the pending bytes were last taken; 0 is none.
    listed_by: u64,
    max_backlog: usize,
    /// The dialect of a client that is logged in. Messages in another one were encoded before its login, and are dropped.
    dialect: Option<&'static dyn Dialect>,
    clock: SlowClock,
    /// How long the recipient may take nothing at all.
    stall_timeout: Duration,
    /// Senders that wait for space, first come first served.
    waiters: VecDeque<Waiter>,
    /// Nothing may be added any more.
    is_ended: bool,
    closed: Option<CloseReason>,
}

#[derive(Debug)]
struct Waiter {
    /// Bytes of its addition.
    count: usize,
    /// There is space for it, or the outbox is closed.
    space: Arc<Condvar>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Idle,
    Direct,
    Queued,
}

/// What became of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is pending, and the caller has to flush the outbox.
    Flush,
    /// It is pending, and another thread writes it.
    Done,
    Full,
    Closed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Addition<'a> {
    pub(crate) bytes: &'a Arc<Vec<u8>>,
    /// They are small talk.
    pub(crate) is_small: bool,
    /// The id of the sender; it is not 0.
    pub(crate) sender: u64,
    pub(crate) dialect: Option<&'static dyn Dialect>,
}

impl State {
    fn backlog(&self) -> usize {
        self.pending.len() + self.in_flight
    }

    fn mark(&self) -> usize {
        self.max_backlog / 2
    }

    /// Returns whether the first waiter, or a sender if none waits, may add so many bytes: up to the mark any addition, past
    /// it what fits.
    fn has_space(&self, count: usize) -> bool {
        self.backlog() <= self.mark() || self.backlog() + count <= self.max_backlog
    }

    /// Adds bytes if there is space. `is_first` is whether no other sender waits before this one.
    fn try_push(&mut self, addition: Addition<'_>, is_first: bool) -> Pushed {
        let is_outdated = self.dialect.is_some() && addition.dialect.is_some() && self.dialect != addition.dialect;
        if self.closed.is_some() || self.is_ended || is_outdated {
            return Pushed::Closed;
        }
        let count = addition.bytes.len();
        let fits_reserve = self.backlog() + count <= self.max_backlog + self.max_backlog / 4;
        if (is_first && self.has_space(count)) || (addition.is_small && fits_reserve) {
            self.pending.push_shared(addition.bytes);
            self.note_added(addition.sender)
        } else {
            Pushed::Full
        }
    }

    /// Takes note of an addition. Returns whether its sender has to flush.
    fn note_added(&mut self, sender: u64) -> Pushed {
        self.set_clock();
        if self.mode == Mode::Queued || mem::replace(&mut self.listed_by, sender) == sender {
            Pushed::Done
        } else {
            Pushed::Flush
        }
    }

    fn take(&mut self) -> BufList {
        self.listed_by = 0;
        self.in_flight = self.pending.len();
        mem::take(&mut self.pending)
    }

    /// Takes note that the recipient has taken bytes, and that so many are still being written.
    fn note_sent(&mut self, in_flight: usize) {
        if self.clock.is_running() {
            self.clock.took(self.in_flight - in_flight, Instant::now());
        }
        self.in_flight = in_flight;
        self.set_clock();
    }

    /// Puts bytes that were taken and not written back in front of those that have been added meanwhile.
    fn put_back(&mut self, taken: BufList) {
        self.note_sent(taken.len());
        self.in_flight = 0;
        let added = mem::replace(&mut self.pending, taken);
        self.pending.append(added);
    }

    fn set_clock(&mut self) {
        if self.backlog() > self.mark() || !self.waiters.is_empty() {
            self.clock.start();
        } else {
            self.clock.stop();
        }
    }
}

impl<S: Socket> Outbox<S> {
    /// Creates an empty outbox for a client that is not logged in.
    pub(crate) fn new(socket: S, slow_timeout: Duration) -> Self {
        let state = State {
            pending: BufList::default(),
            in_flight: 0,
            mode: Mode::Idle,
            listed_by: 0,
            max_backlog: limits::MAX_BACKLOG_BEFORE_LOGIN,
            dialect: None,
            clock: SlowClock::new(slow_timeout),
            stall_timeout: limits::STALL_TIMEOUT.max(slow_timeout),
            waiters: VecDeque::new(),
            is_ended: false,
            closed: None,
        };
        Self { socket, state: Mutex::new(state), drained: Condvar::new() }
    }

    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    pub(crate) fn log_in(&self, dialect: &'static dyn Dialect, max_backlog: usize) {
        let mut state = lock(&self.state);
        (state.dialect, state.max_backlog) = (Some(dialect), max_backlog);
    }

    /// Adds bytes behind all others if there is space.
    pub(crate) fn push(&self, addition: Addition<'_>) -> Pushed {
        let mut state = lock(&self.state);
        let is_first = state.waiters.is_empty();
        state.try_push(addition, is_first)
    }

    /// Adds bytes as soon as there is space. Returns [`Pushed::Closed`] also if the sender `should_stop`.
    /// Everything that the sender has added elsewhere must be flushed.
    pub(crate) fn push_when_space(&self, addition: Addition<'_>, should_stop: impl Fn() -> bool) -> Pushed {
        if should_stop() {
            return Pushed::Closed;
        }
        let space = Arc::new(Condvar::new());
        let mut state = lock(&self.state);
        state.waiters.push_back(Waiter { count: addition.bytes.len(), space: Arc::clone(&space) });
        state.set_clock();
        let is_this = |waiter: &Waiter| Arc::ptr_eq(&waiter.space, &space);
        let pushed = self.wait_for(state, &space, should_stop, |state| {
            let is_first = state.waiters.front().is_some_and(is_this);
            Some(state.try_push(addition, is_first)).filter(|pushed| *pushed != Pushed::Full)
        });
        let mut state = lock(&self.state);
        state.waiters.retain(|waiter| !is_this(waiter));
        state.set_clock();
        self.unlock(state);
        pushed.unwrap_or(Pushed::Closed)
    }

    /// Waits for a condition until `attempt` has a result, or `should_stop`.
    fn wait_for<'a, T>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        condition: &Condvar,
        should_stop: impl Fn() -> bool,
        mut attempt: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        loop {
            if let Some(result) = attempt(&mut state) {
                return Some(result);
            }
            let (guard, waited) = condition.wait_timeout(state, WAIT_SLICE).unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if waited.timed_out() {
                drop(state);
                if should_stop() {
                    return None;
                }
                state = lock(&self.state);
            }
        }
    }

    /// Adds bytes whether there is space or not.
    pub(crate) fn force_push(&self, bytes: &[u8], sender: u64) -> Pushed {
        let mut state = lock(&self.state);
        if state.closed.is_some() {
            return Pushed::Closed;
        }
        state.pending.push(bytes);
        state.note_added(sender)
    }

    /// Writes what is pending as far as the recipient takes it at once, unless another thread writes. A writer thread gets
    /// the rest. If the kernel refuses the thread, the caller writes, as long as `proceed` says so before each write.
    pub(crate) fn flush(self: &Arc<Self>, proceed: impl FnMut() -> bool) {
        let mut taken = {
            let mut state = lock(&self.state);
            if state.mode != Mode::Idle || state.pending.is_empty() || state.closed.is_some() {
                return;
            }
            state.mode = Mode::Direct;
            state.take()
        };
        for round in 1.. {
            if let Err(error) = self.send_available(&mut taken) {
                return self.close(CloseReason::Failed(error.kind()));
            }
            let is_full = !taken.is_empty();
            let mut state = lock(&self.state);
            if state.closed.is_none() {
                state.put_back(taken);
            }
            if state.pending.is_empty() {
                state.mode = Mode::Idle;
                return self.unlock(state);
            }
            if is_full || round == MAX_ROUNDS {
                state.mode = Mode::Queued;
                self.unlock(state);
                return self.spawn_writer(proceed);
            }
            taken = state.take();
            self.unlock(state);
        }
    }

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

    /// Gives back the lock under which the backlog may have become smaller, and wakes the threads that waited for that.
    fn unlock(&self, state: MutexGuard<'_, State>) {
        let first = state.waiters.front().filter(|waiter| state.has_space(waiter.count));
        let space = first.map(|waiter| Arc::clone(&waiter.space));
        let is_drained = state.is_ended && state.backlog() == 0;
        drop(state);
        if let Some(space) = space {
            space.notify_one();
        }
        if is_drained {
            self.drained.notify_all();
        }
    }

    fn spawn_writer(self: &Arc<Self>, proceed: impl FnMut() -> bool) {
        let outbox = Arc::clone(self);
        let builder = thread::Builder::new().name(String::from("writer")).stack_size(limits::THREAD_STACK);
        let spawned = builder.spawn(move || {
            let written = panic::catch_unwind(AssertUnwindSafe(|| outbox.write_pending(|| true)));
            if let Err(reason) = written.unwrap_or(Err(CloseReason::Panicked)) {
                outbox.close(reason);
            }
        });
        if spawned.is_err() {
            self.write_pending(proceed).unwrap_or_else(|reason| self.close(reason));
        }
    }

    /// Writes until nothing is left, or the recipient is given up.
    fn write_pending(&self, mut proceed: impl FnMut() -> bool) -> Result<(), CloseReason> {
        let mut last_progress = Instant::now();
        loop {
            let mut taken = {
                let mut state = lock(&self.state);
                if state.pending.is_empty() || state.closed.is_some() {
                    state.mode = Mode::Idle;
                    self.unlock(state);
                    return Ok(());
                }
                state.take()
            };
            while !taken.is_empty() {
                let chunk = &taken.chunk()[..taken.chunk().len().min(WRITE_CHUNK)];
                let sent = if proceed() { self.socket.send(chunk) } else { Err(ErrorKind::TimedOut.into()) };
                let sent = sent.map_err(|error| CloseReason::Failed(error.kind()))?;
                taken.advance(sent);
                let now = Instant::now();
                if sent > 0 {
                    last_progress = now;
                }
                let mut state = lock(&self.state);
                if let Some(reason) = state.closed {
                    return Err(reason);
                }
                state.note_sent(taken.len());
                if state.clock.is_over(now) {
                    return Err(CloseReason::Slow);
                }
                if now.duration_since(last_progress) >= state.stall_timeout {
                    return Err(CloseReason::Stalled);
                }
                self.unlock(state);
            }
        }
    }

    /// Adds the last bytes behind all others. From now on the client may take nothing for at most `stall_timeout`.
    pub(crate) fn end(&self, last: &[u8], stall_timeout: Duration) {
        let mut state = lock(&self.state);
        if state.closed.is_none() {
            state.pending.push(last);
        }
        state.is_ended = true;
        state.stall_timeout = stall_timeout;
        state.waiters.iter().for_each(|waiter| waiter.space.notify_one());
    }

    /// Waits after [`Self::end`] until everything is written. Returns `false` if the connection broke, or `should_stop`.
    pub(crate) fn finish(self: &Arc<Self>, should_stop: impl Fn() -> bool) -> bool {
        self.flush(|| !should_stop());
        let finished = self.wait_for(lock(&self.state), &self.drained, should_stop, |state| {
            let is_written = state.backlog() == 0 && state.mode != Mode::Direct;
            (state.closed.is_some() || is_written).then_some(state.closed.is_none())
        });
        finished == Some(true)
    }

    /// Ends the connection at once: drops what is pending and wakes every thread that waits. The first reason stays.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = lock(&self.state);
        if state.closed.is_some() {
            return;
        }
        state.closed = Some(reason);
        state.in_flight = 0;
        let pending = mem::take(&mut state.pending);
        state.waiters.iter().for_each(|waiter| waiter.space.notify_one());
        drop(state);
        drop(pending);
        self.drained.notify_all();
        self.socket.shutdown(Shutdown::Both);
    }

    /// Closes the outbox if the connection was reset: only a read would see that (G5). Returns whether it is closed.
    pub(crate) fn close_if_broken(&self) -> bool {
        if let Some(error) = self.socket.take_error() {
            self.close(CloseReason::Failed(error));
        }
        self.close_reason().is_some()
    }

    pub(crate) fn backlog(&self) -> usize {
        lock(&self.state).backlog()
    }

    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        lock(&self.state).closed
    }
}

#[cfg(test)]
mod tests;
