//! The verdict on a line: what the policy plugins say of it, and what its lane means in the operator's mode where they are silent.

use chrono::Local;

use super::approval::Approval;
use crate::config::PolicyMode;
use crate::limits::COMMAND_MAX_BYTES;
use crate::plugin::device_type::DeviceType;
use crate::plugin::roles::{Decision, Effect, Fact, Lane, Request};
use crate::plugin::session::{Classified, SessionPlugins, compose};

/// What a line is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It must be proven to be a read.
    Query,
    /// A command.
    Run,
    /// Typed into a running program.
    Send,
}

impl Purpose {
    /// All of them, the most usual first.
    pub const ALL: [Self; 3] = [Self::Run, Self::Query, Self::Send];

    /// The word that plugins are told.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Run => "run",
            Self::Send => "send",
        }
    }
}

/// How a line gets to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Typed into a terminal: what reads it may wait for more.
    Typed,
    /// Handed over as a whole: nothing waits for more.
    Whole,
}

/// Who wants to type what, where.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// The device's name.
    pub device: &'a str,
    /// Its tags.
    pub tags: &'a [String],
    /// Its mode.
    pub mode: &'a str,
    /// Commands run with elevated rights.
    pub privileged: bool,
    /// The working directory, where the shell that reads the line has proven it.
    pub cwd: Option<&'a str>,
    /// How it is given.
    pub manner: Manner,
    /// The text.
    pub text: &'a str,
    /// Keys were pressed that change it in a way that only the device knows.
    pub unknown: bool,
    /// What for.
    pub purpose: Purpose,
    /// Who.
    pub caller: &'a str,
}

/// What policy says of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// The kind of line, where it was asked for.
    pub lane: Option<Lane>,
    /// Who let it through that policy wanted asked.
    pub approval: Option<Approval>,
    /// Why the caller wants it, as it says; empty where it said nothing. Nothing is decided by it.
    pub why: String,
}

impl Verdict {
    /// This decision, with nothing else known.
    #[must_use]
    pub fn of(decision: Decision) -> Self {
        Self { decision, lane: None, approval: None, why: String::new() }
    }

    /// May it be typed?
    #[must_use]
    pub fn allows(&self) -> bool {
        self.decision.effect == Effect::Allow
    }

    /// The other one where it is stricter.
    #[must_use]
    pub fn or_stricter(self, other: Self) -> Self {
        if other.is_stricter_than(&self) { other } else { self }
    }

    /// Does it let through less?
    #[must_use]
    pub fn is_stricter_than(&self, other: &Self) -> bool {
        self.strictness() > other.strictness()
    }

    /// What lets through is 0.
    fn strictness(&self) -> u8 {
        match self.decision.effect {
            Effect::Allow => 0,
            Effect::Ask => 1,
            Effect::Deny | Effect::Abstain => 2,
        }
    }

    pub(super) fn deny(rule: &str, reason: String) -> Self {
        Self::of(Decision { effect: Effect::Deny, rule: rule.to_owned(), reason })
    }
}

/// The word of an effect.
#[must_use]
pub fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Abstain => "abstain",
        Effect::Allow => "allow",
        Effect::Ask => "ask",
        Effect::Deny => "deny",
    }
}

/// Asks the policy plugins. A query must be proven to be a read, whatever they decide.
pub async fn judge(plugins: &SessionPlugins, line: &Line<'_>, mode: PolicyMode) -> Verdict {
    if line.text.len() > COMMAND_MAX_BYTES {
        let reason = format!("it has {} bytes, at most {COMMAND_MAX_BYTES} are typed; copy a file instead", line.text.len());
        return Verdict::deny("too-long", reason);
    }
    let mut facts = facts(plugins.kind(), line);
    // What one plugin makes out is of use to another one only.
    let several = plugins.judges() > 1;
    if several {
        facts.push(fact("wants", "commands"));
    }
    let classified = match plugins.classify(&request(plugins.kind(), line, mode, &facts)).await {
        Ok(classified) => classified,
        Err(fault) => return Verdict::deny("fault", format!("a policy plugin that fails denies: {fault}")),
    };
    let (day, time) = if several { now() } else { Default::default() };
    if several {
        facts.extend([fact("day", &day), fact("time", &time)]);
        facts.extend(classified.iter().flat_map(|classified| told(&classified.lane)));
    }
    let mut decision = compose(plugins.decide(&request(plugins.kind(), line, mode, &facts)).await);
    let reads = classified.as_ref().is_some_and(Classified::reads);
    match &classified {
        None => decision = unclassified(decision),
        Some(classified) if line.purpose == Purpose::Query && !reads && decision.effect != Effect::Deny => {
            decision = not_read(classified, mode)
        }
        Some(classified) if decision.effect == Effect::Abstain => decision = by_lane(classified, mode),
        Some(_) => {}
    }
    if line.unknown && line.purpose != Purpose::Send {
        decision = unknown(decision, mode);
    }
    Verdict { lane: classified.map(|classified| classified.lane), ..Verdict::of(decision) }
}

