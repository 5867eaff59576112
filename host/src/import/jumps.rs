//! Hops on the way to devices, as devices of their own: `via` names one.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{Found, Jump};
use super::names::Names;
use super::report::Notes;

/// A device with its name in the configuration.
pub(super) struct Placed {
    pub(super) name: String,
    pub(super) file: usize,
    pub(super) found: Found,
    pub(super) via: Option<String>,
    /// It is here only as a hop.
    pub(super) is_hop: bool,
}

impl Placed {
    /// May a jump lead through it?
    fn has_channels(&self) -> bool {
        !self.found.local && !self.found.telnet && self.found.serial.is_none()
    }

    fn is(&self, hop: &Jump) -> bool {
        let found = &self.found;
        let same_place = found.name == hop.host || self.name == hop.host || found.host.as_ref() == Some(&hop.host);
        let same_user = hop.user.is_none() || hop.user == found.user;
        let same_port = hop.port.is_none_or(|port| port == found.port.unwrap_or(22));
        let same_key = hop.key.is_none() || hop.key == found.key;
        same_place && same_user && same_port && same_key && self.has_channels()
    }
}

/// Gives each device its `via`, and makes devices of hops that are none yet.
pub(super) fn resolve(devices: &mut Vec<Placed>, names: &mut Names, notes: &mut Notes) {
    let mut made: BTreeMap<(String, Option<String>), String> = BTreeMap::new();
    for index in 0..devices.len() {
        let Some(device) = devices.get_mut(index) else { continue };
        let (file, called, hops) = (device.file, device.found.name.clone(), std::mem::take(&mut device.found.jumps));
        let mut before: Option<String> = None;
        for hop in hops {
            if devices.get(index).is_some_and(|device| device.is(&hop)) {
                notes.left(Some(&called), "its own jump", "it is the jump host itself");
                continue;
            }
            before = Some(through(devices, names, &mut made, file, &hop, before));
        }
        let Some(device) = devices.get_mut(index) else { continue };
        if before.is_some() && !device.found.proxy.is_empty() {
            notes.left(Some(&called), "`ProxyCommand`", "it has a jump too, which counts: `proxy` stands on the first device of the chain");
            device.found.proxy.clear();
        }
        device.via = before.or_else(|| device.via.take());
    }
    cut_circles(devices, notes);
}

/// The name of the device that a hop is.
fn through(
    devices: &mut Vec<Placed>,
    names: &mut Names,
    made: &mut BTreeMap<(String, Option<String>), String>,
    file: usize,
    hop: &Jump,
    before: Option<String>,
) -> String {
    let key = (format!("{hop:?}"), before.clone());
    if let Some(name) = made.get(&key) {
        return name.clone();
    }
    // A device of the files is the hop where nothing leads to it yet that this way does not have.
    let known = devices.iter().find(|device| !device.is_hop && device.is(hop) && (before.is_none() || device.via == before));
    if let Some(known) = known {
        made.insert(key, known.name.clone());
        return known.name.clone();
    }
    let name = names.give(&hop.host);
    let found = Found {
        name: name.clone(),
        // Without `host` the name is looked up in OpenSSH's configuration, as ssh does with a hop.
        host: (name != hop.host).then(|| hop.host.clone()),
        port: hop.port,
        user: hop.user.clone(),
        key: hop.key.clone(),
        kind: None,
        ..Found::default()
    };
    made.insert(key, name.clone());
    devices.push(Placed { name: name.clone(), file, found, via: before, is_hop: true });
    name
}

/// A way that comes back to where it was leads nowhere.
fn cut_circles(devices: &mut [Placed], notes: &mut Notes) {
    let mut ways: BTreeMap<String, String> = devices.iter().filter_map(|device| Some((device.name.clone(), device.via.clone()?))).collect();
    for device in devices {
        let mut seen = BTreeSet::from([device.name.as_str()]);
        let mut at = ways.get(&device.name);
        while let Some(next) = at {
            if !seen.insert(next) {
                break;
            }
            at = ways.get(next);
        }
        if at.is_some_and(|next| *next == device.name) {
            ways.remove(&device.name);
            device.via = None;
            notes.left(Some(&device.found.name), "its jump", "the jump hosts go in a circle; write `via` by hand");
        }
    }
}
