//! The orderly end: what was accepted is delivered, those whose protocol has one hear a good-bye, and then connections close.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::Server;
use super::close_reason::CloseReason;
use super::delivery::flush_list::FlushList;
use super::registry::Member;
use super::sync::{lock, read_lock, wait_until};
use crate::limits;
use crate::log::Level;
use crate::protocol::Event;

/// Whether the server is going away, and what goes on until it is gone.
#[derive(Debug, Default)]
pub(crate) struct Shutdown {
    state: Mutex<State>,
    /// Lines are done with, after the shutdown has begun.
    lines_done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    has_begun: bool,
    /// Connections whose lines are being handled.
    in_hand: usize,
}

/// Lines of one connection that are being handled, until this is dropped.
#[derive(Debug)]
pub(crate) struct LinesInHand<'a>(&'a Shutdown);

impl Shutdown {
    /// Begins to handle lines that have been read; `None` when the server is going away, and they are not accepted.
    pub(crate) fn begin_lines(&self) -> Option<LinesInHand<'_>> {
        let mut state = lock(&self.state);
        if state.has_begun {
            return None;
        }
        state.in_hand += 1;
        Some(LinesInHand(self))
    }

    /// Begins the shutdown: from now on no lines are begun with.
    fn begin(&self) {
        lock(&self.state).has_begun = true;
    }

    /// Whether the server is going away.
    pub(crate) fn has_begun(&self) -> bool {
        lock(&self.state).has_begun
    }

    /// Waits until all lines that were begun with are done; `false` when that takes too long.
    fn wait_for_lines(&self, deadline: Instant) -> bool {
        wait_until(&self.lines_done, lock(&self.state), deadline, |state| state.in_hand == 0)
    }
}

impl Drop for LinesInHand<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.in_hand -= 1;
        if state.has_begun {
            self.0.lines_done.notify_all();
        }
    }
}

/// How often outboxes are looked at again.
const TICK: Duration = Duration::from_millis(2);

/// The id of the shutdown's flush list; no connection gets that far.
const FLUSH_LIST: u64 = u64::MAX;

impl Server {
    /// Ends the service, in 2 s at most and a moment for the clients to hang up. From now on nothing that clients say is
    /// listened to, and newcomers are turned away.
    ///
    /// The threads of the clients read on and drop what they read, so that no reset destroys the last lines (G10), until
    /// each client has closed its side too; those that have not by then are closed.
    pub fn shutdown(&self) {
        let begun = Instant::now();
        let log = &self.context.log;
        self.context.shutdown.begin();
        self.finish_lines(begun);
        let members = read_lock(&self.context.registry).everyone();
        log.event(Level::Info, format_args!("shutting down with {}", clients(members.len())));
        self.counts().into_iter().for_each(|line| log.event(Level::Info, line));
        say_goodbye(&members);
        // Who is not logged in is told by its own thread, which knows what it speaks.
        self.places.end_input_outside();
        let deadline = begun + limits::SHUTDOWN_TIMEOUT;
        let deaf = close_when_delivered(members, deadline);
        if !deaf.is_empty() {
            for member in &deaf {
                log.event(Level::Info, format_args!("{} did not take its last lines", member.name));
            }
            log.event(Level::Warn, format_args!("{} did not take their last lines", clients(deaf.len())));
        }
        // Who is neither online nor gone yet hears its good-bye, or gets its last lines.
        self.places.wait_for(deadline, |counts| counts.open == counts.online);
        let deadline = Instant::now() + limits::SHUTDOWN_HANG_UP;
        self.places.wait_for(deadline, |counts| counts.open <= deaf.len());
        self.context.outboxes(&self.places).iter().for_each(|outbox| outbox.close(CloseReason::Shutdown));
        let deadline = Instant::now() + limits::SHUTDOWN_CLOSED;
        self.places.wait_for(deadline, |counts| counts.open == 0);
    }

    /// Has everything that was accepted added to its outbox. A recipient that is full would hold that up, also for those
    /// who come after it: it has the first part of the time to make room.
    fn finish_lines(&self, begun: Instant) {
        let mut deadline = begun + limits::SHUTDOWN_ROOM;
        let mut given_up_at = None;
        while !self.context.shutdown.wait_for_lines(deadline) {
            let now = Instant::now();
            if now >= *given_up_at.get_or_insert(now + limits::SHUTDOWN_ACCEPTED) {
                self.context.log.event(Level::Warn, "not everything that was accepted could be delivered");
                return;
            }
            for outbox in self.context.outboxes(&self.places) {
                if outbox.holds_senders_up() {
                    outbox.close(CloseReason::Slow);
                }
            }
            deadline = Instant::now() + TICK;
        }
    }
}

/// Returns so many clients in words.
fn clients(count: usize) -> String {
    if count == 1 { String::from("1 client") } else { format!("{count} clients") }
}

fn say_goodbye(members: &[Arc<Member>]) {
    let mut flush_list = FlushList::new(FLUSH_LIST, None);
    for member in members {
        let mut line = Vec::new();
        member.dialect.encode_event(&Event::Goodbye, 0, &mut line);
        flush_list.force_push(&member.outbox, &line);
    }
    flush_list.flush();
}

/// Shuts the sending side down to each client as soon as it has everything. Returns those who had not, at the deadline.
fn close_when_delivered(mut members: Vec<Arc<Member>>, deadline: Instant) -> Vec<Arc<Member>> {
    loop {
        members.retain(|member| {
            let delivered = member.outbox.finish(Instant::now());
            if delivered {
                member.outbox.shutdown_sending();
            }
            !delivered && member.outbox.close_reason().is_none()
        });
        if members.is_empty() || Instant::now() >= deadline {
            return members;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "many outboxes, and no condition that all of them have in common"
        )]
        thread::sleep(TICK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_begun_with_are_waited_for_and_no_new_ones_are() {
        let shutdown = Shutdown::default();
        let lines = shutdown.begin_lines();
        assert!(lines.is_some());
        shutdown.begin();
        assert!(shutdown.begin_lines().is_none());
        assert!(!shutdown.wait_for_lines(Instant::now()));
        let far = Instant::now() + Duration::from_secs(60);
        thread::scope(|scope| {
            scope.spawn(move || drop(lines));
            assert!(shutdown.wait_for_lines(far));
        });
        assert!(Instant::now() < far);
    }
}
