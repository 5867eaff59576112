//! What holds for any rules and any line.

use jackfield_plugin::Fact;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::rule::read;

const WORDS: &str = "show|sh|reload|rel|write|wr|memory|ip|route|rm|-rf|/|…|> /etc/x|reboot|é|";

fn words(most: usize) -> impl Strategy<Value = String> {
    vec(prop::sample::select(WORDS.split('|').collect::<Vec<_>>()), 0..most).prop_map(|words| words.join(" "))
}

/// A line of a rule's text, most of them such as the host writes.
fn setting() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["effect allow", "effect ask", "effect deny"]).prop_map(str::to_owned),
        words(4).prop_map(|words| format!("command {words}")),
        prop::sample::select(vec!["show .*", "re.*", ".*", "rel(oad)?", "(a|b)+c", "[^x]*", "(?i)SHOW ip", "rm -rf .*"])
            .prop_map(|pattern| format!("match {pattern}")),
        "[a-z*]{0,6}".prop_map(|glob| format!("device {glob}")),
        prop::sample::select(vec![
            "lane read",
            "lane change",
            "day mon",
            "hours 08:00-18:00",
            "hours 22:00-06:00",
            "mode exec",
            "tag core"
        ])
        .prop_map(str::to_owned),
        "[ -~]{1,20}",
    ]
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    vec(vec(setting(), 0..5).prop_map(|settings| ["rule r".to_owned()].into_iter().chain(settings).collect::<Vec<_>>().join("\n")), 0..6)
}

fn request(command: &str, commands: &[String], lane: &str, shortens: bool) -> Request {
    let fact = |name: &str, value: &str| Fact { name: name.to_owned(), value: value.to_owned() };
    let mut facts: Vec<Fact> = commands.iter().map(|command| fact("command", command)).collect();
    facts.extend([fact("lane", lane), fact("day", "mon"), fact("time", "12:00"), fact("tag", "core")]);
    if shortens {
        facts.push(fact("shortens", "yes"));
    }
    Request {
        device: "core-sw1".to_owned(),
        device_type: "cisco_ios".to_owned(),
        mode: "exec".to_owned(),
        privileged: false,
        command: command.to_owned(),
        purpose: "run".to_owned(),
        caller: "test".to_owned(),
        policy_mode: "safe".to_owned(),
        facts,
    }
}

fn strictness(effect: Effect) -> u8 {
    match effect {
        Effect::Abstain => 0,
        Effect::Allow => 1,
        Effect::Ask => 2,
        Effect::Deny => 3,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// More rules are never laxer, and their order does not matter for what comes of them.
    #[test]
    fn the_strictest_rule_wins_in_any_order(
        texts in rules(),
        command in words(6),
        commands in vec(words(4), 0..4),
        lane in prop::sample::select(vec!["read", "change", "destructive"]),
        shortens in any::<bool>(),
    ) {
        let request = request(&command, &commands, lane, shortens);
        let known: Vec<&String> = texts.iter().filter(|text| read(text).is_ok()).collect();
        let of = |texts: &[&String]| {
            let joined: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
            decide(&read(&joined.join("\n")).unwrap_or_default(), &request).effect
        };
        let all = of(&known);
        let strictest = known.iter().map(|text| strictness(of(&[text]))).max().unwrap_or_default();
        prop_assert_eq!(strictness(all), strictest);
        let turned: Vec<&String> = known.iter().rev().copied().collect();
        prop_assert_eq!(all, of(&turned));
    }

    /// A rule that stops a command stops it shortened as well, and beside others.
    #[test]
    fn what_is_stopped_is_stopped_shortened_and_in_company(
        full in vec(prop::sample::select(vec!["reload", "write", "erase", "configure", "delete"]), 1..4),
        lengths in vec(1_usize..10, 4),
        others in vec(words(4), 0..3),
    ) {
        let rules = read(&format!("rule r\neffect deny\ncommand {}", full.join(" "))).unwrap_or_default();
        prop_assert_eq!(rules.len(), 1);
        let short: Vec<&str> = full.iter().zip(&lengths).map(|(word, length)| word.get(..*length).unwrap_or(word)).collect();
        let commands: Vec<String> = others.into_iter().chain([short.join(" ")]).collect();
        let effect = decide(&rules, &request(&commands.join("; "), &commands, "change", true)).effect;
        prop_assert_eq!(effect, Effect::Deny);
    }

    #[test]
    fn any_text_of_rules_is_read_or_refused(text in "[ -~\n]{0,200}", command in "\\PC{0,60}") {
        if let Ok(rules) = read(&text) {
            decide(&rules, &request(&command, std::slice::from_ref(&command), "change", true));
        }
    }
}
