//! The audit record: what every process of the account was asked to do, what policy said, and how it ended.
//!
//! Lines of JSON, each with the hash of the one before ([`record`]); all processes append to one file ([`chain`]). Every now and
//! then the newest one is signed ([`key`]), so that what is cut off is missed. [`verify`] finds what was changed, cut, moved or put in.
//!
//! What policy has decided is in the file before anything is typed. What changes something waits until it is on the disk. That a command
//! has ended is written once its caller has been told, in the same moment.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::limits::{
    AUDIT_FILE_MAX_BYTES, AUDIT_HEAD_PAUSE, AUDIT_NAME_MAX_BYTES, AUDIT_PUT_OFF_MAX, AUDIT_SYNC_MAX, COMMAND_MAX_BYTES, WAKEFUL,
};
use crate::secret::Secret;
use crate::secret::prints::Prints;
use crate::terminal::text::first_bytes;

use self::chain::{Add, Chain, Written};
use self::files::Draft;
use self::record::{About, Closed, Configuration, Decided, Ended, Entry, Filed, HostKeysChanged, Opened, Torn, Typed};

pub mod about;
mod chain;
pub mod files;
pub mod key;
pub mod read;
pub mod record;
mod tail;
pub mod verify;

/// How a new record is begun. A process that has written to the one before would miss it in the new one.
const BEGIN_ANEW: &str = "stop jackfield (`jackfield stop --all`), then move the folder away";

/// Why a record cannot be written. Each says what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuditError {
    /// The file or its folder.
    #[error("the audit record `{}` cannot be written: {cause}; free space there, or set `folder` in [audit]", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Arc<std::io::Error>,
    },
    /// The key that signs.
    #[error("the key of the audit record `{}` cannot be used: {cause}; put it back, or begin a new record: {BEGIN_ANEW}", path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: Arc<std::io::Error>,
    },
    /// Another process holds the lock.
    #[error("another process holds the audit record `{}` and does not let go; `fuser -v {}` names it", path.display(), path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// There is no end to go on from.
    #[error("the last {bytes} bytes of the audit record `{}` hold no record; begin a new one: {BEGIN_ANEW}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// How much was looked at.
        bytes: u64,
    },
    /// The file changes all the time.
    #[error("the audit record `{}` is replaced all the time; find out who does that", path.display())]
    Restless {
        /// The file.
        path: PathBuf,
    },
    /// There is no place for it.
    #[error("there is no place for the audit record: neither XDG_STATE_HOME nor HOME is set; set one, or `folder` in [audit]")]
    NoPlace,
}

impl AuditError {
    fn file(path: PathBuf, cause: std::io::Error) -> Self {
        Self::File { path, cause: Arc::new(cause) }
    }
}

/// How the record fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its folder.
    pub folder: PathBuf,
    /// Records that this process wanted to write and could not.
    pub missing: u64,
    /// What is wrong now.
    pub trouble: Option<String>,
}

/// This process's part in the record. The default writes nothing and stops nothing.
#[derive(Clone, Default)]
pub struct Audit(Option<Arc<Shared>>);

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Audit").field(&self.0.is_some()).finish()
    }
}

struct Shared {
    folder: PathBuf,
    /// `None` where there is no place for one.
    chain: Option<Mutex<Chain>>,
    masks: RwLock<Prints>,
    missing: AtomicU64,
    trouble: Mutex<Option<String>>,
    told: AtomicBool,
    /// The head that is kept is older than the newest record.
    stale: AtomicBool,
    /// The signer does not look by itself whether it is.
    asleep: AtomicBool,
    signer: OnceLock<Thread>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.catch_up();
        if let Some(signer) = self.signer.get() {
            signer.unpark();
        }
    }
}

impl Audit {
    /// Begins to write into a folder, for this run of the process. Trouble is told by each record, and by [`health`](Self::health).
    #[must_use]
    pub fn start(folder: Option<PathBuf>, about: About, run: &str) -> Self {
        Self::start_with(folder, about, run, AUDIT_FILE_MAX_BYTES)
    }

    /// The same with files of another size.
    #[must_use]
    pub fn start_with(folder: Option<PathBuf>, about: About, run: &str, max_bytes: u64) -> Self {
        let chain = folder.clone().map(|folder| Mutex::new(Chain::new(folder, max_bytes, about, std::process::id(), run)));
        let shared = Arc::new(Shared {
            folder: folder.unwrap_or_default(),
            chain,
            masks: RwLock::default(),
            missing: AtomicU64::new(0),
            trouble: Mutex::default(),
            told: AtomicBool::new(false),
            stale: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            signer: OnceLock::new(),
        });
        // It ends where there is nothing to sign for, so it begins when there is.
        if let Some(started) = signer(Arc::downgrade(&shared)) {
            let _ = shared.signer.set(started);
        }
        let audit = Self(Some(shared));
        audit.add(&Add::Start);
        audit
    }

    /// How it fares, if there is one.
    #[must_use]
    pub fn health(&self) -> Option<Health> {
        let shared = self.0.as_ref()?;
        let trouble = shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(Health { folder: shared.folder.clone(), missing: shared.missing.load(Ordering::Relaxed), trouble })
    }

