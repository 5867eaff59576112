//! Single rows, shown to the roles as the host would: what looks like a prompt and is none, and when a real one may be believed.

use super::calls::{Answers, Case, Costs, ask_all, concerns};
use super::recordings::Played;
use super::report::Check;
use super::subject::{Subject, runtime};
use super::words;
use crate::limits::KIT_LONG_SILENCE;
use crate::plugin::load::{Call, Plugin};
use crate::plugin::manifest::Role;
use crate::plugin::roles::{Phase, Reading, View};
use crate::replay::told;

/// Output that looks like something.
const OUTPUT: &str = include_str!("../../kit/output.txt");
/// What no device shows as a prompt.
const NEVER: &str = include_str!("../../kit/never.txt");
/// Rows that look like pages and questions.
const SPOOFS: &str = include_str!("../../kit/spoofs.txt");
/// What a device prints while nobody asked.
const MESSAGE: &str = include_str!("../../kit/message.txt");
/// Command lines.
const COMMANDS: &str = include_str!("../../kit/commands.txt");

/// The rows of a file, without its heading.
fn rows_of(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().skip(1)
}

/// Output that looks like something.
#[must_use]
pub fn output() -> Vec<&'static str> {
    rows_of(OUTPUT).collect()
}

/// Rows that look like pages and questions.
#[must_use]
pub fn spoofs() -> Vec<&'static str> {
    rows_of(SPOOFS).collect()
}

/// What a device prints while nobody asked.
#[must_use]
pub fn message() -> &'static str {
    rows_of(MESSAGE).next().unwrap_or_default()
}

/// Command lines.
#[must_use]
pub fn commands() -> Vec<String> {
    rows_of(COMMANDS).map(str::to_owned).collect()
}

/// All rows.
#[must_use]
pub fn all() -> Vec<String> {
    [OUTPUT, NEVER, SPOOFS].into_iter().flat_map(rows_of).map(str::to_owned).collect()
}

/// A moment at which this row stands last.
#[must_use]
pub fn case(row: &str, phase: Phase, quiet_ms: u32) -> Case {
    let view = View {
        revision: 0,
        rows_done: 0,
        tail: row.to_owned(),
        recent: String::new(),
        marks: Vec::new(),
        phase,
        prompt: None,
        mode: String::new(),
        command: if phase == Phase::Running { "show version".to_owned() } else { String::new() },
        echoed: true,
        bytes_since_send: row.len() as u64 + 200,
        quiet_ms,
        settle_ms: 50,
        goal: None,
        facts: vec![("nonce", "0123456789abcdef".into()), ("user", "admin".into())],
    };
    Case { view, memo: Vec::new(), command: "show version".to_owned(), policy: ("safe", "run"), goal: "login".to_owned() }
}

/// Shows the rows.
///
/// # Errors
///
/// When no instance can be had.
pub fn checks(subject: &Subject, played: &[Played]) -> Result<Vec<Check>, String> {
    let mut never = Check::new("false prompts", "password questions, pages and log rows are no prompts, however long they stay");
    let mut early = Check::new("settling", "no row without a mark is a prompt before any silence");
    let recorded: Vec<String> = played.iter().flat_map(|one| super::recordings::rows(&one.recording)).collect();
    let long = u32::try_from(KIT_LONG_SILENCE.as_millis()).unwrap_or(u32::MAX);
    runtime()?.block_on(async {
        for plugin in subject.loaded.iter().filter(|plugin| plugin.has("prompt")) {
            let mut call = plugin.trial().await.map_err(|fault| fault.to_string())?;
            for phase in [Phase::Login, Phase::Idle, Phase::Running] {
                for row in rows_of(NEVER) {
                    never.case(is_no_prompt(plugin, &mut call, &case(row, phase, long)).await);
                }
                for row in all().iter().chain(&recorded) {
                    early.case(is_no_prompt(plugin, &mut call, &case(row, phase, 0)).await);
                }
            }
        }
        Ok::<(), String>(())
    })?;
    Ok(if subject.has("prompt") { vec![never, early] } else { Vec::new() })
}

async fn is_no_prompt(plugin: &Plugin, call: &mut Call, case: &Case) -> Result<(), String> {
    if !concerns(plugin, Role::Prompt, &case.view.tail) {
        return Ok(());
    }
    let answers: Answers = ask_all(plugin, call, case, &mut Costs::new()).await?;
    match answers.prompt.map(|report| report.reading) {
        Some(Reading::Ready(ready)) => {
            let (row, phase, quiet) = (&case.view.tail, case.view.phase, case.view.quiet_ms);
            let (row, said) = (told::row(row), words::reading(&Reading::Ready(ready)));
            Err(format!(
                "`prompt.inspect` answers {said} to the row {row} in phase `{}` after {quiet} ms of silence; anything but `ready` is right there",
                phase.word()
            ))
        }
        _ => Ok(()),
    }
}
