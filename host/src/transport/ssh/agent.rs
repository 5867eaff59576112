//! The user's agent, lent to a device whose configuration says so: what the device asks is carried to it, bound to this connection.

use std::path::PathBuf;
use std::sync::Arc;

use russh::keys::agent::AgentSessionBinding;
use russh::keys::agent::client::AgentClient;
use tokio::io::copy_bidirectional;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Stream;
use super::channel::Opened;
use crate::limits::{CONNECT_MAX, LENT_AT_ONCE_MAX};

/// The agent, and the connection that it is lent over.
#[derive(Debug, Clone)]
pub(super) struct Lent {
    /// As at login, the first one that somebody listens at counts.
    sockets: Vec<PathBuf>,
    binding: AgentSessionBinding,
    places: Arc<Semaphore>,
}

impl Lent {
    pub(super) fn new(sockets: Vec<PathBuf>, binding: AgentSessionBinding) -> Self {
        Self { sockets, binding, places: Arc::new(Semaphore::new(LENT_AT_ONCE_MAX)) }
    }

    /// A place for one more conversation, if there is one.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// The agent, bound to the connection.
    async fn agent(&self) -> Result<AgentClient<UnixStream>, String> {
        for socket in &self.sockets {
            let Ok(mut agent) = AgentClient::connect_uds(socket).await else { continue };
            let bound = agent.bind_session(&self.binding, true).await;
            let unbound = |_| format!("the agent `{}` cannot bind what it signs to a connection; it is not lent", socket.display());
            return bound.map(|()| agent).map_err(unbound);
        }
        Err("an agent was to be lent, and none is there any more".to_owned())
    }
}

/// Carries one conversation. An agent that cannot bind it to this connection is not asked at all: keys for certain destinations would
/// lose their bounds.
pub(super) async fn carry(lent: Lent, opened: Opened, _place: OwnedSemaphorePermit) {
    // It ends with the connection: a device that asks and asks does not keep one that nobody uses.
    let mut stream = Stream::new(opened, None);
    let late = |_| Err("the agent that is to be lent does not answer".to_owned());
    match timeout(CONNECT_MAX, lent.agent()).await.unwrap_or_else(late) {
        Ok(agent) => {
            // Either end may go first.
            let _ = copy_bidirectional(&mut stream, &mut agent.into_inner()).await;
        }
        Err(why) => crate::diagnostics::warn(&why),
    }
}
