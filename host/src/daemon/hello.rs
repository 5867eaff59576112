//! The first two lines of a connection to a server of sessions: what is wanted, and who answers.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::limits::HELLO_MAX_BYTES;

/// The version of these lines and of what follows them. Another one is not understood.
pub const PROTOCOL: u32 = 2;
/// What is running, for people.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is wanted of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Want {
    /// The Model Context Protocol. The client sends a line of [`Variables`] first.
    Mcp,
    /// A guest's messages ([`crate::guest::wire`]). One that has sessions opened brings its values of the variables first.
    Guest {
        /// The person's name.
        name: String,
        /// `attach`, `watch` and the like.
        by: String,
        /// Wants to type.
        may_type: bool,
    },
    /// One line asks, one line answers ([`super::control`]).
    Control,
}

/// The client's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its version.
    pub jackfield: String,
    /// Its [`PROTOCOL`].
    pub protocol: u32,
    /// What it wants.
    pub want: Want,
}

impl Hello {
    /// This program's.
    #[must_use]
    pub fn new(want: Want) -> Self {
        Self { jackfield: VERSION.to_owned(), protocol: PROTOCOL, want }
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// The server's line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// Its version.
    pub jackfield: String,
    /// Its [`PROTOCOL`].
    pub protocol: u32,
    /// Its process.
    pub process: u32,
    /// Why the connection ends here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The environment variables that its configuration refers to; a client gives its own values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// What the process before it lost, if it ended without saying goodbye.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
}

impl Greeting {
    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Can this program go on?
    ///
    /// # Errors
    ///
    /// Why not, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.protocol != PROTOCOL {
            return Err(format!(
                "the running jackfield (process {}) is version {} and speaks protocol {}, this program is version {VERSION} and speaks {PROTOCOL}; `kill {}` ends it and its sessions, `jackfield mcp --in-process` does without it",
                self.process, self.jackfield, self.protocol, self.process
            ));
        }
        self.refused.clone().map_or(Ok(()), Err)
    }
}

/// Where a client's agent listens.
pub const AGENT_VARIABLE: &str = "SSH_AUTH_SOCK";

/// Environment variables of a client. Whoever has them wipes them.
pub type Variables = BTreeMap<String, String>;

/// Reads a line of these two.
///
/// # Errors
///
/// When there is none, or a longer one than any.
pub async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    from.take(HELLO_MAX_BYTES as u64).read_line(&mut text).await?;
    if text.ends_with('\n') { Ok(text) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) }
}

/// Writes a line.
///
/// # Errors
///
/// When the other side has gone.
pub async fn say(to: &mut (impl AsyncWrite + Unpin), line: &str) -> io::Result<()> {
    to.write_all(line.as_bytes()).await?;
    to.flush().await
}
