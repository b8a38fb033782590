//! Backpressure on the reader threads.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::limits::{EVENT_BYTES, READ_AHEAD};

/// A semaphore over [`READ_AHEAD`] bytes. Each event carries a permit for its bytes, and the reader waits when none are left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permits(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    acquired: usize,
    /// The reader waits for a release.
    is_awaited: bool,
}

/// Released on drop.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Permits,
    bytes: usize,
}

impl Permits {
    /// Waits for a permit for an event of this size. An event larger than the semaphore waits until all permits are released.
    pub(crate) fn acquire(&self, bytes: usize) -> Permit {
        let bytes = bytes + EVENT_BYTES;
        let mut state = self.lock();
        while state.acquired > 0 && state.acquired + bytes > READ_AHEAD {
            state.is_awaited = true;
            state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_awaited = false;
        state.acquired += bytes;
        Permit { permits: self.clone(), bytes }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.permits.lock();
        state.acquired -= self.bytes;
        if state.is_awaited {
            self.permits.0.1.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_reader_waits_for_what_it_has_handed_over_and_a_long_line_for_all_of_it() {
        let permits = Permits::default();
        let (sender, handed_over) = mpsc::channel();
        let reader = permits.clone();
        let thread = thread::Builder::new().spawn(move || {
            for bytes in [READ_AHEAD / 2, READ_AHEAD, 0] {
                sender.send(reader.acquire(bytes)).expect("somebody listens");
            }
        });
        let soon = Duration::from_millis(50);
        let first = handed_over.recv().expect("the first one");
        assert!(handed_over.recv_timeout(soon).is_err(), "two are too much");
        drop(first);
        let second = handed_over.recv().expect("the second one");
        assert!(handed_over.recv_timeout(soon).is_err(), "it takes all");
        drop(second);
        handed_over.recv().expect("the third one");
        thread.expect("a thread").join().expect("it ends");
    }
}
