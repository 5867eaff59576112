//! What a server announces of its host keys after the login, and the proof that they are its own (OpenSSH PROTOCOL section 2.5).

use std::path::PathBuf;

use russh::keys::{Algorithm, PublicKey};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::super::host_key::{self, KnownHosts, Learning, LeftAlone, LoadError, Rotation};
use super::{ConnectError, Connection, Target, algorithms};
use crate::limits::{ANNOUNCEMENT_WAIT, CONNECT_MAX};

/// The host keys of a target, as far as they are to be kept up to date.
#[derive(Debug, Clone)]
pub struct HostKeys {
    host: String,
    port: u16,
    known_hosts: Vec<PathBuf>,
    revoked: Option<PathBuf>,
    learning: Learning,
    /// Names of the signature algorithms that are taken.
    taken: Vec<String>,
}

/// The place where a server's announcement comes in.
#[derive(Debug)]
pub struct Announcement {
    presented: Option<PublicKey>,
    /// All its host keys, as it says; empty until it does.
    keys: watch::Receiver<Vec<PublicKey>>,
}

/// What is to be done about a server's keys.
#[derive(Debug, Clone)]
pub struct Announced {
    presented: PublicKey,
    keys: Vec<PublicKey>,
    /// What they change, or why nothing is changed.
    pub rotation: Result<Rotation, LeftAlone>,
}

/// Why keys were not learned.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// A file cannot be read.
    #[error(transparent)]
    KnownHosts(#[from] LoadError),
    /// The server has not proven that they are its own.
    #[error("the server announces {count} further host keys and does not prove that they are its own: {what}; nothing was recorded")]
    NotProven {
        /// How many.
        count: usize,
        /// What went wrong.
        what: String,
    },
    /// A file cannot be written.
    #[error("what is new of the host's keys cannot be recorded: {0}")]
    Write(#[from] std::io::Error),
}

impl HostKeys {
    /// Of this target.
    ///
    /// # Errors
    ///
    /// When a list of its configuration holds nothing that is known.
    pub fn of(target: &Target) -> Result<Self, ConnectError> {
        let (host, port) = target.host_key_name();
        // Those that this host is known by are asked for first, and here all count.
        let [_, taken, ..] = algorithms::ours(target, &KnownHosts::default())?;
        Ok(Self {
            host: host.to_owned(),
            port,
            known_hosts: target.known_hosts.clone(),
            revoked: target.revoked.clone(),
            learning: target.learning.clone(),
            taken,
        })
    }

    /// What a server announces, once it has done so; `None` where it does not.
    ///
    /// # Errors
    ///
    /// When the files cannot be read.
    pub async fn announced(&self, Announcement { presented, mut keys }: Announcement) -> Result<Option<Announced>, LearnError> {
        let _ = timeout(ANNOUNCEMENT_WAIT, keys.wait_for(|keys| !keys.is_empty())).await;
        let mut keys = keys.borrow().clone();
        let Some(presented) = presented.filter(|_| !keys.is_empty()) else { return Ok(None) };
        keys.retain(|key| self.takes(&key.algorithm()) || *key == presented);
        let this = self.clone();
        let looking = spawn_blocking(move || {
            let known = KnownHosts::load_with(&this.known_hosts, this.revoked.as_deref())?;
            let rotation = known.rotation((&this.host, this.port), &presented, &keys, &this.learning.files);
            Ok(Some(Announced { presented, keys, rotation }))
        });
        looking.await.unwrap_or(Ok(None))
    }

    fn takes(&self, algorithm: &Algorithm) -> bool {
        let is_rsa = matches!(algorithm, Algorithm::Rsa { .. });
        self.taken.iter().any(|taken| taken == algorithm.as_str() || is_rsa && taken.starts_with("rsa-sha2-"))
    }

    /// Has the server prove its new keys, and brings the user's files up to date. Gives what was changed there.
    ///
    /// # Errors
    ///
    /// When it does not prove all of them, or a file cannot be written: the files are as before then.
    pub async fn learn(&self, connection: &Connection, announced: Announced) -> Result<Rotation, LearnError> {
        let Announced { presented, keys, rotation: Ok(planned) } = announced else { return Ok(Rotation::default()) };
        if planned.is_empty() {
            return Ok(planned);
        }
        connection.prove(planned.new.clone()).await.map_err(|what| LearnError::NotProven { count: planned.new.len(), what })?;
        let this = self.clone();
        let writing = spawn_blocking(move || host_key::learn(&this.learning, (&this.host, this.port), &presented, &keys, &planned.new));
        Ok(writing.await.unwrap_or_else(|_| Ok(Rotation::default()))?)
    }
}

impl Announced {
    /// How many keys the server says it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }
}

impl Connection {
    /// What its server announces. That does not keep the connection.
    #[must_use]
    pub fn announcement(&self) -> Announcement {
        let heard = self.heard();
        Announcement { presented: heard.key.clone(), keys: heard.announced.subscribe() }
    }

    async fn prove(&self, keys: Vec<PublicKey>) -> Result<(), String> {
        match timeout(CONNECT_MAX, self.handle().hostkeys_prove(keys)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(russh::Error::RequestDenied)) => Err("it refuses to".to_owned()),
            Ok(Err(russh::Error::WrongServerSig)) => Err("a signature is wrong".to_owned()),
            Ok(Err(error)) => Err(super::error::told(&error)),
            Err(_) => Err(format!("no answer within {} s", CONNECT_MAX.as_secs())),
        }
    }
}
