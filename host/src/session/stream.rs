//! The session's output as it comes: the log, the row being written, marks, and what the device asked the terminal.
//!
//! A chunk costs its length. What is derived from bytes is derived here, once, whatever the chunks are.

use std::collections::VecDeque;

use regex::Regex;

use crate::limits::{MARK_MAX_BYTES, MARKERS_MAX, VIEW_MARKS_MAX, VIEW_RECENT_MAX_BYTES, VIEW_TAIL_MAX_BYTES};
use crate::session::log::ByteLog;
use crate::session::render::{Marker, Source};
use crate::terminal::parser::{Csi, Parser, Sink};
use crate::terminal::row::Row;
use crate::terminal::text::last_bytes;

/// A shell-integration mark (OSC 133) that carries the session's nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Where the sequence starts in the log.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The body without `133;`.
    pub body: String,
}

/// Where the device sent the typed line back.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Echo {
    /// Nothing was typed, or nothing comes back.
    NotExpected,
    /// The line without white space, and the end of what came, as long and also without.
    Awaited(String, String),
    /// The line was empty: all that comes back is the end of the row.
    RowEnd,
    /// The output starts here.
    SeenAt(u64),
}

/// A session's incoming bytes and what they mean.
#[derive(Debug)]
pub struct Stream {
    log: ByteLog,
    parser: Parser,
    live: Live,
    markers: VecDeque<Marker>,
    columns: u16,
}

/// What the parser drives.
#[derive(Debug)]
struct Live {
    nonce: String,
    row: Row,
    row_start: u64,
    /// Where the rows before it start, oldest first.
    row_starts: [u64; CONTEXT_ROWS],
    recent: Vec<u8>,
    marks: VecDeque<Mark>,
    first_output_mark: Option<u64>,
    last_done_mark: Option<u64>,
    /// A done mark has come since the last mark for the start of output.
    is_done: bool,
    /// A done mark has told a number, so this shell fills its prompt in.
    fills_in: bool,
    /// Marks of a prompt's text that no shell has filled in: until its end they are output.
    quoted: bool,
    /// Behind the last byte that only begins a part of a prompt that its shell keeps to itself, or behind the mark in it.
    kept_at: Option<u64>,
    line_max: Option<usize>,
    /// Where the shell last asked for pasted text in brackets: from and to.
    paste_asked: (u64, u64),
    marks_heard: u64,
    echo: Echo,
    rows_done: u64,
    first_row_end: Option<u64>,
    bracketed_paste: Option<bool>,
    application_cursor: bool,
    alternate_screen: bool,
    /// A program took the whole screen or the cursor keys since the last line was typed.
    screen_taken: bool,
    addressed: bool,
    queries: Vec<Vec<u8>>,
}

impl Stream {
    /// An empty stream; only marks with this nonce count.
    #[must_use]
    pub fn new(log: ByteLog, nonce: &str) -> Self {
        let live = Live {
            nonce: nonce.to_owned(),
            row: Row::default(),
            row_start: 0,
            row_starts: [0; CONTEXT_ROWS],
            recent: Vec::new(),
            marks: VecDeque::new(),
            first_output_mark: None,
            last_done_mark: None,
            is_done: false,
            fills_in: false,
            quoted: false,
            kept_at: None,
            line_max: None,
            paste_asked: (0, 0),
            marks_heard: 0,
            echo: Echo::NotExpected,
            rows_done: 0,
            first_row_end: None,
            bracketed_paste: None,
            application_cursor: false,
            alternate_screen: false,
            screen_taken: false,
            addressed: false,
            queries: Vec::new(),
        };
        Self { log, parser: Parser::at(0), live, markers: VecDeque::new(), columns: 0 }
    }

    /// The same on a terminal of so many columns.
    #[must_use]
    pub fn on_columns(mut self, columns: u16) -> Self {
        self.live.row = self.live.row.on_columns(columns);
        self.columns = columns;
        self
    }

