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
