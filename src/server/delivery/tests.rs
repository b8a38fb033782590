//! The outbox, the flush list and the writer thread, without sockets.

use std::io;
use std::mem;
use std::net::Shutdown;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::flush_list::{Closed, FlushList};
use super::outbox::*;
use super::socket::Socket;
use crate::server::close_reason::CloseReason;
use crate::server::sync::{lock, wait_for};

/// A deadline for facts that do come; only a failing test waits for it.
const LONG: Duration = Duration::from_secs(20);

/// The write timeout of a [`Peer`].
const TIMEOUT: Duration = Duration::from_millis(20);

/// A peer that takes as many bytes as it is told to. A write that may wait does so for [`TIMEOUT`].
#[derive(Default)]
struct Peer {
    state: Mutex<PeerState>,
    changed: Condvar,
}

#[derive(Default)]
struct PeerState {
    /// Bytes it will still take.
    appetite: usize,
    taken: Vec<u8>,
    /// Bytes taken by each call.
    calls: Vec<usize>,
    shut: bool,
    broken: bool,
    /// The next call fails after it has taken what it can; those after it do not.
    fails_once: bool,
    /// The next call panics.
    panics: bool,
}

impl Peer {
    fn with_appetite(appetite: usize) -> Arc<Self> {
        let peer = Self::default();
        lock(&peer.state).appetite = appetite;
        Arc::new(peer)
    }

    fn feed(&self, appetite: usize) {
        lock(&self.state).appetite = appetite;
        self.changed.notify_all();
    }

    fn wait_until(&self, mut fact: impl FnMut(&PeerState) -> bool) {
        let deadline = Instant::now() + LONG;
        let mut state = lock(&self.state);
        while !fact(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it took {} bytes", state.taken.len());
            state = wait_for(&self.changed, state, left);
        }
    }

    fn taken(&self) -> String {
        String::from_utf8_lossy(&lock(&self.state).taken).into_owned()
    }
}

impl Peer {
    fn take(&self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        let mut state = lock(&self.state);
        assert!(!state.panics, "told to");
        let deadline = Instant::now() + timeout;
        let mut sent = 0;
        while sent < bytes.len() {
            if state.broken || state.shut {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let count = state.appetite.min(bytes.len() - sent);
            state.appetite -= count;
            state.taken.extend_from_slice(&bytes[sent..sent + count]);
            sent += count;
            if mem::take(&mut state.fails_once) {
                state.appetite = usize::MAX;
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if count == 0 && left.is_zero() {
                break;
            }
            if count == 0 {
                state = wait_for(&self.changed, state, left);
            }
        }
        state.calls.push(sent);
        self.changed.notify_all();
        Ok(sent)
    }
}

impl Socket for Arc<Peer> {
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes, Duration::ZERO)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes, TIMEOUT)
    }

    fn shutdown(&self, how: Shutdown) {
        lock(&self.state).shut |= how == Shutdown::Both;
        self.changed.notify_all();
    }
}

/// How fast a peer reads is all that a test waits with this for.
#[expect(clippy::disallowed_methods, reason = "a reader's speed is no fact to wait for")]
fn tick(time: Duration) {
    thread::sleep(time);
}

fn settings(max_backlog: usize, slow_timeout: Duration, writers: usize) -> Arc<OutboxConfig> {
    Arc::new(OutboxConfig {
        max_backlog,
        slow_timeout,
        stall_timeout: LONG,
        writer_linger: LONG,
        writers_left: AtomicUsize::new(writers),
    })
}

fn outbox(peer: &Arc<Peer>, settings: &Arc<OutboxConfig>) -> Arc<Outbox<Arc<Peer>>> {
    Arc::new(Outbox::new(Arc::clone(peer), Arc::clone(settings)))
}

fn all_writers_back(settings: &OutboxConfig, count: usize) {
    let deadline = Instant::now() + LONG;
    while settings.writers_left.load(Ordering::Acquire) != count {
        assert!(Instant::now() < deadline, "a writer thread has not ended");
        thread::yield_now();
    }
}

#[test]
fn all_that_one_pass_added_is_one_write() {
    let peer = Peer::with_appetite(usize::MAX);
    let outbox = outbox(&peer, &settings(1000, LONG, 0));
    let mut pass = FlushList::new(1);
    for line in ["one\n", "", "two\n", "three\n"] {
        assert_eq!(pass.push(&outbox, Bytes::Own(line.as_bytes())), Ok(()));
    }
    assert_eq!(peer.taken(), "");
    pass.flush();
    assert_eq!(peer.taken(), "one\ntwo\nthree\n");
    assert_eq!(lock(&peer.state).calls, [14]);
}

