//! `jackfield plugin pin`: the lines of the configuration that name one file and no other.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::{loader, of_file, wrong};
use crate::cli::paint::{DIM, DOUBT, GOOD, painted, say};
use crate::cli::runtime::block_on;
use crate::config::{Config, Diagnostic, find, header};
use crate::limits::PLUGIN_FILE_MAX_BYTES;
use crate::plugin::catalog::BUNDLED;
use crate::plugin::load::{self, Checked, Loader};
use crate::startup;

/// What is wanted.
#[derive(Debug)]
pub struct Wanted {
    /// The component.
    pub file: PathBuf,
    /// Its name in the configuration.
    pub name: Option<String>,
    /// Who must have signed.
    pub signer: Option<String>,
    /// Secrets that its dialogs may ask for.
    pub grants: Vec<String>,
    /// Modules and memories that it may have.
    pub max_parts: Option<u32>,
    /// Bytes that its file may have.
    pub max_file_bytes: Option<u64>,
    /// Write it into the file.
    pub write: bool,
}

/// Shows the lines or writes them.
///
/// # Errors
///
/// When the plugin would not load with them, no server would take them, or the configuration cannot be written.
pub fn run(config: Option<&Path>, wanted: &Wanted) -> Result<ExitCode, String> {
    let folder = std::env::current_dir().unwrap_or_default();
    let found = find(config, &|name| std::env::var_os(name), &folder).map(|found| found.path);
    let path = found.unwrap_or_else(|| folder.join("jackfield.toml"));
    let before = if path.exists() {
        std::fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?
    } else {
        String::new()
    };
    let mut document: DocumentMut = before.parse().map_err(|error| format!("`{}`: {error}", path.display()))?;
    let spec = of_file(&wanted.file, wanted.max_file_bytes.or_else(|| allowed_bytes(&document)));
    let checked = load::check(&spec).map_err(|error| wrong::told(&spec, &error).1)?;
    let name = wanted.name.clone().unwrap_or_else(|| checked.manifest.name.clone());
    let strange = wanted.grants.iter().find(|secret| !checked.manifest.secrets.contains(secret));
    if let Some(secret) = strange {
        let asks = match checked.manifest.secrets.join(", ") {
            none if none.is_empty() => "it asks for none".to_owned(),
            some => format!("it asks for: {some}"),
        };
        return Err(format!("the plugin never asks for the secret `{secret}`; {asks}"));
    }
    put(&mut document, &name, &relative(&wanted.file, &path), wanted, &checked)?;
    let after = document.to_string();
    // What is written must be a configuration that the program reads back.
    let config = Config::parse_beside_ssh(&after, &path, &|name| std::env::var_os(name))
        .map_err(|wrong| wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let loader = Arc::new(loader()?);
    try_out(&config, &name, &loader)?;
    let catalog = startup::catalog_with(&config, loader);
    let found = startup::check_names(&config, &catalog);
    let (own, others): (Vec<Diagnostic>, Vec<Diagnostic>) = found.into_iter().partition(|found| is_about(found, &name));
    if !wanted.write {
        let mut lines = DocumentMut::new();
        put(&mut lines, &name, &relative(&wanted.file, &path), wanted, &checked)?;
        let mut notes: Vec<String> = own.iter().map(|found| format!("no server takes it: {}", sentence(found))).collect();
        notes.extend(instead(&name));
        notes.push(format!("add --write to put this into {}", path.display()));
        let notes: String = notes.iter().map(|note| painted(DIM, &format!("# {note}\n"))).collect();
        say(&format!("{lines}{notes}"));
        return Ok(ExitCode::SUCCESS);
    }
    if !own.is_empty() {
        let why = own.iter().map(sentence).collect::<Vec<_>>().join("\n");
        return Err(format!("{why}; nothing was pinned, because no server would take the configuration"));
    }
    // A configuration that is half written would end every session.
    crate::atomic::write(&path, after.as_bytes(), 0o600).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    say(&format!("{}  {} sha256:{} in {}\n", painted(GOOD, "pinned"), header("plugin", &name), checked.digest, path.display()));
    if let Some(note) = instead(&name) {
        say(&format!("{}  {note}\n", painted(DOUBT, "note")));
    }
    // What stood there before is the operator's to mend: it does not keep a plugin from being pinned that may be what is missing.
    for found in &others {
        say(&format!("{}  {found}; a reload takes nothing until that is mended\n", painted(DOUBT, "wrong")));
    }
    let granted = document.get("plugin").and_then(|plugins| plugins.get(&name)).is_some_and(|plugin| plugin.get("secrets").is_some());
    if !granted && !checked.manifest.secrets.is_empty() {
        // A grant is the operator's own word.
        say(&format!(
            "its dialogs ask for secrets that it is not granted: {}; --grant NAME grants one\n",
            checked.manifest.secrets.join(", ")
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The most that the configuration lets the file of any plugin have: this one's name is known once it was read. Whether it may have so
/// many shows when it is tried out.
fn allowed_bytes(document: &DocumentMut) -> Option<u64> {
    let plugins = document.get("plugin")?.as_table_like()?;
    let allowed = plugins.iter().filter_map(|(_, entry)| u64::try_from(entry.get("max_file_bytes")?.as_integer()?).ok());
    allowed.max().map(|most| most.max(PLUGIN_FILE_MAX_BYTES))
}

/// A file may call itself like a plugin of this program, and would then do that one's work for every device.
fn instead(name: &str) -> Option<String> {
    BUNDLED.iter().any(|(known, _)| *known == name).then(|| {
        format!("it takes the place of the bundled plugin `{name}`, wherever that one serves; --name pins it under a name of its own")
    })
}

/// Is it about the table of this plugin?
fn is_about(found: &Diagnostic, name: &str) -> bool {
    let table = found.path.strip_prefix("plugin.").and_then(|path| path.strip_prefix(name));
    table.is_some_and(|key| key.is_empty() || key.starts_with('.'))
}

/// What is wrong in a file that is not written yet: its lines say nothing.
fn sentence(found: &Diagnostic) -> String {
    let help = found.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{}{help}", found.message)
}

/// Loads the plugin as a server with this configuration would: what does not load is not pinned.
fn try_out(config: &Config, name: &str, loader: &Loader) -> Result<(), String> {
    let spec = startup::specs(config).into_iter().find(|spec| spec.name == name);
    let spec = spec.ok_or_else(|| format!("{} names no file", header("plugin", name)))?;
    let loaded = block_on(loader.load(&spec))?;
    loaded.map(drop).map_err(|error| format!("{}; nothing was pinned", wrong::told(&spec, &error).1))
}

/// The table of the plugin; what else stands in it stays.
fn put(document: &mut DocumentMut, name: &str, path: &str, wanted: &Wanted, checked: &Checked) -> Result<(), String> {
    let plugins = document.entry("plugin").or_insert_with(|| {
        let mut parent = Table::new();
        parent.set_implicit(true);
        Item::Table(parent)
    });
    let parent = plugins.as_table_like_mut().ok_or("`plugin` in the configuration is no table")?;
    let entry = parent.entry(name).or_insert_with(|| Item::Table(Table::new()));
    let table = entry.as_table_like_mut().ok_or_else(|| format!("`plugin.{name}` in the configuration is no table"))?;
    let mut set = |key: &str, new: Item| match table.get_mut(key).and_then(Item::as_value_mut) {
        // The comment behind the old value stays behind the new one.
        Some(old) => {
            let decor = old.decor().clone();
            if let Ok(mut new) = new.into_value() {
                *new.decor_mut() = decor;
                *old = new;
            }
        }
        None => drop(table.insert(key, new)),
    };
    set("path", value(path));
    set("digest", value(format!("sha256:{}", checked.digest)));
    if let Some(signer) = &wanted.signer {
        set("signer", value(signer));
    }
    if let Some(parts) = wanted.max_parts {
        set("max_parts", value(i64::from(parts)));
    }
    if let Some(bytes) = wanted.max_file_bytes {
        let most = i64::MAX;
        let bytes = i64::try_from(bytes).map_err(|_| format!("`--max-file-bytes` is {bytes}; a configuration takes at most {most}"))?;
        set("max_file_bytes", value(bytes));
    }
    if !wanted.grants.is_empty() {
        set("secrets", value(wanted.grants.iter().map(String::as_str).collect::<Array>()));
    }
    Ok(())
}

/// As the configuration's folder sees it, where the file is below that folder.
fn relative(file: &Path, config: &Path) -> String {
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = config.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
    let below = folder.and_then(|folder| file.strip_prefix(folder).map(Path::to_owned).ok());
    below.unwrap_or(file).display().to_string()
}
