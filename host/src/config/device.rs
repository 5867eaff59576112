//! `[device.NAME]`: one device and how to reach it.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;

use toml::de::DeValue;

use super::reader::{Place, Reader, Section};
use super::{Delay, LoginStep, PolicyMode, TypeName, Wire, login, name, policy, source, value};
use crate::secret::SecretSource;

/// The port of a device that sets none.
pub const DEFAULT_PORT: u16 = 22;
/// The same by telnet.
const TELNET_PORT: u16 = 23;

pub(super) const KEYS: [&str; 28] = [
    "host",
    "port",
    "user",
    "type",
    "key",
    "certificate",
    "password",
    "known_hosts",
    "via",
    "proxy",
    "secrets",
    "algorithms",
    "tags",
    "policy",
    "idle_close",
    "keepalive",
    "agent",
    "local",
    "untrusted",
    "mask",
    "conceal",
    "secrets_elsewhere",
    "answers",
    "forward_agent",
    "update_host_keys",
    "line",
    "baud",
    "login",
];

/// Keys that say how to reach a device over the network.
const NETWORK_KEYS: [&str; 14] = [
    "host",
    "port",
    "user",
    "key",
    "certificate",
    "known_hosts",
    "via",
    "proxy",
    "algorithms",
    "keepalive",
    "agent",
    "answers",
    "forward_agent",
    "update_host_keys",
];

/// A device as the file describes it. What is `None` was not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Name or address; the device's name counts where there is none.
    pub host: Option<String>,
    /// TCP port.
    pub port: Option<NonZeroU16>,
    /// Login name.
    pub user: Option<String>,
    /// How it talks.
    pub device_type: TypeChoice,
    /// Private key file.
    pub key: Option<PathBuf>,
    /// Certificate for the key.
    pub certificate: Option<PathBuf>,
    /// Source of the login password.
    pub password: Option<SecretSource>,
    /// Files with host keys; empty means the usual ones.
    pub known_hosts: Vec<PathBuf>,
    /// The device to jump through. It exists, is not local, and the jumps do not go in a circle.
    pub via: Option<String>,
    /// The way to the first hop, where it is not a plain TCP connection.
    pub proxy: Option<Proxy>,
    /// Sources of the secrets that plugins may ask for, by name.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Which SSH algorithms are offered.
    pub algorithms: Algorithms,
    /// Words to select devices by.
    pub tags: Vec<String>,
    /// The policy mode of this device alone.
    pub policy: Option<PolicyMode>,
    /// When an unused session is closed.
    pub idle_close: Option<Delay>,
    /// When a quiet connection is asked whether it lives.
    pub keepalive: Option<Delay>,
    /// Which SSH agent may sign.
    pub agent: Agent,
    /// A shell on this machine in a local terminal, instead of SSH.
    pub local: bool,
    /// Its text may hold instructions for agents: whoever reads it has its changes asked about for a while.
    pub untrusted: bool,
    /// Secrets are taken out of what callers are given by their look. Off where somebody needs the exact text.
    pub mask: bool,
    /// Callers are not told host, port and user: the name is all that they know.
    pub conceal: bool,
    /// Secrets that may also be typed where a session has gone on to another host.
    pub secrets_elsewhere: Vec<String>,
    /// What the server may ask at login beside the password: a part of the question, and the secret that answers it.
    pub answers: Vec<(String, String)>,
    /// The agent is lent to the device: its root can sign with it as long as somebody is connected.
    pub forward_agent: bool,
    /// Are further host keys recorded once the host has proven them? Without a word it is as in OpenSSH: yes, where `known_hosts` is the
    /// usual file.
    pub update_host_keys: Option<bool>,
    /// Only OpenSSH's configuration names it.
    pub from_ssh: bool,
    /// What its line is.
    pub line: Wire,
    /// The speed of a serial line.
    pub baud: Option<NonZeroU32>,
    /// What is typed on the line before a session begins.
    pub login: Vec<LoginStep>,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            user: None,
            device_type: TypeChoice::default(),
            key: None,
            certificate: None,
            password: None,
            known_hosts: Vec::new(),
            via: None,
            proxy: None,
            secrets: BTreeMap::new(),
            algorithms: Algorithms::default(),
            tags: Vec::new(),
            policy: None,
            idle_close: None,
            keepalive: None,
            agent: Agent::default(),
            local: false,
            untrusted: false,
            mask: true,
            conceal: false,
            secrets_elsewhere: Vec::new(),
            answers: Vec::new(),
            forward_agent: false,
            update_host_keys: None,
            from_ssh: false,
            line: Wire::default(),
            baud: None,
            login: Vec::new(),
        }
    }
}

