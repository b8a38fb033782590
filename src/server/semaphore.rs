//! A fair semaphore: of those who wait, whoever has held a permit for the shortest time gets the next one, and otherwise who
//! came first.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread::{self, Thread};
use std::time::Duration;

use super::sync::lock;

/// How often a thread that waits looks whether it still wants to, and how much longer it sleeps for each that waits before it, so
/// that a thousand of them are not busy with that.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const POLL_INTERVAL_EACH: Duration = Duration::from_millis(1);

/// How long a newcomer counts as having held a permit.
const FIRST: Duration = Duration::from_millis(2);

/// Permits, each of which one thread holds at a time.
#[derive(Debug)]
pub(crate) struct Semaphore(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Permits that nobody holds; there are none while somebody waits.
    free: usize,
    /// Threads that wait, by the start of what they want to do in virtual time, and then by their tickets, which grow.
    waiters: BTreeMap<(Duration, u64), Thread>,
    last_ticket: u64,
    /// Virtual time: the start of who got a permit last.
    now: Duration,
}

impl Semaphore {
    /// Creates so many permits.
    pub(crate) fn new(permits: usize) -> Self {
        Self(Mutex::new(State { free: permits, waiters: BTreeMap::new(), last_ticket: 0, now: Duration::ZERO }))
    }

    /// Takes a permit, and waits for it until `is_over` says that nobody needs it any more. Returns the start of its use in
    /// virtual time if there is one, which has to be [released](Self::release). `due` is where the last use by the same holder
    /// ended: its start and how long it took. So whoever holds permits for long waits for those who do not; `None`, who has not
    /// held one, waits as if it had held one for [`FIRST`], so that coming anew pays off for nobody.
    pub(crate) fn acquire(&self, due: Option<Duration>, is_over: impl Fn() -> bool) -> Option<Duration> {
        let (start, ticket, interval) = {
            let mut state = lock(&self.0);
            let start = due.map_or(state.now + FIRST, |due| due.max(state.now));
            if state.free > 0 {
                state.free -= 1;
                state.now = start;
                return Some(start);
            }
            state.last_ticket += 1;
            let ticket = state.last_ticket;
            state.waiters.insert((start, ticket), thread::current());
            (start, ticket, POLL_INTERVAL + POLL_INTERVAL_EACH * state.waiters.len() as u32)
        };
        loop {
            thread::park_timeout(interval);
            let is_over = is_over();
            let mut state = lock(&self.0);
            if !state.waiters.contains_key(&(start, ticket)) {
                return Some(start);
            }
            if is_over {
                state.waiters.remove(&(start, ticket));
                return None;
            }
        }
    }

    /// Gives a permit back, which goes to whoever is next.
    pub(crate) fn release(&self) {
        let mut state = lock(&self.0);
        let Some(((start, _), thread)) = state.waiters.pop_first() else {
            state.free += 1;
            return;
        };
        state.now = start;
        drop(state);
        thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    fn wait_until_waiting(semaphore: &Semaphore, count: usize) {
        while lock(&semaphore.0).waiters.len() != count {
            thread::yield_now();
        }
    }

    #[test]
    fn permits_go_to_those_who_have_held_them_least_in_the_order_in_which_they_came() {
        const THREADS: usize = 20;
        let semaphore = Semaphore::new(2);
        let (served, order) = mpsc::channel();
        let acquire = |due| semaphore.acquire(Some(Duration::from_secs(due)), || false).is_some();
        assert!(acquire(0) && acquire(0));
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (semaphore, acquire, served) = (&semaphore, &acquire, served.clone());
                scope.spawn(move || {
                    // The first half has held permits for longer.
                    assert!(acquire(u64::from(number < THREADS / 2)));
                    served.send(number).expect("it is received");
                    semaphore.release();
                });
                wait_until_waiting(semaphore, number + 1);
            }
            semaphore.release();
        });
        let expected: Vec<_> = (THREADS / 2..THREADS).chain(0..THREADS / 2).collect();
        assert_eq!(order.try_iter().collect::<Vec<_>>(), expected);
        semaphore.release();
        assert_eq!(lock(&semaphore.0).free, 2);
    }

    #[test]
    fn coming_anew_pays_off_for_nobody() {
        let semaphore = Semaphore::new(1);
        assert!(semaphore.acquire(None, || false).is_some());
        let (served, order) = mpsc::channel();
        thread::scope(|scope| {
            let others = [None, Some((FIRST * 2).saturating_sub(Duration::from_nanos(1))), Some(FIRST * 3)];
            for (waiting, due) in others.into_iter().enumerate() {
                let (semaphore, served) = (&semaphore, served.clone());
                scope.spawn(move || {
                    assert!(semaphore.acquire(due, || false).is_some());
                    served.send(due).expect("it is received");
                    semaphore.release();
                });
                wait_until_waiting(semaphore, waiting + 1);
            }
            semaphore.release();
            let held_little_less = others[1];
            assert_eq!(order.iter().take(3).collect::<Vec<_>>(), [held_little_less, None, others[2]]);
        });
    }

    #[test]
    fn who_needs_no_permit_any_more_takes_none() {
        let (semaphore, is_over) = (Semaphore::new(1), AtomicBool::new(false));
        assert!(semaphore.acquire(None, || false).is_some());
        thread::scope(|scope| {
            let gone = scope.spawn(|| semaphore.acquire(None, || is_over.load(Ordering::Relaxed)));
            wait_until_waiting(&semaphore, 1);
            is_over.store(true, Ordering::Relaxed);
            assert_eq!(gone.join().expect("it does not panic"), None);
        });
        semaphore.release();
        assert_eq!(lock(&semaphore.0).free, 1);
    }
}
