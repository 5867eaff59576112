//! The lines of a log that match an expression, with those round them.

use std::collections::VecDeque;
use std::io;

use regex::{Regex, RegexBuilder};

use super::render::{Rendered, Source};
use super::report::{MARKER, OutputQuery, Range, unmarked};
use crate::limits::{GREP_CONTEXT_MAX, OUTPUT_MAX_CHARS, SEARCH_CHARS, SEARCHES_MAX, TRIGGER_COMPILED_MAX_BYTES};
use crate::secret::look::{KEY_MARK, SECRET_MARK};

/// What stands between lines that do not follow one another, where lines round the matches are shown.
const GAP: &str = "--";

/// Lines that match, from the query's offset on. One call searches so much; a larger log is searched from call to call.
///
/// # Errors
///
/// A sentence when the log cannot be read or the expression is wrong.
pub(super) fn lines(
    source: &Source<'_>,
    pieces: &[(u64, u64)],
    pattern: &str,
    query: &OutputQuery,
    total: u64,
) -> Result<(String, Range), String> {
    let regex = RegexBuilder::new(pattern).size_limit(TRIGGER_COMPILED_MAX_BYTES).build();
    let regex = regex.map_err(|error| format!("`grep` is not a regular expression: {error}"))?;
    let begin = query.offset.unwrap_or_default();
    let mut range = Range { start: begin.max(pieces.first().map_or(0, |piece| piece.0)), total, ..Range::default() };
    range.output_end = pieces.last().map_or(0, |piece| piece.1);
    let mut found = Found::new(source, query);
    through(pieces, begin, &regex, &mut found, &mut range).map_err(|error| format!("cannot read the session's log: {error}"))?;
    range.removed = found.removed();
    Ok((found.text(), range))
}

/// Shows every row to what was found, until it takes no more.
fn through(pieces: &[(u64, u64)], begin: u64, regex: &Regex, found: &mut Found<'_>, range: &mut Range) -> io::Result<()> {
    let source = found.source;
    let mut searched = 0;
    for &(from, to) in pieces {
        let mut at = begin.max(from);
        range.end = at.min(to);
        while at < to {
            // The lines behind a match are shown with it.
            if searched >= SEARCHES_MAX && found.behind == 0 {
                range.goes_on = true;
                range.end = found.waiting.front().map_or(Ok(range.end), |row| row.place.offset(source))?;
                return Ok(());
            }
            searched += 1;
            let rendered = source.from(at, to, SEARCH_CHARS)?;
            let (whole, whole_end) = whole_rows(source, &rendered)?;
            let is_last = rendered.end >= to;
            found.any_removed |= rendered.removed > 0;
            let text = if is_last { rendered.text.as_str() } else { whole };
            let mut place = Place { from: at, to, chars: 0 };
            let mut last_shown = false;
            for line in text.split_inclusive('\n') {
                let row = line.strip_suffix('\n').unwrap_or(line);
                let row = row.strip_suffix('\r').unwrap_or(row);
                match found.take(row, place, regex.find(row).map(|matched| matched.start()))? {
                    Taken::Full(place) => {
                        range.end = place.offset(source)?;
                        return Ok(());
                    }
                    taken => last_shown = matches!(taken, Taken::Shown),
                }
                place.chars += line.chars().count();
            }
            at = if is_last { to } else { whole_end.max(at + 1) };
            // Who goes on from there finds the rest of a row that may match once it is whole.
            range.end = if is_last && last_shown { rendered.end } else { whole_end };
        }
    }
    Ok(())
}

/// Where a row begins: so many characters behind an offset of the log.
#[derive(Debug, Clone, Copy)]
struct Place {
    from: u64,
    to: u64,
    chars: usize,
}

impl Place {
    fn offset(self, source: &Source<'_>) -> io::Result<u64> {
        if self.chars == 0 { Ok(self.from) } else { Ok(source.from(self.from, self.to, self.chars)?.end) }
    }
}

/// A row that is shown if one of the next ones matches.
#[derive(Debug)]
struct Waiting {
    text: String,
    place: Place,
}

/// What became of a row.
enum Taken {
    Shown,
    Passed,
    /// There is no room for it: the search goes on from here with the next call.
    Full(Place),
}

/// The lines to show, within the query's budget.
#[derive(Debug)]
struct Found<'q> {
    source: &'q Source<'q>,
    query: &'q OutputQuery,
    context: usize,
    max_chars: usize,
    lines: VecDeque<String>,
    chars: usize,
    /// The rows before, which no match has asked for yet.
    waiting: VecDeque<Waiting>,
    /// Rows to show behind the last match.
    behind: usize,
    /// Rows were passed over since the last one that is shown.
    gap: bool,
    /// Secrets were taken out of what was searched.
    any_removed: bool,
}

