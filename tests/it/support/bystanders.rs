//! Two users whom nothing must disturb.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Peer, Server};

/// Two users who exchange messages while something happens to others.
pub(crate) struct Bystanders {
    ann: Peer,
    bob: Peer,
    control: Control,
}

/// How long a bystander's message may take on any machine. What it takes on this one is a figure of `make bench`.
const FLOOR: Duration = Duration::from_secs(10);

/// Where it takes longer, the machine is to blame if the control was not this many times faster.
const RATIO: u32 = 10;

impl Bystanders {
    pub(crate) fn of(server: &Server) -> Self {
        Self { ann: server.cap("bystander-ann"), bob: server.cap("bystander-bob"), control: Control::start() }
    }

    /// Does something, and meanwhile and once more afterwards has each message arrive in time.
    #[track_caller]
    pub(crate) fn are_fine_while<T>(&mut self, something: impl FnOnce() -> T) -> T {
        let Self { ann, bob, control } = self;
        let over = AtomicBool::new(false);
        let (result, worst, worst_of_control) = thread::scope(|scope| {
            let bystanders = scope.spawn(|| {
                worst_until(&over, || {
                    ann.send_line("SEND bystander-bob hi");
                    ann.expect_eventually("SEND-OK");
                    bob.expect_eventually("DELIVERY bystander-ann hi");
                })
            });
            let control = scope.spawn(|| worst_until(&over, || control.exchange()));
            let result = panic::catch_unwind(AssertUnwindSafe(something));
            over.store(true, Ordering::Release);
            let worst = bystanders.join().expect("the bystanders' messages arrive");
            (result, worst, control.join().expect("the control's messages arrive"))
        });
        let result = result.unwrap_or_else(|panic| panic::resume_unwind(panic));
        let most = FLOOR.max(worst_of_control * RATIO);
        assert!(worst < most, "a bystander's message took {worst:?}, the control's {worst_of_control:?}");
        result
    }
}

/// Exchanges messages again and again, once more after it is `over`; returns the longest time that one of them took.
fn worst_until(over: &AtomicBool, mut exchange: impl FnMut()) -> Duration {
    let mut worst = Duration::ZERO;
    loop {
        let last = over.load(Ordering::Acquire);
        let begun = Instant::now();
        exchange();
        worst = worst.max(begun.elapsed());
        if last {
            return worst;
        }
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// Two plain sockets and a thread between them, on the same machine at the same moment.
struct Control {
    from: TcpStream,
    to: TcpStream,
}

impl Control {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let connect = || {
            let end = TcpStream::connect(listener.local_addr().expect("bound")).expect("a connection");
            (end, listener.accept().expect("the other end").0)
        };
        let ((from, mut heard), (to, mut said)) = (connect(), connect());
        let relay = move || {
            let mut message = [0; 3];
            while heard.read_exact(&mut message).and_then(|()| said.write_all(&message)).is_ok() {}
        };
        thread::Builder::new().spawn(relay).expect("a thread");
        Self { from, to }
    }

    fn exchange(&mut self) {
        let mut message = [0; 3];
        self.from.write_all(b"hi\n").expect("the relay reads");
        self.to.read_exact(&mut message).expect("the relay writes");
    }
}
