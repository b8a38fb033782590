//! The one loop of the client. It owns the session, the user interface and the sending half.
//!
//! It never waits for the server to take anything for longer than a moment, so that incoming messages are shown whatever is
//! on its way out (RT6), and the two ends of a connection can never wait for each other.

mod connecting;
mod keyboard;
mod sending;

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::connection::backoff::Backoff;
use super::connection::reader::SocketEvent;
use super::connection::send_buffer::SendBuffer;
use super::permits::Permit;
use super::session::{Action, Input, Names, Session};
use super::stdin::StdinEvent;
use super::ui::Ui;
use super::ui::editor::INTERRUPT;
use crate::limits::{OUTPUT_WAIT, SIGNAL_WAIT};
use crate::program;
use crate::signals::{self, Signal};

/// What the other threads report.
#[derive(Debug)]
pub(crate) enum LoopEvent {
    Stdin(StdinEvent, Permit),
    /// With the number of the connection that it is about.
    Socket(u64, SocketEvent, Permit),
    Signal(Signal),
    /// There is something new to know of what is being shown.
    Output,
}

/// Events handled in a row before things are shown and sent.
const EVENTS_IN_A_ROW: usize = 256;

/// The state of a running client.
pub(crate) struct EventLoop {
    session: Session,
    address: (String, u16),
    ui: Ui,
    /// What every new thread gets a clone of.
    sender: Sender<LoopEvent>,
    events: Receiver<LoopEvent>,
    /// Of what was handled, and waits for the screen.
    unshown: Vec<Permit>,
    /// Of lines that came through a pipe, and wait for the screen, for the session or for the server.
    unsent_lines: Vec<Permit>,
    /// When the server last told who is online.
    listed_at: Option<Instant>,
    /// Lines typed at a terminal since the session last did not want any.
    typed_ahead: usize,
    send_buffer: Option<SendBuffer>,
    /// The number of the latest connection; reports of earlier ones are of no interest.
    connection_id: u64,
    backoff: Backoff,
    /// When to connect again.
    connect_at: Option<Instant>,
    /// A connection is asked for, and not there yet.
    is_connecting: bool,
    /// There is to be another connection, as the last one was lost or could not be made.
    is_away: bool,
    /// Lines that the last connection did not take.
    lost: Vec<u8>,
    /// How long the session wants to wait for its next input.
    timeout: Option<Duration>,
    /// When that time is over.
    deadline: Option<Instant>,
    /// When a signal came that ends the session.
    signalled: Option<Instant>,
    /// What the last event means to the session, as far as it has not heard of it.
    inputs: VecDeque<Input>,
    /// Events handled since things were last shown and sent.
    unflushed: usize,
}

impl EventLoop {
    /// Creates the loop of a session that is yet to begin.
    pub(crate) fn new(
        session: Session,
        address: (String, u16),
        ui: Ui,
        sender: Sender<LoopEvent>,
        events: Receiver<LoopEvent>,
    ) -> Self {
        Self {
            session,
            address,
            ui,
            sender,
            events,
            unshown: Vec::new(),
            unsent_lines: Vec::new(),
            listed_at: None,
            typed_ahead: 0,
            send_buffer: None,
            connection_id: 0,
            backoff: Backoff::default(),
            connect_at: None,
            is_connecting: false,
            is_away: false,
            lost: Vec::new(),
            timeout: None,
            deadline: None,
            signalled: None,
            inputs: VecDeque::from([Input::Start]),
            unflushed: 0,
        }
    }

    /// Runs until the session is over, and returns the status to end with.
    pub(crate) fn run(mut self) -> io::Result<u8> {
        loop {
            while let Some(input) = self.inputs.pop_front() {
                if let Input::Typed(line) = &input {
                    program::failpoint(line);
                    if !self.session.asks_for_name() {
                        self.ui.add_history_entry(line);
                    }
                }
                let mut was_entered = matches!(&input, Input::Typed(line) if self.ui.has_entered(line));
                self.session.handle(input);
                while let Some(action) = self.session.poll_action() {
                    if mem::take(&mut was_entered) {
                        self.ui.settle_entered(matches!(action, Action::Sent { .. }));
                    }
                    if let Some(status) = self.perform(action)? {
                        return self.end(status);
                    }
                }
                if was_entered {
                    self.ui.settle_entered(false);
                }
            }
            match self.next_event()? {
                Some(event) => self.handle_event(event)?,
                None => self.handle_timers()?,
            }
        }
    }

    /// Waits until all is shown, unless the person or a signal says to leave, and returns the status to end with.
    fn end(mut self, status: u8) -> io::Result<u8> {
        self.ui.finish(&self.prompt());
        if let Some(signalled) = self.signalled {
            self.ui.set_patience(OUTPUT_WAIT.saturating_sub(signalled.elapsed()));
        }
        let waits = self.signalled.is_none() && !self.session.is_leaving_now();
        while waits && !self.ui.is_finished()? {
            // `self.sender` keeps the channel connected.
            match self.events.recv() {
                Ok(LoopEvent::Signal(signal)) if signal.ends() => return Ok(signal.exit_status()),
                Ok(LoopEvent::Stdin(StdinEvent::Keys { bytes, .. }, _)) if bytes.contains(&INTERRUPT) => {
                    return Ok(Signal::Interrupt.exit_status());
                }
                _ => {}
            }
        }
        Ok(status)
    }

