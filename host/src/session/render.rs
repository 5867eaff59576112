//! A range of the log as text: control sequences applied or taken out, pager markers gone, within a budget.

mod aside;
mod grid;

use std::collections::VecDeque;
use std::io;

use self::aside::Aside;
use self::grid::{Grid, Place};
use crate::limits::{RENDER_MAX_BYTES, RENDER_MAX_CHARS, ROWS_REACHED_MAX};
use crate::screen::charset::{Sets, graphic};
use crate::secret::look::{Mask, Span};
use crate::secret::redact::Redactor;
use crate::session::hidden::Hidden;
use crate::session::log::ByteLog;
use crate::terminal::parser::{Csi, Parser, Sink};
use crate::terminal::row::Row;
use crate::terminal::text::{escape_into, is_plain, shown_chars};

/// Bytes read from the log at a time.
const PIECE_BYTES: u64 = 64 * 1024;
/// So much more is looked at where the end of an output shows less than is wanted.
const WINDOW_GROWS: u64 = 8;
/// The longest character of UTF-8.
const CHAR_MAX_BYTES: usize = 4;

/// A pager's marker that was answered with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Offset behind the marker.
    pub end: u64,
    /// Its text.
    pub text: String,
}

/// A part of the log as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text. Control and invisible characters are written out.
    pub text: String,
    /// Offset of the first byte rendered: later than asked where the log no longer keeps it.
    pub start: u64,
    /// Offset behind the last byte rendered.
    pub end: u64,
    /// Secrets that were taken out by their look.
    pub removed: usize,
    /// Where the first row begins, and how many bytes of it are left out, where one is shown from its middle on.
    pub cut: Option<(u64, u64)>,
}

/// Where a row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowEnd {
    /// In the text, behind its line feed.
    pub text: usize,
    /// In the log: where the next one begins.
    pub log: u64,
    /// Secrets that were taken out up to here.
    pub removed: usize,
}

