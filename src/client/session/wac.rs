//! The WAC session (W12 to W14). It shows what the server says, whatever that is.

use super::protocols::{HELP, Protocol, Usage, WHO};
use super::shared::Shared;
use super::{Action, Command, Config, DialectSession, Session};
use crate::client::messages;
use crate::protocol::wac::Wac;
use crate::protocol::{Dialect, Event, Request, RequestError};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "wac",
    needs_name: false,
    about: "where your name is --name, or what you are called on this machine",
    commands: &[
        Usage { syntax: "MESSAGE", meaning: "Send a message to everybody" },
        Usage { syntax: "@NAME MESSAGE", meaning: "Whisper to one user" },
        WHO,
        Usage { syntax: "!sec", meaning: "Ask for the secret" },
        HELP,
        Usage { syntax: "!quit, quit", meaning: "Leave" },
    ],
    begin,
};

/// Who logs in when nobody knows a name.
const GUEST: &str = "guest";

/// What is particular to a WAC session.
#[derive(Debug, Default)]
struct WacSession {
    /// The server has said so.
    is_welcome: bool,
    /// The connection was lost once.
    was_lost: bool,
    /// The last line was the server's good-bye.
    is_dismissed: bool,
}

fn begin(config: Config) -> Session {
    Session::new(Shared::new(config, &Wac), WacSession::default())
}

impl DialectSession for WacSession {
    /// Logs in with the name that was asked for, or the system's, or as a guest (W12).
    fn start(&mut self, shared: &mut Shared) {
        let name = shared.config.name.clone().or(shared.config.user.clone()).filter(|name| !name.is_empty());
        shared.log_in(name.as_deref().unwrap_or(GUEST));
    }

    /// At first, everything else is sent right behind the login. After a loss the name may be in use for a while.
    fn connected(&mut self, shared: &mut Shared) {
        self.is_welcome = false;
        if shared.is_reconnecting() {
            shared.send_login();
        } else {
            shared.send(&Request::Login { name: &shared.name.clone() });
            shared.logged_in();
        }
    }

    /// A server that says nothing to a login is taken to agree.
    fn login_timed_out(&mut self, shared: &mut Shared) {
        shared.logged_in();
    }