impl<'q> Found<'q> {
    fn new(source: &'q Source<'q>, query: &'q OutputQuery) -> Self {
        Self {
            source,
            query,
            context: query.context.min(GREP_CONTEXT_MAX),
            max_chars: query.max_chars.clamp(1, OUTPUT_MAX_CHARS),
            lines: VecDeque::new(),
            chars: 0,
            waiting: VecDeque::new(),
            behind: 0,
            gap: false,
            any_removed: false,
        }
    }

    /// `matched` is where in the row a match begins.
    fn take(&mut self, row: &str, place: Place, matched: Option<usize>) -> io::Result<Taken> {
        if matched.is_none() && self.behind == 0 {
            self.pass(row, place);
            return Ok(Taken::Passed);
        }
        let mut needed = row.chars().count() + 1;
        if matched.is_some() {
            self.behind = self.context;
            needed += self.waiting.iter().map(|row| row.text.chars().count() + 1).sum::<usize>();
        } else {
            self.behind -= 1;
        }
        // Of the last lines the first ones go.
        if self.query.tail.is_none() && self.chars + needed > self.max_chars {
            if !self.lines.is_empty() {
                return Ok(Taken::Full(self.waiting.front().map_or(place, |row| row.place)));
            }
            self.gap |= !self.waiting.is_empty();
            self.waiting.clear();
        }
        if std::mem::take(&mut self.gap) && self.context > 0 && !self.lines.is_empty() {
            self.show(GAP.to_owned());
        }
        while let Some(before) = self.waiting.pop_front() {
            self.show(unmarked(before.text));
        }
        let line = self.within(row, place, matched.unwrap_or_default())?;
        self.show(line);
        Ok(Taken::Shown)
    }

    fn pass(&mut self, row: &str, place: Place) {
        if self.context > 0 {
            self.waiting.push_back(Waiting { text: row.to_owned(), place });
        }
        if self.waiting.len() > self.context {
            self.waiting.pop_front();
            self.gap = true;
        }
    }

    /// Of a row that is longer than the whole budget, the part where it matches.
    fn within(&self, row: &str, place: Place, matched: usize) -> io::Result<String> {
        let length = row.chars().count();
        if length <= self.max_chars {
            return Ok(unmarked(row.to_owned()));
        }
        let before = row.get(..matched).map_or(0, |before| before.chars().count());
        let skipped = before.saturating_sub(self.max_chars / 4).min(length - self.max_chars);
        let part: String = row.chars().skip(skipped).take(self.max_chars).collect();
        let whose = self.query.command.map(|id| format!(" command_id={id}")).unwrap_or_default();
        let from = place.offset(self.source)?;
        let shown = self.max_chars;
        let note = format!("a line of {length} characters, {shown} of them from character {skipped} on: ssh_output{whose} offset={from}");
        Ok(format!("{MARKER}{note} ...]\n{}", unmarked(part)))
    }

    fn show(&mut self, line: String) {
        self.chars += line.chars().count() + 1;
        self.lines.push_back(line);
        let Some(tail) = self.query.tail else { return };
        while self.lines.len() > tail || self.chars > self.max_chars && self.lines.len() > 1 {
            let Some(first) = self.lines.pop_front() else { return };
            self.chars -= first.chars().count() + 1;
        }
    }

    fn removed(&self) -> usize {
        let marks = |line: &String| [SECRET_MARK, KEY_MARK].iter().map(|mark| line.matches(mark).count()).sum::<usize>();
        if self.any_removed { self.lines.iter().map(marks).sum() } else { 0 }
    }

    fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

/// Where the last so many lines begin.
#[must_use]
pub fn before_last_lines(text: &str, lines: usize) -> usize {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let Some(back) = lines.checked_sub(1) else { return text.len() };
    body.rmatch_indices('\n').nth(back).map_or(0, |(at, _)| at + 1)
}

/// The whole rows of a part, or all of it where there is none, and where they end in the log.
fn whole_rows<'a>(source: &Source<'_>, rendered: &'a Rendered) -> io::Result<(&'a str, u64)> {
    let end = rendered.text.rfind('\n').map_or(0, |at| at + 1);
    match rendered.text.get(..end) {
        Some(whole) if end > 0 && end < rendered.text.len() => {
            Ok((whole, source.from(rendered.start, rendered.end, whole.chars().count())?.end))
        }
        _ => Ok((&rendered.text, rendered.end)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::ByteLog;
    use super::super::report::output;
    use super::*;

    fn ask(log: &ByteLog, query: OutputQuery) -> (String, u64) {
        let source = Source { log, markers: &VecDeque::new(), columns: 0, mask: None };
        let (text, range) = output(&source, &[(0, log.end())], &query).unwrap();
        (text, range.end)
    }

    /// The lines that match, and where the next search begins.
    fn searched(log: &ByteLog, pattern: &str, offset: u64) -> (String, u64) {
        ask(log, OutputQuery { grep: Some(pattern.to_owned()), offset: Some(offset), max_chars: 100_000, ..OutputQuery::default() })
    }

    #[test]
    fn a_search_goes_on_where_the_last_one_ended() {
        let mut log = ByteLog::whole();
        log.append(b"one\r\ntwo\r\nthr");
        assert_eq!(searched(&log, "t", 0), ("two\nthr\n".to_owned(), 13));
        assert_eq!(searched(&log, "three", 0), (String::new(), 10));
        log.append(b"ee\r\n");
        assert_eq!(searched(&log, "three", 10), ("three\n".to_owned(), 17));
        assert_eq!(searched(&log, "o", 5), ("two\n".to_owned(), 17));
    }

    #[test]
    fn a_line_across_two_parts_is_searched_whole_and_a_large_log_bit_by_bit() {
        let mut log = ByteLog::whole();
        let row = format!("{}\r\n", "x".repeat(998));
        for _ in 0..999 {
            log.append(row.as_bytes());
        }
        log.append(format!("{}needle{}\r\n", "y".repeat(1500), "z".repeat(1500)).as_bytes());
        assert!(searched(&log, "^y+needlez+$", 0).0.contains("needle"));
        for _ in 0..17_000 {
            log.append(row.as_bytes());
        }
        log.append(b"last\r\n");
        let (text, end) = searched(&log, "last", 0);
        assert!(text.is_empty() && end < log.end(), "{text}");
        assert_eq!(searched(&log, "last", end), ("last\n".to_owned(), log.end()));
    }

    /// What calls give, each of which goes on where the one before ended.
    fn from_call_to_call(log: &ByteLog, query: &OutputQuery) -> Vec<String> {
        let mut parts = Vec::new();
        let mut at = 0;
        while at < log.end() {
            let (text, end) = ask(log, OutputQuery { offset: Some(at), ..query.clone() });
            assert!(end > at, "{at} {text:?}");
            parts.push(text);
            at = end;
        }
        parts
    }

    #[test]
    fn what_has_no_room_comes_with_the_next_call() {
        let mut log = ByteLog::whole();
        for number in 1..=100 {
            log.append(format!("line {number}\r\n").as_bytes());
        }
        for context in [0, 1, 2] {
            let query = |max_chars| OutputQuery { grep: Some("7".to_owned()), context, max_chars, ..OutputQuery::default() };
            let (whole, _) = ask(&log, query(100_000));
            for max_chars in [10, 29, 40, 60] {
                let parts = from_call_to_call(&log, &query(max_chars));
                assert!(context > 0 || parts.iter().all(|part| part.chars().count() <= max_chars), "{parts:?}");
                let matching = |text: &str| text.lines().filter(|line| line.contains('7')).map(str::to_owned).collect::<Vec<_>>();
                assert_eq!(matching(&parts.concat()), matching(&whole), "{max_chars}");
            }
        }
    }

    #[test]
    fn lines_round_a_match_are_shown_once_and_gaps_between_them() {
        let mut log = ByteLog::whole();
        log.append(b"a\r\nb\r\nx1\r\nc\r\nd\r\nx2\r\ne\r\nf\r\ng\r\nh\r\nx3\r\n");
        let found = |context, tail| {
            ask(&log, OutputQuery { grep: Some("x".to_owned()), context, tail, max_chars: 1000, ..OutputQuery::default() }).0
        };
        assert_eq!(found(0, None), "x1\nx2\nx3\n");
        assert_eq!(found(1, None), "b\nx1\nc\nd\nx2\ne\n--\nh\nx3\n");
        assert_eq!(found(2, None), "a\nb\nx1\nc\nd\nx2\ne\nf\ng\nh\nx3\n");
        assert_eq!(found(1, Some(2)), "h\nx3\n");
    }

    #[test]
    fn a_line_longer_than_the_budget_is_shown_where_it_matches() {
        let mut log = ByteLog::whole();
        log.append(b"short\r\n");
        log.append(format!("{}needle{}\r\nneedle again\r\n", "x".repeat(5000), "y".repeat(5000)).as_bytes());
        let query = OutputQuery { grep: Some("needle".to_owned()), max_chars: 100, ..OutputQuery::default() };
        let parts = from_call_to_call(&log, &query);
        let [first, second] = parts.as_slice() else { panic!("{parts:?}") };
        assert!(
            first.starts_with("[... a line of 10006 characters, 100 of them from character 4975 on: ssh_output offset=7 ...]\n"),
            "{first}"
        );
        assert!(first.contains(&format!("{}needle{}", "x".repeat(25), "y".repeat(69))), "{first}");
        assert_eq!(second, "needle again\n");
        let last = ask(&log, OutputQuery { tail: Some(2), ..query }).0;
        assert!(last.ends_with("needle again\n"), "{last}");
    }
}
