//! `hosts.json` of ssh-mcp-sessions and ssh-cli: hosts with passwords in clear text.

use serde_json::{Map, Value};

use super::document::{self, text};
use super::found::{Found, PASSWORD, Scope};
use super::intake::Intake;

const KEYS: [&str; 8] = ["id", "host", "port", "username", "user", "password", "keyPath", "name"];

pub(super) fn read(intake: &mut Intake<'_>, content: &str) -> Result<(), String> {
    let tree = document::json(content)?;
    let hosts = tree.as_array().or_else(|| tree.get("hosts")?.as_array()).ok_or("has no list `hosts`")?;
    for (number, host) in hosts.iter().enumerate() {
        let table = host.as_object().ok_or_else(|| format!("host {} is no object", number + 1))?;
        let found = read_host(intake, number, table);
        intake.take(found)?;
    }
    Ok(())
}

fn read_host(intake: &mut Intake<'_>, number: usize, table: &Map<String, Value>) -> Found {
    let name = text(table, "id").or_else(|| text(table, "name")).unwrap_or_else(|| format!("host-{}", number + 1));
    let mut found = Found::named(&name);
    let notes = &mut intake.notes;
    found.set_host("`host`", text(table, "host"), notes);
    found.set_port("`port`", text(table, "port"), notes);
    found.set_user("`username`", text(table, "username").or_else(|| text(table, "user")), notes);
    found.set_secret(PASSWORD, Scope::Device, text(table, "password"), "`password` of this host");
    // There the password came first and the key was not tried beside it; here the key is, and then the password.
    found.set_key("`keyPath`", text(table, "keyPath"), notes);
    if found.secrets.is_empty() && found.key.is_none() {
        notes.left(Some(&name), "the forwarded agent", "your agent signs here too, but is not lent: `forward_agent = true` would do that");
    }
    let others: Vec<&str> = table.keys().map(String::as_str).filter(|key| !KEYS.contains(key)).collect();
    intake.no_counterpart(Some(&name), &others);
    found
}
