//! The places of the server: every open connection has one from `accept` until nothing of it is left.
//!
//! A connection is *outside* while it is not logged in, and again once it has left the room and does not take its last
//! lines at once. Those outside have a share of the places only, so that strangers cannot take all of the server. When
//! that is used up a newcomer takes the place of one of them: the one who came first among those whose source holds more
//! than a quarter of the share, else the one who came first of all. So the acceptor never waits, and a crowd makes room for
//! itself. A crowd that comes so fast that nobody could log in is turned away at once, but for those who have already said
//! something: that costs much less than a thread, so that newcomers from elsewhere need not queue behind it.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt;
use std::mem;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::server::close_reason::CloseReason;
use crate::server::delivery::outbox::Outbox;
use crate::server::sync::{lock, wait_until};
use crate::sys;

/// How long somebody outside has at least to log in, before one who comes from the same source and says nothing takes the
/// place.
const GRACE: Duration = Duration::from_millis(250);

/// The places of a server.
#[derive(Debug)]
pub(crate) struct Places {
    limits: PlaceLimits,
    state: Mutex<State>,
    /// Somebody has left; only [`Places::wait_for`] waits for it.
    left: Condvar,
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlaceLimits {
    pub(crate) open: usize,
    /// Those of them that may be outside.
    pub(crate) outside: usize,
    /// Those of one source that may log in, if there is such a limit.
    pub(crate) per_source: Option<usize>,
}

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    /// Those outside, in the order in which they came to be there.
    outside: BTreeMap<u64, Outsider>,
    /// The last key of `outside`.
    last_ticket: u64,
    /// The connections of each source that has any.
    by_source: HashMap<Source, SourceCounts>,
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Connections that are open.
    pub(crate) open: usize,
    /// Those of them that are logged in.
    pub(crate) online: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct SourceCounts {
    open: usize,
    outside: usize,
}

#[derive(Debug)]
struct Outsider {
    source: Source,
    since: Instant,
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
    is_online: bool,
    /// Its key among those outside, if it has been there; it may have been displaced.
    ticket: u64,
    /// It came when its source had as many connections as may log in.
    is_surplus: bool,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// All are taken.
    Full,
    /// Too many have just come from the same source.
    Crowded,
    /// Somebody else has the connection's place now, and its outbox is closed.
    Displaced,
}

impl Error for NoPlace {}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too many connections for this machine's limits",
            Self::Crowded => "too many come from its address",
            Self::Displaced => "others wait for its place",
        })
    }
}

impl Places {
    /// Creates places within these limits.
    pub(crate) fn new(limits: PlaceLimits) -> Self {
        Self { limits, state: Mutex::default(), left: Condvar::new() }
    }

    /// Takes a place for a connection that has just been accepted, which then has to [step outside](Permit::step_outside).
    /// `is_silent` is whether it has said nothing yet.
    pub(crate) fn enter(
        self: &Arc<Self>,
        address: IpAddr,
        is_silent: impl FnOnce() -> bool,
    ) -> Result<Permit, NoPlace> {
        let source = Source::of(address);
        let mut state = lock(&self.state);
        if state.counts.open >= self.limits.open {
            return Err(NoPlace::Full);
        }
        if state.is_rush(source, self.limits.outside) && is_silent() {
            return Err(NoPlace::Crowded);
        }
        state.counts.open += 1;
        let open = &mut state.by_source.entry(source).or_default().open;
        *open += 1;
        let is_surplus = self.limits.per_source.is_some_and(|max| *open > max);
        drop(state);
        Ok(Permit { places: Arc::clone(self), source, is_online: false, ticket: 0, is_surplus })
    }

    /// Ends what those outside say: whoever reads them finds the end of their streams.
    pub(crate) fn end_input_outside(&self) {
        self.outside().iter().for_each(|outbox| outbox.end_input());
    }

    /// Returns the outboxes of those outside.
    pub(crate) fn outside(&self) -> Vec<Arc<Outbox>> {
        lock(&self.state).outside.values().map(|outsider| Arc::clone(&outsider.outbox)).collect()
    }

    /// Waits until the counts are as wanted, or the deadline has passed.
    pub(crate) fn wait_for(&self, deadline: Instant, is_wanted: impl Fn(Counts) -> bool) {
        wait_until(&self.left, lock(&self.state), deadline, |state| is_wanted(state.counts));
    }
}

impl State {
    fn counts_of(&self, source: Source) -> SourceCounts {
        self.by_source.get(&source).copied().unwrap_or_default()
    }

    /// Returns who has to give way to the next one.
    fn next_to_go(&self, max_outside: usize) -> Option<(u64, &Outsider)> {
        let is_of_crowd = |outsider: &Outsider| self.counts_of(outsider.source).outside > max_outside / 4;
        let first = self.outside.iter().find(|(_, outsider)| is_of_crowd(outsider));
        first.or_else(|| self.outside.first_key_value()).map(|(ticket, outsider)| (*ticket, outsider))
    }

