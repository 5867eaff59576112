//! What a person reads: colours that go away where nobody sees them, and tables.

use std::fmt::Write as _;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};

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

/// A word in a colour.
#[must_use]
pub fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes to standard output.
pub fn say(text: &str) {
    // A closed pipe is the reader's choice.
    let _ = write!(anstream::stdout(), "{text}");
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
    let width = |column: usize, heading: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.fold(heading.chars().count(), usize::max)
    };
    let widths: Vec<usize> = headings.iter().enumerate().map(|(column, heading)| width(column, heading)).collect();
    let line = |cells: &[&str], style: Style| {
        let (last, others) = cells.split_last().unwrap_or((&"", &[]));
        let padded: String = others.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        format!("{style}{padded}{style:#}{last}").trim_end().to_owned()
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
    fn a_painted_row_is_plain_in_its_last_column() {
        let shown = painted_table(&["A", "B", "C"], &[vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]], |_| BAD);
        assert_eq!(shown.lines().nth(1), Some(format!("{BAD}a  b  {BAD:#}c").as_str()));
    }
}
