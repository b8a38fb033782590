//! Who is here: names to members, and members in order of arrival.
//!
//! The registry stands behind one `RwLock`. Nothing that may wait happens while its guard is held. Looking members up takes
//! the read lock and a snapshot; every change checks and acts in one step under the write lock. The registry's lock is taken
//! before an outbox's.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::delivery::Member;
use crate::protocol::Name;

/// The name of the user that answers every message, unless the server runs without it (G11).
const ECHOBOT: &str = "echobot";

/// Why a login was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinError {
    NameInUse,
    /// As many clients are logged in as may be, in all or from one address.
    Full,
}

pub(crate) struct Registry {
    /// Every member, by its number: the order in which they came.
    members: BTreeMap<u64, Arc<Member>>,
    /// The numbers of those that are logged in, by name.
    by_name: HashMap<Name, u64>,
    last_number: u64,
    max_clients: usize,
    /// Logged-in clients from one address.
    max_per_address: Option<usize>,
    /// The name of `echobot` if it is online.
    echobot: Option<Name>,
}

impl Registry {
    pub(crate) fn new(max_clients: usize, max_per_address: Option<usize>, has_echobot: bool) -> Self {
        let echobot = ECHOBOT.parse().ok().filter(|_| has_echobot);
        let (members, by_name) = (BTreeMap::new(), HashMap::new());
        Self { members, by_name, last_number: 0, max_clients, max_per_address, echobot }
    }

    /// Logs a member in, or changes the name of the member with the number `known` (G4), or lets a member without a name
    /// listen (W2). Returns the member's number. `welcome` is called before any other thread can see the member, so what it
    /// adds to the outbox comes before any delivery (G6). On an error nothing has changed.
    pub(crate) fn join(
        &mut self,
        known: Option<u64>,
        member: Member,
        welcome: impl FnOnce(&Member),
    ) -> Result<u64, JoinError> {
        let before = known.and_then(|number| self.members.get(&number)).map(|member| member.name.is_some());
        if let Some(name) = &member.name {
            let holder = self.by_name.get(name.as_str()).copied();
            if self.is_echobot(name.as_str()) || holder.is_some_and(|holder| Some(holder) != known) {
                return Err(JoinError::NameInUse);
            }
            if before != Some(true) && self.is_full(&member) {
                return Err(JoinError::Full);
            }
        }
        welcome(&member);
        if let Some(number) = known {
            self.leave(number);
        }
        let number = known.filter(|_| before == Some(true)).unwrap_or_else(|| {
            self.last_number += 1;
            self.last_number
        });
        if let Some(name) = &member.name {
            self.by_name.insert(name.clone(), number);
        }
        self.members.insert(number, Arc::new(member));
        Ok(number)
    }

    fn is_full(&self, newcomer: &Member) -> bool {
        let is_neighbour = |member: &&Arc<Member>| member.name.is_some() && member.source == newcomer.source;
        self.by_name.len() >= self.max_clients
            || self.max_per_address.is_some_and(|max| self.members.values().filter(is_neighbour).count() >= max)
    }

    /// Takes the member with this number out. Its name is free at once (G5).
    pub(crate) fn leave(&mut self, number: u64) {
        if let Some(name) = self.members.remove(&number).as_ref().and_then(|member| member.name.as_ref()) {
            self.by_name.remove(name.as_str());
        }
    }

