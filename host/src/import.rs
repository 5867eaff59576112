//! Configurations of the systems that people come from, as ours: devices, ways, types, and where each secret is to come from.
//!
//! A password that a file has in clear text is in no output: the device refers to an entry of the keyring, and the report says which ones
//! are to be set. Host keys are never accepted on the way: options that would are left behind, and said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use self::gather::gather;
pub use self::kind::Kind;
pub use self::report::{Carried, Fate, FileRead, Needed, Note, Report};

use self::intake::{Intake, shown};
use crate::limits::IMPORT_TOML_MAX_BYTES;

mod ansible;
mod document;
mod dotenv;
mod fits;
mod found;
mod gather;
mod hosts_json;
mod intake;
mod jumps;
mod kind;
mod names;
mod netmiko;
mod nornir;
mod overrides;
mod oxidized;
mod profiles;
mod report;
mod session_config;
mod settle;
mod ssh_options;
#[cfg(test)]
mod tests;
mod types;
mod words;
mod write;

/// A file.
#[expect(missing_debug_implementations, reason = "it may hold passwords, which must not be printable")]
pub struct Source {
    /// Where it is; files beside each other belong together.
    pub path: PathBuf,
    /// What is in it. Wiped afterwards.
    pub bytes: Zeroizing<Vec<u8>>,
    /// How it came to be read.
    pub role: Role,
}

/// How a file came to be read. Of two ways the greater counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It lies beside another file, which it may explain.
    Beside,
    /// It is in a folder that somebody named, and may be something else.
    Listed,
    /// Somebody named it.
    Named,
}

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What the files are, where their content does not tell.
    pub from: Option<Kind>,
    /// Values are handed out, to be put into the keyring; variables whose value is known are taken there too.
    pub store: bool,
    /// Where the configuration will be, for what to do next.
    pub out: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Imported {
    /// The configuration.
    pub toml: String,
    /// What was carried, what was not, and what to do now.
    pub report: Report,
    /// Values for the keyring: only where [`Options::store`] asks for them.
    pub values: Vec<KeptValue>,
}

/// A value that belongs into the keyring. Wiped afterwards.
pub struct KeptValue {
    /// The entry.
    pub entry: String,
    /// The value.
    pub value: Zeroizing<String>,
}

impl std::fmt::Debug for KeptValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptValue").field("entry", &self.entry).finish_non_exhaustive()
    }
}

/// Makes a configuration of files.
///
/// # Errors
///
/// A sentence: a file that is of no known kind, or that cannot be read as what it is. It repeats nothing of the file.
pub fn import(inputs: &[Source], options: &Options) -> Result<Imported, String> {
    let mut intake = Intake::new(inputs)?;
    let mut files: Vec<FileRead> = Vec::new();
    let mut inventories: BTreeMap<PathBuf, Vec<(usize, &Path, &str)>> = BTreeMap::new();
    let meant: Vec<&Source> = inputs.iter().filter(|source| source.role != Role::Beside).collect();
    for source in &meant {
        let path = source.path.as_path();
        if explains_another(path, &meant) {
            continue;
        }
        let content = intake.text(path).unwrap_or_default();
        let explained = || oxidized::is_explained(&intake, path).then_some(Kind::Oxidized);
        let listed = source.role == Role::Listed;
        // A folder has other files too, and what was said of its kind is meant for those that are of one.
        let kind = match (options.from.filter(|_| !listed).or_else(explained).or_else(|| Kind::detect(content)), listed) {
            (Some(kind), _) => kind,
            (None, false) => return Err(unknown(path, content)),
            (None, true) => {
                intake.notes.left(
                    None,
                    &shown(path),
                    "what it is cannot be told from its content; name it with `--from KIND` if it is meant",
                );
                continue;
            }
        };
        intake.file = files.len();
        files.push(FileRead { path: shown(path), kind: kind.word(), title: kind.title(), devices: 0 });
        let read = match kind {
            Kind::Ansible => {
                let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
                inventories.entry(folder).or_default().push((intake.file, path, content));
                Ok(())
            }
            Kind::SessionConfig => session_config::read(&mut intake, path, content),
            Kind::HostsJson => hosts_json::read(&mut intake, content),
            Kind::Env => overrides::read(&mut intake, content),
            Kind::Profiles => profiles::read(&mut intake, content),
            Kind::Netmiko => netmiko::read(&mut intake, content),
            Kind::Nornir => nornir::read(&mut intake, path, content),
            Kind::Oxidized => oxidized::read(&mut intake, path, content),
        };
        read.map_err(|why| format!("{} {why}", shown(path)))?;
    }
    for files in inventories.values() {
        ansible::read(&mut intake, files)?;
    }
    if intake.devices.is_empty() {
        let read: Vec<String> = files.iter().map(|file| format!("{} ({})", file.path, file.title)).collect();
        return Err(format!("there are no devices in {}", if read.is_empty() { "these files".to_owned() } else { read.join(", ") }));
    }
    let imported = settle::settle(intake, files, options);
    if imported.toml.len() > IMPORT_TOML_MAX_BYTES {
        let (devices, bytes) = (imported.report.devices.len(), imported.toml.len());
        return Err(format!(
            "the configuration of these {devices} devices would have {bytes} bytes, and at most {IMPORT_TOML_MAX_BYTES} are read: \
             import a part of the files"
        ));
    }
    Ok(imported)
}

/// Is this one of the files that only explain another one?
fn explains_another(path: &Path, meant: &[&Source]) -> bool {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let explained: &[&str] = match name(path).as_str() {
        "groups.yaml" | "groups.yml" | "defaults.yaml" | "defaults.yml" => &["hosts.yaml", "hosts.yml"],
        "config" | "config.yml" | "config.yaml" => &["router.db"],
        ".env" => &["ssh-session-mcp.config.json"],
        _ => return false,
    };
    meant.iter().any(|other| other.path.parent() == path.parent() && explained.contains(&name(&other.path).as_str()))
}

fn unknown(path: &Path, content: &str) -> String {
    if content.trim().is_empty() {
        return format!("{} is empty: there is nothing to import", shown(path));
    }
    // Whoever comes from ssh brings it, and need not.
    let names_hosts = |line: &str| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|word| word.eq_ignore_ascii_case("host")) && words.next().is_some() && !line.contains('{')
    };
    if content.lines().any(names_hosts) {
        return format!(
            "{} looks like a configuration of OpenSSH, which needs no import: hosts of `~/.ssh/config` are devices already, and `[ssh]` with `config = \"PATH\"` \
             names another file",
            shown(path)
        );
    }
    format!("what {} is cannot be told from its content: say so with `--from KIND`; known kinds: {}", shown(path), Kind::words())
}
