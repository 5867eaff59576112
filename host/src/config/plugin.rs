//! `[type.NAME]` and `[plugin.NAME]`: which plugins a type has, and how a plugin is loaded.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::declaration::{self, Declaration};
use super::reader::{Place, Reader, Section};
use super::{name, value};
use crate::limits::PLUGIN_CONFIG_MAX_BYTES;

/// The plugin that serves declared device types.
pub const DECLARED: &str = "declared";

/// The keys of `[plugin.NAME]`.
pub(super) const KEYS: [&str; 8] = ["path", "digest", "signer", "secrets", "config", "isolation", "max_file_bytes", "max_parts"];

/// The keys of `[type.NAME]`.
pub(super) fn type_keys() -> Vec<&'static str> {
    ["plugins", "declared"].into_iter().chain(declaration::KEYS).collect()
}

/// A device type of the operator's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeEntry {
    /// Its plugins, in the order in which they are asked; empty leaves it to the declaration.
    pub plugins: Vec<String>,
    /// What the type is like, where it is declared.
    pub declaration: Option<Arc<Declaration>>,
    /// The file that declares it.
    pub declared_in: Option<PathBuf>,
}

/// What the operator says about a plugin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PluginEntry {
    /// The component on disk; without it, the plugin of this name in the binary.
    pub path: Option<PathBuf>,
    /// The digest that the file must have.
    pub digest: Option<Digest>,
    /// The secrets that it may ask for. None where nothing is said: a plugin in the binary has those of its manifest then, another one none.
    pub secrets: Option<Vec<String>>,
    /// Who must have signed the file.
    pub signer: Option<String>,
    /// Its settings, as they are handed to it.
    pub config: Map<String, Value>,
    /// Whether its instances serve more than one session.
    pub isolation: Isolation,
    /// Its file may be this large; without it, the host's limit counts.
    pub max_file_bytes: Option<NonZeroU64>,
    /// It may be put together from so many modules and memories; without it, the host's limits count.
    pub max_parts: Option<NonZeroU32>,
}

/// A SHA-256 digest, written `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

/// The key `isolation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// A small pool of instances serves all sessions.
    #[default]
    Shared,
    /// No instance serves a second session, or a second call.
    Session,
}

impl TypeEntry {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, &type_keys());
        let plugins = reader.field(section, "plugins", |reader, at, found| {
            value::names(reader, at, found, "cisco-enable", |reader, at, plugin| name::is_name(reader, at, "plugin", plugin))
        });
        let declared_in = reader.field(section, "declared", value::path);
        let declares = declaration::KEYS.iter().any(|key| section.table.contains_key(*key));
        if declares && section.table.contains_key("declared") {
            let help = "write the declaration in one place".to_owned();
            reader.error(&section.place, format!("{} has `declared` and keys of a declaration", section.place.shown()), Some(help));
        }
        let has_plugins = section.table.get("plugins").is_some_and(|found| found.get_ref().as_array().is_none_or(|list| !list.is_empty()));
        if !has_plugins && !declares && !section.table.contains_key("declared") {
            let help = "for example `plugins = [\"cisco-enable\", \"guard\"]`, or `declared = \"FILE.toml\"`".to_owned();
            reader.error(&section.place, format!("{} has no plugins", section.place.shown()), Some(help));
        }
        let plugins = plugins.unwrap_or_default();
        if (declares || declared_in.is_some()) && !plugins.is_empty() && !plugins.iter().any(|plugin| plugin == DECLARED) {
            let help = format!("add \"{DECLARED}\" to `plugins`, or leave the key out");
            reader.error(&section.place, format!("{} is declared and has not the plugin `{DECLARED}`", section.place.shown()), Some(help));
        }
        Self { plugins, declaration: declares.then(|| Arc::new(Declaration::read(reader, section))), declared_in }
    }
}

