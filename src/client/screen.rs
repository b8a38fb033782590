//! What a person sees: lines on standard output, diagnostics on standard error, and on a terminal the prompt.

use std::io;
use std::mem;

use crate::net;

/// Standard output and standard error. What is printed is shown with the next [`Screen::show`], in one write.
#[derive(Debug)]
pub(super) struct Screen {
    is_terminal: bool,
    waiting: Vec<u8>,
    /// The cursor stands behind the prompt.
    prompted: bool,
}

impl Screen {
    /// An empty screen, which shows prompts if it `is_terminal`.
    pub(super) fn new(is_terminal: bool) -> Self {
        Self { is_terminal, waiting: Vec::new(), prompted: false }
    }

    /// Prints a line, or several, each on a line of its own.
    pub(super) fn print(&mut self, text: &str) {
        self.leave_prompt();
        self.waiting.extend_from_slice(text.as_bytes());
        self.waiting.push(b'\n');
    }

    /// Somebody has typed a line, which the terminal has ended.
    pub(super) fn typed(&mut self) {
        self.prompted = false;
    }

    /// Shows what was printed, and behind it the prompt, if there is one.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written.
    pub(super) fn show(&mut self, prompt: &str) -> io::Result<()> {
        if self.is_terminal && !self.prompted && !prompt.is_empty() {
            self.waiting.extend_from_slice(prompt.as_bytes());
            self.prompted = true;
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        net::write_fully(&mut io::stdout(), &mem::take(&mut self.waiting))
    }

    /// Shows a diagnostic, in its place among what is printed.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written.
    pub(super) fn warn(&mut self, text: &str) -> io::Result<()> {
        self.leave_prompt();
        self.show("")?;
        // Nobody is left to hear of a standard error that cannot be written.
        let _ = net::write_fully(&mut io::stderr(), format!("{text}\n").as_bytes());
        Ok(())
    }

    fn leave_prompt(&mut self) {
        if mem::take(&mut self.prompted) {
            self.waiting.push(b'\n');
        }
    }
}
