//! The places of the server. Every open connection has one from `accept` until nothing of it is left.
//!
//! A connection is in the *lobby* while it is not logged in, and again once it has left the room and does not take its last
//! lines. When the lobby is full, a newcomer takes the place of the connection that came first from the address that has most
//! of them there. A newcomer from such an address that has said nothing is refused before it costs a thread, if that
//! connection had no time to log in yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::close_reason::CloseReason;
use super::delivery::outbox::Outbox;
use super::source::Source;
use super::sync::lock;

/// How long a connection has at least to log in, before a silent newcomer from the same address takes its place.
const GRACE: Duration = Duration::from_millis(250);

// Why there is no place.
const FULL: &str = "too many connections for this machine's limits";
const CROWDED: &str = "too many come from its address";
const SHUTTING_DOWN: &str = "the server is shutting down";

#[derive(Debug)]
pub(crate) struct Lobby {
    max_open: usize,
    max_guests: usize,
    state: Mutex<State>,
    gone: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Open connections.
    open: usize,
    /// Those in the lobby, in the order in which they came.
    guests: BTreeMap<u64, Guest>,
    last_ticket: u64,
    /// The server is shutting down: nothing enters any more.
    is_closed: bool,
    /// Connections in the lobby from each address that has any.
    by_source: HashMap<Source, usize>,
}

#[derive(Debug)]
struct Guest {
    source: Source,
    since: Instant,
    outbox: Arc<Outbox>,
    /// It must not be displaced at this moment.
    is_logging_in: bool,
}

/// One connection's place. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    lobby: Arc<Lobby>,
    source: Source,
    /// The key in the lobby, if the connection is there and was not displaced.
    ticket: u64,
}

impl Lobby {
    pub(crate) fn new(max_open: usize, max_guests: usize) -> Self {
        Self { max_open, max_guests, state: Mutex::default(), gone: Condvar::new() }
    }

    /// Takes a place for a connection that has just been accepted. `is_silent` is whether it has said nothing yet.
    /// Returns the reason if there is no place.
    pub(crate) fn enter(
        self: &Arc<Self>,
        source: Source,
        outbox: &Arc<Outbox>,
        is_silent: impl FnOnce() -> bool,
    ) -> Result<Place, &'static str> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(SHUTTING_DOWN);
        }
        if state.open >= self.max_open {
            return Err(FULL);
        }
        if state.guests.len() >= self.max_guests && state.is_rush(source) && is_silent() {
            return Err(CROWDED);
        }
        state.open += 1;
        let mut place = Place { lobby: Arc::clone(self), source, ticket: 0 };
        place.join(state, outbox);
        Ok(place)
    }

    /// Lets no connection in any more, so that none is displaced during the shutdown. Returns the outboxes of those inside.
    pub(crate) fn close(&self) -> Vec<Arc<Outbox>> {
        let mut state = lock(&self.state);
        state.is_closed = true;
        state.guests.values().map(|guest| Arc::clone(&guest.outbox)).collect()
    }

    pub(crate) fn wait_until_empty(&self, most: Duration) {
        drop(self.gone.wait_timeout_while(lock(&self.state), most, |state| state.open > 0));
    }
}

impl State {
    fn next_to_go(&self) -> Option<(u64, &Guest)> {
        let most = self.by_source.values().max().copied()?;
        let may_go = |guest: &Guest| !guest.is_logging_in && self.by_source.get(&guest.source) == Some(&most);
        let first = self.guests.iter().find(|(_, guest)| may_go(guest));
        first
            .or_else(|| self.guests.iter().find(|(_, guest)| !guest.is_logging_in))
            .map(|(ticket, guest)| (*ticket, guest))
    }

    /// Returns whether a newcomer from an address that has most would displace a connection that has just come.
    fn is_rush(&self, source: Source) -> bool {
        self.by_source.get(&source) == self.by_source.values().max()
            && self.next_to_go().is_some_and(|(_, guest)| guest.since.elapsed() < GRACE)
    }

