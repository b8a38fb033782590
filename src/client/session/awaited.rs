//! Requests that the server has not answered yet.

use std::collections::VecDeque;
use std::mem;

use crate::client::messages;

/// How many messages are remembered by their text: a script may send to a server that never acknowledges anything.
const MAX_TEXTS: usize = 10_000;

/// For whom a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A person, or a script, who sees the answer.
    Person,
    /// Tab, which needs the names; nobody sees anything of it.
    Completion,
}

/// A request that is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// A message as it was typed, unless that is forgotten, in a line of so many bytes.
    Message { line: Option<String>, bytes: usize },
    /// A list, which may have to be asked for in other words (K1).
    List(Audience),
    /// A list that was asked for in these words.
    Who(Audience),
}

impl Awaited {
    pub(crate) fn is_message(&self) -> bool {
        matches!(self, Self::Message { .. })
    }

    pub(crate) fn is_for_completion(&self) -> bool {
        matches!(self, Self::List(Audience::Completion) | Self::Who(Audience::Completion))
    }
}

/// The requests, in the order in which the server answers.
#[derive(Debug, Default)]
pub(crate) struct AwaitedAnswers {
    queue: VecDeque<Awaited>,
    /// How many of them are messages.
    messages: usize,
}

impl AwaitedAnswers {
    pub(crate) fn push(&mut self, awaited: Awaited) {
        self.queue.push_back(awaited);
    }

    /// Adds a message that was sent, as it was typed.
    pub(crate) fn push_message(&mut self, line: &str) {
        let text = Some(messages::excerpt(line).into_owned());
        self.queue.push_back(Awaited::Message { line: text, bytes: line.len() });
        self.messages += 1;
        let old = self.queue.len().checked_sub(MAX_TEXTS + 1).and_then(|at| self.queue.get_mut(at));
        if let Some(Awaited::Message { line, .. }) = old {
            *line = None;
        }
    }

    /// Removes the first request that fits, and returns it; those before it will get no answer.
    pub(crate) fn take(&mut self, fits: impl Fn(&Awaited) -> bool) -> Option<Awaited> {
        let at = self.queue.iter().position(fits)?;
        self.messages -= self.queue.range(..=at).filter(|awaited| awaited.is_message()).count();
        self.queue.drain(..=at).next_back()
    }

    pub(crate) fn front(&self) -> Option<&Awaited> {
        self.queue.front()
    }

    pub(crate) fn any(&self, fits: impl Fn(&Awaited) -> bool) -> bool {
        self.queue.iter().any(fits)
    }

    /// Returns how many messages are not acknowledged.
    pub(crate) fn messages(&self) -> usize {
        self.messages
    }

    /// Removes all requests, as none will be answered, and returns what there is to say of the messages (K6).
    pub(crate) fn clear(&mut self) -> Option<String> {
        let texts = self.queue.drain(..).filter_map(|awaited| match awaited {
            Awaited::Message { line, .. } => line,
            Awaited::List(_) | Awaited::Who(_) => None,
        });
        let texts: Vec<_> = texts.collect();
        let count = mem::take(&mut self.messages);
        (!texts.is_empty()).then(|| messages::unacknowledged(count, &texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k6_the_latest_messages_are_told_by_their_text_and_all_are_counted() {
        let mut awaited = AwaitedAnswers::default();
        for number in 0..MAX_TEXTS + 2 {
            awaited.push_message(&format!("n{number}"));
        }
        assert_eq!(awaited.messages(), MAX_TEXTS + 2);
        let mut take = || match awaited.take(Awaited::is_message) {
            Some(Awaited::Message { line, .. }) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!((take(), take()), (None, None));
        assert_eq!(take().as_deref(), Some("n2"));
        awaited.push_message("last");
        awaited.push(Awaited::List(Audience::Person));
        awaited.push_message("more");
        let told = awaited.clear().expect("there are some");
        let start = "Your last 10001 messages were not acknowledged; they may be lost:\n  n";
        assert!(told.starts_with(start) && told.ends_with("\n  last\n  more"), "{told}");
        assert_eq!((awaited.messages(), awaited.clear()), (0, None));
    }
}
