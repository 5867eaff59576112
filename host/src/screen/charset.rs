//! Letters that a terminal shows as lines and signs: DEC special graphics, by which programs draw boxes where they write no UTF-8.
//!
//! The emulator knows UTF-8 alone, so it is given the same characters in that.

use std::ops::Range;

use crate::terminal::parser::{Csi, Parser, Sink};

/// What stands for the letters from `_` to `~`.
const GRAPHICS: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤',
    '≥', 'π', '≠', '£', '·',
];

/// The character sets that a program has chosen, and where in the stream it did.
pub(super) struct Charsets {
    parser: Parser,
    chosen: Chosen,
    offset: u64,
}

/// Sets and shifts, as they are between two bytes.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    /// Are G0 and G1 graphics?
    are_graphics: [bool; 2],
    /// Shifted out: G1 is in use, not G0.
    is_shifted: bool,
}

impl Sets {
    /// Do letters mean graphics now?
    pub(crate) fn draws(&self) -> bool {
        let [usual, shifted] = self.are_graphics;
        if self.is_shifted { shifted } else { usual }
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    /// A control character that may shift.
    pub(crate) fn control(&mut self, byte: u8) {
        match byte {
            0x0e => self.is_shifted = true,
            0x0f => self.is_shifted = false,
            _ => {}
        }
    }

    /// A sequence that may choose a set.
    pub(crate) fn esc(&mut self, intermediate: u8, function: u8) {
        let [usual, shifted] = &mut self.are_graphics;
        match (intermediate, function) {
            (b'(', set) => *usual = set == b'0',
            (b')', set) => *shifted = set == b'0',
            (0, b'c') => self.reset(),
            _ => {}
        }
    }

    /// A control sequence that may forget them.
    pub(crate) fn csi(&mut self, csi: &Csi<'_>) {
        if (csi.intermediate, csi.function) == (b'!', b'p') {
            self.reset();
        }
    }
}

/// What is shown for a letter that means a graphic, if it does.
pub(crate) fn graphic(letter: u8) -> Option<char> {
    letter.checked_sub(b'_').and_then(|index| GRAPHICS.get(usize::from(index))).copied()
}

/// What a program has chosen, and what of the stream it concerns.
#[derive(Default)]
struct Chosen {
    sets: Sets,
    /// Letters of this chunk that are graphics.
    found: Vec<Range<u64>>,
}

impl Sink for Chosen {
    fn print(&mut self, bytes: &[u8], start: u64) {
        if self.sets.draws() {
            self.found.push(start..start + bytes.len() as u64);
        }
    }

    fn control(&mut self, byte: u8, _: u64) {
        self.sets.control(byte);
    }

    fn csi(&mut self, csi: &Csi<'_>, _: u64) {
        self.sets.csi(csi);
    }

    fn osc(&mut self, _: &[u8], _: u64, _: u64) {}

    fn esc(&mut self, intermediate: u8, function: u8, _: u64) {
        self.sets.esc(intermediate, function);
    }
}

impl Default for Charsets {
    fn default() -> Self {
        Self { parser: Parser::at(0), chosen: Chosen::default(), offset: 0 }
    }
}

impl Charsets {
    /// Adds the next bytes to these, with characters in the place of letters that mean them.
    pub(super) fn add(&mut self, bytes: &[u8], to: &mut Vec<u8>) {
        let from = self.offset;
        self.offset += bytes.len() as u64;
        self.parser.advance(bytes, &mut self.chosen);
        let mut found = self.chosen.found.drain(..).peekable();
        if found.peek().is_none() {
            to.extend_from_slice(bytes);
            return;
        }
        for (at, byte) in (from..).zip(bytes) {
            while found.next_if(|range| range.end <= at).is_some() {}
            let is_graphic = found.peek().is_some_and(|range| range.contains(&at));
            match graphic(*byte).filter(|_| is_graphic) {
                Some(graphic) => to.extend_from_slice(graphic.encode_utf8(&mut [0; 4]).as_bytes()),
                None => to.push(*byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Charsets;

    fn shown(chunks: &[&str]) -> String {
        let (mut sets, mut out) = (Charsets::default(), Vec::new());
        chunks.iter().for_each(|chunk| sets.add(chunk.as_bytes(), &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn letters_between_the_two_escapes_are_lines() {
        assert_eq!(shown(&["lq\x1b(0lqqk\x1b(Bqk"]), "lq\x1b(0┌──┐\x1b(Bqk");
        assert_eq!(shown(&["\x1b(0_`aflmnqtuvwxyz{|}~\x1b(B"]), "\x1b(0 ◆▒°┌└┼─├┤┴┬│≤≥π≠£·\x1b(B");
        // What is no letter of the set, and what moves the cursor or colours, stays.
        assert_eq!(shown(&["\x1b(0x A1ü\x1b[31mx\x1b[10;20Hx\x1b(B"]), "\x1b(0│ A1ü\x1b[31m│\x1b[10;20H│\x1b(B");
        assert_eq!(shown(&["\x1b(0\x1b]0;title\x07q\x1b(B"]), "\x1b(0\x1b]0;title\x07─\x1b(B");
    }

    #[test]
    fn a_set_is_shifted_to_and_back() {
        assert_eq!(shown(&["\x1b)0qx\x0eqx\x0fqx"]), "\x1b)0qx\x0e─│\x0fqx");
        assert_eq!(shown(&["\x0eqx\x0f\x1b(0\x0eqx"]), "\x0eqx\x0f\x1b(0\x0eqx");
        assert_eq!(shown(&["\x1b(0q\x1bcq\x1b(0q\x1b[!pq"]), "\x1b(0─\x1bcq\x1b(0─\x1b[!pq");
    }

    #[test]
    fn it_is_the_same_wherever_a_read_ends() {
        let text = "a\x1b(0lq\x1b[1mk\x1b)0\x0eqü\x0f\x1b(Bq\x1b]0;q\x07";
        let whole = shown(&[text]);
        for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let (first, second) = text.split_at(cut);
            assert_eq!(shown(&[first, second]), whole, "{cut}");
        }
    }
}
