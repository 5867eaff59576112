//! Where the file says that a secret comes from.

use toml::de::DeValue;

use super::name;
use super::reader::{Place, Reader, Section};
use super::value;
use crate::secret::SecretSource;

/// The right forms, for each error about a source.
const FORMS: &str = "`{ env = \"VARIABLE\" }`, `{ file = \"PATH\" }`, `{ command = \"pass show NAME\" }`, `{ keyring = \"NAME\" }` or `{ credential = \"NAME\" }`";

pub(super) const KEYS: [&str; 5] = ["env", "file", "command", "keyring", "credential"];

/// A table with exactly one of the keys. A text is refused and not repeated: it is probably the secret itself.
pub(super) fn source(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<SecretSource> {
    let table = match found {
        DeValue::Table(table) => table,
        DeValue::String(_) | DeValue::Integer(_) => {
            let message = format!("{} is written out: a secret must not stand in this file", at.shown());
            reader.error(at, message, Some(format!("say where it comes from: {FORMS}; change a secret that was stored here")));
            return None;
        }
        _ => {
            reader.wrong_type(at, found, "the source of a secret", &format!("{} = {{ env = \"VARIABLE\" }}", at.key()));
            return None;
        }
    };
    let section = Section { place: at.clone(), table };
    reader.only_keys(&section, &KEYS);
    if table.len() != 1 {
        reader.error(at, format!("{} needs exactly one source", at.shown()), Some(format!("write {FORMS}")));
        return None;
    }
    let variable = reader.field(&section, "env", variable).map(SecretSource::Env);
    let file = reader.field(&section, "file", value::path).map(SecretSource::File);
    let command = reader
        .field(&section, "command", |reader, at, found| value::text(reader, at, found, "a shell command", "pass show NAME"))
        .map(SecretSource::Command);
    let keyring = reader
        .field(&section, "keyring", |reader, at, found| value::text(reader, at, found, "the name of an entry", "core-enable"))
        .map(SecretSource::Keyring);
    let credential = reader.field(&section, "credential", credential).map(SecretSource::Credential);
    variable.or(file).or(command).or(keyring).or(credential)
}

/// Name of a credential: a file's name, as systemd takes it.
fn credential(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    let name = value::text(reader, at, found, "the name of a credential", "core-enable")?;
    let is_name = !name.contains('/') && name != "." && name != "..";
    if !is_name {
        let help = "write the name as in `LoadCredential=NAME:PATH` of the service, without a folder".to_owned();
        reader.error(at, format!("{} is not the name of a credential", at.shown()), Some(help));
    }
    is_name.then_some(name)
}

/// Name of an environment variable. The value is not repeated: somebody may have put the secret in its place.
fn variable(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    let name = value::text(reader, at, found, "the name of an environment variable", "CORE_ENABLE")?;
    let is_right = is_variable(&name);
    if !is_right {
        let help = "use letters, digits and `_`, without `$`: `env = \"CORE_ENABLE\"`".to_owned();
        reader.error(at, format!("{} is not the name of an environment variable", at.shown()), Some(help));
    }
    is_right.then_some(name)
}

/// Is this a name of an environment variable?
pub(crate) fn is_variable(name: &str) -> bool {
    let allowed = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    !name.is_empty() && allowed && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// The table `secrets`: a source for each name.
pub(super) fn sources(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<(String, SecretSource)> {
    let mut sources = Vec::new();
    for (key, at, found) in section.entries() {
        let right = name::is_name(reader, &at, "secret", key);
        reader.remember(&at);
        if let Some(source) = source(reader, &at, found)
            && right
        {
            sources.push((key.to_owned(), source));
        }
    }
    sources
}
