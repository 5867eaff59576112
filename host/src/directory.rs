//! All sessions of the process, by name: opens, finds, lists and closes them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::sync::{OnceCell, mpsc};

use self::error::{failed, failed_at};
use self::identity::{Identities, Identity};
use self::news::News;
use self::place::Place;
use self::pool::{Pool, Use};
use self::quota::Quota;
use self::room::Rooms;
use crate::account;
use crate::audit::Audit;
use crate::cast::Casts;
use crate::config::{Config, Device, TypeChoice, Wire};
use crate::files::running::Transfers;
use crate::fleet::Rollouts;
use crate::forward::registry::Forwards;
use crate::history::History;
use crate::ids::{CommandId, SessionId, in_address, nonce, open_are};
use crate::limits::{CLOSE_MAX, IDLE_CLOSE, SESSION_NAME_MAX_CHARS};
use crate::plugin::catalog::{Catalog, GENERIC};
use crate::plugin::device_type::DeviceType;
use crate::plugin::manifest::PipeSpec;
use crate::policy;
use crate::policy::approval::Approvals;
use crate::policy::taint::Taint;
use crate::recording::Taped;
use crate::secret::book::SecretBook;
use crate::secret::redact::Redactor;
use crate::secret::{self, SecretSource};
use crate::session::commons::Commons;
use crate::session::lock::Halt;
use crate::session::log::ByteLog;
use crate::session::profile::{Logs, Profile};
use crate::session::{Phase, SessionHandle, actor, lane};
use crate::terminal::text::escaped_line;
use crate::transport::questions::Questions;
use crate::transport::{Line, Welcome, pty, ssh};

mod asking;
mod console;
mod errand;
mod error;
mod first_screen;
mod host_keys;
pub mod identity;
mod login;
pub mod news;
pub mod permit;
pub mod place;
mod pool;
pub mod quota;
mod reach;
pub mod room;
mod succession;
mod world;

pub use self::error::{NewHost, OpenError};
pub use self::world::World;

/// What a session's line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A terminal with a login shell, or the device's own command line.
    Terminal,
    /// A shell behind a pipe.
    Pipe,
    /// A channel of its own for each command.
    Programs,
}

/// The place of a session: one attempt to open it, whose end all hear who wait for it.
#[derive(Debug, Default)]
struct Slot(OnceCell<Result<SessionHandle, OpenError>>);

impl Slot {
    fn handle(&self) -> Option<&SessionHandle> {
        self.0.get()?.as_ref().ok()
    }
}

/// The sessions and what they are made of.
#[derive(Debug)]
pub struct Directory {
    world: RwLock<Arc<World>>,
    state_folder: Option<PathBuf>,
    book: SecretBook,
    slots: Mutex<BTreeMap<SessionId, Arc<Slot>>>,
    identities: Identities,
    recorder: Option<mpsc::Sender<Taped>>,
    history: History,
    approvals: Approvals,
    taint: Taint,
    quota: Quota,
    rooms: Rooms,
    audit: Audit,
    casts: Casts,
    pool: Pool,
    questions: Questions,
    forwards: Forwards,
    transfers: Transfers,
    rollouts: Rollouts,
    halt: Halt,
    /// Sessions that an earlier process held when it ended without saying goodbye; their next caller is told.
    mourned: Mutex<BTreeSet<String>>,
    news: News,
    /// What the viewer's addresses of sessions begin with, once it runs.
    viewer: OnceLock<String>,
}

/// A session in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its handle.
    pub handle: SessionHandle,
    /// The device's type.
    pub kind: String,
}

impl Directory {
    /// An empty directory. Logs that do not fit into memory go to the state folder.
    #[must_use]
    pub fn new(config: Config, catalog: Catalog, state_folder: Option<PathBuf>) -> Self {
        Self {
            world: RwLock::new(Arc::new(World { config: Arc::new(config), catalog, unpinned: BTreeMap::new() })),
            state_folder,
            book: SecretBook::default(),
            slots: Mutex::default(),
            identities: Identities::default(),
            recorder: None,
            history: History::default(),
            approvals: Approvals::default(),
            taint: Taint::default(),
            quota: Quota::default(),
            rooms: Rooms::default(),
            audit: Audit::default(),
            casts: Casts::default(),
            pool: Pool::default(),
            questions: Questions::default(),
            forwards: Forwards::default(),
            transfers: Transfers::default(),
            rollouts: Rollouts::default(),
            halt: Halt::default(),
            mourned: Mutex::default(),
            news: News::default(),
            viewer: OnceLock::new(),
        }
    }

