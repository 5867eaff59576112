//! The corpus: lines of real sessions and of attacks, with what they must be. The tables lie in `corpus/`; of `everyday.txt` all but
//! very few must be reads.
//!
//! A line `@ TYPE MODE` chooses the device; `#` begins a remark. Every other line is `VERDICT RULE COMMAND`; `⏎` stands for
//! a newline, `⇥` for a tab, `‹200b›` for the character of that number. The verdicts: `read` is proven; `change` and `privilege` are not and run in mode `safe`; a person is asked in mode
//! `safe` where it is `exfiltration` or `destructive`, or where the guard says `ask` itself; `deny` does not run in mode `safe`.

use jackfield_plugin::{Decision, Effect, Fact, Lane, Request};

use crate::decide::{classify, decide};
use crate::family::Setting;

mod fuzz;
mod properties;

const TABLES: [(&str, &str); 7] = [
    ("posix-read", include_str!("../corpus/posix-read.txt")),
    ("posix-change", include_str!("../corpus/posix-change.txt")),
    ("posix-danger", include_str!("../corpus/posix-danger.txt")),
    ("devices", include_str!("../corpus/devices.txt")),
    ("families", include_str!("../corpus/families.txt")),
    ("facts", include_str!("../corpus/facts.txt")),
    ("evasions", include_str!("../corpus/evasions.txt")),
];

/// Families whose words are data.
const DECLARED: [(&str, &str); 20] = [
    ("aruba_cx", include_str!("../../declared/types/aruba_cx.toml")),
    ("bird_birdc", include_str!("../../declared/types/bird_birdc.toml")),
    ("checkpoint_gaia", include_str!("../../declared/types/checkpoint_gaia.toml")),
    ("cisco_asa", include_str!("../../declared/types/cisco_asa.toml")),
    ("cisco_nxos", include_str!("../../declared/types/cisco_nxos.toml")),
    ("cisco_wlc", include_str!("../../declared/types/cisco_wlc.toml")),
    ("cisco_xr", include_str!("../../declared/types/cisco_xr.toml")),
    ("dell_os10", include_str!("../../declared/types/dell_os10.toml")),
    ("extreme_exos", include_str!("../../declared/types/extreme_exos.toml")),
    ("f5_tmsh", include_str!("../../declared/types/f5_tmsh.toml")),
    ("fortinet", include_str!("../../declared/types/fortinet.toml")),
    ("hp_comware", include_str!("../../declared/types/hp_comware.toml")),
    ("hp_procurve", include_str!("../../declared/types/hp_procurve.toml")),
    ("huawei_vrp", include_str!("../../declared/types/huawei_vrp.toml")),
    ("juniper_junos", include_str!("../../declared/types/juniper_junos.toml")),
    ("nokia_sros", include_str!("../../declared/types/nokia_sros.toml")),
    ("paloalto_panos", include_str!("../../declared/types/paloalto_panos.toml")),
    ("ubiquiti_edgeswitch", include_str!("../../declared/types/ubiquiti_edgeswitch.toml")),
    ("vyos", include_str!("../../declared/types/vyos.toml")),
    ("windows_openssh", include_str!("../../declared/types/windows_openssh.toml")),
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
    TABLES.into_iter().flat_map(|(name, table)| lines_of(name, table)).collect()
}

fn lines_of(name: &str, table: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mut device_type, mut mode) = (String::new(), String::new());
    for (number, text) in table.lines().enumerate() {
        let words: Vec<&str> = text.splitn(3, ' ').collect();
        match words.as_slice() {
            ["@", kind, rest] => (device_type, mode) = ((*kind).to_owned(), (*rest).to_owned()),
            ["@", kind] => (device_type, mode) = ((*kind).to_owned(), String::new()),
            [verdict @ ("read" | "change" | "privilege" | "exfiltration" | "destructive" | "ask" | "deny"), rule, command] => {
                lines.push(Line {
                    device_type: device_type.clone(),
                    mode: mode.clone(),
                    verdict: (*verdict).to_owned(),
                    rule: (*rule).to_owned(),
                    command: unescaped(command),
                });
            }
            _ => assert!(text.is_empty() || text.starts_with('#'), "{name}.txt:{}: {text}", number + 1),
        }
    }
    lines
}

