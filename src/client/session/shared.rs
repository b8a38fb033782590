//! The state that the sessions of all protocols share: connection, login, lines typed ahead, leaving and reconnecting.

use std::collections::VecDeque;
use std::ops::Range;

use super::awaited::{Audience, Awaited, AwaitedAnswers};
use super::interface::{Action, Config, Names};
use super::people::People;
use super::stage::{Attempt, Connection, Ending, Leaving, Stage};
use crate::client::messages;
use crate::limits::{END_WAIT, LOGIN_WAIT, NAME_CHARS, NAMES_REMEMBERED, QUIT_WAIT};
use crate::protocol::{Dialect, Presence, Request, Scope};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    dialect: &'static dyn Dialect,
    /// The revision of the dialect that the server speaks, as far as known.
    pub(crate) revision: u8,
    /// A person types at a keyboard.
    pub(crate) has_person: bool,
    /// The name that is logged in, or to be.
    pub(crate) name: String,
    connection: Connection,
    stage: Stage,
    /// Lines typed during a login (K2).
    typed_ahead: VecDeque<String>,
    pub(crate) awaited: AwaitedAnswers,
    pub(crate) people: People,
    ending: Ending,
    actions: VecDeque<Action>,
}

impl Shared {
    /// Creates the state of a session that asks for a name first.
    pub(crate) fn new(config: Config, dialect: &'static dyn Dialect) -> Self {
        Self {
            config,
            dialect,
            revision: 0,
            has_person: false,
            name: String::new(),
            connection: Connection::Closed,
            stage: Stage::Asking { was_refused: false },
            typed_ahead: VecDeque::new(),
            awaited: AwaitedAnswers::default(),
            people: People::default(),
            ending: Ending::default(),
            actions: VecDeque::new(),
        }
    }

    pub(crate) fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    pub(crate) fn print(&mut self, text: impl Into<String>) {
        self.push(Action::Print(text.into()));
    }

    pub(crate) fn warn(&mut self, text: impl Into<String>) {
        self.push(Action::Warn(text.into()));
    }

    pub(crate) fn is_interactive(&self) -> bool {
        self.config.interactive
    }

    /// Sends a request. At a terminal a message is also shown.
    pub(crate) fn send(&mut self, request: &Request<'_>) {
        let sent = match *request {
            Request::Broadcast { text } => Some(Action::Sent { to: None, text: text.to_owned() }),
            Request::Direct { to, text } => Some(Action::Sent { to: Some(to.to_owned()), text: text.to_owned() }),
            _ => None,
        };
        if self.is_interactive() {
            self.actions.extend(sent);
        }
        let mut line = Vec::new();
        self.dialect.encode_request(request, &self.name, self.revision, &mut line);
        self.push(Action::Send(line));
    }

    /// Asks for the list of users.
    pub(crate) fn request_list(&mut self, audience: Audience) {
        self.send(&Request::List);
        self.awaited.push(Awaited::List { audience, revision: self.revision });
    }

    /// Shows a message, unless its sender is ignored.
    pub(crate) fn message(&mut self, line: String, sender: Range<usize>, scope: Scope) {
        if !self.people.ignored.contains(&line[sender.clone()]) {
            self.push(Action::Message { line, sender, scope });
        }
    }

    /// Shows a list of users if the user has asked for it. Its latest names are for the completion.
    pub(crate) fn listed(&mut self, line: impl Into<String>, names: &[&str], answered: Option<&Awaited>) {
        if !answered.is_some_and(Awaited::is_for_completion) {
            self.print(line);
        }
        let latest = &names[names.len().saturating_sub(NAMES_REMEMBERED)..];
        let others = latest.iter().map(|name| name.trim()).filter(|name| *name != self.name);
        let others = others.map(str::to_owned).collect();
        self.push(Action::Names(Names::Online(others)));
    }

