//! Times, colours and the bell.

use std::env;
use std::ops::Range;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::options::{Bell, Color, UiOptions};
use crate::log;

const DIM: &str = "\x1b[2m";
/// For the user's own name.
const HIGHLIGHT: &str = "\x1b[1;7m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";
/// For names: red, green, yellow, blue, magenta, cyan.
const COLORS: [&str; 6] = ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[36m"];

/// The word behind the sender's name that tells a whisper.
const WHISPERS: &str = "whispers";

/// How chat lines look and sound.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineStyle {
    colored: bool,
    /// Colours begin in keyboard mode.
    may_color: bool,
    /// Each line begins with its time.
    timed: bool,
    /// Seconds that local time is ahead of UTC.
    ahead: i64,
    /// The day of the last line with a time.
    day: Option<i64>,
    bell: Bell,
}

impl LineStyle {
    pub(crate) fn new(options: &UiOptions) -> Self {
        let has_colors = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            colored: options.color == Color::Always,
            may_color: options.color == Color::Auto && has_colors,
            timed: options.timestamps,
            ahead: if options.timestamps { local_time_ahead() } else { 0 },
            day: None,
            bell: options.bell,
        }
    }

    /// Begins with the colours that only a user at the keyboard gets.
    pub(crate) fn enter_keyboard_mode(&mut self) {
        self.colored |= self.may_color;
    }

    /// Returns whether a message to the user `me` rings the bell.
    pub(crate) fn rings(&self, text: &str, is_direct: bool, me: &str) -> bool {
        match self.bell {
            Bell::Off => false,
            Bell::Personal => is_direct || find_name(text, me).is_some(),
            Bell::All => true,
        }
    }

    /// Returns one or several lines with the time before each.
    pub(crate) fn line(&mut self, text: &str, now: SystemTime) -> String {
        if !self.timed {
            return text.to_owned();
        }
        let time = self.time(now);
        let mut timed = self.date(now);
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                timed += &time;
            }
            timed += line;
        }
        timed
    }

    /// Returns a message as the user `me` sees it; the sender's name is at `sender`.
    pub(crate) fn message(&mut self, line: &str, sender: Range<usize>, me: &str, now: SystemTime) -> String {
        if !self.colored {
            return self.line(line, now);
        }
        let (name, mut rest) = (&line[sender.clone()], &line[sender.end..]);
        let mut shown = String::with_capacity(line.len() + 32);
        shown.extend([&line[..sender.start], color(name), name, PLAIN]);
        if let Some(behind) = rest.strip_prefix(' ').and_then(|rest| rest.strip_prefix(WHISPERS)) {
            shown.extend([" ", BOLD, WHISPERS, PLAIN]);
            rest = behind;
        }
        while let Some(Range { start, end }) = find_name(rest, me) {
            shown.extend([&rest[..start], HIGHLIGHT, &rest[start..end], PLAIN]);
            rest = &rest[end..];
        }
        shown += rest;
        self.line(&shown, now)
    }

    /// Returns the user's own message.
    pub(crate) fn sent(&mut self, from: &str, to: Option<&str>, text: &str, now: SystemTime) -> String {
        let to = to.map_or(String::new(), |to| format!(" → {}", self.name(to)));
        self.line(&format!("{}{to}: {text}", self.name(from)), now)
    }

    /// Returns lines of the client itself.
    pub(crate) fn dim(&self, text: &str) -> String {
        let between = [PLAIN, "\n", DIM].concat();
        if self.colored { [DIM, &text.replace('\n', &between), PLAIN].concat() } else { text.to_owned() }
    }

    fn name(&self, name: &str) -> String {
        if self.colored { [color(name), name, PLAIN].concat() } else { name.to_owned() }
    }

    fn time(&self, now: SystemTime) -> String {
        let minutes = self.wall_clock(now).rem_euclid(86_400) / 60;
        self.dim(&format!("{:02}:{:02}", minutes / 60, minutes % 60)) + " "
    }

    /// Returns a line with the date if the last line was on another day.
    fn date(&mut self, now: SystemTime) -> String {
        let seconds = self.wall_clock(now);
        let day = seconds.div_euclid(86_400);
        if self.day.replace(day).is_none_or(|last| last == day) {
            return String::new();
        }
        let now = UNIX_EPOCH + Duration::from_secs(seconds.max(0) as u64);
        self.dim(&format!("— {} —", &log::rfc3339(now)[..10])) + "\n"
    }

    /// Returns the seconds since 1970 in local time.
    fn wall_clock(&self, now: SystemTime) -> i64 {
        now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64) + self.ahead
    }
}

/// Finds a name as a word in a text; case does not matter.
fn find_name(text: &str, name: &str) -> Option<Range<usize>> {
    let first = name.bytes().next()?;
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut from = 0;
    while let Some(at) = text.as_bytes()[from..].iter().position(|byte| byte.eq_ignore_ascii_case(&first)) {
        let (start, end) = (from + at, from + at + name.len());
        let is_name = text.get(start..end).is_some_and(|word| word.eq_ignore_ascii_case(name))
            && !is_part(text[..start].chars().next_back())
            && !is_part(text[end..].chars().next());
        if is_name {
            return Some(start..end);
        }
        from = start + 1;
    }
    None
}

