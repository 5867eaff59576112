//! `ssh_interrupt`: stops what runs, step by step, and says what it took.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tokio::time::timeout;

use super::Caller;
use super::calls::{about, rollout};
use super::reply::Reply;
use super::tools::Arguments;
use crate::author::Author;
use crate::directory::Directory;
use crate::ids::CommandId;
use crate::limits::{BESIDE_MAX, INTERRUPT_STEP_WAIT, INTERRUPTS_MAX};
use crate::session::command::State;
use crate::session::report::OutputQuery;
use crate::session::{Phase, SessionHandle, Stop};

/// Stops a command, a transfer or a rollout.
pub(super) async fn interrupt(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    if let Some(rollout) = rollout(directory, arguments) {
        return super::fleet::stop(caller, &rollout).await;
    }
    let named: Option<CommandId> = arguments.text("command_id").and_then(|text| text.parse().ok());
    if let Some((id, was_running)) = named.and_then(|id| Some((id, directory.transfers().stop(id)?))) {
        if !was_running {
            return Err(format!("{id} does not run: the transfer has ended; the same ssh_transfer tells how"));
        }
        let text = format!("{id} interrupted: the transfer stops; the same ssh_transfer tells what became of it");
        return Ok(Reply::new(json!({"command_id": id.to_string(), "state": "interrupted"}), text));
    }
    let (handle, command) = about(directory, arguments)?;
    handle.commons.lock.check(&Author::agent(&caller.name), Instant::now()).map_err(|held| held.why)?;
    let how = match arguments.text("how").unwrap_or("int") {
        "term" => Stop::Terminate,
        "kill" => Stop::Kill,
        "hangup" => Stop::Hangup,
        _ => Stop::Interrupt,
    };
    let session = handle.id.to_string();
    let running = match (handle.status().phase, command) {
        (_, Some(wanted)) => {
            let state = state_of(&handle, wanted).await?;
            if state.is_over() {
                return Err(format!("{wanted} does not run: it is {}", state.word()));
            }
            wanted
        }
        (Phase::Busy(running), None) => running,
        _ if how == Stop::Hangup => return hang_up(&handle, &session).await,
        _ => return Err(format!("nothing runs in `{session}`")),
    };
    let progress = || format!("{session}: waiting for the prompt");
    // Longer than all its steps: what was sent is told.
    let stopping = caller.wait(BESIDE_MAX + INTERRUPT_STEP_WAIT * 4, progress, stop(&handle, running, how)).await;
    let Stopping { sent, back, why } = stopping.unwrap_or_default();
    let closed = handle.closed().is_some();
    let state = if back || closed { "interrupted" } else { "running" };
    let fields =
        json!({"session": session, "command_id": running.to_string(), "state": state, "sent": sent, "prompt_back": back && !closed});
    let text =
        format!("{session} {running} {state} sent: {}; prompt back: {}", sent.join(", "), if back && !closed { "yes" } else { "no" });
    let next = match (back || closed, how) {
        (true, _) if closed => {
            "The line is closed. What ignores that may go on on the device: look there, for example with ps. The next call opens a new session."
        }
        (true, Stop::Hangup) => "Its channel is closed. What ignores that may go on on the device: look there, for example with ps.",
        (true, _) => "",
        (false, _) if let Some(why) = &why => why,
        (false, Stop::Interrupt) if !handle.commons.has_terminal => {
            "It did not stop. ssh_output command_id shows what it has printed; then ssh_interrupt how=term, or how=hangup ends it."
        }
        (false, Stop::Interrupt) => "It did not stop. Look with ssh_screen; then ssh_interrupt how=term, or how=hangup closes the line.",
        (false, _) => "It did not stop. ssh_interrupt how=hangup closes the line; what runs on the device may go on there.",
    };
    Ok(Reply::new(fields, text).with_next(next))
}

/// How stopping went.
#[derive(Default)]
pub(super) struct Stopping {
    /// What was sent.
    sent: Vec<String>,
    /// Has the command ended?
    back: bool,
    /// Why something could not be sent, and what is left.
    why: Option<String>,
}

/// Stops a command, step by step.
pub(super) async fn stop(handle: &SessionHandle, command: CommandId, how: Stop) -> Stopping {
    let mut sent = Vec::new();
    let tries = if how == Stop::Interrupt { INTERRUPTS_MAX } else { 1 };
    for tried in 0..tries {
        let mut looks = handle.looks();
        match handle.stop(how, tried, Some(command)).await {
            Ok(what) => sent.push(what),
            // It has ended meanwhile, or its line has; or the session is too busy to hear of it.
            Err(why) => {
                let back = is_over(handle, command).await;
                return Stopping { sent, back, why: Some(format!("{why}. how=hangup closes the line.")) };
            }
        }
        let over = async {
            while !is_over(handle, command).await {
                looks.next().await;
            }
        };
        if timeout(INTERRUPT_STEP_WAIT, over).await.is_ok() {
            return Stopping { sent, back: true, why: None };
        }
    }
    Stopping { sent, back: false, why: None }
}

/// Has it ended? What is the session's own, such as a line that is taken back, has no state to ask for.
async fn is_over(handle: &SessionHandle, command: CommandId) -> bool {
    match state_of(handle, command).await {
        Ok(state) => state.is_over(),
        Err(_) => handle.closed().is_some() || handle.status().phase != Phase::Busy(command),
    }
}

async fn state_of(handle: &SessionHandle, command: CommandId) -> Result<State, String> {
    let query = OutputQuery { command: Some(command), tail: Some(1), max_chars: 1, ..OutputQuery::default() };
    handle.report(query).await.map(|report| report.state)
}

async fn hang_up(handle: &SessionHandle, session: &str) -> Result<Reply, String> {
    let sent = handle.stop(Stop::Hangup, 0, None).await?;
    let fields = json!({"session": session, "state": "interrupted", "sent": [sent], "prompt_back": false});
    Ok(Reply::new(fields, format!("{session} interrupted sent: {sent}")))
}