    /// Transfers that go on, whoever waits for them.
    #[must_use]
    pub fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    /// Changes of many devices that go on, likewise.
    #[must_use]
    pub fn rollouts(&self) -> &Rollouts {
        &self.rollouts
    }

    /// The viewer runs; addresses of its pages of sessions begin like this.
    pub fn set_viewer(&self, address: &str) {
        // It is started once.
        let _ = self.viewer.set(address.to_owned());
    }

    /// The page of a session, for a browser that has logged in, where the viewer runs. It opens nothing to anybody else.
    #[must_use]
    pub fn page_of(&self, session: &SessionId) -> Option<String> {
        self.viewer.get().map(|address| format!("{address}{}", in_address(&session.to_string())))
    }

    /// The page of all sessions, likewise.
    #[must_use]
    pub fn page_of_all(&self) -> Option<&str> {
        self.viewer.get().map(|address| address.split_once('#').map_or(address.as_str(), |(page, _)| page))
    }

    /// These sessions were lost with the process that held them.
    pub fn mourn(&self, sessions: impl IntoIterator<Item = String>) {
        self.mourned.lock().unwrap_or_else(PoisonError::into_inner).extend(sessions);
    }

    /// Was the session lost with an earlier process? Says so once.
    pub fn was_lost(&self, session: &str) -> bool {
        let mut mourned = self.mourned.lock().unwrap_or_else(PoisonError::into_inner);
        !mourned.is_empty() && mourned.remove(session)
    }

    /// Does something go on for somebody beside the sessions: a forward, a transfer, a rollout?
    #[must_use]
    pub fn is_carrying(&self) -> bool {
        !self.forwards.list(None).is_empty() || self.transfers.are_running() || self.rollouts.are_running()
    }

    /// Who has stopped all input of agents, if somebody has.
    #[must_use]
    pub fn halted_by(&self) -> Option<String> {
        self.halt.by()
    }

    /// Why no session is opened for an agent now, if that is so: opening one types lines too.
    #[must_use]
    pub fn opens_none(&self) -> Option<String> {
        self.halt.refuses("no session was opened")
    }

    /// Stops all input of agents in every session, or lets it go on.
    pub fn set_halt(&self, by: Option<String>) {
        self.halt.set(by);
        self.list().iter().for_each(|handle| handle.commons.lock.wake());
    }

    /// What lists of the directory hear of.
    #[must_use]
    pub fn news(&self) -> &News {
        &self.news
    }

    /// What persons are asked about.
    #[must_use]
    pub fn approvals(&self) -> &Approvals {
        &self.approvals
    }

    /// Connections that go through devices.
    #[must_use]
    pub fn forwards(&self) -> &Forwards {
        &self.forwards
    }

    /// What servers ask persons at login.
    #[must_use]
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Who has read text of an untrusted device.
    #[must_use]
    pub fn taint(&self) -> &Taint {
        &self.taint
    }

    /// How much callers do.
    #[must_use]
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// Room for commands.
    #[must_use]
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Has every session recorded.
    #[must_use]
    pub fn recorded_by(self, recorder: mpsc::Sender<Taped>) -> Self {
        Self { recorder: Some(recorder), ..self }
    }

    /// Has it kept in this file that a person has stopped all input of agents, for all processes of the account.
    #[must_use]
    pub fn halt_kept_in(self, file: PathBuf) -> Self {
        self.halt.keep_in(file);
        self
    }

    /// Has every command kept in this history.
    #[must_use]
    pub fn kept_by(self, history: History) -> Self {
        Self { history, ..self }
    }

    /// Has every decision and every end held in this record.
    #[must_use]
    pub fn audited_by(self, audit: Audit) -> Self {
        Self { pool: self.pool.audited_by(audit.clone()), audit, ..self }
    }

    /// Has what sessions show recorded, where the configuration wants that.
    #[must_use]
    pub fn filmed_by(self, casts: Casts) -> Self {
        Self { casts, ..self }
    }

