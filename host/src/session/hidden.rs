//! Which parts of a session's log are not shown, because they look like secrets.
//!
//! Found when a part of the log is asked for, row by row as a terminal shows them, so that colours inside a token do not hide it, and
//! whatever the offset, the budget or the format that was asked for: it always begins early enough and reads to the end of a row, or
//! of a key. The log itself and what plugins see stay as they are, and bulk output that nobody reads costs nothing.

use std::io;

use memchr::memmem;

use super::log::ByteLog;
use crate::limits::{SENSITIVE_BLOCK_BYTES, SENSITIVE_KEY_MAX_BYTES, SENSITIVE_OVERLAP_BYTES, SENSITIVE_ROW_MAX_BYTES};
use crate::secret::look::{Finder, Mask, Span};
use crate::terminal::parser::{Csi, Parser, Sink};

/// Bytes read from the log at a time.
const PIECE_BYTES: u64 = 16 * 1024;
/// What the first line of a key begins with.
const DASHES: &[u8] = b"-----";

/// Goes through a log.
#[derive(Debug)]
pub struct Hidden<'a> {
    log: &'a ByteLog,
    finder: Finder<'a>,
    parser: Parser,
    rows: Rows,
    /// The next byte to read.
    at: u64,
    /// The log's end was reached.
    finished: bool,
}

impl<'a> Hidden<'a> {
    /// Ready for what begins at `start`: it looks back to the row's beginning, and to the key's where that may be inside of one.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn new(mask: &'a Mask, log: &'a ByteLog, start: u64) -> io::Result<Self> {
        let (back, before) = log.read(start.saturating_sub(SENSITIVE_KEY_MAX_BYTES as u64), start)?;
        let row = memchr::memrchr(b'\n', &before).map_or(0, |at| at + 1);
        let from = if memmem::find(&before, DASHES).is_some() { 0 } else { row };
        let at = back + from as u64;
        Ok(Self { log, finder: Finder::new(mask), parser: Parser::at(at), rows: Rows::default(), at, finished: false })
    }

    /// The hidden parts, complete for all that begins before `stop`.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn until(&mut self, stop: u64) -> io::Result<&[Span]> {
        let end = self.log.end();
        while self.at < end && (self.rows.done < stop || self.finder.is_inside_key()) {
            let (_, bytes) = self.log.read(self.at, (self.at + PIECE_BYTES).min(end))?;
            self.at += bytes.len() as u64;
            self.parser.advance(&bytes, &mut self.rows);
            if self.rows.is_full() || self.at >= stop {
                self.rows.hand_over(&mut self.finder);
            }
        }
        if self.at >= end && !self.finished {
            self.finished = true;
            self.rows.hand_over_all(&mut self.finder);
            self.finder.finish();
        }
        Ok(&self.finder.spans)
    }
}

/// Rows as text, and where each of their bytes comes from.
#[derive(Debug, Default)]
struct Rows {
    text: Vec<u8>,
    offsets: Vec<u64>,
    /// Where the open row begins in the text.
    open: usize,
    /// Behind the last row that has ended.
    done: u64,
}

impl Rows {
    fn is_full(&self) -> bool {
        self.text.len() >= SENSITIVE_BLOCK_BYTES
    }

    fn put(&mut self, byte: u8, offset: u64) {
        self.text.push(byte);
        self.offsets.push(offset);
    }

    fn end_row(&mut self, end: u64) {
        self.done = end;
        if self.text.len() > self.open {
            self.put(b'\n', end.saturating_sub(1));
            self.open = self.text.len();
        }
    }

    /// The rows that have ended, and of an endless one the beginning.
    fn hand_over(&mut self, finder: &mut Finder<'_>) {
        let mut count = self.open;
        let mut keep = self.open;
        if self.text.len() - self.open > SENSITIVE_ROW_MAX_BYTES {
            count = self.text.len();
            keep = count - SENSITIVE_OVERLAP_BYTES;
            self.done = self.offsets.last().copied().unwrap_or(self.done);
        }
        self.give(finder, count);
        self.text.drain(..keep);
        self.offsets.drain(..keep);
        self.open = 0;
    }

    /// Also the row that is still open.
    fn hand_over_all(&mut self, finder: &mut Finder<'_>) {
        self.give(finder, self.text.len());
    }

    fn give(&self, finder: &mut Finder<'_>, count: usize) {
        let text = self.text.get(..count).unwrap_or_default();
        finder.rows(text.strip_suffix(b"\n").unwrap_or(text), |at| self.offsets.get(at).copied().unwrap_or(self.done));
    }
}

impl Sink for Rows {
    fn print(&mut self, bytes: &[u8], start: u64) {
        self.text.extend_from_slice(bytes);
        self.offsets.extend(start..start + bytes.len() as u64);
    }