    /// This value is masked in everything that is written from now on.
    pub fn learn(&self, name: &str, secret: &Secret) {
        if let Some(shared) = &self.0 {
            shared.masks.write().unwrap_or_else(PoisonError::into_inner).learn(name, secret);
        }
    }

    /// Somebody is logged in to a device.
    pub fn opened(&self, opened: &Opened<'_>) {
        self.add(&Add::Record(&Entry::Open(opened)));
    }

    /// A session is over.
    pub fn closed(&self, closed: &Closed<'_>) {
        self.add(&Add::Record(&Entry::Close(closed)));
    }

    /// Policy has decided. When this returns without an error the record is in the file, and on the disk unless it is of a read.
    /// The number of the record; none where no record is kept.
    ///
    /// # Errors
    ///
    /// When it is not: then nothing that may change something must be typed.
    pub async fn verdict(&self, decided: Decided<'_>) -> Result<Option<u64>, AuditError> {
        let Some(shared) = &self.0 else { return Ok(None) };
        let is_durable = decided.decision == "allow" && !decided.is_read();
        let masked = shared.masked(decided);
        let written = shared.append(&Add::Record(&Entry::Verdict(&masked)))?;
        if is_durable {
            shared.sync(&written).await?;
        }
        Ok(Some(written.seq))
    }

    /// A command has ended. Nobody waits for this record: it is written when all that is ready now has run, which is its caller's
    /// answer, or with the next record.
    pub fn end(&self, ended: &Ended<'_>) {
        if let Some(shared) = &self.0 {
            shared.put_off(&Entry::End(ended));
        }
    }

    /// A file was read, written or copied.
    pub fn file(&self, file: &Filed) {
        let Some(shared) = &self.0 else { return };
        // A name may hold a secret.
        let masked = shared.masked_file(file);
        self.add(&Add::Record(&Entry::File(&masked)));
    }

    /// A secret is about to be typed.
    ///
    /// # Errors
    ///
    /// When that cannot be written: then it must not be.
    pub async fn secret(&self, typed: &Typed<'_>) -> Result<(), AuditError> {
        let Some(shared) = &self.0 else { return Ok(()) };
        let written = shared.append(&Add::Record(&Entry::Secret(typed)))?;
        shared.sync(&written).await
    }

    /// The recorded keys of a host have changed.
    pub fn host_keys(&self, changed: &HostKeysChanged) {
        self.add(&Add::Record(&Entry::HostKeys(changed)));
    }

    /// A configuration was read again.
    pub fn configuration(&self, configuration: &Configuration) {
        self.add(&Add::Record(&Entry::Configuration(configuration)));
    }

    fn add(&self, what: &Add<'_>) {
        if let Some(shared) = &self.0 {
            // Trouble is counted, and told by the health.
            let _ = shared.append(what);
        }
    }

    /// Signs what was written: the process ends.
    pub fn finish(&self) {
        let Some(shared) = &self.0 else { return };
        shared.catch_up();
        if let Some(chain) = &shared.chain
            && lock(chain).newest().is_some()
        {
            self.add(&Add::Head);
            shared.keep_head();
        }
    }
}

impl Shared {
    fn put_off(self: &Arc<Self>, entry: &Entry<'_>) {
        let Some(chain) = &self.chain else { return self.on_missing(1, &AuditError::NoPlace) };
        let waiting = lock(chain).put_off(entry);
        match (waiting, Handle::try_current()) {
            (Ok(1), Ok(runtime)) => {
                let shared = Arc::clone(self);
                runtime.spawn(async move {
                    yield_now().await;
                    shared.catch_up();
                });
            }
            (Ok(waiting), Ok(_)) if waiting < AUDIT_PUT_OFF_MAX => {}
            (Ok(_), _) => self.catch_up(),
            (Err(error), _) => self.on_missing(1, &error),
        }
    }

    /// Writes what was put off.
    fn catch_up(&self) {
        if self.chain.as_ref().is_some_and(|chain| lock(chain).waiting() > 0) {
            // Trouble is counted, and told by the health.
            let _ = self.append(&Add::PutOff);
        }
    }

    fn append(&self, what: &Add<'_>) -> Result<Written, AuditError> {
        let own = u64::from(!matches!(what, Add::PutOff));
        let (records, done) = match &self.chain {
            Some(chain) => {
                let mut chain = lock(chain);
                (own + chain.waiting() as u64, chain.append(what))
            }
            None => (own, Err(AuditError::NoPlace)),
        };
        match &done {
            Ok(_) => {
                self.on_recovered();
                // In one order with the signer's look: a weaker one lets each of the two miss what the other has just written.
                if !self.stale.swap(true, Ordering::SeqCst)
                    && self.asleep.swap(false, Ordering::SeqCst)
                    && let Some(signer) = self.signer.get()
                {
                    signer.unpark();
                }
            }
            Err(error) => self.on_missing(records, error),
        }
        done
    }

