//! The width of characters on a terminal, and the boundaries of characters as a user sees them.

/// Joins two characters, as in emoji of families.
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Characters without a column of their own, in order.
#[rustfmt::skip]
const ZERO: &[(u32, u32)] = &[
    (0x0300, 0x036f), (0x0483, 0x0489), (0x0591, 0x05bd), (0x05bf, 0x05bf), (0x05c1, 0x05c2), (0x05c4, 0x05c5),
    (0x05c7, 0x05c7), (0x0610, 0x061a), (0x064b, 0x065f), (0x0670, 0x0670), (0x06d6, 0x06dc), (0x06df, 0x06e4),
    (0x06e7, 0x06e8), (0x06ea, 0x06ed), (0x0711, 0x0711), (0x0730, 0x074a), (0x0900, 0x0902), (0x093a, 0x093a),
    (0x093c, 0x093c), (0x0941, 0x0948), (0x094d, 0x094d), (0x0951, 0x0957), (0x0e31, 0x0e31), (0x0e34, 0x0e3a),
    (0x0e47, 0x0e4e), (0x0eb1, 0x0eb1), (0x0eb4, 0x0ebc), (0x0ec8, 0x0ece), (0x1160, 0x11ff), (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff), (0x200b, 0x200f), (0x2060, 0x2064), (0x20d0, 0x20f0), (0x302a, 0x302d), (0x3099, 0x309a),
    (0xfe00, 0xfe0f), (0xfe20, 0xfe2f), (0xfeff, 0xfeff), (0xe0001, 0xe007f), (0xe0100, 0xe01ef),
];

/// Characters that take two columns, in order.
#[rustfmt::skip]
const DOUBLE: &[(u32, u32)] = &[
    (0x1100, 0x115f), (0x231a, 0x231b), (0x2329, 0x232a), (0x23e9, 0x23ec), (0x23f0, 0x23f0), (0x23f3, 0x23f3),
    (0x25fd, 0x25fe), (0x2614, 0x2615), (0x2648, 0x2653), (0x267f, 0x267f), (0x2693, 0x2693), (0x26a1, 0x26a1),
    (0x26aa, 0x26ab), (0x26bd, 0x26be), (0x26c4, 0x26c5), (0x26ce, 0x26ce), (0x26d4, 0x26d4), (0x26ea, 0x26ea),
    (0x26f2, 0x26f3), (0x26f5, 0x26f5), (0x26fa, 0x26fa), (0x26fd, 0x26fd), (0x2705, 0x2705), (0x270a, 0x270b),
    (0x2728, 0x2728), (0x274c, 0x274c), (0x274e, 0x274e), (0x2753, 0x2755), (0x2757, 0x2757), (0x2795, 0x2797),
    (0x27b0, 0x27b0), (0x27bf, 0x27bf), (0x2b1b, 0x2b1c), (0x2b50, 0x2b50), (0x2b55, 0x2b55), (0x2e80, 0x303e),
    (0x3041, 0x4dbf), (0x4e00, 0xa4cf), (0xa960, 0xa97c), (0xac00, 0xd7a3), (0xf900, 0xfaff), (0xfe10, 0xfe19),
    (0xfe30, 0xfe6b), (0xff01, 0xff60), (0xffe0, 0xffe6), (0x16fe0, 0x18cff), (0x1aff0, 0x1b2fb), (0x1f004, 0x1f004),
    (0x1f0cf, 0x1f0cf), (0x1f18e, 0x1f18e), (0x1f191, 0x1f19a), (0x1f200, 0x1f265), (0x1f300, 0x1f320),
    (0x1f32d, 0x1f335), (0x1f337, 0x1f37c), (0x1f37e, 0x1f393), (0x1f3a0, 0x1f3ca), (0x1f3cf, 0x1f3d3),
    (0x1f3e0, 0x1f3f0), (0x1f3f4, 0x1f3f4), (0x1f3f8, 0x1f43e), (0x1f440, 0x1f440), (0x1f442, 0x1f4fc),
    (0x1f4ff, 0x1f53d), (0x1f54b, 0x1f54e), (0x1f550, 0x1f567), (0x1f57a, 0x1f57a), (0x1f595, 0x1f596),
    (0x1f5a4, 0x1f5a4), (0x1f5fb, 0x1f64f), (0x1f680, 0x1f6c5), (0x1f6cc, 0x1f6cc), (0x1f6d0, 0x1f6d2),
    (0x1f6d5, 0x1f6d7), (0x1f6dc, 0x1f6df), (0x1f6eb, 0x1f6ec), (0x1f6f4, 0x1f6fc), (0x1f7e0, 0x1f7eb),
    (0x1f7f0, 0x1f7f0), (0x1f90c, 0x1f93a), (0x1f93c, 0x1f945), (0x1f947, 0x1f9ff), (0x1fa70, 0x1faff),
    (0x20000, 0x2fffd), (0x30000, 0x3fffd),
];

