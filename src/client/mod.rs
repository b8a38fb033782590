//! The client: a thread on standard input and a thread on the socket, both only reporting to one channel, and one loop
//! that owns everything else: the session, the user interface and the sending half.
//!
//! It knows nothing of the server program.

mod connection;
mod event_loop;
pub mod messages;
pub mod session;
mod stdin;
mod ui;

use std::io::{self, ErrorKind, IsTerminal};
use std::sync::mpsc;

use self::event_loop::{EventLoop, LoopEvent};
use self::session::{Config, Protocol};
pub use self::ui::{Color, UiOptions};
use self::ui::{Transcript, Ui};
use crate::limits::CLIENT_READ_AHEAD;
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
    let (sender, events) = mpsc::sync_channel(CLIENT_READ_AHEAD);
    let report = sender.clone();
    let wanted = wanted_signals(options.want_editor());
    signals::forward(&wanted, move |signal| report.send(LoopEvent::Signal(signal)).is_ok())?;
    let ui = Ui::open(&options, protocol, transcript);
    let report = sender.clone();
    let permits = stdin::spawn(ui.takes_keys(), move |what| report.send(LoopEvent::Stdin(what)).is_ok())?;
    let client = EventLoop::new((protocol.begin)(config), (host.to_owned(), port), ui, sender, events, permits);
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
