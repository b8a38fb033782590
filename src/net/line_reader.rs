//! Lines out of a byte stream, never longer than a limit, many from one `read`.

use std::io::{self, BufRead, ErrorKind, Read};
use std::mem;

use crate::limits::{MAX_READ_BUFFER, READ_BUFFER};

/// A line as it came, without its LF and without one CR right before it (G1).
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// The beginning of a line that is longer than the limit; the rest of it is skipped (G8). It comes as soon as the
    /// limit is passed, and comes once.
    TooLong(&'a [u8]),
}

/// Splits what `source` yields into lines. Holds at most one line of the longest length, and no partial line is lost
/// when a read fails or times out.
///
/// ```
/// use parley::net::{Line, LineReader};
///
/// let mut reader = LineReader::new(&b"LIST\r\nSEND bob hi\nSEND"[..], 8);
/// assert_eq!(reader.read_line()?, Some(Line::Whole(b"LIST")));
/// assert_eq!(reader.read_line()?, Some(Line::TooLong(b"SEND bob")));
/// assert_eq!(reader.read_line()?, None);
/// assert_eq!(reader.into_rest(), b"SEND");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LineReader<R> {
    source: R,
    buffer: Vec<u8>,
    /// What has been read and not yet been handed out is `buffer[start..end]`.
    start: usize,
    end: usize,
    /// `buffer[start..scanned]` is known to have no LF.
    scanned: usize,
    /// Bytes of the longest line, including its LF.
    limit: usize,
    /// Inside a line that was too long.
    skipping: bool,
    /// Bytes that the last read brought.
    last_read: usize,
}

impl<R> LineReader<R> {
    /// Creates a reader for lines of up to `limit` bytes, including the LF.
    pub fn new(source: R, limit: usize) -> Self {
        Self { source, buffer: Vec::new(), start: 0, end: 0, scanned: 0, limit, skipping: false, last_read: 0 }
    }

    /// Changes the limit, beginning with the next line handed out.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    pub(crate) fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// Returns the next line that is in the buffer already, without reading.
    pub fn buffered_line(&mut self) -> Option<Line<'_>> {
        let end = self.next_end()?;
        let limit = self.limit;
        self.skipping = self.buffer[end - 1] != b'\n';
        let is_too_long = self.skipping || end - self.start > limit;
        let line = self.take(end);
        Some(if is_too_long { Line::TooLong(&line[..limit]) } else { whole(&line[..line.len() - 1]) })
    }

    /// Returns the line that [`Self::buffered_line`] will hand out next, as it came, its ending included.
    pub(crate) fn peek_line(&mut self) -> Option<&[u8]> {
        let end = self.next_end()?;
        Some(&self.buffer[self.start..end])
    }

    /// Returns the beginning of a line that has not come to its end yet; empty in the middle of a line that was too long.
    pub fn partial_line(&self) -> &[u8] {
        if self.skipping { &[] } else { &self.buffer[self.start..self.end] }
    }

    /// Takes what has come of a line as if its LF had; `None` if nothing has.
    pub fn take_partial_line(&mut self) -> Option<Line<'_>> {
        if self.partial_line().is_empty() { None } else { Some(whole(self.take(self.end))) }
    }

    /// Treats the partial line as if it were too long already.
    pub fn discard_line(&mut self) -> Line<'_> {
        self.skipping = true;
        Line::TooLong(self.take(self.end))
    }

    /// Returns what is left when the stream has ended without an LF. Empty in the middle of a line that was too long.
    pub fn into_rest(self) -> Vec<u8> {
        self.partial_line().to_vec()
    }

    fn take(&mut self, end: usize) -> &[u8] {
        let start = mem::replace(&mut self.start, end);
        self.scanned = end;
        &self.buffer[start..end]
    }

    /// Drops the rest of a line that was too long, and returns where the next one ends that can be handed out.
    fn next_end(&mut self) -> Option<usize> {
        let mut line_end = self.find_line_end();
        if self.skipping {
            self.skipping = line_end.is_none();
            self.take(line_end.unwrap_or(self.end));
            line_end = self.find_line_end();
        }
        let is_too_long = self.end - self.start >= self.limit;
        line_end.or(is_too_long.then_some(self.end))
    }

    /// Returns the position after the next LF.
    fn find_line_end(&mut self) -> Option<usize> {
        let mut unseen = &self.buffer[self.scanned..self.end];
        // On a slice this is the standard library's fast byte search, and it cannot fail.
        let end = self.scanned + unseen.skip_until(b'\n').unwrap_or(0);
        let found = end > self.scanned && self.buffer[end - 1] == b'\n';
        self.scanned = if found { end - 1 } else { end };
        found.then_some(end)
    }

    /// Moves the unread bytes to the front, and grows or shrinks the buffer for the next read.
    fn make_room(&mut self) -> io::Result<()> {
        let mut size = self.buffer.len();
        let was_filled = self.end == size;
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.scanned -= self.start;
            self.start = 0;
        }
        if self.end == 0 && (self.last_read < READ_BUFFER || size > MAX_READ_BUFFER) {
            size = READ_BUFFER;
        } else if self.end == size || (was_filled && size < MAX_READ_BUFFER) {
            // A line as long as the limit is too long, and does not stay.
            size = (size * 2).min(self.limit.max(MAX_READ_BUFFER));
        } else if self.end < MAX_READ_BUFFER {
            size = size.min(MAX_READ_BUFFER);
        }
        self.buffer.try_reserve_exact(size.saturating_sub(self.buffer.len()))?;
        self.buffer.resize(size, 0);
        self.buffer.shrink_to_fit();
        Ok(())
    }
}

