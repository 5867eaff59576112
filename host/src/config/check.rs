//! Checks across the tables: jumps between devices, and names of types, plugins and secrets.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Diagnostic;
use super::{Config, Environment, SshNames, TypeChoice, TypeName, header};
use crate::limits::NAMES_LISTED_MAX;
use crate::nearest::nearest;
use crate::wildcard;

impl Config {
    /// Names that only the plugins can confirm: device types, plugins, granted secrets.
    ///
    /// `known_types` are the built-in device types, `known_plugins` the plugins in the binary. A plugin on disk must
    /// have a digest. Spelling with `-` or `_` does not matter for types.
    pub fn check_names(&self, known_types: &[&str], known_plugins: &[&str]) -> Vec<Diagnostic> {
        let mut found = self.check_device_types(known_types);
        found.extend(self.check_type_plugins(known_plugins));
        found.extend(self.check_plugins(known_plugins));
        found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        found
    }

    /// Compares the grants of a plugin on disk with the secrets that its manifest asks for.
    ///
    /// Reports a granted secret that the plugin never asks for, and one that it asks for and a device of a type with
    /// this plugin has, but that is not granted.
    pub fn check_grants(&self, plugin: &str, wanted: &[&str]) -> Vec<Diagnostic> {
        let Some(entry) = self.plugins.get(plugin) else { return Vec::new() };
        let mut found = Vec::new();
        for (index, secret) in entry.secrets.iter().flatten().enumerate() {
            if !wanted.contains(&secret.as_str()) {
                let message = format!("plugin `{plugin}` never asks for the secret `{secret}`");
                found.push(self.diagnostic(format!("plugin.{plugin}.secrets.{index}"), message, choices(secret, wanted, "it asks for")));
            }
        }
        for secret in wanted.iter().filter(|secret| !entry.secrets.iter().flatten().any(|granted| granted == *secret)) {
            if let Some(device) = self.device_with(plugin, secret) {
                let device = header("device", device);
                let message = format!("plugin `{plugin}` asks for the secret `{secret}`, which {device} has, and may not have it");
                let help = format!("to allow it, add \"{secret}\" to `secrets` in {}", header("plugin", plugin));
                found.push(self.diagnostic(format!("plugin.{plugin}"), message, Some(help)));
            }
        }
        found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        found
    }

    /// What the operator's own rules name must be there: such a rule never counts, and what it should stop runs.
    ///
    /// An administrator's rules are for the devices of everybody, and are not asked about.
    pub fn check_rules(&self, known_types: &[&str]) -> Vec<Diagnostic> {
        let built_in: Vec<TypeName> = known_types.iter().map(|name| TypeName::new(name)).collect();
        let types: Vec<&str> = built_in.iter().chain(self.types.keys()).map(TypeName::as_str).collect();
        let devices: Vec<&str> = self.devices.keys().map(String::as_str).collect();
        let tags: BTreeSet<&str> = self.devices.values().flat_map(|device| device.tags.iter().map(String::as_str)).collect();
        let tags: Vec<&str> = tags.into_iter().collect();
        // More may stand in what cannot be read. In rules `?` is no pattern, and in no name.
        let is_told = !devices.is_empty() && !matches!(self.ssh_names, SshNames::Broken(_));
        let fits_device = |glob: &str| !glob.contains('?') && devices.iter().any(|name| wildcard::fits(glob, name));
        let mut found = Vec::new();
        for (rule, named) in self.rules.iter().flat_map(|rule| rule.named.iter().map(move |named| (rule, named))) {
            let value = named.value.as_str();
            let (is_there, what, label, known) = match named.key {
                "devices" => (!is_told || fits_device(value), "no device", "devices", &devices),
                "tags" => (!is_told || tags.contains(&value), "a tag that no device has", "tags", &tags),
                _ => (types.contains(&TypeName::new(value).as_str()), "no device type", "known types", &types),
            };
            if !is_there {
                let message = format!("the rule `{}` never counts for `{}`: `{}` names {what}", rule.name, value.escape_debug(), named.key);
                found.push(self.diagnostic(named.path.clone(), message, choices(value, known, label)));
            }
        }
        found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        found
    }

