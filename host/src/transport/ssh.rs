//! A shell channel over SSH: connect, check the host key, log in, ask for a terminal. Each step has its time and its error.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate, ssh_key};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, MethodKind, Preferred};
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::host_key::{HostKeyError, KnownHosts};
use super::server_id::{Noted, ServerId};
use super::{Line, LineEvent, Order, Reader, Writer, host_key, write_all};
use crate::limits::{CLOSE_MAX, CONNECT_MAX, KEEPALIVE, KEEPALIVES_MISSED_MAX};
use crate::policy::approved::Program;
use crate::secret::Secret;

/// Bytes read from the network at a time: two of the largest packets.
const READ_BYTES: usize = 64 * 1024;

/// Where to connect and as whom.
pub struct Target {
    /// The device's name in the configuration.
    pub device: String,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The account's name.
    pub user: String,
    /// What is added to it on the wire.
    pub login_suffix: String,
    /// Key files, in the order to try.
    pub keys: Vec<KeyFile>,
    /// The passphrase of the keys.
    pub passphrase: Option<Secret>,
    /// The password.
    pub password: Option<Secret>,
    /// The agent's socket.
    pub agent: Option<PathBuf>,
    /// `known_hosts` files.
    pub known_hosts: Vec<PathBuf>,
    /// Time between keepalives.
    pub keepalive: Option<std::time::Duration>,
    /// Offer old algorithms too: an explicit choice of the operator.
    pub legacy: bool,
    /// Much will go over it: ciphers that the processor has instructions for come first.
    pub bulk: bool,
    /// `TERM`.
    pub terminal: String,
    /// Columns and rows.
    pub size: (u16, u16),
}

/// A private key on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Its file.
    pub path: PathBuf,
    /// Nobody named it: that it cannot be used is no error.
    pub optional: bool,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { device, host, port, user, .. } = self;
        f.debug_struct("Target").field("device", device).field("address", &format!("{user}@{host}:{port}")).finish_non_exhaustive()
    }
}

/// Why there is no line. Each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing answers at the address.
    #[error("cannot reach `{device}` at {host}:{port}: {what}; check `host` and `port` in [device.{device}], and that the device is up")]
    Unreachable {
        /// The device.
        device: String,
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// What the system said.
        what: String,
    },
    /// A step took too long.
    #[error("`{device}` at {host}:{port} did not finish the {step} within {} s; try again, or check the way to it", CONNECT_MAX.as_secs())]
    Timeout {
        /// The device.
        device: String,
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// Which step.
        step: &'static str,
    },
    /// The key exchange failed.
    #[error("SSH with `{device}` failed: {what}")]
    Protocol {
        /// The device.
        device: String,
        /// What the library said.
        what: String,
    },
    /// The host key is not trusted.
    #[error("{0}")]
    HostKey(Box<HostKeyError>),
    /// The known hosts cannot be read.
    #[error("{0}")]
    KnownHosts(host_key::LoadError),
    /// The key file cannot be used.
    #[error(
        "cannot use key `{path}` of `{device}`: {what}; check `key` in [device.{device}], or load the key into your agent with `ssh-add`"
    )]
    Key {
        /// The device.
        device: String,
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// No way to log in was accepted.
    #[error(
        "`{user}` cannot log in to `{device}`: {tried}; the server takes {offered}; check `user`, `key` and `password` in [device.{device}]"
    )]
    Refused {
        /// The device.
        device: String,
        /// The account.
        user: String,
        /// What was tried.
        tried: String,
        /// What the server would take.
        offered: String,
    },
    /// No terminal, no shell.
    #[error("`{device}` gives no terminal session: {what}; it may allow a limited number of sessions, close another one first")]
    Channel {
        /// The device.
        device: String,
        /// What it said.
        what: String,
    },
}

/// What the connection told beside data.
#[derive(Debug, Default)]
struct Heard {
    refused: Option<Box<HostKeyError>>,
    server_id: ServerId,
    host_key: String,
    banner: String,
    end: Option<String>,
}

