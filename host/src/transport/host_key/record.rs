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
    if fs::metadata(file).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("what is written there is not kept; name a file with `known_hosts` in the device's table"));
    }
    let ends = fs::read(file).map_or(true, |bytes| bytes.is_empty() || bytes.ends_with(b"\n"));
    let mut out = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    out.write_all(format!("{}{line}\n", if ends { "" } else { "\n" }).as_bytes())?;
    out.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_recorded_where_nothing_is_kept() {
        let why = record(Path::new("/dev/null"), "web1 ssh-ed25519 AAAA").unwrap_err().to_string();
        assert!(why.contains("name a file with `known_hosts`"), "{why}");
    }
}
