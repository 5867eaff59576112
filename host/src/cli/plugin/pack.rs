//! `jackfield plugin pack`: a manifest for a component of any language.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::paint::{GOOD, painted, say, size};
use crate::plugin::load::digest;
use crate::plugin::section;

/// Packs it.
///
/// # Errors
///
/// When a file cannot be read or written, or the manifest is wrong.
pub fn run(file: &Path, manifest: &Path, out: Option<&Path>) -> Result<ExitCode, String> {
    let cannot = |what: &str, path: &Path, error: std::io::Error| format!("cannot {what} `{}`: {error}", path.display());
    let wasm = std::fs::read(file).map_err(|error| cannot("read", file, error))?;
    let text = std::fs::read_to_string(manifest).map_err(|error| cannot("read", manifest, error))?;
    let json = section::manifest_json(&text, manifest)?;
    let packed = section::pack(&wasm, &json).map_err(|what| format!("cannot pack `{}`: {what}", file.display()))?;
    let out = out.unwrap_or(file);
    crate::atomic::write(out, &packed, 0o644).map_err(|error| cannot("write", out, error))?;
    let (bytes, digest) = (size(packed.len() as u64), digest(&packed));
    say(&format!(
        "{}  {}: {bytes}, sha256:{digest}\nnext: jackfield plugin check {}\n",
        painted(GOOD, "packed"),
        out.display(),
        out.display()
    ));
    Ok(ExitCode::SUCCESS)
}
