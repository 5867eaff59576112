//! `jackfield mcp`: carries a client's lines to the daemon and its answers back. It has no runtime and knows no device.
//!
//! When the daemon ends under it, it finds another one, says there what the client said when it began, and tells the client of each
//! request that was on its way that its answer is lost.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::hello::Want;
use super::launch::{Connected, connect_or_start, variables};
use super::read_line;
use crate::limits::{RELAY_LINE_MAX_BYTES, RELAY_LINGER, RELAY_RESTARTS_MAX};

/// The code of an error that is the server's own (JSON-RPC 2.0, section 5.1).
const SERVER_ERROR: i32 = -32000;
/// Restarts are counted for so long.
const MINUTE: Duration = Duration::from_secs(60);

/// What both directions know.
#[derive(Debug)]
struct Shared {
    file: Option<PathBuf>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Where lines go to; none while another daemon is looked for.
    to: Option<Arc<UnixStream>>,
    /// What the client said when it began (MCP, lifecycle), for a daemon that comes later.
    beginning: Beginning,
    /// The ids of requests that were not answered, as they were written.
    waiting: VecDeque<String>,
    /// The client has said all.
    is_over: bool,
}

#[derive(Debug, Default)]
struct Beginning {
    initialize: Option<(String, Vec<u8>)>,
    initialized: Option<Vec<u8>>,
}

/// What of a message has to be known.
#[derive(Deserialize)]
struct Head<'a> {
    id: Option<Value>,
    #[serde(borrow)]
    method: Option<std::borrow::Cow<'a, str>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves the client on standard input and output by the daemon for this configuration.
///
/// # Errors
///
/// When there is no daemon and none can be started.
pub fn run(file: Option<&Path>) -> Result<ExitCode, String> {
    let stream = join(file)?.0;
    let from = stream.try_clone().map_err(|error| error.to_string())?;
    let state = State { to: Some(Arc::new(stream)), beginning: Beginning::default(), waiting: VecDeque::new(), is_over: false };
    let shared = Arc::new(Shared { file: file.map(Path::to_owned), state: Mutex::new(state), changed: Condvar::new() });
    let inward = Arc::clone(&shared);
    let reading = move || inward.carry_in(io::stdin().lock());
    thread::Builder::new().name("client".to_owned()).spawn(reading).map_err(|error| format!("cannot start a thread: {error}"))?;
    shared.carry_out(from)
}

/// Connects, and gives the daemon this client's values of its variables. Says what the daemon before it lost.
fn join(file: Option<&Path>) -> Result<(UnixStream, Option<String>), String> {
    let Connected { mut stream, greeting } = connect_or_start(file, &Want::Mcp)?;
    let mut values = variables(&greeting);
    let mut line = Zeroizing::new(serde_json::to_string(&values).unwrap_or_default());
    line.push('\n');
    values.values_mut().for_each(Zeroize::zeroize);
    stream.write_all(line.as_bytes()).map_err(|error| format!("the daemon has gone again: {error}"))?;
    Ok((stream, greeting.lost))
}

