//! Who is who to the person: to whom plain lines go, and whose messages are hidden.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Shared;
use crate::client::messages;
use crate::client::session::{Action, Names};
use crate::limits::NAMES_REMEMBERED;
use crate::protocol::{Presence, Scope};

/// What the person has said of others.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// A person is there, and not a program that types whole lines.
    has_person: bool,
    /// To whom plain lines go, and the prompt that says so.
    recipient: Option<(String, String)>,
    /// Whose messages are hidden.
    ignored: BTreeSet<String>,
}

impl Shared {
    pub(crate) fn note_person(&mut self) {
        self.people.has_person = true;
    }

    pub(crate) fn has_person(&self) -> bool {
        self.people.has_person
    }

    /// Returns to whom plain lines go.
    pub(crate) fn recipient(&self) -> Option<&str> {
        self.people.recipient.as_ref().map(|(name, _)| name.as_str())
    }

    /// Returns the prompt that says to whom plain lines go. A program that types whole lines sees none.
    pub(crate) fn recipient_prompt(&self) -> Option<&str> {
        self.people.recipient.as_ref().filter(|_| self.has_person()).map(|(_, prompt)| prompt.as_str())
    }

    /// Has plain lines go to this user, or to nobody in particular. Where no prompt says so, a line does.
    pub(crate) fn set_recipient(&mut self, name: Option<&str>) {
        self.people.recipient = name.map(|name| (name.to_owned(), messages::recipient_prompt(name)));
        if self.config.interactive && !self.has_person() {
            self.print(messages::recipient(name));
        }
    }

    /// Shows somebody's message, whose name stands there in the line, unless the person does not want to hear of them.
    pub(crate) fn message(&mut self, line: String, sender: Range<usize>, scope: Scope) {
        if !self.people.ignored.contains(&line[sender.clone()]) {
            self.push(Action::Message { line, sender, scope });
        }
    }

    /// Takes note of who else is in a list of who is online, or in the latest part of a long one.
    pub(crate) fn online(&mut self, names: &[&str]) {
        let latest = &names[names.len().saturating_sub(NAMES_REMEMBERED)..];
        let others = latest.iter().map(|name| name.trim()).filter(|name| *name != self.name);
        let others = others.map(str::to_owned).collect();
        self.push(Action::Names(Names::Online(others)));
    }

    /// Shows a line that tells who came, went or changed the name. Whoever changes it is still who they were: plain lines go
    /// to them, and what was hidden stays so.
    pub(crate) fn presence(&mut self, line: &str, presence: Presence<'_>) {
        self.print(line);
        if let Presence::Renamed { from, to } = presence {
            self.renamed(from, to);
        }
        self.push(Action::Names(match presence {
            Presence::Joined { name } => Names::Joined(name.to_owned()),
            Presence::Left { name } => Names::Left(name.to_owned()),
            Presence::Renamed { from, to } => Names::Renamed { from: from.to_owned(), to: to.to_owned() },
        }));
    }

    fn renamed(&mut self, from: &str, to: &str) {
        let People { recipient, ignored, .. } = &mut self.people;
        if let Some(recipient) = recipient.as_mut().filter(|(name, _)| name == from) {
            *recipient = (to.to_owned(), messages::recipient_prompt(to));
        }
        if ignored.remove(from) {
            ignored.insert(to.to_owned());
            self.tell_ignored();
        }
    }

    /// Hides what this user says from now on.
    pub(crate) fn ignore(&mut self, name: &str) {
        self.people.ignored.insert(name.to_owned());
        self.tell_ignored();
        self.print(messages::ignoring(name));
    }

    /// Shows what this user says again.
    pub(crate) fn unignore(&mut self, name: &str) {
        let was_ignored = self.people.ignored.remove(name);
        self.tell_ignored();
        self.print(messages::not_ignoring(name, was_ignored));
    }

    fn tell_ignored(&mut self) {
        let names = self.people.ignored.iter().cloned().collect();
        self.push(Action::Names(Names::Ignored(names)));
    }

    /// Says whose messages are hidden.
    pub(crate) fn list_ignored(&mut self) {
        let names: Vec<_> = self.people.ignored.iter().map(String::as_str).collect();
        let text = messages::ignored(&names);
        self.print(text);
    }
}
