//! The file of one folder, to which all processes of the account append in turn.
//!
//! A lock on the file is held for one record. What this process remembers of the file's end counts only as long as the file is as
//! long as this process left it; else its end is read again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::files::Draft;
use super::key::{Head, Key, is_signed};
use super::record::{About, Cut, Entry, Hash, Lines, Signed, Torn, Unchained};
use super::{AuditError, files, tail};
use crate::limits::{AUDIT_HEAD_EVERY, AUDIT_LOCK_MAX, AUDIT_OPEN_TRIES, AUDIT_RETRY, AUDIT_TAIL_MAX_BYTES};
use crate::{instant, private};

/// Number and hash of a record.
pub(super) type Newest = (u64, Hash);

/// What to append.
#[derive(Debug)]
pub(super) enum Add<'a> {
    /// This.
    Record(&'a Entry<'a>),
    /// A signature of the record that is the newest then.
    Head,
    /// Only who writes.
    Start,
    /// Only what was put off.
    PutOff,
}

/// A record that was written.
#[derive(Debug)]
pub(super) struct Written {
    /// Its number.
    pub(super) seq: u64,
    /// The file that it is in.
    pub(super) file: Arc<File>,
}

/// This process's way to the file.
#[derive(Debug)]
pub(super) struct Chain {
    folder: PathBuf,
    /// The file's name. It is looked for before each record.
    path: PathBuf,
    max_bytes: u64,
    about: About,
    writer: String,
    key: Option<Key>,
    file: Option<(Arc<File>, Identity)>,
    tail: Option<Tail>,
    /// The newest record of which this process knows that it was there.
    known: Option<Newest>,
    /// The record that says who writes is there.
    is_started: bool,
    /// Records that come before the next one.
    put_off: Vec<Unchained>,
    failed_at: Option<Instant>,
}

/// Which file it is, whatever its name.
type Identity = (u64, u64);

/// The file's end as this process left it.
#[derive(Debug, Clone, Copy)]
struct Tail {
    newest: Newest,
    length: u64,
}

/// What must come before the next record.
#[derive(Debug)]
struct Before {
    newest: Newest,
    /// The last line lacks its newline.
    is_open: bool,
    torn: Option<Torn>,
    cut: Option<Cut>,
    /// The file is new and goes on from another one.
    goes_on: bool,
}

/// Held as long as the value lives.
struct Lock(Arc<File>);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would do the same.
        let _ = self.0.unlock();
    }
}

