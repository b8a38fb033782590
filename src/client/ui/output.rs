//! The thread that writes the standard streams, so that nobody waits for a terminal or a pipe that takes nothing.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::screen::Stream;
use crate::limits::{OUTPUT_BACKLOG, OUTPUT_CHUNK, OUTPUT_START};
use crate::net;

/// What waits to be written. It is as long as whoever adds to it lets it become; [`Output::is_congested`] tells when that is
/// too much.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<(Stream, Vec<u8>)>,
    /// Bytes of the queue. A piece of it takes memory until the thread has taken all of it.
    queued: usize,
    /// Bytes of the first piece that the thread has taken already.
    taken: usize,
    /// The thread is writing what it has taken.
    is_writing: bool,
    /// The queue was too long, and it is not short yet.
    is_congested: bool,
    /// Standard output has failed: nothing more is written there.
    has_failed: bool,
    /// Why, until somebody has heard of it.
    error: Option<io::Error>,
    /// The thread tells when it has written all.
    is_finishing: bool,
    /// Somebody waits for it.
    is_awaited: bool,
}

impl State {
    /// Whether all is written.
    fn is_done(&self) -> bool {
        self.queue.is_empty() && !self.is_writing
    }
}

impl Output {
    /// Starts the thread. It calls `notify` when there is room again after there was none, when standard output has failed,
    /// and when all is written after [`Output::finish`].
    pub(crate) fn start(notify: impl Fn() + Send + 'static) -> io::Result<Self> {
        let output = Self::default();
        let thread = output.clone();
        thread::Builder::new().name(String::from("output")).spawn(move || thread.write_for_ever(notify))?;
        Ok(output)
    }

    /// Adds bytes to what waits.
    pub(crate) fn push(&self, stream: Stream, bytes: Vec<u8>) {
        let mut state = self.lock();
        state.queued += bytes.len();
        state.is_congested |= state.queued > OUTPUT_BACKLOG;
        match state.queue.back_mut() {
            Some((last, piece)) if *last == stream && piece.len() + bytes.len() <= OUTPUT_CHUNK => piece.extend(bytes),
            _ => state.queue.push_back((stream, bytes)),
        }
        self.0.1.notify_all();
    }

    /// Returns whether more waits than should.
    pub(crate) fn is_congested(&self) -> bool {
        self.lock().is_congested
    }

    /// Has the thread call `notify` when everything is written.
    pub(crate) fn finish(&self) {
        self.lock().is_finishing = true;
    }

    /// Returns whether everything is written.
    pub(crate) fn is_done(&self) -> bool {
        self.lock().is_done()
    }

    /// Waits until all is written, but not for long. Returns whether it is.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let (_, changed) = &*self.0;
        let mut state = self.lock();
        state.is_awaited = true;
        // On a busy machine the thread may take its time to begin.
        let begun = changed.wait_timeout_while(state, OUTPUT_START, |state| !state.is_done() && !state.is_writing);
        state = begun.unwrap_or_else(PoisonError::into_inner).0;
        let written = changed.wait_timeout_while(state, timeout, |state| !state.is_done());
        written.unwrap_or_else(PoisonError::into_inner).0.is_done()
    }

    /// Drops what the thread has not begun to write.
    pub(crate) fn discard(&self) {
        let mut state = self.lock();
        state.queue.clear();
        (state.taken, state.queued) = (0, 0);
    }

    /// Reports once that standard output has failed.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.lock().error.take().map_or(Ok(()), Err)
    }

    fn write_for_ever(&self, notify: impl Fn()) {
        let mut chunk = Vec::new();
        loop {
            let (stream, is_open) = self.next(&mut chunk);
            let result = match stream {
                Stream::Output if is_open => net::write_fully(&mut io::stdout(), &chunk),
                Stream::Output => Ok(()),
                // Nobody is left to hear of a standard error that cannot be written.
                Stream::Errors => net::write_fully(&mut io::stderr(), &chunk).or(Ok(())),
            };
            if self.note_written(result) {
                notify();
            }
        }
    }

    /// Waits for something to write and takes a part of it, short enough that it is soon written.
    fn next(&self, chunk: &mut Vec<u8>) -> (Stream, bool) {
        let waited = self.0.1.wait_while(self.lock(), |state| state.queue.is_empty());
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let State { queue, queued, taken, is_writing, has_failed, .. } = &mut *state;
        let (stream, piece) = &queue[0];
        let end = piece.len().min(*taken + OUTPUT_CHUNK);
        chunk.clear();
        chunk.extend_from_slice(&piece[*taken..end]);
        let next = (*stream, !*has_failed);
        (*taken, *is_writing) = (end, true);
        if end == piece.len() {
            *queued -= end;
            queue.pop_front();
            *taken = 0;
        }
        if state.is_awaited {
            self.0.1.notify_all();
        }
        next
    }

    /// Notes what became of a chunk, and returns whether that is worth telling.
    fn note_written(&self, result: io::Result<()>) -> bool {
        let mut state = self.lock();
        state.is_writing = false;
        let has_room = state.is_congested && state.queued <= OUTPUT_BACKLOG / 2;
        state.is_congested &= !has_room;
        let is_finished = state.is_finishing && state.is_done();
        if state.is_done() {
            self.0.1.notify_all();
        }
        let has_failed = result.is_err();
        state.has_failed |= has_failed;
        state.error = result.err().or(state.error.take());
        has_room || is_finished || has_failed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
