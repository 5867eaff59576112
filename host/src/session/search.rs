//! The lines of a log that match an expression, with those round them.

use std::collections::VecDeque;
use std::io;

use regex::{Regex, RegexBuilder};

use super::render::Source;
use super::report::{MARKER, OutputQuery, Range, unmarked, whose};
use crate::limits::{GREP_COMPILED_MAX_BYTES, GREP_CONTEXT_MAX, OUTPUT_MAX_CHARS, SEARCH_CHARS, SEARCHES_MAX};
use crate::secret::look::{KEY_MARK, SECRET_MARK};

/// What stands between lines that do not follow one another, where lines round the matches are shown.
const GAP: &str = "--";

/// What lines are searched for, as the argument of this name says it.
///
/// # Errors
///
/// A sentence when it is no regular expression, or takes too much.
pub fn expression(name: &str, pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(GREP_COMPILED_MAX_BYTES).build().map_err(|error| no_expression(name, &error))
}

/// Why an argument cannot be searched for.
#[must_use]
pub fn no_expression(name: &str, error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            format!("`{name}` takes too much as a regular expression: write it shorter, for example [A-Za-z0-9_] for \\w and [0-9] for \\d")
        }
        error => format!("`{name}` is not a regular expression: {error}"),
    }
}

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
    let regex = expression("grep", pattern)?;
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
            // The lines behind a match are shown with it, where they come soon.
            if searched >= SEARCHES_MAX && found.behind == 0 || searched >= 2 * SEARCHES_MAX {
                range.goes_on = true;
                range.end = found.goes_on_at(range.start, range.end);
                return Ok(());
            }
            searched += 1;
            let (rendered, ends) = source.rows(at, to, SEARCH_CHARS, usize::MAX)?;
            let is_last = rendered.end >= to;
            found.any_removed |= rendered.removed > 0;
            // What begins behind the last whole row is searched once it is whole, or where it is all that there is.
            let whole = ends.back().filter(|end| end.text < rendered.text.len() && end.log > at);
            let whole_end = whole.map_or(rendered.end, |end| end.log);
            let text = whole.filter(|_| !is_last).map_or(rendered.text.as_str(), |end| rendered.text.get(..end.text).unwrap_or_default());
            let mut last_shown = false;
            let begins = std::iter::once(rendered.start).chain(ends.iter().map(|end| end.log));
            for (line, begins) in text.split_inclusive('\n').zip(begins) {
                let row = line.strip_suffix('\n').unwrap_or(line);
                let row = row.strip_suffix('\r').unwrap_or(row);
                match found.take(row, begins, regex.find(row).map(|matched| matched.start())) {
                    Taken::Full(at) => {
                        range.end = at;
                        return Ok(());
                    }
                    taken => last_shown = matches!(taken, Taken::Shown),
                }
            }
            // Who goes on from there finds the rest of a row that may match once it is whole, also where it was all that there is.
            range.end = match is_last {
                true if last_shown => rendered.end,
                true if ends.is_empty() => rendered.start,
                _ => whole_end,
            };
            at = if is_last { to } else { whole_end.max(at + 1) };
        }
    }
    range.searched = true;
    Ok(())
}

/// A row that is shown if one of the next ones matches.
#[derive(Debug)]
struct Waiting {
    text: String,
    begins: u64,
}

