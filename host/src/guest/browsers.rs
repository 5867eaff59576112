//! Browsers as guests: the viewer is started when the first link is wanted.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::DuplexStream;

use super::{Guests, serve};
use crate::viewer::{self, House, RecordingInfo, Viewer, recordings};

/// How others see somebody in a browser.
const BY: &str = "viewer";

/// The sessions for the viewer.
struct Browsers(Arc<Guests>);

impl House for Browsers {
    fn serve_guest(&self, guest: viewer::Guest, stream: DuplexStream) {
        let guests = Arc::clone(&self.0);
        let Some(runtime) = self.0.runtime() else { return };
        // The account is the person; which of its browsers, others see beside it.
        let by = format!("{BY}, {}", guest.name);
        let guest = super::Guest { name: guests.person.clone(), by, uid: None, may_type: guest.may_type };
        runtime.spawn(async move {
            let (read, write) = tokio::io::split(stream);
            serve(&guests, guest, read, write).await;
        });
    }

    fn recordings(&self) -> Vec<RecordingInfo> {
        self.0.directory.casts().folder().map(recordings::list).unwrap_or_default()
    }

    fn recording(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.0.directory.casts().folder().ok_or("no session is recorded: [audit] recordings = true has them recorded")?;
        recordings::path(folder, name)
    }
}

impl Guests {
    /// A link that logs a browser in, once. The viewer is started for the first one; its port is free or this one.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn link(self: &Arc<Self>, may_type: bool, port: u16) -> Result<String, String> {
        let viewer = self.viewer.get_or_try_init(|| self.start_viewer(port)).await?;
        if port != 0 && viewer.address().port() != port {
            return Err(format!("the viewer listens at {} already; leave --port out", viewer.address()));
        }
        viewer.link(may_type)
    }

    async fn start_viewer(self: &Arc<Self>, port: u16) -> Result<Viewer, String> {
        let runtime = self.runtime().ok_or("the process ends")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let house: Arc<dyn House> = Arc::new(Browsers(Arc::clone(self)));
        let viewer = runtime.spawn(Viewer::start(address, house)).await.map_err(|error| error.to_string())??;
        self.directory.set_viewer(&viewer.session_address(""));
        Ok(viewer)
    }
}
