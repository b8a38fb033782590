//! Parley: a chat server and a chat client for three small line-based protocols, on one port, in one room.
//!
//! It is for a class, a LAN, one machine. It is no IRC: there are no channels, operators, passwords, encryption or
//! history, servers do not link, and messages are never stored. It uses no async runtime and no crate but the
//! standard library: one thread per client is enough for as many clients as a machine's limits allow.
//!
//! # Layers
//!
//! ```text
//! bin/server  bin/client  bin/bench   main: parse the command line, run, one exit status
//!               cli                   command lines
//!    server    |    client            each knows nothing of the other
//!  net  log  signals  sys  program    bytes in and out; events; signals; what std lacks; how a program fails
//!           protocol                  lines to requests and events, and back: plain functions
//!            limits                   every number that a user can notice, with its unit and reason
//! ```
//!
//! Imports point downwards only. The rooms of the two programs:
//!
//! | module | what it is |
//! |---|---|
//! | `server::connection` | one client: its thread reads, has lines handled, flushes, closes |
//! | `server::requests` | what a line asks for, and the answers |
//! | `server::lines` | a client's lines, also without line feeds |
//! | `server::registry` | who is here, by name and in order of arrival |
//! | `server::delivery` | from a sender's lines to its recipients' sockets: `sender`, `outbox`, `slow_clock`, `buf_list`, `socket` |
//! | `server::turns` | turns for senders that flood |
//! | `server::{capacity, lobby}` | what fits into the machine; the places of connections that are not logged in |
//! | `server::{counters, trace, rate_limit}` | what the log says of clients |
//! | `server::{shutdown, close_reason, secret, sync}` | the end; why a connection ended; WAC's secret; locks that outlive a panic |
//! | `client::event_loop` | the main loop, which owns the session, the ui, the connection and the `timer` |
//! | `client::session` | what happens in, what is to be done out: one file a dialect, what they share, and what can be typed |
//! | `client::connection` | the state of the connection: the `reader` thread of the socket, the `send_buffer`, the `backoff` between attempts |
//! | `client::ui` | `editor` (keys to lines), `line_input` (the terminal, its keys and the editor), `typing` (what is done about keys), `chat` (plain lines, or as a person likes them), `screen` (lines to bytes for a terminal, with `layout` of the line being typed and `wrap` of all others), `terminal` (modes), `style`, `transcript`, `unicode`, `output` |
//! | `client::{stdin, permits, messages}` | the thread on standard input; how far threads may read ahead; every text that a person is shown |
//! | `testing` | what tests need: pseudo-random numbers, a virtual screen |
//!
//! # Threads
//!
//! | program | thread | what it does |
//! |---|---|---|
//! | server | `main` | waits for signals |
//! | server | `stdout` | writes where the server listens, and ends |
//! | server | `acceptor` | one for each address: accepts connections, and starts a thread for each |
//! | server | `client-<id>` | one per client: reads it, and writes to others what it asks for |
//! | server | `writer` | writes to one client that does not keep up, until nothing is left |
//! | server | `shutdown` | waits for the end, and then begins it |
//! | both | `signals` | waits for signals, and reports them |
//! | server | `log` | writes events to standard error |
//! | client | `main` | the event loop |
//! | client | `stdin` | reads keys, or lines |
//! | client | `output` | writes standard output and standard error |
//! | client | `socket` | connects, then reads lines |
//!
//! Session, editor and screen do no I/O and look at no clock; they are tested as the functions they are.
//!
//! # The way of one message
//!
//! On the sender's thread, from its socket to the recipients' sockets:
//!
//! 1. the [reader](net::LineReader) has a line, and the sender's [dialect](protocol::Dialect) decodes it to a
//!    [`protocol::Request`];
//! 2. the recipients are looked up in the registry, and the message joins the sender's batch: consecutive messages to the
//!    same recipients, encoded once for each dialect as [`protocol::Event::Delivery`];
//! 3. at the end of the batch its bytes are pushed to each recipient's outbox;
//! 4. when no whole line is left, every outbox is flushed: one `write` each, which never waits. A writer thread takes over
//!    what a recipient does not take.
//!
//! # Where the rest is told
//!
//! The [promises] with the tests that prove them, the [figures] with how they were taken; the [protocols](protocol::overview)
//! side by side, and their [rules](protocol::rules) by id; the manuals of the [client](client::manual) and the
//! [server](server::manual).
//!
//! # The lock rule
//!
//! While a guard of the registry is held, nothing is written to a socket or awaited. The registry's lock is taken before an
//! outbox's. No other two locks are ever held at once.

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
#[doc = include_str!("figures.md")]
pub mod figures {}
#[doc = include_str!("promises.md")]
pub mod promises {}
#[cfg(test)]
mod testing;
