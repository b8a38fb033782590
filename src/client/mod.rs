//! The client: threads that read standard input and the socket, a thread that writes to the screen, and an event loop that owns
//! the session, the user interface and the sending half of the connection.
//!
//! The readers report to the loop through a channel. The loop never waits for another thread, so it always handles signals and
//! `!quit`. Each report holds a permit until its output is shown, so the readers are no faster than the screen.

mod connection;
mod event_loop;
#[doc = include_str!("manual.md")]
pub mod manual {}
pub(crate) mod messages;
mod permits;
pub mod session;
mod stdin;
mod timer;
mod ui;

use std::io::{self, ErrorKind, IsTerminal};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use self::connection::Link;
use self::event_loop::{EventLoop, LoopEvent};
use self::session::{Config, Protocol, Session};
pub use self::ui::{Bell, Color, UiOptions};
use self::ui::{Transcript, Ui};
use crate::limits::LAST_RESORT;
use crate::signals::{self, Signal};

/// Runs a session and returns the exit status. Call it before any other thread starts.
///
/// # Errors
///
/// The log file cannot be opened, a thread cannot be started or standard output cannot be written.
pub fn run(
    protocol: &'static Protocol,
    mut config: Config,
    options: UiOptions,
    host: &str,
    port: u16,
) -> io::Result<u8> {
    config.interactive = io::stdin().is_terminal();
    let transcript = options.log.clone().map(Transcript::open).transpose()?;
    // The channel needs no bound: reports of the readers hold permits, and other events are rare.
    let (sender, events) = mpsc::channel();
    let report = sender.clone();
    let mut ending_since = None;
    signals::forward(&wanted_signals(options.want_editor()), move |signal| {
        // An earlier signal has not ended the program.
        if signal.ends() && ending_since.get_or_insert_with(Instant::now).elapsed() > LAST_RESORT {
            ui::terminal::restore();
            signals::raise_default(signal);
        }
        report.send(LoopEvent::Signal(signal)).is_ok()
    })?;
    let report = sender.clone();
    let ui = Ui::open(&options, protocol, transcript, move || drop(report.send(LoopEvent::Output)))?;
    let report = sender.clone();
    stdin::spawn(ui.takes_keys(), move |event, permit| report.send(LoopEvent::Stdin(event, permit)).is_ok())?;
    let report = move |number, event, permit| sender.send(LoopEvent::Socket(number, event, permit)).is_ok();
    let link = Link::new((host.to_owned(), port), Arc::new(report));
    let client = EventLoop::new(Session::new(protocol, config), ui, link, events);
    let on_terminal = io::stdout().is_terminal();
    match client.run() {
        // The reader of standard output has seen enough (K6).
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
        Err(_) if on_terminal && !io::stdout().is_terminal() => Ok(Signal::HangUp.exit_status()),
        result => result,
    }
}

/// Returns the signals to handle. With the line editor these are all that end or stop a program, so that the terminal is
/// restored. Ignored signals stay ignored, except for the usual ones.
fn wanted_signals(with_editor: bool) -> Vec<Signal> {
    let mut wanted = vec![Signal::Interrupt, Signal::Terminate];
    let mut unless_ignored = vec![Signal::HangUp];
    if with_editor {
        wanted.extend([Signal::Quit, Signal::Continue, Signal::Background, Signal::Resize]);
        unless_ignored.extend([Signal::Suspend, Signal::User1, Signal::User2, Signal::Alarm]);
        unless_ignored.extend(Signal::others());
    }
    wanted.extend(unless_ignored.into_iter().filter(|signal| !signal.is_ignored()));
    wanted
}
