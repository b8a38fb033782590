//! CHAT/1.0: a registration, then every line is a message to everyone else (H1 to H11).

use std::time::Duration;

use super::{
    BLANKS, Dialect, Event, NO_NAME, PeerState, Presence, Request, RequestError, Scope, is_blank, put_line,
    split_delivery, split_word,
};
use crate::limits::{SHORT_SILENCE, SILENCE};

const REGISTER: &str = "REGISTER";
const DISCONNECT: &str = "DISCONNECT";
const VERSION: &str = "CHAT/1.0";
const WHISPERS: &str = " whispers: ";
const INVALID_REQUEST: &str = "400 Invalid request";
const TOO_LONG: &str = "400 Line too long";

/// The dialect.
#[derive(Debug)]
pub struct Chat1;

impl Dialect for Chat1 {
    fn name(&self) -> &'static str {
        "chat"
    }

    fn verbs(&self) -> &'static [&'static str] {
        &[REGISTER]
    }

    fn has_fixed_port(&self) -> bool {
        false
    }

    fn refusal_closes(&self) -> bool {
        true
    }

    fn silence_ends_request(&self, partial: &str, peer: &PeerState) -> Option<Duration> {
        let ends_itself = [REGISTER, DISCONNECT].iter().any(|command| name_in(partial, command).is_some());
        let is_begun = [REGISTER, DISCONNECT].contains(&split_word(partial).0);
        let is_text = peer.name.is_some() && partial.starts_with('@');
        if ends_itself { Some(SHORT_SILENCE) } else { (is_begun || is_text).then_some(SILENCE) }
    }

    fn answers_in_kind(&self) -> bool {
        true
    }

    fn needs_no_line_feed(&self) -> bool {
        true
    }

    fn decode_request<'a>(&self, line: &'a str, peer: &mut PeerState) -> Request<'a> {
        let Some(own_name) = &peer.name else {
            return match name_in(line, REGISTER) {
                Some(name) => Request::Login { name },
                None => Request::Invalid(RequestError::Header),
            };
        };
        match name_in(line, DISCONNECT) {
            Some(name) if name == own_name.as_str() => return Request::Leave,
            Some(_) => return Request::Invalid(RequestError::Body),
            None if name_in(line, REGISTER).is_some() => return Request::Invalid(RequestError::Body),
            None => {}
        }
        let own_prefix = line.strip_prefix('@').and_then(|rest| rest.strip_prefix(own_name.as_str()));
        let text = own_prefix.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(line);
        if is_blank(text) { Request::Ignore } else { Request::Broadcast { text } }
    }

    fn encode_request(&self, request: &Request<'_>, from: &str, _revision: u8, out: &mut Vec<u8>) {
        match *request {
            Request::Login { name } => put_line(out, &[REGISTER, " ", name, " ", VERSION]),
            Request::Broadcast { text } => put_line(out, &["@", from, ": ", text]),
            Request::Leave => put_line(out, &[DISCONNECT, " ", from, " ", VERSION]),
            _ => {}
        }
    }

    /// Looks at the number of a reply only: its wording varies (H11).
    fn decode_event<'a>(&self, line: &'a str) -> Option<Event<'a>> {
        let word = line.split(' ').next().unwrap_or_default();
        Some(match (word, word.parse::<u16>()) {
            (DISCONNECT, _) if line.split(' ').eq([DISCONNECT, VERSION]) => Event::Goodbye,
            (_, Ok(200)) => Event::Welcome { name: "" },
            (_, Ok(401)) => Event::NameInUse { name: "" },
            (_, Ok(503)) => Event::ServerFull,
            _ if line == INVALID_REQUEST => Event::Error(RequestError::Body),
            _ if line == TOO_LONG => Event::Error(RequestError::TooLong),
            (_, Ok(100..=999)) => Event::Error(RequestError::Header),
            _ => {
                let presence = Presence::decode(line).map(Event::Presence);
                let delivery = || split_delivery(line.strip_prefix('@')?, WHISPERS, "");
                presence.or_else(delivery).unwrap_or(Event::Text(line))
            }
        })
    }

    fn encode_event(&self, event: &Event<'_>, _revision: u8, out: &mut Vec<u8>) {
        match event {
            Event::Delivery { scope: Scope::Broadcast, from, text } => put_line(out, &["@", from, ": ", text]),
            Event::Delivery { scope: Scope::Direct, from, text } => put_line(out, &["@", from, WHISPERS, text]),
            Event::Welcome { .. } => put_line(out, &["200 Registration successful"]),
            Event::Error(RequestError::Body) => put_line(out, &[INVALID_REQUEST]),
            Event::Error(RequestError::TooLong) => put_line(out, &[TOO_LONG]),
            Event::Error(_) => put_line(out, &["400 Invalid registration"]),
            Event::NameInUse { .. } => put_line(out, &["401 Client already registered"]),
            Event::ServerFull => put_line(out, &["503 Server full"]),
            Event::Presence(presence) => presence.encode(out),
            Event::Goodbye => put_line(out, &[DISCONNECT, " ", VERSION]),
            Event::Text(text) => put_line(out, &[text]),
            _ => {}
        }
    }

    fn explain(&self, refusal: &Event<'_>, line: &str, _peer: &PeerState) -> &'static str {
        match refusal {
            Event::NameInUse { .. } => "somebody has that name (H4)",
            Event::ServerFull => "as many are registered as may be (H5)",
            Event::Error(RequestError::InvalidName(_)) => NO_NAME,
            Event::Error(RequestError::TooLong) => super::TOO_LONG,
            Event::Error(RequestError::Body) => match name_in(line, DISCONNECT) {
                Some(_) => "DISCONNECT is for one's own name (H17)",
                None => "this connection is registered already (H17)",
            },
            Event::Error(_) => "the first line is REGISTER, a name and CHAT/1.0, with a blank between them (H3)",
            _ => "",
        }
    }
}

