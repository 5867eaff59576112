//! The lab: one SSH server on loopback that plays devices, for demonstrations and tests.
//!
//! What a device says is data (`lab/description.rs`); this code knows no device. The login name chooses the device, the port is
//! chosen by the system, the host key is new for each lab. Two kinds of devices exist:
//!
//! * a *script*: prompts, modes, pages, questions and faults from the description, played by a pure machine (`lab/device.rs`);
//! * a *local program*, for example a real shell in a terminal of its own, with a private home directory that goes with the lab.
//!   Commands there run as the person who started the lab, so its password is random unless the description gives one. Tools that need
//!   another user are small scripts of the description: a `sudo` there asks and refuses like the real one, but root is only shown, never had.

mod description;
mod device;
mod editor;
mod faults;
mod home;
mod journal;
mod keys;
mod limits;
mod lines;
mod login;
mod program;
mod server;
mod session;
mod spec;
mod text;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::Config;
use russh::{Disconnect, MethodKind, MethodSet, SshId};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use self::description::Description;
pub use self::device::{Entry, MESSAGE};
pub use self::faults::{Faults, NAMED as NAMED_FAULTS};
use self::home::Home;
use self::journal::Journal;
pub use self::journal::JournalEntry;
use self::limits::{AUTH_ATTEMPTS_MAX, AUTH_REJECTION, CONNECTIONS_MAX, DEVICES_MAX, IDLE, SHUTDOWN_WAIT};
use self::server::{Client, Seat, Shared};

/// Bytes of randomness in a password.
const PASSWORD_BYTES: usize = 16;

/// How a lab is started. The default suits most.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Port, 0 = one that is free.
    pub port: u16,
    /// Makes the host key the same each time; a random one unless given.
    pub host_key_seed: Option<[u8; 32]>,
    /// Faults of all devices, in place of those of their descriptions.
    pub faults: Option<Faults>,
}

/// A running lab. Call [`Lab::shutdown`] to end it in good order; dropping it ends it at once.
#[derive(Debug)]
pub struct Lab {
    shared: Arc<Shared>,
    host_key: String,
    listener: JoinHandle<()>,
}

/// What a client needs to log in to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The device's name.
    pub name: String,
    /// Login name.
    pub user: String,
    /// Device type of the configuration.
    pub device_type: String,
    /// One line for people.
    pub title: String,
    /// Login password.
    pub password: String,
    /// Values that the device asks for later, by name.
    pub secrets: BTreeMap<String, String>,
}

