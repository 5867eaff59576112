//! Devices and sessions as lists.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::forward;
use super::lock;
use super::reply::{self, Reply};
use super::tools::Arguments;
use crate::config::{Algorithms, Device, TypeChoice, Wire};
use crate::directory::Directory;
use crate::directory::identity::Identity;
use crate::forward::Forward;
use crate::ids::{SessionId, open_are};
use crate::limits::{HOSTS_LIMIT_MAX, SESSIONS_SHOWN_MAX};
use crate::session::lock::LockState;

/// Devices listed at a time.
const HOSTS_DEFAULT: usize = 50;

/// The type of a device: as configured, or as it was found to be.
pub(super) fn kind_word(directory: &Arc<Directory>, name: &str, device: &Device) -> String {
    match &device.device_type {
        TypeChoice::Named(kind) => kind.to_string(),
        TypeChoice::Auto => directory.identities().of(name).map_or_else(|| "auto".to_owned(), |identity| identity.kind.clone()),
    }
}

/// What was found out about a device whose type the configuration leaves open.
pub(super) fn identified(directory: &Arc<Directory>, name: &str) -> Option<(Arc<Identity>, Value)> {
    directory.device(name).ok().filter(|device| device.device_type == TypeChoice::Auto)?;
    let identity = directory.identities().of(name)?;
    let shown: Map<String, Value> = identity.shown.iter().map(|(part, text)| (part.replace(' ', "_"), text.clone().into())).collect();
    let value = json!({"type": identity.kind, "certain": identity.certain, "reasons": identity.reasons(), "shown": shown,
        "before": identity.before, "origin": "device"});
    Some((identity, value))
}

