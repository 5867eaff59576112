//! How a device is reached: address, way, account, keys, secrets, as one [`ssh::Target`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::console::has_channels;
use super::pool::Use;
use super::{Directory, OpenError, World};
use crate::config::{Agent, Algorithms, Device, Proxy, Wire};
use crate::limits::JUMPS_MAX;
use crate::plugin::device_type::DeviceType;
use crate::secret::{self, Secret, SecretSource};
use crate::transport::ssh;

/// Name of the secret that opens an encrypted key file.
const KEY_PASSPHRASE: &str = "key-passphrase";
/// Name of the secret that logs in.
const PASSWORD: &str = "password";

/// A target, and the secrets that log in there and on the way: they are masked in the session.
pub(super) struct Reached {
    pub(super) target: ssh::Target,
    pub(super) secrets: Vec<(String, Secret)>,
}

/// What somebody wants at a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// To log in.
    LogIn,
    /// To see what it shows to everybody; its secrets stay where they are.
    Look,
}

impl Directory {
    /// Where to connect and as whom. Devices on the way are connected to.
    ///
    /// # Errors
    ///
    /// When a secret cannot be had, or a device on the way cannot be reached.
    pub(super) async fn reach(&self, world: &World, name: &str, kind: Option<&DeviceType>, size: (u16, u16)) -> Result<Reached, OpenError> {
        let mut reached = self.reach_by(world, name, Errand::LogIn, JUMPS_MAX).await?;
        if let Some(terminal) = kind.map(|kind| &kind.terminal) {
            reached.target.login_suffix.clone_from(&terminal.login_suffix);
            reached.target.terminal.clone_from(&terminal.kind);
        }
        reached.target.size = size;
        Ok(reached)
    }

    /// The target of somebody who does not log in there; devices on the way are logged in to.
    ///
    /// # Errors
    ///
    /// When there is no such device, or one on the way cannot be reached.
    pub async fn sight(&self, name: &str) -> Result<ssh::Target, OpenError> {
        let world = self.world();
        if world.device(name)?.line != Wire::Ssh {
            return Err(OpenError::Failed(format!("device `{name}` is not reached by SSH: nothing there shows a host key")));
        }
        self.reach_by(&world, name, Errand::Look, JUMPS_MAX).await.map(|reached| reached.target)
    }

    /// The target of a telnet line, and the secrets that log in on the way there.
    pub(super) async fn telnet_target(&self, world: &World, name: &str) -> Result<(ssh::Target, Vec<(String, Secret)>), OpenError> {
        self.reach_by(world, name, Errand::Look, JUMPS_MAX).await.map(|reached| (reached.target, reached.secrets))
    }

    /// A connection for files and forwards, apart from those that keys are typed on. It is shared, and closed when nobody uses it.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn bulk(&self, name: &str) -> Result<ssh::Connection, OpenError> {
        has_channels(name, self.world().device(name)?)?;
        self.logged_in(name).await
    }

    /// The same to the server that SSH leads to, also where login steps go on from there.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn logged_in(&self, name: &str) -> Result<ssh::Connection, OpenError> {
        let world = self.world();
        let reached = self.reach_by(&world, name, Errand::LogIn, JUMPS_MAX).await?;
        self.pool.connection(name, Use::Bulk, &reached.target, &self.book).await
    }

    async fn reach_by(&self, world: &World, name: &str, errand: Errand, jumps: usize) -> Result<Reached, OpenError> {
        let device = world.device(name)?;
        if device.local {
            return Err(OpenError::Failed(format!("device `{name}` is this machine itself; nothing is connected to")));
        }
        let mut secrets = Vec::new();
        let (password, passphrase, answers) = match errand {
            Errand::LogIn => self.credentials(name, device, &mut secrets).await?,
            Errand::Look => (None, None, Vec::new()),
        };
        let way = match (&device.via, &device.proxy) {
            (Some(via), _) => {
                let jumps = jumps.checked_sub(1).ok_or_else(|| {
                    OpenError::Failed(format!("the way to `{name}` goes over more than {JUMPS_MAX} devices; check `via`"))
                })?;
                // The future of a jump holds that of the next one.
                let before = Box::pin(self.reach_by(world, via, Errand::LogIn, jumps)).await?;
                secrets.extend(before.secrets);
                ssh::Way::Through(self.pool.connection(via, Use::Jump, &before.target, &self.book).await?)
            }
            (None, Some(proxy)) => ssh::Way::Proxy(Proxy::clone(proxy)),
            (None, None) => ssh::Way::Direct,
        };
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let target = ssh::Target {
            device: name.to_owned(),
            host: device.host_or(name).to_owned(),
            port: device.port_or_default(),
            host_key_alias: None,
            way,
            user: user(device),
            login_suffix: String::new(),
            keys: keys(device, home.as_deref()),
            passphrase,
            password,
            answers,
            questions: Some(self.questions.clone()),
            agents: agents(device),
            named_keys_only: false,
            known_hosts: known_hosts(device, home.as_deref()),
            keepalive: device.keepalive.map(|delay| delay.duration().unwrap_or(Duration::MAX / 4)),
            offer: ssh::Offer { legacy: device.algorithms == Algorithms::Legacy, ..ssh::Offer::default() },
            terminal: String::new(),
            size: (0, 0),
        };
        Ok(Reached { target, secrets })
    }

    async fn credentials(&self, name: &str, device: &Device, secrets: &mut Vec<(String, Secret)>) -> Result<Credentials, OpenError> {
        if device.password.is_some() {
            self.book.check(name, PASSWORD, Instant::now()).map_err(OpenError::Failed)?;
        }
        let password = login_secret(name, device.password.as_ref(), PASSWORD, secrets).await?;
        let passphrase = login_secret(name, device.secrets.get(KEY_PASSPHRASE), KEY_PASSPHRASE, secrets).await?;
        let mut answers = Vec::new();
        for (asks, secret_name) in &device.answers {
            let source = device.secrets.get(secret_name);
            if let Some(secret) = login_secret(name, source, secret_name, secrets).await? {
                answers.push(ssh::Answer { asks: asks.clone(), name: secret_name.clone(), secret });
            }
        }
        Ok((password, passphrase, answers))
    }
}

