//! The table `[audit]`: where the audit record is, and whether sessions are recorded.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::{Reader, Section};
use super::value;
use crate::limits::{RECORDINGS_KEEP_BYTES, RECORDINGS_KEEP_DAYS};

/// The keys of the section.
pub(super) const KEYS: [&str; 4] = ["folder", "recordings", "keep_days", "keep_bytes"];

/// What the file says of the audit record and of recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    /// The record's folder, where it is not that of the state.
    pub folder: Option<PathBuf>,
    /// Every session is recorded.
    pub recordings: bool,
    /// Recordings that are older go.
    pub keep_days: u64,
    /// Of more recordings than that, the oldest go.
    pub keep_bytes: u64,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { folder: None, recordings: false, keep_days: RECORDINGS_KEEP_DAYS, keep_bytes: RECORDINGS_KEEP_BYTES }
    }
}

impl AuditSettings {
    /// How old a recording may be.
    #[must_use]
    pub fn keep(&self) -> Duration {
        Duration::from_secs(self.keep_days.saturating_mul(24 * 3600))
    }

    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, &KEYS);
        let usual = Self::default();
        let mut number = |key: &str, want: &str, example: &str| {
            reader
                .field(section, key, |reader, at, found| value::positive::<NonZeroU64>(reader, at, found, want, example))
                .map(NonZeroU64::get)
        };
        let keep_days = number("keep_days", "a number of days", "30").unwrap_or(usual.keep_days);
        let keep_bytes = number("keep_bytes", "a number of bytes", "1_000_000_000").unwrap_or(usual.keep_bytes);
        Self {
            folder: reader.field(section, "folder", value::path),
            recordings: reader.field(section, "recordings", value::flag).unwrap_or_default(),
            keep_days,
            keep_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn parse(text: &str) -> Result<AuditSettings, String> {
        let parsed = Config::parse(text, Path::new("/etc/jack/c.toml"), Some(Path::new("/home/me")));
        parsed.map(|config| config.audit).map_err(|found| found.iter().map(|one| one.to_string() + "\n").collect())
    }

    #[test]
    fn the_table_is_read_and_what_is_wrong_is_told() {
        assert_eq!(parse(""), Ok(AuditSettings::default()));
        let read = parse("[audit]\nfolder = \"~/a\"\nrecordings = true\nkeep_days = 7\nkeep_bytes = 1_000\n").unwrap();
        let wanted = AuditSettings { folder: Some(PathBuf::from("/home/me/a")), recordings: true, keep_days: 7, keep_bytes: 1000 };
        assert_eq!(read, wanted);
        assert_eq!(read.keep(), Duration::from_secs(7 * 86_400));
        let wrong = parse("[audit]\nfolder = 1\nrecording = true\nkeep_days = 0\nkeep_bytes = \"1G\"\n").unwrap_err();
        for part in [
            "`folder` in [audit] must be a path",
            "unknown key `recording` in [audit]; did you mean `recordings`?",
            "`keep_days` in [audit] must be a number of days, got 0",
            "`keep_bytes` in [audit] must be a number of bytes, got a text",
        ] {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
    }
}
