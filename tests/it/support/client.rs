//! The real client, at a keyboard that a test types on.

use std::io::{ErrorKind, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use super::{Collected, client_program, send_signal, wait_for};

/// A running client, at a keyboard that a test types on.
pub(crate) struct Client {
    child: Child,
    keyboard: Option<ChildStdin>,
    output: Collected,
    errors: Collected,
    /// Bytes of the output that were asked for already.
    seen: usize,
}

impl Client {
    /// A client of the server on this port.
    pub(crate) fn start(port: &str) -> Self {
        Self::with(port, &[])
    }

    pub(crate) fn with(port: &str, options: &[&str]) -> Self {
        let mut command = client_program();
        command.args(["--port", port]).args(options);
        Self::from(command)
    }

    /// The client that this command starts.
    pub(crate) fn from(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the client starts");
        let output = Collected::from(child.stdout.take().expect("piped"));
        let errors = Collected::from(child.stderr.take().expect("piped"));
        let keyboard = child.stdin.take();
        Self { child, keyboard, output, errors, seen: 0 }
    }

    /// A client that has logged in.
    #[track_caller]
    pub(crate) fn logged_in(port: &str, name: &str) -> Self {
        let mut client = Self::start(port);
        client.expect("Welcome to Chat Client. Enter your login:");
        client.type_line(name);
        client.expect(&format!("Successfully logged in as {name}!"));
        client
    }

    #[track_caller]
    pub(crate) fn type_line(&mut self, line: &str) {
        self.type_bytes(format!("{line}\n").as_bytes());
    }

    /// Types this, unless the client has ended, which its status and its words tell.
    #[track_caller]
    pub(crate) fn type_bytes(&mut self, bytes: &[u8]) {
        let keyboard = self.keyboard.as_mut().expect("the keyboard is there");
        if let Err(error) = keyboard.write_all(bytes) {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        }
    }

    /// Sends it a signal, such as `INT`.
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(signal, self.child.id());
    }

    /// Ends the client's standard input.
    pub(crate) fn end_input(&mut self) {
        self.keyboard = None;
    }

    /// The next line shown has to be this one.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &str) {
        let seen = self.seen;
        let line = self.output.wait_for(expected, |text, ended| {
            let rest = &text[seen..];
            let whole = rest.split_once('\n').map(|(line, _)| line.to_owned());
            whole.or_else(|| ended.then(|| format!("{rest} (the end)")))
        });
        assert_eq!(line, expected, "in:\n{}", self.output_so_far());
        self.seen += line.len() + 1;
    }

    /// This line has to be shown, whatever is shown before it.
    #[track_caller]
    pub(crate) fn expect_eventually(&mut self, expected: &str) {
        let (seen, line) = (self.seen, format!("{expected}\n"));
        let at = self.output.wait_for(expected, |text, _| text[seen..].find(&line));
        self.seen += at + line.len();
    }

    /// Waits for a line on standard error with this in it.
    #[track_caller]
    pub(crate) fn expect_error(&self, part: &str) {
        self.errors.wait_for(part, |text, _| text.contains(part).then_some(()));
    }

    /// The program has to end with this status, and with nothing shown that was not asked for.
    #[track_caller]
    pub(crate) fn expect_exit(&mut self, status: i32) {
        let ended = self.wait();
        let output = self.output_so_far();
        assert_eq!(&output[self.seen..], "", "in:\n{output}");
        assert_eq!(ended.code(), Some(status), "{ended}\n{}", self.errors_so_far());
    }

    /// The program has to end with this status, whatever it shows.
    #[track_caller]
    pub(crate) fn expect_status(&mut self, status: i32) {
        let ended = self.wait();
        assert_eq!(ended.code(), Some(status), "{ended}\n{}", self.output_so_far());
    }

    /// Waits for the program's end, and returns its status.
    #[track_caller]
    pub(crate) fn status(&mut self) -> i32 {
        let ended = self.wait();
        self.output.wait_for("the end", |_, ended| ended.then_some(()));
        self.errors.wait_for("the end", |_, ended| ended.then_some(()));
        ended.code().expect("a status")
    }

    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let ended = wait_for("the client's end", || self.child.try_wait().expect("it can be asked"));
        self.output.wait_for("the end", |_, ended| ended.then_some(()));
        self.errors.wait_for("the end", |_, ended| ended.then_some(()));
        ended
    }

    pub(crate) fn output_so_far(&self) -> String {
        self.output.wait_for("", |text, _| Some(text.to_owned()))
    }

    pub(crate) fn errors_so_far(&self) -> String {
        self.errors.wait_for("", |text, _| Some(text.to_owned()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
