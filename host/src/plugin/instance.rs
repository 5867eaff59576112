//! One instance of a plugin in a store of its own, and calls into it.
//!
//! A trap closes a store for good. So an instance that failed is dropped and the call is made once more in a new one:
//! plugins keep nothing between calls, so nothing is lost.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use wasmtime::component::{Instance as WasmInstance, InstancePre, ResourceTable};
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use super::bindings::exports::jackfield::plugin as exports;
use super::bindings::jackfield::plugin::{host as host_interface, types};
use super::engine::ticks;
use super::fault::FaultKind;
use super::lines::Lines;
use super::printed::{PANICKED, Printed};
use super::promptly::promptly;
use crate::limits::{
    PLUGIN_CORE_INSTANCES_MAX, PLUGIN_HANDLES_MAX, PLUGIN_LIFT_MAX_BYTES, PLUGIN_MEMORIES_MAX, PLUGIN_MEMORY_MAX_BYTES,
    PLUGIN_RANDOM_MAX_BYTES, PLUGIN_TABLE_MAX_ELEMENTS, PLUGIN_TABLES_MAX,
};
use crate::terminal::text::escaped;

/// What the host keeps for an instance.
pub struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    bounds: Bounds,
    printed: Printed,
    ticks_left: u64,
    /// Set when a call stops to let others run.
    yielded: Arc<AtomicBool>,
    log_lines: usize,
    lines: Arc<Lines>,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Guest {
    /// For an instance of a plugin; `max_parts` as the operator says.
    #[must_use]
    pub fn new(lines: Arc<Lines>, max_parts: Option<usize>) -> Self {
        let printed = Printed::default();
        let seed = || wasmtime_wasi::random::Deterministic::new(vec![0x5a; 32]);
        let mut wasi = WasiCtx::builder();
        wasi.stdout(printed.clone()).stderr(printed.clone());
        wasi.wall_clock(StoppedClock).monotonic_clock(StoppedClock);
        wasi.secure_random(seed()).insecure_random(seed()).insecure_random_seed(0).max_random_size(PLUGIN_RANDOM_MAX_BYTES);
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        // What a plugin gets a handle of is kept by the host until the plugin lets it go.
        let mut table = ResourceTable::new();
        table.set_max_capacity(PLUGIN_HANDLES_MAX);
        let yielded = Arc::new(AtomicBool::new(false));
        Self {
            wasi: wasi.build(),
            table,
            bounds: Bounds { max_parts, ..Bounds::default() },
            printed,
            ticks_left: 0,
            yielded,
            log_lines: 0,
            lines,
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A clock that stands still, so that a run repeats.
struct StoppedClock;

impl HostWallClock for StoppedClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for StoppedClock {
    fn resolution(&self) -> u64 {
        1
    }
    fn now(&self) -> u64 {
        0
    }
}

impl types::Host for Guest {}

impl host_interface::Host for Guest {
    fn log(&mut self, level: host_interface::Level, message: String) -> wasmtime::Result<()> {
        self.log_lines += 1;
        if !self.printed.takes(&message) {
            self.lines.write(level_word(level), &message, self.log_lines, Instant::now());
        }
        Ok(())
    }
}

fn level_word(level: host_interface::Level) -> &'static str {
    match level {
        host_interface::Level::Debug => "debug",
        host_interface::Level::Info => "info",
        host_interface::Level::Warn => "warn",
        host_interface::Level::Error => "error",
    }
}

/// The ceilings, and which was hit. All memories of an instance count together, and so do all tables.
#[derive(Debug, Default)]
struct Bounds {
    refused: Option<FaultKind>,
    memory_bytes: usize,
    table_elements: usize,
    max_parts: Option<usize>,
}

impl ResourceLimiter for Bounds {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory_bytes = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        self.grant(self.memory_bytes <= PLUGIN_MEMORY_MAX_BYTES, FaultKind::Memory)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.table_elements = self.table_elements.saturating_add(desired.saturating_sub(current));
        self.grant(self.table_elements <= PLUGIN_TABLE_MAX_ELEMENTS, FaultKind::Tables)
    }

    fn instances(&self) -> usize {
        self.max_parts.unwrap_or(PLUGIN_CORE_INSTANCES_MAX)
    }

    fn tables(&self) -> usize {
        self.max_parts.map_or(PLUGIN_TABLES_MAX, |parts| parts.max(PLUGIN_TABLES_MAX))
    }

    fn memories(&self) -> usize {
        self.max_parts.unwrap_or(PLUGIN_MEMORIES_MAX)
    }
}

impl Bounds {
    /// Refusing ends the call: a guest that goes on without its memory would only fail later, and less clearly.
    fn grant(&mut self, within: bool, what: FaultKind) -> wasmtime::Result<bool> {
        if within {
            return Ok(true);
        }
        self.refused = Some(what);
        Err(wasmtime::Error::msg("ceiling"))
    }
}

/// Where a component exports each role.
#[derive(Clone)]
pub struct Indices {
    setup: exports::setup::GuestIndices,
    identify: Option<exports::identify::GuestIndices>,
    prompt: Option<exports::prompt::GuestIndices>,
    pager: Option<exports::pager::GuestIndices>,
    dialog: Option<exports::dialog::GuestIndices>,
    outcome: Option<exports::outcome::GuestIndices>,
    policy: Option<exports::policy::GuestIndices>,
}

impl std::fmt::Debug for Indices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.roles()).finish()
    }
}

