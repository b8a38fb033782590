//! The one loop of the client. It owns the session, the console and the sending half.
//!
//! It never waits for the server to take anything for longer than a moment, so that incoming messages are shown whatever is
//! on its way out (RT6), and the two ends of a connection can never wait for each other.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use super::connection::backoff::Backoff;
use super::connection::reader::{self, SocketEvent};
use super::connection::writer::SendBuffer;
use super::messages;
use super::session::command::QUIT;
use super::session::{Action, Input, Session};
use super::stdin::{Permits, StdinEvent};
use super::ui::Console;
use crate::limits::{CLIENT_BACKLOG, CLIENT_READ_AHEAD, TYPED_AHEAD};
use crate::program;
use crate::signals::{self, Signal};

/// What the other threads report.
#[derive(Debug)]
pub(crate) enum LoopEvent {
    Stdin(StdinEvent),
    /// With the number of the connection that it is about.
    Socket(u64, SocketEvent),
    Signal(Signal),
}

/// The state of a running client.
pub(crate) struct EventLoop {
    session: Box<dyn Session>,
    address: (String, u16),
    console: Console,
    /// What every new thread gets a clone of.
    sender: SyncSender<LoopEvent>,
    events: Receiver<LoopEvent>,
    permits: Permits,
    /// Lines that were handled, and whose place in the permits is still taken.
    unreleased: usize,
    /// Lines typed at a terminal since the session last did not want any.
    typed_ahead: usize,
    link: Option<SendBuffer>,
    /// The number of the latest connection; reports of earlier ones are of no interest.
    link_number: u64,
    backoff: Backoff,
    /// When to connect again.
    connect_at: Option<Instant>,
    /// The last connection was lost before all was sent.
    partly_sent: bool,
    /// How long the session wants to wait for its next input.
    patience: Option<Duration>,
    /// When that time is over.
    deadline: Option<Instant>,
    /// What the last event means to the session, as far as it has not heard of it.
    inputs: VecDeque<Input>,
    /// Events handled since things were last shown and sent.
    unattended: usize,
}

impl EventLoop {
    /// A client that is yet to run.
    pub(crate) fn new(
        session: Box<dyn Session>,
        address: (String, u16),
        console: Console,
        sender: SyncSender<LoopEvent>,
        events: Receiver<LoopEvent>,
        permits: Permits,
    ) -> Self {
        Self {
            session,
            address,
            console,
            sender,
            events,
            permits,
            unreleased: 0,
            typed_ahead: 0,
            link: None,
            link_number: 0,
            backoff: Backoff::default(),
            connect_at: None,
            partly_sent: false,
            patience: None,
            deadline: None,
            inputs: VecDeque::from([Input::Start]),
            unattended: 0,
        }
    }

    /// Runs until the session is over, and returns the status to end with.
    pub(crate) fn run(mut self) -> io::Result<u8> {
        let mut actions = Vec::new();
        loop {
            while let Some(input) = self.inputs.pop_front() {
                if let Input::Typed(line) = &input {
                    program::failpoint(line);
                    if !self.session.asks_for_name() {
                        self.console.remember(line);
                    }
                }
                match input {
                    Input::Typed(text) if text.contains('\n') => {
                        text.lines().for_each(|line| self.session.handle(Input::Typed(line.to_owned()), &mut actions));
                    }
                    input => self.session.handle(input, &mut actions),
                }
                for action in actions.drain(..) {
                    if let Some(status) = self.perform(action)? {
                        self.console.end(self.session.prompt())?;
                        return Ok(status);
                    }
                }
            }
            match self.next_event()? {
                Some(event) => self.take(event)?,
                None => self.time_up()?,
            }
        }
    }

