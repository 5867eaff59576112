//! An Ansible inventory: hosts, groups and their variables, with the folders `group_vars` and `host_vars` beside it.
//!
//! Nothing is decrypted and no template is run: a value that Ansible looks up elsewhere is to be put where we look.

use std::path::Path;

use super::intake::Intake;

mod connection;
mod host;
mod ini;
mod inventory;
mod ranges;
mod template;
mod tree;
mod vars;

use inventory::Inventory;

/// Reads the files of one folder as one inventory, as Ansible does.
pub(super) fn read(intake: &mut Intake<'_>, files: &[(usize, &Path, &str)]) -> Result<(), String> {
    let mut inventory = Inventory::default();
    for (number, path, content) in files {
        inventory.file = *number;
        let is_tree = content.trim_start().starts_with('{') || super::document::yaml(content).is_ok_and(|tree| tree.is_object());
        let read = if is_tree { tree::read(intake, &mut inventory, content) } else { ini::read(&mut inventory, content) };
        read.map_err(|why| format!("{} {why}", super::intake::shown(path)))?;
    }
    if let Some((_, path, _)) = files.first() {
        vars::read(intake, &mut inventory, path)?;
    }
    let index = inventory.index();
    for name in index.names() {
        let (file, variables) = index.resolve(name);
        intake.file = file;
        let groups = index.groups_of(name).into_iter().map(str::to_owned);
        if let Some(found) = host::read(intake, name, groups.collect(), &variables) {
            intake.take(found)?;
        }
    }
    Ok(())
}
