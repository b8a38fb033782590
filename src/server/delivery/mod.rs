//! From a sender's lines to the bytes on its recipients' sockets.

pub(crate) mod batch;
mod buf_list;
pub(crate) mod flush_list;
pub(crate) mod outbox;
#[cfg(test)]
mod tests;
mod writer;
