//! One row of text with a cursor: what is left of it after carriage returns, backspaces and erasing.
//!
//! Text that only grows stays bytes. The first character that is written over another one turns the row into cells. A pager's marker is
//! turned into *ghost* cells: whatever the device sends to wipe it out (spaces, backspaces, erase) disappears with it, and text written
//! over it is real.

mod cells;

use self::cells::{BLANK, Cell, Ink, SECOND, blank, delete, insert, mark, part, push, reach, set, standing, width, wipe};
use super::parser::Csi;
use super::text::lossy;
use crate::limits::ROW_EDIT_MAX_CELLS;

/// What stands for a character that is covered.
const COVER: char = '*';

/// The longest row kept, in bytes. Of a longer one the newer half is kept.
pub const ROW_MAX_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// Nothing was written over anything: the cursor is at the end, or was only put back.
    Bytes(Vec<u8>),
    Cells(Vec<Cell>),
}

/// A row being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    content: Content,
    /// Column of the cursor; `None` is behind the last character.
    cursor: Option<usize>,
    /// Where it was when it was saved in this row.
    saved: Option<usize>,
    /// Bytes of a character that is not complete yet, while the row is cells.
    partial: Vec<u8>,
    /// What stands on characters of the cells without a column of its own: accents, joiners. Each text once.
    marks: Vec<String>,
    limit_bytes: usize,
    /// Columns of the terminal; a longer row goes on below, and a carriage return stays there. 0: one endless row.
    columns: usize,
}

impl Default for Row {
    fn default() -> Self {
        let content = Content::Bytes(Vec::new());
        Self { content, cursor: None, saved: None, partial: Vec::new(), marks: Vec::new(), limit_bytes: ROW_MAX_BYTES, columns: 0 }
    }
}

impl Row {
    /// A row that keeps more, for rendering a range that is itself bounded.
    #[must_use]
    pub fn with_limit(limit_bytes: usize) -> Self {
        Self { limit_bytes, ..Self::default() }
    }

    /// The same row on a terminal of so many columns.
    #[must_use]
    pub fn on_columns(self, columns: u16) -> Self {
        Self { columns: columns.into(), ..self }
    }

    /// An empty one of the same terminal.
    #[must_use]
    pub fn empty(&self) -> Self {
        Self { limit_bytes: self.limit_bytes, columns: self.columns, ..Self::default() }
    }

