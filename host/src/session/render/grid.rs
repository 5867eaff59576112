//! Rows that the cursor goes up to and writes over, as programs do that show progress in several of them.
//!
//! Text that only grows never comes here: a row that has ended is text of the page. Where the cursor goes up, the rows that it passes are
//! taken back and become lines. They are text again once as many rows have begun behind them, or once the cursor goes to where nobody can
//! tell what stands. Of rows before the page nothing is known: the cursor goes to lines in their place, which are shown if something is
//! written to them, behind all that was shown before.
//!
//! So what is shown only grows behind the rows within reach, each line begins later in the log than the one above, and a byte costs the same
//! wherever the cursor is.

use std::collections::VecDeque;
use std::mem;

use super::Page;
use crate::limits::ROWS_REACHED_MAX;
use crate::terminal::row::Row;

/// Where a row begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// In the log.
    pub(super) log: u64,
    /// Secrets that were taken out up to there.
    pub(super) removed: usize,
}

/// A row that the cursor can come back to.
#[derive(Debug)]
struct Line {
    /// The cursor's own is the page's.
    row: Row,
    /// What is written out makes it so much longer.
    longer: usize,
    begins: Place,
    /// It stood there before: it is shown only if something was written to it.
    stands: bool,
}

impl Line {
    fn len(&self) -> usize {
        self.row.len() + self.longer
    }

    /// Its text, if it is shown.
    fn shown(&self) -> Option<String> {
        let text = self.row.text();
        let is_left_out = self.row.is_only_marker() || self.stands && text.trim_ascii().is_empty();
        (!is_left_out).then_some(text)
    }
}

/// The rows round the cursor's. Without lines it is in the last row, and all above are text.
#[derive(Debug, Default)]
pub(super) struct Grid {
    lines: VecDeque<Line>,
    /// The cursor's line.
    at: usize,
    /// The length of all others.
    len: usize,
    /// Rows that have begun since the cursor was above the last one.
    calm: usize,
    /// The cursor's row, or the last one, was not begun just now: it was come back to.
    is_back: bool,
    /// The cursor was saved in one of them.
    is_saved: bool,
    /// It went up to rows before the page.
    is_above: bool,
    /// It went to where nobody can tell what stands.
    is_parted: bool,
    /// Where in the page's text the rows begin that the cursor may go up to.
    floor: usize,
    /// Those of them that are written out: where in the text they begin, and what they are.
    written: VecDeque<(usize, String)>,
}

impl Grid {
    /// Characters of all lines but the cursor's, at most.
    pub(super) fn taken(&self) -> usize {
        self.len + self.lines.len()
    }

    /// The cursor went up to rows that stand before the page.
    pub(super) fn is_above(&self) -> bool {
        self.is_above
    }

    /// Is there more than the cursor's row?
    pub(super) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The cursor has been in no row but the last one.
    pub(super) fn is_plain(&self) -> bool {
        self.lines.is_empty() && !self.is_back && !self.is_parted
    }

    /// Is it in one of them where the cursor was saved?
    pub(super) fn has_saved(&self) -> bool {
        self.lines.iter().any(|line| line.row.is_saved())
    }

    /// Keeps a row's text that is not what is shown.
    pub(super) fn keep(&mut self, at: usize, text: String) {
        if self.written.len() == ROWS_REACHED_MAX {
            self.written.pop_front();
        }
        self.written.push_back((at, text));
    }

    fn push_above(&mut self, line: Line) {
        self.len += line.len();
        self.lines.push_front(line);
        self.at += 1;
    }

    fn pop_below(&mut self) {
        if let Some(line) = self.lines.pop_back() {
            self.len = self.len.saturating_sub(line.len());
        }
    }

    fn has_below(&self) -> bool {
        self.at + 1 < self.lines.len()
    }

    /// How many of the terminal's rows a line takes that the cursor is not in.
    fn height(&mut self, at: usize) -> usize {
        self.lines.get_mut(at).map_or(1, |line| line.row.height())
    }
}