    /// What a part of it is rendered from.
    #[must_use]
    pub fn source(&self) -> Source<'_> {
        Source { log: &self.log, markers: &self.markers, columns: self.columns, mask: None }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.log.append(bytes);
        self.parser.advance(bytes, &mut self.live);
    }

    /// The bytes by offset.
    #[must_use]
    pub fn log(&self) -> &ByteLog {
        &self.log
    }

    /// A line is about to be typed; `echo` is what should come back, if anything.
    pub fn on_typed(&mut self, echo: Option<&str>) {
        let live = &mut self.live;
        live.marks.clear();
        live.first_output_mark = None;
        live.last_done_mark = None;
        live.is_done = false;
        live.first_row_end = None;
        live.addressed = false;
        live.screen_taken = false;
        live.echo = match echo.map(squashed) {
            Some(line) if !line.is_empty() => Echo::Awaited(line, String::new()),
            Some(_) => Echo::RowEnd,
            None => Echo::NotExpected,
        };
    }

    /// The pager's marker or the question at the end of the row was answered: it and its erasure are no output.
    pub fn haunt(&mut self, marker: &str) {
        if marker.is_empty() {
            return;
        }
        self.live.row.haunt(marker);
        self.markers.push_back(Marker { end: self.log.end(), text: marker.to_owned() });
        if self.markers.len() > MARKERS_MAX {
            self.markers.pop_front();
        }
    }

    /// The echo will not come: the output starts after the first row.
    pub fn give_up_echo(&mut self) {
        let start = self.live.first_row_end.unwrap_or(self.live.row_start);
        self.live.echo = Echo::SeenAt(start);
    }

    /// Was the typed line sent back, or is no echo expected?
    #[must_use]
    pub fn is_echoed(&self) -> bool {
        !matches!(self.live.echo, Echo::Awaited(..) | Echo::RowEnd) || self.live.first_output_mark.is_some()
    }

    /// Has a mark told that the typed line runs?
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.live.first_output_mark.is_some()
    }

    /// Where the output of the typed line starts: at the mark, else behind the echo.
    #[must_use]
    pub fn output_start(&self) -> Option<u64> {
        match (&self.live.first_output_mark, &self.live.echo) {
            (Some(start), _) | (None, Echo::SeenAt(start)) => Some(*start),
            (None, _) => None,
        }
    }

    /// Where it ends, now that a prompt stands in the last row: at the last mark, else where the row starts.
    #[must_use]
    pub fn output_end(&self) -> u64 {
        self.live.last_done_mark.unwrap_or(self.live.row_start)
    }

    /// The same without the rows right before the prompt that belong to it, and without the empty row that separates them.
    #[must_use]
    pub fn output_end_before(&self, context: Option<&Regex>) -> u64 {
        let end = self.output_end();
        let (Some(context), None, Some(first)) = (context, self.live.last_done_mark, self.output_start()) else { return end };
        let recent = String::from_utf8_lossy(&self.live.recent);
        let rows = recent.strip_suffix('\n').unwrap_or_default().rsplit('\n').map(str::trim_ascii);
        let mut from = end;
        for (row, start) in rows.zip(self.live.row_starts.iter().rev().copied()) {
            let separates = row.is_empty() && from < end;
            if start < first || !(separates || !row.is_empty() && context.is_match(row)) {
                break;
            }
            from = start;
            if separates {
                break;
            }
        }
        from
    }

    /// The last row's text as a view shows it.
    #[must_use]
    pub fn tail(&self) -> String {
        last_bytes(&self.live.row.text(), VIEW_TAIL_MAX_BYTES).to_owned()
    }

    /// Has the last row text?
    #[must_use]
    pub fn has_tail(&self) -> bool {
        !self.live.row.is_empty()
    }

    /// The cursor's column in the last row, from 1, as a terminal reports it.
    #[must_use]
    pub fn cursor_column(&self) -> usize {
        self.live.row.column() + 1
    }

    /// The complete rows before it.
    #[must_use]
    pub fn recent(&self) -> String {
        let text = String::from_utf8_lossy(&self.live.recent);
        last_bytes(text.trim_end_matches('\n'), VIEW_RECENT_MAX_BYTES).to_owned()
    }

    /// Bodies of the marks since the last line was typed.
    #[must_use]
    pub fn marks(&self) -> Vec<String> {
        self.live.marks.iter().map(|mark| mark.body.clone()).collect()
    }

    /// The last mark of a kind since the last line was typed.
    #[must_use]
    pub fn last_mark(&self, kind: char) -> Option<&Mark> {
        self.live.marks.iter().rev().find(|mark| mark.body.starts_with(kind))
    }

    /// The first mark of a kind since the last line was typed.
    #[must_use]
    pub fn first_mark(&self, kind: char) -> Option<&Mark> {
        self.live.marks.iter().find(|mark| mark.body.starts_with(kind))
    }

    /// Does the last mark say that output has started, and nothing after it?
    #[must_use]
    pub fn is_only_started(&self) -> bool {
        self.live.marks.back().is_some_and(|mark| mark.body.starts_with('C'))
    }

    /// How many bytes of a line the shell takes, where its prompt's mark says it (`A;max=`).
    #[must_use]
    pub fn line_max(&self) -> Option<usize> {
        self.live.line_max
    }

    /// How many marks came in all.
    #[must_use]
    pub fn marks_heard(&self) -> u64 {
        self.live.marks_heard
    }

    /// How many rows were completed in all.
    #[must_use]
    pub fn rows_done(&self) -> u64 {
        self.live.rows_done
    }

    /// Was a row completed since the last line was typed?
    #[must_use]
    pub fn has_row_since_typed(&self) -> bool {
        self.live.first_row_end.is_some()
    }

    /// Does the program take pasted text in brackets (DECSET 2004)?
    #[must_use]
    pub fn takes_paste(&self) -> bool {
        self.live.bracketed_paste == Some(true)
    }

    /// The same; `None` where nothing has ever asked for it.
    #[must_use]
    pub fn bracketed_paste(&self) -> Option<bool> {
        self.live.bracketed_paste
    }

    /// Are cursor keys in application mode (DECCKM)?
    #[must_use]
    pub fn application_cursor(&self) -> bool {
        self.live.application_cursor
    }

    /// Does a full-screen program show the alternate screen?
    #[must_use]
    pub fn alternate_screen(&self) -> bool {
        self.live.alternate_screen
    }

    /// Does a program draw the whole screen, or read keys as such programs do? Then the last row does not tell what it wants.
    /// What one left behind, or a line editor wants, is no such program.
    #[must_use]
    pub fn holds_screen(&self) -> bool {
        self.live.screen_taken && (self.live.alternate_screen || self.live.application_cursor)
    }

    /// Did the program address the cursor since the last line was typed? Then rows do not tell all.
    #[must_use]
    pub fn is_addressed(&self) -> bool {
        self.live.addressed
    }

    /// Takes the sequences by which the device may have asked the terminal something.
    pub fn take_queries(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.live.queries)
    }
}

