//! The terminal is what it was before, however the client ends, and where it cannot be edited on, it is left alone.

use std::env;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use parley::signals::Signal;

use crate::support::{Client, FakeServer, Server, Terminal, ending_signals, peak_memory, send_signal, wait_for};

/// A client that edits the line.
fn editing(server: &Server, name: &str) -> Terminal {
    let terminal = Terminal::logged_in(80, 24, &server.port(), name);
    assert!(terminal.modes().contains("-icanon"), "{}", terminal.modes());
    assert!(terminal.modes().contains("-echo "), "{}", terminal.modes());
    terminal
}

#[test]
fn every_end_restores_the_terminal() {
    let server = Server::start();
    let others = [
        ("QUIT", 131),
        ("TRAP", 133),
        ("BUS", 135),
        ("SEGV", 139),
        ("ABRT", 134),
        ("USR1", 138),
        ("USR2", 140),
        ("ALRM", 142),
        ("PROF", 155),
        ("SYS", 159),
        ("34", 162),
        ("64", 192),
    ];
    for (signal, status) in ending_signals().into_iter().chain(others) {
        let mut ann = editing(&server, signal);
        ann.types("half a line");
        ann.sees("half a line");
        ann.signal(signal);
        ann.ends(status);
    }
    for (name, keys, status) in [("a", "!quit\n", 0), ("b", "\x04", 0), ("c", "\x03", 130), ("d", "half\x03", 130)] {
        let mut ann = editing(&server, name);
        ann.types(keys);
        ann.ends(status);
    }
}

#[test]
fn the_end_of_the_server_restores_the_terminal() {
    let mut server = Server::start();
    let mut ann = editing(&server, "ann");
    ann.types("half a line");
    ann.sees("half a line");
    server.kill();
    ann.ends(1);
    let left = ann.written().split_once("The connection to 127.0.0.1 port").expect("it is said").1.to_owned();
    assert!(left.contains("half a line\r\n"), "{left:?}");
}

#[test]
fn a_panic_restores_the_terminal() {
    let server = Server::start();
    let line =
        format!("PARLEY_PANIC_AT=boom exec '{}' --port {} --name ann", cargo_bin!("client").display(), server.port());
    let mut ann = Terminal::running(80, 24, &line);
    ann.waits_for("logged in as ann!");
    ann.types("boom\n");
    ann.ends(101);
}

#[test]
fn ctrl_z_leaves_the_terminal_to_the_shell_and_fg_takes_it_again() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let mut shell = Terminal::running(80, 24, "PS1='$ ' exec sh -i");
    shell.types(&format!("'{}' --port {} --name ann\n", cargo_bin!("client").display(), server.port()));
    shell.waits_for("logged in as ann!");
    shell.types("@bob half");
    shell.waits_for("@bob half");
    shell.types("\x1a");
    shell.waits_for("Stopped");
    assert!(shell.modes().contains(" icanon"), "{}", shell.modes());
    assert!(!shell.modes().contains("-echo "), "{}", shell.modes());
    bob.ask("SEND ann while away", "SEND-OK");
    shell.types("fg\n");
    shell.waits_for("\x1b[?2004h");
    shell.waits_for("From bob: while away");
    shell.waits_for("@bob half");
    shell.types(" a line");
    shell.waits_for(" a line");
    // In the background it shows messages and nothing else, and it comes back without a signal.
    shell.types("\x1a");
    shell.waits_for("Stopped");
    shell.types("bg\n");
    bob.ask("SEND ann in the background", "SEND-OK");
    shell.waits_for("From bob: in the background\r\n");
    shell.types("echo shell\n");
    shell.waits_for("\nshell\r\n");
    shell.types("fg\n");
    shell.waits_for("@bob half a line");
    shell.types("\n");
    bob.expect("DELIVERY ann half a line");
    shell.types("!quit\n");
    shell.waits_for("\x1b[?2004l");
    shell.waits_for("$ ");
    // A suspended client that is told to go does so without a terminal.
    shell.types(&format!("'{}' --port {} --name eve\n", cargo_bin!("client").display(), server.port()));
    shell.waits_for("logged in as eve!");
    shell.types("\x1a");
    shell.waits_for("Stopped");
    shell.types("kill %1; kill -CONT %1\n");
    server.wait_for_log("eve left");
    // A shell that has not heard of that end yet warns once of a stopped job.
    shell.types("exit 7\nexit 7\n");
    shell.ends(7);
}

