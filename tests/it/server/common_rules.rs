//! What holds for every dialect (G1 to G11), shown with CAP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use parley::limits::{DRAIN_TIMEOUT, SHORT_SILENCE};

use crate::support::{HalfClosed, Peer, Random, Server, peak_memory, wait_for};

#[test]
fn g1_one_cr_before_the_lf_is_dropped_and_only_lf_is_sent() {
    let server = Server::start();
    let mut ann = server.connect();
    ann.send(b"HELLO-FROM ann\r\nSEND ann hi\r\nLIST\r\n");
    for line in ["HELLO ann", "SEND-OK", "DELIVERY ann hi", "LIST-OK echobot,ann"] {
        ann.expect(line);
    }
}

#[test]
fn a_line_before_the_login_has_the_same_answer_wherever_it_is_cut() {
    // A telnet option is answered as soon as it is read, so that what was sent before it has been read too.
    const OPTION: &[u8] = b"\xff\xfd\x03";
    const REFUSAL: &[u8] = b"\xff\xfc\x03";
    for protocol in ["auto", "wac", "chat"] {
        let server = Server::with(&["--protocol", protocol, "--port", "0"]);
        // With how long it took from before the first part to behind the last.
        let answer = |parts: &[&[u8]]| -> (String, Duration) {
            let mut peer = server.connect();
            let (mut heard, begun, mut time) = (Vec::new(), Instant::now(), Duration::ZERO);
            for part in parts {
                // Whoever was refused already is not read any more.
                let _ = peer.stream.write_all(&[part, OPTION].concat());
                time = begun.elapsed();
                let before = heard.len();
                let mut byte = [0];
                while !heard[before..].ends_with(REFUSAL) && matches!(peer.stream.read(&mut byte), Ok(1)) {
                    heard.push(byte[0]);
                }
            }
            peer.finish();
            let _ = peer.stream.read_to_end(&mut heard);
            // A client that sends no LF is answered without one (G13).
            (String::from_utf8_lossy(&heard).replace(['\u{fffd}', '\u{3}', '\n'], ""), time)
        };
        let lines: [&[u8]; 7] = [
            b"LIN a\x01b\n",
            b"HELLO-FROM a\x01b\n",
            b"REGISTER a\x01b CHAT/1.0\n",
            b"WHO\x01 x\n",
            b"LI\x01N a\n",
            b"abc\x01def\n",
            b"\x16\x03\x01\x02 LIN a\n",
        ];
        for line in lines {
            let (whole, _) = answer(&[line]);
            assert!(!whole.is_empty());
            for cut in 1..line.len() {
                let (first, second) = line.split_at(cut);
                let first_text = String::from_utf8_lossy(first);
                // A machine that is too busy makes a silence that ends the line (G13).
                wait_for("a moment in which this machine is not too busy", || {
                    let (heard, time) = answer(&[first, second]);
                    assert!(
                        heard == whole || time >= SHORT_SILENCE * 4 / 5,
                        "{protocol}, {first_text:?}: {heard}, not {whole}"
                    );
                    (heard == whole).then_some(())
                });
            }
        }
    }
}

#[test]
fn g1_a_line_without_its_lf_is_no_message() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.cap("ann"), server.cap("bob"));
    ann.send(b"SEND bob half");
    ann.finish();
    ann.expect_end();
    bob.expect_silence();
}

#[test]
fn g2_what_drives_a_terminal_is_not_relayed_and_the_rest_is_unchanged() {
    let server = Server::start();
    let (mut ann, mut bob) = (server.cap("ann"), server.cap("bob"));
    let cases: [(&[u8], &str); 9] = [
        ("é 漢 🙂 a\tb".as_bytes(), "é 漢 🙂 a\tb"),
        (b"\x1b[2Jcleared", "\u{fffd}[2Jcleared"),
        (b"\x1b]52;c;aGk=\x07", "\u{fffd}]52;c;aGk=\u{fffd}"),
        (b"over\rwritten\x08", "over\u{fffd}written\u{fffd}"),
        (b"nul\x00 del\x7f", "nul\u{fffd} del\u{fffd}"),
        ("c1 \u{9b}31m".as_bytes(), "c1 \u{fffd}31m"),
        (b"raw c1 \x9b31m", "raw c1 \u{fffd}31m"),
        ("bidi \u{202e}\u{2066} \u{2028}\u{2029}".as_bytes(), "bidi \u{fffd}\u{fffd} \u{fffd}\u{fffd}"),
        (b"half \xe6\xbc end", "half \u{fffd} end"),
    ];
    for (text, expected) in cases {
        ann.send(&[b"SEND bob ", text, b"\n"].concat());
        ann.expect("SEND-OK");
        bob.expect(&format!("DELIVERY ann {expected}"));
    }
}

