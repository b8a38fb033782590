//! A fair semaphore: whoever waits gets its permit in the order in which it came.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread::{self, Thread};
use std::time::Duration;

use super::sync::lock;

/// How often a thread that waits looks whether it still wants to, and how much longer it sleeps for each that waits before it, so
/// that a thousand of them are not busy with that.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const POLL_INTERVAL_EACH: Duration = Duration::from_millis(1);

/// Permits, each of which one thread holds at a time.
#[derive(Debug)]
pub(crate) struct Semaphore(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Permits that nobody holds; there are none while somebody waits.
    free: usize,
    /// Threads that wait, by their tickets, which grow.
    waiters: VecDeque<(u64, Thread)>,
    last_ticket: u64,
}

impl Semaphore {
    /// Creates so many permits.
    pub(crate) fn new(permits: usize) -> Self {
        Self(Mutex::new(State { free: permits, waiters: VecDeque::new(), last_ticket: 0 }))
    }

    /// Takes a permit, and waits for it until `is_over` says that nobody needs it any more. Returns whether there is one, which
    /// has to be [released](Self::release).
    pub(crate) fn acquire(&self, is_over: impl Fn() -> bool) -> bool {
        let (ticket, interval) = {
            let mut state = lock(&self.0);
            if state.free > 0 {
                state.free -= 1;
                return true;
            }
            state.last_ticket += 1;
            let ticket = state.last_ticket;
            state.waiters.push_back((ticket, thread::current()));
            (ticket, POLL_INTERVAL + POLL_INTERVAL_EACH * state.waiters.len() as u32)
        };
        loop {
            thread::park_timeout(interval);
            let is_over = is_over();
            let mut state = lock(&self.0);
            let Ok(at) = state.waiters.binary_search_by_key(&ticket, |(ticket, _)| *ticket) else { return true };
            if is_over {
                state.waiters.remove(at);
                return false;
            }
        }
    }

    /// Gives a permit back, which goes to whoever has waited for the longest time.
    pub(crate) fn release(&self) {
        let mut state = lock(&self.0);
        let Some((_, thread)) = state.waiters.pop_front() else {
            state.free += 1;
            return;
        };
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
    fn permits_go_to_those_who_wait_in_the_order_in_which_they_came() {
        const THREADS: usize = 20;
        let semaphore = Semaphore::new(2);
        let (served, order) = mpsc::channel();
        assert!(semaphore.acquire(|| false) && semaphore.acquire(|| false));
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (semaphore, served) = (&semaphore, served.clone());
                scope.spawn(move || {
                    assert!(semaphore.acquire(|| false));
                    served.send(number).expect("it is received");
                    semaphore.release();
                });
                wait_until_waiting(semaphore, number + 1);
            }
            semaphore.release();
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), (0..THREADS).collect::<Vec<_>>());
        semaphore.release();
        assert_eq!(lock(&semaphore.0).free, 2);
    }

    #[test]
    fn who_needs_no_permit_any_more_takes_none() {
        let (semaphore, is_over) = (Semaphore::new(1), AtomicBool::new(false));
        assert!(semaphore.acquire(|| false));
        thread::scope(|scope| {
            let gone = scope.spawn(|| semaphore.acquire(|| is_over.load(Ordering::Relaxed)));
            wait_until_waiting(&semaphore, 1);
            is_over.store(true, Ordering::Relaxed);
            assert!(!gone.join().expect("it does not panic"));
        });
        semaphore.release();
        assert_eq!(lock(&semaphore.0).free, 1);
    }
}
