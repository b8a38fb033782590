//! The outbox, the flush list and the writer thread, without sockets.

use std::io;
use std::mem;
use std::net::Shutdown;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::config::OutboxConfig;
use super::flush_list::FlushList;
use super::outbox::*;
use super::socket::Socket;
use super::state::{Bytes, Mode};
use crate::server::close_reason::CloseReason;
use crate::server::memory::MemoryBudget;
use crate::server::semaphore::Semaphore;
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
    /// It has said something.
    has_input: bool,
    /// It has reset the connection, which nobody has seen yet.
    reset: bool,
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

    fn has_input(&self) -> bool {
        lock(&self.state).has_input
    }

    fn take_error(&self) -> Option<io::ErrorKind> {
        mem::take(&mut lock(&self.state).reset).then_some(io::ErrorKind::ConnectionReset)
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
        memory: MemoryBudget::new(usize::MAX),
        max_writers: writers,
        writers: AtomicUsize::new(0),
        flooders: [Semaphore::new(1), Semaphore::new(1)],
        long_lines: Semaphore::new(1),
    })
}

/// Adds bytes that no allowance covers, and waits until they are pending.
fn send(flush_list: &mut FlushList<Arc<Peer>>, outbox: &Arc<Outbox<Arc<Peer>>>, bytes: Bytes<'_>) -> bool {
    flush_list.push(outbox, bytes, false) && flush_list.wait()
}

fn outbox(peer: &Arc<Peer>, settings: &Arc<OutboxConfig>) -> Arc<Outbox<Arc<Peer>>> {
    Arc::new(Outbox::new(Arc::clone(peer), Arc::clone(settings)))
}

fn all_writers_back(settings: &OutboxConfig) {
    let deadline = Instant::now() + LONG;
    while settings.writers.load(Ordering::Acquire) != 0 {
        assert!(Instant::now() < deadline, "a writer thread has not ended");
        thread::yield_now();
    }
}

#[test]
fn all_that_one_pass_added_is_one_write() {
    let peer = Peer::with_appetite(usize::MAX);
    let outbox = outbox(&peer, &settings(1000, LONG, 0));
    let mut pass = FlushList::new(1, None);
    for line in ["one\n", "", "two\n", "three\n"] {
        assert!(send(&mut pass, &outbox, Bytes::Own(line.as_bytes())));
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
    let mut pass = FlushList::new(1, None);
    for line in ["", "one\n"] {
        assert!(send(&mut pass, &outbox, Bytes::Own(line.as_bytes())));
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
                let mut pass = FlushList::new(id, None);
                for number in 0..LINES {
                    assert!(send(&mut pass, outbox, Bytes::Own(format!("{id} {number}\n").as_bytes())));
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
    let mut pass = FlushList::new(1, None);
    assert!(send(&mut pass, &outbox, Bytes::Own(b"first\n")));
    pass.flush();
    assert!(send(&mut pass, &outbox, Bytes::Own(b"second\n")));
    pass.flush();
    assert_eq!(lock(&outbox.state).mode, Mode::Queued);
    peer.feed(usize::MAX);
    assert!(outbox.finish(Instant::now() + LONG));
    assert_eq!(peer.taken(), "first\nsecond\n");
    outbox.close(CloseReason::Quit);
    all_writers_back(&settings);
}

#[test]
fn a_full_backlog_holds_the_sender_back_and_loses_nothing() {
    const LINES: usize = 1000;
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(300, LONG, 1));
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut pass = FlushList::new(1, None);
            for number in 0..LINES {
                assert!(send(&mut pass, &outbox, Bytes::Own(format!("{number:09}\n").as_bytes())));
                pass.flush();
                assert!(lock(&outbox.state).backlog() <= 300);
            }
        });
        let mut state = lock(&outbox.state);
        while state.waiters.is_empty() {
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
                let mut pass = FlushList::new(id, None);
                while send(&mut pass, outbox, Bytes::Own(b"a line of some length\n")) {
                    pass.flush();
                }
            });
        }
    });
    assert_eq!(outbox.close_reason(), Some(CloseReason::Slow));
    assert!(begun.elapsed() >= slow_timeout);
    peer.wait_until(|state| state.shut);
    all_writers_back(&settings);
}

#[test]
fn a_reader_that_trickles_is_disconnected_too() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(10_000, Duration::from_millis(200), 1));
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut pass = FlushList::new(1, None);
            while send(&mut pass, &outbox, Bytes::Own(&[b'x'; 100])) {
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
    assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
}

