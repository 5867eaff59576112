//! The network virtual terminal (RFC 854) as a machine: bytes in, data and answers out. It has no socket and no clock.
//!
//! It never asks first, so of the states of RFC 1143 only `no` and `yes` occur: an answer is due where a state changes, and where
//! something is asked that stays refused. Nothing is agreed twice, and an end that asks for ever is not answered for ever. What asks
//! nothing gets nothing but what is typed, which also suits ports that speak no telnet at all.

use zeroize::Zeroizing;

use crate::limits::{TELNET_ANSWERS_MAX, TELNET_ASIDE_MAX_BYTES};

#[cfg(test)]
mod tests;

// Commands (RFC 854).
const SE: u8 = 240;
const IP: u8 = 244;
const SB: u8 = 250;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;
const IAC: u8 = 255;

// Options.
/// Eight bits, and no byte behind a carriage return (RFC 856).
const BINARY: u8 = 0;
/// The other end shows what is typed (RFC 857).
const ECHO: u8 = 1;
/// Nobody takes turns (RFC 858).
const SUPPRESS_GO_AHEAD: u8 = 3;
/// What terminal this is (RFC 1091).
const TERMINAL_TYPE: u8 = 24;
/// How large it is (RFC 1073).
const WINDOW_SIZE: u8 = 31;

/// In [`TERMINAL_TYPE`]: here it is, and which one.
const IS: u8 = 0;
const SEND: u8 = 1;

/// What this end may do.
const OURS: [u8; 4] = [BINARY, SUPPRESS_GO_AHEAD, TERMINAL_TYPE, WINDOW_SIZE];
/// What the other end may do.
const THEIRS: [u8; 3] = [BINARY, ECHO, SUPPRESS_GO_AHEAD];

/// Where the parser stands between two bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum At {
    #[default]
    Data,
    /// Behind a carriage return.
    Return,
    /// Behind the sign that a command follows.
    Command,
    /// Behind one of the four words about options.
    Option(u8),
    /// Between the beginning and the end of what is said about an option.
    Aside,
    /// In there, behind the sign that a command follows.
    AsideCommand,
}

/// Which options are on, for one end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Agreed(u32);

impl Agreed {
    fn bit(option: u8) -> u32 {
        1_u32.checked_shl(option.into()).unwrap_or_default()
    }

    fn has(self, option: u8) -> bool {
        self.0 & Self::bit(option) != 0
    }

    fn set(&mut self, option: u8, on: bool) {
        if on { self.0 |= Self::bit(option) } else { self.0 &= !Self::bit(option) }
    }
}

/// What came of some bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// For the terminal.
    pub data: Vec<u8>,
    /// To be sent back as it is.
    pub answers: Vec<u8>,
}

/// One end of a telnet connection.
#[derive(Debug)]
pub struct Telnet {
    terminal: String,
    size: (u16, u16),
    at: At,
    ours: Agreed,
    theirs: Agreed,
    /// What is said about an option, as far as it is kept.
    aside: Vec<u8>,
    answered: usize,
}

impl Telnet {
    /// An end with this terminal: its type, its columns and rows.
    #[must_use]
    pub fn new(terminal: &str, size: (u16, u16)) -> Self {
        let (ours, theirs) = (Agreed::default(), Agreed::default());
        Self { terminal: terminal.to_owned(), size, at: At::default(), ours, theirs, aside: Vec::new(), answered: 0 }
    }

    /// Takes what came.
    pub fn take(&mut self, bytes: &[u8]) -> Heard {
        let mut heard = Heard::default();
        for byte in bytes {
            self.byte(*byte, &mut heard);
        }
        heard
    }

    /// Does this end say it when the terminal's size changes?
    #[must_use]
    pub fn says_size(&self) -> bool {
        self.ours.has(WINDOW_SIZE)
    }

    /// Does this end send all bytes as they are?
    #[must_use]
    pub fn sends_binary(&self) -> bool {
        self.ours.has(BINARY)
    }

