//! Messages that the server is to acknowledge, and has not yet.

use std::collections::VecDeque;
use std::mem;

use crate::client::messages;

/// How many are remembered by their text: a script may send to a server that never acknowledges anything.
const MAX_LINES: usize = 10_000;

/// Messages as they are typed, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Unacknowledged {
    /// The latest ones.
    lines: VecDeque<String>,
    /// How many there are before those.
    earlier: usize,
}

impl Unacknowledged {
    /// Adds a message that was sent.
    pub(crate) fn push(&mut self, line: &str) {
        self.lines.push_back(messages::excerpt(line).into_owned());
        if self.lines.len() > MAX_LINES {
            self.lines.pop_front();
            self.earlier += 1;
        }
    }

    /// Removes the oldest message, and returns it if it is remembered.
    pub(crate) fn pop(&mut self) -> Option<String> {
        match self.earlier.checked_sub(1) {
            Some(earlier) => {
                self.earlier = earlier;
                None
            }
            None => self.lines.pop_front(),
        }
    }

    /// Returns how many there are.
    pub(crate) fn len(&self) -> usize {
        self.earlier + self.lines.len()
    }

    /// Removes all of them, and returns what there is to say of that.
    pub(crate) fn take(&mut self) -> Option<String> {
        let Self { mut lines, earlier } = mem::take(self);
        (!lines.is_empty()).then(|| messages::unacknowledged(earlier + lines.len(), lines.make_contiguous()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k6_the_latest_ones_are_told_by_their_text_and_all_are_counted() {
        let mut unacknowledged = Unacknowledged::default();
        for number in 0..MAX_LINES + 2 {
            unacknowledged.push(&format!("n{number}"));
        }
        assert_eq!(unacknowledged.len(), MAX_LINES + 2);
        assert_eq!((unacknowledged.pop(), unacknowledged.pop()), (None, None));
        assert_eq!(unacknowledged.pop().as_deref(), Some("n2"));
        unacknowledged.push("last");
        unacknowledged.push("more");
        let told = unacknowledged.take().expect("there are some");
        assert!(
            told.starts_with("Your last 10001 messages were not acknowledged; they may be lost:\n  n4\n"),
            "{told}"
        );
        assert!(told.ends_with("\n  last\n  more"));
        assert_eq!((unacknowledged.len(), unacknowledged.take()), (0, None));
    }
}
