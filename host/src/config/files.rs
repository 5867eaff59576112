//! The table `[files]`: which folders of this machine transfers may use, and how much they may copy.

use std::num::NonZeroU64;
use std::path::PathBuf;

use super::reader::{Reader, Section};
use super::value;
use crate::limits::TRANSFER_MAX_BYTES;

/// The keys of the table.
pub(super) const KEYS: [&str; 2] = ["roots", "max_bytes"];

/// What the file says of transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// Folders of this machine that may be read and written by transfers. None: there are no transfers.
    pub roots: Vec<PathBuf>,
    /// Bytes of one transfer.
    pub max_bytes: u64,
}

impl Default for FileSettings {
    fn default() -> Self {
        Self { roots: Vec::new(), max_bytes: TRANSFER_MAX_BYTES }
    }
}

impl FileSettings {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, &KEYS);
        let roots = reader.field(section, "roots", |reader, at, found| value::list(reader, at, found, "\"~/shared\"", value::path));
        let max_bytes = reader.field(section, "max_bytes", |reader, at, found| {
            value::positive::<NonZeroU64>(reader, at, found, "a number of bytes", "1_000_000_000")
        });
        Self { roots: roots.unwrap_or_default(), max_bytes: max_bytes.map_or(TRANSFER_MAX_BYTES, NonZeroU64::get) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    #[test]
    fn the_table_is_read_and_what_is_wrong_is_told() {
        let parse = |text: &str| Config::parse(text, Path::new("/etc/jack/c.toml"), Some(Path::new("/home/me")));
        assert_eq!(parse("").unwrap().files, FileSettings::default());
        let read = parse("[files]\nroots = [\"~/shared\", \"x\"]\nmax_bytes = 7\n").unwrap().files;
        assert_eq!(read, FileSettings { roots: vec![PathBuf::from("/home/me/shared"), PathBuf::from("/etc/jack/x")], max_bytes: 7 });
        let wrong: String = parse("[files]\nroot = []\nroots = \"x\"\n").unwrap_err().iter().map(|one| one.to_string() + "\n").collect();
        assert!(wrong.contains("did you mean `roots`?") && wrong.contains("must be a list"), "{wrong}");
    }
}
