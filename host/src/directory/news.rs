//! What those hear who hold lists of the directory: that the configuration in force or the set of sessions is another one now.

use tokio::sync::watch;

/// Two bells. Whoever listens looks for himself what is new, so nothing queues up behind a slow listener.
#[derive(Debug, Default)]
pub struct News {
    world: watch::Sender<()>,
    sessions: watch::Sender<()>,
}

impl News {
    /// Rings when another configuration is in force.
    #[must_use]
    pub fn world(&self) -> watch::Receiver<()> {
        self.world.subscribe()
    }

    /// Rings when a session was opened or closed, or a forward was lost or came back.
    #[must_use]
    pub fn sessions(&self) -> watch::Receiver<()> {
        self.sessions.subscribe()
    }

    pub(super) fn of_world(&self) {
        self.world.send_replace(());
    }

    pub(crate) fn of_sessions(&self) {
        self.sessions.send_replace(());
    }
}
