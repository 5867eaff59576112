//! From a configuration to a directory that is ready for work.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::audit::record::Configuration;
use crate::audit::{Audit, about};
use crate::cast::Casts;
use crate::config::{self, Config, Diagnostic};
use crate::directory::Directory;
use crate::history::History;
use crate::ids::nonce;
use crate::limits::PLUGIN_FILE_MAX_BYTES;
use crate::plugin::catalog::Catalog;
use crate::plugin::compiled::CompiledCache;
use crate::plugin::engine::Engine;
use crate::plugin::load::{Loader, Source, Spec};
use crate::plugin::signature::Demand;
use crate::private;

/// The configuration of this process, as `--config`, its environment and its working directory name it.
///
/// # Errors
///
/// What is wrong with it.
pub fn config(file: Option<&Path>) -> Result<Config, String> {
    let folder = std::env::current_dir().unwrap_or_default();
    Config::load(file, &|name| std::env::var_os(name), &folder).map_err(|error| error.to_string())
}

/// Its file, which may be absent or wrong.
#[must_use]
pub fn config_file(file: Option<&Path>) -> Option<PathBuf> {
    let folder = std::env::current_dir().unwrap_or_default();
    config::find(file, &|name| std::env::var_os(name), &folder).map(|found| found.path)
}

/// What the operator says of the plugins, as the loader wants it.
#[must_use]
pub fn specs(config: &Config) -> Vec<Spec> {
    let bundled =
        |name: &str| crate::plugin::catalog::BUNDLED.iter().find(|(known, _)| *known == name).map(|(_, wasm)| Source::Embedded(wasm));
    let spec = |(name, entry): (&String, &config::PluginEntry)| {
        let source = entry.path.clone().map(Source::File).or_else(|| bundled(name))?;
        let embedded = matches!(source, Source::Embedded(_));
        Some(Spec {
            name: name.clone(),
            digest: entry.digest.map(|digest| digest.to_string().trim_start_matches("sha256:").to_owned()),
            settings: entry.config.clone(),
            // A bundled plugin is trusted with what it declares, unless less is granted; another one gets what is granted.
            secrets: entry.secrets.clone().or_else(|| (!embedded).then(Vec::new)),
            is_shared: entry.isolation == config::Isolation::Shared,
            max_bytes: entry.max_file_bytes.map_or(PLUGIN_FILE_MAX_BYTES, std::num::NonZeroU64::get),
            max_parts: entry.max_parts.and_then(|parts| usize::try_from(parts.get()).ok()),
            source,
            declaration: None,
            signer: entry.signer.clone().map(|principal| Demand { principal, allowed: config.allowed_signers() }),
        })
    };
    config.plugins.iter().filter_map(spec).collect()
}

/// The plugins and types of a configuration.
///
/// # Errors
///
/// When the WebAssembly engine does not start on this machine.
pub fn catalog(config: &Config) -> Result<Catalog, String> {
    let engine = Engine::start().map_err(|error| format!("the WebAssembly engine does not start: {error:#}"))?;
    let cache = cache_folder().and_then(|folder| match CompiledCache::open(&folder) {
        Ok(cache) => Some(cache),
        Err(error) => {
            crate::diagnostics::warn(&format!("plugins are compiled at each start: {error}"));
            None
        }
    });
    Ok(catalog_with(config, Arc::new(Loader::new(engine, cache))))
}

/// The same with a loader that is there: what it has compiled is not compiled again.
#[must_use]
pub fn catalog_with(config: &Config, loader: Arc<Loader>) -> Catalog {
    let types = config.types.iter().filter(|(_, entry)| !entry.plugins.is_empty());
    let types = types.map(|(name, entry)| (name.to_string(), entry.plugins.clone())).collect();
    let declared = config.types.iter().filter_map(|(name, entry)| Some((name.to_string(), entry.declaration.clone()?)));
    let catalog = Catalog::new(specs(config), types, loader).with_declared(declared);
    if config.rules.is_empty() { catalog } else { catalog.with_everywhere(config::RULES) }
}

/// The directory of a configuration.
///
/// # Errors
///
/// When the engine does not start.
pub fn directory(config: Config) -> Result<Directory, String> {
    let catalog = catalog(&config)?;
    let state = private_state();
    let folder = state.clone().and_then(|state| session_folder(&state).map_err(|error| error.to_string()));
    let folder = folder.map_err(|error| crate::diagnostics::warn(&format!("logs stay in memory: {error}"))).ok();
    let halted = state.as_ref().ok().map(|state| halt_file(state));
    let history = history(state);
    let run = if history.run().is_empty() { nonce().unwrap_or_default() } else { history.run().to_owned() };
    let audit = Audit::start(audit_folder(&config), about::this_process(in_force(&config)), &run);
    let casts = casts(&config, &run);
    let directory = Directory::new(config, catalog, folder).kept_by(history).audited_by(audit).filmed_by(casts);
    Ok(match halted {
        Some(file) => directory.halt_kept_in(file),
        None => directory,
    })
}

/// Where the recordings are.
///
/// # Errors
///
/// When there is no place for them.
pub fn recordings_folder() -> Result<PathBuf, String> {
    state_folder().map(|state| state.join("recordings")).ok_or_else(|| "neither XDG_STATE_HOME nor HOME is set".to_owned())
}

/// The recordings. Where none are wanted, those that are there grow old all the same.
fn casts(config: &Config, run: &str) -> Casts {
    recordings_folder().and_then(|folder| Casts::start(folder, run, config.file.as_deref(), &config.audit)).unwrap_or_else(|error| {
        crate::diagnostics::warn(&format!("no session is recorded: {error}"));
        Casts::default()
    })
}

