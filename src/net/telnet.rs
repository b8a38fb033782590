//! What a telnet client puts between the characters that a person typed (RFC 854), taken out again (G2).

const IAC: u8 = 0xff;
const DONT: u8 = 0xfe;
const DO: u8 = 0xfd;
const WONT: u8 = 0xfc;
const WILL: u8 = 0xfb;
const SUBNEGOTIATION: u8 = 0xfa;
const SUBNEGOTIATION_END: u8 = 0xf0;

/// A line without its telnet commands, and what they are to be answered with.
#[derive(Debug, PartialEq, Eq)]
pub struct Stripped {
    /// The line.
    pub line: Vec<u8>,
    /// A refusal of each option that was asked for or offered. After Ctrl-C a telnet client shows nothing more until its
    /// `DO TIMING-MARK` is answered.
    pub answer: Vec<u8>,
}

/// Takes the telnet commands out of a line; `None` when there is none, and the line may be used as it is. A 0xFF that
/// begins no command stays: it is simply not UTF-8.
pub fn strip(line: &[u8]) -> Option<Stripped> {
    if !line.contains(&IAC) {
        return None;
    }
    let mut stripped = Stripped { line: Vec::with_capacity(line.len()), answer: Vec::new() };
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (IAC, [IAC, after @ ..]) => {
                stripped.line.push(IAC);
                after
            }
            (IAC, [verb @ (WILL | WONT | DO | DONT), option, after @ ..]) => {
                match *verb {
                    DO => stripped.answer.extend([IAC, WONT, *option]),
                    WILL => stripped.answer.extend([IAC, DONT, *option]),
                    _ => {}
                }
                after
            }
            (IAC, [SUBNEGOTIATION, parameters @ ..]) => {
                let end = parameters.windows(2).position(|pair| pair == [IAC, SUBNEGOTIATION_END]);
                end.map_or(&[][..], |at| &parameters[at + 2..])
            }
            (IAC, [SUBNEGOTIATION_END..=DONT, after @ ..]) => after,
            _ => {
                stripped.line.push(byte);
                after
            }
        };
    }
    Some(stripped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g2_a_plain_line_is_left_alone() {
        assert_eq!(strip("LIST é 漢".as_bytes()), None);
    }

    #[test]
    fn g2_telnet_commands_are_dropped_and_options_refused() {
        let cases: [(&[u8], &[u8], &[u8]); 9] = [
            (b"\xff\xf4\xff\xfd\x06LIST", b"LIST", b"\xff\xfc\x06"),
            (b"LI\xff\xf1ST", b"LIST", b""),
            (b"\xff\xfb\x1fLIST\xff\xfc\x01\xff\xfe\x02", b"LIST", b"\xff\xfe\x1f"),
            (b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0LIST", b"LIST", b""),
            (b"LIST\xff\xfa\x1f\x00", b"LIST", b""),
            (b"a\xff\xffb", b"a\xffb", b""),
            (b"a\xffb\xff", b"a\xffb\xff", b""),
            (b"\xff\xfd", b"", b""),
            (b"\xff", b"\xff", b""),
        ];
        for (line, expected, answer) in cases {
            let stripped = strip(line).expect("it has an IAC");
            assert_eq!((stripped.line.as_slice(), stripped.answer.as_slice()), (expected, answer), "{line:?}");
        }
    }
}
