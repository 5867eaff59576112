//! The session's output as it comes: the log, the row being written, marks, and what the device asked the terminal.
//!
//! A chunk costs its length. What is derived from bytes is derived here, once, whatever the chunks are.

mod live;

use std::collections::VecDeque;

use regex::Regex;

use self::live::{Echo, Live, squashed};
use crate::limits::{MARKERS_MAX, VIEW_RECENT_MAX_BYTES, VIEW_TAIL_MAX_BYTES};
use crate::secret::redact::COVER;
use crate::session::log::ByteLog;
use crate::session::render::{Marker, Source};
use crate::terminal::parser::Parser;
use crate::terminal::text::{last_bytes, lossy};

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

/// A session's incoming bytes and what they mean.
#[derive(Debug)]
pub struct Stream {
    log: ByteLog,
    parser: Parser,
    live: Live,
    markers: VecDeque<Marker>,
    columns: u16,
}

impl Stream {
    /// An empty stream; only marks with this nonce count.
    #[must_use]
    pub fn new(log: ByteLog, nonce: &str) -> Self {
        Self { log, parser: Parser::at(0), live: Live::new(nonce), markers: VecDeque::new(), columns: 0 }
    }

    /// The same on a terminal of so many columns.
    #[must_use]
    pub fn on_columns(mut self, columns: u16) -> Self {
        self.live.row = self.live.row.on_columns(columns);
        self.columns = columns;
        self
    }

    /// The same of an output that shows no prompts: what its marks tell holds at once.
    #[must_use]
    pub fn without_prompts(mut self) -> Self {
        self.live.has_prompts = false;
        self
    }

    /// The terminal has so many columns from now on.
    pub fn set_columns(&mut self, columns: u16) {
        self.live.row = std::mem::take(&mut self.live.row).on_columns(columns);
        self.columns = columns;
    }

