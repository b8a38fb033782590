//! Two users whom nothing must disturb.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Peer, Server};

/// Two users who exchange messages while something happens to others.
pub(crate) struct Bystanders {
    ann: Peer,
    bob: Peer,
}

/// How long a bystander's message may take.
const BYSTANDERS_PATIENCE: Duration = Duration::from_millis(250);

impl Bystanders {
    pub(crate) fn of(server: &Server) -> Self {
        Self { ann: server.cap("bystander-ann"), bob: server.cap("bystander-bob") }
    }

    /// Does something, and meanwhile and once more afterwards has each message arrive in time.
    #[track_caller]
    pub(crate) fn are_fine_while<T>(&mut self, something: impl FnOnce() -> T) -> T {
        let over = AtomicBool::new(false);
        let (result, worst) = thread::scope(|scope| {
            let exchange = scope.spawn(|| {
                let mut worst = Duration::ZERO;
                loop {
                    let last = over.load(Ordering::Acquire);
                    let begun = Instant::now();
                    self.ann.send_line("SEND bystander-bob hi");
                    self.ann.expect_eventually("SEND-OK");
                    self.bob.expect_eventually("DELIVERY bystander-ann hi");
                    worst = worst.max(begun.elapsed());
                    if last {
                        return worst;
                    }
                    thread::park_timeout(Duration::from_millis(5));
                }
            });
            let result = panic::catch_unwind(AssertUnwindSafe(something));
            over.store(true, Ordering::Release);
            (result, exchange.join().expect("the bystanders' messages arrive"))
        });
        let result = result.unwrap_or_else(|panic| panic::resume_unwind(panic));
        assert!(worst < BYSTANDERS_PATIENCE, "a bystander's message took {worst:?}");
        result
    }
}
