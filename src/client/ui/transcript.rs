//! A copy of the chat in a file, each line with its time.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::log;
use crate::net;
use crate::protocol::sanitize;
use crate::sys::O_NONBLOCK;

/// Mode of a new file: only its owner may read it.
const MODE: u32 = 0o600;

#[derive(Debug)]
pub(crate) struct Transcript {
    path: PathBuf,
    file: File,
}

impl Transcript {
    /// Opens the file to append to it, and creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// When the system refuses; the error names the file.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        // A path may name a pipe: a write that would block fails instead.
        match OpenOptions::new().append(true).create(true).mode(MODE).custom_flags(O_NONBLOCK).open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))),
        }
    }

    /// Returns the file's name without control characters.
    pub(crate) fn name(&self) -> String {
        sanitize(self.path.as_os_str().as_encoded_bytes()).into_owned()
    }

    /// Appends one or several lines, each with the time and `mark` before it.
    ///
    /// # Errors
    ///
    /// When the file does not take all of it at once.
    pub(crate) fn add(&mut self, mark: &str, text: &str) -> io::Result<()> {
        let time = log::rfc3339(SystemTime::now());
        let lines = text.lines().map(|line| format!("{time} {mark}{}\n", sanitize(line.as_bytes())));
        let lines: String = lines.collect();
        let written = net::write_available(&mut self.file, lines.as_bytes(), Duration::MAX)?;
        if written < lines.len() { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }
}
