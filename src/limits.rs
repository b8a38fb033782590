//! The limits of the server and the client that a user can notice, each with its unit and the reason for its value.
//!
//! What a command line can change is only a default here; `cli` carries the value that is in force.

use std::time::Duration;

/// Characters in a name (G3).
pub const NAME_CHARS: usize = 64;

/// Default of `--max-line`: bytes of one line, including its LF (G8). Long enough for a pasted file, short enough that
/// a thousand such lines at once fit in memory.
pub const MAX_LINE: usize = 1 << 20;

/// Smallest `--max-line` that is accepted: room for a login with the longest name.
pub const MIN_MAX_LINE: usize = 512;

/// Bytes of one line, including its LF, from somebody who is not logged in (G8).
pub const MAX_LINE_BEFORE_LOGIN: usize = 4 << 10;

/// How long a peer that has never sent an LF is silent behind the end of a line (G13). Networks pause for less.
pub const SILENCE: Duration = Duration::from_millis(300);

/// The same behind a line that ends itself.
pub const SHORT_SILENCE: Duration = Duration::from_millis(50);

/// How long a server that has never sent an LF is silent behind the end of a line (G14).
pub const SERVER_SILENCE: Duration = Duration::from_millis(200);

/// Logins and changes of names that `--announce` tells of in a second; what is more is not told, so that whoever comes and
/// goes all the time is no flood.
pub const ANNOUNCE_RATE: u32 = 50;

/// How many of them at once: a class that comes in together.
pub const ANNOUNCE_BURST: u32 = 500;

/// How long what one says to oneself or to `echobot` comes after the reply that it is on its way, as another person's answer
/// would (G11).
pub const ECHO_DELAY: Duration = Duration::from_millis(5);

/// Bytes a read buffer starts with, and goes back to when so little is read at a time.
pub const READ_BUFFER: usize = 2 << 10;

/// Bytes a read buffer grows to under load, so that one `read` brings many lines. Only one long line makes it grow past
/// this, up to the line limit.
pub const MAX_READ_BUFFER: usize = 64 << 10;

/// Default of `--max-backlog`: bytes that may wait for one recipient, and a quarter more from senders that do not flood. The
/// kernel holds about as much again.
pub const MAX_BACKLOG: usize = 4 << 20;

/// Bytes that may wait for a client that is not logged in.
pub const MAX_BACKLOG_BEFORE_LOGIN: usize = 64 << 10;

/// Default of `--slow-timeout`: how long a recipient may be behind before it is disconnected. It is behind while more than
/// half its backlog waits, or a sender waits for it, and it takes less than [`MIN_RATE`].
pub const SLOW_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes a second that a recipient takes so that it is not behind, however much waits for it.
pub const MIN_RATE: u32 = 256 << 10;

/// Bytes that a sender may send at once without counting as one that floods. Such small talk takes no turns, and hardly ever
/// waits for a recipient.
pub const TALK_BURST: u32 = 64 << 10;

/// Bytes of it that a sender gets back in a second: a hundred lines.
pub const TALK_RATE: u32 = 8 << 10;

/// Bytes of it that a new connection has: a few lines, so that it does not pay off to connect again.
pub const TALK_OF_NEWCOMERS: u32 = 2 << 10;

/// How long a recipient may take nothing at all, however little waits for it, before it is disconnected; `--slow-timeout` where
/// that is longer.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Default of `--login-timeout`: from connecting to being logged in. A person on telnet needs it to be generous.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// Connections in the lobby: not logged in, or gone and not taking their last lines.
pub const MAX_LOBBY: usize = 512;

/// Default of `--max-clients`: logged-in clients, `echobot` not counted.
pub const MAX_CLIENTS: usize = 1024;

/// How long the last bytes may take for a client that was refused or said good-bye. One that only shut down its sending
/// side gets [`HALF_CLOSED_TIMEOUT`] (G9).
pub const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the last bytes may take for a client that shut down its sending side, as long as it keeps up.
pub const HALF_CLOSED_TIMEOUT: Duration = Duration::from_secs(60);

/// How long unread input is drained before a close, so that no reset destroys the last reply (G10).
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a client may take nothing of its last lines.
pub const HALF_CLOSED_STALL: Duration = Duration::from_secs(10);

/// How long, in all, what was accepted may take to be delivered when the server shuts down.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The part of it in which senders wait for recipients that are full.
pub const SHUTDOWN_ROOM: Duration = Duration::from_secs(1);

/// How long clients have to hang up after their good-bye.
pub const SHUTDOWN_HANG_UP: Duration = Duration::from_millis(200);

/// How long the connections then have to end. It is a moment, and longer only where the machine is busy.
pub const SHUTDOWN_CLOSED: Duration = Duration::from_secs(5);

/// How often memory is given back to the system.
pub const HOUSEKEEPING: Duration = Duration::from_secs(10);

/// How long a random secret lives (W11).
pub const SECRET_LIFETIME: Duration = Duration::from_secs(600);

/// Stack of a server thread, bytes of address space; only dirty pages take memory.
pub const THREAD_STACK: usize = 128 << 10;

/// Seconds of silence after which the system probes whether a client is still there.
pub const KEEPALIVE_IDLE: i32 = 60;

