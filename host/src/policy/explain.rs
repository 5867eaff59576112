//! The verdict on a line that nobody types: lane, decision, rule, why, and what would let it pass.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Line, Purpose, Verdict, effect_word, judge};
use crate::config::PolicyMode;
use crate::nearest::nearest;
use crate::plugin::device_type::DeviceType;
use crate::plugin::roles::Effect;
use crate::plugin::session::SessionPlugins;

/// What policy says of a line, and why.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The line.
    pub command: String,
    /// The device type.
    pub kind: String,
    /// The device's mode; empty where none is known.
    pub mode: String,
    /// Nobody gave the mode: it is the one that a session begins with.
    pub assumed: bool,
    /// The mode is none that is known of the type, and this one was probably meant. A plugin may know more modes than it tells.
    pub near: Option<String>,
    /// The operator's mode.
    pub policy_mode: PolicyMode,
    /// What for.
    pub purpose: Purpose,
    /// What policy says.
    pub verdict: Verdict,
}

/// Judges a line without a session; where it comes without a mode, as in the one that a session begins with.
pub async fn explain(kind: Arc<DeviceType>, line: &Line<'_>, policy_mode: PolicyMode) -> Explanation {
    let plugins = SessionPlugins::new(Arc::clone(&kind));
    let assumed = kind.modes.first().filter(|_| line.mode.is_empty());
    let line = Line { mode: assumed.unwrap_or(line.mode), ..*line };
    let known = kind.modes.names();
    let is_known = assumed.is_some() || line.mode.is_empty() || known.contains(line.mode);
    let near = if is_known { None } else { nearest(line.mode, known).map(str::to_owned) };
    let verdict = judge(&plugins, &line, policy_mode).await;
    Explanation {
        command: line.text.to_owned(),
        kind: kind.name.clone(),
        mode: line.mode.to_owned(),
        assumed: assumed.is_some(),
        near,
        policy_mode,
        purpose: line.purpose,
        verdict,
    }
}

impl Explanation {
    /// `allow`, `ask` or `deny`.
    #[must_use]
    pub fn decision(&self) -> &'static str {
        effect_word(self.verdict.decision.effect)
    }

    /// The kind of line, and the rule that says so.
    #[must_use]
    pub fn lane(&self) -> (&str, &str) {
        self.verdict.lane.as_ref().map_or(("unknown", ""), |lane| (lane.lane.as_str(), lane.rule.as_str()))
    }

    /// What would let it pass, or what takes it.
    #[must_use]
    pub fn way(&self) -> &'static str {
        match (self.verdict.decision.effect, self.lane().0, self.purpose) {
            (Effect::Allow, "read", _) => "ssh_query and ssh_run both take it.",
            (Effect::Allow, ..) => "ssh_run takes it; ssh_query does not.",
            (Effect::Ask, "destructive" | "exfiltration", _) => {
                "ssh_run asks the user, who may allow this line once. An operator's rule in [[policy.rule]] can allow or deny it for good."
            }
            (Effect::Ask, ..) => "ssh_run asks the user, who may allow this line once.",
            (Effect::Deny | Effect::Abstain, lane, Purpose::Query) if lane != "read" => {
                "ssh_run takes changes, as far as the operator allows them."
            }
            (Effect::Deny | Effect::Abstain, ..) => {
                "No approval can lift it. Only the operator can change that, in the policy of the configuration file."
            }
        }
    }

    /// One JSON object.
    #[must_use]
    pub fn value(&self) -> Value {
        let (lane, lane_rule) = self.lane();
        let commands = self.verdict.lane.as_ref().map(|lane| lane.commands.clone()).unwrap_or_default();
        json!({"command": self.command, "type": self.kind, "mode": self.mode, "mode_assumed": self.assumed,
            "mode_meant": self.near, "purpose": self.purpose.word(),
            "decision": self.decision(), "rule": self.verdict.decision.rule, "why": self.verdict.decision.reason, "lane": lane,
            "lane_rule": lane_rule, "commands": commands, "policy_mode": self.policy_mode.to_string(), "how_to_get_approval": self.way()})
    }

    /// The device type, and the mode where one is known.
    #[must_use]
    pub fn place(&self) -> String {
        match (self.mode.as_str(), self.assumed, &self.near) {
            ("", ..) => self.kind.clone(),
            (mode, true, _) => format!("{} in mode {mode} (assumed: a session begins there)", self.kind),
            (mode, false, Some(near)) => format!("{} in mode {mode} (not known of it; did you mean `{near}`?)", self.kind),
            (mode, false, None) => format!("{} in mode {mode}", self.kind),
        }
    }

    /// Line by line.
    #[must_use]
    pub fn text(&self) -> String {
        let (lane, lane_rule) = self.lane();
        let decision = &self.verdict.decision;
        format!(
            "{} by rule {} (policy mode {}): {}\nlane: {lane} ({lane_rule})\n{}",
            self.decision(),
            decision.rule,
            self.policy_mode,
            decision.reason,
            self.way()
        )
    }
}
