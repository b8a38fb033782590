//! What the sessions of all dialects share: how far the connection and the login are, what was typed ahead, how one leaves
//! and how one comes back.

mod leaving;
mod people;
mod unacknowledged;

use std::collections::VecDeque;
use std::mem;

pub(crate) use self::leaving::Leaving;
use self::people::People;
use self::unacknowledged::Unacknowledged;
use super::{Action, Config, Usage};
use crate::client::messages;
use crate::limits::{END_WAIT, LOGIN_WAIT, NAME_CHARS, QUIT_WAIT};
use crate::protocol::{Dialect, PeerState, Request};

/// The state of a session that is the same in every dialect.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(super) dialect: &'static dyn Dialect,
    /// What can be typed.
    pub(super) commands: &'static [Usage],
    /// Which revision of the dialect the server is known to speak.
    pub(crate) revision: u8,
    /// The name that is logged in, or to be.
    pub(crate) name: String,
    connection: Connection,
    stage: Stage,
    /// What was typed while a login was being answered (K2).
    typed_ahead: VecDeque<String>,
    /// Messages that the server has not acknowledged yet, in dialects in which it does.
    unacknowledged: Unacknowledged,
    people: People,
    /// A line was not sent, or a message reached nobody (K3).
    has_failed: bool,
    /// A login was refused, or a name was none.
    was_refused: bool,
    /// The server has said something on this connection.
    is_heard: bool,
    /// How the person leaves, as soon as everything typed before is done.
    leaving: Option<Leaving>,
    /// The sending side is shut down, or will be when all is sent; what still arrives is shown.
    is_finishing: bool,
    /// The session has ended.
    is_over: bool,
    /// What is to be done, in this order.
    actions: VecDeque<Action>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    Closed,
    Connecting,
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// At the name prompt.
    Asking,
    /// There is a name; the login is sent as soon as there is a connection.
    LoggingIn {
        is_sent: bool,
        attempt: Attempt,
    },
    Chatting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    First,
    /// The connection was gone, and has been made anew (K4).
    Second,
    /// The connection was lost in mid-chat; this goes on until it works.
    Reconnect,
}

/// What the end of a connection means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It was to be expected.
    Expected,
    /// The login is to be tried once more on a new connection.
    Retry,
    /// The session goes on when there is a new one.
    Reconnect,
    /// The session has failed.
    Final,
}

impl Shared {
    /// Creates the state of a session that asks for a name first.
    pub(crate) fn new(config: Config, dialect: &'static dyn Dialect, commands: &'static [Usage]) -> Self {
        Self {
            config,
            dialect,
            commands,
            revision: 0,
            name: String::new(),
            connection: Connection::Closed,
            stage: Stage::Asking,
            typed_ahead: VecDeque::new(),
            unacknowledged: Unacknowledged::default(),
            people: People::default(),
            has_failed: false,
            was_refused: false,
            is_heard: false,
            leaving: None,
            is_finishing: false,
            is_over: false,
            actions: VecDeque::new(),
        }
    }

    /// Adds to what is to be done.
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

    /// Sends a request in the dialect's words. Whoever has typed a message at a terminal is told that this is one.
    pub(crate) fn send(&mut self, request: &Request<'_>) {
        match *request {
            Request::Broadcast { text } if self.config.interactive => {
                self.push(Action::Sent { to: None, text: text.to_owned() });
            }
            Request::Direct { to, text } if self.config.interactive => {
                self.push(Action::Sent { to: Some(to.to_owned()), text: text.to_owned() });
            }
            _ => {}
        }
        let mut line = Vec::new();
        self.dialect.encode_request(request, &self.name, self.revision, &mut line);
        self.push(Action::Send(line));
    }

    /// Returns what a person types for a line, if it is a message.
    pub(crate) fn typed_form(&self, line: &str) -> Option<String> {
        let mut peer = PeerState { name: self.name.parse().ok(), revision: self.revision };
        match self.dialect.decode_request(line, &mut peer) {
            Request::Broadcast { text } => Some(text.to_owned()),
            Request::Direct { to, text } => Some(format!("@{to} {text}")),
            _ => None,
        }
    }

    /// Sends a message that the server is to acknowledge.
    pub(crate) fn send_to_be_acknowledged(&mut self, request: &Request<'_>, line: &str) {
        self.send(request);
        self.unacknowledged.push(line);
    }

