//! `jackfield plugin inspect`: all that a plugin is and may do, read from its file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::wrong;
use crate::cli::paint::{DIM, HEAD, painted, say, size};
use crate::plugin::grants::{CONTRACT, TRACK};
use crate::plugin::load::{self, Checked, Source, Spec};
use crate::plugin::manifest::{BlockSpec, CopySpec};
use crate::plugin::signature::Signature;
use crate::plugin::sizes::Sizes;
use crate::terminal::text::escaped_line;

/// Names of texts are padded to so many characters, so that most tables stand in one column.
const NAME_CHARS: usize = 12;

/// Shows it.
///
/// # Errors
///
/// When a check of its file fails.
pub fn run(spec: &Spec, allowed: Option<&Path>, json: bool) -> Result<ExitCode, String> {
    let checked = load::check(spec).map_err(|error| wrong::told(spec, &error).1)?;
    let about = facts(spec, &checked, allowed);
    say(&if json { format!("{about}\n") } else { as_text(&about) });
    Ok(ExitCode::SUCCESS)
}

fn facts(spec: &Spec, checked: &Checked, allowed: Option<&Path>) -> Value {
    let manifest = &checked.manifest;
    let sizes = Sizes::of(&checked.wasm);
    let config: Vec<Value> = manifest
        .config
        .iter()
        .map(|(key, setting)| json!({"key": key, "default": setting.default, "description": setting.description}))
        .collect();
    let triggers: Vec<Value> = manifest
        .triggers
        .iter()
        .map(|trigger| json!({"for": format!("{:?}", trigger.role).to_lowercase(), "name": trigger.name, "match": trigger.pattern}))
        .collect();
    let pipe = manifest.pipe.as_ref().map(|pipe| [("pipe.start", &pipe.start), ("pipe.setup", &pipe.setup), ("pipe.run", &pipe.run)]);
    let signal = manifest.signal.as_ref().map(|signal| ("signal.run", &signal.run));
    let programs: BTreeMap<&str, &String> = pipe.into_iter().flatten().chain(signal).collect();
    let queries: Vec<Value> = manifest.queries.iter().map(|query| json!({"ask": query.ask, "answer": query.answer})).collect();
    let terminal = json!({"enter": manifest.terminal.enter, "login_suffix": manifest.terminal.login_suffix});
    let roles: Vec<&String> = checked.roles.iter().filter(|role| *role != "setup").collect();
    json!({
        "name": manifest.name, "version": manifest.version, "vendor": manifest.vendor, "license": manifest.license,
        "description": manifest.description, "source": source(spec), "digest": format!("sha256:{}", checked.digest),
        "signature": signature(spec, checked, allowed),
        "contract": format!("{CONTRACT} {}", TRACK.trim_end_matches('.')), "roles": roles, "types": manifest.types,
        "order": manifest.order, "min_host": manifest.min_host, "sends": manifest.sends, "programs": programs, "secrets": manifest.secrets,
        "wasi": manifest.wasi, "imports": checked.imports, "config": config, "triggers": triggers,
        "failures": manifest.failures.len(), "sensitive": manifest.sensitive.iter().map(|spec| &spec.pattern).collect::<Vec<_>>(),
        "facts": manifest.facts, "terminal": terminal, "queries": queries, "copy": manifest.copy.as_ref().map(copy),
        "blocks": manifest.blocks.iter().map(block).collect::<Vec<_>>(),
        "bytes": {"file": sizes.file, "code": sizes.code, "data": sizes.data, "manifest": sizes.manifest,
                  "custom": sizes.custom, "rest": sizes.rest},
    })
}

fn copy(spec: &CopySpec) -> Value {
    json!({"fetch": spec.fetch, "store": spec.store, "reads": spec.reads, "writes": spec.writes, "types": spec.types})
}

fn block(spec: &BlockSpec) -> Value {
    json!({"opens": spec.opens, "end": spec.end, "shows": spec.shows, "sign": spec.sign, "types": spec.types})
}

fn source(spec: &Spec) -> String {
    match &spec.source {
        Source::Embedded(_) => "in this program".to_owned(),
        Source::File(path) => path.display().to_string(),
    }
}

/// Who signed it, as far as that can be said.
fn signature(spec: &Spec, checked: &Checked, allowed: Option<&Path>) -> Value {
    let Source::File(path) = &spec.source else { return Value::Null };
    if !crate::plugin::signature::beside(path).exists() {
        return Value::Null;
    }
    let signature = match Signature::beside(path) {
        Ok(signature) => signature,
        Err(error) => return json!({"valid": false, "wrong": error.to_string()}),
    };
    let belongs = signature.belongs_to(&checked.wasm).map_err(|error| error.to_string());
    let signers = match (&belongs, allowed) {
        (Ok(()), Some(allowed)) => signature.signers(allowed, SystemTime::now()).map_err(|error| error.to_string()),
        _ => Ok(Vec::new()),
    };
    let wrong = belongs.as_ref().err().or_else(|| signers.as_ref().err());
    json!({"valid": belongs.is_ok(), "key": signature.fingerprint(), "signers": signers.clone().unwrap_or_default(), "wrong": wrong})
}

