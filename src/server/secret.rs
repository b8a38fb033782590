//! The secret that WAC clients can ask for (W11).

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::limits::SECRET_LIFETIME;

/// Either a text that somebody chose, or a random one that changes now and then and is the same for all who ask.
#[derive(Debug)]
pub(super) struct Secret {
    chosen: Option<String>,
    begun: Instant,
    /// Random once; each lifetime's secret is made from it and from the lifetime's number, so there is nothing to store.
    seed: RandomState,
}

impl Secret {
    pub(super) fn new(chosen: Option<String>) -> Self {
        Self { chosen, begun: Instant::now(), seed: RandomState::new() }
    }

    pub(super) fn tell(&self) -> String {
        self.after(self.begun.elapsed())
    }

    fn after(&self, elapsed: Duration) -> String {
        let random = || format!("{:016x}", self.seed.hash_one(elapsed.as_secs() / SECRET_LIFETIME.as_secs()));
        self.chosen.clone().unwrap_or_else(random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w11_a_random_secret_changes_every_10_minutes_and_not_before() {
        let secret = Secret::new(None);
        let at = |seconds| secret.after(Duration::from_secs(seconds));
        assert_eq!(at(0), at(599));
        assert_ne!(at(599), at(600));
        assert_eq!(at(600), at(1199));
        assert_ne!(Secret::new(None).after(Duration::ZERO), at(0));
    }

    #[test]
    fn w11_a_chosen_secret_stays() {
        let secret = Secret::new(Some("open sesame".into()));
        assert_eq!((secret.tell(), secret.after(SECRET_LIFETIME * 9)), ("open sesame".into(), "open sesame".into()));
    }
}