    /// Takes note of the answer to the oldest message that is to be acknowledged, and returns the message.
    pub(crate) fn acknowledged(&mut self) -> Option<String> {
        self.unacknowledged.pop()
    }

    /// Returns how many messages are to be acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.unacknowledged.len()
    }

    fn warn_of_unacknowledged(&mut self) {
        if let Some(warning) = self.unacknowledged.take() {
            self.warn(warning);
        }
    }

    pub(crate) fn is_asking(&self) -> bool {
        self.stage == Stage::Asking
    }

    pub(crate) fn is_logging_in(&self) -> bool {
        matches!(self.stage, Stage::LoggingIn { .. })
    }

    /// Returns whether the server is answering a login.
    pub(crate) fn is_login_sent(&self) -> bool {
        matches!(self.stage, Stage::LoggingIn { is_sent: true, .. })
    }

    /// Returns whether the connection was lost in mid-chat, and the login has not worked since.
    pub(crate) fn is_reconnecting(&self) -> bool {
        matches!(self.stage, Stage::LoggingIn { attempt: Attempt::Reconnect, .. })
    }

    pub(crate) fn is_chatting(&self) -> bool {
        self.stage == Stage::Chatting
    }

    /// Asks for a connection.
    pub(crate) fn connect(&mut self) {
        self.connection = Connection::Connecting;
        self.push(Action::Connect);
    }

    pub(crate) fn connection_opened(&mut self) {
        self.connection = Connection::Open;
        self.is_heard = false;
    }

    /// Takes note that the server has said something.
    pub(crate) fn heard(&mut self) {
        let was_heard = mem::replace(&mut self.is_heard, true);
        if !was_heard && self.config.interactive && self.is_chatting() && self.leaving.is_none() {
            self.push(Action::WaitForever);
        }
    }

    /// Tells whoever sits at a terminal that nothing is heard of the server, and goes on waiting.
    pub(crate) fn keep_waiting(&mut self) {
        self.warn(messages::no_answer_yet(&self.config.server));
        self.push(Action::WaitForever);
    }

    /// Logs in as soon as there is a connection, and asks for one if none was asked for.
    pub(crate) fn log_in(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        self.stage = Stage::LoggingIn { is_sent: false, attempt: Attempt::First };
        match self.connection {
            Connection::Closed => self.connect(),
            Connection::Connecting => {}
            Connection::Open => self.send_login(),
        }
    }

    /// Sends the login, if there is one to be sent.
    pub(crate) fn send_login(&mut self) {
        let is_reconnecting = self.is_reconnecting();
        let Stage::LoggingIn { is_sent, .. } = &mut self.stage else { return };
        *is_sent = true;
        let name = self.name.clone();
        self.send(&Request::Login { name: &name });
        self.push(Action::WaitAtMost(match self.leaving {
            Some(Leaving::EndOfInput) if !is_reconnecting => END_WAIT,
            Some(Leaving::Quit | Leaving::Signal(_)) => QUIT_WAIT,
            _ => LOGIN_WAIT,
        }));
    }

    /// Takes note that the login has worked, or is taken to have.
    pub(crate) fn logged_in(&mut self) {
        self.stage = Stage::Chatting;
        match self.leaving {
            // Nothing may have been heard of a server that is taken to agree.
            None if self.config.interactive && !self.is_heard => self.push(Action::WaitAtMost(LOGIN_WAIT)),
            None => self.push(Action::WaitForever),
            Some(Leaving::EndOfInput) => self.push(Action::WaitAtMost(END_WAIT)),
            Some(Leaving::Quit | Leaving::Signal(_)) => self.push(Action::WaitAtMost(QUIT_WAIT)),
        }
        self.push(Action::LoggedIn);
    }

    /// Says why a name will not do, and asks for another one (RA2).
    pub(crate) fn refuse(&mut self, why: String) {
        self.was_refused = true;
        self.print(why);
        let is_answer = self.is_logging_in();
        if is_answer {
            // The server closes after a refusal, so the next try gets a connection of its own.
            self.push(Action::Disconnect);
            self.connection = Connection::Closed;
            self.stage = Stage::Asking;
            if self.is_leaving_now() {
                self.exit(self.exit_status());
                return;
            }
        }
        self.print(messages::ENTER_LOGIN);
        if is_answer && self.leaving.is_none() {
            self.push(Action::WaitForever);
        }
    }

    /// Connects again, and logs in with the same name; what is typed meanwhile waits. Whoever is leaving does without.
    pub(crate) fn reconnect(&mut self, why: String) {
        if self.is_leaving_now() {
            self.exit(self.exit_status());
            return;
        }
        self.warn_of_unacknowledged();
        self.connection = Connection::Connecting;
        self.stage = Stage::LoggingIn { is_sent: false, attempt: Attempt::Reconnect };
        self.push(Action::WaitForever);
        self.push(Action::Reconnect(why));
    }

    /// Logs in again on a new connection, as the last one ended because of a request.
    pub(crate) fn resume(&mut self) {
        self.warn_of_unacknowledged();
        self.stage = Stage::LoggingIn { is_sent: false, attempt: Attempt::Second };
        self.connect();
    }

    /// Returns whether to connect again when the connection is lost.
    pub(crate) fn reconnects(&self) -> bool {
        self.config.reconnect.unwrap_or(self.has_person())
    }

    /// Returns whether the user has asked for further tries, whatever the server says.
    pub(crate) fn insists(&self) -> bool {
        self.config.reconnect == Some(true) && !self.is_leaving()
    }

    /// Returns whether there is another try after a connection that could not be made. A script is told at once (K4).
    pub(crate) fn keeps_trying(&self) -> bool {
        self.is_reconnecting() || (self.insists() && self.config.interactive)
    }

    /// Tries again, after a while, to get as far as a login, or a question for a name, would be now.
    pub(crate) fn try_again(&mut self, why: String) {
        match &mut self.stage {
            Stage::LoggingIn { attempt: Attempt::Reconnect, .. } | Stage::Chatting => return self.reconnect(why),
            Stage::LoggingIn { is_sent, .. } => *is_sent = false,
            Stage::Asking => {}
        }
        self.connection = Connection::Connecting;
        self.push(Action::WaitForever);
        self.push(Action::Reconnect(why));
    }

    /// Takes note of the end of the connection, and returns what it means. `in_order`: the server closed it.
    pub(crate) fn connection_closed(&mut self, in_order: bool, retries_login: bool) -> Loss {
        self.connection = Connection::Closed;
        if self.is_leaving_now() || (in_order && self.is_finishing) {
            self.exit(self.exit_status());
            return Loss::Expected;
        }
        let reconnects = self.reconnects();
        match &mut self.stage {
            Stage::Asking => Loss::Expected,
            Stage::Chatting if reconnects && self.leaving.is_none() => Loss::Reconnect,
            Stage::LoggingIn { attempt: Attempt::Reconnect, .. } => Loss::Reconnect,
            Stage::LoggingIn { is_sent, attempt: attempt @ Attempt::First } if retries_login => {
                (*is_sent, *attempt) = (false, Attempt::Second);
                Loss::Retry
            }
            Stage::LoggingIn { .. } | Stage::Chatting => Loss::Final,
        }
    }

    /// Returns whether a login has to be answered before anything else can be done.
    pub(crate) fn waits_for_login(&self) -> bool {
        self.is_logging_in() && !self.is_leaving_now()
    }

    /// Says that a line was too long to be sent.
    pub(crate) fn typed_too_long(&mut self) {
        self.note_failure();
        self.warn(messages::TYPED_TOO_LONG);
    }

    /// Takes note that not everything that was typed has reached a user.
    pub(crate) fn note_failure(&mut self) {
        self.has_failed = true;
    }

    /// Says that the name is too long, where the refusal of it says something else.
    pub(crate) fn warn_of_long_name(&mut self) {
        if self.name.chars().count() > NAME_CHARS {
            self.warn(messages::NAME_TOO_LONG);
        }
    }

    /// Keeps what was typed until the login is answered.
    pub(crate) fn type_ahead(&mut self, text: String) {
        if !text.trim().is_empty() {
            self.typed_ahead.push_back(text);
        }
    }

    /// Returns the next line that was typed ahead and can be acted upon now. A script's lines are names to try after a
    /// refusal; a person meant what was typed for the chat.
    pub(crate) fn next_typed_ahead(&mut self) -> Option<String> {
        let waits = self.is_logging_in() || (self.is_asking() && self.config.interactive);
        if waits || self.is_finishing || self.is_over { None } else { self.typed_ahead.pop_front() }
    }
}
