//! A device as a file describes it, checked value by value against what our configuration takes.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::report::Notes;
use super::{fits, types};

/// A device. What is `None` or empty was not said, or did not fit.
#[derive(Default)]
pub(super) struct Found {
    /// Its name in the file.
    pub(super) name: String,
    /// What people call it.
    pub(super) label: Option<String>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    /// One of our types.
    pub(super) kind: Option<&'static str>,
    pub(super) key: Option<String>,
    /// Secrets by their role; see [`ROLES`].
    pub(super) secrets: BTreeMap<&'static str, Credential>,
    /// The hops on the way, the first one first.
    pub(super) jumps: Vec<Jump>,
    /// A program, and its arguments, that leads there.
    pub(super) proxy: Vec<String>,
    pub(super) known_hosts: Option<String>,
    pub(super) legacy: bool,
    pub(super) agent: Option<bool>,
    pub(super) local: bool,
    pub(super) telnet: bool,
    /// The path of a serial line, and its speed.
    pub(super) serial: Option<(String, Option<u32>)>,
    pub(super) tags: Vec<String>,
    pub(super) idle_close: Option<String>,
    pub(super) keepalive: Option<String>,
    pub(super) policy: Option<&'static str>,
}

/// The login password.
pub(super) const PASSWORD: &str = "password";
/// For privileged mode.
pub(super) const ENABLE: &str = "enable";
/// For sudo.
pub(super) const SUDO: &str = "sudo";
/// For an encrypted key.
pub(super) const PASSPHRASE: &str = "key-passphrase";

/// Where a secret is to come from.
pub(super) enum Credential {
    /// An environment variable; its value, where a file had it.
    Env { variable: String, value: Option<Zeroizing<String>> },
    /// A file that holds it.
    File(String),
    /// A command that prints it.
    Command(String),
    /// The keyring, where a person puts it.
    Kept { scope: Scope, value: Option<Zeroizing<String>>, origin: String },
}

/// Whom a secret belongs to in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// This device alone.
    Device,
    /// A group, or whatever else several devices have it from.
    Shared(String),
}

/// A hop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Jump {
    pub(super) host: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) key: Option<String>,
}

impl Jump {
    /// `[user@]host[:port]`, also as `ssh://…`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
        let (user, place) = text.rsplit_once('@').map_or((None, text), |(user, place)| (Some(user.to_owned()), place));
        let (host, port) = host_and_port(place)?;
        let fits = fits::is_host(&host) && user.as_deref().is_none_or(fits::is_user);
        fits.then_some(Self { host, user, port, key: None })
    }
}

/// `host`, `host:port`, `[host]:port`, or an IPv6 address.
pub(super) fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?.parse().ok()?) };
        return Some((host.to_owned(), port));
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host.to_owned(), Some(port.parse().ok().filter(|port| *port != 0)?))),
        _ => Some((text.to_owned(), None)),
    }
}

impl Found {
    /// A device of this name.
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Where it is. A value that is no host is not repeated.
    pub(super) fn set_host(&mut self, key: &str, host: Option<String>, notes: &mut Notes) {
        let Some(host) = host else { return };
        let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(&host).to_owned();
        if fits::is_host(&host) {
            self.host = Some(host);
        } else {
            notes.left(Some(&self.name), key, "it is not a name or an address alone; write `host` by hand");
        }
    }

    /// The port, from 1 to 65535.
    pub(super) fn set_port(&mut self, key: &str, port: Option<String>, notes: &mut Notes) {
        let Some(port) = port else { return };
        match port.parse::<u16>() {
            Ok(port @ 1..) => self.port = Some(port),
            _ => notes.left(Some(&self.name), key, "it is not a port from 1 to 65535"),
        }
    }

    /// The login name.
    pub(super) fn set_user(&mut self, key: &str, user: Option<String>, notes: &mut Notes) {
        match user {
            Some(user) if fits::is_user(&user) => self.user = Some(user),
            Some(_) => notes.left(Some(&self.name), key, "it is not a login name that can be used here: it has a blank or begins with `-`"),
            None => {}
        }
    }

