//! From a file to a plugin that may be asked: size, digest, manifest, imports, version, compile, probation.
//!
//! No code of the plugin runs before the file is the pinned one and asks for nothing that it must not have.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crossbeam_queue::ArrayQueue;
use regex::Regex;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use wasmtime::component::{Component, InstancePre};

use super::breaker::{Breaker, Gate};
use super::compiled::CompiledCache;
use super::engine::{ClockGuard, Engine};
use super::failures::Failures;
use super::fault::{Fault, FaultKind, LoadError, kind_of};
use super::grants::{self, Refusal};
use super::identify::Table;
use super::instance::{Guest, Indices, Instance, StartError};
use super::lines::Lines;
use super::manifest::{Interfaces, Manifest, SettingSpec};
use super::promptly::Waits;
use super::signature::{self, Demand};
use super::triggers::{self, Triggers};
use crate::config::Declaration;
use crate::limits::{PLUGIN_CONFIG_MAX_BYTES, PLUGIN_FILE_MAX_BYTES, PLUGIN_INSTANCES_IDLE_MAX, PLUGIN_START_MAX};
use crate::secret::look::Looks;

/// Where a plugin's bytes are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// In this program.
    Embedded(&'static [u8]),
    /// In a file.
    File(PathBuf),
}

/// What the operator says of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Its name in the configuration.
    pub name: String,
    /// Its bytes.
    pub source: Source,
    /// The pinned digest, 64 hexadecimal digits.
    pub digest: Option<String>,
    /// Its settings.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Secrets that it may ask for; `None` grants what an embedded plugin's manifest declares.
    pub secrets: Option<Vec<String>>,
    /// The largest file in bytes.
    pub max_bytes: u64,
    /// Modules and memories of an instance; `None` keeps the host's limits.
    pub max_parts: Option<usize>,
    /// The device type that the plugin is to serve, for the one that serves declared types.
    pub declaration: Option<Arc<Declaration>>,
    /// Whose signature its file must have.
    pub signer: Option<Demand>,
}

impl Spec {
    /// An embedded plugin with its defaults.
    #[must_use]
    pub fn embedded(name: &str, wasm: &'static [u8]) -> Self {
        Self {
            name: name.to_owned(),
            source: Source::Embedded(wasm),
            digest: None,
            settings: serde_json::Map::new(),
            secrets: None,
            max_bytes: PLUGIN_FILE_MAX_BYTES,
            max_parts: None,
            declaration: None,
            signer: None,
        }
    }
}

/// A plugin's bytes, checked as far as that goes without running them.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it says of itself.
    pub manifest: Manifest,
    /// SHA-256 of the file in hexadecimal.
    pub digest: String,
    /// Its size.
    pub bytes: u64,
    /// What it imports and exports.
    pub imports: Vec<String>,
    /// Interfaces of the contract that it exports.
    pub roles: Vec<String>,
    /// The file itself.
    pub wasm: std::borrow::Cow<'static, [u8]>,
}

/// Checks a plugin without running it.
///
/// # Errors
///
/// The first check that fails.
pub fn check(spec: &Spec) -> Result<Checked, LoadError> {
    let name = || spec.name.clone();
    let wasm = read(spec)?;
    let digest = digest(&wasm);
    if let Some(pinned) = spec.digest.as_ref().filter(|pinned| !pinned.eq_ignore_ascii_case(&digest)) {
        return Err(LoadError::Digest { name: name(), actual: digest, pinned: pinned.clone() });
    }
    check_signature(spec, &wasm)?;
    let interfaces = Interfaces::from_component(&wasm).map_err(|what| LoadError::NotAComponent { name: name(), what })?;
    let mut manifest = Manifest::from_component(&wasm).map_err(|what| LoadError::Manifest { name: name(), what })?;
    if let Some(declaration) = &spec.declaration {
        manifest = super::declared::manifest(manifest, declaration);
    }
    check_host(&spec.name, &manifest)?;
    check_imports(&spec.name, &interfaces, &manifest)?;
    let roles = check_exports(&spec.name, &interfaces)?;
    if !manifest.secrets.is_empty() && !roles.iter().any(|role| role == "dialog") {
        return Err(LoadError::Manifest { name: name(), what: "it lists `secrets` but has no dialog that could ask for them".to_owned() });
    }
    Ok(Checked { manifest, digest, bytes: wasm.len() as u64, imports: interfaces.imports, roles, wasm })
}