impl PluginEntry {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, &KEYS);
        let config = reader.section(section, "config", "paging = \"scroll 512\"");
        Self {
            path: reader.field(section, "path", value::path),
            digest: reader.field(section, "digest", Digest::read),
            signer: reader.field(section, "signer", |reader, at, found| value::text(reader, at, found, "a name", "plugins@acme.example")),
            secrets: reader.field(section, "secrets", secrets),
            config: config.map(|config| settings(reader, &config)).unwrap_or_default(),
            isolation: reader.field(section, "isolation", isolation).unwrap_or_default(),
            max_file_bytes: reader
                .field(section, "max_file_bytes", |reader, at, found| value::positive(reader, at, found, "a number of bytes", "8388608")),
            max_parts: reader
                .field(section, "max_parts", |reader, at, found| value::positive(reader, at, found, "a number of modules", "32")),
        }
    }
}

impl Digest {
    /// From the bytes of a digest.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn read(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Self> {
        let text = value::text(reader, at, found, "a digest", "sha256:9f2c…")?;
        let digest = Self::from_text(&text);
        if digest.is_none() {
            let help = "write `sha256:` and 64 hexadecimal digits, as `sha256sum FILE` prints them".to_owned();
            reader.error(at, format!("{} is not a digest", at.shown()), Some(help));
        }
        digest
    }

    fn from_text(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", crate::hex::digits(&self.0))
    }
}

fn secrets(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Vec<String>> {
    value::names(reader, at, found, "enable", |reader, at, secret| name::is_name(reader, at, "secret", secret))
}

fn isolation(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Isolation> {
    value::word(reader, at, found, &[("shared", Isolation::Shared), ("session", Isolation::Session)])
}

/// The table as JSON, if it is small enough.
fn settings(reader: &mut Reader<'_>, section: &Section<'_>) -> Map<String, Value> {
    let json = object(reader, &section.place, section.table);
    // Writing a JSON value into memory cannot fail.
    let size = serde_json::to_string(&json).map_or(0, |text| text.len());
    if size > PLUGIN_CONFIG_MAX_BYTES {
        let message = format!("{} is {size} bytes of JSON, more than {PLUGIN_CONFIG_MAX_BYTES}", section.place.shown());
        reader.error(&section.place, message, None);
    }
    json
}

fn object(reader: &mut Reader<'_>, at: &Place, table: &DeTable<'_>) -> Map<String, Value> {
    let section = Section { place: at.clone(), table };
    let mut json = Map::new();
    for (key, at, found) in section.entries() {
        reader.remember(&at);
        json.extend(to_json(reader, &at, found).map(|found| (key.to_owned(), found)));
    }
    json
}

fn to_json(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Value> {
    let json = match found {
        DeValue::String(text) => Some(Value::from(text.as_ref())),
        DeValue::Integer(_) => value::integer(found).map(Value::from),
        DeValue::Float(number) => number.as_str().parse().ok().and_then(serde_json::Number::from_f64).map(Value::Number),
        DeValue::Boolean(flag) => Some(Value::from(*flag)),
        DeValue::Datetime(_) => None,
        DeValue::Array(elements) => {
            let mut json = Vec::new();
            for (index, element) in elements.iter().enumerate() {
                json.extend(to_json(reader, &at.element(index, element.span().start), element.get_ref()));
            }
            Some(Value::Array(json))
        }
        DeValue::Table(table) => Some(Value::Object(object(reader, at, table))),
    };
    if json.is_none() {
        let help = "dates, `inf`, `nan` and integers beyond 64 bits do not exist in JSON: write a text".to_owned();
        reader.error(at, format!("{} cannot be handed to a plugin", at.shown()), Some(help));
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_as_it_is_written() {
        let text = format!("sha256:{}", "0123456789abcdef".repeat(4));
        assert_eq!(Digest::from_text(&text).map(|digest| digest.to_string()), Some(text.clone()));
        assert_eq!(Digest::from_text(&text.to_uppercase().replace("SHA", "sha")).map(|digest| digest.to_string()), Some(text.clone()));
        for wrong in [
            "",
            "sha256:",
            "sha256:9f2c",
            "9f2c",
            &text.replace("ab", "+b"),
            &text.replace("ab", "xb"),
            &text.replace("ab", "\u{fc}"),
            &format!("{text}00"),
        ] {
            assert_eq!(Digest::from_text(wrong), None, "{wrong}");
        }
    }
}
