//! The output of a command: the parts of the log that are its own. Between those of several lines stand prompts and echoes.

use std::io;

use super::render::{Rendered, Source};
use crate::limits::OUTPUT_HEAD_PERCENT;

/// Parts of a log, in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pieces<'a> {
    /// The log.
    pub(super) source: &'a Source<'a>,
    /// Where each begins and ends.
    pub(super) each: &'a [(u64, u64)],
}

/// An output within its budget: the whole, or its beginning and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// All of it, or the beginning.
    pub(super) head: Rendered,
    /// The end, where something is left out.
    pub(super) tail: Option<Rendered>,
    /// Bytes between the two.
    pub(super) cut_bytes: u64,
}

impl Pieces<'_> {
    /// Where the first one begins and the last one ends.
    pub(super) fn bounds(&self) -> (u64, u64) {
        (self.each.first().map_or(0, |piece| piece.0), self.each.last().map_or(0, |piece| piece.1))
    }

    /// How many of their bytes stand there.
    pub(super) fn bytes(&self, start: u64, end: u64) -> u64 {
        self.each.iter().map(|(from, to)| (*to).min(end).saturating_sub((*from).max(start))).sum()
    }

    /// At most `max_chars` from `start` on. `end` of the result is where to go on.
    pub(super) fn from(&self, start: u64, max_chars: usize) -> io::Result<Rendered> {
        let mut parts = self.each.iter().filter(|(_, to)| *to > start).map(|(from, to)| ((*from).max(start), *to));
        let Some((from, to)) = parts.next() else { return self.source.from(start, self.bounds().1, max_chars) };
        let mut all = self.source.from(from, to, max_chars)?;
        let mut stopped = all.end < to;
        let mut left = max_chars.saturating_sub(all.text.chars().count());
        for (from, to) in parts {
            if stopped || left == 0 {
                break;
            }
            let part = self.source.from(from, to, left)?;
            stopped = part.end < to;
            left = left.saturating_sub(part.text.chars().count());
            all = Rendered { text: all.text + &part.text, end: part.end, removed: all.removed + part.removed, ..all };
        }
        Ok(all)
    }

    /// At most `max_chars` before the end, not earlier than `start`, and of those the last `lines`.
    pub(super) fn to(&self, start: u64, max_chars: usize, lines: usize) -> io::Result<Rendered> {
        let mut parts = self.each.iter().rev().filter(|(_, to)| *to > start).map(|(from, to)| ((*from).max(start), *to));
        let Some((from, to)) = parts.next() else { return self.source.to(start, self.bounds().1, max_chars, lines) };
        let mut all = self.source.to(from, to, max_chars, lines)?;
        let mut begun = from;
        for (from, to) in parts {
            let left = max_chars.saturating_sub(all.text.chars().count());
            let lines = lines.saturating_sub(all.text.lines().count());
            if all.start > begun || all.cut.is_some() || left == 0 || lines == 0 {
                break;
            }
            let part = self.source.to(from, to, left, lines)?;
            begun = from;
            all = Rendered { text: part.text + &all.text, end: all.end, removed: all.removed + part.removed, ..part };
        }
        Ok(all)
    }

    /// All of it within `max_chars`: head and tail when it is longer.
    pub(super) fn excerpt(&self, max_chars: usize) -> io::Result<Excerpt> {
        let (start, end) = self.bounds();
        let whole = self.from(start, max_chars)?;
        if whole.end >= end.min(self.source.log.end()) {
            return Ok(Excerpt { head: whole, tail: None, cut_bytes: 0 });
        }
        let head_chars = max_chars * OUTPUT_HEAD_PERCENT / 100;
        let head = self.from(start, head_chars)?;
        let tail = self.to(head.end, max_chars - head_chars, usize::MAX)?;
        let of_row = tail.cut.map_or(0, |(begins, bytes)| (begins + bytes).saturating_sub(tail.start));
        let cut_bytes = self.bytes(head.end, tail.start) + of_row;
        if cut_bytes == 0 {
            // The end of the row that fills the beginning is the one sign too many.
            let head = Rendered { text: head.text + &tail.text, end: tail.end, removed: head.removed + tail.removed, ..head };
            return Ok(Excerpt { head, tail: None, cut_bytes });
        }
        Ok(Excerpt { head, tail: Some(tail), cut_bytes })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::session::log::ByteLog;

    fn log() -> (ByteLog, Vec<(u64, u64)>) {
        let mut log = ByteLog::whole();
        let mut pieces = Vec::new();
        for (echo, rows) in [("r1#one\r\n", 3), ("r1#two\r\n", 40), ("r1#three\r\n", 3)] {
            log.append(echo.as_bytes());
            let start = log.end();
            for row in 0..rows {
                log.append(format!("row {row:02}\r\n").as_bytes());
            }
            pieces.push((start, log.end()));
        }
        log.append(b"r1#");
        (log, pieces)
    }

    #[test]
    fn what_stands_between_them_is_never_shown() {
        let (log, each) = log();
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        let pieces = Pieces { source: &source, each: &each };
        let whole = pieces.from(0, 10_000).unwrap();
        assert_eq!((whole.text.lines().count(), whole.text.contains("r1#"), whole.end), (46, false, each[2].1));
        for max_chars in [5, 20, 21, 22, 100] {
            let (mut text, mut at) = (String::new(), 0);
            while at < each[2].1 {
                let part = pieces.from(at, max_chars).unwrap();
                assert!(part.end > at && part.text.chars().count() <= max_chars + 1, "{part:?}");
                (text, at) = (text + &part.text, part.end);
            }
            assert_eq!(text, whole.text, "{max_chars}");
        }
        for lines in [1, 3, 4, 44, 46, 50] {
            let part = pieces.to(0, 10_000, lines).unwrap();
            let wanted: Vec<&str> = whole.text.lines().rev().take(lines).collect();
            assert_eq!(part.text.lines().rev().collect::<Vec<_>>(), wanted, "{lines}");
        }
        let cut = pieces.excerpt(100).unwrap();
        let tail = cut.tail.unwrap();
        let shown = pieces.bytes(0, cut.head.end) + pieces.bytes(tail.start, u64::MAX);
        assert_eq!(cut.cut_bytes + shown, 46 * 8, "{:?} {tail:?}", cut.head);
        assert!(whole.text.starts_with(&cut.head.text) && whole.text.ends_with(&tail.text));
    }

    #[test]
    fn a_long_output_is_cut_in_the_middle_at_rows_and_says_where() {
        let mut log = ByteLog::whole();
        (0..1000).for_each(|row| log.append(format!("row {row:04}\r\n").as_bytes()));
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        let excerpt = Pieces { source: &source, each: &[(0, log.end())] }.excerpt(900).unwrap();
        let tail = excerpt.tail.unwrap();
        assert!(excerpt.head.text.starts_with("row 0000\n") && excerpt.head.text.ends_with('\n'));
        assert!(tail.text.starts_with("row ") && tail.text.ends_with("row 0999\n"));
        assert_eq!(excerpt.cut_bytes, tail.start - excerpt.head.end);
        assert!(excerpt.head.text.len() + tail.text.len() <= 920);
    }

    #[test]
    fn an_output_of_which_nothing_is_left_out_is_whole() {
        for last in ["c", "cc", "ccc"] {
            let text = format!("aaaa\r\nbbbb\r\n{last}");
            let mut log = ByteLog::whole();
            log.append(text.as_bytes());
            let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
            for max_chars in 8..14 {
                let excerpt = Pieces { source: &source, each: &[(0, log.end())] }.excerpt(max_chars).unwrap();
                assert_eq!(excerpt.tail.is_none(), excerpt.cut_bytes == 0, "{last} {max_chars}: {excerpt:?}");
                assert!(excerpt.tail.is_some() || excerpt.head.text == text.replace('\r', ""), "{last} {max_chars}: {excerpt:?}");
            }
        }
    }
}
