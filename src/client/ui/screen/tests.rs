use super::*;
use crate::testing::random::Random;
use crate::testing::virtual_screen::VirtualScreen;

/// A user at a terminal.
struct Person {
    screen: Screen,
    terminal: VirtualScreen,
    /// All that was written.
    written: String,
    prompt: &'static str,
    text: String,
    cursor: usize,
}

impl Person {
    fn at(columns: usize, rows: usize) -> Self {
        Self {
            screen: Screen::new(OutputMode::Editing(Size { columns, rows })),
            terminal: VirtualScreen::new(columns, rows),
            written: String::new(),
            prompt: "",
            text: String::new(),
            cursor: 0,
        }
    }

    /// The same, whose lines are wrapped at words.
    fn reading_at(columns: usize, rows: usize) -> Self {
        let mut person = Self::at(columns, rows);
        person.screen.wrap_lines(Wrapping::Everything);
        person
    }

    fn line(&self) -> InputLine<'_> {
        InputLine { prompt: self.prompt, text: &self.text, cursor: self.cursor }
    }

    fn see(&mut self) {
        let line = InputLine { prompt: self.prompt, text: &self.text, cursor: self.cursor };
        self.screen.refresh(line);
        for (_, bytes) in self.screen.take_output() {
            let text = String::from_utf8(bytes).expect("text");
            self.terminal.write(&text);
            self.written += &text;
        }
    }

    fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
            self.see();
        }
    }

    fn enter(&mut self) {
        let line = InputLine { prompt: self.prompt, text: &self.text, cursor: self.cursor };
        self.screen.commit(line);
        self.text.clear();
        self.cursor = 0;
        self.see();
    }

    fn hear(&mut self, message: &str) {
        self.screen.print(message);
        self.see();
    }

    fn resize(&mut self, columns: usize, rows: usize) {
        self.terminal.resize(columns, rows);
        self.screen.resize(Size { columns, rows });
        self.see();
    }

    #[track_caller]
    fn sees(&self, expected: &str) {
        assert_eq!(self.terminal.text(), expected);
    }
}

/// The text as a terminal of so many columns wraps it.
fn wrapped(text: &str, columns: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let rows: Vec<String> =
        chars.chunks(columns).map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect();
    rows.join("\n")
}

#[test]
fn rt6_a_half_typed_line_survives_ten_messages_at_any_width() {
    let long = "a long line ".repeat(20);
    for columns in [80, 40, 20, 7] {
        for text in ["@bob half a line", &long[..3 * columns.min(80)], &long[..=(2 * columns)], "é 漢字 e\u{301}"] {
            for prompt in ["", "> "] {
                let mut ann = Person::at(columns, 24);
                ann.prompt = prompt;
                let (half, rest) =
                    text.split_at(text.char_indices().nth(text.chars().count() / 2).expect("a middle").0);
                ann.type_text(half);
                let mut expected = Vec::new();
                for number in 0..10 {
                    ann.hear(&format!("From bob: m{number}"));
                    expected.push(wrapped(&format!("From bob: m{number}"), columns));
                }
                ann.type_text(rest);
                ann.enter();
                ann.prompt = "";
                ann.hear("end");
                let line: String = [prompt, text].concat();
                if text.is_ascii() {
                    expected.push(wrapped(&line, columns));
                    expected.push("end".into());
                    ann.sees(&expected.join("\n"));
                } else if columns == 80 {
                    expected.extend([line, "end".into()]);
                    ann.sees(&expected.join("\n"));
                }
            }
        }
    }
}

#[test]
fn while_nothing_is_typed_a_message_is_a_plain_line() {
    let mut ann = Person::at(80, 24);
    ann.hear("one");
    ann.type_text("x");
    ann.text.clear();
    ann.cursor = 0;
    ann.see();
    let before = ann.written.len();
    ann.hear("two");
    ann.screen.print("three");
    ann.screen.print("four");
    ann.see();
    assert_eq!(&ann.written[before..], "two\nthree\nfour\n");
}

#[test]
fn typing_at_the_end_writes_what_is_typed_and_nothing_else() {
    for columns in [80, 5] {
        let mut ann = Person::at(columns, 24);
        ann.text = "@bob hello, world".into();
        ann.cursor = ann.text.len();
        ann.enter();
        assert_eq!(ann.written, "@bob hello, world\n");
    }
    let mut ann = Person::at(80, 24);
    ann.type_text("@bob hi");
    ann.enter();
    ann.enter();
    assert_eq!(ann.written, "@bob hi\n\n");
}

