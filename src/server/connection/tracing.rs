//! What a client sends, as the trace shows it: before each line is handled, and where none is.

use std::time::Instant;

use super::Handler;
use crate::limits::SILENCE;
use crate::protocol::Event;
use crate::server::lines::Lines;

impl Handler {
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

    /// Answers the line that is being handled by `refusal`, and logs why.
    pub(super) fn refuse(&mut self, refusal: &Event<'_>, line: &str) {
        if let (Some(trace), Some(dialect)) = (&self.trace, self.dialect) {
            trace.show_refusal(dialect, refusal, line, &self.state);
        }
        self.reply(refusal);
    }

    /// Returns when the beginning of a line is to be logged, as nothing follows: who has forgotten the LF waits in vain.
    pub(super) fn partial_due(&self, lines: &Lines) -> Option<Instant> {
        let trace = self.trace.as_ref()?;
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
