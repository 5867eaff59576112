//! `profiles.json`: a profile for each host, with passwords in clear text or the names of variables.

use serde_json::{Map, Value};

use super::document::{self, text, truth};
use super::fits;
use super::found::{Credential, Found, PASSPHRASE, PASSWORD, Scope};
use super::intake::Intake;

/// Keys that have a place here, or are dealt with by name.
const KEYS: [&str; 20] = [
    "name",
    "host",
    "port",
    "username",
    "user",
    "password",
    "password_env",
    "key_filename",
    "passphrase",
    "passphrase_env",
    "timeout",
    "banner_timeout",
    "auth_timeout",
    "allow_agent",
    "look_for_keys",
    "auto_add_host_key",
    "term",
    "width",
    "height",
    "keepalive_interval",
];

pub(super) fn read(intake: &mut Intake<'_>, content: &str) -> Result<(), String> {
    let tree = document::json(content)?;
    let profiles = tree.get("profiles").unwrap_or(&tree);
    let entries: Vec<(Option<&str>, &Value)> = match profiles {
        Value::Object(map) => map.iter().map(|(name, profile)| (Some(name.as_str()), profile)).collect(),
        Value::Array(items) => items.iter().map(|profile| (None, profile)).collect(),
        _ => return Err("has no `profiles`: neither an object nor a list".to_owned()),
    };
    for (number, (name, profile)) in entries.into_iter().enumerate() {
        let table = profile.as_object().ok_or_else(|| format!("profile {} is no object", number + 1))?;
        let name = name.map(str::to_owned).or_else(|| text(table, "name")).unwrap_or_else(|| format!("profile-{}", number + 1));
        let found = read_profile(intake, &name, table);
        intake.take(found)?;
    }
    Ok(())
}

fn read_profile(intake: &mut Intake<'_>, name: &str, table: &Map<String, Value>) -> Found {
    let mut found = Found::named(name);
    let notes = &mut intake.notes;
    found.set_host("`host`", text(table, "host"), notes);
    found.set_port("`port`", text(table, "port"), notes);
    found.set_user("`username`", text(table, "username").or_else(|| text(table, "user")), notes);
    found.set_key("`key_filename`", text(table, "key_filename"), notes);
    for (role, key, variable) in [(PASSWORD, "password", "password_env"), (PASSPHRASE, "passphrase", "passphrase_env")] {
        match text(table, variable) {
            Some(variable) if fits::is_variable(&variable) => {
                found.secrets.insert(role, Credential::Env { variable, value: None });
            }
            Some(_) => notes.left(Some(name), &format!("`{variable}`"), "it is not the name of a variable"),
            None => {}
        }
        // A value in the file came before the variable there.
        found.set_secret(role, Scope::Device, text(table, key), &format!("`{key}` of this profile"));
    }
    found.agent = truth(table, "allow_agent").filter(|allowed| !allowed);
    if let Some(seconds) = table.get("keepalive_interval").and_then(Value::as_u64) {
        found.keepalive = fits::delay(seconds.saturating_mul(1000));
    }
    if truth(table, "auto_add_host_key") != Some(false) {
        let why = "host keys are checked here: `jackfield hostkey accept NAME` records a new one after you have compared it";
        notes.left(Some(name), "`auto_add_host_key`", why);
    }
    if truth(table, "look_for_keys") == Some(false) {
        notes.left(Some(name), "`look_for_keys` = false", "keys in ~/.ssh are tried here unless `key` names one");
    }
    if ["timeout", "banner_timeout", "auth_timeout"].iter().any(|key| table.contains_key(*key)) {
        notes.left(Some(name), "time-outs", "waits have bounds of their own here");
    }
    if ["term", "width", "height"].iter().any(|key| table.contains_key(*key)) {
        notes.left(Some(name), "`term`, `width`, `height`", "a terminal's size is chosen when a session is opened");
    }
    if let Some(security) = table.get("security").and_then(Value::as_object) {
        read_security(intake, &mut found, security);
    }
    let others: Vec<&str> = table.keys().map(String::as_str).filter(|key| !KEYS.contains(key) && *key != "security").collect();
    intake.no_counterpart(Some(name), &others);
    found
}

/// What a profile may do: patterns do not carry over, because lines are read by the device's own grammar here.
fn read_security(intake: &mut Intake<'_>, found: &mut Found, security: &Map<String, Value>) {
    let name = found.name.clone();
    let notes = &mut intake.notes;
    match text(security, "mode").as_deref() {
        Some("readonly") => found.policy = Some("read-only"),
        Some("restricted") => found.policy = Some("safe"),
        Some("unrestricted") | None => {
            notes.left(Some(&name), "`security.mode` = unrestricted", "it stays at `safe` here; `policy = \"full\"` says otherwise");
        }
        Some(_) => notes.left(Some(&name), "`security.mode`", "there is no such mode here: read-only, safe, full"),
    }
    if ["allow_patterns", "deny_patterns"].iter().any(|key| security.contains_key(*key)) {
        let why = "write `[[policy.rule]]` for them; `jackfield policy explain NAME -- LINE` tries one";
        notes.left(Some(&name), "`allow_patterns`, `deny_patterns`", why);
    }
    if ["redact_transcripts", "transcript_retention_days", "transcript_max_files"].iter().any(|key| security.contains_key(*key)) {
        notes.left(Some(&name), "transcripts", "secrets are always masked here; `[audit]` says what is kept and how long");
    }
}
