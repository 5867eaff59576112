//! Commands and logs for guests, as text.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::turn;
use super::wire::{ApprovalState, RunReport, Tell};
use super::words::{self, for_people};
use crate::author::Author;
use crate::directory::{Directory, LineKind, OpenError};
use crate::ids::{CommandId, SessionId};
use crate::limits::{
    APPROVAL_OPEN_MAX, CALLER_REASON_MAX_CHARS, INTERRUPT_STEP_WAIT, INTERRUPTS_MAX, KILL_AFTER_MAX, OPEN_MAX, OUTPUT_MAX_CHARS,
};
use crate::policy::Purpose;
use crate::policy::approval::Request;
use crate::session::command::State;
use crate::session::journey::Keep;
use crate::session::report::{OutputQuery, Report};
use crate::session::{Accepted, Refusal, RunRequest, SessionHandle, Stop};
use crate::transport::questions::Question;

/// A command that is stopped and does not end is left alone after so long: all tries to stop it take less.
const STOP_MAX: Duration = Duration::from_secs(10);
/// What runs too long is so behind its limit, and not at it.
const CLOCK_TICK: Duration = Duration::from_millis(1);

/// A command that is wanted.
pub(super) struct Run {
    pub(super) session: String,
    pub(super) command: String,
    pub(super) kill_after_s: Option<u64>,
    pub(super) mode: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) reason: String,
    pub(super) by: Author,
}

/// Something that waits for a person, as guests see it.
pub(super) fn approval(request: Request, left: Duration) -> ApprovalState {
    ApprovalState {
        id: request.id,
        target: request.subject.session,
        caller: request.subject.caller,
        text: request.subject.text,
        cwd: request.subject.cwd,
        reason: request.reason,
        why: request.why,
        seconds_left: left.as_secs(),
    }
}

/// Opens a session and tells what is asked meanwhile, and what came of it. Runs where the sessions do.
pub(super) async fn opened(directory: Arc<Directory>, id: SessionId, by: Author, told: mpsc::Sender<Tell>) {
    let last = match open(&directory, &id, by, &told).await {
        Ok((_, reused)) => Tell::Done { text: format!("{id} {}", if reused { "was open" } else { "opened" }) },
        Err(why) => refused(why),
    };
    // Who asked may have gone.
    let _ = told.send(last).await;
}

/// The session of this name, opened if need be; says whether it was there. What servers ask at login is told.
async fn open(directory: &Arc<Directory>, id: &SessionId, by: Author, told: &mpsc::Sender<Tell>) -> Result<(SessionHandle, bool), String> {
    enum Next {
        Opened(Result<(SessionHandle, bool), OpenError>),
        Asks(Question),
        TakesLong,
    }
    let mut opening = pin!(directory.open(id, LineKind::Terminal, (None, None)));
    let mut long = pin!(sleep(turn::TOLD_AFTER));
    let (mut asked, mut is_told) = (Vec::new(), false);
    let opened = loop {
        let next = async {
            tokio::select! {
                biased;
                opened = &mut opening => Next::Opened(opened),
                question = directory.asked_at_login(&id.device, &asked) => Next::Asks(question),
                // Whoever is asked knows what is waited for.
                () = &mut long, if !is_told && asked.is_empty() => Next::TakesLong,
            }
        };
        // Whoever is asked has as long again.
        let next = timeout(OPEN_MAX, next).await;
        match next.map_err(|_| format!("`{id}` is still connecting after {} s", OPEN_MAX.as_secs()))? {
            Next::Opened(opened) => break opened,
            Next::Asks(question) => {
                asked.push(question.id.clone());
                told.send(Tell::Asks { question }).await.map_err(|_| String::new())?;
            }
            Next::TakesLong => {
                is_told = true;
                told.send(Tell::Waits { why: format!("`{id}` is still connecting") }).await.map_err(|_| String::new())?;
            }
        }
    };
    let (handle, reused) = opened.map_err(|error| for_people(&error.to_string()))?;
    handle.opened_by(by);
    Ok((handle, reused))
}

