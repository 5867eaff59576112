//! The configuration as a JSON Schema, for editors and for other programs.
//!
//! The keys come from the reader's own tables; a test compares what the reader asks for in each table with what stands here. Rules that a
//! schema cannot say (names that must exist, keys that exclude each other) are told by `jackfield check` alone.

use serde_json::{Map, Value, json};

use super::{SECTIONS, declaration, device, login, plugin, source};
use crate::limits::{OUTPUT_MAX_CHARS, SESSIONS_MAX};

/// The dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a configuration file.
#[must_use]
pub fn schema() -> Value {
    let mut root = table(&SECTIONS, section);
    root.insert("$schema".to_owned(), DIALECT.into());
    root.insert("title".to_owned(), "The configuration of jackfield, version 1".into());
    root.insert("$defs".to_owned(), json!({"source": secret_source(), "delay": delay()}));
    Value::Object(root)
}

/// The schema as the file that is published.
#[must_use]
pub fn text() -> String {
    // A value of JSON can always be written.
    format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap_or_default())
}

/// A table with exactly these keys.
fn table(keys: &[&str], describe: impl Fn(&str) -> Value) -> Map<String, Value> {
    let properties: Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), describe(key))).collect();
    let mut table = Map::new();
    table.insert("type".to_owned(), "object".into());
    table.insert("properties".to_owned(), properties.into());
    table.insert("additionalProperties".to_owned(), false.into());
    table
}

/// Tables by name.
fn named(each: Value) -> Value {
    json!({"type": "object", "additionalProperties": each})
}

fn section(key: &str) -> Value {
    match key {
        "device" => named(table(&device::KEYS, device_key).into()),
        "type" => named(table(&plugin::type_keys(), type_key).into()),
        "plugin" => named(table(&plugin::KEYS, plugin_key).into()),
        "policy" => table(&super::POLICY_KEYS, policy_key).into(),
        "limits" => table(&super::limits::KEYS, limit).into(),
        "audit" => table(&super::audit::KEYS, audit_key).into(),
        "forward" => table(&super::forward::KEYS, forward_key).into(),
        "ssh" => table(&super::ssh::KEYS, ssh_key).into(),
        "files" => table(&super::files::KEYS, files_key).into(),
        "tools" => table(&super::tools::KEYS, tools_key).into(),
        "http" => {
            let mut http = table(&super::http::KEYS, http_key);
            http.insert("required".to_owned(), json!(["token"]));
            http.into()
        }
        "signing" => table(&super::SIGNING_KEYS, |_| text_of("A file of keys that may sign plugins")).into(),
        _ => Value::Null,
    }
}

fn limit(key: &str) -> Value {
    match key {
        "output_chars" => json!({"type": "integer", "minimum": 1, "maximum": OUTPUT_MAX_CHARS}),
        "sessions" => json!({"type": "integer", "minimum": 1, "maximum": SESSIONS_MAX}),
        _ => json!({"type": "integer", "minimum": 1}),
    }
}

fn ssh_key(key: &str) -> Value {
    match key {
        "config" => {
            json!({"description": "The OpenSSH client configuration that names devices: true for those that ssh reads, false for none, or a file",
            "type": ["boolean", "string"]})
        }
        "match_exec" => flag("Commands of `Match exec` in it may run"),
        _ => Value::Null,
    }
}

fn forward_key(key: &str) -> Value {
    match key {
        "kinds" => json!({"description": "The kinds of forwards that may be opened", "type": "array",
            "items": {"enum": super::forward::KINDS}}),
        "to" => some(texts("Where they may come out: host:port with * and ?; anywhere where this is absent")),
        "beyond_loopback" => flag("They may listen at addresses that other machines reach"),
        "sockets" => flag("They may begin or end at a socket's file on this machine"),
        _ => Value::Null,
    }
}

fn policy_key(key: &str) -> Value {
    match key {
        "mode" => policy_mode("How much commands may do, on devices that say nothing else"),
        "rule" => {
            let mut rule = table(&super::policy::keys(), rule_key);
            rule.insert("required".to_owned(), json!(["name", "effect"]));
            json!({"description": "The operator's own rules: deny wins over ask, ask over allow", "type": "array", "items": rule})
        }
        _ => Value::Null,
    }
}

