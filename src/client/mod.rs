//! The client: a thread on standard input and a thread on the socket, both only reporting to one channel, and one loop
//! that owns everything else: the session, the screen and the sending half.
//!
//! The loop never waits for the server to take anything for longer than a moment, so that incoming messages are shown
//! whatever is on its way out (RT6), and the two ends of a connection can never wait for each other. It knows nothing of
//! the server program.

mod cap;
mod chat1;
mod keyboard;
mod link;
pub mod messages;
mod screen;
pub mod session;
mod typed;
mod wac;

use std::io::{self, ErrorKind, IsTerminal};
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::{Duration, Instant};

use self::cap::CapSession;
use self::chat1::Chat1Session;
use self::keyboard::Throttle;
use self::screen::Screen;
use self::session::{Action, Input, Kind, Session};
use self::wac::WacSession;
use crate::limits::{CLIENT_BACKLOG, CLIENT_READ_AHEAD, CLIENT_WRITE_TIMEOUT};
use crate::net;
use crate::signals::{self, Signal};

/// What the reader threads report.
#[derive(Debug)]
enum Event {
    Keyboard(keyboard::Report),
    /// With the number of the connection that it is about.
    Link(u64, link::Report),
    Signal(Signal),
}

/// All kinds of sessions; the first one is what a person gets who does not say.
pub static KINDS: &[Kind] = &[
    Kind { key: "cap", needs_name: false, begin: |setup| Box::new(CapSession::new(setup)) },
    Kind { key: "wac", needs_name: false, begin: |setup| Box::new(WacSession::new(setup)) },
    Kind { key: "chat", needs_name: true, begin: |setup| Box::new(Chat1Session::new(setup)) },
];

/// Runs a session with the server at this address until it is over, and returns the status to end with. To be called
/// before there is any other thread.
///
/// # Errors
///
/// When a thread cannot be started or standard output cannot be written.
pub fn run(session: Box<dyn Session>, host: &str, port: u16) -> io::Result<u8> {
    let (sender, events) = mpsc::sync_channel(CLIENT_READ_AHEAD);
    let mut ending = vec![Signal::Interrupt, Signal::Terminate, Signal::HangUp];
    ending.retain(|signal| *signal != Signal::HangUp || !signal.is_ignored());
    let report = sender.clone();
    signals::take(&ending, move |signal| report.send(Event::Signal(signal)).is_ok())?;
    let throttle = keyboard::spawn(sender.clone())?;
    let client = Client {
        session,
        address: (host.to_owned(), port),
        sender,
        events,
        throttle,
        unreleased: 0,
        link: None,
        link_number: 0,
        patience: None,
        deadline: None,
        unattended: 0,
        screen: Screen::new(io::stdout().is_terminal()),
    };
    match client.run() {
        // Whoever closed standard output has seen enough (K6).
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
        result => result,
    }
}

struct Client {
    session: Box<dyn Session>,
    address: (String, u16),
    /// What every new thread gets a clone of.
    sender: SyncSender<Event>,
    events: Receiver<Event>,
    throttle: Throttle,
    /// Typed lines that were handled and whose place in the throttle is still taken.
    unreleased: usize,
    link: Option<Outgoing>,
    /// The number of the latest connection; reports of earlier ones are of no interest.
    link_number: u64,
    /// How long the session wants to wait for its next input.
    patience: Option<Duration>,
    /// When that time is over.
    deadline: Option<Instant>,
    /// Events handled since things were last shown and sent.
    unattended: usize,
    screen: Screen,
}

/// The sending half of the connection.
struct Outgoing {
    stream: TcpStream,
    /// What is to be sent; the first `sent` bytes of it are gone.
    pending: Vec<u8>,
    sent: usize,
    /// To be shut down when all is sent.
    finish: bool,
}

impl Outgoing {
    fn new(stream: TcpStream) -> Self {
        Self { stream, pending: Vec::new(), sent: 0, finish: false }
    }

    fn unsent(&self) -> &[u8] {
        &self.pending[self.sent..]
    }

    fn has_unsent(&self) -> bool {
        !self.unsent().is_empty()
    }

    /// Sends what the server takes within a moment; says whether it took anything.
    fn send_some(&mut self) -> bool {
        if !self.has_unsent() {
            return false;
        }
        let sent = match net::write_available(&mut &self.stream, self.unsent(), CLIENT_WRITE_TIMEOUT) {
            Ok(sent) => sent,
            // The thread on the socket reports what became of the connection.
            Err(_) => self.unsent().len(),
        };
        self.sent += sent;
        if !self.has_unsent() {
            (self.pending, self.sent) = (Vec::new(), 0);
        }
        sent > 0
    }
}

impl Client {
    fn run(mut self) -> io::Result<u8> {
        let mut actions = Vec::new();
        let mut input = Some(Input::Start);
        loop {
            if let Some(input) = input {
                self.session.handle(input, &mut actions);
            }
            for action in actions.drain(..) {
                if let Some(status) = self.perform(action)? {
                    self.screen.show("")?;
                    return Ok(status);
                }
            }
            let event = self.next_event()?;
            input = match event {
                Some(event) => self.input(event)?,
                None => Some(Input::TimeUp { unsent: self.link.as_ref().is_some_and(Outgoing::has_unsent) }),
            };
        }
    }

