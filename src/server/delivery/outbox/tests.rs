//! The outbox without sockets: a peer that takes what a test lets it.

use std::mem;

use super::*;
use crate::protocol::DIALECTS;

/// A deadline for facts that do come; only a failing test waits for it.
const LONG: Duration = Duration::from_secs(20);

/// How long a write of a [`Peer`] waits.
const TIMEOUT: Duration = Duration::from_millis(20);

/// A peer that takes as many bytes as it is told to.
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
    /// The next call takes what it can and fails all the same.
    fails_once: bool,
    /// The next call panics.
    panics: bool,
    /// It has reset the connection, which no thread has seen yet.
    reset: bool,
}

impl Peer {
    fn with_appetite(appetite: usize) -> Arc<Self> {
        let peer = Arc::new(Self::default());
        peer.feed(appetite);
        peer
    }

    fn feed(&self, appetite: usize) {
        lock(&self.state).appetite = appetite;
        self.changed.notify_all();
    }

    fn taken(&self) -> String {
        String::from_utf8_lossy(&lock(&self.state).taken).into_owned()
    }

    fn take(&self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        let mut state = lock(&self.state);
        assert!(!mem::take(&mut state.panics), "told to");
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
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if count == 0 && left.is_zero() {
                break;
            }
            if count == 0 {
                state = self.changed.wait_timeout(state, left).expect("no test panics with the lock").0;
            }
        }
        state.calls.push(sent);
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

    fn take_error(&self) -> Option<io::ErrorKind> {
        mem::take(&mut lock(&self.state).reset).then_some(io::ErrorKind::ConnectionReset)
    }

    fn shutdown(&self, how: Shutdown) {
        lock(&self.state).shut |= how == Shutdown::Both;
        self.changed.notify_all();
    }
}

type TestOutbox = Arc<Outbox<Arc<Peer>>>;

fn outbox(peer: &Arc<Peer>, max_backlog: usize, slow_timeout: Duration) -> TestOutbox {
    let outbox = Outbox::new(Arc::clone(peer), slow_timeout);
    lock(&outbox.state).max_backlog = max_backlog;
    Arc::new(outbox)
}

fn bytes(text: &str) -> Arc<Vec<u8>> {
    Arc::new(text.as_bytes().to_vec())
}

/// Adds what is not small talk, as soon as there is space, and flushes.
fn send(outbox: &TestOutbox, sender: u64, text: &str) -> Pushed {
    let bytes = bytes(text);
    let addition = Addition { bytes: &bytes, is_small: false, sender, dialect: None };
    let mut pushed = outbox.push(addition);
    if pushed == Pushed::Full {
        pushed = outbox.push_when_space(addition, || false);
    }
    outbox.flush(|| true);
    pushed
}

/// Adds small talk.
fn talk(outbox: &TestOutbox, text: &str) -> Pushed {
    outbox.push(Addition { bytes: &bytes(text), is_small: true, sender: 99, dialect: None })
}

#[track_caller]
fn wait_until(what: &str, fact: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !fact() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::yield_now();
    }
}

fn wait_until_waiting(outbox: &TestOutbox, count: usize) {
    wait_until("senders wait", || lock(&outbox.state).waiters.len() == count);
}

/// Fills an outbox whose peer takes nothing past its mark, until a sender would have to wait.
fn fill(outbox: &TestOutbox) {
    while outbox.push(Addition { bytes: &bytes("0123456789"), is_small: false, sender: 1, dialect: None })
        != Pushed::Full
    {
        outbox.flush(|| true);
    }
}

#[test]
fn everything_that_was_added_is_one_write() {
    let peer = Peer::with_appetite(usize::MAX);
    let outbox = outbox(&peer, 1000, LONG);
    let pushed = ["one\n", "two\n", "three\n"].map(|line| talk(&outbox, line));
    assert_eq!(pushed, [Pushed::Flush, Pushed::Done, Pushed::Done]);
    assert_eq!(peer.taken(), "");
    outbox.flush(|| true);
    assert_eq!(peer.taken(), "one\ntwo\nthree\n");
    assert_eq!(lock(&peer.state).calls, [14]);
    assert_eq!(talk(&outbox, "four\n"), Pushed::Flush);
}

#[test]
fn g7_many_senders_never_interleave_and_keep_their_order() {
    const SENDERS: u64 = 8;
    const LINES: usize = 2000;
    let peer = Peer::with_appetite(usize::MAX);
    let outbox = outbox(&peer, 4096, LONG);
    thread::scope(|scope| {
        for id in 1..=SENDERS {
            let outbox = &outbox;
            scope.spawn(move || (0..LINES).for_each(|number| _ = send(outbox, id, &format!("{id} {number}\n"))));
        }
    });
    outbox.end(b"", LONG);
    assert!(outbox.finish(|| false));
    let taken = peer.taken();
    for id in 1..=SENDERS {
        let own: Vec<&str> = taken.lines().filter_map(|line| line.strip_prefix(&format!("{id} "))).collect();
        assert_eq!(own, (0..LINES).map(|number| number.to_string()).collect::<Vec<_>>());
    }
    assert_eq!(taken.lines().count(), SENDERS as usize * LINES);
}

