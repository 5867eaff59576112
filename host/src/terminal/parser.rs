//! Bytes in, terminal events out (ECMA-48 and xterm's control strings).
//!
//! A state machine with a bounded buffer: the events do not depend on how the bytes are cut. It does not decode
//! UTF-8; bytes from 0x80 up are printable. C1 controls in their 8-bit form are therefore not recognised, as in xterm
//! with UTF-8.

/// The longest control string (OSC, DCS) kept, in bytes: twice the longest path, which a mark may hold. A longer one is passed over.
pub const STRING_MAX_BYTES: usize = 8192;
/// The most numeric parameters kept of one control sequence.
const PARAMS_MAX: usize = 16;

/// Begins a control sequence or string.
pub(crate) const ESC: u8 = 0x1b;
/// Ends an operating system command, as xterm has it.
pub(crate) const BEL: u8 = 0x07;
/// Breaks a sequence off.
pub(crate) const CAN: u8 = 0x18;
/// Breaks a sequence off, as CAN does.
pub(crate) const SUB: u8 = 0x1a;

/// A control sequence (CSI).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Csi<'a> {
    /// `?`, `>`, `=`, `<` or 0.
    pub private: u8,
    /// The numeric parameters; a missing one is 0.
    pub params: &'a [u16],
    /// The intermediate byte (0x20 to 0x2f) or 0.
    pub intermediate: u8,
    /// The final byte, which names the function.
    pub function: u8,
}

impl Csi<'_> {
    /// A parameter, or the default where it is missing or 0.
    #[must_use]
    pub fn param(&self, index: usize, default: u16) -> u16 {
        match self.params.get(index) {
            None | Some(0) => default,
            Some(value) => *value,
        }
    }
}

/// What the parser tells. `start` and `end` are offsets of the whole sequence in the stream.
pub trait Sink {
    /// Printable bytes (0x20 and above, without 0x7f), in one or more calls.
    fn print(&mut self, bytes: &[u8], start: u64);
    /// A C0 control other than ESC, or DEL.
    fn control(&mut self, byte: u8, end: u64);
    /// A control sequence.
    fn csi(&mut self, csi: &Csi<'_>, end: u64);
    /// An operating system command, without its introducer and terminator.
    fn osc(&mut self, body: &[u8], start: u64, end: u64);
    /// ESC, an optional intermediate byte, and a final byte.
    fn esc(&mut self, intermediate: u8, function: u8, end: u64);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    Esc,
    Csi,
    Osc,
    /// DCS, SOS, PM, APC: passed over.
    Other,
    /// ESC inside a control string: `\` ends it.
    StringEsc,
}

/// The parser's state between two chunks.
#[derive(Debug, Clone)]
pub struct Parser {
    state: State,
    /// Where the present sequence began.
    start: u64,
    offset: u64,
    private: u8,
    intermediate: u8,
    params: [u16; PARAMS_MAX],
    param_count: usize,
    string: Vec<u8>,
    string_is_osc: bool,
    overflow: bool,
}

impl Parser {
    /// A parser whose first byte has this offset.
    #[must_use]
    pub fn at(offset: u64) -> Self {
        Self {
            state: State::Ground,
            start: offset,
            offset,
            private: 0,
            intermediate: 0,
            params: [0; PARAMS_MAX],
            param_count: 0,
            string: Vec::new(),
            string_is_osc: false,
            overflow: false,
        }
    }

    /// Takes the next bytes of the stream.
    pub fn advance(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.state == State::Ground {
                let plain = rest.iter().position(|&byte| byte < 0x20 || byte == 0x7f).unwrap_or(rest.len());
                let (run, after) = rest.split_at(plain);
                if !run.is_empty() {
                    sink.print(run, self.offset);
                    self.offset += run.len() as u64;
                }
                rest = after;
            }
            let Some((&byte, after)) = rest.split_first() else { return };
            rest = after;
            self.offset += 1;
            self.on_byte(byte, sink);
        }
    }

    fn on_byte(&mut self, byte: u8, sink: &mut impl Sink) {
        match self.state {
            State::Ground => self.on_ground(byte, sink),
            State::Esc => self.on_esc(byte, sink),
            State::Csi => self.on_csi(byte, sink),
            State::Osc | State::Other => self.on_string(byte, sink),
            State::StringEsc => self.on_string_esc(byte, sink),
        }
    }

    fn on_ground(&mut self, byte: u8, sink: &mut impl Sink) {
        if byte == ESC {
            self.begin_esc();
        } else {
            sink.control(byte, self.offset);
        }
    }

    fn begin_esc(&mut self) {
        self.state = State::Esc;
        self.start = self.offset.saturating_sub(1);
        self.private = 0;
        self.intermediate = 0;
        self.params = [0; PARAMS_MAX];
        self.param_count = 0;
        self.overflow = false;
        self.string.clear();
    }

    fn on_esc(&mut self, byte: u8, sink: &mut impl Sink) {
        match byte {
            b'[' if self.intermediate == 0 => self.state = State::Csi,
            b']' if self.intermediate == 0 => self.begin_string(true),
            b'P' | b'X' | b'^' | b'_' if self.intermediate == 0 => self.begin_string(false),
            0x20..=0x2f => self.intermediate = byte,
            0x30..=0x7e => {
                self.state = State::Ground;
                sink.esc(self.intermediate, byte, self.offset);
            }
            ESC => self.begin_esc(),
            CAN | SUB => self.state = State::Ground,
            // Controls inside a sequence act at once, as terminals do.
            _ if byte < 0x20 => sink.control(byte, self.offset),
            _ => self.state = State::Ground,
        }
    }

