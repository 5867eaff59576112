//! Goes to a device: secrets, devices on the way, and in the end one [`ssh::Target`].

use std::sync::{Arc, Weak};
use std::time::Instant;

use super::console::has_channels;
use super::place::{Exec, Hop, Place, PlaceWay};
use super::pool::Use;
use super::{Directory, OpenError, World};
use crate::config::{Device, PASSWORD, Wire};
use crate::limits::JUMPS_MAX;
use crate::plugin::device_type::DeviceType;
use crate::secret::{self, Secret, SecretSource};
use crate::ssh_config::JumpHost;
use crate::transport::ssh;

/// Name of the secret that opens an encrypted key file.
const KEY_PASSPHRASE: &str = "key-passphrase";

/// A target, and the secrets that log in there and on the way: they are masked in the session.
pub(super) struct Reached {
    pub(super) target: ssh::Target,
    pub(super) secrets: Vec<(String, Secret)>,
}

/// What somebody wants at a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// To log in.
    LogIn,
    /// To see what it shows to everybody; its secrets stay where they are.
    Look,
}

impl World {
    /// Where a device is and how one gets there.
    ///
    /// # Errors
    ///
    /// When there is no such device, or the OpenSSH configuration cannot be used and is needed.
    pub async fn place(&self, name: &str) -> Result<Place, OpenError> {
        let device = self.device(name)?.clone();
        self.place_of(device, Hop::device(name)).await
    }

    /// The same for a list, which no command is run for.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn place_listed(&self, name: &str) -> Result<Place, OpenError> {
        Place::of(&self.config, self.device(name)?, &Hop::device(name), Exec::Never)
    }

    /// A host that is no device and stands on the way to one: as that way names it, and those before it there.
    fn jump_host(&self, name: &str) -> Option<(Hop, Vec<JumpHost>)> {
        let way = |device: &Device, hop: &Hop| Place::of(&self.config, device, hop, Exec::Never).ok().map(|place| place.way);
        let mut ways: Vec<PlaceWay> = self.config.devices.iter().filter_map(|(name, device)| way(device, &Hop::device(name))).collect();
        // The first host of a way goes its own, on which the next one may stand.
        for _ in 0..JUMPS_MAX {
            let mut further = Vec::new();
            for hops in ways.iter().filter_map(PlaceWay::jumps) {
                if let Some(at) = hops.iter().position(|hop| hop.host == name) {
                    return Some((Hop::jump(hops.get(at)?), hops.get(..at)?.to_vec()));
                }
                let first = hops.first().filter(|first| !self.config.devices.contains_key(&first.host));
                further.extend(first.and_then(|first| way(&Device::default(), &Hop::jump(first))));
            }
            ways = further;
        }
        None
    }

    async fn place_of_hop(&self, hop: Hop) -> Result<Place, OpenError> {
        let device = device_of(self, &hop.name);
        if device.local {
            return Err(OpenError::Failed(format!("device `{}` is this machine itself; nothing is connected to", hop.name)));
        }
        self.place_of(device, hop).await
    }

    async fn place_of(&self, device: Device, hop: Hop) -> Result<Place, OpenError> {
        // A command of `Match exec` may take its time.
        let config = Arc::clone(&self.config);
        let placing = tokio::task::spawn_blocking(move || Place::of(&config, &device, &hop, Exec::Allowed));
        placing.await.unwrap_or_else(|_| Err(OpenError::Failed("the process ends".to_owned())))
    }
}

impl Directory {
    /// Where to connect and as whom. Devices on the way are connected to.
    ///
    /// # Errors
    ///
    /// When a secret cannot be had, or a device on the way cannot be reached.
    pub(super) async fn reach(
        &self,
        world: &World,
        name: &str,
        place: &Place,
        kind: &DeviceType,
        size: (u16, u16),
    ) -> Result<Reached, OpenError> {
        let mut reached = self.reach_at(world, name, place.clone(), Errand::LogIn, JUMPS_MAX).await?;
        reached.target.login_suffix.clone_from(&kind.terminal.login_suffix);
        reached.target.terminal.clone_from(&kind.terminal.kind);
        reached.target.size = size;
        Ok(reached)
    }

    /// The target of somebody who does not log in there; devices on the way are logged in to.
    ///
    /// # Errors
    ///
    /// When there is no such device, or one on the way cannot be reached.
    pub async fn sight(&self, name: &str) -> Result<ssh::Target, OpenError> {
        self.reach_host(name, Errand::Look).await.map(|reached| reached.target)
    }

    /// A device or a jump host that has a host key, and the secrets that log in there or on the way.
    pub(super) async fn reach_host(&self, name: &str, errand: Errand) -> Result<Reached, OpenError> {
        let world = self.world();
        if !world.config.devices.contains_key(name)
            && let Some((hop, before)) = world.jump_host(name)
        {
            let mut place = world.place_of_hop(hop).await?;
            if !before.is_empty() {
                place.way = PlaceWay::Jumps(before);
            }
            return self.reach_at(&world, name, place, errand, JUMPS_MAX).await;
        }
        if world.device(name)?.line != Wire::Ssh {
            return Err(OpenError::Failed(format!("device `{name}` is not reached by SSH: nothing there shows a host key")));
        }
        self.reach_by(&world, Hop::device(name), errand, JUMPS_MAX).await
    }

