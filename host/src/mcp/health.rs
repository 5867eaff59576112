//! How the plugins and the program are: what works, what is off and since when, what is degraded.

use serde_json::{Value, json};

use super::Caller;
use super::reply::Reply;
use super::tools::Arguments;
use crate::directory::Directory;
use crate::doctor;
use crate::plugin::catalog::Condition;
use crate::terminal::text::escaped;

/// Every plugin: what it is, whether it works, and what went wrong last.
pub(super) fn plugins(directory: &Directory) -> Reply {
    let world = directory.world();
    let mut lines = Vec::new();
    let mut list = Vec::new();
    for name in world.catalog.plugin_names() {
        let (mut fields, mut line) = plugin(&name, &world.catalog.condition(&name), world.catalog.check(&name));
        if world.unpinned.contains_key(&name) {
            put(&mut fields, "unpinned", true);
            line.push_str(" WITHOUT ITS PIN, for `jackfield plugin dev`");
        }
        lines.push(line);
        list.push(fields);
    }
    Reply::new(json!({"plugins": list}), lines.join("\n"))
}

fn plugin(
    name: &str,
    condition: &Condition,
    checked: Result<crate::plugin::load::Checked, crate::plugin::fault::LoadError>,
) -> (Value, String) {
    let state = state(condition);
    let mut fields = json!({"name": name, "state": state, "faults": condition.faults, "last_fault": condition.last_fault,
        "off_for_s": condition.off.map(|left| left.as_secs()), "load_error": condition.failed});
    // What is loaded counts; the file on disk may be another one by now.
    let (manifest, digest, roles) = match (&condition.loaded, checked) {
        (Some(plugin), _) => (&plugin.manifest, plugin.digest.clone(), plugin.roles().into_iter().map(str::to_owned).collect::<Vec<_>>()),
        (None, Ok(ref checked)) => {
            let roles = checked.roles.iter().filter(|role| *role != "setup").cloned().collect();
            return described(name, &state, fields, &checked.manifest, &checked.digest, roles);
        }
        (None, Err(error)) => {
            put(&mut fields, "load_error", error.to_string());
            return (fields, format!("{name}: {error}"));
        }
    };
    described(name, &state, fields, manifest, &digest, roles)
}

fn described(
    name: &str,
    state: &str,
    mut fields: Value,
    manifest: &crate::plugin::manifest::Manifest,
    digest: &str,
    roles: Vec<String>,
) -> (Value, String) {
    let types = manifest.types.join(",");
    let line = format!("{name} {} {} types={types} digest=sha256:{digest} {state}", manifest.version, roles.join(","));
    put(&mut fields, "version", manifest.version.clone());
    put(&mut fields, "digest", format!("sha256:{digest}"));
    put(&mut fields, "types", manifest.types.clone());
    put(&mut fields, "roles", roles);
    (fields, line)
}

fn put(fields: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(name.to_owned(), value.into());
    }
}

/// In words.
fn state(condition: &Condition) -> String {
    let last = condition.last_fault.as_deref().unwrap_or_default();
    let mut state = match (&condition.loaded, condition.off) {
        (None, _) if condition.loading => "loading".to_owned(),
        (None, _) if condition.failed.is_some() => "failed to load".to_owned(),
        (None, _) => "not loaded yet".to_owned(),
        (Some(_), Some(left)) if left.is_zero() => {
            format!("off after {} faults, tried again by the next call; the last: {last}", condition.faults)
        }
        (Some(_), Some(left)) => format!("off for {} s after {} faults, the last: {last}", left.as_secs().max(1), condition.faults),
        (Some(_), None) if condition.faults > 0 => format!("ready, {} faults so far, the last: {last}", condition.faults),
        (Some(_), None) => "ready".to_owned(),
    };
    if let Some(failed) = &condition.failed {
        state.push_str(": ");
        state.push_str(failed);
    }
    state
}

