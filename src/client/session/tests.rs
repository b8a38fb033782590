//! Every kind of session, under whatever order of inputs.

use std::collections::{BTreeMap, BTreeSet};

use super::testing::handle;
use super::*;
use crate::client::ui::editor::{Completion, Decoder, Editor, Key, Outcome};
use crate::client::ui::screen::{InputLine, OutputMode, Screen, Size, Wrapping};
use crate::signals::Signal;
use crate::testing::random::Random;
use crate::testing::virtual_screen::VirtualScreen;

/// Whatever happens, in whatever order, a session has an answer, and after the end nothing is asked of it.
#[test]
fn rt7_no_order_of_inputs_makes_a_session_panic() {
    const LINES: [&str; 16] = [
        "",
        "ann",
        "@bob hi",
        "@bob",
        "!who",
        "!quit",
        "quit",
        "HELLO ann",
        "IN-USE",
        "BUSY",
        "LIST-OK a,b",
        "SEND-OK",
        "BAD-RQST-HDR",
        "BAD-RQST-BODY",
        "200 OK",
        "DISCONNECT CHAT/1.0",
    ];
    let mut random = Random(0x5eed);
    let mut next = |bound| random.below(bound);
    for protocol in PROTOCOLS {
        let mut ended = 0;
        for _ in 0..2000 {
            let mut session =
                Session::new(protocol, Config { name: (next(2) == 0).then(|| "ann".into()), ..Config::default() });
            handle(&mut session, Input::Start);
            for _ in 0..next(60) {
                let line = LINES[next(LINES.len())].to_owned();
                let input = match next(13) {
                    0..4 => Input::Typed(line),
                    4..8 => Input::Received(line),
                    8 => Input::Connected,
                    9 => Input::Disconnected((next(2) == 0).then_some(line)),
                    10 if next(9) == 0 => Input::TypedEnd,
                    10 => Input::Signal(Signal::Interrupt),
                    11 => Input::Completing,
                    _ => Input::TimeUp { unsent: next(2) == 0 },
                };
                let actions = handle(&mut session, input);
                if actions.iter().any(|action| matches!(action, Action::Exit(_))) {
                    ended += 1;
                    break;
                }
            }
        }
        assert!(ended > 0, "{}", protocol.name);
    }
}

/// Somebody at a terminal, with the line editor and the screen: what was submitted, what became of it, and what is seen.
struct Person {
    session: Session,
    screen: Screen,
    terminal: VirtualScreen,
    columns: usize,
    decoder: Decoder,
    editor: Editor,
    completion: Completion,
    /// How often each number was submitted in a line, and sent, and told of.
    submitted: BTreeMap<u32, usize>,
    /// How many lines were submitted.
    lines: usize,
    sent: BTreeMap<u32, usize>,
    told: BTreeSet<u32>,
    /// Numbers of lines that wait for a login.
    waiting: BTreeSet<u32>,
    /// Texts that are sent whatever they look like: to one user, of a paste, or submitted once more.
    said: BTreeSet<String>,
    /// The session knows that a person is there.
    is_known: bool,
    commands: &'static [Usage],
    is_over: bool,
}

/// The numbers in a text that have an `n` before them.
fn numbers(text: &str) -> Vec<u32> {
    let numbers = text.split('n').skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or(""));
    numbers.filter_map(|number| number.parse().ok()).collect()
}

impl Person {
    fn new(protocol: &'static Protocol, config: Config, columns: usize) -> Self {
        let mut person = Self {
            session: Session::new(protocol, Config { interactive: true, ..config }),
            screen: Screen::new(OutputMode::Editing(Size { columns, rows: ROWS })),
            terminal: VirtualScreen::new(columns, ROWS),
            columns,
            decoder: Decoder::default(),
            editor: Editor::default(),
            completion: Completion::for_protocol(protocol),
            submitted: BTreeMap::new(),
            lines: 0,
            sent: BTreeMap::new(),
            told: BTreeSet::new(),
            waiting: BTreeSet::new(),
            said: BTreeSet::new(),
            is_known: false,
            commands: protocol.commands,
            is_over: false,
        };
        person.screen.wrap_lines(Wrapping::Everything);
        person.handle(Input::Start);
        person
    }

    fn resize(&mut self, columns: usize) {
        self.columns = columns;
        self.terminal.resize(columns, ROWS);
        self.screen.resize(Size { columns, rows: ROWS });
    }

