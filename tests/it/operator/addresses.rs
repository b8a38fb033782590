//! Where the server listens.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

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

#[test]
fn the_log_says_how_others_connect_where_they_can() {
    let own = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        // Nothing is sent: the system picks the address that a datagram would come from.
        socket.connect("192.0.2.1:9")?;
        Ok(socket.local_addr()?.ip())
    });
    match own {
        Ok(own) => {
            for address in ["0.0.0.0", &own.to_string()] {
                let server = Server::with(&["--address", address]);
                let port = server.port();
                server.wait_for_log(&format!("others connect with: client --address {own} --port {port}"));
                users_meet(&server, &BTreeSet::from([own]));
            }
        }
        Err(error) => tell(&format!("0.0.0.0 is not tried: {error}")),
    }
    let server = Server::start();
    let _ann = server.cap("ann");
    server.wait_for_log("ann logged in");
    assert!(!server.log().contains("others connect"), "{}", server.log());
}

#[expect(clippy::print_stderr, reason = "the machine lacks something, which is no failure")]
fn tell(text: &str) {
    eprintln!("{text}");
}
