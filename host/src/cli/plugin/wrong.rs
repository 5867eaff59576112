//! Why a file is not loaded, in words for who has made or copied it, and the step of loading that says so.
//!
//! The loader ends at the first thing that does not fit. What a damaged file says there is seldom what is wrong with it, so its bytes are
//! looked at here.

use std::collections::BTreeMap;
use std::path::Path;

use crate::bounded;
use crate::config::DECLARED;
use crate::nearest::nearest;
use crate::plugin::catalog::{BUNDLED, DECLARED_TYPES, type_key};
use crate::plugin::fault::LoadError;
use crate::plugin::load::{Source, Spec};
use crate::plugin::manifest::Manifest;
use crate::plugin::no_component;

/// How the loader begins what it says of a file without a manifest.
const NO_MANIFEST: &str = "no section";

/// The step that fails, and why.
pub(super) fn told(spec: &Spec, error: &LoadError) -> (&'static str, String) {
    let looked_at = matches!(error, LoadError::NotAComponent { .. } | LoadError::Manifest { .. } | LoadError::Contract { .. });
    let file = match &spec.source {
        Source::File(path) if looked_at => Some(path),
        _ => None,
    };
    let wasm = file.and_then(|path| bounded::read(path, spec.max_bytes).ok());
    if let (Some(path), Some(what)) = (file, wasm.as_deref().and_then(no_component::what)) {
        return ("component", format!("`{}` {what}", path.display()));
    }
    let hint = match error {
        LoadError::Manifest { what, .. } if what.starts_with(NO_MANIFEST) => {
            ", and `jackfield plugin pack FILE --manifest plugin.toml` puts it into what other tools have built".to_owned()
        }
        LoadError::Size { .. } => ", here with `--max-file-bytes`".to_owned(),
        LoadError::Read { .. } => match &spec.source {
            Source::File(path) => no_file(path).map(|what| format!("; {what}")).unwrap_or_default(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    (step(error), format!("{error}{hint}"))
}

/// What a name is that was given in the place of a file, where this program knows it or one that is nearly it.
pub(super) fn no_file(path: &Path) -> Option<String> {
    let typed = path.to_str().filter(|typed| !typed.contains('/') && !path.exists())?;
    let mut types: BTreeMap<String, Vec<&str>> = DECLARED_TYPES.iter().map(|(kind, _)| (type_key(kind), vec![DECLARED])).collect();
    for (plugin, wasm) in BUNDLED {
        let served = Manifest::from_component(wasm).map(|manifest| manifest.types).unwrap_or_default();
        // That one serves every type is no name.
        for kind in served.into_iter().filter(|kind| kind != "*") {
            types.entry(type_key(&kind)).or_default().push(plugin);
        }
    }
    let plugins = BUNDLED.iter().map(|(name, _)| *name);
    let name = nearest(typed, plugins.chain(types.keys().map(String::as_str)))?;
    let it = if type_key(name) == type_key(typed) { format!("`{name}`") } else { format!("did you mean `{name}`? it") };
    if BUNDLED.iter().any(|(known, _)| *known == name) {
        return Some(format!(
            "{it} is a bundled plugin, a part of this program that needs no check, signature or pin of its own; \
             `jackfield plugin inspect {name}` shows it"
        ));
    }
    let serve = types.get(name)?;
    let first = serve.first()?;
    Some(format!(
        "{it} is a device type, which plugins of this program serve: {}; `jackfield plugin inspect {first}` shows one",
        serve.join(", ")
    ))
}

fn step(error: &LoadError) -> &'static str {
    match error {
        LoadError::Read { .. } | LoadError::Unknown { .. } => "file",
        LoadError::Size { .. } => "size",
        LoadError::Digest { .. } | LoadError::NotPinned { .. } => "digest",
        LoadError::Signature { .. } => "signature",
        LoadError::NotAComponent { .. } => "component",
        LoadError::Manifest { .. } | LoadError::Namesakes { .. } => "manifest",
        LoadError::Host { .. } => "host",
        LoadError::Import { .. } | LoadError::Version { .. } => "imports",
        LoadError::Contract { .. } => "contract",
        LoadError::Config { .. } => "settings",
        LoadError::Probation { .. } => "start",
    }
}
