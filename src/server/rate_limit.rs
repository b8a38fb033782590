//! Limits on how often something happens: a token bucket, and a log that is held to one.

use std::fmt;
use std::time::{Duration, Instant};

use crate::log::{Level, Log};

/// Log lines about clients, a second.
const LOG_RATE: u32 = 20;

/// Log lines about clients that may come at once: a server that is started again has all of them back within a second.
const LOG_BURST: u32 = 2000;

/// A token bucket. Tokens may be owed, up to as many as come back in a second.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: f64,
    burst: f64,
    tokens: f64,
    refilled: Instant,
}

impl RateLimit {
    /// Creates a full bucket of `burst` tokens, which gets `per_second` of them back.
    pub(crate) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { per_second: per_second.into(), burst: burst.into(), tokens: burst.into(), refilled: now }
    }

    /// Takes tokens. Returns whether there were as many; they are taken, or owed, in any case.
    pub(crate) fn charge(&mut self, tokens: usize, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.refilled).as_secs_f64() * self.per_second;
        let before = (self.tokens + earned).min(self.burst);
        self.tokens = (before - tokens as f64).max(-self.per_second);
        self.refilled = now;
        before >= tokens as f64
    }

    /// Takes a token if there is one, and returns whether there was.
    pub(crate) fn try_charge(&mut self, now: Instant) -> bool {
        let has_token = self.delay(now).is_zero();
        if has_token {
            self.charge(1, now);
        }
        has_token
    }

    /// Returns whether there was no token left after the last charge.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.tokens < 1.0
    }

    /// Returns how long it is until there is a token.
    pub(crate) fn delay(&self, now: Instant) -> Duration {
        let missing = (1.0 - self.tokens).max(0.0) / self.per_second;
        Duration::from_secs_f64(missing).saturating_sub(now.saturating_duration_since(self.refilled))
    }
}

/// A log that takes only so many lines a second. Lines beyond that are counted, and the next line says how many.
#[derive(Debug)]
pub(crate) struct LimitedLog {
    log: Log,
    limit: RateLimit,
    withheld: u64,
}

impl LimitedLog {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, limit: RateLimit::new(LOG_RATE, LOG_BURST, Instant::now()), withheld: 0 }
    }

    pub(crate) fn event(&mut self, level: Level, who: &dyn fmt::Display, text: fmt::Arguments<'_>) {
        if !self.log.takes(level) {
            return;
        }
        if !self.limit.try_charge(Instant::now()) {
            self.withheld += 1;
            return;
        }
        if self.withheld > 0 {
            self.log.event(Level::Warn, format_args!("{} log lines about clients were withheld", self.withheld));
            self.withheld = 0;
        }
        self.log.event(level, format_args!("{who} {text}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::mpsc::{self, Sender};

    #[test]
    fn the_burst_is_free_and_then_one_comes_at_a_time() {
        let begun = Instant::now();
        let mut limit = RateLimit::new(10, 3, begun);
        for _ in 0..3 {
            assert_eq!(limit.delay(begun), Duration::ZERO);
            assert!(limit.charge(1, begun));
        }
        assert_eq!(limit.delay(begun).as_millis(), 100);
        assert_eq!(limit.delay(begun + Duration::from_millis(100)), Duration::ZERO);
        assert!(!limit.charge(1, begun + Duration::from_millis(50)));
        assert_eq!(limit.delay(begun + Duration::from_millis(50)).as_millis(), 150);
        // No more than the burst is saved up, and no more than a second's worth is owed.
        let later = begun + Duration::from_secs(3600);
        assert!(limit.charge(3, later) && !limit.charge(1000, later));
        assert_eq!(limit.delay(later).as_millis(), 1100);
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
        let mut limited = LimitedLog::new(log.clone());
        limited.limit = RateLimit::new(LOG_RATE, LOG_RATE, Instant::now());
        for number in 0..100_000 {
            limited.event(Level::Debug, &"ann", format_args!("is not logged"));
            limited.event(Level::Info, &"ann", format_args!("did {number}"));
        }
        limited.limit = RateLimit::new(LOG_RATE, LOG_RATE, Instant::now());
        limited.event(Level::Info, &"ann", format_args!("left"));
        drop((limited, log));
        let lines: Vec<String> = lines.iter().collect();
        let withheld = |line: &String| -> Option<usize> {
            line.split_once(" warn ")?.1.strip_suffix(" log lines about clients were withheld\n")?.parse().ok()
        };
        let told: usize = lines.iter().filter_map(withheld).sum();
        let events = lines.iter().filter(|line| line.contains("ann did ")).count();
        assert_eq!(events + told, 100_000);
        assert!(lines.last().is_some_and(|line| line.ends_with(" info ann left\n")), "{lines:?}");
        assert!((20..1000).contains(&events), "{events}");
    }
}
