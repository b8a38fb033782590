//! From a sender's lines to the bytes on its recipients' sockets.
//!
//! A [sender] gathers messages to the same recipients into a batch, encodes it once for each dialect, adds it to the
//! recipients' [outboxes](outbox), and at the end of a read writes to each of them once. The outbox has the rules for
//! recipients that do not keep up.

mod buf_list;
pub(crate) mod outbox;
pub(crate) mod sender;
mod slow_clock;
pub(crate) mod socket;

use std::sync::Arc;

use self::outbox::Outbox;
use super::source::Source;
use super::trace::Traced;
use crate::protocol::{Dialect, Name};

/// A client that is sent what others say. A new name is a new member with the same outbox.
#[derive(Debug)]
pub(crate) struct Member {
    /// `None` is a client that hears broadcasts without being logged in (W2).
    pub(crate) name: Option<Name>,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) source: Source,
    pub(crate) outbox: Arc<Outbox>,
    /// Where the lines that it is sent are logged, if they are.
    pub(crate) trace: Option<Arc<Traced>>,
}
