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
pub(crate) const ECHOBOT: &str = "echobot";

/// Somebody who is logged in. A new name is a new member with the same outbox.
pub(crate) struct Member {
    pub(crate) name: Name,
    /// What the member's client speaks.
    pub(crate) dialect: &'static dyn Dialect,
    /// Where bytes for the member go.
    pub(crate) outbox: Arc<Outbox>,
}

/// Whom a direct message is for.
pub(crate) enum Recipient {
    /// A client.
    Member(Arc<Member>),
    /// The server itself: the message goes back to the sender.
    Echobot,
}

/// Why somebody did not get a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinError {
    /// Somebody has it.
    NameInUse,
    /// There are as many clients as may be.
    Full,
}

/// Who is online.
pub(crate) struct Registry {
    /// Every member, by the number of its login.
    arrivals: BTreeMap<u64, Arc<Member>>,
    /// The number of the login, by the name that the member has now.
    by_name: HashMap<Name, u64>,
    /// How many logins there have been.
    logins: u64,
    /// How many members there may be.
    max_clients: usize,
    /// Whether [`ECHOBOT`] is online.
    has_echobot: bool,
}

impl Registry {
    /// Creates an empty room for `max_clients`, not counting `echobot`.
    pub(crate) fn new(max_clients: usize, has_echobot: bool) -> Self {
        Self { arrivals: BTreeMap::new(), by_name: HashMap::new(), logins: 0, max_clients, has_echobot }
    }

    /// Logs somebody in, or changes the name of the member with the login `known` (G4). Returns the number of the login.
    /// Before anybody else can see the new name, `welcome` is called: what it adds to the member's outbox comes before any
    /// delivery (G6). On an error nothing has changed.
    pub(crate) fn join(
        &mut self,
        known: Option<u64>,
        member: Member,
        welcome: impl FnOnce(&Member),
    ) -> Result<u64, JoinError> {
        let holder = self.by_name.get(member.name.as_str()).copied();
        if holder.is_some_and(|holder| Some(holder) != known) || self.is_echobot(member.name.as_str()) {
            return Err(JoinError::NameInUse);
        }
        if known.is_none() && self.arrivals.len() >= self.max_clients {
            return Err(JoinError::Full);
        }
        welcome(&member);
        let number = known.unwrap_or_else(|| {
            self.logins += 1;
            self.logins
        });
        self.leave(number);
        self.by_name.insert(member.name.clone(), number);
        self.arrivals.insert(number, Arc::new(member));
        Ok(number)
    }

    /// Takes the member with this login out; its name is free at once (G5).
    pub(crate) fn leave(&mut self, number: u64) {
        if let Some(member) = self.arrivals.remove(&number) {
            self.by_name.remove(member.name.as_str());
        }
    }

    /// Returns who has this name.
    pub(crate) fn find(&self, name: &str) -> Option<Recipient> {
        if self.is_echobot(name) {
            return Some(Recipient::Echobot);
        }
        self.arrivals.get(self.by_name.get(name)?).cloned().map(Recipient::Member)
    }

    /// Returns everyone, to be written to without the lock.
    pub(crate) fn everyone(&self) -> Vec<Arc<Member>> {
        self.arrivals.values().cloned().collect()
    }

    /// Returns everyone but the member with this login.
    pub(crate) fn everyone_but(&self, number: u64) -> Vec<Arc<Member>> {
        self.arrivals.iter().filter(|(key, _)| **key != number).map(|(_, member)| Arc::clone(member)).collect()
    }

    /// Returns the names of all who are online, in order of arrival; `echobot` was there before anybody.
    pub(crate) fn names(&self) -> Vec<Name> {
        let echobot = self.has_echobot.then(|| ECHOBOT.parse::<Name>().ok()).flatten();
        echobot.into_iter().chain(self.arrivals.values().map(|member| member.name.clone())).collect()
    }

