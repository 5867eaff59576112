//! `jackfield policy test`: a table of commands with the verdicts that the operator wants, for the operator's own CI.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::json;

use super::{Asked, Judge, Place};
use crate::cli::paint::{BAD, DOUBT, GOOD, painted, say};
use crate::config::PolicyMode;
use crate::policy::Purpose;

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    examples: Vec<Group>,
}

/// Commands for one place.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Group {
    device: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    mode: String,
    caller: Option<String>,
    policy: Option<String>,
    /// Proven to be reads, and allowed.
    read: Vec<String>,
    allow: Vec<String>,
    ask: Vec<String>,
    deny: Vec<String>,
}

impl Group {
    fn policy(&self) -> Result<Option<PolicyMode>, String> {
        let read = self.policy.as_deref().map(str::parse).transpose();
        read.map_err(|why: String| format!("`policy` {why}"))
    }

    fn expected(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let lists = [("read", &self.read), ("allow", &self.allow), ("ask", &self.ask), ("deny", &self.deny)];
        lists.into_iter().flat_map(|(word, commands)| commands.iter().map(move |command| (word, command.as_str())))
    }
}

/// Judges the table.
pub(super) async fn run(judge: &Judge, file: &Path, json: bool) -> Result<ExitCode, String> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let table: Table = toml::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
    let (mut count, mut wrong, mut notes) = (0_usize, Vec::new(), BTreeSet::new());
    for (number, group) in table.examples.iter().enumerate() {
        let place = format!("{shown}: group {}", number + 1);
        if group.device.is_some() == group.kind.is_some() {
            return Err(format!("{place}: name a `device` or a `type`, one of them"));
        }
        let policy = group.policy().map_err(|why| format!("{place}: {why}"))?;
        let caller = group.caller.as_deref().unwrap_or("cli");
        for (expected, text) in group.expected() {
            let purpose = if expected == "read" { Purpose::Query } else { Purpose::Run };
            let asked = Asked { mode: &group.mode, purpose, caller, policy, text };
            let said = judge.explain(Place::of(group.device.as_deref(), group.kind.as_deref()), &asked).await;
            let said = said.map_err(|why| format!("{place}: {why}"))?;
            count += 1;
            let meant = |near: &String| format!("{place}: mode `{}` is not known of `{}`; did you mean `{near}`?", said.mode, said.kind);
            notes.extend(said.near.as_ref().map(meant));
            let wanted = if expected == "read" { "allow" } else { expected };
            if said.decision() != wanted {
                wrong.push((group.device.clone().or_else(|| group.kind.clone()).unwrap_or_default(), expected, said));
            }
        }
    }
    if count == 0 {
        return Err(format!("{shown}: no example; give `read`, `allow`, `ask` or `deny` a list of commands"));
    }
    let report = if json {
        let entries: Vec<_> =
            wrong.iter().map(|(place, expected, said)| json!({"where": place, "expected": expected, "verdict": said.value()})).collect();
        format!("{}\n", json!({"ok": wrong.is_empty(), "examples": count, "wrong": entries, "notes": notes}))
    } else {
        let mut out = String::new();
        for note in &notes {
            let _ = writeln!(out, "{}  {note}", painted(DOUBT, "note"));
        }
        for (place, expected, said) in &wrong {
            let decision = &said.verdict.decision;
            let assumed = if said.assumed { format!(" in mode {}, which is assumed", said.mode) } else { String::new() };
            let _ = writeln!(out, "{}  {place}{assumed}: {}", painted(BAD, "wrong"), said.command);
            let _ = writeln!(out, "       {expected} is wanted, {} it is by rule {}: {}", said.decision(), decision.rule, decision.reason);
        }
        let word = if wrong.is_empty() { painted(GOOD, "ok") } else { painted(BAD, "wrong") };
        let _ = writeln!(out, "{word}  {count} examples, {} not as written", wrong.len());
        out
    };
    say(&report);
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