#[test]
fn a_reader_that_keeps_up_survives_a_flood_longer_than_the_slow_timeout() {
    let slow_timeout = Duration::from_secs(3);
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(10_000, slow_timeout, 1));
    let line = [b'x'; 100];
    let begun = Instant::now();
    let mut posted = 0;
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut pass = FlushList::new(1, None);
            while begun.elapsed() < slow_timeout * 3 / 2 {
                assert!(send(&mut pass, &outbox, Bytes::Own(&line)));
                pass.flush();
                posted += line.len();
            }
        });
        // Takes 5,000 bytes every few milliseconds, and as much for longer ones: it reads steadily, and always slower than it is
        // sent to.
        let mut fed = Instant::now();
        while !sender.is_finished() {
            let time = mem::replace(&mut fed, Instant::now()).elapsed();
            peer.feed(5000 * (1 + time.as_millis() as usize / 4));
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
    let mut pass = FlushList::new(1, None);
    for outbox in &outboxes {
        assert!(send(&mut pass, outbox, Bytes::Own(b"hello\n")));
    }
    pass.flush();
    for (peer, outbox) in peers.iter().zip(&outboxes) {
        assert_eq!(lock(&outbox.state).mode, Mode::Queued);
        peer.feed(usize::MAX);
        assert!(outbox.finish(Instant::now() + LONG));
        assert_eq!(peer.taken(), "hello\n");
        outbox.close(CloseReason::Quit);
    }
    all_writers_back(&settings);
}

#[test]
fn a_peer_that_needs_a_writer_when_there_is_none_is_disconnected() {
    let peer = Peer::with_appetite(3);
    let outbox = outbox(&peer, &settings(1000, LONG, 0));
    let mut pass = FlushList::new(1, None);
    assert!(send(&mut pass, &outbox, Bytes::Own(b"hello\n")));
    pass.flush();
    assert_eq!(outbox.close_reason(), Some(CloseReason::NoWriter));
    assert!(!send(&mut pass, &outbox, Bytes::Own(b"hello\n")));
}