#[test]
fn g2_telnet_commands_are_dropped_and_options_refused() {
    let server = Server::start();
    let mut ann = server.connect();
    ann.send(b"\xff\xfd\x03HELLO-FROM ann\r\n");
    assert_eq!(ann.recv_line().as_deref(), Some(&b"\xff\xfc\x03HELLO ann"[..]));
    ann.send(b"\xff\xf4\xff\xfd\x06LI\xff\xf1ST\r\n");
    assert_eq!(ann.recv_line().as_deref(), Some(&b"\xff\xfc\x06LIST-OK echobot,ann"[..]));
    // Ctrl-C is answered at once, not with the next line: a telnet client shows nothing until then.
    ann.send(b"\xff\xf4\xff\xfd\x06");
    let mut answer = [0; 3];
    ann.stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, *b"\xff\xfc\x06");
}

#[test]
fn g3_a_name_is_letters_digits_and_three_marks_in_any_script() {
    let server = Server::start();
    let longest = "漢".repeat(64);
    let peers: Vec<Peer> = ["ann", "Ann", "7", "é.漢_-", &longest].map(|name| server.cap(name)).into();
    let mut last = server.cap("last");
    last.ask("LIST", &format!("LIST-OK echobot,ann,Ann,7,é.漢_-,{longest},last"));
    drop(peers);
}

#[test]
fn g4_of_100_logins_with_one_name_at_once_one_wins_100_times_over() {
    let server = Server::start();
    for round in 0..100 {
        let mut peers: Vec<Peer> = (0..100).map(|_| server.connect()).collect();
        let login = format!("HELLO-FROM ann{round}");
        for peer in &mut peers {
            peer.send_line(&login);
        }
        let won = format!("HELLO ann{round}");
        let mut winners = 0;
        for peer in &mut peers {
            match peer.recv_line().expect("an answer") {
                line if line == won.as_bytes() => winners += 1,
                line => {
                    assert_eq!(line, b"IN-USE");
                    peer.expect_end();
                }
            }
        }
        assert_eq!(winners, 1, "round {round}");
    }
}

#[test]
fn g5_a_name_is_free_again_however_its_connection_went() {
    let server = Server::start();
    type Leave = fn(Peer);
    let ways: [(&str, Leave); 3] = [
        ("end of input", |peer| peer.finish()),
        ("end of input", drop),
        ("reset by the client", |mut peer| {
            peer.send_line("LIST");
            peer.reset();
        }),
    ];
    let mut sessions = 0;
    for _ in 0..20 {
        for (reason, leave) in &ways {
            leave(server.cap("ann"));
            wait_for("the name to be free", || {
                let mut peer = server.connect();
                peer.send_line("HELLO-FROM ann");
                (peer.recv_line().as_deref() == Some(b"HELLO ann")).then_some(())
            });
            sessions += 2;
            wait_for("the second one to be gone", || {
                (server.log().matches("ann left").count() == sessions).then_some(())
            });
            server.wait_for_log(&format!("ann left: {reason}"));
        }
    }
}

#[test]
fn g6_no_delivery_overtakes_the_reply_to_a_login() {
    let server = Server::start();
    let mut eager = server.cap("eager");
    for round in 0..200 {
        let mut late = server.connect();
        late.send_line("HELLO-FROM late");
        let mut answers = 0;
        loop {
            eager.send_line("SEND late now");
            answers += 1;
            if eager.recv_line().as_deref() == Some(b"SEND-OK") {
                break;
            }
            assert!(answers < 1_000_000);
        }
        late.expect("HELLO late");
        late.expect("DELIVERY eager now");
        drop(late);
        server.wait_for_log("late left");
        wait_for("late to be gone", || (server.log().matches("late left").count() > round).then_some(()));
    }
}

#[test]
fn g7_order_is_kept_from_each_sender_to_each_recipient() {
    const LINES: usize = 2000;
    let server = Server::start();
    let mut bob = server.cap("bob");
    let senders: Vec<_> = ["s0", "s1", "s2", "s3"]
        .map(|name| {
            let mut peer = server.cap(name);
            std::thread::Builder::new()
                .spawn(move || {
                    for number in 0..LINES {
                        peer.send_line(&format!("SEND bob {number}"));
                    }
                    for _ in 0..LINES {
                        peer.expect("SEND-OK");
                    }
                })
                .expect("a thread")
        })
        .into();
    let mut next = [0; 4];
    for _ in 0..LINES * next.len() {
        let line = String::from_utf8(bob.recv_line().expect("a delivery")).expect("text");
        let (sender, number) = line.strip_prefix("DELIVERY s").and_then(|rest| rest.split_once(' ')).expect(&line);
        let sender: usize = sender.parse().expect("a sender");
        assert_eq!(number, next[sender].to_string());
        next[sender] += 1;
    }
    for sender in senders {
        sender.join().expect("no panic");
    }
}

