//! The WAC session (W12 to W14). It shows what the server says, whatever that is.

use std::mem;
use std::time::Duration;

use super::protocols::{HELP, Protocol, SAY, Usage, WHO};
use super::shared::Shared;
use super::{Action, Command, Config, DialectSession, Session};
use crate::client::messages;
use crate::limits::{NAME_CHARS, TYPED_AHEAD};
use crate::protocol::wac::Wac;
use crate::protocol::{Dialect, Event, Name, Request, RequestError, Scope};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "wac",
    needs_name: false,
    about: "where your name is --name, or what you are called on this machine",
    commands: &[
        Usage { syntax: "MESSAGE", meaning: "Send a message to everybody" },
        Usage { syntax: "@NAME MESSAGE", meaning: "Whisper to one user (or: /msg NAME MESSAGE)" },
        SAY,
        WHO,
        Usage { syntax: "!sec", meaning: "Ask for the secret" },
        HELP,
        Usage { syntax: "!quit, quit", meaning: "Leave" },
    ],
    begin,
};

/// Who logs in when nobody knows a name.
const GUEST: &str = "guest";

/// The last number to be put behind a name that is taken.
const MAX_SUFFIX: u32 = 99;

/// How long the answer to a login is waited for that may be one of several. Whoever answers does so at once, and a server
/// that does not can be spoken to all the same.
const ANSWER_WAIT: Duration = Duration::from_secs(2);

/// What is particular to a WAC session.
#[derive(Debug, Default)]
struct WacSession {
    /// The name is not the person's choice: another one will do as well. With the number that is put behind it next.
    substitute: Option<(String, u32)>,
    /// The server has answered the login, by whatever words.
    is_answered: bool,
    /// Messages that were sent behind a login that is not answered yet.
    unanswered: Vec<String>,
    /// The connection was lost once.
    was_lost: bool,
    /// The last line was the server's good-bye.
    is_dismissed: bool,
    /// Lists that were asked for, and have not come yet.
    awaited_lists: usize,
}

fn begin(config: Config) -> Session {
    Session::new(Shared::new(config, &Wac), WacSession::default())
}

/// Makes a name of what the system calls somebody (W12, G3).
fn to_name(user: &str) -> String {
    user.chars().take(NAME_CHARS).map(|c| if Name::allows(c) { c } else { '_' }).collect()
}

impl WacSession {
    /// Returns what can be typed to have the same done once more, which for a line of a paste is not that line.
    fn retyped(&self, command: Command<'_>, line: &str) -> String {
        match command {
            Command::Direct { to, text } => format!("@{to} {text}"),
            Command::Say(text) | Command::Text(text) if self.parse(text) == Command::Text(text) => text.to_owned(),
            Command::Say(text) | Command::Text(text) => format!("!say {text}"),
            _ => line.to_owned(),
        }
    }

    /// Takes the refusal of a login.
    fn refused(&mut self, line: String, is_taken: bool, shared: &mut Shared) {
        // The server took none of them (W9).
        self.unanswered.drain(..).for_each(|line| shared.type_ahead(line));
        match &mut self.substitute {
            _ if self.was_lost && !shared.is_leaving() => {
                shared.reconnect(messages::cannot_log_in_again(&shared.config.server, &line));
            }
            Some((name, suffix)) if is_taken && *suffix <= MAX_SUFFIX => {
                shared.print(line);
                let suffix_text = suffix.to_string();
                let start: String = name.chars().take(NAME_CHARS - suffix_text.len()).collect();
                *suffix += 1;
                self.is_answered = false;
                shared.log_in(&(start + &suffix_text));
            }
            _ => shared.fail(line),
        }
    }
}

impl DialectSession for WacSession {
    /// Logs in with the name that was asked for, or the system's, or as a guest (W12).
    fn start(&mut self, shared: &mut Shared) {
        let given = shared.config.name.clone().filter(|name| !name.is_empty());
        let name = given.unwrap_or_else(|| {
            let user = shared.config.user.as_deref().filter(|user| !user.is_empty());
            let name = to_name(user.unwrap_or(GUEST));
            self.substitute = Some((name.clone(), 2));
            name
        });
        shared.log_in(&name);
    }