#[test]
fn a_broken_peer_is_closed_by_whoever_finds_out() {
    let peer = Peer::with_appetite(usize::MAX);
    let outbox = outbox(&peer, &settings(1000, LONG, 0));
    lock(&peer.state).broken = true;
    let mut pass = FlushList::new(1, None);
    assert!(send(&mut pass, &outbox, Bytes::Own(b"hello\n")));
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
    let mut pass = FlushList::new(1, None);
    assert!(send(&mut pass, &outbox, Bytes::Own(b"hello\n")));
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
        assert_eq!(outbox.push(Bytes::Own(b"a line that is cut\n"), false, 1), Pushed::Flush);
        thread::scope(|scope| {
            scope.spawn(|| {
                while outbox.close_reason().is_none() {
                    let _ = outbox.push(Bytes::Own(b"x"), false, 2);
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
    assert_eq!(direct.push(Bytes::Own(b"hello\n"), false, 1), Pushed::Flush);
    lock(&peer.state).panics = true;
    assert!(panic::catch_unwind(AssertUnwindSafe(|| direct.flush())).is_err());
    assert_eq!(direct.close_reason(), Some(CloseReason::Panicked));

    lock(&peer.state).panics = false;
    lock(&peer.state).shut = false;
    let queued = outbox(&peer, &settings);
    assert_eq!(queued.push(Bytes::Own(b"hello\n"), false, 1), Pushed::Flush);
    queued.flush();
    lock(&peer.state).panics = true;
    assert!(!queued.finish(Instant::now() + LONG));
    assert_eq!(queued.close_reason(), Some(CloseReason::Panicked));
    all_writers_back(&settings);
}

#[test]
fn a_peer_that_takes_nothing_is_given_up_however_little_waits() {
    let peer = Peer::with_appetite(3);
    let settings = OutboxConfig {
        max_backlog: 1000,
        slow_timeout: LONG,
        stall_timeout: Duration::from_millis(50),
        writer_linger: LONG,
        memory: MemoryBudget::new(usize::MAX),
        max_writers: 1,
        writers: AtomicUsize::new(0),
        flooders: [Semaphore::new(1), Semaphore::new(1)],
        long_lines: Semaphore::new(1),
    };
    let outbox = outbox(&peer, &Arc::new(settings));
    let mut pass = FlushList::new(1, None);
    assert!(send(&mut pass, &outbox, Bytes::Own(b"hello\n")));
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
        memory: MemoryBudget::new(usize::MAX),
        max_writers: 1,
        writers: AtomicUsize::new(0),
        flooders: [Semaphore::new(1), Semaphore::new(1)],
        long_lines: Semaphore::new(1),
    });
    let outbox = outbox(&peer, &settings);
    let mut pass = FlushList::new(1, None);
    assert!(send(&mut pass, &outbox, Bytes::Own(b"hello\n")));
    pass.flush();
    peer.feed(usize::MAX);
    all_writers_back(&settings);
    assert_eq!(lock(&outbox.state).mode, Mode::Idle);
    assert!(send(&mut pass, &outbox, Bytes::Own(b"again\n")));
    pass.flush();
    assert_eq!(peer.taken(), "hello\nagain\n");
}

/// Waits until so many senders wait for their turn with a recipient.
fn wait_until_waiting(outbox: &Outbox<Arc<Peer>>, count: usize) {
    let deadline = Instant::now() + LONG;
    while lock(&outbox.state).waiters.len() != count {
        assert!(Instant::now() < deadline, "{} wait", lock(&outbox.state).waiters.len());
        thread::yield_now();
    }
}

#[test]
fn who_holds_little_has_no_memory_to_give_back() {
    let peer = Peer::with_appetite(0);
    let settings = settings(1 << 20, LONG, 1);
    let outbox = outbox(&peer, &settings);
    assert_eq!(outbox.push(Bytes::Own(&[b'x'; 1000]), false, 1), Pushed::Flush);
    assert_eq!((outbox.backlog(), outbox.accounted()), (1000, 0));
    assert_eq!(outbox.push(Bytes::Own(&vec![b'x'; 20_000]), false, 1), Pushed::Done);
    assert_eq!(outbox.accounted(), 21_000);
    // Less than what a change has to be that the budget is told of.
    peer.feed(16_000);
    outbox.flush();
    let deadline = Instant::now() + LONG;
    while outbox.accounted() != 0 {
        assert!(Instant::now() < deadline, "{} of {}", outbox.accounted(), outbox.backlog());
        thread::yield_now();
    }
    assert_eq!(outbox.backlog(), 5000);
    assert_eq!(outbox.push(Bytes::Own(&vec![b'x'; 20_000]), false, 1), Pushed::Done);
    assert_eq!(outbox.accounted(), 25_000);
    outbox.close(CloseReason::NoMemory);
    assert_eq!(outbox.accounted(), 0);
}

#[test]
fn past_the_mark_an_addition_is_judged_by_its_own_size() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(1000, LONG, 1));
    assert_eq!(outbox.push(Bytes::Own(&[b'x'; 500]), false, 1), Pushed::Flush);
    assert_eq!(outbox.push(Bytes::Own(&[b'x'; 100]), false, 1), Pushed::Done);
    assert_eq!(outbox.push(Bytes::Own(&[b'x'; 400]), false, 1), Pushed::Done);
    assert_eq!(outbox.push(Bytes::Own(b"y"), false, 1), Pushed::Waits(1));
    assert_eq!(outbox.push(Bytes::Own(&[b'z'; 3000]), false, 1), Pushed::Waits(2));
    assert_eq!(outbox.push(Bytes::Own(b"z"), false, 1), Pushed::Waits(3));
    peer.feed(499);
    outbox.flush();
    wait_until_waiting(&outbox, 3);
    peer.feed(2);
    wait_until_waiting(&outbox, 1);
    assert_eq!(lock(&outbox.state).backlog(), 499 + 1 + 3000);
    outbox.close(CloseReason::Quit);
}

#[test]
fn senders_wait_in_turn() {
    const SENDERS: u64 = 10;
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(100, LONG, 1));
    assert_eq!(outbox.push(Bytes::Own(&[b'x'; 100]), false, 99), Pushed::Flush);
    thread::scope(|scope| {
        for id in 1..=SENDERS {
            let outbox = &outbox;
            // Some add much and some little; nobody overtakes.
            let line = id.to_string() + &"x".repeat(if id % 2 == 0 { 80 } else { 1 }) + "\n";
            scope.spawn(move || assert!(send(&mut FlushList::new(id, None), outbox, Bytes::Own(line.as_bytes()))));
            wait_until_waiting(outbox, id as usize);
        }
        peer.feed(usize::MAX);
        outbox.flush();
    });
    assert!(outbox.finish(Instant::now() + LONG));
    let taken = peer.taken();
    let turns = taken.trim_start_matches('x').lines().map(|line| line.trim_end_matches('x').parse().expect("an id"));
    assert_eq!(turns.collect::<Vec<u64>>(), (1..=SENDERS).collect::<Vec<_>>());
}

