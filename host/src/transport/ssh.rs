//! SSH: connect, check the host key, log in, open channels. Each step has its time and its error.
//!
//! [`target`](Target) says where and as whom, [`Greeting`] is a connection before the login, [`Connection`] one after it.

use tokio::time::timeout;

use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, Handle};

use super::host_key::{HostKeyError, KnownHosts};
use super::route::{self, Closed, Duplex};
use super::server_id::Noted;
pub use super::server_id::Offered;
use crate::limits::CONNECT_MAX;

use self::ahead::ReadAhead;
use self::handler::{Handler, Hearing, heard};
use self::wanted::{Wanted, WhileWanted};

pub use self::announced::{Announced, Announcement, HostKeys, LearnError};
pub use self::channel::{ChannelReader, Messages};
pub use self::connection::{Connection, Halves, Known, Listening, Stream, Ticket};
pub use self::error::ConnectError;
pub(super) use self::error::{WORDS_MAX_BYTES, words};
pub use self::places::Places;
pub use self::target::{Answer, KeyFile, Manner, Method, Offer, Target, Way};

mod agent;
mod ahead;
mod algorithms;
mod announced;
mod channel;
mod connection;
mod error;
mod handler;
mod login;
mod places;
mod target;
mod wanted;

/// A connection whose host key was checked and to which nobody has logged in yet.
pub struct Greeting {
    handle: Handle<Handler>,
    hearing: Hearing,
    wanted: Wanted,
    warnings: Vec<String>,
}

impl std::fmt::Debug for Greeting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Greeting").field("server_id", &self.server_id()).finish_non_exhaustive()
    }
}

impl Greeting {
    /// Connects. Of the target only the way there counts.
    ///
    /// # Errors
    ///
    /// The step that failed.
    pub async fn open(target: &Target) -> Result<Self, ConnectError> {
        Self::begin(target, false).await
    }

    /// Connects and takes any host key: to show it. Nobody may log in on such a connection.
    ///
    /// # Errors
    ///
    /// The step that failed.
    pub async fn look(target: &Target) -> Result<Seen, ConnectError> {
        let mut greeting = Self::begin(target, true).await?;
        let methods = login::offered(target, &mut greeting.handle).await?;
        let heard = heard(&greeting.hearing);
        Ok(Seen {
            server_id: heard.server_id.get().cloned().unwrap_or_default(),
            offered: heard.server_offer.get().cloned().unwrap_or_default(),
            key: heard.key.clone(),
            refused: heard.refused.clone(),
            agreed: heard.agreed.clone(),
            weak: heard.weak.clone(),
            banner: heard.banner.clone(),
            methods,
        })
    }

    async fn begin(target: &Target, looks_only: bool) -> Result<Self, ConnectError> {
        let known = KnownHosts::load_with(&target.known_hosts, target.revoked.as_deref()).map_err(ConnectError::KnownHosts)?;
        let known = Arc::new(known.recorded_as(&target.learning).demanding(target.offer.demands()));
        let handler = Handler::new(target, Arc::clone(&known), looks_only);
        let hearing = Arc::clone(&handler.hearing);
        let (handle, wanted) = connect(target, &known, handler).await?;
        Ok(Self { handle, hearing, wanted, warnings: known.warnings().to_vec() })
    }

    /// What the server says of itself.
    #[must_use]
    pub fn server_id(&self) -> String {
        heard(&self.hearing).server_id.get().cloned().unwrap_or_default()
    }

    /// Logs in.
    ///
    /// # Errors
    ///
    /// Why no way to log in was accepted.
    pub async fn login(mut self, target: &Target) -> Result<Connection, ConnectError> {
        let done = login::login(target, &mut self.handle, &self.hearing).await;
        done.map_err(|error| match (error, heard(&self.hearing).end.clone()) {
            // Why it ended says more than that it did.
            (ConnectError::Protocol { device, .. }, Some(what)) => ConnectError::Protocol { device, what },
            (error, _) => error,
        })?;
        self.warnings.extend(target.notes.iter().cloned());
        if target.forward_agent
            && !target.agents.is_empty()
            && let Some(binding) = self.handle.agent_session_binding()
        {
            heard(&self.hearing).lent = Some(agent::Lent::new(target.agents.clone(), binding.clone()));
            self.warnings
                .push(format!("your agent is lent to `{}`: whoever is root there can sign with it while you are connected", target.device));
        }
        Ok(Connection::new(self.handle, self.hearing, self.wanted, target, self.warnings))
    }
}