    /// Has the terminal show what there is to show. If one looks closely, a line that takes no more than a row stands there, with
    /// the cursor where it is in it.
    fn see(&mut self, closely: bool) {
        let (prompt, text, cursor) = (self.session.prompt(), self.editor.text(), self.editor.cursor());
        self.screen.refresh(InputLine { prompt: &prompt, text, cursor });
        for (_, bytes) in self.screen.take_output() {
            self.terminal.write(&String::from_utf8(bytes).expect("text"));
        }
        let line = [&prompt, text].concat();
        if closely && !line.is_empty() && line.len() < self.columns && !line.contains(['\n', '\t']) {
            let (row, column) = self.terminal.cursor();
            let seen = self.terminal.text();
            assert_eq!(seen.lines().nth(row).unwrap_or_default().trim_end(), line.trim_end(), "{seen}");
            assert_eq!(column, prompt.len() + cursor, "{seen}");
        }
    }

    fn press(&mut self, bytes: &str) {
        for key in self.decoder.decode(bytes.as_bytes(), false) {
            if key == Key::Enter {
                let (prompt, text, cursor) = (self.session.prompt(), self.editor.text(), self.editor.cursor());
                self.screen.commit(InputLine { prompt: &prompt, text, cursor });
            }
            if let Some(Outcome::Submit(text)) = self.editor.handle_key(key, &self.completion) {
                self.lines += 1;
                for number in numbers(&text) {
                    *self.submitted.entry(number).or_default() += 1;
                }
                for line in text.lines().map(str::trim_start) {
                    let direct = ["@", "/msg ", "!msg "].iter().find_map(|start| line.strip_prefix(start));
                    self.said.extend(direct.and_then(|direct| Some(direct.split_once(' ')?.1.to_owned())));
                }
                if is_paste(&text) {
                    self.said.extend(text.lines().map(str::to_owned));
                }
                if self.session.asks_for_name() {
                    // It is a name, and shown with whatever becomes of it.
                    self.told.extend(numbers(&text));
                } else {
                    self.editor.add_history_entry(&text);
                }
                if !self.session.wants_input() {
                    self.waiting.extend(numbers(&text));
                }
                self.handle(Input::Typed(text));
            }
        }
    }

    fn handle(&mut self, input: Input) {
        if self.is_over {
            return;
        }
        self.is_known |= input == Input::Person;
        for action in handle(&mut self.session, input) {
            match action {
                Action::Send(line) => {
                    let line = String::from_utf8(line).expect("text");
                    if let Some(name) = line.strip_prefix("HELLO-FROM ") {
                        // A name is sent with each login, and asked for again.
                        assert!(!name.starts_with(['!', '/']), "{line:?} goes out");
                        self.told.extend(numbers(&line));
                        continue;
                    }
                    let to_all = ["MSG ", "@ann: ", "@: "].iter().find_map(|start| line.strip_prefix(start));
                    let text = to_all.or_else(|| line.splitn(3, ' ').nth(2)).unwrap_or_default();
                    let text = text.trim_end_matches('\n');
                    let is_slip = self.is_known && command::correction(text, self.commands).is_some();
                    assert!(!is_slip || self.said.contains(text), "{line:?} goes out");
                    for number in numbers(text) {
                        *self.sent.entry(number).or_default() += 1;
                    }
                }
                Action::GiveBack(line) => {
                    self.told.extend(numbers(&line));
                    self.said.extend(line.lines().map(str::to_owned));
                }
                Action::Message { line, .. } => self.screen.print(&line),
                Action::Warn(text) | Action::Print(text) => {
                    assert!(!text.starts_with("0 lines"), "{text}");
                    self.screen.print(&text);
                    self.told.extend(numbers(&text));
                }
                Action::Exit(_) => self.is_over = true,
                _ => {}
            }
        }
        if self.is_over {
            // Nobody can press Up any more.
            let lost = self.waiting.iter().find(|n| !self.told.contains(n) && !self.sent.contains_key(n));
            assert_eq!(lost, None);
        } else if self.session.wants_input() {
            self.waiting.clear();
        }
    }