fn read(spec: &Spec) -> Result<std::borrow::Cow<'static, [u8]>, LoadError> {
    let path = match &spec.source {
        Source::Embedded(wasm) => return Ok(std::borrow::Cow::Borrowed(wasm)),
        Source::File(path) => path,
    };
    let failed = |source| LoadError::Read { name: spec.name.clone(), path: path.display().to_string(), source };
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(std::io::Error::other("it is not a file")));
    }
    crate::config::safety::check(path, "plugin").map_err(|why| failed(std::io::Error::other(why)))?;
    let too_large = |bytes| LoadError::Size { name: spec.name.clone(), bytes, max: spec.max_bytes };
    if metadata.len() > spec.max_bytes {
        return Err(too_large(metadata.len()));
    }
    // The file may have grown since.
    let mut wasm = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(spec.max_bytes.saturating_add(1)).read_to_end(&mut wasm).map_err(failed)?;
    if wasm.len() as u64 > spec.max_bytes {
        return Err(too_large(wasm.len() as u64));
    }
    Ok(std::borrow::Cow::Owned(wasm))
}

/// Before the file is looked into: nobody's code is parsed on a promise.
fn check_signature(spec: &Spec, wasm: &[u8]) -> Result<(), LoadError> {
    let Some(demand) = &spec.signer else { return Ok(()) };
    let checked = match &spec.source {
        Source::File(path) => signature::check(path, wasm, demand, SystemTime::now()).map_err(|error| error.to_string()),
        Source::Embedded(_) => Err("a plugin in the program has no signature; leave `signer` out, or give the plugin a `path`".to_owned()),
    };
    checked.map_err(|what| LoadError::Signature { name: spec.name.clone(), signer: demand.principal.clone(), what })
}

/// SHA-256 of a file that is no larger than this.
///
/// # Errors
///
/// When it cannot be read, or is larger.
pub fn digest_of(path: &Path, max_bytes: u64) -> std::io::Result<[u8; 32]> {
    let mut wasm = Vec::new();
    std::fs::File::open(path)?.take(max_bytes.saturating_add(1)).read_to_end(&mut wasm)?;
    if wasm.len() as u64 > max_bytes {
        return Err(std::io::Error::other(format!("it has more than {max_bytes} bytes")));
    }
    Ok(Sha256::digest(&wasm).into())
}

fn check_imports(name: &str, interfaces: &Interfaces, manifest: &Manifest) -> Result<(), LoadError> {
    for import in &interfaces.imports {
        let known = match grants::check_import(import, &manifest.wasi) {
            Ok(()) => continue,
            Err(Refusal::Version) => {
                let known = format!("{} {}", grants::CONTRACT, grants::VERSION);
                return Err(LoadError::Version { name: name.to_owned(), found: import.clone(), known });
            }
            Err(Refusal::NotListed) => "it once its manifest lists it under `wasi`".to_owned(),
            Err(Refusal::NotGranted) => grants::known_imports(),
        };
        return Err(LoadError::Import { name: name.to_owned(), import: import.clone(), known });
    }
    Ok(())
}

fn check_exports(name: &str, interfaces: &Interfaces) -> Result<Vec<String>, LoadError> {
    let mut roles = Vec::new();
    for export in &interfaces.exports {
        let Some(rest) = export.strip_prefix(grants::CONTRACT).and_then(|rest| rest.strip_prefix('/')) else { continue };
        let (role, version) = rest.split_once('@').unwrap_or((rest, ""));
        if !grants::is_known_version(version) {
            let known = format!("{} {}", grants::CONTRACT, grants::VERSION);
            return Err(LoadError::Version { name: name.to_owned(), found: export.clone(), known });
        }
        roles.push(role.to_owned());
    }
    if !roles.iter().any(|role| role == "setup") {
        let what = format!("it does not export `{}/setup`, which every plugin has", grants::CONTRACT);
        return Err(LoadError::Contract { name: name.to_owned(), what });
    }
    Ok(roles)
}

