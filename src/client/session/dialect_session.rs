//! The differences between protocols: a table entry of facts and a trait for the behaviour.

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
    /// Whether `--name` is mandatory.
    pub needs_name: bool,
    /// A description for `--help`.
    pub about: &'static str,
    /// Its commands.
    pub commands: &'static [Usage],
    /// What it cannot do, in a sentence.
    pub limits: &'static str,
    pub(crate) dialect: &'static dyn Dialect,
    /// Whether a line without a recipient goes to everybody.
    pub(crate) has_broadcast: bool,
    /// Whether the server acknowledges messages.
    pub(crate) acknowledges: bool,
    /// Whether to connect once more after a loss before the reply to the login (K4).
    pub(crate) retries_login: bool,
    /// The request that announces the end.
    pub(crate) farewell: Option<Request<'static>>,
    pub(crate) prompt: &'static str,
    pub(crate) begin: fn(&mut Shared) -> Box<dyn DialectSession>,
}

impl Protocol {
    /// Returns the text of `!help`.
    pub fn help(&self) -> String {
        let width = self.commands.iter().map(|usage| usage.syntax.len()).max().unwrap_or(0);
        let line = |usage: &Usage| format!("  {:width$}   {}\n", usage.syntax, usage.meaning);
        self.commands.iter().map(line).collect::<String>() + "  " + self.limits + "\n"
    }
}

/// The behaviour of a client in one protocol.
pub(crate) trait DialectSession: fmt::Debug {
    fn start(&mut self, shared: &mut Shared);

    fn connected(&mut self, shared: &mut Shared) {
        shared.send_login();
    }

    fn unreachable(&mut self, reason: &str, shared: &mut Shared) {
        shared.fail(messages::cannot_connect(&shared.config.server, &reason));
    }

    /// Handles a line typed at the name prompt.
    fn name_typed(&mut self, _text: &str, _shared: &mut Shared) {}

    fn parse<'a>(&self, line: &'a str, commands: &[Usage]) -> Command<'a> {
        Command::parse(line, commands)
    }

    /// Returns a warning if a line typed at a keyboard is probably a mistake (W13).
    fn slip(&self, command: Command<'_>, line: &str, commands: &[Usage]) -> Option<String> {
        let is_unknown = matches!(command, Command::Unknown);
        is_unknown.then(|| command::correction(line, commands)).flatten()
    }

    /// Performs a command that depends on the protocol.
    fn act(&mut self, command: Command<'_>, line: &str, shared: &mut Shared);

    fn received(&mut self, line: String, shared: &mut Shared);

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

    /// Handles a loss in the chat. Returns whether to log in again and repeat a request in other words (K1).
    fn resumes(&mut self, _shared: &mut Shared) -> bool {
        false
    }

    /// Ends after a loss.
    fn lost(&mut self, reason: Option<&str>, shared: &mut Shared) {
        shared.fail(messages::connection_lost(&shared.config.server, reason));
    }

    /// Returns whether a request may follow before the sending half is shut down.
    fn may_send_more(&self, _shared: &Shared) -> bool {
        false
    }

    /// Returns whether a list of users can be told from a message, so that a list for the completion is not shown.
    fn can_hide_list(&self) -> bool {
        false
    }
}
