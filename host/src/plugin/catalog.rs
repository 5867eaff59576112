//! Which plugins and device types there are: those in this program and those that the operator configured.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::fault::LoadError;
use super::identify::{self, Evidence, Score, Table};
use super::load::{self, Checked, Loader, Plugin, Spec};
use super::manifest::Manifest;
use crate::config::{DECLARED, Declaration};

mod bundled {
    //! Made by the build script: name and component of each folder in `plugins/`.
    include!(concat!(env!("OUT_DIR"), "/bundled.rs"));
}

pub use bundled::{CONTRACT, DECLARED_TYPES, DEMOS, LAB_DEVICES, PLUGINS as BUNDLED, SDK, TEMPLATES};

/// The type name that means every type.
const EVERY_TYPE: &str = "*";
/// The type of a device of which nothing is known: nothing is typed there by itself and nothing is proven.
pub const GENERIC: &str = "generic";

/// All plugins and types.
#[derive(Debug)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
    /// Types that the operator put together.
    types: BTreeMap<String, Vec<String>>,
    /// Types that are declared, here or by the operator. Each has a plugin of its own, made from the same component.
    declared: BTreeMap<String, Declared>,
    /// Plugins that every type has, whatever else it has.
    everywhere: Vec<String>,
    /// Every type, once all manifests could be read.
    all_types: OnceLock<BTreeMap<String, Vec<String>>>,
    /// Who tells types, once all manifests could be read.
    judges: OnceLock<Judges>,
    loader: Arc<Loader>,
}

/// Who tells the type of a device.
#[derive(Debug, Default)]
struct Judges {
    tables: Vec<Table>,
    /// Plugins that export `identify`, with the types that each is asked about.
    plugins: Vec<(String, Vec<String>)>,
}

#[derive(Debug)]
struct Entry {
    spec: Spec,
    slot: Slot,
}

/// A plugin once it was loaded, and how that went.
#[derive(Debug, Default)]
struct Slot {
    loaded: OnceCell<Arc<Plugin>>,
    loading: AtomicBool,
    failed: Mutex<Option<String>>,
}

impl Slot {
    async fn get(&self, load: impl AsyncFnOnce() -> Result<Arc<Plugin>, LoadError>) -> Result<Arc<Plugin>, LoadError> {
        let load = async || {
            self.loading.store(true, Ordering::Relaxed);
            let loaded = load().await;
            self.loading.store(false, Ordering::Relaxed);
            self.note(loaded.as_ref().err());
            loaded
        };
        self.loaded.get_or_try_init(load).await.cloned()
    }

    fn note(&self, error: Option<&LoadError>) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = error.map(ToString::to_string);
    }

    fn failed(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How a plugin is.
#[derive(Debug, Default)]
pub struct Condition {
    /// The one in force.
    pub loaded: Option<Arc<Plugin>>,
    /// It is being loaded.
    pub loading: bool,
    /// Why it, or its next generation, did not load.
    pub failed: Option<String>,
    /// Faults so far.
    pub faults: u64,
    /// How long it is off, if it is; zero while it waits for the call that tries it.
    pub off: Option<Duration>,
    /// The last fault.
    pub last_fault: Option<String>,
}

/// What became of a plugin when the configuration was read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// The one in force is what the configuration says.
    Kept,
    /// Another one is in force now: digests before and after.
    Swapped(String, String),
    /// It does not load; the one before stays in force.
    Refused(String),
    /// It does not load, and none was loaded before.
    Unusable(String),
}

/// A declared type, and the plugin once it was loaded for it.
#[derive(Debug)]
struct Declared {
    declaration: Source,
    slot: Slot,
}