    fn perform(&mut self, action: Action) -> io::Result<Option<u8>> {
        match action {
            Action::Print(text) => self.console.print(&text),
            Action::Message { line, sender } => self.console.message(&line, sender),
            Action::Warn(text) => self.console.warn(&text),
            Action::Names(names) => self.console.saw(&names),
            Action::Help => self.console.help(),
            Action::Connect => {
                self.disconnect();
                self.connect()?;
            }
            Action::Reconnect(why) => {
                self.disconnect();
                if mem::take(&mut self.partly_sent) {
                    self.console.warn(messages::PARTLY_SENT);
                }
                let wait = self.backoff.next();
                self.connect_at = Some(Instant::now() + wait);
                let seconds = wait.as_secs_f64().round() as u64;
                self.console.warn(&messages::trying_again(&why, seconds.max(1)));
            }
            Action::LoggedIn => self.backoff.reset(),
            Action::Disconnect => self.disconnect(),
            Action::Send(bytes) => {
                if let Some(link) = &mut self.link {
                    link.send(&bytes);
                }
            }
            Action::FinishSending => {
                if let Some(link) = &mut self.link {
                    link.finish();
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

    fn connect(&self) -> io::Result<()> {
        let (number, sender) = (self.link_number, self.sender.clone());
        reader::spawn(self.address.clone(), move |report| sender.send(LoopEvent::Socket(number, report)).is_ok())
    }

    /// Drops the connection; whatever its thread still reports is of no interest.
    fn disconnect(&mut self) {
        self.link_number += 1;
        self.connect_at = None;
        if let Some(link) = self.link.take() {
            link.close();
        }
    }

    /// A time has come that was waited for.
    fn time_up(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if self.connect_at.take_if(|at| *at <= now).is_some() {
            self.connect()?;
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.inputs.push_back(Input::TimeUp { unsent: self.unsent() > 0 });
        }
        Ok(())
    }

    /// Handles an event, as far as it is not the session's.
    fn take(&mut self, event: LoopEvent) -> io::Result<()> {
        match event {
            LoopEvent::Stdin(report) => self.take_typed(report)?,
            LoopEvent::Socket(number, report) if number == self.link_number => self.take_received(report),
            LoopEvent::Socket(..) => {}
            LoopEvent::Signal(Signal::Suspend) => {
                self.console.leave_terminal()?;
                signals::suspend()?;
                self.console.take_terminal();
            }
            LoopEvent::Signal(Signal::Continue) => self.console.take_terminal(),
            LoopEvent::Signal(Signal::Background) => {}
            LoopEvent::Signal(Signal::Resize) => self.console.resized(),
            LoopEvent::Signal(signal) => {
                self.console.give_up_line(self.session.prompt());
                self.inputs.push_back(Input::Signal(signal));
            }
        }
        Ok(())
    }

    fn take_typed(&mut self, report: StdinEvent) -> io::Result<()> {
        match report {
            StdinEvent::Line(line) => {
                self.console.line(&line);
                self.inputs.push_back(Input::Typed(line));
                self.unreleased += 1;
                return Ok(());
            }
            StdinEvent::Keys(bytes) => {
                for line in self.console.keys(&bytes, self.session.prompt())? {
                    self.take_line(line);
                }
            }
            StdinEvent::Foreground => self.console.take_terminal(),
            StdinEvent::TooLong => self.console.warn(messages::TYPED_TOO_LONG),
            StdinEvent::End => self.inputs.push_back(Input::TypedEnd),
        }
        self.permits.release();
        Ok(())
    }

    /// Takes a line that was typed at a terminal. However many wait already, the keyboard is listened to.
    fn take_line(&mut self, line: String) {
        let waits = !self.session.wants_input() || self.is_congested();
        self.typed_ahead = if waits { self.typed_ahead + 1 } else { 0 };
        if self.typed_ahead > TYPED_AHEAD && line.trim() != QUIT {
            self.console.warn(messages::TOO_FAR_AHEAD);
            self.console.remember(&line);
        } else {
            self.inputs.push_back(Input::Typed(line));
        }
    }

    /// Bytes that are still to be sent.
    fn unsent(&self) -> usize {
        self.link.as_ref().map_or(0, SendBuffer::unsent)
    }

    fn is_congested(&self) -> bool {
        self.unsent() >= CLIENT_BACKLOG
    }

    fn take_received(&mut self, report: SocketEvent) {
        let input = match report {
            SocketEvent::Connected(stream) => {
                self.link = Some(SendBuffer::new(stream));
                Input::Connected
            }
            SocketEvent::Unreachable(error) => Input::Unreachable(error.to_string()),
            SocketEvent::Received(line) => Input::Received(line),
            SocketEvent::TooLong => {
                self.console.warn(messages::REPLY_TOO_LONG);
                return;
            }
            SocketEvent::Disconnected(error) => {
                self.partly_sent = self.unsent() > 0;
                self.disconnect();
                Input::Disconnected(error.map(|error| error.to_string()))
            }
        };
        self.inputs.push_back(input);
    }

    /// The next event; `None` when a time comes first that is waited for. Before it waits, and now and then in a flood of
    /// events, it shows and sends what is waiting for that.
    fn next_event(&mut self) -> io::Result<Option<LoopEvent>> {
        loop {
            let next = [self.deadline, self.connect_at].into_iter().flatten().min();
            let left = next.map(|next| next.saturating_duration_since(Instant::now()));
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
            self.console.show(self.session.prompt())?;
            let sending = self.send_some();
            self.release_permits();
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
        let was_finishing = link.is_finishing();
        let progress = link.send_some();
        let more = link.unsent() > 0;
        if was_finishing && progress {
            self.set_patience(self.patience);
        }
        more
    }

    /// Lets more be typed when what was typed before has been taken care of.
    fn release_permits(&mut self) {
        if !self.is_congested() && self.session.wants_input() {
            for _ in 0..mem::take(&mut self.unreleased) {
                self.permits.release();
            }
        }
    }
}
