//! Files that are there whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes a file beside its place and moves it there, after the disk has it. A process or a machine that ends meanwhile leaves the old file
/// as it was. A file that is there keeps its permissions; a new one gets `mode`. A link is followed.
///
/// # Errors
///
/// What the system said.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let path = resolved(path);
    let folder = folder(&path);
    let permissions = std::fs::metadata(&path).map_or_else(|_| Permissions::from_mode(mode), |metadata| metadata.permissions());
    let file = beside(folder)?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    // The name is in the folder's own data.
    File::open(folder)?.sync_all()
}

/// Can a file be written there? Asked before the work that fills it.
///
/// # Errors
///
/// What the system said.
pub fn check(path: &Path) -> io::Result<()> {
    let path = resolved(path);
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    beside(folder(&path)).map(drop)
}

/// A file to fill before it is moved to its place. It is made here, and written as what it is, so that an error is the system's own: with
/// the library's comes the name of this file, which nobody has heard of.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().make_in(folder, |path| File::options().write(true).create_new(true).mode(0o600).open(path))
}

/// The file that a link leads to.
fn resolved(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        write(&path, b"one", 0o600).unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), mode()), (b"one".to_vec(), 0o600));
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, b"two", 0o600).unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), mode()), (b"two".to_vec(), 0o640));
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn where_no_file_can_be_written_is_known_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(&folder.path().join("new")).is_ok());
        assert_eq!(check(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        let absent = check(&folder.path().join("absent/new")).unwrap_err();
        assert_eq!((absent.kind(), absent.to_string().as_str()), (io::ErrorKind::NotFound, "No such file or directory (os error 2)"));
        assert_eq!(write(&folder.path().join("absent/new"), b"", 0o600).unwrap_err().to_string(), absent.to_string());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
