//! Every text that the client shows. Those of RI, RA, R13 and H12 to H15 are the specifications', byte for byte.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;

use crate::program::describe;
use crate::protocol::sanitize;

/// RI2.
pub(crate) const WELCOME: &str = "Welcome to Chat Client. Enter your login:";
/// RA2: after a failed login.
pub(crate) const ENTER_LOGIN: &str = "Enter your login:";
/// RI6.
pub(crate) const SERVER_FULL: &str = "Cannot log in. The server is full!";
/// RI8.
pub(crate) const SENT: &str = "The message was sent succesfully";
/// RI9.
pub(crate) const NO_SUCH_USER: &str = "The destination user does not exist";
/// RI12.
pub(crate) const BAD_HEADER: &str = "Error: Unknown issue in previous message header.";
/// R13.
pub(crate) const BAD_BODY: &str = "Error: Unknown issue in previous message body.";
/// K2: the line is no command.
pub(crate) const HINT: &str = "Use @<username> <message> to send, !who to list who is online, !quit to leave.";
/// RI1.
pub(crate) const UNEXPECTED_REPLY: &str = "The server sent an unexpected reply.";
pub(crate) const REPLY_TOO_LONG: &str = "The server sent a line that is too long to show.";
pub(crate) const TYPED_TOO_LONG: &str = "That line is too long to send.";
/// The reason of a loss without an error.
pub(crate) const CLOSED_TOO_EARLY: &str = "the server closed it and has not taken everything.";
pub(crate) const TOO_FAR_AHEAD: &str = "That line is not sent: too many wait already.";
/// W13: the line looks private in CHAT/1.0.
pub(crate) const EVERYBODY_READS: &str = "CHAT/1.0 has no private messages: everybody would read this.";
/// K3: the input has ended.
pub(crate) const NEVER_LOGGED_IN: &str = "No login has worked: nothing was sent.";
pub(crate) const NAME_TOO_LONG: &str = "That username is too long: names have 64 characters at most.";
/// H12.
pub(crate) const CONNECTING: &str = "Connecting to server ...";
/// H12.
pub(crate) const CONNECTED: &str = "Connection to server established. Sending intro message...\n";
/// H12.
pub(crate) const REGISTERED: &str = "Registration successful.  Ready for messaging!";
/// H12.
pub(crate) const PROMPT: &str = "> ";
/// H13.
pub(crate) const INVALID_SERVER: &str = "Error:  Invalid server.  Enter a URL of the form:  chat://host:port";
/// H13.
pub(crate) const NOT_ACCEPTING: &str = "Error:  That host or port is not accepting connections.";
/// H14.
pub(crate) const INTERRUPTED: &str = "Interrupt received, shutting down ...";
/// H15.
pub(crate) const DISCONNECTED: &str = "Disconnected from server ... exiting!";

/// W13.
pub(crate) fn held(reason: &str) -> String {
    format!("{reason} Enter sends it as it is.")
}

pub(crate) fn usage(syntax: &str) -> String {
    format!("Usage: {syntax}.")
}

/// W13.
pub(crate) fn did_you_mean(typed: &str, known: &str) -> String {
    format!("No such command: {typed}. Did you mean {known}?")
}

/// RI3.
pub(crate) fn logged_in(name: &str) -> String {
    let name = sanitize(name.as_bytes());
    format!("Successfully logged in as {name}!")
}

/// RI4.
pub(crate) fn name_in_use(name: &str) -> String {
    let name = sanitize(name.as_bytes());
    format!("Cannot log in as {name}. That username is already in use.")
}

/// RI5.
pub(crate) fn malformed_name(name: &str) -> String {
    let name = sanitize(name.as_bytes());
    format!("Cannot log in as {name}. That username contains disallowed characters.")
}

/// RI10: the line, and the range of the name in it.
pub(crate) fn delivery(from: &str, text: &str) -> (String, Range<usize>) {
    const BEFORE: &str = "From ";
    ([BEFORE, from, ": ", text].concat(), BEFORE.len()..BEFORE.len() + from.len())
}

/// RI11.
pub(crate) fn online(names: &[&str]) -> String {
    let mut text = format!("There are {} online users:", names.len());
    text.reserve_exact(names.iter().map(|name| name.len() + "\n- ".len()).sum());
    for name in names {
        text += "\n- ";
        text += name;
    }
    text
}

pub(crate) fn recipient_prompt(name: &str) -> String {
    format!("[{name}] ")
}

pub(crate) fn recipient(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("Plain lines go to {name} now; !to ends that."),
        None => String::from("Plain lines go to nobody in particular now."),
    }
}

pub(crate) fn ignoring(name: &str) -> String {
    format!("What {name} says is hidden now; !unignore {name} shows it again.")
}

pub(crate) fn not_ignoring(name: &str, was_ignored: bool) -> String {
    if was_ignored { format!("What {name} says is shown again.") } else { format!("{name} was not ignored.") }
}