    /// With a name that was asked for, everything else is sent right behind the login. Otherwise it may take another name
    /// before anything can be said, and after a loss the name may be in use for a while.
    fn connected(&mut self, shared: &mut Shared) {
        (self.is_answered, self.is_dismissed, self.awaited_lists) = (false, false, 0);
        if shared.is_reconnecting() {
            shared.send_login();
        } else if self.substitute.is_some() {
            shared.send_login();
            if !shared.is_leaving() {
                shared.push(Action::WaitAtMost(ANSWER_WAIT));
            }
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

    fn hint(&self, command: Command<'_>, line: &str) -> Option<&'static str> {
        let names_nobody = matches!(command, Command::Direct { text, .. } if text.trim().is_empty());
        match command {
            Command::Unknown if line.trim_start().starts_with(['!', '/']) => Some(messages::NO_SUCH_COMMAND),
            Command::Unknown => Some(messages::WHISPER_HINT),
            _ if names_nobody => Some(messages::WHISPER_HINT),
            _ => None,
        }
    }

    fn act(&mut self, command: Command<'_>, line: &str, shared: &mut Shared) {
        if !self.is_answered && self.unanswered.len() < TYPED_AHEAD {
            self.unanswered.push(self.retyped(command, line));
        }
        match command {
            Command::Who => {
                self.awaited_lists += 1;
                shared.send(&Request::List);
            }
            Command::Secret => shared.send(&Request::Secret),
            Command::Say(text) => shared.send(&Request::Broadcast { text }),
            command if self.hint(command, line) == Some(messages::WHISPER_HINT) => shared.print(messages::WHISPER_HINT),
            Command::Direct { to, text } => shared.send(&Request::Direct { to, text }),
            _ => shared.send(&Request::Broadcast { text: line }),
        }
    }

    fn received(&mut self, line: String, shared: &mut Shared) {
        let event = Wac.decode_event(&line).unwrap_or(Event::Text(&line));
        self.is_dismissed = event == Event::Goodbye;
        // Whatever comes later and reads like a refusal is somebody's text.
        let is_answer = !matches!(event, Event::Delivery { .. }) && !mem::replace(&mut self.is_answered, true);
        match event {
            Event::NameInUse { .. } if is_answer => return self.refused(line, true, shared),
            Event::ServerFull | Event::Error(RequestError::InvalidName(_)) if is_answer => {
                return self.refused(line, false, shared);
            }
            _ if is_answer => self.unanswered.clear(),
            _ => {}
        }
        match event {
            Event::Delivery { scope, from, .. } => {
                let sender = 0..from.len();
                shared.push(Action::Message { line, sender, scope });
                return;
            }
            Event::Users(_) if self.awaited_lists == 0 => {
                // Somebody is called that.
                let sender = 0..line.find(':').unwrap_or(0);
                shared.push(Action::Message { line, sender, scope: Scope::Broadcast });
                return;
            }
            Event::Users(names) => {
                self.awaited_lists -= 1;
                let names = names.into_iter().map(|name| name.trim().to_owned()).collect();
                shared.print(line);
                shared.push(Action::Names(names));
                return;
            }
            _ => {}
        }
        let is_welcome = matches!(event, Event::Welcome { .. });
        shared.print(line);
        if shared.is_login_sent() && (is_welcome || (is_answer && !shared.is_reconnecting())) {
            shared.logged_in();
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
    use crate::signals::Signal;

    fn received(session: &mut Session, line: &str) -> Vec<String> {
        feed(session, Input::Received(line.to_owned()))
    }

    fn typed(session: &mut Session, line: &str) -> Vec<String> {
        feed(session, Input::Typed(line.to_owned()))
    }

    fn chatting(reconnect: bool) -> Session {
        let name = Some(String::from("ann"));
        let mut session = begin(Config { server: "here".into(), name, user: None, reconnect, interactive: false });
        assert_eq!(feed(&mut session, Input::Start), ["connect"]);
        assert_eq!(feed(&mut session, Input::Connected), ["send LIN ann", "wait for ever", "logged in"]);
        session
    }

    #[test]
    fn w14_lines_are_shown_in_full_and_names_in_them_are_known() {
        let mut session = chatting(false);
        let mut actions = handle(&mut session, Input::Received("bob: hi".into()));
        actions.extend(handle(&mut session, Input::Received("bob whispers, \"psst\"".into())));
        let lines = [("bob: hi", Scope::Broadcast), ("bob whispers, \"psst\"", Scope::Direct)];
        let messages = lines.map(|(line, scope)| Action::Message { line: line.to_owned(), sender: 0..3, scope });
        assert_eq!(actions, messages);
        assert_eq!(typed(&mut session, "!who"), ["send WHO"]);
        assert_eq!(received(&mut session, "Online: a,  b"), ["print Online: a,  b", "names a b"]);
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
        typed(&mut session, "late");
        assert_eq!(
            feed(&mut session, Input::Signal(Signal::Interrupt)),
            ["warn One line was not sent: late", "exit 130"]
        );
    }

    #[test]
    fn w12_a_login_that_is_refused_is_the_end_as_there_is_no_other_name() {
        for line in [
            "Cannot log in as ann: that name is already in use.",
            "Cannot log in as ann: that name is malformed (use letters, digits, '_', '-' and '.').",
            "Cannot log in: the server is full.",
        ] {
            let mut session = chatting(false);
            typed(&mut session, "hello");
            let unsent = "warn One line was not sent: hello";
            assert_eq!(received(&mut session, line), [&format!("warn {line}"), unsent, "exit 1"]);
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

    #[test]
    fn w14_a_list_counts_only_when_it_was_asked_for() {
        let mut session = chatting(false);
        for _ in 0..2 {
            let actions = handle(&mut session, Input::Received("Online: echobot, mallory".into()));
            let line = String::from("Online: echobot, mallory");
            assert_eq!(actions, [Action::Message { line, sender: 0..6, scope: Scope::Broadcast }]);
            typed(&mut session, "!who");
            assert_eq!(received(&mut session, "Online: ann")[1..], ["names ann"]);
        }
    }

    #[test]
    fn w12_only_the_first_answer_to_a_login_can_refuse_it() {
        let refusals = ["Cannot log in as ann: that name is already in use.", "Cannot log in: the server is full."];
        for line in refusals {
            for answer in ["Hello, ann!", "Welcome, ann."] {
                let mut session = chatting(false);
                assert_eq!(received(&mut session, "bob: hi"), ["print bob: hi"]);
                received(&mut session, answer);
                assert_eq!(received(&mut session, line), [format!("print {line}")]);
            }
        }
    }

    /// Begins a session of somebody whom the system knows by this name.
    fn user(user: Option<&str>, interactive: bool) -> Session {
        let mut session =
            begin(Config { server: "here".into(), user: user.map(String::from), interactive, ..Config::default() });
        feed(&mut session, Input::Start);
        session
    }

    #[test]
    fn w12_a_name_that_nobody_asked_for_gets_a_number_when_it_is_taken() {
        let mut session = user(Some("sam"), true);
        assert_eq!(feed(&mut session, Input::Connected), ["send LIN sam", "wait 10", "wait 2"]);
        assert_eq!(typed(&mut session, "hello"), [""; 0]);
        for number in 2..5 {
            let taken = "Cannot log in as sam: that name is already in use.";
            let next = format!("send LIN sam{number}");
            assert_eq!(received(&mut session, taken), [&format!("print {taken}"), next.as_str(), "wait 10"]);
        }
        let welcome = ["print Welcome, sam4.", "wait for ever", "logged in", "send MSG hello"];
        assert_eq!(received(&mut session, "Welcome, sam4."), welcome);

        let mut session = user(Some("sam"), true);
        feed(&mut session, Input::Connected);
        typed(&mut session, "hello");
        let full = ["warn Cannot log in: the server is full.", "warn One line was not sent: hello", "exit 1"];
        assert_eq!(received(&mut session, "Cannot log in: the server is full."), full);
    }

    #[test]
    fn w9_what_was_sent_behind_a_refused_login_is_sent_again_to_the_same_people() {
        let config = Config { name: Some("ann".into()), reconnect: true, interactive: true, ..Config::default() };
        let mut session = begin(config);
        for input in [Input::Start, Input::Connected, Input::Disconnected(None), Input::Connected] {
            feed(&mut session, input);
        }
        feed(&mut session, Input::TimeUp { unsent: false });
        for paste in ["@bob one\ntwo\n/three", "!say four\n@bob five\nquit", "six\nquit"] {
            typed(&mut session, paste);
        }
        received(&mut session, "Cannot log in as ann: that name is already in use.");
        feed(&mut session, Input::Connected);
        assert_eq!(
            received(&mut session, "Welcome, ann.")[3..],
            [
                "send W bob one",
                "send W bob two",
                "send W bob /three",
                "send MSG four",
                "send MSG @bob five",
                "send MSG quit",
                "send MSG six",
                "send MSG quit"
            ]
        );
    }

    #[test]
    fn w12_what_no_name_may_have_becomes_an_underscore() {
        let long = "x".repeat(80);
        for (name, login) in [
            (Some("ACME\\sam smith"), "LIN ACME_sam_smith"),
            (Some("zoë@home"), "LIN zoë_home"),
            (Some(&long), &format!("LIN {}", &long[..64])),
            (Some(""), "LIN guest"),
            (None, "LIN guest"),
        ] {
            assert_eq!(feed(&mut user(name, false), Input::Connected)[0], format!("send {login}"));
        }
        let mut session = user(Some(&long), false);
        feed(&mut session, Input::Connected);
        let next = received(&mut session, "Cannot log in as x: that name is already in use.");
        assert_eq!(next[1], format!("send LIN {}2", &long[..63]));
    }

    #[test]
    fn w13_at_a_terminal_what_looks_like_a_command_is_kept_back() {
        for interactive in [false, true] {
            let mut session = user(None, interactive);
            feed(&mut session, Input::Connected);
            received(&mut session, "Welcome, guest.");
            for line in ["!whp", "/qiut", "!", "/", "!help me", "/usr/bin", "!say", " !whp"] {
                let sent = format!("send MSG {line}");
                let kept = "print Not sent: no such command. Use !help to list them, !say to send any text.";
                assert_eq!(typed(&mut session, line), [if interactive { kept } else { &sent }], "{line:?}");
            }
            for (line, sent) in [
                ("!say /quit !who ", "send MSG /quit !who "),
                ("/say  hi", "send MSG  hi"),
                ("/who", "send WHO"),
                ("/sec", "send SEC"),
                ("/msg bob  hi ", "send W bob  hi "),
                ("/help", "help"),
            ] {
                assert_eq!(typed(&mut session, line), [sent]);
            }
            assert_eq!(typed(&mut session, "/quit"), ["wait 1", "finish"]);
        }
    }

    #[test]
    fn w13_the_lines_of_a_paste_are_text_and_never_commands() {
        let mut session = user(None, true);
        feed(&mut session, Input::Connected);
        received(&mut session, "Welcome, guest.");
        let sent = typed(&mut session, "How to leave ftp:\nquit\n\nis the command\n");
        assert_eq!(sent, ["send MSG How to leave ftp:", "send MSG quit", "send MSG is the command"]);
        let kept = "print Not sent: no such command. Use !help to list them, !say to send any text.";
        for paste in ["one\n!quit\ntwo", "one\n/* two */", "!quit\n", "!who\nx"] {
            assert_eq!(typed(&mut session, paste), [kept], "{paste:?}");
        }
        assert_eq!(
            typed(&mut session, "!say one\n!quit\n@bob x"),
            ["send MSG one", "send MSG !quit", "send MSG @bob x"]
        );
        assert_eq!(
            typed(&mut session, "@bob one\ntwo\n/three\n@eve four\nfive"),
            ["send W bob one", "send W bob two", "send W bob /three", "send W eve four", "send W bob five"]
        );
    }

    #[test]
    fn w14_a_server_that_says_nothing_is_told_of_at_a_terminal_and_fails_a_script() {
        let config = |interactive| {
            let name = Some(String::from("ann"));
            Config { server: "here".into(), name, interactive, ..Config::default() }
        };
        let mut session = begin(config(true));
        feed(&mut session, Input::Start);
        assert_eq!(feed(&mut session, Input::Connected), ["send LIN ann", "wait 10", "logged in"]);
        let told = ["warn No answer from here yet. It is waited for; !quit leaves.", "wait for ever"];
        assert_eq!(feed(&mut session, Input::TimeUp { unsent: false }), told);
        assert_eq!(received(&mut session, "hi"), ["wait for ever", "print hi"]);
        assert_eq!(received(&mut session, "hi"), ["print hi"]);

        for heard in [false, true] {
            let mut session = begin(config(false));
            feed(&mut session, Input::Start);
            feed(&mut session, Input::Connected);
            assert_eq!(typed(&mut session, "hello"), ["send MSG hello"]);
            assert_eq!(feed(&mut session, Input::TypedEnd), ["wait 5", "finish"]);
            if heard {
                received(&mut session, "hi");
            }
            let end: &[&str] = if heard { &["exit 0"] } else { &["warn No answer from here.", "exit 1"] };
            assert_eq!(feed(&mut session, Input::TimeUp { unsent: false }), end);
        }
    }
}
