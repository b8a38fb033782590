//! The WAC session (W12 to W14). It shows what the server says, whatever that is.

use std::mem;
use std::time::Duration;

use super::awaited::{Audience, Awaited};
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
    about: "where your name is --name, or $USER",
    commands: &[MESSAGE, DIRECT, TO, WHO, SECRET, IGNORE, UNIGNORE, HELP, Usage { syntax: "!quit, quit", ..QUIT }],
    limits: "WAC does not tell whether a message has arrived.",
    dialect: &Wac,
    has_broadcast: true,
    acknowledges: false,
    retries_login: false,
    farewell: None,
    prompt: "",
    begin: |_| Box::new(WacSession::default()),
};

/// Who logs in when nobody knows a name.
const GUEST: &str = "guest";

/// The last number to be put behind a name that is taken.
const MAX_SUFFIX: u32 = 99;

/// How long the answer to a login is waited for. A server need not answer it (W12a).
const ANSWER_WAIT: Duration = Duration::from_millis(500);

/// What is particular to a WAC session.
#[derive(Debug, Default)]
struct WacSession {
    /// The name is not the person's choice: another one will do as well.
    substitute: Option<Substitute>,
    /// The server has answered the login, by whatever words.
    is_answered: bool,
    /// The last line was the server's good-bye.
    is_dismissed: bool,
    /// An earlier connection was lost in the chat.
    was_lost: bool,
    /// What begins as a list is one, as far as is known: the server has answered in words that are known, and nobody who is
    /// called like the beginning of a list has said anything.
    are_lists_plain: bool,
}

/// What to call somebody who has not said.
#[derive(Debug)]
struct Substitute {
    /// The name that was tried first.
    first: String,
    /// The one that numbers are put behind.
    base: String,
    /// The number that is put behind it next.
    suffix: u32,
}

impl Substitute {
    fn new(base: String) -> Self {
        Self { first: base.clone(), base, suffix: 2 }
    }

    /// Returns what to try when a name is taken; `None` when that goes on for too long.
    fn next_number(&mut self) -> Option<String> {
        let suffix = self.suffix.to_string();
        let start: String = self.base.chars().take(NAME_CHARS - suffix.len()).collect();
        self.suffix += 1;
        (self.suffix <= MAX_SUFFIX + 1).then_some(start + &suffix)
    }

    /// Returns what to try when the server takes no such name; `None` when there is nothing left to try.
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

/// Makes a name of what the system calls somebody (W12, G3).
fn to_name(user: &str) -> String {
    user.chars().take(NAME_CHARS).map(|c| if Name::allows(c) { c } else { '_' }).collect()
}

impl WacSession {
    /// Takes the refusal of a login.
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

    /// Goes on after the server has taken the login, or said nothing against it. Whoever has got another name than the first is
    /// told, unless the server has.
    fn logged_in(&self, answer: &str, shared: &mut Shared) {
        shared.logged_in();
        let is_other = self.substitute.as_ref().is_some_and(|substitute| substitute.first != shared.name);
        if is_other && !answer.contains(&shared.name) {
            shared.print(messages::logged_in_with(&shared.name));
        }
    }

    /// Takes a list of names, and shows it if somebody has asked for it.
    fn listed(&mut self, line: &str, names: &[&str], shared: &mut Shared) {
        let Some(awaited) = shared.awaited.take(|_| true) else {
            // Somebody is called that.
            self.are_lists_plain = false;
            let sender = 0..line.find(':').unwrap_or(0);
            return shared.message(line.to_owned(), sender, Scope::Broadcast);
        };
        if !awaited.is_for_completion() {
            shared.print(line);
        }
        shared.online(names);
    }
}

impl DialectSession for WacSession {
    /// Logs in with the name that was asked for, or the system's, or as a guest (W12).
    fn start(&mut self, shared: &mut Shared) {
        let given = shared.config.name.clone().filter(|name| !name.is_empty());
        let name = given.unwrap_or_else(|| {
            let user = shared.config.user.as_deref().filter(|user| !user.is_empty());
            let name = to_name(user.unwrap_or(GUEST));
            self.substitute = Some(Substitute::new(name.clone()));
            name
        });
        shared.log_in(&name);
    }

    /// What is typed waits for the answer for a moment (W12a). After a loss the name may be in use for a while.
    fn connected(&mut self, shared: &mut Shared) {
        (self.is_answered, self.is_dismissed, self.are_lists_plain) = (false, false, false);
        self.was_lost |= shared.is_reconnecting();
        shared.send_login();
        if !shared.is_reconnecting() {
            shared.push(Action::WaitAtMost(ANSWER_WAIT));
        }
    }

    /// A server that says nothing to a login is taken to agree.
    fn login_timed_out(&mut self, shared: &mut Shared) {
        self.logged_in("", shared);
    }

    fn parse<'a>(&self, line: &'a str, commands: &[Usage]) -> Command<'a> {
        if line.trim() == "quit" { Command::Quit } else { Command::parse(line, commands) }
    }

    /// Only where the answer will be known from what others say.
    fn ask_for_names(&mut self, shared: &mut Shared) {
        if self.are_lists_plain && !shared.awaited.any(Awaited::is_for_completion) {
            shared.awaited.push(Awaited::Who(Audience::Completion));
            shared.send(&Request::List);
        }
    }

    /// A whisper has a name that can be one, and a text; everything else is text (W13).
    fn act(&mut self, command: Command<'_>, line: &str, shared: &mut Shared) {
        match command {
            Command::Who => {
                shared.awaited.push(Awaited::Who(Audience::Person));
                shared.send(&Request::List);
            }
            Command::Secret => shared.send(&Request::Secret),
            Command::Direct { to, text } if to.parse::<Name>().is_ok() && !text.trim().is_empty() => {
                shared.send(&Request::Direct { to, text });
            }
            _ => match shared.people.recipient().map(str::to_owned) {
                Some(to) => shared.send(&Request::Direct { to: &to, text: line }),
                None => shared.send(&Request::Broadcast { text: line }),
            },
        }
    }

    fn received(&mut self, line: String, shared: &mut Shared) {
        let event = Wac.decode_event(&line).unwrap_or(Event::Text(&line));
        self.is_dismissed = event == Event::Goodbye;
        // Whatever comes later and reads like a refusal is somebody's text.
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
