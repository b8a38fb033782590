//! The terminal's modes and size, by the `stty` of the system: what it was before is what it is afterwards, however the
//! program ends.

use std::io;
use std::process::{Command, Stdio};

use super::screen::Size;
use crate::net;
use crate::sys::is_in_foreground;

/// Every key at once, as it is, and none shown; what Ctrl-C and Ctrl-Z mean stays.
const RAW_MODE: [&str; 7] = ["-icanon", "-echo", "-icrnl", "min", "1", "time", "0"];
const ENABLE_BRACKETED_PASTE: &[u8] = b"\x1b[?2004h";
const DISABLE_BRACKETED_PASTE: &[u8] = b"\x1b[?2004l";

/// The terminal on standard input, in the mode for editing. It goes back to what it was when this is dropped.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// What it was, as `stty` takes it.
    before: String,
    is_editing: bool,
    /// It can be asked to put brackets around what is pasted: there is a person in front of it. A terminal without a size
    /// is some program's.
    can_bracket: bool,
    /// It has been asked to.
    bracketed_paste: bool,
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
        let before = stty(&["-g"])?.trim().to_owned();
        let reported = reported_size();
        let mut terminal = Self { before, is_editing: false, can_bracket: reported.is_some(), bracketed_paste: false };
        terminal.enter_raw_mode()?;
        Ok(Some((terminal, size(reported))))
    }

    /// Has the terminal hand over every key, again, unless it belongs to others.
    ///
    /// # Errors
    ///
    /// When `stty` fails; then the terminal is as it was.
    pub(crate) fn enter_raw_mode(&mut self) -> io::Result<()> {
        if !is_in_foreground() {
            return Ok(());
        }
        self.is_editing = true;
        stty(&RAW_MODE).map(drop).inspect_err(|_| self.restore())
    }

    /// Returns whether it hands over every key, and shows none.
    pub(crate) fn is_editing(&self) -> bool {
        self.is_editing
    }

    /// Has the terminal put brackets around what is pasted. To be called when somebody has typed something, so that nothing
    /// but an echo has an escape sequence before it.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written.
    pub(crate) fn enable_bracketed_paste(&mut self) -> io::Result<()> {
        if self.bracketed_paste || !self.can_bracket || !self.is_editing {
            return Ok(());
        }
        self.bracketed_paste = true;
        net::write_fully(&mut io::stdout(), ENABLE_BRACKETED_PASTE)
    }

    /// Makes the terminal what it was. One that belongs to others now, as this program is in the background, is left alone:
    /// to touch it would stop the program.
    pub(crate) fn restore(&mut self) {
        if self.is_editing && is_in_foreground() {
            if self.bracketed_paste {
                let _ = net::write_fully(&mut io::stdout(), DISABLE_BRACKETED_PASTE);
            }
            // A terminal that is gone needs nothing.
            let _ = stty(&[&self.before]);
        }
        (self.is_editing, self.bracketed_paste) = (false, false);
    }

    /// Returns the size of the terminal on standard input.
    pub(crate) fn size() -> Size {
        size(reported_size())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.restore();
    }
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
