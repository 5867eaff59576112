//! Variables `OVRD_ALIAS_HOST` and their like, and `SSH_HOST` and its like: of a `.env` file, or of the `env` of an MCP client's file,
//! which may also start a server with `--host=` and its like.
//!
//! A variable that is a secret stays where it is: the configuration names it. An argument goes to the keyring.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::document;
use super::dotenv;
use super::fits;
use super::found::{Credential, ENABLE, Found, PASSWORD, SUDO, Scope};
use super::intake::{Intake, key_shown};

/// Ends of a variable's name; what stands before is the alias.
const FIELDS: [&str; 7] = ["HOST", "PORT", "USER", "ENABLE_PASS", "SUDO_PASS", "PASS", "KEY"];

type Variables = BTreeMap<String, Zeroizing<String>>;

/// Of an alias: the variables by their ends.
type Fields = BTreeMap<&'static str, (String, Zeroizing<String>)>;

pub(super) fn read(intake: &mut Intake<'_>, content: &str) -> Result<(), String> {
    for Server { name, variables, flags } in servers(content)? {
        let mut aliases: BTreeMap<String, Fields> = BTreeMap::new();
        for (variable, value) in &variables {
            let Some(rest) = variable.strip_prefix("OVRD_") else { continue };
            let split = |field: &&'static str| rest.strip_suffix(*field)?.strip_suffix('_').filter(|alias| !alias.is_empty());
            match FIELDS.iter().find_map(|field| Some((*field, split(field)?))) {
                Some((field, alias)) => {
                    aliases.entry(alias.to_owned()).or_default().insert(field, (variable.clone(), value.clone()));
                }
                None => {
                    let why = "it ends in none of HOST, PORT, USER, PASS, KEY, SUDO_PASS, ENABLE_PASS";
                    intake.notes.left(None, &key_shown(variable), why);
                }
            }
        }
        for (alias, fields) in aliases {
            let found = alias_device(intake, &alias, &fields);
            intake.take(found)?;
        }
        if variables.contains_key("SSH_HOST") {
            let found = single_device(intake, name.as_deref(), &variables);
            intake.take(found)?;
        }
        if flags.contains_key("host") {
            let found = flagged_device(intake, name.as_deref(), &flags);
            intake.take(found)?;
        }
    }
    Ok(())
}

/// What a server is started with.
#[derive(Default)]
struct Server {
    /// Its name in the client's file.
    name: Option<String>,
    variables: Variables,
    /// Values of `--name=value`, by the name.
    flags: Variables,
}

/// The servers of a client's file, or one for all variables of a file of them.
fn servers(content: &str) -> Result<Vec<Server>, String> {
    if !content.trim_start().starts_with('{') {
        let variables: Variables = dotenv::variables(content).into_iter().map(|variable| (variable.name, variable.value)).collect();
        let none = "has neither rows `NAME=value` nor an object of an MCP client";
        return if variables.is_empty() { Err(none.to_owned()) } else { Ok(vec![Server { variables, ..Server::default() }]) };
    }
    let tree = document::json(content)?;
    let found: Vec<Server> = tree.as_object().into_iter().flat_map(document::client_servers).map(server).collect();
    if found.is_empty() { Err("has no server with `env` or `args`".to_owned()) } else { Ok(found) }
}

fn server((name, table): (&str, &Map<String, Value>)) -> Server {
    let text = |value: &Value| document::text_of(value).map(Zeroizing::new);
    let environment = table.get("env").and_then(Value::as_object);
    let variables = environment.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
    let mut flags = Variables::new();
    let words = document::texts(table.get("args"));
    for (index, word) in words.iter().enumerate() {
        let Some(flag) = word.strip_prefix("--") else { continue };
        let apart = || words.get(index + 1).filter(|next| !next.starts_with("--")).map(String::as_str);
        let (flag, value) = flag.split_once('=').map_or_else(|| (flag, apart()), |(flag, value)| (flag, Some(value)));
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            flags.insert(flag.to_owned(), Zeroizing::new(value.to_owned()));
        }
    }
    Server { name: Some(name.to_owned()), variables, flags }
}

