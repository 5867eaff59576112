//! JSON and YAML as one kind of tree, within bounds, and careful questions to it. No error repeats a value.

use serde_json::{Map, Value};
use serde_saphyr::options::DuplicateKeyPolicy;

use crate::limits::{IMPORT_DEPTH_MAX, IMPORT_NODES_MAX};

/// A JSON file.
pub(super) fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("is no JSON: line {}, column {}", error.line(), error.column()))
}

/// A YAML file; of several documents only one. Unknown tags, such as `!vault`, are passed over.
pub(super) fn yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: IMPORT_NODES_MAX, max_events: 4 * IMPORT_NODES_MAX, max_depth: IMPORT_DEPTH_MAX },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| match error.location() {
        Some(at) => format!("is no YAML that can be read: line {}, column {}", at.line(), at.column()),
        None => "is no YAML that can be read, or has too much of it".to_owned(),
    })
}

/// JSON where the text is that, else YAML.
pub(super) fn tree(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') { json(text).or_else(|why| yaml(text).map_err(|_| why)) } else { yaml(text) }
}

/// A text, number or truth as a text. Nothing for an empty one.
pub(super) fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim_matches(['\r', '\n']).to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A truth, also as YAML 1.1 and Ansible write it.
pub(super) fn truth_of(value: &Value) -> Option<bool> {
    match text_of(value)?.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "y" => Some(true),
        "false" | "no" | "off" | "0" | "n" => Some(false),
        _ => None,
    }
}

/// The text of a key.
pub(super) fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(text_of)
}

/// The truth of a key.
pub(super) fn truth(map: &Map<String, Value>, key: &str) -> Option<bool> {
    map.get(key).and_then(truth_of)
}

/// The texts of a list, or a single one.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(text_of).collect(),
        Some(single) => text_of(single).into_iter().collect(),
        None => Vec::new(),
    }
}

/// The servers of an MCP client's file, with their names.
pub(super) fn client_servers(map: &Map<String, Value>) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
    let servers = ["mcpServers", "servers", "mcp_servers"].into_iter().filter_map(|key| map.get(key)?.as_object());
    let started = |server: &&Map<String, Value>| server.contains_key("env") || server.contains_key("args");
    servers.flatten().filter_map(move |(name, server)| Some((name.as_str(), server.as_object().filter(started)?)))
}
