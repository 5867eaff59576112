//! `ssh_info`: what policy would say, plugins, types, bounds, and how this server and its devices stand.

use std::sync::Arc;

use serde_json::{Map, json};

use super::Caller;
use super::bounds::bounds;
use super::lists::identified;
use super::reply::Reply;
use super::tools::Arguments;
use crate::directory::Directory;
use crate::ids::SessionId;
use crate::policy::explain::Explanation;
use crate::policy::{self, Line, Manner, Purpose};
use crate::session::journey::Keep;
use crate::session::profile::heeding;

/// Tells about what is asked for, by topic.
pub(super) async fn info(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    match arguments.text_or_empty("topic") {
        "policy" => explain(directory, caller, arguments).await,
        "plugins" => Ok(super::health::plugins(directory)),
        "platforms" => match arguments.text("target") {
            Some(target) => platform(directory, target).await,
            None => Ok(platforms(directory)),
        },
        "limits" => Ok(bounds(directory)),
        _ => match arguments.text("target") {
            Some(target) => super::health::way(directory, caller, arguments, target).await,
            None => Ok(super::health::health(directory)),
        },
    }
}

/// The verdict on a command, without a connection: the mode is the session's if one is open, else the one that a session begins with.
async fn explain(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let (Some(target), Some(command)) = (arguments.text("target"), arguments.text("command")) else {
        return Err("topic=policy needs `target` and `command`".to_owned());
    };
    let id = SessionId::parse(target);
    let device = directory.device(&id.device).map_err(|error| error.to_string())?;
    let kind = directory.kind_of(&id.device).await.map_err(|error| error.to_string())?;
    let open = directory.find(&id).filter(|handle| handle.closed().is_none());
    let (mode, cwd) = open.map(|handle| handle.status()).map(|status| (status.mode, status.cwd)).unwrap_or_default();
    let line = Line {
        device: &id.device,
        tags: &device.tags,
        mode: &mode,
        privileged: false,
        // A shell's own mark tells it; what other prompts look like says nothing.
        cwd: cwd.as_deref().filter(|_| kind.pipe.is_some()),
        manner: Manner::Typed,
        text: command,
        unknown: false,
        purpose: Purpose::Run,
        caller: &caller.name,
    };
    let said = policy::explain::explain(kind, &line, directory.world().config.policy_for(&device)).await;
    // What it says to others, this caller may be asked about.
    let verdict = heeding(directory.taint(), &caller.name, said.verdict.clone());
    let said = Explanation { verdict, ..said };
    let mut fields = said.value();
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("target".to_owned(), target.into());
    }
    Ok(Reply::new(fields, format!("{target}, {}: {command}\n{}", said.place(), said.text())))
}

fn platforms(directory: &Arc<Directory>) -> Reply {
    let types = directory.world().catalog.types();
    let mut lines: Vec<String> = types.iter().map(|(kind, plugins)| format!("{kind}: {}", plugins.join(", "))).collect();
    let mut found = Map::new();
    for (name, identity) in directory.identities().all() {
        lines.push(format!("device {name} is {} by what it shows: {}", identity.kind, identity.reasons().join("; ")));
        found.extend(identified(directory, &name).map(|(_, value)| (name, value)));
    }
    Reply::new(json!({"platforms": types, "identified": found}), lines.join("\n"))
}

/// The device type of a target: its plugins, the modes that a command may name, what becomes of a candidate configuration.
async fn platform(directory: &Arc<Directory>, target: &str) -> Result<Reply, String> {
    let id = SessionId::parse(target);
    let kind = directory.kind_of(&id.device).await.map_err(|error| error.to_string())?;
    let plugins: Vec<&str> = kind.plugins.iter().map(|plugin| plugin.name()).collect();
    let modes: Vec<&str> = kind.modes.names().into_iter().collect();
    let commit = kind.modes.candidate.as_ref().map(Keep::words).unwrap_or_default();
    let listed = |words: &[&str]| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    let text = format!(
        "{target}: type {}, plugins {}\nmodes for ssh_run mode=: {}\ncommit=: {}",
        kind.name,
        plugins.join(", "),
        listed(&modes),
        listed(&commit)
    );
    Ok(Reply::new(json!({"target": target, "platform": kind.name, "plugins": plugins, "modes": modes, "commit": commit}), text))
}