/// What is rendered: a log and the pager markers in it.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The bytes.
    pub log: &'a ByteLog,
    /// Markers, oldest first.
    pub markers: &'a VecDeque<Marker>,
    /// Columns of the terminal that it was meant for, 0 for none.
    pub columns: u16,
    /// What is not shown, unless the operator wants the exact text.
    pub mask: Option<&'a Mask>,
    /// Values that are not shown either: a row in which the cursor has put one together is masked before anything is looked for in it,
    /// or cut out of it.
    pub known: Option<&'a Redactor>,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("log", &self.log).field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl Source<'_> {
    /// At most `max_chars` from `start` on. `end` of the result is where to go on.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn from(&self, start: u64, end: u64, max_chars: usize) -> io::Result<Rendered> {
        let (start, end) = self.within(start, end);
        let mut page = Page { known: self.known, ..Page::new(start, max_chars, self.columns) };
        self.fill(&mut page, start, end)?;
        Ok(page.finish(start, end))
    }

    /// What of it is there, and can be rendered at once.
    fn within(&self, start: u64, end: u64) -> (u64, u64) {
        let start = start.max(self.log.start());
        (start, end.min(self.log.end()).min(start.saturating_add(RENDER_MAX_BYTES)))
    }

    /// Shows the page all up to `end`, or until it is full.
    fn fill(&self, page: &mut Page<'_>, start: u64, end: u64) -> io::Result<()> {
        let mut hidden = self.mask.filter(|_| start < end).map(|mask| Hidden::new(mask, self.log, start)).transpose()?;
        let mut at = start;
        while at < end && page.full_at.is_none() {
            let stop = self.next_marker(at, end).map_or(end, |marker| marker.end).min(at + PIECE_BYTES);
            if let Some(hidden) = &mut hidden {
                page.hide(hidden.until(stop)?);
            }
            let (_, bytes) = self.log.read(at, stop)?;
            page.feed(&bytes);
            at = stop;
            for marker in self.markers_at(at) {
                page.row.haunt(&marker.text);
            }
        }
        if let Some((begins, cut)) = page.cut_row()
            && self.is_drawn_over(begins, cut, end)?
        {
            page.leave_row();
        }
        Ok(())
    }

    /// Does the cursor go back in the row that is cut there? Then only the whole of it shows what stands there in the end.
    fn is_drawn_over(&self, begins: u64, cut: u64, end: u64) -> io::Result<bool> {
        if cut.saturating_sub(begins) > PIECE_BYTES {
            return Ok(false);
        }
        let (_, bytes) = self.log.read(begins, end.min(cut.saturating_add(PIECE_BYTES)))?;
        Ok(goes_back(&bytes))
    }

    /// The last `lines` before `end`, at most `max_chars`, not earlier than `start`. Of a line that is longer than that, the end.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn to(&self, start: u64, end: u64, max_chars: usize, lines: usize) -> io::Result<Rendered> {
        let end = end.min(self.log.end());
        let start = start.max(self.log.start()).min(end);
        let mut widest = RENDER_MAX_BYTES;
        let mut window = (max_chars as u64).saturating_mul(4).saturating_add(4096).min(widest);
        loop {
            let (from, begins) = self.window(start, end, window)?;
            let (rendered, rows, is_above) = self.reached(from, end, RENDER_MAX_CHARS, max_chars)?;
            if rendered.end < end {
                // A few bytes can move the cursor far to the right. It is too much, and what is wanted is its end.
                widest = window / WINDOW_GROWS;
                window = widest;
                continue;
            }
            let found = last(rendered, &rows, begins, max_chars, lines);
            let is_all = from == start || window == widest;
            let has_lines = || found.cut.is_none() && found.text.lines().count() >= lines;
            let is_enough = || found.start > from || found.text.chars().count() >= max_chars || has_lines();
            if is_all || !is_above && is_enough() {
                return Ok(found);
            }
            // Rows of progress have many bytes that show nothing in the end, and those that were done early stand between others.
            window = window.saturating_mul(WINDOW_GROWS).min(widest);
        }
    }

    /// Where the part before `end` begins that is looked at for its last lines, and where the first row in it does.
    fn window(&self, start: u64, end: u64, bytes: u64) -> io::Result<(u64, u64)> {
        let from = start.max(end.saturating_sub(bytes));
        if from == start {
            return Ok((from, from));
        }
        let (_, bytes) = self.log.read(from, end)?;
        // Where one line is longer than the window, its end is what is wanted.
        if let Some(newline) = bytes.iter().position(|&byte| byte == b'\n').filter(|at| at + 1 < bytes.len()) {
            let from = from + newline as u64 + 1;
            return Ok((from, from));
        }
        let from = from + bytes.iter().position(|&byte| byte & 0xc0 != 0x80).unwrap_or_default() as u64;
        let (first, before) = self.log.read(from.saturating_sub(RENDER_MAX_BYTES).max(start), from)?;
        Ok((from, memchr::memrchr(b'\n', &before).map_or(first, |newline| first + newline as u64 + 1)))
    }

    /// As [`Source::from`], and where the rows end, of those in the last `kept` characters.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn rows(&self, start: u64, end: u64, max_chars: usize, kept: usize) -> io::Result<(Rendered, VecDeque<RowEnd>)> {
        let (rendered, rows, _) = self.reached(start, end, max_chars, kept)?;
        Ok((rendered, rows))
    }

    /// As [`Source::rows`], and whether the cursor went up to rows that stand before.
    fn reached(&self, start: u64, end: u64, max_chars: usize, kept: usize) -> io::Result<(Rendered, VecDeque<RowEnd>, bool)> {
        let (start, end) = self.within(start, end);
        let mut page = Page { kept: Some(kept), known: self.known, ..Page::new(start, max_chars, self.columns) };
        self.fill(&mut page, start, end)?;
        page.end_lines(page.full_at.unwrap_or(end));
        let (rows, is_above) = (std::mem::take(&mut page.rows), page.grid.is_above());
        Ok((page.finish(start, end), rows, is_above))
    }

    /// The bytes from `start` on, at most so many, with marks in the place of secrets; where they really begin and end, and how many
    /// secrets there were.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn raw(&self, start: u64, end: u64) -> io::Result<(Vec<u8>, Rendered)> {
        let (start, bytes) = self.log.read(start, end)?;
        let stop = start + bytes.len() as u64;
        let mut place = Rendered { start, end: stop, ..Rendered::default() };
        let Some(mask) = self.mask else { return Ok((bytes.into_owned(), place)) };
        let mut hidden = Hidden::new(mask, self.log, start)?;
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = start;
        let part = |from: u64, to: u64| {
            let index = |offset: u64| usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
            bytes.get(index(from)..index(to)).unwrap_or_default()
        };
        for span in hidden.until(stop)?.iter().filter(|span| span.end > start && span.start < stop) {
            out.extend_from_slice(part(at, span.start.max(at)));
            out.extend_from_slice(span.mark().as_bytes());
            at = span.end.min(stop);
            place.removed += 1;
        }
        out.extend_from_slice(part(at, stop));
        Ok((out, place))
    }

    fn next_marker(&self, after: u64, before: u64) -> Option<&Marker> {
        let first = self.markers.partition_point(|marker| marker.end <= after);
        self.markers.get(first).filter(|marker| marker.end < before)
    }

    fn markers_at(&self, offset: u64) -> impl Iterator<Item = &Marker> {
        let first = self.markers.partition_point(|marker| marker.end < offset);
        self.markers.iter().skip(first).take_while(move |marker| marker.end == offset)
    }
}

