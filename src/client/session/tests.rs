//! Every kind of session, under whatever order of inputs.

use super::testing::handle;
use super::*;
use crate::testing::random::Random;

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
                (protocol.begin)(Config { name: (next(2) == 0).then(|| "ann".into()), ..Config::default() });
            handle(&mut session, Input::Start);
            for _ in 0..next(60) {
                let line = LINES[next(LINES.len())].to_owned();
                let input = match next(12) {
                    0..4 => Input::Typed(line),
                    4..8 => Input::Received(line),
                    8 => Input::Connected,
                    9 => Input::Disconnected((next(2) == 0).then_some(line)),
                    10 if next(9) == 0 => Input::TypedEnd,
                    10 => Input::Signal(Signal::Interrupt),
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
