//! Reads a secret from a file that only its owner can read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{SECRET_MAX_BYTES, SecretError};

/// Permission bits that give anything to the group or to others.
const OTHERS: u32 = 0o077;

/// Room for the longest secret, its line end and one byte more, which shows that it is too long.
const READ_MAX_BYTES: usize = SECRET_MAX_BYTES + 3;

/// The content of the file, at most one byte more than a secret may have.
pub(super) async fn read(path: PathBuf) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    read_unless(path, OTHERS).await
}

/// The same of a file whose group may have access.
pub(super) async fn read_not_by_others(path: PathBuf) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    read_unless(path, OTHERS & 0o007).await
}

async fn read_unless(path: PathBuf, forbidden: u32) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let shown = path.clone();
    match tokio::task::spawn_blocking(move || read_blocking(&path, forbidden)).await {
        Ok(result) => result,
        Err(join) => Err(SecretError::File { path: shown, cause: io::Error::other(join) }),
    }
}

fn read_blocking(path: &Path, forbidden: u32) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let failed = |cause| SecretError::File { path: path.to_owned(), cause };
    // Asked before opening, because opening a pipe that nobody writes to waits for ever.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(SecretError::NotAFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(failed)?;
    // Asked again on the open file, because the name may point elsewhere by now.
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(SecretError::FileMode { path: path.to_owned(), mode });
    }
    // The full capacity at once: a growing buffer would leave copies behind in freed memory.
    let mut raw = Zeroizing::new(Vec::with_capacity(READ_MAX_BYTES));
    let mut limited = file.take(READ_MAX_BYTES as u64);
    let mut piece = Zeroizing::new([0_u8; 512]);
    loop {
        let count = limited.read(piece.as_mut()).map_err(failed)?;
        match piece.get(..count) {
            None | Some([]) => return Ok(raw),
            Some(bytes) => raw.extend_from_slice(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::{SecretSource, resolve};
    use super::*;

    /// A file with this content and mode, and the directory that keeps it alive.
    fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (directory, path)
    }

    async fn error(path: PathBuf) -> String {
        resolve(&SecretSource::File(path)).await.err().unwrap().to_string()
    }

    #[tokio::test]
    async fn a_private_file_gives_its_line() {
        for mode in [0o600, 0o400] {
            let (_directory, path) = file(b"s3cret\n", mode);
            assert_eq!(resolve(&SecretSource::File(path)).await.ok().unwrap().expose(), b"s3cret");
        }
    }

    #[tokio::test]
    async fn a_file_open_to_others_is_refused_with_the_chmod() {
        for mode in [0o640, 0o604, 0o620, 0o644, 0o601] {
            let (_directory, path) = file(b"s3cret\n", mode);
            let text = error(path.clone()).await;
            let expected = format!("is open to other users (mode {mode:03o}); run `chmod 600 '{}'`", path.display());
            assert!(text.ends_with(&expected), "{text}");
            assert!(!text.contains("s3cret"), "{text}");
        }
    }

    #[tokio::test]
    async fn what_is_not_a_file_is_refused() {
        let (directory, path) = file(b"s3cret", 0o600);
        assert!(error(directory.path().to_owned()).await.ends_with("is not a regular file"));
        assert!(error(PathBuf::from("/dev/null")).await.ends_with("is not a regular file"));
        assert!(error(path.with_file_name("absent")).await.starts_with("cannot read the secret file `"));
    }

    #[tokio::test]
    async fn the_longest_secret_fits_and_one_byte_more_does_not() {
        let (_directory, path) = file(format!("{}\r\n", "x".repeat(SECRET_MAX_BYTES)).as_bytes(), 0o600);
        assert_eq!(resolve(&SecretSource::File(path)).await.ok().unwrap().expose().len(), SECRET_MAX_BYTES);
        for extra in ["x", "xx\r\n", "xxxxxxxxxx"] {
            let (_directory, path) = file(format!("{}{extra}", "x".repeat(SECRET_MAX_BYTES)).as_bytes(), 0o600);
            assert!(error(path).await.contains("longer than"), "{extra:?}");
        }
    }
}
