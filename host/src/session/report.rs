//! What a caller is told of a command or a session.

use std::time::Duration;

use crate::ids::CommandId;
use crate::limits::OUTPUT_MAX_CHARS;
use crate::secret::look::{KEY_MARK, SECRET_MARK};
use crate::session::command::State;
use crate::session::handover::TypedLine;
use crate::session::journey::Outcome;
use crate::session::pieces::{Excerpt, Pieces};
use crate::session::render::{Rendered, Source};
use crate::session::search;

/// What part of what is wanted.
#[derive(Debug, Clone, Default)]
pub struct OutputQuery {
    /// This command's output; none is the session's log.
    pub command: Option<CommandId>,
    /// From this offset of the log on.
    pub offset: Option<u64>,
    /// Only the last lines.
    pub tail: Option<usize>,
    /// Only lines that match.
    pub grep: Option<String>,
    /// So many lines before and behind each that matches, at most [`GREP_CONTEXT_MAX`](crate::limits::GREP_CONTEXT_MAX).
    pub context: usize,
    /// Budget in characters.
    pub max_chars: usize,
    /// The bytes as they are, in base64.
    pub raw: bool,
    /// Standard error instead of standard output, where they are apart.
    pub errors: bool,
}

/// Which bytes of the log are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// The first one shown.
    pub start: u64,
    /// Behind the last one shown: where to go on.
    pub end: u64,
    /// Bytes of the whole output.
    pub total: u64,
    /// Bytes left out in the middle.
    pub cut_bytes: u64,
    /// The output ends here.
    pub output_end: u64,
    /// Secrets that were taken out of what is shown, by their look.
    pub removed: usize,
    /// One search ends here; the next one goes on from `end`.
    pub goes_on: bool,
    /// It is of standard error, where that is apart: its offsets are those of another log.
    pub of_errors: bool,
    /// All of it was searched. What stands behind `end` is a row that may get longer, and is searched again then.
    pub searched: bool,
}

impl Range {
    /// Where to go on, if there is more that was not looked at.
    #[must_use]
    pub fn more(&self) -> Option<u64> {
        (self.end < self.output_end && !self.searched).then_some(self.end)
    }
}

/// A command's or a session's report.
#[derive(Debug, Clone)]
pub struct Report {
    /// The command, if it is about one.
    pub command: Option<CommandId>,
    /// How far it is.
    pub state: State,
    /// Exit status, where the device tells it.
    pub exit_code: Option<i32>,
    /// It failed.
    pub failed: bool,
    /// Why, where it is not the exit status.
    pub failure: Option<String>,
    /// The output within the budget.
    pub output: String,
    /// What it is of the log.
    pub range: Range,
    /// Standard error and its bytes in all, where it is apart from the output.
    pub errors: Option<(String, u64)>,
    /// How long it took, or takes so far.
    pub duration: Duration,
    /// Since the last byte.
    pub idle: Duration,
    /// The prompt after it.
    pub prompt: String,
    /// The working directory after it.
    pub cwd: Option<String>,
    /// The mode after it.
    pub mode: String,
    /// How the end is known: `mark`, `learned`, `pattern`.
    pub confidence: Option<String>,
    /// What is asked: the question, its kind.
    pub ask: Option<(String, String)>,
    /// What the caller should know.
    pub warnings: Vec<String>,
    /// What policy said when it started.
    pub rule: Option<(String, String)>,
    /// What came of its lines, where it went through modes or had several.
    pub journey: Option<Outcome>,
}

/// What people did in a session that its agent was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meanwhile {
    /// What they typed, the oldest first.
    pub lines: Vec<TypedLine>,
    /// Older lines that are not kept.
    pub left_out: u64,
    /// What came out, within a budget, as every output is shown.
    pub output: String,
    /// Which bytes of the log that is.
    pub range: Range,
}

