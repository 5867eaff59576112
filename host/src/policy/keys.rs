//! Named keys, and the line that typed pieces make up.

use crate::limits::COMMAND_MAX_BYTES;

/// Bytes of an escape sequence that a key sends. A longer one is none.
const ESCAPE_MAX_BYTES: usize = 32;

/// Names that `ssh_send` takes.
pub const KEY_NAMES: [&str; 24] = [
    "enter",
    "tab",
    "esc",
    "space",
    "backspace",
    "delete",
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "insert",
    "ctrl-<letter>",
    "alt-<letter>",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6..f12",
    "ctrl-space",
];

/// The bytes of a key (xterm). `application` is DECCKM; `enter` is what the device wants for Enter.
#[must_use]
pub fn bytes(name: &str, application: bool, enter: &str) -> Option<Vec<u8>> {
    let name = name.to_ascii_lowercase();
    let cursor = |letter: char| format!("\x1b{}{letter}", if application { 'O' } else { '[' }).into_bytes();
    let text = |text: &str| text.as_bytes().to_vec();
    Some(match name.as_str() {
        "enter" | "return" => text(enter),
        "tab" => text("\t"),
        "esc" | "escape" => text("\x1b"),
        "space" => text(" "),
        "backspace" => text("\x7f"),
        "delete" => text("\x1b[3~"),
        "up" => cursor('A'),
        "down" => cursor('B'),
        "right" => cursor('C'),
        "left" => cursor('D'),
        "home" => cursor('H'),
        "end" => cursor('F'),
        "pageup" => text("\x1b[5~"),
        "pagedown" => text("\x1b[6~"),
        "insert" => text("\x1b[2~"),
        "ctrl-space" => vec![0],
        _ => return function_key(&name).or_else(|| modified_key(&name)),
    })
}

fn function_key(name: &str) -> Option<Vec<u8>> {
    let number: usize = name.strip_prefix('f')?.parse().ok()?;
    let codes = ["OP", "OQ", "OR", "OS", "[15~", "[17~", "[18~", "[19~", "[20~", "[21~", "[23~", "[24~"];
    codes.get(number.checked_sub(1)?).map(|code| format!("\x1b{code}").into_bytes())
}

fn modified_key(name: &str) -> Option<Vec<u8>> {
    let (modifier, key) = name.split_once(['-', '+'])?;
    let mut chars = key.chars();
    let (ch, None) = (chars.next()?, chars.next()) else { return None };
    match modifier {
        "ctrl" | "control" | "c" if ('@'..='_').contains(&ch.to_ascii_uppercase()) => {
            Some(vec![u8::try_from(ch.to_ascii_uppercase()).ok()? & 0x1f])
        }
        "alt" | "meta" | "m" => Some([&[0x1b], ch.to_string().as_bytes()].concat()),
        _ => None,
    }
}

/// The line that the device will see, put together from typed pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineAssembler {
    line: String,
    /// The same for a device that takes no notice of the keys that erase. Kept once one was pressed.
    raw: Option<String>,
    /// History or completion changed the line: what it is then is not known.
    unknown: bool,
    /// Inside of an escape sequence, and what it is so far.
    escape: Option<String>,
    /// Between the brackets of a paste, where Enter is text.
    pasting: bool,
    /// Everything that was typed so far, as it was.
    keys: String,
    /// The byte before was a carriage return, so a newline belongs to it.
    returned: bool,
    /// The beginning of a character whose other bytes are still to come.
    cut: Vec<u8>,
}

/// A line that typing completes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// Its text as far as it is known.
    pub text: String,
    /// What it would be if nothing was erased, where something was.
    pub raw: Option<String>,
    /// Keys were used that change the line in a way that only the device knows.
    pub unknown: bool,
    /// All that was typed, where the text alone does not tell it.
    pub keys: Option<String>,
}

impl Assembled {
    /// What a person has to see before saying yes: two ways to type a line that only the device can tell apart are two things.
    #[must_use]
    pub fn exact(&self) -> &str {
        self.keys.as_deref().unwrap_or(&self.text)
    }
}

