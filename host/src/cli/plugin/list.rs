//! `jackfield plugin list`: the plugins of the program and of the configuration.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::paint::{BAD, painted, say, size, table};
use crate::config::Config;
use crate::plugin::catalog::{BUNDLED, Catalog};
use crate::startup;

/// Digits of a digest in the table.
const DIGEST_CHARS: usize = 12;
/// Types in the table before the rest is counted.
const TYPES_SHOWN: usize = 3;

/// Lists them.
///
/// # Errors
///
/// When the configuration is wrong.
pub fn run(config: Option<&Path>, json: bool) -> Result<ExitCode, String> {
    let config = startup::config(config)?;
    let catalog = startup::catalog(&config)?;
    let plugins: Vec<Value> = catalog.plugin_names().iter().map(|name| about(&config, &catalog, name)).collect();
    let wrong = plugins.iter().filter(|plugin| plugin.get("wrong").is_some_and(Value::is_string)).count();
    say(&if json { format!("{}\n", json!({"plugins": plugins})) } else { as_text(&plugins) });
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn about(config: &Config, catalog: &Catalog, name: &str) -> Value {
    let path = config.plugins.get(name).and_then(|entry| entry.path.clone());
    let bundled = BUNDLED.iter().any(|(known, _)| *known == name);
    let state = match (&path, bundled) {
        (Some(_), true) => "replaces the bundled one",
        (Some(_), false) => "from a file",
        _ => "bundled",
    };
    match catalog.check(name) {
        Ok(checked) => {
            let roles: Vec<&String> = checked.roles.iter().filter(|role| *role != "setup").collect();
            json!({
                "name": name, "version": checked.manifest.version, "digest": format!("sha256:{}", checked.digest), "bytes": checked.bytes,
                "roles": roles, "types": checked.manifest.types, "state": state, "path": path, "wrong": Value::Null,
            })
        }
        Err(error) => json!({
            "name": name, "version": Value::Null, "digest": Value::Null, "bytes": Value::Null, "roles": [], "types": [], "state": state,
            "path": path, "wrong": error.to_string(),
        }),
    }
}

fn as_text(plugins: &[Value]) -> String {
    let row = |plugin: &Value| {
        let text = |key: &str| plugin.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
        let words = |key: &str| -> Vec<String> {
            let list = plugin.get(key).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|word| word.as_str().map(str::to_owned)).collect()
        };
        let types = words("types");
        let mut shown = types.iter().take(TYPES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
        if types.len() > TYPES_SHOWN {
            shown = format!("{shown}, {} more", types.len() - TYPES_SHOWN);
        }
        let bytes = plugin.get("bytes").and_then(Value::as_u64).map_or_else(|| "-".to_owned(), size);
        let digest: String = text("digest").trim_start_matches("sha256:").chars().take(DIGEST_CHARS).collect();
        vec![text("name"), text("version"), bytes, digest, text("state"), words("roles").join(" "), shown]
    };
    let rows: Vec<Vec<String>> = plugins.iter().map(row).collect();
    let mut out = table(&["NAME", "VERSION", "SIZE", "SHA-256", "STATE", "ROLES", "TYPES"], &rows);
    for wrong in plugins.iter().filter_map(|plugin| plugin.get("wrong").and_then(Value::as_str)) {
        let _ = writeln!(out, "{}  {wrong}", painted(BAD, "wrong"));
    }
    out
}
