//! Oxidized's `router.db`: a row for each device, with columns that its `config` beside explains.
//!
//! Without that file only the name, the address and the model are taken: another column may be a password.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::document::{self, text, text_of, texts};
use super::found::{ENABLE, Found, Jump, PASSWORD, Scope};
use super::intake::{Intake, beside, shown};
use super::types::{self, System};
use super::{fits, ssh_options};

/// Does each row have columns with colons between them, and does one name a model?
pub(super) fn looks_like(content: &str) -> bool {
    let is_row =
        |row: &str| row.contains(':') && !row.contains(": ") && !row.contains(['{', '[', '=']) && row.find(':') != Some(row.len() - 1);
    let has_model = |row: &str| row.split(':').skip(1).any(types::is_model);
    rows(content).all(|(_, row)| is_row(row)) && rows(content).any(|(_, row)| has_model(row))
}

/// Does the `config` beside a file say that its devices come from there?
pub(super) fn is_explained(intake: &Intake<'_>, path: &Path) -> bool {
    let named = |tree: Value| {
        let file = text_of(tree.get("source")?.get("csv")?.get("file")?)?;
        Some(Path::new(&file).file_name()? == path.file_name()?)
    };
    config_beside(intake, path).and_then(|(_, config)| named(document::yaml(config).ok()?)).unwrap_or_default()
}

fn config_beside<'t>(intake: &Intake<'t>, path: &Path) -> Option<(PathBuf, &'t str)> {
    let paths = ["config", "config.yml", "config.yaml"].map(|name| beside(path, name));
    paths.into_iter().find_map(|path| intake.text(&path).map(|text| (path, text)))
}

fn rows(content: &str) -> impl Iterator<Item = (usize, &str)> {
    let rows = content.lines().enumerate().map(|(index, row)| (index + 1, row.trim()));
    rows.filter(|(_, row)| !row.is_empty() && !row.starts_with('#'))
}

pub(super) fn read(intake: &mut Intake<'_>, path: &Path, content: &str) -> Result<(), String> {
    let Some((config_path, config)) = config_beside(intake, path) else { return read_alone(intake, content) };
    let tree = document::yaml(config).map_err(|why| format!("{} {why}", shown(&config_path)))?;
    let empty = Map::new();
    let config = Settings { root: tree.as_object().unwrap_or(&empty) };
    let columns = config.columns()?;
    for (number, row) in rows(content) {
        let cells = columns.split(row);
        let cell =
            |key: &str| columns.places.get(key).and_then(|place| cells.get(*place)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
        let name = cell("name").filter(|name| is_likely_name(name));
        let name = name.ok_or_else(|| format!("line {number} has no name where its config says so: is the delimiter another one?"))?;
        let node = Node { cell: &cell, model: config.model(cell("model")), group: cell("group") };
        let found = config.device(intake, name, &node);
        intake.take(found)?;
    }
    config.about_the_file(intake);
    Ok(())
}

/// A name, and not a row whose delimiter is another one.
fn is_likely_name(name: &str) -> bool {
    fits::is_host(name) || fits::is_name(name)
}

/// A file whose `config` is not there.
fn read_alone(intake: &mut Intake<'_>, content: &str) -> Result<(), String> {
    for (number, row) in rows(content) {
        let cells: Vec<&str> = row.split(':').map(str::trim).collect();
        let model = cells.iter().skip(1).position(|cell| types::is_model(cell)).map(|place| place + 1);
        let (Some(name), Some(place)) = (cells.first().filter(|name| is_likely_name(name)), model) else {
            let help = "put Oxidized's `config` beside the file: it says what the columns are";
            return Err(format!("line {number} is not `NAME:MODEL` or `NAME:ADDRESS:MODEL`; {help}"));
        };
        let mut found = Found::named(name);
        if place == 2 {
            found.set_host("the address", cells.get(1).map(|cell| (*cell).to_owned()), &mut intake.notes);
        }
        found.set_kind("the model", System::Oxidized, cells.get(place).map(|cell| (*cell).to_owned()), &mut intake.notes);
        if cells.len() > place + 1 {
            let why = "what they are stands in Oxidized's `config`: put it beside the file and import again";
            intake.notes.left(Some(name), "further columns", why);
        }
        intake.take(found)?;
    }
    Ok(())
}

/// The file `config`.
struct Settings<'t> {
    root: &'t Map<String, Value>,
}

