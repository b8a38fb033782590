//! Parley: a chat server and a chat client for small line-based protocols, on one port, in one room.

pub mod limits;
pub mod net;
pub mod protocol;
