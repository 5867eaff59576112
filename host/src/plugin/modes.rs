//! The modes of a device type: how to get from one to another, and what becomes of a candidate configuration.
//!
//! Tables of the manifests, put together for one device type. Nothing is typed here: a way names sends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;

use super::catalog::Catalog;
use super::device_type::SendName;
use super::manifest::Manifest;
use super::placeholders;

/// The usual word for the mode in which a device is configured.
const CONFIG: &str = "config";
/// The usual word for the mode that a session begins with.
const EXEC: &str = "exec";
/// The placeholder for the Enter key at a send's end.
const ENTER: &str = "enter";

/// A way from one mode to another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransitionSpec {
    /// Device types that have it; none means every type of the plugin.
    #[serde(default)]
    pub types: Vec<String>,
    /// The mode before.
    pub from: String,
    /// The mode after.
    pub to: String,
    /// The send that leads there.
    pub send: String,
}

/// What becomes of a candidate configuration (RFC 6241 section 8.3): a send for each act that the device has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateSpec {
    /// Device types that have it; none means every type of the plugin.
    #[serde(default)]
    pub types: Vec<String>,
    /// The mode in which it is edited.
    pub mode: String,
    /// Shows what differs from the running configuration.
    #[serde(default)]
    pub diff: Option<String>,
    /// Has it checked.
    #[serde(default)]
    pub check: Option<String>,
    /// Puts it in force.
    pub commit: String,
    /// Puts it in force for a time, after which the device takes it back.
    #[serde(default)]
    pub confirmed: Option<String>,
    /// Keeps what `confirmed` put in force.
    #[serde(default)]
    pub confirm: Option<String>,
    /// Throws it away. Where there is one candidate for everybody it throws away what this account has changed: others may be at work in
    /// it. A device that cannot do that has no such send.
    #[serde(default)]
    pub discard: Option<String>,
}

/// An act on a candidate configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Show the difference.
    Diff,
    /// Check it.
    Check,
    /// Put it in force.
    Commit,
    /// Put it in force for a time.
    Confirmed,
    /// Keep what is in force for a time.
    Confirm,
    /// Throw it away.
    Discard,
}

impl Act {
    /// Is something in force by it, or stays so?
    #[must_use]
    pub fn puts_in_force(self) -> bool {
        matches!(self, Self::Commit | Self::Confirmed | Self::Confirm)
    }
}

impl CandidateSpec {
    /// The sends, each with the act that it is for.
    pub fn acts(&self) -> impl Iterator<Item = (Act, &String)> {
        [
            (Act::Diff, self.diff.as_ref()),
            (Act::Check, self.check.as_ref()),
            (Act::Commit, Some(&self.commit)),
            (Act::Confirmed, self.confirmed.as_ref()),
            (Act::Confirm, self.confirm.as_ref()),
            (Act::Discard, self.discard.as_ref()),
        ]
        .into_iter()
        .filter_map(|(act, send)| Some((act, send?)))
    }
}

/// A way from one mode to another, by a send of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The mode before.
    pub from: String,
    /// The mode after.
    pub to: String,
    /// What is typed, without Enter.
    pub line: String,
    /// The send that leads there.
    pub send: SendName,
}

/// A candidate configuration and what can be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The mode in which it is edited.
    pub mode: String,
    /// The sends.
    pub acts: BTreeMap<Act, SendName>,
}

/// The modes of a device type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modes {
    /// The field's usual words for modes that have a name of their own here.
    common: BTreeMap<String, String>,
    first: Option<String>,
    ways: Vec<Way>,
    /// The candidate configuration, where the device has one.
    pub candidate: Option<Candidate>,
}

