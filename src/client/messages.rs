//! Every text that the client shows a person. Those with an id are the specification's, byte for byte.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

use crate::program::describe;
use crate::protocol::sanitize;

/// RI2: before anything else.
pub const WELCOME: &str = "Welcome to Chat Client. Enter your login:";
/// RA2: once more, after a login that failed.
pub const ENTER_LOGIN: &str = "Enter your login:";
/// RI6: the server is full.
pub const SERVER_FULL: &str = "Cannot log in. The server is full!";
/// RI8: the message was handed on.
pub const SENT: &str = "The message was sent succesfully";
/// RI9: nobody of that name is online.
pub const NO_SUCH_USER: &str = "The destination user does not exist";
/// RI12: the server did not understand a first word.
pub const BAD_HEADER: &str = "Error: Unknown issue in previous message header.";
/// R13: the server did not understand the rest.
pub const BAD_BODY: &str = "Error: Unknown issue in previous message body.";
/// K2: something was typed that means nothing.
pub const HINT: &str = "Use @<username> <message> to send, !who to list who is online, !quit to leave.";
/// RI1: a reply that nobody knows, or that answers nothing.
pub const UNEXPECTED_REPLY: &str = "The server sent an unexpected reply.";
/// A line of the server that is longer than anybody can want to read.
pub const REPLY_TOO_LONG: &str = "The server sent a line that is too long to show.";
/// A typed line that is longer than anybody can want to send.
pub const TYPED_TOO_LONG: &str = "That line is too long to send.";

/// Why a connection is lost whose end was in good order.
pub const CLOSED_TOO_EARLY: &str = "the server closed it and has not taken everything.";
/// Too much was typed ahead.
pub const TOO_FAR_AHEAD: &str = "That line is not sent: too many wait already.";

/// W13: a line looks private where nothing is.
pub const EVERYBODY_READS: &str = "CHAT/1.0 has no private messages: everybody would read this.";
/// The input has ended, and no name was accepted (K3).
pub const NEVER_LOGGED_IN: &str = "No login has worked: nothing was sent.";
/// The server did not take a name, and this may be why.
pub const NAME_TOO_LONG: &str = "That username is too long: names have 64 characters at most.";

/// H12: at the start.
pub const CONNECTING: &str = "Connecting to server ...";
/// H12: connected.
pub const CONNECTED: &str = "Connection to server established. Sending intro message...\n";
/// H12: registered.
pub const REGISTERED: &str = "Registration successful.  Ready for messaging!";
/// H12: what stands before what is typed.
pub const PROMPT: &str = "> ";
/// H13: that is no address.
pub const INVALID_SERVER: &str = "Error:  Invalid server.  Enter a URL of the form:  chat://host:port";
/// H13: nobody listens there.
pub const NOT_ACCEPTING: &str = "Error:  That host or port is not accepting connections.";
/// H14: a signal.
pub const INTERRUPTED: &str = "Interrupt received, shutting down ...";
/// H15: the server has said good-bye, or is gone.
pub const DISCONNECTED: &str = "Disconnected from server ... exiting!";

/// W13: a line that is held.
pub fn held(reason: &str) -> String {
    format!("{reason} Enter sends it as it is.")
}

/// A command that is used wrongly.
pub fn usage(syntax: &str) -> String {
    format!("Usage: {syntax}.")
}

/// A mistyped command.
pub fn did_you_mean(typed: &str, known: &str) -> String {
    format!("No such command: {typed}. Did you mean {known}?")
}

/// RI3: logged in.
pub fn logged_in(name: &str) -> String {
    let name = sanitize(name.as_bytes());
    format!("Successfully logged in as {name}!")
}

/// RI4: somebody has that name.
pub fn name_in_use(name: &str) -> String {
    let name = sanitize(name.as_bytes());
    format!("Cannot log in as {name}. That username is already in use.")
}

/// RI5: that is no name.
pub fn malformed_name(name: &str) -> String {
    let name = sanitize(name.as_bytes());
    format!("Cannot log in as {name}. That username contains disallowed characters.")
}

/// RI10: a message from a user, and where the name stands in it.
pub fn delivery(from: &str, text: &str) -> (String, Range<usize>) {
    const BEFORE: &str = "From ";
    ([BEFORE, from, ": ", text].concat(), BEFORE.len()..BEFORE.len() + from.len())
}

/// RI11: who is online, a line each.
pub fn online(names: &[&str]) -> String {
    let mut text = format!("There are {} online users:", names.len());
    text.reserve_exact(names.iter().map(|name| name.len() + "\n- ".len()).sum());
    for name in names {
        text += "\n- ";
        text += name;
    }
    text
}

/// To whom plain lines go, before what is typed.
pub fn recipient_prompt(name: &str) -> String {
    format!("[{name}] ")
}

/// The same, where there is no prompt.
pub fn recipient(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("Plain lines go to {name} now; !to ends that."),
        None => String::from("Plain lines go to nobody in particular now."),
    }
}

/// Somebody's messages are not shown any more.
pub fn ignoring(name: &str) -> String {
    format!("What {name} says is hidden now; !unignore {name} shows it again.")
}

