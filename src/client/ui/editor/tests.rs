use super::*;
use crate::testing::random::Random;

/// An editor at which a person has typed these bytes, and what came of it.
fn typed(bytes: &str) -> (Editor, Vec<Outcome>) {
    let mut editor = Editor::default();
    editor.note_person();
    typed_at(editor, bytes)
}

/// The same, where a program has typed them.
fn typed_by_program(bytes: &str) -> (Editor, Vec<Outcome>) {
    typed_at(Editor::default(), bytes)
}

fn typed_at(mut editor: Editor, bytes: &str) -> (Editor, Vec<Outcome>) {
    let mut completion = Completion::new(vec!["!who", "!quit"]);
    for name in ["bob", "annabel", "anna"] {
        completion.add(name);
    }
    let mut outcomes = Vec::new();
    for key in Decoder::default().decode(bytes.as_bytes(), false) {
        let outcome = editor.handle_key(key, &completion);
        if let Some(Outcome::Submit(line)) = &outcome {
            editor.add_history_entry(line);
        }
        outcomes.extend(outcome);
    }
    (editor, outcomes)
}

/// The line after these keys, with the cursor shown as `|`.
fn line(bytes: &str) -> String {
    shown(&typed(bytes).0)
}

fn shown(editor: &Editor) -> String {
    let (before, behind) = editor.text().split_at(editor.cursor());
    format!("{before}|{behind}")
}

const LEFT: &str = "\x1b[D";
const RIGHT: &str = "\x1b[C";
const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const BACK_TAB: &str = "\x1b[Z";

#[test]
fn characters_go_in_at_the_cursor_and_whole_ones_come_out() {
    assert_eq!(line(&format!("ad{LEFT}bc")), "abc|d");
    assert_eq!(line(&format!("ae\u{301}漢{LEFT}{LEFT}x")), "ax|e\u{301}漢");
    assert_eq!(line("a👩\u{200d}🚀\x7f"), "a|");
    assert_eq!(line("ae\u{301}\x7f"), "a|");
    assert_eq!(line(&format!("abc{LEFT}{LEFT}\x1b[3~")), "a|c");
    assert_eq!(line(&format!("abc{LEFT}{LEFT}\x04")), "a|c");
    assert_eq!(line(&format!("{LEFT}\x7f\x1b[3~{RIGHT}a{RIGHT}")), "a|");
}

#[test]
fn every_key_of_a_line_editor_does_what_it_does_elsewhere() {
    assert_eq!(line("hello\x01x"), "x|hello");
    assert_eq!(line("hello\x01\x05x"), "hellox|");
    assert_eq!(line("hello\x1b[Hx\x1b[Fy"), "xhelloy|");
    assert_eq!(line("ab\x02\x02x\x06y"), "xay|b");
    assert_eq!(line("one two  three \x17"), "one two  |");
    assert_eq!(line("one two  three \x17\x17"), "one |");
    assert_eq!(line("one two\x1b[1;5Dx"), "one x|two");
    assert_eq!(line("one two\x01\x1b[1;5Cx"), "onex| two");
    assert_eq!(line(&format!("hello{LEFT}{LEFT}\x15")), "|lo");
    assert_eq!(line(&format!("hello{LEFT}{LEFT}\x0b")), "hel|");
    assert_eq!(typed("a\x0c").1, [Outcome::Clear]);
}

#[test]
fn ctrl_d_ends_the_input_only_of_an_empty_line() {
    assert_eq!(typed("\x04").1, [Outcome::End]);
    assert_eq!(typed("a\x04").1, []);
}

#[test]
fn enter_hands_over_the_line_wherever_the_cursor_is() {
    let (editor, outcomes) = typed(&format!("hello{LEFT}{LEFT}\n\n"));
    assert_eq!(outcomes, [Outcome::Submit("hello".into()), Outcome::Submit(String::new())]);
    assert_eq!((editor.text(), editor.cursor()), ("", 0));
}

#[test]
fn up_and_down_bring_lines_back_to_be_changed() {
    assert_eq!(line(&format!("one\ntwo\n{UP}")), "two|");
    assert_eq!(line(&format!("one\ntwo\n{UP}{UP}{UP}!")), "one!|");
    assert_eq!(line(&format!("one\ntwo\ndraft{UP}{UP}{DOWN}{DOWN}")), "draft|");
    assert_eq!(line(&format!("one\n{UP}x\n{UP}{UP}")), "one|");
    assert_eq!(line(&format!("one\ntwo\n{UP}\x15a long new text{UP}{DOWN}")), "a long new text|");
    assert_eq!(line(&format!("one\n{UP}, changed{DOWN}draft{UP}{DOWN}{UP}")), "one, changed|");
    assert_eq!(line(&format!("{UP}{DOWN}a")), "a|");
}