#[test]
fn a_terminal_that_controls_no_jobs_is_edited_on_as_well() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let client = cargo_bin!("client").display().to_string();
    let mut ann = Terminal::running(80, 24, &format!("setsid -w '{client}' --port {} --name ann", server.port()));
    ann.waits_for("logged in as ann!");
    assert!(ann.modes().contains("-icanon"), "{}", ann.modes());
    ann.types("@bob x\x7fhi\n");
    bob.expect("DELIVERY ann hi");
    ann.types("!quit\n");
    ann.ends(0);
}

#[test]
fn without_stty_the_line_is_the_terminal_s_own() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let line = format!("PATH=/nowhere exec '{}' --port {} --name ann", cargo_bin!("client").display(), server.port());
    let mut ann = Terminal::running(80, 24, &line);
    ann.waits_for("This terminal's line cannot be edited here: stty: ");
    ann.waits_for("logged in as ann!");
    ann.types("@bob hi\n");
    bob.expect("DELIVERY ann hi");
    ann.types("!quit\n");
    ann.ends(0);
}

#[test]
fn k6_a_client_that_hangs_is_ended_by_the_next_signal_and_the_terminal_restored() {
    let server = Server::start();
    let folder = env::temp_dir().join(format!("parley-stty-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (stty, told) = (folder.join("stty"), folder.join("told"));
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = size ] && [ -e {0} ] && echo $$ > {0} && exec sleep 60\nexec /bin/stty \"$@\"",
        told.display()
    );
    fs::write(&stty, script).expect("a file");
    fs::set_permissions(&stty, fs::Permissions::from_mode(0o700)).expect("a file");
    let (path, client) = (folder.display(), cargo_bin!("client").display().to_string());
    let line = format!("PATH={path}:$PATH exec '{client}' --port {} --name ann", server.port());
    let mut ann = Terminal::running(80, 24, &line);
    ann.waits_for("logged in as ann!");
    fs::write(&told, "").expect("a file");
    ann.signal("WINCH");
    let hanging = wait_for("stty", || fs::read_to_string(&told).ok()?.trim().parse().ok());
    let pid = ann.pid();
    wait_for("the end", || {
        // It fails where the client has ended since it was looked at.
        let _ = Command::new("kill").arg(pid.to_string()).stderr(Stdio::null()).status();
        thread::park_timeout(Duration::from_millis(300));
        peak_memory(pid).is_none().then_some(())
    });
    ann.ends(143);
    send_signal("KILL", hanging);
    fs::remove_dir_all(&folder).expect("the folder");
}

#[test]
fn a_terminal_that_nobody_edits_on_is_left_alone() {
    let server = Server::start();
    let client = format!("'{}' --port {} --name", cargo_bin!("client").display(), server.port());
    for (name, line) in [
        ("dumb", format!("TERM=dumb {client} dumb")),
        ("plain", format!("{client} plain --plain")),
        ("silent", format!("stty -echo; {client} silent; stty echo")),
    ] {
        let mut ann = Terminal::running(80, 24, &line);
        ann.waits_for(&format!("logged in as {name}!"));
        assert!(!ann.modes().contains("-icanon"), "{}", ann.modes());
        ann.types("!who\n");
        ann.waits_for(&format!("- {name}"));
        ann.types("!quit\n");
        wait_for("the end", || ann.written().contains("over").then_some(()));
        assert!(!ann.written().contains('\x1b'), "{:?}", ann.written());
    }
}