#[test]
fn who_does_not_flood_does_not_wait_where_others_do() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(400_000, LONG, 0));
    assert_eq!(outbox.push(Bytes::Own(&vec![b'x'; 400_000]), false, 1), Pushed::Flush);
    assert_eq!(outbox.push(Bytes::Own(b"flood"), false, 1), Pushed::Waits(1));
    assert_eq!(outbox.push(Bytes::Own(b"hello"), true, 1), Pushed::Done);
    // Of much at a time only an eighth of what is left of the reserve is taken.
    assert_eq!(outbox.push(Bytes::Own(&[b'x'; 12_500]), true, 1), Pushed::Waits(2));
    assert_eq!(outbox.push(Bytes::Own(&[b'x'; 12_499]), true, 1), Pushed::Done);
    assert_eq!(outbox.close_reason(), None);
}

#[test]
fn whoever_leaves_nothing_of_the_reserve_is_disconnected_at_once() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, &settings(4000, LONG, 0));
    assert_eq!(outbox.push(Bytes::Own(&[b'x'; 4000]), false, 1), Pushed::Flush);
    assert_eq!(outbox.push(Bytes::Own(b"flood"), false, 1), Pushed::Waits(1));
    let admitted = (0..2000).take_while(|_| outbox.push(Bytes::Own(b"x"), true, 1) == Pushed::Done).count();
    assert_eq!((admitted, outbox.close_reason()), (1000, Some(CloseReason::Slow)));
}

#[test]
fn a_sender_whose_answers_nobody_will_hear_is_over() {
    let settings = settings(100, LONG, 1);
    let (own, other) = [(); 2].map(|()| outbox(&Peer::with_appetite(0), &settings)).into();
    let mut flush_list = FlushList::new(2, Some(Arc::clone(&own)));
    other.close(CloseReason::Slow);
    assert!(!flush_list.push(&other, Bytes::Own(b"hello"), false));
    assert!(!flush_list.is_over());
    own.close(CloseReason::Slow);
    assert!(!flush_list.push(&own, Bytes::Own(b"hello"), false));
    assert!(flush_list.is_over());
}

#[test]
fn g5_a_sender_that_is_reset_while_it_waits_is_closed_and_takes_its_bytes_with_it() {
    let (victim, sender) = (Peer::with_appetite(0), Peer::with_appetite(usize::MAX));
    let settings = settings(100, LONG, 1);
    let (full, own) = (outbox(&victim, &settings), outbox(&sender, &settings));
    assert_eq!(full.push(Bytes::Own(&[b'x'; 100]), false, 1), Pushed::Flush);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut flush_list = FlushList::new(2, Some(Arc::clone(&own)));
            assert!(!send(&mut flush_list, &full, Bytes::Own(b"hello")));
            assert!(flush_list.is_over());
        });
        wait_until_waiting(&full, 1);
        assert!(!waiting.is_finished());
        lock(&sender.state).reset = true;
        let deadline = Instant::now() + LONG;
        while !waiting.is_finished() && Instant::now() < deadline {
            thread::yield_now();
        }
        // Ends a wait that would go on for ever.
        let was_closed = full.close_reason();
        full.close(CloseReason::Quit);
        assert_eq!(was_closed, None);
    });
    assert_eq!(own.close_reason(), Some(CloseReason::Failed(io::ErrorKind::ConnectionReset)));
}

#[test]
fn a_broadcast_waits_for_all_at_once() {
    const PEERS: usize = 10;
    let settings = settings(100, LONG, PEERS);
    let peers: Vec<_> = (0..PEERS).map(|_| Peer::with_appetite(0)).collect();
    let outboxes: Vec<_> = peers.iter().map(|peer| outbox(peer, &settings)).collect();
    let mut flush_list = FlushList::new(1, None);
    for outbox in &outboxes {
        assert!(flush_list.push(outbox, Bytes::Own(&[b'x'; 100]), false));
        assert!(flush_list.push(outbox, Bytes::Own(b"hello"), false));
    }
    thread::scope(|scope| {
        let waiting = scope.spawn(|| assert!(flush_list.wait()));
        for (peer, outbox) in peers.iter().zip(&outboxes).rev() {
            assert!(!waiting.is_finished());
            wait_until_waiting(outbox, 1);
            peer.feed(usize::MAX);
            peer.wait_until(|state| state.taken.ends_with(b"hello"));
        }
    });
    for outbox in &outboxes {
        outbox.close(CloseReason::Quit);
    }
    all_writers_back(&settings);
}