    fn parse<'a>(&self, line: &'a str) -> Command<'a> {
        if line.trim() == "quit" { Command::Quit } else { Command::parse(line) }
    }

    fn act(&mut self, command: Command<'_>, line: &str, shared: &mut Shared) {
        match command {
            Command::Who => shared.send(&Request::List),
            Command::Secret => shared.send(&Request::Secret),
            Command::Direct { to, text } => shared.send(&Request::Direct { to, text }),
            _ if line.trim_start().starts_with('@') => shared.print(messages::WHISPER_HINT),
            _ => shared.send(&Request::Broadcast { text: line }),
        }
    }

    fn received(&mut self, line: String, shared: &mut Shared) {
        let event = Wac.decode_event(&line).unwrap_or(Event::Text(&line));
        self.is_dismissed = event == Event::Goodbye;
        match event {
            Event::NameInUse { .. } | Event::ServerFull | Event::Error(RequestError::InvalidName(_))
                if !self.is_welcome =>
            {
                if self.was_lost && !shared.is_leaving() {
                    shared.reconnect(messages::cannot_log_in_again(&shared.config.server, &line));
                } else {
                    // There is no other name to try (W12), and nothing that one could do without.
                    shared.print(line);
                    shared.exit(1);
                }
            }
            Event::Welcome { .. } => {
                self.is_welcome = true;
                shared.print(line);
                if shared.is_login_sent() {
                    shared.logged_in();
                }
            }
            Event::Delivery { from, .. } => {
                let sender = 0..from.len();
                shared.push(Action::Message { line, sender });
            }
            Event::Users(names) => {
                let names = names.into_iter().map(str::to_owned).collect();
                shared.print(line);
                shared.push(Action::Names(names));
            }
            _ => shared.print(line),
        }
    }

    fn disconnected(&mut self, _shared: &mut Shared) {
        self.was_lost = true;
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
mod tests {
    use super::*;
    use crate::client::session::testing::{feed, handle};
    use crate::client::session::{Action, Input};

    fn received(session: &mut Session, line: &str) -> Vec<String> {
        feed(session, Input::Received(line.to_owned()))
    }

    fn typed(session: &mut Session, line: &str) -> Vec<String> {
        feed(session, Input::Typed(line.to_owned()))
    }

    fn chatting(reconnect: bool) -> Session {
        let name = Some(String::from("ann"));
        let mut session = begin(Config { server: "here".into(), name, user: None, reconnect, interactive: true });
        assert_eq!(feed(&mut session, Input::Start), ["connect"]);
        assert_eq!(feed(&mut session, Input::Connected), ["send LIN ann", "wait for ever", "logged in"]);
        session
    }

    #[test]
    fn w14_lines_are_shown_in_full_and_names_in_them_are_known() {
        let mut session = chatting(false);
        let mut actions = handle(&mut session, Input::Received("bob: hi".into()));
        actions.extend(handle(&mut session, Input::Received("bob whispers, \"psst\"".into())));
        let lines = ["bob: hi", "bob whispers, \"psst\""];
        assert_eq!(actions, lines.map(|line| Action::Message { line: line.to_owned(), sender: 0..3 }));
        assert_eq!(received(&mut session, "Online: a, b"), ["print Online: a, b", "names a b"]);
        assert_eq!(received(&mut session, "anything"), ["print anything"]);
        assert_eq!(typed(&mut session, "!help"), ["help"]);
    }

    #[test]
    fn a_lost_connection_comes_back_and_what_was_typed_waits_for_the_login() {
        let mut session = chatting(true);
        received(&mut session, "The server is shutting down.");
        let lost = ["wait for ever", "reconnect: The connection to here was lost: the server closed it."];
        assert_eq!(feed(&mut session, Input::Disconnected(None)), lost);
        assert_eq!(typed(&mut session, "hello"), [""; 0]);
        let refused = ["wait for ever", "reconnect: Cannot connect to here: refused"];
        assert_eq!(feed(&mut session, Input::Unreachable("refused".into())), refused);
        assert_eq!(feed(&mut session, Input::Connected), ["send LIN ann", "wait 10"]);
        let in_use = "Cannot log in as ann: that name is already in use.";
        let again = format!("reconnect: Cannot log in to here again: {in_use}");
        assert_eq!(received(&mut session, in_use)[1..], [again]);
        feed(&mut session, Input::Connected);
        assert_eq!(received(&mut session, "Have a nice day!"), ["print Have a nice day!"]);
        let back = ["print Welcome, ann.", "wait for ever", "logged in", "send MSG hello"];
        assert_eq!(received(&mut session, "Welcome, ann."), back);
        feed(&mut session, Input::Disconnected(None));
        typed(&mut session, "lost");
        assert_eq!(typed(&mut session, "quit"), ["warn One line was not sent.", "exit 0"]);
    }

    #[test]
    fn w12_a_login_that_is_refused_is_the_end_as_there_is_no_other_name() {
        for line in [
            "Cannot log in as ann: that name is already in use.",
            "Cannot log in as ann: that name is malformed (use letters, digits, '_', '-' and '.').",
            "Cannot log in: the server is full.",
        ] {
            let mut session = chatting(false);
            assert_eq!(received(&mut session, line), [&format!("print {line}"), "exit 1"]);
            let mut session = chatting(false);
            received(&mut session, "Welcome, ann.");
            assert_eq!(received(&mut session, line), [format!("print {line}")]);
        }
    }

    #[test]
    fn a_server_that_says_nothing_to_a_login_is_taken_to_agree() {
        let mut session = chatting(true);
        feed(&mut session, Input::Disconnected(None));
        typed(&mut session, "hello");
        feed(&mut session, Input::Connected);
        let ready = ["wait for ever", "logged in", "send MSG hello"];
        assert_eq!(feed(&mut session, Input::TimeUp { unsent: false }), ready);
        let late = received(&mut session, "Cannot log in as ann: that name is already in use.");
        assert!(late[1].starts_with("reconnect: Cannot log in to here again"), "{late:?}");
    }
}
