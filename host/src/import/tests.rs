//! Files of each kind as whole imports, and what never may happen.
//!
//! Each folder of `tests/` is what a person would name; `expected.toml` and `expected.txt` are what comes of it. With
//! `JACKFIELD_WRITE_EXPECTED=1` both are written anew, to be read before they are kept.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Imported, Kind, Options, Role, Source, gather, import};

mod cases;
mod refusals;
mod secrets;

/// A file of this text.
fn source(path: &str, text: &str) -> Source {
    Source { path: PathBuf::from(path), bytes: Zeroizing::new(text.as_bytes().to_vec()), role: Role::Named }
}

/// The same, which nobody named.
fn beside(path: &str, text: &str) -> Source {
    Source { role: Role::Beside, ..source(path, text) }
}

/// Everything that a person or a program is shown of an import.
fn shown(imported: &Imported) -> String {
    let report = serde_json::to_string(&imported.report).unwrap();
    let values: String = imported.values.iter().map(|kept| format!("{kept:?}")).collect();
    format!("{}\n{report}\n{imported:?}\n{values}", imported.toml)
}

/// The report, one thing in each row.
fn told(imported: &Imported) -> String {
    let report = &imported.report;
    let mut text = String::new();
    for file in &report.files {
        let _ = writeln!(text, "file {} {} {}", file.path, file.kind, file.devices);
    }
    for device in report.devices.iter().filter(|device| device.called.is_some()) {
        let _ = writeln!(text, "renamed {:?} to {}", device.called.as_deref().unwrap_or_default(), device.name);
    }
    for note in &report.notes {
        let _ = writeln!(text, "{:?} {} [{}] {}", note.fate, note.what, note.devices.join(" "), note.why);
    }
    for needed in &report.secrets {
        let _ = writeln!(text, "secret {} {} {} [{}] {}", needed.from, needed.name, needed.role, needed.devices.join(" "), needed.origin);
    }
    for step in &report.next {
        let _ = writeln!(text, "next {step}");
    }
    text
}
