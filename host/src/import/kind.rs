//! Which systems' files are read, and which of them a file belongs to.

use serde_json::{Map, Value};

use super::{document, dotenv, oxidized};

/// A system that people come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `ssh-session-mcp.config.json`.
    SessionConfig,
    /// `hosts.json` of `~/.ssh-mcp` or `~/.ssh-cli-sessions`.
    HostsJson,
    /// Variables `OVRD_ALIAS_HOST` and their like, or `SSH_HOST` and its like: a `.env` file, or what an MCP client's file starts SSH
    /// servers with.
    Env,
    /// `profiles.json`.
    Profiles,
    /// An Ansible inventory: INI, YAML, or what `ansible-inventory --list` prints.
    Ansible,
    /// Netmiko devices in YAML or JSON.
    Netmiko,
    /// Nornir's `hosts.yaml`.
    Nornir,
    /// Oxidized's `router.db`.
    Oxidized,
}

impl Kind {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 8] =
        [Self::Ansible, Self::Env, Self::HostsJson, Self::Netmiko, Self::Nornir, Self::Oxidized, Self::Profiles, Self::SessionConfig];

    /// The word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SessionConfig => "session-config",
            Self::HostsJson => "hosts-json",
            Self::Env => "env",
            Self::Profiles => "profiles",
            Self::Ansible => "ansible",
            Self::Netmiko => "netmiko",
            Self::Nornir => "nornir",
            Self::Oxidized => "oxidized",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What it is, for a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::SessionConfig => "configuration of ssh-session-mcp",
            Self::HostsJson => "hosts of ssh-mcp-sessions",
            Self::Env => "environment of an SSH server for agents",
            Self::Profiles => "SSH profiles",
            Self::Ansible => "Ansible inventory",
            Self::Netmiko => "Netmiko devices",
            Self::Nornir => "Nornir hosts",
            Self::Oxidized => "Oxidized router.db",
        }
    }

    /// The words, for the text of an error.
    pub(super) fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }

    /// The kind that a file's content shows, if it shows one.
    pub(super) fn detect(text: &str) -> Option<Self> {
        if let Ok(tree) = serde_json::from_str::<Value>(text) {
            return of_tree(&tree);
        }
        if dotenv::is_one(text) {
            return dotenv::variables(text).iter().any(|variable| dotenv::is_about_devices(&variable.name)).then_some(Self::Env);
        }
        if is_ini(text) {
            return Some(Self::Ansible);
        }
        if oxidized::looks_like(text) {
            return Some(Self::Oxidized);
        }
        document::yaml(text).ok().and_then(|tree| of_tree(&tree))
    }
}

/// Section headings, or hosts with Ansible's variables behind them. YAML has neither at the begin of a row.
fn is_ini(text: &str) -> bool {
    let mut rows = text.lines().map(str::trim_end).filter(|row| !row.is_empty() && !row.starts_with(['#', ';']));
    rows.any(|row| {
        let heading = row.strip_prefix('[').and_then(|rest| rest.split(['#', ';']).next()?.trim_end().strip_suffix(']'));
        let is_heading = heading.is_some_and(|name| !name.is_empty() && !name.contains([',', '"', '\'', ' ', '[']));
        let mut words = row.split_whitespace();
        let is_host = words.next().is_some_and(|first| !first.contains('=') && !first.ends_with(':') && first != "-")
            && words.any(|word| word.starts_with("ansible_") && word.contains('='));
        is_heading || is_host
    })
}

fn of_tree(tree: &Value) -> Option<Kind> {
    match tree {
        Value::Array(items) => {
            let items: Vec<&Map<String, Value>> = items.iter().filter_map(Value::as_object).collect();
            if items.iter().any(|item| item.contains_key("device_type")) {
                return Some(Kind::Netmiko);
            }
            let has = |key: &str| !items.is_empty() && items.iter().all(|item| item.contains_key(key));
            match (has("host") && has("username"), has("id"), has("name")) {
                (true, true, _) => Some(Kind::HostsJson),
                (true, false, true) => Some(Kind::Profiles),
                _ => None,
            }
        }
        Value::Object(map) => of_map(map),
        _ => None,
    }
}

fn of_map(map: &Map<String, Value>) -> Option<Kind> {
    let items = |key: &str| map.get(key).and_then(Value::as_array);
    let inner: Vec<&Map<String, Value>> = map.values().filter_map(Value::as_object).collect();
    let any = |keys: &[&str]| inner.iter().any(|entry| keys.iter().any(|key| entry.contains_key(*key)));
    let all = |keys: &[&str]| !inner.is_empty() && inner.iter().all(|entry| keys.iter().all(|key| entry.contains_key(*key)));
    if document::client_servers(map).next().is_some() {
        Some(Kind::Env)
    } else if items("devices").is_some() {
        Some(Kind::SessionConfig)
    } else if items("hosts").is_some() {
        Some(Kind::HostsJson)
    } else if map.contains_key("profiles") {
        Some(Kind::Profiles)
    } else if any(&["device_type"]) {
        Some(Kind::Netmiko)
    } else if map.contains_key("_meta") || map.contains_key("all") || any(&["hosts", "children"]) {
        Some(Kind::Ansible)
    } else if any(&["hostname", "platform", "groups", "connection_options"]) {
        Some(Kind::Nornir)
    } else if all(&["host", "username"]) {
        Some(Kind::Profiles)
    } else {
        None
    }
}
