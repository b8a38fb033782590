//! Who is online: names to members, and members in order of arrival.
//!
//! The registry stands behind one `RwLock`. Nothing is sent, awaited or logged while its guard is held; looking members
//! up takes the read lock and a snapshot, and every change checks and acts in one step under the write lock. Whoever
//! needs both takes the registry's lock first and an outbox's second.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::delivery::outbox::Outbox;
use crate::protocol::{Dialect, Name};

/// The name that always answers, unless the server was told to do without it (G11).
pub(super) const ECHOBOT: &str = "echobot";

/// Somebody who is logged in. A new name is a new member with the same id.
pub(super) struct Member {
    /// The connection's id: what tells a member from the next one of the same name.
    pub id: u64,
    /// The name.
    pub name: Name,
    /// What the member's client speaks.
    pub dialect: &'static dyn Dialect,
    /// Where bytes for the member go.
    pub outbox: Arc<Outbox>,
}

/// Whom a direct message is for.
pub(super) enum Recipient {
    /// A client.
    Member(Arc<Member>),
    /// The server itself: the message goes back to the sender.
    Echobot,
}

/// Why somebody did not get a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinError {
    /// Somebody has it.
    NameInUse,
    /// There are as many clients as may be.
    Full,
}

/// Who is online.
pub(super) struct Registry {
    /// Every member, by the name it has now. Holds the same members as `arrivals`.
    by_name: HashMap<Name, Arc<Member>>,
    /// Every member, by the number of its login.
    arrivals: BTreeMap<u64, Arc<Member>>,
    /// The number of the login of each connection, by the connection's id.
    numbers: HashMap<u64, u64>,
    /// How many logins there have been.
    logins: u64,
    /// How many members there may be.
    max_clients: usize,
    /// Whether [`ECHOBOT`] is online.
    has_echobot: bool,
}

impl Registry {
    /// An empty room for `max_clients`, not counting `echobot`.
    pub(super) fn new(max_clients: usize, has_echobot: bool) -> Self {
        Self {
            by_name: HashMap::new(),
            arrivals: BTreeMap::new(),
            numbers: HashMap::new(),
            logins: 0,
            max_clients,
            has_echobot,
        }
    }

    /// Logs somebody in, or changes the name of somebody who is (G4). Before anybody else can see the new name, `welcome`
    /// is called: what it adds to the member's outbox comes before any delivery (G6).
    ///
    /// # Errors
    ///
    /// [`JoinError`], and then nothing has changed.
    pub(super) fn join(&mut self, member: Member, welcome: impl FnOnce(&Member)) -> Result<Arc<Member>, JoinError> {
        let taken = self.by_name.get(member.name.as_str()).is_some_and(|holder| holder.id != member.id);
        if taken || (self.has_echobot && member.name.as_str() == ECHOBOT) {
            return Err(JoinError::NameInUse);
        }
        let known = self.numbers.get(&member.id).copied();
        if known.is_none() && self.arrivals.len() >= self.max_clients {
            return Err(JoinError::Full);
        }
        welcome(&member);
        let number = known.unwrap_or(self.logins);
        if known.is_none() {
            self.logins += 1;
            self.numbers.insert(member.id, number);
        }
        let member = Arc::new(member);
        if let Some(before) = self.arrivals.insert(number, Arc::clone(&member)) {
            self.by_name.remove(before.name.as_str());
        }
        self.by_name.insert(member.name.clone(), Arc::clone(&member));
        Ok(member)
    }

    /// Takes the member of this connection out; its name is free at once (G5). Does nothing when there is none.
    pub(super) fn leave(&mut self, id: u64) {
        let number = self.numbers.remove(&id);
        if let Some(member) = number.and_then(|number| self.arrivals.remove(&number)) {
            self.by_name.remove(member.name.as_str());
        }
    }

    /// Who has this name.
    pub(super) fn find(&self, name: &str) -> Option<Recipient> {
        if self.has_echobot && name == ECHOBOT {
            return Some(Recipient::Echobot);
        }
        self.by_name.get(name).cloned().map(Recipient::Member)
    }

    /// Everyone but the member of this connection. A snapshot, to be written to without the lock.
    pub(super) fn everyone_but(&self, id: u64) -> Vec<Arc<Member>> {
        self.arrivals.values().filter(|member| member.id != id).cloned().collect()
    }

    /// How many members there are.
    pub(super) fn count(&self) -> usize {
        self.arrivals.len()
    }

