//! The orderly end: what was accepted is delivered, everybody hears a good-bye, and then connections close.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Server;
use super::close_reason::CloseReason;
use super::registry::Member;
use super::sync::read;
use crate::limits;
use crate::log::Level;
use crate::protocol::Event;

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
        let closing = &self.context.closing;
        closing.close();
        self.finish_passes(begun);
        let members = read(&self.context.registry).everyone_but(PASS);
        log.event(Level::Info, format_args!("shutting down with {} clients", members.len()));
        say_goodbye(&members);
        let deadline = begun + limits::SHUTDOWN_TIMEOUT;
        let deaf = close_when_delivered(members, deadline);
        if deaf > 0 {
            log.event(Level::Warn, format_args!("{deaf} clients did not take their last lines"));
        }
        wait_until(deadline, || !closing.has_partings());
        let deadline = Instant::now() + limits::SHUTDOWN_HANG_UP;
        wait_until(deadline, || read(&self.context.registry).count() <= deaf && !closing.has_partings());
    }

    /// Has everything that was accepted added to its outbox. A recipient that is full would hold that up, also for those
    /// who come after it: it has the first part of the time to make room.
    fn finish_passes(&self, begun: Instant) {
        let closing = &self.context.closing;
        let mut deadline = begun + limits::SHUTDOWN_ROOM;
        while !closing.wait_for_passes(deadline) {
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
    let mut patience = limits::PASS_PATIENCE;
    for member in members {
        let mut line = Vec::new();
        member.dialect.encode_event(&Event::Goodbye, 0, &mut line);
        member.outbox.add_reserved(&line, PASS);
        member.outbox.flush(&mut patience);
    }
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
