//! From a sender's lines to the bytes on its recipients' sockets.
//!
//! What one read brought is encoded into [batches](batch), added to the recipients' [outboxes](outbox), and then written, at
//! the latest after 128 KiB: the sender's [flush list](flush_list) knows which outboxes have to be.
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
//!   for anything, so pending bytes never lie forgotten. (What somebody who is not logged in has not taken is written by the
//!   thread that reads from it.)
//! - *Direct*: a sender writes, outside the lock, and takes along what others add meanwhile. So one line is one `write` when
//!   the room is idle, everything pending is one `write` when it is busy, and two senders never interleave. It never waits
//!   for the recipient.
//! - *Queued*: a [writer] thread writes, and senders only add, until the recipient has kept up for a second.
//! - *closed*: nothing goes out any more. The mode stays what it was, so that nobody writes behind bytes that are lost.
//!
//! # How much may be pending
//!
//! The *backlog* of a recipient is what is pending for it and what is being written. Half of `max_backlog` is the *mark*.
//!
//! ```text
//!   0              the mark        max_backlog     + a quarter
//!   ├───────────────────┼───────────────────┼─────────┤
//!     all is admitted     all that fits       reserve: what an allowance covers
//! ```
//!
//! - An addition is a batch, which ends at 128 KiB of what it becomes, or one line. Up to the mark it is admitted, past
//!   that if it fits.
//! - Otherwise its sender waits: that is the backpressure which slows a flood down instead of losing it. Its bytes queue up
//!   in the outbox and are admitted in turn, as soon as the backlog is down to the mark. A broadcast waits for all its
//!   recipients at once.
//! - Who says little does not wait. Each sender has an [allowance], earned in silence. What it covers goes into the
//!   reserve, past all who wait. A recipient that leaves nothing of its reserve is disconnected at once.
//! - While the backlog is over the mark, or somebody waits, a recipient has to take its bytes. The time in which it takes
//!   less than 256 KiB/s is added up over a minute ([`slow_clock`]); more than `slow_timeout`, and it is disconnected.
//! - Who floods has its lines handled in turn: as many of them at a time as there are processors, and half as many of those
//!   that had to wait lately, so that the threads of all others find one when they wake; those who have taken less of its time
//!   come first. Clients that flood or are flooded are also written to last, and once a sender that does not flood has said
//!   more, after that.
//! - A sender that waits still sees that its own connection was reset, so that its name is free (G5).

mod allowance;
pub(crate) mod batch;
mod buf_list;
pub(crate) mod config;
pub(crate) mod flush_list;
pub(crate) mod outbox;
mod slow_clock;
pub(crate) mod socket;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod writer;
