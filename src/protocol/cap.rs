//! CAP, the Chat Application Protocol, in both of its revisions (C1 to C14).

use super::{
    BLANKS, Dialect, Event, NO_NAME, Name, PeerState, Request, RequestError, Scope, TOO_LONG, put_line, split_message,
    split_word,
};

/// The revision that says `LIST`, `LIST-OK` and `BAD-DEST-USER`.
pub const REVISION_2: u8 = 2;

/// The revision that says `WHO`, `WHO-OK` and `UNKNOWN`.
pub const REVISION_1: u8 = 1;

const LOGIN: &str = "HELLO-FROM";
const WELCOME: &str = "HELLO";
const IN_USE: &str = "IN-USE";
const BUSY: &str = "BUSY";
const LIST: &str = "LIST";
const WHO: &str = "WHO";
const LIST_OK: &str = "LIST-OK";
const WHO_OK: &str = "WHO-OK";
const SEND: &str = "SEND";
const SEND_OK: &str = "SEND-OK";
const BAD_DEST_USER: &str = "BAD-DEST-USER";
const UNKNOWN: &str = "UNKNOWN";
const DELIVERY: &str = "DELIVERY";
const BAD_HEADER: &str = "BAD-RQST-HDR";
const BAD_BODY: &str = "BAD-RQST-BODY";

/// The dialect, in one of its revisions until a peer says what it speaks.
#[derive(Debug)]
pub struct Cap {
    name: &'static str,
    /// The first words by which a connection is known to speak it.
    verbs: &'static [&'static str],
    /// What is spoken to a peer whose revision is not known.
    revision: u8,
}

/// CAP as it is spoken to whoever does not say `WHO`.
pub static CAP: Cap = Cap { name: "cap", verbs: &[LOGIN], revision: REVISION_2 };

/// CAP that begins with revision 1, for servers that are told to.
pub static CAP1: Cap = Cap { name: "cap1", verbs: &[], revision: REVISION_1 };

impl Cap {
    fn is_revision_1(&self, revision: u8) -> bool {
        (if revision == 0 { self.revision } else { revision }) == REVISION_1
    }
}

impl Dialect for Cap {
    fn name(&self) -> &'static str {
        self.name
    }

    fn verbs(&self) -> &'static [&'static str] {
        self.verbs
    }

    fn refusal_closes(&self) -> bool {
        true
    }

    fn decode_request<'a>(&self, line: &'a str, peer: &mut PeerState) -> Request<'a> {
        let (header, body) = split_word(line);
        if peer.name.is_none() {
            return match header {
                LOGIN => Request::Login { name: body.unwrap_or_default().trim_matches(BLANKS) },
                _ => Request::Invalid(RequestError::Header),
            };
        }
        match header {
            LIST | WHO => {
                peer.revision = if header == WHO { REVISION_1 } else { REVISION_2 };
                match body {
                    None => Request::List,
                    Some(_) => Request::Invalid(RequestError::Body),
                }
            }
            SEND => match split_message(body) {
                Some((to, text)) => Request::Direct { to, text },
                None => Request::Invalid(RequestError::Body),
            },
            _ => Request::Invalid(RequestError::Header),
        }
    }

    fn encode_request(&self, request: &Request<'_>, _from: &str, revision: u8, out: &mut Vec<u8>) {
        match *request {
            Request::Login { name } => put_line(out, &[LOGIN, " ", name]),
            Request::Direct { to, text } => put_line(out, &[SEND, " ", to, " ", text]),
            Request::List if self.is_revision_1(revision) => put_line(out, &[WHO]),
            Request::List => put_line(out, &[LIST]),
            _ => {}
        }
    }

    fn decode_event<'a>(&self, line: &'a str) -> Option<Event<'a>> {
        let (header, body) = split_word(line);
        Some(match header {
            WELCOME => Event::Welcome { name: body.unwrap_or_default() },
            IN_USE => Event::NameInUse { name: "" },
            BUSY => Event::ServerFull,
            LIST_OK | WHO_OK => Event::Users(names(body.unwrap_or_default())),
            SEND_OK => Event::Ack,
            BAD_DEST_USER | UNKNOWN => Event::NoSuchUser { name: "" },
            DELIVERY => {
                let (from, text) = body?.split_once(' ')?;
                Event::Delivery { scope: Scope::Direct, from, text }
            }
            BAD_HEADER => Event::Error(RequestError::Header),
            BAD_BODY => Event::Error(RequestError::Body),
            _ => return None,
        })
    }

    fn encode_event(&self, event: &Event<'_>, revision: u8, out: &mut Vec<u8>) {
        let of_revision = |second, first| if self.is_revision_1(revision) { first } else { second };
        match event {
            Event::Delivery { from, text, .. } => put_line(out, &[DELIVERY, " ", from, " ", text]),
            Event::Welcome { name } => put_line(out, &[WELCOME, " ", name]),
            Event::NameInUse { .. } => put_line(out, &[IN_USE]),
            Event::ServerFull => put_line(out, &[BUSY]),
            Event::Ack => put_line(out, &[SEND_OK]),
            Event::NoSuchUser { .. } => put_line(out, &[of_revision(BAD_DEST_USER, UNKNOWN)]),
            Event::Users(names) => put_line(out, &[of_revision(LIST_OK, WHO_OK), " ", &names.join(",")]),
            Event::Error(RequestError::Header | RequestError::NotLoggedIn) => put_line(out, &[BAD_HEADER]),
            Event::Error(_) => put_line(out, &[BAD_BODY]),
            _ => {}
        }
    }

    fn explain(&self, refusal: &Event<'_>, line: &str, peer: &PeerState) -> &'static str {
        let (header, _) = split_word(line);
        match refusal {
            Event::NameInUse { .. } => "somebody has that name (C3)",
            Event::ServerFull => "as many are logged in as may be (C4)",
            Event::NoSuchUser { name } if name.parse::<Name>().is_err() => NO_NAME,
            Event::NoSuchUser { .. } => "nobody of that name is logged in; capitals count (C9)",
            Event::Error(RequestError::InvalidName("")) => "HELLO-FROM needs a name (C13)",
            Event::Error(RequestError::InvalidName(_)) => NO_NAME,
            Event::Error(RequestError::TooLong) => TOO_LONG,
            Event::Error(RequestError::Body) if header == SEND => "SEND needs a name and a text (C14)",
            Event::Error(RequestError::Body) => "LIST and WHO stand alone on their line (C14)",
            Event::Error(_) => match header {
                _ if peer.name.is_none() => "before a login only HELLO-FROM and a name are understood (C13)",
                LOGIN => "this connection is logged in already (C14)",
                "" => "a request does not begin with a blank, and is not empty (C14)",
                _ if [LIST, WHO, SEND].contains(&header.to_ascii_uppercase().as_str()) => "capitals count (C14)",
                _ => "the first word is none of LIST, WHO and SEND (C14)",
            },
            _ => "",
        }
    }

    fn is_last_event(&self, rest: &str) -> bool {
        [IN_USE, BUSY, BAD_HEADER, BAD_BODY, SEND_OK, BAD_DEST_USER, UNKNOWN].contains(&rest)
    }
}

