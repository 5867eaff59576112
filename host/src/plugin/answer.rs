//! What a plugin may answer. What is against the contract is a fault of it, whatever the type allows.

use super::fault::Fault;
use super::load::Plugin;
use super::roles::{Decision, Lane, Phase, Question, Reading, Ready, Step, View};
use crate::limits::{GOAL_MAX_BYTES, MEMO_MAX_BYTES, MODE_MAX_BYTES, PLUGIN_TEXT_MAX_BYTES, VIEW_TAIL_MAX_BYTES};
use crate::terminal::text::{escaped, first_bytes};

/// The word for a prompt that a mark with the nonce tells.
const MARK: &str = "mark";

pub(super) fn memo(plugin: &Plugin, function: &'static str, memo: &[u8]) -> Result<(), Fault> {
    if memo.len() <= MEMO_MAX_BYTES {
        return Ok(());
    }
    Err(plugin.broke_contract(function, format!("the memo has {} bytes, at most {MEMO_MAX_BYTES} are kept", memo.len())))
}

pub(super) fn send(plugin: &Plugin, function: &'static str, name: &str) -> Result<(), Fault> {
    if plugin.manifest.sends.contains_key(name) {
        return Ok(());
    }
    Err(plugin.broke_contract(function, format!("its manifest has no send `{}`", told(name))))
}

/// A step of a dialog, made fit to be shown.
pub(super) fn step(plugin: &Plugin, phase: Phase, step: Step) -> Result<Step, Fault> {
    let broke = |what: String| Err(plugin.broke_contract("dialog.next", what));
    match step {
        Step::Send(name) => send(plugin, "dialog.next", &name).map(|()| Step::Send(name)),
        Step::Secret(name) if !plugin.manifest.secrets.contains(&name) => broke(format!("its manifest lists no secret `{}`", told(&name))),
        Step::Secret(name) if !plugin.secrets.contains(&name) => broke(format!("the operator does not grant it the secret `{name}`")),
        Step::Secret(name) if phase != Phase::Goal => broke(format!("it asks for the secret `{name}` while no goal runs")),
        Step::Ask(question) => Ok(Step::Ask(self::question(question))),
        Step::Failed(why) => Ok(Step::Failed(told(&why))),
        other => Ok(other),
    }
}

/// What a prompt plugin reads, made fit to be shown.
pub(super) fn reading(plugin: &Plugin, view: &View, reading: Reading) -> Result<Reading, Fault> {
    match reading {
        Reading::Ready(ready) => check_ready(plugin, view, &ready).map(|()| Reading::Ready(ready)),
        Reading::Incomplete(what) => Ok(Reading::Incomplete(told(&what))),
        other => Ok(other),
    }
}

fn check_ready(plugin: &Plugin, view: &View, ready: &Ready) -> Result<(), Fault> {
    let broke = |what: String| Err(plugin.broke_contract("prompt.inspect", what));
    for (name, text, most) in [("mode", &ready.mode, MODE_MAX_BYTES), ("proof", &ready.proof, MODE_MAX_BYTES)] {
        if text.len() > most {
            return broke(format!("the {name} has {} bytes, at most {most} are allowed", text.len()));
        }
        if let Some(control) = text.chars().find(|ch| ch.is_control()) {
            return broke(format!("the {name} holds the control character {control:?}"));
        }
    }
    if ready.prompt.len() > VIEW_TAIL_MAX_BYTES {
        return broke(format!("the prompt has {} bytes, the last row has at most {VIEW_TAIL_MAX_BYTES}", ready.prompt.len()));
    }
    if ready.cwd.as_ref().is_some_and(|cwd| cwd.len() > PLUGIN_TEXT_MAX_BYTES) {
        return broke(format!("the working directory has more than {PLUGIN_TEXT_MAX_BYTES} bytes"));
    }
    // A prompt with this proof is believed at once and without its echo. That output started proves no prompt.
    if ready.proof == MARK && !view.marks.iter().any(|mark| !mark.starts_with('C')) {
        return broke("it calls the prompt proven by a mark, and the device sent none".to_owned());
    }
    Ok(())
}

/// The goal's name that a plugin claims a command for.
pub(super) fn goal(plugin: &Plugin, goal: String) -> Result<String, Fault> {
    if goal.len() <= GOAL_MAX_BYTES && !goal.is_empty() && !goal.chars().any(char::is_control) {
        return Ok(goal);
    }
    let what = format!("the goal's name has {} bytes; 1 to {GOAL_MAX_BYTES} without control characters are a name", goal.len());
    Err(plugin.broke_contract("dialog.claim", what))
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
pub(super) fn told(text: &str) -> String {
    let fits = text.len() <= PLUGIN_TEXT_MAX_BYTES && !text.chars().any(|ch| !(' '..='~').contains(&ch));
    if fits { text.to_owned() } else { escaped(first_bytes(text, PLUGIN_TEXT_MAX_BYTES)).replace('\n', " ") }
}
