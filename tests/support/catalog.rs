//! The bundled plugins in the real engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use jackfield::plugin::catalog::Catalog;
use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::engine::Engine;
use jackfield::plugin::load::Loader;

/// What compiles and runs plugins, without a cache.
pub fn loader() -> Loader {
    Loader::new(Engine::start().unwrap(), None)
}

/// All of them.
pub fn catalog() -> Catalog {
    Catalog::new(Vec::new(), BTreeMap::new(), loader())
}

/// A device type of the catalog.
pub async fn load(catalog: &Catalog, name: &str) -> Arc<DeviceType> {
    let plugins = catalog.plugins_of(name).unwrap_or_else(|| panic!("there is no device type `{name}`"));
    Arc::new(DeviceType::load(name, &plugins, catalog).await.unwrap_or_else(|error| panic!("{name}: {error}")))
}
