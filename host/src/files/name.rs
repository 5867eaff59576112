//! Names of files are bytes: any but the zero byte and, within a path, the slash.
//!
//! A name that a reader could not tell from another, or that would not come back as it was (control characters, invisible ones, bytes that are
//! no UTF-8), is shown in the notation of shells, `$'...'`, and taken back in it.

use std::fmt::Write as _;

/// Bytes of a path that is taken from a device or a caller (Linux `PATH_MAX`).
pub const PATH_MAX_BYTES: usize = 4096;
/// Bytes of a name (Linux `NAME_MAX`).
pub const NAME_MAX_BYTES: usize = 255;

/// Characters that show nothing, or turn what stands beside them around.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A name or path as a reader sees it.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains(is_invisible)
        && !text.starts_with("$'")
    {
        return text.to_owned();
    }
    let mut out = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\'' | '\\' => out.extend(['\\', letter]),
                letter if is_invisible(letter) => letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| hex(&mut out, byte)),
                letter => out.push(letter),
            }
        }
        chunk.invalid().iter().for_each(|byte| hex(&mut out, *byte));
    }
    out.push('\'');
    out
}

fn hex(out: &mut String, byte: u8) {
    let _ = write!(out, "\\x{byte:02x}");
}

/// The path that a caller gave: as it is, or in the notation that [`shown`] uses.
///
/// # Errors
///
/// What is wrong with it.
pub fn given(text: &str) -> Result<Vec<u8>, String> {
    let bytes = match text.strip_prefix("$'").and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => unquoted(inner)?,
        None => text.as_bytes().to_vec(),
    };
    if bytes.is_empty() {
        return Err("a path is empty; give one, for example `/etc/hosts`, or `.` for the account's own folder".to_owned());
    }
    if bytes.contains(&0) {
        return Err(format!("`{}` holds a zero byte, which no path has", text.escape_debug()));
    }
    if bytes.len() > PATH_MAX_BYTES {
        return Err(format!("a path has {} bytes, at most {PATH_MAX_BYTES} are taken", bytes.len()));
    }
    Ok(bytes)
}

fn unquoted(inner: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match letters.next() {
            Some('n') => out.push(b'\n'),
            Some('t') => out.push(b'\t'),
            Some('r') => out.push(b'\r'),
            Some(same @ ('\'' | '\\')) => out.extend_from_slice(same.encode_utf8(&mut [0; 4]).as_bytes()),
            Some('x') => {
                let digits: String = letters.by_ref().take(2).collect();
                let byte = u8::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 2);
                out.push(
                    byte.ok_or_else(|| format!("`\\x{digits}` in a path is no byte; write two hexadecimal digits, for example `\\xff`"))?,
                );
            }
            other => {
                let other = other.map(String::from).unwrap_or_default();
                return Err(format!("`\\{other}` in a path is not known; known are \\n \\t \\r \\' \\\\ and \\x with two digits"));
            }
        }
    }
    Ok(out)
}

/// A name out of a listing may be used: it is one name, and leads nowhere else.
#[must_use]
pub fn is_single(name: &[u8]) -> bool {
    !name.is_empty() && name.len() <= NAME_MAX_BYTES && name != b"." && name != b".." && !name.contains(&b'/') && !name.contains(&0)
}

/// A folder and a name in it.
#[must_use]
pub fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() {
        return name.to_vec();
    }
    let folder = if folder == b"/" { b"" } else { folder.strip_suffix(b"/").unwrap_or(folder) };
    [folder, b"/", name].concat()
}

/// The folder that a path lies in, and its last name. `None` for the root and for what ends in `.` or `..`.
#[must_use]
pub fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let trimmed = match path.iter().rposition(|byte| *byte != b'/') {
        Some(last) => path.get(..=last)?,
        None => return None,
    };
    let (folder, name) = match trimmed.iter().rposition(|byte| *byte == b'/') {
        Some(0) => (b"/".as_slice(), trimmed.get(1..)?),
        Some(at) => (trimmed.get(..at)?, trimmed.get(at + 1..)?),
        None => (b".".as_slice(), trimmed),
    };
    is_single(name).then_some((folder, name))
}

