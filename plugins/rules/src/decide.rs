//! What the rules say together: of those that count the strictest, and of equally strict ones the first.

use jackfield_plugin::{Decision, Effect, Request};

use crate::pattern::{Meant, READINGS_MAX, Reading};
use crate::rule::Rule;
use crate::scope::{fact, facts};

/// What the rules say of a request. What nobody knows the commands of is asked about where a rule might mean one of them.
pub(crate) fn decide(rules: &[Rule], request: &Request) -> Decision {
    let whole = request.command.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = Line::of(request, &whole);
    let said = rules.iter().filter(|rule| rule.scope.holds(rule.effect, request)).filter_map(|rule| said(rule, &line));
    // The contract names effects from the mildest to the strictest.
    let strictest = said.reduce(|kept, next| if next.effect > kept.effect { next } else { kept });
    strictest.unwrap_or_else(|| Decision { effect: Effect::Abstain, rule: String::new(), reason: String::new() })
}

/// What is judged.
struct Line<'a> {
    /// The whole of it on one line, one blank between its words.
    whole: &'a str,
    commands: Vec<&'a str>,
    /// The commands and the whole, as what stops reads them.
    meant: Vec<Meant<'a>>,
    reading: Reading,
    reads: bool,
}

impl<'a> Line<'a> {
    fn of(request: &'a Request, whole: &'a str) -> Self {
        let reading = Reading { shortens: fact(request, "shortens") == Some("yes") };
        let commands: Vec<&str> = facts(request, "command").collect();
        let mut left = READINGS_MAX;
        let meant = commands.iter().copied().chain([whole]).map(|command| Meant::of(command, reading, &mut left)).collect();
        Self { whole, commands, meant, reading, reads: fact(request, "lane") == Some("read") }
    }
}

fn said(rule: &Rule, line: &Line<'_>) -> Option<Decision> {
    let decision = |effect: Effect, reason: &str| {
        let reason = if rule.reason.is_empty() { reason } else { &rule.reason };
        Some(Decision { effect, rule: rule.name.clone(), reason: reason.to_owned() })
    };
    if rule.patterns.is_empty() {
        return decision(rule.effect, default_reason(rule.effect));
    }
    if rule.effect == Effect::Allow {
        let every = |command: &&str| rule.patterns.iter().any(|pattern| pattern.fits(command));
        let fits = !line.commands.is_empty() && line.commands.iter().all(every);
        return if fits { decision(Effect::Allow, default_reason(Effect::Allow)) } else { None };
    }
    let means = line.meant.iter().any(|command| rule.patterns.iter().any(|pattern| pattern.may_fit(command, line.reading)));
    if means {
        return decision(rule.effect, default_reason(rule.effect));
    }
    let untold = line.commands.is_empty() && !line.reads && !line.whole.is_empty();
    if untold { decision(Effect::Ask, "which commands it runs cannot be told, and this rule may mean one of them") } else { None }
}

fn default_reason(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "the operator's rule allows it",
        Effect::Ask => "the operator's rule wants a person to agree",
        Effect::Deny | Effect::Abstain => "the operator's rule forbids it",
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use jackfield_plugin::Fact;

    use super::*;
    use crate::rule::read;

    fn request(command: &str, facts: &[(&str, &str)]) -> Request {
        let fact = |(name, value): &(&str, &str)| Fact { name: (*name).to_owned(), value: (*value).to_owned() };
        Request {
            device: "core-sw1".to_owned(),
            device_type: "cisco_ios".to_owned(),
            mode: "privileged".to_owned(),
            privileged: true,
            command: command.to_owned(),
            purpose: "run".to_owned(),
            caller: "claude-code".to_owned(),
            policy_mode: "safe".to_owned(),
            facts: facts.iter().map(fact).collect(),
        }
    }

    fn told(rules: &str, command: &str, facts: &[(&str, &str)]) -> (Effect, String) {
        let decision = decide(&read(rules).unwrap(), &request(command, facts));
        (decision.effect, decision.rule)
    }

    #[test]
    fn the_strictest_counts_and_then_the_first() {
        let rules = "rule a\neffect allow\nrule q\neffect ask\ncommand reload\nrule d\neffect deny\ntag core\ncommand reload\nrule e\neffect deny\ncommand reload";
        let lane = ("lane", "change");
        assert_eq!(told(rules, "reload", &[lane, ("command", "reload"), ("tag", "core")]), (Effect::Deny, "d".to_owned()));
        assert_eq!(told(rules, "reload", &[lane, ("command", "reload")]), (Effect::Deny, "e".to_owned()));
        assert_eq!(told(rules, "x", &[lane, ("command", "x")]), (Effect::Allow, "a".to_owned()));
        assert_eq!(told("", "x", &[lane]).0, Effect::Abstain);
    }

    #[test]
    fn every_command_must_be_allowed_and_none_denied() {
        let rules = "rule a\neffect allow\nmatch systemctl restart .*\nmatch cd .*";
        let change = ("lane", "change");
        let both = [change, ("command", "cd /srv"), ("command", "systemctl restart nginx")];
        assert_eq!(told(rules, "cd /srv; systemctl restart nginx", &both).0, Effect::Allow);
        assert_eq!(told(rules, "", &[change, ("command", "systemctl restart nginx"), ("command", "touch x")]).0, Effect::Abstain);
        assert_eq!(told(rules, "systemctl restart $(x)", &[change]).0, Effect::Abstain);
        // A pattern that is too wide opens no other lane.
        assert_eq!(told(rules, "", &[("lane", "destructive"), ("command", "systemctl restart x")]).0, Effect::Abstain);
        let wide = "rule a\neffect allow\nlane destructive\nmatch reload";
        assert_eq!(told(wide, "", &[("lane", "destructive"), ("command", "reload")]).0, Effect::Allow);
    }

    #[test]
    fn what_cannot_be_told_is_asked_where_a_rule_may_mean_it() {
        let rules = "rule d\neffect deny\nmatch systemctl stop .*";
        let change = ("lane", "change");
        assert_eq!(told(rules, "systemctl $1 x", &[change]).0, Effect::Ask);
        assert_eq!(told(rules, "kill …", &[change, ("command", "kill …")]).0, Effect::Abstain);
        assert_eq!(told(rules, "cat $(x)", &[("lane", "read")]).0, Effect::Abstain);
    }

    #[test]
    fn bounds_are_places_times_and_callers() {
        let change = ("lane", "change");
        for (bound, facts, holds) in [
            ("device core-*", &[change][..], true),
            ("device edge-*", &[change], false),
            ("type cisco-ios", &[change], true),
            ("mode priv*", &[change], true),
            ("caller codex", &[change], false),
            ("lane read", &[change], false),
            ("day mon\nday tue", &[change, ("day", "tue")], true),
            ("day mon", &[change, ("day", "sun")], false),
            ("hours 08:00-18:00", &[change, ("time", "12:00")], true),
            ("hours 08:00-18:00", &[change, ("time", "03:00")], false),
            // Without a clock it stops all the same.
            ("hours 08:00-18:00", &[change], true),
        ] {
            let (effect, _) = told(&format!("rule d\neffect deny\n{bound}"), "x", facts);
            assert_eq!(effect == Effect::Deny, holds, "{bound}");
        }
        assert_eq!(told("rule a\neffect allow\nhours 08:00-18:00", "x", &[change]).0, Effect::Abstain);
    }
}
