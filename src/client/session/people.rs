//! What the person has said of others: to whom plain lines go, and whose messages are hidden.

use std::collections::BTreeSet;

use crate::client::messages;

/// What the person has said of others.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// To whom plain lines go, and the prompt that says so.
    recipient: Option<(String, String)>,
    /// Whose messages are hidden.
    ignored: BTreeSet<String>,
}

impl People {
    /// Returns to whom plain lines go.
    pub(crate) fn recipient(&self) -> Option<&str> {
        self.recipient.as_ref().map(|(name, _)| name.as_str())
    }

    /// Returns the prompt that says to whom plain lines go.
    pub(crate) fn recipient_prompt(&self) -> Option<&str> {
        self.recipient.as_ref().map(|(_, prompt)| prompt.as_str())
    }

    /// Has plain lines go to this user, or to nobody in particular.
    pub(crate) fn set_recipient(&mut self, name: Option<&str>) {
        self.recipient = name.map(|name| (name.to_owned(), messages::recipient_prompt(name)));
    }

    pub(crate) fn is_ignored(&self, name: &str) -> bool {
        self.ignored.contains(name)
    }

    pub(crate) fn ignored(&self) -> impl Iterator<Item = &String> {
        self.ignored.iter()
    }

    /// Hides what this user says from now on.
    pub(crate) fn ignore(&mut self, name: &str) {
        self.ignored.insert(name.to_owned());
    }

    /// Shows what this user says again. Returns whether it was hidden.
    pub(crate) fn unignore(&mut self, name: &str) -> bool {
        self.ignored.remove(name)
    }

    /// Whoever changes the name is still who they were: plain lines go to them, and what was hidden stays so. Returns whether
    /// it was hidden.
    pub(crate) fn rename(&mut self, from: &str, to: &str) -> bool {
        if self.recipient() == Some(from) {
            self.set_recipient(Some(to));
        }
        let was_ignored = self.unignore(from);
        if was_ignored {
            self.ignore(to);
        }
        was_ignored
    }
}
