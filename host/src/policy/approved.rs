//! Bytes that may be typed. Only [`policy`](crate::policy) makes them; a line takes nothing else.

use regex::Regex;

use crate::author::Author;

/// A command that may be started on a channel of its own.
#[derive(Debug)]
pub struct Program(String);

impl Program {
    pub(in crate::policy) fn new(text: String) -> Self {
        Self(text)
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// What may be typed, once.
#[derive(Debug)]
pub struct Approved {
    payload: Payload,
    echo: Option<String>,
    is_hidden: bool,
    author: Author,
    text: Option<Text>,
}

/// Rows that are no commands.
#[derive(Debug)]
struct Text {
    rows: Vec<String>,
    behind: Regex,
}

/// What a line writes. A secret is a name until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The value of a secret, then these bytes (the Enter key).
    Secret {
        /// The secret's name.
        name: String,
        /// What follows the value.
        enter: Vec<u8>,
    },
}

impl Approved {
    fn new(payload: Payload, echo: Option<String>) -> Self {
        Self { payload, echo, is_hidden: false, author: Author::runtime(), text: None }
    }

    /// A line: its bytes with Enter, and the text that the device sends back.
    pub(in crate::policy) fn line(bytes: Vec<u8>, echo: String) -> Self {
        Self::new(Payload::Bytes(bytes), Some(echo))
    }

    /// The rows of a text that the device takes once it has shown such a row.
    pub(in crate::policy) fn text(bytes: Vec<u8>, rows: &[&str], behind: Regex) -> Self {
        // The last row is the one that holds the end. Some devices put a sign before each row that they send back.
        let last = rows.last().copied().unwrap_or_default().to_owned();
        let rows = rows.iter().map(|&row| row.to_owned()).collect();
        Self { text: Some(Text { rows, behind }), ..Self::line(bytes, last) }
    }

    /// Keys, which need not come back.
    pub(in crate::policy) fn keys(bytes: Vec<u8>) -> Self {
        Self::new(Payload::Bytes(bytes), None)
    }

    /// A secret by its name.
    pub(in crate::policy) fn secret(name: String, enter: Vec<u8>) -> Self {
        Self::new(Payload::Secret { name, enter }, None)
    }

    /// The caller's lines that it is.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        let rows = self.text.iter().flat_map(|text| &text.rows).map(String::as_str);
        rows.chain(self.text.is_none().then(|| self.echo().unwrap_or_default()))
    }

    /// The row that must stand before it, where it is no command: at a prompt each of its lines would run.
    #[must_use]
    pub fn behind(&self) -> Option<&Regex> {
        self.text.as_ref().map(|text| &text.behind)
    }

    /// The text that the device sends back, if it is a line.
    #[must_use]
    pub fn echo(&self) -> Option<&str> {
        self.echo.as_deref()
    }

    /// The same, but it may be a password: nobody writes it down.
    #[must_use]
    pub fn hidden(self) -> Self {
        Self { is_hidden: true, ..self }
    }

    /// May it be a password?
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    /// The same, written by this author.
    #[must_use]
    pub fn by(self, author: Author) -> Self {
        Self { author, ..self }
    }

    /// Who wrote it.
    #[must_use]
    pub fn author(&self) -> &Author {
        &self.author
    }

    /// What to write.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }
}

/// Lines for the tests of other modules.
#[cfg(test)]
pub(crate) fn for_tests(lines: &[&str]) -> std::collections::VecDeque<Approved> {
    lines.iter().map(|line| Approved::line(format!("{line}\r").into_bytes(), (*line).to_owned())).collect()
}