#[test]
fn what_a_peer_does_not_take_at_once_comes_later_and_in_order() {
    let peer = Peer::with_appetite(5);
    let outbox = outbox(&peer, 1000, LONG);
    send(&outbox, 1, "first\n");
    send(&outbox, 2, "second\n");
    assert_eq!(lock(&outbox.state).mode, Mode::Queued);
    peer.feed(usize::MAX);
    outbox.end(b"last\n", LONG);
    assert_eq!(talk(&outbox, "too late\n"), Pushed::Closed);
    assert!(outbox.finish(|| false));
    assert_eq!(peer.taken(), "first\nsecond\nlast\n");
    wait_until("the writer thread ends", || lock(&outbox.state).mode == Mode::Idle);
}

#[test]
fn a_full_backlog_holds_the_sender_back_and_loses_nothing() {
    const LINES: usize = 1000;
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, 300, LONG);
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            for number in 0..LINES {
                send(&outbox, 1, &format!("{number:09}\n"));
                assert!(outbox.backlog() <= 300);
            }
        });
        wait_until_waiting(&outbox, 1);
        assert!(!sender.is_finished());
        peer.feed(usize::MAX);
    });
    outbox.end(b"", LONG);
    assert!(outbox.finish(|| false));
    let taken: Vec<usize> = peer.taken().lines().map(|line| line.parse().expect("a number")).collect();
    assert_eq!(taken, (0..LINES).collect::<Vec<_>>());
}

#[test]
fn a_reader_that_stops_or_trickles_is_disconnected_and_its_senders_go_on() {
    for appetite in [0, 1] {
        let slow_timeout = Duration::from_millis(200);
        let peer = Peer::with_appetite(0);
        let outbox = outbox(&peer, 300, slow_timeout);
        let begun = Instant::now();
        thread::scope(|scope| {
            for id in 1..=5 {
                let outbox = &outbox;
                scope.spawn(move || while send(outbox, id, "a line of some length\n") != Pushed::Closed {});
            }
            while outbox.close_reason().is_none() {
                peer.feed(appetite);
                thread::park_timeout(Duration::from_millis(5));
            }
        });
        assert_eq!(outbox.close_reason(), Some(CloseReason::Slow));
        assert!(begun.elapsed() >= slow_timeout);
        wait_until("the connection is shut down", || lock(&peer.state).shut);
    }
}

#[test]
fn a_peer_that_takes_nothing_is_given_up_however_little_waits() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, 1000, LONG);
    lock(&outbox.state).stall_timeout = Duration::from_millis(100);
    send(&outbox, 1, "hi\n");
    wait_until("it is given up", || outbox.close_reason() == Some(CloseReason::Stalled));
}

#[test]
fn a_broken_peer_is_found_by_a_sender_and_by_the_writer_thread() {
    let peer = Peer::with_appetite(0);
    lock(&peer.state).broken = true;
    let direct = outbox(&peer, 1000, LONG);
    send(&direct, 1, "hi\n");
    let reason = Some(CloseReason::Failed(io::ErrorKind::BrokenPipe));
    assert_eq!(direct.close_reason(), reason);
    direct.close(CloseReason::Quit);
    assert_eq!(direct.close_reason(), reason, "the first reason stays");

    let peer = Peer::with_appetite(0);
    let queued = outbox(&peer, 1000, LONG);
    send(&queued, 1, "hi\n");
    lock(&peer.state).broken = true;
    wait_until("the writer finds it", || queued.close_reason() == reason);
    assert_eq!(queued.backlog(), 0, "what is lost does not wait");
    assert!(!queued.finish(|| false));
}

#[test]
fn after_a_failed_write_nothing_follows_what_is_lost() {
    let peer = Peer::with_appetite(3);
    lock(&peer.state).fails_once = true;
    let outbox = outbox(&peer, 1000, LONG);
    send(&outbox, 1, "lost\n");
    peer.feed(usize::MAX);
    assert_eq!(send(&outbox, 2, "after\n"), Pushed::Closed);
    assert_eq!(peer.taken(), "los");
}

#[test]
fn a_panic_in_the_writer_thread_closes_the_outbox() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, 1000, LONG);
    send(&outbox, 1, "hi\n");
    lock(&peer.state).panics = true;
    wait_until("it is closed", || outbox.close_reason() == Some(CloseReason::Panicked));
}

#[test]
fn finish_gives_up_when_it_is_told_to() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, 1000, LONG);
    outbox.end(b"hi\n", LONG);
    assert!(!outbox.finish(|| true));
    assert_eq!(outbox.close_reason(), None);
}

#[test]
fn up_to_the_mark_any_addition_has_room_and_past_it_what_fits() {
    let outbox = outbox(&Peer::with_appetite(0), 1000, LONG);
    let push = |length: usize| {
        let bytes = Arc::new(vec![b'x'; length]);
        outbox.push(Addition { bytes: &bytes, is_small: false, sender: 1, dialect: None })
    };
    assert_eq!(push(500), Pushed::Flush);
    assert_eq!(push(400), Pushed::Done);
    assert_eq!([push(101), push(100), push(1)], [Pushed::Full, Pushed::Done, Pushed::Full]);
    lock(&outbox.state).take();
    lock(&outbox.state).put_back(BufList::default());
    assert_eq!(push(5000), Pushed::Flush);
}