    /// What a part of it is rendered from.
    #[must_use]
    pub fn source(&self) -> Source<'_> {
        Source { log: &self.log, markers: &self.markers, columns: self.columns, mask: None, known: None }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.log.append(bytes);
        self.parser.advance(bytes, &mut self.live);
    }

    /// The newest bytes turn out to be a part of a secret: these, as many, are in their place from now on.
    pub fn cover(&mut self, bytes: &[u8]) {
        self.log.cover(bytes);
        self.live.row.cover(memchr::memchr_iter(COVER, bytes).count());
    }

    /// The bytes by offset.
    #[must_use]
    pub fn log(&self) -> &ByteLog {
        &self.log
    }

    /// A line is about to be typed at this prompt; `echo` is what should come back, if anything.
    pub fn on_typed_at(&mut self, prompt: &str, echo: Option<&str>) {
        let left = self.left_before(prompt).map_or(0, |left| squashed(&left).len());
        self.on_typed(echo);
        self.live.left_before = left;
    }

    /// The same anywhere.
    pub fn on_typed(&mut self, echo: Option<&str>) {
        let live = &mut self.live;
        live.left_before = 0;
        live.prompt_start = None;
        live.prompt_end = None;
        live.marks.clear();
        live.first_output_mark = None;
        live.lines_begun = 0;
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

    /// Is the line that was typed at this row all that has come since, as far as it has? Then nothing is output yet.
    #[must_use]
    pub fn is_echoing(&self, row: &str) -> bool {
        let Echo::Awaited(line, _) = &self.live.echo else { return false };
        let shown = squashed(&self.live.row.text());
        let typed = shown.strip_prefix(squashed(row).as_str());
        self.live.first_row_end.is_none() && typed.is_some_and(|typed| line.starts_with(typed))
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

    /// The same, where this prompt stands: what a command left in the row before it is output, and the rows right before it that
    /// belong to it are none, nor is the empty row that separates them.
    #[must_use]
    pub fn output_end_before(&self, prompt: &str, context: Option<&Regex>) -> u64 {
        if let Some(end) = self.end_within_row(prompt) {
            return end;
        }
        let end = self.output_end();
        let (Some(context), None, Some(first)) = (context, self.live.last_done_mark, self.output_start()) else { return end };
        let recent = lossy(&self.live.recent);
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

    /// The same, where the line has ended: what a shell says behind the end of its last command is its own.
    #[must_use]
    pub fn output_end_at_close(&self) -> u64 {
        self.live.last_done_mark.filter(|_| self.live.is_done).unwrap_or_else(|| self.log().end())
    }

    /// Where the last row begins.
    #[must_use]
    pub fn row_start(&self) -> u64 {
        self.live.row_start
    }

    /// The output that stands in the last row before this prompt, where no mark tells them apart.
    fn left_before(&self, prompt: &str) -> Option<String> {
        if self.live.last_done_mark.is_some() {
            return None;
        }
        let row = self.live.row.text();
        let left = row.trim_ascii_end().strip_suffix(prompt.trim_ascii_end())?;
        (!left.is_empty()).then(|| left.to_owned())
    }

    /// Where the prompt starts in the last row when output without an end of row stands before it and no mark tells them apart.
    fn end_within_row(&self, prompt: &str) -> Option<u64> {
        self.left_before(prompt)?;
        let starts = self.log.end().saturating_sub(prompt.len() as u64);
        let (_, shown) = self.log.read(starts, self.log.end()).ok()?;
        // A prompt that was drawn in pieces is not looked for.
        (*shown == *prompt.as_bytes()).then_some(starts)
    }

    /// The last row's text as a view shows it.
    #[must_use]
    pub fn tail(&self) -> String {
        last_bytes(&self.live.row.text(), VIEW_TAIL_MAX_BYTES).to_owned()
    }

    /// The last row from where a mark says that the prompt begins, as long as a view's. None where it begins in a row before.
    #[must_use]
    pub fn marked_prompt(&self) -> Option<String> {
        let (column, rows) = self.live.prompt_start?;
        let shown = || last_bytes(&self.live.row.text_from(column), VIEW_TAIL_MAX_BYTES).to_owned();
        (rows == self.live.rows_done).then(shown)
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
        let text = lossy(&self.live.recent);
        last_bytes(text.trim_end_matches('\n'), VIEW_RECENT_MAX_BYTES).to_owned()
    }

    /// The last complete row that is not empty.
    #[must_use]
    pub fn last_row(&self) -> String {
        let recent = lossy(&self.live.recent);
        recent.trim_ascii_end().rsplit('\n').next().unwrap_or_default().to_owned()
    }

    /// So many of the last complete rows that are kept, the last one first.
    pub fn rows_back(&self, rows: usize) -> impl Iterator<Item = &[u8]> {
        let recent = self.live.recent.strip_suffix(b"\n").unwrap_or(&self.live.recent);
        recent.rsplit(|byte| *byte == b'\n').take(rows).map(<[u8]>::trim_ascii)
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

    /// How many marks for the start of output came since the last line was typed.
    #[must_use]
    pub fn lines_begun(&self) -> usize {
        self.live.lines_begun
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

    /// The process of the login shell, where the mark of its first prompt says it (`A;pid=`).
    #[must_use]
    pub fn shell_pid(&self) -> Option<u32> {
        self.live.shell_pid
    }

    /// The shell whose prompt came last, where it tells its process.
    #[must_use]
    pub fn last_pid(&self) -> Option<u32> {
        self.live.last_pid
    }

    /// Behind the last prompt since a line was typed, where marks tell it: the offset, and how many rows were done then.
    #[must_use]
    pub fn prompt_end(&self) -> Option<(u64, u64)> {
        self.live.prompt_end
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

    /// Takes the sequences by which the device may have asked the terminal something.
    pub fn take_queries(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.live.queries)
    }
}

#[cfg(test)]
mod tests;