fn rule_key(key: &str) -> Value {
    let words = super::policy::words(key);
    let one = if words.is_empty() { json!({"type": "string"}) } else { json!({"enum": words}) };
    match key {
        "name" | "reason" | "effect" => one,
        _ => json!({"oneOf": [one, {"type": "array", "items": one, "minItems": 1}]}),
    }
}

fn audit_key(key: &str) -> Value {
    match key {
        "folder" => text_of("Where the record is kept"),
        "recordings" => flag("Record what sessions show"),
        "keep_days" | "keep_bytes" => json!({"type": "integer", "minimum": 1}),
        _ => Value::Null,
    }
}

fn files_key(key: &str) -> Value {
    match key {
        "roots" => texts("Folders of this machine that transfers may read and write"),
        "max_bytes" => json!({"description": "Bytes of one transfer", "type": "integer", "minimum": 1}),
        _ => Value::Null,
    }
}

fn tools_key(key: &str) -> Value {
    let tools = |what: &str| json!({"description": what, "type": "array", "items": {"enum": super::TOOLS}, "uniqueItems": true});
    match key {
        "only" => tools("The tools that clients are offered; all where this is absent"),
        "without" => tools("The tools that clients are not offered"),
        _ => Value::Null,
    }
}

fn http_key(key: &str) -> Value {
    match key {
        "listen" => text_of("Address and port of the HTTP door"),
        "token" => json!({"$ref": "#/$defs/source"}),
        "beyond_loopback" => flag("It may listen at addresses that other machines reach; nothing is encrypted"),
        "hosts" => names("Names by which clients may call it, beside those of the loopback interface"),
        _ => Value::Null,
    }
}

fn device_key(key: &str) -> Value {
    let word = |what: &str, words: &[&str]| json!({"description": what, "enum": words});
    match key {
        "host" => text_of("Name or address; the device's name where it is missing"),
        "port" => json!({"description": "TCP port", "type": "integer", "minimum": 1, "maximum": 65535}),
        "user" => text_of("Login name"),
        "type" => text_of("How the device talks, or `auto`"),
        "key" => text_of("Private key file"),
        "certificate" => text_of("Certificate for the key"),
        "password" => json!({"$ref": "#/$defs/source"}),
        "known_hosts" => json!({"description": "Files with host keys", "oneOf": [{"type": "string"}, texts("")]}),
        "via" => text_of("The device to jump through"),
        "proxy" => {
            json!({"description": "`socks5://HOST:PORT`, `http://HOST:PORT`, `unix:///PATH`, or a command as a list", "oneOf": [{"type": "string"}, texts("")]})
        }
        "secrets" => {
            json!({"description": "Secrets that plugins may ask for, by name", "type": "object", "additionalProperties": {"$ref": "#/$defs/source"}})
        }
        "secrets_elsewhere" => names("Secrets that may also be typed where a session has gone on to another host"),
        "answers" => {
            json!({"description": "What the server may ask at login beside the password: a part of the question, and the secret that answers it",
            "type": "object", "additionalProperties": {"type": "string"}})
        }
        "update_host_keys" => {
            flag("Further host keys are recorded once the host has proven them; on by itself where `known_hosts` is the usual file")
        }
        "forward_agent" => flag("The agent is lent to the device: its root can sign with it as long as somebody is connected"),
        "algorithms" => word("Which SSH algorithms are offered", &["default", "legacy"]),
        "tags" => names("Words to select devices by"),
        "policy" => policy_mode("How much commands may do on this device"),
        "idle_close" | "keepalive" => json!({"$ref": "#/$defs/delay"}),
        "agent" => json!({"description": "Whether the SSH agent may sign, or the agent's socket", "type": ["boolean", "string"]}),
        "untrusted" => flag("Its text may hold instructions for agents: who reads it has its changes asked about for a while"),
        "local" => flag("A shell on this machine instead of SSH"),
        "mask" => flag("Take out what looks like a secret of what callers are given; on unless it is `false`"),
        "line" => text_of("`ssh`, `telnet`, or the path of a serial device"),
        "baud" => json!({"description": "Speed of the serial line", "type": "integer", "minimum": 1}),
        "login" => {
            let mut step = table(&login::KEYS, login_key);
            step.insert("required".to_owned(), json!(["expect"]));
            json!({"description": "What is typed on the line before a session begins", "type": "array", "items": step})
        }
        "conceal" => flag("Callers are not told host, port and user"),
        _ => Value::Null,
    }
}

