//! What goes out, as the server takes it, and how far the readers may go on.

use super::EventLoop;
use crate::client::connection::send_buffer::SendBuffer;
use crate::limits::CLIENT_BACKLOG;

impl EventLoop {
    /// Returns how many bytes are still to be sent.
    pub(super) fn unsent(&self) -> usize {
        self.send_buffer.as_ref().map_or(0, SendBuffer::unsent)
    }

    pub(super) fn is_congested(&self) -> bool {
        self.unsent() >= CLIENT_BACKLOG
    }

    /// Sends what the server takes within a moment. Returns whether there is more to send.
    pub(super) fn send_some(&mut self) -> bool {
        let Some(send_buffer) = &mut self.send_buffer else { return false };
        let was_finishing = send_buffer.is_finishing();
        let progress = send_buffer.send_some();
        let more = send_buffer.can_send();
        if was_finishing && progress {
            self.set_timeout(self.timeout);
        }
        more
    }

    /// Shows the lines that were sent, if that is wanted, and returns whether there were any.
    pub(super) fn trace_sent(&mut self) -> bool {
        let sent = self.send_buffer.as_mut().map(SendBuffer::take_traced).unwrap_or_default();
        sent.iter().for_each(|line| self.ui.trace('>', &line.to_string()));
        !sent.is_empty()
    }

    /// Lets more be read when what was read before has been taken care of.
    pub(super) fn release_permits(&mut self) {
        if self.ui.is_congested() {
            return;
        }
        self.unshown.clear();
        if !self.is_congested() && self.session.wants_input() {
            self.unsent_lines.clear();
        }
    }
}