impl Modes {
    /// Those of a device type whose plugins have these manifests.
    pub fn of<'a>(kind: &str, manifests: impl IntoIterator<Item = (&'a str, &'a Manifest)>) -> Self {
        let holds = |types: &[String]| Catalog::holds_for(types, kind);
        let mut modes = Self::default();
        for (plugin, manifest) in manifests {
            let send = |name: &String| SendName { plugin: plugin.to_owned(), name: name.clone() };
            modes.common.extend(manifest.modes.clone());
            modes.first = modes.first.take().or_else(|| manifest.first_mode.clone());
            for spec in manifest.transitions.iter().filter(|spec| holds(&spec.types)) {
                let mut text = manifest.sends.get(&spec.send).map_or("", String::as_str);
                while let Some(before) = placeholders::before_last(text, ENTER) {
                    text = before;
                }
                let line = placeholders::resolve(text, |_| None);
                modes.ways.push(Way { from: spec.from.clone(), to: spec.to.clone(), line, send: send(&spec.send) });
            }
            let candidate = manifest.candidates.iter().find(|spec| holds(&spec.types));
            let candidate = candidate
                .map(|spec| Candidate { mode: spec.mode.clone(), acts: spec.acts().map(|(act, name)| (act, send(name))).collect() });
            modes.candidate = modes.candidate.take().or(candidate);
        }
        modes
    }

    /// The mode that a session begins with, where that is known.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref().or_else(|| self.common.get(EXEC).map(String::as_str))
    }

    /// The modes that a way leads from or to, and the usual words for them.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        let own = self.ways.iter().flat_map(|way| [way.from.as_str(), way.to.as_str()]);
        own.chain(self.common.keys().map(String::as_str)).collect()
    }

    /// The device's own name for a mode that ways are known of. Where it has a candidate, configuration is edited in that one's mode:
    /// nobody who does not say so changes what is in force.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<&str> {
        let own = self.common.get(name).map_or(name, String::as_str);
        if let Some(edited) = self.candidate.as_ref().filter(|_| name == CONFIG) {
            return Some(&edited.mode);
        }
        self.ways.iter().flat_map(|way| [way.to.as_str(), way.from.as_str()]).find(|known| *known == own)
    }

    /// The shortest way from one mode to another; empty where they are the same.
    #[must_use]
    pub fn way(&self, from: &str, to: &str) -> Option<Vec<Way>> {
        let mut seen = BTreeSet::from([from]);
        let mut open = VecDeque::from([(from, Vec::new())]);
        while let Some((mode, way)) = open.pop_front() {
            if mode == to {
                return Some(way.into_iter().cloned().collect());
            }
            for next in self.ways.iter().filter(|next| next.from == mode) {
                if seen.insert(&next.to) {
                    let way: Vec<&Way> = way.iter().copied().chain([next]).collect();
                    open.push_back((&next.to, way));
                }
            }
        }
        None
    }

    /// The modes that a line of a way leads to.
    pub fn led_to<'a>(&'a self, line: &'a str) -> impl Iterator<Item = &'a str> {
        self.ways.iter().filter(move |way| way.line == line.trim()).map(|way| way.to.as_str())
    }

    /// Are no ways known?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(kind: &str) -> Modes {
        let manifest: Manifest = serde_json::from_str(
            r#"{"schema": 1, "name": "p", "version": "1", "modes": {"exec": "user"},
            "sends": {"up": "up", "in": "in", "out": "out", "draft": "draft", "keep": "keep", "drop": "drop"},
            "transition": [
                {"from": "user", "to": "boss", "send": "up"},
                {"from": "boss", "to": "config", "send": "in"},
                {"from": "config", "to": "boss", "send": "out"},
                {"from": "boss", "to": "config-draft", "send": "draft", "types": ["two-b"]}],
            "candidate": [{"types": ["two_b"], "mode": "config-draft", "commit": "keep", "discard": "drop"}]}"#,
        )
        .unwrap();
        Modes::of(kind, [("p", &manifest)])
    }

    #[test]
    fn a_line_that_leads_somewhere_is_known_as_it_is_typed() {
        let manifest: Manifest = serde_json::from_str(
            r#"{"schema": 1, "name": "p", "version": "1", "sends": {"in": "edit {{x}{enter}"},
            "transition": [{"from": "user", "to": "config", "send": "in"}]}"#,
        )
        .unwrap();
        let modes = Modes::of("one", [("p", &manifest)]);
        assert_eq!(modes.led_to("edit {x}").collect::<Vec<_>>(), ["config"]);
    }

    fn sends(way: Option<Vec<Way>>) -> Option<Vec<String>> {
        way.map(|way| way.into_iter().map(|way| way.send.name).collect())
    }

    #[test]
    fn the_shortest_way_is_found_or_none() {
        let modes = modes("one");
        assert_eq!(sends(modes.way("user", "config")), Some(vec!["up".to_owned(), "in".to_owned()]));
        assert_eq!(sends(modes.way("config", "boss")), Some(vec!["out".to_owned()]));
        assert_eq!(sends(modes.way("boss", "boss")), Some(Vec::new()));
        assert_eq!(modes.way("config", "user"), None);
        assert_eq!(modes.way("boot", "config"), None);
    }

    #[test]
    fn a_way_may_belong_to_some_types_only() {
        assert!(modes("one").candidate.is_none());
        assert_eq!(modes("one").first(), Some("user"), "the mode that is usually called exec");
        assert_eq!(modes("one").way("user", "config-draft"), None);
        let two = modes("two-b");
        assert_eq!(sends(two.way("boss", "config-draft")), Some(vec!["draft".to_owned()]));
        let acts: Vec<Act> = two.candidate.unwrap().acts.into_keys().collect();
        assert_eq!(acts, [Act::Commit, Act::Discard]);
    }

    #[test]
    fn usual_words_name_modes_and_a_candidate_has_its_own() {
        let two = modes("two_b");
        assert_eq!(two.resolve("exec"), Some("user"));
        assert_eq!(two.resolve("config"), Some("config-draft"));
        assert_eq!(two.resolve("cofig"), None);
        assert_eq!(two.names().into_iter().collect::<Vec<_>>(), ["boss", "config", "config-draft", "exec", "user"]);
    }
}