#[derive(Debug, Clone)]
struct Handler {
    device: String,
    host: String,
    port: u16,
    known: Arc<KnownHosts>,
    heard: Arc<Mutex<Heard>>,
}

impl Handler {
    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl client::Handler for Handler {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        let verdict = self.known.verify(&self.device, &self.host, self.port, key);
        let mut heard = self.heard();
        heard.host_key = format!("{} {}", key.algorithm(), host_key::fingerprint(key));
        match verdict {
            Ok(()) => Ok(true),
            Err(refused) => {
                heard.refused = Some(refused);
                Ok(false)
            }
        }
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut client::Session) -> Result<(), Self::Error> {
        let room = crate::limits::VIEW_TAIL_MAX_BYTES.saturating_sub(self.heard().banner.len());
        self.heard().banner.push_str(crate::terminal::text::first_bytes(banner, room));
        Ok(())
    }

    async fn disconnected(&mut self, reason: client::DisconnectReason<Self::Error>) -> Result<(), Self::Error> {
        let text = match &reason {
            client::DisconnectReason::ReceivedDisconnect(info) => format!("the device ended the connection: {}", info.message),
            client::DisconnectReason::Error(error) => format!("the connection broke: {error}"),
        };
        self.heard().end = Some(text);
        match reason {
            client::DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            client::DisconnectReason::Error(error) => Err(error),
        }
    }
}

/// A connection that is logged in. Its channels are lines; it ends with the last of them and itself.
#[derive(Clone)]
pub struct Connection {
    handle: Arc<Handle<Handler>>,
    heard: Arc<Mutex<Heard>>,
    device: String,
    warnings: Vec<String>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("device", &self.device).finish_non_exhaustive()
    }
}

/// A connection whose host key was checked and to which nobody has logged in yet.
pub struct Greeting {
    handle: Handle<Handler>,
    heard: Arc<Mutex<Heard>>,
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
        let known = Arc::new(KnownHosts::load(&target.known_hosts).map_err(ConnectError::KnownHosts)?);
        let handler = Handler {
            device: target.device.clone(),
            host: target.host.clone(),
            port: target.port,
            known: Arc::clone(&known),
            heard: Arc::default(),
        };
        let heard = Arc::clone(&handler.heard);
        let handle = connect(target, &known, handler).await?;
        Ok(Self { handle, heard, warnings: known.warnings().to_vec() })
    }

    /// What the server says of itself.
    #[must_use]
    pub fn server_id(&self) -> String {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).server_id.get().cloned().unwrap_or_default()
    }

    /// Logs in.
    ///
    /// # Errors
    ///
    /// Why no way to log in was accepted.
    pub async fn login(mut self, target: &Target) -> Result<Connection, ConnectError> {
        step(target, "login", login(target, &mut self.handle)).await?;
        Ok(Connection { handle: Arc::new(self.handle), heard: self.heard, device: target.device.clone(), warnings: self.warnings })
    }
}

impl Connection {
    /// Connects and logs in.
    ///
    /// # Errors
    ///
    /// The step that failed.
    pub async fn open(target: &Target) -> Result<Self, ConnectError> {
        Greeting::open(target).await?.login(target).await
    }

    /// A terminal with a login shell.
    ///
    /// # Errors
    ///
    /// When the device gives none.
    pub async fn terminal(&self, target: &Target) -> Result<Line, ConnectError> {
        let channel = step(target, "session request", shell(target, &self.handle)).await?;
        Ok(self.line(channel))
    }

    /// A program on a channel without a terminal (RFC 4254 section 6.5).
    ///
    /// # Errors
    ///
    /// When the device does not start it.
    pub async fn program(&self, program: &Program) -> Result<Line, ConnectError> {
        let failed = |what: String| ConnectError::Channel { device: self.device.clone(), what };
        let opening = async {
            let mut channel = self.handle.channel_open_session().await.map_err(|error| failed(error.to_string()))?;
            channel.exec(true, program.text()).await.map_err(|error| failed(error.to_string()))?;
            answered(&mut channel, "a program").await.map_err(failed)?;
            Ok(channel.split())
        };
        let late = || failed(format!("no answer within {} s", CONNECT_MAX.as_secs()));
        Ok(self.line(timeout(CONNECT_MAX, opening).await.unwrap_or_else(|_| Err(late()))?))
    }

