//! The files of an import, with those beside them that belong to them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::intake::{beside, shown};
use super::{Role, Source};
use crate::limits::{IMPORT_FILE_MAX_BYTES, IMPORT_FILES_MAX, IMPORT_NESTING_MAX, IMPORT_TOTAL_MAX_BYTES};

/// Files that explain another one in the same folder.
const COMPANIONS: [&str; 8] = [".env", "groups.yaml", "groups.yml", "defaults.yaml", "defaults.yml", "config", "config.yml", "config.yaml"];
/// What `-` is called wherever files are told.
const STANDARD_INPUT: &str = "standard input";
/// Folders of variables beside an inventory.
const VARIABLES: [&str; 2] = ["group_vars", "host_vars"];
/// Ends of names that Ansible passes over in a folder of inventories.
const PASSED_OVER: [&str; 7] = ["~", ".orig", ".bak", ".cfg", ".retry", ".pyc", ".swp"];

/// Reads the named files, or those of a named folder, and what lies beside them. `-` is standard input.
///
/// # Errors
///
/// A file that cannot be read or is too large.
pub fn gather(paths: &[PathBuf]) -> Result<Vec<Source>, String> {
    let mut found = Gathered::default();
    for path in paths {
        if path.as_os_str() == "-" {
            let bytes = bounded(&mut io::stdin().lock(), 0).map_err(|why| format!("{STANDARD_INPUT} {why}"))?;
            found.take(Path::new(STANDARD_INPUT), bytes, Role::Named)?;
        } else if path.is_dir() {
            found.folder(path)?;
        } else {
            found.file(path, Role::Named)?;
            found.beside(path)?;
        }
    }
    Ok(found.sources.into_values().collect())
}

#[derive(Default)]
struct Gathered {
    sources: BTreeMap<PathBuf, Source>,
    bytes: u64,
}

impl Gathered {
    fn file(&mut self, path: &Path, role: Role) -> Result<(), String> {
        if let Some(known) = self.sources.get_mut(path) {
            known.role = known.role.max(role);
            return Ok(());
        }
        let mut file = File::open(path).map_err(|error| format!("cannot read {}: {error}", shown(path)))?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let bytes = bounded(&mut file, length).map_err(|why| format!("{} {why}", shown(path)))?;
        self.take(path, bytes, role)
    }

    fn take(&mut self, path: &Path, bytes: Zeroizing<Vec<u8>>, role: Role) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > IMPORT_TOTAL_MAX_BYTES {
            return Err(format!("the files have more than {IMPORT_TOTAL_MAX_BYTES} bytes: import a part of them at a time"));
        }
        if self.sources.len() >= IMPORT_FILES_MAX {
            return Err(format!("there are more than {IMPORT_FILES_MAX} files: import a part of them at a time"));
        }
        self.sources.insert(path.to_owned(), Source { path: path.to_owned(), bytes, role });
        Ok(())
    }

    /// What explains a file.
    fn beside(&mut self, path: &Path) -> Result<(), String> {
        for companion in COMPANIONS.map(|name| beside(path, name)) {
            // Not each `config` belongs to Oxidized; one that is no text is not.
            if companion != path && companion.is_file() && self.file(&companion, Role::Beside).is_err() {
                self.sources.remove(&companion);
            }
        }
        for folder in VARIABLES.map(|name| beside(path, name)) {
            self.all_below(&folder, IMPORT_NESTING_MAX)?;
        }
        Ok(())
    }

    /// An inventory that is a folder.
    fn folder(&mut self, folder: &Path) -> Result<(), String> {
        for path in entries(folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_file() && !name.starts_with('.') && !PASSED_OVER.iter().any(|end| name.ends_with(end)) {
                self.file(&path, Role::Listed)?;
            }
        }
        // Any name in the folder has the same neighbours.
        self.beside(&folder.join("inventory"))
    }

    fn all_below(&mut self, folder: &Path, left: usize) -> Result<(), String> {
        if left == 0 || !folder.is_dir() {
            return Ok(());
        }
        for path in entries(folder)? {
            if path.is_dir() {
                self.all_below(&path, left - 1)?;
            } else {
                self.file(&path, Role::Beside)?;
            }
        }
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |error: io::Error| format!("cannot read the folder {}: {error}", shown(folder));
    let entries = fs::read_dir(folder).map_err(wrong)?.take(IMPORT_FILES_MAX + 1);
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>().map_err(wrong)?;
    paths.sort();
    Ok(paths)
}

/// What a file has, of about this length.
fn bounded(from: &mut impl Read, length: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    // The whole capacity at once: a growing buffer would leave copies behind in freed memory.
    let capacity = usize::try_from(length.min(IMPORT_FILE_MAX_BYTES)).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    from.take(IMPORT_FILE_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > IMPORT_FILE_MAX_BYTES {
        return Err(format!("has more than {IMPORT_FILE_MAX_BYTES} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sources: &[Source], folder: &Path) -> Vec<String> {
        let below = |source: &Source| source.path.strip_prefix(folder).unwrap().display().to_string();
        sources.iter().map(|source| format!("{}{}", below(source), if source.role == Role::Beside { " beside" } else { "" })).collect()
    }

    #[test]
    fn what_lies_beside_a_file_comes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("group_vars/all")).unwrap();
        for name in ["hosts.ini", "hosts.ini.bak", ".hidden", "group_vars/all/main.yml", "group_vars/web.yml", "config", "notes.txt"] {
            fs::write(path(name), "x").unwrap();
        }
        let beside = ["config beside", "group_vars/all/main.yml beside", "group_vars/web.yml beside"];
        assert_eq!(names(&gather(&[path("hosts.ini")]).unwrap(), folder.path()), [&beside[..], &["hosts.ini"]].concat());
        let whole = gather(&[folder.path().to_owned()]).unwrap();
        assert_eq!(names(&whole, folder.path()), [&["config"], &beside[1..], &["hosts.ini", "notes.txt"]].concat());
        // Who names a file that was only beside another one means it.
        let both = gather(&[path("hosts.ini"), path("config")]).unwrap();
        assert_eq!(names(&both, folder.path()), [&["config"], &beside[1..], &["hosts.ini"]].concat());
    }

    #[test]
    fn a_file_that_is_too_large_or_not_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large");
        File::create(&large).unwrap().set_len(IMPORT_FILE_MAX_BYTES + 1).unwrap();
        assert!(gather(&[large]).err().unwrap().contains("has more than 8388608 bytes"));
        assert!(gather(&[folder.path().join("nothing")]).err().unwrap().contains("cannot read"));
    }
}
