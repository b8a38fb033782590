//! What clients say and are told, a log line each, for those who write a client: `--log-level trace` and `--trace`.
//!
//! Where nobody is traced, no connection has a [`Trace`], and nothing here runs.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::sync::lock;
use crate::log::{Level, Log};
use crate::net::{Excerpt, ExcerptSplitter};
use crate::protocol::{Dialect, Event, Name, PeerState};

/// Whose lines are logged.
#[derive(Debug)]
pub(crate) struct Traced {
    log: Log,
    everybody: bool,
    names: Vec<Name>,
}

impl Traced {
    /// Returns whose lines are logged, and says so in the log; `None` is nobody's.
    pub(crate) fn new(log: &Log, names: &[Name]) -> Option<Arc<Self>> {
        let everybody = log.takes(Level::Trace);
        let names_in_words = names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
        let whose = match names {
            _ if everybody => "everybody's",
            [] => return None,
            _ => &names_in_words,
        };
        log.report(Level::Trace, format_args!("texts are logged, and not only who came and left: {whose}"));
        Some(Arc::new(Self { log: log.clone(), everybody, names: names.to_vec() }))
    }

    fn covers(&self, name: Option<&str>) -> bool {
        self.everybody || name.is_some_and(|name| self.names.iter().any(|traced| traced.as_str() == name))
    }
}

/// The trace of one connection. Whoever reads from it and whoever writes to it report here.
#[derive(Debug)]
pub(crate) struct Trace {
    whom: Arc<Traced>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Its lines are logged.
    is_on: bool,
    /// So is the line that is being handled, as it asks for a name that is traced.
    asks: bool,
    /// So is what goes out until the lines are handled that have come, as one of them has asked for such a name.
    has_asked: bool,
    /// The client's address, until it has a name.
    who: String,
    name: Option<Name>,
    /// The line that is being handled, and is not logged yet.
    incoming: Option<Excerpt>,
    /// The beginning of the next one is logged.
    has_shown_partial: bool,
    outgoing: ExcerptSplitter,
    /// Lines that have gone out while it is not known yet what became of a login, which comes before them.
    held: Option<Vec<Excerpt>>,
}

impl Trace {
    /// Creates the trace of a connection from this address.
    pub(crate) fn new(whom: &Arc<Traced>, peer: SocketAddr) -> Self {
        let state = State {
            is_on: whom.everybody,
            asks: false,
            has_asked: false,
            who: peer.to_string(),
            name: None,
            incoming: None,
            has_shown_partial: false,
            outgoing: ExcerptSplitter::default(),
            held: None,
        };
        Self { whom: Arc::clone(whom), state: Mutex::new(state) }
    }

    /// Takes note of a line as it came, which is about to be handled.
    pub(crate) fn begin_line(&self, line: &[u8]) {
        let mut state = lock(&self.state);
        state.incoming = Some(Excerpt::of(line));
        state.asks = false;
        state.has_shown_partial = false;
    }

    /// Logs the line that is being handled, unless it is logged already.
    pub(crate) fn show_line(&self) {
        self.show(&mut lock(&self.state), "");
    }

