//! The YAML form of an inventory, and what `ansible-inventory --list` prints.

use serde_json::{Map, Value};

use super::super::document;
use super::super::found::host_and_port;
use super::super::intake::{Intake, key_shown};
use super::inventory::Inventory;
use super::ranges;
use crate::limits::IMPORT_NESTING_MAX;

pub(super) fn read(intake: &mut Intake<'_>, inventory: &mut Inventory, content: &str) -> Result<(), String> {
    let tree = document::tree(content)?;
    let groups = tree.as_object().ok_or("has no groups at its top")?;
    for (name, group) in groups {
        if name == "_meta" {
            continue;
        }
        if name == "plugin" {
            return Err("asks a plugin for its hosts: import what `ansible-inventory --list` prints".to_owned());
        }
        read_group(intake, inventory, name, group, IMPORT_NESTING_MAX)?;
    }
    // What `--list` prints has the variables of all hosts in one place.
    let variables = groups.get("_meta").and_then(|meta| meta.get("hostvars")?.as_object());
    for (host, variables) in variables.into_iter().flatten() {
        inventory.host(host, "all")?;
        set_all(inventory, host, variables.as_object());
    }
    Ok(())
}

fn read_group(intake: &mut Intake<'_>, inventory: &mut Inventory, name: &str, group: &Value, left: usize) -> Result<(), String> {
    let left = left.checked_sub(1).ok_or_else(|| format!("has more than {IMPORT_NESTING_MAX} groups within groups"))?;
    inventory.group(name);
    let table = match group {
        Value::Object(table) => table,
        // `--list` may give a group as a plain list of hosts.
        Value::Array(_) => {
            return document::texts(Some(group)).iter().try_for_each(|host| inventory.host(host, name));
        }
        _ => return Ok(()),
    };
    for (key, part) in table {
        match (key.as_str(), part) {
            ("hosts", Value::Object(hosts)) => {
                for (pattern, variables) in hosts {
                    read_hosts(inventory, name, pattern, variables.as_object())?;
                }
            }
            ("hosts", part) => {
                for pattern in document::texts(Some(part)) {
                    read_hosts(inventory, name, &pattern, None)?;
                }
            }
            ("vars", Value::Object(variables)) => {
                for (key, value) in variables {
                    inventory.set_group(name, key, value.clone());
                }
            }
            ("children", Value::Object(children)) => {
                for (child, group) in children {
                    inventory.child(name, child);
                    read_group(intake, inventory, child, group, left)?;
                }
            }
            ("children", part) => {
                for child in document::texts(Some(part)) {
                    inventory.child(name, &child);
                }
            }
            ("vars", _) => {}
            (key, _) => intake.notes.left(None, &key_shown(key), "a group has `hosts`, `vars` and `children` alone"),
        }
    }
    Ok(())
}

fn read_hosts(inventory: &mut Inventory, group: &str, pattern: &str, variables: Option<&Map<String, Value>>) -> Result<(), String> {
    for name in ranges::expand(pattern)? {
        let (name, port) = host_and_port(&name).unwrap_or((name, None));
        inventory.host(&name, group)?;
        if let Some(port) = port {
            inventory.set(&name, "ansible_port", Value::from(port));
        }
        set_all(inventory, &name, variables);
    }
    Ok(())
}

fn set_all(inventory: &mut Inventory, host: &str, variables: Option<&Map<String, Value>>) {
    for (key, value) in variables.into_iter().flatten() {
        inventory.set(host, key, value.clone());
    }
}
