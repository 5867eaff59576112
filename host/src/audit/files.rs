//! The files of an audit record: the newest one, those before it, and the signed head.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::key::Head;
use crate::limits::{AUDIT_LOCK_MAX, AUDIT_LOCK_PAUSE, AUDIT_LOCK_SPINS};

/// Takes a lock. Others hold it for microseconds; `false` when one did not let go for so long.
pub(super) fn lock(patience: Duration, take: impl Fn() -> Result<(), TryLockError>) -> io::Result<bool> {
    let begun = Instant::now();
    let mut tries = 0;
    loop {
        match take() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(cause)) => return Err(cause),
            Err(TryLockError::WouldBlock) if begun.elapsed() >= patience && tries > 0 => return Ok(false),
            Err(TryLockError::WouldBlock) if tries < AUDIT_LOCK_SPINS => std::thread::yield_now(),
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(AUDIT_LOCK_PAUSE),
        }
        tries += 1;
    }
}

/// The file that is appended to.
#[must_use]
pub fn newest(folder: &Path) -> PathBuf {
    folder.join("audit.jsonl")
}

/// A file that is full, by the number of its last record.
pub(super) fn named_after(folder: &Path, seq: u64) -> PathBuf {
    folder.join(format!("audit-{seq:012}.jsonl"))
}

/// The files that are full, the oldest first.
pub(super) fn earlier(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let number = |name: &str| name.strip_prefix("audit-")?.strip_suffix(".jsonl")?.parse::<u64>().ok();
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    for entry in entries {
        let entry = entry?;
        files.extend(entry.file_name().to_str().and_then(number).map(|number| (number, entry.path())));
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// A file of a record, open, and its length when it was.
pub(super) type Part = (PathBuf, File, u64);

/// All files, the oldest first, and the signed head, as they are at one moment: meanwhile no process writes, and none begins a new file.
/// Whoever reads a long record must not miss the file that gets full in the meantime.
pub(super) fn at_once(folder: &Path) -> Result<(Vec<Part>, io::Result<Head>), (PathBuf, io::Error)> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    let newest = newest(folder);
    let guard = File::open(&newest).ok();
    if let Some(file) = &guard {
        // Where one does not let go, or there are no locks, what is there is read as it is.
        let _ = lock(AUDIT_LOCK_MAX, || file.try_lock_shared());
    }
    let mut parts = Vec::new();
    for path in earlier(folder).map_err(failed(folder))?.into_iter().chain(newest.exists().then(|| newest.clone())) {
        let file = File::open(&path).map_err(failed(&path))?;
        let length = file.metadata().map_err(failed(&path))?.len();
        parts.push((path, file, length));
    }
    let head = head(folder);
    if let Some(file) = &guard {
        // Closing it would do the same.
        let _ = file.unlock();
    }
    Ok((parts, head))
}

/// Where the signed head is.
#[must_use]
pub fn head_path(folder: &Path) -> PathBuf {
    folder.join("head")
}

/// The signed head.
///
/// # Errors
///
/// When there is none, or it is none.
pub fn head(folder: &Path) -> io::Result<Head> {
    serde_json::from_slice(&fs::read(head_path(folder))?).map_err(io::Error::other)
}

/// A signed head that is on the disk and does not count yet. Unless it is kept, it goes with the value.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    named: PathBuf,
}

impl Drop for Draft {
    fn drop(&mut self) {
        // One that is kept has another name by now.
        let _ = fs::remove_file(&self.path);
    }
}

impl Draft {
    /// Writes it, and waits for the disk: else a power failure could leave the name with nothing behind it, and the record would count as
    /// broken. But for the first one of all, heads are written once a second at most and when a process ends, by a thread of their own and
    /// under no lock: no command waits for that.
    pub(super) fn write(folder: &Path, head: &Head) -> io::Result<Self> {
        let mut text = serde_json::to_vec(head)?;
        text.push(b'\n');
        let nonce = crate::ids::nonce().ok_or_else(|| io::Error::other("this machine gives no random numbers"))?;
        let draft = Self { path: folder.join(format!(".head.{nonce}")), named: head_path(folder) };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.path)?;
        file.write_all(&text)?;
        file.sync_data()?;
        Ok(draft)
    }

    /// Has it count, unless another one does already.
    pub(super) fn begin(self) -> io::Result<()> {
        match fs::hard_link(&self.path, &self.named) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Has it count instead of the one before; whoever reads sees the old one or the new one.
    pub(super) fn keep(self) -> io::Result<()> {
        fs::rename(&self.path, &self.named)
    }
}
