//! The client: a thread on standard input and a thread on the socket, both only reporting to one channel, and one loop
//! that owns everything else: the session, the console and the sending half.
//!
//! It knows nothing of the server program.

mod backoff;
mod cap;
mod characters;
mod chat1;
mod console;
mod editor;
mod event_loop;
mod keyboard;
mod link;
mod looks;
pub mod messages;
mod outgoing;
mod screen;
pub mod session;
mod terminal;
mod transcript;
mod typed;
mod wac;

use std::io::{self, ErrorKind};
use std::sync::mpsc;

use self::cap::CapSession;
use self::chat1::Chat1Session;
use self::console::Console;
pub use self::console::Preferences;
use self::event_loop::{Client, Event};
pub use self::looks::Color;
use self::session::{Command, Kind, Setup};
use self::transcript::Transcript;
use self::wac::WacSession;
use crate::limits::CLIENT_READ_AHEAD;
use crate::signals::{self, Signal};

const WHO: Command = Command { usage: "!who", meaning: "List who is online" };
const HELP: Command = Command { usage: "!help", meaning: "Say what can be typed" };
const QUIT: Command = Command { usage: "!quit", meaning: "Leave" };

/// All kinds of sessions; the first one is what a person gets who does not say.
pub static KINDS: &[Kind] = &[
    Kind {
        key: "cap",
        needs_name: false,
        about: "which asks for your name",
        commands: &[Command { usage: "@NAME MESSAGE", meaning: "Send a message to one user" }, WHO, HELP, QUIT],
        begin: |setup| Box::new(CapSession::new(setup)),
    },
    Kind {
        key: "wac",
        needs_name: false,
        about: "where your name is --name, or what you are called on this machine",
        commands: &[
            Command { usage: "MESSAGE", meaning: "Send a message to everybody" },
            Command { usage: "@NAME MESSAGE", meaning: "Whisper to one user" },
            WHO,
            Command { usage: "!sec", meaning: "Ask for the secret" },
            HELP,
            Command { usage: "!quit, quit", meaning: "Leave" },
        ],
        begin: |setup| Box::new(WacSession::new(setup)),
    },
    Kind {
        key: "chat",
        needs_name: true,
        about: "where your name is --name, or USER",
        commands: &[Command { usage: "MESSAGE", meaning: "Send a message to everybody" }, HELP, QUIT],
        begin: |setup| Box::new(Chat1Session::new(setup)),
    },
];

/// Runs a session of this kind with the server at this address until it is over, and returns the status to end with. To be
/// called before there is any other thread.
///
/// # Errors
///
/// When the file to copy to cannot be opened, a thread cannot be started or standard output cannot be written.
pub fn run(kind: &'static Kind, setup: Setup, preferences: Preferences, host: &str, port: u16) -> io::Result<u8> {
    let transcript = preferences.log.clone().map(Transcript::open).transpose()?;
    let (sender, events) = mpsc::sync_channel(CLIENT_READ_AHEAD);
    let report = sender.clone();
    let wanted = wanted_signals(preferences.want_editor());
    signals::take(&wanted, move |signal| report.send(Event::Signal(signal)).is_ok())?;
    let console = Console::open(&preferences, kind, transcript);
    let report = sender.clone();
    let throttle = keyboard::spawn(console.takes_keys(), move |what| report.send(Event::Keyboard(what)).is_ok())?;
    let client = Client::new((kind.begin)(setup), (host.to_owned(), port), console, sender, events, throttle);
    match client.run() {
        // Whoever closed standard output has seen enough (K6).
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
        result => result,
    }
}

/// The signals that end a session, and with the line editor those that tell what becomes of the terminal. What whoever
/// started the program wants ignored stays so, except for the keyboard's interrupt.
fn wanted_signals(with_editor: bool) -> Vec<Signal> {
    let mut wanted = vec![Signal::Interrupt, Signal::Terminate, Signal::HangUp];
    if with_editor {
        wanted.extend([Signal::Quit, Signal::Suspend, Signal::Continue, Signal::Background, Signal::Resize]);
    }
    wanted.retain(|signal| !matches!(signal, Signal::HangUp | Signal::Suspend) || !signal.is_ignored());
    wanted
}

#[cfg(test)]
mod tests {
    use super::session::{Action, Input};
    use super::*;
    use crate::random::Random;

    /// Whatever happens, in whatever order, a session has an answer, and after the end nothing is asked of it.
    #[test]
    fn rt7_no_order_of_inputs_makes_a_session_panic() {
        const LINES: [&str; 16] = [
            "",
            "ann",
            "@bob hi",
            "@bob",
            "!who",
            "!quit",
            "quit",
            "HELLO ann",
            "IN-USE",
            "BUSY",
            "LIST-OK a,b",
            "SEND-OK",
            "BAD-RQST-HDR",
            "BAD-RQST-BODY",
            "200 OK",
            "DISCONNECT CHAT/1.0",
        ];
        let mut random = Random(0x5eed);
        let mut next = |bound| random.below(bound);
        for kind in KINDS {
            let mut ended = 0;
            for _ in 0..2000 {
                let mut session =
                    (kind.begin)(Setup { name: (next(2) == 0).then(|| "ann".into()), ..Setup::default() });
                let mut actions = Vec::new();
                session.handle(Input::Start, &mut actions);
                for _ in 0..next(60) {
                    let line = LINES[next(LINES.len())].to_owned();
                    let input = match next(12) {
                        0..4 => Input::Typed(line),
                        4..8 => Input::Received(line),
                        8 => Input::Connected,
                        9 => Input::Disconnected((next(2) == 0).then_some(line)),
                        10 if next(9) == 0 => Input::TypedEnd,
                        10 => Input::Signal(Signal::Interrupt),
                        _ => Input::TimeUp { unsent: next(2) == 0 },
                    };
                    session.handle(input, &mut actions);
                    if actions.iter().any(|action| matches!(action, Action::Exit(_))) {
                        ended += 1;
                        break;
                    }
                }
            }
            assert!(ended > 0, "{}", kind.key);
        }
    }
}
