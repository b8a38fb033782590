//! The wait before the next attempt to connect.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::limits::{MAX_RECONNECT_WAIT, RECONNECT_FIRST};

/// Exponential backoff with a limit. Random jitter keeps the clients of one server from coming back at the same moment.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    /// Attempts in a row.
    tries: u32,
    random: RandomState,
}

impl Backoff {
    pub(crate) fn next(&mut self) -> Duration {
        let doubled = RECONNECT_FIRST.saturating_mul(1 << self.tries.min(16)).min(MAX_RECONNECT_WAIT);
        let thousandths = 750 + (self.random.hash_one(self.tries) % 500) as u32;
        self.tries += 1;
        let wait = doubled * thousandths / 1000;
        wait.min((MAX_RECONNECT_WAIT * 2).saturating_sub(wait))
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_double_up_to_a_limit_and_vary() {
        let mut first = Vec::new();
        for _ in 0..20 {
            let mut backoff = Backoff::default();
            for tries in 0..40 {
                let wait = backoff.next().as_secs_f64();
                let doubled = f64::from(1 << tries.min(6)).min(60.0);
                assert!((0.75 * doubled..=(1.25 * doubled).min(60.0)).contains(&wait), "{tries}: {wait}");
                if tries == 0 {
                    first.push(wait);
                }
            }
            backoff.reset();
            assert!(backoff.next() <= Duration::from_millis(1250));
        }
        first.dedup();
        assert!(first.len() > 10);
    }
}
