//! The plugin under test, loaded, together with all bundled ones that serve its types beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Wanted;
use crate::config::DECLARED;
use crate::limits::PLUGIN_FILE_MAX_BYTES;
use crate::plugin::catalog::{BUNDLED, Catalog, DECLARED_TYPES};
use crate::plugin::compiled::CompiledCache;
use crate::plugin::device_type::DeviceType;
use crate::plugin::engine::Engine;
use crate::plugin::load::{self, Checked, Loader, Plugin, Source, Spec};

/// A plugin and where it runs.
#[derive(Debug)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its file.
    pub checked: Checked,
    /// Itself, ready: one for each declared type where it is the plugin that serves these.
    pub loaded: Vec<Arc<Plugin>>,
    spec: Spec,
    engine: Engine,
    cache: Option<CompiledCache>,
    /// Kept as long as the compiled plugins are used.
    _folder: Option<tempfile::TempDir>,
}

impl Subject {
    /// Loads it with the settings that are wanted.
    ///
    /// # Errors
    ///
    /// When it does not load.
    pub fn load(wanted: &Wanted) -> Result<Self, String> {
        let max_bytes = wanted.max_file_bytes.unwrap_or(PLUGIN_FILE_MAX_BYTES);
        let name = wanted.source.name(max_bytes);
        let found = Spec { source: wanted.source.clone(), max_parts: wanted.max_parts, max_bytes, ..Spec::embedded(&name, &[]) };
        let checked = load::check(&found).map_err(|error| error.to_string())?;
        let name = checked.manifest.name.clone();
        let engine = Engine::start().map_err(|error| format!("the WebAssembly engine does not start: {error:#}"))?;
        let folder = tempfile::tempdir().ok();
        let cache = folder.as_ref().and_then(|folder| CompiledCache::open(&folder.path().join("compiled")).ok());
        // The file that was read is the one that is tried.
        let digest = matches!(wanted.source, Source::File(_)).then(|| checked.digest.clone());
        let spec = Spec { name: name.clone(), settings: wanted.settings.clone(), digest, ..found };
        let mut subject = Self { name, checked, loaded: Vec::new(), spec, engine, cache, _folder: folder };
        subject.loaded = runtime()?.block_on(subject.plugins(&subject.engine))?;
        Ok(subject)
    }

    /// May it ever ask for a secret?
    #[must_use]
    pub fn asks_for_secrets(&self) -> bool {
        self.loaded.iter().any(|plugin| !plugin.manifest.secrets.is_empty())
    }

    /// Has it this role?
    #[must_use]
    pub fn has(&self, role: &str) -> bool {
        self.checked.roles.iter().any(|own| own == role)
    }

    /// The plugin in an engine that counts instructions.
    ///
    /// # Errors
    ///
    /// When it does not load there.
    pub fn counted(&self) -> Result<Vec<Arc<Plugin>>, String> {
        let engine = Engine::counting().map_err(|error| format!("the WebAssembly engine does not count: {error:#}"))?;
        runtime()?.block_on(self.plugins(&engine))
    }

    async fn plugins(&self, engine: &Engine) -> Result<Vec<Arc<Plugin>>, String> {
        let catalog = self.catalog_on(engine, Vec::new(), None);
        if self.name != DECLARED {
            return Ok(vec![catalog.plugin(&self.name).await.map_err(|error| error.to_string())?]);
        }
        let mut plugins = Vec::new();
        for (kind, _) in DECLARED_TYPES {
            plugins.push(catalog.plugin_of(kind, DECLARED).await.map_err(|error| error.to_string())?);
        }
        Ok(plugins)
    }

    fn catalog_on(&self, engine: &Engine, settings: Vec<Spec>, cache: Option<CompiledCache>) -> Catalog {
        let mut configured = vec![self.spec.clone()];
        configured.extend(settings);
        Catalog::new(configured, BTreeMap::new(), Loader::new(engine.clone(), cache))
    }

    /// A plugin among these settings that cannot be had: it is neither the one under test nor a bundled one.
    #[must_use]
    pub fn stranger<'s>(&self, settings: &'s [(String, String)]) -> Option<&'s str> {
        let is_here = |plugin: &str| plugin == self.name || BUNDLED.iter().any(|(name, _)| *name == plugin);
        settings.iter().map(|(plugin, _)| plugin.as_str()).find(|plugin| !is_here(plugin))
    }

    /// A device type that has the plugin, with the settings of a recording; none when the type has it not.
    ///
    /// # Errors
    ///
    /// When there is no such type, or one of its plugins does not load.
    pub async fn device_type(&self, kind: &str, settings: &[(String, String)]) -> Result<Option<Arc<DeviceType>>, String> {
        let mut specs = Vec::new();
        for (plugin, json) in settings {
            let base = if *plugin == self.name {
                self.spec.clone()
            } else {
                let (name, wasm) = BUNDLED
                    .iter()
                    .find(|(name, _)| name == plugin)
                    .ok_or_else(|| format!("it has settings of `{plugin}`, which is no bundled plugin"))?;
                Spec::embedded(name, wasm)
            };
            let settings = serde_json::from_str(json).map_err(|error| format!("its settings of `{plugin}` are no JSON object: {error}"))?;
            specs.push(Spec { settings, ..base });
        }
        let catalog = self.catalog_on(&self.engine, specs, self.cache.clone());
        let Some(plugins) = catalog.plugins_of(kind) else {
            let own = self.checked.manifest.types.join(", ");
            return Err(format!("there is no device type `{kind}`; this plugin serves {own}"));
        };
        if !plugins.contains(&self.name) {
            return Ok(None);
        }
        DeviceType::load(kind, &plugins, &catalog).await.map(|kind| Some(Arc::new(kind))).map_err(|error| error.to_string())
    }
}

/// A runtime whose clock moves only when nothing is left to do.
///
/// # Errors
///
/// When the system gives none.
pub fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().map_err(|error| error.to_string())
}
