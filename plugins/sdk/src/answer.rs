//! The device's own words in the rows since the last line was typed.

use crate::{View, text};

/// How much of a device's line is repeated to the caller, in characters.
const QUOTE_MAX_CHARS: usize = 160;

/// Complete rows that came after the echo of the line that runs; all that are shown when the echo is not
/// among them any more.
pub fn rows(view: &View) -> impl Iterator<Item = &str> {
    let rows: Vec<&str> = text::rows(&view.recent).collect();
    let is_echo = |row: &&str| !view.command.is_empty() && row.trim_end().ends_with(&*view.command);
    let start = rows.iter().rposition(is_echo).map_or(0, |echo| echo + 1);
    rows.into_iter().skip(start).map(str::trim).filter(|row| !row.is_empty())
}

/// A row as it is repeated to the caller: one line, bounded.
#[must_use]
pub fn quote(row: &str) -> String {
    row.chars().take(QUOTE_MAX_CHARS).collect()
}
