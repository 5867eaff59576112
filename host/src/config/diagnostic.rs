//! One error of a configuration, and the places it points to.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// What is wrong, where, and what to write instead. Never shows the value of a key, which may be a secret by mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// The key with its tables, `device.sw1.port`; empty where the text is no TOML.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// A line and a character in it, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The position of each key that was read, by its path.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(BTreeMap<String, Position>);

impl Places {
    pub(super) fn insert(&mut self, path: &str, position: Position) {
        self.0.insert(path.to_owned(), position);
    }

    /// The start of the file for a path that was not read.
    pub(super) fn position(&self, path: &str) -> Position {
        self.0.get(path).copied().unwrap_or(Position { line: 1, column: 1 })
    }
}

/// Turns byte offsets into lines and columns.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Offset of the first byte of each line.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let after_ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_ends).collect() }
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let lines = Lines::new("a = 1\n\u{fc}\u{fc} = 2\n");
        let at = |offset| {
            let Position { line, column } = lines.position(offset);
            (line, column)
        };
        assert_eq!([at(0), at(4), at(5), at(6), at(11), at(14)], [(1, 1), (1, 5), (1, 6), (2, 1), (2, 4), (2, 7)]);
        assert_eq!(at(15), (3, 1));
    }

    #[test]
    fn a_diagnostic_reads_as_one_line() {
        let diagnostic = Diagnostic {
            file: PathBuf::from("jackfield.toml"),
            line: 12,
            column: 3,
            path: "device.sw1.usr".to_owned(),
            message: "unknown key `usr` in [device.sw1]".to_owned(),
            help: Some("did you mean `user`?".to_owned()),
        };
        assert_eq!(diagnostic.to_string(), "jackfield.toml:12:3: unknown key `usr` in [device.sw1]; did you mean `user`?");
    }
}
