//! What operators are told of a client beside its log lines: the trace of what it sends, and how often it is refused.

use std::time::Instant;

use super::Handler;
use crate::limits::SILENCE;
use crate::protocol::{Dialect, Event, RequestError};
use crate::server::close_reason::CloseReason;
use crate::server::counters::Count;
use crate::server::lines::Lines;

impl Handler {
    /// Logs the telnet commands that have come, which are no part of any line.
    pub(super) fn trace_telnet(&self, lines: &mut Lines) {
        let Some(trace) = &self.trace else { return };
        lines.keep_telnet_commands();
        let commands = lines.take_telnet_commands();
        if !commands.is_empty() {
            trace.show_unhandled(&commands, "is telnet's, and not of the line (G2)");
        }
    }

    /// Takes note of the line that is handled next.
    pub(super) fn trace_next(&self, lines: &mut Lines) {
        let Some(trace) = &self.trace else { return };
        if let Some(line) = lines.peek() {
            trace.begin_line(line);
        }
    }

    /// Logs the line that is being handled, before anything is done that others can see.
    pub(super) fn trace_line(&self) {
        if let Some(trace) = &self.trace {
            trace.show_line();
        }
    }

    /// Answers the line that is being handled by `refusal`, and logs why. A refused login is counted.
    pub(super) fn refuse(&mut self, refusal: &Event<'_>, line: &str) {
        if self.login.is_none() {
            self.count_refusal(refusal);
        }
        if let (Some(trace), Some(dialect)) = (&self.trace, self.dialect) {
            trace.show_refusal(dialect, refusal, line, &self.state);
        }
        self.reply(refusal);
    }

    /// Counts the end of a connection that has not logged in.
    pub(super) fn count_stranger(&self, reason: CloseReason) {
        let count = match reason {
            CloseReason::LoginTimeout => Count::LoginTimeout,
            CloseReason::Displaced => Count::Displaced,
            _ => return,
        };
        self.counters.row(self.dialect).add(count, 1);
    }

    fn count_refusal(&self, refusal: &Event<'_>) {
        let count = match refusal {
            Event::NameInUse { .. } => Count::NameInUse,
            Event::ServerFull => Count::RoomFull,
            Event::Error(RequestError::InvalidName(_)) => Count::NoName,
            _ if self.dialect.is_some_and(Dialect::refusal_closes) => Count::NoLogin,
            _ => return,
        };
        self.counters.row(self.dialect).add(count, 1);
    }

    /// Returns when the beginning of a line is to be logged, as nothing follows: who has forgotten the LF waits in vain. While
    /// lines have to wait, what there is are those.
    pub(super) fn partial_due(&self, lines: &Lines) -> Option<Instant> {
        let trace = self.trace.as_ref().filter(|_| !self.is_held_up)?;
        (!lines.partial().is_empty() && !trace.has_shown_partial()).then(|| lines.last_read() + SILENCE)
    }

    /// Logs the beginning of a line.
    pub(super) fn trace_partial(&self, lines: &Lines) {
        if let Some(trace) = &self.trace {
            trace.show_partial(lines.partial());
        }
    }

    /// Logs what has come and will not be handled.
    pub(super) fn trace_rest(&self, lines: &mut Lines) {
        let Some(trace) = &self.trace else { return };
        while let Some(line) = lines.peek() {
            trace.show_unhandled(line, "is not handled: the connection is over");
            lines.next();
        }
        if !lines.partial().is_empty() {
            trace.show_unhandled(lines.partial(), "is not handled: it has no LF (G1)");
        }
    }
}
