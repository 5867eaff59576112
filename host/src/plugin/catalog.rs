//! Which plugins and device types there are: those in this program and those that the operator configured.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use tokio::sync::OnceCell;

use super::fault::LoadError;
use super::load::{self, Checked, Loader, Plugin, Spec};
use super::manifest::Manifest;

mod bundled {
    //! Made by the build script: name and component of each folder in `plugins/`.
    include!(concat!(env!("OUT_DIR"), "/bundled.rs"));
}

pub use bundled::{DEMOS, LAB_DEVICES, PLUGINS as BUNDLED};

/// The type name that means every type.
const EVERY_TYPE: &str = "*";

/// All plugins and types.
#[derive(Debug)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
    /// Types that the operator put together.
    types: BTreeMap<String, Vec<String>>,
    /// Every type, once all manifests could be read.
    all_types: OnceLock<BTreeMap<String, Vec<String>>>,
    loader: Loader,
}

#[derive(Debug)]
struct Entry {
    spec: Spec,
    loaded: OnceCell<Arc<Plugin>>,
}

/// A type's name as it is compared: `cisco-ios` and `cisco_ios` are the same.
#[must_use]
pub fn type_key(name: &str) -> String {
    name.replace('-', "_")
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
            all_types: OnceLock::new(),
            loader,
        }
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
        self.entries.get(name)?.loaded.get().cloned()
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
        for (name, manifest) in manifests {
            let every = manifest.types.iter().any(|kind| kind == EVERY_TYPE);
            for (kind, plugins) in &mut types {
                if every || manifest.types.iter().any(|own| type_key(own) == *kind) {
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
