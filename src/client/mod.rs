//! The client: a thread on standard input and a thread on the socket, both only reporting to one channel, a thread that only
//! writes to the screen, and one loop that owns everything else: the session, the user interface and the sending half.
//!
//! The loop never waits for any of them, so that a signal and `!quit` always reach it. What the readers report takes permits
//! along, which are released when the screen has taken what came of it; so they read no faster than that.
//!
//! It knows nothing of the server program.

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

/// Runs a session of this protocol with the server at this address until it is over, and returns the status to end with. To be
/// called before there is any other thread.
///
/// # Errors
///
/// When the file to copy to cannot be opened, a thread cannot be started or standard output cannot be written.
pub fn run(
    protocol: &'static Protocol,
    mut config: Config,
    options: UiOptions,
    host: &str,
    port: u16,
) -> io::Result<u8> {
    config.interactive = io::stdin().is_terminal();
    let transcript = options.log.clone().map(Transcript::open).transpose()?;
    // Nobody ever waits to report an event: what the readers report is bounded by their permits, all else is rare.
    let (sender, events) = mpsc::channel();
    let report = sender.clone();
    let wanted = wanted_signals(options.want_editor());
    let mut last_resort = LastResort::default();
    signals::forward(&wanted, move |signal| {
        last_resort.see(signal);
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
        // Whoever closed standard output has seen enough (K6).
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
        Err(_) if on_terminal && !io::stdout().is_terminal() => Ok(Signal::HangUp.exit_status()),
        result => result,
    }
}

/// Lets a signal do what it does to any program when an earlier one has not ended this one.
#[derive(Debug, Default)]
struct LastResort {
    /// When the first signal came that is to end it.
    since: Option<Instant>,
}

impl LastResort {
    fn see(&mut self, signal: Signal) {
        if !signal.ends() {
            return;
        }
        if self.since.get_or_insert_with(Instant::now).elapsed() > LAST_RESORT {
            ui::terminal::restore();
            signals::raise_default(signal);
        }
    }
}

/// Returns the signals that end a session. With the line editor these are all that can be taken, so that the terminal is
/// restored, and those that tell what becomes of it. What whoever started the program wants ignored stays so, except for
/// the usual ones.
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
