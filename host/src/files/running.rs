//! Transfers that go on, whoever waits for them: a call that runs out of its time does not end one, and the same call finds it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::transfer::{Outcome, Progress, locked};
use super::{Code, FilesError};
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
    /// The device that it reads or writes, and the session that it counts for.
    pub device: String,
    /// See `device`.
    pub session: String,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// Its end.
    pub end: watch::Receiver<End>,
    /// What stays of it and what the same call does, where it fails.
    pub next: &'static str,
    /// Ends it early.
    pub stop: CancellationToken,
    /// Since when.
    pub since: Instant,
}

impl Started {
    fn runs(&self) -> bool {
        self.end.borrow().is_none()
    }

    fn is_kept(&self, now: Instant) -> bool {
        self.runs() || now.saturating_duration_since(self.since) < TRANSFER_KEPT_MAX
    }
}

/// A file that is written: its device and its whole path there.
type Target = (String, Vec<u8>);

/// All of them.
#[derive(Debug, Default)]
pub struct Transfers {
    /// By what identifies the call; nothing yet while one is prepared.
    known: Mutex<BTreeMap<String, Option<Started>>>,
    taken: Arc<Mutex<BTreeSet<Target>>>,
}

/// Files of a device that are written just now: two uploads of one file would mix their bytes, or give half of them its name.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    device: String,
    taken: Arc<Mutex<BTreeSet<Target>>>,
}

/// A file of a device that nobody else writes as long as this is there.
#[derive(Debug)]
pub struct Taken {
    targets: Targets,
    path: Vec<u8>,
}

impl Targets {
    /// To write this file, by its whole path.
    ///
    /// # Errors
    ///
    /// When another transfer does.
    pub fn take(&self, path: &[u8]) -> Result<Taken, FilesError> {
        let is_free = locked(&self.taken).insert((self.device.clone(), path.to_vec()));
        if !is_free {
            let why = "another transfer writes it just now; call again once that one has ended";
            return Err(FilesError::remote("write", path, Code::Failure, why));
        }
        Ok(Taken { targets: self.clone(), path: path.to_vec() })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Self { targets, path } = self;
        locked(&targets.taken).remove(&(std::mem::take(&mut targets.device), std::mem::take(path)));
    }
}

/// What there is for a call.
#[derive(Debug)]
pub enum Claim<'t> {
    /// Its transfer, which runs, or was started not long ago and nobody has heard its end.
    Known(Started),
    /// A place for a new one.
    Free(Place<'t>),
}

/// A place that is kept for a transfer until it starts; dropped, it is free again.
#[derive(Debug)]
pub struct Place<'t> {
    transfers: &'t Transfers,
    key: String,
    is_filled: bool,
}

impl Place<'_> {
    /// It has started.
    pub fn fill(mut self, started: Started) {
        self.is_filled = true;
        self.transfers.all().insert(self.key.clone(), Some(started));
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_filled {
            self.transfers.all().remove(&self.key);
        }
    }
}

impl Transfers {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Option<Started>>> {
        locked(&self.known)
    }

    /// The files of a device that are written just now.
    #[must_use]
    pub fn targets(&self, device: &str) -> Targets {
        Targets { device: device.to_owned(), taken: Arc::clone(&self.taken) }
    }

