//! The main loop of the client. It owns the session, the user interface and the connection.
//!
//! A write to the server blocks for a moment at most. So incoming messages are shown while the server takes nothing (RT6), and
//! the two ends of a connection never wait for each other.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::connection::{Link, SocketEvent};
use super::messages;
use super::permits::Permit;
use super::session::{Action, Input, Names, Session};
use super::stdin::StdinEvent;
use super::timer::Timer;
use super::ui::editor::INTERRUPT;
use super::ui::{KeyAction, Ui};
use crate::limits::{NAMES_LIFETIME, OUTPUT_WAIT, TYPED_AHEAD};
use crate::net::Excerpt;
use crate::program;
use crate::signals::{self, Signal};

/// A report of another thread.
#[derive(Debug)]
pub(crate) enum LoopEvent {
    Stdin(StdinEvent, Permit),
    /// With the number of its connection.
    Socket(u64, SocketEvent, Permit),
    Signal(Signal),
    /// The output thread has made progress or failed.
    Output,
}

/// Events handled in a row before output is shown and sent.
const EVENTS_IN_A_ROW: usize = 256;

pub(crate) struct EventLoop {
    session: Session,
    ui: Ui,
    link: Link,
    timer: Timer,
    events: Receiver<LoopEvent>,
    /// Events handled since the last output.
    unflushed: usize,
    /// Inputs that the session has not handled yet.
    inputs: VecDeque<Input>,
    /// Permits of events that wait for the screen.
    unshown: Vec<Permit>,
    /// Permits of lines from a pipe, which wait for the screen, the session and the server.
    unsent_lines: Vec<Permit>,
    /// Lines typed at a terminal since the session or the server last took none.
    typed_ahead: usize,
    /// The time of the server's last list of users.
    listed_at: Option<Instant>,
}

impl EventLoop {
    /// Creates the loop of a new session. `link` keeps the channel of `events` connected.
    pub(crate) fn new(session: Session, ui: Ui, link: Link, events: Receiver<LoopEvent>) -> Self {
        Self {
            session,
            ui,
            link,
            timer: Timer::default(),
            events,
            unflushed: 0,
            inputs: VecDeque::from([Input::Start]),
            unshown: Vec::new(),
            unsent_lines: Vec::new(),
            typed_ahead: 0,
            listed_at: None,
        }
    }

    /// Runs until the session ends. Returns the exit status.
    pub(crate) fn run(mut self) -> io::Result<u8> {
        loop {
            while let Some(input) = self.inputs.pop_front() {
                if let Some(status) = self.handle_input(input)? {
                    return self.end(status);
                }
            }
            match self.next_event()? {
                Some(event) => self.handle_event(event)?,
                None => self.handle_timers()?,
            }
        }
    }

