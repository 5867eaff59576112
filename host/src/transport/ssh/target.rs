//! Where to connect, on which way, and as whom.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Connection;
use crate::config::{PASSWORD, Proxy};
use crate::limits::{KEEPALIVE, KEEPALIVES_MISSED_MAX};
use crate::secret::Secret;
use crate::secret::redact::Redactor;
use crate::transport::host_key::Learning;
use crate::transport::questions::Questions;
use crate::transport::route::Dialing;

/// Where to connect and as whom.
#[derive(Clone)]
pub struct Target {
    /// The device's name in the configuration.
    pub device: String,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The name to look the host key up by, where it is not that of the host (`HostKeyAlias`).
    pub host_key_alias: Option<String>,
    /// How to get there.
    pub way: Way,
    /// The account's name.
    pub user: String,
    /// What is added to it on the wire.
    pub login_suffix: String,
    /// Key files, in the order to try.
    pub keys: Vec<KeyFile>,
    /// Certificates that do not lie beside their keys. Which key each is for stands in it.
    pub certificates: Vec<PathBuf>,
    /// The passphrase of the keys.
    pub passphrase: Option<Arc<Secret>>,
    /// The password.
    pub password: Option<Arc<Secret>>,
    /// What the server may ask beside the password, and the answers.
    pub answers: Vec<Answer>,
    /// Who asks a person what nothing here answers.
    pub questions: Option<Questions>,
    /// Sockets of agents: the first one that somebody listens at counts.
    pub agents: Vec<PathBuf>,
    /// The agent is lent to the device.
    pub forward_agent: bool,
    /// Only the keys named here are offered, also of an agent's (`IdentitiesOnly`).
    pub named_keys_only: bool,
    /// `known_hosts` files.
    pub known_hosts: Vec<PathBuf>,
    /// Which of them are the user's own, and what is written there.
    pub learning: Learning,
    /// A file of keys that no host may have (`RevokedHostKeys`).
    pub revoked: Option<PathBuf>,
    /// Time between keepalives.
    pub keepalive: Option<Duration>,
    /// What is offered in the key exchange.
    pub offer: Offer,
    /// What else the OpenSSH configuration wants of the connection.
    pub manner: Manner,
    /// What somebody should know of how all this was found out.
    pub notes: Vec<String>,
    /// Much will go over it: ciphers that the processor has instructions for come first.
    pub bulk: bool,
    /// `TERM`.
    pub terminal: String,
    /// Columns and rows.
    pub size: (u16, u16),
}

/// What the OpenSSH configuration wants of a connection; by default what is usual here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manner {
    /// How a connection of our own is made.
    pub dialing: Dialing,
    /// Keepalives without an answer that end it (`ServerAliveCountMax`); 0 never does.
    pub keepalives_missed: Option<u32>,
    /// The ways to log in, in the order to try; `None` are all.
    pub methods: Option<Vec<Method>>,
    /// Variables that go along with what is started (`SetEnv`).
    pub environment: Vec<(String, String)>,
}

/// A way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// With a key that is a file or an agent's.
    Keys,
    /// With the password.
    Password,
    /// With answers to the server's questions.
    Questions,
}

impl Method {
    /// The method of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "publickey" => Some(Self::Keys),
            "password" => Some(Self::Password),
            "keyboard-interactive" => Some(Self::Questions),
            _ => None,
        }
    }
}

/// The way to a host.
#[derive(Debug, Clone)]
pub enum Way {
    /// A connection of our own.
    Direct,
    /// Through a proxy, a program or a socket.
    Proxy(Proxy),
    /// Through a program that the user's shell starts (`ProxyCommand`).
    Shell(String),
    /// Through another device (RFC 4254 section 7.2).
    Through(Connection),
}

/// Which algorithms are offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Old ones too: an explicit choice of the operator.
    pub legacy: bool,
    /// Key exchanges, as `KexAlgorithms` writes them: a list, or with `+`, `-` or `^` what changes in ours.
    pub kex: Option<String>,
    /// Host keys, as `HostKeyAlgorithms`.
    pub host_keys: Option<String>,
    /// Ciphers, as `Ciphers`.
    pub ciphers: Option<String>,
    /// Message authentication, as `MACs`.
    pub macs: Option<String>,
    /// The user's own signatures, as `PubkeyAcceptedAlgorithms`; of these only whether SHA-1 is among them counts.
    pub signatures: Option<String>,
    /// What authorities sign certificates of hosts with, as `CASignatureAlgorithms`.
    pub authorities: Option<String>,
    /// The bits that an RSA key must have at least, the host's or our own (`RequiredRSASize`).
    pub rsa_bits: Option<u32>,
}

/// A private key on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Its file. A public key stands for the agent's private one.
    pub path: PathBuf,
    /// Nobody named it: that it cannot be used is no error.
    pub optional: bool,
}

impl KeyFile {
    /// The file of its public half, as `ssh-keygen` names it.
    #[must_use]
    pub fn public_half(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".pub");
        PathBuf::from(name)
    }
}

/// The answer to a question at login.
#[derive(Clone)]
pub struct Answer {
    /// What the question contains, in any case of letters.
    pub asks: String,
    /// The secret's name.
    pub name: String,
    /// What is answered.
    pub secret: Arc<Secret>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("asks", &self.asks).field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { device, host, port, user, .. } = self;
        f.debug_struct("Target").field("device", device).field("address", &format!("{user}@{host}:{port}")).finish_non_exhaustive()
    }
}

impl Target {
    /// Masks what a login gives to the server.
    #[must_use]
    pub fn given(&self) -> Redactor {
        let mut given = Redactor::default();
        if let Some(password) = &self.password {
            given.learn(PASSWORD, password);
        }
        for answer in &self.answers {
            given.learn(&answer.name, &answer.secret);
        }
        given
    }

    /// Names of the secrets that the server may be given at login.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let password = self.password.as_ref().map(|_| PASSWORD);
        password.into_iter().chain(self.answers.iter().map(|answer| answer.name.as_str()))
    }

    /// The name and port that the host key is recorded under.
    #[must_use]
    pub fn host_key_name(&self) -> (&str, u16) {
        match &self.host_key_alias {
            Some(alias) => (alias, crate::config::DEFAULT_PORT),
            None => (&self.host, self.port),
        }
    }

    /// How long connecting may take, and each step of it until the keys are exchanged.
    pub(super) fn patience(&self) -> Duration {
        self.manner.dialing.patience()
    }

    /// Keepalives without an answer that end the connection.
    pub(super) fn keepalives_missed(&self) -> usize {
        self.manner.keepalives_missed.map_or(KEEPALIVES_MISSED_MAX, |count| usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// How long sent bytes may stay without the other side's word before the system ends the connection.
    pub(super) fn idle(&self) -> Duration {
        match self.keepalives_missed() {
            // Nothing here ends it, so the system does as it does by itself.
            0 => Duration::MAX,
            missed => self.keepalive.unwrap_or(KEEPALIVE).saturating_mul(u32::try_from(missed).unwrap_or(u32::MAX)),
        }
    }

    /// The account as the server is told it.
    #[must_use]
    pub fn login_name(&self) -> String {
        format!("{}{}", self.user, self.login_suffix)
    }
}
