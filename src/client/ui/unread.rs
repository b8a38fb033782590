//! Where the messages begin that came while nobody seemed to read.

use std::time::Instant;

use crate::limits::READING_TIME;

/// Whether somebody reads, as far as keys tell.
#[derive(Debug)]
pub(super) struct Unread {
    /// When the last key came.
    typed_at: Instant,
    /// What came since then is marked.
    is_marked: bool,
}

impl Unread {
    /// Begins with a key that has come now.
    pub(super) fn new(now: Instant) -> Self {
        Self { typed_at: now, is_marked: false }
    }

    /// Returns whether a message that comes now is the first since nobody seems to read, and has a mark before it.
    pub(super) fn begins(&mut self, now: Instant) -> bool {
        let begins = !self.is_marked && now.saturating_duration_since(self.typed_at) >= READING_TIME;
        self.is_marked |= begins;
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_after_a_while_without_a_key_has_a_mark_before_it() {
        let start = Instant::now();
        let mut unread = Unread::new(start);
        assert!(!unread.begins(start) && !unread.begins(start + READING_TIME / 2));
        assert!(unread.begins(start + READING_TIME));
        assert!(!unread.begins(start + 2 * READING_TIME));
        unread = Unread::new(start + 2 * READING_TIME);
        assert!(!unread.begins(start + 2 * READING_TIME));
        assert!(unread.begins(start + 3 * READING_TIME));
    }
}
