//! Turns for senders that flood: as many at a time as there are processors, first come first served, a few milliseconds
//! each. So a processor is free soon for a sender that does not flood, whatever the others send.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::sync::lock;

/// Length of a turn. Shorter turns cost more switches between threads than they help others.
const LENGTH: Duration = Duration::from_millis(5);

/// A first-in-first-out semaphore.
#[derive(Debug)]
pub(crate) struct Turns {
    state: Mutex<State>,
    next: Condvar,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: usize,
    /// Permits that were given back while threads waited. A newcomer cannot take these.
    handed_on: usize,
}

/// A permit. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    begun: Instant,
}

impl Turns {
    pub(crate) fn new(permits: usize) -> Self {
        Self { state: Mutex::new(State { free: permits, waiting: 0, handed_on: 0 }), next: Condvar::new() }
    }

    pub(crate) fn acquire(self: &Arc<Self>) -> Turn {
        let mut state = lock(&self.state);
        if state.free > 0 {
            state.free -= 1;
        } else {
            state.waiting += 1;
            // At least once: what was handed on before belongs to a thread that came before.
            state = self.next.wait(state).unwrap_or_else(PoisonError::into_inner);
            let waited = self.next.wait_while(state, |state| state.handed_on == 0 && state.free == 0);
            state = waited.unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
            match state.handed_on {
                0 => state.free -= 1,
                _ => state.handed_on -= 1,
            }
        }
        drop(state);
        Turn { turns: Arc::clone(self), begun: Instant::now() }
    }

    /// Lets every thread run at once: at the end of the server all of them have to finish what they do.
    pub(crate) fn open(&self) {
        lock(&self.state).free = usize::MAX / 2;
        self.next.notify_all();
    }
}

impl Turn {
    pub(crate) fn is_over(&self) -> bool {
        self.begun.elapsed() >= LENGTH
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = lock(&self.turns.state);
        if state.waiting > state.handed_on {
            state.handed_on += 1;
            drop(state);
            // The kernel wakes the threads of a condition variable in the order in which they came.
            self.turns.next.notify_one();
        } else {
            state.free += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    fn wait_until_waiting(turns: &Turns, count: usize) {
        while lock(&turns.state).waiting != count {
            thread::yield_now();
        }
    }

    #[test]
    fn a_permit_goes_to_the_thread_that_waits_and_not_to_a_newcomer() {
        let turns = Arc::new(Turns::new(1));
        let first = turns.acquire();
        let (served, order) = mpsc::channel();
        thread::scope(|scope| {
            let (waiting, newcomer) = (served.clone(), served);
            let turns = &turns;
            scope.spawn(move || {
                let _turn = turns.acquire();
                waiting.send("waiting").expect("it is received");
            });
            wait_until_waiting(turns, 1);
            drop(first);
            let _turn = turns.acquire();
            newcomer.send("newcomer").expect("it is received");
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["waiting", "newcomer"]);
        assert_eq!(lock(&turns.state).free, 1);
    }

    #[test]
    fn no_more_threads_run_than_there_are_permits_until_the_end() {
        let turns = Arc::new(Turns::new(2));
        let held = [turns.acquire(), turns.acquire()];
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| turns.acquire());
            }
            wait_until_waiting(&turns, 20);
            turns.open();
        });
        drop(held);
        assert_eq!(lock(&turns.state).waiting, 0);
    }
}
