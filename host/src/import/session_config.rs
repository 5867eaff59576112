//! `ssh-session-mcp.config.json`: devices with the names of the variables that hold their passwords, and a `.env` beside it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::document::{self, text, texts};
use super::found::{Credential, Found, PASSPHRASE, PASSWORD, Scope};
use super::intake::{Intake, beside, fill, key_shown};
use super::{dotenv, fits};

/// Keys of a device's `defaults`, and of the file's, that are about the terminal and the viewer of that program.
const VIEWS: [&str; 10] = [
    "term",
    "cols",
    "rows",
    "closedRetentionMs",
    "autoOpenViewer",
    "viewerMode",
    "viewerHost",
    "viewerPort",
    "viewerSingletonScope",
    "autoOpenTerminal",
];

pub(super) fn read(intake: &mut Intake<'_>, path: &Path, content: &str) -> Result<(), String> {
    let tree = document::json(content)?;
    let root = tree.as_object().ok_or("has no object at its top")?;
    let devices = root.get("devices").and_then(Value::as_array).ok_or("has no list `devices`")?;
    let known: BTreeMap<_, _> = intake
        .text(&beside(path, ".env"))
        .map(dotenv::variables)
        .unwrap_or_default()
        .into_iter()
        .map(|variable| (variable.name, variable.value))
        .collect();
    let defaults = root.get("defaults").and_then(Value::as_object);
    for (number, device) in devices.iter().enumerate() {
        let table = device.as_object().ok_or_else(|| format!("device {} is no object", number + 1))?;
        let mut found = read_device(intake, number, table, defaults);
        fill(&mut found.secrets, &known);
        intake.take(found)?;
    }
    about_the_file(intake, root, defaults);
    Ok(())
}

fn read_device(intake: &mut Intake<'_>, number: usize, table: &Map<String, Value>, defaults: Option<&Map<String, Value>>) -> Found {
    let name = text(table, "id").unwrap_or_else(|| format!("device-{}", number + 1));
    let notes = &mut intake.notes;
    let mut found = Found::named(&name);
    found.label = text(table, "label");
    found.set_host("`host`", text(table, "host"), notes);
    found.set_port("`port`", text(table, "port"), notes);
    found.set_user("`user`", text(table, "user"), notes);
    found.set_tags("`tags`", texts(table.get("tags")), notes);
    if let Some(auth) = table.get("auth").and_then(Value::as_object) {
        found.set_key("`auth.keyPath`", text(auth, "keyPath"), notes);
        match text(auth, "passwordEnv") {
            Some(variable) if fits::is_variable(&variable) => {
                found.secrets.insert(PASSWORD, Credential::Env { variable, value: None });
            }
            Some(_) => notes.left(Some(&name), "`auth.passwordEnv`", "it is not the name of a variable"),
            None => {}
        }
        // That program refuses these; a person may still have written them.
        for (role, key) in [(PASSWORD, "password"), (PASSPHRASE, "passphrase")] {
            found.set_secret(role, Scope::Device, text(auth, key), &format!("`auth.{key}` of this device"));
        }
        for key in auth.keys().filter(|key| !["keyPath", "passwordEnv", "password", "passphrase"].contains(&key.as_str())) {
            notes.left(Some(&name), &format!("`auth.{}`", key_shown(key).trim_matches('`')), "there is nothing like it here");
        }
    }
    let own = table.get("defaults").and_then(Value::as_object);
    if let Some(milliseconds) = [own, defaults].into_iter().flatten().find_map(|table| table.get("idleTimeoutMs")?.as_u64()) {
        found.idle_close = fits::delay(milliseconds);
    }
    let views: Vec<&str> = own.into_iter().flat_map(Map::keys).map(String::as_str).filter(|key| *key != "idleTimeoutMs").collect();
    if !views.is_empty() {
        notes.left(Some(&name), "`defaults`", "sizes of terminals and viewers are chosen when a session is opened");
    }
    found
}

fn about_the_file(intake: &mut Intake<'_>, root: &Map<String, Value>, defaults: Option<&Map<String, Value>>) {
    for (key, value) in defaults.into_iter().flatten() {
        let (what, why) = match (key.as_str(), value.as_str()) {
            ("mode", Some("full")) => ("`mode` = `full`", "it stays at `safe` here; `[policy] mode = \"full\"` says otherwise"),
            ("mode" | "idleTimeoutMs", _) => continue,
            ("logMode" | "logDir", _) => ("the log", "every command is in the audit record here: `jackfield audit show`"),
            (key, _) if VIEWS.contains(&key) => ("`defaults`", "sizes of terminals and viewers are chosen when a session is opened"),
            _ => {
                intake.no_counterpart(None, &[key]);
                continue;
            }
        };
        intake.notes.left(None, what, why);
    }
    for key in root.keys() {
        match key.as_str() {
            "devices" | "defaults" => {}
            "defaultDevice" => intake.notes.left(None, "`defaultDevice`", "every call names its device here"),
            "policyRules" => {
                intake.notes.left(
                    None,
                    "`policyRules`",
                    "write `[[policy.rule]]` for them; `jackfield policy explain DEVICE -- LINE` tries one",
                );
            }
            key => intake.no_counterpart(None, &[key]),
        }
    }
}
