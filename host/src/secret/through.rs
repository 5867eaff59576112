//! Finds a value in a stream of bytes also where a terminal would show it whole but the bytes are not together: colours, marks, NULs
//! and letters that are struck over stand between its letters, or a line editor goes on in the next row.
//!
//! What is found depends on the bytes from its first letter on alone, so it does not matter how the stream is cut.

use super::redact::COVER;
use crate::limits::SECRET_GAP_MAX_BYTES;
use crate::terminal::parser::{BEL, CAN, ESC, SUB};

const BACKSPACE: u8 = 0x08;
const DEL: u8 = 0x7f;

/// How many ways to read one place are followed; backspaces over backspaces make more, which nobody's output has.
const WAYS_MAX: usize = 8;

/// What stands at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Not the value.
    No,
    /// It may be the value, but the bytes end before that is certain.
    Open,
    /// The value, in so many bytes.
    Whole(usize),
}

/// Does the value stand at the beginning of these bytes, with nothing visible between its letters?
pub(super) fn find(value: &[u8], bytes: &[u8]) -> Found {
    // Nearly always the second letter is another one, and the third does not strike it over.
    if let ([_, wanted, ..], [_, second, third, ..]) = (value, bytes)
        && second != wanted
        && is_letter(*second)
        && is_letter(*third)
    {
        return Found::No;
    }
    if bytes.starts_with(value) {
        return Found::Whole(value.len());
    }
    if value.starts_with(bytes) {
        return Found::Open;
    }
    let mut ways = Ways::default();
    ways.add(Way { letters: 0, is_struck: false });
    // The most letters so far, and where the last of them ends.
    let (mut best, mut best_end) = (0, 0);
    let mut at = 0;
    while at < bytes.len() {
        let unit = Unit::at(bytes.get(at..).unwrap_or_default());
        let end = match unit {
            Unit::Open => bytes.len(),
            Unit::Letter | Unit::Return => at + 1,
            Unit::Back(length) | Unit::Unseen(length) => at + length,
        };
        match unit {
            Unit::Letter => ways = ways.letter(value, bytes.get(at).copied().unwrap_or_default()),
            Unit::Back(_) => ways = ways.back(value),
            Unit::Return => ways = ways.first_of_row(value),
            Unit::Unseen(_) | Unit::Open => {}
        }
        let letters = ways.most();
        if letters == Some(value.len()) {
            return Found::Whole(end);
        }
        match letters {
            None => return Found::No,
            Some(letters) if letters > best => (best, best_end) = (letters, end),
            Some(_) if end - best_end > SECRET_GAP_MAX_BYTES => return Found::No,
            Some(_) => {}
        }
        at = end;
    }
    Found::Open
}

/// The parts of a found value that are not shown but act: its letters, and what strikes letters over, go.
pub(super) fn sequences(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
            let start = at;
            match Unit::at(rest) {
                Unit::Letter | Unit::Return => at += 1,
                Unit::Back(length) => at += length,
                Unit::Unseen(length) => {
                    at += length;
                    return rest.get(..length).map(|part| (start, part));
                }
                Unit::Open => return None,
            }
        }
    })
}

/// Bytes of the same length and places that show none of the letters. What stands between these stays.
pub(super) fn covered(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let length = match Unit::at(rest) {
            Unit::Letter | Unit::Return => 1,
            Unit::Back(length) | Unit::Unseen(length) => length,
            Unit::Open => rest.len(),
        };
        if let (Unit::Letter, Some(letter)) = (Unit::at(rest), out.get_mut(at))
            && is_letter(*letter)
        {
            // A letter may be several bytes, and takes one place.
            *letter = if (0x80..0xc0).contains(&*letter) { 0 } else { COVER };
        }
        at += length;
    }
    out
}

/// What is taken as one.
#[derive(Debug, Clone, Copy)]
enum Unit {
    /// A byte that is shown, or that moves on.
    Letter,
    /// A step back, so that the next letter takes the last one's place.
    Back(usize),
    /// Back to the row's beginning. At the right margin a line editor writes a letter, often a blank, and this: so the terminal begins the
    /// next row, and what comes takes that letter's place.
    Return,
    /// A control character or sequence that shows nothing.
    Unseen(usize),
    /// A sequence whose end has not come.
    Open,
}