fn alias_device(intake: &mut Intake<'_>, alias: &str, fields: &Fields) -> Found {
    let mut found = Found::named(alias);
    let plain = |field: &str| fields.get(field).map(|(_, value)| value.to_string()).filter(|value| !value.is_empty());
    let notes = &mut intake.notes;
    found.set_host("`OVRD_…_HOST`", plain("HOST"), notes);
    found.set_port("`OVRD_…_PORT`", plain("PORT"), notes);
    found.set_user("`OVRD_…_USER`", plain("USER"), notes);
    found.set_key("`OVRD_…_KEY`", plain("KEY"), notes);
    for (role, field) in [(PASSWORD, "PASS"), (SUDO, "SUDO_PASS"), (ENABLE, "ENABLE_PASS")] {
        let Some((variable, value)) = fields.get(field).filter(|(_, value)| !value.is_empty()) else { continue };
        found.secrets.insert(role, of_variable(variable, value));
        if !fits::is_variable(variable) {
            let why = "the name of a variable has letters, digits and `_` alone here: its value is to be in the keyring";
            notes.changed(Some(alias), &format!("`OVRD_…_{field}`"), why);
        }
    }
    found
}

/// `SSH_HOST`, `SSH_USER` and so on: one device for the whole server.
fn single_device(intake: &mut Intake<'_>, server: Option<&str>, variables: &Variables) -> Found {
    let plain = |name: &str| variables.get(name).map(|value| value.to_string()).filter(|value| !value.is_empty());
    let name = plain("SSH_MCP_INSTANCE").or_else(|| server.map(str::to_owned)).unwrap_or_else(|| "default".to_owned());
    let mut found = Found::named(&name);
    let notes = &mut intake.notes;
    found.set_host("`SSH_HOST`", plain("SSH_HOST"), notes);
    found.set_port("`SSH_PORT`", plain("SSH_PORT"), notes);
    found.set_user("`SSH_USER`", plain("SSH_USER"), notes);
    found.set_key("`SSH_KEY`", plain("SSH_KEY").or_else(|| plain("SSH_KEY_FILE")), notes);
    if let Some(value) = variables.get("SSH_PASSWORD").filter(|value| !value.is_empty()) {
        found.secrets.insert(PASSWORD, of_variable("SSH_PASSWORD", value));
    } else if let Some(path) = plain("SSH_PASSWORD_FILE").filter(|path| fits::wrong_path(path).is_none()) {
        found.secrets.insert(PASSWORD, Credential::File(path));
    }
    if plain("SSH_MCP_MODE").as_deref() == Some("full") {
        notes.left(Some(&name), "`SSH_MCP_MODE` = full", "it stays at `safe` here; `[policy] mode = \"full\"` says otherwise");
    }
    found
}

/// `--host=`, `--user=` and so on.
fn flagged_device(intake: &mut Intake<'_>, server: Option<&str>, flags: &Variables) -> Found {
    let plain = |name: &str| flags.get(name).map(|value| value.to_string());
    let mut found = Found::named(server.unwrap_or("default"));
    let notes = &mut intake.notes;
    found.set_host("`--host`", plain("host"), notes);
    found.set_port("`--port`", plain("port"), notes);
    found.set_user("`--user`", plain("user").or_else(|| plain("username")), notes);
    found.set_key("`--key`", plain("key"), notes);
    found.set_secret(PASSWORD, Scope::Device, plain("password"), "`--password` of this server");
    found.set_secret(SUDO, Scope::Device, plain("sudoPassword"), "`--sudoPassword` of this server");
    if flags.contains_key("suPassword") {
        notes.left(
            Some(&found.name),
            "`--suPassword`",
            "only sudo and enable have a place for their password; it is asked for when `su` asks",
        );
    }
    found
}

fn of_variable(variable: &str, value: &Zeroizing<String>) -> Credential {
    if fits::is_variable(variable) {
        return Credential::Env { variable: variable.to_owned(), value: Some(value.clone()) };
    }
    Credential::Kept { scope: Scope::Device, value: Some(value.clone()), origin: "a variable of the environment".to_owned() }
}
