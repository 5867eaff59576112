//! `jackfield check`: what is wrong with the configuration and its plugins, before anybody connects.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::paint::{BAD, DOUBT, GOOD, say};
use super::runtime::block_on;
use crate::config::{Config, ConfigError, Diagnostic};
use crate::plugin::catalog::GENERIC;
use crate::plugin::device_type::DeviceType;
use crate::plugin::examples;
use crate::plugin::fault::LoadError;
use crate::startup;

/// Reads, checks, loads every plugin that a device uses, and says what it found.
///
/// # Errors
///
/// When the file cannot be read.
pub fn run(file: Option<&Path>, json: bool) -> Result<ExitCode, String> {
    let (config, mut problems) = match load(file) {
        Ok(config) => (config, Vec::new()),
        Err(ConfigError::Invalid(diagnostics)) => {
            let mut nothing = Config::default();
            nothing.file = diagnostics.first().map(|diagnostic| diagnostic.file.clone());
            (nothing, diagnostics.iter().map(Diagnostic::to_string).collect())
        }
        Err(error) if json => {
            let mut nothing = Config::default();
            nothing.file = startup::config_file(file);
            say(&as_json(&nothing, &[], &[error.to_string()]));
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.to_string()),
    };
    let catalog = startup::catalog(&config)?;
    problems.extend(catalog.broken().iter().filter_map(|(_, error)| untold(error)));
    problems.extend(startup::check_names(&config, &catalog).iter().map(Diagnostic::to_string));
    problems.extend(startup::check_rules(&config, &catalog).iter().map(Diagnostic::to_string));
    let kinds: BTreeSet<String> = config
        .devices
        .values()
        .filter_map(|device| match &device.device_type {
            crate::config::TypeChoice::Named(kind) => Some(kind.to_string()),
            crate::config::TypeChoice::Auto => None,
        })
        .chain(config.types.keys().map(ToString::to_string))
        // Its own rules judge every device. Where no type is named, nobody else would look at them.
        .chain((!config.rules.is_empty()).then(|| GENERIC.to_owned()))
        .collect();
    let mut checked = Vec::new();
    block_on(async {
        for kind in &kinds {
            let Some(plugins) = catalog.plugins_of(kind) else { continue };
            match DeviceType::load(kind, &plugins, &catalog).await {
                Ok(loaded) => {
                    let own = config.types.get(kind.as_str()).and_then(|entry| entry.declaration.clone());
                    if let Some(declaration) = own {
                        problems.extend(examples::wrong(&declaration, &std::sync::Arc::new(loaded)).await);
                    }
                    checked.push(format!("{kind}: {}", plugins.join(", ")));
                }
                Err(error) => problems.extend(untold(&error)),
            }
        }
    })?;
    // A plugin that does not load is one problem, however many types need it.
    let mut told = BTreeSet::new();
    problems.retain(|problem| told.insert(problem.clone()));
    say(&if json { as_json(&config, &checked, &problems) } else { as_text(&config, &checked, &problems) });
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the schema.
///
/// # Errors
///
/// None.
pub fn schema() -> Result<ExitCode, String> {
    say(&crate::config::schema::text());
    Ok(ExitCode::SUCCESS)
}

/// What is wrong with a plugin, unless the check of the names tells it, with its line.
fn untold(error: &LoadError) -> Option<String> {
    (!matches!(error, LoadError::NotPinned { .. })).then(|| error.to_string())
}

fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let directory = std::env::current_dir().unwrap_or_default();
    Config::load(file, &|name| std::env::var_os(name), &directory)
}

fn as_json(config: &Config, types: &[String], problems: &[String]) -> String {
    let file = config.file.as_ref().map(|file| file.display().to_string());
    format!(
        "{}\n",
        json!({"ok": problems.is_empty(), "file": file, "devices": config.devices.len(), "types": types, "problems": problems,
        "set_aside": config.set_aside})
    )
}

fn devices(count: usize) -> String {
    if count == 1 { "1 device".to_owned() } else { format!("{count} devices") }
}

fn as_text(config: &Config, types: &[String], problems: &[String]) -> String {
    let mut out = String::new();
    for problem in problems {
        let _ = writeln!(out, "{BAD}wrong{BAD:#}  {problem}");
    }
    for kind in types {
        let _ = writeln!(out, "{GOOD}ok{GOOD:#}     type {kind}");
    }
    if let (Some(managed), Some(max)) = (&config.managed_file, config.policy_max) {
        let _ = writeln!(out, "{GOOD}ok{GOOD:#}     {}: managed, no device has more than policy mode {max}", managed.display());
    }
    for what in &config.set_aside {
        let _ = writeln!(out, "{DOUBT}note{DOUBT:#}   {what}");
    }
    let file = config.file.as_ref().map_or_else(|| "no configuration file".to_owned(), |file| file.display().to_string());
    let _ = match problems.len() {
        0 => writeln!(out, "{GOOD}ok{GOOD:#}     {file}: {}", devices(config.devices.len())),
        1 => writeln!(out, "1 problem in {file}"),
        count => writeln!(out, "{count} problems in {file}"),
    };
    out
}