    /// What records that.
    #[must_use]
    pub fn casts(&self) -> &Casts {
        &self.casts
    }

    /// What holds them.
    #[must_use]
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Who ran what.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The configuration and the plugins in force.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on this counts for what is opened.
    pub fn replace_world(&self, world: Arc<World>) {
        self.book.forget();
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = world;
        self.news.of_world();
    }

    /// A device by name.
    ///
    /// # Errors
    ///
    /// When there is none; names the nearest one.
    pub fn device(&self, name: &str) -> Result<Device, OpenError> {
        self.world().device(name).cloned()
    }

    /// Masks what sessions that are there have typed or given at a device.
    #[must_use]
    pub fn known_secrets(&self, device: &str) -> Redactor {
        Redactor::sharing(self.book.masks(device))
    }

    /// What devices without a type in the configuration were found to be.
    #[must_use]
    pub fn identities(&self) -> &Identities {
        &self.identities
    }

    /// The device's type, loaded: the configuration's, or what it was found to be last.
    ///
    /// # Errors
    ///
    /// When it is not known yet or a plugin does not load.
    pub async fn kind_of(&self, device: &str) -> Result<Arc<DeviceType>, OpenError> {
        self.world().kind_of(device, &self.identities).await
    }

    /// A session that is open.
    #[must_use]
    pub fn find(&self, id: &SessionId) -> Option<SessionHandle> {
        self.slots().get(id)?.handle().cloned()
    }

    /// A session that is open.
    ///
    /// # Errors
    ///
    /// That there is none, and which there are.
    pub fn named(&self, id: &SessionId) -> Result<SessionHandle, String> {
        self.find(id).ok_or_else(|| {
            let open: Vec<String> = self.list().iter().map(|handle| handle.id.to_string()).collect();
            format!("there is no session `{id}`; {}", open_are(&open))
        })
    }

    /// All sessions that were opened and not closed.
    #[must_use]
    pub fn list(&self) -> Vec<SessionHandle> {
        self.slots().values().filter_map(|slot| slot.handle().cloned()).collect()
    }

