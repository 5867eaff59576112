//! Machine code of plugins on disk, by digest, so that a plugin is compiled once on a machine.
//!
//! The engine refuses an artifact of another version or of other settings, but it does not check the code itself:
//! whoever can write the folder can run code as this user. So the folder is private, and one that is not is not used.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::private::own_user;

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
        self.folder.join(format!("{digest}-{:016x}.cwasm", hasher.finish()))
    }

    /// The component, from disk or compiled now and then stored.
    ///
    /// # Errors
    ///
    /// When it does not compile. A cache that fails is as good as none.
    pub fn component(&self, engine: &Engine, digest: &str, wasm: &[u8]) -> wasmtime::Result<Component> {
        let path = self.path(engine, digest);
        if let Some(component) = stored(engine, &path) {
            return Ok(component);
        }
        let component = Component::from_binary(engine, wasm)?;
        if let Ok(artifact) = component.serialize() {
            // The next start compiles again: nothing is lost.
            let _ = self.store(&path, &artifact);
        }
        Ok(component)
    }

    fn store(&self, path: &Path, artifact: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(artifact)?;
        // The engine trusts what it reads here: no half of it may be left after a power cut.
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
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
