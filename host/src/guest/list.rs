//! What guests see of all sessions.

use std::sync::Arc;
use std::time::Instant;

use super::wire::{RunningState, SessionState, Tell};
use super::{Guests, errand};
use crate::author::Author;
use crate::config::TypeChoice;
use crate::instant;
use crate::session::{Phase, SessionHandle};

/// A session as guests see it.
pub(super) fn session(guests: &Arc<Guests>, handle: &SessionHandle) -> SessionState {
    let status = handle.status();
    let commons = &handle.commons;
    let activity = commons.activity();
    let stage = guests.stages().get(&handle.id).cloned();
    let (columns, rows) = stage.as_ref().map_or(status.size, |stage| stage.size());
    let detail = match &status.phase {
        Phase::NeedsInput(question) => question.clone(),
        Phase::Closed(why) => why.clone(),
        _ => activity.asks.clone().unwrap_or_default(),
    };
    let state = if matches!(status.phase, Phase::Busy(_)) && activity.asks.is_some() { "needs_input" } else { status.phase.word() };
    let running = activity.running.as_ref().filter(|_| matches!(status.phase, Phase::Busy(_)));
    SessionState {
        session: handle.id.to_string(),
        device: handle.id.device.clone(),
        kind: handle.kind.clone(),
        state: state.to_owned(),
        detail,
        mode: status.mode,
        prompt: status.prompt,
        cwd: status.cwd,
        running: running.map(|running| RunningState {
            id: running.id.to_string(),
            text: running.text.clone(),
            by: running.by.clone(),
            since_ms: u64::try_from(instant::millis(running.since)).unwrap_or_default(),
        }),
        last_error: activity.last_error.clone(),
        lock: commons.lock.state(Instant::now()),
        guests: stage.map(|stage| stage.guests()).unwrap_or_default(),
        opened_by: commons.opened_by.get().cloned(),
        note: commons.note(),
        columns,
        rows,
        log_bytes: status.log_bytes,
        idle_s: activity.used_at.elapsed().as_secs(),
        has_terminal: commons.has_terminal,
        warnings: handle.welcome.warnings.iter().cloned().chain(doubt(guests, &handle.id.device)).collect(),
    }
}

/// What to know of a type that was found out.
fn doubt(guests: &Arc<Guests>, device: &str) -> Option<String> {
    let world = guests.directory.world();
    world.config.devices.get(device).filter(|known| known.device_type == TypeChoice::Auto)?;
    guests.directory.identities().of(device)?.warning(device)
}

/// All of them, and what waits.
pub(super) fn all(guests: &Arc<Guests>) -> Tell {
    let directory = &guests.directory;
    let open = directory.list();
    Tell::Sessions {
        sessions: open.iter().map(|handle| session(guests, handle)).collect(),
        approvals: errand::waiting(directory),
        questions: directory.questions().open(),
        panic: directory.halted_by().map(|by| Author::of_caller(&by).name),
        devices: directory.world().config.devices.keys().cloned().collect(),
    }
}
