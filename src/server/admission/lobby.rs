//! The places of those who are connected and not logged in, so that strangers cannot take all of the server.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::server::sync::{lock, wait_for};

/// A number of places. Whoever has held one for a while gives it up when somebody else waits.
#[derive(Debug)]
pub(crate) struct Lobby {
    capacity: usize,
    grace: Duration,
    guests: Mutex<BTreeMap<u64, Guest>>,
    /// A place is free.
    left: Condvar,
}

/// A place in the lobby; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct LobbyGuard {
    lobby: Arc<Lobby>,
    id: u64,
}

struct Guest {
    arrived: Instant,
    displace: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("arrived", &self.arrived).finish_non_exhaustive()
    }
}

impl Lobby {
    /// `capacity` places, each safe for `grace` from the moment it is taken.
    pub(crate) fn new(capacity: usize, grace: Duration) -> Self {
        Self { capacity, grace, guests: Mutex::new(BTreeMap::new()), left: Condvar::new() }
    }

    /// Takes a place for the connection with this id. When there is none, waits until somebody leaves or the guest who
    /// came first has had its time, which then gives up its place: its `displace` is called. Ids grow with time.
    pub(crate) fn enter(self: &Arc<Self>, id: u64, displace: impl FnOnce() + Send + 'static) -> LobbyGuard {
        let mut guests = lock(&self.guests);
        while guests.len() >= self.capacity {
            let Some(oldest) = guests.first_entry() else { break };
            let left = self.grace.saturating_sub(oldest.get().arrived.elapsed());
            if left.is_zero() {
                let guest = oldest.remove();
                drop(guests);
                (guest.displace)();
                guests = lock(&self.guests);
            } else {
                guests = wait_for(&self.left, guests, left);
            }
        }
        guests.insert(id, Guest { arrived: Instant::now(), displace: Box::new(displace) });
        LobbyGuard { lobby: Arc::clone(self), id }
    }
}

impl Drop for LobbyGuard {
    fn drop(&mut self) {
        if lock(&self.lobby.guests).remove(&self.id).is_some() {
            self.lobby.left.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_free_place_is_taken_at_once_and_nobody_is_displaced() {
        let lobby = Arc::new(Lobby::new(2, Duration::ZERO));
        let first = lobby.enter(1, || panic!("displaced"));
        let _second = lobby.enter(2, || panic!("displaced"));
        drop(first);
        let _third = lobby.enter(3, || panic!("displaced"));
    }

    #[test]
    fn in_a_full_lobby_the_oldest_guest_gives_way_after_its_time() {
        let lobby = Arc::new(Lobby::new(2, Duration::from_millis(50)));
        let (displaced, who) = mpsc::channel();
        let places: Vec<_> = (1..=3)
            .map(|id| {
                let displaced = displaced.clone();
                lobby.enter(id, move || displaced.send((id, Instant::now())).expect("the test listens"))
            })
            .collect();
        let (id, _) = who.try_recv().expect("one was displaced");
        assert_eq!(id, 1);
        assert!(who.try_recv().is_err());
        drop(places);
        assert!(lock(&lobby.guests).is_empty());
    }

    #[test]
    fn a_waiting_newcomer_takes_the_place_of_whoever_leaves() {
        let lobby = Arc::new(Lobby::new(1, LONG));
        let place = lobby.enter(1, || panic!("displaced"));
        let (entered, has_entered) = mpsc::channel();
        let newcomer = Arc::clone(&lobby);
        let thread = thread::Builder::new().spawn(move || {
            let place = newcomer.enter(2, || panic!("displaced"));
            entered.send(()).expect("the test listens");
            drop(place);
        });
        drop(place);
        has_entered.recv_timeout(LONG / 2).expect("the newcomer enters");
        thread.expect("a thread").join().expect("no panic");
    }
}
