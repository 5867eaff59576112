//! The user's agent, lent to a device whose configuration says so: what the device asks is carried to it, bound to this connection.

use std::path::PathBuf;

use russh::Channel;
use russh::client::Msg;
use russh::keys::agent::AgentSessionBinding;
use russh::keys::agent::client::AgentClient;
use tokio::io::copy_bidirectional;

/// The agent, and the connection that it is lent over.
#[derive(Debug, Clone)]
pub(super) struct Lent {
    pub(super) socket: PathBuf,
    pub(super) binding: AgentSessionBinding,
}

/// Carries one conversation. An agent that cannot bind it to this connection is not asked at all: keys for certain destinations would
/// lose their bounds.
pub(super) async fn carry(lent: Lent, channel: Channel<Msg>) {
    let Ok(mut agent) = AgentClient::connect_uds(&lent.socket).await else { return };
    if agent.bind_session(&lent.binding, true).await.is_err() {
        crate::diagnostics::warn(&format!(
            "the agent `{}` cannot bind what it signs to a connection; it is not lent",
            lent.socket.display()
        ));
        return;
    }
    let mut agent = agent.into_inner();
    // Either end may go first.
    let _ = copy_bidirectional(&mut channel.into_stream(), &mut agent).await;
}