#[test]
fn a_pass_that_adds_nothing_leaves_the_next_one_its_duty() {
    let peer = Peer::with_appetite(usize::MAX);
    let outbox = outbox(&peer, &settings(1000, LONG, 0));
    let mut pass = FlushList::new(1);
    for line in ["", "one\n"] {
        assert_eq!(pass.push(&outbox, Bytes::Own(line.as_bytes())), Ok(()));
        pass.flush();
    }
    assert_eq!(peer.taken(), "one\n");
}

#[test]
fn g7_many_senders_never_interleave_and_keep_their_order() {
    const SENDERS: u64 = 8;
    const LINES: usize = 2000;
    let peer = Peer::with_appetite(usize::MAX);
    let outbox = outbox(&peer, &settings(4096, LONG, 1));
    thread::scope(|scope| {
        for id in 1..=SENDERS {
            let outbox = &outbox;
            scope.spawn(move || {
                let mut pass = FlushList::new(id);
                for number in 0..LINES {
                    assert_eq!(pass.push(outbox, Bytes::Own(format!("{id} {number}\n").as_bytes())), Ok(()));
                    if number % 3 == 0 {
                        pass.flush();
                    }
                }
                pass.flush();
            });
        }
    });
    assert!(outbox.finish(Instant::now() + LONG));
    let taken = peer.taken();
    for id in 1..=SENDERS {
        let own: Vec<&str> = taken.lines().filter_map(|line| line.strip_prefix(&format!("{id} "))).collect();
        let expected: Vec<String> = (0..LINES).map(|number| number.to_string()).collect();
        assert_eq!(own, expected);
    }
    assert_eq!(taken.lines().count(), SENDERS as usize * LINES);
}

#[test]
fn what_a_peer_does_not_take_at_once_comes_later_and_in_order() {
    let peer = Peer::with_appetite(5);
    let settings = settings(1000, LONG, 1);
    let outbox = outbox(&peer, &settings);
    let mut pass = FlushList::new(1);
    assert_eq!(pass.push(&outbox, Bytes::Own(b"first\n")), Ok(()));
    pass.flush();
    assert_eq!(pass.push(&outbox, Bytes::Own(b"second\n")), Ok(()));
    pass.flush();
    assert_eq!(lock(&outbox.state).mode, Mode::Queued);
    peer.feed(usize::MAX);
    assert!(outbox.finish(Instant::now() + LONG));
    assert_eq!(peer.taken(), "first\nsecond\n");
    outbox.close(CloseReason::Quit);
    all_writers_back(&settings, 1);
}

#[test]
fn a_full_backlog_holds_the_sender_back_and_loses_nothing() {
    const LINES: usize = 1000;
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(300, LONG, 1));
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut pass = FlushList::new(1);
            for number in 0..LINES {
                assert_eq!(pass.push(&outbox, Bytes::Own(format!("{number:09}\n").as_bytes())), Ok(()));
                pass.flush();
                assert!(lock(&outbox.state).backlog() <= 300);
            }
        });
        let mut state = lock(&outbox.state);
        while !state.backpressure || state.waiting == 0 {
            drop(state);
            thread::yield_now();
            state = lock(&outbox.state);
        }
        assert!(!sender.is_finished());
        drop(state);
        peer.feed(usize::MAX);
    });
    assert!(outbox.finish(Instant::now() + LONG));
    assert_eq!(
        peer.taken().lines().map(|line| line.parse().expect("a number")).collect::<Vec<usize>>(),
        (0..LINES).collect::<Vec<_>>()
    );
}

#[test]
fn a_reader_that_stops_is_disconnected_and_its_senders_go_on() {
    let slow_timeout = Duration::from_millis(100);
    let peer = Peer::with_appetite(0);
    let settings = settings(300, slow_timeout, 1);
    let outbox = outbox(&peer, &settings);
    let begun = Instant::now();
    thread::scope(|scope| {
        for id in 1..=5 {
            let outbox = &outbox;
            scope.spawn(move || {
                let mut pass = FlushList::new(id);
                while pass.push(outbox, Bytes::Own(b"a line of some length\n")) == Ok(()) {
                    pass.flush();
                }
            });
        }
    });
    assert_eq!(outbox.close_reason(), Some(CloseReason::Slow));
    assert!(begun.elapsed() >= slow_timeout);
    peer.wait_until(|state| state.shut);
    all_writers_back(&settings, 1);
}

