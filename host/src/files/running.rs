//! Transfers that go on, whoever waits for them: a call that runs out of its time does not end one, and the same call finds it again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::FilesError;
use super::transfer::{Outcome, Progress};
use crate::ids::CommandId;
use crate::limits::{TRANSFER_KEPT_MAX, TRANSFERS_MAX};

/// What a transfer has come to; nothing yet while it runs.
pub type End = Option<Arc<Result<Outcome, FilesError>>>;

/// One that was started.
#[derive(Debug, Clone)]
pub struct Started {
    /// Its number.
    pub id: CommandId,
    /// Who.
    pub caller: String,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// Its end.
    pub end: watch::Receiver<End>,
    /// Ends it early.
    pub stop: CancellationToken,
    /// Since when.
    pub since: Instant,
}

impl Started {
    fn is_kept(&self, now: Instant) -> bool {
        self.end.borrow().is_none() || now.saturating_duration_since(self.since) < TRANSFER_KEPT_MAX
    }
}

/// All of them, by what identifies the call.
#[derive(Debug, Default)]
pub struct Transfers(Mutex<BTreeMap<String, Started>>);

impl Transfers {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Started>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one of this call, if it runs, or was started not long ago and nobody has heard its end.
    #[must_use]
    pub fn find(&self, key: &str, now: Instant) -> Option<Started> {
        self.all().get(key).filter(|started| started.is_kept(now)).cloned()
    }

    /// Does one go on?
    #[must_use]
    pub fn are_running(&self) -> bool {
        self.all().values().any(|started| started.end.borrow().is_none())
    }

    /// The one of this number.
    #[must_use]
    pub fn by_id(&self, id: CommandId) -> Option<Started> {
        self.all().values().find(|started| started.id == id).cloned()
    }

    /// Remembers one.
    ///
    /// # Errors
    ///
    /// When too many run.
    pub fn add(&self, key: String, started: Started, now: Instant) -> Result<(), String> {
        let mut all = self.all();
        all.retain(|_, known| known.is_kept(now));
        if all.len() >= TRANSFERS_MAX {
            return Err(format!("{TRANSFERS_MAX} transfers run, which is the most; wait for one"));
        }
        all.insert(key, started);
        Ok(())
    }

    /// Its end was told.
    pub fn forget(&self, key: &str, id: CommandId) {
        let mut all = self.all();
        if all.get(key).is_some_and(|started| started.id == id) {
            all.remove(key);
        }
    }

    /// Ends one early: what it has copied stays, as whole files and parts.
    #[must_use]
    pub fn stop(&self, id: CommandId) -> bool {
        self.by_id(id).inspect(|started| started.stop.cancel()).is_some()
    }
}
