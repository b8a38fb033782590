//! The long lines of a client: how many are received at a time, and the memory that they take.

use std::mem;
use std::time::{Duration, Instant};

use super::Handler;
use crate::limits;
use crate::server::close_reason::CloseReason;
use crate::server::lines::Lines;

/// Whether a line is being received that is longer than others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LongLine {
    #[default]
    None,
    /// It is one of those that may be, until then.
    Counted { until: Instant },
    /// It goes on beside those, as it has waited for its turn long enough, or has had it for as long.
    Uncounted,
}

impl Handler {
    /// Returns whether there is memory for what the client has sent. When too little is left for everybody, whoever is
    /// furthest behind is disconnected first, and then whoever sends long lines.
    pub(super) fn has_memory(&mut self, lines: &Lines) -> bool {
        let memory = &self.outbox.config.memory;
        let before = mem::replace(&mut self.extra_memory, lines.extra_memory());
        memory.adjust(before, self.extra_memory);
        self.relieve_memory();
        self.extra_memory == 0 || !memory.is_exceeded()
    }

    /// Has whoever is furthest behind disconnected as long as too little memory is left for everybody.
    pub(super) fn relieve_memory(&self) {
        self.outbox.config.memory.relieve(|| {
            let all = self.context.outboxes(self.permit.places());
            let furthest = all.iter().map(|outbox| (outbox.accounted(), outbox)).max_by_key(|(bytes, _)| *bytes);
            // Nobody loses a connection for the few bytes that the budget does not know of.
            let furthest = furthest.filter(|(bytes, _)| *bytes > 0);
            furthest.map(|(_, outbox)| outbox.close(CloseReason::NoMemory)).is_some()
        });
    }

    /// Has no more long lines received at a time than there is memory for, whatever they are sent for. Whoever holds others up by
    /// not going on with one does so for a while only, and nobody else is held up by one that waits.
    pub(super) fn admit_long_line(&mut self, lines: &mut Lines) {
        if !lines.has_long_partial() {
            lines.shrink();
            self.end_long_line(LongLine::None);
        } else if self.long_line == LongLine::None {
            self.flush_list.flush();
            self.flush_list.end_turn();
            let deadline = Instant::now() + limits::LONG_LINE_WAIT;
            let is_over = || Instant::now() >= deadline || self.flush_list.own_is_closed();
            let start = self.outbox.config.long_lines.acquire(Some(Duration::ZERO), is_over);
            let until = Instant::now() + limits::LONG_LINE_WAIT;
            self.long_line = start.map_or(LongLine::Uncounted, |_| LongLine::Counted { until });
        } else if self.long_line_ends().is_some_and(|time| time <= Instant::now()) {
            self.end_long_line(LongLine::Uncounted);
        }
    }

    /// Returns when a long line has held others up for long enough.
    pub(super) fn long_line_ends(&self) -> Option<Instant> {
        if let LongLine::Counted { until } = self.long_line { Some(until) } else { None }
    }

    /// Lets another client have its long line received.
    pub(super) fn end_long_line(&mut self, next: LongLine) {
        if let LongLine::Counted { .. } = mem::replace(&mut self.long_line, next) {
            self.outbox.config.long_lines.release();
        }
    }
}
