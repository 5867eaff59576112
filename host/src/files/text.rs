//! What bytes of a file mean as text, and which parts of it are not shown.

use std::ops::Range;

use crate::secret::look::{Mask, Span};

/// How text is written in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, and so ASCII.
    Utf8,
    /// UTF-16 with a mark, the low byte first.
    Utf16Le,
    /// UTF-16 with a mark, the high byte first.
    Utf16Be,
    /// One byte is one letter (ISO 8859-1).
    Latin1,
    /// No text.
    Binary,
}

/// Bytes that tell what a file is.
pub const SAMPLE_BYTES: usize = 8192;

impl Encoding {
    /// What the beginning of a file looks like.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
        match sample {
            [0xff, 0xfe, ..] => return Self::Utf16Le,
            [0xfe, 0xff, ..] => return Self::Utf16Be,
            _ => {}
        }
        if sample.contains(&0) {
            return Self::Binary;
        }
        match std::str::from_utf8(sample) {
            Ok(_) => Self::Utf8,
            // A letter may be cut at the end of the sample.
            Err(error) if error.error_len().is_none() && sample.len() < bytes.len() => Self::Utf8,
            Err(_) => {
                let strange = sample.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127..=159)).count();
                if strange * 100 <= sample.len() { Self::Latin1 } else { Self::Binary }
            }
        }
    }

    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Latin1 => "latin-1",
            Self::Binary => "binary",
        }
    }

    /// Bytes of its smallest piece.
    #[must_use]
    pub fn unit(self) -> usize {
        if matches!(self, Self::Utf16Le | Self::Utf16Be) { 2 } else { 1 }
    }

    /// The text of a whole file; none of what is no text.
    #[must_use]
    pub fn text(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => Some(String::from_utf8_lossy(bytes).into_owned()),
            Self::Latin1 => Some(bytes.iter().copied().map(char::from).collect()),
            Self::Utf16Le | Self::Utf16Be => {
                let units = bytes.chunks(2).skip(1).map(|pair| self.number(pair));
                Some(char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
            }
            Self::Binary => None,
        }
    }

    /// Two bytes as a number.
    #[must_use]
    pub fn number(self, pair: &[u8]) -> u16 {
        match (self, pair) {
            (Self::Utf16Be, [high, low]) => u16::from_be_bytes([*high, *low]),
            (_, [low, high]) => u16::from_le_bytes([*low, *high]),
            _ => 0xfffd,
        }
    }

    /// A text as a file of this encoding has it.
    ///
    /// # Errors
    ///
    /// When a letter has no place in it.
    pub fn bytes_of(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Utf16Le => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16Be => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Latin1 => {
                let byte =
                    |letter: char| u8::try_from(u32::from(letter)).map_err(|_| format!("`{letter}` has no place in a file of latin-1"));
                text.chars().map(byte).collect()
            }
            Self::Utf8 | Self::Binary => Ok(text.as_bytes().to_vec()),
        }
    }
}

/// Rows of a whole text without what looks like a secret.
#[derive(Debug, Default)]
pub struct Masked {
    spans: Vec<Span>,
}

impl Masked {
    /// Looks through a text; nothing is hidden without a mask.
    #[must_use]
    pub fn of(mask: Option<&Mask>, text: &[u8]) -> Self {
        Self { spans: mask.map(|mask| mask.spans(text)).unwrap_or_default() }
    }

    /// How many parts are hidden.
    #[must_use]
    pub fn count(&self) -> usize {
        self.spans.len()
    }

    /// Is something hidden of this part?
    #[must_use]
    pub fn hides_in(&self, range: &Range<usize>) -> bool {
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let first = self.spans.partition_point(|span| place(span.end) <= range.start);
        self.spans.get(first).is_some_and(|span| place(span.start) < range.end)
    }

    /// A part of the text as it is shown. None of a row that is all within something that is hidden and began before it.
    #[must_use]
    pub fn part(&self, text: &[u8], range: Range<usize>) -> Option<String> {
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let first = self.spans.partition_point(|span| place(span.end) <= range.start);
        let mut out = Vec::new();
        let mut at = range.start;
        for span in self.spans.iter().skip(first) {
            let (start, end) = (place(span.start), place(span.end));
            if start >= range.end {
                break;
            }
            if start >= range.start {
                out.extend_from_slice(text.get(at..start).unwrap_or_default());
                out.extend_from_slice(span.mark().as_bytes());
            } else if end >= range.end {
                return None;
            }
            at = end.min(range.end).max(at);
        }
        out.extend_from_slice(text.get(at..range.end).unwrap_or_default());
        Some(String::from_utf8_lossy(&out).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(Encoding::of("gr\u{fc}n\n".as_bytes()), Encoding::Utf8);
        assert_eq!(Encoding::of(b"gr\xfcn und noch etwas mehr\n"), Encoding::Latin1);
        assert_eq!(Encoding::of(b"\xff\xfea\0"), Encoding::Utf16Le);
        assert_eq!(Encoding::of(b"\x7fELF\0\0"), Encoding::Binary);
        assert_eq!(Encoding::of(b""), Encoding::Utf8);
        let cut = ["\u{e4}".repeat(SAMPLE_BYTES), "a".to_owned()].concat();
        assert_eq!(Encoding::of(&cut.as_bytes()[..SAMPLE_BYTES + 1]), Encoding::Utf8);
        assert_eq!(Encoding::Utf16Be.text(b"\xfe\xff\0a\0\n").as_deref(), Some("a\n"));
    }
}
