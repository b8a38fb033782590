//! How a connection ends: its name is free, and the client takes its last lines.

use std::time::Instant;

use super::Handler;
use crate::limits;
use crate::log::Level;
use crate::protocol::Event;
use crate::server::close_reason::CloseReason;
use crate::server::lines::Lines;
use crate::server::sync::write_lock;

impl Handler {
    /// Ends the connection: its name is free at once (G5), and in good order the client gets all that it is owed (G9)
    /// and no reset destroys it (G10).
    pub(super) fn close(&mut self, reason: CloseReason, lines: &mut Lines) {
        self.permit.begin_leaving();
        self.leave();
        let level = if self.login.is_some() || !reason.is_orderly() { Level::Info } else { Level::Debug };
        if self.login.is_none() {
            self.count_stranger(reason);
        }
        let said = if self.context.shutdown.has_begun() { CloseReason::Shutdown } else { reason };
        if let Some(name) = &self.state.name {
            self.log.catch_up(name);
        }
        self.report(level, format_args!("left: {said}"));
        self.announce_leaving();
        let is_open = self.outbox.close_reason().is_none();
        if is_open && reason.is_orderly() && !self.finish(reason, lines) {
            self.report(Level::Info, format_args!("did not take its last lines"));
        }
        self.outbox.close(reason);
    }

    /// Has the client take its last lines, and says whether it has.
    fn finish(&mut self, reason: CloseReason, lines: &mut Lines) -> bool {
        let at_end = reason == CloseReason::EndOfInput;
        let timeout = if at_end { limits::HALF_CLOSED_TIMEOUT } else { limits::FLUSH_TIMEOUT };
        self.release_echo();
        if self.context.shutdown.has_begun() && self.login.is_none() {
            self.reply(&Event::Goodbye);
        }
        self.flush();
        let delivered = self.outbox.finish(Instant::now());
        if !delivered || !at_end {
            self.permit.step_outside(&self.outbox);
        }
        if !delivered && !self.finish_slowly(Instant::now() + timeout) {
            return false;
        }
        self.outbox.shutdown_sending();
        if !at_end {
            lines.drain(Instant::now() + limits::DRAIN_TIMEOUT);
        }
        true
    }

    /// Gives the client time to take what is left, as long as it takes anything.
    fn finish_slowly(&self, deadline: Instant) -> bool {
        loop {
            let backlog = self.outbox.backlog();
            let next = deadline.min(Instant::now() + limits::HALF_CLOSED_STALL);
            if self.outbox.finish(next) {
                return true;
            }
            if next == deadline || self.outbox.backlog() >= backlog || self.outbox.close_reason().is_some() {
                return false;
            }
        }
    }

    pub(super) fn leave(&self) {
        if let Some(login) = self.login {
            write_lock(&self.context.registry).leave(login);
        }
    }
}
