//! One reading of the configuration follows another: sessions that began under the last one go on with the next.

use std::sync::Arc;

use super::{Directory, World};
use crate::config::{Device, TypeChoice};
use crate::plugin::catalog::Catalog;
use crate::plugin::device_type::DeviceType;
use crate::session::{Renewal, SessionHandle};

impl World {
    /// Has a session that began under `before` go on with what counts now. What its caller should hear.
    pub async fn adopt(&self, before: &Self, handle: &SessionHandle) -> Vec<String> {
        let mut told = Vec::new();
        let device = self.config.devices.get(&handle.id.device);
        let gone = device.is_none().then(|| {
            let note = format!("device `{}` is no longer in the configuration; this session goes on until it is closed", handle.id.device);
            told.push(format!("goes on   session {}: {note}", handle.id));
            note
        });
        let note = [gone, self.warning(&handle.kind)].into_iter().flatten().reduce(|one, other| format!("{one}; {other}"));
        // A device that is gone keeps its mode.
        let policy = match device.or_else(|| before.config.devices.get(&handle.id.device)) {
            Some(device) => self.config.policy_for(device),
            None => self.config.policy,
        };
        let kind = match self.catalog.plugins_of(&handle.kind) {
            Some(plugins) => match DeviceType::load(&handle.kind, &plugins, &self.catalog).await {
                Ok(kind) => Some(Arc::new(kind)),
                Err(error) => {
                    told.push(format!("goes on   session {} with the plugins that it has: {error}", handle.id));
                    None
                }
            },
            None => {
                told.push(format!("goes on   session {} with the plugins that it has: type `{}` is gone", handle.id, handle.kind));
                None
            }
        };
        if device.is_some_and(|device| !is_type(device, &handle.kind)) {
            told.push(format!("goes on   session {} as type `{}`; a new one gets the new type", handle.id, handle.kind));
        }
        if let Err(why) = handle.renew(Renewal { kind, policy, note }).await {
            told.push(format!("left      session {}: {why}", handle.id));
        }
        told
    }
}

impl Directory {
    /// Has a session that was made of `world` go on with the one in force. The one that it has then.
    ///
    /// Who reads the configuration again renews the sessions that are listed. One that is being opened is not, and a device may take
    /// its time.
    pub(super) async fn catch_up(&self, mut world: Arc<World>, handle: &SessionHandle) -> Arc<World> {
        loop {
            let now = self.world();
            if Arc::ptr_eq(&world, &now) || handle.closed().is_some() {
                return now;
            }
            for line in now.adopt(&world, handle).await {
                crate::diagnostics::warn(&format!("configuration read again: {line}"));
            }
            world = now;
        }
    }
}

fn is_type(device: &Device, kind: &str) -> bool {
    match &device.device_type {
        TypeChoice::Named(name) => Catalog::is_same_type(name.as_str(), kind),
        TypeChoice::Auto => true,
    }
}