fn check_host(name: &str, manifest: &Manifest) -> Result<(), LoadError> {
    let host = env!("CARGO_PKG_VERSION");
    let numbers = |version: &str| version.split('.').map(|part| part.parse::<u64>().unwrap_or_default()).collect::<Vec<_>>();
    match &manifest.min_host {
        Some(needed) if numbers(needed) > numbers(host) => {
            Err(LoadError::Host { name: name.to_owned(), needed: needed.clone(), host: host.to_owned() })
        }
        _ => Ok(()),
    }
}

/// SHA-256 of a file in hexadecimal, as a pin has it.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A plugin that may be asked.
pub struct Plugin {
    /// What it says of itself, with the operator's settings filled in.
    pub manifest: Manifest,
    /// SHA-256 of its file.
    pub digest: String,
    /// Secrets that it may ask for.
    pub secrets: Vec<String>,
    /// Its triggers.
    pub triggers: Triggers,
    /// Rows before a prompt that belong to it.
    pub context: Option<Regex>,
    /// Its texts of refused and failed commands.
    pub failures: Failures,
    /// What secrets look like in what its devices print.
    pub sensitive: Option<Arc<Looks>>,
    engine: Engine,
    pre: InstancePre<Guest>,
    indices: Indices,
    settings: String,
    max_parts: Option<usize>,
    own_settings: String,
    /// Boxed: a call moves its instance several times.
    idle: ArrayQueue<Box<Instance>>,
    calls: AtomicU64,
    lines: Arc<Lines>,
    /// Set once the breaker has something to say, so that a healthy plugin costs no lock.
    troubled: AtomicBool,
    breaker: Mutex<Breaker>,
}

impl Plugin {
    /// Its settings as JSON, without those of the device type's declaration.
    #[must_use]
    #[expect(clippy::misnamed_getters, reason = "the field of that name holds the declaration too, which is no setting of the operator")]
    pub fn settings(&self) -> &str {
        &self.own_settings
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("name", &self.manifest.name).field("roles", &self.indices.roles()).finish_non_exhaustive()
    }
}

/// Loads plugins, at most two at a time.
#[derive(Debug)]
pub struct Loader {
    engine: Engine,
    cache: Option<CompiledCache>,
    turns: Semaphore,
}

impl Loader {
    /// A loader that keeps compiled code in the cache, if there is one.
    #[must_use]
    pub fn new(engine: Engine, cache: Option<CompiledCache>) -> Self {
        Self { engine, cache, turns: Semaphore::new(2) }
    }

    /// Takes a plugin through the whole pipeline.
    ///
    /// # Errors
    ///
    /// The first step that fails.
    pub async fn load(&self, spec: &Spec) -> Result<Arc<Plugin>, LoadError> {
        let _turn = self.turns.acquire().await;
        let (engine, cache, wanted) = (self.engine.clone(), self.cache.clone(), spec.clone());
        let compiled = tokio::task::spawn_blocking(move || {
            let checked = check(&wanted)?;
            let component = compile(&engine, cache.as_ref(), &checked).map_err(|error| contract_error(&wanted.name, &error))?;
            // Patterns are compiled here too: a large one takes long.
            let patterns = Patterns::compile(&checked.manifest);
            let patterns = patterns.map_err(|what| LoadError::Manifest { name: wanted.name.clone(), what })?;
            Ok((checked, component, patterns))
        });
        let (checked, component, patterns) = match compiled.await {
            Ok(result) => result?,
            Err(error) => return Err(LoadError::Contract { name: spec.name.clone(), what: error.to_string() }),
        };
        self.assemble(spec, checked, &component, patterns).await
    }

