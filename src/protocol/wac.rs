//! WAC chat: replies are for people to read (W1 to W11).

use std::time::Duration;

use super::{
    BLANKS, Dialect, Event, NO_NAME, Name, PeerState, Presence, Request, RequestError, Scope, TOO_LONG, is_blank,
    put_line, split_delivery, split_message, split_word,
};
use crate::limits::SILENCE;

const LOGIN: &str = "LIN";
const BROADCAST: &str = "MSG";
const WHISPER: &str = "W";
const WHO: &str = "WHO";
const SECRET: &str = "SEC";

const NOT_UNDERSTOOD: &str = "Unknown command. Use LIN, MSG, W, WHO or SEC.";
const WELCOME: &str = "Welcome, ";
const REFUSED: &str = "Cannot log in as ";
const IN_USE: &str = ": that name is already in use.";
const MALFORMED: &str = ": that name is malformed (use letters, digits, '_', '-' and '.').";
const LONG_LINE: &str = "That line is too long.";
const SERVER_FULL: &str = "Cannot log in: the server is full.";
const NOBODY: &str = "No user named ";
const NOT_LOGGED_IN: &str = " is logged in.";
const ONLINE: &str = "Online: ";
const WHISPERS: &str = " whispers, \"";
const GOODBYE: &str = "The server is shutting down.";

/// The dialect.
#[derive(Debug)]
pub struct Wac;