#[test]
fn what_is_wanted_by_options_is_done() {
    let server = Server::start();
    let mut bob = server.cap("bob");
    let log = env::temp_dir().join(format!("parley-log-{}", std::process::id()));
    fs::write(&log, "2026-01-01T00:00:00Z before\n").expect("a file");
    let options = format!("--bell --timestamps --color always --log {}", log.display());
    let mut ann = Terminal::with(80, 24, &format!("--port {} --name ann {options}", server.port()));
    ann.waits_for("logged in as ann!");
    bob.ask("SEND ann hi", "SEND-OK");
    ann.waits_for("\x07");
    let written = ann.written();
    let line = written.lines().find(|line| line.contains("From")).expect("a message");
    assert!(line.starts_with("\x1b[2m"), "{line:?}");
    let [hours, minutes] = [&line[4..6], &line[7..9]].map(|digits| digits.parse::<u8>().expect("a number"));
    assert!(hours < 24 && minutes < 60 && &line[6..7] == ":", "{line:?}");
    assert!(line.contains("m From \x1b[3") && line.contains("mbob\x1b[0m: hi"), "{line:?}");
    ann.types("@bob a\u{9b}b\n");
    bob.expect("DELIVERY ann a\u{fffd}b");
    ann.waits_for("The message was sent");
    ann.types("!quit\n");
    ann.ends(0);
    let copied = fs::read_to_string(&log).expect("the copy");
    let lines: Vec<&str> = copied.lines().map(|line| line.split_once("Z ").expect("a time").1).collect();
    let login = ["before", "Welcome to Chat Client. Enter your login:", "Successfully logged in as ann!"];
    let chat = ["From bob: hi", "> @bob a\u{fffd}b", "The message was sent succesfully", "> !quit"];
    assert_eq!(lines, [&login[..], &chat].concat());
    fs::remove_file(&log).expect("the copy");
}

#[test]
fn a_file_that_was_there_keeps_its_mode_and_a_new_one_is_one_s_own() {
    let server = Server::start();
    let folder = env::temp_dir().join(format!("parley-modes-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let [old, link, new] = ["old", "link", "new"].map(|name| folder.join(name));
    fs::write(&old, "").expect("a file");
    fs::set_permissions(&old, fs::Permissions::from_mode(0o644)).expect("a file");
    symlink(&old, &link).expect("a link");
    for (log, mode) in [(&old, 0o644), (&link, 0o644), (&new, 0o600)] {
        let mut ann = Client::with(&server.port(), &["--name", "ann", "--log", &log.display().to_string()]);
        ann.end_input();
        ann.expect_status(0);
        let permissions = fs::metadata(log).expect("the copy").permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{}", log.display());
        assert!(fs::read_to_string(log).expect("the copy").contains("logged in as ann"));
    }
    assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
    fs::remove_dir_all(&folder).expect("the folder");
}

#[test]
fn a_log_that_is_a_full_pipe_is_given_up_and_the_chat_goes_on() {
    let server = FakeServer::start();
    let pipe = env::temp_dir().join(format!("parley-pipe-{}", std::process::id()));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it is installed").success());
    let _reader = OpenOptions::new().read(true).write(true).open(&pipe).expect("a pipe");
    let log = pipe.display().to_string();
    let mut ann = Client::with(&server.port(), &["--protocol", "wac", "--name", "ann", "--log", &log]);
    let mut peer = server.accept();
    peer.expect("LIN ann");
    peer.send_line(&"x".repeat(1_000_000));
    ann.expect_error("Nothing more is copied to ");
    peer.send_line("later");
    ann.expect_eventually("later");
    fs::remove_file(&pipe).expect("the pipe");
}

#[test]
fn k6_a_terminal_that_is_gone_is_a_hang_up() {
    // Under `nohup` a shell cannot take back that hang-ups are ignored.
    if Signal::HangUp.is_ignored() {
        return;
    }
    let server = Server::start();
    let client = cargo_bin!("client").display().to_string();
    let told = env::temp_dir().join(format!("parley-gone-{}", std::process::id()));
    for (name, options, welcome) in [
        ("a", "", "logged in as a!"),
        ("b", "--plain", "logged in as b!"),
        ("c", "--protocol wac", "Welcome, c."),
        ("d", "--protocol chat", "Registration successful."),
    ] {
        let options = format!("--port {} --name {name} {options}", server.port());
        let line = format!("trap : HUP; '{client}' {options}; echo $? > {}", told.display());
        let mut ann = Terminal::running(80, 24, &line);
        ann.waits_for(welcome);
        drop(ann);
        let status = wait_for("the status", || fs::read_to_string(&told).ok().filter(|text| text.ends_with('\n')));
        // Under `nohup` it is the end of the input, as what the shell was told to ignore it cannot take back.
        assert_eq!(status, if Signal::HangUp.is_ignored() { "0\n" } else { "129\n" }, "{options}");
        fs::remove_file(&told).expect("noted");
    }
}
