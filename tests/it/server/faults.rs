//! Faults and hostile peers: what must go on, and what must be given back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;

use crate::support::{Bystanders, Client, PATIENCE, Peer, Server, peak_memory, server_program, wait_for};

#[test]
fn strangers_who_trickle_and_never_log_in_are_closed_at_the_deadline() {
    const STRANGERS: usize = 200;
    let server = Server::with(&["--login-timeout", "5"]);
    let mut bystanders = Bystanders::of(&server);
    let before = server.usage();
    let begun = Instant::now();
    bystanders.are_fine_while(|| {
        let mut strangers: Vec<Peer> = (0..STRANGERS).map(|_| server.connect()).collect();
        wait_for("all of them to be closed", || {
            for stranger in &mut strangers {
                let _ = stranger.stream.write(b"H");
            }
            std::thread::park_timeout(Duration::from_millis(250));
            (server.log().matches("not logged in within").count() == STRANGERS).then_some(())
        });
        assert!(begun.elapsed() >= Duration::from_secs(5), "{:?}", begun.elapsed());
        server.wait_until_as_before(before);
    });
}

#[test]
fn g8_a_line_of_100_mb_takes_no_memory_and_no_processor_afterwards() {
    let server = Server::start();
    let mut ann = server.cap("ann");
    let before = peak_memory(server.pid()).expect("it runs");
    let block = vec![b'A'; 1 << 20];
    for _ in 0..100 {
        ann.send(&block);
    }
    ann.send_line("");
    ann.expect("BAD-RQST-HDR");
    ann.expect_silence();
    let mut stranger = server.connect();
    let _ = (0..100).try_for_each(|_| stranger.stream.write_all(&block));
    let _ = stranger.stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stranger.stream.read_to_end(&mut answer);
    assert_eq!(String::from_utf8_lossy(&answer), "BAD-RQST-HDR\n");
    let peak = peak_memory(server.pid()).expect("it runs");
    assert!(peak < before + (4 << 20), "{before} B before, {peak} B");
    let cpu = server.cpu_time();
    ann.expect_silence();
    assert!(server.cpu_time().saturating_sub(cpu) < Duration::from_millis(50));
}

/// A server whose user may have a dozen threads more than now. Root is not held to such a limit, and becomes another user;
/// anybody else shares its limit with the other tests, so that it has to be a rather higher one.
fn with_few_threads() -> Server {
    const OTHER_USER: u32 = 61_234;
    let own = std::fs::metadata("/proc/self").expect("a process").uid();
    let user = if own == 0 { OTHER_USER } else { own };
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    let of_user = processes.filter(|process| process.metadata().is_ok_and(|process| process.uid() == user));
    let threads: usize =
        of_user.map(|process| std::fs::read_dir(process.path().join("task")).map_or(0, Iterator::count)).sum();
    let limit = format!("--nproc={}", threads + if own == 0 { 12 } else { 400 });
    let program = std::env::temp_dir().join(format!("parley-server-{}", std::process::id()));
    std::fs::copy(cargo_bin!("server"), &program).expect("a copy that anybody may run");
    let mut command = Command::new(if own == 0 { "setpriv" } else { "prlimit" });
    if own == 0 {
        command.args([format!("--reuid={user}"), format!("--regid={user}")]).args(["--clear-groups", "prlimit"]);
    }
    command.arg(limit).arg(&program).args(["--port", "0"]);
    let server = Server::from(command);
    std::fs::remove_file(&program).expect("the copy");
    server
}

#[test]
fn a_kernel_that_refuses_threads_costs_the_newcomer_its_connection_and_nobody_else_anything() {
    let server = with_few_threads();
    let mut bystanders = Bystanders::of(&server);
    let refused = "refused: Resource temporarily unavailable";
    let clients = bystanders.are_fine_while(|| server.fill_until_log(refused, 3000));
    assert!(!clients.is_empty());
    drop(clients);
    wait_for("a login to work again", || server.try_cap("again"));
    assert!(!server.log().contains("internal error"), "{}", server.log());
}

