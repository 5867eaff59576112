//! Copies files and folders between this machine and a device.
//!
//! First a [`Plan`], which can be shown and judged, then its work. A file gets its name only when it is whole: what a cut leaves behind is a
//! part, from which the next try goes on once its bytes were found to be those of the source.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::copy::{Copied, Job, Small};
use super::local::Local;
use super::name::{join, shown};
use super::plan::{Copy, Plan, Wanted, leads_out, plan};
use super::program::{Programs, fingerprints};
use super::remote::Remote;
use super::running::Targets;
use super::tree::{Entry, Ignore, Tree, walk};
use super::wire::{Attrs, Kind};
use super::{FilesError, copy};
use crate::limits::{TRANSFER_BIG_AT_ONCE, TRANSFER_PROBLEMS_MAX, TRANSFER_SMALL_AT_ONCE, TRANSFER_VERIFY_AT_ONCE};
use crate::secret::redact::Redactor;

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the device.
    Up,
    /// From the device.
    Down,
}

/// How.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is left alone and what is removed.
    pub wanted: Wanted,
    /// Files of the same size are compared by their bytes, not by their times.
    pub checksum: bool,
    /// What was copied is compared on both sides.
    pub verify: bool,
    /// What is left out.
    pub ignore: Ignore,
}

/// How far it is.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files done.
    pub files: AtomicU64,
    /// Files to do.
    pub files_total: AtomicU64,
    /// Bytes done.
    pub bytes: AtomicU64,
    /// Bytes to do.
    pub bytes_total: AtomicU64,
}

/// A transfer.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// The device's files.
    pub remote: Remote,
    /// Its programs, where it has some.
    pub programs: Option<Arc<dyn Programs>>,
    /// The place on this machine.
    pub local: Local,
    /// The place on the device.
    pub path: Vec<u8>,
    /// Where to.
    pub direction: Direction,
    /// How.
    pub options: Options,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// The files of the device that others write.
    pub targets: Targets,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Files copied.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, bytes that were there from an earlier try.
    pub resumed: u64,
    /// Files that were alike already.
    pub skipped: usize,
    /// Folders and links made.
    pub made: usize,
    /// Files whose bytes were compared on both sides afterwards.
    pub verified: usize,
    /// What was deleted.
    pub deleted: Vec<String>,
    /// What was not done, and why.
    pub problems: Vec<String>,
    /// How many there were of these; only the first are kept.
    pub problem_count: usize,
    /// The fingerprint of the file, where one file was copied.
    pub sha256: Option<String>,
}

impl Outcome {
    /// Without secrets that are known: a name may hold one.
    #[must_use]
    pub fn concealed(mut self, known: &Redactor) -> Self {
        for text in self.deleted.iter_mut().chain(&mut self.problems) {
            *text = known.text(text);
        }
        self
    }

    fn problem(&mut self, what: String) {
        self.problem_count += 1;
        if self.problems.len() < TRANSFER_PROBLEMS_MAX {
            self.problems.push(what);
        }
    }

    /// Counts; only what ends everything comes back.
    fn note(&mut self, done: Result<(), FilesError>) -> Result<bool, FilesError> {
        match done {
            Ok(()) => Ok(true),
            Err(error) if error.is_broken() => Err(error),
            Err(error) => {
                self.problem(error.to_string());
                Ok(false)
            }
        }
    }
}

/// Runs something that blocks.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, FilesError> + Send + 'static) -> Result<T, FilesError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(FilesError::Refused(format!("a part of this server failed: {error}"))))
}

impl Transfer {
    /// What it would do. Says nothing of whether it may.
    ///
    /// # Errors
    ///
    /// When one side cannot be looked at, the source has nothing there, or the destination is in the way.
    pub async fn plan(&mut self) -> Result<Plan, FilesError> {
        self.aim().await?;
        let (local, ignore) = (self.local.clone(), self.options.ignore.clone());
        let here = blocking(move || local.walk(&ignore));
        let (here, there) = tokio::join!(here, walk(&self.remote, &self.path, &self.options.ignore));
        let (source, destination) = match self.direction {
            Direction::Up => (here?, there?),
            Direction::Down => (there?, here?),
        };
        if source.entries.is_empty() {
            let (place, side) = match self.direction {
                Direction::Up => (self.local.whole(b""), "on this machine"),
                Direction::Down => (self.path.clone(), "on the device"),
            };
            return Err(FilesError::Refused(format!("there is nothing at `{}` {side}", shown(&place))));
        }
        let alike = if self.options.wanted.sync { self.compare(&source, &destination).await? } else { BTreeMap::new() };
        let mut plan = plan(&source, &destination, self.options.wanted, &|path| alike.get(path).copied()).map_err(FilesError::Refused)?;
        if self.direction == Direction::Down {
            let (out, kept): (Vec<_>, Vec<_>) = plan.links.drain(..).partition(|(path, to)| leads_out(path, to));
            plan.links = kept;
            // What stands in their places stays.
            plan.leave_out(&out.iter().map(|(path, _)| path.clone()).collect());
            let say = |(path, to): &(Vec<u8>, Vec<u8>)| {
                format!("the link `{}` leads out of the folder, or may, to `{}`: it is not made here", shown(path), shown(to))
            };
            plan.left_out.extend(out.iter().map(say));
        }
        Ok(plan)
    }

