//! One import on its way: the files, what was found in them, and what there is to say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::found::{Credential, Found};
use super::report::Notes;
use super::{Role, Source};
use crate::limits::{IMPORT_DEVICES_MAX, IMPORT_NAMES_SHOWN};

/// The import.
pub(super) struct Intake<'a> {
    /// Each file by its path.
    texts: BTreeMap<&'a Path, &'a str>,
    /// Devices, with the number of the file that they are from.
    pub(super) devices: Vec<(usize, Found)>,
    /// The file that is read now, by its number among those with devices.
    pub(super) file: usize,
    pub(super) notes: Notes,
}

impl<'a> Intake<'a> {
    /// Nothing yet.
    ///
    /// # Errors
    ///
    /// A file that is no text.
    pub(super) fn new(sources: &'a [Source]) -> Result<Self, String> {
        let (mut texts, mut notes) = (BTreeMap::new(), Notes::default());
        for source in sources {
            match (std::str::from_utf8(&source.bytes), source.role) {
                (Ok(text), _) => drop(texts.insert(source.path.as_path(), text.strip_prefix('\u{feff}').unwrap_or(text))),
                (Err(_), Role::Named) => return Err(format!("{} is no text in UTF-8", shown(&source.path))),
                (Err(_), Role::Listed | Role::Beside) => notes.left(None, &shown(&source.path), "it is no text in UTF-8"),
            }
        }
        Ok(Self { texts, devices: Vec::new(), file: 0, notes })
    }

    /// The text of a file of this import.
    pub(super) fn text(&self, path: &Path) -> Option<&'a str> {
        self.texts.get(path).copied()
    }

    /// Files below a folder, in the order of their paths.
    pub(super) fn below(&self, folder: &Path) -> Vec<(&'a Path, &'a str)> {
        self.texts.iter().filter(|(path, _)| path.starts_with(folder)).map(|(path, text)| (*path, *text)).collect()
    }

    /// Takes a device in.
    ///
    /// # Errors
    ///
    /// One too many.
    pub(super) fn take(&mut self, device: Found) -> Result<(), String> {
        if self.devices.len() >= IMPORT_DEVICES_MAX {
            return Err(format!("there are more than {IMPORT_DEVICES_MAX} devices: import a part of the files at a time"));
        }
        self.devices.push((self.file, device));
        Ok(())
    }

    /// Says of keys that nothing here stands for them.
    pub(super) fn no_counterpart(&mut self, device: Option<&str>, keys: &[&str]) {
        for key in keys {
            self.notes.left(device, &key_shown(key), "there is nothing like it here");
        }
    }
}

/// A key of a file in backticks. One that is no word, and may be anything, is not repeated.
pub(super) fn key_shown(key: &str) -> String {
    let is_word = key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if is_word { format!("`{key}`") } else { "a key that is no word".to_owned() }
}

/// A path for a person.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

/// The file of this name in the same folder.
pub(super) fn beside(path: &Path, name: &str) -> PathBuf {
    path.parent().unwrap_or_else(|| Path::new("")).join(name)
}

/// A few of the names, and how many more there are.
pub(super) fn few(names: &[String]) -> String {
    let shown = names.iter().take(IMPORT_NAMES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(IMPORT_NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Variables of a file beside, for the values of those that the configuration refers to.
pub(super) fn fill(credentials: &mut BTreeMap<&'static str, Credential>, known: &BTreeMap<String, Zeroizing<String>>) {
    for credential in credentials.values_mut() {
        if let Credential::Env { variable, value } = credential
            && value.is_none()
        {
            *value = known.get(variable).filter(|value| !value.is_empty()).cloned();
        }
    }
}
