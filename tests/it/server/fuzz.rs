//! Lines cut anywhere, and bytes that nobody would send: seeded, so that a failure repeats.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::support::{Bystanders, PATIENCE, Random, Server, wait_for};

/// Everything that the server says to these pieces, each of which is one write; `between` is called after each.
fn answers(server: &Server, pieces: &[&[u8]], between: impl Fn()) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address).expect("the server accepts");
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    for piece in pieces {
        // A server that has hung up already has said all that it says.
        let _ = stream.write_all(piece);
        between();
    }
    let _ = stream.shutdown(Shutdown::Write);
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).expect("an end");
    heard
}

/// The server has to say this to these pieces, each of which is a read of its own. It may say something else only where
/// this machine was so busy that the silence before the first LF ended a line (G13).
#[track_caller]
fn expect_answers(server: &Server, pieces: &[&[u8]], expected: &str) {
    wait_for("a moment in which this machine is not too busy", || {
        let (last, longest) = (Cell::new(Instant::now()), Cell::new(Duration::ZERO));
        let to_line_feed = pieces.iter().position(|piece| piece.contains(&b'\n')).map_or(pieces.len(), |at| at + 1);
        let pieces_left = Cell::new(to_line_feed);
        let heard = text_of(&answers(server, pieces, || {
            server.wait_until_asleep();
            let pause = last.replace(Instant::now()).elapsed();
            if pieces_left.get() > 0 {
                pieces_left.set(pieces_left.get() - 1);
                longest.set(longest.get().max(pause));
            }
        }));
        assert!(heard == expected || longest.get() >= Duration::from_millis(40), "{heard:?} is not {expected:?}");
        (heard == expected).then_some(())
    });
}

#[test]
fn a_transcript_is_answered_the_same_wherever_it_is_cut() {
    let server = Server::with(&["--log-level", "error", "--secret", "xyzzy"]);
    let transcripts: [&[u8]; 3] = [
        "HELLO-FROM ann\r\nLIST\nSEND ann é 漢\n\nSEND nobody x\nWHO\nSEND ann \x1b[2J\nLIST x\nhalf".as_bytes(),
        b"WHO\r\nMSG early\nLIN \"eve\"\nW eve psst\nLIN ann\nSEC\n\nW echobot hi\n\xff\xf4\xff\xfd\x06WHO\nhalf",
        b"REGISTER ann CHAT/1.0\r\n@ann: hello\nanything\n\nDISCONNECT bob CHAT/1.0\nDISCONNECT ann CHAT/1.0\n@ann: late\n",
    ];
    for transcript in transcripts {
        let expected = text_of(&answers(&server, &[transcript], || ()));
        assert!(!expected.is_empty());
        for cut in 1..transcript.len() {
            let (one, other) = transcript.split_at(cut);
            expect_answers(&server, &[one, other], &expected);
        }
        let bytes: Vec<&[u8]> = transcript.chunks(1).collect();
        expect_answers(&server, &bytes, &expected);
    }
}

/// A conversation of words that mean something, in no order, and of bytes that mean nothing.
fn conversation(random: &mut Random) -> Vec<u8> {
    const WORDS: &[&[u8]] = &[
        b"HELLO-FROM ",
        b"LIN ",
        b"REGISTER ",
        b" CHAT/1.0",
        b"SEND ",
        b"MSG ",
        b"W ",
        b"WHO",
        b"LIST",
        b"SEC",
        b"DISCONNECT ",
        b"@ann: ",
        b"ann",
        b"bob",
        b"echobot",
        b" ",
        b"\n",
        b"\n",
        b"\n",
        b"\r\n",
        b"\xff",
        b"\xff\xfa",
        b"\xff\xfd\x06",
        b"\0",
        b"\x1b[2J",
        "漢".as_bytes(),
        b"\xe6\xbc",
        b"\"",
        b",",
        b"\t",
    ];
    let mut bytes = Vec::new();
    for _ in 0..random.below(60) {
        match random.below(12) {
            0 => bytes.push(random.below(256) as u8),
            1 => bytes.resize(bytes.len() + random.below(6000), b'x'),
            _ => bytes.extend_from_slice(WORDS[random.below(WORDS.len())]),
        }
    }
    bytes
}

/// What the server said but for its answers to telnet options, which are three bytes each.
fn text_of(heard: &[u8]) -> String {
    let mut text = Vec::new();
    let mut rest = heard;
    while let [byte, after @ ..] = rest {
        rest = if *byte == 0xff { &rest[3..] } else { after };
        if *byte != 0xff {
            text.push(*byte);
        }
    }
    String::from_utf8(text).expect("the server speaks UTF-8")
}

/// Throws conversations at the server for this long; whatever it says, it is whole lines of text, and it lives on.
fn throw(seed: u64, time: Duration) {
    let server = Server::with(&["--log-level", "error", "--max-line", "5000"]);
    let mut bystanders = Bystanders::of(&server);
    let before = server.usage();
    bystanders.are_fine_while(|| {
        let begun = Instant::now();
        let mut random = Random(seed);
        while begun.elapsed() < time {
            let bytes = conversation(&mut random);
            let cut = random.below(bytes.len() + 1);
            let heard = answers(&server, &[&bytes[..cut], &bytes[cut..]], || ());
            let text = text_of(&heard);
            assert!(!text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')), "{text:?}");
            // Whoever has sent no LF yet gets none in CHAT/1.0 (G13).
            let statuses = ["200 ", "400 ", "401 "];
            let is_in_kind = text.lines().last().is_some_and(|line| statuses.iter().any(|part| line.starts_with(part)));
            assert!(text.is_empty() || text.ends_with('\n') || is_in_kind, "{text:?}");
        }
    });
    server.wait_until_as_before(before);
    assert_eq!(server.log(), "");
}

#[test]
fn no_conversation_at_all_harms_the_server() {
    throw(0x5eed, Duration::from_secs(2));
}

/// The same for longer, and with another seed each time: `make soak`.
#[test]
#[ignore = "takes half a minute; `make soak` runs it"]
fn soak_no_conversation_at_all_harms_the_server() {
    let seed = std::process::id().into();
    throw(seed, Duration::from_secs(30));
}