    /// A file that goes to a folder goes into it.
    async fn aim(&mut self) -> Result<(), FilesError> {
        let local = self.local.clone();
        let here = blocking(move || local.look()).await?.map(|entry| entry.kind);
        let there = match self.remote.stat(&self.path).await {
            Ok(attrs) => Some(attrs.kind()),
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(error),
        };
        let name = |path: &[u8]| path.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty()).map(<[u8]>::to_vec);
        match (self.direction, here, there) {
            (Direction::Up, Some(Kind::File), Some(Kind::Folder)) => {
                if let Some(name) = name(&self.local.path) {
                    self.path = join(&self.path, &name);
                }
            }
            (Direction::Down, Some(Kind::Folder), Some(Kind::File)) => {
                if let Some(name) = name(&self.path) {
                    self.local = self.local.with(&name);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Of files of the same size on both sides whose bytes tell more than their times: are they the same?
    async fn compare(&self, source: &Tree, destination: &Tree) -> Result<BTreeMap<Vec<u8>, bool>, FilesError> {
        let is_pair = |(path, entry): &(&Vec<u8>, &Entry)| {
            let there = destination.entries.get(*path);
            let is_told = |there: &Entry| entry.mtime.is_some() && there.mtime.is_some();
            let is_open = |there: &Entry| there.size == entry.size && (self.options.checksum || !is_told(there));
            entry.kind == Kind::File && there.is_some_and(|there| there.kind == Kind::File && is_open(there))
        };
        let paths: Vec<Vec<u8>> = source.entries.iter().filter(is_pair).map(|(path, _)| path.clone()).collect();
        let mut alike = BTreeMap::new();
        for some in paths.chunks(TRANSFER_VERIFY_AT_ONCE) {
            let there = self.prints_there(some).await?;
            let (local, own) = (self.local.clone(), some.to_vec());
            let here = blocking(move || Ok(own.iter().map(|path| copy::print_here(&local, path).ok()).collect::<Vec<_>>())).await?;
            alike.extend(some.iter().cloned().zip(here.iter().zip(&there).map(|(here, there)| here.is_some() && here == there)));
        }
        Ok(alike)
    }

    /// Fingerprints of files on the device: by its programs, else by reading them.
    async fn prints_there(&self, paths: &[Vec<u8>]) -> Result<Vec<Option<String>>, FilesError> {
        let whole: Vec<Vec<u8>> = paths.iter().map(|path| self.there(path)).collect();
        if let Some(programs) = &self.programs {
            match fingerprints(programs, &whole).await {
                Err(error) if error.is_broken() => return Err(error),
                Err(_) => {}
                found => return found,
            }
        }
        let mut prints = Vec::new();
        for path in &whole {
            prints.push(match copy::print_by_reading(&self.remote, path, None).await {
                Err(error) if error.is_broken() => return Err(error),
                found => found.ok(),
            });
        }
        Ok(prints)
    }

    fn there(&self, path: &[u8]) -> Vec<u8> {
        if path.is_empty() { self.path.clone() } else { join(&self.path, path) }
    }

    /// Does it.
    ///
    /// # Errors
    ///
    /// When the device is gone: another try goes on from there. What fails with single files stands in the outcome.
    pub async fn carry_out(&self, plan: Plan) -> Result<Outcome, FilesError> {
        let mut outcome = Outcome { skipped: plan.skipped, ..Outcome::default() };
        plan.left_out.iter().for_each(|what| outcome.problem(what.clone()));
        self.progress.files_total.store(u64::try_from(plan.copies.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.progress.bytes_total.store(plan.bytes(), Ordering::Relaxed);
        for (path, kind) in &plan.in_the_way {
            self.remove(path, *kind, &mut outcome).await?;
        }
        for path in &plan.folders {
            let made = self.make_folder(path).await;
            outcome.made += usize::from(outcome.note(made)?);
        }
        let mut checks = self.copy_all(plan.copies, &mut outcome).await?;
        for (path, to) in &plan.links {
            let made = self.make_link(path, to).await;
            outcome.made += usize::from(outcome.note(made)?);
        }
        for (path, entry) in &plan.touch {
            let done = self.touch(path, entry).await;
            outcome.note(done)?;
        }
        if outcome.problem_count > plan.left_out.len() && !plan.removals.is_empty() {
            outcome.problem("nothing more was deleted, because not all was copied".to_owned());
        } else {
            for (path, kind) in &plan.removals {
                self.remove(path, *kind, &mut outcome).await?;
            }
        }
        self.finish(&plan.finish, &mut outcome).await?;
        checks.finish(self, &mut outcome).await?;
        if outcome.files == 1 {
            outcome.sha256 = checks.last;
        }
        Ok(outcome)
    }

    async fn remove(&self, path: &[u8], kind: Kind, outcome: &mut Outcome) -> Result<(), FilesError> {
        let removed = match self.direction {
            Direction::Up if kind == Kind::Folder => self.remote.remove_folder(&self.there(path)).await,
            Direction::Up => self.remote.remove(&self.there(path)).await,
            Direction::Down => {
                let (local, path) = (self.local.clone(), path.to_vec());
                blocking(move || local.remove(&path, kind)).await
            }
        };
        if outcome.note(removed)? {
            outcome.deleted.push(shown(path));
        }
        Ok(())
    }

    async fn make_folder(&self, path: &[u8]) -> Result<(), FilesError> {
        match self.direction {
            // Open only to the account until all is in it.
            Direction::Up => self.remote.make_folder(&self.there(path), 0o700).await,
            Direction::Down => {
                let (local, path) = (self.local.clone(), path.to_vec());
                blocking(move || local.make_folders(&path)).await
            }
        }
    }

    async fn make_link(&self, path: &[u8], to: &[u8]) -> Result<(), FilesError> {
        match self.direction {
            Direction::Up => {
                let there = self.there(path);
                if self.remote.lstat(&there).await.is_ok() {
                    self.remote.remove(&there).await?;
                }
                self.remote.make_link(&there, to).await
            }
            Direction::Down => {
                let (local, path, to) = (self.local.clone(), path.to_vec(), to.to_vec());
                blocking(move || local.make_link(&path, &to)).await
            }
        }
    }

    async fn touch(&self, path: &[u8], entry: &Entry) -> Result<(), FilesError> {
        match self.direction {
            Direction::Up => self.remote.set(&self.there(path), &attrs_of(entry)).await,
            Direction::Down => {
                let (local, path, entry) = (self.local.clone(), path.to_vec(), entry.clone());
                blocking(move || local.touch(&path, &entry)).await
            }
        }
    }

    /// Modes and times of folders, once nothing more happens in them.
    async fn finish(&self, folders: &[(Vec<u8>, Entry)], outcome: &mut Outcome) -> Result<(), FilesError> {
        for (path, entry) in folders {
            // A folder that is left as it was, for example `/tmp`, belongs to somebody else.
            match self.touch(path, entry).await {
                Err(error) if error.is_broken() => return Err(error),
                Err(error) if !path.is_empty() => outcome.problem(error.to_string()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Copies the files: small ones many at once, big ones few.
    async fn copy_all(&self, copies: Vec<Copy>, outcome: &mut Outcome) -> Result<Checks, FilesError> {
        let top = match self.direction {
            // One file may be named in several ways.
            Direction::Up => self.remote.whole_path(&self.path).await.unwrap_or_else(|_| self.path.clone()),
            Direction::Down => self.path.clone(),
        };
        let job = Arc::new(Job::new(self.clone(), top));
        let (small, big): (Vec<Copy>, Vec<Copy>) = copies.into_iter().partition(|copy| job.is_small(copy));
        let mut checks = Checks::default();
        // Over programs each file takes a channel, of which there are few.
        let many = if matches!(self.remote, Remote::Shell(_)) { TRANSFER_BIG_AT_ONCE } else { TRANSFER_SMALL_AT_ONCE };
        let small = match self.direction {
            Direction::Up => Queue::Read(job.read_ahead(small)),
            Direction::Down => Queue::Named(small.into_iter()),
        };
        for (mut queue, at_once) in [(small, many), (Queue::Named(big.into_iter()), TRANSFER_BIG_AT_ONCE)] {
            let (mut running, mut is_more) = (JoinSet::new(), true);
            loop {
                let done = tokio::select! {
                    next = queue.next(), if is_more && running.len() < at_once => {
                        let job = Arc::clone(&job);
                        match next {
                            Some(Next::Named(copy)) => drop(running.spawn(async move { job.copy(copy).await })),
                            Some(Next::Read(copy, small)) => drop(running.spawn(async move { job.copy_read(copy, small).await })),
                            None => is_more = false,
                        }
                        continue;
                    }
                    Some(done) = running.join_next() => done,
                    else => break,
                };
                let done = done.unwrap_or_else(|error| Err(FilesError::Refused(format!("a part of this server failed: {error}"))));
                match done {
                    Ok(copied) => {
                        outcome.files += 1;
                        outcome.bytes += copied.bytes;
                        outcome.resumed += copied.resumed;
                        outcome.verified += usize::from(copied.is_verified);
                        self.progress.files.fetch_add(1, Ordering::Relaxed);
                        checks.add(self, copied);
                    }
                    failed => {
                        outcome.note(failed.map(drop))?;
                    }
                }
            }
        }
        Ok(checks)
    }

    /// Compares what was copied on both sides: how many are alike, and what is to be said of the others.
    async fn verify(self, copied: Vec<Copied>) -> Result<(usize, Vec<String>), FilesError> {
        let paths: Vec<Vec<u8>> = copied.iter().map(|copied| copied.path.clone()).collect();
        let (mut alike, mut problems) = (0, Vec::new());
        for (copied, print) in copied.iter().zip(self.prints_there(&paths).await?) {
            match print {
                Some(print) if print == copied.sha256 => alike += 1,
                Some(_) => {
                    problems.push(format!("`{}` differs after it was copied: did it change meanwhile? Call again", shown(&copied.path)));
                }
                None => problems.push(format!("`{}` could not be compared after it was copied", shown(&copied.path))),
            }
        }
        Ok((alike, problems))
    }
}

/// The files that are still to be copied.
enum Queue {
    Named(std::vec::IntoIter<Copy>),
    /// They are read on the way.
    Read(mpsc::Receiver<(Copy, Result<Small, FilesError>)>),
}

enum Next {
    Named(Copy),
    Read(Copy, Result<Small, FilesError>),
}

impl Queue {
    /// The next one. Nothing is lost when it is dropped while it waits.
    async fn next(&mut self) -> Option<Next> {
        match self {
            Self::Named(copies) => copies.next().map(Next::Named),
            Self::Read(read) => read.recv().await.map(|(copy, small)| Next::Read(copy, small)),
        }
    }
}

/// What was copied is compared while more is copied.
#[derive(Debug, Default)]
struct Checks {
    open: Vec<Copied>,
    running: JoinSet<Result<(usize, Vec<String>), FilesError>>,
    /// The fingerprint of the file that was copied last.
    last: Option<String>,
}

impl Checks {
    fn add(&mut self, transfer: &Transfer, copied: Copied) {
        self.last = Some(copied.sha256.clone());
        // Without programs, what came down would be read again by the same way: the same bytes.
        let is_vain = transfer.programs.is_none() && transfer.direction == Direction::Down;
        if copied.is_verified || !transfer.options.verify || is_vain {
            return;
        }
        self.open.push(copied);
        if self.open.len() >= TRANSFER_VERIFY_AT_ONCE && self.running.is_empty() {
            self.start(transfer);
        }
    }

    fn start(&mut self, transfer: &Transfer) {
        let some = std::mem::take(&mut self.open);
        if !some.is_empty() {
            self.running.spawn(transfer.clone().verify(some));
        }
    }

    async fn finish(&mut self, transfer: &Transfer, outcome: &mut Outcome) -> Result<(), FilesError> {
        self.start(transfer);
        while let Some(done) = self.running.join_next().await {
            let (alike, problems) =
                done.unwrap_or_else(|error| Err(FilesError::Refused(format!("a part of this server failed: {error}"))))?;
            outcome.verified += alike;
            problems.into_iter().for_each(|what| outcome.problem(what));
        }
        Ok(())
    }
}

/// Mode and time as a server takes them.
pub(super) fn attrs_of(entry: &Entry) -> Attrs {
    Attrs { mode: Some(entry.mode), times: entry.mtime.map(|at| (at, at)), ..Attrs::default() }
}

/// A value that one task at a time uses, never over a wait.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
