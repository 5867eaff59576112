//! Machine code of plugins on disk, by digest, so that a plugin is compiled once on a machine.
//!
//! The engine refuses an artifact of another version or of other settings, but it does not check the code itself:
//! whoever can write the folder can run code as this user. So the folder is private, and one that is not is not used.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::OFlags;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::limits::{COMPILED_PLUGINS_MAX, COMPILED_PLUGINS_MAX_BYTES, COMPILED_USE_NOTED};
use crate::private::own_user;

/// How the name of each file ends.
const ENDING: &str = ".cwasm";

/// A folder of compiled plugins.
#[derive(Debug, Clone)]
pub struct CompiledCache {
    folder: PathBuf,
}

impl CompiledCache {
    /// Uses the folder, making it if it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or somebody else may write it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let metadata = fs::symlink_metadata(folder)?;
        let home_owner = own_user()?;
        if !metadata.is_dir() || metadata.uid() != home_owner || metadata.permissions().mode() & 0o022 != 0 {
            return Err(io::Error::other(format!(
                "`{}` must be a folder that only its owner may write; run `chmod go-w` on it",
                folder.display()
            )));
        }
        Ok(Self { folder: folder.to_owned() })
    }

    fn path(&self, engine: &Engine, digest: &str) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder.join(format!("{digest}-{:016x}{ENDING}", hasher.finish()))
    }

    /// The component, from disk or compiled now and then stored.
    ///
    /// # Errors
    ///
    /// When it does not compile. A cache that fails is as good as none.
    pub fn component(&self, engine: &Engine, digest: &str, wasm: &[u8]) -> wasmtime::Result<Component> {
        let path = self.path(engine, digest);
        if let Some(component) = stored(engine, &path) {
            // One whose uses cannot be noted goes earlier than others, and is compiled again: nothing is lost.
            let _ = note_use(&path);
            return Ok(component);
        }
        let component = Component::from_binary(engine, wasm)?;
        if let Ok(artifact) = component.serialize() {
            // The next start compiles again, and the next one that is stored makes room: nothing is lost.
            let _ = self.store(&path, &artifact);
        }
        Ok(component)
    }

    fn store(&self, path: &Path, artifact: &[u8]) -> io::Result<()> {
        // Named like the rest, so that what a process leaves behind that ends meanwhile goes with the old ones.
        let mut file = tempfile::Builder::new().prefix(".draft-").suffix(ENDING).tempfile_in(&self.folder)?;
        file.write_all(artifact)?;
        // The engine trusts what it reads here: no half of it may be left after a power cut.
        file.as_file().sync_all()?;
        file.persist(path)?;
        self.make_room(path, artifact.len() as u64)
    }

    /// Removes those that were not used for the longest time, until the rest is within its bounds with what was stored just now. Whoever
    /// reads one of them meanwhile has it open.
    fn make_room(&self, just_stored: &Path, mut bytes: u64) -> io::Result<()> {
        let mut others = Vec::new();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let path = entry.path();
            // Of a link this tells that it is one: it was not stored here, nor was what it leads to.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_file() && path != just_stored && path.to_string_lossy().ends_with(ENDING) {
                others.push((metadata.modified()?, metadata.len(), path));
            }
        }
        others.sort_unstable();
        let mut count = 1;
        for (_, length, path) in others.into_iter().rev() {
            count += 1;
            bytes = bytes.saturating_add(length);
            if count > COMPILED_PLUGINS_MAX || bytes > COMPILED_PLUGINS_MAX_BYTES {
                // Another process may have been faster, and what cannot be removed now is tried again.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

/// Notes at the file that it was used, unless that was done not long ago.
fn note_use(path: &Path) -> io::Result<()> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    let file = fs::File::options().read(true).custom_flags(flags).open(path)?;
    let noted = file.metadata()?.modified()?;
    // A time in the future is of a clock that was wrong.
    if noted.elapsed().is_ok_and(|age| age < COMPILED_USE_NOTED) { Ok(()) } else { file.set_modified(SystemTime::now()) }
}

#[expect(unsafe_code, reason = "the engine trusts the artifact: the folder is private and only this module writes it")]
fn stored(engine: &Engine, path: &Path) -> Option<Component> {
    if !path.is_file() {
        return None;
    }
    // SAFETY: the file was written by `store` from `Component::serialize`, in a folder that only this user may write (checked
    // in `open`); a file is never changed in place, only replaced by rename.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn cache(folder: &tempfile::TempDir) -> CompiledCache {
        CompiledCache::open(&folder.path().join("compiled")).unwrap()
    }

    fn make(path: &Path, age: Duration, bytes: u64) {
        let file = fs::File::create(path).unwrap();
        file.set_len(bytes).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    fn make_older(path: &Path, age: Duration) {
        fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }

    fn names(cache: &CompiledCache) -> BTreeSet<String> {
        fs::read_dir(&cache.folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn age(path: &Path) -> Duration {
        fs::metadata(path).unwrap().modified().unwrap().elapsed().unwrap()
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        let at = |name: &str| cache.folder.join(name);
        for (number, age) in (0..COMPILED_PLUGINS_MAX).zip(1_u32..) {
            make(&at(&format!("{number}.cwasm")), HOUR * age, 1);
        }
        // None of these is a compiled plugin, however old: they stay, and so does what the link leads to.
        let elsewhere = folder.path().join("elsewhere.cwasm");
        make(&elsewhere, HOUR * 9999, 1);
        make(&at("notes.txt"), HOUR * 9999, 1);
        symlink(&elsewhere, at("link.cwasm")).unwrap();
        fs::create_dir(at("folder.cwasm")).unwrap();
        let mut expected = names(&cache);
        cache.store(&at("new.cwasm"), b"code").unwrap();
        expected.remove(&format!("{}.cwasm", COMPILED_PLUGINS_MAX - 1));
        expected.insert("new.cwasm".to_owned());
        assert_eq!(names(&cache), expected);
        assert!(elsewhere.exists());
        assert_eq!(fs::read(at("new.cwasm")).unwrap(), b"code");
    }

    #[test]
    fn their_bytes_are_bounded_and_what_was_just_stored_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        let at = |name: &str| cache.folder.join(name);
        make(&at("old.cwasm"), HOUR * 3, 1);
        make(&at("half.cwasm"), HOUR * 2, COMPILED_PLUGINS_MAX_BYTES / 2);
        make(&at("other-half.cwasm"), HOUR, COMPILED_PLUGINS_MAX_BYTES / 2);
        make(&at(".draft-left.cwasm"), HOUR * 4, 1);
        cache.store(&at("new.cwasm"), b"code").unwrap();
        let kept = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(names(&cache), kept(&["new.cwasm", "other-half.cwasm"]));
        // Even where the others seem to be newer, and take all the room.
        let later = fs::File::options().append(true).open(at("other-half.cwasm")).unwrap();
        later.set_len(COMPILED_PLUGINS_MAX_BYTES).unwrap();
        later.set_modified(SystemTime::now() + HOUR).unwrap();
        cache.store(&at("newest.cwasm"), b"code").unwrap();
        assert_eq!(names(&cache), kept(&["newest.cwasm"]));
    }

    #[test]
    fn a_use_is_noted_once_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        let engine = crate::plugin::engine::Engine::start().unwrap();
        // The smallest component.
        let use_it = || cache.component(engine.wasm(), "digest", b"\0asm\x0d\0\x01\0").map(drop).unwrap();
        use_it();
        let path = cache.path(engine.wasm(), "digest");
        make_older(&path, COMPILED_USE_NOTED + HOUR);
        use_it();
        assert!(age(&path) < HOUR);
        make_older(&path, COMPILED_USE_NOTED / 2);
        note_use(&path).unwrap();
        assert!(age(&path) > HOUR);
        // Nothing is said of a file elsewhere.
        let elsewhere = folder.path().join("elsewhere");
        make(&elsewhere, HOUR * 9999, 1);
        let link = cache.folder.join("link.cwasm");
        symlink(&elsewhere, &link).unwrap();
        assert!(note_use(&link).is_err() && age(&elsewhere) > COMPILED_USE_NOTED);
    }
}
