//! `jackfield plugin check`: the steps of loading, one by one.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::{loader, read, wrong};
use crate::cli::paint::{BAD, DIM, DOUBT, GOOD, painted, say, size};
use crate::cli::runtime::block_on;
use crate::limits::{MANIFEST_MAX_BYTES, PLUGIN_MEMORY_MAX_BYTES, PLUGIN_START_MAX};
use crate::plugin::fault::LoadError;
use crate::plugin::grants::{CONTRACT, VERSION};
use crate::plugin::load::{self, Plugin, Spec};
use crate::plugin::manifest::{Interfaces, Manifest};
use crate::plugin::signature::Signature;
use crate::plugin::sizes::Sizes;
use crate::terminal::text::escaped_line;

/// The steps in their order.
const STEPS: [&str; 11] =
    ["file", "size", "digest", "signature", "component", "manifest", "host", "imports", "contract", "settings", "start"];

/// A step and what it found.
struct Step {
    name: &'static str,
    /// `ok`, `wrong`, `unsure` or `not reached`.
    state: &'static str,
    found: String,
}

/// Checks a file.
///
/// # Errors
///
/// When the engine does not start.
pub fn run(file: &Path, spec: &Spec, json: bool) -> Result<ExitCode, String> {
    let loader = loader()?;
    let (loaded, tried) = block_on(async {
        let start = tokio::time::Instant::now();
        let loaded = loader.load(spec).await;
        let started = tokio::time::Instant::now();
        let trial = match &loaded {
            Ok(plugin) => plugin.trial().await.ok(),
            Err(_) => None,
        };
        let memory = trial.map_or(0, |trial| trial.instance.memory_bytes());
        (loaded, Tried { loading: started - start, start: started.elapsed(), memory })
    })?;
    let steps = steps(spec, file, loaded.as_deref(), &tried);
    let good = loaded.is_ok();
    say(&if json { as_json(spec, &steps, good) } else { as_text(spec, &steps, good) });
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn steps(spec: &Spec, file: &Path, loaded: Result<&Plugin, &LoadError>, tried: &Tried) -> Vec<Step> {
    let failed = loaded.err().map(|error| wrong::told(spec, error));
    let last = failed.as_ref().and_then(|(name, _)| STEPS.iter().position(|step| step == name));
    let seen = Seen::of(spec, file);
    let step = |(index, name): (usize, &&'static str)| match (&failed, last) {
        (Some((at, error)), _) if at == name => Step { name, state: "wrong", found: error.clone() },
        (_, Some(last)) if index > last => Step { name, state: "not reached", found: String::new() },
        _ => {
            let (state, found) = found(name, &seen, loaded.ok(), tried);
            Step { name, state, found }
        }
    };
    STEPS.iter().enumerate().map(step).collect()
}

/// How loading went in numbers.
struct Tried {
    loading: Duration,
    start: Duration,
    memory: usize,
}

/// What can be read of a file, whatever step it fails at.
struct Seen<'a> {
    spec: &'a Spec,
    file: &'a Path,
    wasm: Vec<u8>,
    manifest: Option<Manifest>,
    imports: Vec<String>,
}

impl<'a> Seen<'a> {
    fn of(spec: &'a Spec, file: &'a Path) -> Self {
        // Why it cannot be read is told by the step that fails.
        let wasm = read(file, Some(spec.max_bytes)).unwrap_or_default();
        let manifest = Manifest::from_component(&wasm).ok();
        let imports = Interfaces::from_component(&wasm).map(|interfaces| interfaces.imports).unwrap_or_default();
        Self { spec, file, wasm, manifest, imports }
    }
}

