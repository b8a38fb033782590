//! The connection to the server, from one attempt to the next.

mod backoff;
mod reader;
mod send_buffer;

use std::io;
use std::mem;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::backoff::Backoff;
pub(crate) use self::reader::SocketEvent;
use self::send_buffer::SendBuffer;
use crate::client::permits::Permit;
use crate::limits::CLIENT_BACKLOG;
use crate::protocol::Dialect;

/// Reports an event of the connection with this number. Returns whether the event loop still runs.
pub(crate) type Report = dyn Fn(u64, SocketEvent, Permit) -> bool + Send + Sync;

/// The only owner of the connection.
pub(crate) struct Link {
    address: (String, u16),
    report: Arc<Report>,
    state: State,
    /// The number of the latest connection. Reports that carry an earlier number are out of date.
    number: u64,
    backoff: Backoff,
    /// The last connection was lost or failed, and no login has succeeded since.
    pub(crate) is_in_outage: bool,
    /// Lines that the last connection did not send to their end.
    lost: Vec<u8>,
}

enum State {
    Down,
    /// Until the next attempt at this time.
    Waiting(Instant),
    Connecting,
    Up(SendBuffer),
}

impl Link {
    pub(crate) fn new(address: (String, u16), report: Arc<Report>) -> Self {
        let (state, backoff) = (State::Down, Backoff::default());
        Self { address, report, state, number: 0, backoff, is_in_outage: false, lost: Vec::new() }
    }

    /// Drops the connection, if any, and starts the thread that makes another one.
    pub(crate) fn connect(&mut self, dialect: &'static dyn Dialect, trace: bool) -> io::Result<()> {
        self.disconnect();
        self.state = State::Connecting;
        let (number, report) = (self.number, Arc::clone(&self.report));
        let report = move |event, permit| report(number, event, permit);
        reader::spawn(self.address.clone(), dialect, trace, report)
    }

    pub(crate) fn established(&mut self, stream: TcpStream) {
        self.state = State::Up(SendBuffer::new(stream));
    }

    /// Drops the connection and keeps the lines that were not sent to their end. Later reports of its thread are out of date.
    pub(crate) fn disconnect(&mut self) {
        self.number += 1;
        if let State::Up(send_buffer) = mem::replace(&mut self.state, State::Down) {
            self.lost = send_buffer.close();
        }
    }

    /// Drops the connection, schedules the next attempt and returns the time until then.
    pub(crate) fn reconnect(&mut self) -> Duration {
        self.disconnect();
        let wait = self.backoff.next();
        self.state = State::Waiting(Instant::now() + wait);
        self.is_in_outage = true;
        wait
    }

    pub(crate) fn retry_now(&mut self) {
        self.backoff.reset();
        if let State::Waiting(at) = &mut self.state {
            *at = Instant::now();
        }
    }

    pub(crate) fn reset_backoff(&mut self) {
        self.backoff.reset();
    }

    /// Returns the lines that the last connection did not send to their end, and forgets them.
    pub(crate) fn take_lost(&mut self) -> Vec<u8> {
        mem::take(&mut self.lost)
    }

    /// Returns the time of the next attempt, if one is scheduled.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        if let State::Waiting(at) = self.state { Some(at) } else { None }
    }

    pub(crate) fn is_current(&self, number: u64) -> bool {
        number == self.number
    }

    pub(crate) fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting)
    }

    pub(crate) fn unsent(&self) -> usize {
        if let State::Up(send_buffer) = &self.state { send_buffer.unsent() } else { 0 }
    }

    pub(crate) fn is_congested(&self) -> bool {
        self.unsent() >= CLIENT_BACKLOG
    }

    pub(crate) fn send_buffer(&mut self) -> Option<&mut SendBuffer> {
        if let State::Up(send_buffer) = &mut self.state { Some(send_buffer) } else { None }
    }

    pub(crate) fn send(&mut self, line: &[u8]) {
        if let State::Up(send_buffer) = &mut self.state {
            send_buffer.send(line);
        }
    }

    pub(crate) fn finish(&mut self) {
        if let State::Up(send_buffer) = &mut self.state {
            send_buffer.finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::cap::CAP;
    use std::net::TcpListener;
    use std::sync::mpsc;

    #[test]
    fn a_lost_connection_leaves_its_unsent_lines_and_its_reports_are_out_of_date() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, reports) = mpsc::channel();
        let report = Arc::new(move |number, event, _: Permit| sender.send((number, event)).is_ok());
        let mut link = Link::new((String::from("127.0.0.1"), port), report);
        link.connect(&CAP, false).expect("a thread");
        assert!(link.is_connecting());

        let (number, event) = reports.recv().expect("a report");
        let SocketEvent::Connected(stream) = event else { panic!("{event:?}") };
        assert!(link.is_current(number));
        link.established(stream);
        link.send(b"one\n");
        assert!(!link.is_connecting() && link.unsent() == 4);

        let wait = link.reconnect();
        assert!(link.is_in_outage && link.retry_at().is_some_and(|at| at <= Instant::now() + wait));
        assert_eq!((link.unsent(), link.take_lost()), (0, b"one\n".to_vec()));
        let (number, event) = reports.recv().expect("another report");
        assert!(matches!(event, SocketEvent::Disconnected(_)) && !link.is_current(number));

        link.retry_now();
        assert!(link.retry_at().is_some_and(|at| at <= Instant::now()));
    }
}