impl Chain {
    pub(super) fn new(folder: PathBuf, max_bytes: u64, about: About, process: u32, run: &str) -> Self {
        let writer = format!(r#""process":{process},"run":{}"#, serde_json::Value::from(run));
        Self {
            path: files::newest(&folder),
            folder,
            max_bytes,
            about,
            writer,
            key: None,
            file: None,
            tail: None,
            known: None,
            is_started: false,
            put_off: Vec::new(),
            failed_at: None,
        }
    }

    /// The file's name.
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Number and hash of the newest record, and its file, if this process has written one.
    pub(super) fn newest(&self) -> Option<(Newest, Arc<File>)> {
        Some((self.known?, Arc::clone(&self.file.as_ref()?.0)))
    }

    /// Keeps a record for the next call of [`append`](Self::append). How many there are now.
    pub(super) fn put_off(&mut self, entry: &Entry<'_>) -> Result<usize, AuditError> {
        let record = Unchained::of(entry, instant::millis(SystemTime::now()));
        self.put_off.push(record.map_err(|error| AuditError::file(self.path(), io::Error::other(error)))?);
        Ok(self.put_off.len())
    }

    /// How many records wait for the next one.
    pub(super) fn waiting(&self) -> usize {
        self.put_off.len()
    }

    /// Appends, behind what was put off. What cannot be written is not tried again.
    pub(super) fn append(&mut self, what: &Add<'_>) -> Result<Written, AuditError> {
        let done = self.try_append(what);
        self.put_off.clear();
        if done.is_err() {
            self.tail = None;
            self.failed_at = Some(Instant::now());
        } else {
            self.failed_at = None;
        }
        done
    }

    fn try_append(&mut self, what: &Add<'_>) -> Result<Written, AuditError> {
        for _ in 0..AUDIT_OPEN_TRIES {
            let (file, identity) = self.open()?;
            let _lock = self.lock(&file)?;
            // Another process may have begun a new file while this one waited.
            let Some(length) = self.length(identity)? else {
                (self.file, self.tail) = (None, None);
                continue;
            };
            let before = self.before(&file, length)?;
            if length >= self.max_bytes {
                self.rotate(&file, before)?;
                continue;
            }
            return self.write(file, length, before, what);
        }
        Err(AuditError::Restless { path: self.path() })
    }

    fn open(&mut self) -> Result<(Arc<File>, Identity), AuditError> {
        if let Some((file, identity)) = &self.file {
            return Ok((Arc::clone(file), *identity));
        }
        let path = self.path();
        let failed = |cause| AuditError::file(path.clone(), cause);
        private::chosen_folder(&self.folder).map_err(failed)?;
        let is_new = !exists(&self.folder);
        // A folder that was moved away took its key along: the new record has the one that others find beside it.
        if self.key.is_none() || is_new {
            self.key = Some(Key::open(&self.folder).map_err(|cause| self.no_key(cause))?);
        }
        if is_new {
            // From the first record on it can be missed.
            let head = self.head((0, Hash::NONE)).ok_or_else(|| failed(io::Error::other("its key signs nothing")))?;
            Draft::write(&self.folder, &head).and_then(Draft::begin).map_err(failed)?;
        }
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(io::Error::other("it is no regular file")));
        }
        if metadata.mode() & 0o077 != 0 {
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(failed)?;
        }
        let identity = (metadata.dev(), metadata.ino());
        let file = Arc::new(file);
        self.file = Some((Arc::clone(&file), identity));
        Ok((file, identity))
    }

    /// Others hold it for microseconds. One that does not let go is not waited for again and again.
    fn lock(&self, file: &Arc<File>) -> Result<Lock, AuditError> {
        let patience = if self.failed_at.is_some_and(|at| at.elapsed() < AUDIT_RETRY) { Duration::ZERO } else { AUDIT_LOCK_MAX };
        match files::lock(patience, || file.try_lock()) {
            Ok(true) => Ok(Lock(Arc::clone(file))),
            Ok(false) => Err(AuditError::Held { path: self.path() }),
            Err(cause) => Err(AuditError::file(self.path(), cause)),
        }
    }

    /// The file's length, if it still has its name.
    fn length(&self, identity: Identity) -> Result<Option<u64>, AuditError> {
        match fs::metadata(&self.path) {
            Ok(metadata) => Ok(((metadata.dev(), metadata.ino()) == identity).then_some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(AuditError::file(self.path(), cause)),
        }
    }

    /// What is at the end of the file, and what must be said of it.
    fn before(&self, file: &File, length: u64) -> Result<Before, AuditError> {
        let failed = |cause| AuditError::file(self.path(), cause);
        if let Some(tail) = self.tail.filter(|tail| tail.length <= length && length - tail.length <= AUDIT_TAIL_MAX_BYTES) {
            if tail.length == length {
                return Ok(Before { newest: tail.newest, is_open: false, torn: None, cut: None, goes_on: false });
            }
            // Others have written meanwhile.
            let found = tail::look(&tail::read(file, tail.length, length).map_err(failed)?);
            let newest = found.last.unwrap_or(tail.newest);
            return Ok(Before { newest, is_open: found.is_open, torn: found.torn, cut: None, goes_on: false });
        }
        let found = tail::of(file, length).map_err(failed)?;
        let found = found.ok_or_else(|| AuditError::Unreadable { path: self.path(), bytes: AUDIT_TAIL_MAX_BYTES })?;
        let earlier = if found.last.is_none() { self.end_of_earlier()? } else { None };
        let newest = found.last.or(earlier).unwrap_or((0, Hash::NONE));
        let cut = [self.known, self.signed()].into_iter().flatten().max_by_key(|(seq, _)| *seq).and_then(|known| missing(newest, known));
        Ok(Before { newest, is_open: found.is_open, torn: found.torn, cut, goes_on: length == 0 && newest.0 > 0 })
    }

    /// The last record of the file before this one.
    fn end_of_earlier(&self) -> Result<Option<Newest>, AuditError> {
        let earlier = files::earlier(&self.folder).map_err(|cause| AuditError::file(self.folder.clone(), cause))?;
        let Some(path) = earlier.last() else { return Ok(None) };
        let end = File::open(path).and_then(|file| tail::of(&file, file.metadata()?.len()));
        let end = end.map_err(|cause| AuditError::file(path.clone(), cause))?;
        Ok(end.and_then(|found| found.last))
    }

    /// The record that was signed last, as far as the signature is this key's.
    fn signed(&self) -> Option<Newest> {
        let head = files::head(&self.folder).ok()?;
        let key = self.key.as_ref()?.public();
        is_signed(key, head.seq, &head.sha256, &head.signature).then_some((head.seq, Hash::parse(&head.sha256)?))
    }

    fn lines(&self, before: Before) -> Result<Lines, AuditError> {
        let (seq, hash) = before.newest;
        let mut lines = Lines::after(seq, hash, instant::millis(SystemTime::now()), &self.writer);
        if before.is_open {
            lines.text.push(b'\n');
        }
        if let Some(torn) = &before.torn {
            self.add(&mut lines, &Entry::Torn(torn))?;
        }
        if let Some(cut) = &before.cut {
            // Numbers are never used again.
            lines.seq = lines.seq.max(cut.to);
            self.add(&mut lines, &Entry::Cut(cut))?;
        }
        if before.goes_on {
            self.sign(&mut lines)?;
        }
        Ok(lines)
    }

    fn write(&mut self, file: Arc<File>, length: u64, before: Before, what: &Add<'_>) -> Result<Written, AuditError> {
        let mut lines = self.lines(before)?;
        if !self.is_started {
            self.add(&mut lines, &Entry::Start(&self.about))?;
        }
        for record in &self.put_off {
            self.sign_now_and_then(&mut lines)?;
            lines.chain(record);
        }
        if !matches!(what, Add::PutOff) {
            self.sign_now_and_then(&mut lines)?;
        }
        match what {
            Add::Record(entry) => self.add(&mut lines, entry)?,
            Add::Head => self.sign(&mut lines)?,
            Add::Start | Add::PutOff => {}
        }
        self.put(&file, &lines)?;
        self.is_started = true;
        let newest = (lines.seq, lines.hash);
        self.tail = Some(Tail { newest, length: length + lines.text.len() as u64 });
        self.known = Some(newest);
        Ok(Written { seq: lines.seq, file })
    }

    /// One call of the system, unless the disk is full.
    fn put(&self, mut file: &File, lines: &Lines) -> Result<(), AuditError> {
        file.write_all(&lines.text).map_err(|cause| AuditError::file(self.path(), cause))
    }

    fn add(&self, lines: &mut Lines, entry: &Entry<'_>) -> Result<(), AuditError> {
        lines.add(entry).map_err(|error| AuditError::file(self.path(), io::Error::other(error)))
    }

    fn no_key(&self, cause: io::Error) -> AuditError {
        AuditError::Key { path: super::key::path(&self.folder), cause: Arc::new(cause) }
    }

    fn sign_now_and_then(&self, lines: &mut Lines) -> Result<(), AuditError> {
        if (lines.seq + 1).is_multiple_of(AUDIT_HEAD_EVERY) { self.sign(lines) } else { Ok(()) }
    }

    fn sign(&self, lines: &mut Lines) -> Result<(), AuditError> {
        let Some(key) = &self.key else { return Ok(()) };
        let signature = key.sign(lines.seq, lines.hash);
        let signature = signature.map_err(|cause| self.no_key(cause))?;
        self.add(lines, &Entry::Head(&Signed { signature }))
    }

    /// Ends the file with a signature and gives it another name; the next one goes on from it.
    fn rotate(&mut self, file: &File, before: Before) -> Result<(), AuditError> {
        let mut lines = self.lines(before)?;
        self.sign(&mut lines)?;
        self.put(file, &lines)?;
        let done = file.sync_data().and_then(|()| fs::rename(self.path(), files::named_after(&self.folder, lines.seq)));
        done.map_err(|cause| AuditError::file(self.path(), cause))?;
        self.known = Some((lines.seq, lines.hash));
        (self.file, self.tail) = (None, None);
        Ok(())
    }

    /// Signs a record for [`keep_head`](Self::keep_head).
    pub(super) fn head(&self, (seq, hash): Newest) -> Option<Head> {
        let signature = self.key.as_ref()?.sign(seq, hash).ok()?;
        Some(Head { seq, sha256: hash.to_string(), at: instant::shown(instant::millis(SystemTime::now())), signature })
    }

    /// Keeps a signed record beside the file, unless a newer one is kept there. Others wait for the lock: the disk has it already.
    pub(super) fn keep_head(&mut self, head: &Head, draft: Draft) -> Result<(), AuditError> {
        let (file, _) = self.open()?;
        let _lock = self.lock(&file)?;
        let is_older = files::head(&self.folder).is_ok_and(|kept| kept.seq >= head.seq);
        // One that is not signed with this key is nothing to keep.
        if is_older && self.signed().is_some() {
            return Ok(());
        }
        draft.keep().map_err(|cause| AuditError::file(files::head_path(&self.folder), cause))
    }
}

/// What is missing if the end of the file is this, and that record is known to have been there.
fn missing(newest: Newest, known: Newest) -> Option<Cut> {
    let is_other = newest.0 == known.0 && newest.1 != known.1;
    let from = if is_other { known.0 } else { newest.0 + 1 };
    (is_other || known.0 > newest.0).then(|| Cut { from, to: known.0, sha256: known.1.to_string() })
}

/// Whether a folder has a record at all.
pub(super) fn exists(folder: &Path) -> bool {
    files::newest(folder).exists() || files::earlier(folder).is_ok_and(|earlier| !earlier.is_empty())
}