impl Page<'_> {
    /// The cursor goes up so many rows of the terminal, or as far as it can.
    pub(super) fn up(&mut self, count: u16, end: u64) {
        self.stay();
        self.row.end_partial();
        self.open();
        (self.grid.calm, self.grid.is_back) = (0, true);
        let column = self.row.within();
        let mut left = usize::from(count).min(ROWS_REACHED_MAX);
        let (mut at, mut level) = (self.grid.at, self.row.level());
        // A row that is longer than the terminal's goes on below.
        while left > level {
            if at == 0 {
                at = self.reach(left - level, end);
            }
            if at == 0 {
                break;
            }
            at -= 1;
            left -= level + 1;
            level = self.grid.height(at) - 1;
        }
        self.go_to(at);
        self.row.place(level.saturating_sub(left), column);
    }

    /// The cursor goes down so many.
    pub(super) fn down(&mut self, count: u16, end: u64) {
        self.stay();
        self.row.end_partial();
        self.open();
        self.grid.is_back = true;
        let column = self.row.within();
        let mut left = usize::from(count).min(ROWS_REACHED_MAX);
        let (mut at, mut level, mut height) = (self.grid.at, self.row.level(), self.row.height());
        while left > 0 {
            let behind = height.saturating_sub(level + 1);
            if left <= behind {
                level += left;
                break;
            }
            left -= behind;
            level = 0;
            if at + 1 == self.grid.lines.len() {
                // Nobody knows what stands there. Whoever goes further than there are rows goes to the last one.
                let missing = if usize::from(count) > ROWS_REACHED_MAX { 1 } else { left };
                for _ in 0..missing {
                    let line = self.line(end, true);
                    self.grid.lines.push_back(line);
                }
                at += missing;
                break;
            }
            (at, left) = (at + 1, left - 1);
            height = self.grid.height(at);
        }
        self.go_to(at);
        self.row.place(level, column);
        self.limit();
    }

    /// To the beginning of the row that is so many below, or of a new one.
    pub(super) fn next_rows(&mut self, count: u16, end: u64) {
        self.stay();
        self.row.end_partial();
        for _ in 0..usize::from(count).min(ROWS_REACHED_MAX) {
            if !self.below(0) {
                self.line_feed(end);
                return;
            }
        }
    }

    /// To the row below, or a new one.
    pub(super) fn line_feed(&mut self, end: u64) {
        self.stay();
        if self.grid.lines.is_empty() {
            self.end_row(end);
            return;
        }
        self.row.end_partial();
        // Where there is no terminal, a line feed alone ends a row.
        let column = if self.columns == 0 { 0 } else { self.row.within() };
        if !self.below(column) {
            self.begin_row(end);
        }
    }

    /// What stands in the rows below is erased.
    pub(super) fn erase_below(&mut self) {
        if self.aside.is_away() {
            return;
        }
        while self.grid.has_below() {
            self.grid.pop_below();
        }
    }

    /// The terminal's row of the cursor is erased to its end: the next one goes on from it no more.
    pub(super) fn end_wrap(&mut self) {
        if self.grid.lines.len() > ROWS_REACHED_MAX {
            return;
        }
        let Some(row) = self.row.split_off().filter(|_| !self.aside.is_away()) else { return };
        self.open();
        let at = self.grid.at + 1;
        let begins = self.grid.lines.get(self.grid.at).map_or_else(|| self.begins(), |line| line.begins);
        self.grid.is_back = true;
        self.grid.len += row.len();
        self.grid.lines.insert(at, Line { row, longer: 0, begins, stands: false });
    }

    /// Remembers where the cursor is.
    pub(super) fn save(&mut self) {
        self.stay();
        self.forget_saved();
        self.row.save();
        self.grid.is_saved = true;
    }

    /// The cursor goes back to there. If that was in a row that is text already, what follows is in one of its own.
    pub(super) fn go_back(&mut self, end: u64) {
        self.come_back(end);
        if self.row.restore() {
            return;
        }
        let Some(at) = self.grid.lines.iter().position(|line| line.row.is_saved()) else {
            self.leave(end);
            return;
        };
        self.row.end_partial();
        (self.grid.calm, self.grid.is_back) = (0, true);
        self.go_to(at);
        self.row.restore();
    }

    /// The cursor goes to where nobody can tell what stands. What follows is in a row of its own, and nothing goes along, not the column
    /// either.
    pub(super) fn leave(&mut self, end: u64) {
        self.gather();
        if !self.row.is_empty() {
            self.end_row(end);
        }
        self.row.clear();
        self.longer = 0;
        self.close();
    }

    /// Nothing above is where it was. A last row that was never left goes on.
    pub(super) fn part(&mut self, end: u64) {
        self.stay();
        self.forget_saved();
        if self.grid.lines.is_empty() {
            self.close();
        } else {
            self.leave(end);
        }
    }

    /// All lines but the last one are text again. Those below the cursor that show nothing are none.
    pub(super) fn gather(&mut self) {
        self.come_back(u64::MAX);
        while self.grid.has_below() && self.grid.lines.back().is_some_and(|line| line.row.is_empty()) {
            self.grid.pop_below();
        }
        if !self.grid.lines.is_empty() {
            self.go_to(self.grid.lines.len() - 1);
            self.dissolve();
        }
    }

    /// As [`Page::gather`]. A last row that was come back to counts as ended: where it begins is no place to go on from, as long
    /// progress would be read from its beginning each time.
    pub(super) fn end_lines(&mut self, end: u64) {
        let is_back = self.grid.is_back && !self.grid.lines.is_empty();
        self.gather();
        if is_back && !self.row.is_empty() {
            self.end_row(end);
        }
        self.put_sides(end);
    }

    fn line(&self, begins: u64, stands: bool) -> Line {
        Line { row: self.row.empty(), longer: 0, begins: Place { log: begins, removed: self.removed }, stands }
    }

    /// Where the row begins that follows those that are text.
    fn begins(&self) -> Place {
        let first = Place { log: self.start, removed: 0 };
        self.rows.back().map_or(first, |row| Place { log: row.log, removed: row.removed })
    }

    /// The cursor's row becomes a line.
    fn open(&mut self) {
        if !self.grid.lines.is_empty() {
            return;
        }
        // Without text, and without a row before it, nothing says that it has begun here.
        let stands = self.row.is_empty() && self.out.len() == self.grid.floor;
        let line = Line { begins: self.begins(), ..self.line(0, stands) };
        self.grid.lines.push_back(line);
        (self.grid.at, self.grid.len, self.grid.calm) = (0, 0, 0);
    }

    /// Puts rows above the first one: the last one that is text, or if there is none that may change, as many as are wanted. Says how many.
    fn reach(&mut self, wanted: usize, end: u64) -> usize {
        let room = (ROWS_REACHED_MAX + 1).saturating_sub(self.grid.lines.len());
        if room == 0 {
            return 0;
        }
        if let Some(line) = self.take_back() {
            self.grid.push_above(line);
            return 1;
        }
        self.grid.is_above |= !self.grid.is_parted;
        self.settle(end);
        let count = wanted.min(room);
        for _ in 0..count {
            let line = self.line(end, true);
            self.grid.push_above(line);
        }
        count
    }

    /// The last row that is text, as a line.
    fn take_back(&mut self) -> Option<Line> {
        let body = self.out.get(self.grid.floor..)?.strip_suffix('\n')?;
        let from = self.grid.floor + memchr::memrchr(b'\n', body.as_bytes()).map_or(0, |at| at + 1);
        let shown = self.out.get(from..)?.strip_suffix('\n')?;
        let chars = shown.chars().count();
        let is_written = self.grid.written.back().is_some_and(|(at, _)| *at == from);
        let written = if is_written { self.grid.written.pop_back() } else { None };
        let text = written.as_ref().map_or(shown, |(_, text)| text.as_str());
        let longer = chars.saturating_sub(text.chars().count());
        let mut row = self.row.empty();
        row.print(text.as_bytes());
        self.chars = self.chars.saturating_sub(chars + 1);
        self.out.truncate(from);
        self.aside.on_taken_back(from);
        self.rows.pop_back();
        Some(Line { row, longer, begins: self.begins(), stands: false })
    }

    /// What stands in the lines becomes text, and they stay as rows of which nothing is known.
    fn settle(&mut self, end: u64) {
        self.store();
        let here = Place { log: end, removed: self.removed };
        for index in 0..self.grid.lines.len() {
            let next = self.grid.lines.get(index + 1).map(|line| line.begins);
            let Some(line) = self.grid.lines.get_mut(index) else { break };
            // An empty last row is still to be filled.
            let is_open = next.is_none() && line.row.is_empty();
            let stands = line.stands || !is_open;
            let empty = Line { row: line.row.emptied(), longer: 0, begins: here, stands };
            let line = mem::replace(line, empty);
            if let Some(text) = line.shown().filter(|_| !is_open) {
                self.write(text, next.unwrap_or(here));
            }
        }
        self.grid.len = 0;
        self.fetch();
        self.close();
    }

    /// What is text stays as it is.
    fn close(&mut self) {
        self.grid.floor = self.out.len();
        self.grid.written.clear();
        self.grid.is_parted = true;
    }

    /// One row of the terminal down, where one is known.
    fn below(&mut self, column: usize) -> bool {
        let level = self.row.level() + 1;
        if level < self.row.height() {
            self.row.place(level, column);
            return true;
        }
        let is_known = self.grid.has_below();
        if is_known {
            self.grid.is_back = true;
            self.go_to(self.grid.at + 1);
            self.row.place(0, column);
        }
        is_known
    }

    /// A new row behind the last one, which the cursor is in.
    fn begin_row(&mut self, end: u64) {
        if self.row.is_only_marker() {
            self.row.clear();
            return;
        }
        // The rows may have moved up.
        self.forget_saved();
        let line = self.line(end, false);
        self.grid.lines.push_back(line);
        self.go_to(self.grid.lines.len() - 1);
        self.limit();
        self.grid.is_back = false;
        self.grid.calm += 1;
        if self.grid.calm >= ROWS_REACHED_MAX {
            self.dissolve();
        }
        if self.taken() > self.max_chars {
            self.full_at = Some(end);
        }
    }

    fn forget_saved(&mut self) {
        if mem::take(&mut self.grid.is_saved) {
            self.grid.lines.iter_mut().for_each(|line| line.row.leave());
            self.row.leave();
        }
    }

    /// The cursor is in the last row: those that it does not reach any more become text.
    fn limit(&mut self) {
        while self.grid.lines.len() > ROWS_REACHED_MAX + 1 {
            self.give_first();
        }
    }

    /// The cursor is in the last row: all others become text.
    fn dissolve(&mut self) {
        while self.grid.lines.len() > 1 {
            self.give_first();
        }
        self.grid.lines.clear();
        (self.grid.at, self.grid.len) = (0, 0);
    }

    fn give_first(&mut self) {
        let Some(line) = self.grid.lines.pop_front() else { return };
        self.grid.at = self.grid.at.saturating_sub(1);
        self.grid.len = self.grid.len.saturating_sub(line.len());
        let next = self.grid.lines.front().map_or(line.begins, |next| next.begins);
        if let Some(text) = line.shown() {
            self.write(text, next);
        }
    }

    fn go_to(&mut self, at: usize) {
        self.store();
        self.grid.at = at;
        self.fetch();
    }

    /// The cursor's row goes to its line.
    fn store(&mut self) {
        if let Some(line) = self.grid.lines.get_mut(self.grid.at) {
            mem::swap(&mut self.row, &mut line.row);
            mem::swap(&mut self.longer, &mut line.longer);
            self.grid.len += line.len();
        }
    }

    /// It comes from there.
    fn fetch(&mut self) {
        if let Some(line) = self.grid.lines.get_mut(self.grid.at) {
            self.grid.len = self.grid.len.saturating_sub(line.len());
            mem::swap(&mut self.row, &mut line.row);
            mem::swap(&mut self.longer, &mut line.longer);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::*;
    use crate::terminal::properties::{chunks, stream};

    fn rows_of(chunks: &[&[u8]], columns: u16) -> (Rendered, VecDeque<RowEnd>) {
        let mut page = Page { kept: Some(usize::MAX), ..Page::new(0, usize::MAX, columns) };
        chunks.iter().for_each(|chunk| page.feed(chunk));
        let end = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        page.end_lines(end);
        let rows = std::mem::take(&mut page.rows);
        (page.finish(0, end), rows)
    }

    fn on_columns(columns: u16, text: &str) -> String {
        let mut page = Page::new(0, usize::MAX, columns);
        page.feed(text.as_bytes());
        page.finish(0, text.len() as u64).text
    }

    fn shown(text: &str) -> String {
        on_columns(80, text)
    }

    /// Layers of which one at a time is drawn anew, from the row below them.
    fn pull(steps: usize, layers: usize) -> String {
        let waiting = (1..=layers).map(|layer| format!("layer{layer}: Waiting\r\n"));
        let drawn = (0..steps).map(|step| {
            let layer = step % layers + 1;
            let up = layers + 1 - layer;
            format!("\x1b[{up}A\x1b[2K\rlayer{layer}: step {step}\r\x1b[{up}B")
        });
        waiting.chain(drawn).collect()
    }

    #[test]
    fn progress_in_several_rows_is_shown_as_it_stood_in_the_end() {
        let done = "tag\nlayer1: step 96\nlayer2: step 97\nlayer3: step 98\nlayer4: step 99\nStatus\n";
        assert_eq!(shown(&format!("tag\r\n{}Status\r\n", pull(100, 4))), done);
        // All of them each time, and fewer in the end.
        let drawn: String = (0..50).map(|step| format!("\x1b[2A\x1b[2K\ra {step}\r\n\x1b[2K\rb {step}\r\n")).collect();
        assert_eq!(shown(&format!("x\r\n\r\n\r\n{drawn}")), "x\na 49\nb 49\n");
        assert_eq!(shown(&format!("x\r\n\r\n\r\n{drawn}\x1b[2A\x1b[Jdone\r\nmore\r\n")), "x\ndone\nmore\n");
        // From where the cursor was saved, and without line feeds.
        let saved: String = (0..50).map(|step| format!("\x1b7\x1b[2A\ra {step}\x1b8\x1b[s\x1b[F\x1b[2Kb {step}\x1b[u")).collect();
        assert_eq!(shown(&format!("x\r\n\r\n\r\n{saved}end\r\n")), "x\na 49\nb 49\nend\n");
        // Where there is no terminal, a line feed is enough.
        assert_eq!(on_columns(0, "one\ntwo\n\x1b[2A1\n2\n"), "1ne\n2wo\n");
    }

    #[test]
    fn of_progress_that_has_begun_before_the_page_the_rows_drawn_since_are_shown() {
        assert_eq!(shown(&"\x1b[3Aa: 1\r\nb: 1\r\nc: 1\r\n".repeat(5)), "a: 1\nb: 1\nc: 1\n");
        assert_eq!(shown("b: 1\r\nc: 1\r\n\x1b[3Aa: 2\r\nb: 2\r\nc: 2\r\nend"), "b: 1\nc: 1\na: 2\nb: 2\nc: 2\nend");
        assert_eq!(shown("a: 1\r\x1b[3Bend\r\n"), "a: 1\nend\n");
    }

    #[test]
    fn what_has_scrolled_away_or_stands_elsewhere_stays() {
        let rows: String = (0..300).map(|row| format!("row {row}\r\n")).collect();
        let text = shown(&format!("{rows}\x1b[250Anew\r\n\x1b[250Anew"));
        let changed = 300 - ROWS_REACHED_MAX;
        let expected: String = (0..300).map(|row| if row == changed { format!("new {row}\n") } else { format!("row {row}\n") }).collect();
        assert_eq!(text, expected.trim_end());
        for fence in ["\x1b[H", "\x1b[?1049h", "\x1b[L", "\x1b[9d"] {
            assert_eq!(shown(&format!("one\r\ntwo\r\n{fence}\x1b[2Anew\r\n")), "one\ntwo\nnew\n", "{fence:?}");
        }
    }

    #[test]
    fn a_row_that_goes_on_below_has_as_many_rows_as_on_the_terminal() {
        assert_eq!(on_columns(4, "abcdef\r\n\x1b[1AX\r\nend"), "abcdXf\nend");
        assert_eq!(on_columns(4, "abcdef\r\n\x1b[2AX\r\n\nend"), "Xbcdef\nend");
        assert_eq!(on_columns(4, "abcdef\x1b[AX\x1b[BY"), "abXdef Y");
    }

    #[test]
    fn what_is_erased_of_a_row_that_goes_on_below_is_in_the_terminals_row() {
        // From the last one up, as libraries do.
        let erased = "\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[G";
        assert_eq!(on_columns(4, &format!("top\r\nabcdefghij{erased}new\r\nend")), "top\nnew\nend");
        let drawn = "abcdef\r\nx\r\n\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[G".repeat(3);
        assert_eq!(on_columns(4, &format!("top\r\n{drawn}end")), "top\nend");
        // From the first one down.
        for erase in ["\x1b[K", "\x1b[2K"] {
            let text = format!("top\r\nabcdefghij\r\n\x1b[3A{erase}1\r\n{erase}2\r\n{erase}3\r\nend");
            assert_eq!(on_columns(4, &text), "top\n1\n2\n3\nend", "{erase:?}");
        }
        assert_eq!(on_columns(4, "abcdefghij\r\n\x1b[3Ax\x1b[K\x1b[3Bend"), "x\nefghij\n end");
    }

    #[test]
    fn rows_that_are_written_out_keep_their_columns() {
        assert_eq!(shown("a\u{200b}b 1%\r\n\x1b[A\x1b[4G2\r\n"), "a\\u{200b}b 2%\n");
    }

    #[test]
    fn the_last_lines_and_a_search_see_what_stood_in_the_end() {
        use crate::session::report::{OutputQuery, output};
        let mut log = ByteLog::whole();
        log.append(format!("first\r\n{}Status\r\n", pull(20_000, 4)).as_bytes());
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 80, mask: None, known: None };
        let ask = |query: OutputQuery| output(&source, &[(0, log.end())], &OutputQuery { max_chars: 1000, ..query }).unwrap().0;
        let layers: String = (1..=4).map(|layer| format!("layer{layer}: step {}\n", 19_995 + layer)).collect();
        assert_eq!(ask(OutputQuery::default()), format!("first\n{layers}Status\n"));
        assert_eq!(ask(OutputQuery { tail: Some(2), ..OutputQuery::default() }), "layer4: step 19999\nStatus\n");
        assert_eq!(ask(OutputQuery { grep: Some("^layer".to_owned()), ..OutputQuery::default() }), layers);
    }

    #[test]
    fn the_last_lines_have_those_between_that_were_done_early() {
        let mut log = ByteLog::whole();
        let waiting: String = (1..=4).map(|layer| format!("layer{layer}: Waiting\r\n")).collect();
        let drawn: String = (0..5000).map(|step| format!("\x1b[4A\x1b[2K\rlayer1: step {step}\r\x1b[4B")).collect();
        log.append(format!("{waiting}\x1b[1A\x1b[2K\rlayer4: done\r\x1b[1B{drawn}Status\r\n").as_bytes());
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 80, mask: None, known: None };
        assert_eq!(source.to(0, log.end(), 1000, 2).unwrap().text, "layer4: done\nStatus\n");
    }

    fn moves() -> impl Strategy<Value = Vec<u8>> {
        let pieces = ["\x1b[A", "\x1b[3A", "\x1b[2B", "\x1b[2F", "\x1b[E", "\x1b[J", "\x1b[L", "\x1bM", "\x1b7", "\x1b8", "\r\n", "row"];
        let piece = prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
        vec(prop_oneof![3 => piece, 1 => stream()], 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn rows_are_the_same_however_their_bytes_are_cut(
            bytes in moves(),
            columns in prop::sample::select(vec![0_u16, 4, 80]),
            cuts in vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let whole = rows_of(&[&bytes], columns);
            prop_assert_eq!(&whole, &rows_of(&chunks(&bytes, &cuts), columns));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&whole, &rows_of(&single, columns));
            // Each row has its end.
            let (rendered, rows) = whole;
            let feeds: Vec<usize> = rendered.text.match_indices('\n').map(|(at, _)| at + 1).collect();
            prop_assert_eq!(feeds, rows.iter().map(|row| row.text).collect::<Vec<_>>());
        }

        #[test]
        fn pages_go_on_whatever_moves(bytes in moves(), size in 1_usize..60) {
            let mut log = ByteLog::in_memory();
            log.append(&bytes);
            let source = Source { log: &log, markers: &VecDeque::new(), columns: 80, mask: None, known: None };
            let mut at = 0;
            while at < log.end() {
                let page = source.from(at, u64::MAX, size).unwrap();
                prop_assert!(page.end > at, "{} {:?}", at, page);
                at = page.end;
            }
        }
    }
}
