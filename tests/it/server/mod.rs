//! The server, as its clients see it on bare connections.

mod announce;
mod cap_server;
mod chat1_server;
mod common_rules;
mod crossing;
mod crowd;
mod faults;
mod flood;
mod foreign_clients;
mod fuzz;
mod outbox;
mod wac_server;
