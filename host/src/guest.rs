//! Guests of sessions: people at terminals and browsers, who watch, type, lock, decide.
//!
//! They have a thread of their own: however many watch, the sessions go on as fast as without them. A session that is watched has one
//! [`stage`], which everybody who watches it shares.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::OnceCell;

use self::stage::Stage;
use crate::account;
use crate::directory::Directory;
use crate::ids::SessionId;
use crate::viewer::Viewer;

mod browsers;
mod errand;
mod list;
mod stage;
mod turn;
mod visit;
pub mod wire;
pub mod words;

/// Somebody who comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The person's name.
    pub name: String,
    /// By what, as others see it: `attach`, `watch`, `run`, or `viewer` and which browser.
    pub by: String,
    /// The account of the program at a terminal, as the system tells; none for a browser.
    pub uid: Option<u32>,
    /// May type, lock, decide; else only looks.
    pub may_type: bool,
}

/// All guests of a process.
#[derive(Debug)]
pub struct Guests {
    directory: Arc<Directory>,
    stages: Mutex<BTreeMap<SessionId, Arc<Stage>>>,
    /// One stage is set up at a time.
    entering: tokio::sync::Mutex<()>,
    count: AtomicUsize,
    /// Whose account this is.
    person: String,
    viewer: OnceCell<Viewer>,
    /// Where the sessions' tasks run.
    home: Handle,
    own: Own,
}

/// The guests' runtime. It may be dropped anywhere.
#[derive(Debug)]
struct Own(Option<Runtime>);

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Guests {
    /// Opens the house. `home` is the runtime of the sessions.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn start(directory: Arc<Directory>, home: Handle) -> io::Result<Arc<Self>> {
        let own = Builder::new_multi_thread().worker_threads(1).thread_name("guests").enable_all().build()?;
        let (stages, entering, count) = (Mutex::default(), tokio::sync::Mutex::default(), AtomicUsize::new(0));
        let (person, viewer) = (account::name(), OnceCell::new());
        Ok(Arc::new(Self { directory, stages, entering, count, person, viewer, home, own: Own(Some(own)) }))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Their runtime.
    #[must_use]
    pub fn runtime(&self) -> Option<&Handle> {
        self.own.0.as_ref().map(Runtime::handle)
    }

    fn stages(&self) -> MutexGuard<'_, BTreeMap<SessionId, Arc<Stage>>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves a guest until it goes. What it says and is told are lines ([`wire`]).
pub async fn serve<R, W>(guests: &Arc<Guests>, guest: Guest, read: R, write: W)
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let Some(runtime) = guests.runtime() else { return };
    guests.count.fetch_add(1, Ordering::Relaxed);
    // A panic there ends this visit alone.
    let _ = runtime.spawn(visit::visit(Arc::clone(guests), guest, read, write)).await;
    guests.count.fetch_sub(1, Ordering::Relaxed);
}