    /// Waits until a record is on the disk.
    async fn sync(&self, written: &Written) -> Result<(), AuditError> {
        let file = Arc::clone(&written.file);
        let syncing = tokio::task::spawn_blocking(move || file.sync_data());
        let synced = match timeout(AUDIT_SYNC_MAX, syncing).await {
            Ok(Ok(synced)) => synced,
            Ok(Err(error)) => Err(std::io::Error::other(error)),
            Err(_) => Err(std::io::Error::other(format!("the disk did not take it within {} s", AUDIT_SYNC_MAX.as_secs()))),
        };
        let path = files::newest(&self.folder);
        synced.map_err(|cause| AuditError::file(path, cause)).inspect_err(|error| self.on_missing(1, error))
    }

    fn on_missing(&self, records: u64, error: &AuditError) {
        self.missing.fetch_add(records, Ordering::Relaxed);
        self.on_trouble(error);
    }

    fn on_trouble(&self, error: &AuditError) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        if !self.told.swap(true, Ordering::Relaxed) {
            crate::diagnostics::warn(&format!("{error}; nothing that may change something is run meanwhile"));
        }
    }

    fn on_recovered(&self) {
        if self.told.swap(false, Ordering::Relaxed) {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Takes the secrets out, and what is too long.
    fn masked<'a>(&self, mut decided: Decided<'a>) -> Decided<'a> {
        let masks = self.masks.read().unwrap_or_else(PoisonError::into_inner);
        if decided.text.len() > COMMAND_MAX_BYTES {
            decided.whole = Some(Torn::of(decided.text.as_bytes()));
        }
        decided.text = short(masked(&masks, decided.text), COMMAND_MAX_BYTES);
        decided.reason = short(masked(&masks, decided.reason), COMMAND_MAX_BYTES);
        decided.caller_reason = short(masked(&masks, decided.caller_reason), COMMAND_MAX_BYTES);
        decided.caller = short(decided.caller, AUDIT_NAME_MAX_BYTES);
        decided.rule = short(decided.rule, AUDIT_NAME_MAX_BYTES);
        decided
    }

    fn masked_file(&self, file: &Filed) -> Filed {
        let masks = self.masks.read().unwrap_or_else(PoisonError::into_inner);
        let masked = |text: &str| masked(&masks, text.into()).into_owned();
        Filed { path: masked(&file.path), local: file.local.as_deref().map(masked), ..file.clone() }
    }

    /// Keeps the newest record, signed. Both are on the disk then: the head is never ahead of what a power failure leaves, and never half
    /// there.
    fn keep_head(&self) {
        self.stale.store(false, Ordering::Release);
        let Some(chain) = &self.chain else { return };
        let Some((newest, file)) = lock(chain).newest() else { return };
        let keep = || -> Result<(), AuditError> {
            file.sync_data().map_err(|cause| AuditError::file(files::newest(&self.folder), cause))?;
            let Some(head) = lock(chain).head(newest) else { return Ok(()) };
            let draft = Draft::write(&self.folder, &head).map_err(|cause| AuditError::file(files::head_path(&self.folder), cause))?;
            lock(chain).keep_head(&head, draft)
        };
        if let Err(error) = keep() {
            self.on_trouble(&error);
        }
    }
}

/// The thread that signs, a while after something was written.
fn signer(shared: Weak<Shared>) -> Option<Thread> {
    let work = move || {
        let mut idle = Duration::ZERO;
        while shared.strong_count() > 0 {
            if idle > WAKEFUL {
                thread::park();
                idle = Duration::ZERO;
                continue;
            }
            thread::park_timeout(AUDIT_HEAD_PAUSE);
            let Some(shared) = shared.upgrade() else { return };
            idle = if shared.stale.load(Ordering::Acquire) {
                shared.keep_head();
                Duration::ZERO
            } else {
                idle + AUDIT_HEAD_PAUSE
            };
            if idle > WAKEFUL {
                shared.asleep.store(true, Ordering::SeqCst);
                // Who wrote between the two lines found it awake.
                if shared.stale.load(Ordering::SeqCst) {
                    shared.asleep.store(false, Ordering::Release);
                    idle = Duration::ZERO;
                }
            }
        }
    };
    thread::Builder::new().name("audit".to_owned()).spawn(work).ok().map(|handle| handle.thread().clone())
}

fn lock(chain: &Mutex<Chain>) -> MutexGuard<'_, Chain> {
    chain.lock().unwrap_or_else(PoisonError::into_inner)
}

fn masked<'a>(masks: &Prints, text: Cow<'a, str>) -> Cow<'a, str> {
    let masked = masks.whole(text.as_bytes());
    if masked == text.as_bytes() { text } else { Cow::Owned(String::from_utf8_lossy(&masked).into_owned()) }
}

fn short(text: Cow<'_, str>, max_bytes: usize) -> Cow<'_, str> {
    if text.len() <= max_bytes { text } else { Cow::Owned(first_bytes(&text, max_bytes).to_owned()) }
}

/// Does a folder hold a record?
#[must_use]
pub fn exists(folder: &Path) -> bool {
    chain::exists(folder)
}

#[cfg(test)]
mod tests;
