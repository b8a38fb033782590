//! A copy of the chat in a file, each line with its time.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::log;
use crate::net;
use crate::protocol::sanitize;
use crate::sys::O_NONBLOCK;

/// Only its owner may read it.
const MODE: u32 = 0o600;

/// The file.
#[derive(Debug)]
pub(crate) struct Transcript {
    path: PathBuf,
    file: File,
}

impl Transcript {
    /// Opens the file, or creates one, to add to it.
    ///
    /// # Errors
    ///
    /// When the system refuses; the error names the file.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        match Self::open_file(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))),
        }
    }

    fn open_file(path: &Path) -> io::Result<File> {
        // Where it is a pipe, nobody waits for whoever reads it, or does not.
        let file = OpenOptions::new().append(true).create(true).mode(MODE).custom_flags(O_NONBLOCK).open(path)?;
        // It may have been there before; devices and pipes stay what they are.
        if file.metadata()?.is_file() {
            file.set_permissions(Permissions::from_mode(MODE))?;
        }
        Ok(file)
    }

    /// Returns the file's name, harmless to a terminal.
    pub(crate) fn name(&self) -> String {
        sanitize(self.path.as_os_str().as_encoded_bytes()).into_owned()
    }

    /// Adds a line, or several; `mark` tells what they are.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn add(&mut self, mark: &str, text: &str) -> io::Result<()> {
        let time = log::rfc3339(SystemTime::now());
        let lines = text.lines().map(|line| format!("{time} {mark}{}\n", sanitize(line.as_bytes())));
        let text: String = lines.collect();
        let written = net::write_available(&mut self.file, text.as_bytes(), Duration::MAX)?;
        if written < text.len() { Err(io::Error::new(ErrorKind::WouldBlock, "nobody reads it")) } else { Ok(()) }
    }
}