    /// A subsystem, for example `sftp` (RFC 4254 section 6.5), as a stream. The connection must be kept as long as the stream.
    ///
    /// # Errors
    ///
    /// When the device does not start it.
    pub async fn subsystem(&self, name: &str) -> Result<russh::ChannelStream<client::Msg>, ConnectError> {
        let failed = |what: String| ConnectError::Channel { device: self.device.clone(), what };
        let opening = async {
            let mut channel = self.handle.channel_open_session().await.map_err(|error| failed(error.to_string()))?;
            channel.request_subsystem(true, name).await.map_err(|error| failed(error.to_string()))?;
            answered(&mut channel, &format!("the subsystem `{name}`")).await.map_err(failed)?;
            Ok(channel.into_stream())
        };
        let late = || failed(format!("no answer within {} s", CONNECT_MAX.as_secs()));
        timeout(CONNECT_MAX, opening).await.unwrap_or_else(|_| Err(late()))
    }

    /// A program on a channel of its own, with its streams apart. The connection must be kept as long as they are used.
    ///
    /// # Errors
    ///
    /// When the device does not start it.
    pub async fn execute(&self, program: &Program) -> Result<(ChannelReadHalf, ChannelWriteHalf<client::Msg>), ConnectError> {
        let failed = |what: String| ConnectError::Channel { device: self.device.clone(), what };
        let opening = async {
            let mut channel = self.handle.channel_open_session().await.map_err(|error| failed(error.to_string()))?;
            channel.exec(true, program.text()).await.map_err(|error| failed(error.to_string()))?;
            answered(&mut channel, "a program").await.map_err(failed)?;
            Ok(channel.split())
        };
        let late = || failed(format!("no answer within {} s", CONNECT_MAX.as_secs()));
        timeout(CONNECT_MAX, opening).await.unwrap_or_else(|_| Err(late()))
    }

    /// Has it ended?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Does anybody but this one hold it?
    #[must_use]
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.handle) > 1
    }

    fn line(&self, (read, write): (ChannelReadHalf, ChannelWriteHalf<client::Msg>)) -> Line {
        let (writer, orders) = Writer::new();
        tokio::spawn(serve(Arc::clone(&self.handle), write, orders));
        let (server_id, banner, host_key) = {
            let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            (heard.server_id.get().cloned().unwrap_or_default(), heard.banner.clone(), heard.host_key.clone())
        };
        let reader = ChannelReader { channel: read, heard: Arc::clone(&self.heard), exit: None, closed: false };
        Line { reader: Reader::Ssh(reader), writer, server_id, banner, host_key, warnings: self.warnings.clone(), seen: Vec::new() }
    }
}

/// Connects, logs in and opens a terminal session.
///
/// # Errors
///
/// The step that failed.
pub async fn open(target: &Target) -> Result<Line, ConnectError> {
    Connection::open(target).await?.terminal(target).await
}

async fn step<T>(target: &Target, step: &'static str, work: impl Future<Output = Result<T, ConnectError>>) -> Result<T, ConnectError> {
    let late = || ConnectError::Timeout { device: target.device.clone(), host: target.host.clone(), port: target.port, step };
    timeout(CONNECT_MAX, work).await.unwrap_or_else(|_| Err(late()))
}

