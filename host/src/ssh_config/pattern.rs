//! Patterns with `*` and `?`, and lists of them with `!`.

use crate::wildcard::fits;

/// Bytes of one pattern in a list. OpenSSH takes the whole list for one that fits nothing when one of its patterns is longer.
const LISTED_MAX_BYTES: usize = 1023;

/// Does the comma-separated list fit the text? A negated pattern that fits decides against it.
pub(super) fn list_fits(text: &str, list: &str) -> bool {
    let mut found = false;
    // A comma at the end begins no further pattern.
    for pattern in list.strip_suffix(',').unwrap_or(list).split(',') {
        let (negated, pattern) = negation(pattern);
        if pattern.len() >= LISTED_MAX_BYTES {
            return false;
        }
        if fits(pattern, text) {
            if negated {
                return false;
            }
            found = true;
        }
    }
    found && !list.is_empty()
}

/// As [`list_fits`], for names of hosts: case does not count.
pub(super) fn host_list_fits(host: &str, list: &str) -> bool {
    list_fits(&host.to_ascii_lowercase(), &list.to_ascii_lowercase())
}

/// Does a `Host` line fit? It has words instead of a list, and they are taken as they are written.
pub(super) fn host_line_fits(name: &str, patterns: &[String]) -> bool {
    let mut found = false;
    for pattern in patterns {
        let (negated, pattern) = negation(pattern);
        if fits(pattern, name) {
            if negated {
                return false;
            }
            found = true;
        }
    }
    found
}

/// Is it the name of one host, and not a pattern for several?
pub(super) fn is_name(pattern: &str) -> bool {
    !pattern.is_empty()
        && !pattern.contains(['*', '?', '!', '/'])
        && !pattern.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

fn negation(pattern: &str) -> (bool, &str) {
    pattern.strip_prefix('!').map_or((false, pattern), |pattern| (true, pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (text, pattern, expected) in [
            ("web1", "web1", true),
            ("web1", "web", false),
            ("web1", "w*1", true),
            ("web1", "web?", true),
            ("web1", "web1?", false),
            ("web1", "web1*", true),
            ("WEB1", "web1", false),
            ("", "*", true),
            ("", "", true),
            ("a", "", false),
            ("abcabd", "*ab?", true),
            ("aXbXc", "a*b*c", true),
            ("aaab", "*ab*", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{text} {pattern}");
        }
        // A matcher that tries every star again would not come back.
        assert!(!fits(format!("{}b", "a*".repeat(500)), "a".repeat(1000)));
    }

    #[test]
    fn a_negated_pattern_decides_wherever_it_stands() {
        for (list, expected) in [
            ("a,h", true),
            ("!h,*", false),
            ("*,!h", false),
            ("!a,h", true),
            ("!a", false),
            ("", false),
            ("h,", true),
            ("H", true),
            (",", false),
        ] {
            assert_eq!(host_list_fits("h", list), expected, "{list}");
        }
        assert!(!list_fits("h", &format!("h,{}", "x".repeat(2000))));
        let line = |patterns: &[&str]| host_line_fits("h", &patterns.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert!(line(&["a", "h"]) && line(&["!a", "*"]) && !line(&["!h", "*"]) && !line(&["*", "!h"]) && !line(&["a,h"]) && !line(&["!a"]));
    }
}