/// The rendered terminal.
#[derive(Debug, Clone, Default)]
pub struct ScreenReport {
    /// Number and text of each row that changed.
    pub rows: Vec<(u16, String)>,
    /// Row and column of the cursor, from 0.
    pub cursor: (u16, u16),
    /// The title that a program set.
    pub title: String,
    /// A full-screen program has the alternate screen.
    pub alternate: bool,
    /// Grows with every byte.
    pub revision: u64,
}

/// The output of a command: its parts of the log as text.
///
/// # Errors
///
/// A sentence when the log cannot be read or the expression is wrong.
pub fn output(source: &Source<'_>, pieces: &[(u64, u64)], query: &OutputQuery) -> Result<(String, Range), String> {
    let (text, range) = part(source, pieces, query)?;
    Ok((text, Range { of_errors: query.errors, ..range }))
}

fn part(source: &Source<'_>, pieces: &[(u64, u64)], query: &OutputQuery) -> Result<(String, Range), String> {
    let failed = |error: std::io::Error| format!("cannot read the session's log: {error}");
    let max_chars = query.max_chars.clamp(1, OUTPUT_MAX_CHARS);
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Ok(Default::default()) };
    let (start, end) = (first.0, last.1);
    let total = pieces.iter().map(|(from, to)| to - from).sum();
    if query.raw {
        return raw(source, query.offset.unwrap_or(start).max(start), end, max_chars, total).map_err(failed);
    }
    if let Some(pattern) = &query.grep {
        return search::lines(source, pieces, pattern, query, total);
    }
    let pieces = Pieces { source, each: pieces };
    // What came before is not its own.
    let from = query.offset.map(|offset| offset.max(start));
    let (text, mut range) = if let Some(lines) = query.tail {
        let rendered = pieces.to(from.unwrap_or(start), max_chars, lines).map_err(failed)?;
        let before = cut_before(&rendered, query);
        let (text, range) = page(rendered);
        (before + &text, range)
    } else if let Some(from) = from {
        page(pieces.from(from, max_chars).map_err(failed)?)
    } else {
        cut(pieces.excerpt(max_chars).map_err(failed)?, query)
    };
    range.total = total;
    range.output_end = end;
    Ok((text, range))
}

/// What the host's own lines between device text begin with.
pub(super) const MARKER: &str = "[... ";

/// Device text in which no line passes for one of the host's own.
pub(super) fn unmarked(text: String) -> String {
    if memchr::memmem::find(text.as_bytes(), MARKER.as_bytes()).is_none() {
        return text;
    }
    let line = |line: &str| if line.trim_start().starts_with(MARKER) { format!("\\{line}") } else { line.to_owned() };
    text.split_inclusive('\n').map(line).collect()
}

/// An output with what is of the device changed, and the host's own lines as they are.
pub(super) fn changed(text: &str, change: impl Fn(&str) -> String) -> String {
    let (mut out, mut from, mut at) = (String::with_capacity(text.len()), 0, 0);
    for line in text.split_inclusive('\n') {
        if line.starts_with(MARKER) {
            out += &change(text.get(from..at).unwrap_or_default());
            out += line;
            from = at + line.len();
        }
        at += line.len();
    }
    out + &change(text.get(from..).unwrap_or_default())
}

/// What the caller is told of secrets that were taken out.
#[must_use]
pub fn removed(count: usize) -> Option<String> {
    let what = match count {
        0 => return None,
        1 => "1 secret was".to_owned(),
        _ => format!("{count} secrets were"),
    };
    Some(format!("{what} taken out of what is shown, known by the look: `{SECRET_MARK}` or `{KEY_MARK}` stands there"))
}

/// What the log that a query is about is called in the host's own lines: the arguments of ssh_output.
pub(super) fn whose(query: &OutputQuery) -> String {
    let command = query.command.map(|id| format!(" command_id={id}")).unwrap_or_default();
    if query.errors { command + " stream=stderr" } else { command }
}

