//! Parley: a chat server and a chat client for small line-based protocols, on one port, in one room.
//!
//! # Layers
//!
//! ```text
//! bin/server, bin/client      main: parse the command line, run, one exit status
//!            cli              command lines
//!   server   |   client       each knows nothing of the other
//!   net, log, signals, sys    bytes in and out; events; signals; what std lacks
//!          protocol           lines to requests and events, and back: plain functions
//!           limits            every number, with its unit and reason
//! ```
//!
//! Imports point downwards only.
//!
//! # Threads
//!
//! Server: one thread accepts; each client has one thread, its reader, which also writes to others; only a client that
//! does not keep up gets a second one, its writer, for a while; one thread writes the log, one waits for signals, and
//! `main` waits for what that one reports. Client: one thread reads standard input, one reads the socket, one waits for
//! signals, and `main` owns everything else: a session, which is a function from what happens to what is to be done, and
//! a console, in which an editor turns keys into lines and a screen turns lines into what a terminal is told. Those three
//! do no I/O.
//!
//! # The way of one message
//!
//! Three hops on one thread, from the sender's socket to the recipient's:
//!
//! 1. the sender's [reader](net::LineReader) has a line, and the sender's [dialect](protocol::Dialect) decodes it to a
//!    [`protocol::Request::Direct`];
//! 2. the registry finds the recipient, whose dialect encodes a [`protocol::Event::Delivery`] into the recipient's
//!    outbox;
//! 3. when the sender's reader has no further whole line, every outbox it touched is flushed: one `write` each.
//!
//! # The lock rule
//!
//! While a guard of the registry is held nothing is written to a socket, awaited or logged. Whoever takes both locks
//! takes the registry's first and an outbox's second. No other two locks are ever held at once.

pub mod cli;
pub mod client;
pub mod limits;
pub mod log;
pub mod net;
pub mod program;
pub mod protocol;
pub mod server;
pub mod signals;
pub mod sys;
#[cfg(test)]
mod testing;
