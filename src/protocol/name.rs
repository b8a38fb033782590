//! A user's name: parsed once, valid ever after (G3).

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::NAME_CHARS;

/// A name that keeps G3: 1 to 64 characters, each alphanumeric or one of `_`, `-` and `.`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

/// The error of a text that is no name by G3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidName;

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if text.is_empty() || text.chars().nth(NAME_CHARS).is_some() || !text.chars().all(allowed) {
            return Err(InvalidName);
        }
        Ok(Self(text.into()))
    }
}

impl Name {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a name: use 1 to 64 letters, digits, '_', '-' and '.'")
    }
}

impl std::error::Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g3_accepts_what_a_name_may_be() {
        let longest = "é".repeat(NAME_CHARS);
        for text in ["a", "ann", "Ann_B-2.x", "张三", "éric", "...", "7", longest.as_str()] {
            assert_eq!(Name::from_str(text).as_ref().map(Name::as_str), Ok(text));
        }
    }

    #[test]
    fn g3_refuses_everything_else() {
        let too_long = "a".repeat(NAME_CHARS + 1);
        let others = ["", " ", "a b", "a,b", "@a", "a!", "\"a\"", "a\t", "a\n", "a\u{7f}", "\u{fffd}", "a\u{301}"];
        for text in others.into_iter().chain([too_long.as_str()]) {
            assert_eq!(Name::from_str(text), Err(InvalidName), "{text:?}");
        }
    }

    #[test]
    fn g3_is_case_sensitive() {
        assert_ne!(Name::from_str("ann"), Name::from_str("Ann"));
    }
}
