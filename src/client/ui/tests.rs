//! Keys, the editor and the screen together, as a user sees them on a terminal.

use super::editor::{Completion, Decoder, Editor, Mode, Outcome};
use super::screen::{InputLine, OutputMode, Screen, Size, Wrapping};
use crate::testing::random::Random;
use crate::testing::virtual_screen::VirtualScreen;

const KEYS: [&str; 46] = [
    "a",
    "b",
    " ",
    "漢",
    "e\u{301}",
    "\u{301}",
    "👩\u{200d}🚀",
    "hello world",
    "0123456789012345678901234567890",
    "\t",
    "\x1b[Z",
    "\n",
    "\x7f",
    "\x01",
    "\x05",
    "\x0b",
    "\x15",
    "\x17",
    "\x0c",
    "\x1b[A",
    "\x1b[B",
    "\x1b[C",
    "\x1b[D",
    "\x1b[D\x1b[D",
    "\x1b[3~",
    "\x1b[1;5D",
    "\x1b[1;5C",
    "\x1b",
    "\x1b[",
    "@an",
    "@bob hi",
    "!w",
    "\x04",
    "\x03",
    "\x07",
    "\x12",
    "\x19",
    "\x1b\x7f",
    "\x1bb",
    "\x1bf",
    "\x1bd",
    "\x12a",
    "\x12hello\x12",
    "\x12\x12",
    "\x03\x03",
    "\x1b[200~1\n2\n3\n4\n5\n6\x1b[201~",
];

/// A user at a terminal.
struct Person {
    decoder: Decoder,
    editor: Editor,
    completion: Completion,
    screen: Screen,
    terminal: VirtualScreen,
    prompt: &'static str,
    /// The terminal has another size, and has not said so yet.
    resized: Option<Size>,
    /// How each message begins that came since the screen was cleared, as far as it is shown.
    messages: Vec<String>,
    /// The width at which the screen wraps lines, which may be out of date.
    wraps_at: Option<usize>,
}

impl Person {
    fn at(size: Size, prompt: &'static str) -> Self {
        let mut completion = Completion::new(vec!["!who", "!quit"]);
        ["ann", "annabel", "bob"].into_iter().for_each(|name| completion.note_message(name, false));
        let mut editor = Editor::default();
        editor.set_mode(Mode::Keyboard);
        Self {
            decoder: Decoder::default(),
            editor,
            completion,
            screen: Screen::new(OutputMode::Editing(size)),
            terminal: VirtualScreen::new(size.columns, size.rows),
            prompt,
            resized: None,
            messages: Vec::new(),
            wraps_at: None,
        }
    }

    fn types(&mut self, bytes: &str, after_pause: bool) {
        for key in self.decoder.decode(bytes.as_bytes(), after_pause) {
            match self.editor.handle_key(key, &self.completion) {
                Some(Outcome::Submit(line)) => {
                    self.screen.commit(InputLine { prompt: self.prompt, text: &line, cursor: line.len() });
                    self.editor.add_history_entry(&line);
                }
                Some(Outcome::Cleared) => self.screen.print("Ctrl-C again leaves"),
                Some(Outcome::Clear) => {
                    self.screen.clear();
                    self.messages.clear();
                }
                _ => {}
            }
        }
    }

    fn hears(&mut self, message: String) {
        self.screen.print(&message);
        let whole = message.split(' ').next().unwrap_or_default();
        let is_cut = self.wraps_at.is_some_and(|columns| columns < whole.len());
        self.messages.push(if is_cut { &message[..1] } else { whole }.to_owned());
    }

    fn sees(&mut self) {
        let line = match self.editor.question() {
            Some(text) => InputLine { prompt: self.prompt, text, cursor: text.len() },
            None => InputLine {
                prompt: self.editor.search_prompt().unwrap_or(self.prompt),
                text: self.editor.text(),
                cursor: self.editor.cursor(),
            },
        };
        self.screen.refresh(line);
        for (_, bytes) in self.screen.take_output() {
            self.terminal.write(std::str::from_utf8(&bytes).expect("text"));
        }
    }

    fn is_told_of_size(&mut self) {
        if let Some(size) = self.resized.take() {
            self.screen.resize(size);
            self.wraps_at = self.wraps_at.and(Some(size.columns));
        }
    }
}

fn random_size(random: &mut Random) -> Size {
    let columns = if random.below(2) == 0 { 8 } else { 30 };
    Size { columns: 1 + random.below(columns), rows: 1 + random.below(12) }
}

#[test]
fn random_keys_messages_and_sizes_cause_no_panic_and_lose_no_message() {
    const ROUNDS: usize = 100_000;
    let mut random = Random(0x5eed);
    let mut round = 0;
    while round < ROUNDS {
        let size = random_size(&mut random);
        let mut ann = Person::at(size, ["", "> "][random.below(2)]);
        // What is on its way to a terminal while its size changes may come to stand anywhere.
        let at_once = random.below(2) == 0;
        if random.below(2) == 0 {
            ann.screen.wrap_lines(Wrapping::Everything);
            ann.wraps_at = Some(size.columns);
        }
        for _ in 0..=random.below(60) {
            round += 1;
            match random.below(10) {
                0 => ann.hears(format!("m{round}")),
                1 => ann.hears(format!("m{round} {}", "x".repeat(random.below(100)))),
                2 => {
                    let lines: String =
                        (0..random.below(12)).map(|_| ["\n", "x", "\nab", "漢 "][random.below(4)]).collect();
                    ann.types(&format!("\x1b[200~{lines}\x1b[201~"), random.below(2) == 0);
                }
                3 => {
                    let size = random_size(&mut random);
                    ann.terminal.resize(size.columns, size.rows);
                    ann.resized = Some(size);
                }
                _ => ann.types(KEYS[random.below(KEYS.len())], random.below(5) == 0),
            }
            if at_once || random.below(3) > 0 {
                ann.is_told_of_size();
            }
            if at_once || random.below(4) > 0 {
                ann.sees();
            }
        }
        ann.is_told_of_size();
        ann.editor.clear();
        ann.prompt = "";
        ann.hears(String::from("end"));
        ann.sees();
        if !at_once {
            continue;
        }
        let shown = ann.terminal.text().replace(['\n', ' '], "");
        let mut rest = shown.as_str();
        for message in &ann.messages {
            let at = rest.find(message);
            assert!(at.is_some(), "{message} in {:?}", ann.terminal.text());
            rest = &rest[at.unwrap_or_default() + 1..];
        }
    }
}
