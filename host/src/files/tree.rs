//! What lies in a folder and below, on either side, in one form.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use tokio::task::JoinSet;

use super::FilesError;
use super::name::{self, shown};
use super::remote::Remote;
use super::wire::{Attrs, Kind};
use crate::limits::{FOLDERS_AT_ONCE, TREE_DEPTH_MAX, TREE_ENTRIES_MAX};

/// Something in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Bytes of a file.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// When it was written last, in seconds since 1970, where that is told.
    pub mtime: Option<u32>,
    /// Where a link leads.
    pub leads_to: Vec<u8>,
}

impl Entry {
    /// Was it written at another time, as far as both are known?
    #[must_use]
    pub fn is_of_another_time(&self, other: &Self) -> bool {
        self.mtime.zip(other.mtime).is_some_and(|(own, its)| own != its)
    }

    /// By the attributes that a server gave.
    #[must_use]
    pub fn of(attrs: &Attrs) -> Self {
        Self {
            kind: attrs.kind(),
            size: attrs.size.unwrap_or(0),
            mode: attrs.mode.unwrap_or(0o644) & 0o777,
            mtime: attrs.times.map(|(_, written)| written),
            leads_to: Vec::new(),
        }
    }
}

/// All of it by path from the top, which itself has the empty path. A folder comes before what it holds.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The entries.
    pub entries: BTreeMap<Vec<u8>, Entry>,
    /// What could not be looked into, as sentences.
    pub problems: Vec<String>,
}

/// Which paths are left out: patterns as in `.gitignore`, and what jackfield leaves lying while it works.
#[derive(Debug, Clone)]
pub struct Ignore(Gitignore);

impl Ignore {
    /// By patterns.
    ///
    /// # Errors
    ///
    /// Which pattern is none.
    pub fn new(patterns: &[String]) -> Result<Self, FilesError> {
        let mut builder = GitignoreBuilder::new("");
        for pattern in patterns {
            let added = builder.add_line(None, pattern);
            added.map_err(|error| FilesError::Refused(format!("`{pattern}` in `ignore` is no pattern as in .gitignore: {error}")))?;
        }
        builder.build().map(Self).map_err(|error| FilesError::Refused(format!("`ignore`: {error}")))
    }

    /// Is this left out?
    #[must_use]
    pub fn matches(&self, path: &[u8], kind: Kind) -> bool {
        let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let is_own = last.starts_with(b".") && last.windows(11).any(|part| part == b".jackfield-");
        is_own || self.0.matched(Path::new(OsStr::from_bytes(path)), kind == Kind::Folder).is_ignore()
    }
}

/// Adds an entry, within bounds.
///
/// # Errors
///
/// When there are too many, or they lie too deep.
pub fn keep(tree: &mut Tree, path: Vec<u8>, entry: Entry) -> Result<(), FilesError> {
    if tree.entries.len() >= TREE_ENTRIES_MAX {
        return Err(FilesError::Refused(format!(
            "there are more than {TREE_ENTRIES_MAX} files and folders; take a part of them, or leave some out with `ignore`"
        )));
    }
    if path.iter().filter(|byte| **byte == b'/').count() >= TREE_DEPTH_MAX {
        return Err(FilesError::Refused(format!("`{}` lies more than {TREE_DEPTH_MAX} folders deep", shown(&path))));
    }
    tree.entries.insert(path, entry);
    Ok(())
}

/// Walks a tree on the device. Nothing at the path is an empty tree. A link at the top is followed, others are kept as links.
///
/// # Errors
///
/// When the top cannot be looked at, or there is too much.
pub async fn walk(remote: &Remote, top: &[u8], ignore: &Ignore) -> Result<Tree, FilesError> {
    let mut tree = Tree::default();
    let attrs = match remote.stat(top).await {
        Ok(attrs) => attrs,
        Err(error) if error.is_missing() => return Ok(tree),
        Err(error) => return Err(error),
    };
    tree.entries.insert(Vec::new(), Entry::of(&attrs));
    if attrs.kind() != Kind::Folder {
        return Ok(tree);
    }
    let mut waiting = vec![Vec::new()];
    let mut running = JoinSet::new();
    let top: Arc<[u8]> = top.into();
    loop {
        while running.len() < FOLDERS_AT_ONCE
            && let Some(folder) = waiting.pop()
        {
            let (remote, top, ignore) = (remote.clone(), Arc::clone(&top), ignore.clone());
            running.spawn(async move {
                let listed = look(&remote, &top, &folder, &ignore).await;
                (folder, listed)
            });
        }
        let Some(done) = running.join_next().await else { return Ok(tree) };
        let Ok((folder, listed)) = done else { continue };
        match listed {
            Ok(found) => {
                for (path, entry) in found {
                    if entry.kind == Kind::Folder {
                        waiting.push(path.clone());
                    }
                    keep(&mut tree, path, entry)?;
                }
            }
            Err(error) if error.is_broken() || folder.is_empty() => return Err(error),
            Err(error) => tree.problems.push(error.to_string()),
        }
    }
}

/// The entries of one folder.
async fn look(remote: &Remote, top: &[u8], folder: &[u8], ignore: &Ignore) -> Result<Vec<(Vec<u8>, Entry)>, FilesError> {
    let place = if folder.is_empty() { top.to_vec() } else { name::join(top, folder) };
    let mut found = Vec::new();
    for entry in remote.list(&place).await? {
        let path = name::join(folder, &entry.name);
        let mut kept = Entry::of(&entry.attrs);
        if ignore.matches(&path, kept.kind) {
            continue;
        }
        if kept.kind == Kind::Link {
            kept.leads_to = match remote.read_link(&name::join(&place, &entry.name)).await {
                // It has gone while the folder was read.
                Err(error) if error.is_missing() => continue,
                to => to?,
            };
        }
        found.push((path, kept));
    }
    Ok(found)
}
