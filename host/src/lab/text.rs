//! Placeholders in texts.

use std::collections::BTreeMap;

/// Replaces `{name}` and `{name:20}` (cut to 20 characters). What is not a known name stays as it is, so that texts with braces
/// need no escapes.
pub(super) fn expand(text: &str, known: impl Fn(&str) -> Option<String>) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('{') {
        done.push_str(before);
        let Some((inside, after)) = from.split_once('}') else {
            done.push('{');
            rest = from;
            continue;
        };
        if let Some(value) = lookup(inside, &known) {
            done.push_str(&value);
            rest = after;
        } else {
            done.push('{');
            rest = from;
        }
    }
    done.push_str(rest);
    done
}

fn lookup(inside: &str, known: &impl Fn(&str) -> Option<String>) -> Option<String> {
    if let Some(value) = known(inside) {
        return Some(value);
    }
    let (name, cut) = inside.rsplit_once(':')?;
    let cut: usize = cut.parse().ok()?;
    Some(known(name)?.chars().take(cut).collect())
}

/// Whether each placeholder has the value asked for; one that does not exist is empty.
pub(super) fn holds(when: &BTreeMap<String, String>, vars: &BTreeMap<String, String>) -> bool {
    when.iter().all(|(name, value)| vars.get(name).map_or("", String::as_str) == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let known = |name: &str| (name == "host").then(|| "lab-sw1".to_owned());
        assert_eq!(expand(text, known), expected, "{text}");
    }

    #[test]
    fn known_names_are_replaced_and_the_rest_stays() {
        check("{host}# ", "lab-sw1# ");
        check("{host:3}(config)#", "lab(config)#");
        check("a { b } {{host}} {other} {", "a { b } {lab-sw1} {other} {");
        check("${host}", "$lab-sw1");
    }

    #[test]
    fn a_missing_placeholder_counts_as_empty() {
        let vars = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let when = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert!(holds(&when("a", "1"), &vars));
        assert!(holds(&when("b", ""), &vars));
        assert!(!holds(&when("a", "2"), &vars));
    }
}