/// The key `type`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TypeChoice {
    /// Found out from what the device shows.
    #[default]
    Auto,
    /// This one.
    Named(TypeName),
}

/// The key `algorithms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithms {
    /// Those that are held to be safe.
    #[default]
    Default,
    /// Also old ones, for devices that know no other.
    Legacy,
}

/// The key `agent`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Agent {
    /// No agent.
    Off,
    /// The one of `$SSH_AUTH_SOCK`, if there is one.
    #[default]
    Environment,
    /// The one at this socket.
    Socket(PathBuf),
}

/// The key `proxy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// A SOCKS 5 proxy; names are resolved there.
    Socks5 {
        /// Name or address.
        host: String,
        /// TCP port.
        port: NonZeroU16,
    },
    /// An HTTP proxy that allows CONNECT.
    Http {
        /// Name or address.
        host: String,
        /// TCP port.
        port: NonZeroU16,
    },
    /// A socket on this machine.
    Unix(PathBuf),
    /// A program and its arguments; `%h` and `%p` stand for host and port. Never passed to a shell.
    Command(Vec<String>),
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = |host: &str, port: NonZeroU16| if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        match self {
            Self::Socks5 { host, port } => write!(f, "socks5://{}", address(host, *port)),
            Self::Http { host, port } => write!(f, "http://{}", address(host, *port)),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Command(words) => write!(f, "`{}`", words.join(" ")),
        }
    }
}

impl Device {
    /// The host to connect to, for a device of this name.
    pub fn host_or<'a>(&'a self, name: &'a str) -> &'a str {
        self.host.as_deref().unwrap_or(name)
    }

    /// The port to connect to.
    pub fn port_or_default(&self) -> u16 {
        let usual = if self.line == Wire::Telnet { TELNET_PORT } else { DEFAULT_PORT };
        self.port.map_or(usual, NonZeroU16::get)
    }

    /// Where a device of this name is, in short.
    pub fn address(&self, name: &str) -> String {
        match &self.line {
            _ if self.local => "local".to_owned(),
            Wire::Serial(path) => path.display().to_string(),
            Wire::Ssh | Wire::Telnet => format!("{}:{}", self.host_or(name), self.port_or_default()),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, &KEYS);
        let secrets = reader.section(section, "secrets", "enable = { env = \"CORE_ENABLE\" }");
        let device = Self {
            host: reader.field(section, "host", host),
            port: reader
                .field(section, "port", |reader, at, found| value::positive(reader, at, found, "an integer from 1 to 65535", "2222")),
            user: reader.field(section, "user", user),
            device_type: reader.field(section, "type", device_type).unwrap_or_default(),
            key: reader.field(section, "key", value::path),
            certificate: reader.field(section, "certificate", value::path),
            password: reader.field(section, "password", source::source),
            known_hosts: reader.field(section, "known_hosts", paths).unwrap_or_default(),
            via: reader.field(section, "via", |reader, at, found| value::text(reader, at, found, "the name of a device", "bastion")),
            proxy: reader.field(section, "proxy", proxy),
            secrets: secrets.map(|secrets| source::sources(reader, &secrets)).unwrap_or_default().into_iter().collect(),
            algorithms: reader.field(section, "algorithms", algorithms).unwrap_or_default(),
            tags: reader.field(section, "tags", tags).unwrap_or_default(),
            policy: reader.field(section, "policy", policy::mode),
            idle_close: reader.field(section, "idle_close", Delay::read),
            keepalive: reader.field(section, "keepalive", Delay::read),
            agent: reader.field(section, "agent", agent).unwrap_or_default(),
            local: reader.field(section, "local", value::flag).unwrap_or_default(),
            untrusted: reader.field(section, "untrusted", value::flag).unwrap_or_default(),
            mask: reader.field(section, "mask", value::flag).unwrap_or(true),
            conceal: reader.field(section, "conceal", value::flag).unwrap_or_default(),
            secrets_elsewhere: reader.field(section, "secrets_elsewhere", secret_names).unwrap_or_default(),
            answers: answers(reader, section),
            forward_agent: reader.field(section, "forward_agent", value::flag).unwrap_or_default(),
            update_host_keys: reader.field(section, "update_host_keys", value::flag),
            from_ssh: false,
            line: reader.field(section, "line", login::wire).unwrap_or_default(),
            baud: reader.field(section, "baud", |reader, at, found| value::positive(reader, at, found, "a speed in bits a second", "9600")),
            login: login::steps(reader, section),
        };
        device.check_ways(reader, section);
        device.check_line(reader, section);
        device.check_elsewhere(reader, section);
        device
    }