#[test]
fn clients_that_flood_or_are_flooded_come_last() {
    let settings = settings(1 << 20, LONG, 0);
    let peers: Vec<_> = (0..4).map(|_| Peer::with_appetite(usize::MAX)).collect();
    let outboxes: Vec<_> = peers.iter().map(|peer| outbox(peer, &settings)).collect();
    let mut flooder = FlushList::new(1, Some(Arc::clone(&outboxes[0])));
    flooder.charge(1 << 20);
    for _ in 0..20 {
        flooder.push(&outboxes[1], Bytes::Own(&[b'x'; 10_000]), false);
    }
    flooder.flush();
    let mut flush_list = FlushList::new(2, None);
    for outbox in &outboxes {
        flush_list.push(outbox, Bytes::Own(b"hello"), true);
    }
    // The flush ends at the first of those who come last.
    lock(&peers[0].state).panics = true;
    assert!(panic::catch_unwind(AssertUnwindSafe(|| flush_list.flush())).is_err());
    assert_eq!([peers[2].taken(), peers[3].taken()], ["hello", "hello"]);
    assert!(!peers[1].taken().ends_with("hello"));
}

#[test]
fn a_sender_with_more_to_say_is_heard_before_all_of_a_crowd_is_written_to() {
    const CROWD: usize = 100;
    let settings = settings(1 << 20, LONG, 0);
    let own = Peer::with_appetite(usize::MAX);
    let peers: Vec<_> = (0..CROWD).map(|_| Peer::with_appetite(usize::MAX)).collect();
    let outboxes: Vec<_> = peers.iter().map(|peer| outbox(peer, &settings)).collect();
    let mut flooder = FlushList::new(1, None);
    for outbox in &outboxes {
        flooder.push(outbox, Bytes::Shared(&Arc::new(vec![b'x'; 10_000])), false);
    }
    flooder.flush();
    let heard = || peers.iter().filter(|peer| peer.taken().ends_with("hello")).count();
    let mut sender = FlushList::new(2, Some(outbox(&own, &settings)));
    let say_hello = |sender: &mut FlushList<Arc<Peer>>| {
        outboxes.iter().for_each(|outbox| _ = sender.push(outbox, Bytes::Own(b"hello"), true));
    };
    say_hello(&mut sender);
    lock(&own.state).has_input = true;
    sender.flush_until_input();
    let heard_first = heard();
    assert!(heard_first > 0 && heard_first < CROWD, "{heard_first}");
    sender.flush_until_input();
    assert!(heard() > heard_first);
    lock(&own.state).has_input = false;
    sender.flush_until_input();
    assert_eq!(heard(), CROWD);
    // Who floods has always more to say.
    say_hello(&mut sender);
    lock(&own.state).has_input = true;
    sender.charge(1 << 20);
    sender.flush_until_input();
    assert!(peers.iter().all(|peer| peer.taken().ends_with("hellohello")));
    // However a sender ends, what it has said goes out.
    say_hello(&mut sender);
    drop(sender);
    assert!(peers.iter().all(|peer| peer.taken().ends_with("hellohellohello")));
}