pub(crate) fn ignored(names: &BTreeSet<String>) -> String {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    if names.is_empty() { String::from("Nobody is ignored.") } else { format!("Ignored: {}", names.join(", ")) }
}

/// W12: the login used a substitute name.
pub(crate) fn logged_in_with(name: &str) -> String {
    format!("You are logged in as {name}.")
}

pub(crate) const CHOOSE_NAME: &str = "Choose another name with --name.";

/// K4.
pub(crate) fn cannot_connect(server: &str, reason: &dyn Display) -> String {
    format!("Cannot connect to {server}: {reason}")
}

/// A reason for [`cannot_connect`].
pub(crate) const UNKNOWN_HOST: &str = "no host of that name is known";

/// K6.
pub(crate) fn connection_lost(server: &str, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("The connection to {server} was lost: {reason}"),
        None => format!("The connection to {server} was lost: the server closed it."),
    }
}

pub(crate) fn cannot_log_in_again(server: &str, reason: &str) -> String {
    format!("Cannot log in to {server} again: {reason}")
}

/// K6.
pub(crate) fn unacknowledged(count: usize, latest: &[impl AsRef<str>]) -> String {
    match latest {
        [line] => format!("Your last message was not acknowledged; it may be lost: {}", excerpt(line.as_ref())),
        _ => listed(&format!("Your last {count} messages were not acknowledged; they may be lost:"), latest),
    }
}

/// K6: typed lines that still wait at the end.
pub(crate) fn not_sent(texts: &[impl AsRef<str>]) -> String {
    let lines = texts.iter().flat_map(|text| text.as_ref().lines());
    let lines: Vec<_> = lines.filter(|line| !line.trim().is_empty()).collect();
    match lines[..] {
        [line] => format!("One line was not sent: {}", excerpt(line)),
        _ => listed(&format!("{} lines were not sent:", lines.len()), &lines),
    }
}

pub(crate) fn not_delivered(line: &str) -> String {
    format!("Not delivered: {line}")
}

pub(crate) fn perhaps_too_long(bytes: usize) -> String {
    format!("That message of {bytes} bytes may be too long for the server.")
}

fn listed(heading: &str, lines: &[impl AsRef<str>]) -> String {
    lines.iter().fold(heading.to_owned(), |text, line| text + "\n  " + &excerpt(line.as_ref()))
}

/// Returns a typed line for a quotation: sanitized, and cut where it is long.
pub(crate) fn excerpt(line: &str) -> Cow<'_, str> {
    const CHARACTERS: usize = 1000;
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => Cow::Owned(format!("{}…", sanitize(&line.as_bytes()[..end]))),
        None => sanitize(line.as_bytes()),
    }
}

/// A prompt.
pub(crate) const NOT_CONNECTED: &str = "(not connected) ";

pub(crate) fn trying_again(what: &str, seconds: u64) -> String {
    let what = what.trim_end_matches(['.', '!']);
    format!("{what}; trying again in {seconds} s.")
}

/// Follows [`trying_again`].
pub(crate) const WHILE_AWAY: &str = " Enter tries at once, !quit leaves.";
pub(crate) const CTRL_C_AGAIN: &str = "Ctrl-C again leaves";

pub(crate) fn send_lines(count: usize) -> String {
    format!("Send {count} lines? Enter sends them, Ctrl-C drops them ")
}

/// The prompt of Ctrl-R.
pub(crate) fn searching(text: &str, has_failed: bool) -> String {
    let failed = if has_failed { "failed " } else { "" };
    format!("({failed}reverse-i-search)`{text}': ")
}

/// The keys of the line editor, in `!help`.
pub(crate) const KEYS: &str = concat!(
    "  Tab, Shift-Tab  Answer who wrote last, or go through what a word can become\n",
    "  Up, Down        Bring back what was typed, or what begins like the line\n",
    "  Ctrl-R          Search what was typed; Enter sends it, Esc gives up\n",
    "  Ctrl-W, -U, -K  Delete a word, all before, all behind; Ctrl-Y brings it back\n",
    "  Alt-B, -F, -D   Move by words, delete one\n",
    "  Ctrl-L          Clear the screen\n",
    "  Ctrl-C          Clear the line, or leave\n",
    "  Enter           Send it; with nothing typed and no connection, try at once\n",
    "  A paste         Waits for Enter; one of more than five lines asks first\n",
);

pub(crate) fn plain_mode(reason: &dyn Display) -> String {
    format!("This terminal's line cannot be edited here: {}", describe(reason))
}

pub(crate) fn log_failed(file: &str, reason: &dyn Display) -> String {
    format!("Nothing more is copied to {file}: {}", describe(reason))
}

/// K3.
pub(crate) fn no_answer(server: &str) -> String {
    format!("No answer from {server}.")
}

pub(crate) fn no_answer_yet(server: &str) -> String {
    format!("No answer from {server} yet. It is waited for; !quit leaves.")
}

/// K3.
pub(crate) fn not_all_sent(server: &str) -> String {
    format!("No answer from {server}: not everything was sent.")
}