    /// The names of all who are online, in order of arrival; `echobot` was there before anybody.
    pub(super) fn names(&self) -> Vec<Name> {
        let echobot = self.has_echobot.then(|| ECHOBOT.parse::<Name>().ok()).flatten();
        echobot.into_iter().chain(self.arrivals.values().map(|member| member.name.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::DIALECTS;
    use crate::server::delivery::outbox::OutboxConfig;
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    fn member(id: u64, name: &str) -> Member {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        let settings = OutboxConfig {
            max_backlog: 1 << 20,
            slow_timeout: Duration::from_secs(2),
            stall_timeout: Duration::from_secs(2),
            writer_linger: Duration::from_secs(2),
            writers_left: AtomicUsize::new(0),
        };
        let outbox = Arc::new(Outbox::new(stream, Arc::new(settings)));
        Member { id, name: name.parse::<Name>().expect("a name"), dialect: DIALECTS[0], outbox }
    }

    fn names(registry: &Registry) -> Vec<String> {
        registry.names().iter().map(ToString::to_string).collect()
    }

    fn holder(registry: &Registry, name: &str) -> Option<u64> {
        match registry.find(name) {
            Some(Recipient::Member(member)) => Some(member.id),
            _ => None,
        }
    }

    #[test]
    fn g4_a_name_in_use_is_told_before_a_full_room() {
        let mut registry = Registry::new(1, true);
        assert!(registry.join(member(1, "ann"), |_| ()).is_ok());
        assert_eq!(registry.join(member(2, "ann"), |_| ()).err(), Some(JoinError::NameInUse));
        assert_eq!(registry.join(member(2, "echobot"), |_| ()).err(), Some(JoinError::NameInUse));
        assert_eq!(registry.join(member(2, "bob"), |_| ()).err(), Some(JoinError::Full));
        registry.leave(1);
        assert!(registry.join(member(2, "bob"), |_| ()).is_ok());
    }

    #[test]
    fn g5_a_late_leave_does_not_remove_the_next_owner_of_the_name() {
        let mut registry = Registry::new(9, true);
        assert!(registry.join(member(1, "ann"), |_| ()).is_ok());
        registry.leave(1);
        assert!(registry.join(member(2, "ann"), |_| ()).is_ok());
        registry.leave(1);
        assert_eq!(holder(&registry, "ann"), Some(2));
    }

    #[test]
    fn a_new_name_keeps_the_place_and_frees_the_old_name() {
        let mut registry = Registry::new(2, true);
        for (id, name) in [(1, "ann"), (2, "bob")] {
            assert!(registry.join(member(id, name), |_| ()).is_ok());
        }
        assert_eq!(registry.join(member(1, "bob"), |_| ()).err(), Some(JoinError::NameInUse));
        assert!(registry.join(member(1, "eve"), |_| ()).is_ok());
        assert_eq!(names(&registry), ["echobot", "eve", "bob"]);
        assert_eq!((holder(&registry, "ann"), holder(&registry, "eve")), (None, Some(1)));
        assert!(registry.join(member(1, "eve"), |_| ()).is_ok());
        assert_eq!(names(&registry), ["echobot", "eve", "bob"]);
        registry.leave(1);
        assert_eq!(names(&registry), ["echobot", "bob"]);
    }

    #[test]
    fn g6_the_welcome_is_called_before_the_name_can_be_found() {
        let mut registry = Registry::new(2, false);
        let mut welcomed = Vec::new();
        assert!(registry.join(member(1, "ann"), |member| welcomed.push(member.name.to_string())).is_ok());
        assert!(registry.join(member(2, "ann"), |member| welcomed.push(member.name.to_string())).is_err());
        assert_eq!(welcomed, ["ann"]);
    }

    #[test]
    fn g11_echobot_is_listed_first_and_counts_for_nothing() {
        let mut registry = Registry::new(1, true);
        assert!(registry.join(member(1, "ann"), |_| ()).is_ok());
        assert_eq!(names(&registry), ["echobot", "ann"]);
        assert!(matches!(registry.find("echobot"), Some(Recipient::Echobot)));
        assert!(registry.everyone_but(1).is_empty());

        let mut without = Registry::new(1, false);
        assert!(without.find("echobot").is_none());
        assert!(without.join(member(1, "echobot"), |_| ()).is_ok());
        assert_eq!(names(&without), ["echobot"]);
    }
}
