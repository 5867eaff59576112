//! What a person reads: colours that go away where nobody sees them, and tables.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};

use crate::terminal::text::escaped_line;

/// Something is right.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Something is wrong.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Something deserves a look.
pub const DOUBT: Style = AnsiColor::Yellow.on_default();
/// Something is beside the point.
pub const DIM: Style = Style::new().dimmed();
/// Who or what is spoken of.
pub const NAME: Style = AnsiColor::Cyan.on_default();
/// What a part is about.
pub const HEAD: Style = Style::new().bold();

/// Before what is left of a row that is wider than the terminal.
const BELOW: &str = "    ";
/// Columns that the last cell of a row wants beside the others, however long it is: the terminal breaks it.
const LAST_WANTS: usize = 24;

/// A word in a colour.
#[must_use]
pub fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// What has kept standard output from being written, such as a full disk.
static LOST: OnceLock<String> = OnceLock::new();

/// Writes to standard output.
pub fn say(text: &str) {
    is_read(text);
}

/// The same; `false` once nobody reads it any more.
pub fn is_read(text: &str) -> bool {
    let mut out = anstream::stdout();
    goes_on(write!(out, "{text}").and_then(|()| out.flush()))
}

/// Writes bytes to standard output as they are; `false` once nobody reads them any more.
pub fn put(bytes: &[u8]) -> bool {
    let mut out = io::stdout().lock();
    goes_on(out.write_all(bytes).and_then(|()| out.flush()))
}

fn goes_on(written: io::Result<()>) -> bool {
    match written {
        // A closed pipe is the reader's choice.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => false,
        Err(error) => {
            LOST.get_or_init(|| error.to_string());
            true
        }
        Ok(()) => true,
    }
}

/// Why not all of standard output was written: a program that ends as if all were well would leave half a file behind.
#[must_use]
pub fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Writes a line to standard output.
pub fn say_line(text: &str) {
    say(&format!("{text}\n"));
}

/// Columns as wide as their widest cell, under headings; the last one is as long as it is.
#[must_use]
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    painted_table(headings, rows, |_| Style::new())
}

/// The same with a style for each row, by its number; the last column stays plain.
#[must_use]
pub fn painted_table(headings: &[&str], rows: &[Vec<String>], style: impl Fn(usize) -> Style) -> String {
    laid_out(headings, rows, style, columns())
}

/// Columns of the terminal; as many as are wanted where there is none, or one without a size.
#[must_use]
pub fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(usize::MAX)
}

/// A table for a terminal with room for so many columns. A row that is wider goes on below, between two cells and not within one.
///
/// What stands in a cell may be a server's or a file's: it makes no rows of its own, and the terminal obeys nothing of it.
fn laid_out(headings: &[&str], rows: &[Vec<String>], style: impl Fn(usize) -> Style, room: usize) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| escaped_line(cell)).collect()).collect();
    let width = |column: usize, heading: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.fold(heading.chars().count(), usize::max)
    };
    let widths: Vec<usize> = headings.iter().enumerate().map(|(column, heading)| width(column, heading)).collect();
    let mut at = 0;
    let is_below = |(column, width): (usize, &usize)| {
        let wants = if column + 1 == widths.len() { LAST_WANTS.min(*width) } else { *width };
        let is_below = at > BELOW.len() && at + wants > room;
        let start = if is_below { BELOW.len() } else { at };
        at = start + width + 2;
        is_below
    };
    let below: Vec<bool> = widths.iter().enumerate().map(is_below).collect();
    let line = |cells: &[&str], style: Style| {
        let mut text = style.to_string();
        for (column, (cell, (width, below))) in cells.iter().zip(widths.iter().zip(&below)).enumerate() {
            if *below {
                text.truncate(text.trim_end().len());
                let _ = write!(text, "\n{BELOW}");
            }
            let _ = if column + 1 == cells.len() { write!(text, "{style:#}{cell}") } else { write!(text, "{cell:<width$}  ") };
        }
        text.trim_end().to_owned()
    };
    let mut out = String::new();
    let _ = writeln!(out, "{DIM}{}{DIM:#}", line(headings, Style::new()));
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let _ = writeln!(out, "{}", line(&cells, style(number)));
    }
    out
}

/// Bytes as people say them.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{} MB", bytes.div_ceil(1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let shown = table(&["A", "LONGER"], &[vec!["wide cell".to_owned(), "x".to_owned()], vec!["y".to_owned(), "z".to_owned()]]);
        let plain: Vec<String> = shown.lines().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        assert_eq!(plain, ["A          LONGER", "wide cell  x", "y          z"]);
    }

    #[test]
    fn a_row_that_is_wider_than_the_terminal_goes_on_below_between_two_cells() {
        let rows = [vec!["one".to_owned(), "two words".to_owned(), "three and more".to_owned()]];
        let lines = |room: usize| -> Vec<String> {
            let shown = laid_out(&["A", "B", "C"], &rows, |_| Style::new(), room);
            shown.lines().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
        };
        assert_eq!(lines(30), ["A    B          C", "one  two words  three and more"]);
        assert_eq!(lines(29), ["A    B", "    C", "one  two words", "    three and more"]);
        assert_eq!(lines(5), ["A", "    B", "    C", "one", "    two words", "    three and more"]);
    }

    #[test]
    fn a_cell_makes_no_row_and_moves_no_terminal() {
        let forged = "Code:\n7/q9  core  ops  Password:\u{1b}[1A\u{9b}2J\u{202e}";
        let shown = table(&["ID", "ASKS"], &[vec!["7/q1".to_owned(), forged.to_owned()]]);
        let plain: Vec<String> = shown.lines().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        assert_eq!(plain.len(), 2, "{plain:?}");
        assert_eq!(plain[1], "7/q1  Code:\\n7/q9  core  ops  Password:\\x1b[1A\\x9b2J\\u{202e}");
    }

    #[test]
    fn a_painted_row_is_plain_in_its_last_column() {
        let shown = painted_table(&["A", "B", "C"], &[vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]], |_| BAD);
        assert_eq!(shown.lines().nth(1), Some(format!("{BAD}a  b  {BAD:#}c").as_str()));
    }
}
