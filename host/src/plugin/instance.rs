//! One instance of a plugin in a store of its own, and calls into it.
//!
//! A trap closes a store for good. So an instance that failed is dropped and the call is made once more in a new one:
//! plugins keep nothing between calls, so nothing is lost.

use std::time::Duration;

use wasmtime::component::{Instance as WasmInstance, InstancePre, ResourceTable};
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use super::bindings::exports::jackfield::plugin as exports;
use super::bindings::jackfield::plugin::{host as host_interface, types};
use super::engine::ticks;
use crate::limits::{
    PLUGIN_CORE_INSTANCES_MAX, PLUGIN_LIFT_MAX_BYTES, PLUGIN_LOG_LINE_MAX_BYTES, PLUGIN_LOG_LINES_MAX, PLUGIN_MEMORIES_MAX,
    PLUGIN_MEMORY_MAX_BYTES, PLUGIN_STDERR_MAX_BYTES, PLUGIN_TABLE_MAX_ELEMENTS, PLUGIN_TABLES_MAX,
};
use crate::terminal::text::{escaped, first_bytes};

/// What the host keeps for an instance.
pub struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    bounds: Bounds,
    stderr: MemoryOutputPipe,
    ticks_left: u64,
    log_lines: usize,
    name: String,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Guest {
    fn new(name: &str) -> Self {
        let stderr = MemoryOutputPipe::new(PLUGIN_STDERR_MAX_BYTES);
        let seed = || wasmtime_wasi::random::Deterministic::new(vec![0x5a; 32]);
        let mut wasi = WasiCtx::builder();
        wasi.stdout(stderr.clone()).stderr(stderr.clone());
        wasi.wall_clock(StoppedClock).monotonic_clock(StoppedClock);
        wasi.secure_random(seed()).insecure_random(seed()).insecure_random_seed(0);
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        Self {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            bounds: Bounds::default(),
            stderr,
            ticks_left: 0,
            log_lines: 0,
            name: name.to_owned(),
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
        if self.log_lines <= PLUGIN_LOG_LINES_MAX {
            let line = escaped(first_bytes(&message, PLUGIN_LOG_LINE_MAX_BYTES));
            crate::diagnostics::plugin_line(&self.name, level_word(level), &line);
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

/// The memory ceiling, and whether it was hit.
#[derive(Debug, Default)]
struct Bounds {
    refused: bool,
    memory_bytes: usize,
}

impl ResourceLimiter for Bounds {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory_bytes = desired.min(PLUGIN_MEMORY_MAX_BYTES);
        self.grant(desired <= PLUGIN_MEMORY_MAX_BYTES)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.grant(desired <= PLUGIN_TABLE_MAX_ELEMENTS)
    }

    fn instances(&self) -> usize {
        PLUGIN_CORE_INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        PLUGIN_TABLES_MAX
    }

    fn memories(&self) -> usize {
        PLUGIN_MEMORIES_MAX
    }
}

impl Bounds {
    /// Refusing ends the call: a guest that goes on without its memory would only fail later, and less clearly.
    fn grant(&mut self, within: bool) -> wasmtime::Result<bool> {
        if within {
            return Ok(true);
        }
        self.refused = true;
        Err(wasmtime::Error::msg("memory ceiling"))
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
    /// The engine's error, whether memory was refused, what the plugin printed.
    Wasm(wasmtime::Error, bool, String),
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
        name: &str,
        settings: &str,
        limit: Duration,
    ) -> Result<Self, StartError> {
        let mut store = Store::new(pre.engine(), Guest::new(name));
        store.limiter(|guest| &mut guest.bounds);
        store.epoch_deadline_callback(|mut context| {
            let guest = context.data_mut();
            if guest.ticks_left == 0 {
                return Ok(UpdateDeadline::Interrupt);
            }
            guest.ticks_left -= 1;
            // Others run meanwhile: a slow plugin costs its own session only.
            Ok(UpdateDeadline::Yield(1))
        });
        // Refused by an engine that does not count, which is the usual one.
        let _ = store.set_fuel(u64::MAX);
        arm(&mut store, limit);
        let started = async {
            let instance = pre.instantiate_async(&mut store).await?;
            let roles = Roles::load(&mut store, &instance, indices)?;
            arm(&mut store, limit);
            let configured = roles.setup.call_configure(&mut store, settings).await?;
            Ok((roles, configured))
        };
        match started.await {
            Ok((roles, Ok(()))) => Ok(Self { store, roles }),
            Ok((_, Err(diagnostics))) => Err(StartError::Config(diagnostics)),
            Err(error) => {
                let stderr = printed(&store);
                Err(StartError::Wasm(error, store.data().bounds.refused, stderr))
            }
        }
    }

    /// Gives the next call this much time, and a fresh allowance of data and log lines.
    pub fn arm(&mut self, limit: Duration) {
        arm(&mut self.store, limit);
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

    /// Was memory refused?
    #[must_use]
    pub fn memory_refused(&self) -> bool {
        self.store.data().bounds.refused
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
    store.set_epoch_deadline(1);
    store.set_hostcall_fuel(PLUGIN_LIFT_MAX_BYTES);
}

fn printed(store: &Store<Guest>) -> String {
    escaped(&String::from_utf8_lossy(&store.data().stderr.contents()).replace('\n', " ")).trim().to_owned()
}
