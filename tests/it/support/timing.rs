//! Times that are promised, and a control that tells a slow server from a busy machine.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::SetOnDrop;

/// A time over its promise is the machine's fault if it is at most this many times the control's.
const RATIO: u32 = 10;

/// Pause between two messages of one pair.
const PAUSE: Duration = Duration::from_millis(5);

/// A time, and the control's in the same seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) took: Duration,
    pub(crate) control: Duration,
}

impl Measured {
    /// Whether the promise holds, or the machine disturbed the control as well.
    pub(crate) fn is_within(self, promise: Duration) -> bool {
        self.took <= promise.max(self.control * RATIO)
    }
}

/// Measures a promised time, once more if the first one is too long. The promise holds if one of the two is at most the
/// promised time or ten times the control's.
#[track_caller]
pub(crate) fn keeps(promise: Duration, mut measure: impl FnMut() -> Measured) {
    let first = measure();
    if !first.is_within(promise) {
        let second = measure();
        assert!(second.is_within(promise), "{promise:?} are promised: {first:?}, then {second:?}");
    }
}

/// Times something that happens once, beside the slowest message of the control.
pub(crate) fn timed(something: impl FnOnce()) -> Measured {
    let (took, control) = beside_control(|| {
        let begun = Instant::now();
        something();
        begun.elapsed()
    });
    Measured { took, control: at(control, 1.0) }
}

/// Exchanges messages for as long as this; returns the 99th percentile of the times, beside that of the control.
pub(crate) fn p99_for(duration: Duration, mut exchange: impl FnMut()) -> Measured {
    let begun = Instant::now();
    let (times, control) = beside_control(|| times_until(|| begun.elapsed() >= duration, &mut exchange));
    Measured { took: at(times, 0.99), control: at(control, 0.99) }
}

/// Does something; returns its result and how long the control's messages took meanwhile.
pub(crate) fn beside_control<T>(something: impl FnOnce() -> T) -> (T, Vec<Duration>) {
    let is_over = AtomicBool::new(false);
    let mut control = Control::start();
    thread::scope(|scope| {
        let set_on_drop = SetOnDrop(&is_over);
        let times = scope.spawn(|| times_until(|| is_over.load(Ordering::Acquire), || control.exchange()));
        let result = something();
        drop(set_on_drop);
        (result, times.join().expect("the control's messages arrive"))
    })
}

/// Exchanges messages until it is over, and once more then; returns how long each took.
pub(crate) fn times_until(is_over: impl Fn() -> bool, mut exchange: impl FnMut()) -> Vec<Duration> {
    let mut times = Vec::new();
    loop {
        let is_last = is_over();
        let begun = Instant::now();
        exchange();
        times.push(begun.elapsed());
        if is_last {
            return times;
        }
        thread::park_timeout(PAUSE);
    }
}

/// The time that this share of all times do not exceed.
pub(crate) fn at(mut times: Vec<Duration>, share: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share).ceil() as usize]
}

/// Two plain sockets and a thread that relays between them: a server that does nothing else.
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