pub(super) fn hosts(directory: &Arc<Directory>, arguments: &Arguments) -> Result<Reply, String> {
    let query = arguments.text_or_empty("query").to_lowercase();
    let tag = arguments.text("tag");
    let matches = |name: &str, device: &Device| {
        let address = if device.conceal { String::new() } else { device.host_or(name).to_lowercase() };
        let found = [name.to_lowercase(), address, kind_word(directory, name, device)].iter().any(|text| text.contains(&query));
        found && tag.is_none_or(|tag| device.tags.iter().any(|own| own == tag))
    };
    let world = directory.world();
    let all: Vec<_> = world.config.devices.iter().filter(|(name, device)| matches(name, device)).collect();
    let cursor = arguments.text("cursor").filter(|cursor| !cursor.is_empty());
    let not_cursor = |cursor| format!("`cursor` of ssh_hosts is `{cursor}`; it takes next_cursor of the last answer");
    let from = cursor.map_or(Ok(0), |cursor| cursor.parse::<usize>().map_err(|_| not_cursor(cursor)))?;
    let limit = arguments.count("limit").map_or(HOSTS_DEFAULT, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let limit = limit.clamp(1, HOSTS_LIMIT_MAX);
    let open = directory.list();
    let host = |(name, device): &(&String, &Device)| {
        let place = world.place_listed(name).ok().filter(|_| !device.local && !device.conceal);
        let address = match (&place, &device.line) {
            _ if device.conceal && !device.local => "concealed".to_owned(),
            (None, _) | (_, Wire::Serial(_)) => device.address(name),
            (Some(place), _) => place.address(),
        };
        let user = device.user.clone().or_else(|| place.as_ref().filter(|_| device.host.is_none()).map(|place| place.user.clone()));
        let user = user.filter(|_| !device.conceal && !device.local);
        let via = place.as_ref().and_then(|place| place.way.via());
        let session =
            open.iter().find(|handle| handle.id.device == **name && handle.closed().is_none()).map(|handle| handle.id.to_string());
        let legacy = device.algorithms == Algorithms::Legacy;
        json!({"name": name, "address": address, "platform": kind_word(directory, name, device),
            "identified": identified(directory, name).map(|(_, found)| found), "user": user, "tags": device.tags,
            "via": via, "session": session, "access": world.config.policy_for(device).to_string(), "legacy_algorithms": legacy})
    };
    let page: Vec<Value> = all.iter().skip(from).take(limit).map(host).collect();
    let more = (from + page.len() < all.len()).then(|| (from + page.len()).to_string());
    let word = |host: &Value, key: &str| host[key].as_str().map(str::to_owned).unwrap_or_default();
    let line = |host: &Value| {
        let mut words = vec![word(host, "name"), word(host, "platform"), word(host, "address")];
        words.extend(host["user"].as_str().map(|user| format!("user={user}")));
        words.push(format!("access={}", word(host, "access")));
        let tags: Vec<&str> = host["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !tags.is_empty() {
            words.push(format!("tags={}", tags.join(",")));
        }
        words.extend(host["via"].as_str().map(|via| format!("via={via}")));
        words.extend(host["session"].as_str().map(|session| format!("open={session}")));
        if host["legacy_algorithms"] == true {
            words.push("legacy-algorithms".to_owned());
        }
        words.join("  ")
    };
    let mut text = format!("{} of {} devices", page.len(), all.len());
    for host in &page {
        text.push('\n');
        text.push_str(&line(host));
    }
    let next = match (&more, world.config.devices.is_empty()) {
        (Some(cursor), _) => format!("More: ssh_hosts{} cursor={cursor}.", arguments.again(&["query", "tag", "limit"])),
        (None, true) => "No device is configured: the operator adds [device.NAME] to jackfield.toml.".to_owned(),
        (None, false) if all.is_empty() => "No device fits; ssh_hosts without query and tag lists them.".to_owned(),
        (None, false) => String::new(),
    };
    Ok(Reply::new(json!({"hosts": page, "total": all.len(), "next_cursor": more}), text).with_next(&next))
}

pub(super) fn sessions(directory: &Arc<Directory>, arguments: &Arguments) -> Reply {
    let wanted = arguments.text("session").map(SessionId::parse);
    // The list is in their order, so one that is opened or closed meanwhile moves no other over the end of a part.
    let behind = arguments.text("cursor").map(SessionId::parse);
    let all = directory.list();
    let is_wanted = |id: &SessionId| wanted.as_ref().is_none_or(|wanted| wanted == id) && behind.as_ref().is_none_or(|last| id > last);
    let mut handles = all.iter().filter(|handle| is_wanted(&handle.id)).peekable();
    let mut lines = Vec::new();
    let mut list = Vec::new();
    let mut more = None;
    while let Some(handle) = handles.next() {
        let status = handle.status();
        let mut fields = reply::session_fields(&handle.id.to_string(), &status);
        let name = &handle.id.device;
        fields.insert(
            "platform".to_owned(),
            directory.device(name).map(|device| kind_word(directory, name, &device)).unwrap_or_default().into(),
        );
        let lock = handle.commons.lock.state(Instant::now());
        let opened_by = handle.commons.opened_by.get().map(ToString::to_string);
        let idle = handle.commons.activity().used_at.elapsed().as_secs();
        fields.insert("idle_s".to_owned(), idle.into());
        fields.extend(opened_by.map(|by| ("opened_by".to_owned(), by.into())));
        let note = handle.commons.note();
        if !note.is_empty() {
            fields.insert("note".to_owned(), note.into());
        }
        let words: Vec<String> = fields
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect();
        lines.push(words.join(" "));
        if lock != LockState::default() {
            lines.push(format!("  {}", lock::sentence(&lock)));
        }
        // Its name begins with it.
        fields.insert("host".to_owned(), name.clone().into());
        fields.insert("lock".to_owned(), Value::Object(lock::shown(&lock)));
        let forwards = directory.forwards().list(Some(&handle.id.to_string()));
        lines.extend(forwards.iter().map(|forward| format!("  {}", forward::line(forward))));
        fields.insert("forwards".to_owned(), forwards.iter().map(forward::fields).collect());
        // The reasons are long: they stand in the structure alone.
        fields.extend(identified(directory, name).map(|(_, found)| ("identified".to_owned(), found)));
        list.push(Value::Object(fields));
        if list.len() == SESSIONS_SHOWN_MAX && handles.peek().is_some() {
            more = Some(handle.id.to_string());
            break;
        }
    }
    let mut next = more.as_ref().map(|last| format!("More: ssh_sessions cursor={last}.")).unwrap_or_default();
    if list.is_empty() {
        let none = match (&wanted, &behind) {
            (Some(_), _) => "no session of this name is open",
            (None, Some(_)) => "no more sessions are open",
            (None, None) => "no session is open",
        };
        lines.push(none.to_owned());
        if let Some(id) = &wanted {
            let others: Vec<String> = all.iter().map(|handle| handle.id.to_string()).collect();
            next = format!("There is no session `{id}`; {}.", open_are(&others));
        }
    }
    // Those that wait for the next session of their name stand behind the last of the open ones.
    let is_open = |forward: &Forward| all.iter().any(|handle| handle.id.to_string() == forward.session);
    let is_asked = |forward: &Forward| wanted.as_ref().is_none_or(|id| id.to_string() == forward.session);
    let waiting = directory.forwards().list(None).into_iter().filter(|forward| more.is_none() && is_asked(forward) && !is_open(forward));
    let waiting: Vec<Forward> = waiting.collect();
    lines.extend(waiting.iter().map(|forward| format!("{} (not open): {}", forward.session, forward::line(forward))));
    let mut fields = json!({"sessions": list, "next_cursor": more});
    if let Some(fields) = fields.as_object_mut().filter(|_| !waiting.is_empty()) {
        fields.insert("forwards".to_owned(), waiting.iter().map(forward::fields).collect());
    }
    Reply::new(fields, lines.join("\n")).with_next(&next)
}