#[test]
fn a_client_that_sends_too_many_lines_is_read_later_and_loses_none() {
    const LINES: usize = 50;
    let server = Server::with(&["--max-rate", "10"]);
    let (mut ann, mut bob) = (server.wac("ann"), server.cap("bob"));
    let begun = Instant::now();
    let script: String = (0..LINES).map(|number| format!("W bob {number}\n")).collect();
    ann.send(script.as_bytes());
    (0..LINES).for_each(|number| bob.expect(&format!("DELIVERY ann {number}")));
    // Three seconds' worth of them are free.
    let least = Duration::from_millis(100) * (LINES as u32 - 31);
    assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());
}

#[test]
fn lines_that_the_server_holds_back_are_no_idleness_and_none_is_lost() {
    const LINES: usize = 30;
    let server = Server::with(&["--max-rate", "5", "--idle-timeout", "1"]);
    let mut ann = server.wac("ann");
    let script: String = (0..LINES).map(|number| format!("W echobot {number}\n")).collect();
    // Fifteen of them are free; the others take three seconds, in which the client has nothing to add.
    ann.send(script.as_bytes());
    (0..LINES).for_each(|number| ann.expect(&format!("echobot whispers, \"{number}\"")));
    server.wait_for_log("ann left: idle");
}

#[test]
fn g5_a_client_that_sends_too_many_lines_and_resets_frees_its_name() {
    let server = Server::with(&["--max-rate", "1"]);
    let mut ann = server.wac("ann");
    ann.send("SEC\n".repeat(10_000).as_bytes());
    server.wait_for_log("ann logged in");
    ann.reset();
    server.wait_for_log("ann left: reset by the client");
    server.cap("ann");
}

#[test]
fn changes_of_the_name_and_refused_logins_go_at_a_walking_pace() {
    const CHANGES: usize = 12;
    let server = Server::start();
    let mut ann = server.wac("ann");
    let begun = Instant::now();
    let script: String = (0..CHANGES).map(|number| format!("LIN a{number}\n")).collect();
    ann.send(script.as_bytes());
    (0..CHANGES).for_each(|number| ann.expect(&format!("You are now known as a{number}.")));
    let least = Duration::from_millis(200) * (CHANGES as u32 - 5);
    assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());

    let begun = Instant::now();
    let mut stranger = server.connect();
    stranger.send("LIN ,\n".repeat(CHANGES).as_bytes());
    for _ in 0..CHANGES {
        assert!(stranger.recv_line().expect("an answer").starts_with(b"Cannot log in as ,"));
    }
    assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());
}

#[test]
fn s17_with_little_memory_fewer_clients_and_shorter_lines_are_taken_and_the_server_goes_on() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 50000; exec \"$0\" --port 0"]).arg(cargo_bin!("server"));
    let server = Server::from(command);
    server.wait_for_log("connections fit into this machine's limits: ");
    let mut clients = server.fill_until_log("refused: too many connections for this machine's limits", 1000);
    assert!(clients.len() > 10, "{}", clients.len());
    // Each says far more than there is memory for, to one that does not read.
    std::thread::scope(|scope| {
        for client in clients.iter().skip(2) {
            scope.spawn(|| {
                for length in [1_000_000, 50_000, 50_000, 50_000] {
                    let _ = (&client.stream).write_all(format!("SEND c0 {}\n", "x".repeat(length)).as_bytes());
                }
                let _ = (&client.stream).write_all(format!("SEND c0 {}", "x".repeat(1_000_000)).as_bytes());
            });
        }
    });
    let [_, ann, ..] = &mut clients[..] else { panic!("too few") };
    ann.ask("SEND c1 hi", "SEND-OK");
    ann.expect("DELIVERY c1 hi");
    clients.truncate(2);
    wait_for("a login to work again", || server.try_cap("again"));
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_ends_one_connection_and_frees_its_name() {
    let mut command = server_program();
    command.args(["--port", "0"]).env("PARLEY_PANIC_AT", "SEND echobot panic");
    let server = Server::from(command);
    let mut bystanders = Bystanders::of(&server);
    let before = server.usage();
    bystanders.are_fine_while(|| {
        for _ in 0..20 {
            let mut ann = server.cap("ann");
            ann.ask("SEND bystander-bob", "BAD-RQST-BODY");
            ann.send_line("SEND echobot panic");
            let mut rest = Vec::new();
            let _ = ann.stream.read_to_end(&mut rest);
            assert_eq!(rest, b"");
        }
    });
    // Whoever was sent something before, with nothing written yet, gets it and stays.
    let mut bob = server.cap("bob");
    for _ in 0..20 {
        let mut ann = server.cap("ann");
        ann.send(b"SEND bob hi\nLIST\nSEND echobot panic\n");
        bob.expect("DELIVERY ann hi");
        let _ = ann.stream.read_to_end(&mut Vec::new());
    }
    bob.ask("LIST", "LIST-OK echobot,bystander-ann,bystander-bob,bob");
    drop(bob);
    let line = server.wait_for_log("internal error");
    assert!(line.contains(" error ") && line.contains("told to panic"), "{line}");
    server.wait_until_as_before(before);
    server.cap("ann").ask("LIST", "LIST-OK echobot,bystander-ann,bystander-bob,ann");
}

