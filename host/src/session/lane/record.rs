//! What a lane knows of a command: how it runs, where its output lies, how it has ended.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::streams::Streams;
use crate::cast::Cast;
use crate::ids::CommandId;
use crate::session::command::State;
use crate::session::journal::Ended;
use crate::session::now;
use crate::session::profile::Profile;
use crate::session::records::Remembered;
use crate::session::witness::{Apart, Witness};
use crate::transport::Writer;

/// A command, while it runs and later.
pub(super) struct Record {
    pub(super) id: CommandId,
    pub(super) state: watch::Sender<State>,
    pub(super) rule: (String, String),
    pub(super) started_at: Instant,
    pub(super) duration: Option<Duration>,
    pub(super) status: Option<i32>,
    pub(super) failure: Option<String>,
    pub(super) cwd: Option<String>,
    pub(super) warnings: Vec<String>,
    /// Parts of the session's streams, or of its own; the end is open while it runs.
    pub(super) out: (u64, Option<u64>),
    pub(super) err: (u64, Option<u64>),
    pub(super) own: Option<Box<Streams>>,
    pub(super) writer: Option<Writer>,
    pub(super) interrupted: bool,
    /// When it is stopped, and by how many signals it was so far.
    pub(super) kill_at: Option<(Instant, usize)>,
    pub(super) witness: Witness,
    pub(super) cast: Cast,
    /// Where it begins in the recording.
    pub(super) cast_from: f64,
}

impl Remembered for Record {
    fn id(&self) -> CommandId {
        self.id
    }

    fn is_over(&self) -> bool {
        self.duration.is_some()
    }

    fn bytes(&self) -> usize {
        let warnings = self.warnings.iter().map(String::len).sum::<usize>();
        warnings + self.failure.as_ref().map_or(0, String::len) + self.cwd.as_ref().map_or(0, String::len)
    }
}

impl Record {
    pub(super) fn end(&mut self, state: State, profile: &Profile) {
        if self.is_over() {
            return;
        }
        let duration = now().saturating_duration_since(self.started_at);
        let state = if self.interrupted { state.once_stopped() } else { state };
        self.duration = Some(duration);
        self.writer = None;
        self.state.send_replace(state);
        let part = |(start, end): (u64, Option<u64>)| (start, end.unwrap_or(start).max(start));
        let (out, err) = (part(self.out), part(self.err));
        let output_bytes = out.1 - out.0 + err.1 - err.0;
        let failed = self.has_failed(state);
        let ended = Ended { state: state.into(), exit_code: self.status, failed, duration, output_bytes };
        let recording = self.cast.part(self.cast_from, now());
        profile.witness_end_apart(self.id, ended, &self.witness, Apart { log: out, errors: err, recording });
    }

    pub(super) fn has_failed(&self, state: State) -> bool {
        self.failure.is_some() || self.status.is_some_and(|status| status != 0) || state.is_lost()
    }
}