#[test]
fn small_talk_goes_past_waiting_senders_into_the_reserve() {
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, 1000, LONG);
    fill(&outbox);
    thread::scope(|scope| {
        scope.spawn(|| assert_ne!(send(&outbox, 2, "the flood goes on"), Pushed::Closed));
        wait_until_waiting(&outbox, 1);
        assert_eq!(talk(&outbox, &"x".repeat(250)), Pushed::Done);
        assert_eq!(talk(&outbox, "x"), Pushed::Full);
        peer.feed(usize::MAX);
    });
    outbox.end(b"", LONG);
    assert!(outbox.finish(|| false));
    assert!(peer.taken().ends_with("xthe flood goes on"));
}

#[test]
fn s19_senders_wait_in_line_until_their_additions_fit() {
    const SENDERS: usize = 20;
    let peer = Peer::with_appetite(0);
    let outbox = outbox(&peer, 1000, LONG);
    fill(&outbox);
    thread::scope(|scope| {
        for number in 0..SENDERS {
            let outbox = &outbox;
            scope.spawn(move || send(outbox, number as u64 + 2, &format!("{number:03} {}\n", "x".repeat(95))));
            wait_until_waiting(outbox, number + 1);
        }
        // Space for one of them is enough for the first.
        peer.feed(100);
        wait_until_waiting(&outbox, SENDERS - 1);
        peer.feed(usize::MAX);
    });
    outbox.end(b"", LONG);
    assert!(outbox.finish(|| false));
    let taken = peer.taken();
    let order: Vec<usize> = taken.lines().map(|line| line[line.len() - 99..][..3].parse().expect("a number")).collect();
    assert_eq!(order, (0..SENDERS).collect::<Vec<_>>());
}

#[test]
fn g5_a_sender_whose_own_connection_was_reset_stops_waiting() {
    let (full, gone) = (Peer::with_appetite(0), Peer::with_appetite(0));
    let (outbox, own) = (outbox(&full, 1000, LONG), outbox(&gone, 1000, LONG));
    fill(&outbox);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let bytes = bytes("it is not sent");
            outbox.push_when_space(Addition { bytes: &bytes, is_small: false, sender: 2, dialect: None }, || {
                own.close_if_broken()
            })
        });
        wait_until_waiting(&outbox, 1);
        lock(&gone.state).reset = true;
        assert_eq!(waiting.join().expect("it ends"), Pushed::Closed);
    });
    assert_eq!(own.close_reason(), Some(CloseReason::Failed(io::ErrorKind::ConnectionReset)));
    assert_eq!((outbox.close_reason(), lock(&outbox.state).waiters.len()), (None, 0));
}

#[test]
fn g5_a_sender_that_has_to_stop_waits_for_no_recipient() {
    let outbox = outbox(&Peer::with_appetite(0), 100, LONG);
    let added = bytes("late");
    let addition = Addition { bytes: &added, is_small: false, sender: 1, dialect: None };
    assert_eq!(outbox.push_when_space(addition, || true), Pushed::Closed);
    assert_eq!(outbox.backlog(), 0);
}

#[test]
fn w2_no_message_in_the_former_dialect_comes_after_the_login() {
    let [former, dialect, ..] = *DIALECTS else { panic!("several dialects") };
    let outbox = outbox(&Peer::with_appetite(0), 100, LONG);
    outbox.log_in(dialect, 100);
    let added = bytes("hello");
    let push = |dialect| outbox.push(Addition { bytes: &added, is_small: true, sender: 1, dialect });
    assert_eq!(push(Some(former)), Pushed::Closed);
    assert_eq!(push(Some(dialect)), Pushed::Flush);
    assert_eq!(push(None), Pushed::Done);
    assert_eq!(outbox.backlog(), 2 * added.len());
}

#[test]
fn without_a_writer_thread_the_caller_writes_the_rest_until_it_must_stop() {
    let peer = Peer::with_appetite(10);
    let outbox = outbox(&peer, 100, LONG);
    let push = |text: &str| outbox.push(Addition { bytes: &bytes(text), is_small: true, sender: 1, dialect: None });
    // What a flush leaves behind when the kernel refuses the thread.
    assert_eq!(push("0123456789"), Pushed::Flush);
    lock(&outbox.state).mode = Mode::Queued;
    assert_eq!(outbox.write_pending(|| true), Ok(()));
    assert_eq!((peer.taken().as_str(), outbox.close_reason()), ("0123456789", None));
    assert_eq!(push("stalled"), Pushed::Flush);
    lock(&outbox.state).mode = Mode::Queued;
    let mut writes = 3;
    let proceed = || {
        writes -= 1;
        writes > 0
    };
    assert_eq!(outbox.write_pending(proceed), Err(CloseReason::Failed(ErrorKind::TimedOut)));
}
