//! Devices behind telnet, a serial line, or login steps: one terminal, and nothing beside it.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Instant;

use super::{Directory, LineKind, OpenError, World, failed, pipe_of, start};
use crate::config::{Device, PASSWORD, Wire, header};
use crate::limits::SERIAL_BAUD;
use crate::policy;
use crate::secret::{self, Secret};
use crate::session::SessionHandle;
use crate::session::profile::Profile;
use crate::transport::ssh;
use crate::transport::{Line, Welcome, wire};

use super::login::Login;
use super::place::Place;

impl Directory {
    /// Opens the line, goes through the login steps and starts the session. Every opening does so, one after a lost line too.
    ///
    /// # Errors
    ///
    /// Why there is no session.
    pub(super) async fn console(
        &self,
        world: &World,
        mut profile: Profile,
        place: &Place,
        line: LineKind,
        is_known: bool,
    ) -> Result<SessionHandle, OpenError> {
        let name = profile.id.device.clone();
        let device = world.device(&name)?;
        pipe_of(&profile.id, line, &profile.kind, device)?;
        let secrets = self.login_secrets(&name, device).await?;
        let mut opened = self.line_to(world, &mut profile, place, device).await?;
        let user = format!("{}{}", profile.user, profile.kind.terminal.login_suffix);
        let steps = device.login_steps();
        let (secrets, kind) = (secrets.as_slice(), &profile.kind);
        let login = Login { device: &name, steps: &steps, user: &user, secrets, book: &self.book, kind, size: profile.size };
        let wake = matches!(device.line, Wire::Serial(_)).then(|| policy::wake(kind));
        let typed_at = match steps.is_empty() && wake.is_none() {
            true => 0,
            false => login.follow(&mut opened, wake).await.map_err(OpenError::Failed)?,
        };
        let copies = secrets.iter().map(|(name, secret)| (name.clone(), Secret::from_bytes(secret.expose().to_vec())));
        profile.login_secrets.extend(copies);
        if !is_known {
            // What a bastion shows before the operator's own last step is not the device's.
            let ahead = if device.login.is_empty() { 0 } else { typed_at.min(opened.seen.len()) };
            let rest = opened.seen.split_off(ahead);
            let before = std::mem::replace(&mut opened.seen, rest);
            self.look(world, &mut profile, &mut opened, &Welcome::default()).await?;
            opened.seen.splice(..0, before);
        }
        Ok(start(profile, opened))
    }

    /// Is there a line? Says which. Nothing is typed on it.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn touch(&self, name: &str) -> Result<String, OpenError> {
        let world = self.world();
        let device = world.device(name)?;
        match &device.line {
            Wire::Serial(path) => serial(name, device, path).await.map(drop)?,
            Wire::Ssh | Wire::Telnet => {
                let (target, _) = self.telnet_target(&world, name).await?;
                ssh::travel(&target).await.map(drop).map_err(|error| failed(&error))?;
            }
        }
        Ok(format!("{} answers", device.address(name)))
    }

    /// The line before anything is typed on it.
    async fn line_to(&self, world: &World, profile: &mut Profile, place: &Place, device: &Device) -> Result<Line, OpenError> {
        let name = profile.id.device.clone();
        match &device.line {
            Wire::Ssh => {
                let reached = self.reach(world, &name, place, &profile.kind, profile.size).await?;
                profile.login_secrets.extend(reached.secrets);
                let mut target = reached.target;
                // It is for the device behind the steps, not for the server before them.
                target.login_suffix.clear();
                self.shared_terminal(&target).await
            }
            Wire::Telnet => {
                let (target, secrets) = self.telnet_target(world, &name).await?;
                profile.login_secrets.extend(secrets);
                let _turn = self.pool.turn(&name, (&target.host, target.port)).await?;
                let stream = ssh::travel(&target).await.map_err(|error| failed(&error))?;
                let way = format!("the line to `{name}`");
                Ok(wire::telnet(stream, &profile.kind.terminal.kind, profile.size, &way))
            }
            Wire::Serial(path) => serial(&name, device, path).await,
        }
    }

    /// The secrets that the login steps name, fetched before anything is typed.
    async fn login_secrets(&self, name: &str, device: &Device) -> Result<Vec<(String, Secret)>, OpenError> {
        let mut secrets: Vec<(String, Secret)> = Vec::new();
        for step in device.login_steps() {
            let Some(wanted) = step.secret().filter(|wanted| !secrets.iter().any(|(known, _)| known == wanted)) else { continue };
            self.book.check(name, wanted, Instant::now()).map_err(OpenError::Failed)?;
            let source = if wanted == PASSWORD { device.password.as_ref() } else { device.secrets.get(wanted) };
            let missing = || OpenError::Failed(format!("device `{name}` has no secret `{wanted}`, which its login steps name"));
            let secret = secret::resolve(source.ok_or_else(missing)?).await;
            let secret = secret.map_err(|error| OpenError::Failed(format!("device `{name}`: {error}")))?;
            secrets.push((wanted.to_owned(), secret));
        }
        Ok(secrets)
    }
}

async fn serial(name: &str, device: &Device, path: &Path) -> Result<Line, OpenError> {
    let baud = device.baud.map_or(SERIAL_BAUD, NonZeroU32::get);
    wire::serial(path, baud).await.map_err(|error| {
        let path = path.display();
        let next = format!("check `line` and `baud` in {}, and who may use it", header("device", name));
        OpenError::Failed(format!("cannot open the serial device `{path}` of `{name}`: {error}; {next}"))
    })
}

/// Connections go through this device, or files to it, only where SSH leads to the device itself.
pub(super) fn has_channels(name: &str, device: &Device) -> Result<(), OpenError> {
    if device.has_channels() || device.local {
        return Ok(());
    }
    let why = match device.line {
        Wire::Ssh => "its SSH connection ends before its login steps lead to it",
        Wire::Telnet => "its line is telnet",
        Wire::Serial(_) => "its line is a serial one",
    };
    Err(OpenError::Failed(format!("device `{name}` has a terminal and nothing beside it, because {why}")))
}