    fn perform(&mut self, action: Action) -> io::Result<Option<u8>> {
        match action {
            Action::Print(text) => self.ui.print(&text),
            Action::Message { line, sender, scope } => {
                self.ui.print_message(&line, sender, scope, self.session.name());
            }
            Action::Sent { to, text } => self.ui.print_sent(self.session.name(), to.as_deref(), &text),
            Action::Warn(text) => self.ui.warn(&text),
            Action::GiveBack(line) => self.ui.give_back(&line),
            Action::Names(names) => {
                self.ui.note_names(&names);
                if matches!(names, Names::Online(_)) {
                    self.listed_at = Some(Instant::now());
                }
            }
            Action::Help => self.ui.print_help(),
            Action::Connect => {
                self.disconnect();
                self.connect()?;
            }
            Action::Reconnect(why) => self.reconnect(&why),
            Action::LoggedIn => {
                self.is_back();
                self.backoff.reset();
                self.listed_at = None;
            }
            Action::Disconnect => self.disconnect(),
            Action::Send(bytes) => {
                if let Some(send_buffer) = &mut self.send_buffer {
                    send_buffer.send(&bytes);
                }
            }
            Action::FinishSending => {
                if let Some(send_buffer) = &mut self.send_buffer {
                    send_buffer.finish();
                }
            }
            Action::WaitAtMost(time) => self.set_timeout(Some(time)),
            Action::WaitForever => self.set_timeout(None),
            Action::Exit(status) => {
                self.disconnect();
                self.is_back();
                let typed = mem::take(&mut self.inputs).into_iter().filter_map(|input| match input {
                    Input::Typed(text) if !text.trim().is_empty() => Some(text),
                    _ => None,
                });
                self.warn_of_unsent(typed);
                return Ok(Some(status));
            }
        }
        Ok(None)
    }

    fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let end_by = self.signalled.map(|signalled| signalled + SIGNAL_WAIT);
        self.deadline = [deadline, end_by].into_iter().flatten().min();
    }

    /// Does what is due at a time that was waited for.
    fn handle_timers(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if self.connect_at.take_if(|at| *at <= now).is_some() {
            self.connect()?;
        }
        if self.deadline.take_if(|deadline| *deadline <= now).is_some() {
            self.inputs.push_back(Input::TimeUp { unsent: self.unsent() > 0 });
        }
        Ok(())
    }

    /// Does the loop's own part of an event; what the session has to hear of becomes its next inputs.
    fn handle_event(&mut self, event: LoopEvent) -> io::Result<()> {
        match event {
            LoopEvent::Stdin(event, permit) => self.handle_stdin(event, permit),
            LoopEvent::Socket(number, event, permit) if number == self.connection_id => {
                self.handle_socket(event);
                self.unshown.push(permit);
            }
            LoopEvent::Socket(..) | LoopEvent::Output => {}
            LoopEvent::Signal(Signal::Suspend) => {
                self.ui.suspend();
                signals::suspend()?;
                self.ui.resume();
            }
            LoopEvent::Signal(Signal::Continue) => self.ui.resume(),
            LoopEvent::Signal(Signal::Background) => {}
            LoopEvent::Signal(Signal::Resize) => self.ui.resize(),
            LoopEvent::Signal(signal) => self.end_by(signal),
        }
        Ok(())
    }

    /// A signal ends the session, or what it would tell has been found out.
    fn end_by(&mut self, signal: Signal) {
        self.ui.abandon_line(&self.prompt());
        self.signalled.get_or_insert_with(Instant::now);
        self.set_timeout(self.timeout);
        self.inputs.push_back(Input::Signal(signal));
    }

    /// Returns the next event; `None` when a time comes first that is waited for. Before it waits, and now and then in a flood of
    /// events, it shows and sends what is waiting for that.
    fn next_event(&mut self) -> io::Result<Option<LoopEvent>> {
        loop {
            let next = [self.deadline, self.connect_at].into_iter().flatten().min();
            if next.is_some_and(|next| next <= Instant::now()) {
                return Ok(None);
            }
            if self.unflushed < EVENTS_IN_A_ROW {
                if let Ok(event) = self.events.try_recv() {
                    self.unflushed += 1;
                    return Ok(Some(event));
                }
                // Nor has the rest of a sequence come.
                if self.ui.escape_at().is_some_and(|at| at <= Instant::now()) {
                    self.handle_keys(&[], true);
                }
            }
            self.unflushed = 0;
            self.ui.refresh(&self.prompt())?;
            let sending = self.send_some();
            if self.trace_sent() {
                continue;
            }
            self.release_permits();
            let now = Instant::now();
            let next = [next, self.ui.escape_at()].into_iter().flatten().min();
            let left = next.map(|next| next.saturating_duration_since(now));
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
}