#[test]
fn g5_a_thousand_logins_and_resets_under_fire_leave_nothing_behind() {
    const ROUNDS: usize = 1000;
    let server = Server::with(&["--log-level", "error"]);
    let mut bystanders = Bystanders::of(&server);
    let mut sender = server.cap("sender");
    let before = server.usage();
    let over = std::sync::atomic::AtomicBool::new(false);
    bystanders.are_fine_while(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    sender.send(b"SEND ann some text to be in the middle of\n");
                    sender.recv_line().expect("an answer");
                }
            });
            let mut resets = 0;
            while resets < ROUNDS {
                let mut peer = server.connect();
                peer.send_line("HELLO-FROM ann");
                match peer.recv_line().as_deref() {
                    Some(b"HELLO ann") => {
                        peer.recv_line().expect("a delivery");
                        peer.reset();
                        resets += 1;
                    }
                    // The one before it is not quite gone.
                    Some(b"IN-USE") => {}
                    other => panic!("{other:?}"),
                }
            }
            over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    });
    server.wait_until_as_before(before);
    server.cap("ann").ask("LIST", "LIST-OK echobot,bystander-ann,bystander-bob,sender,ann");
}

#[test]
fn g9_g10_every_answer_that_is_owed_arrives_a_thousand_times() {
    let server = Server::with(&["--log-level", "error"]);
    let before = server.usage();
    let junk = [&b"JUNK\n"[..], &[b'x'; 10_000]].concat();
    for number in 0..1000 {
        let mut stranger = server.connect();
        stranger.send(&junk);
        stranger.expect("BAD-RQST-HDR");
        stranger.expect_end();
        let mut script = server.connect();
        script.send(format!("HELLO-FROM s{number}\nSEND s{number} x\nLIST x\n").as_bytes());
        script.finish();
        for line in [&format!("HELLO s{number}"), "SEND-OK", &format!("DELIVERY s{number} x"), "BAD-RQST-BODY"] {
            script.expect(line);
        }
        script.expect_end();
    }
    server.wait_until_as_before(before);
}

#[test]
fn g2_no_attack_on_a_terminal_reaches_the_log() {
    let server = Server::with(&["--log-level", "trace"]);
    for login in
        [&b"HELLO-FROM a\x1b[2Jb\n"[..], b"LIN \x1b]0;x\x07\n", b"REGISTER \xc2\x9b31m CHAT/1.0\n", b"\x1b[2J\n"]
    {
        let mut peer = server.connect();
        peer.send(login);
        peer.recv_line().expect("an answer");
    }
    server.cap("fence");
    let log = server.wait_for_log("fence logged in") + &server.log();
    assert!(!log.chars().any(|c| c.is_control() && c != '\n'), "{log:?}");
}

#[test]
fn what_speaks_some_other_protocol_is_answered_and_closed() {
    let server = Server::with(&["--login-timeout", "600"]);
    let mut bystanders = Bystanders::of(&server);
    let hello: &[u8] =
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x8a\x5c\x1e\x77\x20\xd0\x13\x02\x00\x2b\x00\x05\x04\x03\x04";
    let requests: [&[u8]; 6] = [
        hello,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x8f\x01\xc3\x1a\x99\x7f\x02\xee\xb4\x11",
        b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
    ];
    let cpu = server.cpu_time();
    bystanders.are_fine_while(|| {
        for request in requests {
            let mut stream = TcpStream::connect(server.address).expect("the server accepts");
            stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
            stream.write_all(request).expect("the server reads");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            assert_eq!(answer, b"BAD-RQST-HDR\n", "{request:?}");
        }
    });
    assert!(server.cpu_time().saturating_sub(cpu) < Duration::from_secs(1));
}

