//! Ranges in names of hosts: `web[01:10]`, `db[a:f]`, `n[0:8:2]`.

use crate::limits::IMPORT_DEVICES_MAX;

/// All names that a pattern stands for.
///
/// # Errors
///
/// A range that cannot be read, or has too many names.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let Some((head, rest)) = pattern.split_once('[') else { return Ok(vec![pattern.to_owned()]) };
    let wrong = || "has a range that cannot be read; ranges are `[01:10]`, `[a:f]` or `[0:8:2]`".to_owned();
    let (range, tail) = rest.split_once(']').ok_or_else(wrong)?;
    let parts: Vec<&str> = range.split(':').collect();
    // An IPv6 address stands in such brackets too.
    if head.is_empty() && (parts.len() > 3 || range.contains("::")) {
        return Ok(vec![pattern.to_owned()]);
    }
    let step: usize = parts.get(2).map_or(Ok(1), |step| step.parse()).map_err(|_| wrong())?;
    let (Some(first), Some(last)) = (parts.first(), parts.get(1)) else { return Err(wrong()) };
    if step == 0 || parts.len() > 3 {
        return Err(wrong());
    }
    let middles = letters(first, last, step).or_else(|| numbers(first, last, step)).ok_or_else(wrong)?;
    let mut names = Vec::new();
    for tail in expand(tail)? {
        names.extend(middles.iter().map(|middle| format!("{head}{middle}{tail}")));
        if names.len() > IMPORT_DEVICES_MAX {
            return Err(format!("has a range with more than {IMPORT_DEVICES_MAX} names"));
        }
    }
    names.sort_by_cached_key(|name| (name.len(), name.clone()));
    Ok(names)
}

fn letters(first: &str, last: &str, step: usize) -> Option<Vec<String>> {
    let single = |text: &str| {
        let mut letters = text.chars();
        letters.next().filter(|letter| letter.is_ascii_alphabetic() && letters.next().is_none())
    };
    let (first, last) = (single(first)?, single(last)?);
    Some((first..=last).step_by(step).map(String::from).collect())
}

fn numbers(first: &str, last: &str, step: usize) -> Option<Vec<String>> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let begin = if first.is_empty() { "0" } else { first };
    if !is_number(begin) || !is_number(last) {
        return None;
    }
    // Zeros in front are the width of all.
    let width = if begin.starts_with('0') { begin.len() } else { 0 };
    let (begin, end): (u64, u64) = (begin.parse().ok()?, last.parse().ok()?);
    let numbers = (begin..=end).step_by(step).take(IMPORT_DEVICES_MAX + 1);
    Some(numbers.map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_all_their_names() {
        let check = |pattern: &str, expected: &[&str]| assert_eq!(expand(pattern).unwrap(), expected, "{pattern}");
        check("web1", &["web1"]);
        check("web[08:11].example.com", &["web08.example.com", "web09.example.com", "web10.example.com", "web11.example.com"]);
        check("db[a:c]", &["dba", "dbb", "dbc"]);
        check("n[0:6:3]", &["n0", "n3", "n6"]);
        check("r[1:2]s[a:b]", &["r1sa", "r1sb", "r2sa", "r2sb"]);
        check("10.0.0.[1:2]", &["10.0.0.1", "10.0.0.2"]);
        check("[2001:db8:0:0:0:0:0:1]", &["[2001:db8:0:0:0:0:0:1]"]);
        check("[fd00::5]:2222", &["[fd00::5]:2222"]);
    }

    #[test]
    fn wrong_and_endless_ranges_are_refused() {
        for pattern in ["web[1:", "web[]", "web[1]", "web[a:9]", "web[1:2:0]", "web[0:99999999]", "a[0:999]b[0:999]"] {
            assert!(expand(pattern).is_err(), "{pattern}");
        }
    }
}
