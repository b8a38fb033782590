//! Requests without a reply.

use std::collections::VecDeque;
use std::mem;

use crate::client::messages;

/// The number of messages kept with their text, in case a server never acknowledges.
const MAX_TEXTS: usize = 10_000;

/// The recipient of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Person,
    /// The completion of names. The list is not shown.
    Completion,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// A message as it was typed, unless forgotten, and its size.
    Message { line: Option<String>, bytes: usize },
    /// A list, and the revision of the dialect in which it was requested.
    List { audience: Audience, revision: u8 },
}

impl Awaited {
    pub(crate) fn is_message(&self) -> bool {
        matches!(self, Self::Message { .. })
    }

    pub(crate) fn is_for_completion(&self) -> bool {
        matches!(self, Self::List { audience: Audience::Completion, .. })
    }
}

/// The requests in the order of their replies.
#[derive(Debug, Default)]
pub(crate) struct AwaitedAnswers {
    queue: VecDeque<Awaited>,
    messages: usize,
}

impl AwaitedAnswers {
    pub(crate) fn push(&mut self, awaited: Awaited) {
        self.queue.push_back(awaited);
    }

    pub(crate) fn push_message(&mut self, line: &str) {
        let text = Some(messages::excerpt(line).into_owned());
        self.queue.push_back(Awaited::Message { line: text, bytes: line.len() });
        self.messages += 1;
        let old = self.queue.len().checked_sub(MAX_TEXTS + 1).and_then(|at| self.queue.get_mut(at));
        if let Some(Awaited::Message { line, .. }) = old {
            *line = None;
        }
    }

    /// Removes and returns the first request that fits. Requests before it get no reply.
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

    /// Returns the number of unacknowledged messages.
    pub(crate) fn messages(&self) -> usize {
        self.messages
    }

    /// Removes all requests and returns a warning about unacknowledged messages (K6).
    pub(crate) fn clear(&mut self) -> Option<String> {
        let texts = self.queue.drain(..).filter_map(|awaited| match awaited {
            Awaited::Message { line, .. } => line,
            Awaited::List { .. } => None,
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
        awaited.push(Awaited::List { audience: Audience::Person, revision: 0 });
        awaited.push_message("more");
        let told = awaited.clear().expect("there are some");
        let start = "Your last 10001 messages were not acknowledged; they may be lost:\n  n";
        assert!(told.starts_with(start) && told.ends_with("\n  last\n  more"), "{told}");
        assert_eq!((awaited.messages(), awaited.clear()), (0, None));
    }
}
