//! Folders of this machine that transfers may use, and nothing outside of them: every step of a path is taken below the root by the kernel,
//! so that no link and no race leads out.

use std::ffi::OsStr;
use std::fs::{FileTimes, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;

use super::FilesError;
use super::name::{companion, join, shown, split_inside};
use super::tree::{Entry, Ignore, Tree, keep};
use super::wire::Kind;

/// A path below an allowed folder.
#[derive(Debug, Clone)]
pub struct Local {
    root: Arc<Dir>,
    /// The path below it; empty for the root itself.
    pub path: Vec<u8>,
    shown: PathBuf,
}

/// A path of bytes as the system takes it.
#[must_use]
pub fn path_of(bytes: &[u8]) -> &Path {
    // Empty is the folder itself.
    Path::new(if bytes.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(bytes) })
}

fn kind_of(metadata: &Metadata) -> Kind {
    Kind::of_mode(metadata.mode())
}

fn entry_of(metadata: &Metadata) -> Entry {
    Entry {
        kind: kind_of(metadata),
        size: metadata.size(),
        mode: metadata.mode() & 0o777,
        mtime: Some(u32::try_from(metadata.mtime()).unwrap_or(0)),
        leads_to: Vec::new(),
    }
}

/// Finds the root that a path lies in.
///
/// # Errors
///
/// When it lies in none, or no root is allowed.
pub fn within(roots: &[PathBuf], given: &[u8]) -> Result<Local, FilesError> {
    let Some(first) = roots.first() else {
        return Err(FilesError::Refused(
            "no folder of this machine is allowed for transfers; ask the operator to name some in the configuration, for example `[files]` with `roots = [\"~/shared\"]`".to_owned(),
        ));
    };
    let given = path_of(given);
    let names: Vec<String> = roots.iter().map(|root| shown(root.as_os_str().as_bytes())).collect();
    let outside = |why: &str| {
        FilesError::Refused(format!(
            "`{}` {why}; the allowed folders of this machine are {}",
            shown(given.as_os_str().as_bytes()),
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ))
    };
    if given.components().any(|part| part == Component::ParentDir) {
        return Err(outside("holds `..`"));
    }
    // A relative path lies in the first root.
    let whole = first.join(given);
    for root in roots {
        let real = std::fs::canonicalize(root)
            .map_err(|error| FilesError::local("open the allowed folder", root.as_os_str().as_bytes(), &error))?;
        let Some(below) = whole.strip_prefix(root).ok().or_else(|| whole.strip_prefix(&real).ok()) else { continue };
        let dir = Dir::open_ambient_dir(&real, ambient_authority());
        let dir = dir.map_err(|error| FilesError::local("open the allowed folder", root.as_os_str().as_bytes(), &error))?;
        let path = below.components().collect::<PathBuf>().into_os_string().as_bytes().to_vec();
        return Ok(Local { root: Arc::new(dir), path, shown: real });
    }
    Err(outside("lies in no allowed folder"))
}

/// What became of a file that was read.
#[derive(Debug)]
pub struct WholeFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it is.
    pub entry: Entry,
}

impl Local {
    /// The whole path of something below.
    #[must_use]
    pub fn whole(&self, path: &[u8]) -> Vec<u8> {
        join(self.shown.as_os_str().as_bytes(), &self.below(path))
    }

    fn below(&self, path: &[u8]) -> Vec<u8> {
        match (self.path.is_empty(), path.is_empty()) {
            (_, true) => self.path.clone(),
            (true, _) => path.to_vec(),
            _ => join(&self.path, path),
        }
    }

    fn fail(&self, act: &'static str, path: &[u8]) -> impl Fn(io::Error) -> FilesError {
        let whole = self.whole(path);
        move |error| FilesError::local(act, &whole, &error)
    }

    /// With a name added.
    #[must_use]
    pub fn with(&self, name: &[u8]) -> Self {
        Self { path: self.below(name), ..self.clone() }
    }

