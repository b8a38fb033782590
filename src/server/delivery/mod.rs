//! From a sender's lines to the bytes on its recipients' sockets.
//!
//! Everything that one read brought is encoded into [batches](batch), added to the recipients' [outboxes](outbox), and
//! then written: the sender's [flush list](flush_list) knows which outboxes have to be.
//!
//! # Who writes
//!
//! ```text
//!              flush                   all sent
//!     ┌──────────────────► Direct ──────────────────┐
//!     │                     │  │                    │
//!   Idle ◄──────────────────┼──┼────────────────────┘
//!     ▲                     │  │ error, panic
//!     │  the socket is full,│  └──────────────► closed ◄── error, slow, stalled,
//!     │  or 16 rounds       ▼                      ▲       no writer to be had
//!     └──────────────── Queued ────────────────────┘
//!       nothing left for
//!       a while
//! ```
//!
//! - *Idle*: nobody writes. While bytes are pending, some sender has the outbox on its flush list. It flushes before it waits
//!   for anything, so pending bytes never lie forgotten.
//! - *Direct*: a sender writes, outside the lock, and takes along what others add meanwhile. So one line is one `write` when
//!   the room is idle, everything pending is one `write` when it is busy, and two senders never interleave. It never waits
//!   for the recipient.
//! - *Queued*: a [writer] thread writes, and senders only add, until the recipient has kept up for a second.
//! - *closed*: nothing goes out any more. The mode stays what it was, so that nobody writes behind bytes that are lost.
//!
//! # How much may be pending
//!
//! The backlog of a recipient is what is pending for it and what is being written. An addition that would make it larger
//! than `max_backlog` is not admitted: its sender waits until the backlog is down to the low water mark, and so does
//! everybody who comes after it. That is the backpressure that slows a flood down instead of losing it. The same happens
//! when a recipient has been over the mark for half of `slow_timeout`, so that one that does read, however busy its senders,
//! gets below it within the other half; one that does not is disconnected.

pub(crate) mod batch;
mod buf_list;
pub(crate) mod flush_list;
pub(crate) mod outbox;
pub(crate) mod socket;
#[cfg(test)]
mod tests;
mod writer;