/// What a server shows before anybody logs in.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What it says of itself.
    pub server_id: String,
    /// The algorithms that it offers.
    pub offered: Offered,
    /// Its key.
    pub key: Option<russh::keys::PublicKey>,
    /// Why that is not the key of a trusted host, if so.
    pub refused: Option<Box<HostKeyError>>,
    /// What was agreed in the key exchange.
    pub agreed: String,
    /// What of that is weak.
    pub weak: Vec<String>,
    /// What it shows at login.
    pub banner: String,
    /// The ways to log in that it takes; `None` where it lets anybody in.
    pub methods: Option<Vec<String>>,
}

/// What would be offered to this target: key exchanges, host keys, ciphers, MACs.
///
/// # Errors
///
/// When its known hosts cannot be read, or a list of the configuration holds nothing that is known.
pub fn offered(target: &Target) -> Result<[Vec<String>; 4], ConnectError> {
    let known = KnownHosts::load_with(&target.known_hosts, target.revoked.as_deref()).map_err(ConnectError::KnownHosts)?;
    algorithms::ours(target, &known)
}

async fn step<T>(target: &Target, step: &'static str, work: impl Future<Output = Result<T, ConnectError>>) -> Result<T, ConnectError> {
    within(CONNECT_MAX, target, step, work).await
}

async fn within<T>(
    patience: Duration,
    target: &Target,
    step: &'static str,
    work: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    timeout(patience, work).await.unwrap_or_else(|_| Err(ConnectError::timeout(target, step, patience)))
}

async fn connect(target: &Target, known: &KnownHosts, handler: Handler) -> Result<(Handle<Handler>, Wanted), ConnectError> {
    let config = Arc::new(algorithms::config(target, known)?);
    let hearing = Arc::clone(&handler.hearing);
    let (stream, wanted) = WhileWanted::new(travel(target).await?, target.idle());
    let stream = ReadAhead::new(stream);
    let (id, offer) = {
        let heard = heard(&hearing);
        (Arc::clone(&heard.server_id), Arc::clone(&heard.server_offer))
    };
    let stream = Noted::new(stream, id, offer);
    let exchanged = within(target.patience(), target, "key exchange", async {
        client::connect_stream(config, stream, handler).await.map_err(|error| {
            let mut heard = heard(&hearing);
            match (heard.refused.take(), &error, heard.end.take()) {
                (Some(refused), ..) => ConnectError::HostKey(refused),
                (None, russh::Error::NoCommonAlgo { kind, ours, theirs }, _) => algorithms::no_common(target, kind, ours, theirs),
                (None, _, Some(end)) => ConnectError::Protocol { device: target.device.clone(), what: end },
                (None, ..) => ConnectError::Protocol { device: target.device.clone(), what: error::told(&error) },
            }
        })
    });
    Ok((exchanged.await?, wanted))
}

/// A stream to the host, on its way; what is spoken there is not its affair.
///
/// # Errors
///
/// When the way does not lead to the host.
pub async fn travel(target: &Target) -> Result<Box<dyn Duplex>, ConnectError> {
    within(target.patience(), target, "connection", way_to(target)).await
}

async fn way_to(target: &Target) -> Result<Box<dyn Duplex>, ConnectError> {
    let idle = target.idle();
    let (host, port) = (target.host.as_str(), target.port);
    let (stream, key) = match &target.way {
        Way::Direct => (route::direct(host, port, idle, &target.manner.dialing).await, "host"),
        Way::Proxy(proxy) => (route::by_proxy(proxy, host, port, idle).await, "proxy"),
        Way::Shell(command) => (route::by_shell(command), "proxy"),
        Way::Through(connection) => {
            let opened = connection.way(host, port).await;
            let boxed = opened.map(|stream| Box::new(stream) as Box<dyn Duplex>);
            let what = |error: ConnectError| match error {
                ConnectError::Beyond { what, .. } => what,
                other => other.to_string(),
            };
            (boxed.map_err(|error| Closed { by: format!("`{}`", connection.device()), what: what(error) }), "via")
        }
    };
    stream.map_err(|Closed { by, what }| match by.is_empty() {
        true => ConnectError::unreachable(target, &what),
        false => ConnectError::Way { device: target.device.clone(), host: host.to_owned(), port, by, what, key },
    })
}

/// Connects, logs in and opens a terminal session.
///
/// # Errors
///
/// The step that failed.
pub async fn open(target: &Target) -> Result<super::Line, ConnectError> {
    Connection::open(target).await?.terminal(target).await
}