    /// Every line was sent once, or is told of, or is within reach of Up.
    fn has_lost_nothing(&mut self) {
        let mut within_reach = BTreeSet::new();
        for key in ["\x1b[B", "\x1b[A"] {
            for _ in 0..=self.lines {
                self.press(key);
                within_reach.extend(numbers(self.editor.text()));
            }
        }
        for (number, submitted) in &self.submitted {
            let sent = self.sent.get(number).copied().unwrap_or_default();
            assert!(sent <= *submitted, "n{number}: {submitted} times typed, {sent} times sent");
            assert!(
                sent >= *submitted || self.told.contains(number) || within_reach.contains(number),
                "n{number} is lost"
            );
        }
    }
}

/// Rows of the terminal.
const ROWS: usize = 8;

/// What is typed; a number takes the place of `#`.
const TYPED: [&str; 24] = [
    "!to bob",
    "/query",
    "!ignore bob",
    "!unignore bob",
    "",
    "  ",
    "n#",
    " n#",
    "@bob n#",
    "@bob  n#",
    "@ n#",
    "@bob\x7f\x7f n#",
    "!whp n#",
    "/n#",
    " !n#",
    "!hello n#",
    "!hepl n#",
    "/whoo n#",
    "/msg bob n#",
    "!msg n#",
    "!quit n#",
    "quit n#",
    "!who",
    "@ann: n#",
];
/// What a server says.
const REPLIES: [&str; 16] = [
    "HELLO ann",
    "HELLO ann",
    "IN-USE",
    "BUSY",
    "BAD-RQST-BODY",
    "BAD-RQST-HDR",
    "SEND-OK",
    "BAD-DEST-USER",
    "LIST-OK ann, bob",
    "DELIVERY bob hi",
    "Welcome, ann.",
    "Cannot log in as ann: that name is already in use.",
    "bob: hi",
    "200 OK",
    "@bob whispers: psst",
    "Online: ann, bob",
];
/// What is pressed.
const KEYS: [&str; 8] = ["\x1b[A", "\x1b[B", "\x1b[D", "\x7f", "\x01", "\t", "\x17", "\x15"];

/// Whatever a person types, and whatever happens meanwhile: nothing is lost or sent twice, and nothing that is a slip goes
/// out but in a paste or if it is submitted once more.
#[test]
fn w13_rt7_in_a_hundred_thousand_random_rounds_nothing_is_lost_nor_sent_that_was_not_meant() {
    const ROUNDS: usize = 100_000;
    let mut random = Random(0x5eed);
    let mut next = |bound| random.below(bound);
    let (mut round, mut number, mut lives) = (0, 0, 0);
    while round < ROUNDS {
        let config =
            Config { name: (next(2) == 0).then(|| "ann".into()), reconnect: Some(next(2) == 0), ..Config::default() };
        let mut person = Person::new(&PROTOCOLS[next(PROTOCOLS.len())], config, 5 + next(40));
        for _ in 0..next(120) {
            round += 1;
            let mut line = || {
                number += 1;
                TYPED[next(TYPED.len())].replace('#', &number.to_string())
            };
            match round % 7 {
                0 => {
                    let paste = [line(), line(), line()].join("\n");
                    person.press(&format!("\x1b[200~{paste}\x1b[201~\r"));
                }
                1..3 => person.press(&(line() + "\r")),
                3 => person.press(&line()),
                4 => person.press(KEYS[next(KEYS.len())]),
                5 => person.handle(Input::Received(REPLIES[next(REPLIES.len())].into())),
                _ => person.handle(match next(10) {
                    0..4 => Input::Connected,
                    4..6 => Input::Disconnected((next(2) == 0).then(|| "reset".into())),
                    6 => Input::Unreachable("refused".into()),
                    7 => Input::TimeUp { unsent: next(2) == 0 },
                    8 if next(9) == 0 => Input::Person,
                    9 if next(5) == 0 => Input::Completing,
                    8 if next(20) == 0 => Input::Typed("!quit".into()),
                    9 if next(20) == 0 => Input::Signal(Signal::Interrupt),
                    _ => Input::Received("bob: hi".into()),
                }),
            }
            if next(50) == 0 {
                person.resize(5 + next(40));
            }
            person.see(round % 4 == 0);
            if person.is_over {
                break;
            }
        }
        person.has_lost_nothing();
        lives += 1;
    }
    assert!(lives > 1000, "{lives}");
}

