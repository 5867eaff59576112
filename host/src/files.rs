//! Files of devices: read, written whole or not at all, copied, compared, searched.
//!
//! | module | |
//! |---|---|
//! | [`wire`], [`link`], [`sftp`], [`stream`] | SFTP: bytes, many requests on their way at once, its operations, long reads and writes |
//! | [`program`], [`shell`], [`remote`] | programs on the device; the same operations by them; whichever of both there is |
//! | [`name`], [`tree`], [`local`] | names are bytes; what lies in a folder; folders of this machine that nothing leads out of |
//! | [`plan`], [`transfer`], [`copy`] | what a transfer would do; its work; one file of it |
//! | [`scp`], [`single`] | the copy protocol of devices that have nothing else; one whole file by it |
//! | [`text`], [`read`], [`search`], [`write`], [`like`] | what bytes mean; shows a file or folder; finds files and lines; changes a file; what it has beyond its mode |
//!
//! Nothing here decides what may be done: [`policy`](crate::policy) has, before. Nothing here trusts a server: lengths and names that come
//! from it are checked, every wait has an end, and what it names cannot lead out of a local folder.

use std::io;

use crate::secret::redact::Redactor;
use crate::terminal::text::escaped;

pub mod copy;
pub mod like;
pub mod link;
pub mod local;
pub mod name;
pub mod plan;
pub mod program;
pub mod read;
pub mod remote;
pub mod running;
pub mod scp;
pub mod search;
pub mod sftp;
pub mod shell;
pub mod single;
pub mod stream;
pub mod text;
pub mod transfer;
pub mod tree;
pub mod wire;
pub mod write;

/// The longest part of a device's own words in an error.
const WORDS_MAX_CHARS: usize = 200;

/// A device's own words, for an error: one line in which nothing is invisible.
fn words(text: &str) -> String {
    let line: String = text.chars().filter(|letter| !letter.is_control()).take(WORDS_MAX_CHARS).collect();
    escaped(&line)
}

/// Why a server did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The end of the file or folder.
    End,
    /// It is not there.
    Missing,
    /// The account may not.
    Denied,
    /// The server does not know how.
    Unsupported,
    /// Something else.
    Failure,
}

/// Why something was not done with a file. Each says what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FilesError {
    /// The device did not do it.
    #[error("cannot {act} `{path}` on the device: {what}")]
    Remote {
        /// What was to be done.
        act: &'static str,
        /// With what.
        path: String,
        /// Whose fault.
        code: Code,
        /// In words.
        what: String,
    },
    /// This machine did not do it.
    #[error("cannot {act} `{path}` on this machine: {what}")]
    Local {
        /// What was to be done.
        act: &'static str,
        /// With what.
        path: String,
        /// In words.
        what: String,
        /// What it was.
        kind: io::ErrorKind,
    },
    /// The connection, or what speaks at its other end.
    #[error("the device's file service {0}")]
    Broken(String),
    /// It was not tried: the sentence says why.
    #[error("{0}")]
    Refused(String),
}

impl FilesError {
    /// Without secrets that are known: a name may hold one.
    #[must_use]
    pub fn concealed(mut self, known: &Redactor) -> Self {
        match &mut self {
            Self::Remote { path, what, .. } | Self::Local { path, what, .. } => {
                *path = known.text(path);
                *what = known.text(what);
            }
            Self::Broken(what) | Self::Refused(what) => *what = known.text(what),
        }
        self
    }

    /// So many bytes are to be copied, and so many may be.
    #[must_use]
    pub fn too_much(bytes: u64, most: u64) -> Self {
        Self::Refused(format!("{bytes} bytes are to be copied, more than the {most} that `max_bytes` in [files] allows"))
    }

    /// Is it only that there is no such file?
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Remote { code, .. } => *code == Code::Missing,
            Self::Local { kind, .. } => *kind == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Is it that the account on the device may not?
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Remote { code: Code::Denied, .. })
    }

    /// Is nothing more to be had from this connection?
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_))
    }

    /// Something that this machine could not do.
    #[must_use]
    pub fn local(act: &'static str, path: &[u8], error: &io::Error) -> Self {
        Self::Local { act, path: name::shown(path), what: error.to_string(), kind: error.kind() }
    }

    /// Something that the device could not do.
    #[must_use]
    pub fn remote(act: &'static str, path: &[u8], code: Code, what: impl Into<String>) -> Self {
        Self::Remote { act, path: name::shown(path), code, what: what.into() }
    }
}

#[cfg(test)]
mod tests;