/// Does the cursor go back in the row that begins there, before its end?
fn goes_back(bytes: &[u8]) -> bool {
    let row = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let length = row.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    memchr::memchr2(b'\r', 0x08, row.get(..length).unwrap_or_default()).is_some()
}

/// Of what was rendered, the last `lines` within `max_chars`. Its first row begins at `begins` in the log.
fn last(rendered: Rendered, rows: &VecDeque<RowEnd>, begins: u64, max_chars: usize, lines: usize) -> Rendered {
    let text = rendered.text.as_str();
    if lines == 0 {
        return Rendered { text: String::new(), start: rendered.end, removed: 0, ..rendered };
    }
    let first = RowEnd { text: 0, log: rendered.start, removed: 0 };
    let cut_before = |row: &RowEnd| if row.text == 0 { (begins, rendered.start - begins) } else { (row.log, 0) };
    let (mut from, mut chars, mut behind) = (None, 0, text.len());
    let begin = rows.iter().rev().skip_while(|row| row.text == text.len()).chain([&first]);
    for (count, row) in begin.enumerate() {
        let line = text.get(row.text..behind).unwrap_or_default();
        chars += line.chars().count();
        if chars > max_chars && count == 0 {
            let surplus = line.char_indices().nth(chars - max_chars).map_or(line.len(), |(at, _)| at);
            let (begins, before) = cut_before(row);
            let (shown, removed) = (line.get(surplus..).unwrap_or_default().to_owned(), rendered.removed - row.removed);
            return Rendered { text: shown, start: row.log, removed, cut: Some((begins, before + surplus as u64)), ..rendered };
        }
        if chars > max_chars || count == lines {
            break;
        }
        (from, behind) = (Some(*row), row.text);
    }
    let from = from.unwrap_or(first);
    let cut = Some(cut_before(&from)).filter(|(_, before)| *before > 0);
    let shown = text.get(from.text..).unwrap_or_default().to_owned();
    Rendered { text: shown, start: from.log, removed: rendered.removed - from.removed, cut, ..rendered }
}

/// A page being filled.
struct Page<'a> {
    parser: Parser,
    /// Where in the log it begins.
    start: u64,
    row: Row,
    /// Rows round the cursor's, while it goes up and down.
    grid: Grid,
    /// Rows elsewhere on the screen.
    aside: Aside,
    columns: u16,
    out: String,
    chars: usize,
    max_chars: usize,
    /// Where the page was full: the first byte that did not fit.
    full_at: Option<u64>,
    /// It was full within a row.
    is_cut: bool,
    /// Where the open row begins.
    row_at: Place,
    /// Parts that are not shown, in order.
    hidden: Vec<Span>,
    /// Up to here a mark stands for what is hidden.
    marked_to: u64,
    removed: usize,
    /// What is written out makes the open row so much longer.
    longer: usize,
    /// Ends of rows are kept, of those in so many last characters.
    kept: Option<usize>,
    rows: VecDeque<RowEnd>,
    /// Letters may mean lines and corners.
    sets: Sets,
    /// Values that are masked in each row.
    known: Option<&'a Redactor>,
    /// A program has the other screen.
    is_alternate: bool,
    /// A program has the cursor keys in the mode that those take which draw the whole screen.
    takes_keys: bool,
    /// The row is where the cursor was put on the screen.
    is_placed: bool,
}

