//! What the sessions of all protocols share: how far the connection and the login are, what was typed ahead, how one leaves
//! and how one comes back.

use std::collections::VecDeque;
use std::ops::Range;

use super::awaited::AwaitedAnswers;
use super::interface::{Action, Config, Names};
use super::people::People;
use super::stage::{Attempt, Connection, Ending, Leaving, Loss, Mode, Stage};
use crate::client::messages;
use crate::limits::{END_WAIT, LOGIN_WAIT, NAME_CHARS, NAMES_REMEMBERED, QUIT_WAIT};
use crate::protocol::{Dialect, PeerState, Presence, Request, Scope};

/// The state of a session that is the same in every protocol.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    dialect: &'static dyn Dialect,
    mode: Mode,
    /// Which revision of the dialect the server is known to speak.
    pub(crate) revision: u8,
    /// The name that is logged in, or to be.
    pub(crate) name: String,
    connection: Connection,
    stage: Stage,
    /// What was typed while a login was being answered (K2).
    typed_ahead: VecDeque<String>,
    pub(crate) awaited: AwaitedAnswers,
    pub(crate) people: People,
    ending: Ending,
    /// What is to be done, in this order.
    actions: VecDeque<Action>,
}

impl Shared {
    /// Creates the state of a session that asks for a name first.
    pub(crate) fn new(config: Config, dialect: &'static dyn Dialect) -> Self {
        Self {
            mode: if config.interactive { Mode::Terminal } else { Mode::Script },
            config,
            dialect,
            revision: 0,
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

    pub(crate) fn is_interactive(&self) -> bool {
        self.mode != Mode::Script
    }

    pub(crate) fn note_person(&mut self) {
        self.mode = Mode::Keyboard;
    }

    pub(crate) fn has_person(&self) -> bool {
        self.mode == Mode::Keyboard
    }

    /// Sends a request in the dialect's words. Whoever has typed a message at a terminal is told that this is one.
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

    /// Returns what a person types for a line, if it is a message.
    pub(crate) fn typed_form(&self, line: &str) -> Option<String> {
        let mut peer = PeerState { name: self.name.parse().ok(), revision: self.revision };
        match self.dialect.decode_request(line, &mut peer) {
            Request::Broadcast { text } => Some(text.to_owned()),
            Request::Direct { to, text } => Some(format!("@{to} {text}")),
            _ => None,
        }
    }

    /// Shows somebody's message, whose name stands there in the line, unless the person does not want to hear of them.
    pub(crate) fn message(&mut self, line: String, sender: Range<usize>, scope: Scope) {
        if !self.people.is_ignored(&line[sender.clone()]) {
            self.push(Action::Message { line, sender, scope });
        }
    }

    /// Takes note of who else is in a list of who is online, or in the latest part of a long one.
    pub(crate) fn online(&mut self, names: &[&str]) {
        let latest = &names[names.len().saturating_sub(NAMES_REMEMBERED)..];
        let others = latest.iter().map(|name| name.trim()).filter(|name| *name != self.name);
        let others = others.map(str::to_owned).collect();
        self.push(Action::Names(Names::Online(others)));
    }

    /// Shows a line that tells who came, went or changed the name.
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

    /// Has the completion know whose messages are hidden.
    pub(crate) fn tell_ignored(&mut self) {
        let names = self.people.ignored().cloned().collect();
        self.push(Action::Names(Names::Ignored(names)));
    }

    pub(crate) fn is_asking(&self) -> bool {
        matches!(self.stage, Stage::Asking { .. })
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
        self.connection = Connection::Open { is_heard: false };
    }

    fn is_heard(&self) -> bool {
        self.connection == Connection::Open { is_heard: true }
    }

    /// Takes note that the server has said something.
    pub(crate) fn heard(&mut self) {
        if self.connection == (Connection::Open { is_heard: false }) {
            self.connection = Connection::Open { is_heard: true };
            if self.is_interactive() && self.is_chatting() && !self.is_leaving() {
                self.push(Action::WaitForever);
            }
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
            Connection::Open { .. } => self.send_login(),
        }
    }

    /// Sends the login, if there is one to be sent.
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

    /// Takes note that the login has worked, or is taken to have.
    pub(crate) fn logged_in(&mut self) {
        self.stage = Stage::Chatting;
        self.push(match self.ending.leaving {
            // Nothing may have been heard of a server that is taken to agree.
            None if self.is_interactive() && !self.is_heard() => Action::WaitAtMost(LOGIN_WAIT),
            None => Action::WaitForever,
            Some(Leaving::EndOfInput) => Action::WaitAtMost(END_WAIT),
            Some(Leaving::Quit | Leaving::Signal(_)) => Action::WaitAtMost(QUIT_WAIT),
        });
        self.push(Action::LoggedIn);
    }

    /// Says why a name will not do, and asks for another one (RA2).
    pub(crate) fn refuse(&mut self, why: String) {
        self.print(why);
        let is_answer = self.is_logging_in();
        self.stage = Stage::Asking { was_refused: true };
        if is_answer {
            // The server closes after a refusal, so the next try gets a connection of its own.
            self.push(Action::Disconnect);
            self.connection = Connection::Closed;
            if self.is_leaving_now() {
                self.exit(self.exit_status());
                return;
            }
        }
        self.print(messages::ENTER_LOGIN);
        if is_answer && !self.is_leaving() {
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
        self.stage = Stage::LoggingIn { is_sent: false, attempt: Attempt::Reconnect };
        self.try_later(why);
    }

    /// Logs in again on a new connection, as the last one ended because of a request.
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

    /// Returns whether the user has asked for further tries, whatever the server says.
    pub(crate) fn insists(&self) -> bool {
        self.config.reconnect == Some(true) && !self.is_leaving()
    }

    /// Returns whether to connect again when the connection is lost.
    pub(crate) fn reconnects(&self) -> bool {
        self.config.reconnect.unwrap_or(self.has_person())
    }

    /// Returns whether there is another try after a connection that could not be made. A script is told at once (K4).
    pub(crate) fn keeps_trying(&self) -> bool {
        self.is_reconnecting() || (self.insists() && self.is_interactive())
    }

    /// Tries again, after a while, to get as far as a login, or a question for a name, would be now.
    pub(crate) fn try_again(&mut self, why: String) {
        match &mut self.stage {
            Stage::LoggingIn { attempt: Attempt::Reconnect, .. } | Stage::Chatting => return self.reconnect(why),
            Stage::LoggingIn { is_sent, .. } => *is_sent = false,
            Stage::Asking { .. } => {}
        }
        self.try_later(why);
    }

    /// Takes note of the end of the connection, and returns what it means. `in_order`: the server closed it.
    pub(crate) fn connection_closed(&mut self, in_order: bool, retries_login: bool) -> Loss {
        self.connection = Connection::Closed;
        if self.is_leaving_now() || (in_order && self.ending.is_finishing) {
            self.exit(self.exit_status());
            return Loss::Expected;
        }
        let reconnects = self.reconnects() && !self.is_leaving();
        match &mut self.stage {
            Stage::Asking { .. } => Loss::Expected,
            Stage::Chatting if reconnects => Loss::Reconnect,
            Stage::LoggingIn { attempt: Attempt::Reconnect, .. } => Loss::Reconnect,
            Stage::LoggingIn { is_sent, attempt: attempt @ Attempt::First } if retries_login => {
                (*is_sent, *attempt) = (false, Attempt::Second);
                Loss::Retry
            }
            Stage::LoggingIn { .. } | Stage::Chatting => Loss::Final,
        }
    }

    /// Says that a line was too long to be sent.
    pub(crate) fn typed_too_long(&mut self) {
        self.note_failure();
        self.warn(messages::TYPED_TOO_LONG);
    }

    /// Takes note that not everything that was typed has reached a user.
    pub(crate) fn note_failure(&mut self) {
        self.ending.has_failed = true;
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
        let waits = self.is_logging_in() || (self.is_asking() && self.is_interactive());
        if waits || self.ending.is_finishing || self.ending.is_over { None } else { self.typed_ahead.pop_front() }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.ending.leaving.is_some()
    }

    /// Returns whether the person wants to be gone, and nothing typed before is to be done first: lines that come through a
    /// pipe are done in their order, while whoever sits at a terminal means it at once.
    pub(crate) fn is_leaving_now(&self) -> bool {
        match self.ending.leaving {
            Some(Leaving::Quit) => self.is_interactive() || self.typed_ahead.is_empty(),
            Some(Leaving::Signal(_)) => true,
            // Nobody who stands at the name prompt waits for anything.
            Some(Leaving::EndOfInput) => self.is_asking() && self.typed_ahead.is_empty(),
            None => false,
        }
    }

    /// Leaves when everything typed before is done (K3, K5, RI7).
    pub(crate) fn leave(&mut self, leaving: Leaving) {
        self.ending.leaving = Some(leaving);
        if self.is_leaving_now() {
            // At the end of input it is still of interest whether there is a server at all.
            let waits_in_vain = self.is_reconnecting() || (self.is_asking() && leaving != Leaving::EndOfInput);
            if waits_in_vain && self.connection == Connection::Connecting {
                self.exit(self.exit_status());
            } else {
                self.push(Action::WaitAtMost(QUIT_WAIT));
            }
        } else if !self.is_reconnecting() {
            self.push(Action::WaitAtMost(if leaving == Leaving::Quit { QUIT_WAIT } else { END_WAIT }));
        }
    }

    /// Returns whether nothing is left to be done but to shut the sending side down.
    pub(crate) fn is_done(&self) -> bool {
        let waits_for_login = self.is_logging_in()
            && match self.ending.leaving {
                Some(Leaving::EndOfInput) | None => true,
                Some(Leaving::Quit) => !self.typed_ahead.is_empty(),
                Some(Leaving::Signal(_)) => false,
            };
        self.is_leaving() && !waits_for_login && !self.ending.is_finishing && !self.ending.is_over
    }

    /// Shuts the sending side down, behind the dialect's last word, once there is one.
    pub(crate) fn finish(&mut self, farewell: Option<&Request<'_>>) {
        match self.connection {
            Connection::Connecting => return,
            Connection::Closed => return self.exit(self.exit_status()),
            Connection::Open { .. } => {}
        }
        self.ending.is_finishing = true;
        if let Some(farewell) = farewell {
            self.send(farewell);
        }
        self.push(Action::FinishSending);
    }

    /// Ends, as the server did not do in time what was waited for.
    pub(crate) fn time_up(&mut self, unsent: bool) {
        if unsent && !matches!(self.ending.leaving, Some(Leaving::Signal(_))) {
            self.fail(messages::not_all_sent(&self.config.server));
        } else if self.ending.leaving == Some(Leaving::EndOfInput) && self.is_chatting() && !self.is_heard() {
            self.fail(messages::no_answer(&self.config.server));
        } else {
            self.exit(self.exit_status());
        }
    }

    /// Takes what was typed after a word by which one leaves; what a pipe brings behind it is of no interest.
    pub(crate) fn typed_too_late(&mut self, text: &str) {
        if self.is_interactive() && !text.trim().is_empty() {
            self.warn(messages::not_sent(&[text]));
        }
    }

    /// Ends, and says what has come to nothing. That is a failure where the end of the input was waited for with it.
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

    /// Ends with a diagnostic.
    pub(crate) fn fail(&mut self, text: impl Into<String>) {
        self.warn(text);
        self.exit(1);
    }

    /// Returns the status to end with, if nothing is wrong.
    pub(crate) fn exit_status(&self) -> u8 {
        match self.ending.leaving {
            Some(Leaving::Signal(status)) => status,
            _ => 0,
        }
    }
}
