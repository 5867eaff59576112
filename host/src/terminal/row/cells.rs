//! Cells, one for each column of a row: a wide character has two, and what stands on another character none.

use unicode_width::UnicodeWidthChar as _;

use crate::limits::ROW_EDIT_MAX_CELLS;

/// What stands in the second column of a wide character. Devices' own are never in a row.
pub(super) const SECOND: char = '\0';
/// Bytes of what stands on one character. The longest in use, flags of regions, have six such characters.
pub(super) const MARKS_MAX_BYTES: usize = 32;
/// Different ones in a row. More stand in columns of their own.
pub(super) const MARKS_MAX: usize = 64;

/// What a cell's character is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Real,
    /// Part of a pager's marker.
    Marker,
    /// A marker's cell that was wiped with a space, and spaces right behind them.
    Wiped,
}

/// A column of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) ch: char,
    pub(super) ink: Ink,
    /// Which of the row's marks stand on it, from 1; 0 is none.
    pub(super) marks: u8,
}

/// An empty one.
pub(super) const BLANK: Cell = Cell::of(' ');

impl Cell {
    pub(super) const fn of(ch: char) -> Self {
        Self { ch, ink: Ink::Real, marks: 0 }
    }
}

/// Columns that a character takes, as the emulator of the screen has it.
pub(super) fn width(ch: char) -> usize {
    if ch.is_ascii() { 1 } else { ch.width().unwrap_or(1) }
}

/// The character behind all that stands there already.
pub(super) fn push(cells: &mut Vec<Cell>, marks: &mut Vec<String>, ch: char) {
    let width = width(ch);
    if width == 0 && mark(cells, marks, ch) {
        return;
    }
    cells.push(Cell::of(ch));
    if width > 1 {
        cells.push(Cell::of(SECOND));
    }
}

/// Writes a cell over another one, or behind the last one.
pub(super) fn set(cells: &mut Vec<Cell>, column: usize, cell: Cell) {
    match cells.get_mut(column) {
        Some(there) => *there = cell,
        None => cells.push(cell),
    }
}

/// What has no column of its own comes to stand on the last of these characters, if there is one, and room for it.
pub(super) fn mark(cells: &mut [Cell], marks: &mut Vec<String>, ch: char) -> bool {
    let Some(cell) = cells.iter_mut().rev().find(|cell| cell.ch != SECOND) else { return false };
    let mut text = standing(marks, cell.marks).to_owned();
    text.push(ch);
    let at = marks.iter().position(|known| *known == text).unwrap_or(marks.len());
    let Ok(number) = u8::try_from(at + 1) else { return false };
    if at >= MARKS_MAX || text.len() > MARKS_MAX_BYTES {
        return false;
    }
    if at == marks.len() {
        marks.push(text);
    }
    cell.marks = number;
    true
}

/// The marks of this number.
pub(super) fn standing(marks: &[String], number: u8) -> &str {
    usize::from(number).checked_sub(1).and_then(|at| marks.get(at)).map_or("", String::as_str)
}

/// Of a wide character whose halves are parted here, two blanks are left.
pub(super) fn part(cells: &mut [Cell], column: usize) {
    if column > 0 && cells.get(column).is_some_and(|cell| cell.ch == SECOND) {
        cells.iter_mut().skip(column - 1).take(2).for_each(|cell| (cell.ch, cell.marks) = (' ', 0));
    }
}

/// Nothing stands there any more.
pub(super) fn wipe<'a>(cells: impl Iterator<Item = &'a mut Cell>) {
    cells.for_each(|cell| *cell = BLANK);
}

/// Blanks stand in these columns.
pub(super) fn blank(cells: &mut [Cell], from: usize, end: usize) {
    part(cells, from);
    part(cells, end);
    wipe(cells.iter_mut().take(end).skip(from));
}

/// The cells from the cursor on that one control sequence reaches.
pub(super) fn reach(cells: &mut [Cell], column: usize) -> &mut [Cell] {
    let end = column.saturating_add(ROW_EDIT_MAX_CELLS).min(cells.len());
    cells.get_mut(column..end).unwrap_or_default()
}

/// Blanks push what stands at the cursor and behind it to the right. What comes to stand further than a terminal's row reaches is lost,
/// as it is there.
pub(super) fn insert(cells: &mut Vec<Cell>, column: usize, count: usize) {
    if column >= cells.len() {
        return;
    }
    let longest = column.saturating_add(ROW_EDIT_MAX_CELLS);
    let length = cells.len().saturating_add(count).min(longest).max(cells.len());
    cells.resize(length, BLANK);
    part(cells, column);
    part(cells, longest);
    part(cells, longest.min(length).saturating_sub(count).max(column));
    let moved = reach(cells, column);
    let count = count.min(moved.len());
    moved.rotate_right(count);
    wipe(moved.iter_mut().take(count));
}

/// What stands behind the deleted cells comes to the cursor. What is further away than a terminal's row reaches stays where it is.
pub(super) fn delete(cells: &mut Vec<Cell>, column: usize, count: usize) {
    let longest = column.saturating_add(ROW_EDIT_MAX_CELLS);
    let reaches_end = cells.len() <= longest;
    part(cells, column);
    part(cells, column.saturating_add(count).min(longest));
    part(cells, longest);
    let moved = reach(cells, column);
    let count = count.min(moved.len());
    let kept = moved.len() - count;
    moved.rotate_left(count);
    if reaches_end {
        cells.truncate(column + kept);
    } else {
        wipe(moved.iter_mut().skip(kept));
    }
}
