//! Plays a recording through the real session, cut as wanted, and says where it comes out differently.

use std::sync::Arc;
use std::time::Duration;

use crate::audit::Audit;
use crate::cast::Casts;
use crate::config::PolicyMode;
use crate::guest::words::refused;
use crate::ids::SessionId;
use crate::limits::{IDLE_CLOSE, OUTPUT_MAX_CHARS};
use crate::plugin::device_type::DeviceType;
use crate::policy::Purpose;
use crate::policy::approval::Approvals;
use crate::policy::taint::Taint;
use crate::recording::{Entry, Outcome, Recording};
use crate::secret::SecretSource;
use crate::secret::book::SecretBook;
use crate::session::command::State;
use crate::session::journal::Journal;
use crate::session::log::ByteLog;
use crate::session::profile::Profile;
use crate::session::report::{OutputQuery, Report};
use crate::session::{Accepted, Phase, RunRequest, SendRequest, SessionHandle, actor};
use crate::transport::Line;
use crate::transport::replay::{self, Cut};

/// How long a request may take in a replay. Under virtual time it costs nothing.
const REQUEST_MAX: Duration = Duration::from_secs(600);
/// Who asks, in a replay.
const CALLER: &str = "replay";

pub mod told;

/// What a report is compared by.
#[must_use]
pub fn outcome(report: &Report) -> Outcome {
    Outcome {
        state: report.state.word().to_owned(),
        exit: report.exit_code,
        failed: report.failed,
        mode: report.mode.clone(),
        output: report.output.clone(),
    }
}

/// Plays it. `secrets` holds a file for each secret, with its [`stand_in`](replay::stand_in).
///
/// # Errors
///
/// The first difference, as a sentence.
pub async fn run(recording: &Recording, kind: Arc<DeviceType>, secrets: &[(String, SecretSource)], cut: Cut) -> Result<(), String> {
    run_judged(recording, kind, secrets, cut, &mut exact).await
}

/// Says whether what came of a request is what should come of it.
pub type Judge<'a> = &'a mut (dyn FnMut(&Outcome, &Report) -> Result<(), String> + Send);

/// The same as recorded in everything.
///
/// # Errors
///
/// Both outcomes, where they differ.
pub fn exact(expected: &Outcome, report: &Report) -> Result<(), String> {
    let came = outcome(report);
    let told = told::difference(&came, expected);
    if told.is_empty() { Ok(()) } else { Err(format!("comes out otherwise: {told}")) }
}

/// Plays it and has somebody else say what is right.
///
/// # Errors
///
/// The first difference, as a sentence.
pub async fn run_judged(
    recording: &Recording,
    kind: Arc<DeviceType>,
    secrets: &[(String, SecretSource)],
    cut: Cut,
    judge: Judge<'_>,
) -> Result<(), String> {
    let session = open(recording, kind, secrets, replay::open(&recording.entries, cut));
    let played = tokio::time::timeout(REQUEST_MAX, play(&session, recording, judge)).await;
    session.close().await;
    played.unwrap_or_else(|_| Err(hangs(&session)))
}

/// A session as the recording's heading says, on any line.
#[must_use]
pub fn open(recording: &Recording, kind: Arc<DeviceType>, secrets: &[(String, SecretSource)], line: Line) -> SessionHandle {
    let profile = Profile {
        id: SessionId::main(&recording.device),
        kind,
        address: String::new(),
        user: recording.user.clone(),
        tags: Vec::new(),
        policy: PolicyMode::Full,
        secrets: secrets.iter().cloned().collect(),
        login_secrets: Vec::new(),
        welcome: Arc::default(),
        book: SecretBook::default(),
        logs: Box::new(ByteLog::in_memory),
        nonce: recording.nonce.clone(),
        size: recording.size,
        idle_close: IDLE_CLOSE,
        recorder: None,
        approvals: Approvals::default(),
        taint: Taint::default(),
        journal: Journal::default(),
        audit: Audit::default(),
        casts: Casts::default(),
        note: None,
        mask: false,
        secrets_elsewhere: Vec::new(),
        commons: Arc::default(),
    };
    actor::start(profile, line)
}

