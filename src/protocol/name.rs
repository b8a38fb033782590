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
        if text.is_empty() || text.chars().nth(NAME_CHARS).is_some() || !text.chars().all(Self::allows) {
            return Err(InvalidName);
        }
        Ok(Self(text.into()))
    }
}

impl Name {
    /// Returns whether a name may have this character.
    pub(crate) fn allows(c: char) -> bool {
        (c.is_alphanumeric() && takes_a_column(c)) || matches!(c, '_' | '-' | '.')
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether a letter is seen as one of its own, so that no two names look alike for a letter that nobody sees (G12):
/// those that combine with the one before, which the standard library escapes, and the vowels, final consonants and fillers
/// of Hangul are not.
fn takes_a_column(c: char) -> bool {
    let is_hangul_part = matches!(c, '\u{115f}'..='\u{11ff}' | '\u{3164}' | '\u{d7b0}'..='\u{d7ff}' | '\u{ffa0}');
    !is_hangul_part && c.escape_debug().len() == 1
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
        f.write_str("1 to 64 letters, digits, '_', '-' and '.'")
    }
}

impl std::error::Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g3_accepts_what_a_name_may_be() {
        let longest = "é".repeat(NAME_CHARS);
        for text in ["a", "ann", "Ann_B-2.x", "张三", "éric", "...", "7", "한국어", "アン", longest.as_str()] {
            assert_eq!(Name::from_str(text).as_ref().map(Name::as_str), Ok(text));
        }
    }

    #[test]
    fn g3_g12_everything_else_is_refused() {
        let too_long = "a".repeat(NAME_CHARS + 1);
        let others = ["", " ", "a b", "a,b", "@a", "a!", "\"a\"", "a\t", "a\n", "a\u{7f}", "\u{fffd}", "a\u{301}"];
        let unseen =
            ["bob\u{1160}", "\u{3164}", "\u{115f}", "a\u{ffa0}", "a\u{345}", "\u{17b4}", "क\u{941}", "a\u{200d}"];
        let others: Vec<&str> = others.into_iter().chain(unseen).collect();
        for text in others.into_iter().chain([too_long.as_str()]) {
            assert_eq!(Name::from_str(text), Err(InvalidName), "{text:?}");
        }
    }

    #[test]
    fn g3_is_case_sensitive() {
        assert_ne!(Name::from_str("ann"), Name::from_str("Ann"));
    }
}
