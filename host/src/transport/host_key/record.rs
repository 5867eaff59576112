//! Records a key that a person has accepted.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Adds a line, whole or not at all: what is appended with one write is never mixed with another's.
///
/// # Errors
///
/// What the system said; the file is as before then.
pub fn record(file: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let ends = fs::read(file).map_or(true, |bytes| bytes.is_empty() || bytes.ends_with(b"\n"));
    let mut out = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    out.write_all(format!("{}{line}\n", if ends { "" } else { "\n" }).as_bytes())?;
    out.sync_all()
}