    fn perform(&mut self, action: Action) -> io::Result<Option<u8>> {
        match action {
            Action::Print(text) => self.screen.print(&text),
            Action::Warn(text) => self.screen.warn(&text)?,
            Action::Connect => {
                self.disconnect();
                link::spawn(self.link_number, self.address.clone(), self.sender.clone())?;
            }
            Action::Disconnect => self.disconnect(),
            Action::Send(bytes) => {
                if let Some(link) = &mut self.link {
                    link.pending.extend_from_slice(&bytes);
                }
            }
            Action::FinishSending => {
                if let Some(link) = &mut self.link {
                    link.finish = true;
                }
            }
            Action::WaitAtMost(time) => self.set_patience(Some(time)),
            Action::WaitForever => self.set_patience(None),
            Action::Exit(status) => return Ok(Some(status)),
        }
        Ok(None)
    }

    fn set_patience(&mut self, patience: Option<Duration>) {
        self.patience = patience;
        self.deadline = patience.map(|patience| Instant::now() + patience);
    }

    /// Drops the connection; whatever its thread still reports is of no interest.
    fn disconnect(&mut self) {
        self.link_number += 1;
        if let Some(link) = self.link.take() {
            let _ = link.stream.shutdown(Shutdown::Both);
        }
    }

    /// What an event means to the session, if anything.
    fn input(&mut self, event: Event) -> io::Result<Option<Input>> {
        let input = match event {
            Event::Keyboard(report) => {
                self.unreleased += 1;
                self.screen.typed();
                match report {
                    keyboard::Report::Typed(line) => Input::Typed(line),
                    keyboard::Report::End => Input::TypedEnd,
                    keyboard::Report::TooLong => {
                        self.screen.warn(messages::TYPED_TOO_LONG)?;
                        return Ok(None);
                    }
                }
            }
            Event::Signal(signal) => Input::Signal(signal),
            Event::Link(number, _) if number != self.link_number => return Ok(None),
            Event::Link(_, report) => match report {
                link::Report::Connected(stream) => {
                    self.link = Some(Outgoing::new(stream));
                    Input::Connected
                }
                link::Report::Unreachable(error) => Input::Unreachable(error.to_string()),
                link::Report::Received(line) => Input::Received(line),
                link::Report::TooLong => {
                    self.screen.warn(messages::REPLY_TOO_LONG)?;
                    return Ok(None);
                }
                link::Report::Disconnected(error) => {
                    self.disconnect();
                    Input::Disconnected(error.map(|error| error.to_string()))
                }
            },
        };
        Ok(Some(input))
    }

    /// The next event; `None` when the session's patience ends first. Before it waits, and now and then in a flood of
    /// events, it shows and sends what is waiting for that.
    fn next_event(&mut self) -> io::Result<Option<Event>> {
        loop {
            let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            if self.unattended < CLIENT_READ_AHEAD {
                if let Ok(event) = self.events.try_recv() {
                    self.unattended += 1;
                    return Ok(Some(event));
                }
            }
            self.unattended = 0;
            self.screen.show(self.session.prompt())?;
            let sending = self.send_some();
            self.release_throttle();
            let wait = if sending { Some(Duration::ZERO) } else { left };
            // `self.sender` keeps the channel connected.
            let event = match wait {
                Some(wait) => self.events.recv_timeout(wait).ok(),
                None => self.events.recv().ok(),
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Sends what the server takes within a moment; says whether there is more to send.
    fn send_some(&mut self) -> bool {
        let Some(link) = &mut self.link else { return false };
        let finishing = link.finish;
        let progress = link.send_some();
        let more = link.has_unsent();
        if finishing && !more {
            link.finish = false;
            let _ = link.stream.shutdown(Shutdown::Write);
        }
        if finishing && progress {
            self.set_patience(self.patience);
        }
        more
    }

    /// Lets more be typed when what was typed before has been taken care of.
    fn release_throttle(&mut self) {
        let congested = self.link.as_ref().is_some_and(|link| link.unsent().len() >= CLIENT_BACKLOG);
        if !congested && self.session.wants_input() {
            for _ in 0..mem::take(&mut self.unreleased) {
                self.throttle.release();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::session::Setup;

    /// Whatever happens, in whatever order, a session has an answer, and after the end nothing is asked of it.
    #[test]
    fn rt7_no_order_of_inputs_makes_a_session_panic() {
        const LINES: [&str; 16] = [
            "",
            "ann",
            "@bob hi",
            "@bob",
            "!who",
            "!quit",
            "quit",
            "HELLO ann",
            "IN-USE",
            "BUSY",
            "LIST-OK a,b",
            "SEND-OK",
            "BAD-RQST-HDR",
            "BAD-RQST-BODY",
            "200 OK",
            "DISCONNECT CHAT/1.0",
        ];
        let mut random = 0x5eed_u64;
        let mut next = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as usize % bound
        };
        for kind in KINDS {
            let mut ended = 0;
            for _ in 0..2000 {
                let mut session =
                    (kind.begin)(Setup { name: (next(2) == 0).then(|| "ann".into()), ..Setup::default() });
                let mut actions = Vec::new();
                session.handle(Input::Start, &mut actions);
                for _ in 0..next(60) {
                    let line = LINES[next(LINES.len())].to_owned();
                    let input = match next(12) {
                        0..4 => Input::Typed(line),
                        4..8 => Input::Received(line),
                        8 => Input::Connected,
                        9 => Input::Disconnected((next(2) == 0).then_some(line)),
                        10 if next(9) == 0 => Input::TypedEnd,
                        10 => Input::Signal(Signal::Interrupt),
                        _ => Input::TimeUp { unsent: next(2) == 0 },
                    };
                    session.handle(input, &mut actions);
                    if actions.iter().any(|action| matches!(action, Action::Exit(_))) {
                        ended += 1;
                        break;
                    }
                }
            }
            assert!(ended > 0, "{}", kind.key);
        }
    }
}