    /// Shows a line about a user who joined, left or changed the name.
    pub(crate) fn presence(&mut self, line: &str, presence: Presence<'_>) {
        self.print(line);
        let names = match presence {
            Presence::Joined { name } => Names::Joined(name.to_owned()),
            Presence::Left { name } => Names::Left(name.to_owned()),
            Presence::Renamed { from, to } => {
                if self.people.rename(from, to) {
                    self.tell_ignored();
                }
                Names::Renamed { from: from.to_owned(), to: to.to_owned() }
            }
        };
        self.push(Action::Names(names));
    }

    /// Tells the completion who is ignored.
    pub(crate) fn tell_ignored(&mut self) {
        let names = self.people.ignored.iter().cloned().collect();
        self.push(Action::Names(Names::Ignored(names)));
    }

    pub(crate) fn is_asking(&self) -> bool {
        matches!(self.stage, Stage::Asking { .. })
    }

    pub(crate) fn is_logging_in(&self) -> bool {
        matches!(self.stage, Stage::LoggingIn { .. })
    }

    pub(crate) fn is_login_sent(&self) -> bool {
        matches!(self.stage, Stage::LoggingIn { is_sent: true, .. })
    }

    /// Returns whether the connection was lost in the chat and no login has succeeded since.
    pub(crate) fn is_reconnecting(&self) -> bool {
        matches!(self.stage, Stage::LoggingIn { attempt: Attempt::Reconnect, .. })
    }

    pub(crate) fn is_chatting(&self) -> bool {
        self.stage == Stage::Chatting
    }

    pub(crate) fn connect(&mut self) {
        self.connection = Connection::Connecting;
        self.push(Action::Connect);
    }

    pub(crate) fn connection_opened(&mut self) {
        self.connection = Connection::Open { is_heard: false };
    }

    fn is_heard(&self) -> bool {
        self.connection == Connection::Open { is_heard: true }
    }

    pub(crate) fn heard(&mut self) {
        if self.connection == (Connection::Open { is_heard: false }) {
            self.connection = Connection::Open { is_heard: true };
            if self.is_interactive() && self.is_chatting() && !self.is_leaving() {
                self.push(Action::WaitForever);
            }
        }
    }

    pub(crate) fn keep_waiting(&mut self) {
        self.warn(messages::no_answer_yet(&self.config.server));
        self.push(Action::WaitForever);
    }

    /// Logs in as soon as there is a connection.
    pub(crate) fn log_in(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        self.stage = Stage::LoggingIn { is_sent: false, attempt: Attempt::First };
        match self.connection {
            Connection::Closed => self.connect(),
            Connection::Connecting => {}
            Connection::Open { .. } => self.send_login(),
        }
    }

    /// Sends the login if a name is known.
    pub(crate) fn send_login(&mut self) {
        let is_reconnecting = self.is_reconnecting();
        let Stage::LoggingIn { is_sent, .. } = &mut self.stage else { return };
        *is_sent = true;
        let name = self.name.clone();
        self.send(&Request::Login { name: &name });
        self.push(Action::WaitAtMost(match self.ending.leaving {
            Some(Leaving::EndOfInput) if !is_reconnecting => END_WAIT,
            Some(Leaving::Quit | Leaving::Signal(_)) => QUIT_WAIT,
            _ => LOGIN_WAIT,
        }));
    }

    pub(crate) fn logged_in(&mut self) {
        self.stage = Stage::Chatting;
        self.push(match self.ending.leaving {
            // A server that says nothing to a login is taken to agree.
            None if self.is_interactive() && !self.is_heard() => Action::WaitAtMost(LOGIN_WAIT),
            None => Action::WaitForever,
            Some(Leaving::EndOfInput) => Action::WaitAtMost(END_WAIT),
            Some(Leaving::Quit | Leaving::Signal(_)) => Action::WaitAtMost(QUIT_WAIT),
        });
        self.push(Action::LoggedIn);
    }

    /// Asks for another name (RA2).
    pub(crate) fn refuse(&mut self, why: String) {
        self.print(why);
        let is_answer = self.is_logging_in();
        self.stage = Stage::Asking { was_refused: true };
        if is_answer {
            // The server closes after a refusal, so the next try gets a connection of its own.
            self.push(Action::Disconnect);
            self.connection = Connection::Closed;
            if self.is_leaving_now() {
                return self.end();
            }
        }
        self.print(messages::ENTER_LOGIN);
        if is_answer && !self.is_leaving() {
            self.push(Action::WaitForever);
        }
    }

