//! The loop's part of what comes from the keyboard, or through a pipe.

use super::{EventLoop, Input};
use crate::client::messages;
use crate::client::permits::Permit;
use crate::client::stdin::StdinEvent;
use crate::client::ui::KeyAction;
use crate::limits::{NAMES_LIFETIME, TYPED_AHEAD};
use crate::signals::Signal;

impl EventLoop {
    pub(super) fn handle_stdin(&mut self, event: StdinEvent, permit: Permit) {
        match event {
            StdinEvent::Line(line) => {
                self.ui.log_line(&line);
                self.inputs.push_back(Input::Typed(line));
                self.unsent_lines.push(permit);
                return;
            }
            StdinEvent::Keys { bytes, after_pause } => {
                self.handle_keys(&bytes, after_pause);
            }
            StdinEvent::Foreground => self.ui.resume(),
            StdinEvent::TooLong => self.inputs.push_back(Input::TypedTooLong),
            StdinEvent::HangUp if !Signal::HangUp.is_ignored() => self.end_by(Signal::HangUp),
            StdinEvent::End | StdinEvent::HangUp => self.inputs.push_back(Input::TypedEnd),
        }
        self.unshown.push(permit);
    }

    pub(super) fn handle_keys(&mut self, bytes: &[u8], after_pause: bool) {
        let prompt = self.prompt();
        for action in self.ui.handle_keys(bytes, after_pause, &prompt) {
            match action {
                KeyAction::Submit(line) => self.submit(line),
                KeyAction::Person => self.inputs.push_back(Input::Person),
                KeyAction::RefreshNames => self.refresh_names(),
                KeyAction::Interrupt => self.end_by(Signal::Interrupt),
            }
        }
    }

    /// Asks for a list of names that later completions use, if the last one is old.
    pub(super) fn refresh_names(&mut self) {
        if self.listed_at.is_none_or(|listed_at| listed_at.elapsed() >= NAMES_LIFETIME) {
            self.inputs.push_back(Input::Completing);
        }
    }

    /// Takes a line that was typed at a terminal. However many wait already, the keyboard is listened to.
    pub(super) fn submit(&mut self, line: String) {
        if self.is_away && line.trim().is_empty() && self.ui.has_entered(&line) {
            self.ui.settle_entered(true);
            self.try_at_once();
            return;
        }
        let waits = !self.session.wants_input() || self.is_congested();
        self.typed_ahead = if waits { self.typed_ahead + 1 } else { 0 };
        if self.typed_ahead > TYPED_AHEAD && !self.session.is_farewell(&line) {
            if self.ui.has_entered(&line) {
                self.ui.settle_entered(false);
            }
            self.ui.warn(messages::TOO_FAR_AHEAD);
            self.ui.add_history_entry(&line);
        } else {
            self.inputs.push_back(Input::Typed(line));
        }
    }
}
