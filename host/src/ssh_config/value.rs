//! Numbers, times, ports and other words that an argument may be.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::limits::SSH_CONFIG_TABLE_MAX_BYTES;

/// The largest number that OpenSSH takes.
const NUMBER_MAX: u32 = i32::MAX.unsigned_abs();

/// A number of at most 31 bits. As in C, blanks and a `+` before it are taken.
pub(super) fn number(text: &str) -> Option<u32> {
    // `-0` is a number that is not below zero.
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u32 = digits.parse().ok()?;
    (value <= NUMBER_MAX && (!negative || value == 0)).then_some(value)
}

/// Seconds of `1h30m`, `90` and the like.
pub(super) fn seconds(text: &str) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    let mut total: u32 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        let mut units = after.chars();
        let unit: u32 = match units.next() {
            None | Some('s' | 'S') => 1,
            Some('m' | 'M') => 60,
            Some('h' | 'H') => 60 * 60,
            Some('d' | 'D') => 24 * 60 * 60,
            Some('w' | 'W') => 7 * 24 * 60 * 60,
            Some(_) => return None,
        };
        let part = number(digits)?.checked_mul(unit).filter(|part| *part <= NUMBER_MAX)?;
        total = total.checked_add(part).filter(|total| *total <= NUMBER_MAX)?;
        rest = units.as_str();
    }
    Some(total)
}

/// A port from 0: its number, or the name of a TCP service.
pub(super) fn port_or_zero(text: &str) -> Option<u16> {
    number(text).and_then(|number| u16::try_from(number).ok()).or_else(|| service(text, Path::new("/etc/services")))
}

/// A port, which is not 0.
pub(super) fn port(text: &str) -> Option<u16> {
    port_or_zero(text).filter(|port| *port > 0)
}

/// Looks a service's name up in the machine's table.
fn service(name: &str, table: &Path) -> Option<u16> {
    // Nothing else is a name, and most files have none: do not open the table for every bad number.
    if !name.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
        return None;
    }
    table_lines(table).lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let (first, entry) = (words.next()?, words.next()?);
        let (port, protocol) = entry.split_once('/')?;
        (protocol == "tcp" && (first == name || words.any(|alias| alias == name))).then(|| port.parse().ok()).flatten()
    })
}

/// The text of one of the machine's tables, up to a bound; empty when it cannot be read.
pub(super) fn table_lines(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SSH_CONFIG_TABLE_MAX_BYTES).read_to_end(&mut bytes));
    if read.is_ok() { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() }
}

/// A name of a domain as OpenSSH takes it, without the dot at its end.
pub(super) fn domain(name: &str) -> Option<&str> {
    let starts = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    (starts && letters && !name.contains("..")).then(|| name.strip_suffix('.').unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_sums_of_units() {
        for (text, expected) in [
            ("90", Some(90)),
            ("1h30m5", Some(5405)),
            ("1W2D", Some(777_600)),
            ("0", Some(0)),
            ("", None),
            ("m", None),
            ("1x", None),
            ("-1", None),
            ("1 m", None),
            ("2147483647", Some(2_147_483_647)),
            ("2147483648", None),
            ("99999999w", None),
            ("2147483647s1", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn ports_are_numbers_or_services() {
        for (text, expected) in
            [("22", Some(22)), ("+22", Some(22)), (" 22", Some(22)), ("0", None), ("65536", None), ("22x", None), ("-1", None), ("", None)]
        {
            assert_eq!(port(text), expected, "{text}");
        }
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("services");
        std::fs::write(&table, "# names\nssh 22/tcp secure # login\ntftp\t69/udp\nbad\n").unwrap();
        assert_eq!(service("ssh", &table), Some(22));
        assert_eq!(service("secure", &table), Some(22));
        assert_eq!(service("tftp", &table), None);
        assert_eq!(service("ssh", &table.with_file_name("absent")), None);
    }

    #[test]
    fn domains_have_letters_and_single_dots() {
        assert_eq!(domain("a_b.example.com."), Some("a_b.example.com"));
        for bad in ["", ".a", "-a", "a..b", "a b", "::1"] {
            assert_eq!(domain(bad), None, "{bad}");
        }
    }
}
