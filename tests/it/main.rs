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

mod client;
mod operator;
mod server;
mod support;
mod terminal;

#[path = "../../src/testing/random.rs"]
mod random;
#[path = "../../src/testing/virtual_screen.rs"]
mod virtual_screen;