async fn connect(target: &Target, known: &KnownHosts, handler: Handler) -> Result<Handle<Handler>, ConnectError> {
    let heard = Arc::clone(&handler.heard);
    let tcp = step(target, "connection", async {
        let unreachable = |error: io::Error| ConnectError::Unreachable {
            device: target.device.clone(),
            host: target.host.clone(),
            port: target.port,
            what: error.to_string(),
        };
        let stream = TcpStream::connect((target.host.as_str(), target.port)).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        Ok(stream)
    });
    // Packets that came together are taken with one system call.
    let stream = BufReader::with_capacity(READ_BYTES, tcp.await?);
    let stream = Noted::new(stream, Arc::clone(&heard.lock().unwrap_or_else(PoisonError::into_inner).server_id));
    let config = Arc::new(config(target, known));
    step(target, "key exchange", async {
        client::connect_stream(config, stream, handler).await.map_err(|error| {
            let refused = heard.lock().unwrap_or_else(PoisonError::into_inner).refused.take();
            refused.map_or_else(|| ConnectError::Protocol { device: target.device.clone(), what: error.to_string() }, ConnectError::HostKey)
        })
    })
    .await
}

fn config(target: &Target, known: &KnownHosts) -> client::Config {
    let recorded = known.known_types(&target.host, target.port);
    let mut preferred = Preferred::default();
    if target.legacy {
        add_legacy(&mut preferred);
    }
    if target.bulk {
        let fast = [russh::cipher::AES_256_GCM];
        let others = preferred.cipher.iter().copied().filter(|cipher| !fast.contains(cipher));
        preferred.cipher = fast.into_iter().chain(others).collect::<Vec<_>>().into();
    }
    if !recorded.is_empty() {
        // Only a key of a recorded type can be the recorded key. A server that has no such key is a changed one.
        let same = |algorithm: &ssh_key::Algorithm| recorded.iter().any(|known| same_kind(known, algorithm));
        let wanted: Vec<_> = preferred.key.iter().filter(|algorithm| same(algorithm)).cloned().collect();
        let others: Vec<_> = preferred.key.iter().filter(|algorithm| !same(algorithm)).cloned().collect();
        preferred.key = wanted.into_iter().chain(others).collect::<Vec<_>>().into();
    }
    client::Config {
        nodelay: true,
        keepalive_interval: Some(target.keepalive.unwrap_or(KEEPALIVE)),
        keepalive_max: KEEPALIVES_MISSED_MAX,
        preferred,
        ..client::Config::default()
    }
}

/// SHA-1 key exchanges and host keys, CBC ciphers: behind those that are held to be safe.
fn add_legacy(preferred: &mut Preferred) {
    use russh::{cipher, kex, mac};
    let old_kex =
        [kex::ECDH_SHA2_NISTP256, kex::ECDH_SHA2_NISTP384, kex::ECDH_SHA2_NISTP521, kex::DH_GEX_SHA1, kex::DH_G14_SHA1, kex::DH_G1_SHA1];
    preferred.kex = preferred.kex.iter().copied().chain(old_kex).collect::<Vec<_>>().into();
    preferred.key = preferred.key.iter().cloned().chain([ssh_key::Algorithm::Rsa { hash: None }]).collect::<Vec<_>>().into();
    let old_ciphers = [cipher::AES_256_CBC, cipher::AES_192_CBC, cipher::AES_128_CBC];
    preferred.cipher = preferred.cipher.iter().copied().chain(old_ciphers).collect::<Vec<_>>().into();
    preferred.mac = preferred.mac.iter().copied().chain([mac::HMAC_SHA1, mac::HMAC_SHA1_ETM]).collect::<Vec<_>>().into();
}

/// RSA keys are one kind, whatever the signature's hash.
fn same_kind(one: &ssh_key::Algorithm, other: &ssh_key::Algorithm) -> bool {
    one == other || (one.clone().is_rsa() && other.clone().is_rsa())
}