impl LineAssembler {
    /// Has nothing been typed since the last line?
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        *self == Self { returned: self.returned, ..Self::default() }
    }

    /// Is this key all that was typed?
    fn is_empty_but_for(&self, key: char) -> bool {
        self.line.is_empty() && self.raw.is_none() && !self.unknown && !self.pasting && self.keys.chars().eq([key])
    }

    /// How many bytes of the line there are so far.
    #[must_use]
    pub fn length(&self) -> usize {
        self.line.len()
    }

    /// Takes typed bytes; gives the lines that they complete.
    pub fn on_typed(&mut self, bytes: &[u8]) -> Vec<Assembled> {
        let mut lines = Vec::new();
        let text = self.decoded(bytes);
        for ch in text.chars() {
            let returned = std::mem::replace(&mut self.returned, ch == '\r');
            // A control character ends a sequence and counts by itself (ECMA-48 allows it there).
            if ch.is_control() && self.escape.take().is_some() {
                self.unknown = true;
            }
            let completes = matches!(ch, '\r' | '\n') && !self.pasting;
            // Nobody is shown more than that.
            if !completes && self.keys.len() <= COMMAND_MAX_BYTES {
                self.keys.push(ch);
            }
            match ch {
                _ if self.escape.is_some() => self.on_escape(ch),
                '\n' if returned => {}
                '\r' | '\n' if self.pasting => self.push('\n'),
                '\r' | '\n' => {
                    let next = Self { returned: self.returned, cut: std::mem::take(&mut self.cut), ..Self::default() };
                    lines.push(std::mem::replace(self, next).assembled());
                }
                '\x08' | '\x7f' => {
                    self.raw.get_or_insert_with(|| self.line.clone());
                    self.line.pop();
                }
                // Ctrl-U empties the line where it does anything.
                '\x15' => {
                    self.raw.get_or_insert_with(|| self.line.clone());
                    self.line.clear();
                }
                // Ctrl-D ends what reads an empty line, or does nothing.
                '\x04' if self.is_empty_but_for(ch) => *self = Self { cut: std::mem::take(&mut self.cut), ..Self::default() },
                // Ctrl-C leaves it.
                '\x03' => *self = Self { cut: std::mem::take(&mut self.cut), ..Self::default() },
                '\x1b' => self.escape = Some(String::new()),
                _ if ch.is_control() => self.unknown = true,
                _ => self.push(ch),
            }
        }
        lines
    }

    /// The characters that are whole now; what is none becomes U+FFFD.
    fn decoded(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.cut);
        all.extend_from_slice(bytes);
        let end = whole_end(&all);
        self.cut = all.split_off(end);
        String::from_utf8_lossy(&all).into_owned()
    }

    fn push(&mut self, ch: char) {
        self.line.push(ch);
        if let Some(raw) = &mut self.raw {
            raw.push(ch);
        }
    }

    /// One more character of an escape sequence (ECMA-48 5.4, and what xterm sends for keys).
    fn on_escape(&mut self, ch: char) {
        let Some(sequence) = &mut self.escape else { return };
        sequence.push(ch);
        let ends = match sequence.chars().next() {
            Some('[') => sequence.len() > 1 && ('@'..='~').contains(&ch),
            Some('O') => sequence.len() > 1,
            _ => true,
        };
        if !ends && sequence.len() < ESCAPE_MAX_BYTES {
            return;
        }
        match sequence.as_str() {
            "[200~" => self.pasting = true,
            "[201~" => self.pasting = false,
            _ => self.unknown = true,
        }
        self.escape = None;
    }

    fn assembled(self) -> Assembled {
        let raw = self.raw.filter(|raw| *raw != self.line);
        let unknown = self.unknown || self.escape.is_some() || !self.cut.is_empty();
        let keys = (unknown || raw.is_some()).then_some(self.keys);
        Assembled { text: self.line, raw, unknown, keys }
    }

    /// What is typed and not completed.
    #[must_use]
    pub fn pending(&self) -> Assembled {
        self.clone().assembled()
    }
}

/// Where the bytes end that no further byte can change.
fn whole_end(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut done = 0;
    while let Err(error) = std::str::from_utf8(rest) {
        let bad = error.valid_up_to() + error.error_len().unwrap_or_default();
        done += bad;
        if error.error_len().is_none() {
            return done;
        }
        rest = rest.get(bad..).unwrap_or_default();
    }
    bytes.len()
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_bytes() {
        assert_eq!(bytes("ctrl-c", false, "\r"), Some(vec![3]));
        assert_eq!(bytes("Up", true, "\r"), Some(b"\x1bOA".to_vec()));
        assert_eq!(bytes("enter", false, "\r\n"), Some(b"\r\n".to_vec()));
        assert_eq!(bytes("f12", false, "\r"), Some(b"\x1b[24~".to_vec()));
        assert_eq!(bytes("alt-b", false, "\r"), Some(b"\x1bb".to_vec()));
        for unknown in ["f0", "f13", "ctrl-", "ctrl-ab", "hyper-x", ""] {
            assert_eq!(bytes(unknown, false, "\r"), None, "{unknown}");
        }
    }

    fn line(text: &str, raw: Option<&str>, unknown: bool) -> Assembled {
        Assembled { text: text.to_owned(), raw: raw.map(str::to_owned), unknown, keys: None }
    }

    fn strange(text: &str, raw: Option<&str>, unknown: bool, keys: &str) -> Assembled {
        Assembled { keys: Some(keys.to_owned()), ..line(text, raw, unknown) }
    }

    #[test]
    fn a_line_typed_in_pieces_is_judged_as_the_device_sees_it() {
        let mut typed = LineAssembler::default();
        assert!(typed.on_typed(b"relo").is_empty());
        assert!(typed.on_typed(b"adx\x7f").is_empty());
        assert_eq!(typed.on_typed(b"\r\n"), [strange("reload", Some("reloadx"), false, "reloadx\x7f")]);
        assert_eq!(typed.on_typed(b"rm\t\r"), [strange("rm", None, true, "rm\t")]);
        assert!(typed.on_typed(b"abc\x15").is_empty());
        assert_eq!(typed.pending(), strange("", Some("abc"), false, "abc\x15"));
        assert!(typed.on_typed(b"\x03").is_empty());
        assert_eq!(typed.pending(), line("", None, false));
    }

    #[test]
    fn keys_that_only_the_device_understands_make_the_line_unknown() {
        for keys in ["\x1b[A", "\x1bOA", "\x1b[1;5D", "\x1bb", "\x12re", "\x10", "\x19", "\x1b", "\x1b["] {
            let lines = LineAssembler::default().on_typed(format!("{keys}\r\r").as_bytes());
            assert!(lines.iter().any(|line| line.unknown), "{keys:?}: {lines:?}");
        }
        let mut typed = LineAssembler::default();
        for byte in b"\x1b[A" {
            assert!(typed.on_typed(&[*byte]).is_empty());
        }
        assert_eq!(typed.on_typed(b"\r"), [strange("", None, true, "\x1b[A")], "split anywhere");
    }

    #[test]
    fn a_paste_is_one_line_however_many_it_has() {
        let mut typed = LineAssembler::default();
        assert!(typed.on_typed(b"\x1b[200~echo '\nrm -rf /\r\n'\x1b[201~").is_empty());
        assert_eq!(typed.on_typed(b"\r"), [line("echo '\nrm -rf /\n'", None, false)]);
    }
}
