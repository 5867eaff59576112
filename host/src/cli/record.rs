//! `jackfield record`: a session with a device as a test case.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::answer::attended;
use super::paint::put;
use super::runtime::runtime;
use crate::directory::{Directory, LineKind};
use crate::guest::words::{for_people, refused};
use crate::ids::SessionId;
use crate::limits::{OUTPUT_MAX_CHARS, RECORDING_ENTRIES_MAX};
use crate::policy::Purpose;
use crate::recording::{Entry, Recording, Taped};
use crate::replay;
use crate::session::command::State;
use crate::session::report::OutputQuery;
use crate::session::{Phase, RunRequest, SendRequest, SessionHandle};
use crate::startup;

/// Who asks, for policy.
const CALLER: &str = "record";

/// What is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The device.
    pub device: &'a str,
    /// The commands, in order.
    pub commands: &'a [String],
    /// Secrets for password questions, in order.
    pub secrets: &'a [String],
    /// Where the recording goes; standard output if nothing is said.
    pub out: Option<&'a Path>,
}

/// Opens a session, runs the commands, writes what happened.
///
/// # Errors
///
/// A sentence, when the device cannot be reached or the file cannot be written.
pub fn run(file: Option<&Path>, wanted: &Wanted<'_>) -> Result<ExitCode, String> {
    // A session that was had for nothing may have changed the device.
    wanted.out.map_or(Ok(()), |path| crate::atomic::check(path).map_err(|error| cannot(path, &error)))?;
    let config = startup::config(file)?;
    let (recorder, mut taped) = mpsc::channel(RECORDING_ENTRIES_MAX);
    let directory = Arc::new(startup::directory(config)?.recorded_by(recorder));
    let runtime = runtime()?;
    let recording = runtime.block_on(attended(directory.questions(), record(&directory, wanted, &mut taped)));
    runtime.block_on(directory.shut_down());
    startup::clean_up();
    write(&recording?, wanted.out)?;
    Ok(ExitCode::SUCCESS)
}

fn write(recording: &Recording, out: Option<&Path>) -> Result<(), String> {
    let Some(path) = out else {
        put(recording.to_string().as_bytes());
        return Ok(());
    };
    crate::atomic::write(path, recording.to_string().as_bytes(), 0o600).map_err(|error| cannot(path, &error))
}

fn cannot(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write `{}`: {error}", path.display())
}

async fn record(directory: &Arc<Directory>, wanted: &Wanted<'_>, taped: &mut mpsc::Receiver<Taped>) -> Result<Recording, String> {
    // A session takes what it masks along when it ends, as the last command may have it do.
    let known = directory.known_secrets(wanted.device);
    let id = SessionId::main(wanted.device);
    let (session, _) = directory.open(&id, LineKind::Terminal, (None, None)).await.map_err(|error| for_people(&error.to_string()))?;
    let Some(Taped::Begin(mut recording)) = taped.recv().await else { return Err("the session did not start".to_owned()) };
    let mut secrets = wanted.secrets.iter();
    loop {
        session.until(|status| status.phase != Phase::Opening).await;
        take(taped, &mut recording);
        match session.status().phase {
            Phase::NeedsInput(question) => answer(&session, &mut recording, &question, secrets.next()).await?,
            Phase::Closed(why) => return Err(why),
            _ => break,
        }
    }
    for command in wanted.commands {
        one(&session, command, &mut recording, taped, &mut secrets).await?;
    }
    recording.conceal(&known);
    if directory.device(wanted.device).is_ok_and(|device| device.mask) {
        let kind = directory.kind_of(wanted.device).await.map_err(|error| error.to_string())?;
        recording.hide(&kind.mask);
    }
    Ok(recording)
}

/// What has happened so far.
fn take(taped: &mut mpsc::Receiver<Taped>, recording: &mut Recording) {
    while let Ok(next) = taped.try_recv() {
        match (recording.entries.last_mut(), next) {
            (Some(Entry::Output(before)), Taped::Entry(Entry::Output(bytes))) => before.extend(bytes),
            (_, Taped::Entry(entry)) => recording.entries.push(entry),
            (_, Taped::Cover(bytes)) => recording.cover(&bytes),
            // One session is recorded.
            (_, Taped::Begin(_)) => return,
        }
    }
}

async fn answer(session: &SessionHandle, recording: &mut Recording, question: &str, secret: Option<&String>) -> Result<(), String> {
    let Some(name) = secret else { return Err(format!("{question}; give --secret NAME to answer with a secret of the device")) };
    recording.entries.push(Entry::Answer(name.clone()));
    let request = SendRequest { secret: Some(name.clone()), caller: CALLER.to_owned(), ..SendRequest::default() };
    session.send(request).await.map(drop).map_err(|refusal| format!("`{name}` cannot be typed: {}", refused(&refusal)))?;
    let question = question.to_owned();
    session.until(|status| status.phase != Phase::NeedsInput(question.clone())).await;
    Ok(())
}

async fn one(
    session: &SessionHandle,
    command: &str,
    recording: &mut Recording,
    taped: &mut mpsc::Receiver<Taped>,
    secrets: &mut std::slice::Iter<'_, String>,
) -> Result<(), String> {
    recording.entries.push(Entry::Run(command.to_owned()));
    let request = RunRequest::new(command, Purpose::Run, CALLER);
    let accepted = session.run(request, std::time::Duration::MAX).await;
    let mut accepted = accepted.map_err(|refusal| format!("`{command}` is refused: {}", refused(&refusal)))?;
    loop {
        let state = accepted.state.wait_for(|state| *state != State::Running).await.map(|state| *state);
        take(taped, recording);
        match state {
            Ok(State::NeedsInput) => answer(session, recording, "the command asks something", secrets.next()).await?,
            _ => break,
        }
        let _ = accepted.state.wait_for(|state| *state != State::NeedsInput).await.is_ok();
    }
    let query = OutputQuery { command: Some(accepted.id), max_chars: OUTPUT_MAX_CHARS, ..OutputQuery::default() };
    let report = session.report(query).await?;
    recording.entries.push(Entry::Outcome(replay::outcome(&report)));
    Ok(())
}
