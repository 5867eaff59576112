//! Reads whole files of which nobody knows beforehand how long they are, up to a bound.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What the system said.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is longer than allowed.
    #[error("it has more than {max} bytes")]
    TooLong {
        /// Its size as far as is known.
        bytes: u64,
        /// The bound.
        max: u64,
    },
}

/// Is there a file, and no folder or pipe? Asked before opening, because opening a pipe that nobody writes to waits for ever.
///
/// # Errors
///
/// When there is nothing, or something else.
pub fn check_file(path: &Path) -> io::Result<()> {
    if std::fs::metadata(path)?.is_file() { Ok(()) } else { Err(io::Error::other("it is not a file")) }
}

/// The content of a file of at most so many bytes. Its size is not trusted: it may grow, and a pipe has none.
///
/// # Errors
///
/// When it cannot be read, or is longer.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, ReadError> {
    let mut file = File::open(path)?;
    let mut content = Vec::new();
    file.by_ref().take(max.saturating_add(1)).read_to_end(&mut content)?;
    let read = content.len() as u64;
    if read > max {
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        return Err(ReadError::TooLong { bytes: size.max(read), max });
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound_and_a_longer_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert!(matches!(read(&path, 3), Err(ReadError::TooLong { bytes: 5, max: 3 })));
        assert!(matches!(read(Path::new("/dev/zero"), 9), Err(ReadError::TooLong { bytes: 10, max: 9 })));
        assert!(check_file(&path).is_ok());
        assert_eq!(check_file(folder.path()).unwrap_err().to_string(), "it is not a file");
        let absent = read(&path.with_file_name("absent"), 5).unwrap_err();
        assert!(matches!(absent, ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound));
    }
}
