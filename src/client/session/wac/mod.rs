//! The WAC session (W12 to W14). It shows every line of the server.

use std::mem;
use std::time::Duration;

use super::awaited::Audience;
use super::command::{Command, Usage};
use super::dialect_session::{DialectSession, Protocol};
use super::interface::{Action, Names};
use super::shared::Shared;
use super::usage::{DIRECT, HELP, IGNORE, MESSAGE, QUIT, SECRET, TO, UNIGNORE, WHO};
use crate::client::messages;
use crate::limits::NAME_CHARS;
use crate::protocol::wac::Wac;
use crate::protocol::{Dialect, Event, Name, Request, Scope};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "wac",
    needs_name: false,
    about: "which takes your name from --name or $USER",
    commands: &[MESSAGE, DIRECT, TO, WHO, SECRET, IGNORE, UNIGNORE, HELP, Usage { syntax: "!quit, quit", ..QUIT }],
    limits: "WAC does not report whether a message was delivered.",
    dialect: &Wac,
    has_broadcast: true,
    acknowledges: false,
    retries_login: false,
    farewell: None,
    prompt: "",
    begin: |_| Box::new(WacSession::default()),
};

/// The name if no other is known.
const GUEST: &str = "guest";

/// The last number appended to a name in use.
const MAX_SUFFIX: u32 = 99;

/// The wait for a reply to the login, which is optional (W12a).
const ANSWER_WAIT: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct WacSession {
    /// Set if the user did not choose the name.
    substitute: Option<Substitute>,
    /// The server has replied to the login with any line.
    is_answered: bool,
    /// The last line was the server's farewell.
    is_dismissed: bool,
    /// An earlier connection was lost in the chat.
    was_lost: bool,
    /// A line that looks like a list is one: the server's words are known, and no user has the name that begins a list.
    are_lists_plain: bool,
}

/// The names to try for a user who did not choose one.
#[derive(Debug)]
struct Substitute {
    first: String,
    base: String,
    /// The number to append to `base` next.
    suffix: u32,
}

impl Substitute {
    fn new(base: String) -> Self {
        Self { first: base.clone(), base, suffix: 2 }
    }

    /// Returns the next name to try after a name in use.
    fn next_number(&mut self) -> Option<String> {
        let suffix = self.suffix.to_string();
        let start: String = self.base.chars().take(NAME_CHARS - suffix.len()).collect();
        self.suffix += 1;
        (self.suffix <= MAX_SUFFIX + 1).then_some(start + &suffix)
    }

    /// Returns the next name to try after a malformed name.
    fn plainer(&mut self) -> Option<String> {
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let plain: String = self.base.chars().map(|c| if is_plain(&c) { c } else { '_' }).collect();
        let name = if plain == self.base { String::from(GUEST) } else { plain };
        (self.base != GUEST).then(|| {
            (self.base, self.suffix) = (name.clone(), 2);
            name
        })
    }
}

impl WacSession {
    fn refused(&mut self, line: String, refusal: &Event<'_>, shared: &mut Shared) {
        if self.was_lost && !shared.is_leaving() {
            return shared.reconnect(messages::cannot_log_in_again(&shared.config.server, &line));
        }
        if *refusal == Event::ServerFull && shared.insists() {
            return shared.try_again(line);
        }
        let name = self.substitute.as_mut().and_then(|substitute| match refusal {
            Event::NameInUse { .. } => substitute.next_number(),
            Event::Error(_) => substitute.plainer(),
            _ => None,
        });
        if let Some(name) = name {
            shared.print(line);
            self.is_answered = false;
            return shared.log_in(&name);
        }
        if *refusal != Event::ServerFull {
            shared.warn(line);
            shared.warn_of_long_name();
            return shared.fail(messages::CHOOSE_NAME);
        }
        shared.fail(line);
    }

    /// Shows a substitute name, unless the server's reply does.
    fn logged_in(&self, answer: &str, shared: &mut Shared) {
        shared.logged_in();
        let is_other = self.substitute.as_ref().is_some_and(|substitute| substitute.first != shared.name);
        if is_other && !answer.contains(&shared.name) {
            shared.print(messages::logged_in_with(&shared.name));
        }
    }

