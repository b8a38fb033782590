//! The limits of the server and the client that a user can notice, with their units. Options change some of them.

use std::time::Duration;

// Protocols.
/// Characters of a name (G3).
pub(crate) const NAME_CHARS: usize = 64;
/// Default of `--max-line`: bytes of a line, LF included (G8). A pasted file fits.
pub(crate) const MAX_LINE: usize = 1 << 20;
/// Smallest `--max-line`: a login with the longest name fits.
pub(crate) const MIN_MAX_LINE: usize = 512;
/// Bytes of a line before the login, LF included (G8).
pub(crate) const MAX_LINE_BEFORE_LOGIN: usize = 4 << 10;
/// Silence that ends a line of a client that has never sent an LF (G13). Networks pause for less.
pub(crate) const SILENCE: Duration = Duration::from_millis(300);
/// The same after a line whose end can be seen.
pub const SHORT_SILENCE: Duration = Duration::from_millis(50);
/// Silence that ends a line of a server that has never sent an LF (G14).
pub(crate) const SERVER_SILENCE: Duration = Duration::from_millis(200);
/// Logins and renames that `--announce` reports per second. Further ones are not reported.
pub(crate) const ANNOUNCE_RATE: u32 = 50;
/// The same at once: a class that logs in together.
pub(crate) const ANNOUNCE_BURST: u32 = 500;
/// Delay of an echo and of a message to oneself after its acknowledgement (G11).
pub(crate) const ECHO_DELAY: Duration = Duration::from_millis(5);
/// Lifetime of a random secret (W11).
pub(crate) const SECRET_LIFETIME: Duration = Duration::from_secs(600);

// Places in the server.
/// Default of `--max-clients`: logged-in clients without `echobot`.
pub(crate) const MAX_CLIENTS: usize = 1024;
/// Connections that are not logged in, or that still take their last lines.
pub(crate) const MAX_LOBBY: usize = 512;
/// Default of `--login-timeout`: from connecting to the login. Typing it in telnet takes time.
pub(crate) const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of address space for the stack of a server thread.
pub(crate) const THREAD_STACK: usize = 128 << 10;
/// Interval at which the server returns free memory to the system.
pub const HOUSEKEEPING: Duration = Duration::from_secs(10);

// Reading and queues of the server.
/// Bytes of a read buffer at first, and again when reads become short.
pub(crate) const READ_BUFFER: usize = 2 << 10;
/// Bytes that a read buffer grows to under load. Only a longer line makes it grow further.
pub(crate) const MAX_READ_BUFFER: usize = 64 << 10;
/// Default of `--max-backlog`: bytes queued for one recipient. Senders that do not flood may queue a quarter more.
pub(crate) const MAX_BACKLOG: usize = 4 << 20;
/// Bytes queued for a client that is not logged in.
pub(crate) const MAX_BACKLOG_BEFORE_LOGIN: usize = 64 << 10;
/// Default of `--slow-timeout`: time that a recipient may be behind, which is slower than `MIN_RATE` with half a backlog.
pub(crate) const SLOW_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes per second at which a recipient is not behind.
pub(crate) const MIN_RATE: u32 = 256 << 10;
/// Time in which a recipient takes nothing, however little is queued. A longer `--slow-timeout` counts instead.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that a sender may send at once before it counts as flooding.
pub(crate) const TALK_BURST: u32 = 64 << 10;
/// Bytes of `TALK_BURST` that return per second: a hundred lines.
pub(crate) const TALK_RATE: u32 = 8 << 10;
/// Bytes of `TALK_BURST` of a new connection, so that reconnecting gains nothing.
pub(crate) const TALK_OF_NEWCOMERS: u32 = 2 << 10;

// The end of a connection, and of the server.
/// Time to flush to a client that was refused or has quit.
pub(crate) const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// Time to flush to a half-closed client (G9).
pub(crate) const HALF_CLOSED_TIMEOUT: Duration = Duration::from_secs(60);
/// Time in which a half-closed client takes nothing.
pub(crate) const HALF_CLOSED_STALL: Duration = Duration::from_secs(10);
/// Time to drain unread input before a close, so that no reset destroys the last reply (G10).
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Time to deliver accepted messages at shutdown.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// The part of it in which senders wait for full queues.
pub(crate) const SHUTDOWN_WAIT: Duration = Duration::from_secs(1);
/// Time for clients to close after the last line.
pub(crate) const SHUTDOWN_HANG_UP: Duration = Duration::from_millis(200);
/// Time for connections to end after that. Only a busy machine needs it.
pub(crate) const SHUTDOWN_CLOSED: Duration = Duration::from_secs(5);
/// Seconds of silence before the system probes a client.
pub(crate) const KEEPALIVE_IDLE: i32 = 60;
/// Seconds between two probes.
pub(crate) const KEEPALIVE_INTERVAL: i32 = 10;
/// Unanswered probes after which the client is gone.
pub(crate) const KEEPALIVE_PROBES: i32 = 3;
/// Time that sent bytes may stay unacknowledged: as long as those probes take. The system also counts the time in which the
/// peer reads nothing, so the server adds 30 s to a longer `--slow-timeout` and uses that.
pub(crate) const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(90);
/// Log lines queued for stderr. Further ones are counted and dropped.
pub(crate) const LOG_LINES: usize = 1024;
/// Time to write the last log lines.
pub(crate) const LOG_FLUSH: Duration = Duration::from_secs(1);