#[test]
fn a_line_that_fills_its_row_leaves_no_empty_one() {
    for typed_slowly in [true, false] {
        let mut ann = Person::at(5, 24);
        if typed_slowly {
            ann.type_text("helloworld");
            assert_eq!(ann.terminal.cursor(), (2, 0));
        } else {
            ann.text = "helloworld".into();
            ann.cursor = 10;
        }
        ann.enter();
        ann.hear("end");
        ann.sees("hello\nworld\nend");
    }
}

#[test]
fn the_cursor_is_where_the_next_character_goes() {
    let mut ann = Person::at(10, 24);
    ann.hear("From bob");
    ann.type_text("abcdefghijklmnopqrstuvwx");
    for (cursor, place) in [(24, (3, 4)), (20, (3, 0)), (19, (2, 9)), (10, (2, 0)), (0, (1, 0)), (24, (3, 4))] {
        ann.cursor = cursor;
        ann.see();
        assert_eq!(ann.terminal.cursor(), place, "at {cursor}");
    }
    ann.cursor = 5;
    ann.type_text("漢");
    ann.sees("From bob\nabcde漢fgh\nijklmnopqr\nstuvwx");
    assert_eq!(ann.terminal.cursor(), (1, 7));
    ann.hear("m");
    ann.sees("From bob\nm\nabcde漢fgh\nijklmnopqr\nstuvwx");
    assert_eq!(ann.terminal.cursor(), (2, 7));
    ann.enter();
    ann.hear("end");
    ann.sees("From bob\nm\nabcde漢fgh\nijklmnopqr\nstuvwx\nend");
}

#[test]
fn a_combining_mark_joins_the_character_before_it_wherever_that_is() {
    let mut ann = Person::at(5, 24);
    ann.type_text("abcde");
    ann.type_text("\u{301}f");
    ann.sees("abcde\u{301}\nf");
}

#[test]
fn a_resized_terminal_shows_the_line_once() {
    for (from, to) in [(20, 10), (10, 20), (20, 7), (20, 1), (10, 80), (5, 6)] {
        for length in [3, 5, 9, 10, 11, 20, 21, 25, 40] {
            for cursor in [0, length / 2, length] {
                let mut ann = Person::at(from, 100);
                ann.hear("From");
                let text: String = ('a'..='z').chain('A'..='Z').take(length).collect();
                ann.type_text(&text);
                ann.cursor = cursor;
                ann.see();
                ann.resize(to, 100);
                ann.hear("m");
                let expected = [wrapped("From", to), "m".into(), wrapped(&text, to)].join("\n");
                assert_eq!(ann.terminal.text(), expected, "{length} letters, cursor {cursor}, {from} to {to} columns");
            }
        }
    }
}

