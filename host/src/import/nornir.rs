//! Nornir's simple inventory: `hosts.yaml`, with `groups.yaml` and `defaults.yaml` beside it.

use std::path::Path;

use serde_json::{Map, Value};

use super::document::{self, text, text_of, texts};
use super::found::{ENABLE, Found, PASSWORD, Scope};
use super::intake::{Intake, beside, shown};
use super::netmiko;
use super::types::System;
use crate::limits::IMPORT_NESTING_MAX;

/// Where a host may have a value from, the nearest first.
type Layers<'t> = Vec<(Scope, &'t Map<String, Value>)>;

/// Keys of a host and of a group.
const KEYS: [&str; 8] = ["hostname", "port", "username", "password", "platform", "groups", "data", "connection_options"];

pub(super) fn read(intake: &mut Intake<'_>, path: &Path, content: &str) -> Result<(), String> {
    let tree = document::tree(content)?;
    let hosts = tree.as_object().ok_or("has no hosts at its top")?;
    let groups = other(intake, path, "groups")?;
    let defaults = other(intake, path, "defaults")?;
    for (name, host) in hosts {
        let empty = Map::new();
        let table = host.as_object().unwrap_or(&empty);
        let mut layers: Layers<'_> = vec![(Scope::Device, table)];
        let mut names = Vec::new();
        outer(table, &groups, &mut names, IMPORT_NESTING_MAX);
        let of_group = |name: &&String| Some((Scope::Shared((*name).clone()), groups.get(*name)?.as_object()?));
        layers.extend(names.iter().filter_map(|name| of_group(&name)));
        layers.push((Scope::Shared("defaults".to_owned()), &defaults));
        for name in names.iter().filter(|name| !groups.contains_key(*name)) {
            intake.notes.left(None, &super::intake::key_shown(name), "no file `groups.yaml` beside the hosts has this group");
        }
        let found = device(intake, name, names, &layers);
        intake.take(found)?;
    }
    Ok(())
}

/// Groups, or defaults: `NAME.yaml` or `NAME.yml` beside the hosts.
fn other(intake: &Intake<'_>, path: &Path, name: &str) -> Result<Map<String, Value>, String> {
    for ending in ["yaml", "yml"] {
        let path = beside(path, &format!("{name}.{ending}"));
        if let Some(content) = intake.text(&path) {
            let tree = document::yaml(content).map_err(|why| format!("{} {why}", shown(&path)))?;
            return Ok(tree.as_object().cloned().unwrap_or_default());
        }
    }
    Ok(Map::new())
}

/// The groups of a host or a group, and theirs, each once, in the order in which they count.
fn outer(table: &Map<String, Value>, groups: &Map<String, Value>, names: &mut Vec<String>, left: usize) {
    if left == 0 {
        return;
    }
    for name in texts(table.get("groups")) {
        if names.contains(&name) {
            continue;
        }
        names.push(name.clone());
        if let Some(group) = groups.get(&name).and_then(Value::as_object) {
            outer(group, groups, names, left - 1);
        }
    }
}

fn device(intake: &mut Intake<'_>, name: &str, groups: Vec<String>, layers: &Layers<'_>) -> Found {
    let mut found = Found::named(name);
    let option = |key: &str| layers.iter().find_map(|(_, table)| text(connection(table)?, key));
    let plain = |key: &str| layers.iter().find_map(|(_, table)| text(table, key));
    let value = |key: &str| option(key).or_else(|| plain(key));
    let notes = &mut intake.notes;
    found.set_host("`hostname`", value("hostname"), notes);
    found.set_port("`port`", value("port"), notes);
    found.set_user("`username`", value("username"), notes);
    found.set_kind("`platform`", System::Netmiko, value("platform"), notes);
    found.set_tags("`groups`", groups, notes);
    let password = |(scope, table): &(Scope, &Map<String, Value>)| {
        let value = connection(table).and_then(|options| text(options, "password")).or_else(|| text(table, "password"))?;
        Some((scope.clone(), value))
    };
    if let Some((scope, value)) = layers.iter().find_map(password) {
        let origin = format!("`password` of {}", whose(&scope));
        netmiko::secret(&mut found, PASSWORD, scope, value, &origin);
    }
    for (scope, table) in layers {
        let options = table.get("connection_options").and_then(Value::as_object);
        for (_, options) in options.into_iter().flatten() {
            if let Some(extras) = options.get("extras").and_then(Value::as_object) {
                netmiko::read_extras(intake, &mut found, scope, extras);
            }
        }
        if let Some(value) = enable_of(table).filter(|_| !found.secrets.contains_key(ENABLE)) {
            netmiko::secret(&mut found, ENABLE, scope.clone(), value, &format!("the enable secret of {}", whose(scope)));
        }
    }
    let own = layers.first().map(|(_, table)| *table);
    let others: Vec<&str> = own.into_iter().flat_map(Map::keys).map(String::as_str).filter(|key| !KEYS.contains(key)).collect();
    intake.no_counterpart(Some(name), &others);
    if layers.iter().any(|(_, table)| table.get("data").and_then(Value::as_object).is_some_and(|data| !data.is_empty())) {
        intake.notes.left(Some(name), "`data`", "it says nothing of how a host is reached");
    }
    found
}

/// The options of the library that talks in a terminal.
fn connection(table: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let options = table.get("connection_options")?.as_object()?;
    ["netmiko", "scrapli", "paramiko"].into_iter().find_map(|library| options.get(library)?.as_object())
}

/// The enable secret, as each library calls it.
fn enable_of(table: &Map<String, Value>) -> Option<String> {
    let options = table.get("connection_options")?.as_object()?;
    let of = |library: &str, way: &[&str]| {
        let start = options.get(library)?.get("extras")?;
        text_of(way.iter().try_fold(start, |at, key| at.get(*key))?)
    };
    of("netmiko", &["secret"]).or_else(|| of("scrapli", &["auth_secondary"])).or_else(|| of("napalm", &["optional_args", "secret"]))
}

fn whose(scope: &Scope) -> String {
    match scope {
        Scope::Device => "this host".to_owned(),
        Scope::Shared(of) => format!("{} of the inventory", super::intake::key_shown(of)),
    }
}
