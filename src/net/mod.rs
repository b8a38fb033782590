//! Bytes on their way in and out: the write loop, the bounded line reader, what telnet adds to a line, and how a line looks
//! that is to be seen as it is.
//!
//! Knows nothing of protocols. The server and the client both build on it.

mod excerpt;
mod line_reader;
mod telnet;
mod write;

pub(crate) use excerpt::Excerpt;
pub use line_reader::{Line, LineReader};
pub(crate) use telnet::TelnetReader;
pub use write::{write_available, write_fully};
