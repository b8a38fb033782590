//! For how long the server has said nothing where it should.

use std::time::{Duration, Instant};

use crate::client::session::Awaited;
use crate::limits::{ANSWER_PATIENCE, SIGN_INTERVAL};

/// What the server is waited for, as a clock sees it. It is told the time, and looks at none itself.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// What is awaited, and since when.
    awaited: Option<(Awaited, Instant)>,
    /// When a sign of life was last asked for.
    asked_at: Option<Instant>,
}

impl Silence {
    /// Takes note of what is awaited now; it has been since then unless it is the same as before.
    pub(super) fn note(&mut self, awaited: Option<Awaited>, now: Instant) {
        if self.awaited.map(|(awaited, _)| awaited) != awaited {
            self.awaited = awaited.map(|awaited| (awaited, now));
        }
    }

    /// Returns for how many seconds an answer has been awaited, once that is worth telling.
    pub(super) fn seconds(&self, now: Instant) -> Option<u64> {
        let elapsed = now.saturating_duration_since(self.answer_awaited_since()?);
        (elapsed >= ANSWER_PATIENCE).then_some(elapsed.as_secs())
    }

    /// Returns when [`Silence::seconds`] will be another one, which is never sooner than `now`.
    pub(super) fn changes_at(&self, now: Instant) -> Option<Instant> {
        let since = self.answer_awaited_since()?;
        let next = self.seconds(now).map_or(ANSWER_PATIENCE, |seconds| Duration::from_secs(seconds + 1));
        Some(since + next)
    }

    /// Returns when to ask for a sign of life, if one is awaited.
    pub(super) fn asks_at(&self) -> Option<Instant> {
        let (Awaited::Sign, since) = self.awaited? else { return None };
        let again = self.asked_at.map(|asked_at| asked_at + SIGN_INTERVAL);
        Some((since + ANSWER_PATIENCE).max(again.unwrap_or(since)))
    }

    /// Returns whether it is time to ask for a sign of life, and takes note that this is done.
    pub(super) fn asks(&mut self, now: Instant) -> bool {
        let asks = self.asks_at().is_some_and(|at| at <= now);
        if asks {
            self.asked_at = Some(now);
        }
        asks
    }

    fn answer_awaited_since(&self) -> Option<Instant> {
        self.awaited.filter(|(awaited, _)| *awaited != Awaited::Sign).map(|(_, since)| since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_late_is_told_of_by_the_second() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut silence = Silence::default();
        assert_eq!((silence.seconds(start), silence.changes_at(start)), (None, None));
        silence.note(Some(Awaited::Answer(0)), start);
        for (now, seconds, next) in [
            (0, None, 5000),
            (4999, None, 5000),
            (5000, Some(5), 6000),
            (5999, Some(5), 6000),
            (12_345, Some(12), 13_000),
        ] {
            silence.note(Some(Awaited::Answer(0)), at(now));
            assert_eq!((silence.seconds(at(now)), silence.changes_at(at(now))), (seconds, Some(at(next))));
        }
        // The next answer has a time of its own.
        silence.note(Some(Awaited::Answer(1)), at(13_000));
        assert_eq!((silence.seconds(at(17_000)), silence.changes_at(at(17_000))), (None, Some(at(18_000))));
        silence.note(None, at(19_000));
        assert_eq!((silence.seconds(at(60_000)), silence.changes_at(at(60_000))), (None, None));
        assert_eq!(silence.asks_at(), None);
    }

    #[test]
    fn a_sign_of_life_is_asked_for_once_in_a_while() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut silence = Silence::default();
        for (sent, asks) in [(0, 5), (6, 35), (36, 65), (100, 105)] {
            silence.note(Some(Awaited::Sign), at(sent));
            assert_eq!((silence.asks_at(), silence.changes_at(at(sent))), (Some(at(asks)), None));
            assert!(!silence.asks(at(asks - 1)) && silence.asks(at(asks)) && !silence.asks(at(asks)));
            silence.note(Some(Awaited::Answer(sent)), at(asks));
            assert_eq!(silence.seconds(at(asks + 5)), Some(5));
            silence.note(None, at(asks));
        }
    }
}