#[test]
fn a_reader_that_trickles_is_disconnected_too() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(10_000, Duration::from_millis(200), 1));
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut pass = FlushList::new(1);
            while pass.push(&outbox, Bytes::Own(&[b'x'; 100])) == Ok(()) {
                pass.flush();
            }
        });
        while outbox.close_reason().is_none() {
            peer.feed(1);
            tick(Duration::from_millis(5));
        }
    });
    assert_eq!(outbox.close_reason(), Some(CloseReason::Slow));
    assert!(!peer.taken().is_empty());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_reader_that_keeps_up_survives_a_flood_longer_than_the_slow_timeout() {
    let slow_timeout = Duration::from_millis(400);
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(10_000, slow_timeout, 1));
    let line = [b'x'; 100];
    let begun = Instant::now();
    let mut posted = 0;
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut pass = FlushList::new(1);
            while begun.elapsed() < slow_timeout * 4 {
                assert_eq!(pass.push(&outbox, Bytes::Own(&line)), Ok(()));
                pass.flush();
                posted += line.len();
            }
        });
        // Takes 5,000 bytes every few milliseconds: it reads steadily, and always slower than it is sent to.
        while !sender.is_finished() {
            peer.feed(5000);
            tick(Duration::from_millis(4));
        }
    });
    peer.feed(usize::MAX);
    assert!(outbox.finish(Instant::now() + LONG));
    assert_eq!((outbox.close_reason(), peer.taken().len()), (None, posted));
}

#[test]
fn no_peer_makes_a_flush_wait() {
    const PEERS: usize = 50;
    let settings = settings(1000, LONG, PEERS);
    let peers: Vec<_> = (0..PEERS).map(|_| Peer::with_appetite(0)).collect();
    let outboxes: Vec<_> = peers.iter().map(|peer| outbox(peer, &settings)).collect();
    let mut pass = FlushList::new(1);
    for outbox in &outboxes {
        assert_eq!(pass.push(outbox, Bytes::Own(b"hello\n")), Ok(()));
    }
    pass.flush();
    for (peer, outbox) in peers.iter().zip(&outboxes) {
        assert_eq!(lock(&outbox.state).mode, Mode::Queued);
        peer.feed(usize::MAX);
        assert!(outbox.finish(Instant::now() + LONG));
        assert_eq!(peer.taken(), "hello\n");
        outbox.close(CloseReason::Quit);
    }
    all_writers_back(&settings, PEERS);
}

#[test]
fn a_peer_that_needs_a_writer_when_there_is_none_is_disconnected() {
    let peer = Peer::with_appetite(3);
    let outbox = outbox(&peer, &settings(1000, LONG, 0));
    let mut pass = FlushList::new(1);
    assert_eq!(pass.push(&outbox, Bytes::Own(b"hello\n")), Ok(()));
    pass.flush();
    assert_eq!(outbox.close_reason(), Some(CloseReason::NoWriter));
    assert_eq!(pass.push(&outbox, Bytes::Own(b"hello\n")), Err(Closed));
}

#[test]
fn a_broken_peer_is_closed_by_whoever_finds_out() {
    let peer = Peer::with_appetite(usize::MAX);
    let outbox = outbox(&peer, &settings(1000, LONG, 0));
    lock(&peer.state).broken = true;
    let mut pass = FlushList::new(1);
    assert_eq!(pass.push(&outbox, Bytes::Own(b"hello\n")), Ok(()));
    pass.flush();
    assert_eq!(outbox.close_reason(), Some(CloseReason::Failed(io::ErrorKind::BrokenPipe)));
}

#[test]
fn the_first_reason_stays() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(1000, LONG, 0));
    outbox.close(CloseReason::Displaced);
    outbox.close(CloseReason::Quit);
    assert_eq!(outbox.close_reason(), Some(CloseReason::Displaced));
}

#[test]
fn finish_gives_up_at_its_deadline() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(1000, LONG, 1));
    let mut pass = FlushList::new(1);
    assert_eq!(pass.push(&outbox, Bytes::Own(b"hello\n")), Ok(()));
    assert!(!outbox.finish(Instant::now() + Duration::from_millis(30)));
    peer.feed(usize::MAX);
    assert!(outbox.finish(Instant::now() + LONG));
    peer.wait_until(|state| state.taken == b"hello\n");
    outbox.close(CloseReason::Quit);
}

#[test]
fn after_a_failed_write_nothing_follows_what_is_lost() {
    for _ in 0..3000 {
        let peer = Peer::with_appetite(5);
        lock(&peer.state).fails_once = true;
        let outbox = outbox(&peer, &settings(1000, LONG, 0));
        assert_eq!(outbox.try_push(Bytes::Own(b"a line that is cut\n"), 1), Ok(true));
        thread::scope(|scope| {
            scope.spawn(|| {
                while outbox.close_reason().is_none() {
                    let _ = outbox.try_push(Bytes::Own(b"x"), 2);
                    outbox.flush();
                }
            });
            outbox.flush();
        });
        assert_eq!(peer.taken(), "a lin");
        assert_eq!(outbox.close_reason(), Some(CloseReason::Failed(io::ErrorKind::OutOfMemory)));
    }
}

