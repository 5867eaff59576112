//! The terminal as a person would see it now, for full-screen programs, menus and questions.
//!
//! Built from the log only once somebody asks, then kept up to date.

use std::num::NonZeroU16;

use self::charset::Charsets;
use crate::limits::LOG_MEMORY_BYTES;
use crate::secret::look::{Mask, Span};
use crate::session::log::ByteLog;
use crate::session::report::ScreenReport;
use crate::terminal::parser::STRING_MAX_BYTES;
use crate::terminal::sieve::Sieve;
use crate::terminal::text::escaped;

pub(crate) mod charset;
#[cfg(test)]
mod properties;

/// Makes the character before it two columns wide. In the last column the emulator does not see to it that the second one is there, and
/// panics once the first is written over; so characters stay as wide as they are.
const WIDENER: &[u8] = "\u{fe0f}".as_bytes();

/// A rendered terminal.
pub struct Screen {
    parser: vt100::Parser<Title>,
    revision: u64,
    /// Each row with the revision in which it was last seen changed.
    rows: Vec<(u64, String)>,
    /// The beginning of a character whose other bytes are still to come.
    part: Vec<u8>,
    sieve: Sieve,
    charsets: Charsets,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("revision", &self.revision).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Title(String);

impl vt100::Callbacks for Title {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.0 = String::from_utf8_lossy(title).into_owned();
    }
}

fn at_least_one(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).unwrap_or(NonZeroU16::MIN)
}

/// How often a character is repeated at once: programs fill a row with it. The emulator draws each one, and eight bytes ask for 65,535.
fn repeat_max(columns: u16) -> u16 {
    at_least_one(columns).get()
}

impl Screen {
    /// From the newest bytes of the log.
    #[must_use]
    pub fn replay(log: &ByteLog, (columns, rows): (u16, u16)) -> Self {
        let mut screen = Self::blank((columns, rows));
        let from = log.end().saturating_sub(LOG_MEMORY_BYTES as u64);
        // What cannot be read is not shown.
        if let Ok((_, bytes)) = log.read(from, log.end()) {
            screen.on_bytes(&bytes);
        }
        screen.revision = log.end();
        screen
    }

    /// An empty one of so many columns and rows.
    #[must_use]
    pub fn blank((columns, rows): (u16, u16)) -> Self {
        let parser = vt100::Parser::new_with_callbacks(at_least_one(rows), at_least_one(columns), 0, Title::default());
        let mut sieve = Sieve::new(STRING_MAX_BYTES);
        sieve.set_repeat_max(repeat_max(columns));
        Self { parser, revision: 0, rows: Vec::new(), part: Vec::new(), sieve, charsets: Charsets::default() }
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        let (rows, columns) = self.parser.screen().size();
        (columns.get(), rows.get())
    }

    /// The terminal has so many columns and rows from now on.
    pub fn set_size(&mut self, (columns, rows): (u16, u16)) {
        self.parser.screen_mut().set_size(at_least_one(rows), at_least_one(columns));
        self.sieve.set_repeat_max(repeat_max(columns));
    }

    /// What draws it on another terminal.
    #[must_use]
    pub fn drawn(&self) -> String {
        let screen = self.parser.screen();
        let buffer = if screen.alternate_screen() { "\x1b[?1049h" } else { "\x1b[?1049l" };
        format!("{buffer}{}", screen.state_formatted())
    }