#[test]
fn at_a_terminal_a_line_that_was_sent_is_shown_as_a_message_with_its_recipient() {
    let welcome = ["HELLO ann", "Welcome, ann.", "200 OK"];
    let to_bob = |text: &str| Some(Action::Sent { to: Some("bob".into()), text: text.into() });
    let to_all = |text: &str| Some(Action::Sent { to: None, text: text.into() });
    for (protocol, welcome) in PROTOCOLS.iter().zip(welcome) {
        for interactive in [true, false] {
            let config = Config { name: Some("ann".into()), interactive, ..Config::default() };
            let mut session = Session::new(protocol, config);
            for input in [Input::Start, Input::Connected, Input::Received(welcome.into())] {
                handle(&mut session, input);
            }
            let has_direct = protocol.name != "chat";
            for (line, sent) in [
                ("@bob hi", if has_direct { to_bob("hi") } else { to_all("@bob hi") }),
                ("hello", if protocol.name == "cap" { None } else { to_all("hello") }),
                ("!who", if has_direct { None } else { to_all("!who") }),
                ("!help", None),
                ("!quitt", if protocol.name == "cap" { None } else { to_all("!quitt") }),
            ] {
                let actions = handle(&mut session, Input::Typed(line.into()));
                let told = actions.into_iter().find(|action| matches!(action, Action::Sent { .. }));
                assert_eq!(told, sent.filter(|_| interactive), "{line:?}, {}", protocol.name);
            }
        }
    }
}

/// A session in each protocol, logged in, at a terminal or in a script.
fn chatting(interactive: bool) -> [Session; 3] {
    [0, 1, 2].map(|index: usize| {
        let config = Config { name: Some("ann".into()), interactive, ..Config::default() };
        let mut session = Session::new(&PROTOCOLS[index], config);
        for input in [Input::Start, Input::Connected] {
            handle(&mut session, input);
        }
        handle(&mut session, Input::Received(["HELLO ann", "Welcome, ann.", "200 OK"][index].into()));
        session
    })
}

fn typed(session: &mut Session, line: &str) -> Vec<String> {
    testing::feed(session, Input::Typed(line.to_owned()))
}

#[test]
fn k2_w13_plain_lines_go_to_the_recipient_until_there_is_none() {
    for interactive in [false, true] {
        let [cap, wac, mut chat] = chatting(interactive);
        for (mut session, direct, to_all) in [
            (cap, "send SEND", "print Use @<username> <message> to send, !who to list who is online, !quit to leave."),
            (wac, "send W", "send MSG hi"),
        ] {
            let now = if interactive { vec!["print Plain lines go to bob now; !to ends that."] } else { vec![] };
            assert_eq!(typed(&mut session, "!to bob"), now);
            assert_eq!(session.prompt(), "");
            assert_eq!(typed(&mut session, "hi"), [format!("{direct} bob hi")]);
            assert_eq!(typed(&mut session, " two  blanks "), [format!("{direct} bob  two  blanks ")]);
            assert_eq!(typed(&mut session, "@eve hi"), [format!("{direct} eve hi")]);
            assert_eq!(
                typed(&mut session, "one\n!quit\n@eve two\nthree"),
                ["bob one", "bob !quit", "eve two", "bob three"].map(|sent| format!("{direct} {sent}"))
            );
            typed(&mut session, "/query eve");
            assert_eq!(typed(&mut session, "hi"), [format!("{direct} eve hi")]);
            typed(&mut session, "/query");
            assert_eq!(typed(&mut session, "hi")[0], to_all);
            testing::feed(&mut session, Input::Person);
            assert_eq!((typed(&mut session, "!to bob"), session.prompt()), (vec![], "[bob] ".into()));
            assert_eq!((typed(&mut session, "!to"), session.prompt()), (vec![], String::new()));
        }
        assert_eq!(typed(&mut chat, "!to bob"), ["send @ann: !to bob"]);
    }
}

#[test]
fn w13_with_a_recipient_nothing_of_a_script_goes_to_all() {
    let [_, mut wac, _] = chatting(false);
    typed(&mut wac, "!to bob");
    for (line, sent) in
        [("/usr/bin", "send W bob /usr/bin"), ("!to be or not", "send W bob !to be or not"), ("!who", "send WHO")]
    {
        assert_eq!(typed(&mut wac, line), [sent]);
    }
}

