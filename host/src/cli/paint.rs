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

/// Columns as wide as their widest cell, under headings; the last one is as long as it is.
#[must_use]
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize, heading: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.fold(heading.chars().count(), usize::max)
    };
    let widths: Vec<usize> = headings.iter().enumerate().map(|(column, heading)| width(column, heading)).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut out = String::new();
    let _ = writeln!(out, "{DIM}{}{DIM:#}", line(&mut headings.iter().copied()));
    for row in rows {
        let _ = writeln!(out, "{}", line(&mut row.iter().map(String::as_str)));
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
}