impl Page<'_> {
    fn new(start: u64, max_chars: usize, columns: u16) -> Self {
        let row = Row::with_limit(usize::MAX).on_columns(columns);
        Self {
            parser: Parser::at(start),
            start,
            row,
            grid: Grid::default(),
            aside: Aside::default(),
            columns,
            out: String::new(),
            chars: 0,
            max_chars,
            full_at: None,
            is_cut: false,
            row_at: Place { log: start, removed: 0 },
            hidden: Vec::new(),
            marked_to: 0,
            removed: 0,
            longer: 0,
            kept: None,
            rows: VecDeque::new(),
            sets: Sets::default(),
            known: None,
            is_alternate: false,
            takes_keys: false,
            is_placed: false,
        }
    }

    fn hide(&mut self, hidden: &[Span]) {
        if self.hidden != hidden {
            self.hidden = hidden.to_vec();
        }
    }

    /// The hidden part that this byte is in, or the next one behind it.
    fn span_at(&self, offset: u64) -> Option<Span> {
        let next = self.hidden.partition_point(|span| span.end <= offset);
        self.hidden.get(next).copied()
    }

    fn is_hidden(&self, offset: u64) -> bool {
        self.span_at(offset).is_some_and(|span| span.start <= offset)
    }

    fn feed(&mut self, bytes: &[u8]) {
        let mut parser = self.parser.clone();
        parser.advance(bytes, self);
        self.parser = parser;
    }

    fn end_row(&mut self, end: u64) {
        if self.row.is_only_marker() {
            // Nothing but a question that was answered stood there.
            self.row.clear();
            self.row_at = Place { log: end, removed: self.removed };
            return;
        }
        let text = self.row.text();
        self.write(text, Place { log: end, removed: self.removed });
        self.row.clear();
        self.longer = 0;
        if self.chars >= self.max_chars {
            self.full_at = Some(end);
        }
    }

    /// A row is done. The next one begins there.
    fn write(&mut self, text: String, next: Place) {
        let text = self.unfilled(text);
        self.is_placed = false;
        self.row_at = next;
        let before = self.out.len();
        self.write_out(&text);
        let is_as_it_is = self.out.get(before..) == Some(text.as_str());
        self.out.push('\n');
        self.chars += self.out.get(before..).map_or(0, |row| row.chars().count());
        if !is_as_it_is {
            self.grid.keep(before, text);
        }
        if let Some(kept) = self.kept {
            let far = self.out.len().saturating_sub(kept.saturating_mul(CHAR_MAX_BYTES));
            while self.rows.len() > ROWS_REACHED_MAX && self.rows.front().is_some_and(|row| row.text < far) {
                self.rows.pop_front();
            }
            self.rows.push_back(RowEnd { text: self.out.len(), log: next.log, removed: next.removed });
        }
        self.aside.on_row(self.out.len(), next.log);
    }

    /// Without the blanks by which a program that draws the whole screen has filled a row to the terminal's edge.
    fn unfilled(&self, mut text: String) -> String {
        let is_drawn = self.columns > 0 && (self.is_alternate || self.takes_keys || self.is_placed);
        if is_drawn && text.ends_with(' ') && text.chars().count() + 1 >= usize::from(self.columns) {
            text.truncate(text.trim_end_matches(' ').len());
        }
        text
    }

    /// A row's text as it is shown.
    fn write_out(&mut self, text: &str) {
        match self.known.filter(|known| !known.places(text.as_bytes()).is_empty()) {
            Some(known) => escape_into(&known.text(text), &mut self.out),
            None => escape_into(text, &mut self.out),
        }
    }

    /// Where the row begins that does not fit behind others, and where it is cut.
    fn cut_row(&self) -> Option<(u64, u64)> {
        let is_alone = self.out.is_empty() || self.row_at.log <= self.start;
        let is_plain = self.grid.is_plain() && self.aside.taken() == 0;
        self.full_at.filter(|_| self.is_cut && is_plain && !is_alone).map(|cut| (self.row_at.log, cut))
    }

    /// The open row is for the next page.
    fn leave_row(&mut self) {
        (self.full_at, self.removed) = (Some(self.row_at.log), self.row_at.removed);
        self.row.clear();
        self.longer = 0;
    }

    /// Characters that it has, at most.
    fn taken(&self) -> usize {
        self.chars + self.grid.taken() + self.aside.taken() + self.row.len() + self.longer
    }

    fn finish(mut self, start: u64, end: u64) -> Rendered {
        self.gather();
        self.put_sides(self.full_at.unwrap_or(end));
        let text = self.row.text();
        // In a row that goes on with the next page they stand before something.
        let text = if self.full_at.is_none() { self.unfilled(text) } else { text };
        self.write_out(&text);
        Rendered { text: self.out, start, end: self.full_at.unwrap_or(end), removed: self.removed, cut: None }
    }
}