#[test]
fn k2_w13_whoever_is_ignored_is_not_heard() {
    for interactive in [false, true] {
        for (mut session, lines) in chatting(interactive).into_iter().zip([
            ["DELIVERY bob hi", "DELIVERY bobby hi"],
            ["bob whispers, \"hi\"", "bobby: bob: hi"],
            ["@bob: hi", "@bobby whispers: hi"],
        ]) {
            let shown = |session: &mut Session| {
                lines.map(|line| testing::feed(session, Input::Received(line.to_owned())).len())
            };
            assert_eq!(typed(&mut session, "!ignore"), ["print Nobody is ignored."]);
            let hidden = ["Ignored([\"bob\"])", "print What bob says is hidden now; !unignore bob shows it again."];
            assert_eq!(typed(&mut session, "!ignore bob"), hidden);
            assert_eq!(shown(&mut session), [0, 1]);
            assert_eq!(typed(&mut session, "/ignore ann")[0], "Ignored([\"ann\", \"bob\"])");
            assert_eq!(typed(&mut session, "!ignore"), ["print Ignored: ann, bob"]);
            let again = ["Ignored([\"ann\"])", "print What bob says is shown again."];
            assert_eq!(typed(&mut session, "!unignore bob"), again);
            assert_eq!(typed(&mut session, "!unignore bob")[1], "print bob was not ignored.");
            assert_eq!(shown(&mut session), [1, 1]);
        }
    }
}

#[test]
fn g15_the_names_of_who_comes_and_goes_are_known() {
    let [_, wac, chat] = chatting(true);
    for mut session in [wac, chat] {
        for (line, names) in [
            ("* bob has joined", Names::Joined("bob".into())),
            ("* bob is now eve", Names::Renamed { from: "bob".into(), to: "eve".into() }),
            ("* eve has left", Names::Left("eve".into())),
        ] {
            let actions = handle(&mut session, Input::Received(line.into()));
            assert_eq!(actions, [Action::Print(line.into()), Action::Names(names)]);
        }
    }
}

#[test]
fn g15_whoever_changes_the_name_is_still_the_recipient_and_still_hidden() {
    for interactive in [false, true] {
        let [_, mut wac, mut chat] = chatting(interactive);
        testing::feed(&mut wac, Input::Person);
        typed(&mut wac, "!to bob");
        let received = |session: &mut Session, line: &str| testing::feed(session, Input::Received(line.into()));
        assert_eq!(received(&mut wac, "* bobby is now gus").len(), 2);
        assert_eq!(wac.prompt(), "[bob] ");
        received(&mut wac, "* bob is now eve");
        assert_eq!((typed(&mut wac, "hi"), wac.prompt()), (vec![String::from("send W eve hi")], "[eve] ".into()));
        received(&mut wac, "* eve has left");
        assert_eq!(wac.prompt(), "[eve] ");
        for (session, lines) in [(&mut wac, ["bob: hi", "eve: hi"]), (&mut chat, ["@bob: hi", "@eve: hi"])] {
            typed(session, "!ignore bob");
            assert_eq!(received(session, "* bob is now eve")[1], "Ignored([\"eve\"])");
            assert_eq!(lines.map(|line| received(session, line).len()), [1, 0]);
            assert_eq!(typed(session, "!ignore"), ["print Ignored: eve"]);
        }
    }
}

#[test]
fn k2_w13_the_help_fits_a_terminal_and_names_every_command_and_what_cannot_be_done() {
    for protocol in PROTOCOLS {
        let help = protocol.help() + messages::KEYS;
        assert!(help.lines().count() <= 24, "{help}");
        assert_eq!(help.lines().find(|line| line.chars().count() > 79), None);
        assert!(help.contains(protocol.limits) && protocol.limits.contains("not"));
        for usage in protocol.commands {
            assert!(
                help.contains(usage.syntax) && usage.word().is_none_or(|word| word == format!("!{}", usage.words[0]))
            );
        }
    }
}