/// Password, passphrase, answers to questions.
type Credentials = (Option<Arc<Secret>>, Option<Arc<Secret>>, Vec<ssh::Answer>);

/// The account's name: the device's, else the one of whoever runs this.
pub(super) fn user(device: &Device) -> String {
    device.user.clone().or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "root".to_owned())
}

/// A secret that logs in, kept twice: to be sent, and to be masked.
async fn login_secret(
    device: &str,
    source: Option<&SecretSource>,
    name: &str,
    secrets: &mut Vec<(String, Secret)>,
) -> Result<Option<Arc<Secret>>, OpenError> {
    let Some(source) = source else { return Ok(None) };
    let secret = secret::resolve(source).await.map_err(|error| OpenError::Failed(format!("device `{device}`: {error}")))?;
    secrets.push((name.to_owned(), Secret::from_bytes(secret.expose().to_vec())));
    Ok(Some(Arc::new(secret)))
}

/// The device's key file; else those that ssh tries by itself, if they are there.
fn keys(device: &Device, home: Option<&Path>) -> Vec<ssh::KeyFile> {
    if let Some(path) = &device.key {
        return vec![ssh::KeyFile { path: path.clone(), certificate: device.certificate.clone(), optional: false }];
    }
    let names = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];
    let usual = home.into_iter().flat_map(|home| names.map(|name| home.join(".ssh").join(name)));
    usual.filter(|path| path.is_file()).map(|path| ssh::KeyFile { path, certificate: None, optional: true }).collect()
}

/// The agent that the device names; else that of the environment, then those that desktops start without telling it.
fn agents(device: &Device) -> Vec<PathBuf> {
    match &device.agent {
        Agent::Off => Vec::new(),
        Agent::Socket(path) => vec![path.clone()],
        Agent::Environment => {
            let told = std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
            let run = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
            let home = std::env::var_os("HOME").map(PathBuf::from);
            let desktop = run.into_iter().flat_map(|run| ["keyring/ssh", "gcr/ssh", "gnupg/S.gpg-agent.ssh"].map(|name| run.join(name)));
            let vault = home.into_iter().map(|home| home.join(".1password/agent.sock"));
            let mut sockets: Vec<PathBuf> = Vec::new();
            for socket in told.into_iter().chain(desktop).chain(vault).filter(|path| path.exists()) {
                if !sockets.contains(&socket) {
                    sockets.push(socket);
                }
            }
            sockets
        }
    }
}

/// The files that the device names, else those that ssh reads.
pub(super) fn known_hosts(device: &Device, home: Option<&Path>) -> Vec<PathBuf> {
    if !device.known_hosts.is_empty() {
        return device.known_hosts.clone();
    }
    let own = home.into_iter().flat_map(|home| ["known_hosts", "known_hosts2"].map(|name| home.join(".ssh").join(name)));
    own.chain([PathBuf::from("/etc/ssh/ssh_known_hosts"), PathBuf::from("/etc/ssh/ssh_known_hosts2")]).collect()
}