/// Text without white space: echoes are wrapped and padded.
fn squashed(text: &str) -> String {
    text.chars().filter(|ch| !ch.is_whitespace()).collect()
}

/// Length of `CSI ? 2004 h`.
const PASTE_ASKED_BYTES: u64 = 8;

/// Rows before a prompt that may belong to it, with the empty one before them.
const CONTEXT_ROWS: usize = 4;

/// Queries kept between two chunks; a device asks one and waits.
const QUERIES_MAX: usize = 8;

impl Live {
    fn end_row(&mut self, end: u64) {
        match &mut self.echo {
            Echo::Awaited(line, came) => {
                // Some line editors break a long line into rows themselves.
                came.push_str(&squashed(&self.row.text()));
                *came = last_bytes(came, line.len()).to_owned();
                if came == line {
                    self.echo = Echo::SeenAt(end);
                }
            }
            Echo::RowEnd => self.echo = Echo::SeenAt(end),
            Echo::NotExpected | Echo::SeenAt(_) => {}
        }
        self.row.append_to(&mut self.recent);
        self.recent.push(b'\n');
        if self.recent.len() > 2 * VIEW_RECENT_MAX_BYTES {
            let surplus = self.recent.len() - VIEW_RECENT_MAX_BYTES;
            self.recent.drain(..surplus);
        }
        self.row.clear();
        self.row_starts.rotate_left(1);
        if let Some(last) = self.row_starts.last_mut() {
            *last = self.row_start;
        }
        self.row_start = end;
        self.rows_done += 1;
        self.first_row_end.get_or_insert(end);
    }

