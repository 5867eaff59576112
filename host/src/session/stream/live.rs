//! What the parser drives: each byte changes the row being written, each sequence a mode, a mark or a query.

use std::collections::VecDeque;

use super::Mark;
use crate::limits::{MARK_MAX_BYTES, VIEW_MARKS_MAX, VIEW_RECENT_MAX_BYTES, VIEW_TAIL_MAX_BYTES};
use crate::terminal::parser::{Csi, Sink};
use crate::terminal::row::Row;
use crate::terminal::text::last_bytes;

/// Length of `CSI ? 2004 h`.
const PASTE_ASKED_BYTES: u64 = 8;

/// Rows before a prompt that may belong to it, with the empty one before them.
const CONTEXT_ROWS: usize = 4;

/// Marks in a row that are held until it is known whether they were printed: a prompt has two, or three.
const MARKS_HELD_MAX: usize = 8;

/// Queries kept between two chunks; a device asks one and waits.
const QUERIES_MAX: usize = 8;

/// Where the device sent the typed line back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Echo {
    /// Nothing was typed, or nothing comes back.
    NotExpected,
    /// The line without white space, and the end of what came, as long and also without.
    Awaited(String, String),
    /// The line was empty: all that comes back is the end of the row.
    RowEnd,
    /// The output starts here.
    SeenAt(u64),
}

/// What the parser drives.
#[derive(Debug)]
pub(super) struct Live {
    nonce: String,
    /// Prompts come here, too: marks may stand in the text of one that somebody prints.
    pub(super) has_prompts: bool,
    pub(super) row: Row,
    pub(super) row_start: u64,
    /// Where the rows before it start, oldest first.
    pub(super) row_starts: [u64; CONTEXT_ROWS],
    /// Where the text of the row before it ends.
    text_end: u64,
    /// Behind the last CR.
    returned_at: Option<u64>,
    /// What the shell has shown of its own words: from, and to the end of the mark that says so.
    shown: Option<(u64, u64)>,
    pub(super) recent: Vec<u8>,
    pub(super) marks: VecDeque<Mark>,
    pub(super) first_output_mark: Option<u64>,
    pub(super) lines_begun: usize,
    pub(super) last_done_mark: Option<u64>,
    /// A done mark has come since the last mark for the start of output.
    pub(super) is_done: bool,
    /// A done mark has told a number, so this shell fills its prompt in.
    fills_in: bool,
    /// Marks of a prompt's text that no shell has filled in: until its end they are output.
    quoted: bool,
    /// Behind the last byte that only begins a part of a prompt that its shell keeps to itself, or behind the mark in it.
    kept_at: Option<u64>,
    /// The marks behind that byte. Where the sign for the end of such a part follows, somebody has printed a prompt's text; else the
    /// byte was the end of an output.
    held: Vec<Mark>,
    pub(super) line_max: Option<usize>,
    /// The process of the shell that told its number first.
    pub(super) shell_pid: Option<u32>,
    /// The one that told it last.
    pub(super) last_pid: Option<u32>,
    /// The column where the last prompt since the last typed line begins, and how many rows were done then.
    pub(super) prompt_start: Option<(usize, u64)>,
    /// Where the last prompt since the last typed line ended, and how many rows were done then.
    pub(super) prompt_end: Option<(u64, u64)>,
    /// Where the shell last asked for pasted text in brackets: from and to.
    paste_asked: (u64, u64),
    pub(super) marks_heard: u64,
    pub(super) echo: Echo,
    /// Bytes of output in the row before the prompt at which the line was typed. Line editors that redraw the line draw over them, and
    /// as much of the echo stands behind it twice.
    pub(super) left_before: usize,
    pub(super) rows_done: u64,
    pub(super) first_row_end: Option<u64>,
    pub(super) bracketed_paste: Option<bool>,
    pub(super) application_cursor: bool,
    pub(super) alternate_screen: bool,
    /// A program took the whole screen or the cursor keys since the last line was typed.
    pub(super) screen_taken: bool,
    pub(super) addressed: bool,
    pub(super) queries: Vec<Vec<u8>>,
}

impl Live {
    pub(super) fn new(nonce: &str) -> Self {
        Self {
            nonce: nonce.to_owned(),
            has_prompts: true,
            row: Row::default(),
            row_start: 0,
            row_starts: [0; CONTEXT_ROWS],
            text_end: 0,
            returned_at: None,
            shown: None,
            recent: Vec::new(),
            marks: VecDeque::new(),
            first_output_mark: None,
            lines_begun: 0,
            last_done_mark: None,
            is_done: false,
            fills_in: false,
            quoted: false,
            kept_at: None,
            held: Vec::new(),
            line_max: None,
            shell_pid: None,
            last_pid: None,
            prompt_start: None,
            prompt_end: None,
            paste_asked: (0, 0),
            marks_heard: 0,
            echo: Echo::NotExpected,
            left_before: 0,
            rows_done: 0,
            first_row_end: None,
            bracketed_paste: None,
            application_cursor: false,
            alternate_screen: false,
            screen_taken: false,
            addressed: false,
            queries: Vec::new(),
        }
    }

