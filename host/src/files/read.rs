//! Shows a file, a folder or what matches a pattern: bounded, whatever lies there.

use std::fmt::Write as _;
use std::ops::Range;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::name::join;
use super::remote::{Reading, Remote};
use super::text::{Encoding, Masked};
use super::wire::{Attrs, Kind};
use super::{Code, FilesError};
use crate::hex::digits;
use crate::limits::{FILE_LINE_MAX_CHARS, FILE_WHOLE_MAX_BYTES, HEX_ROW_BYTES, SENSITIVE_KEY_MAX_BYTES, SENSITIVE_OVERLAP_BYTES};
use crate::secret::look::Mask;
use crate::secret::redact::Redactor;

/// Bytes that are kept of a line: four for each letter that is shown, and what a secret may have behind those.
const LINE_KEPT_BYTES: usize = 4 * FILE_LINE_MAX_CHARS + SENSITIVE_OVERLAP_BYTES;

/// What is wanted of a file.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The first line, from 1; of a file that is no text, the first row of 16 bytes.
    pub offset: u64,
    /// How many.
    pub limit: u64,
    /// Characters in all.
    pub max_chars: usize,
}

/// A part of a file.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Bytes in rows, of what is no text.
    pub text: String,
    /// These bytes themselves, and the place of the first.
    bytes: (u64, Bytes),
    /// Its lines.
    rows: Vec<Line>,
    /// Lines before them, a part: what looks like a secret may begin there.
    pub before: String,
    /// How the text is written.
    pub encoding: &'static str,
    /// The line to go on with; none at the end.
    pub next_offset: Option<u64>,
    /// Lines of the whole file, where all of it was read.
    pub lines: Option<u64>,
    /// Its fingerprint, where all of it was read.
    pub sha256: Option<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A line. More of it is kept than is shown: what looks like a secret may begin in the one part and end in the other.
#[derive(Debug, Clone)]
struct Line {
    number: u64,
    text: String,
    bytes: u64,
    is_cut: bool,
}

impl Line {
    /// What is shown of it, where its text is this.
    fn shown(&self, text: &str) -> String {
        let mut shown: String = text.chars().take(FILE_LINE_MAX_CHARS).collect();
        if self.is_cut {
            let _ = write!(shown, " [... the line has {} bytes]", self.bytes);
        }
        shown
    }
}

impl Shown {
    /// Masks secrets that are known.
    pub fn conceal(&mut self, known: &Redactor) {
        self.before = known.text(&self.before);
        for row in &mut self.rows {
            row.text = known.text(&row.text);
        }
        let (start, bytes) = &self.bytes;
        let places = known.places(bytes);
        if !places.is_empty() {
            self.text = hex_rows(*start, bytes, &places);
        }
    }

    /// What a caller is given: lines with their numbers, without what looks like a secret; also how much is hidden.
    #[must_use]
    pub fn masked(&self, mask: Option<&Mask>) -> (String, usize) {
        if self.rows.is_empty() {
            return mask.map_or_else(|| (self.text.clone(), 0), |mask| mask.text(&self.text));
        }
        let mut text = self.before.clone();
        let mut ranges = Vec::new();
        for row in &self.rows {
            let start = text.len();
            text.push_str(&row.text);
            ranges.push((row, start..text.len()));
            text.push('\n');
        }
        let masked = Masked::of(mask, text.as_bytes());
        let mut out = String::with_capacity(text.len());
        let mut was_hidden = false;
        for (row, range) in ranges {
            let (number, text) = (row.number, masked.part(text.as_bytes(), range));
            match &text {
                Some(text) => drop(writeln!(out, "{number:>6}\t{}", row.shown(text))),
                // Once for all of it.
                None if !was_hidden => drop(writeln!(out, "{number:>6}\t[hidden]")),
                None => {}
            }
            was_hidden = text.is_none();
        }
        (out, masked.count())
    }
}

