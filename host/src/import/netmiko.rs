//! Netmiko devices: a file of netmiko-tools, or tables of what `ConnectHandler` is given.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::document::{self, text, texts, truth};
use super::found::{Credential, ENABLE, Found, PASSPHRASE, PASSWORD, Scope};
use super::intake::Intake;
use super::types::System;
use super::{fits, ssh_options};

/// Keys that are read by name.
const KEYS: [&str; 10] = ["device_type", "host", "ip", "hostname", "port", "username", "password", "secret", "name", "serial_settings"];

/// How netmiko-tools marks a value that it has encrypted.
const ENCRYPTED: &str = "__encrypt__";

pub(super) fn read(intake: &mut Intake<'_>, content: &str) -> Result<(), String> {
    let tree = document::tree(content)?;
    match &tree {
        Value::Object(map) => {
            // A list is a group of devices.
            let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (group, members) in map.iter().filter(|(_, members)| members.is_array()) {
                for member in texts(Some(members)) {
                    groups.entry(member).or_default().push(group.clone());
                }
            }
            for (name, entry) in map.iter().filter(|(name, _)| *name != "__meta__") {
                let Some(table) = entry.as_object() else { continue };
                let found = device(intake, name, groups.remove(name).unwrap_or_default(), table);
                intake.take(found)?;
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                let table = item.as_object().ok_or_else(|| format!("device {} is no table", number + 1))?;
                let name = ["name", "host", "ip", "hostname"].iter().find_map(|key| text(table, key));
                let found = device(intake, &name.unwrap_or_else(|| format!("device-{}", number + 1)), Vec::new(), table);
                intake.take(found)?;
            }
        }
        _ => return Err("has no devices at its top".to_owned()),
    }
    Ok(())
}

fn device(intake: &mut Intake<'_>, name: &str, groups: Vec<String>, table: &Map<String, Value>) -> Found {
    let mut found = Found::named(name);
    serial(&mut found, table.get("serial_settings"));
    let notes = &mut intake.notes;
    found.set_host("`host`", text(table, "host").or_else(|| text(table, "ip")).or_else(|| text(table, "hostname")), notes);
    found.set_port("`port`", text(table, "port"), notes);
    found.set_user("`username`", text(table, "username"), notes);
    found.set_kind("`device_type`", System::Netmiko, text(table, "device_type"), notes);
    found.set_tags("groups", groups, notes);
    if let Some(value) = text(table, "password") {
        secret(&mut found, PASSWORD, Scope::Device, value, "`password` of this device");
    }
    if let Some(value) = text(table, "secret") {
        secret(&mut found, ENABLE, Scope::Device, value, "`secret` of this device");
    }
    let extras = table.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())).map(|(key, value)| (key.clone(), value.clone())).collect();
    read_extras(intake, &mut found, &Scope::Device, &extras);
    found
}

fn serial(found: &mut Found, settings: Option<&Value>) {
    let Some(settings) = settings.and_then(Value::as_object) else { return };
    let Some(path) = text(settings, "port").filter(|path| path.starts_with('/') && fits::wrong_path(path).is_none()) else { return };
    let baud = settings.get("baudrate").and_then(Value::as_u64).and_then(|baud| u32::try_from(baud).ok()).filter(|baud| *baud > 0);
    found.serial = Some((path, baud));
}

/// A secret, or the note that it is encrypted.
pub(super) fn secret(found: &mut Found, role: &'static str, scope: Scope, value: String, origin: &str) {
    if value.starts_with(ENCRYPTED) {
        let origin = format!("{origin}, encrypted by Netmiko");
        found.secrets.insert(role, Credential::Kept { scope, value: None, origin });
    } else {
        found.set_secret(role, scope, Some(value), origin);
    }
}

/// Arguments of a library beyond the usual ones. What a nearer layer has said stays.
pub(super) fn read_extras(intake: &mut Intake<'_>, found: &mut Found, scope: &Scope, extras: &Map<String, Value>) {
    let name = found.name.clone();
    for (key, value) in extras {
        let written = document::text_of(value);
        let notes = &mut intake.notes;
        match key.as_str() {
            "secret" | "auth_secondary" | "optional_args" | "use_keys" => {}
            "key_file" | "auth_private_key" | "ssh_private_key_file" if found.key.is_none() => {
                found.set_key(&format!("`{key}`"), written, notes)
            }
            "passphrase" | "auth_private_key_passphrase" => {
                if let Some(value) = written.filter(|_| !found.secrets.contains_key(PASSPHRASE)) {
                    secret(found, PASSPHRASE, scope.clone(), value, "the passphrase of its key");
                }
            }
            "allow_agent" if truth(extras, key) == Some(false) => found.agent = Some(false),
            "keepalive" if found.keepalive.is_none() => {
                found.keepalive =
                    value.as_u64().filter(|seconds| *seconds > 0).and_then(|seconds| fits::delay(seconds.saturating_mul(1000)))
            }
            "ssh_config_file" => notes.left(
                Some(&name),
                "`ssh_config_file`",
                "`[ssh] config = \"FILE\"` names it for all devices; ~/.ssh/config is read anyway",
            ),
            "ssh_strict" | "auth_strict_key" | "system_host_keys" if truth(extras, key) != Some(true) => {
                ssh_options::unchecked(&name, &format!("`{key}` = false"), notes);
            }
            "alt_key_file" | "ssh_known_hosts_file" if found.known_hosts.is_none() => {
                found.known_hosts = written.filter(|path| fits::wrong_path(path).is_none());
            }
            "ssh_strict" | "auth_strict_key" | "system_host_keys" | "alt_host_keys" | "allow_agent" => {}
            // Of a nearer layer already.
            "key_file" | "auth_private_key" | "ssh_private_key_file" | "keepalive" | "alt_key_file" | "ssh_known_hosts_file" => {}
            "disabled_algorithms" => {
                notes.left(Some(&name), "`disabled_algorithms`", "there are two sets here, `algorithms = \"default\"` and \"legacy\"")
            }
            "sock" | "sock_telnet" => notes.left(Some(&name), "`sock`", "write `via` or `proxy` for it"),
            "session_log" | "session_log_file_mode" => {
                notes.left(Some(&name), "`session_log`", "every session has its log here, and `[audit]` keeps more")
            }
            key if is_pace(key) => notes.left(
                Some(&name),
                "time-outs and delays",
                "the end of a command is recognised by its prompt; waits have bounds of their own",
            ),
            key => {
                intake.no_counterpart(Some(&name), &[key]);
            }
        }
    }
}

/// Numbers that only say how long to wait.
fn is_pace(key: &str) -> bool {
    key.ends_with("timeout") || key.starts_with("timeout") || key.contains("delay") || ["fast_cli", "blocking_timeout"].contains(&key)
}
