//! The orderly end: what was accepted is delivered, everybody hears a good-bye, and then connections close.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Server;
use super::close_reason::CloseReason;
use super::delivery::flush_list::FlushList;
use super::registry::Member;
use super::sync::read;
use crate::limits;
use crate::log::Level;
use crate::protocol::Event;

/// Passes and good-byes that are going on, and whether new passes may begin.
#[derive(Debug, Default)]
pub(super) struct Shutdown {
    closed: AtomicBool,
    passes: AtomicUsize,
    /// Connections that are not in the registry any more and still get their last bytes.
    final_flushes: AtomicUsize,
}

/// A connection's last bytes are on their way, until this is dropped.
#[derive(Debug)]
pub(super) struct FinalFlush(Arc<Shutdown>);

/// A pass that is going on, until this is dropped.
#[derive(Debug)]
pub(super) struct RunningPass<'a>(&'a Shutdown);

impl Shutdown {
    /// Begins a pass over lines that have been read; `None` when the server is going away, and they are not accepted.
    pub(super) fn begin_pass(&self) -> Option<RunningPass<'_>> {
        // Both sides write their own flag before they look at the other's, in one order for all: so either this pass is
        // seen by whoever closes, or it sees that it may not begin.
        self.passes.fetch_add(1, Ordering::SeqCst);
        let pass = RunningPass(self);
        (!self.is_closed()).then_some(pass)
    }

    /// From now on no pass begins.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Whether the server is going away.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Begins the end of a connection, before it leaves the registry.
    pub(super) fn begin_final_flush(self: &Arc<Self>) -> FinalFlush {
        self.final_flushes.fetch_add(1, Ordering::SeqCst);
        FinalFlush(Arc::clone(self))
    }

    /// Whether some connection's last bytes are on their way.
    pub(super) fn has_final_flushes(&self) -> bool {
        self.final_flushes.load(Ordering::SeqCst) > 0
    }

    /// Waits until every pass is over; `false` when that takes too long.
    pub(super) fn wait_for_passes(&self, deadline: Instant) -> bool {
        while self.passes.load(Ordering::SeqCst) > 0 {
            if Instant::now() >= deadline {
                return false;
            }
            thread::park_timeout(Duration::from_millis(1));
        }
        true
    }
}

impl Drop for FinalFlush {
    fn drop(&mut self) {
        self.0.final_flushes.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for RunningPass<'_> {
    fn drop(&mut self) {
        self.0.passes.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How long there is nothing to do before what clients took is looked at again.
const TICK: Duration = Duration::from_millis(2);

/// The id under which outboxes know the shutdown; no connection gets that far.
const PASS: u64 = u64::MAX;

impl Server {
    /// Ends the service, in 2 s at most and a moment for the clients to hang up. From now on nothing that clients say is
    /// listened to, and newcomers are turned away.
    ///
    /// The threads of the clients read on and drop what they read, so that no reset destroys the last lines (G10), until
    /// each client has closed its side too.
    pub fn shutdown(&self) {
        let begun = Instant::now();
        let log = &self.context.log;
        let shutdown = &self.context.shutdown;
        shutdown.close();
        self.finish_passes(begun);
        let members = read(&self.context.registry).everyone_but(PASS);
        log.event(Level::Info, format_args!("shutting down with {} clients", members.len()));
        say_goodbye(&members);
        let deadline = begun + limits::SHUTDOWN_TIMEOUT;
        let deaf = close_when_delivered(members, deadline);
        if deaf > 0 {
            log.event(Level::Warn, format_args!("{deaf} clients did not take their last lines"));
        }
        wait_until(deadline, || !shutdown.has_final_flushes());
        let deadline = Instant::now() + limits::SHUTDOWN_HANG_UP;
        wait_until(deadline, || read(&self.context.registry).count() <= deaf && !shutdown.has_final_flushes());
    }

    /// Has everything that was accepted added to its outbox. A recipient that is full would hold that up, also for those
    /// who come after it: it has the first part of the time to make room.
    fn finish_passes(&self, begun: Instant) {
        let shutdown = &self.context.shutdown;
        let mut deadline = begun + limits::SHUTDOWN_ROOM;
        while !shutdown.wait_for_passes(deadline) {
            if deadline >= begun + limits::SHUTDOWN_ACCEPTED {
                self.context.log.event(Level::Warn, "not everything that was accepted could be delivered");
                return;
            }
            for member in read(&self.context.registry).everyone_but(PASS) {
                if member.outbox.holds_senders_up() {
                    member.outbox.close(CloseReason::Slow);
                }
            }
            deadline = Instant::now() + TICK;
        }
    }
}

fn wait_until(deadline: Instant, fact: impl Fn() -> bool) {
    while !fact() && Instant::now() < deadline {
        thread::park_timeout(TICK);
    }
}

fn say_goodbye(members: &[Arc<Member>]) {
    let mut flush_list = FlushList::new(PASS);
    for member in members {
        let mut line = Vec::new();
        member.dialect.encode_event(&Event::Goodbye, 0, &mut line);
        flush_list.force_push(&member.outbox, &line);
    }
    flush_list.flush();
}

/// Shuts the sending side down to each client as soon as it has everything. Returns how many had not, at the deadline.
fn close_when_delivered(mut members: Vec<Arc<Member>>, deadline: Instant) -> usize {
    loop {
        members.retain(|member| {
            let delivered = member.outbox.finish(Instant::now());
            if delivered {
                member.outbox.shutdown_sending();
            }
            !delivered && member.outbox.close_reason().is_none()
        });
        if members.is_empty() || Instant::now() >= deadline {
            return members.len();
        }
        thread::park_timeout(TICK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_that_have_begun_are_waited_for_and_no_new_one_begins() {
        let shutdown = Shutdown::default();
        let pass = shutdown.begin_pass();
        assert!(pass.is_some());
        shutdown.close();
        assert!(shutdown.begin_pass().is_none());
        assert!(!shutdown.wait_for_passes(Instant::now()));
        drop(pass);
        assert!(shutdown.wait_for_passes(Instant::now()));
    }

    #[test]
    fn partings_are_counted() {
        let shutdown = Arc::new(Shutdown::default());
        let parting = shutdown.begin_final_flush();
        assert!(shutdown.has_final_flushes());
        drop(parting);
        assert!(!shutdown.has_final_flushes());
    }
}
