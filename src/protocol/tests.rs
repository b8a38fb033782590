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

fn seats() -> [Seat; 3] {
    let name = Name::parse("ann").ok();
    [Seat::default(), Seat { name: name.clone(), revision: 0 }, Seat { name, revision: 1 }]
}

#[test]
fn requests_survive_the_way_out_and_back() {
    let outside = [Request::Login { name: "ann" }];
    let inside = [
        Request::Direct { to: "bob", text: "hi, all" },
        Request::Direct { to: "bob", text: " two  blanks " },
        Request::Broadcast { text: "hello" },
        Request::Names,
        Request::Secret,
        Request::Leave,
    ];
    for dialect in DIALECTS {
        let mut encoded_any = false;
        for mut seat in seats() {
            let requests = if seat.name.is_none() { &outside[..] } else { &inside[..] };
            for request in requests {
                let mut line = Vec::new();
                dialect.encode_request(request, "ann", seat.revision, &mut line);
                let Some((b'\n', line)) = line.split_last() else { continue };
                let line = clean(line);
                assert_eq!(dialect.decode_request(&line, &mut seat), *request, "{}: {line:?}", dialect.key());
                encoded_any = true;
            }
        }
        assert!(encoded_any, "{}", dialect.key());
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
        Event::Faulty(Fault::Header),
        Event::Faulty(Fault::Body),
        Event::Faulty(Fault::MalformedName("a b")),
        Event::Faulty(Fault::NotLoggedIn),
        Event::Faulty(Fault::TooLong),
        Event::Sent,
        Event::NoSuchUser { name: "bob" },
        Event::Names(vec!["echobot", "ann"]),
        Event::Secret("xyzzy"),
        Event::Goodbye,
    ];
    for dialect in DIALECTS {
        for revision in [0, 1] {
            for event in &events {
                let mut line = Vec::new();
                dialect.encode_event(event, revision, &mut line);
                let Some((b'\n', body)) = line.split_last() else { continue };
                let body = clean(body);
                let decoded = dialect.decode_event(&body).unwrap_or_else(|| panic!("{}: {body:?}", dialect.key()));
                let mut again = Vec::new();
                dialect.encode_event(&decoded, revision, &mut again);
                assert_eq!(again, line, "{}: {event:?}", dialect.key());
            }
        }
    }
}

#[test]
fn no_line_at_all_makes_a_decoder_panic() {
    let mut words: Vec<&str> = DIALECTS.iter().flat_map(|d| d.first_words()).copied().collect();
    words.extend(["SEND", "LIST", "WHO", "DELIVERY", "LIST-OK", "@ann: ", "DISCONNECT", "CHAT/1.0", "ann", "\"", "漢"]);
    let mut random = Random(0x5eed);
    for _ in 0..20_000 {
        let line = random_line(&mut random, &words);
        let line = clean(&line);
        for dialect in DIALECTS {
            for mut seat in seats() {
                dialect.decode_request(&line, &mut seat);
            }
            dialect.decode_event(&line);
        }
        detect(&line);
    }
}

#[test]
fn every_dialect_is_found_by_each_of_its_first_words() {
    for dialect in DIALECTS {
        for word in dialect.first_words() {
            assert_eq!(detect(word).key(), dialect.key());
            assert_eq!(detect(&format!("{word} more words")).key(), dialect.key());
        }
    }
    for line in ["", " ", "GET / HTTP/1.1", "hello-from ann"] {
        assert_eq!(detect(line).key(), DIALECTS[0].key(), "{line:?}");
    }
}
