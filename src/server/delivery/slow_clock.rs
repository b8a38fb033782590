//! How long a recipient has been behind.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::limits::{MIN_RATE, SLOW_WINDOW};

/// How long a recipient may take nothing and make up for it. What it takes comes in steps: a system with a large receive
/// buffer asks for more only when a good part of it is free again.
const MAX_DEBT: Duration = Duration::from_secs(1);

/// Adds up the time in which a recipient was over the mark and took less than [`MIN_RATE`]. Being over the mark again and
/// again counts together, so nobody starts anew by reading just in time.
#[derive(Debug, Default)]
pub(crate) struct SlowClock {
    /// While the recipient is over the mark: up to when the time is accounted for.
    running_since: Option<Instant>,
    /// The latest time over the mark that has not been paid for, byte by byte taken, and still can be.
    debt: Duration,
    /// When the recipient was behind and for how long, the latest last.
    behind: VecDeque<(Instant, Duration)>,
}

impl SlowClock {
    /// Starts the clock: the recipient is over the mark. Nothing changes if it was.
    pub(crate) fn start(&mut self) {
        if self.running_since.is_none() {
            self.running_since = Some(Instant::now());
        }
    }

    /// Returns whether it runs.
    pub(crate) fn is_running(&self) -> bool {
        self.running_since.is_some()
    }

    /// Stops the clock: the recipient is not over the mark any more.
    pub(crate) fn stop(&mut self) {
        if self.running_since.is_some() {
            self.stop_at(Instant::now());
        }
    }

    fn stop_at(&mut self, now: Instant) {
        self.advance(now);
        self.running_since = None;
        self.add(now, self.debt);
        self.debt = Duration::ZERO;
    }

    /// The recipient has taken so many bytes, which pay for some of the time before.
    pub(crate) fn took(&mut self, bytes: usize, now: Instant) {
        self.advance(now);
        let paid = Duration::from_secs(bytes as u64) / MIN_RATE;
        self.debt = self.debt.saturating_sub(paid);
    }

    /// Returns how long, in the time before `now` that counts, the recipient was behind.
    pub(crate) fn behind(&mut self, now: Instant) -> Duration {
        self.advance(now);
        while self.behind.front().is_some_and(|(when, _)| now.duration_since(*when) >= SLOW_WINDOW) {
            self.behind.pop_front();
        }
        self.debt + self.behind.iter().map(|(_, time)| *time).sum::<Duration>()
    }

    fn advance(&mut self, now: Instant) {
        let Some(since) = self.running_since else { return };
        self.running_since = Some(now.max(since));
        self.debt += now.saturating_duration_since(since);
        let overdue = self.debt.saturating_sub(MAX_DEBT);
        self.debt -= overdue;
        self.add(now, overdue);
    }

    /// Notes that the recipient was behind. A second has one entry, so that there are never many.
    fn add(&mut self, now: Instant, time: Duration) {
        match self.behind.back_mut() {
            _ if time.is_zero() => {}
            Some((when, total)) if now.saturating_duration_since(*when) < Duration::from_secs(1) => *total += time,
            _ => self.behind.push_back((now, time)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A clock that runs, and when it was started.
    fn started() -> (SlowClock, Instant) {
        let mut clock = SlowClock::default();
        clock.start();
        let start = clock.running_since.expect("it runs");
        (clock, start)
    }

    #[test]
    fn who_takes_nothing_is_behind_all_the_while() {
        let (mut clock, start) = started();
        assert_eq!(clock.behind(start + SECOND * 2), SECOND * 2);
        clock.stop_at(start + SECOND * 3);
        assert_eq!(clock.behind(start + SECOND * 9), SECOND * 3);
    }

    #[test]
    fn who_takes_enough_is_never_behind_even_in_steps() {
        let (mut clock, start) = started();
        for step in 1..=500 {
            let now = start + SECOND * step * 8 / 10;
            assert!(clock.behind(now) <= SECOND, "{step}");
            clock.took(MIN_RATE as usize * 8 / 10, now);
            assert!(clock.behind(now) < SECOND / 1000, "{step}");
        }
    }

    #[test]
    fn who_takes_too_little_is_behind_for_the_time_it_has_not_paid_for() {
        let (mut clock, start) = started();
        for step in 1..=100 {
            clock.took(MIN_RATE as usize / 20, start + SECOND * step / 10);
        }
        let behind = clock.behind(start + SECOND * 10);
        assert!(behind > SECOND * 9 / 2 && behind < SECOND * 11 / 2, "{behind:?}");
    }

    #[test]
    fn who_reads_much_but_just_in_time_is_behind_in_the_end() {
        let (mut clock, start) = started();
        let mut now = start;
        for cycle in 1..=3 {
            now += SECOND * 18 / 10;
            clock.took(2 << 20, now);
            assert_eq!(clock.behind(now), SECOND * 8 / 10 * cycle);
            clock.stop_at(now);
            clock.start();
            clock.running_since = Some(now);
        }
    }

    #[test]
    fn what_is_long_ago_does_not_count() {
        let (mut clock, start) = started();
        clock.stop_at(start + SECOND);
        assert_eq!(clock.behind(start + SECOND * 60), SECOND);
        assert_eq!(clock.behind(start + SECOND * 61), Duration::ZERO);
    }
}