/// Where a declaration is.
#[derive(Debug, PartialEq)]
enum Source {
    /// In this program, read when it is needed.
    Embedded(&'static str),
    /// Read with the configuration.
    Read(Arc<Declaration>),
}

/// A type's name as it is compared: `cisco-ios` and `cisco_ios` are the same.
#[must_use]
pub fn type_key(name: &str) -> String {
    name.replace('-', "_")
}

impl Declared {
    fn new(declaration: Source) -> Self {
        Self { declaration, slot: Slot::default() }
    }

    fn read(&self, kind: &str) -> Result<Arc<Declaration>, LoadError> {
        let text = match &self.declaration {
            Source::Read(declaration) => return Ok(Arc::clone(declaration)),
            Source::Embedded(text) => text,
        };
        Declaration::parse(text, Path::new(&format!("{kind}.toml"))).map(Arc::new).map_err(|diagnostics| LoadError::Manifest {
            name: DECLARED.to_owned(),
            what: diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        })
    }
}

impl Catalog {
    /// The bundled plugins, and those configured in their place or beside them.
    #[must_use]
    pub fn new(configured: Vec<Spec>, types: BTreeMap<String, Vec<String>>, loader: impl Into<Arc<Loader>>) -> Self {
        let bundled = BUNDLED.iter().map(|(name, wasm)| Spec::embedded(name, wasm));
        let entry = |spec: Spec| (spec.name.clone(), Entry { spec, slot: Slot::default() });
        let entries = bundled.chain(configured).map(entry).collect();
        Self {
            entries,
            types: types.into_iter().map(|(name, plugins)| (type_key(&name), plugins)).collect(),
            declared: DECLARED_TYPES.iter().map(|(name, text)| (type_key(name), Declared::new(Source::Embedded(text)))).collect(),
            everywhere: Vec::new(),
            all_types: OnceLock::new(),
            judges: OnceLock::new(),
            loader: loader.into(),
        }
    }

    /// The same with device types that the operator declares, in the place of those in this program or beside them.
    #[must_use]
    pub fn with_declared(mut self, declared: impl IntoIterator<Item = (String, Arc<Declaration>)>) -> Self {
        let entries = declared.into_iter().map(|(name, declaration)| (type_key(&name), Declared::new(Source::Read(declaration))));
        self.declared.extend(entries);
        self
    }

    /// The same with a plugin that every type has.
    #[must_use]
    pub fn with_everywhere(mut self, plugin: &str) -> Self {
        self.everywhere.push(plugin.to_owned());
        self
    }

    /// What a declared type is like; none for a type that has plugins of its own.
    ///
    /// # Errors
    ///
    /// When a declaration in this program is wrong.
    pub fn declaration(&self, kind: &str) -> Result<Option<Arc<Declaration>>, LoadError> {
        self.declared.get(&type_key(kind)).map(|declared| declared.read(kind)).transpose()
    }

