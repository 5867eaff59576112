//! `jackfield doctor`: goes the way to a device step by step and says what to change.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::paint::{BAD, DIM, DOUBT, GOOD, painted, say};
use super::runtime::with_directory;
use crate::doctor::{self, Finding, State};
use crate::startup;

/// What somebody wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The device.
    pub device: &'a str,
    /// Only what would be used.
    pub resolve_only: bool,
    /// As JSON.
    pub json: bool,
    /// An OpenSSH configuration in place of the usual one.
    pub ssh_config: Option<&'a Path>,
}

/// Shows what was found.
///
/// # Errors
///
/// When the configuration cannot be used, or there is no such device.
pub fn run(file: Option<&Path>, wanted: &Wanted<'_>) -> Result<ExitCode, String> {
    let findings = match look(file, wanted) {
        // A program reads one object whatever is wrong.
        Err(says) if wanted.json => {
            vec![Finding { step: "configuration", state: State::Bad, says, next: String::new(), facts: json!({}) }]
        }
        findings => findings?,
    };
    let is_well = findings.iter().all(|finding| finding.state != State::Bad);
    say(&if wanted.json { as_json(wanted.device, is_well, &findings) } else { as_text(&findings) });
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(file: Option<&Path>, wanted: &Wanted<'_>) -> Result<Vec<Finding>, String> {
    let Wanted { device, resolve_only, ssh_config, .. } = *wanted;
    let folder = std::env::current_dir().unwrap_or_default();
    let mut config = startup::config(file)?;
    if let Some(path) = ssh_config {
        config.use_ssh_config(folder.join(path));
    }
    with_directory(config, async |directory| match resolve_only {
        true => doctor::resolve(directory, device).await.map(|finding| vec![finding]),
        false => doctor::examine(directory, device).await,
    })
}

fn as_json(device: &str, is_well: bool, findings: &[Finding]) -> String {
    format!("{}\n", json!({"device": device, "ok": is_well, "steps": findings}))
}

fn as_text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.step.len()).max().unwrap_or_default();
    let mut out = String::new();
    for finding in findings {
        let (style, mark) = match finding.state {
            State::Good => (GOOD, "ok"),
            State::Doubt => (DOUBT, "look"),
            State::Bad => (BAD, "no"),
        };
        let _ = writeln!(out, "{}{}  {:width$}  {}", painted(style, mark), " ".repeat(4 - mark.len()), finding.step, finding.says);
        for line in details(&finding.facts) {
            let _ = writeln!(out, "{:indent$}{}", "", painted(DIM, &line), indent = width + 8);
        }
        if !finding.next.is_empty() {
            let _ = writeln!(out, "{:indent$}{}", "", finding.next, indent = width + 8);
        }
    }
    out
}

/// What a person wants to see of the facts: lists, and what both sides offer.
fn details(facts: &Value) -> Vec<String> {
    let words = |list: &Value| {
        let words = list.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        // A list of something else is for programs.
        (!words.is_empty()).then_some(words)
    };
    let mut lines = Vec::new();
    for (name, value) in facts.as_object().into_iter().flatten() {
        let name = name.replace('_', " ");
        match value {
            // They are said as what to look at.
            Value::Array(_) if name == "warnings" => {}
            Value::Array(_) => lines.extend(words(value).map(|list| format!("{name}: {list}"))),
            Value::Object(sides) => {
                for side in ["ours", "theirs"] {
                    lines.extend(sides.get(side).and_then(words).map(|list| format!("{name}, {side}: {list}")));
                }
            }
            Value::Bool(true) => lines.push(name),
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_shown_words_and_no_empty_line() {
        let scores = json!([{"type": "linux", "score": 60}]);
        let facts = json!({"kex": {"ours": ["a", "b"], "theirs": []}, "keys": ["c"], "legacy_algorithms": true, "scores": scores, "warnings": ["d"]});
        assert_eq!(details(&facts), ["kex, ours: a b", "keys: c", "legacy algorithms"]);
    }
}