/// The line that says that the first one shown has begun earlier.
fn cut_before(rendered: &Rendered, query: &OutputQuery) -> String {
    let Some((begins, bytes)) = rendered.cut else { return String::new() };
    let whose = whose(query);
    format!("{MARKER}{bytes} bytes of this line cut: ssh_output{whose} offset={begins} ...]\n")
}

fn page(rendered: Rendered) -> (String, Range) {
    let range = Range { start: rendered.start, end: rendered.end, removed: rendered.removed, ..Range::default() };
    (unmarked(rendered.text), range)
}

/// Beginning and end with a line between them that says what is missing and how to get it.
fn cut(excerpt: Excerpt, query: &OutputQuery) -> (String, Range) {
    let Excerpt { head, tail, cut_bytes } = excerpt;
    let Some(tail) = tail else { return page(head) };
    let whose = whose(query);
    let newline = if head.text.is_empty() || head.text.ends_with('\n') { "" } else { "\n" };
    let removed = head.removed + tail.removed;
    let (before, behind) = (unmarked(head.text), unmarked(tail.text));
    let text = format!("{before}{newline}{MARKER}{cut_bytes} bytes cut: ssh_output{whose} offset={} ...]\n{behind}", head.end);
    (text, Range { start: head.start, end: tail.end, cut_bytes, removed, ..Range::default() })
}