fn found(step: &str, seen: &Seen<'_>, plugin: Option<&Plugin>, tried: &Tried) -> (&'static str, String) {
    let of_manifest = |text: &dyn Fn(&Manifest) -> String| seen.manifest.as_ref().map(text).unwrap_or_default();
    let text = match step {
        "file" => seen.file.display().to_string(),
        "size" => format!("{} of {}", size(seen.wasm.len() as u64), size(seen.spec.max_bytes)),
        "digest" => format!("sha256:{}", load::digest(&seen.wasm)),
        "signature" => return signature(seen.file, &seen.wasm),
        "component" => "a WebAssembly component".to_owned(),
        "manifest" => {
            let used = Sizes::of(&seen.wasm).manifest;
            let text = of_manifest(&|manifest| format!("{} {}, {used} of {MANIFEST_MAX_BYTES} bytes", manifest.name, manifest.version));
            return match plugin.and_then(without_role) {
                Some(role) => ("unsure", format!("{text}; it has triggers for `{role}`, which never count: that role is not exported")),
                None => ("ok", text),
            };
        }
        "host" => of_manifest(&|manifest| {
            let needed = manifest.min_host.as_deref().unwrap_or("any version");
            format!("needs {needed}, this is {}", env!("CARGO_PKG_VERSION"))
        }),
        "imports" => of_manifest(&|manifest| imports(seen.imports.len(), &manifest.wasi)),
        "contract" => plugin.map_or_else(String::new, |plugin| {
            format!("{CONTRACT} {VERSION}, roles: {}; loaded in {} ms", plugin.roles().join(", "), tried.loading.as_millis())
        }),
        "settings" => plugin.map_or_else(String::new, |plugin| format!("takes its defaults {}", escaped_line(plugin.settings()))),
        _ => format!(
            "{:.1} of {} ms, {} of {} kB memory",
            tried.start.as_secs_f64() * 1e3,
            PLUGIN_START_MAX.as_millis(),
            tried.memory / 1024,
            PLUGIN_MEMORY_MAX_BYTES / 1024
        ),
    };
    ("ok", text)
}

/// A role that triggers were written for and that the component has not: nobody is asked about their rows.
fn without_role(plugin: &Plugin) -> Option<String> {
    let mut roles = plugin.manifest.triggers.iter().map(|trigger| format!("{:?}", trigger.role).to_lowercase());
    roles.find(|role| !plugin.has(role))
}

fn imports(asked: usize, wasi: &[String]) -> String {
    match wasi {
        [] => format!("{asked}, none beyond what a program needs to start"),
        wasi => format!("{asked}, with {} on request", wasi.join(", ")),
    }
}

/// Nobody demands one here, so one that does not fit is a doubt and not an end.
fn signature(file: &Path, wasm: &[u8]) -> (&'static str, String) {
    if !crate::plugin::signature::beside(file).exists() {
        return ("ok", "none, and none is demanded here".to_owned());
    }
    let signature = match Signature::beside(file) {
        Ok(signature) => signature,
        Err(error) => return ("unsure", error.to_string()),
    };
    match signature.belongs_to(wasm) {
        Ok(()) => ("ok", format!("by the key {}; `jackfield plugin verify` says whose it is", signature.fingerprint())),
        Err(error) => ("unsure", error.to_string()),
    }
}

fn as_json(spec: &Spec, steps: &[Step], good: bool) -> String {
    let steps: Vec<Value> = steps.iter().map(|step| json!({"step": step.name, "state": step.state, "found": step.found})).collect();
    format!("{}\n", json!({"ok": good, "plugin": spec.name, "steps": steps}))
}

fn as_text(spec: &Spec, steps: &[Step], good: bool) -> String {
    let line = |step: &Step| {
        let (style, word) = match step.state {
            "ok" => (GOOD, "ok"),
            "wrong" => (BAD, "wrong"),
            "unsure" => (DOUBT, "unsure"),
            _ => (DIM, "-"),
        };
        format!("{}  {:<10}{}\n", painted(style, &format!("{word:<6}")), step.name, step.found)
    };
    let end = if good { format!("{} can be loaded\n", spec.name) } else { format!("{} is not loaded\n", spec.name) };
    steps.iter().map(line).chain([end]).collect()
}