// The client's connection.
/// Bytes of a line from the server or from a pipe, LF included (RT4).
pub(crate) const CLIENT_MAX_LINE: usize = 8 << 20;
/// Time to connect to one address.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Wait before the first reconnect. It doubles with each failure.
pub(crate) const RECONNECT_FIRST: Duration = Duration::from_secs(1);
/// Longest wait before a reconnect.
pub(crate) const MAX_RECONNECT_WAIT: Duration = Duration::from_secs(60);
/// Time for the answer to a login.
pub(crate) const LOGIN_WAIT: Duration = Duration::from_secs(10);
/// Write timeout of the socket, so that a slow server does not hold up the screen (RT6).
pub(crate) const CLIENT_WRITE_TIMEOUT: Duration = Duration::from_millis(10);
/// Bytes queued for the server before the client stops reading a pipe.
pub(crate) const CLIENT_BACKLOG: usize = 1 << 20;
/// Typed lines that wait for a login or a slow server. Further ones are refused.
pub(crate) const TYPED_AHEAD: usize = 1000;
/// Time for the server's last lines after `!quit` (K5).
pub(crate) const QUIT_WAIT: Duration = Duration::from_secs(1);
/// The same after the end of input (K3).
pub(crate) const END_WAIT: Duration = Duration::from_secs(5);
/// The same after a signal.
pub(crate) const SIGNAL_WAIT: Duration = Duration::from_millis(400);
/// Time after the first signal in which further signals do not kill the client.
pub(crate) const LAST_RESORT: Duration = Duration::from_secs(1);

// The client's streams and screen.
/// Wait before a retry on a standard stream that another program has made non-blocking.
pub(crate) const BUSY_STREAM_RETRY: Duration = Duration::from_millis(10);
/// Wait before a retry on a keyboard that another program uses.
pub(crate) const BACKGROUND_RETRY: Duration = Duration::from_millis(200);
/// Bytes that each reader thread may be ahead of the screen or the server.
pub(crate) const READ_AHEAD: usize = 256 << 10;
/// Bytes that an event counts in addition to its text.
pub(crate) const EVENT_BYTES: usize = 128;
/// Bytes queued for the screen before the client stops reading.
pub(crate) const OUTPUT_BACKLOG: usize = 256 << 10;
/// Bytes of one write to a standard stream.
pub(crate) const OUTPUT_CHUNK: usize = 16 << 10;
/// Time to begin writing to the screen.
pub(crate) const OUTPUT_START: Duration = Duration::from_secs(2);
/// Time to write the rest at the end.
pub(crate) const OUTPUT_WAIT: Duration = Duration::from_millis(600);
/// Attempts to make a blocked terminal drop its output at the end.
pub(crate) const RESTORE_STEPS: usize = 80;
/// Time of one such attempt.
pub(crate) const RESTORE_STEP: Duration = Duration::from_millis(25);
/// Time to write the sequence that restores the terminal.
pub(crate) const RESTORE_WAIT: Duration = Duration::from_millis(250);

// The client's line editor.
/// Bytes of one read from the keyboard: a terminal delivers no more at once.
pub(crate) const KEYBOARD_READ: usize = 4 << 10;
/// Time for the rest of an escape sequence. An ESC without one is the Escape key.
pub(crate) const ESCAPE_TIMEOUT: Duration = Duration::from_millis(50);
/// Bytes of the edited line.
pub(crate) const EDITED_BYTES: usize = 4 << 20;
/// Lines of a paste that are sent without a question.
pub(crate) const PASTED_LINES: usize = 5;
/// Lines that Up brings back.
pub(crate) const HISTORY_LINES: usize = 1000;
/// Bytes of all of them. The latest line is kept at any length.
pub(crate) const HISTORY_BYTES: usize = 4 << 20;
/// Names that Tab remembers of each kind: listed and heard.
pub(crate) const NAMES_REMEMBERED: usize = 1024;
/// Age at which Tab asks for a new list of names.
pub(crate) const NAMES_LIFETIME: Duration = Duration::from_secs(30);
