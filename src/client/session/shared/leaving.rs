//! How one leaves: by a word, by a signal or with the end of the input, and what is still done before.

use super::{Connection, Shared};
use crate::client::messages;
use crate::client::session::Action;
use crate::limits::{END_WAIT, QUIT_WAIT};
use crate::protocol::Request;

/// How a person leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// By a word.
    Quit,
    /// With the end of the input.
    EndOfInput,
    /// By a signal, with this status.
    Signal(u8),
}

impl Shared {
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Returns whether the person wants to be gone, and nothing typed before is to be done first: lines that come through a
    /// pipe are done in their order, while whoever sits at a terminal means it at once.
    pub(crate) fn is_leaving_now(&self) -> bool {
        match self.leaving {
            Some(Leaving::Quit) => self.config.interactive || self.typed_ahead.is_empty(),
            Some(Leaving::Signal(_)) => true,
            // Nobody who stands at the name prompt waits for anything.
            Some(Leaving::EndOfInput) => self.is_asking() && self.typed_ahead.is_empty(),
            None => false,
        }
    }

    /// Leaves when everything typed before is done (K3, K5, RI7).
    pub(crate) fn leave(&mut self, leaving: Leaving) {
        self.leaving = Some(leaving);
        if self.is_leaving_now() {
            // At the end of input it is still of interest whether there is a server at all.
            let waits_in_vain = self.is_reconnecting() || (self.is_asking() && leaving != Leaving::EndOfInput);
            if waits_in_vain && self.connection == Connection::Connecting {
                self.exit(self.exit_status());
            } else {
                self.push(Action::WaitAtMost(QUIT_WAIT));
            }
        } else if !self.is_reconnecting() {
            self.push(Action::WaitAtMost(if leaving == Leaving::Quit { QUIT_WAIT } else { END_WAIT }));
        }
    }

    /// Returns whether nothing is left to be done but to shut the sending side down.
    pub(crate) fn is_done(&self) -> bool {
        let waits_for_login = self.is_logging_in()
            && match self.leaving {
                Some(Leaving::EndOfInput) | None => true,
                Some(Leaving::Quit) => !self.typed_ahead.is_empty(),
                Some(Leaving::Signal(_)) => false,
            };
        self.is_leaving() && !waits_for_login && !self.is_finishing && !self.is_over
    }

    /// Shuts the sending side down, behind the dialect's last word, once there is one.
    pub(crate) fn finish(&mut self, farewell: Option<Request<'_>>) {
        match self.connection {
            Connection::Connecting => return,
            Connection::Closed => return self.exit(self.exit_status()),
            Connection::Open => {}
        }
        self.is_finishing = true;
        if let Some(farewell) = farewell {
            self.send(&farewell);
        }
        self.push(Action::FinishSending);
    }

    /// Ends, as the server did not do in time what was waited for.
    pub(crate) fn time_up(&mut self, unsent: bool) {
        if unsent && !matches!(self.leaving, Some(Leaving::Signal(_))) {
            self.fail(messages::not_all_sent(&self.config.server));
        } else if self.leaving == Some(Leaving::EndOfInput) && self.is_chatting() && !self.is_heard {
            self.fail(messages::no_answer(&self.config.server));
        } else {
            self.exit(self.exit_status());
        }
    }

    /// Takes what was typed after a word by which one leaves; what a pipe brings behind it is of no interest.
    pub(crate) fn typed_too_late(&mut self, text: &str) {
        if self.config.interactive && !text.trim().is_empty() {
            self.warn(messages::not_sent(&[text]));
        }
    }

    /// Ends, and says what has come to nothing. That is a failure where the end of the input was waited for with it.
    pub(crate) fn exit(&mut self, status: u8) {
        let in_vain = self.leaving == Some(Leaving::EndOfInput)
            && (self.is_asking() && self.was_refused && !self.config.interactive
                || self.has_failed
                || self.unacknowledged.len() > 0
                || !self.typed_ahead.is_empty());
        if in_vain && self.is_asking() {
            self.warn(messages::NEVER_LOGGED_IN);
        }
        self.warn_of_unacknowledged();
        if !self.typed_ahead.is_empty() {
            let unsent = messages::not_sent(self.typed_ahead.make_contiguous());
            self.warn(unsent);
        }
        self.is_over = true;
        self.push(Action::Exit(if in_vain { status.max(1) } else { status }));
    }

    /// Ends with a diagnostic.
    pub(crate) fn fail(&mut self, text: impl Into<String>) {
        self.warn(text);
        self.exit(1);
    }

    /// Returns the status to end with, if nothing is wrong.
    pub(crate) fn exit_status(&self) -> u8 {
        match self.leaving {
            Some(Leaving::Signal(status)) => status,
            _ => 0,
        }
    }
}
