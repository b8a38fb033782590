//! The values on command lines: from what is typed to what it means.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// Parses a number within bounds.
pub(super) fn number<T: FromStr + PartialOrd + fmt::Display>(
    value: &str,
    range: RangeInclusive<T>,
) -> Result<T, String> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("a number from {} to {}", range.start(), range.end()))
}

/// Parses a time in seconds, which may have a fraction.
pub(super) fn seconds(value: &str) -> Result<Duration, String> {
    let seconds = value.parse().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| String::from("seconds, from 0.001 to 86400"))
}

/// Parses a name or an address, IPv6 with or without brackets.
pub(super) fn address(value: &str) -> Result<String, String> {
    let bare = without_brackets(value);
    if bare.is_empty() || bare.matches(':').count() == 1 {
        return Err(String::from("a name or an address; a port goes into '--port'"));
    }
    Ok(bare.to_owned())
}

/// Removes the brackets that set an IPv6 address off from a port.
pub(super) fn without_brackets(address: &str) -> &str {
    address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address)
}

/// Splits a text into words as a shell does: at blanks, but not within '…' and "…". `None` if a quote has no end.
pub(super) fn split_words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if matches!(c, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_into_words_as_a_shell_does() {
        for (text, words) in [
            ("", Some(&[][..])),
            (" \t\n", Some(&[])),
            ("--name ann\n--bell", Some(&["--name", "ann", "--bell"])),
            ("--log='my chat.log' -n \"it's me\"", Some(&["--log=my chat.log", "-n", "it's me"])),
            ("'' a\"\"b", Some(&["", "ab"])),
            ("'a\"", None),
        ] {
            let words = words.map(|words| words.iter().map(|&word| word.to_owned()).collect());
            assert_eq!(split_words(text), words, "{text:?}");
        }
    }
}
