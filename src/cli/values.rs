//! The values on command lines, and the layout of the help.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// Columns of the help.
const COLUMNS: usize = 80;

/// The suffixes of a size, in powers of 1024.
const UNITS: [(char, u32); 3] = [('G', 30), ('M', 20), ('K', 10)];

pub(super) fn number<T: FromStr + PartialOrd + fmt::Display>(
    value: &str,
    range: RangeInclusive<T>,
) -> Result<T, String> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("a number from {} to {}", range.start(), range.end()))
}

/// Parses a size in bytes within bounds, such as `65536` or `64K`.
pub(super) fn size(value: &str, range: RangeInclusive<usize>) -> Result<usize, String> {
    let in_unit = |(unit, shift)| Some((value.strip_suffix(unit)?, shift));
    let (digits, shift) = UNITS.into_iter().find_map(in_unit).unwrap_or((value, 0));
    let size = digits.parse::<usize>().ok().and_then(|count| count.checked_mul(1 << shift));
    let expected = || format!("bytes, such as 64K, from {} to {}", in_units(*range.start()), in_units(*range.end()));
    size.filter(|size| range.contains(size)).ok_or_else(expected)
}

/// Returns a size in its largest whole unit.
fn in_units(bytes: usize) -> String {
    let whole = UNITS.into_iter().find(|(_, shift)| bytes > 0 && bytes % (1 << shift) == 0);
    whole.map_or_else(|| bytes.to_string(), |(unit, shift)| format!("{}{unit}", bytes >> shift))
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

/// Returns `a, b or c`.
pub(super) fn one_of(choices: &[&str]) -> String {
    match choices {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => choices.concat(),
    }
}

/// Wraps words behind a column, which is also the indent of all further lines.
pub(super) fn wrap(words: &[&str], indent: usize) -> String {
    let (mut wrapped, mut column) = (String::new(), indent);
    for word in words {
        let width = 1 + word.chars().count();
        if column + width > COLUMNS {
            wrapped += &format!("\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            wrapped.push(' ');
        }
        wrapped += word;
        column += width;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_units_of_1024() {
        for (value, expected) in [
            ("65536", Ok(65536)),
            ("64K", Ok(65536)),
            ("1M", Ok(1 << 20)),
            ("2G", Ok(2 << 30)),
            ("511", Err("bytes, such as 64K, from 512 to 2G".to_owned())),
            ("3G", Err("bytes, such as 64K, from 512 to 2G".to_owned())),
            ("K", Err("bytes, such as 64K, from 512 to 2G".to_owned())),
            ("18446744073709551615G", Err("bytes, such as 64K, from 512 to 2G".to_owned())),
        ] {
            assert_eq!(size(value, 512..=2 << 30), expected, "{value}");
        }
        assert_eq!([0, 512, 1536, 1 << 50].map(in_units), ["0", "512", "1536", "1048576G"]);
    }

    #[test]
    fn paragraphs_are_wrapped_at_80_columns() {
        let word = &*"é".repeat(39);
        assert_eq!(wrap(&[word, word, "a b", "c"], 0), format!("{word} {word}\na b c"));
        assert_eq!(wrap(&[word, word], 2), format!("{word}\n  {word}"));
    }
}