    async fn assemble(&self, spec: &Spec, checked: Checked, component: &Component, patterns: Patterns) -> Result<Arc<Plugin>, LoadError> {
        let Patterns { triggers, failures, context, sensitive } = patterns;
        let mut manifest = checked.manifest;
        let settings = settings(spec, &manifest)?;
        fill_in(&mut manifest, &settings);
        Table::compile(&spec.name, &spec.name, &manifest.identify).map_err(|what| LoadError::Manifest { name: spec.name.clone(), what })?;
        let failed = |error: wasmtime::Error| contract_error(&spec.name, &error);
        let pre = self.engine.linker().instantiate_pre(component).map_err(failed)?;
        let has = |role: &str| checked.roles.iter().any(|exported| exported == role);
        let indices = Indices::find(&pre, has).map_err(failed)?;
        let own = settings.iter().filter(|(key, _)| manifest.config.get(*key).is_none_or(|spec| !spec.declared));
        let own = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        let [settings, own_settings] = [settings, own].map(|settings| serde_json::Value::Object(settings).to_string());
        let plugin = Plugin {
            secrets: spec.secrets.clone().unwrap_or_else(|| manifest.secrets.clone()),
            manifest,
            digest: checked.digest,
            triggers,
            context,
            failures,
            sensitive,
            engine: self.engine.clone(),
            pre,
            indices,
            settings,
            max_parts: spec.max_parts,
            own_settings,
            idle: ArrayQueue::new(PLUGIN_INSTANCES_IDLE_MAX),
            calls: AtomicU64::new(0),
            lines: Arc::new(Lines::new(&spec.name, Instant::now())),
            troubled: AtomicBool::new(false),
            breaker: Mutex::default(),
        };
        plugin.probation(&spec.name).await?;
        Ok(Arc::new(plugin))
    }
}

fn compile(engine: &Engine, cache: Option<&CompiledCache>, checked: &Checked) -> wasmtime::Result<Component> {
    match cache {
        Some(cache) => cache.component(engine.wasm(), &checked.digest, &checked.wasm),
        None => Component::from_binary(engine.wasm(), &checked.wasm),
    }
}

fn contract_error(name: &str, error: &wasmtime::Error) -> LoadError {
    let what = format!("{error:#}");
    // How the engine begins what it says of a count that is too high.
    let hint = if what.contains("resource limit exceeded") {
        format!("; raise `max_parts` in [plugin.{name}] if you trust it")
    } else {
        String::new()
    };
    LoadError::Contract { name: name.to_owned(), what: what + &hint }
}

/// The manifest's defaults with the operator's values over them.
fn settings(spec: &Spec, manifest: &Manifest) -> Result<serde_json::Map<String, serde_json::Value>, LoadError> {
    let mut diagnostics = Vec::new();
    let mut complain = |path: &str, message: String| {
        diagnostics.push(super::bindings::jackfield::plugin::types::Diagnostic { path: path.to_owned(), message });
    };
    let mut all: serde_json::Map<_, _> = manifest.config.iter().map(|(key, setting)| (key.clone(), setting.default.clone())).collect();
    let known = || manifest.config.iter().filter(|(_, spec)| !spec.declared).map(|(key, _)| key.clone()).collect::<Vec<_>>().join(", ");
    for (key, value) in &spec.settings {
        match manifest.config.get(key) {
            None | Some(SettingSpec { declared: true, .. }) => {
                complain(key, format!("is not a setting of this plugin; it has: {}", known()))
            }
            Some(setting) if kind(&setting.default) != kind(value) => {
                complain(key, format!("is {}, {} like `{}` is needed", kind(value), kind(&setting.default), setting.default));
            }
            Some(_) => {
                all.insert(key.clone(), value.clone());
            }
        }
    }
    let bytes = serde_json::to_vec(&all).map_or(0, |json| json.len());
    if bytes > PLUGIN_CONFIG_MAX_BYTES {
        complain("", format!("take {bytes} bytes, at most {PLUGIN_CONFIG_MAX_BYTES} are given to a plugin"));
    }
    if diagnostics.is_empty() { Ok(all) } else { Err(LoadError::Config { name: spec.name.clone(), diagnostics }) }
}

fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "nothing",
        serde_json::Value::Bool(_) => "true or false",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a text",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "a table",
    }
}

/// What a manifest's patterns became.
struct Patterns {
    triggers: Triggers,
    failures: Failures,
    context: Option<Regex>,
    sensitive: Option<Arc<Looks>>,
}

