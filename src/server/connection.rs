//! One client, on one thread: reads its lines, has them handled, and says why it ended.

use std::io::ErrorKind;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::close_reason::CloseReason;
use super::context::Context;
use super::counters::Count;
use super::delivery::sender::Sender;
use super::delivery::socket::Socket;
use super::lines::Lines;
use super::lobby::Place;
use super::rate_limit::RateLimit;
use super::requests::{Client, Flow};
use super::sync::pause;
use crate::limits;
use crate::log::Level;
use crate::protocol::{self, Event};

/// Refused logins and changes of the name that a client may send a second, and at once.
const LOGIN_RATE: u32 = 5;

/// Seconds' worth of lines that a client may send at once, where lines are limited.
const RATE_BURST: u32 = 3;

/// How long a client that has sent too much may go unobserved.
const MAX_PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Connection {
    client: Client,
    lines: Lines,
    /// When the client must be logged in; once it is, when it must have said something, if at all.
    deadline: Option<Instant>,
    /// Lines that are handled, if they are limited.
    line_rate: Option<RateLimit>,
    login_rate: RateLimit,
    /// The beginning of a line was logged.
    has_traced_partial: bool,
}

impl Connection {
    pub(crate) fn new(
        context: Arc<Context>,
        peer: SocketAddr,
        stream: TcpStream,
        sender: Sender,
        place: Place,
    ) -> Self {
        let now = Instant::now();
        let max_rate = context.settings.max_rate;
        let max_line = limits::MAX_LINE_BEFORE_LOGIN.min(context.bounds.max_line);
        Self {
            lines: Lines::new(stream, max_line),
            deadline: Some(now + context.settings.login_timeout),
            line_rate: max_rate.map(|rate| RateLimit::new(rate, rate.saturating_mul(RATE_BURST), now)),
            login_rate: RateLimit::new(LOGIN_RATE, LOGIN_RATE, now),
            has_traced_partial: false,
            client: Client::new(context, peer, sender, place),
        }
    }

    /// Serves the client until the connection ends. A bug ends this connection alone.
    pub(crate) fn run(mut self: Box<Self>) {
        let served = panic::catch_unwind(AssertUnwindSafe(|| {
            self.client.report(Level::Debug, format_args!("connected"));
            let reason = self.serve();
            // If another thread closed the outbox, the read has failed because of that.
            let reason = self.client.sender.own.close_reason().unwrap_or(reason);
            self.close(reason);
        }));
        if served.is_err() {
            self.client.leave_room();
            self.client.sender.flush();
            self.client.sender.own.close(CloseReason::Panicked);
        }
    }

