//! Which processes still live: each holds a lock on a file of its own, which the system lets go when the process ends, however.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// This process's file.
#[derive(Debug)]
pub(super) struct Run {
    path: PathBuf,
    _locked: File,
}

impl Run {
    /// Makes and locks it. It gets its name when it is locked: others never see it open.
    pub(super) fn claim(folder: &Path, run: &str) -> io::Result<Self> {
        let runs = runs(folder);
        crate::private::folder(&runs)?;
        let (path, unnamed) = (runs.join(run), runs.join(format!(".{run}")));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unnamed)?;
        file.try_lock().map_err(io::Error::from)?;
        fs::rename(&unnamed, &path)?;
        Ok(Self { path, _locked: file })
    }

    /// Do others see it?
    pub(super) fn has_its_name(&self) -> bool {
        self.path.exists()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // One that stays is removed by the next process.
        let _ = fs::remove_file(&self.path);
    }
}

/// Has the process ended? Removes its file if it has.
pub(super) fn is_gone(folder: &Path, run: &str) -> bool {
    if run.is_empty() || !run.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        // No process of ours has such a name.
        return true;
    }
    let path = runs(folder).join(run);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => return error.kind() == io::ErrorKind::NotFound,
    };
    match file.try_lock() {
        Ok(()) => {
            // Another process may be doing the same.
            let _ = fs::remove_file(&path);
            true
        }
        // A file system without locks cannot tell: then nobody is gone.
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

/// The processes that left a file.
pub(super) fn known(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(runs(folder)).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| !name.starts_with('.')).collect()
}

fn runs(folder: &Path) -> PathBuf {
    folder.join("runs")
}