/// Seconds between two probes.
pub const KEEPALIVE_INTERVAL: i32 = 10;

/// Probes without an answer after which the client counts as gone.
pub const KEEPALIVE_PROBES: i32 = 3;

/// Seconds that sent data may stay unacknowledged; as long as a silent client takes to be found out.
pub const UNACKNOWLEDGED_TIMEOUT: i32 = 90;

/// Log lines that may wait for standard error; further ones are dropped and counted.
pub const LOG_LINES: usize = 1024;

/// How long the end of the program waits for the last log lines to be written.
pub const LOG_FLUSH: Duration = Duration::from_secs(1);

/// Bytes of one line that the client takes from the server or, in whole lines, from standard input, its LF included
/// (RT4: any length in practice, and still no endless line).
pub const CLIENT_MAX_LINE: usize = 8 << 20;

/// How long the client tries each address of a server.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long `!quit` waits for the server's last lines (K5).
pub const QUIT_WAIT: Duration = Duration::from_secs(1);

/// How long the end of standard input waits for the server's last lines (K3).
pub const END_WAIT: Duration = Duration::from_secs(5);

/// How long the client waits for the answer to a login, before a script ends and a person is told; a server that is there
/// answers at once.
pub const LOGIN_WAIT: Duration = Duration::from_secs(10);

/// Write timeout of the client's socket: how long a server that takes nothing can hold up the screen (RT6).
pub const CLIENT_WRITE_TIMEOUT: Duration = Duration::from_millis(10);

/// Bytes that may wait for the server before the client stops reading a pipe.
pub const CLIENT_BACKLOG: usize = 1 << 20;

/// Wait before a standard stream is tried again that some other program has left non-blocking.
pub const BUSY_STREAM_RETRY: Duration = Duration::from_millis(10);

/// Bytes that each of the client's reader threads may be ahead of the screen, or of the server.
pub const READ_AHEAD: usize = 256 << 10;

/// Bytes that any event counts for more than it carries: an empty line takes memory too.
pub const EVENT_BYTES: usize = 128;

/// Bytes that may wait for the screen before the client reads no more of what is to be shown there.
pub const OUTPUT_BACKLOG: usize = 256 << 10;

/// Bytes handed to a standard stream at a time: a terminal that takes 1 MB a second takes them in a moment.
pub const OUTPUT_CHUNK: usize = 16 << 10;

/// How long somebody who leaves waits for a screen that does not take what is left to be shown.
pub const OUTPUT_WAIT: Duration = Duration::from_millis(600);

/// How long the thread that writes to the screen may take to begin with it.
pub const OUTPUT_START: Duration = Duration::from_secs(2);

/// How often the terminal is told then to drop what it has not shown, until it has taken the piece that it is being given. A
/// few times are enough, but on a machine that is busy with something else.
pub const RESTORE_STEPS: usize = 80;

/// How long it has for that each time.
pub const RESTORE_STEP: Duration = Duration::from_millis(25);

/// How long the terminal has to take what restores it: the client ends within a second of a signal with it, and within two of
/// `!quit`.
pub const RESTORE_WAIT: Duration = Duration::from_millis(250);

/// How long the first signal has to end the client before the next one does it by force.
pub const LAST_RESORT: Duration = Duration::from_secs(1);

/// How long a signal waits for the server's last lines; what is left of [`OUTPUT_WAIT`] is the screen's, so that the client
/// ends within a second.
pub const SIGNAL_WAIT: Duration = Duration::from_millis(400);

/// Bytes of the line being typed, pasted ones included; what is pasted beyond that is not taken.
pub const EDITED_BYTES: usize = 4 << 20;

/// Lines of a paste that are sent without a question.
pub const PASTED_LINES: usize = 5;

/// Typed lines that Up brings back.
pub const HISTORY_LINES: usize = 1000;

/// Bytes of all of them; the latest one is kept however long it is.
pub const HISTORY_BYTES: usize = 4 << 20;

/// Names of each kind that Tab knows: those that were listed, and those that were heard.
pub const NAMES_REMEMBERED: usize = 1024;

/// How long Tab takes a list of who is online for true before it asks for another one.
pub const NAMES_LIFETIME: Duration = Duration::from_secs(30);

/// Wait before the client connects again after a lost connection; it doubles with each failure in a row.
pub const RECONNECT_FIRST: Duration = Duration::from_secs(1);

/// Longest wait before the client connects again.
pub const MAX_RECONNECT_WAIT: Duration = Duration::from_secs(60);

/// Bytes that are read from the keyboard at a time; a terminal hands over no more at once.
pub const KEYBOARD_READ: usize = 4 << 10;

/// How long the rest of an escape sequence may take; an ESC that nothing follows by then is the Escape key.
pub const ESCAPE_TIMEOUT: Duration = Duration::from_millis(50);

/// Wait before the keyboard is tried again that belongs to another program at the moment.
pub const BACKGROUND_RETRY: Duration = Duration::from_millis(200);

/// Lines that may be typed ahead of a login, or of a server that does not take them; further ones are refused.
pub const TYPED_AHEAD: usize = 1000;