    /// What is there, links followed; none if there is nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at, or leads out.
    pub fn look(&self) -> Result<Option<Entry>, FilesError> {
        match self.root.metadata(path_of(&self.path)) {
            Ok(metadata) => Ok(Some(entry_of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fail("look at", b"")(error)),
        }
    }

    /// Walks the tree. Nothing at the path is an empty tree.
    ///
    /// # Errors
    ///
    /// When the top cannot be looked at, or there is too much.
    pub fn walk(&self, ignore: &Ignore) -> Result<Tree, FilesError> {
        let mut tree = Tree::default();
        let Some(top) = self.look()? else { return Ok(tree) };
        let is_folder = top.kind == Kind::Folder;
        tree.entries.insert(Vec::new(), top);
        let mut waiting = if is_folder { vec![Vec::new()] } else { Vec::new() };
        while let Some(folder) = waiting.pop() {
            match self.entries(&folder, ignore) {
                Ok(found) => {
                    for (path, entry) in found {
                        if entry.kind == Kind::Folder {
                            waiting.push(path.clone());
                        }
                        keep(&mut tree, path, entry)?;
                    }
                }
                Err(error) if folder.is_empty() => return Err(error),
                Err(error) => tree.problems.push(error.to_string()),
            }
        }
        Ok(tree)
    }

    fn entries(&self, folder: &[u8], ignore: &Ignore) -> Result<Vec<(Vec<u8>, Entry)>, FilesError> {
        let dir = self.folder(folder)?;
        let mut found = Vec::new();
        for entry in dir.entries().map_err(self.fail("list", folder))? {
            let entry = entry.map_err(self.fail("list", folder))?;
            let name = entry.file_name();
            let path = join(folder, name.as_bytes());
            let metadata = match entry.metadata() {
                // It has gone while the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                looked => looked.map_err(self.fail("look at", &path))?,
            };
            let mut kept = entry_of(&metadata);
            if ignore.matches(&path, kept.kind) {
                continue;
            }
            if kept.kind == Kind::Link {
                let to = rustix::fs::readlinkat(&dir, path_of(name.as_bytes()), Vec::new()).map_err(io::Error::from);
                kept.leads_to = match to {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    to => to.map_err(self.fail("read the link", &path))?.into_bytes(),
                };
            }
            found.push((path, kept));
        }
        Ok(found)
    }

    /// A folder below, open. Paths in it are still confined.
    ///
    /// # Errors
    ///
    /// When it is not there, or leads out.
    pub fn folder(&self, path: &[u8]) -> Result<Dir, FilesError> {
        self.root.open_dir(path_of(&self.below(path))).map_err(self.fail("open the folder", path))
    }

    /// The folder that a path lies in, open, and the last name.
    ///
    /// # Errors
    ///
    /// When it is not there, or leads out.
    pub fn parent(&self, path: &[u8]) -> Result<(Dir, Vec<u8>), FilesError> {
        let below = self.below(path);
        let (folder, name) = split_inside(&below);
        if name.is_empty() {
            return Err(FilesError::Refused(format!("`{}` is an allowed folder itself; name something in it", shown(&self.whole(path)))));
        }
        let dir = self.root.open_dir(path_of(folder)).map_err(self.fail("open the folder of", path))?;
        Ok((dir, name.to_vec()))
    }

    /// Makes the folder and those above it.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn make_folders(&self, path: &[u8]) -> Result<(), FilesError> {
        let below = self.below(path);
        if below.is_empty() {
            return Ok(());
        }
        self.root.create_dir_all(path_of(&below)).map_err(self.fail("make the folder", path))
    }

    /// Removes a file, a link or an empty folder.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn remove(&self, path: &[u8], kind: Kind) -> Result<(), FilesError> {
        let below = self.below(path);
        let removed = if kind == Kind::Folder { self.root.remove_dir(path_of(&below)) } else { self.root.remove_file(path_of(&below)) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.fail("delete", path)(error)),
            _ => Ok(()),
        }
    }

    /// Makes a link, in place of a file or link that is there.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn make_link(&self, path: &[u8], to: &[u8]) -> Result<(), FilesError> {
        let (dir, name) = self.parent(path)?;
        let part = companion(&name, "part");
        let make = || {
            let _ = dir.remove_file(path_of(&part));
            dir.symlink(path_of(to), path_of(&part))?;
            dir.rename(path_of(&part), &dir, path_of(&name))
        };
        make().map_err(self.fail("make the link", path))
    }

    /// Sets mode and time of a file or folder.
    ///
    /// # Errors
    ///
    /// When they cannot be set.
    pub fn touch(&self, path: &[u8], entry: &Entry) -> Result<(), FilesError> {
        let set = || {
            let below = self.below(path);
            let file = self.root.open_with(path_of(&below), &reading())?.into_std();
            finish(&file, entry)
        };
        set().map_err(self.fail("set mode and time of", path))
    }
}

/// Opens no link and waits for no pipe.
fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    options.read(true).custom_flags(flags);
    options
}

fn finish(file: &std::fs::File, entry: &Entry) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(entry.mode))?;
    let Some(mtime) = entry.mtime else { return Ok(()) };
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(mtime.into());
    file.set_times(FileTimes::new().set_modified(time).set_accessed(time))
}

/// Opens a regular file to be read, with what it is now.
///
/// # Errors
///
/// When it is none, or cannot be opened.
pub fn open(dir: &Dir, name: &[u8]) -> io::Result<(std::fs::File, Entry)> {
    let file = dir.open_with(path_of(name), &reading())?;
    let entry = entry_of(&file.metadata()?);
    if entry.kind != Kind::File {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file any more"));
    }
    Ok((file.into_std(), entry))
}