/// Returns the columns of a character: 0 if it joins the one before it, 2 for wide ones of East Asia and most emoji, else 1.
pub(crate) fn width(c: char) -> usize {
    let is_within = |ranges: &[(u32, u32)]| {
        let after = ranges.partition_point(|(first, _)| *first <= c as u32);
        after > 0 && c as u32 <= ranges[after - 1].1
    };
    match c {
        '\0'..='\u{2ff}' => 1,
        _ if is_within(ZERO) => 0,
        _ if is_within(DOUBLE) => 2,
        _ => 1,
    }
}

/// Returns the most columns that any terminal gives a character: they differ in joining and invisible characters, and in
/// symbols that may be shown as emoji.
pub(crate) fn most_columns(c: char) -> usize {
    match c {
        '\0'..='\u{2ff}' => 1,
        '\u{1160}'..='\u{11ff}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{20d0}'..='\u{20f0}' => 1,
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0001}'..='\u{e01ef}' => 1,
        '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{2bff}' => 2,
        '\u{e000}'..='\u{f8ff}' | '\u{1f000}'..='\u{1faff}' => 2,
        _ => width(c),
    }
}

/// Returns where the character before `at` begins, as a user sees it.
pub(crate) fn previous_boundary(text: &str, at: usize) -> usize {
    text[..at].char_indices().map(|(start, _)| start).rfind(|start| is_boundary(text, *start)).unwrap_or(0)
}

/// Returns where the character at `at` ends, as a user sees it.
pub(crate) fn next_boundary(text: &str, at: usize) -> usize {
    let mut ends = text[at..].char_indices().skip(1).map(|(length, _)| at + length);
    ends.find(|end| is_boundary(text, *end)).unwrap_or(text.len())
}

/// Returns whether a character begins here, as a user sees it.
fn is_boundary(text: &str, at: usize) -> bool {
    let before = &text[..at];
    let (Some(last), Some(next)) = (before.chars().next_back(), text[at..].chars().next()) else { return true };
    if last == '\n' {
        return true;
    }
    if is_flag_half(last) && is_flag_half(next) {
        return before.chars().rev().take_while(|c| is_flag_half(*c)).count() % 2 == 0;
    }
    !joins(next) && last != ZERO_WIDTH_JOINER
}

/// Returns whether a character joins the one before it.
pub(crate) fn joins(c: char) -> bool {
    // Or it is a skin tone.
    width(c) == 0 || matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Returns whether two of this character make a flag.
fn is_flag_half(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order() {
        for table in [ZERO, DOUBLE] {
            for range in table {
                assert!(range.0 <= range.1, "{range:x?}");
            }
            for pair in table.windows(2) {
                assert!(pair[0].1 < pair[1].0, "{pair:x?}");
            }
        }
    }

    #[test]
    fn widths_are_those_of_terminals() {
        for (text, widths) in [
            ("aé~\u{fffd}", &[1, 1, 1, 1][..]),
            ("漢字한ア", &[2, 2, 2, 2]),
            ("e\u{301}", &[1, 0]),
            ("🙂€─", &[2, 1, 1]),
        ] {
            assert_eq!(text.chars().map(width).collect::<Vec<_>>(), widths, "{text}");
        }
    }

    #[test]
    fn joined_characters_have_no_boundary_inside() {
        for whole in ["a", "é", "e\u{301}\u{323}", "漢", "👩\u{200d}🚀", "👍🏽", "🇦🇹", "☀\u{fe0f}"] {
            let text = format!("x{whole}y");
            let end = 1 + whole.len();
            assert_eq!(next_boundary(&text, 1), end, "{whole:?}");
            assert_eq!(previous_boundary(&text, end), 1, "{whole:?}");
        }
        let flags = "🇦🇹🇩🇪";
        assert_eq!(next_boundary(flags, 0), 8);
        assert_eq!(previous_boundary(flags, 16), 8);
        assert_eq!(next_boundary("", 0), 0);
        assert_eq!(previous_boundary("\u{301}", 2), 0);
        assert_eq!(previous_boundary("a\n\u{301}", 4), 2);
    }
}
