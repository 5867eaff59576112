//! Rows of the screen that are drawn while the cursor is saved elsewhere, as bars of progress at its edge are.
//!
//! Who goes to a row by its number is expected back where the cursor was saved: the row that was left waits there, and goes on. Each row
//! drawn so is shown once, as it stood last, behind what had come by then. Where the cursor goes on from it in another way, nobody can tell
//! what stands round it: it is a row of its own then.

use std::mem;

use super::{Page, RowEnd};
use crate::limits::ROWS_REACHED_MAX;
use crate::terminal::row::Row;

/// A row of the screen.
#[derive(Debug)]
struct Side {
    /// Which one, from the top.
    number: u16,
    row: Row,
    /// What is written out makes it so much longer.
    longer: usize,
    /// Behind the last byte of the log that has drawn it.
    drawn: u64,
    /// Where in the text it is to stand, once that is known.
    at: Option<usize>,
}

/// The row that the cursor was in before it went to one of them.
#[derive(Debug)]
struct Left {
    row: Row,
    longer: usize,
    /// Where in the log that was.
    at: u64,
    /// To which one it went.
    number: u16,
}

/// Those of a page.
#[derive(Debug, Default)]
pub(super) struct Aside {
    sides: Vec<Side>,
    /// The length of those that the cursor is not in.
    len: usize,
    left: Option<Left>,
}

impl Aside {
    /// Characters of all rows but the cursor's, at most.
    pub(super) fn taken(&self) -> usize {
        self.len + self.sides.len() + self.left.as_ref().map_or(0, |left| left.row.len() + left.longer)
    }

    /// The cursor is in one of them.
    pub(super) fn is_away(&self) -> bool {
        self.left.is_some()
    }

    /// A row of the page is written: the text has this length, and the next row begins there in the log.
    pub(super) fn on_row(&mut self, text: usize, next: u64) {
        for side in self.sides.iter_mut().filter(|side| side.at.is_none() && side.drawn <= next) {
            side.at = Some(text);
        }
    }

    /// The text has this length again.
    pub(super) fn on_taken_back(&mut self, text: usize) {
        for at in self.sides.iter_mut().filter_map(|side| side.at.as_mut()) {
            *at = text.min(*at);
        }
    }

    fn take(&mut self, number: u16) -> Option<Side> {
        let at = self.sides.iter().position(|side| side.number == number)?;
        let side = self.sides.swap_remove(at);
        self.len = self.len.saturating_sub(side.row.len() + side.longer);
        Some(side)
    }
}