/// Shows a part of a regular file.
///
/// # Errors
///
/// What the device says.
pub async fn file(remote: &Remote, path: &[u8], attrs: &Attrs, part: Part) -> Result<Shown, FilesError> {
    if attrs.kind() != Kind::File {
        return Err(FilesError::remote("read", path, Code::Failure, "it is a device, pipe or socket, which has no end"));
    }
    let size = attrs.size.unwrap_or(0);
    // In `/proc` files have a size of 0 and bytes all the same.
    let mut source = remote.source(path, 0, attrs.size).await?;
    let mut first = Vec::new();
    // More than the sample tells a letter that is cut at its end from one that the file ends in.
    while first.len() <= super::text::SAMPLE_BYTES
        && let Some(bytes) = source.next().await?
    {
        first.extend_from_slice(&bytes);
    }
    let encoding = Encoding::of(&first);
    let is_small = size <= FILE_WHOLE_MAX_BYTES;
    if encoding == Encoding::Binary && !is_small {
        drop(source);
        let start = part.offset.saturating_sub(1).saturating_mul(HEX_ROW_BYTES);
        let source = if start < size { Some(remote.source(path, start, attrs.size).await?) } else { None };
        return rows(source, Bytes::new(), start, size, part).await;
    }
    let first = Bytes::from(first);
    if encoding == Encoding::Binary {
        return small_rows(source, first, part).await;
    }
    let mut lines = Lines::new(encoding, part);
    let mut hash = Sha256::new();
    let mut next = Some(first);
    while let Some(bytes) = next {
        hash.update(&bytes);
        lines.feed(&bytes);
        // Of a huge file the rest is not looked at.
        if lines.is_full && !is_small || lines.read > FILE_WHOLE_MAX_BYTES && size == 0 {
            let has_all = lines.is_full;
            let mut shown = lines.end(None);
            if !has_all {
                shown.notes.push(format!("its first {FILE_WHOLE_MAX_BYTES} bytes alone were looked at: it does not say how large it is"));
            }
            return Ok(shown);
        }
        next = source.next().await?;
    }
    Ok(lines.end(Some(digits(&hash.finalize()))))
}

/// Takes the lines that are wanted out of what comes, whatever the pieces are.
#[derive(Debug)]
struct Lines {
    encoding: Encoding,
    part: Part,
    /// Of UTF-16: a byte, or a half of a letter, that waits for the other one.
    odd: Vec<u8>,
    number: u64,
    line: Vec<u8>,
    line_bytes: u64,
    rows: Vec<Line>,
    before: String,
    chars: usize,
    is_full: bool,
    next: Option<u64>,
    read: u64,
    long: u64,
}

impl Lines {
    fn new(encoding: Encoding, part: Part) -> Self {
        let part = Part { offset: part.offset.max(1), ..part };
        Self {
            encoding,
            part,
            odd: Vec::new(),
            number: 1,
            line: Vec::new(),
            line_bytes: 0,
            rows: Vec::new(),
            before: String::new(),
            chars: 0,
            is_full: false,
            next: None,
            read: 0,
            long: 0,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.read += u64::try_from(bytes.len()).unwrap_or(0);
        if self.encoding.unit() == 1 {
            return self.feed_plain(bytes);
        }
        let all = [std::mem::take(&mut self.odd).as_slice(), bytes].concat();
        let mut even = all.len() - all.len() % 2;
        // The first half of a pair waits for the second.
        if even >= 2 && all.get(even - 2..even).is_some_and(|pair| matches!(self.encoding.number(pair), 0xd800..=0xdbff)) {
            even -= 2;
        }
        let (whole, rest) = all.split_at(even);
        self.odd = rest.to_vec();
        let units = whole.chunks(2).map(|pair| self.encoding.number(pair));
        let text: String = char::decode_utf16(units)
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .filter(|letter| *letter != '\u{feff}')
            .collect();
        self.feed_plain(text.as_bytes());
    }

    fn feed_plain(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            self.more(rest.get(..at).unwrap_or_default());
            self.line_ends();
            rest = rest.get(at + 1..).unwrap_or_default();
        }
        self.more(rest);
    }

    fn more(&mut self, bytes: &[u8]) {
        self.line_bytes += u64::try_from(bytes.len()).unwrap_or(0);
        if !self.is_full {
            // So much, and no more however long the line is.
            let room = LINE_KEPT_BYTES.saturating_sub(self.line.len());
            self.line.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        }
    }

    fn line_ends(&mut self) {
        if !self.is_full {
            self.keep();
        }
        self.line.clear();
        self.line_bytes = 0;
        self.number += 1;
    }

    fn keep(&mut self) {
        let text = match self.encoding {
            Encoding::Latin1 => self.line.iter().copied().map(char::from).collect(),
            _ => String::from_utf8_lossy(&self.line).into_owned(),
        };
        let text = text.strip_suffix('\r').unwrap_or(&text);
        if self.number < self.part.offset {
            self.before.extend(text.chars().take(FILE_LINE_MAX_CHARS));
            self.before.push('\n');
            if self.before.len() > 2 * SENSITIVE_KEY_MAX_BYTES {
                let start = (SENSITIVE_KEY_MAX_BYTES..).find(|at| self.before.is_char_boundary(*at)).unwrap_or_default();
                self.before.drain(..start);
            }
            return;
        }
        let is_cut = text.chars().nth(FILE_LINE_MAX_CHARS).is_some() || u64::try_from(self.line.len()).unwrap_or(0) < self.line_bytes;
        self.long += u64::from(is_cut);
        let line = Line { number: self.number, text: text.to_owned(), bytes: self.line_bytes, is_cut };
        // The number and a tab go before it.
        let chars = line.shown(text).chars().count() + 8;
        let kept = self.number - self.part.offset;
        if kept < self.part.limit && (self.chars + chars <= self.part.max_chars || kept == 0) {
            self.chars += chars;
            self.rows.push(line);
        } else {
            self.is_full = true;
            self.next = Some(self.number);
        }
    }