    /// An empty one in which the cursor was saved where it was saved in this one.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self { saved: self.saved, ..self.empty() }
    }

    /// Writes printable bytes at the cursor.
    pub fn print(&mut self, bytes: &[u8]) {
        match (&mut self.content, self.cursor) {
            (Content::Bytes(_), None) => self.append(bytes),
            (Content::Bytes(text), Some(_)) if text.is_empty() => {
                self.cursor = None;
                self.append(bytes);
            }
            _ => self.overwrite(bytes),
        }
    }

    /// A row that is too long is shortened at the same byte however its bytes come.
    fn append(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Content::Bytes(text) = &mut self.content
            && !rest.is_empty()
        {
            let room = self.limit_bytes.saturating_add(1).saturating_sub(text.len()).max(1);
            let (now, later) = rest.split_at(room.min(rest.len()));
            text.extend_from_slice(now);
            rest = later;
            self.shorten();
        }
    }

    fn overwrite(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.partial);
        let mut rest = pending.as_slice();
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    text.chars().for_each(|ch| self.put(ch));
                    return;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    String::from_utf8_lossy(valid).chars().for_each(|ch| self.put(ch));
                    let Some(bad) = error.error_len() else {
                        self.partial = after.to_vec();
                        return;
                    };
                    self.put(char::REPLACEMENT_CHARACTER);
                    rest = after.get(bad..).unwrap_or_default();
                }
            }
        }
    }

    fn put(&mut self, ch: char) {
        let width = width(ch);
        if width == 0 && self.mark(ch) {
            return;
        }
        let width = width.max(1);
        let columns = self.columns;
        let (cells, cursor) = self.cells();
        // All that it has had above is erased, too.
        if columns > 0 && cells.is_empty() {
            *cursor %= columns;
        }
        let column = *cursor;
        while cells.len() < column {
            cells.push(BLANK);
        }
        part(cells, column);
        part(cells, column + width);
        // A device may wipe with more spaces than the marker had: those behind its end belong to it too.
        let goes_on = column == cells.len() && cells.last().is_some_and(|cell| cell.ink == Ink::Wiped);
        let ink = match cells.get(column).map(|cell| cell.ink) {
            Some(Ink::Marker) if ch == ' ' => Ink::Wiped,
            None if ch == ' ' && goes_on => Ink::Wiped,
            _ => Ink::Real,
        };
        set(cells, column, Cell { ch, ink, marks: 0 });
        if width > 1 {
            set(cells, column + 1, Cell { ch: SECOND, ink, marks: 0 });
        }
        *cursor = column + width;
        self.shorten();
    }

    /// Puts what has no column of its own on the character before the cursor. Says whether one is there, and has room for it.
    fn mark(&mut self, ch: char) -> bool {
        self.cells();
        let (Content::Cells(cells), Some(column)) = (&mut self.content, self.cursor) else { return false };
        column <= cells.len() && mark(cells.get_mut(..column).unwrap_or_default(), &mut self.marks, ch)
    }

    /// The row as cells, and the cursor's column.
    fn cells(&mut self) -> (&mut Vec<Cell>, &mut usize) {
        if let Content::Bytes(text) = &self.content {
            let mut cells = Vec::with_capacity(text.len());
            String::from_utf8_lossy(text).chars().for_each(|ch| push(&mut cells, &mut self.marks, ch));
            self.content = Content::Cells(cells);
        }
        let Content::Cells(cells) = &mut self.content else { unreachable!("the row was just made into cells") };
        let cursor = self.cursor.get_or_insert(cells.len());
        (cells, cursor)
    }

    /// Any other C0 control than those that end a row. NUL, BEL, SO and SI are dropped; a tab stays a tab.
    pub fn control(&mut self, byte: u8) {
        match byte {
            b'\r' => {
                self.end_partial();
                self.cursor = Some(self.row_start());
            }
            0x08 => {
                self.end_partial();
                let column = self.column();
                self.cursor = Some(column.saturating_sub(1));
            }
            byte if Self::shows(byte) => self.print(&[byte]),
            _ => {}
        }
    }

    /// Does this C0 control take a place in the row?
    #[must_use]
    pub fn shows(control: u8) -> bool {
        !matches!(control, b'\r' | 0x00 | 0x07 | 0x08 | 0x0e | 0x0f | 0x7f)
    }

    /// A character whose rest has not come is none once the cursor leaves it.
    pub fn end_partial(&mut self) {
        if !self.partial.is_empty() {
            self.partial.clear();
            self.put(char::REPLACEMENT_CHARACTER);
        }
    }

    /// Does it surely take one of the terminal's rows? In one that was emptied the cursor may have been left further below.
    fn is_short(&self) -> bool {
        let reaches = match self.len() {
            0 => self.cursor.map_or(0, |column| column + 1),
            length => length,
        };
        self.columns == 0 || reaches <= self.columns
    }

    /// Where the terminal's row of the cursor starts. Behind the last character, in the last column, it still stands in that row.
    fn row_start(&self) -> usize {
        // Most rows are short: no need to count characters.
        if self.is_short() {
            return 0;
        }
        let column = self.column();
        let is_inside = match &self.content {
            Content::Bytes(_) => self.cursor.is_some(),
            // In a row that was emptied it was left where it was.
            Content::Cells(cells) => column < cells.len() || cells.is_empty(),
        };
        (if is_inside { column } else { column.saturating_sub(1) }) / self.columns * self.columns
    }

    /// Which of the terminal's rows that it takes the cursor is in, from 0.
    #[must_use]
    pub fn level(&self) -> usize {
        self.row_start() / self.columns.max(1)
    }

    /// The cursor's column there.
    #[must_use]
    pub fn within(&self) -> usize {
        let column = self.column() - self.row_start();
        if self.columns == 0 { column } else { column.min(self.columns - 1) }
    }

    /// How many of the terminal's rows it takes.
    pub fn height(&mut self) -> usize {
        if self.is_short() {
            return 1;
        }
        // Cells are counted already.
        let width = self.cells().0.len();
        width.div_ceil(self.columns).max(self.level() + 1)
    }

    /// Puts the cursor into this column of one of them, or of the last one.
    pub fn place(&mut self, level: usize, column: usize) {
        let level = level.min(self.height() - 1);
        self.go_to(level * self.columns + column);
    }

    /// Behind its last column.
    fn row_end(&self) -> usize {
        if self.columns == 0 { usize::MAX } else { self.row_start() + self.columns }
    }

    /// Its last column, behind which no sequence moves the cursor.
    fn margin(&self) -> usize {
        let columns = if self.columns == 0 { ROW_EDIT_MAX_CELLS } else { self.columns };
        self.row_start() + columns - 1
    }

    /// Moves the cursor, also in a row that has no text yet.
    fn go_to(&mut self, column: usize) {
        self.cursor = Some(column);
        if column > 0 && matches!(&self.content, Content::Bytes(text) if text.is_empty()) {
            self.content = Content::Cells(Vec::new());
        }
    }

    /// Puts the cursor into this column of the terminal's row that it is in.
    pub fn to_column(&mut self, column: usize) {
        self.go_to((self.row_start() + column).min(self.margin()));
    }

    /// Remembers where the cursor is.
    pub fn save(&mut self) {
        self.end_partial();
        let (_, cursor) = self.cells();
        self.saved = Some(*cursor);
    }

    /// Moves the cursor back to there. Says whether that was in this row.
    pub fn restore(&mut self) -> bool {
        self.end_partial();
        if let Some(column) = self.saved {
            self.go_to(column);
        }
        self.saved.is_some()
    }

    /// Is it in this row where the cursor was saved?
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.saved.is_some()
    }

    /// The cursor leaves the row: what was saved is in another one.
    pub fn leave(&mut self) {
        self.saved = None;
    }

    /// The cursor's column, from 0.
    #[must_use]
    pub fn column(&self) -> usize {
        self.cursor.unwrap_or_else(|| match &self.content {
            Content::Bytes(text) if text.is_ascii() => text.len(),
            Content::Bytes(_) => *self.clone().cells().1,
            Content::Cells(cells) => cells.len(),
        })
    }

    /// A control sequence that moves or erases within the row. Others change nothing here.
    pub fn csi(&mut self, csi: &Csi<'_>) {
        if csi.private != 0 || csi.intermediate != 0 {
            return;
        }
        let count = usize::from(csi.param(0, 1));
        if matches!(csi.function, b'@' | b'C' | b'D' | b'G' | b'J' | b'K' | b'P' | b'X' | b'`' | b'a') {
            self.end_partial();
        }
        match csi.function {
            b'K' => self.erase(csi.param(0, 0)),
            // What is erased below the cursor begins in its row.
            b'J' if csi.param(0, 0) == 0 && self.cursor.is_some() => self.cut(self.column()),
            b'C' | b'a' => {
                let column = self.column();
                self.go_to((column + count).min(self.margin()).max(column));
            }
            b'D' => self.cursor = Some(self.column().saturating_sub(count).max(self.row_start())),
            b'G' | b'`' => self.to_column(count.saturating_sub(1)),
            b'P' => self.edit(|cells, column| delete(cells, column, count)),
            b'@' => self.edit(|cells, column| insert(cells, column, count)),
            b'X' => {
                let count = count.min(self.row_end().saturating_sub(self.column()));
                self.edit(|cells, column| {
                    part(cells, column);
                    part(cells, column.saturating_add(count.min(ROW_EDIT_MAX_CELLS)));
                    wipe(reach(cells, column).iter_mut().take(count));
                });
            }
            _ => {}
        }
    }

    fn edit(&mut self, change: impl FnOnce(&mut Vec<Cell>, usize)) {
        let (cells, cursor) = self.cells();
        let column = *cursor;
        change(cells, column);
        self.shorten();
    }

    /// Erases in the terminal's row of the cursor. Others that the row takes stay as they are.
    fn erase(&mut self, what: u16) {
        // Nothing stands right of the end: the common case, without making cells.
        if what > 2 || what == 0 && self.cursor.is_none() {
            return;
        }
        let (start, end, column) = (self.row_start(), self.row_end(), self.column());
        match what {
            0 => self.erase_between(column, end),
            1 => {
                let end = start + self.within() + 1;
                let start = start.max(end.saturating_sub(ROW_EDIT_MAX_CELLS));
                self.edit(|cells, _| blank(cells, start, end));
            }
            // Progress that is longer than a row of the terminal goes as a whole.
            _ if self.len() <= end || self.cells().0.len() <= end => self.erase_all(),
            _ => self.erase_between(start, end),
        }
    }

    /// Empties all of the terminal's rows that it takes, and leaves the cursor where it is.
    pub fn erase_all(&mut self) {
        self.end_partial();
        let column = self.row_start() + self.within();
        *self = self.emptied();
        self.cursor = (column > 0).then_some(column);
    }

    /// What stands in the terminal's rows below the cursor's, as a row of its own.
    pub fn split_off(&mut self) -> Option<Self> {
        // Behind the last character nothing stands below: the common case, without counting them.
        self.cursor?;
        self.end_partial();
        let end = self.row_end();
        if self.len() <= end || self.cells().0.len() <= end {
            return None;
        }
        let mut rest = Self { marks: self.marks.clone(), ..self.empty() };
        if let Content::Cells(cells) = &mut self.content {
            part(cells, end);
            rest.content = Content::Cells(cells.split_off(end));
        }
        Some(rest)
    }

    fn erase_between(&mut self, from: usize, end: usize) {
        if self.cells().0.len() <= end {
            self.cut(from);
        } else {
            self.edit(|cells, _| blank(cells, from, end));
        }
    }

    /// Erases all from there on. The terminal's row of the cursor stays one, also without text.
    fn cut(&mut self, from: usize) {
        let start = self.row_start();
        self.edit(|cells, _| {
            part(cells, from);
            cells.truncate(from);
            if start > 0 && cells.len() == start {
                cells.push(BLANK);
            }
        });
    }

    /// Covers so many columns before the cursor.
    pub fn cover(&mut self, count: usize) {
        if count > 0 {
            self.edit(|cells, column| {
                let start = column.saturating_sub(count);
                part(cells, start);
                part(cells, column);
                let covered = cells.iter_mut().take(column).skip(start);
                covered.for_each(|cell| (cell.ch, cell.marks) = (COVER, 0));
            });
        }
    }

    /// Turns the last characters of the row, which are a pager's marker, into ghosts.
    pub fn haunt(&mut self, marker: &str) {
        let count: usize = marker.chars().map(width).sum();
        self.edit(|cells, _| {
            let from = cells.len().saturating_sub(count);
            part(cells, from);
            cells.iter_mut().skip(from).for_each(|cell| cell.ink = Ink::Marker);
        });
    }

    /// The row's text: ghosts at its end are gone, ghosts before text are spaces.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.content {
            Content::Bytes(text) => lossy(text).into_owned(),
            Content::Cells(_) if !self.partial.is_empty() => {
                let mut row = self.clone();
                row.end_partial();
                row.text()
            }
            Content::Cells(cells) => {
                let length = cells.iter().rposition(|cell| cell.ink == Ink::Real).map_or(0, |last| last + 1);
                let mut text = String::with_capacity(length);
                for cell in cells.iter().take(length) {
                    match cell.ink {
                        Ink::Marker | Ink::Wiped => text.push(' '),
                        Ink::Real if cell.ch == SECOND => {}
                        Ink::Real => text.push(cell.ch),
                    }
                    if cell.marks > 0 && cell.ink == Ink::Real {
                        text.push_str(standing(&self.marks, cell.marks));
                    }
                }
                text
            }
        }
    }

    /// The same from this column on.
    #[must_use]
    pub fn text_from(&self, column: usize) -> String {
        if column == 0 {
            return self.text();
        }
        let mut row = self.clone();
        row.end_partial();
        let (cells, _) = row.cells();
        part(cells, column);
        cells.drain(..column.min(cells.len()));
        row.text()
    }

    /// Does it show a marker, and nothing else but blanks? The blank at a question's end may come after the answer.
    #[must_use]
    pub fn is_only_marker(&self) -> bool {
        match &self.content {
            Content::Bytes(_) => false,
            Content::Cells(cells) => {
                // A marker's own blanks need no wiping: a device that leaves them has wiped it.
                let shows = |cell: &Cell| cell.ink == Ink::Marker && cell.ch != ' ';
                cells.iter().any(shows) && cells.iter().all(|cell| cell.ink != Ink::Real || cell.ch == ' ')
            }
        }
    }

    /// Appends the row's text, without an allocation of its own where it is plain.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        match &self.content {
            Content::Bytes(text) => out.extend_from_slice(text),
            Content::Cells(_) => out.extend_from_slice(self.text().as_bytes()),
        }
    }

    /// Has it no text?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.content {
            Content::Bytes(text) => text.is_empty(),
            Content::Cells(cells) => cells.iter().all(|cell| cell.ink != Ink::Real),
        }
    }

    /// Bytes or columns of the row.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.content {
            Content::Bytes(text) => text.len(),
            Content::Cells(cells) => cells.len(),
        }
    }

    /// Begins the next row, keeping the memory.
    pub fn clear(&mut self) {
        match &mut self.content {
            Content::Bytes(text) => text.clear(),
            Content::Cells(_) => self.content = Content::Bytes(Vec::new()),
        }
        (self.cursor, self.saved) = (None, None);
        self.partial.clear();
        self.marks.clear();
    }

    fn shorten(&mut self) {
        let limit = self.limit_bytes;
        let cut = |length: usize| (length > limit).then(|| length - limit / 2);
        let lost = match &mut self.content {
            Content::Bytes(text) => cut(text.len()).inspect(|lost| drop(text.drain(..*lost))),
            Content::Cells(cells) => cut(cells.len()).inspect(|lost| drop(cells.drain(..*lost))),
        };
        if let Some(lost) = lost {
            self.cursor = self.cursor.map(|column| column.saturating_sub(lost));
            self.saved = self.saved.map(|column| column.saturating_sub(lost));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::cells::{MARKS_MAX, MARKS_MAX_BYTES};
    use super::*;
    use crate::terminal::parser::{Parser, Sink};

    impl Sink for Row {
        fn print(&mut self, bytes: &[u8], _: u64) {
            Self::print(self, bytes);
        }
        fn control(&mut self, byte: u8, _: u64) {
            Self::control(self, byte);
        }
        fn csi(&mut self, csi: &Csi<'_>, _: u64) {
            Self::csi(self, csi);
        }
        fn osc(&mut self, _: &[u8], _: u64, _: u64) {}
        fn esc(&mut self, _: u8, _: u8, _: u64) {}
    }

    fn after(stream: &[u8]) -> String {
        let mut row = Row::default();
        Parser::at(0).advance(stream, &mut row);
        row.text()
    }

    fn paged(marker: &str, stream: &[u8]) -> String {
        let mut row = Row::default();
        row.print(marker.as_bytes());
        row.haunt(marker);
        Parser::at(0).advance(stream, &mut row);
        row.text()
    }

    #[test]
    fn a_part_of_the_row_begins_at_a_column() {
        let mut row = Row::default();
        row.print("a你e\u{301}z ".as_bytes());
        let parts: Vec<String> = (0..8).map(|column| row.text_from(column)).collect();
        assert_eq!(parts, ["a你e\u{301}z ", "你e\u{301}z ", " e\u{301}z ", "e\u{301}z ", "z ", " ", "", ""]);
        assert_eq!(row.text(), "a你e\u{301}z ");
    }

    #[test]
    fn a_carriage_return_stays_in_the_terminals_row() {
        let mut row = Row::default().on_columns(4);
        row.print(b"abcdX");
        row.control(b'\r');
        row.print(b"XYZ");
        assert_eq!(row.text(), "abcdXYZ");
        let mut full = Row::default().on_columns(4);
        full.print(b"abcd");
        full.control(b'\r');
        full.print(b"Z");
        assert_eq!(full.text(), "Zbcd");
        let mut twice = Row::default().on_columns(4);
        twice.print(b"abcdXY");
        twice.control(b'\r');
        twice.control(b'\r');
        twice.print(b"Z");
        assert_eq!(twice.text(), "abcdZY");
    }

    #[test]
    fn the_cursor_is_put_into_a_column_of_one_of_the_terminals_rows() {
        let place = |level, column| {
            let mut row = Row::default().on_columns(4);
            row.print("abcd漢字ij".as_bytes());
            assert_eq!((row.height(), row.level(), row.within()), (3, 2, 2));
            row.place(level, column);
            assert_eq!((row.level(), row.within()), (level.min(2), column));
            row.print(b"X");
            row.text()
        };
        assert_eq!(place(0, 0), "Xbcd漢字ij");
        assert_eq!(place(1, 0), "abcdX 字ij");
        assert_eq!(place(1, 3), "abcd漢 Xij");
        assert_eq!(place(9, 3), "abcd漢字ij X");
    }

    #[test]
    fn no_sequence_moves_the_cursor_out_of_the_terminals_row() {
        let on_columns = |columns: u16, stream: &[u8]| {
            let mut row = Row::default().on_columns(columns);
            Parser::at(0).advance(stream, &mut row);
            row.text()
        };
        assert_eq!(on_columns(12, b"ab\x1b[999C\x1b[3D[ok]"), "ab      [ok]");
        assert_eq!(on_columns(12, b"ab\x1b[999Gx"), "ab         x");
        assert_eq!(on_columns(4, b"abcdef\x1b[GX\x1b[4GY"), "abcdXf Y");
        assert_eq!(on_columns(4, b"abcd\x1b[9CX"), "abcdX");
        for far in ["\x1b[65535G", "\x1b[65535C"] {
            assert_eq!(after(format!("{far}x").as_bytes()).len(), ROW_EDIT_MAX_CELLS);
        }
    }

    #[test]
    fn what_is_erased_is_in_the_terminals_row_of_the_cursor() {
        for (stream, text) in [("\x1b[1K\rX", "abcdefghX "), ("\r\x1b[K\r\rX", "abcdefghX"), ("\x1b[9DX", "abcdefghXj")] {
            let mut row = Row::default().on_columns(4);
            Parser::at(0).advance(format!("abcdefghij{stream}").as_bytes(), &mut row);
            assert_eq!(row.text(), text, "{stream:?}");
        }
        // Progress that is too long for a row of the terminal.
        for again in ["\r\x1b[2K", "\x1b[2K\r", "\x1b[2K\x1b[G"] {
            let mut row = Row::default().on_columns(4);
            Parser::at(0).advance(format!("abcdefghij{again}").as_bytes(), &mut row);
            assert_eq!((row.height(), row.level()), (3, 2), "{again:?}");
            row.print(b"X");
            assert_eq!(row.text(), "X", "{again:?}");
        }
        for (edit, text) in
            [("\x1b[2K", "abcd    ij"), ("\x1b[K", "abcde   ij"), ("\x1b[1K", "abcd  ghij"), ("\x1b[9X", "abcde   ij"), ("\x1b[J", "abcde")]
        {
            let mut row = Row::default().on_columns(4);
            row.print(b"abcdefghij");
            row.place(1, 1);
            Parser::at(0).advance(edit.as_bytes(), &mut row);
            assert_eq!((row.text().as_str(), row.level(), row.within()), (text, 1, 1), "{edit:?}");
        }
    }

    #[test]
    fn text_behind_a_move_in_an_empty_row_stands_where_it_was_moved_to() {
        assert_eq!(after(b"\x1b[3Ca"), "   a");
        assert_eq!(after(b"\x1b[4Ga"), "   a");
        assert_eq!(after(b"\x1b[4G\ra"), "a");
        assert_eq!(after(b"\x1b[Ga"), "a");
        assert_eq!(after(b"\x1b[4G\x1b[K"), "");
    }

    #[test]
    fn text_written_over_replaces_what_was_there() {
        assert_eq!(after(b"abc\rX"), "Xbc");
        assert_eq!(after(b"10%\r20%\r100%"), "100%");
        assert_eq!(after(b"abc\x08\x08Z"), "aZc");
        assert_eq!(after("grün\rG".as_bytes()), "Grün");
        assert_eq!(after(b"abcdef\x1b[3D\x1b[K"), "abc");
        assert_eq!(after(b"abc\x1b[2K\rnew"), "new");
        assert_eq!(after(b"abcdef\r\x1b[Jnew"), "new");
        assert_eq!(after(b"abc\x1b[5G!"), "abc !");
        assert_eq!(after(b"abcd\r\x1b[2P"), "cd");
        assert_eq!(after(b"ab\r\x1b[1@X"), "Xab");
        assert_eq!(after(b"a\tb"), "a\tb");
    }

    #[test]
    fn text_is_written_over_at_the_columns_where_a_terminal_shows_it() {
        let after = |text: &str| after(text.as_bytes());
        assert_eq!(after("漢字 10%\x1b[6G20%"), "漢字 20%");
        assert_eq!(after("😀 ok\r\x1b[3CX"), "😀 Xk");
        assert_eq!(after("漢字ab\x08\x08\x08\x08字字"), "漢字字");
        assert_eq!(after("e\u{301}tat 1%\r\x1b[5C2%"), "e\u{301}tat 2%");
        assert_eq!(after("a\rx\u{301}\u{302}y"), "x\u{301}\u{302}y");
        assert_eq!(after("e\u{301}\re"), "e");
        assert_eq!(after("漢字\r\u{301}x"), "\u{301}x字");
        // What is left of a wide character is a blank.
        assert_eq!(after("漢字\rX"), "X 字");
        assert_eq!(after("漢字\x1b[2GX"), " X字");
        assert_eq!(after("a漢b\r字"), "字 b");
        assert_eq!(after("漢字\x1b[2G\x1b[K"), " ");
        assert_eq!(after("漢字ab\x1b[2G\x1b[1K"), "  字ab");
        assert_eq!(after("漢字ab\x1b[2G\x1b[2P"), "  ab");
        assert_eq!(after("漢字ab\x1b[2G\x1b[2@"), "    字ab");
        assert_eq!(after("漢字ab\x1b[2G\x1b[2X"), "    ab");
    }

    #[test]
    fn what_stands_on_a_character_stays_bounded() {
        let mut row = Row::default();
        row.print(b"x");
        row.control(b'\r');
        for _ in 0..200_000 {
            row.print("\u{301}".as_bytes());
        }
        assert_eq!((row.text().chars().count(), row.marks.len()), (200_000, MARKS_MAX_BYTES / 2));
        // Of many that differ, those stand in columns of their own that there is no room for.
        let many: String = (0x300..0x36f).filter_map(char::from_u32).flat_map(|ch| ['x', ch]).collect();
        let mut row = Row::default();
        row.print(many.as_bytes());
        row.save();
        assert_eq!((row.text(), row.marks.len()), (many, MARKS_MAX));
    }

    #[test]
    fn a_wide_secret_and_what_stands_on_it_is_covered() {
        let mut row = Row::default();
        row.print("pin: 漢e\u{301}".as_bytes());
        row.cover(3);
        assert_eq!(row.text(), "pin: ***");
        row.cover(2);
        assert_eq!(row.text(), "pin: ***");
    }

    #[test]
    fn a_wiped_pager_marker_leaves_nothing() {
        let marker = " --More-- ";
        let back = [8u8; 10];
        let wipe = [&back[..], &[b' '; 10], &back[..]].concat();
        for (next, text) in [("!", "!"), ("  ip address", "  ip address"), ("ab  ", "ab  "), ("", "")] {
            assert_eq!(paged(marker, &[&wipe, next.as_bytes()].concat()), text, "after backspaces, then {next:?}");
            assert_eq!(paged(marker, format!("\r{}\r{next}", " ".repeat(10)).as_bytes()), text, "after spaces, then {next:?}");
            assert_eq!(paged(marker, format!("\r{}\r{next}", " ".repeat(40)).as_bytes()), text, "after more spaces, then {next:?}");
            assert_eq!(paged(marker, format!("\r\x1b[K{next}").as_bytes()), text, "after an erase, then {next:?}");
        }
    }

    #[test]
    fn a_marker_whose_own_blanks_stay_is_wiped() {
        let marker = " --More-- ";
        let mut row = Row::default();
        row.print(marker.as_bytes());
        row.haunt(marker);
        assert!(row.is_only_marker());
        // As some devices do: from behind the first blank on, and not over the last one.
        let back = [8u8; 9];
        Parser::at(0).advance(&[&back[..], &[b' '; 8], &back[..]].concat(), &mut row);
        assert!(!row.is_only_marker() && row.text().is_empty());
    }

    #[test]
    fn a_character_cut_in_two_is_whole_after_both_halves() {
        let mut row = Row::default();
        row.print(b"x");
        row.control(b'\r');
        row.print(&[0xc3]);
        row.print(&[0xa4]);
        assert_eq!(row.text(), "ä");
    }

    #[test]
    fn a_character_whose_rest_does_not_come_keeps_its_place() {
        assert_eq!(after(b"1% \xe9\r2% \xe9\r3%"), "3% \u{fffd}");
        assert_eq!(after(b"1%\rtermin\xe9"), "termin\u{fffd}");
        assert_eq!(after(b"a\rb\xe9\x1b[K"), "b\u{fffd}");
    }

    #[test]
    fn a_row_without_an_end_stays_bounded() {
        let mut row = Row::default();
        for _ in 0..1000 {
            row.print(&[b'x'; 1000]);
        }
        assert!(row.text().len() <= ROW_MAX_BYTES);
        row.clear();
        assert!(row.is_empty());
    }

    #[test]
    fn insertions_make_no_row_longer_than_a_terminals() {
        let insertions = "\x1b[65535@".repeat(1000);
        // Behind the last character nothing is pushed.
        for (text, length) in [("x", 1), ("x\r", ROW_EDIT_MAX_CELLS)] {
            for mut row in [Row::default(), Row::with_limit(usize::MAX)] {
                Parser::at(0).advance(format!("{text}{insertions}").as_bytes(), &mut row);
                assert_eq!(row.len(), length, "{text:?}");
            }
        }
    }

    #[test]
    fn an_edit_reaches_no_further_than_a_terminals_row() {
        let (most, b) = (ROW_EDIT_MAX_CELLS, "b".repeat(10));
        let edited = |edit: &str| after(format!("{}{b}{edit}", "a".repeat(most)).as_bytes());
        assert_eq!(edited("\r\x1b[3P"), format!("{}   {b}", "a".repeat(most - 3)));
        assert_eq!(edited("\r\x1b[3@"), format!("   {}{b}", "a".repeat(most - 3)));
        assert_eq!(edited("\r\x1b[65535X"), format!("{}{b}", " ".repeat(most)));
        assert_eq!(edited("\r\x1b[65535P"), format!("{}{b}", " ".repeat(most)));
        assert_eq!(edited("\x08\x1b[1K"), format!("{}{}", "a".repeat(10), " ".repeat(most)));
    }
}