    fn serve(&mut self) -> CloseReason {
        let mut has_heard = false;
        loop {
            if let Flow::Close(reason) = self.handle_lines() {
                return reason;
            }
            if self.client.should_stop() {
                return CloseReason::EndOfInput;
            }
            // The time in which the client's lines were held back is not silence.
            if has_heard && self.client.is_logged_in() {
                self.deadline = self.client.context.settings.idle_timeout.map(|timeout| Instant::now() + timeout);
            }
            has_heard = false;
            // If input is waiting, this thread was late: the client was not silent.
            let silence_ends = self.silence_ends().filter(|_| !self.lines.has_input());
            let partial_due = self.partial_due().filter(|_| !self.lines.has_input());
            let next = [self.deadline, silence_ends, partial_due].into_iter().flatten().min();
            let has_passed = |time: Option<Instant>| time.is_some_and(|time| time <= Instant::now());
            match self.lines.read_until(next) {
                Ok(0) => {
                    if self.client.dialect_of(self.lines.partial()).needs_no_line_feed() {
                        self.lines.end_line();
                        if let Flow::Close(reason) = self.handle_lines() {
                            return reason;
                        }
                    }
                    return CloseReason::EndOfInput;
                }
                Ok(count) => {
                    has_heard = true;
                    self.has_traced_partial = false;
                    self.client.context.counters.add(Count::BytesIn, count);
                }
                Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return CloseReason::Failed(error.kind());
                }
                Err(_) if has_passed(silence_ends) && !self.lines.has_input() => {
                    self.lines.end_line();
                    has_heard = true;
                }
                Err(_) if has_passed(partial_due) && !self.lines.has_input() => {
                    self.has_traced_partial = true;
                    self.client.trace_rest(self.lines.partial(), "and no LF yet (G1)");
                }
                Err(_) if has_passed(self.deadline) => return self.timed_out(),
                Err(_) => {}
            }
        }
    }

    /// Handles the lines that have come. Once the server is going away the rest is dropped.
    fn handle_lines(&mut self) -> Flow {
        self.client.replies.append(&mut self.lines.take_telnet_answer());
        self.client.sender.begin_turn();
        let mut flow = Flow::Continue;
        while !matches!(flow, Flow::Close(_)) && !self.client.should_stop() {
            let delay = self.delay();
            if !delay.is_zero() && self.lines.peek().is_some() {
                flow = self.hold_back(delay);
                continue;
            }
            if self.client.trace.is_wanted() {
                self.client.trace.begin_line(self.lines.peek().unwrap_or_default());
            }
            let was_logged_in = self.client.is_logged_in();
            let omits_line_feeds = self.lines.has_no_line_feeds();
            let Some(line) = self.lines.next() else { break };
            flow = self.client.handle(&line, omits_line_feeds);
            if let Some(rate) = &mut self.line_rate {
                rate.charge(1, Instant::now());
            }
            if flow == Flow::Slower {
                self.login_rate.charge(1, Instant::now());
            }
            if !was_logged_in && self.client.is_logged_in() {
                self.lines.set_limit(self.client.context.bounds.max_line);
            }
        }
        // Other protocols (TLS, ...) are answered at once instead of at the login timeout.
        let partial = self.lines.partial();
        if flow == Flow::Continue
            && !self.client.is_logged_in()
            && protocol::looks_binary(partial)
            && !protocol::is_request(&protocol::sanitize(partial))
        {
            self.client.trace.begin_line(partial);
            flow = self.client.handle(&self.lines.discard_line(), false);
        }
        self.client.flush();
        self.deliver_echo();
        self.client.sender.end_turn(|| self.lines.has_input());
        flow
    }

    /// Returns how long it is until the client's next line may be handled.
    fn delay(&self) -> Duration {
        if self.line_rate.is_none() && !self.login_rate.is_exhausted() {
            return Duration::ZERO;
        }
        let now = Instant::now();
        self.line_rate.iter().chain([&self.login_rate]).map(|limit| limit.delay(now)).max().unwrap_or_default()
    }

    /// Lets some time pass before the next line.
    fn hold_back(&mut self, delay: Duration) -> Flow {
        self.client.flush();
        self.client.sender.end_turn(|| false);
        pause(delay.min(MAX_PAUSE));
        if self.client.sender.own.close_if_broken() {
            return Flow::Close(CloseReason::EndOfInput);
        }
        let is_late = !self.client.is_logged_in() && self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        if is_late { Flow::Close(self.timed_out()) } else { Flow::Continue }
    }

    /// Delivers what the client has said to itself, 5 ms after the acknowledgement unless it has said more (G11).
    fn deliver_echo(&mut self) {
        if !self.client.echo.is_empty() {
            if !self.lines.has_input() {
                self.client.sender.end_turn(|| false);
                pause(limits::ECHO_DELAY);
            }
            self.client.release_echo();
            self.client.flush();
        }
    }

    /// Returns when the beginning of a line counts as a line, as nothing follows (G13).
    fn silence_ends(&self) -> Option<Instant> {
        let partial = self.lines.partial();
        if self.lines.has_read_line_feed || partial.is_empty() {
            return None;
        }
        // How it begins is all that counts, so a long line is not looked at again with each byte.
        let beginning = protocol::sanitize(&partial[..partial.len().min(limits::MAX_LINE_BEFORE_LOGIN)]);
        let silence = self.client.dialect_of(partial).silence_ends_request(&beginning, &self.client.state)?;
        Some(self.lines.last_read + silence)
    }

    /// Returns when the beginning of a line is logged: a client that forgets the LF waits in vain.
    fn partial_due(&self) -> Option<Instant> {
        let is_due = self.client.trace.is_wanted() && !self.has_traced_partial && !self.lines.partial().is_empty();
        is_due.then(|| self.lines.last_read + limits::SILENCE)
    }

    fn timed_out(&mut self) -> CloseReason {
        if self.client.is_logged_in() {
            return CloseReason::Idle;
        }
        self.client.count(Count::Refused);
        self.client.reply(&Event::LoginTimeout);
        CloseReason::LoginTimeout
    }

    /// Ends the connection. Its name is free at once (G5). An open connection delivers the rest (G9) without a reset (G10).
    fn close(&mut self, reason: CloseReason) {
        let is_shutdown = self.client.context.shutdown.has_begun();
        let reason = if is_shutdown && reason.is_orderly() { CloseReason::Shutdown } else { reason };
        self.client.leave_room();
        if !self.lines.partial().is_empty() {
            let partial = self.lines.partial();
            self.client.trace_rest(partial, "is not handled: it has no LF (G1)");
        }
        let is_news = self.client.is_logged_in() || !reason.is_orderly() || reason == CloseReason::LoginTimeout;
        let level = if is_news { Level::Info } else { Level::Debug };
        self.client.report(level, format_args!("left: {reason}"));
        if matches!(reason, CloseReason::Slow | CloseReason::Stalled) {
            self.client.count(Count::Slow);
        }
        self.client.announce_leaving();
        self.client.flush();
        self.client.sender.end_turn(|| false);
        if reason.is_orderly() && self.client.sender.own.close_reason().is_none() && !self.finish(reason) {
            self.client.report(Level::Info, format_args!("did not take its last lines"));
        }
        self.client.sender.own.close(reason);
    }

    /// Has the client take its last lines. Returns whether it has.
    fn finish(&mut self, reason: CloseReason) -> bool {
        let own = Arc::clone(&self.client.sender.own);
        let at_end = reason == CloseReason::EndOfInput;
        let last = if reason == CloseReason::Shutdown { self.client.goodbye() } else { Vec::new() };
        let timeout = if at_end { limits::HALF_CLOSED_TIMEOUT } else { limits::FLUSH_TIMEOUT };
        own.end(&last, limits::HALF_CLOSED_STALL);
        if own.backlog() > 0 || !at_end {
            self.client.place.enter_lobby(&own);
        }
        let deadline = Instant::now() + timeout;
        let shutdown = &self.client.context.shutdown;
        if !own.finish(|| Instant::now() >= deadline || shutdown.has_lasted(limits::SHUTDOWN_TIMEOUT)) {
            return false;
        }
        own.socket().shutdown(Shutdown::Write);
        if !at_end {
            let time = if shutdown.has_begun() { limits::SHUTDOWN_HANG_UP } else { limits::DRAIN_TIMEOUT };
            self.lines.drain(Instant::now() + time);
        }
        true
    }
}
