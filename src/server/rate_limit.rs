//! Limits on how often something happens: a token bucket, and a log that is held to one.

use std::fmt;
use std::time::{Duration, Instant};

use crate::log::{Level, Log};

/// Log lines of one client, or of all strangers together, a second.
const LOG_RATE: u32 = 20;

/// A token bucket that is full at first. Whoever charges more than there is owes it, and has to wait.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: f64,
    burst: f64,
    tokens: f64,
    refilled: Instant,
}

impl RateLimit {
    /// Creates a limit of so many a second, and `burst` at once.
    pub(crate) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { per_second: per_second.into(), burst: burst.into(), tokens: burst.into(), refilled: now }
    }

    /// Counts one more, whether there is a token for it or not.
    pub(crate) fn charge(&mut self, now: Instant) {
        let earned = now.saturating_duration_since(self.refilled).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + earned).min(self.burst) - 1.0;
        self.refilled = now;
    }

    /// Counts one more if there is a token for it, and returns whether there is.
    pub(crate) fn try_charge(&mut self, now: Instant) -> bool {
        let has_token = self.delay(now).is_zero();
        if has_token {
            self.charge(now);
        }
        has_token
    }

    fn refill(&mut self) {
        self.tokens = self.burst;
    }

    /// Returns whether there was no token left when something was last counted.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.tokens < 1.0
    }

    /// Returns how long it is until there is a token again.
    pub(crate) fn delay(&self, now: Instant) -> Duration {
        let missing = (1.0 - self.tokens).max(0.0) / self.per_second;
        Duration::from_secs_f64(missing).saturating_sub(now.saturating_duration_since(self.refilled))
    }
}

/// A log that takes only so many lines a second: the others are counted, and that is told.
#[derive(Debug)]
pub(crate) struct LimitedLog {
    log: Log,
    limit: RateLimit,
    withheld: u64,
}

impl LimitedLog {
    /// Creates a log that takes `burst` lines at once.
    pub(crate) fn new(log: Log, burst: u32) -> Self {
        Self { log, limit: RateLimit::new(LOG_RATE, burst.max(LOG_RATE), Instant::now()), withheld: 0 }
    }

    /// Reports an event of `who`.
    pub(crate) fn event(&mut self, level: Level, who: &dyn fmt::Display, text: fmt::Arguments<'_>) {
        if !self.log.takes(level) {
            return;
        }
        let now = Instant::now();
        if !self.limit.delay(now).is_zero() {
            self.withheld += 1;
            return;
        }
        self.tell_withheld(who);
        self.limit.charge(now);
        self.log.event(level, format_args!("{who} {text}"));
    }

    /// Reports how many events of `who` were not, if there are any, and takes the next ones in any case.
    pub(crate) fn catch_up(&mut self, who: &dyn fmt::Display) {
        self.tell_withheld(who);
        self.limit.refill();
    }

    fn tell_withheld(&mut self, who: &dyn fmt::Display) {
        if self.withheld > 0 {
            self.log.event(Level::Warn, format_args!("{who}: {} log lines more were withheld", self.withheld));
            self.withheld = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::mpsc::{self, Sender};

    #[test]
    fn as_many_as_the_burst_are_free_and_then_one_comes_at_a_time() {
        let begun = Instant::now();
        let mut limit = RateLimit::new(10, 3, begun);
        for _ in 0..3 {
            assert_eq!(limit.delay(begun), Duration::ZERO);
            limit.charge(begun);
        }
        assert_eq!(limit.delay(begun).as_millis(), 100);
        assert_eq!(limit.delay(begun + Duration::from_millis(100)), Duration::ZERO);
        limit.charge(begun + Duration::from_millis(50));
        assert_eq!(limit.delay(begun + Duration::from_millis(50)).as_millis(), 150);
        // However long nothing happens, no more than the burst is saved up.
        let later = begun + Duration::from_secs(3600);
        for _ in 0..3 {
            assert_eq!(limit.delay(later), Duration::ZERO);
            limit.charge(later);
        }
        assert_ne!(limit.delay(later), Duration::ZERO);
    }

    #[test]
    fn a_flood_of_log_lines_is_counted_and_told() {
        struct Lines(Sender<String>);
        impl Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                for line in String::from_utf8_lossy(bytes).split_inclusive('\n') {
                    let _ = self.0.send(String::from(line));
                }
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (written, lines) = mpsc::channel();
        let log = Log::start(Level::Info, Lines(written)).expect("a thread");
        let mut limited = LimitedLog::new(log.clone(), 0);
        for number in 0..100_000 {
            limited.event(Level::Debug, &"ann", format_args!("is not logged"));
            limited.event(Level::Info, &"ann", format_args!("did {number}"));
        }
        limited.catch_up(&"ann");
        limited.event(Level::Info, &"ann", format_args!("left"));
        drop((limited, log));
        let lines: Vec<String> = lines.iter().collect();
        let withheld = |line: &String| -> Option<usize> {
            line.split_once("ann: ")?.1.strip_suffix(" log lines more were withheld\n")?.parse().ok()
        };
        let told: usize = lines.iter().filter_map(withheld).sum();
        let events = lines.iter().filter(|line| line.contains("ann did ")).count();
        assert_eq!(events + told, 100_000);
        assert!(lines.last().is_some_and(|line| line.ends_with(" info ann left\n")), "{lines:?}");
        assert!((20..1000).contains(&events), "{events}");
    }
}
