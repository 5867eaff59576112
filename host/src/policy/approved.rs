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
    behind: Behind,
}

/// What the device shows where it takes a text.
#[derive(Debug, Clone)]
pub struct Behind {
    shows: Regex,
    sign: String,
}

impl Behind {
    /// A row that `shows` fits, and behind it nothing, or the sign with which the device begins each row of the text.
    #[must_use]
    pub fn new(shows: Regex, sign: &str) -> Self {
        Self { shows, sign: sign.trim().to_owned() }
    }

    /// Does the device wait for the text? `row` is the last one that is complete, `tail` what stands behind it.
    #[must_use]
    pub fn is_shown(&self, row: &str, tail: &str) -> bool {
        let tail = tail.trim();
        (tail.is_empty() || tail == self.sign) && self.shows.is_match(row)
    }
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

    /// The rows of a text that the device takes once it has shown that it does.
    pub(in crate::policy) fn text(bytes: Vec<u8>, rows: &[&str], behind: Behind) -> Self {
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

    /// What the device must show before it, where it is no command: at a prompt each of its lines would run.
    #[must_use]
    pub fn behind(&self) -> Option<&Behind> {
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

    /// Is this byte typed?
    #[must_use]
    pub fn holds(&self, byte: u8) -> bool {
        matches!(&self.payload, Payload::Bytes(bytes) if bytes.contains(&byte))
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

/// A secret for the tests of other modules.
#[cfg(test)]
pub(crate) fn secret_for_tests(name: &str) -> Approved {
    Approved::secret(name.to_owned(), b"\r".to_vec())
}

/// Lines for the tests of other modules.
#[cfg(test)]
pub(crate) fn for_tests(lines: &[&str]) -> std::collections::VecDeque<Approved> {
    lines.iter().map(|line| Approved::line(format!("{line}\r").into_bytes(), (*line).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_takes_a_text_behind_its_row_and_its_own_sign() {
        let behind = |sign| Behind::new(Regex::new("^Enter TEXT").unwrap(), sign);
        let (plain, signed) = (behind(""), behind("> "));
        for tail in ["", "  "] {
            assert!(plain.is_shown("Enter TEXT message.", tail) && signed.is_shown("Enter TEXT message.", tail));
        }
        assert!(signed.is_shown("Enter TEXT message.", "> "));
        assert!(!plain.is_shown("Enter TEXT message.", "> "), "that is no sign of this device");
        assert!(!signed.is_shown("Enter TEXT message.", "sw1> ") && !signed.is_shown("% Invalid input", "> "));
    }
}
