//! What the server has done, counted for its operator: a log line for each protocol.
//!
//! Each connection counts in one of several sets of counters, so that two processors rarely write to the same memory; they
//! are added up when somebody asks. Nothing here waits for anybody.

use std::fmt;
use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::Server;
use super::sync::{lock, read_lock};
use crate::log::Level;
use crate::protocol::{DIALECTS, Dialect};

/// Sets of counters; a power of two.
const SETS: usize = 16;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// Messages from clients.
    MessagesIn,
    /// Bytes read from clients.
    BytesIn,
    /// Messages for clients, one for each recipient.
    MessagesOut,
    /// Bytes for clients.
    BytesOut,
    /// Times that a sender waited for a second and more until others took its messages.
    LongWaits,
    /// Logins with somebody's name.
    NameInUse,
    /// Logins with what is no name.
    NoName,
    /// Logins when the room was full.
    RoomFull,
    /// First lines that are no login, in protocols that end the connection for that.
    NoLogin,
    /// Connections without a login in time.
    LoginTimeout,
    /// Connections without a login whose places others took.
    Displaced,
    /// Connections for which there was no place.
    NoPlace,
    /// Connections that came too fast from one address.
    Crowded,
    /// Connections that the system had nothing left for.
    System,
}

/// Why connections were refused.
const REFUSALS: [(Count, &str); 9] = [
    (Count::NameInUse, "name in use"),
    (Count::NoName, "not a name"),
    (Count::RoomFull, "server full"),
    (Count::NoLogin, "not a login"),
    (Count::LoginTimeout, "not logged in in time"),
    (Count::Displaced, "displaced"),
    (Count::NoPlace, "no place"),
    (Count::Crowded, "too many from one address"),
    (Count::System, "system out of resources"),
];

const COUNTS: usize = Count::System as usize + 1;

/// The counters of one protocol in one set, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Row([AtomicU64; COUNTS]);

impl Row {
    pub(crate) fn add(&self, count: Count, number: usize) {
        self.0[count as usize].fetch_add(number as u64, Ordering::Relaxed);
    }
}

/// What was counted for one protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals([u64; COUNTS]);

impl Totals {
    fn since(&self, before: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] - before.0[at]))
    }

    fn get(&self, count: Count) -> u64 {
        self.0[count as usize]
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [messages_in, bytes_in] = [Count::MessagesIn, Count::BytesIn].map(|count| self.get(count));
        let [messages_out, bytes_out] = [Count::MessagesOut, Count::BytesOut].map(|count| self.get(count));
        write!(f, "messages {messages_in} in {messages_out} out, bytes {bytes_in} in {bytes_out} out, ")?;
        write!(f, "long waits {}, refused ", self.get(Count::LongWaits))?;
        let refusals =
            REFUSALS.iter().map(|(count, reason)| (self.get(*count), reason)).filter(|(number, _)| *number > 0);
        let refusals: Vec<String> = refusals.map(|(number, reason)| format!("{number} {reason}")).collect();
        f.write_str(if refusals.is_empty() { "none" } else { "" })?;
        f.write_str(&refusals.join(" + "))
    }
}

/// All counters: a row for each protocol, and one for connections of which it is not known, in each set.
#[derive(Debug)]
pub(crate) struct Counters {
    rows: Vec<Row>,
    /// What was told last.
    told: Mutex<Vec<Totals>>,
}

/// How it is with the clients of one protocol at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Gauges {
    online: usize,
    /// Those of them that wait, as senders, for others to take their messages.
    waiting: usize,
    /// Those of them that do not take their messages fast enough.
    behind: usize,
}

impl Counters {
    pub(crate) fn new() -> Self {
        let rows = DIALECTS.len() + 1;
        Self {
            rows: iter::repeat_with(Row::default).take(SETS * rows).collect(),
            told: Mutex::new(vec![Totals::default(); rows]),
        }
    }

    /// Returns where the connection with this id counts while it speaks this.
    pub(crate) fn row(&self, id: u64, dialect: Option<&'static dyn Dialect>) -> &Row {
        &self.rows[id as usize % SETS * (DIALECTS.len() + 1) + row_of(dialect)]
    }

    fn totals(&self) -> Vec<Totals> {
        let mut totals = vec![Totals::default(); DIALECTS.len() + 1];
        for set in self.rows.chunks(totals.len()) {
            for (total, row) in totals.iter_mut().zip(set) {
                iter::zip(&mut total.0, &row.0).for_each(|(total, count)| *total += count.load(Ordering::Relaxed));
            }
        }
        totals
    }

