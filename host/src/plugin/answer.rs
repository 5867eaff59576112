//! What a plugin may answer. What is against the contract is a fault of it, whatever the type allows.
//!
//! The `check_` functions are pure and say what the contract allows: the host makes a fault of what they refuse, the conformance kit
//! a problem, each with the sentence that they give.

use super::bindings::jackfield::plugin::types::{DialogReport, PromptReport};
use super::fault::Fault;
use super::identify::CERTAIN;
use super::load::Plugin;
use super::manifest::Manifest;
use super::roles::{Decision, Lane, Page, Phase, Question, Reading, Ready, Step, View};
use crate::limits::{GOAL_MAX_BYTES, MEMO_MAX_BYTES, MODE_MAX_BYTES, PLUGIN_TEXT_MAX_BYTES, SETUP_SENDS_MAX, VIEW_TAIL_MAX_BYTES};
use crate::terminal::text::{escaped, first_bytes};

/// The goal that the host starts before the first prompt.
pub const LOGIN: &str = "login";
/// The word for a prompt that a mark with the nonce tells.
const MARK: &str = "mark";

/// What a prompt plugin makes of this view.
///
/// # Errors
///
/// What is against the contract.
pub fn check_prompt(view: &View, report: &PromptReport) -> Result<(), String> {
    check_memo(&report.memo)?;
    match &report.reading {
        Reading::Ready(ready) => check_ready(view, ready),
        _ => Ok(()),
    }
}

/// What is to be typed after login.
///
/// # Errors
///
/// What is against the contract.
pub fn check_prepared(manifest: &Manifest, sends: &[String]) -> Result<(), String> {
    if sends.len() > SETUP_SENDS_MAX {
        return Err(format!("it names {} sends, at most {SETUP_SENDS_MAX} are typed after login", sends.len()));
    }
    sends.iter().try_for_each(|name| check_send(manifest, name))
}

/// A pager's page.
///
/// # Errors
///
/// What is against the contract.
pub fn check_page(manifest: &Manifest, page: &Page) -> Result<(), String> {
    check_send(manifest, &page.send)?;
    check_strip(&page.strip)
}

/// Who has no goal beside the login is not asked which one a command starts.
#[must_use]
pub fn may_claim(goals: &[String]) -> bool {
    goals.iter().any(|goal| goal != LOGIN)
}

/// The goal that a plugin with these goals claims a command for.
///
/// # Errors
///
/// What is against the contract.
pub fn check_claim(goals: &[String], goal: &str) -> Result<(), String> {
    if goal.is_empty() || goal.len() > GOAL_MAX_BYTES || goal.chars().any(char::is_control) {
        return Err(format!("the goal's name has {} bytes; 1 to {GOAL_MAX_BYTES} without control characters are a name", goal.len()));
    }
    if !goals.iter().any(|own| own == goal) {
        return Err(format!("it claimed `{}`, which its `goals` do not name", told(goal)));
    }
    Ok(())
}

/// A step of a dialog in this phase; `granted` are the secrets that the operator lets it ask for.
///
/// # Errors
///
/// What is against the contract.
pub fn check_dialog(manifest: &Manifest, granted: &[String], phase: Phase, report: &DialogReport) -> Result<(), String> {
    check_memo(&report.memo)?;
    check_strip(&report.strip)?;
    match &report.step {
        Step::Send(name) => check_send(manifest, name),
        Step::Secret(name) if !manifest.secrets.contains(name) => Err(format!("its manifest lists no secret `{}`", told(name))),
        Step::Secret(name) if !granted.contains(name) => Err(format!("the operator does not grant it the secret `{name}`")),
        Step::Secret(name) if phase != Phase::Goal => Err(format!("it asks for the secret `{name}` while no goal runs")),
        _ => Ok(()),
    }
}

/// How sure it is of a device type.
///
/// # Errors
///
/// What is against the contract.
pub fn check_score(score: u32) -> Result<(), String> {
    if score <= CERTAIN { Ok(()) } else { Err(format!("it says {score}, from 0 to {CERTAIN} is allowed")) }
}

fn check_memo(memo: &[u8]) -> Result<(), String> {
    if memo.len() <= MEMO_MAX_BYTES {
        return Ok(());
    }
    Err(format!("the memo has {} bytes, at most {MEMO_MAX_BYTES} are kept", memo.len()))
}

fn check_send(manifest: &Manifest, name: &str) -> Result<(), String> {
    if manifest.sends.contains_key(name) { Ok(()) } else { Err(format!("its manifest has no send `{}`", told(name))) }
}

/// What is taken out of the output stands in the last row. It is kept as long as the session.
fn check_strip(strip: &str) -> Result<(), String> {
    if strip.len() <= VIEW_TAIL_MAX_BYTES {
        return Ok(());
    }
    Err(format!("`strip` has {} bytes, the last row has at most {VIEW_TAIL_MAX_BYTES}", strip.len()))
}

