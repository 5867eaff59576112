//! Why a file is not loaded, in words for who has made or copied it, and the step of loading that says so.
//!
//! The loader ends at the first thing that does not fit. What a damaged file says there is seldom what is wrong with it, so its bytes are
//! looked at here.

use wasmtime::wasmparser::{Parser, Validator, WasmFeatures};

use crate::bounded;
use crate::plugin::fault::LoadError;
use crate::plugin::load::{Source, Spec};
use crate::terminal::text::{escaped, lossy};

/// What every WebAssembly file begins with.
const MAGIC: &[u8] = b"\0asm";
/// How the loader begins what it says of a file without a manifest.
const NO_MANIFEST: &str = "no section";
/// Bytes that are shown of a file that is none.
const SHOWN_BYTES: usize = 24;

/// What is wrong with the bytes themselves, as the end of a sentence that names the file. Nothing where they are a component.
pub(super) fn with(wasm: &[u8]) -> Option<String> {
    if wasm.is_empty() {
        return Some("is empty".to_owned());
    }
    if !wasm.starts_with(MAGIC) {
        let first = wasm.split(|byte| b"\r\n".contains(byte)).next().unwrap_or_default();
        let begins = lossy(first.get(..SHOWN_BYTES).unwrap_or(first)).into_owned();
        return Some(format!("is no WebAssembly file: it begins with `{}`", escaped(&begins)));
    }
    // What this host does not run is still whole.
    if let Err(error) = Validator::new_with_features(WasmFeatures::all()).validate_all(wasm) {
        return Some(format!("is damaged or cut off: {} at byte {}; build it or copy it again", error.message(), error.offset()));
    }
    let hint = "`jackfield plugin pack FILE --manifest plugin.toml` makes a component of it, or build it for wasm32-wasip2";
    Parser::is_core_wasm(wasm).then(|| format!("is a core module and no component; {hint}"))
}

/// The step that fails, and why.
pub(super) fn told(spec: &Spec, error: &LoadError) -> (&'static str, String) {
    let looked_at = matches!(error, LoadError::NotAComponent { .. } | LoadError::Manifest { .. } | LoadError::Contract { .. });
    let file = match &spec.source {
        Source::File(path) if looked_at => Some(path),
        _ => None,
    };
    let wasm = file.and_then(|path| bounded::read(path, spec.max_bytes).ok());
    if let (Some(path), Some(what)) = (file, wasm.as_deref().and_then(with)) {
        return ("component", format!("`{}` {what}", path.display()));
    }
    let hint = match error {
        LoadError::Manifest { what, .. } if what.starts_with(NO_MANIFEST) => {
            ", and `jackfield plugin pack FILE --manifest plugin.toml` puts it into what other tools have built"
        }
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
        LoadError::Manifest { .. } => "manifest",
        LoadError::Host { .. } => "host",
        LoadError::Import { .. } | LoadError::Version { .. } => "imports",
        LoadError::Contract { .. } => "contract",
        LoadError::Config { .. } => "settings",
        LoadError::Probation { .. } => "start",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::catalog::BUNDLED;

    fn check(wasm: &[u8], words: &str) {
        let what = with(wasm).unwrap_or_default();
        assert!(what.contains(words) && what.lines().count() == 1, "{words}: {what}");
    }

    #[test]
    fn what_a_file_is_instead_is_told_in_one_line() {
        check(b"", "is empty");
        check(b"#!/bin/sh\necho\n", "is no WebAssembly file: it begins with `#!/bin/sh`");
        check(&[0x7f, b'E', b'L', b'F', 2], "begins with `\\x7fELF\\x02`");
        check(b"\0asm\x01\0\0\0", "`jackfield plugin pack FILE --manifest plugin.toml`");
        assert_eq!(with(b"\0asm\x0d\0\x01\0"), None);
    }

    #[test]
    fn a_component_that_lost_some_bytes_is_damaged() {
        let (_, wasm) = BUNDLED[0];
        assert_eq!(with(wasm), None);
        check(&wasm[..wasm.len() / 2], "is damaged or cut off");
        let mut spoilt = wasm.to_vec();
        let middle = spoilt.len() / 2;
        spoilt[middle..middle + 64].fill(0xff);
        check(&spoilt, "is damaged or cut off");
    }
}
