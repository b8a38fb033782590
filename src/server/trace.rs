//! Every line from and to a client in the log, for users who write a client: `--log-level trace` and `--trace`.

use std::fmt;
use std::sync::Arc;

use crate::log::{Level, Log};
use crate::net::Excerpt;
use crate::protocol::Name;

/// Whose lines are logged.
#[derive(Debug)]
pub(crate) struct Traced {
    log: Log,
    everyone: bool,
    names: Vec<Name>,
}

impl Traced {
    /// Returns whose lines are logged, and says so in the log; `None` where none are.
    pub(crate) fn new(log: &Log, names: &[Name]) -> Option<Arc<Self>> {
        let everyone = log.takes(Level::Trace);
        let listed = names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
        let whose = match names {
            _ if everyone => "of all clients",
            [] => return None,
            _ => &format!("of {listed}"),
        };
        log.report(Level::Trace, format_args!("the log shows every line {whose}, with its text"));
        Some(Arc::new(Self { log: log.clone(), everyone, names: names.to_vec() }))
    }

    /// Returns whether the lines of the client with this name are logged.
    pub(crate) fn covers(&self, name: Option<&str>) -> bool {
        self.everyone || name.is_some_and(|name| self.names.iter().any(|traced| traced.as_str() == name))
    }

    /// Logs lines to a client.
    pub(crate) fn outgoing(&self, who: &dyn fmt::Display, lines: &[u8], omits_line_feeds: bool) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = if omits_line_feeds { line.strip_suffix(b"\n").unwrap_or(line) } else { line };
            self.log.report(Level::Trace, format_args!("{who} < {}", Excerpt::of(line)));
        }
    }
}

/// The trace of one connection.
#[derive(Debug)]
pub(crate) struct Trace {
    traced: Option<Arc<Traced>>,
    is_on: bool,
    /// The line that is being handled, until it is logged.
    line: Option<Excerpt>,
}

impl Trace {
    pub(crate) fn new(traced: Option<Arc<Traced>>) -> Self {
        let is_on = traced.as_ref().is_some_and(|traced| traced.covers(None));
        Self { traced, is_on, line: None }
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.traced.is_some()
    }

    pub(crate) fn begin_line(&mut self, line: &[u8]) {
        self.line = self.traced.is_some().then(|| Excerpt::of(line));
    }

    /// Goes by this name from now on, or by the lack of one.
    pub(crate) fn set_name(&mut self, name: Option<&str>) {
        self.is_on = self.traced.as_ref().is_some_and(|traced| traced.covers(name));
    }

    /// Logs what follows if the client asks for a name that is traced.
    pub(crate) fn include_name(&mut self, name: &str) {
        self.is_on |= self.traced.as_ref().is_some_and(|traced| traced.covers(Some(name)));
    }

    /// Logs the line that is being handled, unless it is logged already, and what there is to say about it.
    pub(crate) fn show_line(&mut self, who: &dyn fmt::Display, note: &str) {
        let Some(line) = self.line.take().filter(|_| self.is_on) else { return };
        if let Some(traced) = &self.traced {
            traced.log.report(Level::Trace, format_args!("{who} > {}", line.with_note(note)));
        }
    }

    pub(crate) fn show_replies(&self, who: &dyn fmt::Display, lines: &[u8], omits_line_feeds: bool) {
        if let Some(traced) = self.traced.as_ref().filter(|_| self.is_on) {
            traced.outgoing(who, lines, omits_line_feeds);
        }
    }

    /// Returns where messages from others are logged, for [`Member::trace`](super::delivery::Member::trace).
    pub(crate) fn of_name(&self, name: Option<&str>) -> Option<Arc<Traced>> {
        self.traced.as_ref().filter(|traced| traced.covers(name)).map(Arc::clone)
    }
}