/// The program as a whole.
pub(super) fn health(directory: &Directory) -> Reply {
    let sessions = directory.list();
    let world = directory.world();
    let conditions = world.catalog.plugin_names().into_iter().map(|name| (world.catalog.condition(&name), name));
    let (mut troubled, mut off) = (Vec::new(), Vec::new());
    for (condition, name) in conditions {
        if condition.off.is_some() {
            off.push(name.clone());
        }
        if condition.faults > 0 {
            troubled.push(name);
        }
    }
    let degraded: Vec<Value> = sessions
        .iter()
        .filter_map(|handle| handle.status().degraded.map(|why| json!({"session": handle.id.to_string(), "why": why})))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!("jackfield {version}, {} sessions", sessions.len());
    for (label, names) in [("plugins that are off", &off), ("plugins with faults", &troubled)] {
        if !names.is_empty() {
            text.extend(["; ", label, ": ", &names.join(", ")]);
        }
    }
    for session in &degraded {
        let word = |key: &str| session[key].as_str().unwrap_or_default();
        text.extend(["\n", word("session"), " is ", word("why")]);
    }
    let (history, line) = super::history::health(directory);
    text.push_str(&line);
    let (audit, line) = audit(directory);
    text.push_str(&line);
    let (recordings, line) = recordings(directory);
    text.push_str(&line);
    let viewer = directory.page_of_all();
    if let Some(viewer) = &viewer {
        text.extend(["\nviewer, for a browser that has logged in: ", viewer]);
    }
    let fields = json!({"version": version, "sessions": sessions.len(), "viewer": viewer, "troubled_plugins": troubled, "plugins_off": off,
        "degraded_sessions": degraded, "history": history, "audit": audit, "recordings": recordings});
    Reply::new(fields, text)
}

/// Each step of the way to a device.
pub(super) async fn way(directory: &Directory, caller: &Caller, arguments: &Arguments, target: &str) -> Result<Reply, String> {
    let device = crate::ids::SessionId::parse(target).device;
    let wait = arguments.usual_wait(caller.ceiling_s);
    let examined = caller.wait(wait, || format!("examining the way to {device}"), doctor::examine(directory, &device)).await;
    let findings = examined.unwrap_or_else(|| {
        let (seconds, option) = (wait.as_secs(), directory.world().config.option());
        Err(format!(
            "the way to `{device}` was not examined within {seconds} s; `jackfield doctor {device}{option}` takes the time it needs"
        ))
    })?;
    let is_well = findings.iter().all(|finding| finding.state != doctor::State::Bad);
    let line = |finding: &doctor::Finding| {
        let next = if finding.next.is_empty() { String::new() } else { format!(" ({})", finding.next) };
        let state = match finding.state {
            doctor::State::Good => "ok",
            doctor::State::Doubt => "look",
            doctor::State::Bad => "no",
        };
        escaped(&format!("{}: {state}: {}{next}", finding.step, finding.says)).replace('\n', " ")
    };
    let text = findings.iter().map(line).collect::<Vec<_>>().join("\n");
    Ok(Reply::new(json!({"device": device, "reachable": is_well, "steps": findings}), text))
}

/// How the recordings fare: as fields, and as a part of the line.
fn recordings(directory: &Directory) -> (Value, String) {
    let wanted = directory.world().config.audit.recordings;
    let Some(health) = directory.casts().health().filter(|health| wanted || health.open > 0 || health.lost_bytes > 0) else {
        return (json!({"state": "off"}), String::new());
    };
    let lost = match (health.lost_bytes, &health.trouble) {
        (0, None) => String::new(),
        (lost, why) => format!("; {lost} bytes are not recorded{}", why.as_ref().map(|why| format!(": {why}")).unwrap_or_default()),
    };
    let state = if health.trouble.is_some() { "failing" } else { "ok" };
    let folder = directory.casts().folder().map(|folder| folder.display().to_string());
    let fields = json!({"state": state, "folder": folder, "open": health.open, "lost_bytes": health.lost_bytes, "trouble": health.trouble});
    (fields, lost)
}

/// How the audit record fares: as fields, and as a part of the line.
fn audit(directory: &Directory) -> (Value, String) {
    let Some(health) = directory.audit().health() else {
        return (json!({"state": "off"}), "; no audit record is kept".to_owned());
    };
    let (missing, folder) = (health.missing, health.folder.display().to_string());
    let text = match (&health.trouble, missing) {
        (None, 0) => String::new(),
        (None, missing) => format!("; {missing} records are missing in the audit record"),
        (Some(why), missing) => format!("; nothing that may change something is run: {why} ({missing} records are missing)"),
    };
    let state = if health.trouble.is_some() { "failing" } else { "ok" };
    (json!({"state": state, "folder": folder, "missing": missing, "trouble": health.trouble}), text)
}
