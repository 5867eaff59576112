//! Why a session was not opened. Each error says what to do.

use crate::config::header;
use crate::plugin::fault::LoadError;
use crate::transport::host_key::HostKeyError;
use crate::transport::ssh;

/// Why a session was not opened. Each says what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// No such device.
    #[error("there is no device `{name}`{near} ssh_hosts lists them")]
    UnknownDevice {
        /// The name.
        name: String,
        /// The nearest known one, as part of the sentence: with the sign that ends it.
        near: String,
    },
    /// It was added to the configuration after that was read.
    #[error("device `{name}` was added to the configuration after it was read; `jackfield plugin reload` has it read again")]
    NotReadYet {
        /// The name.
        name: String,
    },
    /// No such device in what was read, and what stands in the file now cannot be read.
    #[error(
        "there is no device `{name}` in the configuration that is in force; the file was changed after it was read and has errors: `jackfield check` names them, and `jackfield plugin reload` has it read again once they are mended"
    )]
    BrokenSince {
        /// The name.
        name: String,
    },
    /// What it is will only be known once it was looked at.
    #[error(
        "the type of device `{device}` is found out when it is opened first; call ssh_open host={device}, or set `type` in {}",
        header("device", device)
    )]
    NotSeenYet {
        /// The device.
        device: String,
    },
    /// There is no such type.
    #[error("device `{device}` has type `{kind}`, which no plugin serves; known are: {known}")]
    UnknownType {
        /// The device.
        device: String,
        /// The type.
        kind: String,
        /// The known types.
        known: String,
    },
    /// A plugin of the type does not load, the secret is missing, or there is no line: the sentence says all.
    #[error("{0}")]
    Failed(String),
    /// Nobody has recorded a key of the host.
    #[error("{}", .0.says)]
    NewHost(Box<NewHost>),
    /// There is no way without a terminal.
    #[error("device `{device}` of type `{kind}` runs commands only in a terminal; use ssh_run without `lane`, and ssh_open without `tty`")]
    NoPipe {
        /// The device.
        device: String,
        /// Its type.
        kind: String,
    },
    /// Too many sessions.
    #[error("{most} sessions are open, the most that `limits.sessions` allows; close one with ssh_close")]
    Full {
        /// How many may be.
        most: usize,
    },
}

/// A host whose key nobody has recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHost {
    /// The device, or the jump host.
    pub device: String,
    /// Its address, as `known_hosts` writes it.
    pub host: String,
    /// Algorithm of the key that it presents.
    pub key_type: String,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// The file that would record it.
    pub file: String,
    /// The line that would record it.
    pub entry: String,
    /// The fingerprint as a picture.
    pub art: String,
    /// All of it as a sentence.
    pub says: String,
}

impl From<LoadError> for OpenError {
    fn from(error: LoadError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What a connection's error is to whoever wanted a session.
pub(super) fn failed(error: &ssh::ConnectError) -> OpenError {
    if let ssh::ConnectError::HostKey(key) = error
        && let HostKeyError::Unknown { device, host, key_type, fingerprint, file, entry, art } = key.as_ref()
    {
        let text = |text: &String| text.clone();
        return OpenError::NewHost(Box::new(NewHost {
            device: text(device),
            host: text(host),
            key_type: text(key_type),
            fingerprint: text(fingerprint),
            file: text(file),
            entry: text(entry),
            art: text(art),
            says: error.to_string(),
        }));
    }
    OpenError::Failed(error.to_string())
}

/// The same, with what somebody should know of how the target was found out: it may be why.
pub(super) fn failed_at(error: &ssh::ConnectError, target: &ssh::Target) -> OpenError {
    match failed(error) {
        OpenError::Failed(why) if !target.notes.is_empty() => OpenError::Failed(format!("{why}; note: {}", target.notes.join("; "))),
        failed => failed,
    }
}
