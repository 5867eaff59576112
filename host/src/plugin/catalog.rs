//! Which plugins and device types there are: those in this program and those that the operator configured.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokio::sync::OnceCell;

use super::fault::LoadError;
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

/// All plugins and types.
#[derive(Debug)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
    /// Types that the operator put together.
    types: BTreeMap<String, Vec<String>>,
    /// Types that are declared, here or by the operator. Each has a plugin of its own, made from the same component.
    declared: BTreeMap<String, Declared>,
    /// Every type, once all manifests could be read.
    all_types: OnceLock<BTreeMap<String, Vec<String>>>,
    loader: Loader,
}

#[derive(Debug)]
struct Entry {
    spec: Spec,
    loaded: OnceCell<Arc<Plugin>>,
}

/// A declared type, and the plugin once it was loaded for it.
#[derive(Debug)]
struct Declared {
    declaration: Source,
    loaded: OnceCell<Arc<Plugin>>,
}

/// Where a declaration is.
#[derive(Debug)]
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
        Self { declaration, loaded: OnceCell::new() }
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
    pub fn new(configured: Vec<Spec>, types: BTreeMap<String, Vec<String>>, loader: Loader) -> Self {
        let bundled = BUNDLED.iter().map(|(name, wasm)| Spec::embedded(name, wasm));
        let entry = |spec: Spec| (spec.name.clone(), Entry { spec, loaded: OnceCell::new() });
        let entries = bundled.chain(configured).map(entry).collect();
        Self {
            entries,
            types: types.into_iter().map(|(name, plugins)| (type_key(&name), plugins)).collect(),
            declared: DECLARED_TYPES.iter().map(|(name, text)| (type_key(name), Declared::new(Source::Embedded(text)))).collect(),
            all_types: OnceLock::new(),
            loader,
        }
    }

    /// The same with device types that the operator declares, in the place of those in this program or beside them.
    #[must_use]
    pub fn with_declared(mut self, declared: impl IntoIterator<Item = (String, Arc<Declaration>)>) -> Self {
        let entries = declared.into_iter().map(|(name, declaration)| (type_key(&name), Declared::new(Source::Read(declaration))));
        self.declared.extend(entries);
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
        load::check(&self.entry(name)?.spec)
    }

    /// A plugin that is loaded already.
    #[must_use]
    pub fn loaded(&self, name: &str) -> Option<Arc<Plugin>> {
        let alone = self.entries.get(name)?.loaded.get().cloned();
        let of_types =
            || self.declared.values().filter_map(|declared| declared.loaded.get()).max_by_key(|plugin| plugin.health().0).cloned();
        // Of those that serve declared types, the one with the most faults speaks for all.
        alone.or_else(|| (name == DECLARED).then(of_types).flatten())
    }

    fn entry(&self, name: &str) -> Result<&Entry, LoadError> {
        self.entries.get(name).ok_or_else(|| LoadError::Unknown { name: name.to_owned(), known: self.plugin_names().join(", ") })
    }

    /// Loads a plugin, or gives the one loaded before.
    ///
    /// # Errors
    ///
    /// When it does not load. The next call tries again.
    pub async fn plugin(&self, name: &str) -> Result<Arc<Plugin>, LoadError> {
        let entry = self.entry(name)?;
        entry.loaded.get_or_try_init(|| self.loader.load(&entry.spec)).await.cloned()
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
            self.loader.load(&spec).await
        };
        declared.loaded.get_or_try_init(load).await.cloned()
    }

    /// Every device type with the names of its plugins in order.
    #[must_use]
    pub fn types(&self) -> BTreeMap<String, Vec<String>> {
        if let Some(types) = self.all_types.get() {
            return types.clone();
        }
        let manifests: Vec<_> = self.entries.keys().filter_map(|name| Some((name.clone(), self.check(name).ok()?.manifest))).collect();
        let types = self.put_together(&manifests);
        if manifests.len() == self.entries.len() {
            // Another caller may have been faster, with the same.
            let _ = self.all_types.set(types.clone());
        }
        types
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
        types
    }

    /// Names of the plugins of a type, in order.
    #[must_use]
    pub fn plugins_of(&self, kind: &str) -> Option<Vec<String>> {
        let key = type_key(kind);
        self.types.get(&key).cloned().or_else(|| self.types().remove(&key))
    }
}