/// Runs a command and waits for its end, as long as it takes.
///
/// # Errors
///
/// A sentence when the session has ended, refuses it, or does not come to an end.
pub async fn command(session: &SessionHandle, text: &str) -> Result<Report, String> {
    let run = async {
        settled(session).await?;
        let accepted = start(session, text).await?;
        finish(session, accepted).await
    };
    tokio::time::timeout(REQUEST_MAX, run).await.unwrap_or_else(|_| Err(hangs(session)))
}

async fn play(session: &SessionHandle, recording: &Recording, judge: Judge<'_>) -> Result<(), String> {
    let mut running: Option<(Accepted, &str)> = None;
    for entry in &recording.entries {
        match entry {
            Entry::Run(text) => {
                settled(session).await?;
                running = Some((start(session, text).await?, text.as_str()));
            }
            Entry::Answer(name) => {
                asked(session, running.as_mut().map(|(accepted, _)| accepted)).await?;
                let request = SendRequest { secret: Some(name.clone()), caller: CALLER.to_owned(), ..SendRequest::default() };
                session.send(request).await.map_err(|refusal| format!("`{name}` is not taken: {}", refused(&refusal)))?;
            }
            Entry::Outcome(expected) => {
                let Some((accepted, text)) = running.take() else { return Err("an outcome without a request".to_owned()) };
                compare(session, (text, expected), &finish(session, accepted).await?, judge)?;
            }
            _ => {}
        }
    }
    // A login alone is one, too.
    let asks = recording.entries.iter().any(|entry| matches!(entry, Entry::Run(_)));
    if asks { Ok(()) } else { settled(session).await }
}

/// Ready, as far as the login goes.
async fn settled(session: &SessionHandle) -> Result<(), String> {
    session.until(|status| matches!(status.phase, Phase::Ready | Phase::Closed(_))).await;
    session.closed().map_or(Ok(()), Err)
}

/// Something asks: the running command, or the login.
async fn asked(session: &SessionHandle, running: Option<&mut Accepted>) -> Result<(), String> {
    match running {
        Some(accepted) => {
            let state = accepted.state.wait_for(|state| *state == State::NeedsInput || state.is_over()).await;
            match state.map(|state| *state) {
                Ok(State::NeedsInput) => Ok(()),
                Ok(state) => Err(format!("nothing was asked: the command's state is `{}`", state.word())),
                Err(_) => Err(format!("nothing was asked: {}", told::stands(session))),
            }
        }
        None => {
            session.until(|status| matches!(status.phase, Phase::NeedsInput(_) | Phase::Ready | Phase::Closed(_))).await;
            match session.status().phase {
                Phase::NeedsInput(_) => Ok(()),
                other => Err(format!("nothing was asked: the session {}", told::phase(&other))),
            }
        }
    }
}

fn hangs(session: &SessionHandle) -> String {
    format!("it hangs: {}", told::stands(session))
}

async fn start(session: &SessionHandle, text: &str) -> Result<Accepted, String> {
    let request = RunRequest::new(text, Purpose::Run, CALLER);
    session.run(request, REQUEST_MAX).await.map_err(|refusal| format!("`{text}` is refused: {}", refused(&refusal)))
}

async fn finish(session: &SessionHandle, mut accepted: Accepted) -> Result<Report, String> {
    // The task's end shows in the report.
    let _ = accepted.state.wait_for(|state| state.is_over()).await;
    session.report(OutputQuery { command: Some(accepted.id), max_chars: OUTPUT_MAX_CHARS, ..OutputQuery::default() }).await
}

fn compare(session: &SessionHandle, (text, expected): (&str, &Outcome), report: &Report, judge: Judge<'_>) -> Result<(), String> {
    let Err(wrong) = judge(expected, report) else { return Ok(()) };
    let end = session.closed().map(|why| format!("; {why}")).unwrap_or_default();
    let warnings = report.warnings.iter().map(|warning| format!("; warning: {warning}")).collect::<String>();
    Err(format!("`{text}` {wrong}{warnings}{end}"))
}