/// The columns of a row, and what stands between them.
struct Columns {
    between: Between,
    /// Columns by what they are; those of `vars_map` by the name of the variable.
    places: BTreeMap<String, usize>,
}

enum Between {
    Text(String),
    Blanks,
}

impl Columns {
    fn split<'r>(&self, row: &'r str) -> Vec<&'r str> {
        match &self.between {
            Between::Text(text) => row.split(text.as_str()).collect(),
            Between::Blanks => row.split_whitespace().collect(),
        }
    }
}

/// A row that is being read.
struct Node<'n> {
    cell: &'n dyn Fn(&str) -> Option<&'n str>,
    model: Option<String>,
    group: Option<&'n str>,
}

impl Settings<'_> {
    fn columns(&self) -> Result<Columns, String> {
        let csv = self.root.get("source").and_then(|source| source.get("csv")).and_then(Value::as_object);
        let csv = csv.ok_or("stands beside a config whose `source` has no `csv`: where its devices come from is not this file")?;
        if document::truth(csv, "gpg") == Some(true) {
            return Err("is encrypted with GPG: decrypt it to a file of its own first".to_owned());
        }
        let delimiter = text(csv, "delimiter").unwrap_or_else(|| ":".to_owned());
        let inner =
            delimiter.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|inner| !inner.is_empty()).unwrap_or(&delimiter);
        let between = match inner {
            r"\s+" | r"\s" | " " | r"[ \t]+" => Between::Blanks,
            r"\t" => Between::Text("\t".to_owned()),
            plain if !plain.trim_start_matches('\\').contains(['\\', '[', '(', '+', '*', '?', '.', '^', '$']) => {
                Between::Text(plain.trim_start_matches('\\').to_owned())
            }
            _ => return Err("has a delimiter in its config that is more than a sign: it cannot be read".to_owned()),
        };
        let mut places = BTreeMap::new();
        for table in ["vars_map", "map"].iter().filter_map(|key| csv.get(*key)?.as_object()) {
            for (key, place) in table {
                if let Some(place) = text_of(place).and_then(|place| place.parse().ok()) {
                    places.insert(key.clone(), place);
                }
            }
        }
        if !places.contains_key("name") {
            return Err("stands beside a config whose `map` names no column `name`".to_owned());
        }
        Ok(Columns { between, places })
    }

    /// The model, by its name in Oxidized.
    fn model(&self, cell: Option<&str>) -> Option<String> {
        let model = cell.map(str::to_owned).or_else(|| text(self.root, "model"))?;
        let map = self.root.get("model_map").and_then(Value::as_object);
        Some(map.and_then(|map| text(map, &model)).unwrap_or(model))
    }

    /// A value of the group, then the model, then all devices, and whose it is.
    fn layered(&self, node: &Node<'_>, key: &str) -> Option<(Scope, Value)> {
        let part = |kind: &str, name: Option<&str>| self.root.get(kind)?.get(name?)?.as_object();
        let group = part("groups", node.group);
        let model = node.model.as_deref();
        let of_both = group.and_then(|group| group.get("models")?.get(model?)?.as_object());
        let shared = |name: Option<&str>| Scope::Shared(name.unwrap_or("oxidized").to_owned());
        let layers = [
            (shared(node.group), of_both),
            (shared(node.group), group),
            (shared(model), part("models", model)),
            (shared(None), Some(self.root)),
        ];
        layers.into_iter().find_map(|(scope, table)| {
            let table = table?;
            let value = match key.strip_prefix("vars.") {
                Some(variable) => table.get("vars")?.get(variable)?,
                None => table.get(key)?,
            };
            Some((scope, value.clone()))
        })
    }

    /// The value of a column, or of what stands behind it.
    fn value(&self, node: &Node<'_>, column: &str, key: &str) -> Option<(Scope, String)> {
        match (node.cell)(column) {
            Some(cell) => Some((Scope::Device, cell.to_owned())),
            None => self.layered(node, key).and_then(|(scope, value)| Some((scope, text_of(&value)?))),
        }
    }

    fn device(&self, intake: &mut Intake<'_>, name: &str, node: &Node<'_>) -> Found {
        let mut found = Found::named(name);
        let notes = &mut intake.notes;
        let plain = |column: &str, key: &str| self.value(node, column, key).map(|(_, value)| value);
        found.set_host("`ip`", (node.cell)("ip").map(str::to_owned), notes);
        found.set_user("`username`", plain("username", "username"), notes);
        found.set_kind("`model`", System::Oxidized, node.model.clone(), notes);
        found.set_tags("groups", node.group.map(str::to_owned), notes);
        let input = (node.cell)("input")
            .map(str::to_owned)
            .or_else(|| text_of(self.layered(node, "input").map(|(_, value)| value)?.get("default")?));
        let inputs: Vec<&str> = input.iter().flat_map(|input| input.split(',')).map(str::trim).collect();
        found.telnet = !inputs.is_empty() && !inputs.contains(&"ssh") && inputs.contains(&"telnet");
        let port = if found.telnet { "telnet_port" } else { "ssh_port" };
        found.set_port(&format!("`{port}`"), plain(port, &format!("vars.{port}")), notes);
        if !found.telnet {
            let keys = self.layered(node, "vars.ssh_keys").map(|(_, value)| value);
            found.set_key("`ssh_keys`", texts(keys.as_ref()).into_iter().next(), notes);
            self.proxy(node, &mut found);
            self.algorithms(intake, node, &mut found);
        }
        for (role, column, key) in [(PASSWORD, "password", "password"), (ENABLE, "enable", "vars.enable")] {
            let Some((scope, value)) = self.value(node, column, key) else { continue };
            // `enable: true` enters the mode without a password.
            if role == ENABLE && matches!(value.as_str(), "true" | "false") {
                continue;
            }
            let origin = match &scope {
                Scope::Device => format!("the column `{column}` of this device"),
                Scope::Shared(_) => format!("`{column}` of Oxidized's config"),
            };
            found.set_secret(role, scope, Some(value), &origin);
        }
        found
    }

    fn proxy(&self, node: &Node<'_>, found: &mut Found) {
        let Some(mut hop) = self.value(node, "ssh_proxy", "vars.ssh_proxy").and_then(|(_, host)| Jump::parse(&host)) else { return };
        let port = self.value(node, "ssh_proxy_port", "vars.ssh_proxy_port").and_then(|(_, port)| port.parse().ok());
        hop.port = hop.port.or_else(|| port.filter(|port| *port != 0));
        found.jumps = vec![hop];
    }

    fn algorithms(&self, intake: &mut Intake<'_>, node: &Node<'_>, found: &mut Found) {
        for key in ["ssh_kex", "ssh_host_key", "ssh_encryption", "ssh_hmac"] {
            let Some((_, value)) = self.layered(node, &format!("vars.{key}")) else { continue };
            let names = texts(Some(&value)).join(",");
            let option = match key {
                "ssh_kex" => "KexAlgorithms",
                "ssh_host_key" => "HostKeyAlgorithms",
                "ssh_encryption" => "Ciphers",
                _ => "MACs",
            };
            ssh_options::read(found, key, &format!("-o {option}={}", names.replace(['"', '\'', ' ', '\\'], "")), &mut intake.notes);
        }
    }

    fn about_the_file(&self, intake: &mut Intake<'_>) {
        let secure = self.root.get("input").and_then(|input| document::truth_of(input.get("ssh")?.get("secure")?));
        if secure == Some(false) {
            let why = "host keys are checked here: `jackfield hostkey accept NAME` records a new one after you have compared it";
            intake.notes.left(None, "`input.ssh.secure` = false", why);
        }
        let others = ["output", "hooks", "rest", "extensions"].into_iter().filter(|key| self.root.contains_key(*key));
        if others.count() > 0 {
            intake.notes.left(None, "outputs and hooks of Oxidized", "only its devices are carried over");
        }
    }
}
