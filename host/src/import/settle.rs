//! The end of an import: one name for each device and secret, the text, and the report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use zeroize::Zeroizing;

use super::found::{Credential, Found, Scope};
use super::intake::{Intake, few, shown};
use super::jumps::{self, Placed};
use super::names::{Entries, Names};
use super::report::{Carried, FileRead, Needed, Notes, Report};
use super::write::{self, Reference};
use super::{Imported, KeptValue, Options, fits};

/// Makes the configuration and the report of what was found.
pub(super) fn settle(intake: Intake<'_>, mut files: Vec<FileRead>, options: &Options) -> Imported {
    let mut notes = intake.notes;
    let mut names = Names::default();
    let mut devices = placed(intake.devices, &files, &mut names, &mut notes);
    jumps::resolve(&mut devices, &mut names, &mut notes);
    for device in &mut devices {
        fit_line(&mut device.found, device.via.is_some(), &mut notes);
        if let Some(file) = files.get_mut(device.file).filter(|_| !device.is_hop) {
            file.devices += 1;
        }
    }
    let mut secrets = Secrets { store: options.store, ..Secrets::default() };
    let references: Vec<Vec<Reference>> = devices.iter_mut().map(|device| secrets.refer(device)).collect();
    let toml = write::file(&head(&files), devices.iter().zip(references));
    let carried: Vec<Carried> = devices.iter().map(|device| carry(device, &files)).collect();
    let now: BTreeMap<&str, &str> = devices.iter().rev().map(|device| (device.found.name.as_str(), device.name.as_str())).collect();
    let notes = notes.finish(|called| now.get(called).map_or_else(|| fits::name_like(called), |name| (*name).to_owned()));
    let mut report = Report { files, devices: carried, notes, secrets: secrets.needed, next: Vec::new() };
    let to_set: Vec<&Needed> = report
        .secrets
        .iter()
        .filter(|needed| needed.from == "keyring" && !secrets.values.iter().any(|kept| kept.entry == needed.name))
        .collect();
    report.next = next(&report, &to_set, options);
    Imported { toml, report, values: secrets.values }
}

/// Devices with their names; of those that are there twice the first.
fn placed(found: Vec<(usize, Found)>, files: &[FileRead], names: &mut Names, notes: &mut Notes) -> Vec<Placed> {
    let mut devices: Vec<Placed> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (file, mut found) in found {
        let called = found.name.clone();
        if let Some(first) = places.get(&called).and_then(|index| devices.get(*index)) {
            let same = |a: &Found, b: &Found| (a.host.as_ref(), a.port.unwrap_or(22)) == (b.host.as_ref(), b.port.unwrap_or(22));
            let where_first = files.get(first.file).map(|file| file.path.clone()).unwrap_or_default();
            if same(&first.found, &found) {
                notes.left(Some(&called), "the second of this name", &format!("it leads to the same place as the first, in {where_first}"));
                continue;
            }
            notes.changed(
                Some(&called),
                "the second of this name",
                &format!("it has a number behind its name, because {where_first} has one too"),
            );
        }
        let name = names.give(&called);
        if name != called && !places.contains_key(&called) {
            let why = format!("names have letters, digits, `.`, `_` and `-` alone, and each is there once: it is `{name}` here");
            notes.changed(Some(&called), &format!("the name `{}`", called.escape_debug()), &why);
        }
        // Without `host` a device's name is where it is.
        if name != called && found.host.is_none() && !found.local && fits::is_host(&called) {
            found.host = Some(called.clone());
        }
        places.entry(called).or_insert(devices.len());
        devices.push(Placed { name, file, found, via: None, is_hop: false });
    }
    devices
}

/// Takes away what means nothing on a line that is not SSH.
fn fit_line(found: &mut Found, has_via: bool, notes: &mut Notes) {
    if found.telnet {
        found.serial = None;
    }
    let is_serial = found.serial.is_some();
    if !found.telnet && !is_serial {
        return;
    }
    if found.key.is_some() || found.known_hosts.is_some() || found.legacy || found.agent.is_some() {
        notes.left(Some(&found.name), "keys, host keys, algorithms and the agent", "they are of SSH, and its line is another");
    }
    (found.key, found.known_hosts, found.legacy, found.agent) = (None, None, false, None);
    if is_serial {
        (found.host, found.port, found.keepalive) = (None, None, None);
        found.proxy.clear();
        if has_via {
            notes.left(Some(&found.name), "its jump", "a serial line is in no network");
        }
    }
}

