//! The facts file: what is known of real devices, read as it is.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Where the file is, seen from the repository's folder or from one above it.
const FILE: &str = "shared/devices/facts.toml";

/// One platform.
#[derive(Debug)]
pub struct Platform {
    /// Its name, which is that of a device type unless it is a program that runs inside a shell.
    pub name: String,
    facts: Table,
}

/// A table of a platform, such as a mode or a pager.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a>(&'a Table);

/// All platforms.
pub fn platforms() -> Vec<Platform> {
    let text = std::fs::read_to_string(file()).unwrap();
    let known: Table = toml::from_str(&text).unwrap();
    let platform = |(name, facts): (&String, &Value)| Platform { name: name.clone(), facts: facts.as_table().unwrap().clone() };
    known["platform"].as_table().unwrap().iter().map(platform).collect()
}

fn file() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|folder| folder.join(FILE)).find(|file| file.exists());
    found.unwrap_or_else(|| panic!("`{FILE}` is not beside the repository, above {}", here.display()))
}

impl Platform {
    /// Every table of this kind.
    pub fn all(&self, kind: &str) -> impl Iterator<Item = Entry<'_>> {
        let list = self.facts.get(kind).and_then(Value::as_array).into_iter().flatten();
        list.map(|entry| Entry(entry.as_table().unwrap()))
    }

    /// The one table of this kind.
    pub fn one(&self, kind: &str) -> Entry<'_> {
        Entry(self.facts[kind].as_table().unwrap())
    }

    /// A text of the platform itself.
    pub fn text(&self, key: &str) -> &str {
        Entry(&self.facts).text(key)
    }
}

impl<'a> Entry<'a> {
    /// A text, empty where there is none.
    pub fn text(self, key: &str) -> &'a str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list of texts.
    pub fn texts(self, key: &str) -> impl Iterator<Item = &'a str> {
        self.0.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }
}