impl Dialect for Wac {
    fn name(&self) -> &'static str {
        "wac"
    }

    fn verbs(&self) -> &'static [&'static str] {
        &[LOGIN, BROADCAST, WHISPER, WHO, SECRET]
    }

    fn refusal_closes(&self) -> bool {
        false
    }

    fn hears_before_login(&self) -> bool {
        true
    }

    fn silence_ends_request(&self, partial: &str, _peer: &PeerState) -> Option<Duration> {
        self.verbs().contains(&split_word(partial).0).then_some(SILENCE)
    }

    fn needs_no_line_feed(&self) -> bool {
        true
    }

    fn decode_request<'a>(&self, line: &'a str, peer: &mut PeerState) -> Request<'a> {
        let (word, body) = split_word(line);
        let request = match (word, body) {
            (LOGIN, Some(name)) if !is_blank(name) => {
                let name = name.trim_matches(BLANKS);
                return Request::Login { name: quoted_text(name).unwrap_or(name).trim_matches(BLANKS) };
            }
            (WHO, None) => return Request::List,
            (SECRET, None) => return Request::Secret,
            (BROADCAST, Some(text)) if !is_blank(text) => Some(Request::Broadcast { text }),
            (WHISPER, body) => whisper(body).map(|(to, text)| Request::Direct { to, text }),
            _ => None,
        };
        match request {
            None => Request::Invalid(match word {
                LOGIN => RequestError::Usage("LIN <name>"),
                BROADCAST => RequestError::Usage("MSG <text>"),
                WHISPER => RequestError::Usage("W <name> <text>"),
                _ => RequestError::Header,
            }),
            Some(_) if peer.name.is_none() => Request::Invalid(RequestError::NotLoggedIn),
            Some(request) => request,
        }
    }

    fn encode_request(&self, request: &Request<'_>, _from: &str, _revision: u8, out: &mut Vec<u8>) {
        match *request {
            Request::Login { name } => put_line(out, &[LOGIN, " ", name]),
            Request::Direct { to, text } => put_line(out, &[WHISPER, " ", to, " ", text]),
            Request::Broadcast { text } => put_line(out, &[BROADCAST, " ", text]),
            Request::List => put_line(out, &[WHO]),
            Request::Secret => put_line(out, &[SECRET]),
            _ => {}
        }
    }

    fn decode_event<'a>(&self, line: &'a str) -> Option<Event<'a>> {
        let within = |before: &str, after: &str| line.strip_prefix(before)?.strip_suffix(after);
        // A message begins with a name, and no other line does; but `Online` may be a user's name, too.
        Some(if let Some(names) = line.strip_prefix(ONLINE) {
            Event::Users(names.split(", ").collect())
        } else if let Some(delivery) = split_delivery(line, WHISPERS, "\"") {
            delivery
        } else if let Some(presence) = Presence::decode(line) {
            Event::Presence(presence)
        } else if let Some(name) = within(WELCOME, ".") {
            Event::Welcome { name }
        } else if let Some(name) = within(REFUSED, IN_USE) {
            Event::NameInUse { name }
        } else if let Some(name) = within(REFUSED, MALFORMED) {
            Event::Error(RequestError::InvalidName(name))
        } else if let Some(name) = within(NOBODY, NOT_LOGGED_IN) {
            Event::NoSuchUser { name }
        } else {
            match line {
                SERVER_FULL => Event::ServerFull,
                LONG_LINE => Event::Error(RequestError::TooLong),
                GOODBYE => Event::Goodbye,
                _ => Event::Text(line),
            }
        })
    }

    fn encode_event(&self, event: &Event<'_>, _revision: u8, out: &mut Vec<u8>) {
        match event {
            Event::Delivery { scope: Scope::Broadcast, from, text } => put_line(out, &[from, ": ", text]),
            Event::Delivery { scope: Scope::Direct, from, text } => put_line(out, &[from, WHISPERS, text, "\""]),
            Event::Welcome { name } => put_line(out, &[WELCOME, name, "."]),
            Event::Renamed { name } => put_line(out, &["You are now known as ", name, "."]),
            Event::NameInUse { name } => put_line(out, &[REFUSED, name, IN_USE]),
            Event::Error(RequestError::InvalidName(name)) => put_line(out, &[REFUSED, name, MALFORMED]),
            Event::ServerFull => put_line(out, &[SERVER_FULL]),
            Event::Error(RequestError::NotLoggedIn) => put_line(out, &["Log in first: LIN <name>"]),
            Event::Error(RequestError::Header | RequestError::Body) => put_line(out, &[NOT_UNDERSTOOD]),
            Event::Error(RequestError::Usage(usage)) => put_line(out, &["Usage: ", usage]),
            Event::Error(RequestError::TooLong) => put_line(out, &[LONG_LINE]),
            Event::LoginTimeout => put_line(out, &["You have not logged in in time; good-bye."]),
            Event::NoSuchUser { name } => put_line(out, &[NOBODY, name, NOT_LOGGED_IN]),
            Event::Users(names) => put_line(out, &[ONLINE, &names.join(", ")]),
            Event::Secret(secret) => put_line(out, &["The secret is: ", secret]),
            Event::Presence(presence) => presence.encode(out),
            Event::Goodbye => put_line(out, &[GOODBYE]),
            Event::Text(text) => put_line(out, &[text]),
            Event::Ack => {}
        }
    }

    fn explain(&self, refusal: &Event<'_>, line: &str, _peer: &PeerState) -> &'static str {
        let (word, _) = split_word(line);
        match refusal {
            Event::NameInUse { .. } => "somebody has that name (W7)",
            Event::ServerFull => "as many are logged in as may be (W7)",
            Event::NoSuchUser { name } if name.parse::<Name>().is_err() => NO_NAME,
            Event::NoSuchUser { .. } => "nobody of that name is logged in; capitals count (W7)",
            Event::Error(RequestError::InvalidName(_)) => NO_NAME,
            Event::Error(RequestError::TooLong) => TOO_LONG,
            Event::Error(RequestError::NotLoggedIn) => "MSG and W need a login (W9)",
            Event::Error(RequestError::Usage(_)) => match word {
                LOGIN => "LIN needs a name (W1)",
                BROADCAST => "MSG needs a text (W2)",
                _ => "W needs a name and a text (W3)",
            },
            Event::Error(_) => match word {
                "" => "a command does not begin with a blank, and is not empty (W7)",
                WHO | SECRET => "WHO and SEC stand alone on their line (W7)",
                _ if self.verbs().contains(&word.to_ascii_uppercase().as_str()) => "capitals count (W7)",
                _ => "the first word is none of LIN, MSG, W, WHO and SEC (W7)",
            },
            _ => "",
        }
    }
}

