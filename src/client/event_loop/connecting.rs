//! The loop's part of connections: how they begin and end, and what comes of them.

use std::io;
use std::mem;
use std::time::Instant;

use super::{EventLoop, Input, LoopEvent};
use crate::client::connection::reader::{self, SocketEvent};
use crate::client::connection::send_buffer::SendBuffer;
use crate::client::messages;
use crate::program;

impl EventLoop {
    pub(super) fn connect(&mut self) -> io::Result<()> {
        self.is_connecting = true;
        let (number, sender) = (self.connection_id, self.sender.clone());
        let report = move |event, permit| sender.send(LoopEvent::Socket(number, event, permit)).is_ok();
        reader::spawn(self.address.clone(), self.session.dialect(), self.ui.traces(), report)
    }

    /// Drops the connection; whatever its thread still reports is of no interest.
    pub(super) fn disconnect(&mut self) {
        self.connection_id += 1;
        (self.connect_at, self.is_connecting) = (None, false);
        if let Some(send_buffer) = self.send_buffer.take() {
            self.lost = send_buffer.close();
        }
    }

    /// Connects again after a while. To a person it is said in one row, which the next try rewrites.
    pub(super) fn reconnect(&mut self, why: &str) {
        self.disconnect();
        self.warn_of_unsent([]);
        let wait = self.backoff.next();
        self.connect_at = Some(Instant::now() + wait);
        let seconds = wait.as_secs_f64().round() as u64;
        let text = messages::trying_again(why, seconds.max(1));
        if mem::replace(&mut self.is_away, true) {
            self.ui.warn_in_passing(text);
        } else {
            let hint = if self.ui.has_person() { messages::WHILE_AWAY } else { "" };
            self.ui.warn(&(text + hint));
        }
    }

    /// Connects at once instead, as somebody may know that there is a server again.
    pub(super) fn try_at_once(&mut self) {
        self.backoff.reset();
        if let Some(at) = &mut self.connect_at {
            *at = Instant::now();
        }
    }

    /// Takes note that nothing is to be told of connections any more.
    pub(super) fn is_back(&mut self) {
        self.is_away = false;
        self.ui.forget_warning();
    }

    /// Returns the prompt, which says at a keyboard if there is no connection.
    pub(super) fn prompt(&self) -> String {
        let is_away = self.ui.has_person() && (self.is_away || self.is_connecting);
        [if is_away { messages::NOT_CONNECTED } else { "" }, self.session.prompt()].concat()
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
                self.is_connecting = false;
                if self.session.asks_for_name() {
                    self.is_back();
                }
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