fn login_key(key: &str) -> Value {
    match key {
        "expect" => text_of("A pattern of the row that the step waits for"),
        "send" => text_of("What is typed then, before Enter; `{user}` stands for the login name"),
        "secret" => text_of("The secret that is typed then: `password`, or a name of `secrets`"),
        "optional" => flag("It is passed over where the next step's row comes first"),
        _ => Value::Null,
    }
}

fn type_key(key: &str) -> Value {
    match key {
        "plugins" => names("The plugins of this type, in the order in which they are asked"),
        "declared" => text_of("A file that declares the type"),
        other => declared_key(other),
    }
}

/// What a declared type is like. What its texts may say is told by `plugins/declared/README.md`.
fn declared_key(key: &str) -> Value {
    match key {
        "title" | "context" | "clear_line" => json!({"type": "string"}),
        "cancel" | "live_keys" | "banners" => texts(""),
        "line_max" => json!({"type": "integer", "minimum": 1}),
        "terminal" | "candidate" | "policy" => nested(key).into(),
        "query" | "mode" | "setup" | "pager" | "question" | "goal" | "transition" | "block" | "error" | "identify" | "sensitive" => {
            json!({"type": "array", "items": nested(key)})
        }
        _ => Value::Null,
    }
}

fn nested(key: &str) -> Map<String, Value> {
    let keys = declaration::TABLES.iter().find(|(name, _)| *name == key).map_or(&[][..], |(_, keys)| *keys);
    table(keys, |_| json!({"type": ["string", "integer", "boolean", "array"]}))
}

fn plugin_key(key: &str) -> Value {
    match key {
        "path" => text_of("The component on disk"),
        "digest" => json!({"description": "The digest that the file must have", "type": "string", "pattern": "^sha256:[0-9a-fA-F]{64}$"}),
        "signer" => text_of("Who must have signed the file"),
        "secrets" => names("The secrets that it may ask for"),
        "config" => json!({"description": "Its settings", "type": "object"}),
        "isolation" => json!({"description": "Whether sessions share its instances", "enum": ["shared", "session"]}),
        "max_file_bytes" | "max_parts" => json!({"type": "integer", "minimum": 1}),
        _ => Value::Null,
    }
}

fn secret_source() -> Value {
    let what = |key: &str| match key {
        "env" => "An environment variable",
        "file" => "A file that only its owner can read",
        "command" => "A shell command; its first line counts",
        "keyring" => "An entry of the system's keyring",
        "credential" => "A credential that systemd hands to the service",
        _ => "",
    };
    let mut source = table(&source::KEYS, |key| text_of(what(key)));
    source.insert("description".to_owned(), "Where a secret comes from: exactly one of the keys, never the secret itself".into());
    source.insert("minProperties".to_owned(), 1.into());
    source.insert("maxProperties".to_owned(), 1.into());
    source.into()
}

fn delay() -> Value {
    json!({"description": "Seconds, or a text such as `90s`, `15m`, `2h`, `never`", "oneOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]})
}

fn policy_mode(what: &str) -> Value {
    json!({"description": what, "enum": super::PolicyMode::WORDS.map(|(word, _)| word)})
}

fn text_of(what: &str) -> Value {
    json!({"description": what, "type": "string"})
}

fn flag(what: &str) -> Value {
    json!({"description": what, "type": "boolean"})
}

fn texts(what: &str) -> Value {
    let mut list = json!({"type": "array", "items": {"type": "string"}});
    if let Some(list) = list.as_object_mut().filter(|_| !what.is_empty()) {
        list.insert("description".to_owned(), what.into());
    }
    list
}

/// The same where none may stand twice.
fn names(what: &str) -> Value {
    with(texts(what), "uniqueItems", true.into())
}

/// A list that is not empty.
fn some(list: Value) -> Value {
    with(list, "minItems", 1.into())
}

fn with(mut schema: Value, key: &str, value: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(key.to_owned(), value);
    }
    schema
}
