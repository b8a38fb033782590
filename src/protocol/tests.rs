//! What holds for every dialect, present and future: each test walks [`DIALECTS`].

use super::*;
use crate::testing::random::Random;

fn random_line(random: &mut Random, words: &[&str]) -> Vec<u8> {
    let mut line = Vec::new();
    for _ in 0..random.below(6) {
        match random.below(3) {
            0 => line.extend_from_slice(words[random.below(words.len())].as_bytes()),
            1 => line.push(b' '),
            _ => line.push(random.next() as u8),
        }
    }
    line
}

fn seats() -> [PeerState; 3] {
    let name = "ann".parse::<Name>().ok();
    [PeerState::default(), PeerState { name: name.clone(), revision: 0 }, PeerState { name, revision: 1 }]
}

#[test]
fn requests_survive_the_way_out_and_back() {
    let outside = [Request::Login { name: "ann" }];
    let inside = [
        Request::Direct { to: "bob", text: "hi, all" },
        Request::Direct { to: "bob", text: " two  blanks " },
        Request::Broadcast { text: "hello" },
        Request::List,
        Request::Secret,
        Request::Leave,
    ];
    for dialect in DIALECTS {
        let mut encoded_any = false;
        for mut peer in seats() {
            let requests = if peer.name.is_none() { &outside[..] } else { &inside[..] };
            for request in requests {
                let mut line = Vec::new();
                dialect.encode_request(request, "ann", peer.revision, &mut line);
                let Some((b'\n', line)) = line.split_last() else { continue };
                let line = sanitize(line);
                assert_eq!(dialect.decode_request(&line, &mut peer), *request, "{}: {line:?}", dialect.name());
                encoded_any = true;
            }
        }
        assert!(encoded_any, "{}", dialect.name());
    }
}

#[test]
fn events_survive_the_way_out_and_back() {
    let events = [
        Event::Delivery { scope: Scope::Direct, from: "bob", text: " hi, all " },
        Event::Delivery { scope: Scope::Broadcast, from: "bob", text: "hello" },
        Event::Welcome { name: "ann" },
        Event::Renamed { name: "ann" },
        Event::NameInUse { name: "ann" },
        Event::ServerFull,
        Event::Error(RequestError::Header),
        Event::Error(RequestError::Body),
        Event::Error(RequestError::InvalidName("a b")),
        Event::Error(RequestError::NotLoggedIn),
        Event::Error(RequestError::TooLong),
        Event::Error(RequestError::Usage("MSG <text>")),
        Event::Ack,
        Event::NoSuchUser { name: "bob" },
        Event::Users(vec!["echobot", "ann"]),
        Event::Secret("xyzzy"),
        Event::Presence(Presence::Joined { name: "bob" }),
        Event::Presence(Presence::Left { name: "bob" }),
        Event::Presence(Presence::Renamed { from: "bob", to: "eve" }),
        Event::LoginTimeout,
        Event::Goodbye,
    ];
    for dialect in DIALECTS {
        for revision in [0, 1, 2] {
            for event in &events {
                let mut line = Vec::new();
                dialect.encode_event(event, revision, &mut line);
                let Some((b'\n', body)) = line.split_last() else { continue };
                let body = sanitize(body);
                let decoded = dialect.decode_event(&body).unwrap_or_else(|| panic!("{}: {body:?}", dialect.name()));
                let mut again = Vec::new();
                dialect.encode_event(&decoded, revision, &mut again);
                assert_eq!(again, line, "{}: {event:?}", dialect.name());
            }
        }
    }
}

#[test]
fn no_line_at_all_makes_a_decoder_panic() {
    let mut words: Vec<&str> = DIALECTS.iter().flat_map(|d| d.verbs()).copied().collect();
    words.extend(["SEND", "LIST", "WHO", "DELIVERY", "LIST-OK", "@ann: ", "DISCONNECT", "CHAT/1.0", "ann", "\"", "漢"]);
    let mut random = Random(0x5eed);
    for _ in 0..20_000 {
        let line = random_line(&mut random, &words);
        let line = sanitize(&line);
        for dialect in DIALECTS {
            for mut peer in seats() {
                dialect.decode_request(&line, &mut peer);
            }
            dialect.decode_event(&line);
        }
        detect(&line);
    }
}

#[test]
fn a_login_is_known_by_its_first_word() {
    for (line, name) in [("HELLO-FROM ann", "cap"), ("LIN", "wac"), ("REGISTER x", "chat")] {
        assert_eq!(detect_login(line).map(super::Dialect::name), Some(name), "{line:?}");
    }
    assert!(["", " ", "LIST", "WHO", "hello-from ann"].iter().all(|line| detect_login(line).is_none()));
}

#[test]
fn every_dialect_is_found_by_each_of_its_first_words() {
    for dialect in DIALECTS {
        for word in dialect.verbs() {
            assert_eq!(detect(word).name(), dialect.name());
            assert_eq!(detect(&format!("{word} more words")).name(), dialect.name());
        }
    }
    for line in ["", " ", "GET / HTTP/1.1", "hello-from ann"] {
        assert_eq!(detect(line).name(), DIALECTS[0].name(), "{line:?}");
    }
}