    /// A secret that may be typed elsewhere, or that answers a question, is one of the device.
    fn check_elsewhere(&self, reader: &mut Reader<'_>, section: &Section<'_>) {
        let at = |key: &str| section.entries().find(|(name, ..)| *name == key).map(|(_, at, _)| at);
        if let Some(at) = at("secrets_elsewhere") {
            self.check_secrets(reader, &at, &self.secrets_elsewhere);
        }
        if let Some(at) = at("answers") {
            let names: Vec<String> = self.answers.iter().map(|(_, name)| name.clone()).collect();
            self.check_secrets(reader, &at, &names);
        }
    }

    fn check_secrets(&self, reader: &mut Reader<'_>, at: &Place, names: &[String]) {
        for name in names.iter().filter(|name| !self.secrets.contains_key(*name)) {
            let known: Vec<&str> = self.secrets.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "the device has no secrets".to_owned() } else { format!("it has: {}", known.join(", ")) };
            reader.error(at, format!("{} names the secret `{name}`, which the device does not have", at.shown()), Some(known));
        }
    }

    /// Refuses keys that contradict each other.
    fn check_ways(&self, reader: &mut Reader<'_>, section: &Section<'_>) {
        for (key, at, _) in section.entries() {
            if self.local && NETWORK_KEYS.contains(&key) {
                reader.error(&at, format!("{} has no meaning together with `local = true`", at.shown()), None);
            } else if key == "proxy" && self.via.is_some() {
                let help = "set `proxy` on the first device of the chain".to_owned();
                reader.error(&at, format!("{} cannot stand beside `via`", at.shown()), Some(help));
            }
        }
    }
}

/// `answers."Verification code" = "otp"`
fn answers(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<(String, String)> {
    const EXAMPLE: &str = "\"Verification code\" = \"otp\"";
    let Some(table) = reader.section(section, "answers", EXAMPLE) else { return Vec::new() };
    let mut answers = Vec::new();
    for (asks, at, found) in table.entries() {
        if let Some(name) = value::text(reader, &at, found, "the name of a secret", "otp")
            && name::is_name(reader, &at, "secret", &name)
        {
            answers.push((asks.to_owned(), name));
        }
    }
    answers
}

fn secret_names(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Vec<String>> {
    value::names(reader, at, found, "jump", |reader, at, secret| name::is_name(reader, at, "secret", secret))
}

fn host(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    let host = value::text(reader, at, found, "a name or an address", "10.0.0.1")?;
    if is_host(&host) {
        return Some(host);
    }
    let help = "write the name or the address alone; `user` and `port` are keys of their own".to_owned();
    reader.error(at, format!("{} is not a host", at.shown()), Some(help));
    None
}

/// A name, an IPv4 address, or an IPv6 address without brackets. Nothing that a program could take for an option.
pub(crate) fn is_host(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "0"));
    let is_zone = !zone.is_empty() && zone.bytes().all(name::is_name_byte);
    let is_name =
        !host.is_empty() && !host.starts_with('-') && host.chars().all(|letter| letter.is_alphanumeric() || "._-".contains(letter));
    is_name || (address.parse::<Ipv6Addr>().is_ok() && is_zone)
}

fn user(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    let user = value::text(reader, at, found, "a login name", "netops")?;
    if !is_user(&user) {
        let help = "use no blanks, and do not begin with `-`".to_owned();
        reader.error(at, format!("{} is not a login name", at.shown()), Some(help));
        return None;
    }
    Some(user)
}

/// A login name, of a text that is not empty. Nothing that a program could take for an option.
pub(crate) fn is_user(user: &str) -> bool {
    !user.starts_with('-') && !user.contains(char::is_whitespace)
}