    /// Takes the next bytes.
    pub fn on_bytes(&mut self, bytes: &[u8]) {
        self.revision += bytes.len() as u64;
        let mut passed = Vec::with_capacity(bytes.len());
        self.sieve.add(bytes, &mut passed);
        // The emulator gets whole characters only: what it makes of a part depends on where a read ended.
        let mut left = std::mem::take(&mut self.part);
        self.charsets.add(&passed, &mut left);
        let mut rest = left.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => return self.draw(text.as_bytes()),
                Err(error) => {
                    let (right, wrong) = rest.split_at(error.valid_up_to());
                    self.draw(right);
                    let Some(length) = error.error_len() else {
                        self.part = wrong.to_vec();
                        return;
                    };
                    self.parser.process("\u{fffd}".as_bytes());
                    rest = wrong.get(length..).unwrap_or_default();
                }
            }
        }
    }

    /// Gives whole characters to the emulator.
    fn draw(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = memchr::memmem::find(rest, WIDENER) {
            let (before, after) = rest.split_at(at);
            self.parser.process(before);
            rest = after.get(WIDENER.len()..).unwrap_or_default();
        }
        self.parser.process(rest);
    }

    /// The cursor's row, and all rows with text.
    #[must_use]
    pub fn shown(&self) -> (String, String) {
        let screen = self.parser.screen();
        let (_, columns) = screen.size();
        let at = usize::from(screen.cursor_position().0);
        let rows: Vec<String> = screen.rows(0, columns.get()).map(|row| escaped(row.trim_end())).collect();
        let cursor = rows.get(at).cloned().unwrap_or_default();
        let text: Vec<String> = rows.into_iter().filter(|row| !row.is_empty()).collect();
        (cursor, text.join("\n"))
    }

    /// The rows that changed since a revision, all of them without one.
    ///
    /// With a mask, secrets are taken out, also those that go on in the next row.
    pub fn report(&mut self, since: Option<u64>, mask: Option<&Mask>) -> ScreenReport {
        let screen = self.parser.screen();
        let (_, columns) = screen.size();
        let mut now: Vec<String> = screen.rows(0, columns.get()).map(|row| escaped(row.trim_end())).collect();
        if let Some(mask) = mask {
            let wraps: Vec<bool> = (0_u16..).take(now.len()).map(|row| screen.row_wrapped(row)).collect();
            now = without_secrets(&now, &wraps, mask);
        }
        let revision = self.revision;
        self.rows.resize(now.len(), (0, String::new()));
        for (kept, text) in self.rows.iter_mut().zip(now) {
            if kept.1 != text {
                *kept = (revision, text);
            }
        }
        let last = self.rows.iter().rposition(|(_, text)| !text.is_empty()).map_or(0, |last| last + 1);
        // Who has seen the rows before is told of those that are empty now, too.
        let shown = if since.is_some() { self.rows.len() } else { last.max(1) };
        let numbered = (0_u16..).zip(&self.rows).take(shown);
        let changed = numbered.filter(|(_, (at, _))| since.is_none_or(|since| *at > since));
        let rows = changed.map(|(number, (_, text))| (number, text.clone())).collect();
        ScreenReport {
            rows,
            cursor: screen.cursor_position(),
            title: mask.map_or_else(|| escaped(&self.parser.callbacks().0), |mask| mask.text(&escaped(&self.parser.callbacks().0)).0),
            alternate: screen.alternate_screen(),
            revision,
        }
    }
}

/// The rows with marks in the place of secrets. `wraps` says of each row whether its text goes on in the next one.
fn without_secrets(rows: &[String], wraps: &[bool], mask: &Mask) -> Vec<String> {
    let mut joined = String::new();
    let mut places = Vec::with_capacity(rows.len());
    for (row, wraps) in rows.iter().zip(wraps) {
        places.push(joined.len());
        joined.push_str(row);
        if !wraps {
            joined.push('\n');
        }
    }
    let mut spans = mask.spans(joined.as_bytes());
    spans.extend(key_from_above(rows, &places));
    if spans.is_empty() {
        return rows.to_vec();
    }
    let shown = |(row, place): (&String, &usize)| {
        let mut out = String::new();
        let at = |index: usize| (place + index) as u64;
        for (index, letter) in row.char_indices() {
            match spans.iter().find(|span| span.start <= at(index) && at(index) < span.end) {
                None => out.push(letter),
                // The mark stands where the secret begins; further rows of it are empty.
                Some(span) if span.start == at(index) => out.push_str(span.mark()),
                Some(_) => {}
            }
        }
        out
    };
    rows.iter().zip(&places).map(shown).collect()
}