    /// Names of all plugins.
    #[must_use]
    pub fn plugin_names(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// A plugin's file, checked without running it.
    ///
    /// # Errors
    ///
    /// When there is no such plugin or a check fails.
    pub fn check(&self, name: &str) -> Result<Checked, LoadError> {
        load::check(pinned(&self.entry(name)?.spec)?)
    }

    /// A plugin that is loaded already.
    #[must_use]
    pub fn loaded(&self, name: &str) -> Option<Arc<Plugin>> {
        let alone = self.entries.get(name)?.slot.loaded.get().cloned();
        let of_types =
            || self.declared.values().filter_map(|declared| declared.slot.loaded.get()).max_by_key(|plugin| plugin.health().0).cloned();
        // Of those that serve declared types, the one with the most faults speaks for all.
        alone.or_else(|| (name == DECLARED).then(of_types).flatten())
    }

    /// Do two names mean the same type?
    #[must_use]
    pub fn is_same_type(one: &str, other: &str) -> bool {
        type_key(one) == type_key(other)
    }

    /// Does an entry of a manifest that is limited to these types count for this one? Without any it counts for all.
    #[must_use]
    pub fn holds_for(types: &[String], kind: &str) -> bool {
        types.is_empty() || types.iter().any(|own| Self::is_same_type(own, kind))
    }

    /// How a plugin is.
    #[must_use]
    pub fn condition(&self, name: &str) -> Condition {
        let slot = self.entries.get(name).map(|entry| &entry.slot);
        let loaded = self.loaded(name);
        let (faults, off) = loaded.as_ref().map_or((0, None), |plugin| plugin.health());
        Condition {
            loading: slot.is_some_and(|slot| slot.loading.load(Ordering::Relaxed)),
            failed: slot.and_then(Slot::failed),
            faults,
            off,
            last_fault: loaded.as_ref().and_then(|plugin| plugin.last_fault()),
            loaded,
        }
    }

    /// What compiles and runs the plugins, for the catalog of the next configuration.
    #[must_use]
    pub fn loader(&self) -> Arc<Loader> {
        Arc::clone(&self.loader)
    }

    /// Takes over from the catalog of the last configuration: what is as before stays, what has changed is loaded through the whole
    /// pipeline, and where that fails the one before stays. Only what was loaded before is loaded now. By plugin, or type of a declared one.
    pub async fn take_over(&self, before: &Self) -> Vec<(String, Renewal)> {
        let mut renewals = Vec::new();
        for (name, entry) in &self.entries {
            // One that is new has nothing to go over from, and is looked at all the same.
            let old = before.entries.get(name);
            let same = old.is_some_and(|old| entry.spec == old.spec && old.slot.failed().is_none());
            let loaded = old.and_then(|old| old.slot.loaded.get());
            if let Some(renewal) = renew(&entry.spec, &entry.slot, loaded, same, &self.loader).await {
                renewals.push((name.clone(), renewal));
            }
        }
        for (kind, declared) in &self.declared {
            let (Some(old), Ok(entry)) = (before.declared.get(kind), self.entry(DECLARED)) else { continue };
            let same = old.slot.failed().is_none()
                && old.declaration == declared.declaration
                && before.entry(DECLARED).is_ok_and(|old| old.spec == entry.spec);
            let Ok(declaration) = declared.read(kind) else { continue };
            let spec = Spec { declaration: Some(declaration), ..entry.spec.clone() };
            let renewed = renew(&spec, &declared.slot, old.slot.loaded.get(), same, &self.loader).await;
            renewals.extend(renewed.filter(|renewal| *renewal != Renewal::Kept).map(|renewal| (format!("{DECLARED} for {kind}"), renewal)));
        }
        renewals
    }

    fn entry(&self, name: &str) -> Result<&Entry, LoadError> {
        let unknown = || LoadError::Unknown { name: name.to_owned(), known: self.plugin_names().join(", ") };
        self.entries.get(name).ok_or_else(unknown)
    }

    /// Loads a plugin, or gives the one loaded before.
    ///
    /// # Errors
    ///
    /// When it does not load. The next call tries again.
    pub async fn plugin(&self, name: &str) -> Result<Arc<Plugin>, LoadError> {
        let entry = self.entry(name)?;
        entry.slot.get(async || self.loader.load(pinned(&entry.spec)?).await).await
    }

    /// Loads a plugin for a device type: the one that serves declared types comes with the type's declaration.
    ///
    /// # Errors
    ///
    /// When it does not load. The next call tries again.
    pub async fn plugin_of(&self, kind: &str, name: &str) -> Result<Arc<Plugin>, LoadError> {
        let Some(declared) = self.declared.get(&type_key(kind)).filter(|_| name == DECLARED) else { return self.plugin(name).await };
        let load = async || {
            let spec = Spec { declaration: Some(declared.read(kind)?), ..self.entry(name)?.spec.clone() };
            self.loader.load(pinned(&spec)?).await
        };
        declared.slot.get(load).await
    }

    /// Every device type with the names of its plugins in order.
    #[must_use]
    pub fn types(&self) -> BTreeMap<String, Vec<String>> {
        self.known_types().into_owned()
    }

    fn known_types(&self) -> Cow<'_, BTreeMap<String, Vec<String>>> {
        if let Some(types) = self.all_types.get() {
            return Cow::Borrowed(types);
        }
        let manifests: Vec<_> = self.entries.keys().filter_map(|name| Some((name.clone(), self.manifest(name).ok()?))).collect();
        let types = self.put_together(&manifests);
        if manifests.len() == self.entries.len() {
            // Another caller may have been faster, with the same.
            return Cow::Borrowed(self.all_types.get_or_init(|| types));
        }
        Cow::Owned(types)
    }

