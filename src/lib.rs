//! Parley: a chat server and a chat client for small line-based protocols, on one port, in one room.

pub mod cli;
pub mod limits;
pub mod log;
pub mod net;
pub mod protocol;
pub mod server;
pub mod sys;
pub mod program;
