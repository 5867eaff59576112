//! The corpus: lines of real sessions and of attacks, with what they must be. The tables lie in `corpus/`.
//!
//! A line `@ TYPE MODE` chooses the device; `#` begins a remark. Every other line is `VERDICT RULE COMMAND`; `⏎` stands for
//! a newline. The verdicts: `read` is proven; `change` and `privilege` are not and run in mode `safe`; a person is asked in mode
//! `safe` where it is `exfiltration` or `destructive`, or where the guard says `ask` itself; `deny` does not run in mode `safe`.

use jackfield_plugin::{Decision, Effect, Lane, Request};

use crate::decide::{classify, decide};
use crate::family::Setting;

mod properties;

const TABLES: [(&str, &str); 5] = [
    ("posix-read", include_str!("../corpus/posix-read.txt")),
    ("posix-change", include_str!("../corpus/posix-change.txt")),
    ("posix-danger", include_str!("../corpus/posix-danger.txt")),
    ("devices", include_str!("../corpus/devices.txt")),
    ("facts", include_str!("../corpus/facts.txt")),
];

/// A line of the corpus.
struct Line {
    device_type: String,
    mode: String,
    verdict: String,
    rule: String,
    command: String,
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (name, table) in TABLES {
        let (mut device_type, mut mode) = (String::new(), String::new());
        for (number, text) in table.lines().enumerate() {
            let words: Vec<&str> = text.splitn(3, ' ').collect();
            match words.as_slice() {
                ["@", kind, rest] => (device_type, mode) = ((*kind).to_owned(), (*rest).to_owned()),
                ["@", kind] => (device_type, mode) = ((*kind).to_owned(), String::new()),
                [verdict @ ("read" | "change" | "privilege" | "exfiltration" | "destructive" | "ask" | "deny"), rule, command] => lines
                    .push(Line {
                        device_type: device_type.clone(),
                        mode: mode.clone(),
                        verdict: (*verdict).to_owned(),
                        rule: (*rule).to_owned(),
                        command: command.replace('⏎', "\n"),
                    }),
                _ => assert!(text.is_empty() || text.starts_with('#'), "{name}.txt:{}: {text}", number + 1),
            }
        }
    }
    lines
}

/// A caller's request, as the tests of every module make it.
pub(crate) fn request(device_type: &str, mode: &str, command: &str, purpose: &str, policy_mode: &str) -> Request {
    Request {
        device: "web1".to_owned(),
        device_type: device_type.to_owned(),
        mode: mode.to_owned(),
        privileged: false,
        command: command.to_owned(),
        purpose: purpose.to_owned(),
        caller: "test".to_owned(),
        policy_mode: policy_mode.to_owned(),
        facts: Vec::new(),
    }
}

/// What comes of it, with nobody else's rules: what the guard says, else what the host makes of the lane.
fn outcome(request: &Request) -> Effect {
    let (lane, decision) = (classify(request, Setting::Auto), decide(request, Setting::Auto));
    let read = lane.lane == "read";
    match decision.effect {
        Effect::Deny => Effect::Deny,
        _ if request.purpose == "query" && !read => Effect::Deny,
        Effect::Abstain => match (lane.lane.as_str(), request.policy_mode.as_str()) {
            ("read", _) | ("change" | "privilege", "safe") | ("change" | "privilege" | "exfiltration", "full") => Effect::Allow,
            (_, "safe" | "full") => Effect::Ask,
            _ => Effect::Deny,
        },
        said => said,
    }
}

impl Line {
    fn request(&self, purpose: &str, policy_mode: &str) -> Request {
        request(&self.device_type, &self.mode, &self.command, purpose, policy_mode)
    }

    fn lane(&self) -> Lane {
        classify(&self.request("run", "safe"), Setting::Auto)
    }

    fn decision(&self, purpose: &str, policy_mode: &str) -> Decision {
        decide(&self.request(purpose, policy_mode), Setting::Auto)
    }

    /// What it is, as the corpus writes it.
    fn judged(&self) -> (String, String) {
        let (lane, decision) = (self.lane(), self.decision("run", "safe"));
        match decision.effect {
            Effect::Deny => ("deny".to_owned(), decision.rule),
            Effect::Ask => ("ask".to_owned(), decision.rule),
            Effect::Allow | Effect::Abstain => (lane.lane, lane.rule),
        }
    }
}

#[test]
fn every_line_is_judged_as_written() {
    let mut wrong = Vec::new();
    for line in lines() {
        let (verdict, rule) = line.judged();
        let expected =
            if matches!(line.verdict.as_str(), "deny" | "ask") { line.rule.clone() } else { format!("{}.{}", line.verdict, line.rule) };
        if (verdict.as_str(), rule.as_str()) != (line.verdict.as_str(), expected.as_str()) {
            let shown = rule.strip_prefix(&format!("{verdict}.")).unwrap_or(&rule);
            wrong.push(format!("{}: {} {}  ->  {verdict} {shown}   {}", line.device_type, line.verdict, line.rule, line.command));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