#[test]
fn a_message_in_the_middle_of_a_resize_costs_no_other_message() {
    for (from, to) in [(20, 110), (20, 10), (10, 20), (7, 80), (80, 7)] {
        for length in [5, 20, 40, 52] {
            for cursor in [0, length / 2, length] {
                let mut ann = Person::at(from, 100);
                for number in 0..10 {
                    ann.hear(&format!("m{number}"));
                }
                let text: String = ('a'..='z').chain('A'..='Z').take(length).collect();
                ann.type_text(&text);
                ann.cursor = cursor;
                ann.see();
                ann.terminal.resize(to, 100);
                ann.hear("early");
                ann.resize(to, 100);
                ann.hear("late");
                let shown = ann.terminal.text();
                let messages: Vec<&str> = shown.lines().filter(|line| line.starts_with('m')).collect();
                assert_eq!(messages, ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"], "{shown}");
                assert!(shown.contains("early\n") && shown.contains("late\n"), "{shown}");
                assert!(shown.ends_with(&wrapped(&text, to)), "{shown}");
            }
        }
    }
}

#[test]
fn a_line_taller_than_half_the_terminal_shows_the_part_with_the_cursor() {
    let mut ann = Person::at(5, 6);
    ann.type_text("aaaaabbbbbcccccddddde");
    assert!(ann.terminal.text().ends_with("ccccc\nddddd\ne"), "{}", ann.terminal.text());
    ann.hear("m");
    assert!(ann.terminal.text().ends_with("m\nccccc\nddddd\ne"), "{}", ann.terminal.text());
    ann.cursor = 0;
    ann.see();
    assert!(ann.terminal.text().ends_with("m\naaaaa\nbbbbb\nccccc"), "{}", ann.terminal.text());
    ann.type_text("x");
    assert!(ann.terminal.text().ends_with("m\nxaaaa\nabbbb\nbcccc"), "{}", ann.terminal.text());
    ann.enter();
    ann.hear("end");
    assert!(ann.terminal.text().ends_with("m\nxaaaa\nabbbb\nbcccc\ncdddd\nde\nend"), "{}", ann.terminal.text());
}

#[test]
fn a_line_taller_than_the_terminal_is_shown_whole_when_it_is_done() {
    for drawn_before in [0, 15, 19, 20] {
        let mut ann = Person::at(5, 3);
        ann.hear("m");
        let (before, rest) = "aaaaabbbbbcccccdddde".split_at(drawn_before);
        ann.type_text(before);
        ann.text += rest;
        ann.cursor = ann.text.len();
        ann.enter();
        ann.hear("end");
        let shown = ann.terminal.text();
        assert!(shown.ends_with("aaaaa\nbbbbb\nccccc\ndddde\nend"), "{drawn_before}: {shown}");
    }
}

#[test]
fn a_paste_as_tall_as_the_terminal_hides_no_message() {
    let mut ann = Person::at(10, 8);
    ann.type_text("1\n2\n3\n4\n5\n6\n7\n8\n9");
    ann.hear("m");
    let shown = ann.terminal.text();
    assert!(shown.ends_with("m\n6\n7\n8\n9"), "{shown}");
}

#[test]
fn a_line_feed_behind_a_full_row_makes_no_empty_row() {
    let mut ann = Person::at(5, 24);
    ann.type_text("hello");
    ann.text += "\nx";
    ann.cursor = ann.text.len();
    ann.see();
    ann.sees("hello\nx");
    ann.resize(4, 24);
    ann.hear("m");
    ann.sees("m\nhell\no\nx");
}

#[test]
fn only_the_terminal_knows_where_a_character_stands_behind_joined_ones() {
    let mut ann = Person::at(40, 24);
    let text = "👩\u{200d}🚀 👨\u{200d}👩\u{200d}👧 abc";
    ann.type_text(text);
    let before = ann.written.len();
    ann.cursor = text.len() - 2;
    ann.see();
    assert!(ann.written[before..].ends_with(&format!("\r{}", &text[..text.len() - 2])), "{:?}", &ann.written[before..]);
}

#[test]
fn pasted_lines_are_shown_as_lines() {
    let mut ann = Person::at(10, 24);
    ann.type_text("one\ntwo\nthree");
    ann.hear("m");
    ann.sees("m\none\ntwo\nthree");
    ann.cursor = 5;
    ann.see();
    assert_eq!(ann.terminal.cursor(), (2, 1));
    ann.enter();
    ann.hear("end");
    ann.sees("m\none\ntwo\nthree\nend");
    ann.type_text("four\n");
    ann.enter();
    ann.hear("end");
    ann.sees("m\none\ntwo\nthree\nend\nfour\nend");
}

#[test]
fn a_prompt_comes_back_below_each_message_and_leaves_no_trace() {
    let mut ann = Person::at(20, 24);
    ann.prompt = "> ";
    ann.see();
    ann.hear("@bob: one");
    ann.hear("@bob: two");
    ann.sees("@bob: one\n@bob: two\n>");
    ann.type_text("hi");
    ann.enter();
    ann.sees("@bob: one\n@bob: two\n> hi\n>");
    let line = InputLine { prompt: "> ", ..InputLine::default() };
    ann.screen.finish(line);
    ann.prompt = "";
    ann.see();
    ann.sees("@bob: one\n@bob: two\n> hi");
}

#[test]
fn the_end_leaves_the_cursor_at_the_start_of_a_row() {
    let mut ann = Person::at(20, 24);
    ann.type_text("half");
    let (text, cursor) = (ann.line().text.to_owned(), ann.line().cursor);
    ann.screen.finish(InputLine { prompt: "", text: &text, cursor });
    ann.text.clear();
    ann.cursor = 0;
    ann.see();
    ann.sees("half");
    assert_eq!(ann.terminal.cursor(), (1, 0));
}

#[test]
fn clearing_keeps_the_line() {
    let mut ann = Person::at(20, 24);
    ann.hear("m");
    ann.type_text("half");
    ann.screen.clear();
    ann.see();
    ann.sees("half");
    assert_eq!(ann.terminal.cursor(), (0, 4));
    ann.enter();
    ann.terminal.forget();
    ann.hear("m");
    ann.sees("m");
}

#[test]
fn a_terminal_may_have_any_size() {
    let text = "a漢\te\u{301}👩\u{200d}🚀\nb".repeat(3);
    for columns in [1, 2, 3, 500] {
        for rows in [1, 2, 24] {
            let mut ann = Person::at(columns, rows);
            ann.prompt = "> ";
            ann.type_text(&text);
            for (at, _) in text.char_indices() {
                ann.cursor = at;
                ann.see();
            }
            ann.hear("m");
            ann.resize(1, 1);
            ann.resize(500, 100);
            ann.enter();
            ann.prompt = "";
            ann.hear("end");
            assert!(ann.terminal.text().ends_with("e\u{301}👩\u{200d}🚀\nb\nend"), "{columns} x {rows}");
        }
    }
}

#[test]
fn a_diagnostic_goes_to_the_other_stream_in_its_place() {
    let mut screen = Screen::new(OutputMode::Editing(Size { columns: 80, rows: 24 }));
    screen.print("one");
    screen.warn("oops");
    screen.refresh(InputLine { prompt: "", text: "half", cursor: 4 });
    let expected = [(Stream::Output, "one\n"), (Stream::Errors, "oops\n"), (Stream::Output, "half")];
    assert_eq!(screen.take_output(), expected.map(|(stream, text)| (stream, text.as_bytes().to_vec())));
}

#[test]
fn without_an_editor_nothing_is_erased() {
    for (mode, expected) in [(OutputMode::Lines, "one\ntwo\n"), (OutputMode::Prompts, "> \none\n> \ntwo\n> ")] {
        let mut screen = Screen::new(mode);
        let line = InputLine { prompt: "> ", ..InputLine::default() };
        screen.refresh(line);
        for text in ["one", "two"] {
            screen.print(text);
            screen.refresh(line);
        }
        let written: Vec<u8> = screen.take_output().into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert_eq!(String::from_utf8_lossy(&written), expected);
    }
}

/// Padding of about so many columns that could move the text behind it to the start of a row.
fn padding(columns: usize, random: &mut Random) -> String {
    const PADS: [&str; 12] = [
        " ",
        "\t",
        "x",
        "漢",
        "e\u{301}",
        "\u{301}",
        "\u{200b}",
        "\u{1160}",
        "👩\u{200d}🚀",
        "☀\u{fe0f}",
        "\u{3000}",
        "🇦🇹",
    ];
    let kinds = [random.below(PADS.len()), random.below(PADS.len()), 0];
    let mut padding = String::new();
    let mut width = 0;
    while width < columns {
        let pad = PADS[kinds[random.below(kinds.len())]];
        padding += pad;
        // Each terminal counts in another way, and every way is tried.
        width += 1 + random.below(pad.chars().count() + 1);
    }
    padding
}

#[test]
fn no_text_of_a_message_stands_where_a_line_begins() {
    const FORGED: &str = "From bob: send the money to eve";
    let mut random = Random(0x5eed);
    for columns in 20..=200 {
        for round in 0..30 {
            let mut ann = Person::reading_at(columns, 24);
            ann.prompt = ["", "> "][round % 2];
            if round % 3 == 0 {
                ann.type_text("half a line");
            }
            let blanks = " ".repeat(columns - "From eve: hi".len().min(columns) + round / 3);
            let pad = if round < 6 { blanks } else { padding(random.below(3 * columns), &mut random) };
            let lines = [format!("From eve: hi{pad}{FORGED}"), format!("eve whispers, \"{pad}{FORGED} {pad}\"")];
            lines.iter().for_each(|line| ann.screen.print(line));
            ann.text.clear();
            ann.cursor = 0;
            ann.prompt = "";
            ann.see();
            let shown = ann.terminal.text();
            for row in shown.lines() {
                let is_first = row.starts_with("From eve:") || row.starts_with("eve whispers,");
                assert!(is_first || row.starts_with("  "), "{columns} columns, {:?} in:\n{shown}", lines[0]);
            }
        }
    }
}

#[test]
fn rt4_a_message_taller_than_the_screen_is_shown_in_full_above_the_line_being_typed() {
    let mut ann = Person::reading_at(40, 5);
    ann.type_text("half a line");
    ann.hear(&format!("From eve: {}", "word ".repeat(1 << 16)));
    let shown = ann.terminal.text();
    assert_eq!(shown.matches("word").count(), 1 << 16);
    assert!(shown.ends_with(" word word\nhalf a line"), "{}", &shown[shown.len() - 100..]);
}

#[test]
fn a_diagnostic_is_wrapped_where_it_goes_to_the_same_terminal() {
    for wrapping in [Wrapping::Everything, Wrapping::Chat] {
        let mut screen = Screen::new(OutputMode::Editing(Size { columns: 10, rows: 24 }));
        screen.wrap_lines(wrapping);
        screen.warn("oops a daisy");
        let expected = if wrapping == Wrapping::Everything { "oops a\n  daisy\n" } else { "oops a daisy\n" };
        assert_eq!(screen.take_output(), [(Stream::Errors, expected.as_bytes().to_vec())]);
    }
}