    /// Connects again and logs in with the same name, unless the user leaves.
    pub(crate) fn reconnect(&mut self, why: String) {
        if self.is_leaving_now() {
            return self.end();
        }
        self.warn_of_unacknowledged();
        self.stage = Stage::LoggingIn { is_sent: false, attempt: Attempt::Reconnect };
        self.try_later(why);
    }

    /// Logs in once more on a new connection.
    pub(crate) fn resume(&mut self) {
        self.warn_of_unacknowledged();
        self.stage = Stage::LoggingIn { is_sent: false, attempt: Attempt::Second };
        self.connect();
    }

    fn warn_of_unacknowledged(&mut self) {
        if let Some(warning) = self.awaited.clear() {
            self.warn(warning);
        }
    }

    fn try_later(&mut self, why: String) {
        self.connection = Connection::Connecting;
        self.push(Action::WaitForever);
        self.push(Action::Reconnect(why));
    }

    /// Returns whether the user has asked for further attempts.
    pub(crate) fn insists(&self) -> bool {
        self.config.reconnect == Some(true) && !self.is_leaving()
    }

    /// Returns whether to connect again after a loss in the chat.
    pub(crate) fn reconnects(&self) -> bool {
        self.config.reconnect.unwrap_or(self.has_person) && !self.is_leaving()
    }

    /// Returns whether to try again after a failed attempt to connect. A script fails at once (K4).
    pub(crate) fn keeps_trying(&self) -> bool {
        self.is_reconnecting() || (self.insists() && self.is_interactive())
    }

    /// Connects again after a while, and logs in again if a login was sent.
    pub(crate) fn try_again(&mut self, why: String) {
        match &mut self.stage {
            Stage::LoggingIn { attempt: Attempt::Reconnect, .. } | Stage::Chatting => return self.reconnect(why),
            Stage::LoggingIn { is_sent, .. } => *is_sent = false,
            Stage::Asking { .. } => {}
        }
        self.try_later(why);
    }

    /// Handles the end of the connection. Returns `false` if the session has failed.
    pub(crate) fn connection_closed(&mut self, reason: Option<&str>, retries_login: bool) -> bool {
        self.connection = Connection::Closed;
        match self.stage {
            _ if self.is_leaving_now() || (reason.is_none() && self.ending.is_finishing) => self.end(),
            Stage::Asking { .. } => {}
            Stage::LoggingIn { attempt: Attempt::First, .. } if retries_login => self.resume(),
            _ if self.keeps_trying() || (self.is_chatting() && self.reconnects()) => {
                self.try_again(messages::connection_lost(&self.config.server, reason));
            }
            Stage::LoggingIn { .. } | Stage::Chatting => return false,
        }
        true
    }

    pub(crate) fn typed_too_long(&mut self) {
        self.note_failure();
        self.warn(messages::TYPED_TOO_LONG);
    }

    pub(crate) fn note_failure(&mut self) {
        self.ending.has_failed = true;
    }

    pub(crate) fn warn_of_long_name(&mut self) {
        if self.name.chars().count() > NAME_CHARS {
            self.warn(messages::NAME_TOO_LONG);
        }
    }

    pub(crate) fn type_ahead(&mut self, text: String) {
        if !text.trim().is_empty() {
            self.typed_ahead.push_back(text);
        }
    }

    /// Returns the next line to handle. After a refusal a script's lines are names; a user meant them for the chat.
    pub(crate) fn next_typed_ahead(&mut self) -> Option<String> {
        let waits = self.is_logging_in() || (self.is_asking() && self.is_interactive());
        if waits || self.ending.is_finishing || self.ending.is_over { None } else { self.typed_ahead.pop_front() }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.ending.leaving.is_some()
    }