    fn end(mut self, sha256: Option<String>) -> Shown {
        let mut notes = Vec::new();
        let mut lines = None;
        if sha256.is_some() {
            let has_end = self.line_bytes == 0;
            if !has_end {
                self.line_ends();
                notes.push("the last line has no line break".to_owned());
            }
            lines = Some(self.number - 1);
            if self.number <= self.part.offset && self.number > 1 {
                notes.push(format!("it has {} lines", self.number - 1));
            }
        }
        if self.long > 0 {
            notes.push(format!("{} lines are longer than {FILE_LINE_MAX_CHARS} characters and cut", self.long));
        }
        Shown {
            rows: self.rows,
            before: self.before,
            encoding: self.encoding.word(),
            next_offset: self.next,
            lines,
            sha256,
            notes,
            ..Shown::default()
        }
    }
}

async fn small_rows(mut source: Reading, first: Bytes, part: Part) -> Result<Shown, FilesError> {
    let mut all = first.to_vec();
    while let Some(bytes) = source.next().await? {
        all.extend_from_slice(&bytes);
        if u64::try_from(all.len()).unwrap_or(u64::MAX) > 2 * FILE_WHOLE_MAX_BYTES {
            break;
        }
    }
    let size = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let start = part.offset.saturating_sub(1).saturating_mul(HEX_ROW_BYTES).min(size);
    let wanted = all.get(usize::try_from(start).unwrap_or(usize::MAX)..).unwrap_or_default();
    let sha256 = super::name::sha2_hex(&all);
    let shown = rows(None, Bytes::copy_from_slice(wanted), start, size, part).await?;
    Ok(Shown { sha256: Some(sha256), ..shown })
}

/// Bytes in rows of 16, from a place on.
async fn rows(mut source: Option<Reading>, mut have: Bytes, start: u64, size: u64, part: Part) -> Result<Shown, FilesError> {
    let row = usize::try_from(HEX_ROW_BYTES).unwrap_or(16);
    // A row takes 77 characters.
    let most = part.limit.min(u64::try_from(part.max_chars / 77).unwrap_or(1)).max(1);
    let wanted = usize::try_from(most).unwrap_or(1).saturating_mul(row);
    while have.len() < wanted
        && let Some(source) = &mut source
        && let Some(bytes) = source.next().await?
    {
        have = Bytes::from([have.as_ref(), bytes.as_ref()].concat());
    }
    let bytes = have.slice(..wanted.min(have.len()));
    let text = hex_rows(start, &bytes, &[]);
    let end = start + u64::try_from(bytes.len()).unwrap_or(0);
    let next_offset = (end < size).then(|| end / HEX_ROW_BYTES + 1);
    let notes = vec![format!("no text: bytes in rows of {HEX_ROW_BYTES}, offset counts rows; ssh_transfer copies it")];
    Ok(Shown { text, bytes: (start, bytes), encoding: Encoding::Binary.word(), next_offset, notes, ..Shown::default() })
}

/// Each byte in two digits and as a letter; stars for those that are hidden.
fn hex_rows(start: u64, bytes: &[u8], hidden: &[Range<usize>]) -> String {
    let row = usize::try_from(HEX_ROW_BYTES).unwrap_or(16);
    let mut text = String::new();
    for (number, some) in bytes.chunks(row).enumerate() {
        let first = number * row;
        let at = start + u64::try_from(first).unwrap_or(0);
        let (mut hex, mut letters) = (Vec::new(), String::new());
        for (place, byte) in (first..).zip(some) {
            let is_hidden = hidden.iter().any(|range| range.contains(&place));
            hex.push(if is_hidden { "**".to_owned() } else { format!("{byte:02x}") });
            letters.push(match byte {
                _ if is_hidden => '*',
                32..127 => char::from(*byte),
                _ => '.',
            });
        }
        let _ = writeln!(text, "{at:08x}  {:<47}  |{letters}|", hex.join(" "));
    }
    text
}