    /// The transfer of this call, or a place for it.
    ///
    /// # Errors
    ///
    /// When the same call is about to start one, or too many run.
    pub fn claim(&self, key: &str, now: Instant) -> Result<Claim<'_>, String> {
        let mut all = self.all();
        all.retain(|_, known| known.as_ref().is_none_or(|known| known.is_kept(now)));
        match all.get(key) {
            Some(Some(known)) => return Ok(Claim::Known(known.clone())),
            Some(None) => {
                return Err("another call just prepares the same transfer; make this one again in a moment to wait for it".to_owned());
            }
            None => {}
        }
        if all.len() >= TRANSFERS_MAX {
            // The oldest end that nobody has asked for makes room.
            let ended = all.iter().filter_map(|(key, known)| known.as_ref().filter(|known| !known.runs()).map(|known| (known.since, key)));
            let Some((_, oldest)) = ended.min() else {
                return Err(format!("{TRANSFERS_MAX} transfers run, which is the most; wait for one"));
            };
            let oldest = oldest.clone();
            all.remove(&oldest);
        }
        all.insert(key.to_owned(), None);
        Ok(Claim::Free(Place { transfers: self, key: key.to_owned(), is_filled: false }))
    }

    /// Those that go on.
    #[must_use]
    pub fn running(&self) -> Vec<CommandId> {
        self.all().values().flatten().filter(|known| known.runs()).map(|known| known.id).collect()
    }

    /// Does one go on?
    #[must_use]
    pub fn are_running(&self) -> bool {
        self.all().values().flatten().any(Started::runs)
    }

    /// Its end was told.
    pub fn forget(&self, key: &str, id: CommandId) {
        let mut all = self.all();
        if all.get(key).is_some_and(|known| known.as_ref().is_some_and(|started| started.id == id)) {
            all.remove(key);
        }
    }

    /// Is there one of this number whose end was not told yet?
    #[must_use]
    pub fn has(&self, id: CommandId) -> bool {
        self.all().values().flatten().any(|known| known.id == id)
    }

    /// Ends one early, if it runs: what it has copied stays, as whole files and parts. None where there is none of this number.
    #[must_use]
    pub fn stop(&self, id: CommandId) -> Option<bool> {
        let known = self.all().values().flatten().find(|started| started.id == id).cloned()?;
        let runs = known.runs();
        if runs {
            known.stop.cancel();
        }
        Some(runs)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch::Sender;

    use super::*;

    fn started(since: Instant) -> (Sender<End>, Started) {
        let (tell, end) = watch::channel::<End>(None);
        let (progress, stop) = (Arc::default(), CancellationToken::new());
        (
            tell,
            Started {
                id: CommandId::next(),
                caller: "x".to_owned(),
                device: String::new(),
                session: String::new(),
                progress,
                end,
                next: "",
                stop,
                since,
            },
        )
    }

    fn place<'t>(transfers: &'t Transfers, key: &str) -> Place<'t> {
        match transfers.claim(key, Instant::now()).unwrap() {
            Claim::Free(place) => place,
            Claim::Known(known) => panic!("{known:?}"),
        }
    }

    fn end(tell: &Sender<End>) {
        tell.send_replace(Some(Arc::new(Ok(Outcome::default()))));
    }

    #[test]
    fn a_call_has_one_transfer() {
        let transfers = Transfers::default();
        let first = place(&transfers, "a");
        assert!(transfers.claim("a", Instant::now()).unwrap_err().contains("prepares"));
        assert!(!transfers.are_running());
        drop(first);
        let (tell, one) = started(Instant::now());
        let id = one.id;
        place(&transfers, "a").fill(one);
        assert!(transfers.are_running());
        assert!(matches!(transfers.claim("a", Instant::now()), Ok(Claim::Known(known)) if known.id == id));
        end(&tell);
        assert!(matches!(transfers.claim("a", Instant::now()), Ok(Claim::Known(known)) if known.id == id));
        transfers.forget("a", id);
        drop(place(&transfers, "a"));
    }

    #[test]
    fn only_what_runs_is_stopped() {
        let transfers = Transfers::default();
        let (tell, one) = started(Instant::now());
        place(&transfers, "a").fill(one.clone());
        assert_eq!((transfers.stop(one.id), one.stop.is_cancelled()), (Some(true), true));
        end(&tell);
        assert_eq!((transfers.stop(one.id), transfers.has(one.id)), (Some(false), true));
        assert_eq!((transfers.stop(CommandId::next()), transfers.has(CommandId::next())), (None, false));
        transfers.forget("a", one.id);
        assert!(!transfers.has(one.id));
    }

    #[test]
    fn those_that_run_are_counted_and_those_that_are_prepared() {
        let transfers = Transfers::default();
        let mut tells = Vec::new();
        for number in 1..TRANSFERS_MAX {
            let (tell, one) = started(Instant::now());
            place(&transfers, &number.to_string()).fill(one);
            tells.push(tell);
        }
        let prepared = place(&transfers, "prepared");
        assert!(transfers.claim("more", Instant::now()).unwrap_err().contains("which is the most"));
        drop(prepared);
        drop(place(&transfers, "more"));
        let prepared = place(&transfers, "prepared");
        // One that has ended takes no place from others.
        end(&tells[0]);
        drop(place(&transfers, "more"));
        drop(prepared);
    }
}