/// Where the audit record is.
#[must_use]
pub fn audit_folder(config: &Config) -> Option<PathBuf> {
    config.audit.folder.clone().or_else(|| state_folder().map(|folder| folder.join("audit")))
}

/// What the audit record says of a configuration.
#[must_use]
pub fn in_force(config: &Config) -> Configuration {
    Configuration {
        file: config.file.as_ref().map(|file| file.display().to_string()),
        digest: config.digest.map(|digest| digest.to_string()),
        policy_mode: config.policy.to_string(),
        ..Configuration::default()
    }
}

/// The history, which commands do without if there is no place for it.
fn history(state: Result<PathBuf, String>) -> History {
    state.and_then(History::start).unwrap_or_else(|error| {
        crate::diagnostics::warn(&format!("no history is kept: {error}"));
        History::default()
    })
}

/// Where this account's state is.
#[must_use]
pub fn state_folder() -> Option<PathBuf> {
    base("XDG_STATE_HOME", ".local/state")
}

/// The same, made or mended so that it is for this account alone.
///
/// # Errors
///
/// A sentence, when it cannot be made, or belongs to somebody else.
pub fn private_state() -> Result<PathBuf, String> {
    let folder = state_folder().ok_or_else(|| "neither XDG_STATE_HOME nor HOME is set".to_owned())?;
    private::closed_folder(&folder)?;
    Ok(folder)
}

/// Where it is kept that a person has stopped all input of agents.
#[must_use]
pub fn halt_file(state: &Path) -> PathBuf {
    state.join("halted")
}

/// Where running servers are found: one socket each, for this account alone.
///
/// # Errors
///
/// When it cannot be made, or belongs to somebody else.
pub fn run_folder() -> io::Result<PathBuf> {
    let folder = private_state().map_err(io::Error::other)?.join("run");
    private::closed_folder(&folder).map_err(io::Error::other)?;
    Ok(folder)
}

/// What is wrong with the names in a configuration.
#[must_use]
pub fn check_names(config: &Config, catalog: &Catalog) -> Vec<Diagnostic> {
    let types: Vec<String> = catalog.types().into_keys().collect();
    let plugins: Vec<&str> = crate::plugin::catalog::BUNDLED.iter().map(|(name, _)| *name).collect();
    let mut diagnostics = config.check_names(&types.iter().map(String::as_str).collect::<Vec<_>>(), &plugins);
    for (name, entry) in &config.plugins {
        if entry.path.is_some()
            && let Ok(checked) = catalog.check(name)
        {
            let wanted: Vec<&str> = checked.manifest.secrets.iter().map(String::as_str).collect();
            diagnostics.extend(config.check_grants(name, &wanted));
        }
    }
    diagnostics
}

/// What is wrong with what the operator's own rules name. Not a reason to refuse a configuration: its last device of a tag may be gone.
#[must_use]
pub fn check_rules(config: &Config, catalog: &Catalog) -> Vec<Diagnostic> {
    let types: Vec<String> = catalog.types().into_keys().collect();
    config.check_rules(&types.iter().map(String::as_str).collect::<Vec<_>>())
}

fn base(variable: &str, default: &str) -> Option<PathBuf> {
    let set = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    set.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(default))).map(|base| base.join("jackfield"))
}

fn cache_folder() -> Option<PathBuf> {
    base("XDG_CACHE_HOME", ".cache").map(|base| base.join("compiled"))
}

/// Has a process ended? One whose parent has not asked how stays in the list of processes; in a container nobody may ever ask.
#[must_use]
pub fn has_ended(process: u32) -> bool {
    let folder = Path::new("/proc").join(process.to_string());
    match fs::read(folder.join("stat")) {
        // Behind its name, which may have parentheses itself, stands its state (proc(5)).
        Ok(stat) => {
            let behind = stat.rsplit(|byte| *byte == b')').next().unwrap_or_default();
            matches!(behind.trim_ascii_start().first(), Some(b'Z' | b'X'))
        }
        Err(_) => !folder.exists(),
    }
}

/// The folder of this process's logs. What processes left behind that are gone is removed.
fn session_folder(state: &Path) -> io::Result<PathBuf> {
    let sessions = state.join("sessions");
    private::closed_folder(&sessions).map_err(io::Error::other)?;
    for entry in fs::read_dir(&sessions)?.flatten() {
        let process = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        // In a container the one before had the same number.
        if process.is_some_and(|process| process == std::process::id() || has_ended(process)) {
            // Another process may be doing the same.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let own = sessions.join(std::process::id().to_string());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&own)?;
    Ok(own)
}

/// Has the process open as many files as the system lets it: each session is a few, and shells start programs with few allowed.
pub fn allow_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum {
        // Fewer sessions is all that a refusal means.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
}

/// Removes the folder of this process's logs.
pub fn clean_up() {
    if let Some(base) = base("XDG_STATE_HOME", ".local/state") {
        let _ = fs::remove_dir_all(base.join("sessions").join(std::process::id().to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_left_goes_when_it_has_ended_also_where_nobody_asked_how_or_this_one_has_its_number() {
        let state = tempfile::tempdir().unwrap();
        let mut process = std::process::Command::new("true").spawn().unwrap();
        let left = |process: u32| {
            let folder = state.path().join("sessions").join(process.to_string());
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("web1-main-0123.0.log"), "x").unwrap();
            folder
        };
        let (own, ended, lives) = (left(std::process::id()), left(process.id()), left(1));
        while !has_ended(process.id()) {
            std::thread::yield_now();
        }
        assert_eq!(session_folder(state.path()).unwrap(), own);
        assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
        assert!(!ended.exists() && lives.exists());
        process.wait().unwrap();
        assert!(has_ended(process.id()) && !has_ended(std::process::id()));
    }
}