    /// The session of a command that it remembers. Sessions are not asked: a question to all of them would wake each one.
    #[must_use]
    pub fn of_command(&self, id: CommandId) -> Option<SessionHandle> {
        self.slots().values().filter_map(|slot| slot.handle()).find(|handle| handle.commons.has_begun(id)).cloned()
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, BTreeMap<SessionId, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session of this name, opened if it is not. Says whether it was there.
    ///
    /// Several callers who ask at once get the same session, of the kind that the first one wanted.
    ///
    /// # Errors
    ///
    /// Why it cannot be opened.
    pub async fn open(
        self: &Arc<Self>,
        id: &SessionId,
        line: LineKind,
        size: (Option<u16>, Option<u16>),
    ) -> Result<(SessionHandle, bool), OpenError> {
        // A session goes on also when the configuration no longer has its device.
        if let Some(handle) = self.find(id).filter(|handle| handle.closed().is_none()) {
            return Ok((handle, true));
        }
        self.device(&id.device)?;
        check_name(id).map_err(OpenError::Failed)?;
        let before = self.find(id).map(|handle| handle.commons);
        let slot = self.slot(id)?;
        let reused = slot.handle().is_some();
        let (this, id) = (Arc::clone(self), id.clone());
        // It goes on when whoever asked for it does not wait any longer: a login may wait for a person.
        let opening = tokio::spawn(async move {
            let mut made_of = None;
            let make = async {
                let world = this.world();
                let handle = this.connect(&world, &id, line, size).await?;
                // Who waits for it too is given it as soon as it is listed.
                made_of = Some(this.catch_up(world, &handle).await);
                Ok::<_, OpenError>(handle)
            };
            let opened = slot.0.get_or_init(|| make).await;
            match opened {
                Err(_) => this.forget(&id, &slot),
                Ok(handle) => {
                    before.iter().for_each(|before| handle.commons.follows(before));
                    if let Some(world) = made_of {
                        // Once more: it is listed only now.
                        this.catch_up(world, handle).await;
                    }
                    this.news.of_sessions();
                }
            }
            opened.clone()
        });
        let opened = opening.await.unwrap_or_else(|_| Err(OpenError::Failed("the process ends".to_owned())));
        opened.map(|handle| (handle, reused))
    }

    /// How many connections are made before that of this device; `None` where it does not wait for its turn to connect.
    #[must_use]
    pub fn connects_before(&self, device: &str) -> Option<usize> {
        self.pool.before(device)
    }

    fn slot(&self, id: &SessionId) -> Result<Arc<Slot>, OpenError> {
        let most = self.world().config.limits.sessions;
        let mut slots = self.slots();
        // A session that has ended makes room for a new one of its name.
        slots.retain(|known, slot| known != id || slot.handle().is_none_or(|handle| handle.closed().is_none()));
        if slots.len() >= most && !slots.contains_key(id) {
            slots.retain(|_, slot| slot.handle().is_none_or(|handle| handle.closed().is_none()));
            if slots.len() >= most {
                return Err(OpenError::Full { most });
            }
        }
        Ok(Arc::clone(slots.entry(id.clone()).or_default()))
    }

    fn forget(&self, id: &SessionId, slot: &Arc<Slot>) {
        let mut slots = self.slots();
        if slots.get(id).is_some_and(|known| Arc::ptr_eq(known, slot)) {
            slots.remove(id);
        }
    }

    async fn connect(
        &self,
        world: &World,
        id: &SessionId,
        line: LineKind,
        (columns, rows): (Option<u16>, Option<u16>),
    ) -> Result<SessionHandle, OpenError> {
        let device = world.device(&id.device)?;
        self.learn_secrets(device).await;
        // A device whose type is to be found out is met like one of which nothing is known.
        let (kind, is_known) = match &device.device_type {
            TypeChoice::Named(kind) => (world.load_kind(&id.device, kind.as_str()).await?, true),
            TypeChoice::Auto => (world.load_kind(&id.device, GENERIC).await?, false),
        };
        let size = kind.terminal.size(columns, rows);
        let place = if device.local { None } else { Some(world.place(&id.device).await?) };
        let mut profile = self.profile(world, id, device, place.as_ref(), kind, size)?;
        profile.commons = Arc::new(Commons::under(self.halt.clone(), line == LineKind::Terminal));
        let Some(place) = place else {
            pipe_of(id, line, &profile.kind, device)?;
            let opened = local_line(&profile.kind.terminal.kind, size);
            let mut opened = opened.map_err(|error| OpenError::Failed(format!("cannot start a local shell: {error}")))?;
            if !is_known {
                self.look(world, &mut profile, &mut opened, &Welcome::default()).await?;
            }
            return Ok(start(profile, opened));
        };
        if !device.has_channels() {
            return self.console(world, profile, &place, line, is_known).await;
        }
        let reached = self.reach(world, &id.device, &place, &profile.kind, profile.size).await?;
        profile.login_secrets.extend(reached.secrets);
        let mut target = reached.target;
        if is_known && pipe_of(id, line, &profile.kind, device)?.is_none() && profile.kind.pipe.is_some() {
            // A server gives several sessions on one connection; a switch often a single one.
            let terminal = self.shared_terminal(&target).await?;
            return Ok(start(profile, terminal));
        }
        let (connection, seen) = if is_known {
            (self.pool.connect(&target, &self.book).await?, None)
        } else {
            self.meet(world, &mut target, &mut profile, (columns, rows)).await?
        };
        let welcome = connection.welcome();
        let way = match (line, pipe_of(id, line, &profile.kind, device)?) {
            (LineKind::Pipe, Some(pipe)) => {
                let shell = policy::pipe_start(&pipe);
                lane::Way::Pipe(Box::new(connection.program(&shell).await.map_err(|error| failed(&error))?), pipe)
            }
            (LineKind::Programs, Some(_)) => lane::Way::Programs(connection),
            _ => {
                let terminal = match seen {
                    Some(seen) => seen,
                    None => connection.terminal(&target).await.map_err(|error| failed(&error))?,
                };
                return Ok(start(profile, terminal));
            }
        };
        profile.welcome = welcome;
        Ok(lane::start(profile, way))
    }

    /// A terminal on a connection that has room, else on a new one.
    async fn shared_terminal(&self, target: &ssh::Target) -> Result<Line, OpenError> {
        loop {
            let connection = self.pool.connection((&target.device, Use::Interactive), target, &self.book, Weak::new()).await?;
            match connection.terminal(target).await {
                Ok(line) => return Ok(line),
                // It has as many as the server gives, which the connection knows now.
                Err(ssh::ConnectError::Full { .. }) => {}
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    /// Connects to a device whose type is not known and finds it out. A terminal that was opened for that comes along.
    async fn meet(
        &self,
        world: &World,
        target: &mut ssh::Target,
        profile: &mut Profile,
        (columns, rows): (Option<u16>, Option<u16>),
    ) -> Result<(ssh::Connection, Option<Line>), OpenError> {
        let turn = self.pool.turn_to_log_in(target, &self.book).await?;
        // The plugins load while the network is waited for.
        let (greeting, ()) = tokio::join!(ssh::Greeting::open(target), world.catalog.load_judges());
        let greeting = greeting.map_err(|error| failed_at(&error, target))?;
        if let Some(identity) = identity::by_server_id(&world.catalog, &greeting.server_id()).await {
            profile.kind = world.load_kind(&profile.id.device, &identity.kind).await?;
            profile.size = profile.kind.terminal.size(columns, rows);
            target.login_suffix.clone_from(&profile.kind.terminal.login_suffix);
            target.terminal.clone_from(&profile.kind.terminal.kind);
            target.size = profile.size;
            self.keep(profile, identity);
            return Ok((self.login(greeting, target).await?, None));
        }
        let connection = self.login(greeting, target).await?;
        drop(turn);
        let mut line = connection.terminal(target).await.map_err(|error| failed(&error))?;
        let told = Arc::clone(&line.welcome);
        self.look(world, profile, &mut line, &told).await?;
        Ok((connection, Some(line)))
    }

    async fn login(&self, greeting: ssh::Greeting, target: &ssh::Target) -> Result<ssh::Connection, OpenError> {
        let connection = pool::came_to(greeting.login(target).await, target, &self.book)?;
        host_keys::keep_up_to_date(&connection, target, &self.audit);
        Ok(connection)
    }

    /// Finds out by its first screen what is at the other end of a line.
    async fn look(&self, world: &World, profile: &mut Profile, line: &mut Line, told: &Welcome) -> Result<(), OpenError> {
        let device = profile.id.device.clone();
        let identity = identity::by_first_screen(&world.catalog, line, told, &profile.kind, profile.size).await;
        let identity =
            identity.map_err(|why| OpenError::Failed(format!("`{device}` closed the session before its type was known: {why}")))?;
        profile.kind = world.load_kind(&device, &identity.kind).await?;
        self.keep(profile, identity);
        Ok(())
    }

    fn keep(&self, profile: &Profile, identity: Identity) {
        let device = &profile.id.device;
        if let Some(warning) = self.identities.keep(device, identity).warning(device) {
            crate::diagnostics::warn(&warning);
        }
    }

    /// What a session of this device needs to know.
    fn profile(
        &self,
        world: &World,
        id: &SessionId,
        device: &Device,
        place: Option<&Place>,
        kind: Arc<DeviceType>,
        size: (u16, u16),
    ) -> Result<Profile, OpenError> {
        let own = || std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
        Ok(Profile {
            id: id.clone(),
            welcome: Arc::default(),
            address: match place {
                Some(place) if !matches!(device.line, Wire::Serial(_)) => place.address(),
                _ => device.address(&id.device),
            },
            user: place.map_or_else(own, |place| place.user.clone()),
            tags: device.tags.clone(),
            policy: world.config.policy_for(device),
            secrets: device.secrets.clone(),
            login_secrets: Vec::new(),
            book: self.book.clone(),
            logs: self.logs(id),
            nonce: nonce().ok_or_else(|| OpenError::Failed("this machine gives no random numbers".to_owned()))?,
            size,
            recorder: self.recorder.clone(),
            approvals: self.approvals.clone(),
            taint: self.taint.clone(),
            journal: self.history.journal().clone(),
            audit: self.audit.clone(),
            casts: self.casts.with(&world.config.audit),
            idle_close: device.idle_close.map_or(IDLE_CLOSE, |delay| delay.duration().unwrap_or(Duration::MAX / 4)),
            note: world.warning(&kind.name),
            mask: device.mask,
            secrets_elsewhere: device.secrets_elsewhere.clone(),
            commons: Arc::default(),
            kind,
        })
    }

    /// Has what is kept mask the device's secrets before one of them is used, as far as nobody is asked for them.
    async fn learn_secrets(&self, device: &Device) {
        for (name, source) in &device.secrets {
            if matches!(source, SecretSource::Env(_) | SecretSource::File(_))
                && let Ok(secret) = secret::resolve(source).await
            {
                self.history.journal().learn(name, &secret);
                self.audit.learn(name, &secret);
            }
        }
    }

    /// The name of each log is unique: a session of the same name may be opened again while the old log is still read.
    fn logs(&self, id: &SessionId) -> Logs {
        let folder = self.state_folder.clone();
        let name = format!("{}-{}", id.device, file_name(&id.name));
        Box::new(move || match (&folder, nonce()) {
            (Some(folder), Some(unique)) => ByteLog::with_folder(folder, &format!("{name}-{unique}")),
            _ => ByteLog::in_memory(),
        })
    }

    /// Closes a session and forgets it.
    pub async fn close(&self, id: &SessionId) {
        let slot = self.slots().remove(id);
        if let Some(handle) = slot.as_ref().and_then(|slot| slot.handle()) {
            end(handle).await;
            self.forwards.close_of(&id.to_string());
            self.news.of_sessions();
        }
    }

    /// Closes all of them; names those that were in use.
    pub async fn shut_down(&self) -> Vec<String> {
        self.forwards.close_all();
        self.rollouts.stop_all();
        let slots = std::mem::take(&mut *self.slots());
        let mut busy = Vec::new();
        for (id, slot) in slots {
            let Some(handle) = slot.handle() else { continue };
            if matches!(handle.status().phase, Phase::Busy(_)) {
                busy.push(id.to_string());
            }
            end(handle).await;
        }
        self.history.finish().await;
        self.audit.finish();
        self.casts.finish();
        busy
    }
}

/// A session on a line that is open.
fn start(mut profile: Profile, line: Line) -> SessionHandle {
    profile.welcome = Arc::clone(&line.welcome);
    actor::start(profile, line)
}

/// Closes a session, and waits until it has told its end to what is kept.
async fn end(handle: &SessionHandle) {
    handle.close().await;
    let closed = handle.until(|status| matches!(status.phase, Phase::Closed(_)));
    // One that hangs is left behind.
    let _ = tokio::time::timeout(CLOSE_MAX, closed).await;
}

/// How commands run without a terminal, where that is wanted; an error where the type has no such way.
fn pipe_of(id: &SessionId, line: LineKind, kind: &DeviceType, device: &Device) -> Result<Option<PipeSpec>, OpenError> {
    match (line, &kind.pipe) {
        (LineKind::Terminal, _) => Ok(None),
        (_, Some(pipe)) if device.has_channels() => Ok(Some(pipe.clone())),
        _ => Err(OpenError::NoPipe { device: id.device.clone(), kind: kind.name.clone() }),
    }
}

/// Can a session have this name? It stands in lines of lists and answers that others read.
fn check_name(id: &SessionId) -> Result<(), String> {
    let SessionId { device, name } = id;
    let is_plain = escaped_line(name) == *name && !name.contains('\t');
    if is_plain && (1..=SESSION_NAME_MAX_CHARS).contains(&name.chars().count()) {
        return Ok(());
    }
    let shown: String = name.chars().take(SESSION_NAME_MAX_CHARS).collect();
    Err(format!(
        "no session of `{device}` can be named `{}`: a name has 1 to {SESSION_NAME_MAX_CHARS} characters, all of them visible; `{device}` alone is the main session",
        escaped_line(&shown)
    ))
}

/// A session's name as part of a file's name.
fn file_name(name: &str) -> String {
    name.chars().map(|ch| if ch.is_ascii_alphanumeric() { ch } else { '_' }).take(32).collect()
}

fn local_line(terminal: &str, size: (u16, u16)) -> std::io::Result<Line> {
    pty::open(&[account::shell(), "-i".to_owned()], terminal, size)
}
