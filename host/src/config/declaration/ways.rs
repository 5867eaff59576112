//! Declared ways between modes, and what becomes of a candidate configuration.

use super::fields::{required, text, typed};
use super::{Reader, Section, keys_of};

/// A way from one mode to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transition {
    /// The mode before.
    pub from: String,
    /// The mode after.
    pub to: String,
    /// The line that leads there.
    pub line: String,
}

/// A candidate configuration: the line for each act that the device has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The mode in which it is edited.
    pub mode: String,
    /// Shows what differs from the running configuration.
    pub diff: Option<String>,
    /// Has it checked.
    pub check: Option<String>,
    /// Puts it in force.
    pub commit: String,
    /// Puts it in force for a time, after which the device takes it back.
    pub confirmed: Option<String>,
    /// Keeps what `confirmed` put in force.
    pub confirm: Option<String>,
    /// Throws it away.
    pub discard: Option<String>,
}

impl Transition {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("transition"));
        Self {
            from: required(reader, section, "from", text),
            to: required(reader, section, "to", text),
            line: required(reader, section, "line", typed),
        }
    }
}

impl Candidate {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("candidate"));
        Self {
            mode: required(reader, section, "mode", text),
            diff: typed(reader, section, "diff"),
            check: typed(reader, section, "check"),
            commit: required(reader, section, "commit", typed),
            confirmed: typed(reader, section, "confirmed"),
            confirm: typed(reader, section, "confirm"),
            discard: typed(reader, section, "discard"),
        }
    }
}
