//! Every text that the client shows. Those of RI, RA, R13 and H12 to H15 are the specifications', byte for byte.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;

use crate::program::describe;
use crate::protocol::sanitize;

// CAP: RI1 to RI12, RA2 and R13.
pub(crate) const WELCOME: &str = "Welcome to Chat Client. Enter your login:";
pub(crate) const ENTER_LOGIN: &str = "Enter your login:";
pub(crate) const SERVER_FULL: &str = "Cannot log in. The server is full!";
pub(crate) const SENT: &str = "The message was sent succesfully";
pub(crate) const NO_SUCH_USER: &str = "The destination user does not exist";
pub(crate) const BAD_HEADER: &str = "Error: Unknown issue in previous message header.";
pub(crate) const BAD_BODY: &str = "Error: Unknown issue in previous message body.";
pub(crate) const UNEXPECTED_REPLY: &str = "The server sent an unexpected reply.";

// CHAT/1.0: H12 to H15.
pub(crate) const CONNECTING: &str = "Connecting to server ...";
pub(crate) const CONNECTED: &str = "Connection to server established. Sending intro message...\n";
pub(crate) const REGISTERED: &str = "Registration successful.  Ready for messaging!";
pub(crate) const PROMPT: &str = "> ";
pub(crate) const INVALID_SERVER: &str = "Error:  Invalid server.  Enter a URL of the form:  chat://host:port";
pub(crate) const NOT_ACCEPTING: &str = "Error:  That host or port is not accepting connections.";
pub(crate) const INTERRUPTED: &str = "Interrupt received, shutting down ...";
pub(crate) const DISCONNECTED: &str = "Disconnected from server ... exiting!";

pub(crate) const HINT: &str = "Use @<username> <message> to send, !who to list who is online, !quit to leave.";
pub(crate) const REPLY_TOO_LONG: &str = "The server sent a line that is too long to show.";
pub(crate) const TYPED_TOO_LONG: &str = "That line is too long to send.";
/// The reason of a loss without an error.
pub(crate) const CLOSED_TOO_EARLY: &str = "the server closed it and has not taken everything.";
pub(crate) const TOO_FAR_AHEAD: &str = "That line is not sent: too many wait already.";
pub(crate) const EVERYBODY_READS: &str = "CHAT/1.0 has no private messages: everybody would read this.";
pub(crate) const NEVER_LOGGED_IN: &str = "No login has worked: nothing was sent.";
pub(crate) const NAME_TOO_LONG: &str = "That username is too long: names have 64 characters at most.";
pub(crate) const CHOOSE_NAME: &str = "Choose another name with --name.";
pub(crate) const NOT_CONNECTED: &str = "(not connected) ";
pub(crate) const UNKNOWN_HOST: &str = "no host of that name is known";
pub(crate) const WHILE_AWAY: &str = " Enter tries at once, !quit leaves.";
pub(crate) const CTRL_C_AGAIN: &str = "Ctrl-C again leaves";

pub(crate) fn held(reason: &str) -> String {
    format!("{reason} Enter sends it as it is.")
}

pub(crate) fn usage(syntax: &str) -> String {
    format!("Usage: {syntax}.")
}

pub(crate) fn did_you_mean(typed: &str, known: &str) -> String {
    format!("No such command: {typed}. Did you mean {known}?")
}

/// RI3.
pub(crate) fn logged_in(name: &str) -> String {
    format!("Successfully logged in as {}!", sanitize(name.as_bytes()))
}

/// RI4.
pub(crate) fn name_in_use(name: &str) -> String {
    format!("Cannot log in as {}. That username is already in use.", sanitize(name.as_bytes()))
}