impl Patterns {
    fn compile(manifest: &Manifest) -> Result<Self, String> {
        let context = manifest.context.as_deref().map(triggers::compile).transpose();
        let sensitive = manifest.sensitive.iter().map(|spec| spec.pattern.as_str());
        let sensitive = (!manifest.sensitive.is_empty()).then(|| Looks::compile(sensitive).map(Arc::new)).transpose()?;
        Ok(Self {
            triggers: Triggers::compile(&manifest.triggers)?,
            failures: Failures::compile(&manifest.failures)?,
            context: context.map_err(|error| format!("`context`: {error}"))?,
            sensitive,
        })
    }
}

/// Puts settings in the place of `{config.KEY}`.
fn fill_in(manifest: &mut Manifest, settings: &serde_json::Map<String, serde_json::Value>) {
    let fill = |text: &mut String| {
        for (key, value) in settings {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            *text = text.replace(&format!("{{config.{key}}}"), &value);
        }
    };
    manifest.sends.values_mut().for_each(fill);
    manifest.terminal.login_suffix.iter_mut().for_each(fill);
    manifest.pipe.iter_mut().for_each(|pipe| fill(&mut pipe.setup));
    manifest.queries.iter_mut().for_each(|query| fill(&mut query.answer));
}

/// An instance taken out for one call.
pub struct Call {
    /// The instance.
    pub instance: Box<Instance>,
    _clock: ClockGuard,
    limit: Duration,
    /// It tries whether the plugin works again.
    trial: bool,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Plugin {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// Names of its roles.
    #[must_use]
    pub fn roles(&self) -> Vec<&'static str> {
        self.indices.roles()
    }

    /// Has it this role?
    #[must_use]
    pub fn has(&self, role: &str) -> bool {
        self.indices.has(role)
    }

    /// Faults so far, and for how long it is off.
    #[must_use]
    pub fn health(&self) -> (u64, Option<Duration>) {
        let breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        (breaker.total(), breaker.off_for(Instant::now()))
    }