    fn ask(&mut self, sequence: Vec<u8>) {
        if self.queries.len() < QUERIES_MAX {
            self.queries.push(sequence);
        }
    }

    /// Is it a mark of a prompt's text as it stands in its variable? `echo "$PS1"` prints it so.
    fn is_quoted(&mut self, body: &str) -> bool {
        let status = body.split(';').nth(1).unwrap_or_default();
        let shown = body.split(';').find_map(|field| field.strip_prefix("st=")).unwrap_or_default();
        match body.as_bytes().first() {
            Some(b'C') => self.quoted = false,
            Some(b'D') if status.contains(['$', '%']) => self.quoted = self.fills_in,
            Some(b'D') => {
                self.quoted = false;
                self.fills_in |= status.parse::<i32>().is_ok();
            }
            Some(b'A') if shown.contains('%') => self.quoted = self.fills_in,
            Some(b'B') => return std::mem::take(&mut self.quoted),
            // The prompt for the rest of a line begins a row, unless a line editor still shows the line.
            Some(b'P') if self.first_row_end.is_some() && !self.row.is_empty() && self.bracketed_paste != Some(true) => return true,
            _ => {}
        }
        self.quoted
    }

    fn set_mode(&mut self, csi: &Csi<'_>, on: bool) {
        for mode in csi.params {
            self.screen_taken |= on && matches!(mode, 1 | 47 | 1047 | 1049);
            match mode {
                1 => self.application_cursor = on,
                2004 => self.bracketed_paste = Some(on),
                47 | 1047 | 1049 => self.alternate_screen = on,
                _ => {}
            }
        }
    }
}

impl Sink for Live {
    fn print(&mut self, bytes: &[u8], _: u64) {
        self.row.print(bytes);
    }

    fn control(&mut self, byte: u8, end: u64) {
        match byte {
            b'\n' | 0x0b | 0x0c => self.end_row(end),
            // A line editor takes it out of its own prompt, so what follows was printed by somebody else.
            0x01 => self.kept_at = Some(end),
            _ => self.row.control(byte),
        }
    }

    fn csi(&mut self, csi: &Csi<'_>, end: u64) {
        match (csi.private, csi.function) {
            (b'?', b'h') => {
                self.set_mode(csi, true);
                if csi.params == [2004] {
                    self.paste_asked = (end - PASTE_ASKED_BYTES, end);
                }
            }
            (b'?', b'l') => self.set_mode(csi, false),
            (_, b'c' | b'n') => self.ask(sequence(csi)),
            (0, b'A' | b'B' | b'H' | b'f' | b'J' | b'd' | b'r') => {
                self.addressed = true;
                self.ask(sequence(csi));
            }
            _ => self.row.csi(csi),
        }
    }

    fn osc(&mut self, body: &[u8], start: u64, end: u64) {
        let Some(body) = body.strip_prefix(b"133;").filter(|body| body.len() <= MARK_MAX_BYTES) else { return };
        let body = String::from_utf8_lossy(body).into_owned();
        if !body.split(';').any(|field| field == self.nonce) {
            return;
        }
        if self.kept_at == Some(start) {
            self.kept_at = Some(end);
            return;
        }
        if self.is_quoted(&body) {
            return;
        }
        match body.as_bytes().first() {
            Some(b'C') => {
                self.first_output_mark.get_or_insert(end);
                self.is_done = false;
            }
            Some(b'A') => self.line_max = body.split(';').find_map(|field| field.strip_prefix("max=")?.parse().ok()),
            // Behind the end come the prompt's own marks, when it is written and when it is drawn again.
            Some(b'D') if self.is_done => {}
            // A line editor sets its modes before it writes the prompt, in which the mark stands.
            Some(b'D') => {
                self.last_done_mark = Some(if self.paste_asked.1 == start { self.paste_asked.0 } else { start });
                self.is_done = self.first_output_mark.is_some();
            }
            _ => {}
        }
        self.marks_heard += 1;
        if self.marks.len() == VIEW_MARKS_MAX {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark { start, end, body });
    }

