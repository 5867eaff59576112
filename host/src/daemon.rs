//! The process that holds the sessions, so that they outlive whoever uses them: agents, terminals and browsers are its guests.
//!
//! There is one for each account and configuration file. [`launch`] finds it or starts it; [`relay`] is `jackfield mcp`, which only
//! carries bytes to it; [`service`] is the process itself. A server that holds its sessions itself (`jackfield mcp --in-process`)
//! listens in the same way, on a socket that nobody looks for to be served by.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

pub mod client;
pub mod control;
pub mod gate;
pub mod hello;
pub mod launch;
mod ledger;
pub mod log;
pub mod relay;
pub mod service;
pub mod status;

/// What a socket's name ends with.
const SUFFIX: &str = ".sock";
/// What the name of a daemon's socket begins with; those of other servers begin with the process's number.
const DAEMON: &str = "daemon";

/// A daemon's name: the same for everybody who means the same configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Of the daemon for this configuration file; without one, of the daemon without a configuration.
    #[must_use]
    pub fn of(file: Option<&Path>) -> Self {
        let Some(file) = file else { return Self(DAEMON.to_owned()) };
        let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let digest = Sha256::digest(file.as_os_str().as_encoded_bytes());
        Self(format!("{DAEMON}-{}", crate::hex::digits(digest.get(..6).unwrap_or_default())))
    }

    /// Its socket's name.
    #[must_use]
    pub fn socket(&self) -> String {
        format!("{}{SUFFIX}", self.0)
    }

    /// The name of a file of it with this ending.
    #[must_use]
    pub fn file(&self, ending: &str) -> String {
        format!("{}.{ending}", self.0)
    }
}

/// The name of the socket of a server that is no daemon.
#[must_use]
pub fn own_socket() -> String {
    format!("{}{SUFFIX}", std::process::id())
}

/// A line, and nothing behind it: what follows belongs to somebody else.
fn read_line(stream: &mut UnixStream, most: usize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.last() != Some(&b'\n') {
        stream.read_exact(&mut byte)?;
        line.extend_from_slice(&byte);
        if line.len() > most {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is longer than any"));
        }
    }
    Ok(line)
}

/// A file for this account that processes take turns at, opened but not locked.
fn lock_file(path: &Path) -> Result<File, String> {
    let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
    opened.map_err(|error| format!("cannot use `{}`: {error}", path.display()))
}

/// A socket's path has a hundred bytes; through the folder's own handle it is short wherever the folder is.
fn within<T>(folder: &Path, name: &str, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let handle = File::open(folder)?;
    work(&PathBuf::from(format!("/proc/self/fd/{}/{name}", handle.as_raw_fd())))
}
