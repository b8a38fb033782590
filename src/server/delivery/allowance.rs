//! What tells a sender that floods from one that does not.

use std::time::Duration;

use crate::limits::{ALLOWANCE, ALLOWANCE_RATE};

/// Bytes that a sender may add to recipients whose backlog is full. Everything it sends is counted, whoever it is for, and a
/// broadcast is counted once. It is earned only while the sender has nothing more to say: whoever sends as fast as it is
/// let, however slow that is, never earns any.
#[derive(Debug)]
pub(crate) struct Allowance {
    left: usize,
    /// It was not enough lately.
    is_spent: bool,
}

impl Default for Allowance {
    /// The allowance of a sender who has just come: a few lines, so that coming again pays off for nobody.
    fn default() -> Self {
        Self { left: ALLOWANCE / 16, is_spent: false }
    }
}

impl Allowance {
    /// Counts so many bytes, and returns whether they were within the allowance.
    pub(crate) fn charge(&mut self, bytes: usize) -> bool {
        let is_covered = bytes <= self.left;
        self.left = self.left.saturating_sub(bytes);
        self.is_spent |= !is_covered;
        is_covered
    }

    /// Counts a time in which the sender said nothing.
    pub(crate) fn earn(&mut self, silence: Duration) {
        let earned = silence.min(Duration::from_secs(1)).as_micros() as usize * ALLOWANCE_RATE / 1_000_000;
        self.left = ALLOWANCE.min(self.left + earned);
        self.is_spent &= self.left < ALLOWANCE;
    }

    /// Returns whether the sender floods: its allowance did not cover what it sent, and it has not earned all of it since.
    pub(crate) fn is_spent(&self) -> bool {
        self.is_spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_covered_at_its_beginning_only() {
        let mut allowance = Allowance::default();
        allowance.earn(Duration::from_secs(60));
        let covered = (0..1000).filter(|_| allowance.charge(1000)).count();
        assert_eq!(covered, ALLOWANCE / 1000);
        assert!(!allowance.charge(1000));
    }

    #[test]
    fn what_is_not_covered_uses_it_up_all_the_same() {
        let mut allowance = Allowance::default();
        assert!(!allowance.charge(ALLOWANCE));
        assert!(!allowance.charge(1));
        assert!(allowance.charge(0));
        allowance.earn(Duration::from_millis(400));
        assert!(allowance.is_spent());
    }

    #[test]
    fn silence_earns_it_back() {
        let mut allowance = Allowance::default();
        allowance.charge(ALLOWANCE);
        for _ in 0..1000 {
            allowance.earn(Duration::from_millis(2));
            assert!(allowance.charge(100));
        }
        allowance.earn(Duration::from_secs(9));
        assert_eq!((allowance.left, allowance.is_spent()), (ALLOWANCE, false));
    }
}
