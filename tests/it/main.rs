//! Tests of the real programs over real sockets. Each rule of the protocols is named in the test that proves it.
//!
//! Nothing here sleeps: a test waits for a fact, with a deadline, and proves silence by a line that comes next.

#![allow(clippy::disallowed_methods, reason = "a test may wait until all that it sends is taken")]
#![allow(
    clippy::large_stack_arrays,
    clippy::naive_bytecount,
    clippy::items_after_statements,
    reason = "plain ways are enough in tests"
)]

mod announce;
mod blocked_output;
mod cap_client;
mod cap_server;
mod chat1_client;
mod chat1_server;
mod cli;
mod client_faults;
mod common_rules;
mod counts;
mod crossing;
mod crowd;
mod faults;
mod flood;
mod foreign_clients;
mod foreign_servers;
mod fuzz;
mod install;
mod outbox;
mod people;
mod places;
mod plain_terminal;
mod reconnect;
mod shutdown;
mod support;
mod terminal;
mod terminal_connection;
mod terminal_editing;
mod terminal_modes;
mod terminal_rows;
mod tidy;
mod trace;
mod wac_client;
mod wac_server;

#[path = "../../src/testing/random.rs"]
mod random;
#[path = "../../src/testing/virtual_screen.rs"]
mod virtual_screen;
