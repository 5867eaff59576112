//! Which recordings are kept. One that is being written is never touched: its process holds a lock on it.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::limits::{CAST_LINE_MAX_BYTES, CAST_NAMELESS_MAX};

/// What the name of a whole recording ends with.
pub const WHOLE: &str = ".cast";
/// What the name of one that is being written ends with.
pub const PART: &str = ".cast.part";

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Recordings whose process was gone: they are whole now, as far as they go.
    pub closed: usize,
    /// Recordings that were removed.
    pub removed: usize,
}

/// A recording in the folder.
struct Found {
    written: SystemTime,
    bytes: u64,
    path: PathBuf,
}

/// Removes what is older than `age`, and then the oldest until no more than `bytes` are left. What another configuration has recorded is
/// neither counted nor removed: how long it is kept stands there.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn sweep(folder: &Path, configuration: &Path, (age, bytes): (Duration, u64), now: SystemTime) -> io::Result<Swept> {
    let mut swept = Swept::default();
    let mut whole = Vec::new();
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str() else { continue };
        let path = match close(&path, name)? {
            Closed::Live => {
                if !is_anothers(&path, configuration) {
                    total += entry.metadata().map(|metadata| metadata.len()).unwrap_or_default();
                }
                continue;
            }
            Closed::Now(path) => {
                swept.closed += 1;
                path
            }
            Closed::Before => path,
        };
        // Another process may be sweeping, too.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if path.extension() == Some(OsStr::new("cast")) && !is_anothers(&path, configuration) {
            total += metadata.len();
            whole.push(Found { written: metadata.modified()?, bytes: metadata.len(), path });
        }
    }
    whole.sort_by_key(|found| found.written);
    for found in whole {
        let is_old = now.duration_since(found.written).is_ok_and(|since| since > age);
        if is_old || total > bytes {
            swept.removed += usize::from(fs::remove_file(&found.path).is_ok());
            total = total.saturating_sub(found.bytes);
        }
    }
    Ok(swept)
}

/// Is it another configuration's? One that says of none, or of a file that is gone, is anybody's.
fn is_anothers(path: &Path, configuration: &Path) -> bool {
    let mut heading = String::new();
    let read = File::open(path).and_then(|file| BufReader::new(file.take(CAST_LINE_MAX_BYTES)).read_line(&mut heading));
    let heading: Value = read.ok().and_then(|_| serde_json::from_str(&heading).ok()).unwrap_or_default();
    let recorded_by = heading.pointer("/jackfield/configuration").and_then(Value::as_str).map(Path::new);
    recorded_by.is_some_and(|file| file != configuration && file.exists())
}

/// Takes away a line that was begun: players stop at one.
fn end_at_a_line(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(CAST_LINE_MAX_BYTES);
    let mut end = vec![0; usize::try_from(length - from).map_err(io::Error::other)?];
    file.read_exact_at(&mut end, from)?;
    let begun = end.iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
    if begun > 0 && begun < length { file.set_len(length - begun) } else { Ok(()) }
}

enum Closed {
    /// It is being written.
    Live,
    /// It was left behind, and has another name now.
    Now(PathBuf),
    /// It is whole, or something else.
    Before,
}

/// Gives a recording that its process left behind the name of a whole one.
fn close(path: &Path, name: &str) -> io::Result<Closed> {
    // A hidden one has not got its name yet.
    let is_hidden = name.starts_with('.') && name.ends_with(PART);
    let Some(stem) = name.strip_suffix(PART) else { return Ok(Closed::Before) };
    let Ok(file) = File::open(path) else { return Ok(Closed::Live) };
    // A file system without locks cannot tell: then all of them live.
    if file.try_lock().is_err() {
        return Ok(Closed::Live);
    }
    if is_hidden {
        // Between making it and locking it is a moment: only one that is long over is nobody's.
        let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age > CAST_NAMELESS_MAX {
            fs::remove_file(path)?;
        }
        return Ok(Closed::Before);
    }
    end_at_a_line(path)?;
    let whole = path.with_file_name(format!("{stem}{WHOLE}"));
    match fs::rename(path, &whole) {
        Ok(()) => Ok(Closed::Now(whole)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Closed::Live),
        Err(error) => Err(error),
    }
}