    /// Logs the line that is being handled, and why it is answered so.
    pub(crate) fn show_refusal(&self, dialect: &dyn Dialect, refusal: &Event<'_>, line: &str, peer: &PeerState) {
        let mut answer = Vec::new();
        dialect.encode_event(refusal, peer.revision, &mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let answer = answer.lines().next().unwrap_or_default().trim_end_matches('.');
        let note = format!("{answer}: {}", dialect.explain(refusal, line, peer));
        self.show(&mut lock(&self.state), &note);
    }

    /// Logs something that came and is not handled, and why.
    pub(crate) fn show_unhandled(&self, bytes: &[u8], why: &str) {
        let mut state = lock(&self.state);
        state.incoming = Some(Excerpt::of(bytes));
        self.show(&mut state, why);
    }

    /// Logs the beginning of a line whose end has not come.
    pub(crate) fn show_partial(&self, bytes: &[u8]) {
        self.show_unhandled(bytes, "and no LF yet (G1)");
        lock(&self.state).has_shown_partial = true;
    }

    /// Returns whether that is done for this line.
    pub(crate) fn has_shown_partial(&self) -> bool {
        lock(&self.state).has_shown_partial
    }

    fn show(&self, state: &mut State, note: &str) {
        if let Some(line) = state.incoming.take().filter(|_| state.is_on || state.asks) {
            self.whom.log.report(Level::Trace, format_args!("{} > {}", state.who, line.with_note(note)));
        }
    }

    /// Begins a login with this name, or a change to it: what goes out meanwhile is logged behind it.
    pub(crate) fn begin_login(&self, name: &str) {
        let mut state = lock(&self.state);
        state.asks = self.whom.covers(Some(name));
        state.has_asked |= state.asks;
        state.held = Some(Vec::new());
    }

    /// Ends a login, after which the client has this name, if it has one.
    pub(crate) fn end_login(&self, name: Option<&Name>) {
        let mut state = lock(&self.state);
        self.show(&mut state, "");
        if let Some(name) = name.filter(|name| state.name.as_ref() != Some(name)) {
            state.who = name.to_string();
            state.name = Some(name.clone());
            state.is_on = self.whom.covers(Some(name.as_str()));
        }
        let held = state.held.take();
        self.log_outgoing(&mut state, held.unwrap_or_default());
    }

    /// Ends the handling of the lines that had come. Whoever has only asked for a name that is traced is not traced for it.
    pub(crate) fn end_lines(&self) {
        let mut state = lock(&self.state);
        (state.asks, state.has_asked) = (false, false);
    }

    /// Has bytes written, and logs the lines that went out. What the client answers to them is logged after that, if the
    /// writing does not wait for the client.
    pub(crate) fn write(
        &self,
        bytes: &[u8],
        omit_line_feeds: bool,
        write: impl FnOnce() -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut state = lock(&self.state);
        let count = write()?;
        let lines = state.outgoing.split(&bytes[..count], omit_line_feeds);
        self.log_outgoing(&mut state, lines);
        Ok(count)
    }

    fn log_outgoing(&self, state: &mut State, lines: Vec<Excerpt>) {
        if !state.is_on && !state.has_asked {
            return;
        }
        match &mut state.held {
            Some(held) => held.extend(lines),
            None => lines.iter().for_each(|line| {
                self.whom.log.report(Level::Trace, format_args!("{} < {line}", state.who));
            }),
        }
    }
}

impl Drop for Trace {
    /// Logs what has gone out of a line whose end was lost with the connection.
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let rest = mem::take(&mut state.outgoing).take_rest();
        let rest = rest.map(|rest| rest.with_note("and the connection was over"));
        self.log_outgoing(&mut state, rest.into_iter().collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::DIALECTS;
    use std::io::Write;
    use std::sync::mpsc::{self, Receiver, Sender};

    struct Lines(Sender<String>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8_lossy(bytes);
            text.lines().for_each(|line| drop(self.0.send(line.split_once(' ').unwrap_or_default().1.to_owned())));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn name(text: &str) -> Name {
        text.parse().expect("a name")
    }

    fn traced(level: Level, names: &[&str]) -> (Option<Arc<Traced>>, Log, Receiver<String>) {
        let (sender, lines) = mpsc::channel();
        let log = Log::start(level, Lines(sender)).expect("a thread");
        let names: Vec<Name> = names.iter().copied().map(name).collect();
        (Traced::new(&log, &names), log, lines)
    }

    fn connection(whom: &Arc<Traced>) -> Trace {
        Trace::new(whom, "127.0.0.1:4000".parse().expect("an address"))
    }

    fn told(trace: &Trace, bytes: &[u8]) {
        trace.write(bytes, false, || Ok(bytes.len())).expect("it is taken");
    }

    #[test]
    fn without_a_word_of_it_nobody_is_traced() {
        let (whom, log, lines) = traced(Level::Debug, &[]);
        assert!(whom.is_none());
        log.flush();
        assert_eq!(lines.try_iter().count(), 0);
    }

    #[test]
    fn a_login_and_a_refusal_are_logged_in_their_order_under_address_and_name() {
        let (whom, log, lines) = traced(Level::Trace, &[]);
        let trace = connection(&whom.expect("everybody"));
        trace.begin_line(b"HELLO-FROM ann\r\n");
        trace.begin_login("ann");
        told(&trace, b"HELLO ann\nDELIV");
        trace.end_login(Some(&name("ann")));
        trace.show_line();
        trace.begin_line(b"SEND bob\n");
        let ann = PeerState { name: Some(name("ann")), revision: 0 };
        let refusal = Event::Error(crate::protocol::RequestError::Body);
        trace.show_refusal(DIALECTS[0], &refusal, "SEND bob", &ann);
        told(&trace, b"ERY bob hi\nBAD-RQST-BODY\nSEND");
        drop(trace);
        log.flush();
        assert_eq!(
            lines.try_iter().collect::<Vec<_>>(),
            [
                "trace texts are logged, and not only who came and left: everybody's",
                r#"trace 127.0.0.1:4000 > "HELLO-FROM ann\r\n""#,
                r#"trace ann < "HELLO ann\n""#,
                r#"trace ann > "SEND bob\n" BAD-RQST-BODY: SEND needs a name and a text (C14)"#,
                r#"trace ann < "DELIVERY bob hi\n""#,
                r#"trace ann < "BAD-RQST-BODY\n""#,
                r#"trace ann < "SEND" and the connection was over"#,
            ]
        );
    }

    #[test]
    fn one_name_is_traced_from_when_it_is_asked_for_and_no_other() {
        let (whom, log, lines) = traced(Level::Error, &["ann"]);
        let whom = whom.expect("ann");
        let (ann, bob) = (connection(&whom), connection(&whom));
        let says = |trace: &Trace, line: &[u8]| {
            trace.begin_line(line);
            trace.show_line();
        };
        says(&ann, b"WHO\n");
        for (trace, login, called) in [(&bob, "bob", "bob"), (&ann, "ann", "ann")] {
            trace.begin_line(format!("LIN {login}\n").as_bytes());
            trace.begin_login(login);
            trace.end_login(Some(&name(called)));
            told(trace, b"Welcome\n");
            trace.end_lines();
        }
        says(&bob, b"MSG secret\n");
        says(&ann, b"MSG public\n");
        // Bob asks for her name, and does not get it.
        bob.begin_line(b"LIN ann\n");
        bob.begin_login("ann");
        bob.end_login(None);
        says(&bob, b"MSG secret\n");
        told(&bob, b"in use\n");
        bob.end_lines();
        told(&bob, b"secret\n");
        // She takes another one.
        ann.begin_line(b"LIN eve\n");
        ann.begin_login("eve");
        ann.end_login(Some(&name("eve")));
        told(&ann, b"You are eve\n");
        says(&ann, b"MSG secret\n");
        log.flush();
        assert_eq!(
            lines.try_iter().collect::<Vec<_>>(),
            [
                "trace texts are logged, and not only who came and left: ann",
                r#"trace 127.0.0.1:4000 > "LIN ann\n""#,
                r#"trace ann < "Welcome\n""#,
                r#"trace ann > "MSG public\n""#,
                r#"trace bob > "LIN ann\n""#,
                r#"trace bob < "in use\n""#,
                r#"trace ann > "LIN eve\n""#,
            ]
        );
    }
}