/// The same of a path below some folder, as it stands: neither is looked at, and a single name lies in the folder itself.
#[must_use]
pub fn split_inside(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
        None => (b"", path),
    }
}

/// The name of a companion of a file in the same folder: `.NAME.jackfield-WHAT`, the name cut where it would be too long.
#[must_use]
pub fn companion(name: &[u8], what: &str) -> Vec<u8> {
    let end = format!(".jackfield-{what}");
    let room = NAME_MAX_BYTES.saturating_sub(end.len() + 1);
    // A cut name is told from its like by what was cut off.
    let kept = match name.get(..room) {
        Some(_) if name.len() > room => {
            let print = sha2_hex(name);
            let short = name.get(..room.saturating_sub(17)).unwrap_or_default();
            [short, b"~", print.get(..16).unwrap_or_default().as_bytes()].concat()
        }
        _ => name.to_vec(),
    };
    [b".".as_slice(), &kept, end.as_bytes()].concat()
}

/// The path of such a companion. `None` where the path names no file.
#[must_use]
pub fn beside(path: &[u8], what: &str) -> Option<Vec<u8>> {
    let (folder, name) = split(path)?;
    Some(join(folder, &companion(name, what)))
}

/// A part of a name that nobody guesses.
#[must_use]
pub fn random() -> String {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => crate::hex::digits(&bytes),
        // The name is made exclusively anyway.
        Err(_) => format!("{:x}", chrono::Utc::now().timestamp_nanos_opt().unwrap_or_default()),
    }
}

/// The fingerprint of bytes, in hexadecimal digits.
#[must_use]
pub fn sha2_hex(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    crate::hex::digits(&Sha256::digest(bytes))
}

/// A path as one word of a POSIX shell, which no program takes for an option.
#[must_use]
pub fn shell_word(path: &[u8]) -> Vec<u8> {
    let path = if path.starts_with(b"-") { [b"./", path].concat() } else { path.to_vec() };
    let mut out = vec![b'\''];
    for byte in path {
        match byte {
            b'\'' => out.extend_from_slice(br"'\''"),
            byte => out.push(byte),
        }
    }
    out.push(b'\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_as_it_was() {
        for bytes in [
            b"plain".as_slice(),
            b"a b",
            b"-rf",
            b"new\nline",
            b"\xff\xfe",
            b"it's\\",
            b"$'x'",
            "\u{202e}abc".as_bytes(),
            "\u{e4}".as_bytes(),
        ] {
            let text = shown(bytes);
            assert!(!text.contains(is_invisible), "{text:?}");
            assert_eq!(given(&text).unwrap(), bytes, "{text}");
        }
        assert_eq!(shown(b"a\nb\xff"), r"$'a\nb\xff'");
        for wrong in [r"$'\xf'", r"$'\q'", r"$'\x00'", "", "a\0b"] {
            assert!(given(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        for name in [b"".as_slice(), b".", b"..", b"a/b", b"/", b"a\0"] {
            assert!(!is_single(name));
        }
        assert!(is_single(b"...") && is_single(b"-") && is_single(b"\xff"));
    }

    #[test]
    fn a_path_is_a_folder_and_a_name() {
        let parts = |path: &'static str| {
            split(path.as_bytes()).map(|(a, b)| (String::from_utf8_lossy(a).into_owned(), String::from_utf8_lossy(b).into_owned()))
        };
        let some = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(parts("/etc/hosts"), some("/etc", "hosts"));
        assert_eq!(parts("/etc//"), some("/", "etc"));
        assert_eq!(parts("x"), some(".", "x"));
        assert_eq!((parts("/"), parts("a/.."), parts("."), parts("")), (None, None, None, None));
        assert_eq!(join(b"/", b"a"), b"/a");
        assert_eq!(join(b"/b/", b"a"), b"/b/a");
    }

    #[test]
    fn a_companions_name_is_never_too_long_and_differs_by_what_was_cut() {
        let (one, other) = ([b'a'; 255], [[b'a'; 254].as_slice(), b"b"].concat());
        let names = [companion(&one, "part"), companion(&other, "part")];
        assert!(names.iter().all(|name| name.len() <= NAME_MAX_BYTES) && names[0] != names[1]);
        assert_eq!(companion(b"hosts", "part"), b".hosts.jackfield-part");
    }
}
