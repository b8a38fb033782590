//! Two users whom nothing must disturb.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::timing::{Measured, at, beside_control, times_until};
use super::{Peer, Server};

/// Two users who exchange messages while something happens to others.
pub(crate) struct Bystanders {
    ann: Peer,
    bob: Peer,
}

/// How long a bystander's message may take on any machine. `make soak` measures what is promised.
const FLOOR: Duration = Duration::from_secs(10);

impl Bystanders {
    pub(crate) fn of(server: &Server) -> Self {
        Self { ann: server.cap("bystander-ann"), bob: server.cap("bystander-bob") }
    }

    /// Does something; each message of the two arrives in time meanwhile, and one more afterwards.
    #[track_caller]
    pub(crate) fn are_fine_while<T>(&mut self, something: impl FnOnce() -> T) -> T {
        let Self { ann, bob } = self;
        let is_over = AtomicBool::new(false);
        let ((result, times), control) = beside_control(|| {
            thread::scope(|scope| {
                let exchange = || {
                    ann.send_line("SEND bystander-bob hi");
                    ann.expect_eventually("SEND-OK");
                    bob.expect_eventually("DELIVERY bystander-ann hi");
                };
                let times = scope.spawn(|| times_until(|| is_over.load(Ordering::Acquire), exchange));
                let result = panic::catch_unwind(AssertUnwindSafe(something));
                is_over.store(true, Ordering::Release);
                (result, times.join().expect("the bystanders' messages arrive"))
            })
        });
        let result = result.unwrap_or_else(|panic| panic::resume_unwind(panic));
        let worst = Measured { took: at(times, 1.0), control: at(control, 1.0) };
        assert!(worst.is_within(FLOOR), "a bystander's message took too long: {worst:?}");
        result
    }
}
