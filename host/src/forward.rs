//! Forwards: connections that go through a device, counted, listed, and closed with their session.
//!
//! A local forward listens here and comes out at the device; a SOCKS one lets each connection say where to; a remote one listens at
//! the device and comes out here. They have a connection of their own, so that their bytes hold up no key.

use std::sync::Arc;

use crate::config::ForwardSettings;
use crate::directory::Directory;
use crate::session::{Phase, SessionHandle};

mod allowed;
mod local;
pub mod registry;
mod relay;
mod remote;
mod socks;

pub use self::allowed::decide;
pub use self::registry::{Counts, End, Forward, Forwards, Kind, Wanted};

/// Opens one on a session's device. It is there when this returns.
///
/// # Errors
///
/// Why it cannot be.
pub async fn open(directory: &Arc<Directory>, session: &SessionHandle, caller: &str, wanted: Wanted) -> Result<Forward, String> {
    directory.forwards().has_room()?;
    let counts = Arc::new(Counts::default());
    let through = Through { directory: Arc::clone(directory), device: session.id.device.clone(), counts: Arc::clone(&counts) };
    let (wanted, work) = match wanted.kind {
        Kind::Local | Kind::Socks => local::listen(through, wanted).await?,
        Kind::Remote => remote::listen(through, wanted).await?,
    };
    let handle = session.clone();
    let task = tokio::spawn(async move {
        // Closed with its session, whatever it does.
        tokio::select! {
            () = work => {}
            () = handle.until(|status| matches!(status.phase, Phase::Closed(_))) => {}
        }
    });
    Ok(directory.forwards().add(session.id.to_string(), caller, wanted, counts, task.abort_handle()))
}

/// What serves a forward as long as it is polled.
type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// What carries a forward's connections.
#[derive(Debug, Clone)]
struct Through {
    directory: Arc<Directory>,
    device: String,
    counts: Arc<Counts>,
}

impl Through {
    /// What the operator allows now.
    fn settings(&self) -> ForwardSettings {
        self.directory.world().config.forward.clone()
    }

    /// The device's connection for bytes.
    async fn connection(&self) -> Result<crate::transport::ssh::Connection, String> {
        self.directory.bulk(&self.device).await.map_err(|error| error.to_string())
    }
}
