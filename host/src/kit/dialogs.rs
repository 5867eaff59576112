//! Goals at the moment of their question: a secret is named once, never a second time, and never when the device has no value for it.

use super::calls::{Case, Costs, ask_all, concerns};
use super::recordings::{Played, last_row};
use super::report::Check;
use super::subject::{Subject, runtime};
use super::{rows, words};
use crate::limits::KIT_LONG_SILENCE;
use crate::plugin::load::Plugin;
use crate::plugin::manifest::Role;
use crate::plugin::roles::{Phase, Reading, Step};
use crate::recording::Entry;
use crate::replay::told::row;

/// A question for a secret in a recording.
struct Asked {
    file: String,
    nonce: String,
    command: String,
    /// The modes that the device may have been in, the likeliest first.
    modes: Vec<String>,
    /// The prompt that the command was typed at.
    before: String,
    row: String,
    recent: String,
    secret: String,
}

/// Plays each recorded question to the plugin that carries its goal.
///
/// # Errors
///
/// When no instance can be had.
pub fn checks(subject: &Subject, played: &[Played]) -> Result<Vec<Check>, String> {
    let mut right = Check::new("secret named", "the question of a goal that the plugin claims gets the secret's name");
    let mut wrong = Check::new("wrong secret", "the same question again does not get the secret a second time");
    let mut lacking = Check::new("no secret", "a device without a value for the secret is not promised one");
    if !subject.asks_for_secrets() {
        return Ok(Vec::new());
    }
    runtime()?.block_on(async {
        for one in played {
            let Some(plugin) = one.kind.plugin(&subject.name) else { continue };
            for asked in questions(one) {
                let modes = modes(one, &asked).await?;
                let Some((goal, mode)) = claim(plugin, &asked, &modes).await? else { continue };
                let Some([first, second, none]) = steps(plugin, &asked, &goal, &mode).await? else { continue };
                let named = |step: &Step| *step == Step::Secret(asked.secret.clone());
                let at = format!("{}, `{}` at {}", asked.file, asked.command, row(&asked.row));
                right.case(if named(&first) {
                    Ok(())
                } else {
                    Err(format!("{at}: `dialog.next` answers {} instead of `secret` `{}`", words::step(&first), asked.secret))
                });
                wrong.case(if named(&second) {
                    Err(format!("{at}: `dialog.next` answers `secret` `{}` to the same question again", asked.secret))
                } else {
                    Ok(())
                });
                lacking.case(if named(&none) {
                    Err(format!("{at}: `dialog.next` answers `secret` `{}`, which `missing-secrets` names", asked.secret))
                } else {
                    Ok(())
                });
            }
        }
        Ok::<(), String>(())
    })?;
    let why = "no recording has a secret typed for a goal of this plugin; record one with `jackfield record DEVICE enable`";
    Ok(vec![right.or_not_tested(why), wrong.or_not_tested(why), lacking.or_not_tested(why)])
}

/// The questions that were answered with a secret while a command ran.
fn questions(one: &Played) -> Vec<Asked> {
    let mut found: Vec<Asked> = Vec::new();
    let (mut command, mut mode, mut before, mut shown) = (None, String::new(), String::new(), Vec::new());
    for entry in &one.recording.entries {
        match entry {
            Entry::Run(text) => {
                command = Some(text.clone());
                before = last_row(&shown).1;
            }
            Entry::Typed(_) => shown.clear(),
            Entry::Output(bytes) => shown.extend_from_slice(bytes),
            Entry::Outcome(outcome) => {
                // A command that asked and left the device where it was.
                found.iter_mut().filter(|asked| asked.modes.len() < 2).for_each(|asked| asked.modes.push(outcome.mode.clone()));
                mode.clone_from(&outcome.mode);
                command = None;
            }
            Entry::Secret { name, .. } => {
                if let Some(command) = command.take() {
                    let (recent, row) = last_row(&shown);
                    let (file, nonce) = (one.name.clone(), one.recording.nonce.clone());
                    let (modes, before) = (vec![mode.clone()], before.clone());
                    found.push(Asked { file, nonce, command, modes, before, row, recent, secret: name.clone() });
                }
                shown.clear();
            }
            _ => {}
        }
    }
    found
}

/// The mode that some plugin of the type reads in the prompt before the command, and those that the recording names.
async fn modes(one: &Played, asked: &Asked) -> Result<Vec<String>, String> {
    let quiet = u32::try_from(KIT_LONG_SILENCE.as_millis()).unwrap_or(u32::MAX);
    let shown = rows::case(&asked.before, Phase::Idle, quiet);
    let mut modes = Vec::new();
    for plugin in one.kind.plugins.iter().filter(|plugin| plugin.has("prompt") && concerns(plugin, Role::Prompt, &asked.before)) {
        let mut call = plugin.trial().await.map_err(|fault| fault.to_string())?;
        let answers = ask_all(plugin, &mut call, &shown, &mut Costs::new()).await?;
        if let Some(Reading::Ready(ready)) = answers.prompt.map(|report| report.reading) {
            modes.push(ready.mode);
        }
    }
    modes.extend(asked.modes.iter().cloned());
    Ok(modes)
}

fn case(asked: &Asked, goal: &str, mode: &str, missing: &str, memo: Vec<u8>) -> Case {
    let quiet = u32::try_from(KIT_LONG_SILENCE.as_millis()).unwrap_or(u32::MAX);
    let mut case = rows::case(&asked.row, Phase::Goal, quiet);
    case.view.goal = Some(goal.to_owned());
    case.view.command.clone_from(&asked.command);
    mode.clone_into(&mut case.view.mode);
    case.view.recent.clone_from(&asked.recent);
    // A question may carry the session's own number.
    case.view.facts.retain(|(name, _)| *name != "nonce");
    case.view.facts.push(("nonce", asked.nonce.as_str().into()));
    case.view.facts.push(("missing-secrets", missing.into()));
    case.command.clone_from(&asked.command);
    goal.clone_into(&mut case.goal);
    case.memo = memo;
    case
}

/// The plugin's own goal for the command, and the mode in which it claims it; none when another plugin has it.
async fn claim(plugin: &Plugin, asked: &Asked, modes: &[String]) -> Result<Option<(String, String)>, String> {
    let mut call = plugin.trial().await.map_err(|fault| fault.to_string())?;
    for mode in modes {
        let answers = ask_all(plugin, &mut call, &case(asked, "", mode, "", Vec::new()), &mut Costs::new()).await?;
        if let Some(goal) = answers.claim.flatten() {
            return Ok(Some((goal, mode.clone())));
        }
    }
    Ok(None)
}

/// What it says at the question, at the same question again, and without a value.
async fn steps(plugin: &Plugin, asked: &Asked, goal: &str, mode: &str) -> Result<Option<[Step; 3]>, String> {
    let mut call = plugin.trial().await.map_err(|fault| fault.to_string())?;
    let mut costs = Costs::new();
    let first = ask_all(plugin, &mut call, &case(asked, goal, mode, "", Vec::new()), &mut costs).await?.next;
    let Some(first) = first else { return Ok(None) };
    let second = ask_all(plugin, &mut call, &case(asked, goal, mode, "", first.memo.clone()), &mut costs).await?.next;
    let none = ask_all(plugin, &mut call, &case(asked, goal, mode, &asked.secret, Vec::new()), &mut costs).await?.next;
    Ok(second.zip(none).map(|(second, none)| [first.step, second.step, none.step]))
}
