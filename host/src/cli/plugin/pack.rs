//! `jackfield plugin pack`: a manifest for a component of any language; a core module becomes a component first.

use std::borrow::Cow;
use std::path::Path;
use std::process::ExitCode;

use wasmtime::wasmparser::Parser;
use wit_component::ComponentEncoder;

use super::read;
use crate::cli::paint::{GOOD, painted, say, size};
use crate::plugin::load::digest;
use crate::plugin::{no_component, section};

/// Packs it.
///
/// # Errors
///
/// When a file cannot be read or written, or the manifest is wrong.
pub fn run(file: &Path, manifest: &Path, out: Option<&Path>, max_file_bytes: Option<u64>) -> Result<ExitCode, String> {
    let cannot = |what: &str, path: &Path, error: std::io::Error| format!("cannot {what} `{}`: {error}", path.display());
    let wasm = read(file, max_file_bytes)?;
    let text = std::fs::read_to_string(manifest).map_err(|error| cannot("read", manifest, error))?;
    let json = section::manifest_json(&text, manifest)?;
    let is_core = Parser::is_core_wasm(&wasm);
    if let Some(what) = no_component::what(&wasm).filter(|_| !is_core) {
        return Err(format!("`{}` {what}", file.display()));
    }
    let component = if is_core { Cow::Owned(encoded(&wasm, file)?) } else { Cow::Borrowed(&wasm) };
    let packed = section::pack(&component, &json).map_err(|what| format!("cannot pack `{}`: {what}", file.display()))?;
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

/// A core module as a component, by the types that `wit-bindgen` left in it.
fn encoded(module: &[u8], file: &Path) -> Result<Vec<u8>, String> {
    let encode = || ComponentEncoder::default().validate(true).module(module)?.encode();
    encode().map_err(|error| {
        let shown = file.display();
        format!("`{shown}` is a core module and cannot become a component: {error:#}; link what `wit-bindgen` made of the world, with its object file")
    })
}