impl Unit {
    fn at(bytes: &[u8]) -> Self {
        match bytes.first() {
            Some(&BACKSPACE) => Self::Back(1),
            Some(&ESC) => sequence(bytes),
            Some(b'\r') => Self::Return,
            // BEL ends control strings: a match that began inside of one would be held back until the next output.
            Some(b'\t'..=0x0c | &BEL) | None => Self::Letter,
            Some(&byte) if byte < 0x20 || byte == DEL => Self::Unseen(1),
            Some(_) => Self::Letter,
        }
    }
}

/// A byte of the usual sort, which needs no closer look.
fn is_letter(byte: u8) -> bool {
    byte >= 0x20 && byte != DEL
}

/// A sequence that begins with ESC, as the parser of [`terminal`](crate::terminal::parser) takes it.
fn sequence(bytes: &[u8]) -> Unit {
    let Some(&kind) = bytes.get(1) else { return Unit::Open };
    let mut rest = bytes.iter().copied().enumerate().skip(2);
    match kind {
        b'[' => {
            let end = rest.find(|(_, byte)| matches!(*byte, 0x40..|ESC| CAN | SUB));
            match end {
                None => Unit::Open,
                // ESC begins another one.
                Some((at, ESC)) => Unit::Unseen(at),
                Some((at, b'D')) if matches!(bytes.get(2..at), Some(b"" | b"1")) => Unit::Back(at + 1),
                Some((at, _)) => Unit::Unseen(at + 1),
            }
        }
        b']' | b'P' | b'X' | b'^' | b'_' => {
            let end = rest.find(|(_, byte)| matches!(*byte, ESC | CAN | SUB) || (*byte == BEL && kind == b']'));
            match end {
                None => Unit::Open,
                Some((at, ESC)) => match bytes.get(at + 1) {
                    None => Unit::Open,
                    Some(b'\\') => Unit::Unseen(at + 2),
                    Some(_) => Unit::Unseen(at),
                },
                Some((at, _)) => Unit::Unseen(at + 1),
            }
        }
        0x20..=0x2f => match rest.find(|(_, byte)| !matches!(*byte, 0x20..=0x2f)) {
            None => Unit::Open,
            Some((at, ESC)) => Unit::Unseen(at),
            Some((at, _)) => Unit::Unseen(at + 1),
        },
        ESC => Unit::Unseen(1),
        _ => Unit::Unseen(2),
    }
}

/// One way to read what has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Way {
    /// So many letters of the value are there.
    letters: usize,
    /// A letter that is none of the value stands behind them, and must be struck over.
    is_struck: bool,
}

impl Way {
    /// Without the last letter.
    fn before(&self, value: &[u8]) -> Self {
        if self.is_struck {
            return Self { is_struck: false, ..*self };
        }
        let before = value.get(..self.letters).unwrap_or_default();
        // A letter may be several bytes.
        let letters = before.iter().rposition(|byte| !(0x80..0xc0).contains(byte)).unwrap_or(0);
        Self { letters, is_struck: false }
    }
}

/// All of them: a step back may be meant for a letter of the value or for nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Ways {
    ways: [Way; WAYS_MAX],
    count: usize,
}

impl Ways {
    fn iter(&self) -> impl Iterator<Item = &Way> {
        self.ways.iter().take(self.count)
    }

    fn add(&mut self, way: Way) {
        if self.iter().any(|known| *known == way) {
            return;
        }
        if let Some(free) = self.ways.get_mut(self.count) {
            *free = way;
            self.count += 1;
        }
    }

    fn most(&self) -> Option<usize> {
        self.iter().map(|way| way.letters).max()
    }

    fn letter(&self, value: &[u8], letter: u8) -> Self {
        let mut next = Self::default();
        for way in self.iter().filter(|way| !way.is_struck) {
            match value.get(way.letters) == Some(&letter) {
                true => next.add(Way { letters: way.letters + 1, is_struck: false }),
                // What moves to another row or column is not struck over.
                false if is_letter(letter) && way.letters > 0 => next.add(Way { is_struck: true, ..*way }),
                false => {}
            }
        }
        next
    }

    fn back(&self, value: &[u8]) -> Self {
        let mut next = Self::default();
        for way in self.iter() {
            next.add(Way { is_struck: false, ..*way });
            next.add(way.before(value));
        }
        next
    }

