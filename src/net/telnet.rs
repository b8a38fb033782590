//! What a telnet client puts between the characters that a person typed (RFC 854), taken out again (G2).

use std::io::{self, ErrorKind, Read};
use std::mem;

const IAC: u8 = 0xff;
const DONT: u8 = 0xfe;
const DO: u8 = 0xfd;
const WONT: u8 = 0xfc;
const WILL: u8 = 0xfb;
const SUBNEGOTIATION: u8 = 0xfa;
const SUBNEGOTIATION_END: u8 = 0xf0;

/// A stream without the telnet commands in it. A 0xFF that begins no command stays: it is simply not UTF-8. An LF always
/// ends the line, also within a command.
#[derive(Debug)]
pub(crate) struct TelnetReader<R> {
    source: R,
    state: State,
    answer: Vec<u8>,
    /// Text for which the last read had no room.
    held_back: Option<u8>,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    Command,
    Option { verb: u8 },
    Subnegotiation { after_iac: bool },
}

impl<R> TelnetReader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, state: State::Text, answer: Vec::new(), held_back: None }
    }

    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// What the commands read so far are to be answered with: a refusal of each option that was asked for or offered.
    /// After Ctrl-C a telnet client shows nothing more until its `DO TIMING-MARK` is answered.
    pub(crate) fn take_answer(&mut self) -> Vec<u8> {
        mem::take(&mut self.answer)
    }

    /// Takes one byte; returns what of it is text, which is two bytes where a 0xFF turned out to begin no command.
    fn take(&mut self, byte: u8) -> (Option<u8>, Option<u8>) {
        let (state, text) = match (self.state, byte) {
            (State::Text, IAC) => (State::Command, (None, None)),
            (State::Text, _) => (State::Text, (Some(byte), None)),
            (State::Command, IAC) => (State::Text, (Some(IAC), None)),
            (State::Command, WILL | WONT | DO | DONT) => (State::Option { verb: byte }, (None, None)),
            (State::Command, SUBNEGOTIATION) => (State::Subnegotiation { after_iac: false }, (None, None)),
            (State::Command, SUBNEGOTIATION_END..) => (State::Text, (None, None)),
            (State::Command, _) => (State::Text, (Some(IAC), Some(byte))),
            (_, b'\n') => (State::Text, (Some(byte), None)),
            (State::Option { verb }, _) => {
                match verb {
                    DO => self.answer.extend([IAC, WONT, byte]),
                    WILL => self.answer.extend([IAC, DONT, byte]),
                    _ => {}
                }
                (State::Text, (None, None))
            }
            (State::Subnegotiation { after_iac: true }, SUBNEGOTIATION_END) => (State::Text, (None, None)),
            (State::Subnegotiation { after_iac }, _) => {
                (State::Subnegotiation { after_iac: byte == IAC && !after_iac }, (None, None))
            }
        };
        self.state = state;
        text
    }
}

impl<R: Read> Read for TelnetReader<R> {
    /// Reads once. [`ErrorKind::WouldBlock`] also when only commands came, so that they can be answered.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let (Some(byte), [first, ..]) = (self.held_back, &mut *into) {
            *first = byte;
            self.held_back = None;
            return Ok(1);
        }
        // The first byte is left free for a 0xFF that the read before ended with and that may begin no command.
        let spare = usize::from(self.state == State::Command && into.len() > 1);
        let count = self.source.read(&mut into[spare..])?;
        if count == 0 || (self.state == State::Text && !into[..count].contains(&IAC)) {
            return Ok(count);
        }
        let mut kept = 0;
        for at in spare..spare + count {
            let (first, second) = self.take(into[at]);
            for byte in [first, second].into_iter().flatten() {
                match into.get_mut(kept) {
                    Some(place) => *place = byte,
                    None => self.held_back = Some(byte),
                }
                kept += 1;
            }
        }
        if kept == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(kept.min(into.len())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of the pieces, read with so much room at a time, and what is to be answered.
    fn strip(pieces: &[&[u8]], room: usize) -> (Vec<u8>, Vec<u8>) {
        let mut text = Vec::new();
        let mut reader = TelnetReader::new(&b""[..]);
        for piece in pieces {
            reader.source = piece;
            loop {
                let mut buffer = vec![0; room];
                match reader.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => text.extend_from_slice(&buffer[..count]),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
        }
        (text, reader.take_answer())
    }

    #[test]
    fn g2_telnet_commands_are_dropped_and_options_refused_wherever_they_are_cut() {
        let cases: [(&[u8], &[u8], &[u8]); 12] = [
            ("LIST é 漢\n".as_bytes(), "LIST é 漢\n".as_bytes(), b""),
            (b"\xff\xf4\xff\xfd\x06LIST\n", b"LIST\n", b"\xff\xfc\x06"),
            (b"LI\xff\xf1ST", b"LIST", b""),
            (b"\xff\xfb\x1fLIST\xff\xfc\x01\xff\xfe\x02", b"LIST", b"\xff\xfe\x1f"),
            (b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0LIST", b"LIST", b""),
            (b"\xff\xfa\x1f\xff\xff\xf0\xff\xf0LIST", b"LIST", b""),
            (b"LIST\xff\xfa\x1f\x00\nWHO", b"LIST\nWHO", b""),
            (b"LIST\xff\xfd\nWHO", b"LIST\nWHO", b""),
            (b"a\xff\xffb", b"a\xffb", b""),
            (b"a\xffb\xff\n", b"a\xffb\xff\n", b""),
            (b"\xff\xfd", b"", b""),
            (b"\xff", b"", b""),
        ];
        for (line, expected, answer) in cases {
            let expected = (expected.to_vec(), answer.to_vec());
            for room in [1, 2, 3, 64] {
                for cut in 0..line.len() {
                    let found = strip(&[&line[..cut], &line[cut..]], room);
                    assert_eq!(found, expected, "{line:?} cut at {cut}, {room} at a time");
                }
            }
        }
    }
}