/// Runs a command and tells of it until it ends or asks something. Runs where the sessions do.
pub(super) async fn run(directory: Arc<Directory>, run: Run, told: mpsc::Sender<Tell>) {
    if let Err(last) = follow(&directory, run, &told).await {
        // Who asked may have gone.
        let _ = told.send(last).await;
    }
}

fn refused(why: String) -> Tell {
    Tell::Refused { why }
}

async fn follow(directory: &Arc<Directory>, run: Run, told: &mpsc::Sender<Tell>) -> Result<(), Tell> {
    let not_commit = |word: &str| format!("`{word}` says nothing of a candidate configuration; say check, now, confirmed or confirm");
    let keep = run.commit.as_deref().map(|word| Keep::parse(word).ok_or_else(|| not_commit(word))).transpose().map_err(refused)?;
    let id = SessionId::parse(&run.session);
    let (handle, _) = open(directory, &id, run.by.clone(), told).await.map_err(refused)?;
    let kill_after = run.kill_after_s.map(|limit| Duration::from_secs(limit).min(KILL_AFTER_MAX));
    let request = RunRequest {
        kill_after,
        mode: run.mode,
        keep,
        why: run.reason.trim().chars().take(CALLER_REASON_MAX_CHARS).collect(),
        ..RunRequest::new(&run.command, Purpose::Run, &run.by.to_string())
    };
    let accepted = turn::take(&handle, request, told).await.map_err(|refusal| match refusal {
        Refusal::ApprovalNeeded(_, request) => Tell::NeedsApproval { approval: approval(*request, APPROVAL_OPEN_MAX) },
        Refusal::Closed(why) => refused(format!("{id} is closed: {why}")),
        refusal => refused(words::refused(&refusal)),
    })?;
    // A program that runs here ends with who started it, too: by Ctrl-C, by a time limit around it, with its terminal.
    let id = accepted.id;
    if !tell(&handle, accepted, kill_after, told).await? {
        stop(&handle, id).await;
    }
    Ok(())
}

/// Tells of a command until it ends or asks something; `false` where nobody listens any more.
async fn tell(handle: &SessionHandle, accepted: Accepted, kill_after: Option<Duration>, told: &mpsc::Sender<Tell>) -> Result<bool, Tell> {
    let Accepted { id, mut state, .. } = accepted;
    let mut looks = handle.looks();
    // Where the part begins that is looked at, and what of its text was told.
    let (mut offset, mut said) = (None, String::new());
    loop {
        let report = report(handle, id, offset).await.map_err(|why| unknown(handle, id, why))?;
        if offset.is_none() && report.range.cut_bytes > 0 {
            // It has become too long to be looked at whole; the same text is its beginning.
            offset = Some(report.range.start);
            continue;
        }
        let goes_on = kill_after.is_some_and(|limit| report.duration > limit + STOP_MAX);
        let stands = report.state.is_over() || report.state == State::NeedsInput || goes_on;
        let more = offset.is_some() && report.range.end < report.range.output_end;
        // What goes on in the last row is told when the row is whole.
        let all = stands || more;
        let whole = if all { report.output.len() } else { report.output.rfind('\n').map_or(0, |at| at + 1) };
        let text = report.output.get(..whole).unwrap_or_default();
        let new = untold(&said, text);
        if !new.is_empty() && told.send(Tell::Text { text: new.to_owned() }).await.is_err() {
            return Ok(false);
        }
        text.clone_into(&mut said);
        if more {
            (offset, said) = (Some(report.range.end), String::new());
        } else if stands {
            let report = told_of(handle, id, kill_after, report);
            // Who has gone now need not know.
            let _ = told.send(Tell::Finished { report }).await;
            return Ok(true);
        } else {
            // By time alone it is left alone, and nothing else comes of it.
            let left = kill_after.map_or(Duration::MAX, |limit| (limit + STOP_MAX).saturating_sub(report.duration) + CLOCK_TICK);
            tokio::select! {
                biased;
                () = told.closed() => return Ok(false),
                // Its end, or a question, is told at once, however much it prints.
                Ok(()) = state.changed() => {}
                () = looks.next() => {}
                () = sleep(left) => {}
            }
        }
    }
}