/// The end of a private key whose beginning has left the screen.
fn key_from_above(rows: &[String], places: &[usize]) -> Option<Span> {
    let is_line = |row: &String, word: &str| row.contains("-----") && row.contains(word) && row.contains("PRIVATE KEY");
    let end = rows.iter().position(|row| is_line(row, "END "))?;
    if rows.iter().take(end).any(|row| is_line(row, "BEGIN ")) {
        return None;
    }
    let is_key = |row: &&String| !row.is_empty() && row.chars().all(|letter| letter.is_ascii_alphanumeric() || "+/= ".contains(letter));
    let count = rows.iter().take(end).rev().take_while(is_key).count();
    let (first, last) = (end.checked_sub(count)?, end.checked_sub(1)?);
    let until = places.get(last)? + rows.get(last)?.len();
    (count > 0).then_some(Span { start: *places.get(first)? as u64, end: until as u64, is_key: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(size: (u16, u16), text: &str) -> Vec<String> {
        let mut screen = Screen::replay(&ByteLog::in_memory(), size);
        screen.on_bytes(text.as_bytes());
        let report = screen.report(None, Some(&Mask::with(std::iter::empty())));
        report.rows.into_iter().map(|(_, row)| row).collect()
    }

    #[test]
    fn a_box_drawn_with_letters_is_a_box() {
        let rows = shown((80, 5), "\x1b(0lqqk\x1b(B\r\n\x1b(0x\x1b(Bqx\x1b(0x\x1b(B\r\n\x1b)0\x0emqqj\x0f lqqk");
        assert_eq!(rows, ["┌──┐", "│qx│", "└──┘ lqqk"]);
    }

    #[test]
    fn a_character_that_should_grow_in_the_last_column_stays_as_it_is() {
        let bytes = "\x1b[24;80H☎\u{fe0f}\x1b[23;80Hx\x1b[24;80Hy".as_bytes();
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let mut screen = Screen::blank((80, 24));
            screen.on_bytes(first);
            screen.on_bytes(second);
            let (row, text) = screen.shown();
            assert_eq!((row.trim(), text.lines().map(str::trim).collect::<Vec<_>>()), ("y", vec!["x", "y"]), "cut at {cut}");
        }
    }

    #[test]
    fn a_character_is_repeated_over_no_more_than_a_row() {
        for (text, below) in [("x\x1b[79b\r\ny", "y"), ("x\x1b[65535b", "x")] {
            let mut screen = Screen::blank((80, 24));
            screen.on_bytes(text.as_bytes());
            assert_eq!(screen.shown().1, format!("{}\n{below}", "x".repeat(80)), "{text:?}");
        }
    }

    #[test]
    fn rows_that_are_empty_now_have_changed() {
        let mut screen = Screen::blank((80, 24));
        screen.on_bytes(b"one\r\ntwo\r\nthree");
        let before = screen.report(None, None).revision;
        assert!(screen.report(Some(before), None).rows.is_empty());
        screen.on_bytes(b"\x1b[2J\x1b[Hone");
        let rows = |report: ScreenReport| report.rows.into_iter().map(|(number, row)| format!("{number}{row}")).collect::<Vec<_>>();
        assert_eq!(rows(screen.report(Some(before), None)), ["1", "2"]);
        assert_eq!(rows(screen.report(None, None)), ["0one"]);
    }

    #[test]
    fn a_title_without_end_is_none() {
        let mut screen = Screen::blank((80, 24));
        screen.on_bytes(b"\x1b]0;title\x07\x1b]0;");
        for _ in 0..100 {
            screen.on_bytes(&[b'x'; 1000]);
        }
        screen.on_bytes(b"\x07text");
        let report = screen.report(None, None);
        assert_eq!((report.title.as_str(), report.rows), ("title", vec![(0, "text".to_owned())]));
    }

    #[test]
    fn a_secret_is_not_shown_whole_or_in_two_rows() {
        let token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
        assert_eq!(shown((80, 5), &format!("a {token} b")), ["a [secret removed] b"]);
        assert_eq!(shown((30, 5), &format!("a {token} b")), ["a [secret removed]", " b"]);
    }

    #[test]
    fn a_key_is_not_shown_whole_or_when_its_beginning_has_left_the_screen() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\r\nMIIEowIBAAKCAQEA0123456789\r\nabcdefghijklmnopqrstuvwxyz==\r\n-----END RSA PRIVATE KEY-----\r\n$ ";
        let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
        assert_eq!(shown((80, 6), key), [begin, "[private key removed]", "", end, "$ ".trim_end()]);
        assert_eq!(shown((80, 3), key), ["[private key removed]", end, "$"]);
    }
}
