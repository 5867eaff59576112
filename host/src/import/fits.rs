//! What fits into our configuration: its own rules for single values, and the nearest value that they take.

use crate::config::{self, DELAY_MAX, NAME_MAX_BYTES, is_name_byte};

pub(super) use crate::config::{is_host, is_plain as is_name, is_variable};

/// The nearest name that fits: other signs become `-`.
pub(super) fn name_like(wanted: &str) -> String {
    let fitting: String = wanted.chars().map(|letter| if letter.is_ascii() && is_name_byte(letter as u8) { letter } else { '-' }).collect();
    let mut name: String = fitting.trim_start_matches(['-', '.']).chars().take(NAME_MAX_BYTES).collect();
    name.truncate(name.trim_end_matches('-').len());
    if name.is_empty() { "device".to_owned() } else { name }
}

/// The same with a number behind it, within the length.
pub(super) fn numbered(name: &str, number: usize) -> String {
    let tail = format!("-{number}");
    let head: String = name.chars().take(NAME_MAX_BYTES.saturating_sub(tail.len())).collect();
    format!("{head}{tail}")
}

/// Is this a login name?
pub(super) fn is_user(user: &str) -> bool {
    is_text(user) && config::is_user(user)
}

/// Is this a text that a value may be?
pub(super) fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

/// Why a path cannot be taken, if it cannot.
pub(super) fn wrong_path(path: &str) -> Option<&'static str> {
    let mut letters = path.chars();
    let is_drive = letters.next().is_some_and(|first| first.is_ascii_alphabetic()) && letters.next() == Some(':');
    if !is_text(path) {
        Some("it is no path")
    } else if is_drive || path.contains('\\') || path.contains('%') {
        Some("it is a path of Windows; copy the file, and write where it is now")
    } else if path.starts_with('~') && path != "~" && !path.starts_with("~/") {
        Some("it begins with the home folder of another user; write the whole path")
    } else {
        None
    }
}

/// A duration in milliseconds as ours are written, when it is none that is too long.
pub(super) fn delay(milliseconds: u64) -> Option<String> {
    match milliseconds.div_ceil(1000) {
        0 => Some("never".to_owned()),
        seconds if seconds > DELAY_MAX.as_secs() => None,
        seconds if seconds % 3600 == 0 => Some(format!("{}h", seconds / 3600)),
        seconds if seconds % 60 == 0 => Some(format!("{}m", seconds / 60)),
        seconds => Some(format!("{seconds}s")),
    }
}

/// What stands between double quotes at the begin, with the escapes that shells and `.env` files know.
pub(super) fn double_quoted(value: &str) -> String {
    let mut out = String::new();
    let mut letters = value.chars().skip(1);
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('n') => out.push('\n'),
                Some(escaped @ ('"' | '\\' | '$' | '`')) => out.push(escaped),
                Some(other) => out.extend(['\\', other]),
                None => break,
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_name_that_fits() {
        for (wanted, expected) in [
            ("web1", "web1"),
            ("sw 1/core", "sw-1-core"),
            ("-x", "x"),
            ("..", "device"),
            ("", "device"),
            ("b\u{fc}ro", "b-ro"),
            ("fe80::1", "fe80--1"),
        ] {
            assert_eq!(name_like(wanted), expected, "{wanted}");
            assert!(is_name(&name_like(wanted)), "{wanted}");
        }
        assert!(is_name(&name_like(&"a".repeat(300))));
        assert!(is_name(&numbered(&"a".repeat(64), 12)));
    }

    #[test]
    fn delays_are_written_as_ours() {
        for (milliseconds, expected) in
            [(0, Some("never")), (1_800_000, Some("30m")), (7_200_000, Some("2h")), (1500, Some("2s")), (u64::MAX, None)]
        {
            assert_eq!(delay(milliseconds).as_deref(), expected);
        }
    }

    #[test]
    fn paths_of_other_systems_are_refused() {
        for wrong in ["C:/Users/you/.ssh/id_rsa", r"keys\id", "%USERPROFILE%/id", "~bob/.ssh/id", "", "a\nb"] {
            assert!(wrong_path(wrong).is_some(), "{wrong}");
        }
        for right in ["~/.ssh/id_ed25519", "/etc/keys/a", "keys/a"] {
            assert_eq!(wrong_path(right), None, "{right}");
        }
    }
}
