//! Folders that are their owner's alone.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// The account of this process.
///
/// # Errors
///
/// When the system does not tell.
pub fn own_user() -> io::Result<u32> {
    fs::metadata("/proc/self").map(|metadata| metadata.uid())
}

/// Makes a folder for its owner alone, or takes the others' rights on one that is there.
///
/// # Errors
///
/// When it cannot be made, or is somebody else's.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes a folder for its owner alone. What others could read in one that is there is closed to them, and the operator is told.
///
/// # Errors
///
/// A sentence, when it cannot be made, or is somebody else's.
pub fn closed_folder(folder: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot use `{}`: {error}", folder.display());
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let metadata = fs::symlink_metadata(folder).map_err(failed)?;
    if !metadata.is_dir() || metadata.uid() != own_user().map_err(failed)? {
        return Err(format!("`{}` must be a folder of this user; remove it, or set XDG_STATE_HOME to another place", folder.display()));
    }
    mend(folder, &metadata, 0o700).map_err(failed)?;
    for entry in fs::read_dir(folder).map_err(failed)?.flatten() {
        // A file may go at any moment; links are not followed.
        let Ok(metadata) = entry.metadata() else { continue };
        let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
        if !metadata.is_symlink() {
            mend(&entry.path(), &metadata, mode).map_err(failed)?;
        }
    }
    Ok(())
}

fn mend(path: &Path, metadata: &fs::Metadata, mode: u32) -> io::Result<()> {
    let found = metadata.mode() & 0o777;
    if found & 0o077 == 0 {
        return Ok(());
    }
    crate::diagnostics::warn(&format!(
        "`{}` was open to other users (mode {found:03o}) and is now closed to them ({mode:03o})",
        path.display()
    ));
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Makes a folder for its owner alone. One that is there may be somebody's choice: it is left as it is, and refused where others may
/// put files into it.
///
/// # Errors
///
/// When it cannot be made, is not this account's, or others may write it.
pub fn chosen_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let metadata = fs::metadata(path)?;
    if metadata.uid() != own_user()? {
        return Err(io::Error::other(format!("`{}` belongs to another account", path.display())));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other(format!("others may write into `{0}`; run `chmod go-w {0}`", path.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_folder_of_ours_is_closed_and_a_chosen_one_is_left_or_refused() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("a/b");
        chosen_folder(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        let set = |mode| fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        set(0o755);
        chosen_folder(&path).unwrap();
        assert_eq!(mode(&path), 0o755);
        folder(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        for open in [0o720, 0o702, 0o777] {
            set(open);
            let why = chosen_folder(&path).unwrap_err().to_string();
            assert!(why.contains("others may write") && why.contains("chmod go-w"), "{why}");
        }
    }
}
