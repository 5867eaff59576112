//! The input lock of a session, as agents may use it.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::Caller;
use super::calls::open_session;
use super::reply::Reply;
use super::tools::Arguments;
use crate::author::Author;
use crate::directory::Directory;
use crate::session::lock::{LockState, Rule};

/// Takes the lock or gives it back.
pub(super) fn lock(directory: &Arc<Directory>, caller: &Caller, arguments: &Arguments) -> Result<Reply, String> {
    let handle = open_session(directory, arguments.text_or_empty("session"))?;
    if let Some(why) = handle.closed().filter(|_| arguments.text_or_empty("action") == "take") {
        let id = &handle.id;
        return Err(format!("`{id}` is closed: {why}; there is nothing to lock. Open it again with ssh_open, then take its lock"));
    }
    let (lock, by, now) = (&handle.commons.lock, Author::agent(&caller.name), Instant::now());
    match arguments.text_or_empty("action") {
        "take" => lock.take(&by, None, arguments.seconds("ttl_s"), now)?,
        "release" => lock.release(&by, false, now)?,
        _ => lock.release(&by, true, now)?,
    }
    let session = handle.id.to_string();
    let state = lock.state(now);
    let mut fields = shown(&state);
    fields.insert("session".to_owned(), session.clone().into());
    let text = format!("{session} {}", sentence(&state));
    Ok(Reply::new(Value::Object(fields), text))
}

/// A lock as fields.
pub(super) fn shown(state: &LockState) -> Map<String, Value> {
    let rule = match state.rule {
        Rule::Everyone => "everyone",
        Rule::People => "people",
        Rule::OneAgent => "one_agent",
    };
    let holder = state.holder.as_ref().map(ToString::to_string);
    let fields = json!({"rule": rule, "holder": holder, "expires_s": state.seconds_left, "typing": state.typing});
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The same in words.
pub(super) fn sentence(state: &LockState) -> String {
    let left = state.seconds_left.map(|seconds| format!(", {seconds} s left unless it is used")).unwrap_or_default();
    match (&state.holder, state.rule) {
        (Some(holder), Rule::Everyone) => format!("input: free, but {holder} is typing{left}"),
        (Some(holder), _) => format!("input: {holder} has it{left}"),
        (None, _) => "input: free for everyone".to_owned(),
    }
}