impl Page<'_> {
    fn set_modes(&mut self, csi: &Csi<'_>) {
        let on = csi.function == b'h';
        for mode in csi.params {
            match mode {
                1 => self.takes_keys = on,
                47 | 1047 | 1049 => self.is_alternate = on,
                _ => {}
            }
        }
    }

    /// Text that is shown.
    fn show(&mut self, bytes: &[u8], start: u64) {
        if self.full_at.is_some() {
            return;
        }
        let taken = self.taken();
        let room = self.max_chars.saturating_sub(taken);
        if room >= bytes.len() && is_plain(bytes) {
            self.put(bytes);
            return;
        }
        let (fits, longer) = fitting(bytes, room, taken == 0);
        self.put(bytes.get(..fits).unwrap_or_default());
        self.longer += longer;
        if fits < bytes.len() {
            (self.full_at, self.is_cut) = (Some(start + fits as u64), true);
        }
    }

    /// Into the row, as the set of letters in use has them.
    fn put(&mut self, bytes: &[u8]) {
        if !self.sets.draws() {
            self.row.print(bytes);
            return;
        }
        for byte in bytes {
            match graphic(*byte) {
                Some(graphic) => self.row.print(graphic.encode_utf8(&mut [0; CHAR_MAX_BYTES]).as_bytes()),
                None => self.row.print(&[*byte]),
            }
        }
    }
}

/// How many of the bytes are shown in so many characters, and how many of those are more than one for one. Never a part of a character;
/// of an empty page at least one, so that pages go on.
fn fitting(bytes: &[u8], room: usize, is_empty: bool) -> (usize, usize) {
    // The rest of a character whose beginning was shown.
    let rest = bytes.iter().take(CHAR_MAX_BYTES - 1).take_while(|byte| **byte & 0xc0 == 0x80).count();
    let (mut fits, mut shown, mut longer) = (rest, 0, 0);
    for chunk in bytes.get(rest..).unwrap_or_default().utf8_chunks() {
        // What is no text is one character.
        let invalid = (!chunk.invalid().is_empty()).then(|| (chunk.invalid().len(), 1));
        for (length, wide) in chunk.valid().chars().map(|ch| (ch.len_utf8(), shown_chars(ch))).chain(invalid) {
            if shown + wide > room && !(is_empty && fits == 0) {
                return (fits, longer);
            }
            (fits, shown, longer) = (fits + length, shown + wide, longer + wide - 1);
        }
    }
    (fits, longer)
}

