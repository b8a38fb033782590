use super::*;

fn decode(bytes: &[u8]) -> Vec<Key> {
    Decoder::default().decode(bytes, false)
}

/// The keys, with the text between other keys put together.
fn joined(keys: Vec<Key>) -> Vec<Key> {
    let mut joined = Vec::new();
    for key in keys {
        match (joined.last_mut(), key) {
            (Some(Key::Text(text)), Key::Text(more)) | (Some(Key::Paste(text)), Key::Paste(more)) => *text += &more,
            (_, key) => joined.push(key),
        }
    }
    joined
}

fn text(text: &str) -> Key {
    Key::Text(text.to_owned())
}

fn paste(text: &str) -> Key {
    Key::Paste(text.to_owned())
}

#[test]
fn text_and_control_characters() {
    assert_eq!(decode("hé 漢\n".as_bytes()), [text("hé 漢"), Key::Enter]);
    assert_eq!(
        decode(b"\x01\x05\x02\x06\x17\x15\x0b\x0c\x04\x7f\x08\t\x19\x12\x07\x03\r"),
        [
            Key::Home,
            Key::End,
            Key::Left,
            Key::Right,
            Key::KillWord,
            Key::KillToStart,
            Key::KillToEnd,
            Key::Clear,
            Key::EndOfInput,
            Key::Backspace,
            Key::Backspace,
            Key::Tab,
            Key::Yank,
            Key::Search,
            Key::Abort,
            Key::Interrupt,
            Key::Enter,
        ]
    );
    assert_eq!(decode(b"\0\x0f\x13\x1d"), []);
}

#[test]
fn the_sequences_of_many_terminals() {
    for (sequences, key) in [
        (&["\x1b[A", "\x1bOA", "\x10"][..], Key::Up),
        (&["\x1b[B", "\x1bOB", "\x0e"], Key::Down),
        (&["\x1b[C", "\x1bOC"], Key::Right),
        (&["\x1b[D", "\x1bOD"], Key::Left),
        (&["\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"], Key::Home),
        (&["\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"], Key::End),
        (&["\x1b[3~", "\x1b[3;5~"], Key::Delete),
        (&["\x1b[1;5C", "\x1b[1;3C", "\x1bf", "\x1bF", "\x1bOc"], Key::WordRight),
        (&["\x1b[1;5D", "\x1b[1;3D", "\x1bb", "\x1bB", "\x1bOd"], Key::WordLeft),
        (&["\x1b\x7f", "\x1b\x08"], Key::KillWordLeft),
        (&["\x1bd", "\x1b\x1bd"], Key::KillWordRight),
        (&["\x1b[Z", "\x1b[1;2Z", "\x1b\t"], Key::BackTab),
    ] {
        for sequence in sequences {
            assert_eq!(decode(sequence.as_bytes()), std::slice::from_ref(&key), "{sequence:?}");
        }
    }
}

#[test]
fn unknown_sequences_are_skipped_and_the_keys_behind_them_are_not() {
    for unknown in [
        "\x1b[5~",
        "\x1b[99;99;99z",
        "\x1b[?1;2c",
        "\x1bOP",
        "\x1b[[A",
        "\x1bt",
        "\x1bu",
        "\x14",
        "\x1f",
        "\x1b.",
        "\x1b\n",
        "\x1b\x01",
        "\x1bé",
        "\x1b漢",
        "\x1b\x1bt",
        "\x1b]11;rgb:0/0/0\x07",
        "\x1bP1$r0m\x1b\\",
        "\x1b[201~",
    ] {
        assert_eq!(decode(format!("{unknown}x\n").as_bytes()), [text("x"), Key::Enter], "{unknown:?}");
    }
    assert_eq!(decode(b"\x1b[12\nx"), [Key::Enter, text("x")]);
    assert_eq!(decode(b"\x1b[12\x1b[Ax"), [Key::Up, text("x")]);
    assert_eq!(decode(b"\x1b_hello\nx"), [Key::Enter, text("x")]);
    assert_eq!(decode(format!("\x1b[{}~x", "1;".repeat(1000)).as_bytes()), [text("x")]);
}

