//! Bytes on their way in and out: the write loop, the bounded line reader, and what telnet adds to a line.
//!
//! Knows nothing of protocols. The server and the client both build on it.

mod line_reader;
mod telnet;
mod write;

pub use line_reader::{Line, LineReader};
pub use telnet::TelnetReader;
pub use write::{write_available, write_fully};
