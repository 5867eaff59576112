//! Why there is no line. Each error says what to do next.

use std::time::Duration;

use super::super::host_key::{HostKeyError, LoadError};
use super::Target;
use crate::config::header;
use crate::terminal::text::{escaped, first_bytes};

/// The longest part of a server's own words in a sentence.
pub(in crate::transport) const WORDS_MAX_BYTES: usize = 512;

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing answers at the address.
    #[error(
        "cannot reach `{device}` at {host}:{port}: {what}; check `host` and `port` in {}, and that the device is up",
        header("device", device)
    )]
    Unreachable {
        /// The device.
        device: String,
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// What the system said.
        what: String,
    },
    /// The way to the host does not lead there.
    #[error("the way to `{device}` at {host}:{port} is closed: {by} says: {what}; check `{key}` in {}", header("device", device))]
    Way {
        /// The device.
        device: String,
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// Who stands in the way: a proxy, a program, another device.
        by: String,
        /// What it said.
        what: String,
        /// The configuration's key for it.
        key: &'static str,
    },
    /// A step took too long.
    #[error("`{device}` at {host}:{port} did not finish the {step} within {seconds} s; try again, or check the way to it")]
    Timeout {
        /// The device.
        device: String,
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// Which step.
        step: &'static str,
        /// How long it had.
        seconds: u64,
    },
    /// The key exchange failed.
    #[error("SSH with `{device}` failed: {what}")]
    Protocol {
        /// The device.
        device: String,
        /// What the library or the server said.
        what: String,
    },
    /// Both sides share no algorithm.
    #[error("SSH with `{device}` failed: no {kind} in common; the device offers {theirs}; we offer {ours}; {next}")]
    NoCommon {
        /// The device.
        device: String,
        /// What kind of algorithm.
        kind: &'static str,
        /// What the device offers.
        theirs: String,
        /// What we offer.
        ours: String,
        /// What would help.
        next: String,
    },
    /// A list of algorithms holds none that is known here.
    #[error("`{device}`: of the {kind} `{list}` none is known here; known are: {known}")]
    UnknownAlgorithms {
        /// The device.
        device: String,
        /// What kind of algorithm.
        kind: &'static str,
        /// The list.
        list: String,
        /// What is known.
        known: String,
    },
    /// The host key is not trusted.
    #[error("{0}")]
    HostKey(Box<HostKeyError>),
    /// The known hosts cannot be read.
    #[error("{0}")]
    KnownHosts(LoadError),
    /// The key file cannot be used.
    #[error(
        "cannot use key `{path}` of `{device}`: {what}; check `key` in {}, or load the key into your agent with `ssh-add`",
        header("device", device)
    )]
    Key {
        /// The device.
        device: String,
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// No way to log in was accepted.
    #[error(
        "`{user}` cannot log in to `{device}`: {tried}; the server takes {offered}; check `user`, `key` and `password` in {}",
        header("device", device)
    )]
    Refused {
        /// The device.
        device: String,
        /// The account.
        user: String,
        /// What was tried.
        tried: String,
        /// What the server would take.
        offered: String,
        /// Names of the secrets that were sent and are wrong: the password, answers to questions.
        secrets_refused: Vec<String>,
    },
    /// It does not lead on to a host or a socket.
    #[error("`{device}` does not lead on to {to}: {what}")]
    Beyond {
        /// The device.
        device: String,
        /// The address there.
        to: String,
        /// What it said.
        what: String,
    },
    /// No terminal, no program.
    #[error("`{device}` opens no session: {what}")]
    Channel {
        /// The device.
        device: String,
        /// What it said.
        what: String,
    },
    /// It listens there already, for another forward.
    #[error("`{device}` listens at {at} already, for another forward; choose another port with listen=, or close that one")]
    Listening {
        /// The device.
        device: String,
        /// The address there.
        at: String,
    },
    /// The connection had ended before it was asked for a session: nothing was done.
    #[error("the connection to `{device}` had ended before: {what}; nothing was run")]
    Gone {
        /// The device.
        device: String,
        /// Why it ended.
        what: String,
    },
    /// The connection has as many channels as the server gives.
    #[error("`{device}` opens no further session on this connection: {what}")]
    Full {
        /// The device.
        device: String,
        /// What it said.
        what: String,
    },
}

impl ConnectError {
    pub(super) fn timeout(target: &Target, step: &'static str, patience: Duration) -> Self {
        let (device, host) = (target.device.clone(), target.host.clone());
        Self::Timeout { device, host, port: target.port, step, seconds: patience.as_secs() }
    }

    pub(super) fn unreachable(target: &Target, what: &dyn std::fmt::Display) -> Self {
        Self::Unreachable { device: target.device.clone(), host: target.host.clone(), port: target.port, what: what.to_string() }
    }
}

/// A server's words as they may stand in a sentence: on one line, without what moves a terminal, and of a bounded length.
pub(in crate::transport) fn words(text: &str, max_bytes: usize) -> String {
    let text = text.trim();
    let shown = first_bytes(text, max_bytes);
    let mark = if shown.len() < text.len() { "..." } else { "" };
    escaped(&(shown.split_whitespace().collect::<Vec<_>>().join(" ") + mark))
}

/// What went wrong, for those who do not know the library's words.
pub(super) fn told(error: &russh::Error) -> String {
    use russh::Error;
    match error {
        Error::Version => "no SSH version string came; is it another service that listens there?".to_owned(),
        Error::PacketSize(bytes) => format!("it sent a packet of {bytes} bytes, which SSH does not allow"),
        Error::SshEncoding(_) | Error::Inconsistent | Error::IndexOutOfBounds | Error::Utf8(_) => {
            format!("it sent a malformed packet ({error})")
        }
        Error::Disconnect | Error::HUP => "it closed the connection".to_owned(),
        Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        Error::SendError | Error::RecvError => "the connection has ended".to_owned(),
        Error::KeepaliveTimeout | Error::InactivityTimeout => "it does not answer any more".to_owned(),
        Error::WrongServerSig => "it could not prove that the host key is its own".to_owned(),
        Error::PacketAuth | Error::DecryptionError => format!("a packet was damaged on the way ({error})"),
        other => words(&other.to_string(), WORDS_MAX_BYTES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_as_it_stands_in_the_configuration() {
        let refused = |device: &str| {
            let (device, none) = (device.to_owned(), String::new);
            ConnectError::Refused { device, user: none(), tried: none(), offered: none(), secrets_refused: Vec::new() }.to_string()
        };
        assert!(refused("web1").ends_with("check `user`, `key` and `password` in [device.web1]"));
        assert!(refused("web1.example.com").ends_with("check `user`, `key` and `password` in [device.\"web1.example.com\"]"));
    }

    #[test]
    fn words_of_a_server_are_one_short_line_of_plain_text() {
        assert_eq!(words(" no\r\n  room \u{1b}[2J\u{202e}\n", 512), "no room \\x1b[2J\\u{202e}");
        let long = words(&"\u{e4}".repeat(WORDS_MAX_BYTES), WORDS_MAX_BYTES);
        assert_eq!((long.len(), long.ends_with("\u{e4}...")), (WORDS_MAX_BYTES + 3, true));
    }
}
