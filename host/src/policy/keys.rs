//! Named keys, and the line that typed pieces make up.

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
    /// History or completion changed the line: what it is then is not known.
    unknown: bool,
}

/// A line that typing completes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// Its text as far as it is known.
    pub text: String,
    /// Keys were used that change the line in a way that only the device knows.
    pub unknown: bool,
}

impl LineAssembler {
    /// Takes typed bytes; gives the lines that they complete.
    pub fn on_typed(&mut self, bytes: &[u8]) -> Vec<Assembled> {
        let mut lines = Vec::new();
        let text = String::from_utf8_lossy(bytes);
        let mut previous = ' ';
        for ch in text.chars() {
            match ch {
                '\n' if previous == '\r' => {}
                '\r' | '\n' => lines.push(Assembled { text: std::mem::take(&mut self.line), unknown: std::mem::take(&mut self.unknown) }),
                '\x08' | '\x7f' => drop(self.line.pop()),
                // These empty the line or leave it: Ctrl-C, Ctrl-U.
                '\x03' | '\x15' => *self = Self::default(),
                '\t' | '\x1b' => self.unknown = true,
                _ if ch.is_control() => self.unknown = true,
                _ => self.line.push(ch),
            }
            previous = ch;
        }
        lines
    }

    /// What is typed and not completed.
    #[must_use]
    pub fn pending(&self) -> Assembled {
        Assembled { text: self.line.clone(), unknown: self.unknown }
    }
}

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

    #[test]
    fn a_line_typed_in_pieces_is_judged_as_the_device_sees_it() {
        let mut line = LineAssembler::default();
        assert!(line.on_typed(b"relo").is_empty());
        assert!(line.on_typed(b"adx\x7f").is_empty());
        assert_eq!(line.on_typed(b"\r\n"), [Assembled { text: "reload".to_owned(), unknown: false }]);
        assert_eq!(line.on_typed(b"rm\t\r"), [Assembled { text: "rm".to_owned(), unknown: true }]);
        assert!(line.on_typed(b"abc\x15").is_empty());
        assert_eq!(line.pending().text, "");
    }
}
