//! Where a server of sessions is connected to: a socket for this account alone, and what comes of each connection.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::io::BufReader;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

use super::hello::{AGENT_VARIABLE, Greeting, Hello, PROTOCOL, VERSION, Variables, Want, line, say};
use super::{control, within};
use crate::directory::Directory;
use crate::guest::{self, Guests};
use crate::limits::{ACCEPT_PAUSE, DAEMON_CLIENTS_MAX, HELLO_MAX};
use crate::private::own_user;
use crate::renewal::Renewer;
use crate::secret::given;
use crate::{mcp, startup};

/// What a server's connections are about.
#[derive(Debug)]
pub struct House {
    /// Its sessions.
    pub directory: Arc<Directory>,
    /// Reads its configuration again.
    pub renewer: Arc<Renewer>,
    /// Those who watch its sessions.
    pub guests: Arc<Guests>,
    /// What the process before it lost.
    pub lost: Option<String>,
    /// Holds sessions for whoever comes, as opposed to those of one client.
    pub is_daemon: bool,
    /// When it started.
    pub since: Instant,
    /// Somebody wants it to end.
    pub stop: Notify,
    /// Clients of the protocol.
    pub clients: AtomicUsize,
    /// When the last of them, or a session, was seen.
    room: Semaphore,
}

impl House {
    /// A server of these sessions.
    #[must_use]
    pub fn new(directory: Arc<Directory>, renewer: Arc<Renewer>, guests: Arc<Guests>, lost: Option<String>, is_daemon: bool) -> Self {
        Self {
            directory,
            renewer,
            guests,
            lost,
            is_daemon,
            since: Instant::now(),
            stop: Notify::new(),
            clients: AtomicUsize::new(0),
            room: Semaphore::new(DAEMON_CLIENTS_MAX),
        }
    }

    /// Connections that are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        DAEMON_CLIENTS_MAX - self.room.available_permits()
    }
}

/// A socket that is there as long as the server is.
#[derive(Debug)]
pub struct Gate {
    path: PathBuf,
    /// Which file it is, whatever its name.
    identity: (u64, u64),
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Where the folder was removed under this process, another one may listen there by now.
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            // The next one that looks finds nobody behind it and removes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

impl Gate {
    /// Listens under this name, and serves as long as the runtime lives. What another process left there is removed: the caller
    /// knows that it has gone.
    ///
    /// # Errors
    ///
    /// When there is no place for it.
    pub fn open(house: Arc<House>, name: &str) -> io::Result<Self> {
        let folder = startup::run_folder()?;
        let path = folder.join(name);
        let _ = fs::remove_file(&path);
        let listener = within(&folder, name, |path| UnixListener::bind(path))?;
        // The folder is closed to others already.
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let identity = identity(&path)?;
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) if is_own(&stream) => drop(tokio::spawn(receive(stream, Arc::clone(&house)))),
                    Ok(_) => {}
                    // The process has no file left, or the client has gone already: the next one finds it as before.
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            }
        });
        Ok(Self { path, identity })
    }
}

fn is_own(stream: &UnixStream) -> bool {
    matches!((stream.peer_cred(), own_user()), (Ok(peer), Ok(own)) if peer.uid() == own)
}

async fn receive(stream: UnixStream, house: Arc<House>) {
    let uid = stream.peer_cred().map(|peer| peer.uid()).unwrap_or_default();
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let Ok(Ok(said)) = timeout(HELLO_MAX, line(&mut read)).await else { return };
    let mut greeting = Greeting { jackfield: VERSION.to_owned(), protocol: PROTOCOL, process: std::process::id(), ..Greeting::default() };
    let hello = match serde_json::from_str::<Hello>(&said) {
        Ok(hello) if hello.protocol == PROTOCOL => hello,
        // Who speaks another version reads as much of the answer.
        _ => return drop(say(&mut write, &greeting.line()).await),
    };
    let Ok(_room) = house.room.try_acquire() else {
        greeting.refused = Some(format!("{DAEMON_CLIENTS_MAX} clients are connected to jackfield already; close some"));
        return drop(say(&mut write, &greeting.line()).await);
    };
    match hello.want {
        Want::Mcp => {
            greeting.variables = variables(&house.directory);
            greeting.lost.clone_from(&house.lost);
            if say(&mut write, &greeting.line()).await.is_err() {
                return;
            }
            let Ok(Ok(said)) = timeout(HELLO_MAX, line(&mut read)).await else { return };
            let Ok(given) = serde_json::from_str::<Variables>(&said) else { return };
            given::take(given.into_iter().map(|(name, value)| (name, value.into())));
            drop(said);
            house.clients.fetch_add(1, Ordering::Relaxed);
            // On the heap: it is large.
            let serving = Box::pin(mcp::serve(Arc::clone(&house.directory), read, write));
            if let Err(error) = serving.await {
                crate::diagnostics::warn(&format!("a client's connection has ended: {error}"));
            }
            house.clients.fetch_sub(1, Ordering::Relaxed);
        }
        Want::Guest { name, by, may_type } => {
            greeting.variables = variables(&house.directory);
            if say(&mut write, &greeting.line()).await.is_ok() {
                guest::serve(&house.guests, guest::Guest { name, by, uid: Some(uid), may_type }, read, write).await;
            }
        }
        Want::Control => {
            if say(&mut write, &greeting.line()).await.is_ok() {
                control::answer(read, write, uid, &house).await;
            }
        }
    }
}

/// The environment variables that the configuration refers to.
fn variables(directory: &Arc<Directory>) -> Vec<String> {
    let world = directory.world();
    let mut names: Vec<String> = world.config.variables().into_iter().collect();
    names.push(AGENT_VARIABLE.to_owned());
    names.sort();
    names.dedup();
    names
}