    /// `via` must name a device that can be jumped through, and must come to an end.
    pub(super) fn check_jumps(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        // Thousands of devices may have the same slip.
        let mut guesses: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for (name, device) in &self.devices {
            let Some(via) = &device.via else { continue };
            let (path, own) = (format!("device.{name}.via"), header("device", name));
            match self.devices.get(via) {
                // It may stand in what cannot be read: whoever goes that way is told.
                None if matches!(self.ssh_names, SshNames::Broken(_)) => {}
                None => {
                    let guess = *guesses.entry(via).or_insert_with(|| self.nearest_device(via));
                    // A device is no way to itself.
                    let guess = if guess == Some(name.as_str()) { nearest(via, self.others(name)) } else { guess };
                    let message = format!("`via` in {own} names no device: `{}`", via.escape_debug());
                    found.push(self.diagnostic(path, message, Some(told(guess, self.others(name), "known devices"))));
                }
                Some(hop) if hop.local => {
                    let message = format!("`via` in {own} names `{via}`, which is a local shell: there is no jump through it");
                    found.push(self.diagnostic(path, message, None));
                }
                Some(hop) if !hop.has_channels() => {
                    let why = if hop.login.is_empty() { "is not reached by SSH" } else { "has login steps, behind which no jump leads" };
                    let message = format!("`via` in {own} names `{via}`, which {why}");
                    let help = "give the jump host a [device] of its own, without `line` and `login`".to_owned();
                    found.push(self.diagnostic(path, message, Some(help)));
                }
                Some(_) => {
                    if let Some(circle) = self.circle(name) {
                        let message = format!("`via` in {own} goes in a circle: {circle}");
                        found.push(self.diagnostic(path, message, None));
                    }
                }
            }
        }
        found
    }

    /// The same where `via` may also name a host of OpenSSH's configuration. That is read only where a name is not known without it.
    pub(super) fn check_jumps_beside_ssh(&self, environment: Environment<'_>) -> Vec<Diagnostic> {
        let found = self.check_jumps();
        if found.is_empty() { found } else { self.clone().beside_ssh(environment).check_jumps() }
    }