    /// The target of a telnet line, and the secrets that log in on the way there.
    pub(super) async fn telnet_target(&self, world: &World, name: &str) -> Result<(ssh::Target, Vec<(String, Secret)>), OpenError> {
        self.reach_by(world, Hop::device(name), Errand::Look, JUMPS_MAX).await.map(|reached| (reached.target, reached.secrets))
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
        world.device(name)?;
        if let Some(connection) = self.pool.at_hand(name, Use::Bulk, &world).await {
            return Ok(connection);
        }
        let mut reached = self.reach_by(&world, Hop::device(name), Errand::LogIn, JUMPS_MAX).await?;
        reached.target.bulk = true;
        self.pool.connection((name, Use::Bulk), &reached.target, &self.book, Arc::downgrade(&world)).await
    }

    async fn reach_by(&self, world: &World, hop: Hop, errand: Errand, jumps: usize) -> Result<Reached, OpenError> {
        let name = hop.name.clone();
        let place = world.place_of_hop(hop).await?;
        self.reach_at(world, &name, place, errand, jumps).await
    }

    /// The same where the place was looked up already.
    async fn reach_at(&self, world: &World, name: &str, place: Place, errand: Errand, jumps: usize) -> Result<Reached, OpenError> {
        let device = device_of(world, name);
        let mut secrets = Vec::new();
        let (password, passphrase, answers) = match errand {
            Errand::LogIn => self.credentials(name, &device, &mut secrets).await?,
            Errand::Look => (None, None, Vec::new()),
        };
        let way = self.way(world, name, &place.way, jumps, &mut secrets).await?;
        let target = ssh::Target {
            device: name.to_owned(),
            host: place.host,
            port: place.port,
            host_key_alias: place.host_key_alias,
            way,
            user: place.user,
            login_suffix: String::new(),
            keys: place.keys,
            certificates: place.certificates,
            passphrase,
            password,
            answers,
            questions: Some(self.questions.clone()),
            agents: place.agents,
            forward_agent: device.forward_agent,
            named_keys_only: place.named_keys_only,
            known_hosts: place.known_hosts,
            learning: place.learning,
            revoked: place.revoked,
            keepalive: place.keepalive,
            offer: place.offer,
            manner: place.manner,
            notes: place.warnings,
            bulk: false,
            terminal: String::new(),
            size: (0, 0),
        };
        Ok(Reached { target, secrets })
    }

    /// Goes the way as far as it leads over others.
    async fn way(
        &self,
        world: &World,
        name: &str,
        way: &PlaceWay,
        jumps: usize,
        secrets: &mut Vec<(String, Secret)>,
    ) -> Result<ssh::Way, OpenError> {
        let hops = match way {
            PlaceWay::Direct => return Ok(ssh::Way::Direct),
            PlaceWay::Proxy(proxy) => return Ok(ssh::Way::Proxy(proxy.clone())),
            PlaceWay::Shell(command) => return Ok(ssh::Way::Shell(command.clone())),
            PlaceWay::Closed(why) => return Err(OpenError::Failed(format!("the way to `{name}` is closed: {why}"))),
            PlaceWay::Jumps(hops) => hops,
        };
        let left = jumps.checked_sub(hops.len());
        let left =
            left.ok_or_else(|| OpenError::Failed(format!("the way to `{name}` goes over more than {JUMPS_MAX} hosts; check `via`")))?;
        let mut way = None;
        for jump in hops {
            let mut place = world.place_of_hop(Hop::jump(jump)).await?;
            // The first one has a way of its own; the others are reached from the one before them, and nobody goes theirs.
            if way.is_some() {
                place.way = PlaceWay::Direct;
            }
            // The future of a jump holds that of the next one.
            let mut before = Box::pin(self.reach_at(world, &jump.host, place, Errand::LogIn, left)).await?;
            secrets.append(&mut before.secrets);
            if let Some(way) = way {
                before.target.way = way;
            }
            way = Some(ssh::Way::Through(self.pool.connection((&jump.host, Use::Jump), &before.target, &self.book, Weak::new()).await?));
        }
        Ok(way.unwrap_or(ssh::Way::Direct))
    }

    async fn credentials(&self, name: &str, device: &Device, secrets: &mut Vec<(String, Secret)>) -> Result<Credentials, OpenError> {
        if device.password.is_some() {
            self.book.check(name, PASSWORD, Instant::now()).map_err(OpenError::Failed)?;
        }
        let password = login_secret(name, device.password.as_ref(), PASSWORD, secrets).await?;
        let passphrase = login_secret(name, device.secrets.get(KEY_PASSPHRASE), KEY_PASSPHRASE, secrets).await?;
        let mut answers = Vec::new();
        for (asks, secret_name) in &device.answers {
            self.book.check(name, secret_name, Instant::now()).map_err(OpenError::Failed)?;
            let source = device.secrets.get(secret_name);
            if let Some(secret) = login_secret(name, source, secret_name, secrets).await? {
                answers.push(ssh::Answer { asks: asks.clone(), name: secret_name.clone(), secret });
            }
        }
        Ok((password, passphrase, answers))
    }
}

/// A jump host of the OpenSSH configuration need not be a device.
fn device_of(world: &World, name: &str) -> Device {
    world.config.devices.get(name).cloned().unwrap_or_default()
}

/// Password, passphrase, answers to questions.
type Credentials = (Option<Arc<Secret>>, Option<Arc<Secret>>, Vec<ssh::Answer>);

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
