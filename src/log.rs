//! The server's events, one line each: an RFC 3339 UTC time, a level, what happened. Never what anybody said, unless that is
//! [traced](Level::Trace).
//!
//! A thread of its own writes them, so that whoever has something to report never waits for a terminal or a pipe that
//! nobody reads. When too many lines wait, further ones are dropped and counted.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::limits::{LOG_FLUSH, LOG_LINES};
use crate::net;

/// Bytes of lines that wait after which they are written; a pipe that others write to as well takes so much in one piece.
const LOG_WRITE: usize = 2 << 10;

/// How long lines gather after a write, so that whoever reports many does not wake the thread that writes for each of them.
const LOG_PAUSE: Duration = Duration::from_millis(2);

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something that should work does not.
    Error,
    /// Something is wrong that the server can live with.
    Warn,
    /// Who came, who left and why.
    Info,
    /// Each connection.
    Debug,
    /// What everybody says and is told.
    Trace,
}

/// All levels, most important first.
pub const LEVELS: [Level; 5] = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Where events are reported. Clones report to the same place.
#[derive(Clone, Debug)]
pub struct Log {
    least: Level,
    entries: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

/// What waits for the thread that writes.
#[derive(Debug)]
enum Entry {
    Line(String),
    /// Everything before this is written; somebody wants to know.
    Flush(Sender<()>),
}

impl Log {
    /// A log of the events from `least` up, written to `sink`.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the thread.
    pub fn start(least: Level, sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (entries, to_write) = mpsc::sync_channel(LOG_LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let to_tell = Arc::clone(&dropped);
        thread::Builder::new().name(String::from("log")).spawn(move || write(sink, to_write, &to_tell))?;
        Ok(Self { least, entries, dropped })
    }

    pub(crate) fn takes(&self, level: Level) -> bool {
        level <= self.least
    }

    /// Reports an event; the text is made only if the level is logged.
    pub fn event(&self, level: Level, text: impl fmt::Display) {
        if self.takes(level) {
            self.report(level, text);
        }
    }

    /// Reports what somebody has asked for, whatever else is logged.
    pub(crate) fn report(&self, level: Level, text: impl fmt::Display) {
        let line = format_line(SystemTime::now(), level, &text.to_string());
        if self.entries.try_send(Entry::Line(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was reported is written, but not for long.
    pub fn flush(&self) {
        let (done, is_done) = mpsc::channel();
        if self.entries.try_send(Entry::Flush(done)).is_ok() {
            let _ = is_done.recv_timeout(LOG_FLUSH);
        }
    }
}

/// Nobody is left to hear of a log that cannot be written, so failures are passed over.
fn write(mut sink: impl Write, entries: Receiver<Entry>, dropped: &AtomicU64) {
    let mut text = String::new();
    while let Ok(first) = entries.recv() {
        let mut flushes = Vec::new();
        let mut next = Some(first);
        while let Some(entry) = next {
            match entry {
                Entry::Line(line) => text.push_str(&line),
                Entry::Flush(done) => flushes.push(done),
            }
            next = if text.len() < LOG_WRITE { entries.try_recv().ok() } else { None };
        }
        let count = dropped.swap(0, Ordering::Relaxed);
        if count > 0 {
            text += &format_line(SystemTime::now(), Level::Warn, &format!("{count} log lines were dropped"));
        }
        drop(net::write_fully(&mut sink, text.as_bytes()));
        flushes.into_iter().for_each(|done| _ = done.send(()));
        if text.len() < LOG_WRITE {
            #[expect(clippy::disallowed_methods, reason = "time has to pass, whatever is reported meanwhile")]
            thread::sleep(LOG_PAUSE);
        }
        text.clear();
    }
}

fn format_line(time: SystemTime, level: Level, text: &str) -> String {
    format!("{} {} {}\n", rfc3339(time), level.name(), text.replace('\n', " "))
}

/// The time as RFC 3339 has it, in UTC, to the second.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Returns the year, month and day so many days after 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    loop {
        let february = if is_leap(year) { 29 } else { 28 };
        for (length, month) in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().zip(1..) {
            if days < length {
                return (year, month, days + 1);
            }
            days -= length;
        }
        year += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_rfc_3339_time_a_level_and_the_event() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, expected) in cases {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(format_line(time, Level::Info, "ann\nleft"), format!("{expected} info ann left\n"));
        }
    }

    #[test]
    fn a_sink_that_is_stuck_holds_nobody_up_and_the_loss_is_told() {
        struct Stuck(mpsc::Sender<String>, Receiver<()>);
        impl Write for Stuck {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _ = self.1.recv();
                let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (written, lines_written) = mpsc::channel();
        let (release, gate) = mpsc::channel();
        let log = Log::start(Level::Info, Stuck(written, gate)).expect("a thread");
        for number in 0..LOG_LINES + 100 {
            log.event(Level::Info, number);
            log.event(Level::Debug, "not logged");
        }
        drop(release);
        let told = |line: &String| line.contains("warn") && line.ends_with("log lines were dropped\n");
        let mut lines: Vec<String> = Vec::new();
        while !lines.iter().any(told) {
            lines.push(lines_written.recv_timeout(Duration::from_secs(20)).expect("the loss is told"));
        }
        log.flush();
        lines.extend(lines_written.try_iter());
        assert!(lines.len() <= LOG_LINES + 2);
        assert!(!lines.iter().any(|line| line.contains("not logged")));
    }
}
