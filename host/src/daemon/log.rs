//! The daemon's log: its standard error in a file, of which the older parts go.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use super::Name;
use crate::limits::{DAEMON_LOG_MAX_BYTES, DAEMON_LOGS};
use crate::startup;

/// Where it is.
///
/// # Errors
///
/// When there is no place for it.
pub fn path(name: &Name) -> io::Result<PathBuf> {
    Ok(startup::run_folder()?.join(name.file("log")))
}

/// Opens it to write at its end, after making room where it is long.
///
/// # Errors
///
/// When there is no place for it.
pub fn open(name: &Name) -> io::Result<File> {
    let path = path(name)?;
    rotate(&path);
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Moves a long log away: `.1` is the newest of the older ones.
fn rotate(path: &PathBuf) {
    if fs::metadata(path).map_or(0, |metadata| metadata.len()) < DAEMON_LOG_MAX_BYTES {
        return;
    }
    let older = |number: usize| PathBuf::from(format!("{}.{number}", path.display()));
    for number in (1..DAEMON_LOGS).rev() {
        // One that is not there is not moved.
        let _ = fs::rename(older(number), older(number + 1));
    }
    let _ = fs::rename(path, older(1));
}

/// Makes room in the log of this process where it is long: standard error goes to the new file.
pub fn renew(name: &Name) {
    let long = path(name).and_then(fs::metadata).is_ok_and(|metadata| metadata.len() >= DAEMON_LOG_MAX_BYTES);
    if long && let Ok(file) = open(name) {
        // It keeps the one that it has.
        let _ = rustix::stdio::dup2_stderr(&file);
    }
}