fn raw(source: &Source<'_>, start: u64, end: u64, max_chars: usize, total: u64) -> std::io::Result<(String, Range)> {
    use base64::Engine as _;
    let count = (max_chars / 4 * 3).max(3) as u64;
    let (bytes, place) = source.raw(start, end.min(start.saturating_add(count)))?;
    let range = Range { start: place.start, end: place.end, total, output_end: end, removed: place.removed, ..Range::default() };
    Ok((base64::engine::general_purpose::STANDARD.encode(bytes), range))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::session::log::ByteLog;

    #[test]
    fn the_last_line_is_never_left_out_because_it_is_long() {
        let mut log = ByteLog::whole();
        log.append(format!("first\r\n{}end\r\n", "x".repeat(15_000)).as_bytes());
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        for lines in [1, 3] {
            let query = OutputQuery { tail: Some(lines), max_chars: 1000, ..OutputQuery::default() };
            let (text, _) = output(&source, &[(0, log.end())], &query).unwrap();
            assert!(
                text.starts_with("[... 14004 bytes of this line cut: ssh_output offset=7 ...]\nxxx") && text.ends_with("xend\n"),
                "{text}"
            );
        }
        let query = OutputQuery { tail: Some(2), max_chars: 100_000, ..OutputQuery::default() };
        assert!(output(&source, &[(0, log.end())], &query).unwrap().0.starts_with("first\nxxx"));
    }

    /// Whoever goes on by them would else be given bytes of another log.
    #[test]
    fn the_host_s_lines_in_standard_error_say_of_what_they_are() {
        let mut log = ByteLog::whole();
        log.append(format!("{}\n{}needle\n", "row\n".repeat(1000), "x".repeat(5000)).as_bytes());
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        let id = CommandId::next();
        let of = OutputQuery { command: Some(id), errors: true, max_chars: 100, ..OutputQuery::default() };
        let last = OutputQuery { tail: Some(1), ..of.clone() };
        let queries = [of.clone(), last, OutputQuery { grep: Some("needle".to_owned()), ..of }];
        for query in queries {
            let (text, range) = output(&source, &[(0, log.end())], &query).unwrap();
            assert!(text.contains(&format!(": ssh_output command_id={id} stream=stderr offset=")), "{text}");
            assert!(range.of_errors);
        }
    }

    #[test]
    fn the_last_lines_are_whole_whatever_stands_in_those_before() {
        let last = |text: &str, lines, max_chars| {
            let mut log = ByteLog::whole();
            log.append(text.as_bytes());
            let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
            let query = OutputQuery { tail: Some(lines), max_chars, ..OutputQuery::default() };
            output(&source, &[(0, log.end())], &query).unwrap().0
        };
        for (text, lines, expected) in [
            ("\u{feff}Header\r\nrow1\r\nrow2\r\n", 1, "row2\n"),
            ("\u{1}\u{1}\u{1}\r\nlast\r\n", 1, "last\n"),
            ("größe ä\r\nlast\r\n", 1, "last\n"),
            ("● nginx…\r\nlast", 1, "last"),
            ("10%\r20%\r100%\r\ndone", 1, "done"),
            ("10%\r20%\r100%\r\ndone", 2, "100%\ndone"),
            ("one\u{1b}[3Htwo\r\n", 1, "two\n"),
            ("\r\n\r\nlast\r\n", 3, "\n\nlast\n"),
        ] {
            assert_eq!(last(text, lines, 1000), expected, "{text:?}");
            // And so within so many characters as that.
            assert_eq!(last(text, 100, expected.chars().count()), expected, "{text:?}");
        }
        // How many bytes of the log that is, characters that are written out do not tell.
        let text = last(&format!("short\r\n{}\r\n", "\u{1}".repeat(10_000)), 1, 1000);
        let (first, shown) = text.split_once('\n').unwrap();
        assert!(first.starts_with("[... ") && first.ends_with(" bytes of this line cut: ssh_output offset=7 ...]"), "{first}");
        assert_eq!(shown.chars().count(), 1000);
    }

    #[test]
    fn the_last_lines_are_as_many_as_are_wanted_whatever_progress_they_have_shown() {
        let mut log = ByteLog::whole();
        for row in 0..20 {
            let progress: String = (0..2000).map(|step| format!("\r\x1b[K{step:04} of 2000")).collect();
            log.append(format!("{progress}\r\x1b[Krow {row}\r\n").as_bytes());
        }
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        for lines in [1, 3, 20, 30] {
            let query = OutputQuery { tail: Some(lines), max_chars: 1000, ..OutputQuery::default() };
            let expected: String = (20_usize.saturating_sub(lines)..20).map(|row| format!("row {row}\n")).collect();
            assert_eq!(output(&source, &[(0, log.end())], &query).unwrap().0, expected, "{lines}");
        }
    }

    #[test]
    fn the_last_lines_from_an_offset_on_are_the_last_ones() {
        let mut log = ByteLog::whole();
        log.append(b"one\r\ntwo\r\nthree\r\nfour\r\n");
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        for (offset, lines, expected) in
            [(0, 1, "four\n"), (0, 9, "one\ntwo\nthree\nfour\n"), (10, 3, "three\nfour\n"), (17, 1, "four\n"), (99, 2, "")]
        {
            let query = OutputQuery { offset: Some(offset), tail: Some(lines), max_chars: 100, ..OutputQuery::default() };
            assert_eq!(output(&source, &[(0, log.end())], &query).unwrap().0, expected, "{offset} {lines}");
        }
    }

    #[test]
    fn what_is_changed_in_an_output_is_no_line_of_the_host() {
        let change = |text: &str| changed(text, |part| part.replace("1234", "x"));
        assert_eq!(change("1234\n12\n34 1234"), "x\n12\n34 x");
        for host in ["[... 1234 bytes cut: ssh_output offset=51234 ...]\n", "[... 1234 bytes of this line cut: ssh_output ...]\n"] {
            assert_eq!(change(&format!("1234\n{host}1234\n\\{host}")).replace(host, "HOST"), change(&format!("1234\nHOST1234\n\\{host}")));
            assert_eq!(change(host), host);
        }
        assert_eq!(changed("a12\n34", |part| part.replace("12\n34", "x")), "ax", "several lines may be one secret");
    }

    #[test]
    fn no_line_of_a_device_passes_for_the_host_s_own() {
        let text = "a\n[... 5 bytes cut: ssh_output offset=1 ...]\n  [... x\nb [... c\n".to_owned();
        assert_eq!(unmarked(text), "a\n\\[... 5 bytes cut: ssh_output offset=1 ...]\n\\  [... x\nb [... c\n");
    }
}