fn carry(device: &Placed, files: &[FileRead]) -> Carried {
    Carried {
        name: device.name.clone(),
        called: (device.found.name != device.name).then(|| device.found.name.escape_debug().to_string()),
        file: files.get(device.file).map(|file| file.path.clone()).unwrap_or_default(),
    }
}

fn head(files: &[FileRead]) -> Vec<String> {
    let mut head = vec!["Made by `jackfield import`; `jackfield check` says whether it is right.".to_owned()];
    head.extend(files.iter().map(|file| format!("From {}: {}.", file.path, file.title)));
    head
}

/// Secrets, while devices come to refer to them.
#[derive(Default)]
struct Secrets {
    store: bool,
    entries: Entries,
    /// What is known to be in an entry.
    known: BTreeMap<String, Zeroizing<String>>,
    needed: Vec<Needed>,
    /// Places among them.
    places: BTreeMap<(&'static str, String, &'static str), usize>,
    values: Vec<KeptValue>,
}

impl Secrets {
    /// The references of a device.
    fn refer(&mut self, device: &mut Placed) -> Vec<Reference> {
        let secrets = std::mem::take(&mut device.found.secrets);
        let mut references = Vec::new();
        for (role, credential) in secrets {
            let (from, name, origin) = match credential {
                Credential::Env { variable, value: Some(value) } if self.store => {
                    let scope = Scope::Shared(variable.to_ascii_lowercase());
                    let origin = format!("the variable `{variable}`");
                    ("keyring", self.keep(device, &scope, "password", Some(value)), origin)
                }
                Credential::Env { variable, .. } => ("env", variable, "a variable of the environment".to_owned()),
                Credential::File(path) => ("file", path, "a file of its own already".to_owned()),
                Credential::Command(command) => ("command", command, "looked up with a program".to_owned()),
                Credential::Kept { scope, value, origin } => ("keyring", self.keep(device, &scope, role, value), origin),
            };
            self.need(from, &name, role, &device.name, origin);
            references.push(Reference { role, from, name });
        }
        references
    }

    /// The entry of a value. What a group shares may still differ, where a template names the host.
    fn keep(&mut self, device: &Placed, scope: &Scope, role: &'static str, value: Option<Zeroizing<String>>) -> String {
        let mut entry = self.entries.name(device.file, scope, &device.name, role);
        let Some(value) = value else { return entry };
        if self.known.get(&entry).is_some_and(|known| *known != value) {
            entry = self.entries.name(device.file, &Scope::Device, &device.name, role);
        }
        if self.known.insert(entry.clone(), value.clone()).is_none() && self.store {
            self.values.push(KeptValue { entry: entry.clone(), value });
        }
        entry
    }

    fn need(&mut self, from: &'static str, name: &str, role: &'static str, device: &str, origin: String) {
        let next = self.needed.len();
        let place = *self.places.entry((from, name.to_owned(), role)).or_insert(next);
        match self.needed.get_mut(place) {
            Some(needed) => needed.devices.push(device.to_owned()),
            None => {
                let devices = vec![device.to_owned()];
                self.needed.push(Needed { from, name: name.to_owned(), role, devices, origin, stored: false });
            }
        }
    }
}

/// What to do now.
fn next(report: &Report, to_set: &[&Needed], options: &Options) -> Vec<String> {
    let sorted = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let entries = sorted(to_set.iter().map(|needed| needed.name.as_str()).collect());
    let variables = sorted(report.secrets.iter().filter(|needed| needed.from == "env").map(|needed| needed.name.as_str()).collect());
    let mut next = Vec::new();
    if let Some(first) = entries.first() {
        let again = if options.store { "" } else { "; or import again with `--store-secrets`" };
        let others = if entries.len() > 1 { format!(", and so for each of: {}", few(&entries)) } else { String::new() };
        next.push(format!("`jackfield secret set {first}`{others}{again}"));
    }
    if !variables.is_empty() {
        next.push(format!("have these variables in the environment of `jackfield mcp`: {}", few(&variables)));
    }
    let config = options.out.as_deref().map(|out: &Path| format!(" --config {}", shown(out))).unwrap_or_default();
    next.push(format!("`jackfield check{config}` says whether all is right"));
    if let Some(device) = report.devices.first() {
        next.push(format!("`jackfield doctor{config} {}` goes the way to a device step by step", device.name));
    }
    next
}
