//! The places of the server: every open connection has one from `accept` until nothing of it is left.
//!
//! A connection is *outside* while it is not logged in, and again once it has left the room and does not take its last
//! lines at once. Those outside have a share of the places only, so that strangers cannot take all of the server. When
//! that is used up a newcomer takes the place of one of them: the one who came first among those whose address holds more
//! than a quarter of the share, else the one who came first of all. So the acceptor never waits, and a crowd from one address makes room for
//! itself.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use crate::server::close_reason::CloseReason;
use crate::server::delivery::outbox::Outbox;
use crate::server::sync::{lock, wait_until};
use crate::sys;

/// The places of a server.
#[derive(Debug)]
pub(crate) struct Places {
    max_open: usize,
    max_outside: usize,
    state: Mutex<State>,
    /// Somebody has left; only [`Places::wait_for`] waits for it.
    left: Condvar,
}

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    /// Those outside, in the order in which they came to be there.
    outside: BTreeMap<u64, Outsider>,
    /// The last key of `outside`.
    last_ticket: u64,
    /// How many of those outside there are of each source that has any.
    by_source: HashMap<Source, usize>,
}

/// How many connections are at which stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Connections that are open.
    pub(crate) open: usize,
    /// Those of them that are logged in.
    pub(crate) online: usize,
    /// Those of them that are over, and get their last lines.
    pub(crate) leaving: usize,
}

#[derive(Debug)]
struct Outsider {
    source: Source,
    outbox: Arc<Outbox>,
}

/// Where connections come from: an IPv4 address, or the 64 bits of an IPv6 address that one customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Source(IpAddr);

/// One connection's place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    places: Arc<Places>,
    source: Source,
    outbox: Arc<Outbox>,
    stage: Stage,
    /// Its key among those outside, if it has been there; it may have been displaced.
    ticket: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Stranger,
    Online,
    Leaving,
}

/// Somebody else has the connection's place now, and its outbox is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Displaced;

impl Places {
    /// Creates `max_open` places, `max_outside` of which are for those outside.
    pub(crate) fn new(max_open: usize, max_outside: usize) -> Self {
        Self { max_open, max_outside, state: Mutex::default(), left: Condvar::new() }
    }

    /// Takes a place for a connection that has just been accepted; `None` when all are taken.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, outbox: &Arc<Outbox>) -> Option<Permit> {
        let mut state = lock(&self.state);
        if state.counts.open >= self.max_open {
            return None;
        }
        state.counts.open += 1;
        drop(state);
        let (places, source, outbox) = (Arc::clone(self), Source::of(address), Arc::clone(outbox));
        let mut permit = Permit { places, source, outbox, stage: Stage::Stranger, ticket: 0 };
        permit.step_outside();
        Some(permit)
    }

    /// Ends what those outside say: whoever reads them finds the end of their streams.
    pub(crate) fn end_input_outside(&self) {
        for outsider in lock(&self.state).outside.values() {
            outsider.outbox.end_input();
        }
    }

    /// Waits until the counts are as wanted, or the deadline has passed.
    pub(crate) fn wait_for(&self, deadline: Instant, is_wanted: impl Fn(Counts) -> bool) {
        wait_until(&self.left, lock(&self.state), deadline, |state| is_wanted(state.counts));
    }
}

impl State {
    fn remove(&mut self, ticket: u64) -> Option<Outsider> {
        let outsider = self.outside.remove(&ticket)?;
        if let Some(count) = self.by_source.get_mut(&outsider.source) {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(&outsider.source);
            }
        }
        Some(outsider)
    }

    /// Takes out whoever has to give way when there are more than `max_outside`.
    fn displace(&mut self, max_outside: usize) -> Option<Outsider> {
        if self.outside.len() <= max_outside {
            return None;
        }
        let is_crowded = |source| self.by_source.get(source).is_some_and(|count| *count > max_outside / 4);
        let crowded = self.outside.iter().find(|(_, outsider)| is_crowded(&outsider.source));
        let (&ticket, _) = crowded.or_else(|| self.outside.first_key_value())?;
        self.remove(ticket)
    }
}

impl Permit {
    /// Leaves those outside for the room.
    pub(crate) fn log_in(&mut self) -> Result<(), Displaced> {
        let mut state = lock(&self.places.state);
        state.remove(self.ticket).ok_or(Displaced)?;
        state.counts.online += 1;
        self.stage = Stage::Online;
        Ok(())
    }

    /// Goes back to those outside, at the same place among them, as the room has not let it in.
    pub(crate) fn undo_log_in(&mut self) {
        let mut state = lock(&self.places.state);
        state.counts.online -= 1;
        self.stage = Stage::Stranger;
        self.insert(state);
    }

    /// Begins the end of the connection.
    pub(crate) fn begin_leaving(&mut self) {
        let mut state = lock(&self.places.state);
        if self.stage == Stage::Online {
            state.counts.online -= 1;
        }
        state.counts.leaving += 1;
        self.stage = Stage::Leaving;
    }

    /// Joins those outside, unless it is there, as the newest of them; somebody may have to give way.
    pub(crate) fn step_outside(&mut self) {
        let mut state = lock(&self.places.state);
        if state.outside.contains_key(&self.ticket) {
            return;
        }
        state.last_ticket += 1;
        self.ticket = state.last_ticket;
        self.insert(state);
    }

