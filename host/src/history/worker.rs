//! The thread that writes: takes what sessions told, masks it, and writes it in batches.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TryRecvError;

use super::HistoryError;
use super::run::Run;
use super::store::Store;
use crate::limits::{HISTORY_BATCH_MAX, HISTORY_PAUSE, HISTORY_PRUNE_EVERY, HISTORY_RETRY, WAKEFUL};
use crate::private;
use crate::secret::prints::Prints;
use crate::session::journal::{Note, Receiving};

/// The writer's state.
pub(super) struct Worker {
    folder: PathBuf,
    run: String,
    receiving: Receiving,
    /// A copy: nobody who learns a secret waits for the disk.
    masks: Prints,
    /// What was written is masked with so many of them, those that were learned first.
    masked: usize,
    /// The log of changes may still have a secret that is masked in the file. It outlives a store that failed.
    unemptied: bool,
    claim: Option<Run>,
    store: Option<Store>,
    failed_at: Option<Instant>,
    unpruned: u64,
}

impl Worker {
    pub(super) fn new(folder: &Path, run: &str, receiving: Receiving) -> Self {
        Self {
            folder: folder.to_owned(),
            run: run.to_owned(),
            receiving,
            masks: Prints::default(),
            masked: 0,
            unemptied: false,
            claim: None,
            store: None,
            failed_at: None,
            unpruned: 0,
        }
    }

    /// Until it is told to finish, or nobody is left who could tell it anything.
    pub(super) fn run(mut self) {
        let _ = self.receiving.worker.set(thread::current());
        self.take(&[]);
        while let Some(note) = self.next() {
            let mut notes = vec![note];
            while notes.len() < HISTORY_BATCH_MAX
                && let Ok(note) = self.receiving.notes.try_recv()
            {
                notes.push(note);
            }
            self.take(&notes);
            let mut finished = None;
            for note in notes {
                match note {
                    // Who asked may have gone.
                    Note::Flush(reply) => drop(reply.send(())),
                    Note::Finish(reply) => finished = Some(reply),
                    Note::Begun(..) | Note::Refused(..) | Note::Ended(..) => {}
                }
            }
            if let Some(reply) = finished {
                self.finish();
                let _ = reply.send(());
                return;
            }
        }
        self.finish();
    }

    /// The next note, which may have waited for a while; `None` when nobody is left.
    fn next(&mut self) -> Option<Note> {
        let mut idle = Duration::ZERO;
        while idle <= WAKEFUL {
            match self.receiving.notes.try_recv() {
                Ok(note) => return Some(note),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => thread::park_timeout(HISTORY_PAUSE),
            }
            idle += HISTORY_PAUSE;
        }
        let note = self.receiving.notes.blocking_recv()?;
        // A command that has just begun needs the processor more than its entry does.
        if !is_waited_for(&note) {
            thread::park_timeout(HISTORY_PAUSE);
        }
        Some(note)
    }

    /// Writes them, or says why they are lost.
    fn take(&mut self, notes: &[Note]) {
        let count = notes.iter().filter(|note| !is_waited_for(note)).count() as u64;
        if self.failed_at.is_some_and(|at| at.elapsed() < HISTORY_RETRY) {
            let why = self.receiving.health.trouble().unwrap_or_default();
            return if count > 0 {
                self.receiving.health.on_trouble(&why, count)
            };
        }
        match self.write(notes) {
            Ok(()) => {
                self.failed_at = None;
                self.receiving.health.on_recovered();
            }
            Err(error) => {
                self.store = None;
                self.failed_at = Some(now());
                self.receiving.health.on_trouble(&error.to_string(), count);
            }
        }
    }

    fn write(&mut self, notes: &[Note]) -> Result<(), HistoryError> {
        // The one before is closed by then: SQLite leaves what has its name to the new one.
        let mut store = match self.store.take().filter(Store::has_its_name) {
            Some(store) => store,
            None => {
                // What is there may have been away while something was learned.
                self.masked = 0;
                self.open()?
            }
        };
        // A secret that was known before a note was sent is known here.
        if self.receiving.masks.has_changed().unwrap_or(true) {
            self.masks = self.receiving.masks.borrow_and_update().clone();
        }
        if self.masked < self.masks.count() {
            // There may be many thousand entries, and a value more with each device that is logged in to.
            let changed = store.mask_again(&self.masks.behind(self.masked));
            // What failed may have changed something all the same.
            self.unemptied |= *changed.as_ref().unwrap_or(&true);
            changed?;
            self.masked = self.masks.count();
        }
        if self.unemptied {
            // While somebody reads the old pages they stay there; the next batch tries again.
            self.unemptied = !store.empty_log()?;
        }
        if !notes.is_empty() {
            store.write(notes, &self.masks)?;
        }
        self.unpruned += notes.len() as u64;
        if self.unpruned >= HISTORY_PRUNE_EVERY {
            self.unpruned = 0;
            store.prune()?;
        }
        self.store = Some(store);
        Ok(())
    }

    fn open(&mut self) -> Result<Store, HistoryError> {
        // A folder that was removed took the claim along: others would take this process for gone.
        if !self.claim.as_ref().is_some_and(Run::has_its_name) {
            let file = |cause| HistoryError::File { path: self.folder.clone(), cause };
            private::folder(&self.folder).map_err(file)?;
            // It would take the new one's file when it goes.
            self.claim = None;
            self.claim = Some(Run::claim(&self.folder, &self.run).map_err(file)?);
        }
        Store::open(&self.folder, &self.run)
    }

    fn finish(&mut self) {
        let unemptied = self.unemptied;
        let finished = self.store.as_mut().map_or(Ok(()), |store| {
            store.finish()?;
            if unemptied { store.empty_log().map(drop) } else { Ok(()) }
        });
        if let Err(error) = finished {
            self.receiving.health.on_trouble(&error.to_string(), 0);
        }
        self.store = None;
        self.claim = None;
    }
}

fn is_waited_for(note: &Note) -> bool {
    matches!(note, Note::Flush(_) | Note::Finish(_))
}

fn now() -> Instant {
    Instant::now()
}