/// What stands for characters that a table cannot show.
fn unescaped(text: &str) -> String {
    let mut command = String::new();
    let mut rest = text;
    while let Some((before, (number, behind))) = rest.split_once('‹').and_then(|(before, rest)| Some((before, rest.split_once('›')?))) {
        command.push_str(before);
        command.extend(u32::from_str_radix(number, 16).ok().and_then(char::from_u32));
        rest = behind;
    }
    command.push_str(rest);
    command.replace('⏎', "\n").replace('⇥', "\t")
}

/// The facts by which a declared family is judged: what its table says under `[policy]`.
fn declared(device_type: &str) -> Vec<Fact> {
    let Some((_, table)) = DECLARED.iter().find(|(name, _)| *name == device_type) else { return Vec::new() };
    let table: toml::Table = table.parse().unwrap();
    let words = |list: &toml::Value| list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join("\n");
    let facts = table["policy"].as_table().unwrap().iter().filter(|(name, _)| !name.ends_with("_examples"));
    let value = |said: &toml::Value| said.as_str().map_or_else(|| words(said), str::to_owned);
    facts.map(|(name, said)| Fact { name: format!("words.{name}"), value: value(said) }).collect()
}

/// The examples of every table, in the mode that the host shows them in.
#[test]
fn every_example_of_a_table_is_judged_right() {
    let mut wrong = Vec::new();
    for (name, text) in DECLARED {
        let table: toml::Table = text.parse().unwrap();
        let texts = |key: &str| table["policy"][key].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>();
        let mode = texts("modes")[0];
        for (examples, expected) in [("read_examples", Effect::Allow), ("stopped_examples", Effect::Ask)] {
            for example in texts(examples) {
                let request = Request { facts: declared(name), ..request(name, mode, example, "run", "safe") };
                let lane = classify(&request, Setting::Auto);
                let said = outcome(&request);
                let right =
                    said == expected && (expected == Effect::Ask || lane.lane == "read") || said == Effect::Deny && expected == Effect::Ask;
                if !right {
                    wrong.push(format!("{name}: {example}: {said:?} {} {}", lane.lane, lane.rule));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
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
pub(crate) fn outcome(request: &Request) -> Effect {
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
        Request { facts: declared(&self.device_type), ..request(&self.device_type, &self.mode, &self.command, purpose, policy_mode) }
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

/// What an attack is written like. None of it may be typed where only reads may.
#[test]
fn no_evasion_is_a_read() {
    let evasions = lines_of("evasions", include_str!("../corpus/evasions.txt"));
    assert!(evasions.len() > 900, "{}", evasions.len());
    for line in &evasions {
        assert_ne!(line.lane().lane, "read", "{} in {}: {}", line.device_type, line.mode, line.command);
        assert_ne!(outcome(&line.request("query", "full")), Effect::Allow, "{}", line.command);
        assert_ne!(outcome(&line.request("run", "read-only")), Effect::Allow, "{}", line.command);
    }
}

/// Most that may be refused of what people type to look, in hundredths.
const REFUSED_MAX: usize = 2;

#[test]
#[expect(clippy::print_stdout, reason = "the share is for people")]
fn what_people_type_to_look_is_a_read() {
    let (mut all, mut refused) = (0, Vec::new());
    let (mut device_type, mut mode) = ("", "");
    for text in include_str!("../corpus/everyday.txt").lines().filter(|text| !text.is_empty() && !text.starts_with('#')) {
        if let Some(place) = text.strip_prefix("@ ") {
            (device_type, mode) = place.split_once(' ').unwrap_or((place, ""));
            continue;
        }
        let facts = declared(device_type);
        let lane = classify(&Request { facts, ..request(device_type, mode, &unescaped(text), "query", "read-only") }, Setting::Auto);
        all += 1;
        if lane.lane != "read" {
            refused.push(format!("{device_type} in {mode}: {text}  ({})", lane.rule));
        }
    }
    println!("{} of {all} everyday reads are refused:\n{}", refused.len(), refused.join("\n"));
    assert!(all > 300 && refused.len() * 100 < all * REFUSED_MAX, "{} of {all}\n{}", refused.len(), refused.join("\n"));
}