/// Splits what follows a `W`. Where the name is in quotes, the text may be as well, and blanks are between them.
fn whisper(body: Option<&str>) -> Option<(&str, &str)> {
    let quoted = body?.trim_start_matches(BLANKS).strip_prefix('"').and_then(|rest| rest.split_once('"'));
    match quoted {
        Some((name, rest)) if !is_blank(rest) && rest.starts_with(BLANKS) => {
            let text = quoted_text(rest.trim_matches(BLANKS)).unwrap_or(&rest[1..]);
            (!is_blank(text)).then_some((name.trim_matches(BLANKS), text))
        }
        _ => split_message(body),
    }
}

/// Returns what stands between the one pair of double quotes that may be around a text.
fn quoted_text(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: Request<'_> = Request::Invalid(RequestError::Header);
    const LOG_IN_FIRST: Request<'_> = Request::Invalid(RequestError::NotLoggedIn);

    fn decode(line: &str, logged_in: bool) -> Request<'_> {
        let name = if logged_in { "ann".parse::<Name>().ok() } else { None };
        Wac.decode_request(line, &mut PeerState { name, revision: 0 })
    }

    #[test]
    fn w7_w9_what_a_wrong_line_lacks_is_told_with_its_rule() {
        for (line, logged_in, reason) in [
            ("MSG hi", false, "MSG and W need a login (W9)"),
            ("LIN", false, "LIN needs a name (W1)"),
            ("MSG ", true, "MSG needs a text (W2)"),
            ("W bob", true, "W needs a name and a text (W3)"),
            ("WHO x", true, "WHO and SEC stand alone on their line (W7)"),
            ("msg hi", true, "capitals count (W7)"),
            ("", true, "a command does not begin with a blank, and is not empty (W7)"),
            ("hello", true, "the first word is none of LIN, MSG, W, WHO and SEC (W7)"),
        ] {
            let Request::Invalid(error) = decode(line, logged_in) else { panic!("{line:?} is right") };
            assert_eq!(Wac.explain(&Event::Error(error), line, &PeerState::default()), reason, "{line:?}");
        }
    }

    #[test]
    fn w1_g12_a_login_with_or_without_quotes_and_blanks_at_any_time() {
        for logged_in in [false, true] {
            for (line, name) in [
                ("LIN ann", "ann"),
                ("LIN  ann \t", "ann"),
                ("LIN \" ann \"", "ann"),
                ("LIN \"ann\"", "ann"),
                ("LIN \"\"ann\"\"", "\"ann\""),
                ("LIN \"ann", "\"ann"),
                ("LIN \"", "\""),
                ("LIN \"\"", ""),
                ("LIN a b", "a b"),
            ] {
                assert_eq!(decode(line, logged_in), Request::Login { name }, "{line:?}");
            }
        }
    }

    #[test]
    fn w4_w5_w9_who_and_sec_need_no_login_and_messages_do() {
        assert_eq!((decode("WHO", false), decode("SEC", false)), (Request::List, Request::Secret));
        assert_eq!((decode("MSG hi", false), decode("W bob hi", false)), (LOG_IN_FIRST, LOG_IN_FIRST));
        assert_eq!(decode("MSG  hi, all ", true), Request::Broadcast { text: " hi, all " });
        assert_eq!(decode("W bob  psst ", true), Request::Direct { to: "bob", text: " psst " });
    }

    #[test]
    fn w3_blanks_before_a_name_and_quotes_around_it_are_dropped() {
        for (line, text) in [
            ("W   bob hi", "hi"),
            ("W \"bob\" hi", "hi"),
            ("W \"bob\" \"hi, all\"", "hi, all"),
            ("W \" bob \"   \"hi\" ", "hi"),
            ("W \"bob\"  hi ", " hi "),
            ("W \"bob\" say \"hi\"", "say \"hi\""),
            ("W \"bob\" \"", "\""),
            ("W bob \"hi\"", "\"hi\""),
        ] {
            assert_eq!(decode(line, true), Request::Direct { to: "bob", text }, "{line:?}");
        }
        assert_eq!(decode("W \"bob hi", true), Request::Direct { to: "\"bob", text: "hi" });
    }

    #[test]
    fn w7_what_is_incomplete_is_told_how_it_is_used_and_the_rest_is_unknown() {
        for (usage, lines) in [
            ("LIN <name>", &["LIN", "LIN ", "LIN  "][..]),
            ("MSG <text>", &["MSG", "MSG ", "MSG  \t"]),
            ("W <name> <text>", &["W", "W bob", "W bob ", "W \"bob\"", "W \"bob\" \" \""]),
        ] {
            for line in lines {
                for logged_in in [false, true] {
                    assert_eq!(decode(line, logged_in), Request::Invalid(RequestError::Usage(usage)), "{line:?}");
                }
            }
        }
        for line in ["", " ", "   ", "WHO x", "SEC x", "lin ann", "HELLO-FROM ann", "QUIT"] {
            for logged_in in [false, true] {
                assert_eq!(decode(line, logged_in), UNKNOWN, "{line:?}");
            }
        }
    }

    #[test]
    fn g13_silence_ends_what_begins_with_a_word_of_this_dialect() {
        for (partial, silence) in [("LIN ann", Some(SILENCE)), ("SEC", Some(SILENCE)), ("MS", None), ("MSGhi", None)] {
            assert_eq!(Wac.silence_ends_request(partial, &PeerState::default()), silence, "{partial:?}");
        }
    }

    #[test]
    fn w7_w10_w11_replies_are_byte_for_byte() {
        let cases = [
            (Event::Welcome { name: "ann" }, "Welcome, ann.\n"),
            (Event::Renamed { name: "eve" }, "You are now known as eve.\n"),
            (Event::NameInUse { name: "ann" }, "Cannot log in as ann: that name is already in use.\n"),
            (
                Event::Error(RequestError::InvalidName("a b")),
                "Cannot log in as a b: that name is malformed (use letters, digits, '_', '-' and '.').\n",
            ),
            (Event::ServerFull, "Cannot log in: the server is full.\n"),
            (Event::Error(RequestError::NotLoggedIn), "Log in first: LIN <name>\n"),
            (Event::NoSuchUser { name: "bob" }, "No user named bob is logged in.\n"),
            (Event::Users(vec!["a", "b", "c"]), "Online: a, b, c\n"),
            (Event::Error(RequestError::Header), "Unknown command. Use LIN, MSG, W, WHO or SEC.\n"),
            (Event::Error(RequestError::TooLong), "That line is too long.\n"),
            (Event::Error(RequestError::Usage("MSG <text>")), "Usage: MSG <text>\n"),
            (Event::LoginTimeout, "You have not logged in in time; good-bye.\n"),
            (Event::Delivery { scope: Scope::Broadcast, from: "bob", text: "hi" }, "bob: hi\n"),
            (Event::Delivery { scope: Scope::Direct, from: "bob", text: "hi" }, "bob whispers, \"hi\"\n"),
            (Event::Secret("xyzzy"), "The secret is: xyzzy\n"),
            (Event::Goodbye, "The server is shutting down.\n"),
            (Event::Ack, ""),
        ];
        for (event, expected) in cases {
            let mut out = Vec::new();
            Wac.encode_event(&event, 0, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn w10_messages_are_told_from_everything_else() {
        for (line, from, scope, text) in [
            ("bob: hi: all", "bob", Scope::Broadcast, "hi: all"),
            ("bob whispers, \"hi\"", "bob", Scope::Direct, "hi"),
            ("bob whispers, \"\"hi\"\"", "bob", Scope::Direct, "\"hi\""),
        ] {
            assert_eq!(Wac.decode_event(line), Some(Event::Delivery { scope, from, text }));
        }
        for line in ["", ":", "bob", "bob:hi", "bob whispers", "bob whispers, \"hi", "a,b: hi", "The secret is: x"] {
            assert_eq!(Wac.decode_event(line), Some(Event::Text(line)));
        }
        assert_eq!(Wac.decode_event("Online: a, b"), Some(Event::Users(vec!["a", "b"])));
    }
}
