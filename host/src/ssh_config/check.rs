//! Checks values of which nothing more is wanted, so that a line which OpenSSH refuses is refused here.

use super::keyword::Check;
use super::value;

/// Names of service classes and types of service.
const CLASSES: [&str; 26] = [
    "af11",
    "af12",
    "af13",
    "af21",
    "af22",
    "af23",
    "af31",
    "af32",
    "af33",
    "af41",
    "af42",
    "af43",
    "cs0",
    "cs1",
    "cs2",
    "cs3",
    "cs4",
    "cs5",
    "cs6",
    "cs7",
    "ef",
    "le",
    "lowdelay",
    "throughput",
    "reliability",
    "none",
];
/// The least amount of data between two exchanges of keys, unless it is 0.
const REKEY_MIN: u64 = 16;
/// The largest number of a tunnel device.
const TUNNEL_MAX: u32 = 0x7fff_ffff - 2;

/// How many of the arguments belong to the value, or what is wrong with them.
pub(super) fn check(check: Check, words: &[String]) -> Result<usize, String> {
    let first = words.first().map(String::as_str).unwrap_or_default();
    let second = words.get(1).map(String::as_str);
    let bad = |what: &str| Err(format!("`{first}` is not {what}"));
    if first.is_empty() {
        return Err("an argument is missing".to_owned());
    }
    match check {
        Check::AddKeys => match (first.to_ascii_lowercase().as_str(), second) {
            ("confirm", Some(time)) if value::seconds(time).is_some() => Ok(2),
            ("yes" | "no" | "true" | "false" | "ask" | "confirm", _) => Ok(1),
            _ if value::seconds(first).is_some() => Ok(1),
            _ => bad("`yes`, `no`, `ask`, `confirm` or a time"),
        },
        Check::Persist if matches!(first, "yes" | "no" | "true" | "false") || value::seconds(first).is_some() => Ok(1),
        Check::Persist => bad("`yes`, `no` or a time"),
        Check::Escape if is_escape(first) => Ok(1),
        Check::Escape => bad("one character, `^` and a letter, or `none`"),
        Check::Octal if u32::from_str_radix(first, 8).is_ok_and(|mask| mask <= 0o777) => Ok(1),
        Check::Octal => bad("an octal mask"),
        Check::PermitRemoteOpen => permitted(words),
        Check::Rekey => rekey(first, second),
        Check::ServiceClass if !is_class(first) => bad("a service class"),
        Check::ServiceClass => match second {
            Some(other) if !is_class(other) => Err(format!("`{other}` is not a service class")),
            other => Ok(1 + usize::from(other.is_some())),
        },
        Check::Tunnel if is_device(first) => Ok(1),
        Check::Tunnel => bad("a tunnel device"),
    }
}

fn is_escape(word: &str) -> bool {
    let control = |byte: &u8| (64..128).contains(byte);
    word.len() == 1 || word == "none" || matches!(word.as_bytes(), [b'^', letter] if control(letter))
}

fn is_class(word: &str) -> bool {
    let digits = word.strip_prefix("0x").map_or_else(|| word.parse::<u8>().is_ok(), |digits| u8::from_str_radix(digits, 16).is_ok());
    digits || CLASSES.iter().any(|class| class.eq_ignore_ascii_case(word))
}

fn is_device(word: &str) -> bool {
    let one = |word: &str| word.eq_ignore_ascii_case("any") || value::number(word).is_some_and(|number| number <= TUNNEL_MAX);
    word.split_once(':').map_or_else(|| one(word), |(ours, theirs)| one(ours) && one(theirs))
}

fn permitted(words: &[String]) -> Result<usize, String> {
    for word in words {
        if matches!(word.as_str(), "any" | "none") {
            if words.len() > 1 {
                return Err(format!("`{word}` must stand alone"));
            }
            continue;
        }
        let rest = if word.starts_with('[') {
            word.split_once(']').map(|(_, rest)| rest)
        } else {
            word.find([':', '/']).and_then(|at| word.get(at..))
        };
        let port = rest.and_then(|rest| rest.strip_prefix(':'));
        if !port.is_some_and(|port| port == "*" || value::port(port).is_some()) {
            return Err(format!("`{word}` is not a host and a port"));
        }
    }
    Ok(words.len())
}

fn rekey(amount: &str, time: Option<&str>) -> Result<usize, String> {
    if !amount.eq_ignore_ascii_case("default") {
        let digits = amount.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let factor = match amount.strip_prefix(digits).unwrap_or_default() {
            "" => Some(1),
            "k" | "K" => Some(1_u64 << 10),
            "m" | "M" => Some(1 << 20),
            "g" | "G" => Some(1 << 30),
            _ => None,
        };
        // A unit alone is nothing of it.
        let number = if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
        let bytes = number.zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
        match bytes {
            None => return Err(format!("`{amount}` is not a number of bytes")),
            Some(bytes) if bytes != 0 && bytes < REKEY_MIN => return Err(format!("`{amount}` is less than {REKEY_MIN} bytes")),
            Some(_) => {}
        }
    }
    match time {
        Some(time) if !time.eq_ignore_ascii_case("none") && value::seconds(time).is_none() => Err(format!("`{time}` is not a time")),
        time => Ok(1 + usize::from(time.is_some())),
    }
}

/// Is it a path, or a variable with a name that variables have?
pub(super) fn is_agent(word: &str) -> bool {
    let named = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word.strip_prefix('$').is_none_or(|name| name.starts_with('{') || named(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn values_of_no_use_are_checked_all_the_same() {
        for (kind, good, bad) in [
            (Check::AddKeys, &["yes", "ask", "confirm", "confirm 1h", "90"][..], &["maybe"][..]),
            (Check::Persist, &["yes", "4h", "0"], &["YES", "x"]),
            (Check::Escape, &["~", "^x", "none"], &["xx", "^é"]),
            (Check::Octal, &["0177"], &["8", "-1"]),
            (Check::PermitRemoteOpen, &["any", "none", "a:1 b:*", "[::1]:5", ":1"], &["any a:1", "a", "::1", "a/1"]),
            (Check::Rekey, &["1G 1h", "default none", "0", "16", "K"], &["15", "1X", "1G x"]),
            (Check::ServiceClass, &["af21", "ef cs1", "0x10", "none"], &["af", "ef x", "256"]),
            (Check::Tunnel, &["any", "0:1", "any:any"], &["x", "1:x"]),
        ] {
            for text in good {
                assert_eq!(check(kind, &words(text)), Ok(words(text).len()), "{kind:?} {text}");
            }
            for text in bad {
                assert!(check(kind, &words(text)).is_err(), "{kind:?} {text}");
            }
        }
    }

    #[test]
    fn an_agent_is_a_path_or_a_variable() {
        for (word, expected) in [("~/a", true), ("$SOCK", true), ("${SOCK}/a", true), ("none", true), ("$a-b", false), ("$", false)] {
            assert_eq!(is_agent(word), expected, "{word}");
        }
    }
}