fn as_text(about: &Value) -> String {
    let mut out = String::new();
    let text = |key: &str| about.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let words = |key: &str| {
        let list = about.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let _ = writeln!(out, "{} {}  {}", painted(HEAD, &text("name")), text("version"), text("description"));
    let number = |path: &str| about.pointer(path).and_then(Value::as_u64).unwrap_or_default();
    let bytes = ["code", "data", "manifest", "custom", "rest"].map(|part| format!("{part} {}", number(&format!("/bytes/{part}"))));
    let rows = [
        ("made by", [text("vendor"), text("license")].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")),
        ("file", text("source")),
        ("size", format!("{} ({})", size(number("/bytes/file")), bytes.join(", "))),
        ("digest", text("digest")),
        ("signed", signed(about.get("signature"))),
        ("contract", text("contract")),
        ("roles", words("roles")),
        ("types", words("types")),
        ("order", number("/order").to_string()),
        ("secrets", words("secrets")),
        ("wasi", words("wasi")),
    ];
    for (label, value) in rows {
        let value = if value.is_empty() { painted(DIM, "none") } else { value };
        let _ = writeln!(out, "  {label:<10}{value}");
    }
    granted(&mut out, "may type without asking the policy:", &texts(about, "sends"));
    granted(&mut out, "ends lines and login names with:", &texts(about, "terminal"));
    granted(&mut out, "answers what the device asks a terminal:", &listed(about, "queries"));
    granted(&mut out, "may start without asking the policy:", &texts(about, "programs"));
    granted(&mut out, "copies files with `fetch` and `store`; policy is asked about `reads` and `writes` instead:", &texts(about, "copy"));
    granted(&mut out, "types text that is no command behind these lines:", &listed(about, "blocks"));
    granted(&mut out, "tells the policy of its devices, which may make a line a read:", &texts(about, "facts"));
    settings(&mut out, about);
    out
}

fn signed(signature: Option<&Value>) -> String {
    let Some(signature) = signature.filter(|signature| !signature.is_null()) else { return String::new() };
    let text = |key: &str| signature.get(key).and_then(Value::as_str);
    if let Some(wrong) = text("wrong") {
        return format!("not as it should be: {wrong}");
    }
    let signers: Vec<&str> = signature.get("signers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let key = text("key").unwrap_or_default();
    if signers.is_empty() { format!("with the key {key}") } else { format!("by {} with the key {key}", signers.join(", ")) }
}

/// The texts of a table, by name.
fn texts(about: &Value, key: &str) -> Vec<(String, String)> {
    about.get(key).and_then(Value::as_object).into_iter().flatten().filter_map(named).collect()
}

/// The same of each table in a list, as far as they say something.
fn listed(about: &Value, key: &str) -> Vec<(String, String)> {
    let tables = about.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    tables.flatten().filter_map(named).filter(|(_, text)| !text.is_empty()).collect()
}

fn named((name, text): (&String, &Value)) -> Option<(String, String)> {
    Some((name.escape_debug().to_string(), text.as_str()?.to_owned()))
}

/// What an operator grants with the digest: exactly these texts count.
fn granted(out: &mut String, heading: &str, texts: &[(String, String)]) {
    if texts.is_empty() {
        return;
    }
    let _ = writeln!(out, "{heading}");
    let width = texts.iter().map(|(name, _)| name.chars().count()).fold(NAME_CHARS, usize::max) + 2;
    for (name, text) in texts {
        let shown = text.escape_debug().to_string();
        let short: String = shown.chars().take(120).collect();
        let more = if short.len() < shown.len() {
            painted(DIM, &format!(" … {} characters, see --json", shown.chars().count()))
        } else {
            String::new()
        };
        let _ = writeln!(out, "  {name:<width$}{short}{more}");
    }
}

fn settings(out: &mut String, about: &Value) {
    let Some(settings) = about.get("config").and_then(Value::as_array).filter(|settings| !settings.is_empty()) else { return };
    let _ = writeln!(out, "settings, with their defaults:");
    for setting in settings {
        let part = |key: &str| setting.get(key).cloned().unwrap_or_default();
        let (key, description) = (part("key"), part("description"));
        let _ = writeln!(
            out,
            "  {} = {}  {}",
            key.as_str().unwrap_or_default(),
            escaped_line(&part("default").to_string()),
            painted(DIM, &escaped_line(description.as_str().unwrap_or_default()))
        );
    }
}