    fn begin_string(&mut self, is_osc: bool) {
        self.string_is_osc = is_osc;
        self.state = if is_osc { State::Osc } else { State::Other };
    }

    fn on_csi(&mut self, byte: u8, sink: &mut impl Sink) {
        match byte {
            b'0'..=b'9' => self.digit(byte - b'0'),
            b';' | b':' => self.param_count = (self.param_count.max(1) + 1).min(PARAMS_MAX),
            b'<'..=b'?' => self.private = byte,
            0x20..=0x2f => self.intermediate = byte,
            0x40..=0x7e => {
                self.state = State::Ground;
                let params = self.params.get(..self.param_count).unwrap_or_default();
                let csi = Csi { private: self.private, params, intermediate: self.intermediate, function: byte };
                sink.csi(&csi, self.offset);
            }
            ESC => self.begin_esc(),
            CAN | SUB => self.state = State::Ground,
            _ if byte < 0x20 => sink.control(byte, self.offset),
            _ => self.state = State::Ground,
        }
    }

    fn digit(&mut self, digit: u8) {
        self.param_count = self.param_count.max(1);
        if let Some(param) = self.params.get_mut(self.param_count - 1) {
            *param = param.saturating_mul(10).saturating_add(u16::from(digit));
        }
    }

    fn on_string(&mut self, byte: u8, sink: &mut impl Sink) {
        match byte {
            ESC => self.state = State::StringEsc,
            BEL if self.string_is_osc => self.end_string(sink),
            CAN | SUB => self.state = State::Ground,
            _ if self.string.len() >= STRING_MAX_BYTES => self.overflow = true,
            _ if self.string_is_osc => self.string.push(byte),
            _ => {}
        }
    }

    fn on_string_esc(&mut self, byte: u8, sink: &mut impl Sink) {
        if byte == b'\\' {
            self.end_string(sink);
        } else {
            // ESC ends the string and begins another sequence.
            self.end_string(sink);
            self.begin_esc();
            self.start = self.offset.saturating_sub(2);
            self.on_esc(byte, sink);
        }
    }

    fn end_string(&mut self, sink: &mut impl Sink) {
        self.state = State::Ground;
        if self.string_is_osc && !self.overflow {
            sink.osc(&self.string, self.start, self.offset);
        }
        self.string.clear();
        self.overflow = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, PartialEq, Debug)]
    struct Heard(Vec<String>);

    impl Sink for Heard {
        fn print(&mut self, bytes: &[u8], start: u64) {
            // Runs may be cut anywhere: tell them byte by byte.
            for (index, byte) in bytes.iter().enumerate() {
                self.0.push(format!("{}@{}", char::from(*byte), start + index as u64));
            }
        }
        fn control(&mut self, byte: u8, end: u64) {
            self.0.push(format!("ctl{byte}@{end}"));
        }
        fn csi(&mut self, csi: &Csi<'_>, end: u64) {
            self.0.push(format!("csi{:?}{}{}@{end}", csi.params, char::from(csi.private), char::from(csi.function)));
        }
        fn osc(&mut self, body: &[u8], start: u64, end: u64) {
            self.0.push(format!("osc{}@{start}-{end}", String::from_utf8_lossy(body)));
        }
        fn esc(&mut self, _: u8, function: u8, end: u64) {
            self.0.push(format!("esc{}@{end}", char::from(function)));
        }
    }

    fn heard(chunks: &[&[u8]]) -> Heard {
        let mut parser = Parser::at(0);
        let mut heard = Heard::default();
        for chunk in chunks {
            parser.advance(chunk, &mut heard);
        }
        heard
    }

    #[test]
    fn sequences_are_recognised_with_their_offsets() {
        let heard = heard(&[b"a\x1b[1;31mb\x1b]133;D;0\x07\x1b]0;t\x1b\\\x1b[?2004h\x1b=\r\n"]);
        let expected =
            ["a@0", "csi[1, 31]\0m@8", "b@8", "osc133;D;0@9-19", "osc0;t@19-26", "csi[2004]?h@34", "esc=@36", "ctl13@37", "ctl10@38"];
        assert_eq!(heard.0, expected);
    }

    #[test]
    fn any_cut_gives_the_same_events() {
        let stream = b"x\x1b[2Ky\x1b]133;A\x1b\\\x1bPq#0\x1b\\z\x1b[;5H\x1b(B\x1b]8;;\x07\xc3\xa4\x18\x1b[12\x1b[3m";
        let whole = heard(&[stream]);
        for cut in 0..=stream.len() {
            let (left, right) = stream.split_at(cut);
            assert_eq!(heard(&[left, right]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(heard(&bytes), whole);
    }

    #[test]
    fn an_endless_string_is_passed_over_without_growing() {
        let mut parser = Parser::at(0);
        let mut heard = Heard::default();
        parser.advance(b"\x1b]0;", &mut heard);
        for _ in 0..1000 {
            parser.advance(&[b'x'; 1000], &mut heard);
        }
        assert!(parser.string.len() <= STRING_MAX_BYTES);
        parser.advance(b"\x07ok", &mut heard);
        assert_eq!(heard.0, ["o@1000005", "k@1000006"]);
    }
}
