//! How long a recipient has been behind: a leaky bucket of time.

use std::time::{Duration, Instant};

use crate::limits::MIN_RATE;

/// While it runs, time fills the bucket, and each byte that the recipient takes pays for a part of it: at
/// [`MIN_RATE`] bytes a second the bucket stays empty. When it holds the timeout, the recipient is too slow.
#[derive(Debug)]
pub(crate) struct SlowClock {
    timeout: Duration,
    /// When the bucket is full unless the recipient takes something; `None` while it does not run.
    deadline: Option<Instant>,
}

impl SlowClock {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, deadline: None }
    }

    /// Starts it with an empty bucket, unless it runs.
    pub(crate) fn start(&mut self) {
        self.deadline.get_or_insert_with(|| Instant::now() + self.timeout);
    }

    pub(crate) fn stop(&mut self) {
        self.deadline = None;
    }

    pub(crate) fn is_running(&self) -> bool {
        self.deadline.is_some()
    }

    pub(crate) fn took(&mut self, bytes: usize, now: Instant) {
        let paid = Duration::from_secs(bytes as u64) / MIN_RATE;
        self.deadline = self.deadline.map(|deadline| (deadline + paid).min(now + self.timeout));
    }

    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn started() -> (SlowClock, Instant) {
        let start = Instant::now();
        (SlowClock { timeout: SECOND * 2, deadline: Some(start + SECOND * 2) }, start)
    }

    #[test]
    fn a_recipient_that_takes_nothing_is_too_slow_after_the_timeout() {
        let (mut clock, start) = started();
        clock.start();
        assert!(!clock.is_over(start + SECOND * 19 / 10) && clock.is_over(start + SECOND * 2));
        clock.stop();
        assert!(!clock.is_over(start + SECOND * 99));
    }

    #[test]
    fn a_recipient_that_takes_enough_is_never_too_slow_even_in_steps() {
        let (mut clock, start) = started();
        for step in 1..=500 {
            let now = start + SECOND * step * 15 / 10;
            assert!(!clock.is_over(now), "{step}");
            clock.took(MIN_RATE as usize * 15 / 10, now);
            assert_eq!(clock.deadline, Some(now + SECOND * 2), "{step}");
        }
    }

    #[test]
    fn a_recipient_that_takes_half_of_that_is_too_slow_after_twice_the_timeout() {
        let (mut clock, start) = started();
        let too_slow = (1..100).find(|step| {
            let now = start + SECOND * *step / 10;
            clock.took(MIN_RATE as usize / 20, now);
            clock.is_over(now)
        });
        assert_eq!(too_slow, Some(40));
    }

    #[test]
    fn what_is_taken_at_once_is_not_saved_up() {
        let (mut clock, start) = started();
        clock.took(usize::MAX >> 32, start + SECOND);
        assert!(!clock.is_over(start + SECOND * 29 / 10) && clock.is_over(start + SECOND * 3));
    }
}