    /// What a plugin says of itself. Where its file is spoilt, what the one in force says.
    fn manifest(&self, name: &str) -> Result<Manifest, LoadError> {
        let in_force = || self.entries.get(name).and_then(|entry| entry.slot.loaded.get());
        self.check(name).map(|checked| checked.manifest).or_else(|error| in_force().map(|plugin| plugin.manifest.clone()).ok_or(error))
    }

    /// Plugins that cannot be read, so that nobody knows which types they are for, and why.
    #[must_use]
    pub fn broken(&self) -> Vec<(&str, LoadError)> {
        match self.known_types() {
            // All of them were read for it.
            Cow::Borrowed(_) => Vec::new(),
            Cow::Owned(_) => self.entries.keys().filter_map(|name| Some((name.as_str(), self.manifest(name).err()?))).collect(),
        }
    }

    fn put_together(&self, manifests: &[(String, Manifest)]) -> BTreeMap<String, Vec<String>> {
        let mut types: BTreeMap<String, Vec<(u32, String)>> = BTreeMap::new();
        for (_, manifest) in manifests {
            for kind in manifest.types.iter().filter(|kind| *kind != EVERY_TYPE) {
                types.entry(type_key(kind)).or_default();
            }
        }
        for kind in self.declared.keys() {
            types.entry(kind.clone()).or_default();
        }
        for (name, manifest) in manifests {
            let every = manifest.types.iter().any(|kind| kind == EVERY_TYPE);
            for (kind, plugins) in &mut types {
                let serves = name == DECLARED && self.declared.contains_key(kind);
                if every || serves || manifest.types.iter().any(|own| type_key(own) == *kind) {
                    plugins.push((manifest.order, name.clone()));
                }
            }
        }
        let in_order = |mut plugins: Vec<(u32, String)>| {
            plugins.sort();
            plugins.into_iter().map(|(_, name)| name).collect()
        };
        let mut types: BTreeMap<String, Vec<String>> = types.into_iter().map(|(kind, plugins)| (kind, in_order(plugins))).collect();
        types.extend(self.types.clone());
        for plugins in types.values_mut() {
            plugins.extend(self.everywhere.iter().filter(|name| !plugins.contains(name)).cloned().collect::<Vec<_>>());
        }
        types
    }

    /// Names of the plugins of a type, in order.
    #[must_use]
    pub fn plugins_of(&self, kind: &str) -> Option<Vec<String>> {
        let key = type_key(kind);
        let own =
            |plugins: &Vec<String>| plugins.iter().chain(self.everywhere.iter().filter(|name| !plugins.contains(name))).cloned().collect();
        self.types.get(&key).map(own).or_else(|| self.known_types().get(&key).cloned())
    }

    /// What a device of a declared type shows, and which plugins know more. A table that is wrong is left out and told.
    fn judges(&self) -> &Judges {
        self.judges.get_or_init(|| {
            let mut judges = Judges::default();
            let complain = |what: String| crate::diagnostics::warn(&format!("device types are told without it: {what}"));
            for (kind, declared) in &self.declared {
                let read = declared.read(kind).map_err(|error| error.to_string());
                match read.and_then(|declaration| Table::compile(kind, DECLARED, &declaration.clues)) {
                    Ok(table) => judges.tables.push(table),
                    Err(what) => complain(what),
                }
            }
            for name in self.entries.keys() {
                match self.check(name) {
                    Ok(checked) => judges.add(name, &checked, complain),
                    Err(error) => complain(error.to_string()),
                }
            }
            judges
        })
    }

