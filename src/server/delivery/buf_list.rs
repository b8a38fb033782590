//! Bytes for one client, in order. Short additions are copied together, recipients share long ones.

use std::collections::VecDeque;
use std::sync::Arc;

/// Additions of so many bytes are shared between their recipients. Shorter ones are cheaper to copy, as they can then be
/// written together with others.
const SHARED_PIECE: usize = 8 << 10;

/// Bytes of a piece that copies are gathered in.
const MAX_PIECE: usize = 64 << 10;

#[derive(Debug, Default)]
pub(crate) struct BufList {
    queue: VecDeque<Piece>,
    /// Bytes of the first piece that are consumed.
    consumed: usize,
    /// Bytes that are left.
    len: usize,
}

#[derive(Debug)]
enum Piece {
    Own(Vec<u8>),
    Shared(Arc<Vec<u8>>),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl BufList {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        match self.queue.back_mut() {
            Some(Piece::Own(last)) if last.len() + bytes.len() <= MAX_PIECE => {
                if last.capacity() - last.len() < bytes.len() {
                    // Twice as much, as a vector does by itself, but never more than a piece may have.
                    last.reserve_exact((last.len() + bytes.len()).max(last.len() * 2).min(MAX_PIECE) - last.len());
                }
                last.extend_from_slice(bytes);
            }
            _ if bytes.is_empty() => {}
            _ => self.queue.push_back(Piece::Own(bytes.to_vec())),
        }
    }

    /// Adds bytes that others get as well; copies them only when they are few.
    pub(crate) fn push_shared(&mut self, bytes: &Arc<Vec<u8>>) {
        if bytes.len() < SHARED_PIECE {
            return self.push(bytes);
        }
        self.len += bytes.len();
        self.queue.push_back(Piece::Shared(Arc::clone(bytes)));
    }

    pub(crate) fn append(&mut self, mut later: Self) {
        if self.is_empty() {
            *self = later;
            return;
        }
        let rest = later.chunk();
        if later.consumed > 0 || rest.len() < SHARED_PIECE {
            self.push(rest);
            later.queue.pop_front();
        }
        self.len += later.queue.iter().map(|piece| piece.bytes().len()).sum::<usize>();
        self.queue.append(&mut later.queue);
    }

    /// Returns what comes next, in one piece; empty when the queue is.
    pub(crate) fn chunk(&self) -> &[u8] {
        self.queue.front().map_or(&[], |piece| &piece.bytes()[self.consumed..])
    }

    /// Drops the first `count` bytes, which must not be more than [`Self::chunk`] has.
    pub(crate) fn advance(&mut self, count: usize) {
        self.len -= count;
        self.consumed += count;
        if self.queue.front().is_some_and(|piece| piece.bytes().len() == self.consumed) {
            self.queue.pop_front();
            self.consumed = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(mut pieces: BufList, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while !pieces.is_empty() {
            let count = pieces.chunk().len().min(step);
            all.extend_from_slice(&pieces.chunk()[..count]);
            pieces.advance(count);
        }
        assert_eq!(pieces.chunk(), b"");
        all
    }

    #[test]
    fn order_is_kept_whatever_is_shared_and_wherever_it_is_cut() {
        let large = Arc::new(vec![b'x'; SHARED_PIECE]);
        let small = Arc::new(b"small".to_vec());
        let expected = [&b"one"[..], b"small", &large, b"two", &large, b"three", b"four", b"small"].concat();
        for step in [1, 7, SHARED_PIECE - 1, usize::MAX] {
            for cut in [0, 1, 3, 8, SHARED_PIECE] {
                let mut first = BufList::default();
                first.push(b"one");
                first.push(b"");
                first.push_shared(&small);
                first.push_shared(&large);
                first.push(b"two");
                let mut later = BufList::default();
                later.push_shared(&large);
                later.push(b"three");
                first.append(later);
                let mut last = BufList::default();
                last.push(b"four");
                last.push_shared(&small);
                first.append(last);
                assert_eq!(first.len(), expected.len());
                let mut begun = Vec::new();
                while begun.len() < cut {
                    let count = first.chunk().len().min(cut - begun.len());
                    begun.extend_from_slice(&first.chunk()[..count]);
                    first.advance(count);
                }
                let mut whole = BufList::default();
                whole.append(first);
                assert_eq!([begun, drained(whole, step)].concat(), expected, "{step} at a time, cut at {cut}");
            }
        }
    }

    #[test]
    fn few_bytes_are_put_together_and_many_are_shared() {
        let mut pieces = BufList::default();
        pieces.push(b"one");
        pieces.push_shared(&Arc::new(b"two".to_vec()));
        assert_eq!(pieces.chunk(), b"onetwo");
        let large = Arc::new(vec![b'x'; SHARED_PIECE]);
        pieces.push_shared(&large);
        assert_eq!(Arc::strong_count(&large), 2);
    }
}