    fn remove(&mut self, ticket: u64) -> Option<Guest> {
        let guest = self.guests.remove(&ticket)?;
        if let Some(count) = self.by_source.get_mut(&guest.source) {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(&guest.source);
            }
        }
        Some(guest)
    }
}

impl Place {
    /// Protects the place from being taken by others, or no longer. Returns `false` if it was taken already.
    pub(crate) fn set_logging_in(&self, is_logging_in: bool) -> bool {
        let mut state = lock(&self.lobby.state);
        let guest = state.guests.get_mut(&self.ticket);
        guest.map(|guest| guest.is_logging_in = is_logging_in).is_some()
    }

    pub(crate) fn leave_lobby(&mut self) {
        lock(&self.lobby.state).remove(self.ticket);
        self.ticket = 0;
    }

    /// Goes back to the lobby as the newest there, unless it is there or the lobby is closed.
    pub(crate) fn enter_lobby(&mut self, outbox: &Arc<Outbox>) {
        let lobby = Arc::clone(&self.lobby);
        let state = lock(&lobby.state);
        if self.ticket == 0 && !state.is_closed {
            self.join(state, outbox);
        }
    }

    /// Joins the lobby as the newest there. The outbox that has to give way is closed.
    fn join(&mut self, mut state: MutexGuard<'_, State>, outbox: &Arc<Outbox>) {
        state.last_ticket += 1;
        self.ticket = state.last_ticket;
        let guest =
            Guest { source: self.source, since: Instant::now(), outbox: Arc::clone(outbox), is_logging_in: false };
        let is_full = state.guests.len() >= self.lobby.max_guests;
        state.guests.insert(self.ticket, guest);
        *state.by_source.entry(self.source).or_default() += 1;
        let next_to_go = state.next_to_go().map(|(ticket, _)| ticket).filter(|_| is_full);
        let displaced = next_to_go.and_then(|ticket| state.remove(ticket));
        drop(state);
        if let Some(guest) = displaced {
            guest.outbox.close(CloseReason::Displaced);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.lobby.state);
        state.remove(self.ticket);
        state.open -= 1;
        drop(state);
        self.lobby.gone.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::registry::tests::outbox;
    use crate::testing::random::Random;
    use std::net::{IpAddr, Ipv4Addr};
    use std::thread;

    fn source(number: u8) -> Source {
        Source::from(IpAddr::from(Ipv4Addr::new(127, 0, 0, number)))
    }

    fn lobby(max_open: usize, max_guests: usize) -> Arc<Lobby> {
        Arc::new(Lobby::new(max_open, max_guests))
    }

    /// A connection's place and its outbox.
    struct Guest(Place, Arc<Outbox>);

    impl Guest {
        fn is_displaced(&self) -> bool {
            self.1.close_reason() == Some(CloseReason::Displaced)
        }
    }

    /// A connection that has said something comes in.
    fn enter(lobby: &Arc<Lobby>, from: u8) -> Guest {
        let outbox = outbox();
        Guest(lobby.enter(source(from), &outbox, || false).expect("a place"), outbox)
    }

    #[test]
    fn in_a_full_lobby_the_first_of_the_largest_crowd_gives_way() {
        let lobby = lobby(99, 8);
        let alone = enter(&lobby, 1);
        let crowd: Vec<Guest> = (0..30).map(|_| enter(&lobby, 2)).collect();
        let other = enter(&lobby, 3);
        assert!(!alone.is_displaced() && !other.is_displaced());
        assert_eq!(crowd.iter().take_while(|guest| guest.is_displaced()).count(), 24);
        assert_eq!(crowd.iter().filter(|guest| guest.is_displaced()).count(), 24);
        assert!(!crowd[0].0.set_logging_in(true) && alone.0.set_logging_in(true));
    }

    #[test]
    fn f8_many_crowds_displace_each_other_and_nobody_else() {
        let lobby = lobby(999, 64);
        let alone = enter(&lobby, 1);
        let crowds: Vec<Guest> = (0..200).map(|number| enter(&lobby, 2 + number % 8)).collect();
        assert!(!alone.is_displaced());
        drop(crowds);
    }

    #[test]
    fn a_crowd_that_rushes_in_is_refused_unless_it_has_something_to_say() {
        let lobby = lobby(99, 8);
        let begun = Instant::now();
        let _crowd: Vec<Guest> = (0..8).map(|_| enter(&lobby, 2)).collect();
        let shared = outbox();
        let refusal = lobby.enter(source(2), &shared, || true).err();
        assert!(refusal == Some(CROWDED) || begun.elapsed() >= GRACE, "{refusal:?}");
        assert!(lobby.enter(source(2), &shared, || false).is_ok());
        assert!(lobby.enter(source(3), &shared, || true).is_ok(), "a crowd is no reason to refuse others");
        thread::park_timeout(GRACE);
        assert!(lobby.enter(source(2), &shared, || true).is_ok(), "the first of the crowd has had its time");
    }

    #[test]
    fn a_client_that_is_logging_in_is_not_displaced() {
        let lobby = lobby(9, 1);
        let mut first = enter(&lobby, 1);
        assert!(first.0.set_logging_in(true));
        let second = enter(&lobby, 2);
        assert!(!first.is_displaced() && second.is_displaced());
        first.0.leave_lobby();
        let third = enter(&lobby, 3);
        first.0.enter_lobby(&first.1);
        assert!(third.is_displaced() && !first.is_displaced());
    }

    #[test]
    fn in_a_closed_lobby_nobody_gives_way() {
        let lobby = lobby(9, 1);
        let mut member = enter(&lobby, 1);
        member.0.leave_lobby();
        let guest = enter(&lobby, 2);
        assert_eq!(lobby.close().len(), 1);
        member.0.enter_lobby(&member.1);
        assert_eq!(lobby.enter(source(3), &outbox(), || false).err(), Some(SHUTTING_DOWN));
        assert!(!guest.is_displaced() && !member.is_displaced());
    }

    #[test]
    fn when_all_places_are_taken_no_connection_comes_in() {
        let lobby = lobby(2, 2);
        let guests = [enter(&lobby, 1), enter(&lobby, 2)];
        assert_eq!(lobby.enter(source(3), &outbox(), || false).err(), Some(FULL));
        drop(guests);
        enter(&lobby, 3);
    }

    #[test]
    fn whatever_happens_nothing_is_counted_in_the_end() {
        let lobby = lobby(60, 20);
        let mut random = Random(7);
        let mut guests: Vec<Place> = Vec::new();
        let shared = outbox();
        for _ in 0..20_000 {
            let at = random.below(guests.len().max(1));
            match (random.below(5), guests.get_mut(at)) {
                (0 | 1, _) => guests.extend(lobby.enter(source(random.below(5) as u8), &shared, || at % 2 == 0)),
                (2, Some(place)) => place.leave_lobby(),
                (3, Some(place)) => place.enter_lobby(&shared),
                (4, Some(_)) => drop(guests.swap_remove(at)),
                _ => {}
            }
            let state = lock(&lobby.state);
            assert!(state.guests.len() <= 20);
            assert_eq!(state.open, guests.len());
            assert_eq!(state.by_source.values().sum::<usize>(), state.guests.len());
        }
        drop(guests);
        let state = lock(&lobby.state);
        assert_eq!((state.open, state.guests.len(), state.by_source.len()), (0, 0, 0));
    }

    #[test]
    fn the_end_of_all_connections_is_waited_for() {
        let lobby = lobby(1, 1);
        let guest = enter(&lobby, 1);
        let begun = Instant::now();
        thread::scope(|scope| {
            scope.spawn(move || drop(guest));
            lobby.wait_until_empty(Duration::from_secs(60));
        });
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}