#[test]
fn who_floods_waits_for_its_turn_unless_others_wait_for_room() {
    let settings = settings(100, LONG, 1);
    let deaf = Peer::with_appetite(0);
    let full = outbox(&deaf, &settings);
    let sender = |id| {
        let own = outbox(&Peer::with_appetite(usize::MAX), &settings);
        let mut flush_list = FlushList::new(id, Some(Arc::clone(&own)));
        flush_list.charge(1 << 20);
        (flush_list, own)
    };
    let ((mut first, _), (mut second, own)) = (sender(1), sender(2));
    first.begin_turn();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            second.begin_turn();
            second.end_turn()
        });
        own.close(CloseReason::Quit);
        assert!(!waiting.join().expect("it does not panic"), "it is the other one's turn");
    });
    assert!(second.is_over() && !first.is_over());
    let ((mut second, _), bytes) = (sender(4), [b'x'; 100]);
    assert!(first.push(&full, Bytes::Own(&bytes), false) && first.push(&full, Bytes::Own(&bytes), false));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| first.wait() && first.end_turn());
        second.begin_turn();
        assert!(!waiting.is_finished());
        deaf.feed(usize::MAX);
        deaf.wait_until(|state| state.taken.len() == 200);
        assert!(second.end_turn());
        assert!(waiting.join().expect("it does not panic"), "it has its turn again");
    });
    // Whoever had to wait lately has its turn among its like.
    first.begin_turn();
    let (mut third, _) = sender(5);
    third.begin_turn();
    assert!(third.end_turn() && first.end_turn());
    full.close(CloseReason::Quit);
    all_writers_back(&settings);
}

#[test]
fn a_turn_is_passed_on_once_it_has_taken_long_enough() {
    let settings = settings(1 << 20, LONG, 0);
    let recipient = outbox(&Peer::with_appetite(usize::MAX), &settings);
    let sender = |id| {
        let own = outbox(&Peer::with_appetite(usize::MAX), &settings);
        let mut flush_list = FlushList::new(id, Some(own));
        flush_list.charge(1 << 20);
        flush_list
    };
    let (mut first, mut second) = (sender(1), sender(2));
    first.begin_turn();
    let begun = Instant::now();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            second.begin_turn();
            second.end_turn()
        });
        while !waiting.is_finished() {
            assert!(begun.elapsed() < LONG, "it keeps its turn");
            assert!(send(&mut first, &recipient, Bytes::Own(b"hello")));
        }
        assert!(waiting.join().expect("it does not panic"));
    });
    assert!(first.end_turn(), "it has its turn again");
}

#[test]
fn who_comes_to_flood_within_a_read_waits_for_its_turn_and_holds_nothing_back_meanwhile() {
    let settings = settings(1 << 20, LONG, 0);
    let peer = Peer::with_appetite(usize::MAX);
    let recipient = outbox(&peer, &settings);
    let sender = |id| FlushList::new(id, Some(outbox(&Peer::with_appetite(usize::MAX), &settings)));
    let (mut first, mut second) = (sender(1), sender(2));
    first.charge(1 << 20);
    first.begin_turn();
    second.begin_turn();
    assert!(second.charge(5) && send(&mut second, &recipient, Bytes::Own(b"hello")));
    assert_eq!(peer.taken(), "");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            second.charge(1 << 20);
            send(&mut second, &recipient, Bytes::Own(b"hello")) && second.end_turn()
        });
        peer.wait_until(|state| state.taken.len() == 10);
        assert!(!waiting.is_finished());
        assert!(first.end_turn());
        assert!(waiting.join().expect("it does not panic"), "it has its turn");
    });
}

#[test]
fn a_read_that_brings_much_is_flushed_in_parts() {
    const PART: usize = 32 << 10;
    let settings = settings(1 << 20, LONG, 0);
    let peer = Peer::with_appetite(usize::MAX);
    let recipient = outbox(&peer, &settings);
    let mut sender = FlushList::new(1, Some(outbox(&Peer::with_appetite(usize::MAX), &settings)));
    sender.charge(PART);
    sender.begin_turn();
    for _ in 0..20 {
        sender.charge(PART);
        assert!(send(&mut sender, &recipient, Bytes::Own(&vec![b'x'; PART])));
        assert!(recipient.backlog() < 4 * PART);
    }
}

#[test]
fn a_recipient_is_not_behind_for_what_nobody_has_tried_to_write() {
    const BYTES: usize = 600 << 10;
    let outbox = outbox(&Peer::with_appetite(usize::MAX), &settings(1 << 20, LONG, 0));
    let pushed = Instant::now();
    assert_eq!(outbox.push(Bytes::Own(&vec![b'x'; BYTES]), false, 1), Pushed::Flush);
    tick(TIMEOUT);
    assert!(outbox.is_behind());
    // What is longer ago than a second cannot be made up for.
    let owed = pushed.elapsed().saturating_sub(Duration::from_secs(1));
    let begun = Instant::now();
    outbox.flush();
    assert!(!outbox.is_behind());
    let behind = lock(&outbox.state).clock.behind(Instant::now());
    assert!(behind <= owed + begun.elapsed(), "{behind:?}");
}