#[test]
fn tab_completes_names_and_commands() {
    assert_eq!(line("@b\t"), "@bob |");
    assert_eq!(line("!w\t"), "!who |");
    assert_eq!(line("@annab\thi"), "@annabel hi|");
    assert_eq!(line("hello @b\t"), "hello @bob |");
    assert_eq!(line(&format!("@b hi{LEFT}{LEFT}{LEFT}\t")), "@bob| hi");
    assert_eq!(line("@x\t"), "@x|");
    assert_eq!(line("@b\t\thi"), "@bob hi|");
}

#[test]
fn tab_goes_through_what_fits_and_shift_tab_goes_back() {
    assert_eq!(line("@a\t"), "@anna |");
    assert_eq!(line("@a\t\t"), "@annabel |");
    assert_eq!(line("@a\t\t\t"), "@anna |");
    assert_eq!(line(&format!("@a\t\t{BACK_TAB}")), "@anna |");
    assert_eq!(line(&format!("@a{BACK_TAB}")), "@annabel |");
    assert_eq!(line(&format!("@\t\t\t{BACK_TAB}{BACK_TAB}{BACK_TAB}")), "@bob |");
    assert_eq!(line("@a\thi @a\t\t"), "@anna hi @annabel |");
    assert_eq!(line("@a\t\x7f\t\t"), "@annabel |");
    assert_eq!(line("@\t\t\x17\x17@a\t"), "@anna |");
    assert_eq!(line(&format!("@a hi\x01{RIGHT}{RIGHT}\t\t")), "@annabel| hi");
    assert_eq!(line("!\t\t"), "!quit |");
    assert_eq!(typed("@a\t\t").1, [Outcome::Completing]);
    assert_eq!(typed("@x\t\t").1, [Outcome::Completing, Outcome::Completing]);
}

#[test]
fn tab_elsewhere_does_nothing() {
    assert_eq!(line("a\tb"), "ab|");
    assert_eq!(line("@bob a \tb"), "@bob a b|");
    assert_eq!(line(&format!("\t{BACK_TAB}")), "|");
}

#[test]
fn where_there_is_no_person_tab_completes_what_is_beyond_doubt() {
    for (bytes, expected) in [("@b\thi", "@bob hi|"), ("@a\thi", "@ahi|"), ("a\tb\t", "ab|"), ("!w\t", "!who |")] {
        assert_eq!(shown(&typed_by_program(bytes).0), expected);
    }
}

#[test]
fn pasted_lines_wait_for_enter() {
    let (editor, outcomes) = typed("x\x1b[200~one\ntwo\n\x1b[201~");
    assert_eq!((editor.text(), outcomes), ("xone\ntwo\n", vec![]));
    let (_, outcomes) = typed("x\x1b[200~one\ntwo\x1b[201~y\n");
    assert_eq!(outcomes, [Outcome::Submit("xone\ntwoy".into())]);
    assert_eq!(line("\x1b[200~one\ntwo\x1b[201~\x01x"), "one\nx|two");
    assert_eq!(line("\x1b[200~one\ntwo\x1b[201~\x15"), "one\n|");
}

#[test]
fn a_line_is_as_long_as_lines_get() {
    let completion = Completion::default();
    let mut editor = Editor::default();
    assert_eq!(editor.handle_key(Key::Text("x".repeat(EDITED_BYTES - 1)), &completion), None);
    assert_eq!(editor.handle_key(Key::Text("é".into()), &completion), Some(Outcome::Full));
    assert_eq!(editor.handle_key(Key::Text("y".into()), &completion), None);
    assert_eq!(editor.text().len(), EDITED_BYTES - 1);
    assert_eq!(editor.handle_key(Key::Left, &completion), None);
    assert_eq!(editor.handle_key(Key::Text("yz".into()), &completion), Some(Outcome::Full));
    assert!(editor.text().ends_with("xyx"));
    assert_eq!(editor.handle_key(Key::Backspace, &completion), None);
    assert_eq!(editor.handle_key(Key::Text("y".into()), &completion), None);
}

#[test]
fn any_keys_at_all_leave_the_cursor_between_characters() {
    let mut random = Random(0x5eed);
    let mut next = |bound| random.below(bound);
    let completion = Completion::new(vec!["!who"]);
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..next(60))
            .map(|_| if next(3) == 0 { b"\x1b[ABCDHF~3;5\n\t\x7f\x17\x15\x0b"[next(18)] } else { next(256) as u8 })
            .collect();
        let (mut decoder, mut editor) = (Decoder::default(), Editor::default());
        editor.note_person();
        for chunk in bytes.chunks(1 + next(8)) {
            for key in decoder.decode(chunk, next(9) == 0) {
                if let Some(Outcome::Submit(line)) = editor.handle_key(key, &completion) {
                    editor.add_history_entry(&line);
                }
                assert!(editor.text().is_char_boundary(editor.cursor()), "{bytes:?}");
            }
        }
    }
}