#[test]
fn a_panic_between_taking_and_writing_closes_the_outbox() {
    let peer = Peer::with_appetite(0);
    let settings = settings(1000, LONG, 1);
    let direct = outbox(&peer, &settings);
    assert_eq!(direct.try_push(Bytes::Own(b"hello\n"), 1), Ok(true));
    lock(&peer.state).panics = true;
    assert!(panic::catch_unwind(AssertUnwindSafe(|| direct.flush())).is_err());
    assert_eq!(direct.close_reason(), Some(CloseReason::Panicked));

    lock(&peer.state).panics = false;
    lock(&peer.state).shut = false;
    let queued = outbox(&peer, &settings);
    assert_eq!(queued.try_push(Bytes::Own(b"hello\n"), 1), Ok(true));
    queued.flush();
    lock(&peer.state).panics = true;
    assert!(!queued.finish(Instant::now() + LONG));
    assert_eq!(queued.close_reason(), Some(CloseReason::Panicked));
    all_writers_back(&settings, 1);
}

#[test]
fn a_peer_that_takes_nothing_is_given_up_however_little_waits() {
    let peer = Peer::with_appetite(3);
    let settings = OutboxConfig {
        max_backlog: 1000,
        slow_timeout: LONG,
        stall_timeout: Duration::from_millis(50),
        writer_linger: LONG,
        writers_left: AtomicUsize::new(1),
    };
    let outbox = outbox(&peer, &Arc::new(settings));
    let mut pass = FlushList::new(1);
    assert_eq!(pass.push(&outbox, Bytes::Own(b"hello\n")), Ok(()));
    pass.flush();
    assert!(!outbox.finish(Instant::now() + LONG));
    assert_eq!(outbox.close_reason(), Some(CloseReason::Stalled));
}

#[test]
fn a_peer_that_has_kept_up_for_a_while_is_written_to_directly_again() {
    let peer = Peer::with_appetite(0);
    let settings = Arc::new(OutboxConfig {
        max_backlog: 1000,
        slow_timeout: LONG,
        stall_timeout: LONG,
        writer_linger: Duration::from_millis(50),
        writers_left: AtomicUsize::new(1),
    });
    let outbox = outbox(&peer, &settings);
    let mut pass = FlushList::new(1);
    assert_eq!(pass.push(&outbox, Bytes::Own(b"hello\n")), Ok(()));
    pass.flush();
    peer.feed(usize::MAX);
    all_writers_back(&settings, 1);
    assert_eq!(lock(&outbox.state).mode, Mode::Idle);
    assert_eq!(pass.push(&outbox, Bytes::Own(b"again\n")), Ok(()));
    pass.flush();
    assert_eq!(peer.taken(), "hello\nagain\n");
}

#[test]
fn past_the_mark_for_long_nothing_more_is_admitted_until_the_backlog_is_down_to_it() {
    let peer = Peer::with_appetite(0);
    let slow_timeout = Duration::from_secs(2);
    let outbox = outbox(&peer, &settings(1000, slow_timeout, 0));
    assert_eq!(outbox.try_push(Bytes::Own(&[b'x'; 600]), 1), Ok(true));
    assert_eq!(outbox.try_push(Bytes::Own(b"x"), 1), Ok(false));
    lock(&outbox.state).over_since = Instant::now().checked_sub(slow_timeout / 2);
    assert_eq!(outbox.try_push(Bytes::Own(b"x"), 1), Err(TryPushError::Full));
    peer.feed(usize::MAX);
    outbox.flush();
    assert_eq!(outbox.try_push(Bytes::Own(b"x"), 1), Ok(true));
}

#[test]
fn an_addition_is_admitted_by_its_own_size() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(1000, LONG, 0));
    assert_eq!(outbox.try_push(Bytes::Own(&[b'x'; 400]), 1), Ok(true));
    assert_eq!(outbox.try_push(Bytes::Own(&[b'x'; 601]), 1), Err(TryPushError::Full));
    peer.feed(usize::MAX);
    outbox.flush();
    assert_eq!(outbox.try_push(Bytes::Own(&[b'x'; 3000]), 1), Ok(true));
    assert_eq!(outbox.try_push(Bytes::Own(b"x"), 1), Err(TryPushError::Full));
}