#[test]
fn ri6_k4_a_first_connection_that_fails_and_a_full_server_are_tried_again_with_reconnect_alone() {
    let full = ["BUSY", "Cannot log in: the server is full.", "503 Server full"];
    let welcome = ["HELLO ann", "Welcome, ann.", "200 OK"];
    for ((protocol, full), welcome) in PROTOCOLS.iter().zip(full).zip(welcome) {
        for (reconnect, is_person, goes_on) in [
            (Some(true), true, true),
            (None, true, false),
            (Some(true), false, true),
            (None, false, false),
            (Some(false), true, false),
        ] {
            let config = Config {
                name: Some("ann".into()),
                interactive: true,
                reconnect,
                server: "here".into(),
                ..Config::default()
            };
            let mut session = Session::new(protocol, config);
            handle(&mut session, Input::Start);
            if is_person {
                handle(&mut session, Input::Person);
            }
            let ended = |actions: &[Action]| matches!(actions.last(), Some(Action::Exit(1)));
            let unreachable = handle(&mut session, Input::Unreachable("refused".into()));
            if !goes_on {
                assert!(ended(&unreachable), "{unreachable:?}");
                continue;
            }
            let why = String::from("Cannot connect to here: refused");
            assert_eq!(unreachable, [Action::WaitForever, Action::Reconnect(why)]);
            let line = if protocol.name == "chat" { "waits" } else { "@bob waits" };
            handle(&mut session, Input::Typed(line.into()));
            for _ in 0..2 {
                let connected = handle(&mut session, Input::Connected);
                assert!(connected.iter().any(|action| matches!(action, Action::Send(_))), "{connected:?}");
                let actions = handle(&mut session, Input::Received(full.into()));
                let why = actions
                    .iter()
                    .find_map(|action| if let Action::Reconnect(why) = action { Some(why) } else { None });
                assert!(why.is_some_and(|why| why.contains("full")), "{}: {actions:?}", protocol.name);
            }
            let mut actions = handle(&mut session, Input::Connected);
            actions.extend(handle(&mut session, Input::Received(welcome.into())));
            let is_sent = |action: &Action| matches!(action, Action::Sent { text, .. } if text.ends_with("waits"));
            assert_eq!(actions.iter().filter(|action| is_sent(action)).count(), 1, "{actions:?}");
        }
    }
}

#[test]
fn k6_a_lost_connection_is_made_again_where_a_person_is_who_does_not_say_otherwise() {
    let good_byes = ["", "The server is shutting down.", "DISCONNECT CHAT/1.0"];
    for (reconnect, is_person, goes_on) in
        [(None, true, true), (None, false, false), (Some(true), false, true), (Some(false), true, false)]
    {
        for (index, welcome) in ["HELLO ann", "Welcome, ann.", "200 OK"].into_iter().enumerate() {
            for good_bye in ["", good_byes[index]] {
                let config = Config { name: Some("ann".into()), interactive: true, reconnect, ..Config::default() };
                let mut session = Session::new(&PROTOCOLS[index], config);
                let person = is_person.then_some(Input::Person);
                for input in [Input::Start, Input::Connected, Input::Received(welcome.into())].into_iter().chain(person)
                {
                    handle(&mut session, input);
                }
                let mut actions = handle(&mut session, Input::Received(good_bye.into()));
                actions.extend(handle(&mut session, Input::Disconnected(None)));
                let is_end = |action: &Action| matches!(action, Action::Exit(_));
                let is_reconnect = |action: &Action| matches!(action, Action::Reconnect(_));
                let [ends, reconnects] = [actions.iter().any(is_end), actions.iter().any(is_reconnect)];
                // CHAT/1.0 ends with its server (H15).
                let goes_on = goes_on && (reconnect.is_some() || index < 2);
                assert_eq!((ends, reconnects), (!goes_on, goes_on), "{actions:?}");
            }
        }
    }
}

#[test]
fn ri2_a_name_can_be_given_while_there_is_no_connection_yet() {
    let config = Config { interactive: true, reconnect: Some(true), server: "here".into(), ..Config::default() };
    let mut session = Session::new(&PROTOCOLS[0], config);
    for input in [Input::Start, Input::Person, Input::Unreachable("refused".into())] {
        handle(&mut session, input);
    }
    assert!(session.asks_for_name());
    assert_eq!(handle(&mut session, Input::Typed("ann".into())), []);
    let sent = Action::Send(b"HELLO-FROM ann\n".to_vec());
    assert!(handle(&mut session, Input::Connected).contains(&sent));
    // Nobody has been logged in yet: a name that is taken is not waited for.
    handle(&mut session, Input::Received("IN-USE".into()));
    assert!(session.asks_for_name());
}