#[test]
fn g8_a_line_at_the_limit_passes_and_one_byte_more_is_an_error() {
    let server = Server::with(&["--max-line", "1000"]);
    let mut ann = server.cap("ann");
    let text = "x".repeat(1000 - "SEND ann \n".len());
    ann.ask(&format!("SEND ann {text}"), "SEND-OK");
    ann.expect(&format!("DELIVERY ann {text}"));
    ann.ask(&format!("SEND ann {text}x"), "BAD-RQST-BODY");
    ann.expect_silence();
    ann.ask(&"y".repeat(100_000), "BAD-RQST-HDR");
    ann.expect_silence();
}

#[test]
fn g8_the_default_limit_is_1_mib_and_an_endless_line_takes_no_memory() {
    let server = Server::start();
    let mut ann = server.cap("ann");
    let text = "x".repeat((1 << 20) - "SEND ann \n".len());
    ann.ask(&format!("SEND ann {text}"), "SEND-OK");
    ann.expect(&format!("DELIVERY ann {text}"));
    ann.ask(&format!("SEND ann {text}x"), "BAD-RQST-BODY");

    let before = peak_memory(server.pid()).expect("it runs");
    let block = vec![b'A'; 1 << 20];
    for _ in 0..50 {
        ann.send(&block);
    }
    ann.send_line("");
    ann.expect("BAD-RQST-HDR");
    ann.expect_silence();
    let peak = peak_memory(server.pid()).expect("it runs");
    assert!(peak < before + (4 << 20), "{before} B before, {peak} B");
}

#[test]
fn g8_before_login_the_limit_is_4_kib() {
    let server = Server::start();
    for (line, answer) in [("HELLO-FROM ", "BAD-RQST-BODY"), ("", "BAD-RQST-HDR")] {
        let mut stranger = server.connect();
        stranger.send(line.as_bytes());
        stranger.send(&vec![b'A'; 5000]);
        stranger.expect(answer);
        stranger.expect_end();
    }
    let mut ann = server.connect();
    let text = "x".repeat(100_000);
    ann.send(format!("HELLO-FROM ann\nSEND ann {text}\n").as_bytes());
    ann.expect("HELLO ann");
    ann.expect("SEND-OK");
    ann.expect(&format!("DELIVERY ann {text}"));
}

#[test]
fn g9_a_half_closed_client_gets_all_that_it_is_owed_also_if_it_does_not_read_at_once() {
    let server = Server::with(&["--max-backlog", "67108864"]);
    HalfClosed::owed_more_than_the_kernel_takes(&server).expects_all_of_it();
}

#[test]
fn g10_an_error_reply_is_not_lost_to_a_reset() {
    let server = Server::start();
    let junk = [&b"JUNK\n"[..], &[b'x'; 10_000]].concat();
    for _ in 0..200 {
        let begun = Instant::now();
        let mut peer = server.connect();
        peer.send(&junk);
        peer.expect("BAD-RQST-HDR");
        peer.expect_end();
        // It still listens for a while, so that what is on its way here cannot be overtaken by a reset.
        let listens = [&b"more\n"[..], b"and more\n"].iter().all(|line| peer.stream.write_all(line).is_ok());
        assert!(listens || begun.elapsed() >= DRAIN_TIMEOUT);
    }
}

#[test]
fn g11_echobot_answers_is_listed_and_can_be_left_out() {
    let server = Server::with(&["--max-clients", "1"]);
    let mut ann = server.cap("ann");
    ann.ask("LIST", "LIST-OK echobot,ann");
    ann.ask("SEND echobot  hello ", "SEND-OK");
    ann.expect("DELIVERY echobot  hello ");

    let server = Server::with(&["--no-echobot"]);
    let mut ann = server.cap("ann");
    ann.ask("LIST", "LIST-OK ann");
    ann.ask("SEND echobot hello", "BAD-DEST-USER");
    let _echobot = server.cap("echobot");
    ann.ask("LIST", "LIST-OK ann,echobot");
}

#[test]
fn any_bytes_at_all_are_answered_or_closed_and_hurt_nobody() {
    let server = Server::start();
    let mut ann = server.cap("ann");
    let mut random = Random(0x5eed);
    for _ in 0..200 {
        let mut bytes = random.bytes(200);
        bytes.push(b'\n');
        let mut stranger = TcpStream::connect(server.address).expect("the server accepts");
        stranger.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
        stranger.write_all(&bytes).expect("the server reads");
        let mut answer = Vec::new();
        std::io::Read::read_to_end(&mut stranger, &mut answer).expect("an answer and the end");
        assert!(String::from_utf8_lossy(&answer).contains("BAD-RQST-HDR\n"), "{bytes:?} {answer:?}");
    }
    ann.expect_silence();
    assert!(!server.log().contains("error"), "{}", server.log());
}
