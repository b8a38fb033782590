//! A copy of the chat in a file, each line with its time.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::log;
use crate::net;
use crate::protocol::clean;

/// Only its owner may read it.
const MODE: u32 = 0o600;

/// The file.
#[derive(Debug)]
pub(super) struct Transcript {
    path: PathBuf,
    file: File,
}

impl Transcript {
    /// Opens the file, or makes one, to add to it.
    ///
    /// # Errors
    ///
    /// When the system refuses; the error names the file.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        match OpenOptions::new().append(true).create(true).mode(MODE).open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))),
        }
    }

    /// The file's name.
    pub(super) fn name(&self) -> String {
        clean(self.path.as_os_str().as_encoded_bytes()).into_owned()
    }

    /// Adds a line, or several; `mark` tells what they are.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn add(&mut self, mark: &str, text: &str) -> io::Result<()> {
        let time = log::rfc3339(SystemTime::now());
        let lines = text.lines().map(|line| format!("{time} {mark}{}\n", clean(line.as_bytes())));
        net::write_fully(&mut self.file, lines.collect::<String>().as_bytes())
    }
}