    /// Returns whether somebody from this source would take the place of one from the same source who has just come.
    fn is_rush(&self, source: Source, max_outside: usize) -> bool {
        self.outside.len() >= max_outside
            && self.counts_of(source).outside > max_outside / 4
            && self
                .next_to_go(max_outside)
                .is_some_and(|(_, outsider)| outsider.source == source && outsider.since.elapsed() < GRACE)
    }

    /// Takes a connection out of those that are logged in, if it is one of them.
    fn leave_online(&mut self, is_online: &mut bool) {
        self.counts.online -= usize::from(mem::take(is_online));
    }

    fn remove(&mut self, ticket: u64) -> Option<Outsider> {
        let outsider = self.outside.remove(&ticket)?;
        if let Some(counts) = self.by_source.get_mut(&outsider.source) {
            counts.outside -= 1;
        }
        Some(outsider)
    }
}

impl Permit {
    /// Leaves those outside for the room.
    pub(crate) fn log_in(&mut self) -> Result<(), NoPlace> {
        let mut state = lock(&self.places.state);
        state.remove(self.ticket).ok_or(NoPlace::Displaced)?;
        state.counts.online += 1;
        self.is_online = true;
        Ok(())
    }

    /// Goes back to those outside, at the same place among them, as the room has not let it in.
    pub(crate) fn undo_log_in(&mut self, outbox: &Arc<Outbox>) {
        let mut state = lock(&self.places.state);
        state.leave_online(&mut self.is_online);
        self.insert(state, outbox);
    }

    /// Returns the places that this is one of.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Returns whether more come from its source than may log in, and it came after them.
    pub(crate) fn is_surplus(&mut self) -> bool {
        let open = lock(&self.places.state).counts_of(self.source).open;
        self.is_surplus = self.is_surplus && self.places.limits.per_source.is_some_and(|max| open > max);
        self.is_surplus
    }

    /// Begins the end of the connection.
    pub(crate) fn begin_leaving(&mut self) {
        lock(&self.places.state).leave_online(&mut self.is_online);
    }

    /// Joins those outside, unless it is there, as the newest of them. Whoever has to give way has its outbox closed.
    pub(crate) fn step_outside(&mut self, outbox: &Arc<Outbox>) {
        let mut state = lock(&self.places.state);
        if state.outside.contains_key(&self.ticket) {
            return;
        }
        state.last_ticket += 1;
        self.ticket = state.last_ticket;
        self.insert(state, outbox);
    }

