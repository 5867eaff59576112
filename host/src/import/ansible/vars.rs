//! The folders `group_vars` and `host_vars` beside an inventory.

use std::path::{Component, Path};

use super::super::document;
use super::super::intake::{Intake, beside, shown};
use super::inventory::Inventory;
use super::template::is_vault;

pub(super) fn read(intake: &mut Intake<'_>, inventory: &mut Inventory, path: &Path) -> Result<(), String> {
    for (folder, is_groups) in [("group_vars", true), ("host_vars", false)] {
        let folder = beside(path, folder);
        for (file, content) in intake.below(&folder) {
            let Some(owner) = owner(&folder, file) else { continue };
            if is_vault(content) {
                let why = "it is encrypted with ansible-vault and is not read; `ansible-vault view FILE` shows it to you";
                intake.notes.left(None, &shown(file), why);
                continue;
            }
            let tree = document::tree(content).map_err(|why| format!("{} {why}", shown(file)))?;
            let Some(variables) = tree.as_object().cloned() else { continue };
            if is_groups {
                inventory.beside_group(&owner, variables);
            } else {
                inventory.beside_host(&owner, variables);
            }
        }
    }
    Ok(())
}

/// `NAME`, `NAME.yml` or `NAME/any.yml`: the name.
fn owner(folder: &Path, file: &Path) -> Option<String> {
    let mut parts = file.strip_prefix(folder).ok()?.components();
    let Some(Component::Normal(first)) = parts.next() else { return None };
    let first = first.to_str()?;
    let is_file = parts.next().is_none();
    let stem = [".yml", ".yaml", ".json"].into_iter().find_map(|tail| first.strip_suffix(tail));
    Some(if is_file { stem.unwrap_or(first) } else { first }.to_owned())
}
