//! Forwards: connections that go through a device, counted, listed, and closed with their session.
//!
//! A local forward listens here and comes out at the device; a SOCKS one lets each connection say where to; a remote one listens at
//! the device and comes out here. They have a connection of their own, so that their bytes hold up no key. One that is kept gets its
//! connection again after that was lost, and outlives a session whose line was lost; nothing else is done again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::config::ForwardSettings;
use crate::directory::Directory;
use crate::ids::SessionId;
use crate::limits::{FORWARD_AGAIN_FIRST, FORWARD_AGAIN_FOR, FORWARD_AGAIN_MAX, FORWARD_LOOK_EVERY, FORWARD_REST_MAX};
use crate::plugin::roles::Effect;
use crate::session::{Phase, SessionHandle};
use crate::transport::ssh::Connection;

mod allowed;
mod local;
pub mod registry;
mod relay;
mod remote;
mod socks;

pub use self::allowed::decide;
pub use self::registry::{Counts, Down, End, Forward, Forwards, Kind, Wanted};

/// Opens one on a session's device. It is there when this returns.
///
/// # Errors
///
/// Why it cannot be.
pub async fn open(directory: &Arc<Directory>, session: &SessionHandle, caller: &str, wanted: Wanted) -> Result<Forward, String> {
    directory.forwards().has_room()?;
    if let Some(why) = session.closed() {
        return Err(format!("session `{}` is closed: {why}; ssh_open opens it again", session.id));
    }
    let counts = Arc::new(Counts::default());
    let through = Through {
        directory: Arc::clone(directory),
        device: session.id.device.clone(),
        wanted: wanted.clone(),
        counts: Arc::clone(&counts),
    };
    let (wanted, work) = match wanted.kind {
        Kind::Local | Kind::Socks => local::listen(through.clone(), wanted).await?,
        Kind::Remote => remote::listen(through.clone(), wanted).await?,
    };
    let (number, handle) = (directory.forwards().number(), session.clone());
    let (told, caller_known) = (wanted.clone(), caller.to_owned());
    let task = tokio::spawn(async move {
        let of = (handle.id.to_string(), caller_known);
        if let Some(why) = hold(&through, handle, work, told.keep).await {
            through.directory.forwards().lose(number, of, &told, &why);
            through.directory.news().of_sessions();
        }
    });
    let forward = directory.forwards().add(number, (session.id.to_string(), caller), wanted, counts, task.abort_handle());
    // A configuration that was read meanwhile did not see it.
    if let Err(why) = is_allowed_now(directory, &session.id.device, &forward.wanted) {
        let _ = directory.forwards().close(&forward.id);
        return Err(why);
    }
    Ok(forward)
}

/// Closes the forwards that the configuration allows no longer, with all that goes through them. Says which, and who opened them hears
/// of it too.
pub fn withdraw(directory: &Directory) -> Vec<String> {
    let mut told = Vec::new();
    for forward in directory.forwards().list(None) {
        let Err(why) = is_allowed_now(directory, &SessionId::parse(&forward.session).device, &forward.wanted) else { continue };
        directory.forwards().withdraw(&forward, &why);
        directory.news().of_sessions();
        told.push(format!("closed    forward {} of {} ({}): {why}", forward.id, forward.session, forward.wanted));
    }
    told
}

/// The configuration may have changed since it was permitted. What a person was asked about stays permitted.
fn is_allowed_now(directory: &Directory, device: &str, wanted: &Wanted) -> Result<(), String> {
    let world = directory.world();
    let device = world.device(device).map_err(|error| error.to_string())?;
    let said = decide(&world.config.forward, world.config.policy_for(device), wanted);
    if said.effect == Effect::Deny { Err(said.reason) } else { Ok(()) }
}

/// Serves a forward until its session is closed, whatever it does. Where it was lost instead, says why.
///
/// One that is kept outlives a session whose line was lost, and belongs to the next session of that name.
async fn hold(through: &Through, mut session: SessionHandle, mut work: Work, keep: bool) -> Option<String> {
    loop {
        tokio::select! {
            why = &mut work => return Some(why),
            () = session.until(|status| matches!(status.phase, Phase::Closed(_))) => {}
        }
        if !session.commons.has_lost_line() {
            return None;
        }
        let why = session.closed().unwrap_or_default();
        if !keep {
            return Some(why);
        }
        session = tokio::select! {
            why = &mut work => return Some(why),
            session = next(&through.directory, &session.id) => session,
        };
    }
}

