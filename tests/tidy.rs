//! Rules of the house that a machine can check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn host() -> Vec<PathBuf> {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    files
}

/// The sources without their tests: each line of code with its file and its number.
fn product() -> Vec<(PathBuf, usize, String)> {
    let texts: Vec<(PathBuf, String)> = host().into_iter().map(|file| (file.clone(), std::fs::read_to_string(&file).unwrap())).collect();
    let is_file = |name: &&str| !name.contains(char::is_whitespace);
    let declared = |(file, text): &(PathBuf, String)| {
        let names = text.split("#[cfg(test)]\nmod ").skip(1).filter_map(|rest| rest.split(';').next());
        names.filter(is_file).map(|name| file.with_extension("").join(name)).collect::<Vec<_>>()
    };
    let tests: Vec<PathBuf> = texts.iter().flat_map(declared).collect();
    let mut lines = Vec::new();
    for (file, text) in texts.iter().filter(|(file, _)| !tests.iter().any(|module| file.with_extension("").starts_with(module))) {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        lines.extend(code.map(|(number, line)| (file.clone(), number + 1, line.to_owned())));
    }
    lines
}

/// The map in `lib.rs`: each module with the lowest and the highest layer whose row names it.
fn layers() -> BTreeMap<String, (u32, u32)> {
    let map = std::fs::read_to_string(root().join("lib.rs")).unwrap();
    let mut layers = BTreeMap::new();
    for row in map.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let mut cells = row.split(" | ");
        let Some(layer) = cells.next().and_then(|cell| cell.parse::<u32>().ok()) else { continue };
        for name in cells.next().unwrap_or_default().split("[`").skip(1).filter_map(|rest| rest.split('`').next()) {
            let (lowest, highest) = layers.entry(name.to_owned()).or_insert((layer, layer));
            (*lowest, *highest) = ((*lowest).min(layer), (*highest).max(layer));
        }
    }
    layers
}

/// What a line takes from the crate: `crate::name::...`, or `crate::{name, other}`.
fn used(line: &str) -> Vec<&str> {
    let paths = line.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => list.split('}').next().unwrap_or_default().split(", ").collect::<Vec<_>>(),
        None => vec![rest],
    });
    let name = |path: &str| path.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(path.len());
    paths.map(|path| &path[..name(path)]).collect()
}

/// The core knows no device: what a vendor's is stands in a plugin. Tests and examples in comments may name one.
#[test]
fn the_core_names_no_vendor() {
    let names = ["mikrotik", "routeros", "junos", "huawei", "arista", "fortinet", "--more--", "% invalid"];
    let lines = product();
    assert!(lines.len() > 10_000, "{} lines are not all of the core", lines.len());
    for (file, number, line) in lines {
        let lower = line.to_lowercase();
        let found = names.iter().find(|name| lower.contains(*name));
        assert_eq!(found, None, "{}:{number}: {line}", file.display());
    }
}

#[test]
fn the_map_shows_every_module() {
    let (layers, map) = (layers(), std::fs::read_to_string(root().join("lib.rs")).unwrap());
    for module in map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
        assert!(layers.contains_key(module), "`{module}` is not in the map at the head of lib.rs");
    }
}

/// Where a part of a module lies lower than the rest, what uses it is measured by that part.
#[test]
fn a_module_uses_its_own_layer_and_those_below() {
    let layers = layers();
    for (file, number, line) in product() {
        let inside = file.strip_prefix(root()).unwrap().with_extension("");
        let module = inside.iter().next().unwrap_or_default().to_string_lossy().into_owned();
        let Some((_, own)) = layers.get(&module) else { continue };
        for name in used(&line) {
            let lowest = layers.get(name).map_or(0, |(lowest, _)| *lowest);
            assert!(lowest <= *own, "{}:{number}: `{module}` is in layer {own}, `{name}` in layer {lowest}", file.display());
        }
    }
}

/// A bound that nothing keeps is none, and no compiler tells of it.
#[test]
fn every_limit_is_kept() {
    let limits = root().join("limits.rs");
    let (declared, rest): (Vec<_>, Vec<_>) = product().into_iter().partition(|(file, _, _)| *file == limits);
    let is_apart = |letter: char| !letter.is_alphanumeric() && letter != '_';
    let used: BTreeSet<&str> = rest.iter().flat_map(|(_, _, line)| line.split(is_apart)).collect();
    let names: Vec<&str> = declared.iter().filter_map(|(_, _, line)| line.strip_prefix("pub const ")?.split(':').next()).collect();
    assert!(names.len() > 100, "{} are not all limits", names.len());
    let unused: Vec<&str> = names.into_iter().filter(|name| !used.contains(name)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_module_says_its_duty() {
    for file in host() {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not begin with what it is for", file.display());
    }
}