    fn insert(&self, mut state: MutexGuard<'_, State>) {
        state.outside.insert(self.ticket, Outsider { source: self.source, outbox: Arc::clone(&self.outbox) });
        *state.by_source.entry(self.source).or_default() += 1;
        let displaced = state.displace(self.places.max_outside);
        drop(state);
        if let Some(outsider) = displaced {
            outsider.outbox.close(CloseReason::Displaced);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = lock(&self.places.state);
        state.remove(self.ticket);
        state.counts.open -= 1;
        let is_last = state.counts.open == 0;
        match self.stage {
            Stage::Stranger => {}
            Stage::Online => state.counts.online -= 1,
            Stage::Leaving => state.counts.leaving -= 1,
        }
        drop(state);
        self.places.left.notify_all();
        if is_last {
            sys::release_memory();
        }
    }
}

impl Source {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::registry::tests::outbox;
    use crate::testing::random::Random;
    use std::net::Ipv4Addr;
    use std::thread;
    use std::time::Duration;

    fn address(number: u8) -> IpAddr {
        Ipv4Addr::new(127, 0, 0, number).into()
    }

    fn enter(places: &Arc<Places>, from: u8) -> Permit {
        places.enter(address(from), &outbox()).expect("a place")
    }

    fn is_displaced(permit: &Permit) -> bool {
        permit.outbox.close_reason() == Some(CloseReason::Displaced)
    }

    #[test]
    fn in_a_full_lobby_who_came_first_gives_way_at_once() {
        let places = Arc::new(Places::new(9, 4));
        let mut permits: Vec<Permit> = (1..=4).map(|number| enter(&places, number)).collect();
        assert!(!permits.iter().any(is_displaced));
        permits.push(enter(&places, 5));
        assert_eq!(permits.iter().map(is_displaced).collect::<Vec<_>>(), [true, false, false, false, false]);
        assert_eq!(permits[0].log_in(), Err(Displaced));
    }

    #[test]
    fn a_crowd_from_one_address_makes_room_for_itself() {
        let places = Arc::new(Places::new(99, 8));
        let alone = enter(&places, 1);
        let crowd: Vec<Permit> = (0..30).map(|_| enter(&places, 2)).collect();
        let other = enter(&places, 3);
        assert!(!is_displaced(&alone) && !is_displaced(&other));
        assert_eq!(crowd.iter().map(is_displaced).collect::<Vec<_>>(), (0..30).map(|at| at < 24).collect::<Vec<_>>());
    }

    #[test]
    fn who_is_logging_in_is_not_displaced_and_who_is_refused_can_be_again() {
        let places = Arc::new(Places::new(9, 1));
        let mut first = enter(&places, 1);
        assert_eq!(first.log_in(), Ok(()));
        let second = enter(&places, 2);
        assert!(!is_displaced(&first) && !is_displaced(&second));
        first.undo_log_in();
        assert!(is_displaced(&first) && !is_displaced(&second));
    }

    #[test]
    fn who_does_not_take_its_last_lines_counts_like_a_stranger() {
        let places = Arc::new(Places::new(9, 2));
        let mut leaving = enter(&places, 1);
        assert_eq!(leaving.log_in(), Ok(()));
        leaving.begin_leaving();
        leaving.step_outside();
        let strangers = [enter(&places, 2), enter(&places, 3)];
        assert!(is_displaced(&leaving) && !strangers.iter().any(is_displaced));
    }

    #[test]
    fn when_all_places_are_taken_nobody_comes_in() {
        let places = Arc::new(Places::new(2, 2));
        let permits = [enter(&places, 1), enter(&places, 2)];
        assert!(places.enter(address(3), &outbox()).is_none());
        drop(permits);
        assert!(places.enter(address(3), &outbox()).is_some());
    }

    #[test]
    fn the_network_of_an_ipv6_address_counts_as_one_source() {
        let source = |text: &str| Source::of(text.parse().expect("an address"));
        assert_eq!(source("2001:db8:1:2::3"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::3"), source("2001:db8:1:3::3"));
        assert_eq!(source("::ffff:127.0.0.1"), source("127.0.0.1"));
        assert_ne!(source("127.0.0.1"), source("127.0.0.2"));
    }

    #[test]
    fn nobody_is_counted_twice_or_forgotten() {
        let places = Arc::new(Places::new(40, 20));
        let mut random = Random(7);
        let mut permits: Vec<Permit> = Vec::new();
        let shared = outbox();
        for _ in 0..20_000 {
            let at = random.below(permits.len().max(1));
            match (random.below(6), permits.get_mut(at)) {
                (0 | 1, _) => permits.extend(places.enter(address(random.below(5) as u8), &shared)),
                (2, Some(permit)) if permit.stage == Stage::Stranger => _ = permit.log_in(),
                (3, Some(permit)) if permit.stage == Stage::Online => permit.undo_log_in(),
                (4, Some(permit)) if permit.stage != Stage::Leaving => {
                    permit.begin_leaving();
                    permit.step_outside();
                }
                (5, Some(_)) => drop(permits.swap_remove(at)),
                _ => {}
            }
            let state = lock(&places.state);
            assert_eq!(state.counts.open, permits.len());
            assert!(state.outside.len() <= 20);
            assert_eq!(state.by_source.values().sum::<usize>(), state.outside.len());
        }
        drop(permits);
        let state = lock(&places.state);
        assert_eq!((state.counts, state.outside.len(), state.by_source.len()), (Counts::default(), 0, 0));
    }

    #[test]
    fn the_end_of_a_connection_is_waited_for() {
        let places = Arc::new(Places::new(1, 1));
        let permit = enter(&places, 1);
        let far = Instant::now() + Duration::from_secs(60);
        thread::scope(|scope| {
            scope.spawn(move || drop(permit));
            places.wait_for(far, |counts| counts.open == 0);
        });
        assert!(Instant::now() < far);
        places.wait_for(Instant::now(), |_| false);
    }
}
