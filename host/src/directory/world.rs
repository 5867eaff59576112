//! What one reading of the configuration gave, and what it says of devices and their types.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::OpenError;
use super::identity::Identities;
use crate::config::{Config, Device, Digest, Newer, TypeChoice};
use crate::plugin::catalog::Catalog;
use crate::plugin::device_type::DeviceType;

/// What one reading of the configuration gave. Sessions that it opened go on when the next one counts.
#[derive(Debug)]
pub struct World {
    /// The configuration.
    pub config: Arc<Config>,
    /// Its plugins.
    pub catalog: Catalog,
    /// Plugins whose pins are skipped for a developer, with the pins that count again when he ends.
    pub unpinned: BTreeMap<String, Option<Digest>>,
}

impl World {
    /// A device by name.
    ///
    /// # Errors
    ///
    /// When there is none; names the nearest one.
    pub fn device(&self, name: &str) -> Result<&Device, OpenError> {
        self.config.devices.get(name).ok_or_else(|| self.unknown(name))
    }

    /// Why there is no such device. It may be there by now, in a configuration that nobody has had read again.
    fn unknown(&self, name: &str) -> OpenError {
        let name = name.to_owned();
        match self.config.newer() {
            Newer::Read(config) if config.devices.contains_key(&name) => OpenError::NotReadYet { name },
            Newer::Broken => OpenError::BrokenSince { name },
            Newer::Read(_) | Newer::Same => {
                let is_tag = self.config.devices.values().any(|device| device.tags.contains(&name));
                let near = match self.config.nearest_device(&name) {
                    _ if is_tag => format!("; `{name}` is a tag, and devices are named one by one;"),
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => ";".to_owned(),
                };
                OpenError::UnknownDevice { name, near }
            }
        }
    }

    /// What callers of sessions of this type should know.
    #[must_use]
    pub fn warning(&self, kind: &str) -> Option<String> {
        if self.unpinned.is_empty() {
            return None;
        }
        let plugins = self.catalog.plugins_of(kind).unwrap_or_default();
        let unpinned = self.unpinned.keys().find(|name| plugins.contains(name))?;
        Some(format!("plugin `{unpinned}` runs without its pin, because `jackfield plugin dev` works on it"))
    }

    /// The device's type, loaded: the configuration's, or what it was found to be last.
    ///
    /// # Errors
    ///
    /// When it is not known yet or a plugin does not load.
    pub async fn kind_of(&self, device: &str, found: &Identities) -> Result<Arc<DeviceType>, OpenError> {
        match &self.device(device)?.device_type {
            TypeChoice::Named(kind) => self.load_kind(device, kind.as_str()).await,
            TypeChoice::Auto => match found.of(device) {
                Some(identity) => self.load_kind(device, &identity.kind).await,
                None => Err(OpenError::NotSeenYet { device: device.to_owned() }),
            },
        }
    }

    pub(super) async fn load_kind(&self, device: &str, kind: &str) -> Result<Arc<DeviceType>, OpenError> {
        // A type whose plugins the operator lists has all of them or does not load, and a plugin in such a list is for that type.
        let lists = || self.config.types.iter().filter(|(_, entry)| !entry.plugins.is_empty());
        let is_listed = lists().any(|(name, _)| Catalog::is_same_type(name.as_str(), kind));
        let has_place = |plugin: &str| lists().any(|(_, entry)| entry.plugins.iter().any(|name| name == plugin));
        if !is_listed && let Some((_, error)) = self.catalog.broken().into_iter().find(|(name, _)| !has_place(name)) {
            return Err(OpenError::Failed(format!(
                "{error}. Nobody knows which devices it guards, so none is opened without it: mend it, or take it out of the configuration"
            )));
        }
        let plugins = self.catalog.plugins_of(kind).ok_or_else(|| OpenError::UnknownType {
            device: device.to_owned(),
            kind: kind.to_owned(),
            known: self.catalog.types().keys().cloned().collect::<Vec<_>>().join(", "),
        })?;
        Ok(Arc::new(DeviceType::load(kind, &plugins, &self.catalog).await?))
    }
}
