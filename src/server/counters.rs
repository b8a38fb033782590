//! What the server has done since its start, for a log line.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    MessagesIn,
    /// One for each recipient.
    MessagesOut,
    BytesIn,
    BytesOut,
    /// Connections and logins that were refused.
    Refused,
    /// Clients that did not read fast enough.
    Slow,
}

const COUNTS: usize = Count::Slow as usize + 1;

#[derive(Debug, Default)]
pub(crate) struct Counters([AtomicU64; COUNTS]);

impl Counters {
    pub(crate) fn add(&self, count: Count, number: usize) {
        self.0[count as usize].fetch_add(number as u64, Ordering::Relaxed);
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In the order of `Count`.
        let counts = self.0.each_ref().map(|count| Short(count.load(Ordering::Relaxed)));
        let [messages_in, messages_out, bytes_in, bytes_out, refused, slow] = counts;
        write!(f, "{refused} refused, {slow} slow, ")?;
        write!(f, "messages {messages_in} in {messages_out} out, bytes {bytes_in} in {bytes_out} out")
    }
}

/// A number in at most five characters.
struct Short(u64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut number, mut unit) = (self.0, "");
        for larger in ["k", "M", "G", "T", "P", "E"] {
            if number >= 10_000 {
                (number, unit) = (number / 1000, larger);
            }
        }
        write!(f, "{number}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_short_however_much_is_counted() {
        let counters = Counters::default();
        counters.add(Count::MessagesIn, 9999);
        counters.add(Count::BytesOut, 123_456_789);
        let line = "0 refused, 0 slow, messages 9999 in 0 out, bytes 0 in 123M out";
        assert_eq!(counters.to_string(), line);
        let most = Counters(std::array::from_fn(|_| AtomicU64::new(9_999_999)));
        assert!(most.to_string().len() <= 120 - "2026-11-20T07:05:49Z info 1024 online, ".len(), "{most}");
    }
}