/// Splits a list of names as servers write it: with commas, with blanks around them, or with blanks alone.
fn names(list: &str) -> Vec<&str> {
    let separator = if list.contains(',') { ',' } else { ' ' };
    list.split(separator).map(|name| name.trim_matches(BLANKS)).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged_in() -> PeerState {
        PeerState { name: "ann".parse::<Name>().ok(), ..PeerState::default() }
    }

    fn reply(event: &Event<'_>, revision: u8) -> String {
        let mut out = Vec::new();
        CAP.encode_event(event, revision, &mut out);
        String::from_utf8(out).expect("a reply is text")
    }

    #[test]
    fn c1_c13_before_login_only_a_login_counts() {
        let cases = [
            ("HELLO-FROM ann", Request::Login { name: "ann" }),
            ("HELLO-FROM", Request::Login { name: "" }),
            ("HELLO-FROM a b", Request::Login { name: "a b" }),
            ("HELLO-FROM  ann \t", Request::Login { name: "ann" }),
            ("hello-from ann", Request::Invalid(RequestError::Header)),
            ("HELLO-FROMann", Request::Invalid(RequestError::Header)),
            ("LIST", Request::Invalid(RequestError::Header)),
            ("SEND ann hi", Request::Invalid(RequestError::Header)),
            ("", Request::Invalid(RequestError::Header)),
        ];
        for (line, expected) in cases {
            assert_eq!(CAP.decode_request(line, &mut PeerState::default()), expected, "{line:?}");
        }
    }

    #[test]
    fn c5_c7_c14_after_login() {
        let cases = [
            ("LIST", Request::List),
            ("WHO", Request::List),
            ("LIST x", Request::Invalid(RequestError::Body)),
            ("WHO x", Request::Invalid(RequestError::Body)),
            ("SEND bob hi", Request::Direct { to: "bob", text: "hi" }),
            ("SEND bob  hi, all ", Request::Direct { to: "bob", text: " hi, all " }),
            ("SEND", Request::Invalid(RequestError::Body)),
            ("SEND ", Request::Invalid(RequestError::Body)),
            ("SEND bob", Request::Invalid(RequestError::Body)),
            ("SEND bob ", Request::Invalid(RequestError::Body)),
            ("SEND bob  \t ", Request::Invalid(RequestError::Body)),
            ("SEND   bob  hi", Request::Direct { to: "bob", text: " hi" }),
            ("HELLO-FROM bob", Request::Invalid(RequestError::Header)),
            ("HELLO-FROM", Request::Invalid(RequestError::Header)),
            ("list", Request::Invalid(RequestError::Header)),
            (" LIST", Request::Invalid(RequestError::Header)),
            ("", Request::Invalid(RequestError::Header)),
        ];
        for (line, expected) in cases {
            assert_eq!(CAP.decode_request(line, &mut logged_in()), expected, "{line:?}");
        }
    }

    #[test]
    fn c6_c9_each_revision_is_answered_in_its_own_words() {
        let mut peer = logged_in();
        for (line, revision) in
            [("LIST", REVISION_2), ("WHO", REVISION_1), ("SEND a b", REVISION_1), ("LIST", REVISION_2)]
        {
            CAP.decode_request(line, &mut peer);
            assert_eq!(peer.revision, revision, "{line:?}");
        }
        let names = Event::Users(vec!["echobot", "ann"]);
        let nobody = Event::NoSuchUser { name: "bob" };
        assert_eq!(reply(&names, REVISION_2), "LIST-OK echobot,ann\n");
        assert_eq!(reply(&names, REVISION_1), "WHO-OK echobot,ann\n");
        assert_eq!(reply(&nobody, REVISION_2), "BAD-DEST-USER\n");
        assert_eq!(reply(&nobody, REVISION_1), "UNKNOWN\n");
        assert_eq!(reply(&nobody, 0), "BAD-DEST-USER\n");
        let mut out = Vec::new();
        CAP1.encode_event(&nobody, 0, &mut out);
        CAP1.encode_event(&nobody, REVISION_2, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), "UNKNOWN\nBAD-DEST-USER\n");
    }

    #[test]
    fn g14_a_list_may_be_written_with_blanks_and_a_whole_word_needs_no_line_feed_at_the_end() {
        for line in ["LIST-OK a,b", "LIST-OK a, b", "LIST-OK  a ,b ", "LIST-OK a b", "WHO-OK a  b ", "WHO-OK ,a,,b,"] {
            assert_eq!(CAP.decode_event(line), Some(Event::Users(vec!["a", "b"])), "{line:?}");
        }
        assert!(["IN-USE", "BUSY", "BAD-RQST-HDR", "BAD-RQST-BODY"].iter().all(|rest| CAP.is_last_event(rest)));
        assert!(!["IN-US", "HELLO ann", "DELIVERY bob hi", ""].iter().any(|rest| CAP.is_last_event(rest)));
    }

    #[test]
    fn c2_c3_c4_c8_c10_c11_c12_are_byte_for_byte() {
        let cases = [
            (Event::Welcome { name: "ann" }, "HELLO ann\n"),
            (Event::NameInUse { name: "ann" }, "IN-USE\n"),
            (Event::ServerFull, "BUSY\n"),
            (Event::Ack, "SEND-OK\n"),
            (Event::Delivery { scope: Scope::Direct, from: "bob", text: " hi " }, "DELIVERY bob  hi \n"),
            (Event::Error(RequestError::Header), "BAD-RQST-HDR\n"),
            (Event::Error(RequestError::Body), "BAD-RQST-BODY\n"),
            (Event::Error(RequestError::InvalidName("a b")), "BAD-RQST-BODY\n"),
            (Event::Error(RequestError::TooLong), "BAD-RQST-BODY\n"),
            (Event::Goodbye, ""),
        ];
        for (event, expected) in cases {
            assert_eq!(reply(&event, REVISION_2), expected);
        }
    }

    #[test]
    fn c13_c14_what_a_wrong_line_lacks_is_told_with_its_rule() {
        let explain = |line: &str, mut peer: PeerState| match CAP.decode_request(line, &mut peer) {
            Request::Invalid(error) => CAP.explain(&Event::Error(error), line, &peer),
            Request::Login { name } => CAP.explain(&Event::Error(RequestError::InvalidName(name)), line, &peer),
            request => panic!("{request:?} is right"),
        };
        for (line, reason) in [
            ("LIST", "before a login only HELLO-FROM and a name are understood (C13)"),
            ("HELLO-FROM", "HELLO-FROM needs a name (C13)"),
            ("HELLO-FROM a b", NO_NAME),
        ] {
            assert_eq!(explain(line, PeerState::default()), reason, "{line:?}");
        }
        let nobody = |name| CAP.explain(&Event::NoSuchUser { name }, "", &logged_in());
        assert_eq!(nobody("Bob"), "nobody of that name is logged in; capitals count (C9)");
        assert_eq!(nobody("@bob"), NO_NAME);
        for (line, reason) in [
            ("SEND bob", "SEND needs a name and a text (C14)"),
            ("LIST all", "LIST and WHO stand alone on their line (C14)"),
            ("HELLO-FROM ann", "this connection is logged in already (C14)"),
            ("send bob hi", "capitals count (C14)"),
            (" LIST", "a request does not begin with a blank, and is not empty (C14)"),
            ("MSG hi", "the first word is none of LIST, WHO and SEND (C14)"),
        ] {
            assert_eq!(explain(line, logged_in()), reason, "{line:?}");
        }
    }

    #[test]
    fn rt7_half_a_reply_is_not_an_event() {
        for line in ["", "DELIVERY", "DELIVERY bob", "hello ann", "SEND-OKAY", "42"] {
            assert_eq!(CAP.decode_event(line), None, "{line:?}");
        }
        assert_eq!(CAP.decode_event("LIST-OK"), Some(Event::Users(vec![])));
    }
}