    /// The sentence of its last fault.
    #[must_use]
    pub fn last_fault(&self) -> Option<String> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).last().map(str::to_owned)
    }

    /// An instance of its own that no session shares, to try the plugin with.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub async fn trial(&self) -> Result<Call, Fault> {
        let clock = self.engine.clock();
        let instance = self.start("setup.configure").await?;
        Ok(Call { instance, _clock: clock, limit: PLUGIN_START_MAX, trial: false })
    }

    /// Calls into it so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// A first instance: proves the types of every role and the settings.
    async fn probation(&self, name: &str) -> Result<(), LoadError> {
        let _clock = self.engine.clock();
        match Instance::start(&self.pre, &self.indices, self.guest(), &self.settings, PLUGIN_START_MAX).await {
            Ok(instance) => {
                // There is room: it is the first.
                let _ = self.idle.push(Box::new(instance));
                Ok(())
            }
            Err(StartError::Config(diagnostics)) => Err(LoadError::Config { name: name.to_owned(), diagnostics }),
            Err(StartError::Wasm(error, memory, printed)) if error.is::<wasmtime::Trap>() || error.is::<Waits>() || memory => {
                let fault = self.fault("setup.configure", kind_of(&error, PLUGIN_START_MAX, memory));
                Err(LoadError::Probation { name: name.to_owned(), fault: Box::new(Fault { printed: printed.into(), ..fault }) })
            }
            Err(StartError::Wasm(error, ..)) => Err(contract_error(name, &error)),
        }
    }

    /// Takes an instance for a call that may last `limit`.
    ///
    /// # Errors
    ///
    /// When the plugin is off, or a new instance does not start.
    pub async fn begin(&self, function: &'static str, limit: Duration) -> Result<Call, Fault> {
        let trial = match self.gate() {
            Gate::Open => false,
            Gate::Trial => {
                crate::diagnostics::plugin_line(self.name(), "warn", "it was off long enough and is tried again");
                true
            }
            Gate::Off(left) => return Err(self.fault(function, FaultKind::Off(left, self.last_fault().unwrap_or_default().into()))),
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        let clock = self.engine.clock();
        let mut instance = match self.idle.pop() {
            Some(instance) => instance,
            None => self.start(function).await?,
        };
        instance.arm(limit);
        Ok(Call { instance, _clock: clock, limit, trial })
    }

    fn gate(&self) -> Gate {
        if !self.troubled.load(Ordering::Relaxed) {
            return Gate::Open;
        }
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).gate(Instant::now())
    }

    fn guest(&self) -> Guest {
        Guest::new(Arc::clone(&self.lines), self.max_parts)
    }

    async fn start(&self, function: &'static str) -> Result<Box<Instance>, Fault> {
        let started = Instance::start(&self.pre, &self.indices, self.guest(), &self.settings, PLUGIN_START_MAX);
        started.await.map(Box::new).map_err(|error| {
            let (kind, printed) = match error {
                StartError::Wasm(error, memory, printed) => (kind_of(&error, PLUGIN_START_MAX, memory), printed),
                StartError::Config(_) => (FaultKind::Contract("it refused settings that it had accepted".to_owned()), String::new()),
            };
            self.count(Fault { printed: printed.into(), ..self.fault(function, kind) })
        })
    }

    /// Takes the call's result and the instance back. An instance that failed is dropped with its store.
    ///
    /// # Errors
    ///
    /// When the call failed.
    pub fn finish<T>(&self, function: &'static str, call: Call, result: wasmtime::Result<T>) -> Result<T, Fault> {
        match result {
            Ok(value) => {
                if call.trial {
                    self.breaker.lock().unwrap_or_else(PoisonError::into_inner).on_trial_passed(Instant::now());
                    crate::diagnostics::plugin_line(self.name(), "warn", "it works again");
                }
                // A full pool lets the surplus go.
                let _ = self.idle.push(call.instance);
                Ok(value)
            }
            Err(error) => {
                let kind = kind_of(&error, call.limit, call.instance.memory_refused());
                Err(self.count(Fault { printed: call.instance.printed().into(), ..self.fault(function, kind) }))
            }
        }
    }

    /// A plugin that answered against the contract: counted like a trap.
    #[must_use]
    pub fn broke_contract(&self, function: &'static str, what: String) -> Fault {
        self.count(self.fault(function, FaultKind::Contract(what)))
    }

    fn count(&self, fault: Fault) -> Fault {
        let off = self.breaker.lock().unwrap_or_else(PoisonError::into_inner).on_fault(Instant::now(), &fault.in_short());
        self.troubled.store(true, Ordering::Relaxed);
        crate::diagnostics::plugin_line(self.name(), "error", &fault.in_full());
        if let Some(off) = off {
            let text = format!("it is switched off for {} s after repeated faults", off.as_secs());
            crate::diagnostics::plugin_line(self.name(), "error", &text);
        }
        fault
    }

    fn fault(&self, function: &'static str, kind: FaultKind) -> Fault {
        Fault { plugin: self.manifest.name.clone(), version: self.manifest.version.clone(), function, kind, printed: Box::default() }
    }
}

/// Calls a role's function; a call that failed is made once more in a new instance.
macro_rules! call_plugin {
    ($plugin:expr, $name:literal, $limit:expr, $role:ident, |$guest:ident, $store:ident| $call:expr) => {{
        let plugin: &$crate::plugin::load::Plugin = $plugin;
        let mut first = None;
        loop {
            let mut call = match plugin.begin($name, $limit).await {
                Ok(call) => call,
                // That it is off now says less than why.
                Err(fault) => break Err(first.unwrap_or(fault)),
            };
            let yielded = call.instance.yielded();
            let $crate::plugin::instance::Instance { store, roles } = &mut *call.instance;
            let Some($guest) = &roles.$role else {
                break Err(plugin.broke_contract($name, "it has not this role".to_owned()));
            };
            let $store = store;
            let result = $crate::plugin::promptly::promptly(yielded, $call).await;
            match plugin.finish($name, call, result) {
                Err(fault) if first.is_none() => first = Some(fault),
                done => break done,
            }
        }
    }};
}
pub(crate) use call_plugin;
