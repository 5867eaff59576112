//! The sessions in a browser: a small server on the loopback interface.
//!
//! A link with a one-time token logs a browser in ([`keys`]). From then on its page talks over a WebSocket to whoever holds the
//! sessions, in the words of [`crate::guest::wire`]; the viewer only carries them ([`relay`]) and keeps a browser that may not type
//! from doing so. Other accounts of the machine get nothing, whatever they have come by ([`peer`]); requests that a foreign page could
//! have caused are refused before anything else is looked at ([`guard`]). All of the page's files are in the program ([`assets`]).

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::keys::Keys;
use crate::ids::in_address;
use crate::limits::VIEWER_SOCKETS_MAX;
use crate::private::own_user;

mod assets;
mod door;
mod guard;
mod keys;
mod pages;
mod peer;
pub mod recordings;
mod relay;

/// A browser that comes to the sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The name by which others see it: `browser 1`.
    pub name: String,
    /// `viewer`, as others see it.
    pub by: &'static str,
    /// May type, lock, decide; else it only looks. The viewer passes nothing else on from such a guest.
    pub may_type: bool,
}

/// A recording in the list.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RecordingInfo {
    /// Its file's name.
    pub name: String,
    /// What it is of.
    pub title: String,
    /// Its session's name, where it is known.
    pub session: String,
    /// When it began, in seconds of Unix time.
    pub began_s: u64,
    /// Seconds to its last event, if it has one.
    pub length_s: f64,
    /// Bytes of its file.
    pub bytes: u64,
    /// It is still written.
    pub is_open: bool,
}

/// Who holds the sessions.
pub trait House: Send + Sync + 'static {
    /// Serves a guest in a task of its own, which ends with the stream: JSON lines of [`crate::guest::wire`] both ways. The stream
    /// takes no more bytes while the browser is slow.
    fn serve_guest(&self, guest: Guest, stream: DuplexStream);

    /// The recordings, newest first. It may read files.
    fn recordings(&self) -> Vec<RecordingInfo>;

    /// Where the recording of this name is. The viewer has made sure that the name is one of a file, without a path.
    ///
    /// # Errors
    ///
    /// A sentence, when there is none.
    fn recording(&self, name: &str) -> Result<PathBuf, String>;
}

/// The server. It stops when it is dropped, and every browser's connection ends.
pub struct Viewer {
    shared: Arc<Shared>,
    _stop: DropGuard,
}

/// What all requests share.
struct Shared {
    address: SocketAddr,
    /// Whose it is, where the system tells that.
    account: Option<u32>,
    house: Arc<dyn House>,
    /// Held for moments only.
    keys: Mutex<Keys>,
    sockets: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Viewer {
    /// Begins to serve at a loopback address; port 0 stands for a free one.
    ///
    /// # Errors
    ///
    /// A sentence, when the address is another one, or cannot be had.
    pub async fn start(address: SocketAddr, house: Arc<dyn House>) -> Result<Self, String> {
        Self::start_for(own_user().ok(), address, house).await
    }

    async fn start_for(account: Option<u32>, address: SocketAddr, house: Arc<dyn House>) -> Result<Self, String> {
        if !address.ip().is_loopback() {
            return Err(format!(
                "the viewer listens on this machine alone, not at `{address}`; use 127.0.0.1 or [::1], and a tunnel of SSH \
                 from elsewhere"
            ));
        }
        let cannot =
            |error: std::io::Error| format!("the viewer cannot listen at `{address}`: {error}; choose another port, or 0 for a free one");
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let stop = CancellationToken::new();
        let sockets = Arc::new(Semaphore::new(VIEWER_SOCKETS_MAX));
        let shared = Arc::new(Shared { address, account, house, keys: Mutex::default(), sockets, stop: stop.clone() });
        tokio::spawn(door::serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// A link that logs one browser in, once, within five minutes. Whoever has it may act as the person: it is for the person's
    /// eyes, never for an agent's.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes.
    pub fn link(&self, may_type: bool) -> Result<String, String> {
        let token = self.shared.keys().add_link(may_type, std::time::Instant::now())?;
        Ok(format!("http://{}/login?token={token}", self.shared.address))
    }

    /// The page of a session, for browsers that are logged in. It opens nothing to anybody else, so that agents may know it.
    #[must_use]
    pub fn session_address(&self, session: &str) -> String {
        format!("http://{}/{}", self.shared.address, page_of(session))
    }
}

/// The page of a session, behind the viewer's address or a link.
#[must_use]
pub fn page_of(session: &str) -> String {
    format!("#/session/{}", in_address(session))
}

impl fmt::Debug for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Viewer").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

impl Shared {
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
