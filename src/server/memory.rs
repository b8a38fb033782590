//! The memory that everything held for clients may take, all together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, TryLockError};

/// A bound that is not enforced where something is added, but by whoever finds it exceeded.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    max: usize,
    used: AtomicUsize,
    /// Held by who frees something.
    relief: Mutex<()>,
}

impl MemoryBudget {
    /// Creates a budget of so many bytes, none of which are used.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, used: AtomicUsize::new(0), relief: Mutex::new(()) }
    }

    /// Counts that somebody who held `before` bytes now holds `now` of them.
    pub(crate) fn adjust(&self, before: usize, now: usize) {
        if now >= before {
            self.used.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.used.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// Returns whether more is used than may be.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.max
    }

    /// Frees something until the budget is kept, or there is nothing more to free; leaves it to somebody else who does so
    /// already.
    pub(crate) fn relieve(&self, mut free_something: impl FnMut() -> bool) {
        if !self.is_exceeded() {
            return;
        }
        let _turn = match self.relief.try_lock() {
            Err(TryLockError::WouldBlock) => return,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Ok(turn) => turn,
        };
        while self.is_exceeded() && free_something() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_freed_than_has_to_be() {
        let budget = MemoryBudget::new(100);
        let mut held = vec![70, 20, 50, 40];
        held.iter().for_each(|bytes| budget.adjust(0, *bytes));
        let free_largest = |held: &mut Vec<usize>| {
            held.sort_unstable();
            held.pop().map(|bytes| budget.adjust(bytes, 0)).is_some()
        };
        budget.relieve(|| free_largest(&mut held));
        assert_eq!(held, [20, 40]);
        assert!(!budget.is_exceeded());
        budget.relieve(|| unreachable!("it is kept"));
        budget.adjust(0, 1000);
        budget.relieve(|| free_largest(&mut held));
        assert!(held.is_empty() && budget.is_exceeded());
    }
}