/// What became of a row.
enum Taken {
    Shown,
    Passed,
    /// There is no room for it: the search goes on from here with the next call.
    Full(u64),
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
    /// Lines and characters before the last match and those round it, and where they begin.
    last: Option<(usize, usize, u64)>,
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
            last: None,
            gap: false,
            any_removed: false,
        }
    }

    /// The row begins there in the log; `matched` is where in the row a match begins.
    fn take(&mut self, row: &str, begins: u64, matched: Option<usize>) -> Taken {
        if matched.is_none() && self.behind == 0 {
            self.pass(row, begins);
            return Taken::Passed;
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
            if matched.is_none() {
                // A match comes with the lines behind it, unless it fills the whole.
                let last = self.last.filter(|(lines, ..)| *lines > 0);
                return Taken::Full(last.map_or(begins, |last| self.without(last)));
            }
            if !self.lines.is_empty() {
                return Taken::Full(self.waiting.front().map_or(begins, |row| row.begins));
            }
            self.gap |= !self.waiting.is_empty();
            self.waiting.clear();
        }
        if matched.is_some() {
            self.last = Some((self.lines.len(), self.chars, self.waiting.front().map_or(begins, |row| row.begins)));
        }
        if std::mem::take(&mut self.gap) && self.context > 0 && !self.lines.is_empty() {
            self.show(GAP.to_owned());
        }
        while let Some(before) = self.waiting.pop_front() {
            self.show(unmarked(before.text));
        }
        let line = self.within(row, begins, matched.unwrap_or_default());
        self.show(line);
        Taken::Shown
    }

    /// Takes back what was shown of the last match; where it begins.
    fn without(&mut self, (lines, chars, begins): (usize, usize, u64)) -> u64 {
        self.lines.truncate(lines);
        self.chars = chars;
        begins
    }

    /// Where the next call goes on that searches what is behind `end`: with the rows before it that a match may ask for, unless that is
    /// much of what this call has searched.
    fn goes_on_at(&self, start: u64, end: u64) -> u64 {
        let back = self.waiting.front().map_or(end, |row| row.begins);
        if end.saturating_sub(back) <= end.saturating_sub(start) / 2 { back } else { end }
    }

    fn pass(&mut self, row: &str, begins: u64) {
        if self.context > 0 {
            self.waiting.push_back(Waiting { text: row.to_owned(), begins });
        }
        if self.waiting.len() > self.context {
            self.waiting.pop_front();
            self.gap = true;
        }
    }

    /// Of a row that is longer than the whole budget, the part where it matches.
    fn within(&self, row: &str, begins: u64, matched: usize) -> String {
        let length = row.chars().count();
        if length <= self.max_chars {
            return unmarked(row.to_owned());
        }
        let before = row.get(..matched).map_or(0, |before| before.chars().count());
        let skipped = before.saturating_sub(self.max_chars / 4).min(length - self.max_chars);
        let part: String = row.chars().skip(skipped).take(self.max_chars).collect();
        let whose = whose(self.query);
        let shown = self.max_chars;
        let note = format!("a line of {length} characters, {shown} of them from character {skipped} on: ssh_output{whose} offset={begins}");
        format!("{MARKER}{note} ...]\n{}", unmarked(part))
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

/// The first line that a search has found. Of a long one the host says in a line before it where it is.
#[must_use]
pub fn first_line(found: &str) -> Option<&str> {
    found.lines().find(|line| !line.starts_with(MARKER))
}

/// Where the last so many lines begin.
#[must_use]
pub fn before_last_lines(text: &str, lines: usize) -> usize {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let Some(back) = lines.checked_sub(1) else { return text.len() };
    body.rmatch_indices('\n').nth(back).map_or(0, |(at, _)| at + 1)
}

/// Where the last lines begin that are together so long at most; of a longer last one nothing is left out.
#[must_use]
pub fn before_last_chars(text: &str, max_chars: usize) -> usize {
    let (mut from, mut left) = (text.len(), max_chars);
    for line in text.split_inclusive('\n').rev() {
        let chars = line.chars().count();
        if chars > left && from < text.len() {
            break;
        }
        (from, left) = (from - line.len(), left.saturating_sub(chars));
    }
    from
}

#[cfg(test)]
mod tests {
    use super::super::log::ByteLog;
    use super::super::report::output;
    use super::*;
    use crate::secret::Secret;
    use crate::secret::redact::Redactor;

    fn ask(log: &ByteLog, query: OutputQuery) -> (String, u64) {
        let source = Source { log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        let (text, range) = output(&source, &[(0, log.end())], &query).unwrap();
        (text, range.end)
    }

    /// The lines that match, and where the next search begins.
    fn searched(log: &ByteLog, pattern: &str, offset: u64) -> (String, u64) {
        ask(log, OutputQuery { grep: Some(pattern.to_owned()), offset: Some(offset), max_chars: 100_000, ..OutputQuery::default() })
    }

    /// Each of its words of letters has those of all scripts.
    #[test]
    fn an_expression_may_have_many_words() {
        let mut log = ByteLog::whole();
        log.append(b"a: Nov 3 web1 sshd\r\nNov 3 web1 sshd key\r\n");
        assert_eq!(searched(&log, r"^\w+ \w+ \w+ \w+ \w+$", 0).0, "Nov 3 web1 sshd key\n");
        let why = expression("grep", r"\w{1000}").unwrap_err();
        assert!(why.starts_with("`grep` takes too much as a regular expression: write it shorter"), "{why}");
        assert!(expression("expect", "(").unwrap_err().starts_with("`expect` is not a regular expression: "));
    }

    /// Else it could be asked for letter by letter, or a part of it be cut out.
    #[test]
    fn of_a_secret_that_the_cursor_has_put_together_nothing_is_found() {
        let mut known = Redactor::default();
        known.learn("enable", &Secret::from_bytes(b"hunter2".to_vec()));
        let mut log = ByteLog::whole();
        log.append(b"one\r\nthe ___ter2 two\x1b[5Ghun\r\n");
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: Some(&known) };
        let ask = |query: OutputQuery| output(&source, &[(0, log.end())], &query).unwrap().0;
        let found = |pattern: &str, max_chars| ask(OutputQuery { grep: Some(pattern.to_owned()), max_chars, ..OutputQuery::default() });
        assert_eq!((found("hunter2", 100), found("^the h", 100)), (String::new(), String::new()));
        assert_eq!(found("two$", 100), "the [secret:enable] two\n");
        for shown in [found("two$", 9), ask(OutputQuery { tail: Some(1), max_chars: 9, ..OutputQuery::default() })] {
            assert!(shown.contains("two") && !shown.contains("er2"), "{shown}");
        }
    }

    #[test]
    fn a_search_goes_on_where_the_last_one_ended() {
        let mut log = ByteLog::whole();
        log.append(b"one\r\ntwo\r\nthr");
        assert_eq!(searched(&log, "t", 0), ("two\nthr\n".to_owned(), 13));
        assert_eq!(searched(&log, "three", 0), (String::new(), 10));
        // What was searched up to a row that is not whole is looked at more than once before it is.
        assert_eq!(searched(&log, "three", 10), (String::new(), 10));
        log.append(b"e");
        assert_eq!(searched(&log, "three", 10), (String::new(), 10));
        log.append(b"e\r\n");
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

    /// A caller is not sent to look again for what was searched already.
    #[test]
    fn what_is_searched_to_its_end_has_no_more() {
        let mut log = ByteLog::whole();
        log.append(b"one\r\ntwo\r\nlast");
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        for (pattern, max_chars, more) in [("o", 100, None), ("last", 100, None), ("no", 100, None), ("o", 4, Some(5))] {
            let query = OutputQuery { grep: Some(pattern.to_owned()), max_chars, ..OutputQuery::default() };
            let (_, range) = output(&source, &[(0, log.end())], &query).unwrap();
            assert_eq!(range.more(), more, "{pattern} {max_chars}: {range:?}");
        }
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
    fn lines_round_a_match_come_with_it() {
        let mut log = ByteLog::whole();
        for number in 1..=100 {
            log.append(format!("line {number}\r\n").as_bytes());
        }
        let lines = |parts: &[String]| {
            let all = parts.iter().flat_map(|part| part.lines()).filter(|line| *line != GAP).map(str::to_owned);
            all.collect::<std::collections::BTreeSet<_>>()
        };
        for context in [1, 2] {
            let query = |max_chars| OutputQuery { grep: Some("7$".to_owned()), context, max_chars, ..OutputQuery::default() };
            let whole = lines(&[ask(&log, query(100_000)).0]);
            for max_chars in 50..120 {
                assert_eq!(lines(&from_call_to_call(&log, &query(max_chars))), whole, "{max_chars}");
            }
        }
    }

    #[test]
    fn a_search_goes_on_whatever_it_has_to_keep() {
        let mut log = ByteLog::whole();
        for _ in 0..20 {
            log.append(format!("{}\r\n", "x".repeat(1_200_000)).as_bytes());
        }
        log.append(b"needle\r\n");
        let query = OutputQuery { grep: Some("needle".to_owned()), context: 50, max_chars: 1000, ..OutputQuery::default() };
        assert!(from_call_to_call(&log, &query).concat().ends_with("needle\n"));
    }

    #[test]
    fn a_search_that_finds_a_line_everywhere_has_an_end() {
        let mut log = ByteLog::whole();
        let row = format!("{}\r\n", "x".repeat(998));
        for _ in 0..80_000 {
            log.append(row.as_bytes());
        }
        let query = OutputQuery { grep: Some("x".to_owned()), context: 1, tail: Some(3), max_chars: 10_000, ..OutputQuery::default() };
        let (text, end) = ask(&log, query);
        assert!(end < log.end() && text.lines().count() == 3, "{end}");
    }

    #[test]
    fn rows_are_found_where_they_stand_whatever_stands_before() {
        for before in ["\u{feff}\u{1}\u{1}", "größe äöü", "10%\r20%\r100%"] {
            let mut log = ByteLog::whole();
            log.append(format!("{before}\r\nmatch 1\r\nmatch 2\r\n").as_bytes());
            let query = OutputQuery { grep: Some("^match".to_owned()), max_chars: 10, ..OutputQuery::default() };
            assert_eq!(from_call_to_call(&log, &query), ["match 1\n", "match 2\n"], "{before:?}");
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
        assert!(first_line(first).is_some_and(|line| line.starts_with("xxx")));
        assert_eq!((first_line(second), first_line("")), (Some("needle again"), None));
        let last = ask(&log, OutputQuery { tail: Some(2), ..query }).0;
        assert!(last.ends_with("needle again\n"), "{last}");
    }
}