/// Returns a colour that depends on the name alone.
fn color(name: &str) -> &'static str {
    let sum = name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    COLORS[sum as usize % COLORS.len()]
}

/// Returns the seconds that local time is ahead of UTC, as `date` says.
fn local_time_ahead() -> i64 {
    let output = Command::new("date").arg("+%z").stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.ok().and_then(|output| ahead_of_utc(&String::from_utf8_lossy(&output.stdout))).unwrap_or(0)
}

/// Parses the output of `date +%z`, such as `+0530`, into seconds.
fn ahead_of_utc(zone: &str) -> Option<i64> {
    let number: i64 = zone.trim().parse().ok()?;
    Some((number / 100 * 60 + number % 100) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn without_options_a_line_is_unchanged() {
        let mut style = LineStyle::default();
        assert_eq!(style.line("one\ntwo", at(0)), "one\ntwo");
        assert_eq!(style.message("From bob: hi ann", 5..8, "ann", at(0)), "From bob: hi ann");
        assert_eq!(style.dim("words"), "words");
    }

    #[test]
    fn each_line_but_an_empty_one_begins_with_its_time() {
        let mut style = LineStyle { timed: true, ahead: 3600, ..LineStyle::default() };
        assert_eq!(style.line("one\n\ntwo", at(86_399)), "00:59 one\n\n00:59 two");
        assert_eq!(style.message("bob: hi", 0..3, "ann", at(86_400)), "01:00 bob: hi");
        let mut style = LineStyle { colored: true, ..style };
        assert_eq!(style.line("one", at(86_400)), "\x1b[2m01:00\x1b[0m one");
    }

    #[test]
    fn a_new_day_begins_with_a_line_for_the_date() {
        let mut style = LineStyle { timed: true, ahead: 7200, ..LineStyle::default() };
        let noon = 1_795_258_800;
        assert_eq!(style.line("one", at(noon)), "13:00 one");
        assert_eq!(style.sent("ann", None, "two", at(noon + 39_599)), "23:59 ann: two");
        assert_eq!(style.sent("ann", None, "three", at(noon + 39_600)), "— 2026-11-22 —\n00:00 ann: three");
        assert_eq!(style.line("four", at(noon + 39_660)), "00:01 four");
        assert_eq!(style.line("five", at(noon + 3 * 86_400)), "— 2026-11-24 —\n13:00 five");
        let mut style = LineStyle { timed: false, ..style };
        assert_eq!(style.sent("ann", None, "six", at(noon)), "ann: six");
    }

    #[test]
    fn an_own_message_shows_its_sender_and_its_recipient() {
        let mut style = LineStyle { timed: true, ..LineStyle::default() };
        assert_eq!(style.sent("ann", Some("bob"), "hello", at(3660)), "01:01 ann → bob: hello");
        assert_eq!(style.sent("ann", None, "hello", at(3660)), "01:01 ann: hello");
        let mut style = LineStyle { colored: true, ..style };
        let names = [color("ann"), "ann\x1b[0m → ", color("bob"), "bob\x1b[0m: hello"].concat();
        assert_eq!(style.sent("ann", Some("bob"), "hello", at(3660)), format!("\x1b[2m01:01\x1b[0m {names}"));
    }

    #[test]
    fn names_whispers_and_the_user_s_own_name_are_coloured() {
        let mut style = LineStyle { colored: true, ..LineStyle::default() };
        let bob = format!("{}bob\x1b[0m", color("bob"));
        let mut shown = |line: &str, sender| style.message(line, sender, "ann", at(0));
        assert_eq!(shown("From bob: bob", 5..8), format!("From {bob}: bob"));
        assert_eq!(shown("bob: hi Ann, ann", 0..3), format!("{bob}: hi \x1b[1;7mAnn\x1b[0m, \x1b[1;7mann\x1b[0m"));
        assert_eq!(shown("bob whispers, \"psst\"", 0..3), format!("{bob} \x1b[1mwhispers\x1b[0m, \"psst\""));
        assert_eq!(shown("@bob whispers: psst", 1..4), format!("@{bob} \x1b[1mwhispers\x1b[0m: psst"));
        assert_eq!(shown("From bob: he whispers", 5..8), format!("From {bob}: he whispers"));
        assert_ne!(color("ann"), color("bob"));
    }

    #[test]
    fn a_name_is_found_as_a_word() {
        for (text, found) in [
            ("ann", Some(0..3)),
            ("hi ANN!", Some(3..6)),
            ("anna, joann, _ann_ and ann.", Some(23..26)),
            ("@ann", Some(1..4)),
            ("日ann日 ann", Some(10..13)),
            ("annann", None),
            ("", None),
            ("an", None),
        ] {
            assert_eq!(find_name(text, "ann"), found, "{text}");
        }
        assert_eq!((find_name("hi", ""), find_name("hi Élan", "Élan")), (None, Some(3..8)));
    }

    #[test]
    fn time_zones_of_date_are_parsed() {
        for (zone, ahead) in [("+0000\n", Some(0)), ("+0530", Some(19_800)), ("-0330", Some(-12_600)), ("UTC", None)] {
            assert_eq!(ahead_of_utc(zone), ahead, "{zone}");
        }
    }
}
