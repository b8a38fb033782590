//! The connection to the server: a thread that reads it, a buffer of what is to be sent, and when to connect again.

pub(crate) mod backoff;
pub(crate) mod reader;
pub(crate) mod send_buffer;