/// Returns the name in `<command> <name> CHAT/1.0`, if the line is that; blanks around the name are dropped.
fn name_in<'a>(line: &'a str, command: &str) -> Option<&'a str> {
    let name = line.strip_prefix(command)?.strip_prefix(' ')?.strip_suffix(VERSION)?;
    let name = name.strip_suffix(BLANKS)?.trim_matches(BLANKS);
    (!name.contains(BLANKS)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Name;

    fn decode(line: &str) -> Request<'_> {
        Chat1.decode_request(line, &mut PeerState { name: "ann".parse::<Name>().ok(), revision: 0 })
    }

    #[test]
    fn h3_h17_what_a_wrong_line_lacks_is_told_with_its_rule() {
        let explain = |line: &str, mut peer: PeerState| match Chat1.decode_request(line, &mut peer) {
            Request::Invalid(error) => Chat1.explain(&Event::Error(error), line, &peer),
            request => panic!("{request:?} is right"),
        };
        let first = "the first line is REGISTER, a name and CHAT/1.0, with a blank between them (H3)";
        assert_eq!(explain("REGISTER ann", PeerState::default()), first);
        let ann = PeerState { name: "ann".parse::<Name>().ok(), revision: 0 };
        for (line, reason) in [
            ("REGISTER bob CHAT/1.0", "this connection is registered already (H17)"),
            ("DISCONNECT bob CHAT/1.0", "DISCONNECT is for one's own name (H17)"),
        ] {
            assert_eq!(explain(line, ann.clone()), reason);
        }
    }

    #[test]
    fn h1_h3_h11_g12_a_registration_is_three_words_exactly() {
        let decode = |line| Chat1.decode_request(line, &mut PeerState::default());
        assert_eq!(decode("REGISTER ann CHAT/1.0"), Request::Login { name: "ann" });
        assert_eq!(decode("REGISTER   ann \t CHAT/1.0"), Request::Login { name: "ann" });
        assert_eq!(decode("REGISTER @ CHAT/1.0"), Request::Login { name: "@" });
        for line in [
            "REGISTER",
            "REGISTER ann",
            "REGISTER CHAT/1.0",
            "REGISTER ann CHAT/2.0",
            "REGISTER ann chat/1.0",
            "REGISTER ann b CHAT/1.0",
            "REGISTER ann CHAT/1.0 x",
            "REGISTER ann CHAT/1.0 ",
            "REGISTERED ann CHAT/1.0",
            "@ann: hi",
            "DISCONNECT ann CHAT/1.0",
            "",
        ] {
            assert_eq!(decode(line), Request::Invalid(RequestError::Header), "{line:?}");
        }
    }

    #[test]
    fn h6_h9_everything_else_is_text_under_the_own_name() {
        for (line, text) in [
            ("@ann: hi, all", "hi, all"),
            ("@ann:  hi", " hi"),
            ("@ann: @ann: hi", "@ann: hi"),
            ("@bob: hi", "@bob: hi"),
            ("@annabel: hi", "@annabel: hi"),
            ("@ann:hi", "@ann:hi"),
            ("hello", "hello"),
            ("REGISTER bob", "REGISTER bob"),
            ("DISCONNECT", "DISCONNECT"),
            ("DISCONNECT ann", "DISCONNECT ann"),
        ] {
            assert_eq!(decode(line), Request::Broadcast { text }, "{line:?}");
        }
        for line in ["", "  ", "@ann: ", "@ann:  \t"] {
            assert_eq!(decode(line), Request::Ignore, "{line:?}");
        }
    }

    #[test]
    fn h7_h17_one_says_good_bye_for_oneself_only_and_registers_once() {
        assert_eq!(decode("DISCONNECT ann CHAT/1.0"), Request::Leave);
        for line in ["DISCONNECT bob CHAT/1.0", "REGISTER ann CHAT/1.0", "REGISTER bob CHAT/1.0"] {
            assert_eq!(decode(line), Request::Invalid(RequestError::Body), "{line:?}");
        }
    }

    #[test]
    fn g13_silence_ends_what_begins_with_a_word_of_this_dialect() {
        let ann = PeerState { name: "ann".parse().ok(), revision: 0 };
        for (partial, before, after) in [
            ("REGISTER ann CHAT/1.0", Some(SHORT_SILENCE), Some(SHORT_SILENCE)),
            ("REGISTER ann", Some(SILENCE), Some(SILENCE)),
            ("DISCONNECT ann CHAT/1.0", Some(SHORT_SILENCE), Some(SHORT_SILENCE)),
            ("@ann: hi", None, Some(SILENCE)),
            ("REGISTE", None, None),
            ("hi", None, None),
        ] {
            assert_eq!(Chat1.silence_ends_request(partial, &PeerState::default()), before, "{partial:?}");
            assert_eq!(Chat1.silence_ends_request(partial, &ann), after, "{partial:?}");
        }
    }

    #[test]
    fn h2_to_h10_are_byte_for_byte() {
        let cases = [
            (Event::Welcome { name: "ann" }, "200 Registration successful\n"),
            (Event::Error(RequestError::Header), "400 Invalid registration\n"),
            (Event::Error(RequestError::InvalidName("a,b")), "400 Invalid registration\n"),
            (Event::Error(RequestError::Body), "400 Invalid request\n"),
            (Event::Error(RequestError::TooLong), "400 Line too long\n"),
            (Event::NameInUse { name: "ann" }, "401 Client already registered\n"),
            (Event::ServerFull, "503 Server full\n"),
            (Event::Delivery { scope: Scope::Broadcast, from: "bob", text: "hi" }, "@bob: hi\n"),
            (Event::Delivery { scope: Scope::Direct, from: "bob", text: "hi" }, "@bob whispers: hi\n"),
            (Event::Goodbye, "DISCONNECT CHAT/1.0\n"),
            (Event::Ack, ""),
        ];
        for (event, expected) in cases {
            let mut out = Vec::new();
            Chat1.encode_event(&event, 0, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn h11_only_the_number_of_a_reply_counts() {
        for line in ["200 Registration successful", "200 Registration succesful", "200", "200 OK"] {
            assert_eq!(Chat1.decode_event(line), Some(Event::Welcome { name: "" }), "{line:?}");
        }
        assert_eq!(Chat1.decode_event("401 taken"), Some(Event::NameInUse { name: "" }));
        assert_eq!(Chat1.decode_event("500 oops"), Some(Event::Error(RequestError::Header)));
        let delivery = Event::Delivery { scope: Scope::Broadcast, from: "bob", text: "200 hi" };
        assert_eq!(Chat1.decode_event("@bob: 200 hi"), Some(delivery));
        for line in ["2000 x", "@bob", "@bob hi", "@a,b: hi", "-1", "20", "", "DISCONNECT CHAT/1.0 x"] {
            assert_eq!(Chat1.decode_event(line), Some(Event::Text(line)), "{line:?}");
        }
    }
}