impl Indices {
    /// Looks the exports up. `has` says which interfaces the component exports.
    ///
    /// # Errors
    ///
    /// When an interface lacks a function, or `setup` is missing.
    pub fn find(pre: &InstancePre<Guest>, has: impl Fn(&str) -> bool) -> wasmtime::Result<Self> {
        Ok(Self {
            setup: exports::setup::GuestIndices::new(pre)?,
            identify: has("identify").then(|| exports::identify::GuestIndices::new(pre)).transpose()?,
            prompt: has("prompt").then(|| exports::prompt::GuestIndices::new(pre)).transpose()?,
            pager: has("pager").then(|| exports::pager::GuestIndices::new(pre)).transpose()?,
            dialog: has("dialog").then(|| exports::dialog::GuestIndices::new(pre)).transpose()?,
            outcome: has("outcome").then(|| exports::outcome::GuestIndices::new(pre)).transpose()?,
            policy: has("policy").then(|| exports::policy::GuestIndices::new(pre)).transpose()?,
        })
    }

    fn each(&self) -> [(&'static str, bool); 6] {
        [
            ("identify", self.identify.is_some()),
            ("prompt", self.prompt.is_some()),
            ("pager", self.pager.is_some()),
            ("dialog", self.dialog.is_some()),
            ("outcome", self.outcome.is_some()),
            ("policy", self.policy.is_some()),
        ]
    }

    /// Names of the roles.
    #[must_use]
    pub fn roles(&self) -> Vec<&'static str> {
        self.each().into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
    }

    /// Has it this role?
    #[must_use]
    pub fn has(&self, role: &str) -> bool {
        self.each().into_iter().any(|(name, has)| has && name == role)
    }
}

/// The functions of one instance.
#[expect(missing_debug_implementations, reason = "generated types without one")]
pub struct Roles {
    setup: exports::setup::Guest,
    /// Recognises devices.
    pub identify: Option<exports::identify::Guest>,
    /// Reads prompts.
    pub prompt: Option<exports::prompt::Guest>,
    /// Turns pages.
    pub pager: Option<exports::pager::Guest>,
    /// Carries dialogs through.
    pub dialog: Option<exports::dialog::Guest>,
    /// Tells failures.
    pub outcome: Option<exports::outcome::Guest>,
    /// Judges lines.
    pub policy: Option<exports::policy::Guest>,
}

impl Roles {
    fn load(store: &mut Store<Guest>, instance: &WasmInstance, indices: &Indices) -> wasmtime::Result<Self> {
        Ok(Self {
            setup: indices.setup.load(&mut *store, instance)?,
            identify: indices.identify.as_ref().map(|index| index.load(&mut *store, instance)).transpose()?,
            prompt: indices.prompt.as_ref().map(|index| index.load(&mut *store, instance)).transpose()?,
            pager: indices.pager.as_ref().map(|index| index.load(&mut *store, instance)).transpose()?,
            dialog: indices.dialog.as_ref().map(|index| index.load(&mut *store, instance)).transpose()?,
            outcome: indices.outcome.as_ref().map(|index| index.load(&mut *store, instance)).transpose()?,
            policy: indices.policy.as_ref().map(|index| index.load(&mut *store, instance)).transpose()?,
        })
    }
}

/// A plugin's instance, ready for a call.
#[expect(missing_debug_implementations, reason = "generated types without one")]
pub struct Instance {
    /// Its store; nothing else lives there.
    pub store: Store<Guest>,
    /// Its functions.
    pub roles: Roles,
}

/// How starting an instance failed.
#[derive(Debug)]
pub enum StartError {
    /// The engine's error, what was refused, what the plugin printed.
    Wasm(wasmtime::Error, Option<FaultKind>, String),
    /// The plugin refused its settings.
    Config(Vec<types::Diagnostic>),
}

