//! The user's choices about other users.

use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(crate) struct People {
    /// The user who receives plain lines.
    pub(crate) recipient: Option<String>,
    /// Users whose messages are hidden.
    pub(crate) ignored: BTreeSet<String>,
}

impl People {
    /// Keeps the choices about a user who changes the name. Returns whether `ignored` has changed.
    pub(crate) fn rename(&mut self, from: &str, to: &str) -> bool {
        if self.recipient.as_deref() == Some(from) {
            self.recipient = Some(to.to_owned());
        }
        let was_ignored = self.ignored.remove(from);
        if was_ignored {
            self.ignored.insert(to.to_owned());
        }
        was_ignored
    }
}