#[test]
fn silent_peers_are_probed_by_the_system() {
    let server = Server::start();
    let ann = server.cap("ann");
    let from = ann.stream.local_addr().expect("connected").port();
    // The server's end is the one whose remote port is the client's; timer 02 is the keepalive timer.
    let ours = format!(":{:04X} 0100007F:{from:04X} 01", server.address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("a table");
    let line = table.lines().find(|line| line.contains(&ours)).expect("the connection");
    let timer = line.split_whitespace().nth(5).expect("a timer");
    assert!(timer.starts_with("02:"), "{line}");
    let jiffies = u64::from_str_radix(&timer[3..], 16).expect("a time");
    assert!(jiffies <= 6000, "{line}");
}

#[test]
fn who_says_nothing_for_the_idle_timeout_is_disconnected_and_who_says_something_is_not() {
    let server = Server::with(&["--idle-timeout", "10"]);
    // Who talks was there before, so that its time would have passed too.
    let mut talker = server.cap("talker");
    let mut silent = server.chat("silent");
    wait_for("the silent one to be gone", || {
        talker.ask("SEND nobody hi", "BAD-DEST-USER");
        std::thread::park_timeout(Duration::from_millis(250));
        server.log().contains("silent left: idle").then_some(())
    });
    silent.expect_end();
    talker.ask("LIST", "LIST-OK echobot,talker");
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up_and_says_later_what_it_dropped() {
    let mut command = server_program();
    command.args(["--port", "0", "--log-level", "trace"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut output = child.stdout.take().expect("piped");
    let mut said = Vec::new();
    while said.iter().filter(|byte| **byte == b'\n').count() < 2 {
        let mut byte = [0];
        output.read_exact(&mut byte).expect("the address");
        said.push(byte[0]);
    }
    let said = String::from_utf8(said).expect("text");
    let address = said.trim().rsplit(' ').next().expect("an address").to_owned();
    // Far more than a pipe holds, and the lines that may wait.
    for number in 0..3000 {
        let mut peer = Peer::new(TcpStream::connect(&address).expect("the server accepts"));
        peer.ask(&format!("HELLO-FROM n{number}"), &format!("HELLO n{number}"));
        peer.finish();
        peer.expect_end();
    }
    let mut log = child.stderr.take().expect("piped");
    let mut text = String::new();
    let mut buffer = [0; 65536];
    while !text.contains("log lines were dropped") {
        match log.read(&mut buffer).expect("the log") {
            0 => panic!("the log ended"),
            count => text += &String::from_utf8_lossy(&buffer[..count]),
        }
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn a_closed_standard_error_or_output_is_no_matter() {
    for redirection in ["2>&-", ">&- 2>&-"] {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = taken.local_addr().expect("bound").port();
        drop(taken);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec \"$0\" --port {port} {redirection}")]).arg(cargo_bin!("server"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
        let stream = wait_for("the server to listen", || TcpStream::connect(("127.0.0.1", port)).ok());
        let mut ann = Peer::new(stream);
        ann.ask("HELLO-FROM ann", "HELLO ann");
        ann.expect_silence();
        child.kill().expect("it runs");
        child.wait().expect("it ends");
    }
    // Whoever read them is gone.
    let mut command = server_program();
    command.args(["--port", "0", "--log-level", "debug"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut told = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let listening = told.find(|line| line.starts_with("Listening")).expect("the address");
    drop((told, child.stderr.take()));
    let address = listening.rsplit(' ').next().expect("an address").to_owned();
    for name in ["ann", "bob"] {
        let mut peer = Peer::new(TcpStream::connect(&address).expect("the server accepts"));
        peer.ask(&format!("HELLO-FROM {name}"), &format!("HELLO {name}"));
        peer.expect_silence();
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn after_kill_9_the_port_can_be_had_again_at_once_and_the_clients_say_so() {
    let mut server = Server::start();
    let port = server.port();
    let mut client = Client::logged_in(&port, "ann");
    let _peers: Vec<Peer> = (0..50).map(|number| server.cap(&format!("c{number}"))).collect();
    server.kill();
    let server = Server::with(&["--port", &port]);
    client.expect_error("was lost");
    client.expect_exit(1);
    server.cap("ann");
}
