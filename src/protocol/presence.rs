//! Who comes, goes and changes the name, as everybody else is told (G15).

use super::name::Name;
use super::text::put_line;

const MARK: &str = "* ";
const JOINED: &str = " has joined";
const LEFT: &str = " has left";
const RENAMED: &str = " is now ";

/// What has become of somebody. Nobody can say it in a message: that begins with a name, and no name has an asterisk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the text of a variant tells its fields")]
pub enum Presence<'a> {
    /// The user has logged in.
    Joined { name: &'a str },
    /// The user is gone.
    Left { name: &'a str },
    /// The user has another name.
    Renamed { from: &'a str, to: &'a str },
}

impl<'a> Presence<'a> {
    /// Decodes a line, if it is one of these.
    pub(super) fn decode(line: &'a str) -> Option<Self> {
        let line = line.strip_prefix(MARK)?;
        let (presence, names) = if let Some(name) = line.strip_suffix(JOINED) {
            (Self::Joined { name }, [name, name])
        } else if let Some(name) = line.strip_suffix(LEFT) {
            (Self::Left { name }, [name, name])
        } else {
            let (from, to) = line.split_once(RENAMED)?;
            (Self::Renamed { from, to }, [from, to])
        };
        names.iter().all(|name| name.parse::<Name>().is_ok()).then_some(presence)
    }

    /// Appends the line that tells it.
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        match self {
            Self::Joined { name } => put_line(out, &[MARK, name, JOINED]),
            Self::Left { name } => put_line(out, &[MARK, name, LEFT]),
            Self::Renamed { from, to } => put_line(out, &[MARK, from, RENAMED, to]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DIALECTS;
    use super::*;
    use crate::protocol::{Event, Scope};

    #[test]
    fn g15_a_line_of_its_own_tells_it_where_the_dialect_has_broadcasts() {
        for (presence, line) in [
            (Presence::Joined { name: "bob" }, "* bob has joined\n"),
            (Presence::Left { name: "bob" }, "* bob has left\n"),
            (Presence::Renamed { from: "bob", to: "eve" }, "* bob is now eve\n"),
        ] {
            for dialect in DIALECTS {
                let mut out = Vec::new();
                dialect.encode_event(&Event::Presence(presence), 0, &mut out);
                let expected = if dialect.name().starts_with("cap") { "" } else { line };
                assert_eq!(String::from_utf8_lossy(&out), expected, "{}", dialect.name());
            }
        }
    }

    #[test]
    fn g15_nobody_can_say_it_in_a_message() {
        for text in ["* bob has joined", "\n* bob has joined", " has joined", "* bob is now eve"] {
            for scope in [Scope::Direct, Scope::Broadcast] {
                for dialect in DIALECTS {
                    let mut out = Vec::new();
                    dialect.encode_event(&Event::Delivery { scope, from: "bob", text }, 0, &mut out);
                    let line = crate::protocol::sanitize(out.strip_suffix(b"\n").expect("a line")).into_owned();
                    assert!(!matches!(dialect.decode_event(&line), Some(Event::Presence(_))), "{line:?}");
                }
            }
        }
        for line in ["* a b has joined", "*  has joined", "bob has joined", "* @bob has left", "* a is now b c"] {
            assert_eq!(Presence::decode(line), None, "{line:?}");
        }
    }
}
