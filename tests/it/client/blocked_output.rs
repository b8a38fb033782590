//! Whatever the client's screen does not take, it can be ended, and it takes in no more than it can show.

use std::env;
use std::fs;
use std::io::{ErrorKind, Write};
use std::process::{self, Child, Stdio};
use std::thread;
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;

use crate::support::{
    Client, FakeServer, Peer, Server, Terminal, client_program, ending_signals, keeps, peak_memory, send_signal, timed,
    wait_for,
};

/// What the client may take: 64 MiB, of which the longest line is an eighth.
const MOST_MEMORY: usize = 64 << 20;

/// A client whose standard output is a pipe that nobody reads.
struct Unread {
    child: Child,
    peer: Peer,
}

impl Unread {
    fn start(protocol: &str) -> Self {
        let server = FakeServer::start();
        let mut command = client_program();
        command.args(["--port", &server.port(), "--protocol", protocol, "--name", "ann"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut peer = server.accept();
        match protocol {
            "cap" => peer.ask_back("HELLO-FROM ann", "HELLO ann"),
            "wac" => peer.ask_back("LIN ann", "Welcome, ann."),
            _ => peer.ask_back("REGISTER ann CHAT/1.0", "200 OK"),
        }
        Self { child: child.expect("it starts"), peer }
    }

    /// Sends this line until the client takes no more; returns how many bytes it has taken, with the kernel. It may take
    /// whatever it does not show.
    fn flood(&mut self, line: &[u8]) -> usize {
        self.peer.stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a socket");
        let mut sent = 0;
        while sent < 200 << 20 {
            match self.peer.stream.write(&line[sent % line.len()..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return sent,
                Err(error) => panic!("{error}"),
            }
        }
        sent
    }

    /// Waits until the client has ended with this status.
    #[track_caller]
    fn ends(mut self, status: i32) {
        let ended = wait_for("the client's end", || self.child.try_wait().expect("it can be asked"));
        assert_eq!(ended.code(), Some(status));
    }
}

/// A message of so many characters, for any client.
fn delivery(length: usize) -> Vec<u8> {
    [b"DELIVERY bob ".as_slice(), &vec![b'x'; length], b"\n"].concat()
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn k6_a_signal_ends_a_client_whose_output_nobody_reads() {
    for ((signal, status), protocol) in ending_signals().into_iter().zip(["cap", "wac", "chat"]) {
        let mut client = Unread::start(protocol);
        client.flood(&delivery(100));
        send_signal(signal, client.child.id());
        client.ends(status);
    }
}

#[test]
fn ri7_quit_ends_a_client_whose_output_nobody_reads() {
    for protocol in ["cap", "wac", "chat"] {
        let mut client = Unread::start(protocol);
        client.flood(&delivery(1 << 20));
        client.child.stdin.as_mut().expect("piped").write_all(b"!quit\n").expect("it reads");
        client.ends(0);
    }
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_k6_a_signal_ends_a_client_whose_output_nobody_reads_within_1_s() {
    keeps(Duration::from_secs(1), || {
        let mut client = Unread::start("cap");
        client.flood(&delivery(1000));
        timed(|| {
            send_signal("TERM", client.child.id());
            client.ends(143);
        })
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_ri7_quit_ends_a_client_whose_output_nobody_reads_within_2_s() {
    keeps(Duration::from_secs(2), || {
        let mut client = Unread::start("cap");
        client.flood(&delivery(1000));
        timed(|| {
            client.child.stdin.as_mut().expect("piped").write_all(b"!quit\n").expect("it reads");
            client.ends(0);
        })
    });
}

#[test]
#[ignore = "measures a time; `make soak` runs it"]
fn soak_k6_a_client_whose_server_is_killed_ends_within_1_s() {
    keeps(Duration::from_secs(1), || {
        let mut server = Server::start();
        let mut client = Client::logged_in(&server.port(), "ann");
        timed(|| {
            server.kill();
            client.expect_exit(1);
        })
    });
}

#[test]
fn what_waits_to_be_shown_is_bounded() {
    for length in [0, 100, 1 << 20, (8 << 20) - 20] {
        // Each of the latter is shown as three bytes, and the longest such line is too long to be shown.
        for byte in [b'x', 0xff] {
            let mut client = Unread::start("cap");
            let line: Vec<u8> = delivery(length).into_iter().map(|b| if b == b'x' { byte } else { b }).collect();
            let taken = client.flood(&line);
            let memory = peak_memory(client.child.id()).expect("it lives");
            assert!(memory < MOST_MEMORY, "{memory} bytes of memory, {taken} taken, lines of {length}");
        }
    }
}

#[test]
fn a_slow_terminal_holds_up_no_signal_and_is_restored() {
    // What waits in the terminal alone would take it a second.
    const RATE: usize = 16 << 10;
    let client = cargo_bin!("client").display().to_string();
    let line = "x".repeat(1 << 20);
    for (signal, keys, status) in [(Some("TERM"), "", 143), (None, "\x15!quit\n", 0), (None, "\x15\x03", 130)] {
        let server = FakeServer::start();
        let command = format!("exec '{client}' --port {} --name ann", server.port());
        let mut ann = Terminal::running_at(80, 24, &command, RATE);
        let mut peer = server.accept();
        peer.ask_back("HELLO-FROM ann", "HELLO ann");
        ann.waits_for("logged in as ann!");
        ann.types("half");
        ann.waits_for("half");
        let mut voice = peer.stream.try_clone().expect("a socket");
        thread::scope(|scope| {
            scope.spawn(|| while voice.write_all(format!("DELIVERY bob {line}\n").as_bytes()).is_ok() {});
            ann.waits_for(&"x".repeat(2 * RATE));
            let pid = ann.pid();
            match signal {
                Some(signal) => ann.signal(signal),
                None => ann.types(keys),
            }
            wait_for("the client's end", || peak_memory(pid).is_none().then_some(()));
            drop(peer);
        });
        ann.ends(status);
    }
}

#[test]
fn k6_ctrl_c_ends_a_client_that_still_shows_what_there_was() {
    let status = env::temp_dir().join(format!("parley-status-{}", process::id()));
    let server = FakeServer::start();
    let client = cargo_bin!("client").display().to_string();
    let command = format!("'{client}' --port {} --name ann; echo $? > {}", server.port(), status.display());
    // It takes nothing more for minutes.
    let mut ann = Terminal::running_at(80, 24, &command, 1 << 10);
    let mut peer = server.accept();
    peer.ask_back("HELLO-FROM ann", "HELLO ann");
    ann.waits_for("logged in as ann!");
    // As much as the client takes in before any of it is shown.
    peer.send(&delivery(240 << 10));
    peer.finish();
    while peer.recv_line().is_some() {}
    ann.types("\x03");
    let ended = wait_for("the client's end", || fs::read_to_string(&status).ok().filter(|text| text.ends_with('\n')));
    let _ = fs::remove_file(&status);
    assert_eq!(ended, "130\n");
}

#[test]
fn a_list_of_a_million_names_freezes_nothing() {
    let server = FakeServer::start();
    let mut ann = Terminal::with(80, 24, &format!("--port {} --name ann", server.port()));
    let mut peer = server.accept();
    peer.ask_back("HELLO-FROM ann", "HELLO ann");
    ann.waits_for("logged in as ann!");
    let names: String = (0..1_000_000).map(|number| format!(",n{number:06}")).collect();
    ann.types("!who\n");
    peer.ask_back("LIST", &format!("LIST-OK {}", &names[1..]));
    ann.waits_for("- n999999\r\n");
    ann.types("@");
    ann.waits_for("@");
    ann.types("n99999\t\t");
    ann.waits_for("n999991 ");
    ann.types("\x15!quit\n");
    while peer.recv_line().is_some() {}
    drop(peer);
    ann.ends(0);
}
