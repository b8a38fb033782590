//! Helpers for the tests of sessions.

use std::iter;

use super::*;

/// Returns the actions for an input.
pub(crate) fn handle(session: &mut Session, input: Input) -> Vec<Action> {
    session.handle(input);
    iter::from_fn(|| session.poll_action()).collect()
}

/// Returns the actions for an input as text, without `Action::Sent`.
pub(crate) fn feed(session: &mut Session, input: Input) -> Vec<String> {
    let actions = handle(session, input).into_iter();
    actions.filter(|action| !matches!(action, Action::Sent { .. })).map(show).collect()
}

/// An action as one line.
pub(crate) fn show(action: Action) -> String {
    match action {
        Action::Print(text) => format!("print {text}"),
        Action::Warn(text) => format!("warn {text}"),
        Action::Message { line, .. } => format!("print {line}"),
        Action::Sent { to, text } => format!("sent to {}: {text}", to.as_deref().unwrap_or("all")),
        Action::GiveBack(line) => format!("give back {line}"),
        Action::Names(Names::Online(names)) => format!("names {}", names.join(" ")),
        Action::Names(names) => format!("{names:?}"),
        Action::Help => "help".into(),
        Action::Connect => "connect".into(),
        Action::Reconnect(why) => format!("reconnect: {why}"),
        Action::LoggedIn => "logged in".into(),
        Action::Disconnect => "disconnect".into(),
        Action::Send(bytes) => format!("send {}", String::from_utf8(bytes).expect("text").trim_end_matches('\n')),
        Action::FinishSending => "finish".into(),
        Action::WaitAtMost(time) => format!("wait {}", time.as_secs_f64()),
        Action::WaitForever => "wait for ever".into(),
        Action::Exit(status) => format!("exit {status}"),
    }
}