    pub(crate) fn online(&self) -> usize {
        self.by_name.len()
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Member>> {
        self.members.get(self.by_name.get(name)?).cloned()
    }

    pub(crate) fn everyone_but(&self, number: Option<u64>) -> Vec<Arc<Member>> {
        self.members.iter().filter(|(key, _)| Some(**key) != number).map(|(_, member)| Arc::clone(member)).collect()
    }

    /// Returns the names of those that are logged in, in order of arrival. `echobot` comes first.
    pub(crate) fn names(&self) -> Vec<Name> {
        self.echobot.iter().chain(self.members.values().filter_map(|member| member.name.as_ref())).cloned().collect()
    }

    pub(crate) fn is_echobot(&self, name: &str) -> bool {
        self.echobot.as_ref().is_some_and(|echobot| echobot.as_str() == name)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::protocol::DIALECTS;
    use crate::server::delivery::outbox::Outbox;
    use crate::server::delivery::socket::ClientSocket;
    use crate::server::source::Source;
    use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
    use std::time::Duration;

    pub(crate) fn outbox() -> Arc<Outbox> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        Arc::new(Outbox::new(ClientSocket::new(stream), Duration::from_secs(2)))
    }

    fn member(name: &str) -> Member {
        let source = Source::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        Member { name: name.parse::<Name>().ok(), dialect: DIALECTS[0], source, outbox: outbox(), trace: None }
    }

    fn room(clients: usize, has_echobot: bool) -> Registry {
        Registry::new(clients, None, has_echobot)
    }

    fn join(registry: &mut Registry, known: Option<u64>, name: &str) -> Result<u64, JoinError> {
        registry.join(known, member(name), |_| ())
    }

    fn names(registry: &Registry) -> Vec<String> {
        registry.names().iter().map(ToString::to_string).collect()
    }

    fn is_online(registry: &Registry, name: &str) -> bool {
        registry.find(name).is_some_and(|member| member.name.as_ref().is_some_and(|found| found.as_str() == name))
    }

    #[test]
    fn g4_a_name_in_use_is_told_before_a_full_room() {
        let mut registry = room(1, true);
        let ann = join(&mut registry, None, "ann").expect("there is room");
        assert_eq!(join(&mut registry, None, "ann"), Err(JoinError::NameInUse));
        assert_eq!(join(&mut registry, None, "echobot"), Err(JoinError::NameInUse));
        assert_eq!(join(&mut registry, None, "bob"), Err(JoinError::Full));
        registry.leave(ann);
        assert!(join(&mut registry, None, "bob").is_ok());
    }

    #[test]
    fn g5_a_late_leave_does_not_remove_the_next_owner_of_the_name() {
        let mut registry = room(9, true);
        let first = join(&mut registry, None, "ann").expect("it is free");
        registry.leave(first);
        let second = join(&mut registry, None, "ann").expect("it is free again");
        registry.leave(first);
        assert!(is_online(&registry, "ann") && first != second);
    }

    #[test]
    fn w1_a_new_name_keeps_the_place_and_frees_the_old_name() {
        let mut registry = room(2, true);
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
        let mut registry = room(2, false);
        let mut welcomed = Vec::new();
        assert!(registry.join(None, member("ann"), |member| welcomed.push(member.name.clone())).is_ok());
        assert!(registry.join(None, member("ann"), |member| welcomed.push(member.name.clone())).is_err());
        assert_eq!(welcomed, [member("ann").name]);
    }

    #[test]
    fn g11_echobot_is_listed_first_and_counts_for_nothing() {
        let mut registry = room(1, true);
        let ann = join(&mut registry, None, "ann").expect("there is room");
        assert_eq!(names(&registry), ["echobot", "ann"]);
        assert!(registry.is_echobot("echobot") && registry.find("echobot").is_none());
        assert!(registry.everyone_but(Some(ann)).is_empty() && registry.everyone_but(None).len() == 1);

        let mut without = room(1, false);
        assert!(!without.is_echobot("echobot") && without.find("echobot").is_none());
        assert!(join(&mut without, None, "echobot").is_ok());
        assert_eq!(names(&without), ["echobot"]);
    }

    #[test]
    fn w2_a_listener_hears_everything_and_is_not_online() {
        let mut registry = room(1, false);
        let listener = join(&mut registry, None, "").expect("anyone may listen");
        let bob = join(&mut registry, None, "bob").expect("there is room");
        assert_eq!((registry.everyone_but(Some(bob)).len(), registry.online()), (1, 1));
        assert_eq!(join(&mut registry, Some(listener), "ann"), Err(JoinError::Full));
        registry.leave(bob);
        join(&mut registry, Some(listener), "ann").expect("there is room");
        assert_eq!((names(&registry), registry.everyone_but(None).len()), (vec![String::from("ann")], 1));
    }

    #[test]
    fn so_many_of_one_address_are_logged_in_and_no_more() {
        let mut registry = Registry::new(9, Some(2), false);
        let ann = join(&mut registry, None, "ann").expect("there is room");
        join(&mut registry, None, "bob").expect("there is room");
        assert_eq!(join(&mut registry, None, "eve"), Err(JoinError::Full));
        assert_eq!(join(&mut registry, Some(ann), "eve"), Ok(ann));
        registry.leave(ann);
        assert!(join(&mut registry, None, "ann").is_ok());
    }
}
