//! Why a file is not loaded, in words for who has made or copied it, and the step of loading that says so.
//!
//! The loader ends at the first thing that does not fit. What a damaged file says there is seldom what is wrong with it, so its bytes are
//! looked at here.

use crate::bounded;
use crate::plugin::fault::LoadError;
use crate::plugin::load::{Source, Spec};
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
            ", and `jackfield plugin pack FILE --manifest plugin.toml` puts it into what other tools have built"
        }
        LoadError::Size { .. } => ", here with `--max-file-bytes`",
        _ => "",
    };
    (step(error), format!("{error}{hint}"))
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