    /// The private key's file.
    pub(super) fn set_key(&mut self, key: &str, path: Option<String>, notes: &mut Notes) {
        let Some(path) = path else { return };
        if let Some(why) = fits::wrong_path(&path) {
            notes.left(Some(&self.name), key, why);
            return;
        }
        if !path.starts_with(['/', '~']) {
            let why = "its path is relative: here it starts at the folder of the configuration";
            notes.changed(Some(&self.name), key, why);
        }
        self.key = Some(path);
    }

    /// The type, by the name that a system gives it.
    pub(super) fn set_kind(&mut self, key: &str, system: types::System, word: Option<String>, notes: &mut Notes) {
        let Some(word) = word else { return };
        let (word, way) = types::without_way(system, &word);
        match way {
            types::Way::Ssh => {}
            types::Way::Telnet => self.telnet = true,
            types::Way::Serial => {
                let why = "it is on a serial line: write `line = \"/dev/ttyUSB0\"` and `baud`";
                if self.serial.is_none() {
                    notes.left(Some(&self.name), key, why);
                }
            }
        }
        match types::ours(system, word) {
            types::Ours::Known(kind) => self.kind = Some(kind),
            types::Ours::Auto => {}
            types::Ours::Unknown => {
                let shown = if fits::is_name(word) { format!("`{word}`") } else { "this one".to_owned() };
                let why = format!(
                    "there is no type for {shown}: the device is recognised by what it shows; \
                     `jackfield plugin list` has all types, and one of your own is a table"
                );
                notes.left(Some(&self.name), key, &why);
            }
        }
    }

    /// A secret, by its role: a reference to a variable is one here too.
    pub(super) fn set_secret(&mut self, role: &'static str, scope: Scope, value: Option<String>, origin: &str) {
        let Some(value) = value.map(Zeroizing::new) else { return };
        let credential = match variable_in(&value) {
            Some(variable) => Credential::Env { variable: variable.to_owned(), value: None },
            None => Credential::Kept { scope, value: Some(value), origin: origin.to_owned() },
        };
        self.secrets.insert(role, credential);
    }

    /// Words to choose devices by, those that fit.
    pub(super) fn set_tags(&mut self, key: &str, tags: impl IntoIterator<Item = String>, notes: &mut Notes) {
        for tag in tags {
            let fitting = fits::name_like(&tag);
            if fitting != tag {
                notes.changed(Some(&self.name), key, "tags have letters, digits, `.`, `_` and `-` alone: other signs are `-` now");
            }
            if !self.tags.contains(&fitting) {
                self.tags.push(fitting);
            }
        }
    }
}

/// `${NAME}` and nothing else.
fn variable_in(value: &str) -> Option<&str> {
    let name = value.trim().strip_prefix("${")?.strip_suffix('}')?;
    fits::is_variable(name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_read() {
        let jump = |host: &str, user: Option<&str>, port| Jump { host: host.to_owned(), user: user.map(str::to_owned), port, key: None };
        for (text, expected) in [
            ("bastion", Some(jump("bastion", None, None))),
            ("ops@bastion.example.com:2222", Some(jump("bastion.example.com", Some("ops"), Some(2222)))),
            ("ssh://ops@[2001:db8::1]:22/", Some(jump("2001:db8::1", Some("ops"), Some(22)))),
            ("2001:db8::1", Some(jump("2001:db8::1", None, None))),
            ("-oProxyCommand=x", None),
            ("a b", None),
            ("host:0", None),
            ("host:port", None),
        ] {
            assert_eq!(Jump::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn only_a_whole_reference_is_a_variable() {
        assert_eq!(variable_in("${WEB1_PASSWORD}"), Some("WEB1_PASSWORD"));
        for not in ["$WEB1", "x${WEB1}", "${WEB-1}", "${}", "hunter2"] {
            assert_eq!(variable_in(not), None, "{not}");
        }
    }
}
