//! The client, driven through pipes.

mod blocked_output;
mod cap_client;
mod chat1_client;
mod client_faults;
mod foreign_servers;
mod reconnect;
mod scripts;
mod wac_client;
