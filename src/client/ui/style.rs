//! How lines look beyond their text: the time before them, and colours.

use std::borrow::Cow;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";
/// For names: red, green, yellow, blue, magenta, cyan.
const COLORS: [&str; 6] = ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[36m"];

/// What is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// What the client adds of its own accord, if it writes to a terminal and `NO_COLOR` is not set. Never the lines that
    /// the protocols prescribe, which others may compare.
    #[default]
    Auto,
    /// That, and the names in messages.
    Always,
    /// Nothing.
    Never,
}

impl Color {
    /// All, by their names on the command line.
    pub const ALL: [(&'static str, Self); 3] = [("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
}

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineStyle {
    /// What the client adds is dimmed.
    pub(crate) dimmed: bool,
    /// Names have colours.
    pub(crate) colored: bool,
    /// Seconds by which the clock on the wall is ahead of UTC, if each line begins with its time.
    pub(crate) clock: Option<i64>,
}

impl LineStyle {
    /// Returns a line of the chat, or several, as it is shown; `sender` is where the name of who sent it stands.
    pub(crate) fn render<'a>(&self, text: &'a str, sender: Option<Range<usize>>, now: SystemTime) -> Cow<'a, str> {
        let colored = match sender {
            Some(Range { start, end }) if self.colored => {
                let name = &text[start..end];
                Cow::Owned([&text[..start], color(name), name, PLAIN, &text[end..]].concat())
            }
            _ => Cow::Borrowed(text),
        };
        let Some(ahead) = self.clock else { return colored };
        let time = self.dim(&time_of_day(now, ahead));
        let lines = colored.matches('\n').count() + 1;
        let mut timed = String::with_capacity(colored.len() + lines * (time.len() + 1));
        for line in colored.split_inclusive('\n') {
            if line != "\n" {
                timed += &time;
                timed.push(' ');
            }
            timed += line;
        }
        Cow::Owned(timed)
    }

    /// Styles a line of the client's own: dimmed where that is wanted.
    pub(crate) fn dim(&self, text: &str) -> String {
        if self.dimmed { [DIM, text, PLAIN].concat() } else { text.to_owned() }
    }
}

/// Returns the colour of a name, always the same for the same one.
fn color(name: &str) -> &'static str {
    let sum = name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    COLORS[sum as usize % COLORS.len()]
}

/// Returns `HH:MM:SS` on a clock that is so many seconds ahead of UTC.
fn time_of_day(now: SystemTime, ahead: i64) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let seconds = (seconds + ahead).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Returns how many seconds a clock is ahead of UTC by what `date +%z` says of it, such as `+0530`.
pub(crate) fn ahead_of_utc(zone: &str) -> Option<i64> {
    let number: i64 = zone.trim().parse().ok()?;
    Some((number / 100 * 60 + number % 100) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const PLAINLY: LineStyle = LineStyle { dimmed: false, colored: false, clock: None };

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn by_default_a_line_is_itself() {
        assert_eq!(PLAINLY.render("From bob: hi", Some(5..8), at(0)), "From bob: hi");
    }

    #[test]
    fn each_line_has_its_time_before_it_but_empty_ones() {
        let line_style = LineStyle { clock: Some(3600), ..PLAINLY };
        assert_eq!(line_style.render("one\n\ntwo", None, at(86_399)), "00:59:59 one\n\n00:59:59 two");
        let line_style = LineStyle { dimmed: true, ..line_style };
        assert_eq!(line_style.render("one", None, at(0)), "\x1b[2m01:00:00\x1b[0m one");
    }

    #[test]
    fn a_name_has_its_colour() {
        let line_style = LineStyle { colored: true, ..PLAINLY };
        let shown = line_style.render("From bob: bob", Some(5..8), at(0));
        assert_eq!(shown, format!("From {}bob\x1b[0m: bob", color("bob")));
        assert_eq!(line_style.render("Welcome", None, at(0)), "Welcome");
    }

    #[test]
    fn zones_are_read_as_date_writes_them() {
        for (zone, ahead) in [("+0000\n", Some(0)), ("+0530", Some(19_800)), ("-0330", Some(-12_600)), ("UTC", None)] {
            assert_eq!(ahead_of_utc(zone), ahead, "{zone}");
        }
    }
}
