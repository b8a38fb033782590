//! The session's timeout, and the bound that a signal sets to it.

use std::time::{Duration, Instant};

use crate::limits::SIGNAL_WAIT;

/// A timeout that can be restarted. After a signal no deadline is later than [`SIGNAL_WAIT`] from that signal.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    timeout: Option<Duration>,
    /// `None` also after the timer has expired.
    pub(crate) deadline: Option<Instant>,
    /// The time of the first signal that ends the session.
    pub(crate) signalled_at: Option<Instant>,
}

impl Timer {
    pub(crate) fn start(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
        self.restart();
    }

    /// Starts the last timeout anew.
    pub(crate) fn restart(&mut self) {
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let bound = self.signalled_at.map(|at| at + SIGNAL_WAIT);
        self.deadline = [deadline, bound].into_iter().flatten().min();
    }

    /// Bounds every deadline from now on. Later signals do not move the bound.
    pub(crate) fn signal(&mut self) {
        self.signalled_at.get_or_insert_with(Instant::now);
        self.restart();
    }

    /// Returns whether the timer has expired, once for each start.
    pub(crate) fn take_expired(&mut self) -> bool {
        self.deadline.take_if(|deadline| *deadline <= Instant::now()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_bounds_every_later_deadline() {
        let mut timer = Timer::default();
        timer.signal();
        let bound = timer.signalled_at.expect("a signal") + SIGNAL_WAIT;
        assert_eq!(timer.deadline, Some(bound));
        timer.start(Some(SIGNAL_WAIT * 2));
        timer.signal();
        assert_eq!(timer.deadline, Some(bound));
        timer.start(Some(Duration::ZERO));
        assert!(timer.deadline < Some(bound));
    }

    #[test]
    fn a_timer_expires_once_for_each_start() {
        let mut timer = Timer::default();
        assert!(!timer.take_expired());
        for _ in 0..2 {
            timer.start(Some(Duration::ZERO));
            assert!(timer.take_expired() && !timer.take_expired());
        }
    }
}