/// A line that nobody can read is a change, and which one is not known.
fn unknown(decision: Decision, mode: PolicyMode) -> Decision {
    let effect = if mode == PolicyMode::Full { Effect::Ask } else { Effect::Deny };
    if decision.effect == Effect::Deny {
        return decision;
    }
    let reason = "keys were pressed that change the line in a way that only the device knows. Write the line out";
    Decision { effect, rule: "unknown-line".to_owned(), reason: reason.to_owned() }
}

fn fact<'a>(name: &'a str, value: &'a str) -> Fact<'a> {
    Fact { name, value }
}

/// Day and time where the host is, as the operator's rules name them.
fn now() -> (String, String) {
    let now = Local::now();
    (now.format("%a").to_string().to_ascii_lowercase(), now.format("%H:%M").to_string())
}

/// What the operator's rules need to know of a line.
fn told(lane: &Lane) -> impl Iterator<Item = Fact<'_>> {
    let commands = lane.commands.iter().map(|command| fact("command", command));
    std::iter::once(fact("lane", &lane.lane)).chain(commands).chain(lane.shortens.then(|| fact("shortens", "yes")))
}

/// No plugin says what kind of line it is. One that lets it through all the same was put there by the operator.
fn unclassified(decision: Decision) -> Decision {
    if decision.effect != Effect::Abstain {
        return decision;
    }
    let reason = "no policy plugin of this device type knows it; add one, `guard` for example, to its `plugins`".to_owned();
    Decision { effect: Effect::Deny, rule: "default".to_owned(), reason }
}

fn not_read(classified: &Classified, mode: PolicyMode) -> Decision {
    let next = if mode == PolicyMode::ReadOnly { "The operator allows reads only here." } else { "Use ssh_run if the change is intended." };
    let reason = format!("Not proven read-only: {}. {next}", classified.lane.reason);
    Decision { effect: Effect::Deny, rule: classified.rule(), reason }
}

/// What a lane means where no plugin and no rule says anything.
fn by_lane(classified: &Classified, mode: PolicyMode) -> Decision {
    let Lane { lane, reason, .. } = &classified.lane;
    let (effect, reason) = match (lane.as_str(), mode) {
        ("read", _) => (Effect::Allow, "it only reads".to_owned()),
        (_, PolicyMode::ReadOnly) => return not_read(classified, mode),
        _ if classified.is_ordinary() || lane == "exfiltration" && mode == PolicyMode::Full => {
            (Effect::Allow, format!("a {lane}, and none that is stopped"))
        }
        // Whatever else destroys, leaves the device, or is of a lane that is not known.
        _ => (Effect::Ask, format!("Needs a person's approval: {reason}")),
    };
    Decision { effect, rule: classified.rule(), reason }
}

/// What plugins are told of a line beside its fields.
fn facts<'a>(kind: &'a DeviceType, line: &Line<'a>) -> Vec<Fact<'a>> {
    let tags = line.tags.iter().map(|tag| fact("tag", tag));
    let whole = (line.manner == Manner::Whole).then(|| fact("given", "whole"));
    let cwd = line.cwd.map(|cwd| fact("cwd", cwd));
    tags.chain(whole).chain(cwd).chain(kind.facts.iter().map(|(name, value)| fact(name, value))).collect()
}

fn request<'a>(kind: &'a DeviceType, line: &Line<'a>, mode: PolicyMode, facts: &'a [Fact<'a>]) -> Request<'a> {
    Request {
        device: line.device,
        device_type: &kind.name,
        mode: line.mode,
        privileged: line.privileged,
        command: line.text,
        purpose: line.purpose.word(),
        caller: line.caller,
        policy_mode: mode.word(),
        facts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_told_where_the_line_would_run_if_that_is_known() {
        let kind = DeviceType::of("t", Vec::new());
        let told = |cwd| {
            let line = Line {
                device: "web1",
                tags: &[],
                mode: "shell",
                privileged: false,
                cwd,
                manner: Manner::Typed,
                text: "ls",
                unknown: false,
                purpose: Purpose::Run,
                caller: "test",
            };
            facts(&kind, &line).iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect::<Vec<_>>()
        };
        assert_eq!(told(Some("/etc")), ["cwd=/etc"]);
        assert!(told(None).is_empty());
    }

    #[test]
    fn what_nobody_decides_is_decided_by_the_lane_and_the_mode() {
        let of = |lane: &str, mode: PolicyMode| {
            let lane =
                Lane { lane: lane.to_owned(), rule: format!("{lane}.x"), reason: String::new(), commands: Vec::new(), shortens: false };
            by_lane(&Classified { plugin: "guard".to_owned(), lane }, mode).effect
        };
        for (lane, expected) in [
            ("read", [Effect::Allow, Effect::Allow, Effect::Allow]),
            ("change", [Effect::Deny, Effect::Allow, Effect::Allow]),
            ("privilege", [Effect::Deny, Effect::Allow, Effect::Allow]),
            ("exfiltration", [Effect::Deny, Effect::Ask, Effect::Allow]),
            ("destructive", [Effect::Deny, Effect::Ask, Effect::Ask]),
            ("a lane of tomorrow", [Effect::Deny, Effect::Ask, Effect::Ask]),
        ] {
            assert_eq!([PolicyMode::ReadOnly, PolicyMode::Safe, PolicyMode::Full].map(|mode| of(lane, mode)), expected, "{lane}");
        }
    }
}
