//! What guests see of all sessions.

use std::sync::Arc;
use std::time::Instant;

use super::wire::{RunningState, SessionState, Tell};
use super::{Guests, errand};
use crate::author::Author;
use crate::config::TypeChoice;
use crate::instant;
use crate::limits::GUEST_IDLE_EVERY;
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

/// All of them, and what waits, at a time.
#[derive(Debug)]
pub(super) struct Listed {
    /// Without the next.
    told: Tell,
    /// For how long nobody has used each session. It grows all the time, and nobody is told at once of that alone.
    idle: Vec<u64>,
    at: Instant,
}

impl Listed {
    /// As it is now.
    pub(super) fn now(guests: &Arc<Guests>) -> Self {
        Self::of(all(guests), Instant::now())
    }

    fn of(mut told: Tell, at: Instant) -> Self {
        let idle = sessions(&mut told).map(|session| std::mem::take(&mut session.idle_s)).collect();
        Self { told, idle, at }
    }

    /// What a guest is to be told who was told the other one last.
    pub(super) fn news_since(&self, last: &Self) -> Option<Tell> {
        let is_late = self.idle != last.idle && self.at.saturating_duration_since(last.at) >= GUEST_IDLE_EVERY;
        (is_late || self.told != last.told).then(|| self.whole())
    }

    /// All of it.
    pub(super) fn whole(&self) -> Tell {
        let mut told = self.told.clone();
        sessions(&mut told).zip(&self.idle).for_each(|(session, idle)| session.idle_s = *idle);
        told
    }
}

fn sessions(told: &mut Tell) -> impl Iterator<Item = &mut SessionState> {
    let sessions = match told {
        Tell::Sessions { sessions, .. } => Some(sessions),
        _ => None,
    };
    sessions.into_iter().flatten()
}

/// All of them, and what waits.
fn all(guests: &Arc<Guests>) -> Tell {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn that_time_passes_is_no_news_at_once() {
        let begin = Instant::now();
        let listed = |idle_s: u64, mode: &str, at: Duration| {
            let session = SessionState { session: "web1".to_owned(), idle_s, mode: mode.to_owned(), ..SessionState::default() };
            let (approvals, questions, devices) = (Vec::new(), Vec::new(), Vec::new());
            Listed::of(Tell::Sessions { sessions: vec![session], approvals, questions, panic: None, devices }, begin + at)
        };
        let last = listed(7, "exec", Duration::ZERO);
        assert_eq!(listed(8, "exec", Duration::from_secs(1)).news_since(&last), None);
        assert_eq!(listed(7, "exec", 2 * GUEST_IDLE_EVERY).news_since(&last), None, "nothing has changed");
        for (idle, mode, at) in [(8, "config", Duration::from_secs(1)), (12, "exec", GUEST_IDLE_EVERY)] {
            let Some(Tell::Sessions { sessions, .. }) = listed(idle, mode, at).news_since(&last) else { panic!("{mode}") };
            assert_eq!((sessions[0].idle_s, sessions[0].mode.as_str()), (idle, mode));
        }
    }
}