    fn control(&mut self, byte: u8, end: u64) {
        match byte {
            b'\n' | b'\r' => self.end_row(end),
            b'\t' => self.put(b'\t', end.saturating_sub(1)),
            0x08 if self.text.len() > self.open => {
                self.text.pop();
                self.offsets.pop();
            }
            _ => {}
        }
    }

    fn csi(&mut self, csi: &Csi<'_>, end: u64) {
        match csi.function {
            // A move to the right is how some terminals draw blanks.
            b'C' | b'a' if csi.private == 0 => self.put(b' ', end.saturating_sub(1)),
            b'A' | b'B' | b'E' | b'F' | b'G' | b'H' | b'`' | b'd' | b'f' | b'u' if csi.private == 0 => self.end_row(end),
            _ => {}
        }
    }

    fn osc(&mut self, _: &[u8], _: u64, _: u64) {}

    fn esc(&mut self, intermediate: u8, function: u8, end: u64) {
        if intermediate == 0 && matches!(function, b'8' | b'D' | b'E' | b'M') {
            self.end_row(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::session::render::Source;

    const TOKEN: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\r\nMIIEowIBAAKCAQEA0123456789\r\nabcdefghijklmnopqrstuvwxyz==\r\n-----END RSA PRIVATE KEY-----\r\n";

    fn log(text: &str) -> ByteLog {
        let mut log = ByteLog::in_memory();
        log.append(text.as_bytes());
        log
    }

    /// Pages of this size, one after the other.
    fn pages(text: &str, size: usize) -> String {
        let (log, mask) = (log(text), Mask::with(std::iter::empty()));
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: Some(&mask), known: None };
        let (mut at, mut out) = (0, String::new());
        while at < log.end() {
            let page = source.from(at, u64::MAX, size).unwrap();
            assert!(page.end > at, "a page of {size} goes forward from {at}");
            out.push_str(&page.text);
            at = page.end;
        }
        out
    }

    #[test]
    fn no_page_shows_a_part_of_a_secret_however_small_it_is() {
        let text = format!("one\r\nexport T={TOKEN} two\r\n{KEY}three \x1b[31mghp_abcdefghij\x1b[0mklmnopqrstuvwxyz0123456789 four\r\n");
        for size in [1, 2, 3, 7, 20, 50, 1000] {
            let shown = pages(&text, size);
            for part in ["ghp_", "abcdefgh", "MIIE", "xyz"] {
                assert!(!shown.contains(part), "pages of {size}: {shown}");
            }
            assert!(shown.starts_with("one\n") && shown.contains(" two\n") && shown.ends_with(" four\n"), "pages of {size}: {shown}");
        }
        let whole = "one\nexport T=[secret removed] two\n-----BEGIN RSA PRIVATE KEY-----\n[private key removed]\n-----END RSA PRIVATE KEY-----\nthree [secret removed] four\n";
        assert_eq!(pages(&text, 100_000), whole);
    }

    #[test]
    fn the_end_and_the_bytes_have_the_same_marks_from_any_offset() {
        let text = format!("one\r\n{}{KEY}export T={TOKEN} two\r\n", "filler of a row\r\n".repeat(3000));
        let (log, mask) = (log(&text), Mask::with(std::iter::empty()));
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: Some(&mask), known: None };
        for back in 1..200 {
            let from = log.end() - back;
            let (bytes, place) = source.raw(from, log.end()).unwrap();
            let raw = String::from_utf8(bytes).unwrap();
            let tail = source.to(0, log.end(), usize::try_from(back).unwrap(), usize::MAX).unwrap();
            assert_eq!((place.start, place.end), (from, log.end()));
            for shown in [raw, tail.text, source.from(from, u64::MAX, 1000).unwrap().text] {
                for part in ["ghp_", "lmnop", "MIIE", "0123"] {
                    assert!(!shown.contains(part), "{back} bytes from the end: {shown}");
                }
            }
        }
    }

    #[test]
    fn an_endless_row_is_looked_at_to_its_end() {
        let text = format!("{}{TOKEN}{}", "x ".repeat(SENSITIVE_ROW_MAX_BYTES / 2 - 8), " y".repeat(100_000));
        assert!(!pages(&text, 10_000_000).contains("abcdefghij"));
    }

    #[test]
    fn what_is_written_over_something_else_is_looked_at_alone() {
        for (before, back) in [("", "\r"), ("\x1b7", "\x1b8"), ("\x1b[s", "\x1b[u"), ("", "\x1b[G"), ("", "\x1b[`")] {
            let shown = pages(&format!("{before}working{back}{TOKEN}\r\n"), 1000);
            assert_eq!(shown, "[secret removed]\n", "{back:?}");
        }
    }

    #[test]
    fn a_key_whose_end_has_not_come_is_hidden_as_far_as_it_goes() {
        let cut = KEY.split("==").next().unwrap();
        assert_eq!(pages(cut, 1000), "-----BEGIN RSA PRIVATE KEY-----\n[private key removed]");
    }
}
