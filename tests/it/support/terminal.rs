//! The real client on a real terminal, which `script` of util-linux makes, and what a person sees there.

use std::env;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use assert_cmd::cargo::cargo_bin;

use super::{Collected, send_signal, wait_for};
use crate::virtual_screen::VirtualScreen;

/// A terminal with a client on it.
pub(crate) struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    output: Collected,
    /// Bytes of the output that are on the screen.
    shown: usize,
    /// Bytes of the output up to the end of what was waited for.
    awaited: usize,
    screen: VirtualScreen,
    folder: PathBuf,
}

impl Terminal {
    /// A client with these options on a terminal of this size.
    pub(crate) fn with(columns: usize, rows: usize, options: &str) -> Self {
        Self::running(columns, rows, &format!("exec '{}' {options}", cargo_bin!("client").display()))
    }

    /// A client that has logged in at the server on this port.
    #[track_caller]
    pub(crate) fn logged_in(columns: usize, rows: usize, port: &str, name: &str) -> Self {
        let mut terminal = Self::with(columns, rows, &format!("--port {port} --name {name}"));
        terminal.waits_for(&format!("logged in as {name}!\r\n"));
        terminal.forget();
        terminal
    }

    /// A client that has logged in at the server on this port, after a first key.
    #[track_caller]
    pub(crate) fn with_person(columns: usize, port: &str) -> Self {
        let mut terminal = Self::with(columns, 24, &format!("--port {port} --name ann"));
        terminal.waits_for("logged in as ann!\r\n");
        terminal.forget();
        terminal.meets_a_person();
        terminal
    }

    /// A terminal of this size that runs a line of shell, says how it ended, and notes its modes before and after it.
    pub(crate) fn running(columns: usize, rows: usize, line: &str) -> Self {
        Self::running_at(columns, rows, line, usize::MAX)
    }

    /// One that takes no more than so many bytes a second.
    pub(crate) fn running_at(columns: usize, rows: usize, line: &str, rate: usize) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("parley-{}-{number}", process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let there = folder.display();
        // Ctrl-C is for the client alone.
        let lines = [
            String::from("trap : INT"),
            format!("stty rows {rows} columns {columns} 2>/dev/null"),
            format!("tty > {there}/tty; stty -a > {there}/before"),
            format!("sh -c 'echo $$ > {there}/pid; {}'", line.replace('\'', "'\\''")),
            String::from("echo status $?"),
            format!("stty -a > {there}/after; echo over"),
        ];
        let mut command = Command::new("script");
        command.args(["-qefc", &lines.join("\n"), "/dev/null"]).env("TERM", "xterm").env("SHELL", "/bin/sh");
        let screen = VirtualScreen::new(if columns > 0 { columns } else { 80 }, if rows > 0 { rows } else { 24 });
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script, of util-linux, is installed");
        let keyboard = child.stdin.take().expect("piped");
        let output = Collected::at(rate, child.stdout.take().expect("piped"));
        Self { child, keyboard, output, shown: 0, awaited: 0, screen, folder }
    }

    #[track_caller]
    pub(crate) fn types(&mut self, keys: &str) {
        self.types_bytes(keys.as_bytes());
    }

    #[track_caller]
    pub(crate) fn types_bytes(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).expect("the terminal is there");
    }

    /// Waits until this is written, behind what was waited for before.
    #[track_caller]
    pub(crate) fn waits_for(&mut self, text: &str) {
        let before = self.awaited;
        let at = self.output.wait_for(text, |output, _| output[before..].find(text));
        self.awaited = before + at + text.len();
    }

    /// Waits until this and nothing else is on the screen.
    #[track_caller]
    pub(crate) fn sees(&mut self, expected: &str) {
        let (shown, screen) = (&mut self.shown, &mut self.screen);
        let seen = self.output.wait_for(expected, |output, ended| {
            screen.write(&output[*shown..]);
            *shown = output.len();
            let seen = screen.text();
            (seen == expected || ended).then_some(seen)
        });
        assert_eq!(seen, expected);
    }

    /// Waits until what is on the screen is so.
    #[track_caller]
    pub(crate) fn shows(&mut self, what: &str, fact: impl Fn(&str) -> bool) {
        let (shown, screen) = (&mut self.shown, &mut self.screen);
        self.output.wait_for(what, |output, _| {
            screen.write(&output[*shown..]);
            *shown = output.len();
            fact(&screen.text()).then_some(())
        });
    }

    /// Presses a key and takes it back, as nobody does but a person.
    #[track_caller]
    pub(crate) fn meets_a_person(&mut self) {
        self.types("x");
        self.waits_for("x");
        self.types("\x7f");
        self.waits_for("\x1b[J");
        self.forget();
    }

    /// The cursor's row and column.
    pub(crate) fn cursor(&self) -> (usize, usize) {
        self.screen.cursor()
    }

    /// What was written so far, escapes and all.
    pub(crate) fn written(&self) -> String {
        self.output.wait_for("", |output, _| Some(output.to_owned()))
    }

    /// Forgets everything above the row of the cursor.
    #[track_caller]
    pub(crate) fn forget(&mut self) {
        let written = self.written();
        self.screen.write(&written[self.shown..]);
        self.shown = written.len();
        self.screen.forget();
    }

    /// Gives the terminal another size, and waits until the client has drawn its line anew. What is written has to be on
    /// the screen already.
    #[track_caller]
    pub(crate) fn resize(&mut self, columns: usize, rows: usize) {
        self.screen.resize(columns, rows);
        self.awaited = self.shown;
        let device = fs::read_to_string(self.folder.join("tty")).expect("noted");
        let arguments = ["-F", device.trim(), "rows", &rows.to_string(), "columns", &columns.to_string()];
        assert!(Command::new("stty").args(arguments).status().expect("stty is installed").success());
        self.waits_for("\x1b[J");
    }

    /// Sends the client a signal, such as `TERM`.
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(signal, self.pid());
    }

    /// The client's process.
    #[track_caller]
    pub(crate) fn pid(&self) -> u32 {
        let noted = self.folder.join("pid");
        wait_for("the client", || fs::read_to_string(&noted).ok()?.trim().parse().ok())
    }

    /// The terminal's modes as they are now, in the words of `stty -a`.
    pub(crate) fn modes(&self) -> String {
        let device = fs::read_to_string(self.folder.join("tty")).expect("noted");
        let output = Command::new("stty").args(["-F", device.trim(), "-a"]).output().expect("stty is installed");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until the client has ended, with this status, and looks whether the terminal is what it was before.
    #[track_caller]
    pub(crate) fn ends(&mut self, status: i32) {
        self.output.wait_for("the end", |output, ended| (output.contains("over\r\n") || ended).then_some(()));
        let written = self.written();
        assert!(written.contains(&format!("status {status}\r\n")), "{written}");
        let noted = |name: &str| fs::read_to_string(self.folder.join(name)).expect("noted");
        assert_eq!(noted("after"), noted("before"));
        assert!(written.rfind("\x1b[?2004h") <= written.rfind("\x1b[?2004l"), "{written:?}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
