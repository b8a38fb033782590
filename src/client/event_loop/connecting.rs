//! The loop's part of connections: how they begin and end, and what comes of them.

use std::io;
use std::mem;

use super::{EventLoop, Input, LoopEvent};
use crate::client::connection::reader::{self, SocketEvent};
use crate::client::connection::send_buffer::SendBuffer;
use crate::client::messages;
use crate::program;

impl EventLoop {
    pub(super) fn connect(&self) -> io::Result<()> {
        let (number, sender) = (self.connection_id, self.sender.clone());
        let report = move |event, permit| sender.send(LoopEvent::Socket(number, event, permit)).is_ok();
        reader::spawn(self.address.clone(), self.session.dialect(), self.ui.traces(), report)
    }

    /// Drops the connection; whatever its thread still reports is of no interest.
    pub(super) fn disconnect(&mut self) {
        self.connection_id += 1;
        self.connect_at = None;
        if let Some(send_buffer) = self.send_buffer.take() {
            self.lost = send_buffer.close();
        }
    }

    /// Tells which messages the connection did not take, and what else was typed in vain.
    pub(super) fn warn_of_unsent(&mut self, typed: impl IntoIterator<Item = String>) {
        let mut unsent = self.session.messages_in(&mem::take(&mut self.lost));
        unsent.extend(typed);
        if !unsent.is_empty() {
            self.ui.warn(&messages::not_sent(&unsent));
        }
    }

    pub(super) fn handle_socket(&mut self, event: SocketEvent) {
        let input = match event {
            SocketEvent::Connected(stream) => {
                self.send_buffer = Some(SendBuffer::new(stream, self.ui.traces()));
                Input::Connected
            }
            SocketEvent::Unreachable(error) => Input::Unreachable(program::describe(&error)),
            SocketEvent::Received(line) => Input::Received(line),
            SocketEvent::Traced(line) => {
                self.ui.trace('<', &line);
                return;
            }
            SocketEvent::TooLong => {
                self.ui.warn(messages::REPLY_TOO_LONG);
                return;
            }
            SocketEvent::Disconnected(error) => {
                // Whoever closes the connection without taking everything has not closed it in good order.
                let untaken = (self.unsent() > 0).then(|| messages::CLOSED_TOO_EARLY.to_owned());
                self.disconnect();
                Input::Disconnected(error.map(|error| program::describe(&error)).or(untaken))
            }
        };
        self.inputs.push_back(input);
    }
}