/// Key file, agent, password, questions: in this order, each only if it is configured and the server takes it.
async fn login(target: &Target, handle: &mut Handle<Handler>) -> Result<(), ConnectError> {
    let user = format!("{}{}", target.user, target.login_suffix);
    let broken = |error: russh::Error| ConnectError::Protocol { device: target.device.clone(), what: error.to_string() };
    let mut tried: Vec<String> = Vec::new();
    let mut result = handle.authenticate_none(user.as_str()).await.map_err(broken)?;
    for file in &target.keys {
        if !takes(&result, MethodKind::PublicKey) {
            break;
        }
        let key = match load_key(target, &file.path) {
            Ok(key) => key,
            Err(_) if file.optional => continue,
            Err(error) => return Err(error),
        };
        let hash = rsa_hash(handle, key.algorithm().is_rsa()).await.map_err(broken)?;
        result = handle.authenticate_publickey(user.as_str(), PrivateKeyWithHashAlg::new(Arc::new(key), hash)).await.map_err(broken)?;
        tried.push(format!("key `{}` is not accepted", file.path.display()));
    }
    if takes(&result, MethodKind::PublicKey)
        && let Some(socket) = target.agent.as_deref()
    {
        match by_agent(handle, &user, socket).await {
            Ok(Some(success)) => result = success,
            Ok(None) => tried.push("the agent has no key that is accepted".to_owned()),
            Err(what) => tried.push(format!("agent `{}`: {what}", socket.display())),
        }
    }
    if let Some(password) = &target.password {
        let text = Zeroizing::new(String::from_utf8_lossy(password.expose()).into_owned());
        if takes(&result, MethodKind::Password) {
            result = handle.authenticate_password(user.as_str(), text.as_str()).await.map_err(broken)?;
            tried.push("the password is not accepted".to_owned());
        } else if takes(&result, MethodKind::KeyboardInteractive) {
            result = by_questions(handle, &user, &text).await.map_err(broken)?;
            tried.push("the password is not accepted".to_owned());
        }
    }
    match result {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { remaining_methods, .. } => {
            let offered: Vec<&str> = remaining_methods.iter().map(<&str>::from).collect();
            let tried = if tried.is_empty() { "no key, agent or password is configured".to_owned() } else { tried.join(", ") };
            Err(ConnectError::Refused { device: target.device.clone(), user: target.user.clone(), tried, offered: offered.join(", ") })
        }
    }
}

fn takes(result: &AuthResult, method: MethodKind) -> bool {
    matches!(result, AuthResult::Failure { remaining_methods, .. } if remaining_methods.contains(&method))
}

fn load_key(target: &Target, path: &Path) -> Result<ssh_key::PrivateKey, ConnectError> {
    let passphrase = target.passphrase.as_ref().map(|secret| Zeroizing::new(String::from_utf8_lossy(secret.expose()).into_owned()));
    russh::keys::load_secret_key(path, passphrase.as_ref().map(|text| text.as_str())).map_err(|error| ConnectError::Key {
        device: target.device.clone(),
        path: path.display().to_string(),
        what: error.to_string(),
    })
}

async fn rsa_hash(handle: &Handle<Handler>, is_rsa: bool) -> Result<Option<HashAlg>, russh::Error> {
    if !is_rsa {
        return Ok(None);
    }
    // A server that does not tell takes SHA-256 nowadays; SHA-1 is an explicit choice of the operator.
    Ok(handle.best_supported_rsa_hash().await?.flatten().or(Some(HashAlg::Sha256)))
}

/// At most this many keys of an agent are offered: servers count each as a failure.
const AGENT_KEYS_MAX: usize = 5;

async fn by_agent(handle: &mut Handle<Handler>, user: &str, socket: &Path) -> Result<Option<AuthResult>, String> {
    let mut agent = AgentClient::connect_uds(socket).await.map_err(|error| error.to_string())?;
    let keys = agent.request_identities().await.map_err(|error| error.to_string())?;
    for key in keys.into_iter().take(AGENT_KEYS_MAX) {
        let key = key.public_key().into_owned();
        let hash = rsa_hash(handle, key.algorithm().is_rsa()).await.map_err(|error| error.to_string())?;
        let result = handle.authenticate_publickey_with(user, key, hash, &mut agent).await.map_err(|error| error.to_string())?;
        if result.success() {
            return Ok(Some(result));
        }
    }
    Ok(None)
}

/// Rounds of questions answered before giving up; a server may ask for ever.
const QUESTION_ROUNDS_MAX: usize = 5;