    /// Returns whether the user leaves without waiting for earlier lines. A script's lines are handled in order; at a terminal
    /// `!quit` works at once.
    pub(crate) fn is_leaving_now(&self) -> bool {
        match self.ending.leaving {
            Some(Leaving::Quit) => self.is_interactive() || self.typed_ahead.is_empty(),
            Some(Leaving::Signal(_)) => true,
            Some(Leaving::EndOfInput) => self.is_asking() && self.typed_ahead.is_empty(),
            None => false,
        }
    }

    /// Leaves after everything typed before (K3, K5, RI7).
    pub(crate) fn leave(&mut self, leaving: Leaving) {
        self.ending.leaving = Some(leaving);
        if self.is_leaving_now() {
            // At the end of the input the user still wants to know whether there is a server.
            let waits_in_vain = self.is_reconnecting() || (self.is_asking() && leaving != Leaving::EndOfInput);
            if waits_in_vain && self.connection == Connection::Connecting {
                self.end();
            } else {
                self.push(Action::WaitAtMost(QUIT_WAIT));
            }
        } else if !self.is_reconnecting() {
            self.push(Action::WaitAtMost(if leaving == Leaving::Quit { QUIT_WAIT } else { END_WAIT }));
        }
    }

    /// Returns whether it is time to shut the sending half down.
    pub(crate) fn is_done(&self) -> bool {
        let waits_for_login = self.is_logging_in()
            && match self.ending.leaving {
                Some(Leaving::EndOfInput) | None => true,
                Some(Leaving::Quit) => !self.typed_ahead.is_empty(),
                Some(Leaving::Signal(_)) => false,
            };
        self.is_leaving() && !waits_for_login && !self.ending.is_finishing && !self.ending.is_over
    }

    /// Shuts the sending half down after the dialect's farewell.
    pub(crate) fn finish(&mut self, farewell: Option<&Request<'_>>) {
        match self.connection {
            Connection::Connecting => return,
            Connection::Closed => return self.end(),
            Connection::Open { .. } => {}
        }
        self.ending.is_finishing = true;
        if let Some(farewell) = farewell {
            self.send(farewell);
        }
        self.push(Action::FinishSending);
    }

    /// Ends because the server has not finished in time.
    pub(crate) fn time_up(&mut self, unsent: bool) {
        if unsent && !matches!(self.ending.leaving, Some(Leaving::Signal(_))) {
            self.fail(messages::not_all_sent(&self.config.server));
        } else if self.ending.leaving == Some(Leaving::EndOfInput) && self.is_chatting() && !self.is_heard() {
            self.fail(messages::no_answer(&self.config.server));
        } else {
            self.end();
        }
    }

    /// Warns of a line typed after `!quit`.
    pub(crate) fn typed_too_late(&mut self, text: &str) {
        if self.is_interactive() && !text.trim().is_empty() {
            self.warn(messages::not_sent(&[text]));
        }
    }

    /// Ends and reports everything that was not sent. With the end of the input this is a failure.
    pub(crate) fn exit(&mut self, status: u8) {
        let never_logged_in = self.stage == Stage::Asking { was_refused: true } && !self.is_interactive();
        let in_vain = self.ending.leaving == Some(Leaving::EndOfInput)
            && (never_logged_in
                || self.ending.has_failed
                || self.awaited.messages() > 0
                || !self.typed_ahead.is_empty());
        if in_vain && self.is_asking() {
            self.warn(messages::NEVER_LOGGED_IN);
        }
        self.warn_of_unacknowledged();
        if !self.typed_ahead.is_empty() {
            let unsent = messages::not_sent(self.typed_ahead.make_contiguous());
            self.warn(unsent);
        }
        self.ending.is_over = true;
        self.push(Action::Exit(if in_vain { status.max(1) } else { status }));
    }

    pub(crate) fn fail(&mut self, text: impl Into<String>) {
        self.warn(text);
        self.exit(1);
    }

    /// Ends with the status of the signal, if any.
    fn end(&mut self) {
        self.exit(if let Some(Leaving::Signal(status)) = self.ending.leaving { status } else { 0 });
    }
}
