//! Where the server listens.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, ToSocketAddrs};

use crate::support::{Peer, Server};

/// Users of all these addresses meet on the one port of the server.
#[track_caller]
fn users_meet(server: &Server, addresses: &BTreeSet<IpAddr>) {
    let mut ann = server.cap("ann");
    for (number, address) in addresses.iter().enumerate() {
        let stream = TcpStream::connect((*address, server.address.port()));
        let stream = stream.unwrap_or_else(|error| panic!("the server does not listen on {address}: {error}"));
        let mut peer = Peer::new(stream);
        peer.ask(&format!("HELLO-FROM c{number}"), &format!("HELLO c{number}"));
        ann.ask(&format!("SEND c{number} hi"), "SEND-OK");
        peer.expect("DELIVERY ann hi");
        peer.finish();
        peer.expect_end();
    }
}

#[test]
fn without_an_address_it_listens_on_both_loopback_addresses() {
    let mut addresses = BTreeSet::from([IpAddr::from(Ipv4Addr::LOCALHOST)]);
    match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => drop(addresses.insert(Ipv6Addr::LOCALHOST.into())),
        Err(error) => tell(&format!("::1 is not tried: {error}")),
    }
    users_meet(&Server::start(), &addresses);
}

#[test]
fn with_a_name_it_listens_on_every_address_of_the_name() {
    let addresses = ("localhost", 0).to_socket_addrs().expect("localhost has an address");
    let addresses = addresses.map(|address| address.ip()).collect();
    users_meet(&Server::with(&["--address", "localhost"]), &addresses);
}

#[expect(clippy::print_stderr, reason = "the machine lacks something, which is no failure")]
fn tell(text: &str) {
    eprintln!("{text}");
}