impl Instance {
    /// Instantiates and configures.
    ///
    /// # Errors
    ///
    /// When the plugin traps, does not fit the contract's types, or refuses its settings.
    pub async fn start(
        pre: &InstancePre<Guest>,
        indices: &Indices,
        guest: Guest,
        settings: &str,
        limit: Duration,
    ) -> Result<Self, StartError> {
        let mut store = Store::new(pre.engine(), guest);
        store.limiter(|guest| &mut guest.bounds);
        store.epoch_deadline_callback(|mut context| {
            let guest = context.data_mut();
            if guest.ticks_left == 0 {
                return Ok(UpdateDeadline::Interrupt);
            }
            guest.ticks_left -= 1;
            guest.yielded.store(true, Ordering::Relaxed);
            // Others run meanwhile: a slow plugin costs its own session only.
            Ok(UpdateDeadline::Yield(1))
        });
        // Refused by an engine that does not count, which is the usual one.
        let _ = store.set_fuel(u64::MAX);
        arm(&mut store, limit);
        let yielded = Arc::clone(&store.data().yielded);
        let starting = async {
            let instance = pre.instantiate_async(&mut store).await?;
            let roles = Roles::load(&mut store, &instance, indices)?;
            arm(&mut store, limit);
            let configured = roles.setup.call_configure(&mut store, settings).await?;
            Ok::<_, wasmtime::Error>((roles, configured))
        };
        let started = promptly(yielded, pin!(starting)).await;
        match started {
            Ok((roles, Ok(()))) => Ok(Self { store, roles }),
            Ok((_, Err(diagnostics))) => Err(StartError::Config(diagnostics)),
            Err(error) => {
                let stderr = printed(&store);
                Err(StartError::Wasm(error, store.data().bounds.refused.clone(), stderr))
            }
        }
    }

    /// Gives the next call this much time, and a fresh allowance of data and log lines.
    pub fn arm(&mut self, limit: Duration) {
        arm(&mut self.store, limit);
    }

    /// Where the clock says that a call stopped to let others run.
    #[must_use]
    pub fn yielded(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.store.data().yielded)
    }

    /// Instructions so far, where the engine counts them.
    #[must_use]
    pub fn fuel_used(&self) -> u64 {
        self.store.get_fuel().map_or(0, |left| u64::MAX - left)
    }

    /// Its linear memory, which only grows.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.store.data().bounds.memory_bytes
    }

    /// What it wanted more of and did not get.
    #[must_use]
    pub fn refused(&self) -> Option<FaultKind> {
        self.store.data().bounds.refused.clone()
    }

    /// What the plugin printed, a panic's message as a rule.
    #[must_use]
    pub fn printed(&self) -> String {
        printed(&self.store)
    }
}

fn arm(store: &mut Store<Guest>, limit: Duration) {
    let guest = store.data_mut();
    guest.ticks_left = ticks(limit);
    guest.log_lines = 0;
    guest.yielded.store(false, Ordering::Relaxed);
    guest.printed.clear();
    store.set_epoch_deadline(1);
    store.set_hostcall_fuel(PLUGIN_LIFT_MAX_BYTES);
}

fn printed(store: &Store<Guest>) -> String {
    let text = store.data().printed.text();
    // A panic says more below its first line, which is for its author.
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let told = if line.contains(PANICKED) { text.lines().take(3).collect::<Vec<_>>().join(" ") } else { line.to_owned() };
    escaped(&told).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_of_an_instance_count_together() {
        let mut bounds = Bounds::default();
        assert!(bounds.memory_growing(0, PLUGIN_MEMORY_MAX_BYTES / 2, None).unwrap());
        assert!(bounds.memory_growing(PLUGIN_MEMORY_MAX_BYTES / 2, PLUGIN_MEMORY_MAX_BYTES / 2 + 4096, None).unwrap());
        assert!(bounds.memory_growing(0, PLUGIN_MEMORY_MAX_BYTES / 2, None).is_err() && bounds.refused == Some(FaultKind::Memory));
        let mut whole = Bounds::default();
        assert!(whole.memory_growing(0, PLUGIN_MEMORY_MAX_BYTES, None).unwrap());
        assert!(whole.memory_growing(PLUGIN_MEMORY_MAX_BYTES, PLUGIN_MEMORY_MAX_BYTES + 1, None).is_err());
    }

    #[test]
    fn all_tables_of_an_instance_count_together() {
        let mut bounds = Bounds::default();
        assert!(bounds.table_growing(0, PLUGIN_TABLE_MAX_ELEMENTS, None).unwrap());
        assert!(bounds.table_growing(0, 1, None).is_err() && bounds.refused == Some(FaultKind::Tables));
    }

    #[test]
    fn the_operator_may_allow_more_parts_but_not_more_memory() {
        let mut bounds = Bounds { max_parts: Some(32), ..Bounds::default() };
        assert_eq!((bounds.instances(), bounds.memories()), (32, 32));
        assert!(bounds.memory_growing(0, PLUGIN_MEMORY_MAX_BYTES + 1, None).is_err());
        let usual = Bounds::default();
        assert_eq!((usual.instances(), usual.memories()), (PLUGIN_CORE_INSTANCES_MAX, PLUGIN_MEMORIES_MAX));
    }
}
