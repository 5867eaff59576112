//! What is checked of a plugin's file before any code of it runs: size, digest, signature, manifest, imports, version.

use std::borrow::Cow;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::{Source, Spec};
use crate::bounded::{self, ReadError};
use crate::hex;
use crate::plugin::declared;
use crate::plugin::fault::LoadError;
use crate::plugin::grants::{self, Refusal};
use crate::plugin::manifest::{Interfaces, Manifest};
use crate::plugin::no_component;
use crate::plugin::signature;

/// A plugin's bytes, checked as far as that goes without running them.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it says of itself.
    pub manifest: Manifest,
    /// SHA-256 of the file in hexadecimal.
    pub digest: String,
    /// Its size.
    pub bytes: u64,
    /// What it imports and exports.
    pub imports: Vec<String>,
    /// Interfaces of the contract that it exports.
    pub roles: Vec<String>,
    /// The file itself.
    pub wasm: Cow<'static, [u8]>,
}

/// Checks a plugin without running it.
///
/// # Errors
///
/// The first check that fails.
pub fn check(spec: &Spec) -> Result<Checked, LoadError> {
    let name = || spec.name.clone();
    let wasm = read(spec)?;
    let digest = digest(&wasm);
    if let Some(pinned) = spec.digest.as_ref().filter(|pinned| !pinned.eq_ignore_ascii_case(&digest)) {
        return Err(LoadError::Digest { name: name(), actual: digest, pinned: pinned.clone() });
    }
    check_signature(spec, &wasm)?;
    let interfaces = Interfaces::from_component(&wasm)
        .map_err(|found| LoadError::NotAComponent { name: name(), what: no_component::told(&wasm, &found) })?;
    let mut manifest = Manifest::from_component(&wasm).map_err(|what| LoadError::Manifest { name: name(), what })?;
    if let Some(declaration) = &spec.declaration {
        manifest = declared::manifest(manifest, declaration);
    }
    check_host(&spec.name, &manifest)?;
    check_imports(&spec.name, &interfaces, &manifest)?;
    let roles = check_exports(&spec.name, &interfaces)?;
    if !manifest.secrets.is_empty() && !roles.iter().any(|role| role == "dialog") {
        return Err(LoadError::Manifest { name: name(), what: "it lists `secrets` but has no dialog that could ask for them".to_owned() });
    }
    Ok(Checked { manifest, digest, bytes: wasm.len() as u64, imports: interfaces.imports, roles, wasm })
}

fn read(spec: &Spec) -> Result<Cow<'static, [u8]>, LoadError> {
    let path = match &spec.source {
        Source::Embedded(wasm) => return Ok(Cow::Borrowed(wasm)),
        Source::File(path) => path,
    };
    let failed = |source| LoadError::Read { name: spec.name.clone(), path: path.display().to_string(), source };
    bounded::check_file(path).map_err(failed)?;
    crate::config::safety::check(path, "plugin").map_err(|why| failed(std::io::Error::other(why)))?;
    let wasm = bounded::read(path, spec.max_bytes).map_err(|error| match error {
        ReadError::Io(source) => failed(source),
        ReadError::TooLong { bytes, max } => LoadError::Size { name: spec.name.clone(), bytes, max },
    })?;
    Ok(Cow::Owned(wasm))
}

/// Before the file is looked into: nobody's code is parsed on a promise.
fn check_signature(spec: &Spec, wasm: &[u8]) -> Result<(), LoadError> {
    let Some(demand) = &spec.signer else { return Ok(()) };
    let checked = match &spec.source {
        Source::File(path) => signature::check(path, wasm, demand, SystemTime::now()).map_err(|error| error.to_string()),
        Source::Embedded(_) => Err("a plugin in the program has no signature; leave `signer` out, or give the plugin a `path`".to_owned()),
    };
    checked.map_err(|what| LoadError::Signature { name: spec.name.clone(), signer: demand.principal.clone(), what })
}

fn check_imports(name: &str, interfaces: &Interfaces, manifest: &Manifest) -> Result<(), LoadError> {
    for import in &interfaces.imports {
        let known = match grants::check_import(import, &manifest.wasi) {
            Ok(()) => continue,
            Err(Refusal::Version) => {
                let known = format!("{} {}", grants::CONTRACT, grants::VERSION);
                return Err(LoadError::Version { name: name.to_owned(), found: import.clone(), known });
            }
            Err(Refusal::NotListed) => "it once its manifest lists it under `wasi`".to_owned(),
            Err(Refusal::NotGranted) => grants::known_imports(),
        };
        return Err(LoadError::Import { name: name.to_owned(), import: import.clone(), known });
    }
    Ok(())
}

fn check_exports(name: &str, interfaces: &Interfaces) -> Result<Vec<String>, LoadError> {
    let mut roles = Vec::new();
    for export in &interfaces.exports {
        let Some(rest) = export.strip_prefix(grants::CONTRACT).and_then(|rest| rest.strip_prefix('/')) else { continue };
        let (role, version) = rest.split_once('@').unwrap_or((rest, ""));
        if !grants::is_known_version(version) {
            let known = format!("{} {}", grants::CONTRACT, grants::VERSION);
            return Err(LoadError::Version { name: name.to_owned(), found: export.clone(), known });
        }
        roles.push(role.to_owned());
    }
    if !roles.iter().any(|role| role == "setup") {
        let what = format!("it does not export `{}/setup`, which every plugin has", grants::CONTRACT);
        return Err(LoadError::Contract { name: name.to_owned(), what });
    }
    Ok(roles)
}

fn check_host(name: &str, manifest: &Manifest) -> Result<(), LoadError> {
    let host = env!("CARGO_PKG_VERSION");
    let numbers = |version: &str| version.split('.').map(|part| part.parse::<u64>().unwrap_or_default()).collect::<Vec<_>>();
    match &manifest.min_host {
        Some(needed) if numbers(needed) > numbers(host) => {
            Err(LoadError::Host { name: name.to_owned(), needed: needed.clone(), host: host.to_owned() })
        }
        _ => Ok(()),
    }
}

/// SHA-256 of a file in hexadecimal, as a pin has it.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex::digits(&Sha256::digest(bytes))
}