/// What of a text was not told yet. Where the device has changed a row of it since, all of it from there on: rather twice than never.
fn untold<'a>(said: &str, text: &'a str) -> &'a str {
    if let Some(new) = text.strip_prefix(said) {
        return new;
    }
    if said.starts_with(text) {
        return "";
    }
    let rows = said.split_inclusive('\n').zip(text.split_inclusive('\n'));
    let same = rows.take_while(|(said, now)| said == now).map(|(row, _)| row.len()).sum();
    text.get(same..).unwrap_or(text)
}

/// Types what interrupts a command that nobody waits for any more, as often as that may take.
async fn stop(handle: &SessionHandle, id: CommandId) {
    for tried in 0..INTERRUPTS_MAX {
        let over = report(handle, id, None).await.map_or(true, |report| report.state.is_over());
        if over || handle.stop(Stop::Interrupt, tried, Some(id)).await.is_err() {
            return;
        }
        sleep(INTERRUPT_STEP_WAIT).await;
    }
}

async fn report(handle: &SessionHandle, id: CommandId, offset: Option<u64>) -> Result<Report, String> {
    handle.report(OutputQuery { command: Some(id), offset, max_chars: OUTPUT_MAX_CHARS, ..OutputQuery::default() }).await
}

fn told_of(handle: &SessionHandle, id: CommandId, kill_after: Option<Duration>, report: Report) -> RunReport {
    // A command that ends by itself at the last moment was not stopped.
    let is_stopped = matches!(report.state, State::Interrupted | State::Running);
    RunReport {
        session: handle.id.to_string(),
        command_id: id.to_string(),
        state: report.state.word().to_owned(),
        exit_code: report.exit_code,
        failed: report.failed,
        timed_out: is_stopped && kill_after.is_some_and(|limit| report.duration >= limit),
        failure: if report.state.is_lost() { Some(lost(handle, report.failure)) } else { report.failure },
        ask: report.ask.map(|(_, text)| text.trim().to_owned()),
        duration_ms: u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
        warnings: report.warnings.iter().map(|warning| for_people(warning)).collect(),
    }
}

/// What to say of a command whose line has ended.
fn lost(handle: &SessionHandle, failure: Option<String>) -> String {
    let reason = handle.closed().map(|why| format!(": {why}")).unwrap_or_default();
    let before = failure.map(|failure| format!("{failure}; ")).unwrap_or_default();
    format!("{before}the line ended while it ran{reason}")
}

/// It was begun, and nobody can say any more what became of it.
fn unknown(handle: &SessionHandle, id: CommandId, why: String) -> Tell {
    let (session, command_id, state) = (handle.id.to_string(), id.to_string(), State::Lost.word().to_owned());
    Tell::Finished { report: RunReport { session, command_id, state, failed: true, failure: Some(why), ..RunReport::default() } }
}

/// A part of a session's log.
pub(super) async fn log(
    handle: &SessionHandle,
    offset: Option<u64>,
    tail: Option<usize>,
    since_ms: Option<i64>,
) -> Result<(String, Tell), String> {
    let offset = offset.or_else(|| since_ms.and_then(|since| handle.commons.begun_since(since)));
    let offset = if tail.is_none() { Some(offset.unwrap_or_default()) } else { offset };
    let report = handle.report(OutputQuery { offset, tail, max_chars: OUTPUT_MAX_CHARS, ..OutputQuery::default() }).await?;
    let range = report.range;
    let next = if tail.is_some() { range.output_end.max(range.end) } else { range.end };
    Ok((report.output, Tell::LogEnd { next, more: tail.is_none() && range.end < range.output_end }))
}

/// How long it can still be answered.
pub(super) fn waiting(directory: &Arc<Directory>) -> Vec<ApprovalState> {
    directory.approvals().waiting(Instant::now()).into_iter().map(|(request, left)| approval(request, left)).collect()
}

#[cfg(test)]
mod tests;