fn check_ready(view: &View, ready: &Ready) -> Result<(), String> {
    for (name, text, most) in [("mode", &ready.mode, MODE_MAX_BYTES), ("proof", &ready.proof, MODE_MAX_BYTES)] {
        if text.len() > most {
            return Err(format!("the {name} has {} bytes, at most {most} are allowed", text.len()));
        }
        if let Some(control) = text.chars().find(|ch| ch.is_control()) {
            return Err(format!("the {name} holds the control character `{}`", control.escape_debug()));
        }
    }
    if ready.prompt.len() > VIEW_TAIL_MAX_BYTES {
        return Err(format!("the prompt has {} bytes, the last row has at most {VIEW_TAIL_MAX_BYTES}", ready.prompt.len()));
    }
    if ready.cwd.as_ref().is_some_and(|cwd| cwd.len() > PLUGIN_TEXT_MAX_BYTES) {
        return Err(format!("the working directory has more than {PLUGIN_TEXT_MAX_BYTES} bytes"));
    }
    // A prompt with this proof is believed at once and without its echo. That output started proves no prompt.
    if ready.proof == MARK && !view.marks.iter().any(|mark| !mark.starts_with('C')) {
        return Err("it calls the prompt proven by a mark, and the device sent none".to_owned());
    }
    Ok(())
}

/// What the contract allows, or a fault of the plugin.
pub(super) fn allowed(plugin: &Plugin, function: &'static str, checked: Result<(), String>) -> Result<(), Fault> {
    checked.map_err(|what| plugin.broke_contract(function, what))
}

/// A step of a dialog, made fit to be shown.
pub(super) fn step(step: Step) -> Step {
    match step {
        Step::Ask(question) => Step::Ask(self::question(question)),
        Step::Failed(why) => Step::Failed(told(&why)),
        other => other,
    }
}

/// What a prompt plugin reads, made fit to be shown.
pub(super) fn reading(reading: Reading) -> Reading {
    match reading {
        Reading::Incomplete(what) => Reading::Incomplete(told(&what)),
        other => other,
    }
}

pub(super) fn question(question: Question) -> Question {
    let kind = first_bytes(&question.kind, MODE_MAX_BYTES);
    Question { kind: told(kind), text: told(&question.text), after_ms: question.after_ms }
}

pub(super) fn decision(decision: Decision) -> Decision {
    Decision { effect: decision.effect, rule: told(&decision.rule), reason: told(&decision.reason) }
}

pub(super) fn lane(lane: Lane) -> Lane {
    // The commands go to other plugins only, bounded with the whole answer.
    Lane { lane: told(&lane.lane), rule: told(&lane.rule), reason: told(&lane.reason), ..lane }
}

/// A plugin's text as one bounded line: it reaches people and agents beside the host's own words.
pub(crate) fn told(text: &str) -> String {
    let fits = text.len() <= PLUGIN_TEXT_MAX_BYTES && !text.chars().any(|ch| !(' '..='~').contains(&ch));
    if fits { text.to_owned() } else { escaped(first_bytes(text, PLUGIN_TEXT_MAX_BYTES)).replace('\n', " ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest() -> Manifest {
        let manifest = json!({"schema": 1, "name": "p", "version": "1", "sends": {"next": " "}, "secrets": ["enable"]});
        serde_json::from_value(manifest).unwrap()
    }

    #[test]
    fn so_many_sends_are_typed_after_login_and_no_more() {
        let sends = |count| vec!["next".to_owned(); count];
        assert_eq!(check_prepared(&manifest(), &sends(SETUP_SENDS_MAX)), Ok(()));
        let why = check_prepared(&manifest(), &sends(SETUP_SENDS_MAX + 1)).unwrap_err();
        assert_eq!(why, "it names 17 sends, at most 16 are typed after login");
    }

    #[test]
    fn what_is_taken_out_of_the_output_is_no_longer_than_the_row_that_it_stands_in() {
        let page = |bytes| Page { send: "next".to_owned(), strip: "x".repeat(bytes) };
        assert_eq!(check_page(&manifest(), &page(VIEW_TAIL_MAX_BYTES)), Ok(()));
        let why = check_page(&manifest(), &page(VIEW_TAIL_MAX_BYTES + 1)).unwrap_err();
        assert_eq!(why, "`strip` has 1025 bytes, the last row has at most 1024");
        let report = |bytes| DialogReport { step: Step::Wait, memo: Vec::new(), strip: "x".repeat(bytes) };
        let checked = |bytes| check_dialog(&manifest(), &[], Phase::Goal, &report(bytes));
        assert_eq!(checked(VIEW_TAIL_MAX_BYTES), Ok(()));
        assert_eq!(checked(VIEW_TAIL_MAX_BYTES + 1), Err(why));
    }

    #[test]
    fn a_secret_is_declared_granted_and_asked_for_while_a_goal_runs() {
        let ask = |name: &str| DialogReport { step: Step::Secret(name.to_owned()), memo: Vec::new(), strip: String::new() };
        let granted = ["enable".to_owned()];
        let checked = |name, granted: &[String], phase| check_dialog(&manifest(), granted, phase, &ask(name));
        assert_eq!(checked("enable", &granted, Phase::Goal), Ok(()));
        assert!(checked("root", &granted, Phase::Goal).unwrap_err().contains("lists no secret `root`"));
        assert!(checked("enable", &[], Phase::Goal).unwrap_err().contains("does not grant it"));
        assert!(checked("enable", &granted, Phase::Login).unwrap_err().contains("while no goal runs"));
    }
}