    fn esc(&mut self, intermediate: u8, function: u8, end: u64) {
        match (intermediate, function) {
            (0, b'D' | b'E') => self.end_row(end),
            (0, b'Z') => self.ask(vec![0x1b, b'Z']),
            // A full reset forgets the modes.
            (0, b'c') => (self.bracketed_paste, self.application_cursor, self.alternate_screen) = (None, false, false),
            _ => {}
        }
    }
}

/// A control sequence in its canonical form, to compare with what a device is known to ask.
fn sequence(csi: &Csi<'_>) -> Vec<u8> {
    let mut out = vec![0x1b, b'['];
    if csi.private != 0 {
        out.push(csi.private);
    }
    let params: Vec<String> = csi.params.iter().map(u16::to_string).collect();
    out.extend_from_slice(params.join(";").as_bytes());
    if csi.intermediate != 0 {
        out.push(csi.intermediate);
    }
    out.push(csi.function);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "0123456789abcdef";

    fn stream(bytes: &[u8]) -> Stream {
        let mut stream = Stream::new(ByteLog::in_memory(), NONCE);
        stream.push(bytes);
        stream
    }

    fn mark(body: &str) -> String {
        format!("\x1b]133;{body}\x07")
    }

    #[test]
    fn rows_that_belong_to_the_prompt_are_no_output() {
        let context = Regex::new(r"^(?:\{master\})?(?:\[edit[^\]]*\])?$").unwrap();
        for (output, kept) in [
            ("a\r\n\r\n[edit]\r\nr1# ", "a\r\n"),
            ("\r\n[edit protocols bgp]\r\nr1# ", ""),
            ("a\r\n\r\n\r\n{master}\r\n[edit]\r\nr1# ", "a\r\n\r\n"),
            ("[edit]\r\nb\r\nr1# ", "[edit]\r\nb\r\n"),
            ("a\r\n\r\nr1# ", "a\r\n\r\n"),
            ("r1# ", ""),
        ] {
            let mut stream = Stream::new(ByteLog::in_memory(), "n");
            stream.push(b"r1# ");
            stream.on_typed(Some("show"));
            stream.push(b"show\r\n");
            stream.push(output.as_bytes());
            let (from, to) = (stream.output_start().unwrap(), stream.output_end_before(Some(&context)));
            let (_, bytes) = stream.log().read(from, to).unwrap();
            assert_eq!(String::from_utf8_lossy(&bytes), kept, "{output:?}");
            assert!(stream.output_end_before(None) == stream.output_end());
        }
    }

    #[test]
    fn the_output_lies_between_the_marks() {
        let mut stream = stream(b"web1$ ");
        stream.on_typed(Some("printf x"));
        let start_mark = mark("C;0123456789abcdef");
        stream.push(format!("printf x\r\n{start_mark}x{}web1$ ", mark("D;0;0123456789abcdef;/root")).as_bytes());
        let start = stream.output_start().unwrap_or_default();
        let (_, bytes) = stream.log().read(start, stream.output_end()).unwrap_or_default();
        assert_eq!(bytes, b"x");
        assert_eq!(stream.marks(), ["C;0123456789abcdef", "D;0;0123456789abcdef;/root"]);
    }

    #[test]
    fn the_modes_of_the_line_editor_are_no_output() {
        let mut stream = stream(b"web1$ ");
        stream.on_typed(Some("printf x"));
        let (started, done) = (mark("C;0123456789abcdef"), mark("D;0;0123456789abcdef;/"));
        stream.push(format!("printf x\r\n{started}x\x1b[?2004h{done}web1$ ").as_bytes());
        let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
        assert_eq!(bytes, b"x");
    }

    #[test]
    fn the_first_end_behind_the_start_counts() {
        let mut stream = stream(b"web1$ ");
        stream.on_typed(Some("a"));
        let [started, done] = ["C;0123456789abcdef", "D;0;0123456789abcdef;/"].map(mark);
        stream.push(format!("a\r\n{started}one\r\n{done}web1$ b\r\n{started}two\r\n{done}hook\r\n{done}web1$ \r{done}web1$ ").as_bytes());
        let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("one\r\n") && text.ends_with("two\r\n"), "{text}");
    }

    #[test]
    fn an_echo_in_several_rows_is_seen() {
        let mut stream = stream(b"web1$ ");
        stream.on_typed(Some("echo aaaa bbbb"));
        stream.push(b"echo aa\r\naa bb\r\nbb\r\naaaa bbbb\r\nweb1$ ");
        let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
        assert_eq!(bytes, b"aaaa bbbb\r\n");
    }

    #[test]
    fn a_mark_without_the_nonce_is_output_and_no_mark() {
        let stream = stream(mark("D;0;ffffffffffffffff").as_bytes());
        assert_eq!(stream.marks_heard(), 0);
    }

    #[test]
    fn the_text_of_a_prompt_is_no_prompt() {
        let own = |body: &str| mark(&format!("{body};0123456789abcdef"));
        let mut known = stream(format!("{}{}", mark("D;0;0123456789abcdef;/"), own("A")).as_bytes());
        let heard = known.marks_heard();
        for text in ["D;$?;0123456789abcdef;$PWD", "A;0123456789abcdef;uid=0;st=%?"] {
            known.push(format!("{}{}$ {}", mark(text), own("A"), own("B")).as_bytes());
            assert_eq!(known.marks_heard(), heard, "{text}");
        }
        known.push(format!("\x01{}{}\x02$ \x01{}\x02", mark("D;0;0123456789abcdef;/"), own("A"), own("B")).as_bytes());
        assert_eq!(known.marks_heard(), heard);
        known.push(format!("{}{}$ {}", mark("D;1;0123456789abcdef;/"), own("A"), own("B")).as_bytes());
        assert_eq!(known.marks_heard(), heard + 3);
        known.on_typed(Some("set"));
        known.push(format!("set\r\nPS2='{}> '\r\n", own("P;k=c")).as_bytes());
        assert_eq!(known.marks(), Vec::<String>::new());
        known.push(format!("{}> ", own("P;k=c")).as_bytes());
        assert_eq!(known.marks().len(), 1);
        // A shell that fills nothing in has no other marks.
        assert_eq!(stream(mark("D;$?;0123456789abcdef;$PWD").as_bytes()).marks_heard(), 1);
    }

    #[test]
    fn without_marks_the_output_starts_behind_the_echo() {
        let mut stream = stream(b"r1#");
        stream.on_typed(Some("show  clock"));
        assert!(!stream.is_echoed());
        stream.push(b"show clock\r\n");
        assert!(stream.is_echoed());
        stream.push(b"12:00\r\nr1#");
        let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
        assert_eq!(bytes, b"12:00\r\n");
        assert_eq!(stream.tail(), "r1#");
        assert_eq!(stream.recent(), "r1#show clock\n12:00");
    }

    #[test]
    fn terminal_modes_and_queries_are_noticed() {
        let mut stream = stream(b"\x1b[?2004h\x1b[?1049h\x1b[6n\x1bZ\x1b[c");
        assert!(stream.takes_paste() && stream.alternate_screen());
        assert_eq!(stream.take_queries(), [b"\x1b[6n".to_vec(), b"\x1bZ".to_vec(), b"\x1b[c".to_vec()]);
        assert!(stream.holds_screen());
        stream.push(b"\x1b[?2004l\x1b[?1049l");
        assert!(!stream.takes_paste() && !stream.alternate_screen() && !stream.holds_screen());
        // What is left behind is not the next program's.
        stream.push(b"\x1b[?1h");
        stream.on_typed(Some("sleep 9"));
        assert!(stream.application_cursor() && !stream.holds_screen());
    }
}