    /// Returns a line for each protocol that is or may be spoken, and one for those of whom it is not known.
    fn tell(&self, gauges: &[Gauges], only: Option<&'static dyn Dialect>) -> Vec<String> {
        let mut told = lock(&self.told);
        let totals = self.totals();
        let lines = (0..totals.len()).filter_map(|at| {
            let (total, since, Gauges { online, waiting, behind }) =
                (totals[at], totals[at].since(&told[at]), gauges[at]);
            let dialect = DIALECTS.get(at);
            let is_spoken = dialect.is_some_and(|dialect| match only {
                Some(only) => *dialect == only,
                None => !dialect.verbs().is_empty(),
            });
            let name = dialect.map_or("no protocol yet", |dialect| dialect.name());
            (is_spoken || total != Totals::default()).then(|| {
                let now = format!("{online} online, {waiting} waiting to send, {behind} behind");
                format!("{name}: {now}; since the start: {total}; since the last time: {since}")
            })
        });
        let lines = lines.collect();
        *told = totals;
        lines
    }
}

fn row_of(dialect: Option<&'static dyn Dialect>) -> usize {
    let found = dialect.and_then(|dialect| DIALECTS.iter().position(|known| *known == dialect));
    found.unwrap_or(DIALECTS.len())
}

/// Where one connection counts.
#[derive(Debug)]
pub(crate) struct ConnectionCounters {
    counters: Arc<Counters>,
    id: u64,
    /// Bytes read that are not counted yet.
    pub(crate) bytes_in: usize,
    /// Messages that are not counted yet.
    pub(crate) messages_in: usize,
}

impl ConnectionCounters {
    /// Creates the counters of the connection with this id.
    pub(crate) fn new(counters: Arc<Counters>, id: u64) -> Self {
        Self { counters, id, bytes_in: 0, messages_in: 0 }
    }

    /// Returns where clients of this protocol are counted.
    pub(crate) fn row(&self, dialect: Option<&'static dyn Dialect>) -> &Row {
        self.counters.row(self.id, dialect)
    }

    /// Counts what has come from the client, which speaks this.
    pub(crate) fn end_lines(&mut self, dialect: Option<&'static dyn Dialect>) {
        if (self.bytes_in, self.messages_in) != (0, 0) {
            let row = self.row(dialect);
            row.add(Count::BytesIn, self.bytes_in);
            row.add(Count::MessagesIn, self.messages_in);
            (self.bytes_in, self.messages_in) = (0, 0);
        }
    }
}

impl Server {
    /// Logs what there is to know of each protocol: how many are online, wait and are behind, what went in and out, and how
    /// many were refused.
    pub fn log_counts(&self) {
        for line in self.counts() {
            self.context.log.report(Level::Info, line);
        }
    }

    /// Returns that, a line each. It waits for nobody.
    pub(super) fn counts(&self) -> Vec<String> {
        let members = read_lock(&self.context.registry).everyone();
        let mut gauges = vec![Gauges::default(); DIALECTS.len() + 1];
        for member in members {
            let gauges = &mut gauges[row_of(Some(member.dialect))];
            gauges.online += 1;
            gauges.waiting += usize::from(member.outbox.owner_waits.load(Ordering::Relaxed));
            gauges.behind += usize::from(member.outbox.is_behind());
        }
        self.context.counters.tell(&gauges, self.context.settings.dialect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_is_told_since_the_start_and_since_the_last_time() {
        let counters = Arc::new(Counters::new());
        let (cap, wac) = (Some(DIALECTS[0]), Some(DIALECTS[1]));
        let mut gauges = vec![Gauges::default(); DIALECTS.len() + 1];
        gauges[0] = Gauges { online: 3, waiting: 1, behind: 2 };
        for id in 1..=100 {
            let mut connection = ConnectionCounters::new(Arc::clone(&counters), id);
            (connection.bytes_in, connection.messages_in) = (10, 1);
            connection.row(cap).add(Count::LongWaits, 2);
            connection.end_lines(cap);
            connection.end_lines(cap);
            connection.row(wac).add(Count::BytesOut, 7);
            connection.row(None).add(Count::Crowded, 2);
        }
        counters.row(7, cap).add(Count::NameInUse, 1);
        counters.row(8, cap).add(Count::NoName, 3);
        let nothing = "messages 0 in 0 out, bytes 0 in 0 out, long waits 0, refused none";
        let first = [
            "messages 100 in 0 out, bytes 1000 in 0 out, long waits 200, refused 1 name in use + 3 not a name",
            "messages 0 in 0 out, bytes 0 in 700 out, long waits 0, refused none",
            nothing,
            "messages 0 in 0 out, bytes 0 in 0 out, long waits 0, refused 200 too many from one address",
        ];
        let now = ["3 online, 1 waiting to send, 2 behind", "0 online, 0 waiting to send, 0 behind"];
        let expected = |name: &str, now: &str, start: &str, last: &str| {
            format!("{name}: {now}; since the start: {start}; since the last time: {last}")
        };
        for last in [first, [nothing; 4]] {
            assert_eq!(
                counters.tell(&gauges, None),
                [
                    expected("cap", now[0], first[0], last[0]),
                    expected("wac", now[1], first[1], last[1]),
                    expected("chat", now[1], nothing, nothing),
                    expected("no protocol yet", now[1], first[3], last[3]),
                ]
            );
        }
        let pinned = Counters::new().tell(&gauges, DIALECTS.last().copied());
        assert_eq!(pinned, [expected("cap1", now[1], nothing, nothing)]);
    }
}
