//! Walks the tables of a file, checks keys and types, and collects what is wrong.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, Lines, Places};
use super::name::header;
use super::wording::{self, Complaint};

/// One pass over one file.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    file: &'t Path,
    lines: Lines<'t>,
    /// What `~` stands for.
    pub(super) home: Option<&'t Path>,
    diagnostics: Vec<Diagnostic>,
    places: Places,
}

/// A key in the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The table as its header shows it, `[device.sw1]`; empty at the top.
    section: String,
    /// The key below that header.
    key: String,
    /// Both, with dots.
    pub(super) path: String,
    /// Byte offset.
    start: usize,
}

impl Place {
    /// The key and its table, as an error names them.
    pub(super) fn shown(&self) -> String {
        match (self.section.as_str(), self.key.as_str()) {
            ("", key) => format!("`{key}`"),
            (section, "") => section.to_owned(),
            (section, key) => format!("`{key}` in {section}"),
        }
    }

    /// The key alone.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// A key of this table.
    fn child(&self, key: &str, start: usize) -> Self {
        let joined = |parent: &str| if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") };
        Self { section: self.section.clone(), key: joined(&self.key), path: joined(&self.path), start }
    }

    /// A table of this kind and name, which has a header of its own.
    fn header(kind: &str, name: &str, start: usize) -> Self {
        Self { section: header(kind, name), key: String::new(), path: format!("{kind}.{}", name.escape_debug()), start }
    }

    /// An element of this list.
    pub(super) fn element(&self, index: usize, start: usize) -> Self {
        Self { path: format!("{}.{index}", self.path), start, ..self.clone() }
    }
}

/// A table, and where it stands.
#[derive(Debug)]
pub(super) struct Section<'d> {
    pub(super) place: Place,
    pub(super) table: &'d DeTable<'d>,
}

impl<'d> Section<'d> {
    pub(super) fn root(table: &'d DeTable<'d>) -> Self {
        Self { place: Place::default(), table }
    }

    /// The keys of this table with their places.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'d str, Place, &'d DeValue<'d>)> {
        let table = self.table;
        table.iter().map(|(key, found)| (key.get_ref().as_ref(), self.place.child(key.get_ref(), key.span().start), found.get_ref()))
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(file: &'t Path, lines: Lines<'t>, home: Option<&'t Path>) -> Self {
        Self { file, lines, home, diagnostics: Vec::new(), places: Places::default() }
    }

    pub(super) fn finish(self) -> (Vec<Diagnostic>, Places) {
        (self.diagnostics, self.places)
    }

    /// The file.
    pub(super) fn file(&self) -> &Path {
        self.file
    }

    /// The line of a place.
    pub(super) fn line(&self, at: &Place) -> usize {
        self.lines.position(at.start).line
    }

    /// The folder of the file, where relative paths start.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or_else(|| Path::new(""))
    }

    pub(super) fn error(&mut self, at: &Place, message: String, help: Option<String>) {
        let position = self.lines.position(at.start);
        self.diagnostics.push(Diagnostic {
            file: self.file.to_owned(),
            line: position.line,
            column: position.column,
            path: at.path.clone(),
            message,
            help,
        });
    }

    /// Says what was found and what is wanted. The found value itself is never shown.
    pub(super) fn wrong_type(&mut self, at: &Place, found: &DeValue<'_>, want: &str, example: &str) {
        self.error(at, wording::wrong_type(&at.shown(), want, kind_of(found)), Some(format!("for example `{example}`")));
    }

    /// Refuses keys that the table does not have.
    pub(super) fn only_keys(&mut self, section: &Section<'_>, known: &[&str]) {
        for (key, at, found) in section.entries() {
            if known.contains(&key) {
                continue;
            }
            let shown = section.place.shown();
            let table = if shown == "``" { "" } else { &shown };
            let has_dots = found.is_table() && section.place.path.starts_with("device.");
            let hint = if has_dots { "a name with dots stands in quotes, as in `[device.\"a.example.com\"]`; " } else { "" };
            let Complaint { message, help } = wording::unknown_key(key, table, known, hint);
            self.error(&at, message, Some(help));
        }
    }

    /// The value of a key, if it is there and right.
    pub(super) fn field<T>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        read: impl FnOnce(&mut Self, &Place, &DeValue<'_>) -> Option<T>,
    ) -> Option<T> {
        let (known, found) = section.table.get_key_value(key)?;
        let at = section.place.child(key, known.span().start);
        self.remember(&at);
        read(self, &at, found.get_ref())
    }

    /// A table at a key.
    pub(super) fn section<'d>(&mut self, parent: &Section<'d>, key: &str, example: &str) -> Option<Section<'d>> {
        let (_, at, found) = parent.entries().find(|(name, ..)| *name == key)?;
        self.remember(&at);
        let place =
            if parent.place.path.is_empty() { Place { section: format!("[{key}]"), key: String::new(), ..at.clone() } } else { at.clone() };
        match found {
            DeValue::Table(table) => Some(Section { place, table }),
            _ => {
                self.wrong_type(&at, found, "a table", &format!("{key} = {{ {example} }}"));
                None
            }
        }
    }

    /// The tables of a list `[[KEY]]`.
    pub(super) fn tables<'d>(&mut self, parent: &Section<'d>, key: &str) -> Vec<Section<'d>> {
        let Some((_, at, found)) = parent.entries().find(|(name, ..)| *name == key) else { return Vec::new() };
        self.remember(&at);
        let DeValue::Array(elements) = found else {
            self.wrong_type(&at, found, "a list of tables", &format!("[[{}]]", at.path));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            let place = at.element(index, element.span().start);
            self.remember(&place);
            match element.get_ref() {
                DeValue::Table(table) => tables.push(Section { place, table }),
                other => self.wrong_type(&place, other, "a table", &format!("[[{}]]", at.path)),
            }
        }
        tables
    }

    /// The place of a key in a table, or in the table at this index of a list.
    pub(super) fn place_in(&self, parent: &Section<'_>, table: &str, index: usize, key: &str) -> Place {
        let Some((_, at, found)) = parent.entries().find(|(name, ..)| *name == table) else { return parent.place.clone() };
        let inner = match found {
            DeValue::Array(elements) => elements.get(index).map(|element| (at.element(index, element.span().start), element.get_ref())),
            other => Some((at, other)),
        };
        let Some((place, DeValue::Table(table))) = inner else { return parent.place.clone() };
        let found = Section { place: place.clone(), table }.entries().find(|(name, ..)| *name == key).map(|(_, at, _)| at);
        found.unwrap_or(place)
    }

    /// The tables `[KIND.NAME]`, by name.
    pub(super) fn sections<'d>(&mut self, root: &Section<'d>, kind: &str, example: &str) -> Vec<(String, Section<'d>)> {
        let Some(parent) = self.section(root, kind, &format!("NAME = {{ {example} }}")) else { return Vec::new() };
        let mut sections = Vec::new();
        for (name, at, found) in parent.entries() {
            let place = Place::header(kind, name, at.start);
            self.remember(&place);
            match found {
                DeValue::Table(table) => sections.push((name.to_owned(), Section { place, table })),
                _ => self.wrong_type(&place, found, "a table", &format!("[{kind}.NAME]` and below it `{example}")),
            }
        }
        sections
    }

    pub(super) fn remember(&mut self, at: &Place) {
        self.places.insert(&at.path, self.lines.position(at.start));
    }
}

fn kind_of(found: &DeValue<'_>) -> &'static str {
    match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
