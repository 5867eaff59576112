//! A rule, and the text that the host makes of `[[policy.rule]]`.
//!
//! Each line is a word and its value; `rule NAME` begins one. A word may stand several times: any of its values fits then.

use jackfield_plugin::Effect;

use crate::pattern::Pattern;
use crate::scope::{Hours, Scope};

/// A rule of the operator.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) effect: Effect,
    /// What to tell the caller.
    pub(crate) reason: String,
    pub(crate) scope: Scope,
    /// The commands that it means; none means any.
    pub(crate) patterns: Vec<Pattern>,
}

/// Reads all of them.
pub(crate) fn read(text: &str) -> Result<Vec<Rule>, String> {
    let mut rules: Vec<Rule> = Vec::new();
    for line in text.lines() {
        let (word, value) = line.split_once(' ').ok_or_else(|| format!("`{line}` is no word with a value"))?;
        if word == "rule" {
            rules.push(Rule {
                name: value.to_owned(),
                effect: Effect::Deny,
                reason: String::new(),
                scope: Scope::default(),
                patterns: Vec::new(),
            });
            continue;
        }
        let rule = rules.last_mut().ok_or_else(|| format!("`{line}` stands before the first rule"))?;
        take(rule, word, value).map_err(|why| format!("rule `{}`: {why}", rule.name))?;
    }
    Ok(rules)
}

fn take(rule: &mut Rule, word: &str, value: &str) -> Result<(), String> {
    let value = value.to_owned();
    match word {
        "effect" => {
            rule.effect = match value.as_str() {
                "allow" => Effect::Allow,
                "ask" => Effect::Ask,
                "deny" => Effect::Deny,
                _ => return Err(format!("`effect` is `allow`, `ask` or `deny`, not `{value}`")),
            };
        }
        "match" => rule.patterns.push(Pattern::expression(&value)?),
        "command" => rule.patterns.push(Pattern::words(&value)),
        "reason" => rule.reason = value,
        "lane" => rule.scope.lanes.push(value),
        "device" => rule.scope.devices.push(value),
        "tag" => rule.scope.tags.push(value),
        "type" => rule.scope.types.push(value),
        "mode" => rule.scope.modes.push(value),
        "caller" => rule.scope.callers.push(value),
        "day" => rule.scope.days.push(value),
        "hours" => rule.scope.hours.push(Hours::read(&value)?),
        _ => return Err(format!("`{word}` is not known; the host and this plugin are of different releases")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_line_by_line() {
        let rules =
            read("rule a\neffect allow\nmatch show .*\ncommand write memory\nday mon\nhours 08:00-18:00\nrule b\neffect ask").unwrap();
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(rules[0].patterns.len(), 2);
        assert_eq!(rules[1].effect, Effect::Ask);
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_names_the_rule() {
        for (text, part) in [
            ("effect allow", "before the first rule"),
            ("rule a\neffect maybe", "rule `a`: `effect` is"),
            ("rule a\nmatch (", "rule `a`: "),
            ("rule a\nhours 25:00-26:00", "rule `a`: "),
            ("rule a\ncolour red", "`colour` is not known"),
            ("rule", "no word with a value"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }
}