/// Reads a small file whole.
///
/// # Errors
///
/// When it cannot be read, or has grown beyond what is taken.
pub fn read_small(dir: &Dir, name: &[u8], most: usize) -> io::Result<WholeFile> {
    let (mut file, entry) = open(dir, name)?;
    let mut bytes = Vec::with_capacity(usize::try_from(entry.size).unwrap_or(0).min(most) + 1);
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    io::Read::take(&mut file, limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::other("it grows while it is read"));
    }
    Ok(WholeFile { bytes, entry })
}

/// Where a file is written to until it is whole.
#[must_use]
pub fn part_of(name: &[u8]) -> Vec<u8> {
    companion(name, "part")
}

/// Opens the part of a file to be written: kept up to `keep` bytes, or new.
///
/// # Errors
///
/// When it cannot be opened, or another transfer writes it.
pub fn open_part(dir: &Dir, name: &[u8], keep: Option<u64>) -> io::Result<std::fs::File> {
    let part = part_of(name);
    let mut options = OpenOptions::new();
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    options.read(true).write(true).mode(0o600).custom_flags(flags);
    if let Some(keep) = keep {
        let mut file = claimed(dir, &part, dir.open_with(path_of(&part), &options)?)?;
        file.set_len(keep)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(keep))?;
        return Ok(file);
    }
    let mut new = options.clone();
    new.create_new(true);
    match dir.open_with(path_of(&part), &new) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Nobody has a claim to what is no file.
            let is_file = dir.symlink_metadata(path_of(&part))?.is_file();
            let left = dir.open_with(path_of(&part), &options).ok().filter(|_| is_file);
            let left = left.map(|left| claimed(dir, &part, left)).transpose()?;
            dir.remove_file(path_of(&part))?;
            drop(left);
            claimed(dir, &part, dir.open_with(path_of(&part), &new)?)
        }
        other => claimed(dir, &part, other?),
    }
}

/// The name of a part from which nothing goes on: dropped before the part is complete, it takes the part with it. The part's file is to be
/// open until then, else it may be another transfer's.
#[derive(Debug)]
pub struct Unkept {
    dir: Dir,
    name: Vec<u8>,
    is_whole: bool,
}

impl Unkept {
    /// Opens the part of a file anew.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or another transfer writes it.
    pub fn open(dir: Dir, name: Vec<u8>) -> io::Result<(Self, std::fs::File)> {
        let file = open_part(&dir, &name, None)?;
        Ok((Self { dir, name, is_whole: false }, file))
    }

    /// Gives the part, which is whole, its mode, time and name.
    ///
    /// # Errors
    ///
    /// When it cannot be done.
    pub fn complete(mut self, file: &std::fs::File, entry: &Entry) -> io::Result<()> {
        let done = complete(&self.dir, &self.name, file, entry);
        self.is_whole = done.is_ok();
        done
    }
}

impl Drop for Unkept {
    fn drop(&mut self) {
        if !self.is_whole {
            // Why it is not whole is what is told.
            let _ = self.dir.remove_file(path_of(&part_of(&self.name)));
        }
    }
}

/// A part that is ours as long as it is open: another transfer, of this process or another one, would mix its bytes with these, or give
/// half of them the file's name.
fn claimed(dir: &Dir, part: &[u8], file: cap_std::fs::File) -> io::Result<std::fs::File> {
    let busy = || io::Error::new(io::ErrorKind::ResourceBusy, "another transfer writes it just now; call again once that one has ended");
    let place = |metadata: Metadata| (metadata.dev(), metadata.ino());
    let own = place(file.metadata()?);
    let file = file.into_std();
    // Where a file system has no locks, there is no more to do.
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(busy());
    }
    // Who had it may have ended in between, and another one may have begun.
    if place(dir.symlink_metadata(path_of(part))?) == own { Ok(file) } else { Err(busy()) }
}

/// Gives a part that is whole its mode, time and name.
///
/// # Errors
///
/// When it cannot be done; the part stays.
pub fn complete(dir: &Dir, name: &[u8], file: &std::fs::File, entry: &Entry) -> io::Result<()> {
    finish(file, entry)?;
    dir.rename(path_of(&part_of(name)), dir, path_of(name))
}

