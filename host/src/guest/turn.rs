//! A command's turn in a session. It is waited for as long as nothing there waits for a person.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::wire::Tell;
use crate::limits::{LOOK_EVERY, OPEN_MAX, RUN_TURN_MAX};
use crate::session::command::State;
use crate::session::report::OutputQuery;
use crate::session::{Accepted, Phase, Refusal, RunRequest, SessionHandle};

/// A wait is told of once it takes so long.
pub(super) const TOLD_AFTER: Duration = Duration::from_secs(2);

/// Runs a command when the session is free, and says what runs first where that takes long. Who limits how long it may run does not
/// wait longer than that for its turn. For who has gone nothing is begun.
pub(super) async fn take(handle: &SessionHandle, request: RunRequest, told: &mpsc::Sender<Tell>) -> Result<Accepted, Refusal> {
    let id = &handle.id;
    if timeout(OPEN_MAX, handle.until(|status| status.phase != Phase::Opening)).await.is_err() {
        let limit = OPEN_MAX.as_secs();
        return Err(Refusal::Cannot(format!("`{id}` still logs in after {limit} s; nothing was run. `jackfield attach {id}` shows it")));
    }
    if let Some(why) = waits(handle).await {
        return Err(Refusal::Cannot(why));
    }
    let end = request.kill_after.map_or(RUN_TURN_MAX, |limit| limit.min(RUN_TURN_MAX));
    handle.run_unless(request, reason(handle, end, told)).await
}

/// Why a turn is not waited for any longer.
async fn reason(handle: &SessionHandle, end: Duration, told: &mpsc::Sender<Tell>) -> String {
    let begun = Instant::now();
    // Where the session is free, the answer to that takes a moment.
    let (end, tell_at) = (begun + end.max(LOOK_EVERY), begun + TOLD_AFTER);
    let mut looks = handle.looks();
    let mut is_told = false;
    loop {
        tokio::select! {
            biased;
            () = told.closed() => return "nobody waits for it any more; nothing was run".to_owned(),
            () = looks.next() => {}
            () = sleep_until(if is_told { end } else { end.min(tell_at) }) => {}
        }
        if let Some(why) = waits(handle).await {
            return why;
        }
        if Instant::now() >= end {
            return busy(handle, "nothing was run");
        }
        if !is_told && Instant::now() >= tell_at {
            is_told = true;
            // Who asked may have gone.
            let _ = told.send(Tell::Waits { why: busy(handle, "this waits for its turn") }).await;
        }
    }
}

/// What to say where the session waits for somebody to answer.
async fn waits(handle: &SessionHandle) -> Option<String> {
    let id = &handle.id;
    match handle.status().phase {
        Phase::NeedsInput(question) => Some(format!(
            "`{id}` is not logged in: {question}; nothing was run. `jackfield attach {id}` shows it and takes the answer; where the device's `type` is wrong, correct it and `jackfield close {id}`"
        )),
        Phase::Busy(command) => {
            // It may have been answered since.
            handle.commons.activity().asks?;
            let report = handle.report(OutputQuery { command: Some(command), max_chars: 1, ..OutputQuery::default() }).await.ok()?;
            let (_, asked) = report.ask.filter(|_| report.state == State::NeedsInput)?;
            let asked = asked.trim();
            Some(format!(
                "`{id}` is busy: {command} asks `{asked}` and waits; nothing was run. `jackfield attach {id}` takes the answer, `jackfield close {id}` ends it"
            ))
        }
        _ => None,
    }
}

/// What to say while the turn does not come, and what that means here.
fn busy(handle: &SessionHandle, so: &str) -> String {
    let (id, device) = (&handle.id, &handle.id.device);
    match (handle.status().phase, handle.commons.activity().running) {
        (Phase::Busy(command), running) => {
            let whose = running.map(|running| format!(" of {}", running.by)).unwrap_or_default();
            format!(
                "`{id}` is busy: {command}{whose} still runs; {so}. `jackfield watch {id}` follows it, and `{device}#2` is another session"
            )
        }
        _ => format!("`{id}` did not get to it; {so}. `jackfield attach {id}` shows what is there"),
    }
}
