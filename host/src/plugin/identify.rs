//! Which device type is it? Tables and plugins score what a device shows by itself; nothing is typed to find out.
//!
//! A table (`[[identify]]` of a manifest or of a declared type) is matched here, without loading anything. A plugin that exports
//! `identify` is asked once for each of its types. The best score of a type counts; [`decide`] says what follows from all of them.

use regex::Regex;

use super::answer;
use super::fault::Fault;
use super::load::{Plugin, call_plugin};
use super::manifest::IdentifySpec;
use super::roles::{Phase, View};
use super::triggers;
use crate::limits::{
    IDENTIFY_MARGIN, IDENTIFY_SHOWN_CHARS, PLUGIN_INSPECT_MAX, SETTLE_START_MS, VIEW_RECENT_MAX_BYTES, VIEW_TAIL_MAX_BYTES,
};
use crate::terminal::text::{escaped, last_bytes};

/// The highest score.
pub const CERTAIN: u32 = 100;

/// What a device has shown so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The SSH identification string (RFC 4253 section 4.2).
    pub server_id: String,
    /// The authentication banner (RFC 4252 section 5.4).
    pub banner: String,
    /// The complete rows of the first screen.
    pub rows: String,
    /// The row that no newline has ended yet.
    pub tail: String,
}

impl Evidence {
    /// As plugins are shown it, asked about one of their types.
    fn view(&self, kind: &str) -> View {
        View {
            revision: 0,
            rows_done: 0,
            tail: last_bytes(&self.tail, VIEW_TAIL_MAX_BYTES).to_owned(),
            recent: last_bytes(self.rows.trim_end_matches('\n'), VIEW_RECENT_MAX_BYTES).to_owned(),
            marks: Vec::new(),
            phase: Phase::Login,
            prompt: None,
            mode: String::new(),
            command: String::new(),
            echoed: true,
            bytes_since_send: (self.rows.len() + self.tail.len()) as u64,
            quiet_ms: SETTLE_START_MS,
            settle_ms: SETTLE_START_MS,
            goal: None,
            facts: vec![("device-type", kind.into())],
        }
    }

    /// Banner and first screen, row by row.
    fn texts(&self) -> impl Iterator<Item = &str> {
        self.banner.lines().chain(self.rows.lines()).chain([self.tail.as_str()]).map(str::trim_end)
    }

    /// What it was, in short, safe to show.
    #[must_use]
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let first = |text: &str| text.lines().map(str::trim).find(|row| !row.is_empty()).unwrap_or_default().to_owned();
        let parts = [
            ("server id", self.server_id.clone()),
            ("banner", first(&self.banner)),
            ("screen", first(&self.rows)),
            ("last row", self.tail.clone()),
        ];
        parts.into_iter().filter(|(_, text)| !text.trim().is_empty()).map(|(name, text)| (name, short(&text))).collect()
    }
}

fn short(text: &str) -> String {
    escaped(&text.chars().take(IDENTIFY_SHOWN_CHARS).collect::<String>())
}

/// How sure somebody is of a device type, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// The device type.
    pub kind: String,
    /// Who says so.
    pub by: String,
    /// 0 to 100.
    pub score: u32,
    /// On what evidence.
    pub on: String,
}

/// Clues of one device type.
#[derive(Debug)]
pub struct Table {
    kind: String,
    by: String,
    clues: Vec<Clue>,
}

#[derive(Debug)]
struct Clue {
    server_id: Option<Regex>,
    text: Option<Regex>,
    prompt: Option<Regex>,
    score: u32,
}

impl Table {
    /// Compiles the clues for a type.
    ///
    /// # Errors
    ///
    /// The pattern that is none, and why.
    pub fn compile<'a>(kind: &str, by: &str, specs: impl IntoIterator<Item = &'a IdentifySpec>) -> Result<Self, String> {
        let pattern = |text: &Option<String>| {
            text.as_deref()
                .map(triggers::compile)
                .transpose()
                .map_err(|error| format!("[[identify]] of `{kind}`: {}", triggers::in_short(&error.to_string())))
        };
        let clue = |spec: &IdentifySpec| {
            Ok(Clue {
                server_id: pattern(&spec.server_id)?,
                text: pattern(&spec.text)?,
                prompt: pattern(&spec.prompt)?,
                score: spec.score.min(CERTAIN),
            })
        };
        let clues = specs.into_iter().map(clue).collect::<Result<_, String>>()?;
        Ok(Self { kind: kind.to_owned(), by: by.to_owned(), clues })
    }

    /// The best clue that fits.
    #[must_use]
    pub fn score(&self, evidence: &Evidence) -> Option<Score> {
        let (score, on) = self.clues.iter().filter_map(|clue| Some((clue.score, clue.fits(evidence)?))).max_by_key(|(score, _)| *score)?;
        Some(Score { kind: self.kind.clone(), by: self.by.clone(), score, on })
    }
}

impl Clue {
    /// All patterns of a clue must fit; what they fit is the reason.
    fn fits(&self, evidence: &Evidence) -> Option<String> {
        let mut reasons = Vec::new();
        let mut check = |name: &str, pattern: &Option<Regex>, among: &[&str]| {
            let Some(pattern) = pattern else { return true };
            let fitting = among.iter().find(|text| pattern.is_match(text));
            reasons.extend(fitting.map(|text| format!("{name} `{}`", short(text))));
            fitting.is_some()
        };
        let fits = check("server id", &self.server_id, &[&evidence.server_id])
            && check("last row", &self.prompt, &[&evidence.tail])
            && check("text", &self.text, &evidence.texts().collect::<Vec<_>>());
        (fits && !reasons.is_empty()).then(|| reasons.join(", "))
    }
}

