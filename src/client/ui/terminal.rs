//! The terminal's modes and size. The modes are restored however the program ends; `stty` of the system knows their names.

use std::io;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::screen::Size;
use crate::sys::{TerminalModes, is_in_foreground, is_job};

/// Delivers each key at once and without an echo. Ctrl-Z still stops the program, Ctrl-C is a key, and Ctrl-S is ignored.
const RAW_MODE: [&str; 10] = ["-icanon", "-echo", "-icrnl", "-ixon", "min", "1", "time", "0", "intr", "undef"];
const ENABLE_BRACKETED_PASTE: &str = "\x1b[?2004h";
const DISABLE_BRACKETED_PASTE: &str = "\x1b[?2004l";
/// Output that ends a discarded one, which may have been cut anywhere.
pub(crate) const AFTER_DISCARD: &[u8] = b"\r\n\x1b[?2004l";

/// The modes before raw mode, while it lasts. They are restored by the thread that ends the program.
static BEFORE: Mutex<Option<TerminalModes>> = Mutex::new(None);

/// The terminal on standard input in raw mode, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Terminal {
    before: TerminalModes,
    raw: TerminalModes,
    /// A terminal without a size belongs to a program, and must not be asked to mark pastes.
    pub(super) has_size: bool,
    brackets: Brackets,
}

/// Whether the terminal marks pastes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brackets {
    Never,
    /// It did until another program got the terminal.
    Paused,
    /// It was asked at the start, and may not be able to.
    Unproven,
    On,
}

impl Terminal {
    /// Enters raw mode, and measures the terminal. Returns `None` if the terminal belongs to another program now, or has no
    /// echo: then a program types there.
    ///
    /// # Errors
    ///
    /// When there is no `stty`, or it fails.
    pub(crate) fn open() -> io::Result<Option<(Self, Size)>> {
        let modes = stty(&["-a"])?;
        if modes.split([' ', ';', '\n']).any(|mode| mode == "-echo") || !is_in_foreground() {
            return Ok(None);
        }
        let size = measure();
        let before = TerminalModes::get()?;
        *lock() = Some(before);
        let raw = stty(&RAW_MODE).and_then(|_| TerminalModes::get()).inspect_err(|_| restore())?;
        let terminal = Self { before, raw, has_size: size.is_some(), brackets: Brackets::Never };
        Ok(Some((terminal, size.unwrap_or(Size::FALLBACK))))
    }

    /// Enters raw mode again, unless the terminal belongs to another program.
    ///
    /// # Errors
    ///
    /// When the system refuses; then the modes are restored.
    pub(crate) fn enter_raw_mode(&mut self) -> io::Result<()> {
        if !is_in_foreground() {
            return Ok(());
        }
        *lock() = Some(self.before);
        self.raw.set().inspect_err(|_| restore())
    }

    /// Returns whether raw mode lasts.
    #[expect(clippy::unused_self, reason = "only a terminal has modes")]
    pub(crate) fn is_editing(&self) -> bool {
        lock().is_some()
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
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Ends raw mode. In the background it does nothing: a change of modes would stop the program.
pub(crate) fn restore() {
    if let Some(before) = lock().take().filter(|_| is_in_foreground()) {
        // The terminal may be gone.
        let _ = before.set();
    }
}

fn lock() -> MutexGuard<'static, Option<TerminalModes>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the size of the terminal on standard input, if it knows one.
pub(crate) fn measure() -> Option<Size> {
    let size = stty(&["size"]).ok()?;
    let (rows, columns) = size.trim().split_once(' ')?;
    let (rows, columns) = (rows.parse().ok()?, columns.parse().ok()?);
    (rows > 0 && columns > 0).then_some(Size { columns, rows })
}

/// Runs `stty` on standard input. Ctrl-C and Ctrl-Z do not reach it: it inherits the blocked signals.
fn stty(arguments: &[&str]) -> io::Result<String> {
    let output = Command::new("stty").args(arguments).env("LC_ALL", "C").stdin(Stdio::inherit()).output();
    let output = output.map_err(|error| io::Error::new(error.kind(), format!("stty: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(error.lines().next().unwrap_or("stty has failed").to_owned()))
}