/// An entry of a listing.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its name, or whole path where a pattern found it.
    pub path: Vec<u8>,
    /// Its attributes, of a link itself.
    pub attrs: Attrs,
    /// Where a link leads.
    pub leads_to: Option<Vec<u8>>,
}

/// A folder's entries by name, from one on, at most so many; also how many there are.
///
/// # Errors
///
/// What the device says.
pub async fn folder(remote: &Remote, path: &[u8], offset: u64, limit: u64) -> Result<(Vec<Item>, usize), FilesError> {
    let mut entries = remote.list(path).await?;
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let total = entries.len();
    let (skip, take) = (usize::try_from(offset.saturating_sub(1)).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX));
    let mut items = Vec::new();
    for entry in entries.into_iter().skip(skip).take(take) {
        let leads_to = match entry.attrs.kind() {
            Kind::Link => remote.read_link(&join(path, &entry.name)).await.ok(),
            _ => None,
        };
        items.push(Item { path: entry.name.to_vec(), attrs: entry.attrs, leads_to });
    }
    Ok((items, total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn part(offset: u64, limit: u64) -> Part {
        Part { offset, limit, max_chars: 10_000 }
    }

    /// The same bytes cut at any place give the same lines.
    fn lines(bytes: &[u8], part: Part) -> (String, Option<u64>, Option<u64>) {
        let encoding = Encoding::of(bytes);
        let whole = |pieces: &[&[u8]]| {
            let mut lines = Lines::new(encoding, part);
            pieces.iter().for_each(|piece| lines.feed(piece));
            let shown = lines.end(Some(String::new()));
            (shown.masked(None).0, shown.next_offset, shown.lines)
        };
        let all = whole(&[bytes]);
        for at in 0..bytes.len() {
            let (one, other) = bytes.split_at(at);
            assert_eq!(whole(&[one, other]), all, "cut at {at}");
        }
        all
    }

    #[test]
    fn lines_are_numbered_and_bounded() {
        assert_eq!(lines(b"a\nb\nc", part(1, 9)), ("     1\ta\n     2\tb\n     3\tc\n".to_owned(), None, Some(3)));
        assert_eq!(lines(b"a\r\nb\n", part(2, 1)), ("     2\tb\n".to_owned(), None, Some(2)));
        assert_eq!(lines(b"a\nb\nc\n", part(1, 2)), ("     1\ta\n     2\tb\n".to_owned(), Some(3), Some(3)));
        assert_eq!(lines(b"", part(1, 2)), (String::new(), None, Some(0)));
        assert_eq!(lines(b"a\n", part(5, 2)), (String::new(), None, Some(1)));
        assert_eq!(lines("\u{e4}\u{1f980}\n".as_bytes(), part(1, 2)).0, "     1\t\u{e4}\u{1f980}\n");
        let utf16: Vec<u8> = [0xfeff].into_iter().chain("\u{1f980}b\nc".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(lines(&utf16, part(1, 9)), ("     1\t\u{1f980}b\n     2\tc\n".to_owned(), None, Some(2)));
    }

    #[test]
    fn a_line_that_never_ends_takes_no_room() {
        let mut lines = Lines::new(Encoding::Utf8, part(1, 9));
        for _ in 0..1000 {
            lines.feed(&[b'x'; 10_000]);
        }
        assert!(lines.line.len() <= LINE_KEPT_BYTES);
        let shown = lines.end(Some(String::new()));
        let text = shown.masked(None).0;
        assert!(text.len() < FILE_LINE_MAX_CHARS + 100 && text.contains("the line has 10000000 bytes"), "{text}");
    }

    #[test]
    fn a_secret_in_which_a_long_line_is_cut_is_not_shown_in_part() {
        let line = format!("{{\"a\": \"{}\", \"password\": \"hunter2-and-more\"}}\n", "x".repeat(FILE_LINE_MAX_CHARS - 27));
        let mut lines = Lines::new(Encoding::Utf8, part(1, 9));
        lines.feed(line.as_bytes());
        let mut shown = lines.end(Some(String::new()));
        assert!(shown.masked(None).0.contains("\"hunt [... the line has"));
        let text = shown.masked(Some(&Mask::with(std::iter::empty()))).0;
        assert!(!text.contains("hunt") && text.contains("the line has"), "{text}");
        let mut known = Redactor::default();
        known.learn("web", &Secret::from_bytes(b"hunter2-and-more".to_vec()));
        shown.conceal(&known);
        let text = shown.masked(None).0;
        assert!(!text.contains("hunt") && text.contains("the line has"), "{text}");
    }
}
