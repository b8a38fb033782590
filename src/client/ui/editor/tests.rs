use super::*;
use crate::limits::EDITED_BYTES;
use crate::testing::random::Random;

/// An editor in which a user has typed these bytes, with the outcomes.
fn typed(bytes: &str) -> (Editor, Vec<Outcome>) {
    let mut editor = Editor::default();
    editor.set_mode(Mode::Keyboard);
    typed_at(editor, bytes)
}

/// The same in a script.
fn typed_by_script(bytes: &str) -> (Editor, Vec<Outcome>) {
    typed_at(Editor::default(), bytes)
}

fn typed_at(mut editor: Editor, bytes: &str) -> (Editor, Vec<Outcome>) {
    let mut completion = Completion::new(vec!["!who", "!quit"]);
    for name in ["bob", "annabel", "anna"] {
        completion.note_message(name, false);
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
fn keys_do_what_they_do_in_a_shell() {
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
fn enter_submits_the_line_with_the_cursor_anywhere() {
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
    assert_eq!(line(&format!("one\n{UP}, changed{DOWN}{UP}{DOWN}{UP}")), "one, changed|");
    assert_eq!(line(&format!("{UP}{DOWN}a")), "a|");
}

#[test]
fn up_with_text_typed_brings_back_what_begins_with_it() {
    let said = "@bob one\n@eve two\n@bob three\n!who\n";
    assert_eq!(line(&format!("{said}@b{UP}")), "@bob three|");
    assert_eq!(line(&format!("{said}@b{UP}{UP}{UP}")), "@bob one|");
    assert_eq!(line(&format!("{said}@b{UP}{UP}{DOWN}")), "@bob three|");
    assert_eq!(line(&format!("{said}@b{UP}{DOWN}")), "@b|");
    assert_eq!(line(&format!("{said}{UP}{UP}{UP}")), "@eve two|");
    assert_eq!(line(&format!("{said}@e{UP}\x15@b{UP}")), "@bob three|");
    assert_eq!(line(&format!("{said}@e{UP}\x15@b{UP}{UP}{DOWN}{DOWN}{DOWN}")), "@b|");
    assert_eq!(line(&format!("{said}@bob t{UP}\x17o{UP}")), "@bob one|");
    assert_eq!(line(&format!("{said}{UP}\x15@e{UP}")), "@eve two|");
    assert_eq!(line(&format!("{said}@e{UP}\x15{UP}")), "!who|");
    assert_eq!(typed(&format!("one\nx{UP}")).1.last(), Some(&Outcome::Bell));
    assert_eq!(shown(&typed_by_script(&format!("one\nx{UP}")).0), "one|");
}

#[test]
fn k2_w13_a_line_that_is_given_back_is_sent_by_enter() {
    let (mut editor, _) = typed("hello\n");
    editor.give_back("hello");
    assert_eq!(shown(&editor), "hello|");
    let (mut editor, outcomes) = typed_at(editor, "\n");
    assert_eq!(outcomes, [Outcome::Submit("hello".into())]);
    editor.give_back("hello");
    let (mut editor, outcomes) = typed_at(editor, "\x01@bob \n");
    assert_eq!(outcomes, [Outcome::Submit("@bob hello".into())]);
    (editor, _) = typed_at(editor, "next");
    editor.give_back("hello");
    assert_eq!(shown(&editor), "next|");
}

#[test]
fn ctrl_c_clears_a_half_typed_line_and_ends_the_program_on_an_empty_one() {
    assert_eq!(typed("\x03").1, [Outcome::Interrupt]);
    let (editor, outcomes) = typed("half\x03");
    assert_eq!((shown(&editor).as_str(), &outcomes[..]), ("|", &[Outcome::Cleared][..]));
    assert_eq!(typed("half\x03\x03").1, [Outcome::Cleared, Outcome::Interrupt]);
    assert_eq!(typed("half\x03x\x03").1, [Outcome::Cleared, Outcome::Cleared]);
    assert_eq!(line(&format!("one\n{UP}, changed\x03{UP}")), "one|");
    assert_eq!(typed_by_script("half\x03").1, [Outcome::Interrupt]);
}

#[test]
fn ctrl_y_inserts_deleted_text() {
    assert_eq!(line("one two\x17\x01\x19"), "two|one ");
    assert_eq!(line("one two\x17\x17\x19\x19"), "one twoone two|");
    assert_eq!(line("one two\x01\x0b\x19"), "one two|");
    assert_eq!(line("one two\x01\x1bd\x1bd\x19"), "one two|");
    assert_eq!(line(&format!("one two\x1bb{LEFT}{RIGHT}\x15\x05 \x19")), "two one |");
    assert_eq!(line("one\x17two\x17\x19"), "two|");
    assert_eq!(line("one\x17\x17\x15\x19"), "one|");
    assert_eq!(line("one\x7f\x19"), "on|");
    assert_eq!(line("one\x17\n\x19"), "one|");
}

#[test]
fn words_are_moved_over_and_deleted() {
    assert_eq!(line("say it-now\x1bbx"), "say it-x|now");
    assert_eq!(line("say it-now\x01\x1bf\x1bfx"), "say itx|-now");
    assert_eq!(line("say it-now\x1b\x7f"), "say it-|");
    assert_eq!(line("say it-now\x17"), "say |");
    assert_eq!(line("say it-now\x01\x1bd"), "| it-now");
    assert_eq!(line("say it-now\x01\x1bd\x1bd"), "|-now");
}

/// The line after these keys, behind the prompt of a search.
fn search(bytes: &str) -> String {
    let (editor, _) = typed(&format!("@bob one\n@eve two\n@bob three\n!who\n{bytes}"));
    format!("{}{}", editor.search_prompt().unwrap_or_default(), shown(&editor))
}

#[test]
fn ctrl_r_finds_what_was_typed_before() {
    assert_eq!(search("draft\x12"), "(reverse-i-search)`': draft|");
    assert_eq!(search("\x12bob"), "(reverse-i-search)`bob': @|bob three");
    assert_eq!(search("\x12b\x12"), "(reverse-i-search)`b': @bo|b one");
    assert_eq!(search("\x12bx"), "(failed reverse-i-search)`bx': |");
    assert_eq!(search("\x12e\x12\x12\x12"), "(failed reverse-i-search)`e': @bob on|e");
    assert_eq!(search("\x12two\x7f\x7f"), "(reverse-i-search)`t': @bob |three");
    assert_eq!(search("draft\x12t\x7f"), "(reverse-i-search)`': draft|");
    assert_eq!(search("\x12bob\x1b[Cx"), "@bx|ob three");
    assert_eq!(search("\x12one\x01"), "|@bob one");
    assert_eq!(search("draft\x12one\x07"), "draft|");
    assert_eq!(search(&format!("draft\x12one{DOWN}{DOWN}")), "@bob three|");
    assert_eq!(search("draft\x12one\x03"), "|");
    assert_eq!(search("\x12\x1b[200~two\x1b[201~"), "(reverse-i-search)`two': @eve |two");
    assert_eq!(search("\x12two\x1b[200~x\ny\x1b[201~"), "@eve x\ny|two");
}

#[test]
fn enter_sends_what_was_found() {
    let submitted = |keys: &str| typed(&format!("one\ntwo\n{keys}")).1.split_off(2);
    assert_eq!(submitted("\x12o\x12\n"), [Outcome::Submit("one".into())]);
    assert_eq!(submitted("\x12x\n"), [Outcome::Bell, Outcome::Bell]);
    assert_eq!(submitted("\x12ox\n"), [Outcome::Bell, Outcome::Bell]);
    assert_eq!(submitted("\x12o\x12\x12\n"), [Outcome::Bell, Outcome::Submit("one".into())]);
    assert_eq!(submitted("one\x12onex\n"), [Outcome::Bell, Outcome::Bell]);
    assert_eq!(submitted("draft\x12\n"), [Outcome::Submit("draft".into())]);
    assert_eq!(submitted("\x12o\x03\x03"), [Outcome::Cleared, Outcome::Interrupt]);
}

#[test]
fn a_paste_of_many_lines_is_in_question() {
    let asked =
        |bytes: &str| typed(bytes).0.question().map(|shown| shown.lines().last().unwrap_or_default().to_owned());
    let many = "\x1b[200~1\n\n2\n3\n4\n5\n6\n\x1b[201~";
    let question = "Send 6 lines? Enter sends them, Ctrl-C drops them ";
    assert_eq!(asked("\x1b[200~1\n2\n3\n4\n5\n\x1b[201~"), None);
    assert_eq!(asked(many).as_deref(), Some(question));
    assert_eq!(asked(&format!("@bob {many}")).as_deref(), Some(question));
    assert_eq!(typed(&format!("@bob {many}\n")).1, [Outcome::Submit("@bob 1\n\n2\n3\n4\n5\n6\n".into())]);
    assert_eq!(line(&format!("@bob {many}\x03")), "@bob |");
    assert_eq!(typed(&format!("{many}\x03\x03")).1, [Outcome::Cleared, Outcome::Interrupt]);
    for (refusal, outcome) in [(Key::Text("n".into()), None), (Key::Escape, None), (Key::Tab, Some(Outcome::Bell))] {
        let (mut editor, _) = typed(&format!("@bob {many}"));
        let is_dropped = outcome.is_none();
        assert_eq!(editor.handle_key(refusal, &Completion::default()), outcome);
        assert_eq!((editor.question().is_none(), shown(&editor) == "@bob |"), (is_dropped, is_dropped));
    }
    let (editor, outcomes) = typed(&format!("{many}x\x15{UP}\t\x04\x12"));
    assert_eq!(
        (editor.question(), outcomes),
        (Some(&*format!("1\n\n2\n3\n4\n5\n6\n{question}")), vec![Outcome::Bell; 6])
    );
    assert_eq!(asked(&format!("{many}\x0c")).as_deref(), Some(question));
    assert_eq!(asked(&format!("{many}\n{UP}")), None);
    assert_eq!(typed_by_script(many).0.question(), None);
}

#[test]
fn a_paste_is_in_question_wherever_it_is_cut() {
    let pasted = "one\n2\n3\n4\n5\n6";
    for cut in 0..pasted.len() {
        let mut editor = Editor::default();
        editor.set_mode(Mode::Keyboard);
        let (before, behind) = pasted.split_at(cut);
        for key in [Key::Text("x".into()), Key::Paste(before.into()), Key::Paste(behind.into())] {
            editor.handle_key(key, &Completion::default());
        }
        assert!(editor.question().is_some(), "cut at {cut}");
        editor.handle_key(Key::Interrupt, &Completion::default());
        assert_eq!(shown(&editor), "x|", "cut at {cut}");
    }
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
    assert_eq!(typed("@a\t\t@x\t\t").1, []);
}

#[test]
fn a_tab_begins_to_complete_a_name_once_and_only_where_a_name_goes() {
    for (bytes, begins) in [
        ("", true),
        ("@a", true),
        ("@a\t", false),
        ("@a\tx", true),
        ("hi @", true),
        ("!w", false),
        ("/w", false),
        ("!to @", true),
        ("x\n\x12x", false),
    ] {
        assert_eq!(typed(bytes).0.begins_name(&Key::Tab), begins, "{bytes:?}");
        assert!(!typed(bytes).0.begins_name(&Key::Up) && !typed_by_script(bytes).0.begins_name(&Key::Tab));
    }
}

#[test]
fn tab_elsewhere_does_nothing() {
    assert_eq!(line("a\tb"), "ab|");
    assert_eq!(line("@bob a \tb"), "@bob a b|");
    assert_eq!(line(&format!("\t{BACK_TAB}")), "|");
}

#[test]
fn in_a_script_tab_is_text() {
    for bytes in ["@b\thi", "a\tb\t", "!w\t"] {
        assert_eq!(shown(&typed_by_script(bytes).0), format!("{bytes}|"));
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
    let mut press = |key| editor.handle_key(key, &completion);
    assert_eq!(press(Key::Paste("x".repeat(EDITED_BYTES - 1))), None);
    assert_eq!(press(Key::Paste("é".into())), Some(Outcome::Bell));
    assert_eq!(press(Key::Left), None);
    assert_eq!(press(Key::Text("yz".into())), Some(Outcome::Bell));
    assert_eq!(press(Key::Text("z".into())), Some(Outcome::Bell));
    assert_eq!(press(Key::Backspace), None);
    assert_eq!(press(Key::Text("y".into())), None);
    assert_eq!(editor.text().len(), EDITED_BYTES);
    assert!(editor.text().ends_with("xyx"));
}

#[test]
fn any_keys_at_all_leave_the_cursor_between_characters() {
    const KEYS: &[u8] = b"\x1b[ABCDHF~3;5\n\t\x7f\x17\x15\x0b\x03\x07\x12\x19Zbfd";
    let mut random = Random(0x5eed);
    let mut next = |bound| random.below(bound);
    let completion = Completion::new(vec!["!who"]);
    for _ in 0..2000 {
        let bytes: Vec<u8> =
            (0..next(60)).map(|_| if next(3) == 0 { KEYS[next(KEYS.len())] } else { next(256) as u8 }).collect();
        let (mut decoder, mut editor) = (Decoder::default(), Editor::default());
        editor.set_mode(Mode::Keyboard);
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