impl Sink for Page<'_> {
    fn print(&mut self, bytes: &[u8], start: u64) {
        let (mut rest, mut at) = (bytes, start);
        while !rest.is_empty() && self.full_at.is_none() {
            let Some(span) = self.span_at(at) else { return self.show(rest, at) };
            let until = if span.start > at { span.start } else { span.end };
            let count = usize::try_from(until - at).unwrap_or(usize::MAX).min(rest.len());
            let (part, behind) = rest.split_at(count);
            if span.start > at {
                self.show(part, at);
            } else if at >= self.marked_to {
                // A mark is never cut: a part of it would be taken for the device's text.
                self.row.print(span.mark().as_bytes());
                self.marked_to = span.end;
                self.removed += 1;
            }
            (rest, at) = (behind, at + count as u64);
        }
    }

    fn control(&mut self, byte: u8, end: u64) {
        if self.full_at.is_some() || self.is_hidden(end.saturating_sub(1)) {
            return;
        }
        match byte {
            b'\n' => self.line_feed(end),
            byte if Row::shows(byte) => self.show(&[byte], end.saturating_sub(1)),
            0x0e | 0x0f => self.sets.control(byte),
            _ => self.row.control(byte),
        }
    }

    fn csi(&mut self, csi: &Csi<'_>, end: u64) {
        if self.full_at.is_some() || self.is_hidden(end.saturating_sub(1)) {
            return;
        }
        self.sets.csi(csi);
        if csi.private == b'?' && matches!(csi.function, b'h' | b'l') {
            self.set_modes(csi);
        }
        if csi.private != 0 || csi.intermediate != 0 {
            // The other screen has rows of its own.
            if csi.private == b'?' && csi.params.iter().any(|mode| matches!(mode, 47 | 1047 | 1049)) {
                self.part(end);
            }
            return;
        }
        match csi.function {
            b'A' => self.up(csi.param(0, 1), end),
            b'B' => self.down(csi.param(0, 1), end),
            b'E' => self.next_rows(csi.param(0, 1), end),
            b'F' => {
                self.up(csi.param(0, 1), end);
                self.row.control(b'\r');
            }
            b'H' | b'f' | b'd' => {
                let column = if csi.function == b'd' { self.row.within() } else { usize::from(csi.param(1, 1)).saturating_sub(1) };
                self.go_aside(csi.param(0, 1), column, end);
                self.is_placed = !self.aside.is_away();
            }
            b'J' if csi.param(0, 0) == 0 => {
                self.row.csi(csi);
                self.erase_below();
            }
            b'K' if matches!(csi.param(0, 0), 0 | 2) => {
                self.end_wrap();
                self.row.csi(csi);
            }
            // Rows move to where others stood.
            b'L' | b'M' | b'S' | b'T' => self.part(end),
            b's' if csi.params.is_empty() => self.save(),
            b'u' if csi.params.is_empty() => self.go_back(end),
            _ => self.row.csi(csi),
        }
    }

    fn osc(&mut self, _: &[u8], _: u64, _: u64) {}

    fn esc(&mut self, intermediate: u8, function: u8, end: u64) {
        if self.full_at.is_some() || self.is_hidden(end.saturating_sub(1)) {
            return;
        }
        self.sets.esc(intermediate, function);
        match (intermediate, function) {
            (0, b'D') => self.line_feed(end),
            (0, b'E') => {
                self.line_feed(end);
                self.row.control(b'\r');
            }
            (0, b'M') => self.up(1, end),
            (0, b'7') => self.save(),
            (0, b'8') => self.go_back(end),
            (0, b'c') => self.part(end),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(bytes: &[u8]) -> ByteLog {
        let mut log = ByteLog::in_memory();
        log.append(bytes);
        log
    }

    fn page(bytes: &[u8], max_chars: usize) -> Rendered {
        Source { log: &log(bytes), markers: &VecDeque::new(), columns: 0, mask: None, known: None }.from(0, u64::MAX, max_chars).unwrap()
    }

    #[test]
    fn rows_end_with_a_newline_and_the_last_one_stands_as_it_is() {
        assert_eq!(page(b"a\r\nb\r\n", 100).text, "a\nb\n");
        assert_eq!(page(b"x", 100).text, "x");
        assert_eq!(page(b"\r\n\r\n  x  \r\n\r\n", 100).text, "\n\n  x  \n\n");
        assert_eq!(page(b"\x1b[31mred\x1b[0m\r\n", 100).text, "red\n");
    }

    #[test]
    fn a_line_feed_in_a_row_above_begins_no_row() {
        assert_eq!(page(b"2\r\n\x1b[1A\n>>> ", 100).text, "2\n>>> ");
        assert_eq!(page(b"2\r\n\x1b[2A\n\n\n>>> ", 100).text, "2\n\n>>> ");
        assert_eq!(page(b"a\r\n\x1b[Ab\r\n\r\nc", 100).text, "b\n\nc");
        assert_eq!(page(b"a\r\n\x1b[A\x1b[A\n\nb", 100).text, "a\nb");
        assert_eq!(page(b"a\r\n\x1b[A\x1b[B\nb", 100).text, "a\n\nb");
    }

    #[test]
    fn what_is_drawn_elsewhere_on_the_screen_is_a_row_of_its_own() {
        let bar = "\x1b7\x1b[50;0f\x1b[42mProgress: [ 10%]\x1b[49m [#...]\x1b8";
        assert_eq!(page(format!("a\r\n{bar}b\r\n").as_bytes(), 100).text, "a\nProgress: [ 10%] [#...]\nb\n");
        assert_eq!(page(format!("a{bar}b\r\n").as_bytes(), 100).text, "ab\nProgress: [ 10%] [#...]\n");
        assert_eq!(page(b"one\x1b[Etwo\x1b[2Fthree", 100).text, "one\ntwo\nthree");
        for away in ["\x1b[5;1H", "\x1b[5f", "\x1b[5d"] {
            assert_eq!(page(format!("one\r\n\x1b[40C{away}two").as_bytes(), 100).text, "one\ntwo", "{away:?}");
        }
    }

    #[test]
    fn blanks_that_fill_a_drawn_row_to_the_edge_are_not_shown() {
        let shown = |text: &str| {
            let log = log(text.as_bytes());
            let source = Source { log: &log, markers: &VecDeque::new(), columns: 10, mask: None, known: None };
            source.from(0, u64::MAX, 1000).unwrap().text
        };
        let (one, two) = (format!("one{}", " ".repeat(7)), format!("~{}", " ".repeat(8)));
        for modes in [["\x1b[?1049h", "\x1b[?1049l"], ["\x1b[?1h\x1b=", "\x1b[?1l\x1b>"]] {
            let [begin, end] = modes;
            // A text of its own may have blanks at its end.
            let text = shown(&format!("{begin}{one}\r\n{two}\r\nab  \r\n{end}{one}\r\n"));
            assert_eq!(text, format!("one\n~\nab  \n{one}\n"), "{begin:?}");
        }
        assert_eq!(shown(&format!("{one}\r\n\x1b[2;1H{one}\r\n{two}\r\n")), format!("{one}\none\n{two}\n"));
    }

    #[test]
    fn blanks_at_which_a_page_ends_inside_a_drawn_row_stay() {
        let log = log(b"\x1b[?1049habcdefgh   xyz\r\n");
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 10, mask: None, known: None };
        let first = source.from(0, u64::MAX, 11).unwrap();
        let rest = source.from(first.end, u64::MAX, 100).unwrap();
        assert_eq!(first.text + &rest.text, "abcdefgh   xyz\n");
    }

    #[test]
    fn the_last_lines_are_those_also_where_a_few_bytes_reach_far() {
        for piece in ["\x1b[998Cx\r\n", "\x1b[998Cx"] {
            let count = 2 * RENDER_MAX_CHARS / 998;
            let log = log(format!("first\r\n{}end", piece.repeat(count)).as_bytes());
            let source = Source { log: &log, markers: &VecDeque::new(), columns: 1000, mask: None, known: None };
            let rendered = source.to(0, u64::MAX, 1000, 1).unwrap();
            assert!(rendered.text.ends_with("end") && rendered.text.chars().count() <= 1000, "{piece:?}");
            assert_eq!((rendered.start > 0, rendered.end), (true, log.end()), "{piece:?}");
        }
    }

    #[test]
    fn letters_that_mean_lines_are_shown_as_lines() {
        let tree = page(b"init\x1b(0qwq\x1b(Bcron\r\n    \x1b)0\x0emq\x0fsshd q\r\n", 100);
        assert_eq!(tree.text, "init─┬─cron\n    └─sshd q\n");
    }

    #[test]
    fn text_behind_a_cursor_that_was_put_back_is_written_over_what_stood_there() {
        assert_eq!(page(b"at \x1b7 10%\x1b8 20%\x1b8\x1b[Kdone\r\n", 100).text, "at done\n");
        assert_eq!(page(b"\x1b[s10%\x1b[u20%\x1b[2K\x1b[uok\r\n\x1b8\r\n", 100).text, "ok\n\n");
    }

    #[test]
    fn control_and_invisible_characters_are_written_out() {
        assert_eq!(page(b"A\x01\xff\xfe\x1b[31mB", 100).text, "A\\x01\u{fffd}\u{fffd}B");
    }

    #[test]
    fn pages_put_together_are_the_whole() {
        let text: String = (0..200).map(|n| format!("row {n} \u{e4}\u{20ac} {}\r\n", "x".repeat(n % 50))).collect();
        let log = log(text.as_bytes());
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        for size in [7, 50, 1000] {
            let (mut at, mut whole) = (0, String::new());
            while at < log.end() {
                let page = source.from(at, u64::MAX, size).unwrap();
                assert!(page.end > at, "a page of {size} goes forward");
                whole.push_str(&page.text);
                at = page.end;
            }
            assert_eq!(whole, text.replace("\r\n", "\n"), "pages of {size}");
        }
    }

    #[test]
    fn pages_keep_to_their_size_and_go_on_whatever_they_show() {
        let text = format!("{}\u{feff}{}\r\nzwölf\r\n", "\u{1f600}".repeat(40), "\u{1}\u{200b}".repeat(40));
        let (log, whole) = (log(text.as_bytes()), page(text.as_bytes(), 10_000).text);
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
        for size in 1..40 {
            let (mut at, mut shown) = (0, String::new());
            while at < log.end() {
                let page = source.from(at, u64::MAX, size).unwrap();
                // A character that is written out is longer than the smallest pages. A row's end goes along.
                assert!(page.end > at && page.text.chars().count() <= size.max(8) + 1, "{size}: {page:?}");
                shown.push_str(&page.text);
                at = page.end;
            }
            assert_eq!(shown, whole, "pages of {size}");
        }
    }

    #[test]
    fn a_row_that_is_written_over_is_not_cut_where_another_one_stands_before_it() {
        let progress = |sign: &str| (1..=100).map(|n| format!("progress {n}%{sign}")).collect::<String>();
        let back = "\u{8}".repeat(14);
        for drawn in [progress("\r"), progress(&back), format!("{}\r       \r", "x".repeat(30))] {
            let text = format!("{}\r\n{drawn}the end\r\nlast {}\r\n", "z".repeat(30), "y".repeat(60));
            let (log, whole) = (log(text.as_bytes()), page(text.as_bytes(), 10_000).text);
            let source = Source { log: &log, markers: &VecDeque::new(), columns: 0, mask: None, known: None };
            // The row fits by itself.
            for size in 41..70 {
                let (mut at, mut shown) = (0, String::new());
                while at < log.end() {
                    let page = source.from(at, u64::MAX, size).unwrap();
                    assert!(page.end > at, "a page of {size} goes forward");
                    shown.push_str(&page.text);
                    at = page.end;
                }
                assert_eq!(shown, whole, "pages of {size}");
            }
        }
        // What only grows is cut, also in front of a bare line feed or several returns.
        for end in ["\n", "\r\n", "\r\r\n"] {
            assert_eq!(page(format!("a\r\n{}{end}", "x".repeat(90)).as_bytes(), 40).text, format!("a\n{}", "x".repeat(38)), "{end:?}");
        }
    }

    #[test]
    fn a_row_longer_than_the_budget_is_cut_inside() {
        let first = page(&[b'x'; 5000], 1200);
        assert_eq!((first.text.len(), first.end), (1200, 1200));
    }

    #[test]
    fn pager_markers_leave_no_trace() {
        let mut bytes = b"one\r\n --More-- ".to_vec();
        let end = bytes.len() as u64;
        bytes.extend_from_slice(&[8; 10]);
        bytes.extend_from_slice(&[b' '; 10]);
        bytes.extend_from_slice(&[8; 10]);
        bytes.extend_from_slice(b" two\r\n");
        let markers = VecDeque::from([Marker { end, text: " --More-- ".to_owned() }]);
        let rendered = Source { log: &log(&bytes), markers: &markers, columns: 0, mask: None, known: None }.from(0, u64::MAX, 100).unwrap();
        assert_eq!(rendered.text, "one\n two\n");
    }
}