    fn is_echobot(&self, name: &str) -> bool {
        self.has_echobot && name == ECHOBOT
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::protocol::DIALECTS;
    use crate::server::delivery::config::OutboxConfig;
    use crate::server::delivery::socket::ClientSocket;
    use crate::server::memory::MemoryBudget;
    use crate::server::semaphore::Semaphore;
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    pub(crate) fn outbox() -> Arc<Outbox> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        let settings = OutboxConfig {
            max_backlog: 1 << 20,
            slow_timeout: Duration::from_secs(2),
            stall_timeout: Duration::from_secs(2),
            writer_linger: Duration::from_secs(2),
            memory: MemoryBudget::new(usize::MAX),
            max_writers: 0,
            writers: AtomicUsize::new(0),
            flooders: [Semaphore::new(1), Semaphore::new(1)],
            long_lines: Semaphore::new(1),
        };
        Arc::new(Outbox::new(ClientSocket::new(stream, None), Arc::new(settings)))
    }

    fn member(name: &str) -> Member {
        Member { name: name.parse::<Name>().expect("a name"), dialect: DIALECTS[0], outbox: outbox() }
    }

    fn join(registry: &mut Registry, known: Option<u64>, name: &str) -> Result<u64, JoinError> {
        registry.join(known, member(name), |_| ())
    }

    fn names(registry: &Registry) -> Vec<String> {
        registry.names().iter().map(ToString::to_string).collect()
    }

    fn is_online(registry: &Registry, name: &str) -> bool {
        matches!(registry.find(name), Some(Recipient::Member(member)) if member.name.as_str() == name)
    }

    #[test]
    fn g4_a_name_in_use_is_told_before_a_full_room() {
        let mut registry = Registry::new(1, true);
        let ann = join(&mut registry, None, "ann").expect("there is room");
        assert_eq!(join(&mut registry, None, "ann"), Err(JoinError::NameInUse));
        assert_eq!(join(&mut registry, None, "echobot"), Err(JoinError::NameInUse));
        assert_eq!(join(&mut registry, None, "bob"), Err(JoinError::Full));
        registry.leave(ann);
        assert!(join(&mut registry, None, "bob").is_ok());
    }

    #[test]
    fn g5_a_late_leave_does_not_remove_the_next_owner_of_the_name() {
        let mut registry = Registry::new(9, true);
        let first = join(&mut registry, None, "ann").expect("it is free");
        registry.leave(first);
        let second = join(&mut registry, None, "ann").expect("it is free again");
        registry.leave(first);
        assert!(is_online(&registry, "ann") && first != second);
    }

    #[test]
    fn a_new_name_keeps_the_place_and_frees_the_old_name() {
        let mut registry = Registry::new(2, true);
        let ann = join(&mut registry, None, "ann").expect("there is room");
        join(&mut registry, None, "bob").expect("there is room");
        assert_eq!(join(&mut registry, Some(ann), "bob"), Err(JoinError::NameInUse));
        assert_eq!(join(&mut registry, Some(ann), "eve"), Ok(ann));
        assert_eq!(names(&registry), ["echobot", "eve", "bob"]);
        assert!(!is_online(&registry, "ann") && is_online(&registry, "eve"));
        assert_eq!(join(&mut registry, Some(ann), "eve"), Ok(ann));
        assert_eq!(names(&registry), ["echobot", "eve", "bob"]);
        registry.leave(ann);
        assert_eq!(names(&registry), ["echobot", "bob"]);
    }

    #[test]
    fn g6_the_welcome_is_called_before_the_name_can_be_found() {
        let mut registry = Registry::new(2, false);
        let mut welcomed = Vec::new();
        assert!(registry.join(None, member("ann"), |member| welcomed.push(member.name.to_string())).is_ok());
        assert!(registry.join(None, member("ann"), |member| welcomed.push(member.name.to_string())).is_err());
        assert_eq!(welcomed, ["ann"]);
    }

    #[test]
    fn g11_echobot_is_listed_first_and_counts_for_nothing() {
        let mut registry = Registry::new(1, true);
        let ann = join(&mut registry, None, "ann").expect("there is room");
        assert_eq!(names(&registry), ["echobot", "ann"]);
        assert!(matches!(registry.find("echobot"), Some(Recipient::Echobot)));
        assert!(registry.everyone_but(ann).is_empty() && registry.everyone().len() == 1);

        let mut without = Registry::new(1, false);
        assert!(without.find("echobot").is_none());
        assert!(join(&mut without, None, "echobot").is_ok());
        assert_eq!(names(&without), ["echobot"]);
    }
}