#[test]
fn a_sequence_before_a_pause_swallows_nothing_behind_it() {
    for begun in ["\x1bO", "\x1b[", "\x1b[1;", "\x1b]", "\x1bP", "\x1b_x\x1b"] {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode(begun.as_bytes(), false), []);
        for typed in ["Please", "Oh yes", "[brackets]", "bye", "for you"] {
            assert_eq!(decoder.decode(typed.as_bytes(), true), [text(typed)], "{begun:?}");
        }
    }
    let mut decoder = Decoder::default();
    assert_eq!(decoder.decode(b"\x1b[200~a\x1b", false), [paste("a")]);
    assert_eq!(joined(decoder.decode(b"[b\x1b[201~\n", true)), [paste("\u{fffd}[b"), Key::Enter]);
}

#[test]
fn an_escape_before_a_pause_is_a_key_of_its_own() {
    for begun in ["\x1b", "\x1b\x1b"] {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode(begun.as_bytes(), false), []);
        assert!(decoder.is_behind_escape());
        assert_eq!(decoder.decode(b"bye", true), [Key::Escape, text("bye")]);
        assert!(!decoder.is_behind_escape());
        assert_eq!(decoder.decode(begun.as_bytes(), true), []);
        assert_eq!(decoder.decode(b"", true), [Key::Escape]);
        assert_eq!(decoder.decode(b"b", false), [text("b")]);
    }
}

#[test]
fn ctrl_c_ends_a_paste_whose_end_is_lost() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.decode(b"\x1b[200~a\xe6", false), [paste("a")]);
    assert_eq!(decoder.decode(b"\x03", true), [paste("\u{fffd}"), Key::Interrupt]);
    assert_eq!(decoder.decode(b"b", false), [text("b")]);
}

#[test]
fn an_impossible_byte_holds_no_key_back() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.decode(b"caf\xe9", false), [text("caf")]);
    assert_eq!(decoder.decode(b"a", false), [text("\u{fffd}a")]);
    for (bytes, shown) in [(&b"\xff"[..], "\u{fffd}"), (b"\xc0", "\u{fffd}"), (b"\xf0\x9f\x99a", "\u{fffd}a")] {
        assert_eq!(decoder.decode(bytes, false), [text(shown)], "{bytes:?}");
    }
    assert_eq!(decoder.decode(b"\xf0\x9f\x99", false), []);
    assert_eq!(decoder.decode(b"\x82", false), [text("🙂")]);
}

#[test]
fn invalid_utf8_and_control_characters_become_replacement_characters() {
    assert_eq!(decode(b"a\xffb\n"), [text("a\u{fffd}b"), Key::Enter]);
    assert_eq!(decode(b"a\xe6\xbc\n"), [text("a\u{fffd}"), Key::Enter]);
    assert_eq!(decode("\u{9b}31m\u{202e}".as_bytes()), [text("\u{fffd}31m\u{fffd}")]);
}

#[test]
fn control_bytes_in_a_paste_are_text() {
    let pasted = decode(b"\x1b[200~a\tb\r\nc\rd\n\x1b[A\x1b[20\x03e\x1b[201~f");
    assert_eq!(joined(pasted), [paste("a\tb\nc\nd\n\u{fffd}[A\u{fffd}[20\u{fffd}e"), text("f")]);
    assert_eq!(joined(decode(b"\x1b[200~\x1b[\x1b[201~\x1b[A")), [paste("\u{fffd}["), Key::Up]);
}

#[test]
fn a_paste_without_brackets_is_text_as_well() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.decode_pasted("a\tb\r\nc\r漢".as_bytes()), [paste("a\tb\nc\n漢")]);
    assert_eq!(decoder.decode_pasted(b"\x1b[A\r\xe6"), [paste("\u{fffd}[A\n")]);
    assert_eq!(decoder.decode_pasted(b"\xbc\xa2"), [paste("漢")]);
}

#[test]
fn bytes_may_be_cut_anywhere() {
    let bytes = "a漢🙂\x1b[1;5C\x1bOH\n\x1b[200~x\ny\x1b[2\x1b[201~\x1b]0;t\x1b\\\x1b[Aé\n".as_bytes();
    let whole = joined(decode(bytes));
    for cut in 0..=bytes.len() {
        let mut decoder = Decoder::default();
        let mut keys = decoder.decode(&bytes[..cut], false);
        keys.extend(decoder.decode(&bytes[cut..], false));
        assert_eq!(joined(keys), whole, "cut at {cut}");
    }
    let mut decoder = Decoder::default();
    let one_by_one = bytes.iter().flat_map(|byte| decoder.decode(&[*byte], false)).collect();
    assert_eq!(joined(one_by_one), whole);
}
