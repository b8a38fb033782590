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