    fn end_row(&mut self, end: u64) {
        match &mut self.echo {
            Echo::Awaited(line, came) => {
                let shown = squashed(&self.row.text());
                let drawn_over = || shown.strip_prefix(line.as_str()).is_some_and(|rest| rest.len() <= self.left_before);
                if has_come(line, came, &shown) || self.left_before > 0 && drawn_over() {
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

    /// A line editor that draws its rows itself goes on in the one below: what stands in this one is done, but for the end of its last row.
    fn go_down(&mut self) {
        if let Echo::Awaited(line, came) = &mut self.echo
            && has_come(line, came, &squashed(&self.row.text()))
        {
            self.echo = Echo::RowEnd;
        }
        self.row.erase_all();
    }

    fn ask(&mut self, sequence: Vec<u8>) {
        if self.queries.len() < QUERIES_MAX {
            self.queries.push(sequence);
        }
    }

    /// Is it a mark of a prompt's text as it stands in its variable? `echo "$PS1"` prints it so.
    fn is_quoted(&mut self, body: &str) -> bool {
        let status = || body.split(';').nth(1).unwrap_or_default();
        let shown = || body.split(';').find_map(|field| field.strip_prefix("st=")).unwrap_or_default();
        match body.as_bytes().first() {
            Some(b'C') => self.quoted = false,
            Some(b'D') if status().contains(['$', '%']) => self.quoted = self.fills_in,
            Some(b'D') => {
                self.quoted = false;
                self.fills_in |= status().parse::<i32>().is_ok();
            }
            Some(b'A') if shown().contains('%') => self.quoted = self.fills_in,
            Some(b'B') => return std::mem::take(&mut self.quoted),
            // The prompt for the rest of a line begins a row, unless a line editor still shows the line.
            Some(b'P') if self.first_row_end.is_some() && !self.row.is_empty() && self.bracketed_paste != Some(true) => return true,
            _ => {}
        }
        self.quoted
    }

    /// What was held was printed by the shell itself.
    fn take_held(&mut self) {
        if !self.held.is_empty() {
            std::mem::take(&mut self.held).into_iter().for_each(|mark| self.take(mark));
        }
    }

    fn take(&mut self, Mark { start, end, body }: Mark) {
        if self.is_quoted(&body) {
            return;
        }
        match body.as_bytes().first() {
            Some(b'C') => {
                self.first_output_mark.get_or_insert(end);
                self.lines_begun += 1;
                self.is_done = false;
            }
            Some(b'A') => {
                self.line_max = number(&body, "max=");
                self.last_pid = number(&body, "pid=");
                self.shell_pid = self.shell_pid.or(self.last_pid);
                // What a program drew at places of its own stands in no row.
                if self.addressed || self.screen_taken {
                    self.row.clear();
                    self.row_start = start;
                }
                // Columns are counted, so what is shown to no plugin is too long.
                let is_short = self.row.len() <= VIEW_TAIL_MAX_BYTES;
                self.prompt_start = is_short.then(|| (self.row.column(), self.rows_done));
            }
            Some(b'B') => self.prompt_end = Some((end, self.rows_done)),
            // The shell says what it has shown of its own words. Where they stand right before, and the end follows, they are no output.
            Some(b'V') => {
                let text = body.splitn(3, ';').nth(2).unwrap_or_default();
                let is_shown = !text.is_empty()
                    && self.row_start == start
                    && self.recent.strip_suffix(b"\n").is_some_and(|rows| rows.ends_with(text.as_bytes()));
                self.shown = is_shown.then(|| (self.text_end.saturating_sub(text.len() as u64), end));
                return;
            }
            // Behind the end come the prompt's own marks, when it is written and when it is drawn again.
            Some(b'D') if self.is_done => {}
            // A line editor sets its modes before it writes the prompt, in which the mark stands.
            Some(b'D') => {
                let is_asked = self.paste_asked.1 == start;
                let at = if is_asked { self.paste_asked.0 } else { start };
                self.last_done_mark = Some(self.shown.filter(|(_, to)| *to == at).map_or(at, |(from, _)| from));
                // Whoever wanted brackets has left without taking that back. A shell that wants them says so again with its prompt.
                let is_redrawn = self.prompt_end.is_some_and(|(_, rows)| rows == self.rows_done);
                // Whoever took the screen has left, too, or never was: a file may hold what takes it.
                self.alternate_screen = false;
                if !is_asked && !is_redrawn && self.bracketed_paste == Some(true) {
                    self.bracketed_paste = None;
                }
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
        self.take_held();
        // Some prompts begin with going back, over what was left in their row.
        if let Some((column, rows)) = &mut self.prompt_start
            && *column > 0
            && *rows == self.rows_done
        {
            *column = self.row.column().min(*column);
        }
        self.row.print(bytes);
    }

    fn control(&mut self, byte: u8, end: u64) {
        // The sign for the end, or the same sign again, as some shells have it.
        if matches!(byte, 0x01 | 0x02) {
            self.held.clear();
        }
        self.take_held();
        match byte {
            b'\n' | 0x0b | 0x0c => {
                self.text_end = end - if self.returned_at == Some(end - 1) { 2 } else { 1 };
                self.end_row(end);
            }
            // A line editor takes it out of its own prompt, so what follows was printed by somebody else.
            0x01 => self.kept_at = Some(end),
            _ => {
                if byte == b'\r' {
                    self.returned_at = Some(end);
                }
                self.row.control(byte);
            }
        }
    }

    fn csi(&mut self, csi: &Csi<'_>, end: u64) {
        self.take_held();
        match (csi.private, csi.function) {
            (b'?', b'h') => {
                self.set_mode(csi, true);
                if csi.params == [2004] {
                    self.paste_asked = (end - PASTE_ASKED_BYTES, end);
                }
            }
            (b'?', b'l') => self.set_mode(csi, false),
            (_, b'c' | b'n') => self.ask(sequence(csi)),
            (0, b'E') => self.end_row(end),
            // A shell that erases before its prompt may stand in a row that goes on from an output without an end.
            (0, b'K') if csi.intermediate == 0 && csi.param(0, 0) == 2 => self.row.erase_all(),
            (0, b's') if csi.params.is_empty() => self.row.save(),
            (0, b'u') if csi.params.is_empty() => {
                self.row.restore();
            }
            (0, b'A' | b'B' | b'F' | b'H' | b'f' | b'J' | b'd' | b'r') => {
                if csi.function == b'B' && csi.param(0, 1) == 1 && self.bracketed_paste == Some(true) {
                    self.go_down();
                }
                if csi.function == b'J' {
                    self.row.csi(csi);
                } else {
                    self.row.leave();
                    self.prompt_start = None;
                }
                self.addressed = true;
                self.ask(sequence(csi));
            }
            _ => self.row.csi(csi),
        }
    }

    fn osc(&mut self, body: &[u8], start: u64, end: u64) {
        let Some(body) = body.strip_prefix(b"133;") else { return };
        let body = String::from_utf8_lossy(whole_fields(body)).into_owned();
        if !body.split(';').any(|field| field == self.nonce) {
            return;
        }
        if self.has_prompts && self.kept_at == Some(start) && self.held.len() < MARKS_HELD_MAX {
            self.kept_at = Some(end);
            self.held.push(Mark { start, end, body });
            return;
        }
        self.take_held();
        self.take(Mark { start, end, body });
    }

    fn esc(&mut self, intermediate: u8, function: u8, end: u64) {
        self.take_held();
        match (intermediate, function) {
            (0, b'D' | b'E') => self.end_row(end),
            (0, b'7') => self.row.save(),
            (0, b'8') => {
                self.row.restore();
            }
            (0, b'Z') => self.ask(vec![0x1b, b'Z']),
            // A full reset forgets the modes.
            (0, b'c') => (self.bracketed_paste, self.application_cursor, self.alternate_screen) = (None, false, false),
            _ => {}
        }
    }
}

/// Is the line whole with this row? Some line editors break a long line into rows themselves.
fn has_come(line: &str, came: &mut String, shown: &str) -> bool {
    came.push_str(shown);
    // Rows may be many and short, and the line long.
    if came.len() > 2 * line.len() {
        let surplus = came.len() - last_bytes(came, line.len()).len();
        came.drain(..surplus);
    }
    came.ends_with(line)
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

/// The fields of a mark that are kept whole: a directory that would make it too long, or that is no text, is left out.
fn whole_fields(body: &[u8]) -> &[u8] {
    let end = body.iter().enumerate().filter(|(_, byte)| **byte == b';').nth(2).map(|(at, _)| at);
    match end.filter(|_| body.len() > MARK_MAX_BYTES || std::str::from_utf8(body).is_err()) {
        Some(end) => body.get(..end).unwrap_or_default(),
        None => body,
    }
}

/// A number in a mark.
fn number<N: std::str::FromStr>(body: &str, key: &str) -> Option<N> {
    body.split(';').find_map(|field| field.strip_prefix(key)?.parse().ok())
}

/// Text without white space: echoes are wrapped and padded.
pub(super) fn squashed(text: &str) -> String {
    text.chars().filter(|ch| !ch.is_whitespace()).collect()
}