impl Page<'_> {
    /// The cursor goes to the row of this number.
    pub(super) fn go_aside(&mut self, number: u16, column: usize, end: u64) {
        if !self.aside.is_away() && !self.row.is_saved() && !self.grid.has_saved() {
            self.leave(end);
            return;
        }
        self.come_back(end);
        let side = self.aside.take(number);
        if side.is_none() && self.aside.sides.len() >= ROWS_REACHED_MAX {
            self.leave(end);
            return;
        }
        self.row.end_partial();
        let (row, longer) = side.map_or_else(|| (self.row.empty(), 0), |side| (side.row, side.longer));
        let (row, longer) = (mem::replace(&mut self.row, row), mem::replace(&mut self.longer, longer));
        self.aside.left = Some(Left { row, longer, at: end, number });
        self.row.place(0, 0);
        self.row.to_column(column);
    }

    /// The cursor is back in the row that it had left.
    pub(super) fn come_back(&mut self, end: u64) {
        let Some(left) = self.aside.left.take() else { return };
        self.row.end_partial();
        let (row, longer) = (mem::replace(&mut self.row, left.row), mem::replace(&mut self.longer, left.longer));
        // A row that has not begun yet comes behind it.
        let at = (self.row.is_empty() && !self.grid.has_lines()).then_some(self.out.len());
        self.aside.len += row.len() + longer;
        self.aside.sides.push(Side { number: left.number, row, longer, drawn: end, at });
    }

    /// The cursor is not expected back any more: where it is, a row of its own begins.
    pub(super) fn stay(&mut self) {
        let Some(left) = self.aside.left.take() else { return };
        let (row, longer) = (mem::replace(&mut self.row, left.row), mem::replace(&mut self.longer, left.longer));
        self.leave(left.at);
        // There was room for both.
        self.full_at = None;
        (self.row, self.longer) = (row, longer);
    }

    /// They become text.
    pub(super) fn put_sides(&mut self, end: u64) {
        let mut sides = mem::take(&mut self.aside.sides);
        self.aside.len = 0;
        let last = self.out.len();
        sides.sort_by_key(|side| (side.at.unwrap_or(last), side.number));
        let mut longer = 0;
        for side in sides {
            longer += self.put_side(side.at.unwrap_or(last) + longer, side.row.text().trim(), end);
        }
    }

    /// Puts a row there into the text, if it shows anything. Says how much longer the text is for it.
    fn put_side(&mut self, at: usize, text: &str, end: u64) -> usize {
        let Some(behind) = self.out.get(at..).filter(|_| !text.is_empty()).map(str::to_owned) else { return 0 };
        self.out.truncate(at);
        self.write_out(text);
        self.out.push('\n');
        let longer = self.out.len() - at;
        self.out.push_str(&behind);
        let next = self.rows.partition_point(|row| row.text <= at);
        let before = next.checked_sub(1).and_then(|before| self.rows.get(before)).copied();
        self.rows.iter_mut().skip(next).for_each(|row| row.text += longer);
        // Of rows that are far before the end nobody wants the ends.
        if self.kept.is_some() && (at == 0 || before.is_some()) {
            let here = before.unwrap_or(RowEnd { text: 0, log: self.start, removed: 0 });
            let is_last = behind.is_empty() && self.row.is_empty();
            let (log, removed) = if is_last { (end, self.removed) } else { (here.log, here.removed) };
            self.rows.insert(next, RowEnd { text: at + longer, log, removed });
        }
        longer
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    fn shown(text: &str) -> String {
        let mut page = Page::new(0, usize::MAX, 80);
        page.feed(text.as_bytes());
        page.finish(0, text.len() as u64).text
    }

    fn bar(percent: usize) -> String {
        format!("\x1b7\x1b[24;0f\x1b[42mProgress: [{percent:3}%]\x1b[49m [##..] \x1b8")
    }

    #[test]
    fn a_bar_at_the_screens_edge_is_one_row_as_it_stood_last() {
        let rows = format!("one\r\n{}two\r\n{}{}three\r\n", bar(10), bar(20), bar(30));
        assert_eq!(shown(&rows), "one\ntwo\nProgress: [ 30%] [##..]\nthree\n");
        // In the middle of a row, which goes on.
        let reading = format!("(Reading 5%{}\r(Reading 10%{}\r\nend", bar(40), bar(50));
        assert_eq!(shown(&reading), "(Reading 10%\nProgress: [ 50%] [##..]\nend");
        let many: String = (0..1000).map(|row| format!("row {row}\r\n{}", bar(row / 10))).collect();
        assert_eq!(shown(&many).matches("Progress").count(), 1);
        // As it is made room for, and taken away.
        let region = |rows: u16| format!("\r\n\x1b7\x1b[0;{rows}r\x1b8\x1b[1A");
        let begin = format!("Fetched\r\n{}{}Unpacking a\r\n{}Setting up a\r\n{}", region(23), bar(0), bar(50), bar(100));
        let all = shown(&format!("{begin}{}\x1b[Jdone\r\n", region(24)));
        assert_eq!(all, "Fetched\nUnpacking a\nSetting up a\ndone\nProgress: [100%] [##..]\n");
        // What was erased in the end stands nowhere.
        assert_eq!(shown(&format!("a\r\n{}\x1b7\x1b[24;1H\x1b[2K\x1b8b\r\n", bar(10))), "a\nb\n");
    }

    #[test]
    fn rows_drawn_so_stand_in_their_order_and_a_part_of_one_is_written_over() {
        let drawn = "\x1b7\x1b[24;1Hb: 1%\x1b[23;1Ha: 1%\x1b8\x1b7\x1b[24;4H2\x1b8";
        assert_eq!(shown(&format!("one\r\n{drawn}two\r\n")), "one\na: 1%\nb: 2%\ntwo\n");
    }

    #[test]
    fn what_does_not_come_back_is_a_row_of_its_own() {
        assert_eq!(shown("a\x1b7\x1b[5Hone\r\ntwo"), "a\none\ntwo");
        assert_eq!(shown("a\x1b7\x1b[5Hone"), "one\na");
    }

    #[test]
    fn the_last_lines_and_a_search_see_it_once() {
        use crate::session::report::{OutputQuery, output};
        let mut log = ByteLog::whole();
        let many: String = (0..1000).map(|row| format!("row {row}\r\n{}", bar(row / 10))).collect();
        log.append(format!("{many}end\r\n").as_bytes());
        let source = Source { log: &log, markers: &VecDeque::new(), columns: 80, mask: None, known: None };
        let ask = |query: OutputQuery| output(&source, &[(0, log.end())], &OutputQuery { max_chars: 1000, ..query }).unwrap().0;
        let last = "Progress: [ 99%] [##..]\n";
        assert_eq!(ask(OutputQuery { tail: Some(3), ..OutputQuery::default() }), format!("row 999\n{last}end\n"));
        assert_eq!(ask(OutputQuery { grep: Some("^Progress".to_owned()), ..OutputQuery::default() }), last);
    }
}