/// The password is the answer to the one hidden question. Anything else is left to a person.
async fn by_questions(handle: &mut Handle<Handler>, user: &str, password: &str) -> Result<AuthResult, russh::Error> {
    let mut reply = handle.authenticate_keyboard_interactive_start(user, None).await?;
    let mut answered = false;
    for _ in 0..QUESTION_ROUNDS_MAX {
        let answers = match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(AuthResult::Success),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                return Ok(AuthResult::Failure { remaining_methods, partial_success });
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => match prompts.as_slice() {
                [] => Vec::new(),
                [one] if !one.echo && !std::mem::replace(&mut answered, true) => vec![password.to_owned()],
                _ => break,
            },
        };
        reply = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Ok(AuthResult::Failure { remaining_methods: russh::MethodSet::empty(), partial_success: false })
}

async fn shell(target: &Target, handle: &Handle<Handler>) -> Result<(ChannelReadHalf, ChannelWriteHalf<client::Msg>), ConnectError> {
    let failed = |what: String| ConnectError::Channel { device: target.device.clone(), what };
    let mut channel = handle.channel_open_session().await.map_err(|error| failed(error.to_string()))?;
    let (columns, rows) = target.size;
    let requests = async {
        channel.request_pty(true, &target.terminal, columns.into(), rows.into(), 0, 0, &[]).await?;
        channel.request_shell(true).await
    };
    requests.await.map_err(|error| failed(error.to_string()))?;
    for request in ["a terminal", "a shell"] {
        answered(&mut channel, request).await.map_err(failed)?;
    }
    Ok(channel.split())
}

/// Waits for the answer to a request.
async fn answered(channel: &mut Channel<client::Msg>, request: &str) -> Result<(), String> {
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => return Ok(()),
            Some(ChannelMsg::WindowAdjusted { .. }) => {}
            Some(ChannelMsg::Failure) => return Err(format!("it refuses {request}")),
            other => return Err(format!("it answered the request for {request} with {other:?}")),
        }
    }
}

/// Reads a channel.
#[derive(Debug)]
pub struct ChannelReader {
    channel: ChannelReadHalf,
    heard: Arc<Mutex<Heard>>,
    exit: Option<Result<i32, String>>,
    closed: bool,
}

impl ChannelReader {
    /// The next event.
    pub async fn next(&mut self) -> LineEvent {
        while !self.closed {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => return LineEvent::Data(data),
                Some(ChannelMsg::ExtendedData { data, .. }) => return LineEvent::Error(data),
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    self.exit = Some(Ok(i32::try_from(exit_status).unwrap_or(i32::MAX)));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    self.exit = Some(Err(format!("the program was ended by signal {signal_name:?}")));
                }
                Some(ChannelMsg::Close) | None => self.closed = true,
                Some(_) => {}
            }
        }
        match self.exit.take() {
            Some(exit) => LineEvent::Exit(exit),
            None => {
                let end = self.heard.lock().unwrap_or_else(PoisonError::into_inner).end.clone();
                LineEvent::Closed(end.unwrap_or_else(|| "the device closed the session".to_owned()))
            }
        }
    }
}

/// Works the orders off; keeps the connection as long as the line.
async fn serve(handle: Arc<Handle<Handler>>, channel: ChannelWriteHalf<client::Msg>, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        let done = match order {
            Order::Write(bytes) => {
                write_all(&bytes, |piece| async { channel.data_bytes(piece).await.map_err(|error| error.to_string()) }).await
            }
            Order::Signal(name) => channel.signal(sig(name)).await.map_err(|error| error.to_string()),
            Order::Close => break,
        };
        if done.is_err() {
            break;
        }
    }
    // The other side may be gone already.
    let _ = timeout(CLOSE_MAX, channel.close()).await;
    if let Some(handle) = Arc::into_inner(handle) {
        let _ = timeout(CLOSE_MAX, handle.disconnect(Disconnect::ByApplication, "session closed", "en")).await;
    }
}

fn sig(name: &str) -> russh::Sig {
    match name {
        "INT" => russh::Sig::INT,
        "KILL" => russh::Sig::KILL,
        _ => russh::Sig::TERM,
    }
}
