//! What differs between protocols: a table entry of facts, and a trait for what a client of one does in its own way.

use std::fmt;

use super::command::{self, Command, Usage};
use super::shared::Shared;
use crate::client::messages;
use crate::protocol::{Dialect, Request};

/// A protocol that a session can speak.
#[derive(Debug)]
pub struct Protocol {
    /// Its name on command lines.
    pub name: &'static str,
    /// Whether it cannot begin without a name.
    pub needs_name: bool,
    /// What to know of it before anything is typed.
    pub about: &'static str,
    /// What can be typed.
    pub commands: &'static [Usage],
    /// What cannot be done in it, in a sentence.
    pub limits: &'static str,
    pub(crate) dialect: &'static dyn Dialect,
    /// Whether a line without a recipient goes to everybody.
    pub(crate) has_broadcast: bool,
    /// Whether the server acknowledges messages.
    pub(crate) acknowledges: bool,
    /// Whether to connect once more when the connection is lost with the login unanswered (K4).
    pub(crate) retries_login: bool,
    /// The word by which one leaves, where there is one.
    pub(crate) farewell: Option<Request<'static>>,
    /// What stands before what is typed in the chat, on a terminal.
    pub(crate) prompt: &'static str,
    /// Begins a session.
    pub(crate) begin: fn(&mut Shared) -> Box<dyn DialectSession>,
}

impl Protocol {
    /// Returns what can be typed, a line each, and what cannot be done.
    pub fn help(&self) -> String {
        let width = self.commands.iter().map(|usage| usage.syntax.len()).max().unwrap_or(0);
        let lines =
            self.commands.iter().map(|Usage { syntax, meaning, .. }| format!("  {syntax:width$}   {meaning}\n"));
        lines.collect::<String>() + "  " + self.limits + "\n"
    }
}

/// What a client does in a protocol's own way.
pub(crate) trait DialectSession: fmt::Debug {
    /// Says what there is to say at first, and asks for a connection.
    fn start(&mut self, shared: &mut Shared);

    /// Called when the connection is there: sends the login.
    fn connected(&mut self, shared: &mut Shared) {
        shared.send_login();
    }

    /// Called when the connection could not be made, for this reason: ends.
    fn unreachable(&mut self, reason: &str, shared: &mut Shared) {
        shared.fail(messages::cannot_connect(&shared.config.server, &reason));
    }

    /// Takes what was typed at the name prompt, if there is one.
    fn name_typed(&mut self, _text: &str, _shared: &mut Shared) {}

    /// Returns what a line asks for that was typed in the chat.
    fn parse<'a>(&self, line: &'a str, commands: &[Usage]) -> Command<'a> {
        Command::parse(line, commands)
    }

    /// Returns why a line that was typed at a keyboard is more likely a slip than a message (W13).
    fn slip(&self, command: Command<'_>, line: &str, commands: &[Usage]) -> Option<String> {
        let is_unknown = matches!(command, Command::Unknown);
        is_unknown.then(|| command::correction(line, commands)).flatten()
    }

    /// Does what a line asks for, as far as that is not the same everywhere.
    fn act(&mut self, command: Command<'_>, line: &str, shared: &mut Shared);

    /// Takes a line of the server.
    fn received(&mut self, line: String, shared: &mut Shared);

    /// Called when the login was not answered in time.
    fn login_timed_out(&mut self, shared: &mut Shared) {
        let why = messages::no_answer(&shared.config.server);
        if shared.is_reconnecting() {
            shared.reconnect(why);
        } else if shared.is_interactive() && !shared.is_leaving() {
            shared.keep_waiting();
        } else {
            shared.fail(why);
        }
    }

    /// Called when the connection is lost in the chat. Returns whether a request was the reason, which is to be made in other
    /// words on a new connection (K1).
    fn resumes(&mut self, _shared: &mut Shared) -> bool {
        false
    }

    /// Called when the connection is lost for good: says so, and ends.
    fn lost(&mut self, reason: Option<&str>, shared: &mut Shared) {
        shared.fail(messages::connection_lost(&shared.config.server, reason));
    }

    /// Returns whether something may still have to be sent before the sending side can be shut down.
    fn may_send_more(&self, _shared: &Shared) -> bool {
        false
    }

    /// Asks the server who is online, where the answer can be kept from being shown.
    fn ask_for_names(&mut self, _shared: &mut Shared) {}
}
