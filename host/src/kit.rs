//! The conformance kit: what a plugin must be able to do and must never do, tried on the real engine and in real sessions without a device.
//!
//! [`recordings`] plays a vendor's recorded sessions cut anywhere, [`variants`] makes harder sessions of them (hostile output, spoofed
//! questions, slow echoes), [`rows`] shows single rows to the roles, [`views`] throws random ones at them, many of them [`grown`] from the plugin's own triggers and recordings, [`measure`] times calls and
//! counts instructions. [`report`] says what came of it, [`words`] what the plugin answered. What the rows say is data in `host/kit/`.

use std::path::PathBuf;

use crate::plugin::load::Source;

pub mod calls;
pub mod dialogs;
pub mod grown;
pub mod measure;
pub mod recordings;
pub mod report;
pub mod rows;
pub mod subject;
pub mod variants;
pub mod views;
pub mod words;

pub use report::{Check, Report, State};
pub use subject::Subject;

/// Counts what the kit demands: a plugin that passes one version may fail the next.
pub const KIT_VERSION: u32 = 2;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The plugin.
    pub source: Source,
    /// Its settings, as an operator gives them.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Modules and memories that it may have, where the operator must allow more than the usual number.
    pub max_parts: Option<usize>,
    /// Bytes that its file may have, where the operator must allow more than the usual number.
    pub max_file_bytes: Option<u64>,
    /// Its recordings: a folder, or one file.
    pub recordings: Option<PathBuf>,
    /// All checks instead of the recordings alone.
    pub conformance: bool,
    /// Times of calls.
    pub bench: bool,
    /// Instructions of calls.
    pub fuel: bool,
    /// Random views.
    pub views: u32,
    /// Where the random numbers begin.
    pub seed: u64,
    /// Random cuts of each recording.
    pub cuts: u64,
}

/// Runs what is wanted.
///
/// # Errors
///
/// A sentence, when the plugin does not load or a recording cannot be read.
pub fn run(wanted: &Wanted) -> Result<Report, String> {
    let subject = Subject::load(wanted)?;
    let mut report = Report::new(&subject);
    let played = recordings::read(wanted.recordings.as_deref())?;
    let played = recordings::for_subject(&subject, played, &mut report)?;
    report.add(recordings::check(&played, wanted.cuts)?);
    if wanted.conformance {
        for check in variants::checks(&subject, &played)? {
            report.add(check);
        }
        for check in dialogs::checks(&subject, &played)? {
            report.add(check);
        }
        for check in rows::checks(&subject, &played)? {
            report.add(check);
        }
        for check in views::checks(&subject, &played, wanted, &mut report)? {
            report.add(check);
        }
    }
    if wanted.bench && !wanted.conformance {
        report.times = measure::times(&subject, &played, wanted)?;
    }
    if wanted.fuel {
        report.fuel = measure::fuel(&subject, &played, wanted)?;
    }
    Ok(report)
}
