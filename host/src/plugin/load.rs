//! From a file to a plugin that may be asked: size, digest, manifest, imports, version, compile, probation.
//!
//! No code of the plugin runs before the file is the pinned one and asks for nothing that it must not have.

mod calls;
mod check;
mod settings;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crossbeam_queue::ArrayQueue;
use regex::Regex;
use tokio::sync::{OnceCell, Semaphore};
use wasmtime::component::{Component, InstancePre};

pub use self::calls::Call;
pub(crate) use self::calls::call_plugin;
pub use self::check::{Checked, check, digest};
use super::blocks::Blocks;
use super::breaker::Breaker;
use super::compiled::CompiledCache;
use super::engine::Engine;
use super::failures::Failures;
use super::fault::LoadError;
use super::identify::Table;
use super::instance::{Guest, Indices, Instance};
use super::lines::Lines;
use super::manifest::Manifest;
use super::signature::Demand;
use super::triggers::{self, Triggers};
use crate::bounded;
use crate::config::{Declaration, header};
use crate::limits::{PLUGIN_FILE_MAX_BYTES, PLUGIN_INSTANCES_IDLE_MAX};
use crate::secret::look::Looks;

/// Where a plugin's bytes are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// In this program.
    Embedded(&'static [u8]),
    /// In a file.
    File(PathBuf),
}

impl Source {
    /// What a plugin is called that nobody has given a name: as its manifest says, or like its file where that cannot be read. What is wrong
    /// with the file is found by the loader, step by step.
    #[must_use]
    pub fn name(&self, max_bytes: u64) -> String {
        let wasm = match self {
            Self::Embedded(wasm) => Some(Cow::Borrowed(*wasm)),
            Self::File(path) => bounded::check_file(path).ok().and_then(|()| bounded::read(path, max_bytes).ok()).map(Cow::Owned),
        };
        let stem = || match self {
            Self::File(path) => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
            Self::Embedded(_) => None,
        };
        let said = wasm.and_then(|wasm| Manifest::from_component(&wasm).ok()).map(|manifest| manifest.name);
        said.or_else(stem).unwrap_or_else(|| "plugin".to_owned())
    }
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
    /// Its instances serve one call after the other, of any session.
    pub is_shared: bool,
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
            is_shared: true,
            max_parts: None,
            declaration: None,
            signer: None,
        }
    }
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
    /// Texts that its devices take behind a line.
    pub blocks: Blocks,
    /// Its texts of refused and failed commands.
    pub failures: Failures,
    /// What secrets look like in what its devices print.
    pub sensitive: Option<Arc<Looks>>,
    engine: Engine,
    pre: InstancePre<Guest>,
    indices: Indices,
    settings: String,
    is_shared: bool,
    max_parts: Option<usize>,
    own_settings: String,
    /// Boxed: a call moves its instance several times.
    idle: ArrayQueue<Box<Instance>>,
    calls: AtomicU64,
    /// What its dialogs can carry through, once it has said so.
    goals: OnceCell<Vec<String>>,
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
        let Patterns { triggers, blocks, failures, context, sensitive } = patterns;
        let mut manifest = checked.manifest;
        let settings = settings::merged(spec, &manifest)?;
        settings::fill_in(&mut manifest, &settings);
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
            blocks,
            failures,
            sensitive,
            engine: self.engine.clone(),
            pre,
            indices,
            settings,
            is_shared: spec.is_shared,
            max_parts: spec.max_parts,
            own_settings,
            idle: ArrayQueue::new(PLUGIN_INSTANCES_IDLE_MAX),
            calls: AtomicU64::new(0),
            goals: OnceCell::new(),
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
        format!("; raise `max_parts` in {} if you trust it", header("plugin", name))
    } else {
        String::new()
    };
    LoadError::Contract { name: name.to_owned(), what: what + &hint }
}

/// The regex engine draws the place of an error on rows of its own.
fn drawn(why: String) -> String {
    match why.split_once(": regex parse error:") {
        Some((pattern, drawing)) => format!("{pattern}: {}", triggers::in_short(drawing)),
        None => why,
    }
}

/// What a manifest's patterns became.
struct Patterns {
    triggers: Triggers,
    blocks: Blocks,
    failures: Failures,
    context: Option<Regex>,
    sensitive: Option<Arc<Looks>>,
}

impl Patterns {
    fn compile(manifest: &Manifest) -> Result<Self, String> {
        let context = manifest.context.as_deref().map(triggers::compile).transpose();
        let sensitive = manifest.sensitive.iter().map(|spec| spec.pattern.as_str());
        let sensitive = (!manifest.sensitive.is_empty()).then(|| Looks::compile(sensitive).map(Arc::new)).transpose().map_err(drawn)?;
        Ok(Self {
            triggers: Triggers::compile(&manifest.triggers)?,
            blocks: Blocks::compile(&manifest.blocks)?,
            failures: Failures::compile(&manifest.failures)?,
            context: context.map_err(|error| format!("`context`: {}", triggers::in_short(&error.to_string())))?,
            sensitive,
        })
    }
}