/// Somebody's messages are shown again, or were all the time.
pub fn not_ignoring(name: &str, was_ignored: bool) -> String {
    if was_ignored { format!("What {name} says is shown again.") } else { format!("{name} was not ignored.") }
}

/// Whose messages are not shown.
pub fn ignored(names: &[&str]) -> String {
    if names.is_empty() { String::from("Nobody is ignored.") } else { format!("Ignored: {}", names.join(", ")) }
}

/// The login has worked with another name than the first.
pub fn logged_in_with(name: &str) -> String {
    format!("You are logged in as {name}.")
}

/// A login was refused with the name that was asked for.
pub const CHOOSE_NAME: &str = "Choose another name with --name.";

/// K4: nobody answers there.
pub fn cannot_connect(server: &str, reason: &dyn Display) -> String {
    format!("Cannot connect to {server}: {reason}")
}

/// H13: the server's name is not known, said as the reason why it cannot be connected to.
pub const UNKNOWN_HOST: &str = "no host of that name is known";

/// K6: the server is gone, or the way to it.
pub fn connection_lost(server: &str, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("The connection to {server} was lost: {reason}"),
        None => format!("The connection to {server} was lost: the server closed it."),
    }
}

/// The name was not taken back after the connection was lost.
pub fn cannot_log_in_again(server: &str, reason: &str) -> String {
    format!("Cannot log in to {server} again: {reason}")
}

/// Some messages were never acknowledged (K6).
pub fn unacknowledged(count: usize, latest: &[impl AsRef<str>]) -> String {
    match latest {
        [line] => format!("Your last message was not acknowledged; it may be lost: {}", excerpt(line.as_ref())),
        _ => listed(&format!("Your last {count} messages were not acknowledged; they may be lost:"), latest),
    }
}

/// It ends, and these typed lines still waited.
pub fn not_sent(texts: &[impl AsRef<str>]) -> String {
    let lines = texts.iter().flat_map(|text| text.as_ref().lines());
    let lines: Vec<_> = lines.filter(|line| !line.trim().is_empty()).collect();
    match lines[..] {
        [line] => format!("One line was not sent: {}", excerpt(line)),
        _ => listed(&format!("{} lines were not sent:", lines.len()), &lines),
    }
}

/// The server has refused this message, where it is not clear which one it meant.
pub fn not_delivered(line: &str) -> String {
    format!("Not delivered: {line}")
}

/// The server has not understood a message, and this may be why.
pub fn perhaps_too_long(bytes: usize) -> String {
    format!("That message of {bytes} bytes may be too long for the server.")
}

fn listed(heading: &str, lines: &[impl AsRef<str>]) -> String {
    lines.iter().fold(heading.to_owned(), |text, line| text + "\n  " + &excerpt(line.as_ref()))
}

/// Returns a typed line as it can be quoted: without what drives a terminal, and not longer than anybody would read.
pub fn excerpt(line: &str) -> Cow<'_, str> {
    const CHARACTERS: usize = 1000;
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => Cow::Owned(format!("{}…", sanitize(&line.as_bytes()[..end]))),
        None => sanitize(line.as_bytes()),
    }
}

/// What stands before what is typed while there is no connection.
pub const NOT_CONNECTED: &str = "(not connected) ";

/// It goes on by itself, so many seconds later.
pub fn trying_again(what: &str, seconds: u64) -> String {
    let what = what.trim_end_matches(['.', '!']);
    format!("{what}; trying again in {seconds} s.")
}

/// What a person can do until then.
pub const WHILE_AWAY: &str = " Enter tries at once, !quit leaves.";

/// A half-typed line has been given up.
pub const CTRL_C_AGAIN: &str = "Ctrl-C again leaves";

/// So many lines were pasted.
pub fn send_lines(count: usize) -> String {
    format!("Send {count} lines? Enter sends them, Ctrl-C drops them ")
}

/// What stands before the line that is found while somebody searches for this text.
pub fn searching(text: &str, has_failed: bool) -> String {
    let failed = if has_failed { "failed " } else { "" };
    format!("({failed}reverse-i-search)`{text}': ")
}

/// The keys of the line editor, below what can be typed.
pub const KEYS: &str = concat!(
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

/// There is no line editor, for this reason.
pub fn plain_mode(reason: &dyn Display) -> String {
    format!("This terminal's line cannot be edited here: {}", describe(reason))
}

/// The file that the chat is copied to cannot be written any more.
pub fn log_failed(file: &str, reason: &dyn Display) -> String {
    format!("Nothing more is copied to {file}: {}", describe(reason))
}

/// K3: the server says nothing where it should.
pub fn no_answer(server: &str) -> String {
    format!("No answer from {server}.")
}

/// The same, where somebody can decide for how long to wait.
pub fn no_answer_yet(server: &str) -> String {
    format!("No answer from {server} yet. It is waited for; !quit leaves.")
}

/// K3: the server does not take what was typed.
pub fn not_all_sent(server: &str) -> String {
    format!("No answer from {server}: not everything was sent.")
}