/// The next session of this name.
async fn next(directory: &Directory, id: &SessionId) -> SessionHandle {
    loop {
        if let Some(session) = directory.find(id).filter(|session| session.closed().is_none()) {
            return session;
        }
        sleep(FORWARD_LOOK_EVERY).await;
    }
}

/// Why a forward ended whose connection did.
const LOST: &str = "its connection was lost";

/// What serves a forward as long as it is polled. It ends when the forward is lost, and says why.
type Work = std::pin::Pin<Box<dyn Future<Output = String> + Send>>;

/// Ends some time after a connection was lost: what came before still goes out.
async fn lost(connection: &Connection) {
    connection.ended().await;
    sleep(FORWARD_REST_MAX).await;
}

/// What carries a forward's connections.
#[derive(Debug, Clone)]
struct Through {
    directory: Arc<Directory>,
    device: String,
    /// As it was asked for.
    wanted: Wanted,
    counts: Arc<Counts>,
}

impl Through {
    /// What the operator allows now.
    fn settings(&self) -> ForwardSettings {
        self.directory.world().config.forward.clone()
    }

    /// The device's connection for bytes.
    async fn connection(&self) -> Result<Connection, String> {
        self.directory.bulk(&self.device).await.map_err(|error| error.to_string())
    }

    fn go_down(&self, why: &str) {
        if self.counts.go_down(why) {
            self.directory.news().of_sessions();
        }
    }

    fn come_up(&self) {
        if self.counts.come_up() {
            self.directory.news().of_sessions();
        }
    }

    /// Asks for what was lost until it is there, each time after a longer pause.
    ///
    /// # Errors
    ///
    /// Why it is given up: it takes too long, or the operator allows it no longer.
    async fn regain<T, F: Future<Output = Result<T, String>>>(&self, pauses: &mut Pauses, ask: impl Fn() -> F) -> Result<T, String> {
        let over = Instant::now() + FORWARD_AGAIN_FOR;
        pauses.on_lost(Instant::now());
        loop {
            sleep(pauses.take()).await;
            is_allowed_now(&self.directory, &self.device, &self.wanted)?;
            let tried = match self.directory.opens_none() {
                Some(halted) => Err(halted),
                None => ask().await,
            };
            let why = match tried {
                Ok(found) => {
                    pauses.on_found(Instant::now());
                    self.come_up();
                    return Ok(found);
                }
                Err(why) => why,
            };
            self.go_down(&why);
            if Instant::now() > over {
                return Err(format!("the device could not be reached for {} h: {why}", FORWARD_AGAIN_FOR.as_secs() / 3600));
            }
        }
    }
}

/// The pauses between tries to have a connection again. They go on to grow where it is lost again soon.
#[derive(Debug)]
struct Pauses {
    next: Duration,
    found_at: Option<Instant>,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { next: FORWARD_AGAIN_FIRST, found_at: None }
    }
}

impl Pauses {
    fn on_lost(&mut self, now: Instant) {
        if self.found_at.is_some_and(|found| now.saturating_duration_since(found) >= FORWARD_AGAIN_MAX) {
            *self = Self::default();
        }
    }

    fn on_found(&mut self, now: Instant) {
        self.found_at = Some(now);
    }

    fn take(&mut self) -> Duration {
        let next = (self.next * 2).min(FORWARD_AGAIN_MAX);
        std::mem::replace(&mut self.next, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_up_to_a_bound_and_begin_anew_once_a_connection_has_lasted() {
        let mut pauses = Pauses::default();
        let taken: Vec<u64> = (0..8).map(|_| pauses.take().as_secs()).collect();
        assert_eq!(taken, [1, 2, 4, 8, 16, 32, 60, 60]);
        let found = Instant::now();
        pauses.on_found(found);
        pauses.on_lost(found + FORWARD_AGAIN_FIRST);
        assert_eq!(pauses.take(), FORWARD_AGAIN_MAX, "it was lost again at once");
        pauses.on_lost(found + FORWARD_AGAIN_MAX);
        assert_eq!(pauses.take(), FORWARD_AGAIN_FIRST);
    }
}
