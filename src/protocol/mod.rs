//! The dialects that Parley speaks, and what they have in common.
//!
//! A dialect turns lines into [`Request`]s and [`Event`]s and back; one file holds both directions. Everything here is
//! plain functions over text: no sockets, no threads, no clocks, and no knowledge of who is online. The server and the
//! client never ask which dialect they are speaking; they call the [`Dialect`] that [`detect`] or a command line chose.
//!
//! A further dialect is one file, one `mod` line and one entry in [`DIALECTS`]; detection, the server's `--protocol`, its help
//! and the tests of this module take it up. Its client is one more file, in `client::session`.

pub mod cap;
pub mod chat1;
mod name;
mod presence;
#[doc = include_str!("overview.md")]
pub mod overview {}
#[doc = include_str!("rules.md")]
pub mod rules {}
mod text;
pub mod wac;

use std::fmt;
use std::time::Duration;

pub use name::{InvalidName, Name};
pub use presence::Presence;
use text::put_line;
pub use text::{looks_binary, sanitize};

/// All dialects. The first one is spoken by whoever begins with a word that no other dialect claims.
pub static DIALECTS: &[&dyn Dialect] = &[&cap::CAP, &wac::Wac, &chat1::Chat1, &cap::CAP1];

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the text of a variant tells its fields")]
pub enum Request<'a> {
    /// Log in under this name, which is yet to be checked; from somebody who is logged in, change to it.
    Login { name: &'a str },
    /// Hand `text` to one user.
    Direct { to: &'a str, text: &'a str },
    /// Hand `text` to everyone else.
    Broadcast { text: &'a str },
    /// List who is online.
    List,
    /// Tell the secret.
    Secret,
    /// Good-bye, without a reply.
    Leave,
    /// Nothing; such a line gets no reply.
    Ignore,
    /// The line is no request, for this reason.
    Invalid(RequestError<'a>),
}

/// Why a line is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError<'a> {
    /// The first word is unknown, or wrong now.
    Header,
    /// What follows the first word is wrong.
    Body,
    /// The name breaks G3.
    InvalidName(&'a str),
    /// It needs a login first.
    NotLoggedIn,
    /// It is longer than the limit (G8).
    TooLong,
    /// It lacks what it needs; this is how it is used.
    Usage(&'static str),
}

/// What a server tells a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the text of a variant tells its fields")]
pub enum Event<'a> {
    /// A message from `from`.
    Delivery { scope: Scope, from: &'a str, text: &'a str },
    /// Logged in.
    Welcome { name: &'a str },
    /// The name is changed.
    Renamed { name: &'a str },
    /// Not logged in, or not renamed: somebody has that name.
    NameInUse { name: &'a str },
    /// Not logged in: the server is full.
    ServerFull,
    /// The last line was not understood.
    Error(RequestError<'a>),
    /// The direct message is on its way.
    Ack,
    /// The direct message has no recipient: nobody of that name is online.
    NoSuchUser { name: &'a str },
    /// Who is online, in order of arrival.
    Users(Vec<&'a str>),
    /// The secret.
    Secret(&'a str),
    /// Somebody else came, went or changed the name.
    Presence(Presence<'a>),
    /// Nobody has logged in on the connection in time; it ends.
    LoginTimeout,
    /// The server is going away.
    Goodbye,
    /// A text for a person, in words that no program looks at.
    Text(&'a str),
}

/// Whom a message was meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One user.
    Direct,
    /// Everyone but the sender.
    Broadcast,
}

/// What a dialect knows of the connection that a request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerState {
    /// The name that is logged in on the connection.
    pub name: Option<Name>,
    /// Which revision of the dialect the peer speaks; what the numbers mean is the dialect's own affair, and 0 is not
    /// known yet.
    pub revision: u8,
}

/// One protocol, both directions.
///
/// A dialect decides what a line is; the server decides what may be done. It checks names and logins itself, so a request
/// that a stranger may not make need not be told from others, but a dialect that wants its own words for it says
/// [`RequestError::NotLoggedIn`]. Which event answers which request: a login gets [`Event::Welcome`] (or
/// [`Event::Renamed`]), [`Event::NameInUse`], [`Event::ServerFull`] or [`RequestError::InvalidName`]; a direct message
/// [`Event::Ack`] or [`Event::NoSuchUser`]; a broadcast nothing.
///
/// Lines are without their LF, and already [`sanitize`]d; what is encoded ends with LF.
///
/// An encoder writes nothing for what its protocol has no word for.
///
/// ```
/// use parley::protocol::{self, Event, PeerState, Request};
///
/// let dialect = protocol::detect("HELLO-FROM ann");
/// assert_eq!(dialect.name(), "cap");
///
/// let request = dialect.decode_request("HELLO-FROM ann", &mut PeerState::default());
/// assert_eq!(request, Request::Login { name: "ann" });
///
/// let mut reply = Vec::new();
/// dialect.encode_event(&Event::Welcome { name: "ann" }, 0, &mut reply);
/// assert_eq!(reply, b"HELLO ann\n");
/// ```
pub trait Dialect: fmt::Debug + Sync {
    /// Returns the dialect's name on command lines and in the log.
    fn name(&self) -> &'static str;

    /// Returns the first words by which a first line is known to be of this dialect. The first of them is that of a login, by
    /// which a client that is not logged in changes to this dialect.
    fn verbs(&self) -> &'static [&'static str];

    /// Returns whether the server closes the connection after it has refused a login, or whatever was sent instead.
    fn refusal_closes(&self) -> bool;

    /// Server side: returns whether the dialect has a port of its own. Otherwise the system picks one by default, and the
    /// server logs the URL that clients connect to (H16).
    fn has_fixed_port(&self) -> bool {
        true
    }

    /// Server side: returns whether a client hears broadcasts before it has logged in (W2).
    fn hears_before_login(&self) -> bool {
        false
    }

    /// Server side: returns how long a peer that has never sent an LF has to be silent for `partial` to be a line (G13);
    /// `None` where only an LF ends a line.
    fn silence_ends_request(&self, _partial: &str, _peer: &PeerState) -> Option<Duration> {
        None
    }

    /// Server side: returns whether a peer that has never sent an LF is answered without any (G13).
    fn answers_in_kind(&self) -> bool {
        false
    }

    /// Returns whether each peer's last line ends with its stream (G13, G14). On the client's side, a line of a server that has
    /// never sent an LF ends where the server pauses, too (G14).
    fn needs_no_line_feed(&self) -> bool {
        false
    }

    /// Client side: returns whether this is a whole line where it stands at the end of the stream without an LF (G14).
    fn is_last_event(&self, _rest: &str) -> bool {
        self.needs_no_line_feed()
    }

    /// Server side: decodes what `peer` asks for with a line. May learn the peer's revision.
    fn decode_request<'a>(&self, line: &'a str, peer: &mut PeerState) -> Request<'a>;

    /// Client side: appends the line by which `from` asks for `request`.
    fn encode_request(&self, request: &Request<'_>, from: &str, revision: u8, out: &mut Vec<u8>);

    /// Client side: decodes what a line tells; `None` when the protocol has no such line.
    fn decode_event<'a>(&self, line: &'a str) -> Option<Event<'a>>;

    /// Server side: appends the line that tells `event`. `revision` matters to replies only: a [`Event::Delivery`], a
    /// [`Event::Presence`] and [`Event::Goodbye`] read the same in all revisions, so that they can be encoded once for many recipients.
    fn encode_event(&self, event: &Event<'_>, revision: u8, out: &mut Vec<u8>);

    /// Server side: returns for whoever writes a client why a line of `peer` is answered with `refusal`, and by which rule.
    fn explain(&self, refusal: &Event<'_>, line: &str, peer: &PeerState) -> &'static str;
}

impl PartialEq for dyn Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Dialect {}

const NO_NAME: &str = "a name is 1 to 64 letters, digits, '_', '-' and '.' (G3)";

const TOO_LONG: &str = "the line is longer than a line may be (G8)";

/// Returns the dialect of a connection, by its first line.
pub fn detect(first_line: &str) -> &'static dyn Dialect {
    let (word, _) = split_word(first_line);
    let claims = |dialect: &&&dyn Dialect| dialect.verbs().contains(&word);
    *DIALECTS.iter().find(claims).unwrap_or(&DIALECTS[0])
}

/// Returns the dialect whose login begins this line.
pub fn detect_login(line: &str) -> Option<&'static dyn Dialect> {
    let (word, _) = split_word(line);
    DIALECTS.iter().copied().find(|dialect| dialect.verbs().first() == Some(&word))
}

/// Returns whether the beginning of a line is a request of some dialect, or a blank, which begins no binary protocol.
pub fn is_request(partial_line: &str) -> bool {
    let (word, rest) = split_word(partial_line);
    rest.is_some() && (word.is_empty() || DIALECTS.iter().any(|dialect| dialect.verbs().contains(&word)))
}

/// What separates words beside one space.
const BLANKS: [char; 2] = [' ', '\t'];

/// Splits a line at its first space; the second half is `None` where there is none.
fn split_word(line: &str) -> (&str, Option<&str>) {
    // Words are short, for which this is faster than the standard library's search.
    match line.bytes().position(|byte| byte == b' ') {
        Some(at) => (&line[..at], Some(&line[at + 1..])),
        None => (line, None),
    }
}

/// Splits `<name> <text>`, where several blanks before the name are one; `None` unless both are there and the text is
/// more than blanks.
fn split_message(body: Option<&str>) -> Option<(&str, &str)> {
    let body = body?;
    let body = if body.starts_with(BLANKS) { body.trim_start_matches(BLANKS) } else { body };
    let (name, text) = split_word(body);
    text.filter(|text| !name.is_empty() && !is_blank(text)).map(|text| (name, text))
}

/// Splits `<from>: <text>`, and the same with `whispers` for the colon and `end` behind the text, where `from` is a name.
fn split_delivery<'a>(line: &'a str, whispers: &str, end: &str) -> Option<Event<'a>> {
    let (from, rest) = line.split_at(line.find([':', ' '])?);
    from.parse::<Name>().ok()?;
    let (scope, text) = match rest.strip_prefix(": ") {
        Some(text) => (Scope::Broadcast, text),
        None => (Scope::Direct, rest.strip_prefix(whispers)?.strip_suffix(end)?),
    };
    Some(Event::Delivery { scope, from, text })
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests;