fn device_type(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<TypeChoice> {
    let text = value::text(reader, at, found, "the name of a device type", "cisco_ios")?;
    if text == "auto" {
        return Some(TypeChoice::Auto);
    }
    TypeName::read(reader, at, &text).map(TypeChoice::Named)
}

fn paths(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Vec<PathBuf>> {
    match found {
        DeValue::String(_) => value::path(reader, at, found).map(|path| vec![path]),
        DeValue::Array(_) => value::list(reader, at, found, "", value::path),
        _ => {
            reader.wrong_type(at, found, "a path or a list of paths", "known_hosts = \"~/.ssh/known_hosts\"");
            None
        }
    }
}

fn algorithms(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Algorithms> {
    value::word(reader, at, found, &[("default", Algorithms::Default), ("legacy", Algorithms::Legacy)])
}

fn tags(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Vec<String>> {
    value::names(reader, at, found, "core", |reader, at, tag| name::is_name(reader, at, "tag", tag))
}

fn agent(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Agent> {
    match found {
        DeValue::Boolean(true) => Some(Agent::Environment),
        DeValue::Boolean(false) => Some(Agent::Off),
        DeValue::String(_) => value::path(reader, at, found).map(Agent::Socket),
        _ => {
            reader.wrong_type(at, found, "true, false or the path of a socket", "agent = true");
            None
        }
    }
}

fn proxy(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Proxy> {
    const EXAMPLE: &str = "proxy = \"socks5://10.0.0.1:1080\"";
    let parsed = match found {
        DeValue::String(text) => proxy_address(text),
        DeValue::Array(_) => {
            let words = value::list(reader, at, found, "", |reader, at, word| value::text(reader, at, word, "a list of words", "nc"))?;
            words.first().is_some_and(|program| !program.starts_with('-')).then_some(Proxy::Command(words))
        }
        _ => {
            reader.wrong_type(at, found, "an address or a command as a list of words", EXAMPLE);
            return None;
        }
    };
    if parsed.is_none() {
        let help = format!(
            "write `{EXAMPLE}`, `http://HOST:PORT`, `unix:///PATH`, or a command as a list: `[\"nc\", \"-X\", \"5\", \"%h\", \"%p\"]`"
        );
        reader.error(at, format!("{} is not a proxy", at.shown()), Some(help));
    }
    parsed
}

fn proxy_address(text: &str) -> Option<Proxy> {
    let (scheme, address) = text.split_once("://")?;
    if scheme == "unix" {
        return address.starts_with('/').then(|| Proxy::Unix(PathBuf::from(address)));
    }
    let (host, port) = address.strip_suffix('/').unwrap_or(address).rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    // Brackets and colons belong to IPv6 addresses, and only to them.
    if !is_host(bare.unwrap_or(host)) || bare.is_some() != host.contains(':') {
        return None;
    }
    let (host, port) = (bare.unwrap_or(host).to_owned(), port.parse().ok()?);
    match scheme {
        "socks5" | "socks5h" => Some(Proxy::Socks5 { host, port }),
        "http" => Some(Proxy::Http { host, port }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        for right in ["web1", "10.0.0.1", "sw-1.example.com", "2001:db8::1", "fe80::1%eth0", "b\u{fc}ro", "a_b"] {
            assert!(is_host(right), "{right}");
        }
        for wrong in
            ["-oProxyCommand=x", "a b", "netops@web1", "web1:22", "[::1]", "ssh://web1", "$(id)", "web1;id", "fe80::1%", "1::2::3", ""]
        {
            assert!(!is_host(wrong), "{wrong}");
        }
    }

    #[test]
    fn proxies_are_read() {
        let port = NonZeroU16::MIN.saturating_add(1079);
        let host = |host: &str| host.to_owned();
        assert_eq!(proxy_address("socks5://p.example:1080"), Some(Proxy::Socks5 { host: host("p.example"), port }));
        assert_eq!(proxy_address("socks5h://p.example:1080/"), Some(Proxy::Socks5 { host: host("p.example"), port }));
        assert_eq!(proxy_address("http://[::1]:1080"), Some(Proxy::Http { host: host("::1"), port }));
        for wrong in [
            "",
            "p:1080",
            "socks4://p:1080",
            "socks5://p",
            "socks5://:1080",
            "socks5://p:0",
            "socks5://p:70000",
            "http://::1:1080",
            "http://[p]:1080",
            "http://u:w@p:1080",
        ] {
            assert_eq!(proxy_address(wrong), None, "{wrong}");
        }
    }
}
