//! The terminal's modes and size: what it was before is what it is afterwards, however the program ends. What the modes are
//! called is known to the `stty` of the system.

use std::io;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::screen::Size;
use crate::sys::{TerminalModes, is_in_foreground, is_job};

/// Every key at once, as it is, and none shown; what Ctrl-Z means stays, Ctrl-C is a key, so that it comes in its turn, and
/// Ctrl-S halts nothing.
const RAW_MODE: [&str; 10] = ["-icanon", "-echo", "-icrnl", "-ixon", "min", "1", "time", "0", "intr", "undef"];
const ENABLE_BRACKETED_PASTE: &str = "\x1b[?2004h";
const DISABLE_BRACKETED_PASTE: &str = "\x1b[?2004l";
/// What makes good that the end of what was to be shown is not: it may have been cut anywhere.
pub(crate) const AFTER_DISCARD: &str = "\r\n\x1b[?2004l";

/// What the terminal was before this program changed it, until it is that again. There is one terminal, and whoever ends the
/// program restores it.
static BEFORE: Mutex<Option<TerminalModes>> = Mutex::new(None);

/// The terminal on standard input, in the mode for editing. It goes back to what it was when this is dropped.
#[derive(Debug)]
pub(crate) struct Terminal {
    before: TerminalModes,
    raw: TerminalModes,
    /// It knows its size. One without is some program's, and cannot be asked to put brackets around what is pasted.
    has_size: bool,
    brackets: Brackets,
}

/// Whether the terminal marks pastes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brackets {
    Never,
    /// It did before it was left to another program.
    Paused,
    /// It was asked at the start, and may not know how.
    Unproven,
    On,
}

impl Terminal {
    /// Has the terminal hand over every key, and measures it. Returns `None` for one that is not ours to change: it does not
    /// show what is typed in the first place, so no person is typing there, or it belongs to others at the moment.
    ///
    /// # Errors
    ///
    /// When there is no `stty`, or it fails.
    pub(crate) fn open() -> io::Result<Option<(Self, Size)>> {
        let modes = stty(&["-a"])?;
        if modes.split([' ', ';', '\n']).any(|mode| mode == "-echo") || !is_in_foreground() {
            return Ok(None);
        }
        let reported = reported_size();
        let before = TerminalModes::get()?;
        *lock() = Some(before);
        let raw = stty(&RAW_MODE).and_then(|_| TerminalModes::get()).inspect_err(|_| restore())?;
        let has_size = reported.is_some();
        let terminal = Self { before, raw, has_size, brackets: Brackets::Never };
        Ok(Some((terminal, size(reported))))
    }

    /// Has the terminal hand over every key, again, unless it belongs to others.
    ///
    /// # Errors
    ///
    /// When the system refuses; then the terminal is as it was.
    pub(crate) fn enter_raw_mode(&mut self) -> io::Result<()> {
        if !is_in_foreground() {
            return Ok(());
        }
        *lock() = Some(self.before);
        self.raw.set().inspect_err(|_| restore())
    }

    /// Returns whether it hands over every key, and shows none.
    #[expect(clippy::unused_self, reason = "it is so only while there is one")]
    pub(crate) fn is_editing(&self) -> bool {
        lock().is_some()
    }

    /// Returns whether it knows its size.
    pub(crate) fn has_size(&self) -> bool {
        self.has_size
    }

    /// Returns whether the terminal may deliver a paste without marks, and could mark it.
    pub(crate) fn pastes_without_brackets(&self) -> bool {
        self.has_size && self.brackets != Brackets::On && self.is_editing()
    }

    /// Returns the sequence that has the terminal mark pastes from the start: only where a shell has started this program as a
    /// job. A program that opens a terminal of its own and reads whole lines must find no escape sequence in one.
    pub(crate) fn begin_bracketed_paste(&mut self) -> Option<&'static str> {
        let enable = if is_job() { self.enable_bracketed_paste() } else { None };
        if enable.is_some() {
            self.brackets = Brackets::Unproven;
        }
        enable
    }

    /// Notes that the terminal has marked a paste.
    pub(crate) fn note_brackets(&mut self) {
        if self.brackets == Brackets::Unproven {
            self.brackets = Brackets::On;
        }
    }

    /// Returns the sequence that has the terminal mark pastes, if it does not yet.
    pub(crate) fn enable_bracketed_paste(&mut self) -> Option<&'static str> {
        let was = self.brackets;
        if self.pastes_without_brackets() {
            self.brackets = Brackets::On;
        }
        let is_new = matches!(was, Brackets::Never | Brackets::Paused) && self.brackets == Brackets::On;
        is_new.then_some(ENABLE_BRACKETED_PASTE)
    }

    /// Returns the same sequence if another program has used the terminal meanwhile.
    pub(crate) fn resume_bracketed_paste(&mut self) -> Option<&'static str> {
        if self.brackets == Brackets::Paused { self.enable_bracketed_paste() } else { None }
    }

    /// Returns the sequence that ends the marks, if there are any and the terminal is ours.
    pub(crate) fn disable_bracketed_paste(&mut self) -> Option<&'static str> {
        if !matches!(self.brackets, Brackets::Unproven | Brackets::On) {
            return None;
        }
        self.brackets = Brackets::Paused;
        (self.is_editing() && is_in_foreground()).then_some(DISABLE_BRACKETED_PASTE)
    }

    /// Returns the size of the terminal on standard input.
    pub(crate) fn size() -> Size {
        size(reported_size())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Makes the terminal what it was, if it is not. One that belongs to others now, as this program is in the background, is
/// left alone: to touch it would stop the program.
pub(crate) fn restore() {
    if let Some(before) = lock().take().filter(|_| is_in_foreground()) {
        // A terminal that is gone needs nothing.
        let _ = before.set();
    }
}

fn lock() -> MutexGuard<'static, Option<TerminalModes>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn size(reported: Option<(usize, usize)>) -> Size {
    let (rows, columns) = reported.unwrap_or_default();
    Size::reported(rows, columns)
}

/// Returns rows and columns, if the terminal knows.
fn reported_size() -> Option<(usize, usize)> {
    let size = stty(&["size"]).ok()?;
    let (rows, columns) = size.trim().split_once(' ')?;
    let (rows, columns) = (rows.parse().ok()?, columns.parse().ok()?);
    (rows > 0 && columns > 0).then_some((rows, columns))
}

/// Runs `stty` on standard input. What is typed meanwhile to interrupt or to stop this program passes it by: it inherits the
/// signals that are blocked here.
fn stty(arguments: &[&str]) -> io::Result<String> {
    let output = Command::new("stty").args(arguments).env("LC_ALL", "C").stdin(Stdio::inherit()).output();
    let output = output.map_err(|error| io::Error::new(error.kind(), format!("stty: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(complaint.lines().next().unwrap_or("stty has failed").to_owned()))
}