    /// The devices without the one of this name.
    fn others<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.devices.keys().map(String::as_str).filter(move |other| *other != name)
    }

    /// The circle that this device is the alphabetically first member of, so that each circle is told once.
    fn circle(&self, start: &str) -> Option<String> {
        let mut way = vec![start];
        let mut at = start;
        // More steps than devices means a circle that this device only leads into.
        while way.len() <= self.devices.len() {
            at = self.devices.get(at)?.via.as_deref()?;
            way.push(at);
            if at == start {
                return (way.iter().min() == Some(&start)).then(|| way.join(" -> "));
            }
        }
        None
    }

    fn check_device_types(&self, known_types: &[&str]) -> Vec<Diagnostic> {
        let built_in: Vec<TypeName> = known_types.iter().map(|name| TypeName::new(name)).collect();
        let known: Vec<&str> = built_in.iter().chain(self.types.keys()).map(TypeName::as_str).chain(["auto"]).collect();
        let mut found = Vec::new();
        for (name, device) in &self.devices {
            let TypeChoice::Named(type_name) = &device.device_type else { continue };
            if !known.contains(&type_name.as_str()) {
                let message = format!("unknown device type `{type_name}` in {}", header("device", name));
                found.push(self.diagnostic(format!("device.{name}.type"), message, choices(type_name.as_str(), &known, "known types")));
            }
        }
        found
    }

    fn check_type_plugins(&self, known_plugins: &[&str]) -> Vec<Diagnostic> {
        let known: Vec<&str> = known_plugins.iter().copied().chain(self.plugins.keys().map(String::as_str)).collect();
        let mut found = Vec::new();
        for (name, entry) in &self.types {
            for (index, plugin) in entry.plugins.iter().enumerate() {
                if !known.contains(&plugin.as_str()) {
                    let message = format!("unknown plugin `{plugin}` in {}", header("type", name.as_str()));
                    found.push(self.diagnostic(format!("type.{name}.plugins.{index}"), message, choices(plugin, &known, "known plugins")));
                }
            }
        }
        found
    }

    fn check_plugins(&self, known_plugins: &[&str]) -> Vec<Diagnostic> {
        let mut secrets: Vec<&str> = self.devices.values().flat_map(|device| device.secrets.keys().map(String::as_str)).collect();
        secrets.sort_unstable();
        secrets.dedup();
        let mut found = Vec::new();
        for (name, entry) in &self.plugins {
            let (path, own) = (format!("plugin.{name}"), header("plugin", name));
            if entry.path.is_some() && entry.digest.is_none() {
                let help = "add `digest = \"sha256:…\"` with what `sha256sum FILE` prints".to_owned();
                found.push(self.diagnostic(path.clone(), format!("{own} has a `path` and no `digest`"), Some(help)));
            }
            if entry.path.is_none() && entry.signer.is_some() {
                let help = "a plugin in the binary has no signature of its own: leave `signer` out, or name a file with `path`".to_owned();
                found.push(self.diagnostic(format!("{path}.signer"), format!("{own} has a `signer` and no `path`"), Some(help)));
            }
            if entry.path.is_none() && !known_plugins.contains(&name.as_str()) {
                let help = choices(name, known_plugins, "for a plugin on disk add its `path`; plugins in the binary");
                found.push(self.diagnostic(path.clone(), format!("no plugin `{name}` in the binary"), help));
            }
            for (index, secret) in entry.secrets.iter().flatten().enumerate().filter(|(_, secret)| !secrets.contains(&secret.as_str())) {
                let message = format!("{own} is granted the secret `{secret}`, which no device has");
                found.push(self.diagnostic(format!("{path}.secrets.{index}"), message, choices(secret, &secrets, "devices have")));
            }
        }
        found
    }

    /// A device that has the secret and is of a type of the operator's own with this plugin.
    fn device_with(&self, plugin: &str, secret: &str) -> Option<&str> {
        let uses = |choice: &TypeChoice| match choice {
            TypeChoice::Auto => false,
            TypeChoice::Named(name) => self.types.get(name).is_some_and(|entry| entry.plugins.iter().any(|other| other == plugin)),
        };
        let mut devices = self.devices.iter();
        devices.find(|(_, device)| device.secrets.contains_key(secret) && uses(&device.device_type)).map(|(name, _)| name.as_str())
    }

    pub(super) fn diagnostic(&self, path: String, message: String, help: Option<String>) -> Diagnostic {
        let position = self.places.position(&path);
        let file = self.file.clone().unwrap_or_default();
        Diagnostic { file, line: position.line, column: position.column, path, message, help }
    }
}

/// The name that was probably meant, and those that there are.
fn choices(wanted: &str, known: &[&str], label: &str) -> Option<String> {
    Some(told(nearest(wanted, known.iter().copied()), known.iter().copied(), label))
}

fn told<'a>(guess: Option<&str>, mut known: impl Iterator<Item = &'a str>, label: &str) -> String {
    let guess = guess.map_or_else(String::new, |name| format!("did you mean `{name}`? "));
    let listed: Vec<&str> = known.by_ref().take(NAMES_LISTED_MAX).collect();
    let all = match (listed.is_empty(), known.count()) {
        (true, _) => "none".to_owned(),
        (false, 0) => listed.join(", "),
        (false, more) => format!("{} and {more} more", listed.join(", ")),
    };
    format!("{guess}{label}: {all}")
}
