//! A device's output as a terminal may be given it: what would cost too much is cut down, what a terminal answers is left out.
//!
//! A terminal's answers are typed, by a person's terminal into the session. What a device asks is the session's own to answer, once.
//!
//! A control sequence is passed on whole or not at all, and nothing within it that one terminal passes over and another does not. So
//! whatever comes behind reads it as it was read here, wherever the chunks end.

use super::parser::{BEL, CAN, ESC, SUB};
use crate::limits::SEQUENCE_MAX_BYTES;

/// Asks for the terminal's name.
const ENQ: u8 = 0x05;
/// The first byte of a control character of two bytes (U+0080 to U+009F), which terminals read as a sequence's beginning or end.
const LEAD: u8 = 0xc2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    Esc,
    Csi,
    /// A device control string up to the byte that says what it is.
    Dcs,
    Osc,
    /// Any other control string.
    Other,
    /// ESC inside a control string: `\` ends it.
    StringEsc,
}

/// The parts of a control sequence.
struct Csi<'a> {
    /// `?`, `>`, `=`, `<` or 0.
    private: u8,
    params: &'a [u8],
    /// The byte before the last one that belongs to the function's name, or 0.
    intermediate: u8,
    function: u8,
}

impl<'a> Csi<'a> {
    fn of(sequence: &'a [u8]) -> Option<Self> {
        let (function, body) = sequence.strip_prefix(b"\x1b[")?.split_last()?;
        let (private, rest) = match body {
            [private @ b'<'..=b'?', rest @ ..] => (*private, rest),
            _ => (0, body),
        };
        let (params, name) = rest.split_at(rest.iter().take_while(|byte| is_param(**byte)).count());
        match name {
            [] => Some(Self { private, params, intermediate: 0, function: *function }),
            [intermediate @ b' '..=b'/'] => Some(Self { private, params, intermediate: *intermediate, function: *function }),
            // Terminals do nothing with others.
            _ => None,
        }
    }

    fn name(&self) -> (u8, u8, u8) {
        (self.private, self.intermediate, self.function)
    }

    /// How often the last character is repeated (REP), if that is what it does.
    fn repeats(&self) -> Option<u16> {
        (self.name() == (0, 0, b'b')).then(|| split_number(self.params).0)
    }

    /// Does a terminal answer it? (ECMA-48, DEC STD 070, xterm's control sequences, kitty's keyboard protocol.)
    fn is_answered(&self) -> bool {
        // With the mode 2048 a terminal tells its size, at once and whenever it changes.
        let tells_size =
            || self.name() == (b'?', 0, b'h') && self.params.split(|byte| *byte == b';').any(|mode| split_number(mode).0 == 2048);
        let asks = matches!(
            self.name(),
            // What it is and how it is: DA, DSR, XTVERSION, DECREQTPARM.
            (0 | b'>' | b'=', 0, b'c') | (0 | b'?', 0, b'n') | (b'>', 0, b'q') | (0, 0, b'x')
            // Its modes: DECRQM, those of keys, XTSMGRAPHICS.
            | (0 | b'?', b'$', b'p') | (b'?', 0, b'm' | b'u' | b'S')
            // Its window, what it shows where, and in which colours.
            | (0, 0, b't') | (0, b'"', b'v') | (0, b'#', b'R' | b'S' | b'|') | (0, b'$', b'u' | b'w') | (0, b'&', b'u')
            | (0, b'\'', b'|') | (0, b'*', b'y')
        );
        asks || tells_size()
    }
}

fn is_param(byte: u8) -> bool {
    matches!(byte, b'0'..=b';')
}

/// The number at the beginning, and what is behind it.
fn split_number(text: &[u8]) -> (u16, &[u8]) {
    let (digits, rest) = text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count());
    (digits.iter().fold(0, |number: u16, digit| number.saturating_mul(10).saturating_add(u16::from(digit - b'0'))), rest)
}

/// Does a terminal answer this string?
fn is_answered(string: &[u8]) -> bool {
    let Some((code, rest)) = string.strip_prefix(b"\x1b]").map(split_number) else { return false };
    match code {
        // In colours, pointers, fonts and the clipboard a `?` asks for what is set.
        4 | 5 | 10..=19 | 21 | 22 | 50 | 52 => rest.contains(&b'?'),
        // Which of its features are on; what kitty answers: notes, files, the clipboard.
        60 | 61 | 99 | 5113 | 5522 => true,
        1337 => [";Report", ";Capabilities", ";Request"].iter().any(|asks| rest.starts_with(asks.as_bytes())),
        _ => false,
    }
}