/// Asks a plugin about each of its types.
pub async fn ask(plugin: &Plugin, kinds: &[String], evidence: &Evidence) -> Vec<Score> {
    let mut scores = Vec::new();
    let hits = plugin.triggers.hits(&evidence.tail);
    for kind in kinds {
        let view = evidence.view(kind);
        let lists = view.lists(&hits);
        let shown = view.shown(&lists, &[]);
        let (server_id, banner) = (&evidence.server_id, &evidence.banner);
        let said: Result<u32, Fault> = call_plugin!(plugin, "identify.score", PLUGIN_INSPECT_MAX, identify, |identify, store| identify
            .call_score(store, server_id, banner, shown.clone()));
        let said = said.and_then(|score| answer::allowed(plugin, "identify.score", answer::check_score(score)).map(|()| score));
        let (score, on) = match said {
            Ok(score) => {
                (score, evidence.shown().into_iter().map(|(name, text)| format!("{name} `{text}`")).collect::<Vec<_>>().join(", "))
            }
            Err(fault) => (0, fault.to_string()),
        };
        scores.push(Score { kind: kind.clone(), by: plugin.name().to_owned(), score, on });
    }
    scores
}

/// What follows from the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// One type is ahead.
    Is(&'a Score),
    /// Several are too close together.
    Several,
    /// Nobody is sure enough.
    Nobody,
}

/// The best score of each type, the highest first. Equal ones are in the order of their types' names.
#[must_use]
pub fn best(mut scores: Vec<Score>) -> Vec<Score> {
    scores.sort_by(|one, other| other.score.cmp(&one.score).then_with(|| one.kind.cmp(&other.kind)));
    let mut kinds = std::collections::BTreeSet::new();
    scores.retain(|score| score.score > 0 && kinds.insert(score.kind.clone()));
    scores
}

/// Decides among the best scores. `same` says of two types that the same plugins serve them in the same way: those are no rivals.
pub fn decide(scores: &[Score], least: u32, same: impl Fn(&str, &str) -> bool) -> Decision<'_> {
    let Some(first) = scores.first().filter(|first| first.score >= least) else { return Decision::Nobody };
    let rival = |other: &&Score| other.score + IDENTIFY_MARGIN > first.score && !same(&first.kind, &other.kind);
    if scores.iter().skip(1).any(|other| rival(&other)) { Decision::Several } else { Decision::Is(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(kind: &str, score: u32) -> Score {
        Score { kind: kind.to_owned(), by: "p".to_owned(), score, on: String::new() }
    }

    fn decided(scores: Vec<Score>, least: u32) -> Result<String, bool> {
        match decide(&best(scores), least, |one, other| one.get(..3) == other.get(..3)) {
            Decision::Is(found) => Ok(found.kind.clone()),
            Decision::Several => Err(true),
            Decision::Nobody => Err(false),
        }
    }

    #[test]
    fn one_must_be_ahead_and_sure() {
        assert_eq!(decided(vec![score("acme", 90), score("bolt", 40)], 80), Ok("acme".to_owned()));
        assert_eq!(decided(vec![score("acme", 79)], 80), Err(false));
        assert_eq!(decided(vec![], 80), Err(false));
        assert_eq!(decided(vec![score("acme", 90), score("bolt", 90 - IDENTIFY_MARGIN)], 80), Ok("acme".to_owned()));
        assert_eq!(decided(vec![score("acme", 90), score("bolt", 91 - IDENTIFY_MARGIN)], 80), Err(true));
    }

    #[test]
    fn two_that_claim_everything_decide_nothing() {
        assert_eq!(decided(vec![score("acme", 100), score("bolt", 100)], 80), Err(true));
    }

    #[test]
    fn types_that_the_same_plugins_serve_are_no_rivals() {
        assert_eq!(decided(vec![score("acm_old", 90), score("acm_new", 91), score("acm_old", 10)], 80), Ok("acm_new".to_owned()));
        assert_eq!(decided(vec![score("acm_old", 90), score("acm_new", 90)], 80), Ok("acm_new".to_owned()));
    }

    #[test]
    fn every_pattern_of_a_clue_must_fit_and_the_reason_is_safe_to_show() {
        let spec = |server_id: Option<&str>, text: Option<&str>, prompt: Option<&str>, score| IdentifySpec {
            kind: None,
            server_id: server_id.map(str::to_owned),
            text: text.map(str::to_owned),
            prompt: prompt.map(str::to_owned),
            score,
        };
        let specs = [spec(Some("^SSH-2.0-Acme"), None, Some("^[a-z0-9]+> $"), 90), spec(None, Some("^Acme "), None, 70)];
        let table = Table::compile("acme", "p", &specs).unwrap();
        let shown = |server_id: &str, rows: &str, tail: &str| {
            let evidence =
                Evidence { server_id: server_id.to_owned(), banner: String::new(), rows: rows.to_owned(), tail: tail.to_owned() };
            table.score(&evidence).map(|score| (score.score, score.on))
        };
        assert_eq!(shown("SSH-2.0-Acme", "", "r1> "), Some((90, "server id `SSH-2.0-Acme`, last row `r1> `".to_owned())));
        assert_eq!(shown("SSH-2.0-Acme", "", "r1# "), None);
        assert_eq!(shown("SSH-2.0-x", "hello\nAcme \x1b[2J\u{202e}box  \n", ""), Some((70, "text `Acme \\x1b[2J\\u{202e}box`".to_owned())));
        assert!(Table::compile("acme", "p", &[spec(Some("("), None, None, 1)]).is_err());
    }
}
