//! The terminal's modes and size, by the `stty` of the system: what it was before is what it is afterwards, however the
//! program ends.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use super::screen::Size;
use crate::limits::MODE_TRIES;
use crate::net;

/// Every key at once, as it is, and none shown; what Ctrl-C and Ctrl-Z mean stays.
const EDITING: [&str; 7] = ["-icanon", "-echo", "-icrnl", "min", "1", "time", "0"];
const ASK_FOR_BRACKETS: &[u8] = b"\x1b[?2004h";
const NO_MORE_BRACKETS: &[u8] = b"\x1b[?2004l";

/// The terminal on standard input, in the mode for editing. It goes back to what it was when this is dropped.
#[derive(Debug)]
pub(super) struct Terminal {
    /// What it was, as `stty` takes it.
    before: String,
    is_editing: bool,
    /// It has been asked to put brackets around what is pasted.
    brackets: bool,
}

impl Terminal {
    /// Has the terminal hand over every key. `None` for one that did not show what is typed in the first place: no person
    /// is typing there.
    ///
    /// # Errors
    ///
    /// When there is no `stty`, or it fails.
    pub(super) fn open() -> io::Result<Option<Self>> {
        let modes = stty(&["-a"])?;
        if modes.split([' ', ';', '\n']).any(|mode| mode == "-echo") {
            return Ok(None);
        }
        let before = stty(&["-g"])?.trim().to_owned();
        let mut terminal = Self { before, is_editing: false, brackets: false };
        terminal.edit()?;
        Ok(Some(terminal))
    }

    /// Has the terminal hand over every key, again.
    ///
    /// # Errors
    ///
    /// When `stty` fails.
    pub(super) fn edit(&mut self) -> io::Result<()> {
        if is_in_foreground() {
            self.is_editing = true;
            stty(&EDITING)?;
        }
        Ok(())
    }

    /// Has the terminal put brackets around what is pasted, if there is a person in front of it: a terminal without a size
    /// is some program's.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written.
    pub(super) fn ask_for_brackets(&mut self) -> io::Result<()> {
        if !self.brackets && self.is_editing && Self::reported_size().is_some() {
            self.brackets = true;
            net::write_fully(&mut io::stdout(), ASK_FOR_BRACKETS)?;
        }
        Ok(())
    }

    /// Makes the terminal what it was. One that belongs to others now, as this program is in the background, is left alone:
    /// to touch it would stop the program.
    pub(super) fn restore(&mut self) {
        if self.is_editing && is_in_foreground() {
            if self.brackets {
                let _ = net::write_fully(&mut io::stdout(), NO_MORE_BRACKETS);
            }
            // A terminal that is gone needs nothing.
            let _ = stty(&[&self.before]);
        }
        (self.is_editing, self.brackets) = (false, false);
    }

    /// Its size.
    pub(super) fn size() -> Size {
        let (rows, columns) = Self::reported_size().unwrap_or_default();
        Size::reported(rows, columns)
    }

    /// Rows and columns, if it knows.
    fn reported_size() -> Option<(usize, usize)> {
        let size = stty(&["size"]).ok()?;
        let (rows, columns) = size.trim().split_once(' ')?;
        let (rows, columns) = (rows.parse().ok()?, columns.parse().ok()?);
        (rows > 0 && columns > 0).then_some((rows, columns))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.restore();
    }
}

/// Runs `stty` on standard input. A signal that was meant for this program may end it, so it is tried again then.
fn stty(arguments: &[&str]) -> io::Result<String> {
    let mut failure = io::Error::from(ErrorKind::Interrupted);
    for _ in 0..MODE_TRIES {
        let mut command = Command::new("stty");
        command.args(arguments).env("LC_ALL", "C").stdin(Stdio::inherit()).stderr(Stdio::piped());
        let output = command.output().map_err(|error| io::Error::new(error.kind(), format!("stty: {error}")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        failure = io::Error::other(complaint.lines().next().unwrap_or("stty: failed").to_owned());
        if output.status.signal().is_none() {
            break;
        }
    }
    Err(failure)
}

/// Whether the terminal is this program's at the moment; where the system does not say, it is.
pub(super) fn is_in_foreground() -> bool {
    let status = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the program's name, in parentheses: state, parent, process group, session, terminal, its foreground group.
    let fields: Vec<&str> = status.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    match fields[..] {
        [_, _, group, _, _, foreground, ..] => group == foreground,
        _ => true,
    }
}
