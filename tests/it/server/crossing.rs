//! People on different protocols talk to each other: every cell of the crossing table, and names that change meanwhile.

use std::cell::Cell;

use crate::support::{Peer, Server};

const WRITERS: usize = 10;

#[test]
fn every_cell_of_the_crossing_table() {
    let server = Server::start();
    let (mut cap, mut wac, mut chat) = (server.cap("cap"), server.wac("wac"), server.chat("chat"));
    let mut other_wac = server.wac("wac2");

    wac.send_line("MSG hi all");
    cap.expect("DELIVERY wac hi all");
    chat.expect("@wac: hi all");
    other_wac.expect("wac: hi all");

    chat.send_line("@chat: hi all");
    cap.expect("DELIVERY chat hi all");
    wac.expect("chat: hi all");
    other_wac.expect("chat: hi all");

    for (name, to_wac) in [("wac", &mut wac), ("wac2", &mut other_wac)] {
        cap.ask(&format!("SEND {name} psst"), "SEND-OK");
        to_wac.expect("cap whispers, \"psst\"");
    }
    cap.ask("SEND chat psst", "SEND-OK");
    chat.expect("@cap whispers: psst");
    cap.ask("SEND cap psst", "SEND-OK");
    cap.expect("DELIVERY cap psst");

    wac.send_line("W cap psst");
    cap.expect("DELIVERY wac psst");
    wac.send_line("W chat psst");
    chat.expect("@wac whispers: psst");
    wac.send_line("W wac2 psst");
    other_wac.expect("wac whispers, \"psst\"");

    cap.ask("LIST", "LIST-OK echobot,cap,wac,chat,wac2");
    wac.ask("WHO", "Online: echobot, cap, wac, chat, wac2");
    cap.expect_silence();
}

#[test]
fn g2_texts_are_harmless_in_every_dialect() {
    let server = Server::start();
    let (mut cap, mut wac, mut chat) = (server.cap("cap"), server.wac("wac"), server.chat("chat"));
    wac.send(b"MSG \x1b[2J \xe6\xbc half\n");
    cap.expect("DELIVERY wac \u{fffd}[2J \u{fffd} half");
    chat.expect("@wac: \u{fffd}[2J \u{fffd} half");
    chat.send(b"@chat: \x07 \xc2\x9b31m \xfe\xfd\n");
    cap.expect("DELIVERY chat \u{fffd} \u{fffd}31m \u{fffd}\u{fffd}");
    wac.expect("chat: \u{fffd} \u{fffd}31m \u{fffd}\u{fffd}");
}

#[test]
fn g7_order_is_kept_whatever_the_mix_of_broadcast_and_direct() {
    const LINES: usize = 1000;
    let server = Server::start();
    let mut readers = [server.cap("cap"), server.wac("wac"), server.chat("chat")];
    let mut sender = server.wac("sender");
    let mut lines = String::new();
    for number in 0..LINES {
        lines += &format!("MSG all {number}\nW cap {number}\nW wac {number}\nW chat {number}\n");
    }
    sender.send(lines.as_bytes());
    for number in 0..LINES {
        let [cap, wac, chat] = &mut readers;
        cap.expect(&format!("DELIVERY sender all {number}"));
        cap.expect(&format!("DELIVERY sender {number}"));
        wac.expect(&format!("sender: all {number}"));
        wac.expect(&format!("sender whispers, \"{number}\""));
        chat.expect(&format!("@sender: all {number}"));
        chat.expect(&format!("@sender whispers: {number}"));
    }
}

#[test]
fn names_may_change_under_fire() {
    change_names_under_fire(12);
}

/// The same for longer: `make soak`.
#[test]
#[ignore = "takes a minute; `make soak` runs it"]
fn soak_names_may_change_under_fire() {
    change_names_under_fire(200);
}

/// Somebody changes its name to and fro while many write to both names: each message is delivered once, or its sender
/// hears that there is nobody of that name.
fn change_names_under_fire(renames: usize) {
    let server = Server::start();
    let mut target = server.wac("odd");
    let writers: Vec<Peer> = (0..WRITERS).map(|number| server.cap(&format!("w{number}"))).collect();
    let renaming = std::sync::atomic::AtomicBool::new(true);
    let (delivered, accepted) = std::thread::scope(|scope| {
        let renaming = &renaming;
        let writers: Vec<_> = writers
            .into_iter()
            .map(|mut writer| {
                scope.spawn(move || {
                    let (mut sent, mut accepted) = (0, Vec::new());
                    while renaming.load(std::sync::atomic::Ordering::Relaxed) {
                        for name in ["odd", "even"] {
                            writer.send_line(&format!("SEND {name} {sent}"));
                            match writer.recv_line().as_deref() {
                                Some(b"SEND-OK") => accepted.push(sent),
                                Some(b"BAD-DEST-USER") => {}
                                other => panic!("{other:?}"),
                            }
                            sent += 1;
                        }
                    }
                    accepted
                })
            })
            .collect();
        let mut delivered = vec![Vec::new(); WRITERS];
        let taken = Cell::new(0);
        let mut take = |line: Vec<u8>| {
            let line = String::from_utf8(line).expect("text");
            let message = line.strip_prefix('w').and_then(|rest| rest.split_once(" whispers, \""));
            let Some((writer, number)) = message else { return Some(line) };
            let number: usize = number.trim_end_matches('"').parse().expect("a number");
            delivered[writer.parse::<usize>().expect("a writer")].push(number);
            taken.set(taken.get() + 1);
            None
        };
        // Until there have been enough of both.
        for number in 0..100 * renames {
            if number >= renames && taken.get() > renames {
                break;
            }
            let name = if number % 2 == 0 { "even" } else { "odd" };
            target.send_line(&format!("LIN {name}"));
            while take(target.recv_line().expect("a line")) != Some(format!("You are now known as {name}.")) {}
        }
        renaming.store(false, std::sync::atomic::Ordering::Relaxed);
        let accepted: Vec<Vec<usize>> = writers.into_iter().map(|writer| writer.join().expect("no panic")).collect();
        target.send_line("WHO");
        while take(target.recv_line().expect("a line")).is_none() {}
        (delivered, accepted)
    });
    assert_eq!(delivered, accepted);
    assert!(accepted.iter().map(Vec::len).sum::<usize>() > renames);
}