    /// Waits until all output is shown, unless the user or a signal asks to leave now. Returns the exit status.
    fn end(mut self, status: u8) -> io::Result<u8> {
        self.ui.finish(&self.prompt());
        if let Some(at) = self.timer.signalled_at {
            self.ui.patience = OUTPUT_WAIT.saturating_sub(at.elapsed());
            return Ok(status);
        }
        while !self.session.is_leaving_now() && !self.ui.is_finished()? {
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

    /// Passes an input to the session and performs its actions. Returns the exit status when the session ends.
    fn handle_input(&mut self, input: Input) -> io::Result<Option<u8>> {
        if let Input::Typed(line) = &input {
            program::failpoint(line);
            if !self.session.asks_for_name() {
                self.ui.add_history_entry(line);
            }
        }
        let was_entered = matches!(&input, Input::Typed(line) if self.ui.has_entered(line));
        self.session.handle(input);
        let mut next = self.session.poll_action();
        if was_entered {
            let is_replaced = match next {
                Some(Action::Sent { .. }) => true,
                Some(Action::GiveBack(_)) => self.ui.is_line_empty(),
                _ => false,
            };
            self.ui.settle_entered(is_replaced);
        }
        while let Some(action) = next {
            if let Some(status) = self.perform(action)? {
                return Ok(Some(status));
            }
            next = self.session.poll_action();
        }
        Ok(None)
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
            Action::Connect => self.link.connect(self.session.dialect(), self.ui.traces)?,
            Action::Reconnect(why) => self.reconnect(&why),
            Action::LoggedIn => {
                self.end_outage();
                self.link.reset_backoff();
                self.listed_at = None;
            }
            Action::Disconnect => self.link.disconnect(),
            Action::Send(line) => {
                if self.ui.traces {
                    self.ui.trace('>', &Excerpt::of(&line).to_string());
                }
                self.link.send(&line);
            }
            Action::FinishSending => self.link.finish(),
            Action::WaitAtMost(time) => self.timer.start(Some(time)),
            Action::WaitForever => self.timer.start(None),
            Action::Exit(status) => {
                self.link.disconnect();
                self.end_outage();
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

    /// Schedules the next connection and tells the user, who sees one row that every further attempt rewrites.
    fn reconnect(&mut self, why: &str) {
        let was_in_outage = self.link.is_in_outage;
        let seconds = self.link.reconnect().as_secs_f64().round() as u64;
        self.warn_of_unsent([]);
        let text = messages::trying_again(why, seconds.max(1));
        if was_in_outage {
            self.ui.warn_in_passing(text);
        } else {
            let hint = if self.ui.has_person() { messages::WHILE_AWAY } else { "" };
            self.ui.warn(&(text + hint));
        }
    }

    fn end_outage(&mut self) {
        self.link.is_in_outage = false;
        self.ui.forget_warning();
    }

    /// Warns of messages that the connection did not send, and of other lines `typed` in vain.
    fn warn_of_unsent(&mut self, typed: impl IntoIterator<Item = String>) {
        let mut unsent = self.session.messages_in(&self.link.take_lost());
        unsent.extend(typed);
        if !unsent.is_empty() {
            self.ui.warn(&messages::not_sent(&unsent));
        }
    }

    /// Returns the prompt. At a keyboard it shows that there is no connection.
    fn prompt(&self) -> String {
        let is_away = self.ui.has_person() && (self.link.is_in_outage || self.link.is_connecting());
        [if is_away { messages::NOT_CONNECTED } else { "" }, &self.session.prompt()].concat()
    }

    /// Returns the next event, or `None` when a time comes first. Shows and sends all output before it waits, and after every
    /// [`EVENTS_IN_A_ROW`] events.
    fn next_event(&mut self) -> io::Result<Option<LoopEvent>> {
        loop {
            let next = [self.timer.deadline, self.link.retry_at()].into_iter().flatten().min();
            if next.is_some_and(|next| next <= Instant::now()) {
                return Ok(None);
            }
            if self.unflushed < EVENTS_IN_A_ROW {
                if let Ok(event) = self.events.try_recv() {
                    self.unflushed += 1;
                    return Ok(Some(event));
                }
                // No event: the rest of an escape sequence is not there either.
                if self.ui.escape_at().is_some_and(|at| at <= Instant::now()) {
                    self.handle_keys(&[], true);
                }
            }
            self.unflushed = 0;
            self.ui.refresh(&self.prompt())?;
            let continues = self.send_some();
            self.release_permits();
            let next = next.into_iter().chain(self.ui.escape_at()).min();
            let wait = next.map_or(Duration::MAX, |next| next.saturating_duration_since(Instant::now()));
            if let Ok(event) = self.events.recv_timeout(if continues { Duration::ZERO } else { wait }) {
                return Ok(Some(event));
            }
        }
    }

    /// Sends what the server takes within a moment. Returns whether there is more to send.
    fn send_some(&mut self) -> bool {
        let Some(send_buffer) = self.link.send_buffer() else { return false };
        let is_finishing = send_buffer.is_finishing();
        if send_buffer.send_some() && is_finishing {
            self.timer.restart();
        }
        send_buffer.can_send()
    }

    /// Lets the reader threads continue once the output of earlier events is shown and sent.
    fn release_permits(&mut self) {
        if !self.ui.is_congested() {
            self.unshown.clear();
            if !self.link.is_congested() && self.session.wants_input() {
                self.unsent_lines.clear();
            }
        }
    }

    fn handle_timers(&mut self) -> io::Result<()> {
        if self.link.retry_at().is_some_and(|at| at <= Instant::now()) {
            self.link.connect(self.session.dialect(), self.ui.traces)?;
        }
        if self.timer.take_expired() {
            self.inputs.push_back(Input::TimeUp { unsent: self.link.unsent() > 0 });
        }
        Ok(())
    }

    fn handle_event(&mut self, event: LoopEvent) -> io::Result<()> {
        match event {
            LoopEvent::Stdin(event, permit) => {
                let is_line = matches!(event, StdinEvent::Line(_));
                self.handle_stdin(event);
                if is_line { &mut self.unsent_lines } else { &mut self.unshown }.push(permit);
            }
            LoopEvent::Socket(number, event, permit) if self.link.is_current(number) => {
                self.handle_socket(event);
                self.unshown.push(permit);
            }
            LoopEvent::Socket(..) | LoopEvent::Output | LoopEvent::Signal(Signal::Background) => {}
            LoopEvent::Signal(Signal::Suspend) => {
                self.ui.suspend();
                signals::suspend()?;
                self.ui.resume();
            }
            LoopEvent::Signal(Signal::Continue) => self.ui.resume(),
            LoopEvent::Signal(Signal::Resize) => self.ui.resize(),
            LoopEvent::Signal(signal) => self.end_by(signal),
        }
        Ok(())
    }

    fn end_by(&mut self, signal: Signal) {
        self.ui.abandon_line(&self.prompt());
        self.timer.signal();
        self.inputs.push_back(Input::Signal(signal));
    }

    fn handle_socket(&mut self, event: SocketEvent) {
        let input = match event {
            SocketEvent::Connected(stream) => {
                self.link.established(stream);
                if self.session.asks_for_name() {
                    self.end_outage();
                }
                Input::Connected
            }
            SocketEvent::Unreachable(error) => Input::Unreachable(program::describe(&error)),
            SocketEvent::Received(line) => Input::Received(line),
            SocketEvent::Traced(line) => return self.ui.trace('<', &line),
            SocketEvent::TooLong => return self.ui.warn(messages::REPLY_TOO_LONG),
            SocketEvent::Disconnected(error) => {
                // A server that closes before it has taken everything is an error too.
                let untaken = (self.link.unsent() > 0).then(|| messages::CLOSED_TOO_EARLY.to_owned());
                self.link.disconnect();
                Input::Disconnected(error.map(|error| program::describe(&error)).or(untaken))
            }
        };
        self.inputs.push_back(input);
    }

    fn handle_stdin(&mut self, event: StdinEvent) {
        match event {
            StdinEvent::Line(line) => {
                self.ui.log_line(&line);
                self.inputs.push_back(Input::Typed(line));
            }
            StdinEvent::Keys { bytes, after_pause } => self.handle_keys(&bytes, after_pause),
            StdinEvent::Foreground => self.ui.resume(),
            StdinEvent::TooLong => self.inputs.push_back(Input::TypedTooLong),
            StdinEvent::HangUp if !Signal::HangUp.is_ignored() => self.end_by(Signal::HangUp),
            StdinEvent::End | StdinEvent::HangUp => self.inputs.push_back(Input::TypedEnd),
        }
    }

    fn handle_keys(&mut self, bytes: &[u8], after_pause: bool) {
        let prompt = self.prompt();
        for action in self.ui.handle_keys(bytes, after_pause, &prompt) {
            match action {
                KeyAction::Submit(line) => self.submit(line),
                KeyAction::Person => self.inputs.push_back(Input::Person),
                KeyAction::RefreshNames if self.listed_at.is_some_and(|at| at.elapsed() < NAMES_LIFETIME) => {}
                KeyAction::RefreshNames => self.inputs.push_back(Input::Completing),
                KeyAction::Interrupt => self.end_by(Signal::Interrupt),
            }
        }
    }

    /// Queues a line that was typed at a terminal. Refuses it when too many lines wait, so that the keyboard is always read.
    fn submit(&mut self, line: String) {
        if self.link.is_in_outage && line.trim().is_empty() && self.ui.has_entered(&line) {
            self.ui.settle_entered(true);
            self.link.retry_now();
            return;
        }
        let waits = !self.session.wants_input() || self.link.is_congested();
        self.typed_ahead = if waits { self.typed_ahead + 1 } else { 0 };
        if self.typed_ahead > TYPED_AHEAD && !self.session.is_farewell(&line) {
            if self.ui.has_entered(&line) {
                self.ui.settle_entered(false);
            }
            self.ui.warn(messages::TOO_FAR_AHEAD);
            self.ui.add_history_entry(&line);
        } else {
            self.inputs.push_back(Input::Typed(line));
        }
    }
}