    /// One letter alone was written since the row has begun.
    fn first_of_row(&self, value: &[u8]) -> Self {
        let mut next = Self::default();
        self.iter().for_each(|way| next.add(way.before(value)));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &[u8] = b"S3kr1t-Falcon9";

    #[test]
    fn what_shows_nothing_may_stand_between_the_letters() {
        for text in [
            "S3kr1t-Falcon9",
            "S3kr1t-\x1b[01;31m\x1b[KFal\x1b[m\x1b[Kcon9",
            "S3k\0\0r1t-\x7fFalcon9",
            "S3kr1t\x1b]8;;http://x/\x07-Falcon9",
            "S3kr1t\x1b]0;title\x1b\\-Falcon9",
            "S3kr1t\x1bPq#0\x1b\\-Falcon9",
            "S3kr1t\x1b(B-\x1b=\x1b7Falcon9",
            "S3kr1t\x1b[3\x1b[m\x1b\x1b[m-Falcon9",
            "S\x08S3\x083k\x08kr\x08r1\x081t\x08t-\x08-F\x08Fa\x08al\x08lc\x08co\x08on\x08n9",
            "S_\x083_\x08k_\x08r_\x081_\x08t_\x08-_\x08F_\x08a_\x08l_\x08c_\x08o_\x08n_\x089",
            "S3kX\x1b[m\x08r1t-FalY\x1b[Dcon9",
            "S3k\x1b[12;40Hr1t\x1b[C-Falcon9",
            // At the right margin.
            "S3kr1t- \rFalcon9",
            "S3kr1t-F\rFalcon9",
            "S3kr1t \x1b[K\r\x1b[K-Falcon9",
        ] {
            assert_eq!(find(VALUE, text.as_bytes()), Found::Whole(text.len()), "{text:?}");
            for cut in 1..text.len() {
                assert_eq!(find(VALUE, &text.as_bytes()[..cut]), Found::Open, "{text:?} up to {cut}");
            }
        }
    }

    #[test]
    fn what_is_shown_between_the_letters_is_not_passed_over() {
        for text in [
            "S3kr1t Falcon9",
            "S3kr1t-\nFalcon9",
            "S3kr1t-\tFalcon9",
            "S3xxr1t",
            "S3kr1t\r-Falcon9",
            "S3kr1t- x\rFalcon9",
            "SS\n",
            "S3kr1t\x07-Falcon9",
            "S\x07",
            "S\r\n",
            "S \r\n",
        ] {
            assert_eq!(find(VALUE, text.as_bytes()), Found::No, "{text:?}");
        }
        assert_eq!(find("grün!".as_bytes(), "grü\x08ün!".as_bytes()), Found::Whole(9));
    }

    #[test]
    fn a_gap_has_a_bound() {
        let text = |length: usize| format!("S3k\x1b]0;{}\x07r1t-Falcon9", "x".repeat(length - 5));
        assert!(matches!(find(VALUE, text(SECRET_GAP_MAX_BYTES).as_bytes()), Found::Whole(_)));
        assert_eq!(find(VALUE, text(SECRET_GAP_MAX_BYTES + 1).as_bytes()), Found::No);
        for endless in ["\x1b[m", "_\x08", "S\x08", "\0", "\x08"] {
            let text = format!("S3k{}", endless.repeat(SECRET_GAP_MAX_BYTES + 1));
            assert_eq!(find(VALUE, text.as_bytes()), Found::No, "{endless:?}");
        }
        let open = format!("S3k\x1b]0;{}", "x".repeat(SECRET_GAP_MAX_BYTES));
        assert_eq!(find(VALUE, open.as_bytes()), Found::No);
    }

    #[test]
    fn what_covers_letters_takes_their_places() {
        assert_eq!(covered("S3\x1b[31mü_\x08\0x \ry\x1b[".as_bytes()), b"**\x1b[31m*\0*\x08\0**\r*\x1b[");
        assert_eq!(covered(b""), b"");
    }

    #[test]
    fn only_what_acts_is_left_of_a_found_value() {
        let text = b"S\x1b[31m3\0k_\x08r\x1b[D\x1b]0;t\x079";
        let parts: Vec<(usize, &[u8])> = sequences(text).collect();
        assert_eq!(parts, [(1, b"\x1b[31m".as_slice()), (7, b"\0"), (15, b"\x1b]0;t\x07")]);
    }
}