/// RI5.
pub(crate) fn malformed_name(name: &str) -> String {
    format!("Cannot log in as {}. That username contains disallowed characters.", sanitize(name.as_bytes()))
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

pub(crate) fn cannot_connect(server: &str, reason: &dyn Display) -> String {
    format!("Cannot connect to {server}: {reason}")
}

pub(crate) fn connection_lost(server: &str, reason: Option<&str>) -> String {
    format!("The connection to {server} was lost: {}", reason.unwrap_or("the server closed it."))
}

pub(crate) fn cannot_log_in_again(server: &str, reason: &str) -> String {
    format!("Cannot log in to {server} again: {reason}")
}

pub(crate) fn unacknowledged(count: usize, latest: &[impl AsRef<str>]) -> String {
    let many = format!("Your last {count} messages were not acknowledged; they may be lost:");
    quoted("Your last message was not acknowledged; it may be lost:", &many, latest)
}

/// K6: typed lines that still wait at the end.
pub(crate) fn not_sent(texts: &[impl AsRef<str>]) -> String {
    let lines = texts.iter().flat_map(|text| text.as_ref().lines());
    let lines: Vec<_> = lines.filter(|line| !line.trim().is_empty()).collect();
    quoted("One line was not sent:", &format!("{} lines were not sent:", lines.len()), &lines)
}

pub(crate) fn not_delivered(line: &str) -> String {
    format!("Not delivered: {line}")
}

pub(crate) fn perhaps_too_long(bytes: usize) -> String {
    format!("That message of {bytes} bytes may be too long for the server.")
}

fn quoted(one: &str, many: &str, lines: &[impl AsRef<str>]) -> String {
    match lines {
        [line] => format!("{one} {}", excerpt(line.as_ref())),
        _ => lines.iter().fold(many.to_owned(), |text, line| text + "\n  " + &excerpt(line.as_ref())),
    }
}

/// Returns a typed line for a quotation: sanitized, and cut where it is long.
pub(crate) fn excerpt(line: &str) -> Cow<'_, str> {
    const CHARACTERS: usize = 1000;
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => Cow::Owned(format!("{}…", sanitize(&line.as_bytes()[..end]))),
        None => sanitize(line.as_bytes()),
    }
}

pub(crate) fn trying_again(what: &str, seconds: u64) -> String {
    format!("{}; trying again in {seconds} s.", what.trim_end_matches(['.', '!']))
}

pub(crate) fn send_lines(count: usize) -> String {
    format!("Send {count} lines? Enter sends them, Ctrl-C drops them ")
}

/// The prompt of Ctrl-R.
pub(crate) fn searching(text: &str, has_failed: bool) -> String {
    format!("({}reverse-i-search)`{text}': ", if has_failed { "failed " } else { "" })
}

/// The keys of the line editor, in `!help`.
pub(crate) const KEYS: &str = concat!(
    "  Tab, Shift-Tab  Reply to the last sender, or complete a word\n",
    "  Up, Down        Browse the history; with text typed, lines that begin with it\n",
    "  Ctrl-R          Search the history; Enter sends the line, Esc cancels\n",
    "  Ctrl-W, -U, -K  Delete a word, to the start, to the end; Ctrl-Y pastes it\n",
    "  Alt-B, -F, -D   Move back or forward by a word, delete a word\n",
    "  Ctrl-L          Clear the screen\n",
    "  Ctrl-C          Clear the line, or leave\n",
    "  Enter           Send the line; reconnect now if there is no connection\n",
    "  A paste         Waits for Enter; more than five lines need a confirmation\n",
);

pub(crate) fn plain_mode(reason: &dyn Display) -> String {
    format!("This terminal's line cannot be edited here: {}", describe(reason))
}

pub(crate) fn log_failed(file: &str, reason: &dyn Display) -> String {
    format!("Nothing more is copied to {file}: {}", describe(reason))
}

pub(crate) fn no_answer(server: &str) -> String {
    format!("No answer from {server}.")
}

pub(crate) fn no_answer_yet(server: &str) -> String {
    format!("No answer from {server} yet. It is waited for; !quit leaves.")
}

pub(crate) fn not_all_sent(server: &str) -> String {
    format!("No answer from {server}: not everything was sent.")
}