    fn listed(&mut self, line: &str, names: &[&str], shared: &mut Shared) {
        let Some(awaited) = shared.awaited.take(|_| true) else {
            // A user has this name.
            self.are_lists_plain = false;
            let sender = 0..line.find(':').unwrap_or(0);
            return shared.message(line.to_owned(), sender, Scope::Broadcast);
        };
        shared.listed(line, names, Some(&awaited));
    }
}

impl DialectSession for WacSession {
    /// Logs in with the name that was asked for, or the system's, or as a guest (W12).
    fn start(&mut self, shared: &mut Shared) {
        let given = shared.config.name.clone().filter(|name| !name.is_empty());
        let name = given.unwrap_or_else(|| {
            let user = shared.config.user.as_deref().filter(|user| !user.is_empty());
            let characters = user.unwrap_or(GUEST).chars().take(NAME_CHARS);
            let name: String = characters.map(|c| if Name::allows(c) { c } else { '_' }).collect();
            self.substitute = Some(Substitute::new(name.clone()));
            name
        });
        shared.log_in(&name);
    }

    /// Typed lines wait for the reply for a moment (W12a). After a loss the name may still be in use.
    fn connected(&mut self, shared: &mut Shared) {
        (self.is_answered, self.is_dismissed, self.are_lists_plain) = (false, false, false);
        self.was_lost |= shared.is_reconnecting();
        shared.send_login();
        if !shared.is_reconnecting() {
            shared.push(Action::WaitAtMost(ANSWER_WAIT));
        }
    }

    /// No reply is a consent (W12a).
    fn login_timed_out(&mut self, shared: &mut Shared) {
        self.logged_in("", shared);
    }

    fn parse<'a>(&self, line: &'a str, commands: &[Usage]) -> Command<'a> {
        if line.trim() == "quit" { Command::Quit } else { Command::parse(line, commands) }
    }

    fn can_hide_list(&self) -> bool {
        self.are_lists_plain
    }

    /// A whisper needs a well-formed name and a text. Everything else is text (W13).
    fn act(&mut self, command: Command<'_>, line: &str, shared: &mut Shared) {
        match command {
            Command::Who => shared.request_list(Audience::Person),
            Command::Secret => shared.send(&Request::Secret),
            Command::Direct { to, text } if to.parse::<Name>().is_ok() && !text.trim().is_empty() => {
                shared.send(&Request::Direct { to, text });
            }
            _ => match shared.people.recipient.clone() {
                Some(to) => shared.send(&Request::Direct { to: &to, text: line }),
                None => shared.send(&Request::Broadcast { text: line }),
            },
        }
    }

    fn received(&mut self, line: String, shared: &mut Shared) {
        let event = Wac.decode_event(&line).unwrap_or(Event::Text(&line));
        self.is_dismissed = event == Event::Goodbye;
        // A later line that looks like a refusal is a message.
        let is_answer = !matches!(event, Event::Delivery { .. }) && !mem::replace(&mut self.is_answered, true);
        match event {
            Event::NameInUse { .. } | Event::ServerFull | Event::Error(_) if is_answer => {
                return self.refused(line.clone(), &event, shared);
            }
            _ => {}
        }
        match event {
            Event::Delivery { scope, from, .. } => {
                let sender = 0..from.len();
                return shared.message(line, sender, scope);
            }
            Event::Users(names) => return self.listed(&line, &names, shared),
            Event::Presence(presence) => return shared.presence(&line, presence),
            Event::NoSuchUser { name } => {
                shared.note_failure();
                shared.push(Action::Names(Names::Left(name.to_owned())));
            }
            Event::Error(_) => shared.note_failure(),
            _ => {}
        }
        let is_welcome = matches!(event, Event::Welcome { .. });
        self.are_lists_plain |= is_answer && is_welcome;
        shared.print(line.as_str());
        if shared.is_login_sent() && (is_welcome || (is_answer && !shared.is_reconnecting())) {
            self.logged_in(&line, shared);
        }
    }

    fn lost(&mut self, reason: Option<&str>, shared: &mut Shared) {
        if self.is_dismissed && !shared.is_leaving() {
            shared.exit(0);
        } else {
            shared.fail(messages::connection_lost(&shared.config.server, reason));
        }
    }
}

#[cfg(test)]
mod tests;