fn whole(line: &[u8]) -> Line<'_> {
    Line::Whole(line.strip_suffix(b"\r").unwrap_or(line))
}

impl<R: Read> LineReader<R> {
    /// Reads the next line, and waits for it if it has not come yet. Returns `None` at the end of the stream; what has no LF
    /// there is left to [`Self::into_rest`].
    ///
    /// # Errors
    ///
    /// As [`Self::fill`].
    pub fn read_line(&mut self) -> io::Result<Option<Line<'_>>> {
        while self.next_end().is_none() {
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
        Ok(self.buffered_line())
    }

    /// Reads once, and waits for it if there is nothing to read yet. Returns how many bytes came; 0 is the end of the
    /// stream. Call it when [`Self::buffered_line`] has nothing more.
    ///
    /// # Errors
    ///
    /// What `read` reports, except interruptions, which are tried again. After a timeout the reader can go on.
    /// [`ErrorKind::OutOfMemory`] when there is none for a long line.
    pub fn fill(&mut self) -> io::Result<usize> {
        self.make_room()?;
        let most = self.buffer.len().min(self.end + MAX_READ_BUFFER);
        loop {
            match self.source.read(&mut self.buffer[self.end..most]) {
                Ok(count) => {
                    self.end += count;
                    self.last_read = count;
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::TelnetReader;

    #[test]
    fn what_is_peeked_at_is_the_next_line_as_it_came() {
        let stream = b"LIST\r\n\nSEND bob 12345678901234567890\nWHO\n1234567890123456\r\nSEND";
        for room in 1..=stream.len() {
            let mut reader = LineReader::new(Pieces(stream.chunks(room).collect()), 16);
            let (mut peeked, mut lines) = (Vec::new(), 0);
            loop {
                while let Some(line) = reader.peek_line().map(<[u8]>::to_vec) {
                    assert_eq!(reader.peek_line(), Some(&line[..]));
                    let taken = match reader.buffered_line() {
                        Some(Line::Whole(taken)) => taken.to_vec(),
                        Some(Line::TooLong(taken)) => {
                            assert!(line.starts_with(taken) && line.len() >= 16);
                            continue;
                        }
                        None => panic!("{line:?} is there"),
                    };
                    lines += 1;
                    peeked.extend(line.clone());
                    let line = line.strip_suffix(b"\n").expect("an LF");
                    assert_eq!(line.strip_suffix(b"\r").unwrap_or(line), taken);
                }
                assert_eq!(reader.buffered_line(), None);
                if reader.fill().expect("it can be read") == 0 {
                    break;
                }
            }
            assert_eq!((lines, peeked.as_slice()), (3, &b"LIST\r\n\nWHO\n"[..]), "{room} at a time");
            assert_eq!(reader.peek_line(), None);
        }
    }

    /// Yields each piece with one `read`.
    struct Pieces<'a>(Vec<&'a [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.0.first_mut() else { return Ok(0) };
            let count = piece.len().min(into.len());
            into[..count].copy_from_slice(&piece[..count]);
            *piece = &piece[count..];
            if piece.is_empty() {
                self.0.remove(0);
            }
            Ok(count)
        }
    }

    /// Every line of the pieces, a too long one as its beginning and `…`; and what is left at the end.
    fn lines(pieces: &[&[u8]], limit: usize) -> (Vec<String>, String) {
        let pieces = pieces.iter().copied().filter(|piece| !piece.is_empty()).collect();
        let mut reader = LineReader::new(Pieces(pieces), limit);
        let mut lines = Vec::new();
        while let Some(line) = reader.read_line().expect("the pieces do not fail") {
            lines.push(match line {
                Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                Line::TooLong(head) => String::from_utf8_lossy(head).into_owned() + "…",
            });
        }
        (lines, String::from_utf8_lossy(&reader.into_rest()).into_owned())
    }

    #[test]
    fn g1_a_transcript_reads_the_same_wherever_it_is_cut() {
        let text = b"HELLO-FROM ann\r\n\n\r\nSEND bob \r inside\r\r\n12345678901234567890123\nLIST\nhalf";
        let limit = 21;
        let expected = (
            ["HELLO-FROM ann", "", "", "SEND bob \r inside\r", "123456789012345678901…", "LIST"]
                .map(String::from)
                .to_vec(),
            String::from("half"),
        );
        for cut in 0..=text.len() {
            assert_eq!(lines(&[&text[..cut], &text[cut..]], limit), expected, "cut at {cut}");
        }
        let single: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&single, limit), expected);
    }

    #[test]
    fn g8_the_limit_counts_the_line_feed() {
        assert_eq!(lines(&[b"1234567\nab\n"], 8).0, ["1234567", "ab"]);
        assert_eq!(lines(&[b"12345678\nab\n"], 8).0, ["12345678…", "ab"]);
        assert_eq!(lines(&[b"12345678", b"\nab\n"], 8).0, ["12345678…", "ab"]);
        assert_eq!(lines(&[b"123456789", b"0\nab\n"], 8).0, ["12345678…", "ab"]);
    }

    #[test]
    fn g8_an_endless_line_is_told_once_and_never_stored() {
        let block = [b'A'; 4096];
        let mut pieces = vec![&block[..]; 500];
        pieces.push(b"\nnext\n");
        let (lines, rest) = lines(&pieces, 1000);
        assert_eq!((lines.len(), lines[1].as_str(), rest.as_str()), (2, "next", ""));

        let mut reader = LineReader::new(Pieces(vec![&block[..]; 500]), 1000);
        while reader.fill().expect("the pieces do not fail") > 0 {
            while reader.buffered_line().is_some() {}
            assert!(reader.buffer.len() <= MAX_READ_BUFFER);
        }
        assert_eq!(reader.into_rest(), b"");
    }

    #[test]
    fn a_long_line_is_read_whole_and_its_memory_given_back() {
        let long = [vec![b'x'; 1 << 20], b"\nshort\n".to_vec()].concat();
        let mut reader = LineReader::new(&long[..], 2 << 20);
        let mut lengths = Vec::new();
        while let Some(Line::Whole(line)) = reader.read_line().expect("a slice does not fail") {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [1 << 20, 5]);
        assert!(reader.buffer.len() <= MAX_READ_BUFFER);
    }

    #[test]
    fn what_follows_a_long_line_comes_in_small_parts_and_keeps_no_memory() {
        let text = [vec![b'x'; 600_000], b"\n".to_vec(), b"W v x\n".repeat(100_000)].concat();
        let mut reader = LineReader::new(&text[..], 1 << 20);
        let (mut lines, mut most) = (0, 0);
        while reader.fill().expect("a slice does not fail") > 0 {
            let mut brought = 0;
            while let Some(Line::Whole(line)) = reader.buffered_line() {
                if line.len() < 10 {
                    (lines, brought) = (lines + 1, brought + line.len() + 1);
                } else {
                    reader.make_room().expect("less memory than before");
                }
            }
            most = most.max(brought);
            assert!(lines == 0 || reader.buffer.len() <= MAX_READ_BUFFER);
        }
        assert_eq!(lines, 100_000);
        assert!(most <= MAX_READ_BUFFER + 6, "{most}");
    }

    #[test]
    fn a_read_brings_as_many_lines_as_there_are() {
        struct Counted<'a> {
            text: &'a [u8],
            at_once: usize,
            reads: usize,
        }
        impl Read for Counted<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.reads += 1;
                let most = into.len().min(self.at_once);
                self.text.read(&mut into[..most])
            }
        }
        let text = b"MSG sixteen bytes..\n".repeat(100_000);
        for at_once in [usize::MAX, MAX_READ_BUFFER - 5555] {
            let counted = Counted { text: &text, at_once, reads: 0 };
            let mut reader = LineReader::new(TelnetReader::new(counted), 1 << 20);
            let mut lines = 0;
            while reader.read_line().expect("a slice does not fail").is_some() {
                lines += 1;
            }
            let reads = reader.source().source().reads;
            assert_eq!(lines, 100_000);
            assert!(reads <= text.len() / at_once.min(MAX_READ_BUFFER) + 10, "{reads}");
        }
    }

    #[test]
    fn a_failed_read_loses_nothing() {
        struct Flaky(Vec<io::Result<&'static [u8]>>);
        impl Read for Flaky {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let piece = self.0.remove(0)?;
                into[..piece.len()].copy_from_slice(piece);
                Ok(piece.len())
            }
        }
        let source =
            Flaky(vec![Ok(b"LI"), Err(ErrorKind::WouldBlock.into()), Err(ErrorKind::Interrupted.into()), Ok(b"ST\n")]);
        let mut reader = LineReader::new(source, 100);
        assert_eq!(reader.fill().expect("two bytes"), 2);
        assert_eq!(reader.fill().expect_err("a timeout").kind(), ErrorKind::WouldBlock);
        assert_eq!(reader.fill().expect("the rest"), 3);
        assert_eq!(reader.buffered_line(), Some(Line::Whole(b"LIST")));
    }

    #[test]
    fn g13_a_line_can_be_taken_before_its_end() {
        let mut reader = LineReader::new(Pieces(vec![b"LIN ann", b"MSG hi\nrest"]), 100);
        assert_eq!(reader.take_partial_line(), None);
        reader.fill().expect("a login");
        assert_eq!(reader.take_partial_line(), Some(Line::Whole(b"LIN ann")));
        assert_eq!(reader.take_partial_line(), None);
        assert_eq!(reader.read_line().expect("a line"), Some(Line::Whole(b"MSG hi")));
        assert_eq!(reader.read_line().expect("the end"), None);
        assert_eq!(reader.take_partial_line(), Some(Line::Whole(b"rest")));
    }

    #[test]
    fn a_line_can_be_given_up_before_its_end() {
        let mut reader = LineReader::new(Pieces(vec![b"\x16\x03", b"\x01 still it\nLIST\n"]), 100);
        assert_eq!(reader.fill().expect("two bytes"), 2);
        assert_eq!(reader.buffered_line(), None);
        assert_eq!(reader.partial_line(), b"\x16\x03");
        assert_eq!(reader.discard_line(), Line::TooLong(b"\x16\x03"));
        assert_eq!(reader.buffered_line(), None);
        assert_eq!(reader.partial_line(), b"");
        reader.fill().expect("the rest");
        assert_eq!(reader.buffered_line(), Some(Line::Whole(b"LIST")));
    }
}