    /// Loads the plugins that tell types, so that the first device does not wait for them.
    pub async fn load_judges(&self) {
        for (name, _) in &self.judges().plugins {
            // Whoever asks it later hears why it does not load.
            let _ = self.plugin(name).await;
        }
    }

    /// Scores of every type, by tables and by plugins. A plugin that does not load has no opinion.
    pub async fn scores(&self, evidence: &Evidence) -> Vec<Score> {
        let judges = self.judges();
        let mut scores: Vec<Score> = judges.tables.iter().filter_map(|table| table.score(evidence)).collect();
        for (name, kinds) in &judges.plugins {
            match self.plugin(name).await {
                Ok(plugin) => scores.extend(identify::ask(&plugin, kinds, evidence).await),
                Err(error) => crate::diagnostics::warn(&format!("device types are told without `{name}`: {error}")),
            }
        }
        identify::best(scores)
    }

    /// Do the same plugins serve both types in the same way? A declaration makes a type of its own.
    #[must_use]
    pub fn serves_alike(&self, one: &str, other: &str) -> bool {
        let own = |kind: &str| self.declared.contains_key(&type_key(kind));
        !own(one) && !own(other) && self.plugins_of(one) == self.plugins_of(other)
    }
}

impl Judges {
    fn add(&mut self, name: &str, checked: &Checked, complain: impl Fn(String)) {
        let manifest = &checked.manifest;
        let kinds: Vec<String> = manifest.types.iter().filter(|kind| *kind != EVERY_TYPE).map(|kind| type_key(kind)).collect();
        for kind in &kinds {
            let own = manifest.identify.iter().filter(|clue| clue.kind.as_ref().is_none_or(|about| type_key(about) == *kind));
            match Table::compile(kind, name, own) {
                Ok(table) => self.tables.push(table),
                Err(what) => complain(what),
            }
        }
        if checked.roles.iter().any(|role| role == "identify") && !kinds.is_empty() {
            self.plugins.push((name.to_owned(), kinds));
        }
    }
}

/// The operator grants a file by its digest: one that he has not seen is not run. What was loaded before is another matter.
fn pinned(spec: &Spec) -> Result<&Spec, LoadError> {
    match (&spec.source, &spec.digest) {
        (load::Source::File(path), None) => Err(LoadError::NotPinned { name: spec.name.clone(), path: path.display().to_string() }),
        _ => Ok(spec),
    }
}

/// One plugin's way from one configuration to the next. `None` where there is nothing to tell.
async fn renew(spec: &Spec, slot: &Slot, before: Option<&Arc<Plugin>>, same: bool, loader: &Loader) -> Option<Renewal> {
    let is_file = matches!(spec.source, load::Source::File(_));
    let Some(before) = before else {
        // Nobody has used it yet: what does not even pass the checks is told.
        let error = pinned(spec).and_then(load::check).err().filter(|_| is_file)?;
        slot.note(Some(&error));
        return Some(Renewal::Unusable(error.to_string()));
    };
    let keep = || {
        // The slot is new: nobody has filled it.
        let _ = slot.loaded.set(Arc::clone(before));
    };
    // A file may have changed under the same settings.
    if same && (!is_file || load::check(spec).is_ok_and(|checked| checked.digest == before.digest)) {
        keep();
        return Some(Renewal::Kept);
    }
    match slot.get(async || loader.load(pinned(spec)?).await).await {
        Ok(plugin) => Some(Renewal::Swapped(before.digest.clone(), plugin.digest.clone())),
        Err(error) => {
            keep();
            Some(Renewal::Refused(error.to_string()))
        }
    }
}