    fn byte(&mut self, byte: u8, heard: &mut Heard) {
        self.at = match (self.at, byte) {
            (At::Data | At::Return, IAC) => At::Command,
            // A carriage return alone is sent with a zero behind it.
            (At::Return, 0) => At::Data,
            (At::Data | At::Return, byte) => {
                heard.data.push(byte);
                if byte == b'\r' && !self.theirs.has(BINARY) { At::Return } else { At::Data }
            }
            (At::Command, IAC) => {
                heard.data.push(IAC);
                At::Data
            }
            (At::Command, WILL | WONT | DO | DONT) => At::Option(byte),
            (At::Command, SB) => {
                self.aside.clear();
                At::Aside
            }
            // The other commands are for printers, and for the end that runs programs.
            (At::Command, _) => At::Data,
            (At::Option(word), option) => {
                self.on_option(word, option, &mut heard.answers);
                At::Data
            }
            (At::Aside, IAC) => At::AsideCommand,
            (At::Aside, byte) | (At::AsideCommand, byte @ IAC) => {
                if self.aside.len() < TELNET_ASIDE_MAX_BYTES {
                    self.aside.push(byte);
                }
                At::Aside
            }
            (At::AsideCommand, SE) => {
                self.on_aside(&mut heard.answers);
                At::Data
            }
            // Its end was left out: what follows is a command.
            (At::AsideCommand, byte) => {
                self.at = At::Command;
                return self.byte(byte, heard);
            }
        };
    }

    fn on_option(&mut self, word: u8, option: u8, answers: &mut Vec<u8>) {
        let (agreed, known, yes, no) = match word {
            WILL | WONT => (&mut self.theirs, THEIRS.contains(&option), DO, DONT),
            _ => (&mut self.ours, OURS.contains(&option), WILL, WONT),
        };
        let (asked, is_on) = (word == WILL || word == DO, agreed.has(option));
        if asked == is_on || self.answered >= TELNET_ANSWERS_MAX {
            return;
        }
        self.answered += 1;
        let agrees = asked && known;
        agreed.set(option, agrees);
        answers.extend([IAC, if agrees { yes } else { no }, option]);
        if agrees && word == DO && option == WINDOW_SIZE {
            answers.extend(window(self.size.0, self.size.1));
        }
    }

    fn on_aside(&mut self, answers: &mut Vec<u8>) {
        if self.aside == [TERMINAL_TYPE, SEND] && self.ours.has(TERMINAL_TYPE) && self.answered < TELNET_ANSWERS_MAX {
            self.answered += 1;
            tell(TERMINAL_TYPE, &[&[IS], self.terminal.as_bytes()].concat(), answers);
        }
    }
}

fn tell(option: u8, what: &[u8], answers: &mut Vec<u8>) {
    answers.extend([IAC, SB, option]);
    for byte in what {
        answers.push(*byte);
        if *byte == IAC {
            answers.push(IAC);
        }
    }
    answers.extend([IAC, SE]);
}

/// What says a terminal's size (RFC 1073). Only who has agreed to hear it may be sent it.
#[must_use]
pub fn window(columns: u16, rows: u16) -> Vec<u8> {
    let mut said = Vec::new();
    tell(WINDOW_SIZE, &[columns.to_be_bytes(), rows.to_be_bytes()].concat(), &mut said);
    said
}

/// Typed bytes as they are sent. `binary` is what [`Telnet::sends_binary`] says.
#[must_use]
pub fn sent(typed: &[u8], binary: bool) -> Zeroizing<Vec<u8>> {
    let mut sent = Zeroizing::new(Vec::with_capacity(typed.len().saturating_mul(2)));
    for (index, byte) in typed.iter().enumerate() {
        sent.push(*byte);
        match byte {
            &IAC => sent.push(IAC),
            b'\r' if !binary && typed.get(index + 1) != Some(&b'\n') => sent.push(0),
            _ => {}
        }
    }
    sent
}

/// Asks the other end to interrupt what runs there.
pub const INTERRUPT: [u8; 2] = [IAC, IP];