/// Why a lab cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A description is wrong.
    #[error("device description `{name}`, line {line}: {message}")]
    Description {
        /// The description.
        name: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what was expected.
        message: String,
    },
    /// Two devices have the same login name.
    #[error("two devices of the lab have the login name `{0}`")]
    Duplicate(String),
    /// More devices than the bound.
    #[error("a lab has at most {DEVICES_MAX} devices")]
    TooMany,
    /// No port.
    #[error("the lab cannot listen on loopback: {0}")]
    Listen(#[source] io::Error),
    /// No home directory for a local program.
    #[error("the lab cannot make a private folder: {0}")]
    Home(#[source] io::Error),
    /// No randomness for keys and passwords.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// The host key has no text form.
    #[error("the lab's host key cannot be written: {0}")]
    HostKey(#[from] russh::keys::ssh_key::Error),
}

impl Lab {
    /// Starts the server with these devices. Needs a tokio runtime with time and network.
    ///
    /// # Errors
    /// When two devices share a login name, or the system refuses a port, a folder or random numbers.
    pub fn start(descriptions: Vec<Description>, options: Options) -> Result<Self, LabError> {
        let seats = seats(descriptions, &options)?;
        let seed = options.host_key_seed.map_or_else(random, Ok)?;
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
        let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(LabError::Listen)?;
        socket.set_nonblocking(true).map_err(LabError::Listen)?;
        let socket = TcpListener::from_std(socket).map_err(LabError::Listen)?;
        let port = socket.local_addr().map_err(LabError::Listen)?.port();
        let host_key = format!("[{}]:{port} {}", Ipv4Addr::LOCALHOST, key.public_key().to_openssh()?.trim_end());
        let config = Arc::new(config(key, server_id(&seats)));
        let shared =
            Arc::new(Shared { seats, port, journal: Journal::start(), sessions: AtomicU64::new(0), cancel: CancellationToken::new() });
        let listener = tokio::spawn(listen(socket, config, shared.clone()));
        Ok(Self { shared, host_key, listener })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// The server's key as a `known_hosts` line, without line end.
    pub fn host_key_line(&self) -> &str {
        &self.host_key
    }

    /// All devices and how to log in to them.
    pub fn devices(&self) -> Vec<DeviceInfo> {
        let info = |seat: &Arc<Seat>| DeviceInfo {
            name: seat.description.name().to_owned(),
            user: seat.description.user().to_owned(),
            device_type: seat.description.device_type().to_owned(),
            title: seat.description.script.spec.title.clone(),
            password: seat.password.clone(),
            secrets: seat.description.script.spec.secrets.clone(),
        };
        self.shared.seats.iter().map(info).collect()
    }

    /// What the scripted devices were told so far: commands, answers, pager keys. Only the newest entries are kept.
    pub async fn journal(&self) -> Vec<JournalEntry> {
        self.shared.journal.read().await
    }

    /// Ends all sessions and connections and removes the private folders.
    pub async fn shutdown(mut self) {
        self.shared.cancel.cancel();
        // The listener ends by itself after its connections; one that does not is cut off by the drop.
        let _slow = timeout(SHUTDOWN_WAIT * 2, &mut self.listener).await;
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.shared.cancel.cancel();
        self.listener.abort();
    }
}

fn seats(descriptions: Vec<Description>, options: &Options) -> Result<Vec<Arc<Seat>>, LabError> {
    if descriptions.len() > DEVICES_MAX {
        return Err(LabError::TooMany);
    }
    let mut seats: Vec<Arc<Seat>> = Vec::new();
    for description in descriptions {
        if seats.iter().any(|seat| seat.description.user() == description.user()) {
            return Err(LabError::Duplicate(description.user().to_owned()));
        }
        let description = match options.faults {
            Some(faults) => description.with_faults(faults),
            None => description,
        };
        let password = description.password.clone().map_or_else(password, Ok)?;
        let home = Home::make(&description)?;
        seats.push(Arc::new(Seat { description, password, home }));
    }
    Ok(seats)
}

fn random<const N: usize>() -> Result<[u8; N], LabError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(LabError::Random)?;
    Ok(bytes)
}

fn password() -> Result<String, LabError> {
    let bytes: [u8; PASSWORD_BYTES] = random()?;
    Ok(crate::hex::digits(&bytes))
}

/// How the server names itself, which it has to before it knows what device is wanted: as its devices do if they agree.
fn server_id(seats: &[Arc<Seat>]) -> String {
    let mut own = seats.iter().map(|seat| seat.description.script.spec.server_id.as_deref());
    let first = own.next().flatten();
    first.filter(|first| own.all(|other| other == Some(*first))).unwrap_or("SSH-2.0-lab").to_owned()
}

fn config(key: PrivateKey, server_id: String) -> Config {
    Config {
        server_id: SshId::Standard(server_id.into()),
        methods: MethodSet::from([MethodKind::Password, MethodKind::KeyboardInteractive].as_slice()),
        auth_rejection_time: AUTH_REJECTION,
        auth_rejection_time_initial: Some(std::time::Duration::ZERO),
        keys: vec![key],
        max_auth_attempts: AUTH_ATTEMPTS_MAX,
        inactivity_timeout: Some(IDLE),
        // Pieces must leave one by one, or small ones would be joined again.
        nodelay: true,
        ..Config::default()
    }
}

/// Takes connections until the lab ends, then waits for them.
async fn listen(socket: TcpListener, config: Arc<Config>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = shared.cancel.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) if connections.len() < CONNECTIONS_MAX => {
                connections.spawn(serve(stream, config.clone(), shared.clone()));
            }
            Ok(_) => {}
            // For example too many open files: wait for one to close.
            Err(_) => tokio::time::sleep(AUTH_REJECTION).await,
        }
    }
    let _slow = timeout(SHUTDOWN_WAIT, async { while connections.join_next().await.is_some() {} }).await;
    connections.shutdown().await;
}

/// One connection until it or the lab ends. Why it ended is the client's business.
async fn serve(stream: TcpStream, config: Arc<Config>, shared: Arc<Shared>) {
    let _slower = stream.set_nodelay(config.nodelay);
    let cancel = shared.cancel.clone();
    let connection = tokio::select! {
        connection = russh::server::run_stream(config, stream, Client::new(shared)) => connection,
        () = cancel.cancelled() => return,
    };
    let Ok(mut connection) = connection else { return };
    let handle = connection.handle();
    tokio::select! {
        _ended = &mut connection => return,
        () = cancel.cancelled() => {}
    }
    let _gone = handle.disconnect(Disconnect::ByApplication, "the lab ends".to_owned(), String::new()).await;
    let _ended = timeout(SHUTDOWN_WAIT, connection).await;
}