/// What stands between a device's output and a terminal, with its state between two chunks.
#[derive(Debug)]
pub struct Sieve {
    state: State,
    /// The sequence that is not whole yet.
    held: Vec<u8>,
    /// It is left out.
    is_lost: bool,
    /// The first byte of a character has come that may be a control.
    is_lead: bool,
    string_max_bytes: usize,
    repeat_max: u16,
}

impl Sieve {
    /// One through which control strings of so many bytes go.
    #[must_use]
    pub fn new(string_max_bytes: usize) -> Self {
        Self { state: State::Ground, held: Vec::new(), is_lost: false, is_lead: false, string_max_bytes, repeat_max: u16::MAX }
    }

    /// From now on no character is repeated more often than that at once.
    pub fn set_repeat_max(&mut self, repeat_max: u16) {
        self.repeat_max = repeat_max;
    }

    /// Adds what is passed on of the next bytes.
    pub fn add(&mut self, bytes: &[u8], to: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.state == State::Ground && !self.is_lead {
                let (plain, after) = rest.split_at(memchr::memchr3(ESC, ENQ, LEAD, rest).unwrap_or(rest.len()));
                to.extend_from_slice(plain);
                rest = after;
            }
            let Some((&byte, after)) = rest.split_first() else { return };
            rest = after;
            self.on_byte(byte, to);
        }
    }

    fn on_byte(&mut self, byte: u8, to: &mut Vec<u8>) {
        if std::mem::take(&mut self.is_lead) {
            match byte {
                0x80..=0x9f => return,
                0xa0..=0xbf => self.on_own(LEAD, to),
                // Alone it is no character, but could become one with what is behind something that is left out.
                _ => "\u{fffd}".bytes().for_each(|byte| self.on_own(byte, to)),
            }
        }
        if byte == LEAD {
            self.is_lead = true;
        } else {
            self.on_own(byte, to);
        }
    }

    fn on_own(&mut self, byte: u8, to: &mut Vec<u8>) {
        match self.state {
            State::Ground if byte == ESC => self.begin(),
            State::Ground if byte == ENQ => {}
            State::Ground => to.push(byte),
            State::Esc => self.on_esc(byte, to),
            State::Csi => self.on_csi(byte, to),
            State::Dcs => self.on_dcs(byte),
            State::Osc | State::Other => self.on_string(byte, to),
            State::StringEsc => self.on_string_esc(byte, to),
        }
    }

    fn begin(&mut self) {
        self.reset();
        self.state = State::Esc;
        self.hold(ESC);
    }

    fn reset(&mut self) {
        self.state = State::Ground;
        self.is_lost = false;
        self.held.clear();
        self.held.shrink_to(SEQUENCE_MAX_BYTES);
    }

    fn hold(&mut self, byte: u8) {
        let max = if matches!(self.state, State::Osc | State::Other) { self.string_max_bytes } else { SEQUENCE_MAX_BYTES };
        if self.held.len() >= max {
            self.lose();
        } else if !self.is_lost {
            self.held.push(byte);
        }
    }

    fn lose(&mut self) {
        self.is_lost = true;
        self.held = Vec::new();
    }

    fn pass(&mut self, end: &[u8], to: &mut Vec<u8>) {
        if !self.is_lost {
            to.extend_from_slice(&self.held);
            to.extend_from_slice(end);
        }
        self.reset();
    }

    fn on_esc(&mut self, byte: u8, to: &mut Vec<u8>) {
        let is_first = self.held.len() == 1;
        match byte {
            b'[' if is_first => self.go_on(State::Csi, byte),
            b']' if is_first => self.go_on(State::Osc, byte),
            b'P' if is_first => self.go_on(State::Dcs, byte),
            // SOS, PM, APC: pictures and the like, which terminals acknowledge.
            b'X' | b'^' | b'_' if is_first => {
                self.lose();
                self.state = State::Other;
            }
            0x20..=0x2f => self.hold(byte),
            0x30..=0x7e => {
                self.hold(byte);
                self.end_esc(to);
            }
            _ => self.on_odd(byte, to),
        }
    }

    fn end_esc(&mut self, to: &mut Vec<u8>) {
        match self.held.as_slice() {
            // DECID asks what it is. Without UTF-8 other bytes would begin a sequence.
            [_, b'Z'] | [_, b'%', ..] => self.reset(),
            _ => self.pass(b"", to),
        }
    }

    fn go_on(&mut self, state: State, byte: u8) {
        self.hold(byte);
        self.state = state;
    }

    fn on_csi(&mut self, byte: u8, to: &mut Vec<u8>) {
        match byte {
            0x20..=0x3f => self.hold(byte),
            0x40..=0x7e => {
                self.hold(byte);
                self.end_csi(to);
            }
            _ => self.on_odd(byte, to),
        }
    }

    /// What belongs to no sequence comes within one.
    fn on_odd(&mut self, byte: u8, to: &mut Vec<u8>) {
        match byte {
            ESC => self.begin(),
            CAN | SUB => self.reset(),
            ENQ | 0x7f => {}
            // Controls inside a sequence act at once, as terminals do.
            0x00..=0x1f => to.push(byte),
            // Text: it was no sequence.
            _ => {
                self.reset();
                to.push(byte);
            }
        }
    }

    fn end_csi(&mut self, to: &mut Vec<u8>) {
        match Csi::of(&self.held) {
            Some(csi) if csi.is_answered() => self.reset(),
            Some(csi) if csi.repeats().is_some_and(|count| count > self.repeat_max) => {
                to.extend_from_slice(format!("\x1b[{}b", self.repeat_max).as_bytes());
                self.reset();
            }
            Some(_) => self.pass(b"", to),
            None => self.reset(),
        }
    }

    fn on_dcs(&mut self, byte: u8) {
        match byte {
            0x20..=0x3f => self.hold(byte),
            0x40..=0x7e => {
                self.hold(byte);
                // Others than pictures in sixels ask, or say what keys type.
                let head = self.held.strip_prefix(b"\x1bP").and_then(|head| head.strip_suffix(b"q"));
                if !head.is_some_and(|head| head.iter().all(|byte| is_param(*byte))) {
                    self.lose();
                }
                self.state = State::Other;
            }
            ESC => {
                self.lose();
                self.state = State::StringEsc;
            }
            CAN | SUB => self.reset(),
            0x00..=0x1f | 0x7f => {}
            _ => {
                self.lose();
                self.state = State::Other;
            }
        }
    }

    fn on_string(&mut self, byte: u8, to: &mut Vec<u8>) {
        match byte {
            ESC => self.state = State::StringEsc,
            BEL if self.state == State::Osc => self.end_string(&[BEL], to),
            CAN | SUB => self.reset(),
            0x00..=0x1f | 0x7f => {}
            _ => self.hold(byte),
        }
    }

    fn end_string(&mut self, end: &[u8], to: &mut Vec<u8>) {
        if is_answered(&self.held) {
            self.reset();
        } else {
            self.pass(end, to);
        }
    }

    fn on_string_esc(&mut self, byte: u8, to: &mut Vec<u8>) {
        self.end_string(b"\x1b\\", to);
        if byte != b'\\' {
            // ESC ends the string and begins another sequence.
            self.begin();
            self.on_esc(byte, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sieved(chunks: &[&[u8]]) -> String {
        let (mut sieve, mut out) = (Sieve::new(20), Vec::new());
        sieve.set_repeat_max(80);
        chunks.iter().for_each(|chunk| sieve.add(chunk, &mut out));
        String::from_utf8(out).unwrap()
    }

    fn check(cases: &[(&str, &str)]) {
        for (text, passed) in cases {
            for cut in 0..=text.len() {
                let (first, second) = text.as_bytes().split_at(cut);
                assert_eq!(sieved(&[first, second]), *passed, "{text:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_a_terminal_may_be_given_is_passed_on_as_it_is() {
        for text in [
            "plain \r\n\t\x08\x0e\x0f\x7f grün 漢字 😀 ☎\u{fe0f}",
            "\x1b[m\x1b[1;31m\x1b[38:2::255:0:0m\x1b[10;20H\x1b[?2004h\x1b[2 q\x1b[!p\x1b[>4;1m\x1b[80b\x1b[b",
            "\x1b(0lqk\x1b(B\x1b7\x1b8\x1bM\x1b=\x1b>\x1b#8",
            "\x1b]0;title?\x07\x1b]8;;http://a/?b\x1b\\\x1b]11;#000\x07\x1b]52;c;aGk=\x07\x1bP0;1q#0~-\x1b\\",
            "\x1b[?0c\x1b[>1u\x1b[<u\x1b[s\x1b[u\x1b[3S\x1b[1;5r\x1b[5;1$x\x1b[>2n\x1b[2\"q",
        ] {
            check(&[(text, text)]);
        }
    }

    #[test]
    fn what_a_terminal_answers_is_left_out() {
        for asks in [
            "\x1b[c\x1b[0c\x1b[>c\x1b[>0c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[?996n\x1b[>q\x1b[>0q\x1b[x\x1bZ\x05",
            "\x1b[20$p\x1b[?2026$p\x1b[?u\x1b[?4m\x1b[?1;1;0S\x1b[14t\x1b[21t\x1b[1$w\x1b[1;1;1;1;9;9*y",
            "\x1b]4;1;?\x07\x1b]10;?\x07\x1b]11;?\x1b\\\x1b]12;?\x07\x1b]10;#fff;?\x07\x1b]52;c;?\x07\x1b]60\x07\x1b]99;i=1:p=?;\x1b\\\x1b]5522;type=read\x07\x1b[?2048h\x1b[?25;02048h",
            "\x1bP$qm\x1b\\\x1bP+q544e\x1b\\\x1bP1$\x1b\\\x1b_Ga=q;\x1b\\\x1b%@",
            // However it is hidden.
            "\x1b[\x056n\x1b[\x7f6n\x1b[1\x1b[6n\x1b]0;t\x18\x1b[6n\x1b[06n\x1b[6\u{9b}n\x1b]1\u{9c}1;?\x07",
        ] {
            check(&[(&format!("a{asks}b"), "ab")]);
        }
        check(&[
            ("\x1b[\r6n", "\r"),
            ("\x1b]0;t\x1b[6n", "\x1b]0;t\x1b\\"),
            ("\x1bPtmux;\x1b\x1b[6n\x1b\\", "\x1b\\"),
            ("a\u{9b}6n\u{9d}11;?\u{9c}\u{9a}£", "a6n11;?£"),
            ("\x1b]0;t\u{9c}\u{9b}6n\x07", "\x1b]0;t6n\x07"),
        ]);
        for parted in [&b"\xc2\x1b[6n\x9b6n"[..], b"\xc2\x05\x9b6n"] {
            let (mut sieve, mut out) = (Sieve::new(20), Vec::new());
            sieve.add(parted, &mut out);
            assert_eq!(out, b"\xef\xbf\xbd\x9b6n");
        }
    }

    #[test]
    fn a_character_is_repeated_no_more_often_than_may_be() {
        check(&[
            ("x\x1b[65535b", "x\x1b[80b"),
            ("x\x1b[99999999;1b", "x\x1b[80b"),
            ("x\x1b[\x7f81b", "x\x1b[80b"),
            ("x\x1b[8\r1b", "x\r\x1b[80b"),
            ("x\x1b[\x1b[81b", "x\x1b[80b"),
        ]);
    }

    #[test]
    fn a_string_or_sequence_that_is_too_long_is_left_out() {
        let long = "x".repeat(100);
        check(&[
            (&format!("a\x1b]0;{long}\x07b"), "ab"),
            (&format!("a\x1bPq{long}\x1b\\b"), "ab"),
            (&format!("a\x1b]0;{long}\x1b[mb"), "a\x1b[mb"),
            (&format!("a\x1b[{}mb", "1;".repeat(SEQUENCE_MAX_BYTES)), "ab"),
        ]);
        let (mut sieve, mut out) = (Sieve::new(20), Vec::new());
        sieve.add(b"\x1b]0;", &mut out);
        for _ in 0..1000 {
            sieve.add(&[b'x'; 1000], &mut out);
            assert!(sieve.held.capacity() <= SEQUENCE_MAX_BYTES && out.is_empty());
        }
    }

    #[test]
    fn what_is_no_whole_sequence_is_none() {
        check(&[
            ("a\x1b[1\x18b", "ab"),
            ("a\x1b]0;t\x1ab", "ab"),
            ("a\x1b[1äb", "aäb"),
            ("a\x1b[1?mb\x1b[ 1mc", "abc"),
            ("a\x1b]0;t\x1b[mb", "a\x1b]0;t\x1b\\\x1b[mb"),
        ]);
    }
}
