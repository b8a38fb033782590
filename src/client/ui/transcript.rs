//! A copy of the chat in a file, each line with its time.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::limits::PIPE_BACKLOG;
use crate::log;
use crate::net;
use crate::protocol::sanitize;
use crate::sys::O_NONBLOCK;

/// Of a new file: only its owner may read it.
const MODE: u32 = 0o600;

/// The file.
#[derive(Debug)]
pub(crate) struct Transcript {
    path: PathBuf,
    file: File,
    /// Somebody else reads it, and may be slow, or go and come back.
    is_pipe: bool,
    /// What the pipe has not taken yet.
    pending: Vec<u8>,
    /// Lines are missing since the pipe took something.
    has_gap: bool,
}

impl Transcript {
    /// Opens the file, or creates one, to add to it.
    ///
    /// # Errors
    ///
    /// When the system refuses; the error names the file.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        // Where it is a pipe, nobody waits for whoever reads it, or does not.
        let opened = OpenOptions::new().append(true).create(true).mode(MODE).custom_flags(O_NONBLOCK).open(&path);
        match opened.and_then(|file| Ok((file.metadata()?.file_type().is_fifo(), file))) {
            Ok((is_pipe, file)) => Ok(Self { path, file, is_pipe, pending: Vec::new(), has_gap: false }),
            Err(error) => Err(io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))),
        }
    }

    /// Returns the file's name, harmless to a terminal.
    pub(crate) fn name(&self) -> String {
        sanitize(self.path.as_os_str().as_encoded_bytes()).into_owned()
    }

    /// Adds a line, or several; `mark` tells what they are. Returns whether lines begin to be missing: what a pipe does not take
    /// is tried again with the next line, but not kept for ever.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn add(&mut self, mark: &str, text: &str) -> io::Result<bool> {
        let time = log::rfc3339(SystemTime::now());
        let lines = text.lines().map(|line| format!("{time} {mark}{}\n", sanitize(line.as_bytes())));
        let lines: String = lines.collect();
        let fits = self.pending.is_empty() || self.pending.len() + lines.len() <= PIPE_BACKLOG;
        if fits {
            self.pending.extend_from_slice(lines.as_bytes());
        }
        let written = self.write()?;
        let had_gap = self.has_gap;
        self.has_gap = !fits || (had_gap && written == 0);
        Ok(self.has_gap && !had_gap)
    }

    /// Writes what the file takes, and returns how much that is.
    fn write(&mut self) -> io::Result<usize> {
        match net::write_available(&mut self.file, &self.pending, Duration::MAX) {
            Ok(written) => {
                self.pending.drain(..written);
                Ok(written)
            }
            Err(error) if self.is_pipe && error.kind() == ErrorKind::BrokenPipe => Ok(0),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Transcript {
    fn drop(&mut self) {
        // Nobody is left to hear of what is missing at the end.
        let _ = self.write();
    }
}