impl Shared {
    /// From the client to the daemon, line by line.
    fn carry_in(&self, input: impl Read) {
        let mut input = BufReader::with_capacity(64 * 1024, input);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut input).take(RELAY_LINE_MAX_BYTES as u64).read_until(b'\n', &mut line);
            if !read.is_ok_and(|count| count > 0) {
                break;
            }
            self.send(&line);
        }
        let mut state = self.state();
        state.is_over = true;
        if let Some(to) = &state.to {
            // It may have gone already.
            let _ = to.shutdown(Shutdown::Write);
        }
    }

    /// Sends a line, to the next daemon if this one has gone.
    fn send(&self, line: &[u8]) {
        let mut state = self.state();
        let id = state.note(line);
        loop {
            let Some(to) = &state.to else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                if state.is_over {
                    return;
                }
                continue;
            };
            let to = Arc::clone(to);
            // Counted before it is sent: its answer may be there at once.
            if let Some(id) = &id {
                state.waiting.push_back(id.clone());
            }
            drop(state);
            // The lock is not held: a daemon that does not read must not keep its answers from being taken.
            if (&*to).write_all(line).is_ok() {
                return;
            }
            state = self.state();
            if let Some(id) = &id {
                state.forget(id);
            }
            // Whoever reads from it finds another one.
            if state.to.as_ref().is_some_and(|now| Arc::ptr_eq(now, &to)) {
                state.to = None;
            }
        }
    }

    /// From the daemon to the client, until both have said all.
    fn carry_out(&self, mut from: UnixStream) -> Result<ExitCode, String> {
        let mut restarts: VecDeque<Instant> = VecDeque::new();
        loop {
            if !self.copy(&from) {
                return Ok(ExitCode::SUCCESS);
            }
            // The daemon has gone while the client is there.
            let now = Instant::now();
            restarts.retain(|at| now.duration_since(*at) < MINUTE);
            restarts.push_back(now);
            if restarts.len() > RELAY_RESTARTS_MAX {
                return Err(format!("the daemon has ended {} times within a minute; `jackfield status` names its log", restarts.len()));
            }
            from = self.rejoin()?;
        }
    }

    /// Copies answers until the daemon has gone. Should another one be looked for?
    fn copy(&self, from: &UnixStream) -> bool {
        let mut answers = BufReader::with_capacity(64 * 1024, from);
        let mut output = io::stdout().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = answers.read_until(b'\n', &mut line);
            if !read.is_ok_and(|count| count > 0) || line.last() != Some(&b'\n') {
                return !self.state().is_over;
            }
            // An answer is counted before the client has it: it may send the same id at once.
            self.answered(&line);
            if output.write_all(&line).and_then(|()| output.flush()).is_err() {
                // The client has gone.
                return false;
            }
        }
    }

    fn answered(&self, line: &[u8]) {
        let mut state = self.state();
        if state.waiting.is_empty() {
            return;
        }
        if let Ok(Head { id: Some(id), method: None }) = serde_json::from_slice(line) {
            state.forget(&id.to_string());
        }
    }

    /// Finds another daemon and begins there as the client did.
    fn rejoin(&self) -> Result<UnixStream, String> {
        self.state().to = None;
        let (mut stream, lost) = join(self.file.as_deref())?;
        let failed = |error: io::Error| format!("the daemon has gone again: {error}");
        let mut state = self.state();
        if let Some((_, line)) = state.beginning.initialize.as_ref().filter(|(id, _)| !state.waiting.contains(id)) {
            stream.set_read_timeout(Some(RELAY_LINGER)).map_err(failed)?;
            stream.write_all(line).map_err(failed)?;
            // The client has its answer already.
            read_line(&mut stream, RELAY_LINE_MAX_BYTES).map_err(failed)?;
            stream.set_read_timeout(None).map_err(failed)?;
        }
        if let Some(line) = &state.beginning.initialized {
            stream.write_all(line).map_err(failed)?;
        }
        let lost = lost.unwrap_or_else(|| "sessions that were open there are closed".to_owned());
        let message = format!(
            "The process that held the sessions has ended: {lost}. Whether this call was carried out is not known: look before you repeat it"
        );
        let mut output = io::stdout().lock();
        for id in std::mem::take(&mut state.waiting) {
            let error = serde_json::json!({"code": SERVER_ERROR, "message": message});
            // A client that has gone is noticed by the next read.
            let _ = writeln!(output, "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{error}}}").and_then(|()| output.flush());
        }
        let from = stream.try_clone().map_err(failed)?;
        if state.is_over {
            let _ = stream.shutdown(Shutdown::Write);
        }
        state.to = Some(Arc::new(stream));
        self.changed.notify_all();
        Ok(from)
    }
}

impl State {
    /// Keeps what a daemon that comes later has to be told. The id of a request.
    fn note(&mut self, line: &[u8]) -> Option<String> {
        let Head { id, method } = serde_json::from_slice(line).ok()?;
        let method = method?;
        let id = id.map(|id| id.to_string());
        match (method.as_ref(), &id) {
            ("initialize", Some(id)) => self.beginning.initialize = Some((id.clone(), line.to_owned())),
            ("notifications/initialized", None) => self.beginning.initialized = Some(line.to_owned()),
            _ => {}
        }
        id
    }

    /// A request is on its way no longer. Another one that a client has sent with the same id still is.
    fn forget(&mut self, id: &str) {
        if let Some(at) = self.waiting.iter().position(|known| known == id) {
            self.waiting.remove(at);
        }
    }
}