    fn insert(&self, mut state: MutexGuard<'_, State>, outbox: &Arc<Outbox>) {
        let (source, outbox) = (self.source, Arc::clone(outbox));
        state.outside.insert(self.ticket, Outsider { source, since: Instant::now(), outbox });
        state.by_source.entry(source).or_default().outside += 1;
        let max_outside = self.places.limits.outside;
        let next_to_go = if state.outside.len() > max_outside { state.next_to_go(max_outside) } else { None };
        let displaced = next_to_go.map(|(ticket, _)| ticket).and_then(|ticket| state.remove(ticket));
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
        let counts = state.by_source.entry(self.source).or_default();
        counts.open -= 1;
        if counts.open == 0 {
            state.by_source.remove(&self.source);
        }
        state.leave_online(&mut self.is_online);
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

    fn places(open: usize, outside: usize) -> Arc<Places> {
        Arc::new(Places::new(PlaceLimits { open, outside, per_source: None }))
    }

    /// A connection's place and its outbox.
    struct Guest(Permit, Arc<Outbox>);

    impl Guest {
        fn is_displaced(&self) -> bool {
            self.1.close_reason() == Some(CloseReason::Displaced)
        }

        fn undo_log_in(&mut self) {
            self.0.undo_log_in(&self.1);
        }

        fn leave(&mut self) {
            self.0.begin_leaving();
            self.0.step_outside(&self.1);
        }
    }

    /// One that has said something comes in.
    fn enter(places: &Arc<Places>, from: u8) -> Guest {
        let mut guest = Guest(places.enter(address(from), || false).expect("a place"), outbox());
        guest.0.step_outside(&guest.1);
        guest
    }

    #[test]
    fn in_a_full_lobby_who_came_first_gives_way_at_once() {
        let places = places(9, 4);
        let mut guests: Vec<Guest> = (1..=5).map(|number| enter(&places, number)).collect();
        assert_eq!(guests.iter().map(Guest::is_displaced).collect::<Vec<_>>(), [true, false, false, false, false]);
        assert_eq!(guests[0].0.log_in(), Err(NoPlace::Displaced));
    }

    #[test]
    fn a_crowd_from_one_address_makes_room_for_itself() {
        let places = places(99, 8);
        let alone = enter(&places, 1);
        let crowd: Vec<Guest> = (0..30).map(|_| enter(&places, 2)).collect();
        let other = enter(&places, 3);
        assert!(!alone.is_displaced() && !other.is_displaced());
        let displaced: Vec<bool> = crowd.iter().map(Guest::is_displaced).collect();
        assert_eq!(displaced, (0..30).map(|at| at < 24).collect::<Vec<_>>());
    }

    #[test]
    fn a_crowd_that_rushes_in_is_turned_away_unless_it_has_something_to_say() {
        let places = places(99, 8);
        let begun = Instant::now();
        let _crowd: Vec<Guest> = (0..8).map(|_| enter(&places, 2)).collect();
        let refusal = places.enter(address(2), || true).err();
        assert!(refusal == Some(NoPlace::Crowded) || begun.elapsed() >= GRACE, "{refusal:?}");
        assert!(places.enter(address(2), || false).is_ok());
        assert!(places.enter(address(3), || true).is_ok(), "a crowd is no reason to turn others away");
        thread::park_timeout(GRACE);
        assert!(places.enter(address(2), || true).is_ok(), "the first of the crowd has had its time");
    }

    #[test]
    fn who_is_logging_in_is_not_displaced_and_who_is_refused_can_be_again() {
        let places = places(9, 1);
        let mut first = enter(&places, 1);
        assert_eq!(first.0.log_in(), Ok(()));
        let second = enter(&places, 2);
        assert!(!first.is_displaced() && !second.is_displaced());
        first.undo_log_in();
        assert!(first.is_displaced() && !second.is_displaced());
    }

    #[test]
    fn who_does_not_take_its_last_lines_counts_like_a_stranger() {
        let places = places(9, 2);
        let mut leaving = enter(&places, 1);
        assert_eq!(leaving.0.log_in(), Ok(()));
        leaving.leave();
        let strangers = [enter(&places, 2), enter(&places, 3)];
        assert!(leaving.is_displaced() && !strangers.iter().any(Guest::is_displaced));
    }

    #[test]
    fn when_all_places_are_taken_nobody_comes_in() {
        let places = places(2, 2);
        let guests = [enter(&places, 1), enter(&places, 2)];
        assert_eq!(places.enter(address(3), || false).err(), Some(NoPlace::Full));
        drop(guests);
        assert!(places.enter(address(3), || false).is_ok());
    }

    #[test]
    fn those_of_one_source_who_come_after_as_many_as_may_are_surplus_until_others_leave() {
        let places = Arc::new(Places::new(PlaceLimits { open: 9, outside: 9, per_source: Some(2) }));
        let mut guests: Vec<Guest> = (0..4).map(|_| enter(&places, 1)).collect();
        let surplus =
            |guests: &mut [Guest]| -> Vec<bool> { guests.iter_mut().map(|guest| guest.0.is_surplus()).collect() };
        assert_eq!(surplus(&mut guests), [false, false, true, true]);
        assert!(!enter(&places, 2).0.is_surplus());
        guests.truncate(3);
        assert_eq!(surplus(&mut guests), [false, false, true]);
        guests.remove(0);
        assert_eq!(surplus(&mut guests), [false, false]);
        guests.push(enter(&places, 1));
        assert_eq!(surplus(&mut guests), [false, false, true]);
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
        let places = places(40, 20);
        let mut random = Random(7);
        let mut guests: Vec<Guest> = Vec::new();
        let shared = outbox();
        for _ in 0..20_000 {
            let at = random.below(guests.len().max(1));
            match (random.below(6), guests.get_mut(at)) {
                (0 | 1, _) => {
                    let from = address(random.below(5) as u8);
                    if let Ok(mut permit) = places.enter(from, || from == address(1)) {
                        permit.step_outside(&shared);
                        guests.push(Guest(permit, Arc::clone(&shared)));
                    }
                }
                (2, Some(guest)) if !guest.0.is_online => _ = guest.0.log_in(),
                (3, Some(guest)) if guest.0.is_online => guest.undo_log_in(),
                (4, Some(guest)) => guest.leave(),
                (5, Some(_)) => drop(guests.swap_remove(at)),
                _ => {}
            }
            let state = lock(&places.state);
            assert!(state.outside.len() <= 20);
            assert_eq!(state.counts.open, guests.len());
            assert_eq!(state.by_source.values().map(|counts| counts.open).sum::<usize>(), guests.len());
            assert_eq!(state.by_source.values().map(|counts| counts.outside).sum::<usize>(), state.outside.len());
        }
        drop(guests);
        let state = lock(&places.state);
        assert_eq!((state.counts, state.outside.len(), state.by_source.len()), (Counts::default(), 0, 0));
    }

    #[test]
    fn the_end_of_a_connection_is_waited_for() {
        let places = places(1, 1);
        let guest = enter(&places, 1);
        let far = Instant::now() + Duration::from_secs(60);
        thread::scope(|scope| {
            scope.spawn(move || drop(guest));
            places.wait_for(far, |counts| counts.open == 0);
        });
        assert!(Instant::now() < far);
        places.wait_for(Instant::now(), |_| false);
    }
}
