//! A copy of the chat in a file, each line with its time.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
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
        match Self::open_file(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))),
        }
    }

    fn open_file(path: &Path) -> io::Result<File> {
        let file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
        // It may have been there before; devices and pipes stay what they are.
        if file.metadata()?.is_file() {
            file.set_permissions(Permissions::from_mode(MODE))?;
        }
        Ok(file)
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