/// Writes a small file whole.
///
/// # Errors
///
/// When it cannot be written. Nothing of it stays.
pub fn write_small(dir: &Dir, name: &[u8], bytes: &[u8], entry: &Entry) -> io::Result<()> {
    let mut file = open_part(dir, name, None)?;
    let written = file.write_all(bytes).and_then(|()| complete(dir, name, &file, entry));
    if written.is_err() {
        // That it was not written is the error.
        let _ = dir.remove_file(path_of(&part_of(name)));
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting() -> (tempfile::TempDir, PathBuf, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("d")).unwrap();
        std::fs::write(folder.path().join("outside"), "secret").unwrap();
        std::fs::write(root.join("d/f"), "x").unwrap();
        let roots = vec![root.clone()];
        (folder, root, roots)
    }

    #[test]
    fn only_what_lies_in_a_root_is_found() {
        let (folder, root, roots) = setting();
        let at = |path: &str| within(&roots, path.as_bytes());
        assert!(at(&root.join("d/f").display().to_string()).unwrap().look().unwrap().is_some());
        assert_eq!(at("d/f").unwrap().path, b"d/f");
        assert_eq!(at(&root.display().to_string()).unwrap().path, b"");
        for wrong in ["../outside", "d/../../outside", "/etc/passwd", &folder.path().display().to_string(), &format!("{}x", root.display())]
        {
            assert!(at(wrong).is_err(), "{wrong}");
        }
        assert!(within(&[], b"x").unwrap_err().to_string().contains("roots = [\"~/shared\"]"));
    }

    #[test]
    fn no_link_leads_out() {
        let (folder, root, roots) = setting();
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
        link(&folder.path().join("outside"), "file");
        link(folder.path(), "folder");
        link(Path::new("../outside"), "relative");
        link(Path::new("d"), "inner");
        for name in ["file", "folder/outside", "relative", "folder"] {
            let found = within(&roots, name.as_bytes()).unwrap();
            assert!(found.look().is_err(), "{name}");
            assert!(found.walk(&Ignore::new(&[]).unwrap()).is_err(), "{name}");
        }
        assert!(within(&roots, b"inner/f").unwrap().look().unwrap().is_some());
        let dir = within(&roots, b"").unwrap().folder(b"").unwrap();
        assert!(open(&dir, b"file").is_err() && open(&dir, b"relative").is_err());
        // A link in the place of the file or of its part is replaced, not followed.
        link(&folder.path().join("outside"), ".new.jackfield-part");
        let entry = Entry { kind: Kind::File, size: 1, mode: 0o640, mtime: Some(7), leads_to: Vec::new() };
        write_small(&dir, b"new", b"y", &entry).unwrap();
        write_small(&dir, b"file", b"y", &entry).unwrap();
        assert_eq!(std::fs::read(folder.path().join("outside")).unwrap(), b"secret");
        assert_eq!(std::fs::read(root.join("file")).unwrap(), b"y");
    }

    #[test]
    fn what_goes_while_its_folder_is_listed_is_not_missed() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let (_folder, root, roots) = setting();
        let (top, all) = (within(&roots, b"").unwrap(), Ignore::new(&[]).unwrap());
        let is_over = AtomicBool::new(false);
        let trees = std::thread::scope(|scope| {
            scope.spawn(|| {
                let places: Vec<PathBuf> = (0..50).map(|number| root.join(format!("d/{number}"))).collect();
                while !is_over.load(Ordering::Relaxed) {
                    places.iter().for_each(|place| drop(std::fs::write(place, "")));
                    places.iter().for_each(|place| drop(std::fs::remove_file(place)));
                }
            });
            let trees: Vec<_> = (0..300).map(|_| top.walk(&all)).collect();
            is_over.store(true, Ordering::Relaxed);
            trees
        });
        for tree in trees {
            let tree = tree.unwrap();
            assert!(tree.problems.is_empty() && tree.entries.contains_key(b"d/f".as_slice()), "{:?}", tree.problems);
        }
    }

    #[test]
    fn a_part_is_left_to_who_writes_it() {
        let (_folder, root, roots) = setting();
        let dir = within(&roots, b"").unwrap().folder(b"").unwrap();
        let entry = Entry { kind: Kind::File, size: 5, mode: 0o640, mtime: None, leads_to: Vec::new() };
        let mut first = open_part(&dir, b"new", None).unwrap();
        first.write_all(b"first").unwrap();
        for keep in [None, Some(2)] {
            assert_eq!(open_part(&dir, b"new", keep).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        }
        assert!(write_small(&dir, b"new", b"y", &entry).unwrap_err().to_string().contains("another transfer"));
        complete(&dir, b"new", &first, &entry).unwrap();
        assert_eq!(std::fs::read(root.join("new")).unwrap(), b"first");
        // What one that has ended left behind is nobody's.
        drop(open_part(&dir, b"new", None).unwrap());
        write_small(&dir, b"new", b"y", &entry).unwrap();
        assert_eq!(std::fs::read(root.join("new")).unwrap(), b"y");
    }
}
