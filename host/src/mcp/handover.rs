//! What a caller is told beside its answer: what people did meanwhile in its sessions, and what was lost.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Caller;
use super::reply::{Reply, fenced};
use crate::directory::Directory;
use crate::history::query::Query;
use crate::ids::SessionId;
use crate::session::report::Meanwhile;
use crate::terminal::text::escaped;

/// Entries of the history among which the last one of the process before is looked for.
const RECENT: usize = 20;

/// Adds it to a reply that is about one session.
pub(super) async fn tell(directory: &Arc<Directory>, caller: &Caller, reply: &mut Reply) {
    let Some(session) = reply.fields.get("session").and_then(Value::as_str).map(str::to_owned) else { return };
    if directory.was_lost(&session) {
        let text = lost(directory, &session).await;
        reply.text = format!("warning: {text}\n{}", reply.text);
        reply.fields.insert("lost".to_owned(), text.into());
    }
    for text in directory.forwards().take_lost(&session, &caller.name) {
        warn(reply, text);
    }
    let Some(handle) = directory.find(&SessionId::parse(&session)) else { return };
    let note = handle.commons.note();
    if !note.is_empty() {
        reply.text = format!("note: {}\n{}", escaped(&note), reply.text);
        reply.fields.insert("note".to_owned(), note.into());
    }
    if let Some(meanwhile) = handle.meanwhile(&caller.name).await {
        add(reply, &session, &meanwhile);
    }
}

fn warn(reply: &mut Reply, text: String) {
    reply.text = format!("warning: {text}\n{}", reply.text);
    if let Value::Array(warnings) = reply.fields.entry("warnings").or_insert_with(|| json!([])) {
        warnings.push(text.into());
    }
}

async fn lost(directory: &Arc<Directory>, session: &str) -> String {
    let query = Query { target: Some(session.to_owned()), limit: RECENT, ..Query::default() };
    let entries = directory.history().read(query).await.map(|page| page.entries).unwrap_or_default();
    let before = entries.into_iter().find(|entry| entry.run != directory.history().run());
    let ran = before.filter(|entry| matches!(entry.state.as_str(), "lost" | "running"));
    let ran = ran.map_or_else(String::new, |entry| format!("; `{}` ran there then and may still run on the device", entry.command));
    format!("the process that held {session} ended without saying goodbye: its directory, variables and mode are gone{ran}")
}

fn add(reply: &mut Reply, session: &str, meanwhile: &Meanwhile) {
    let Meanwhile { lines, left_out, output, range } = meanwhile;
    let typed: Vec<Value> = lines.iter().map(|line| json!({"by": line.by.to_string(), "text": line.text})).collect();
    let range = json!({"start": range.start, "end": range.end, "total": range.total, "cut_bytes": range.cut_bytes});
    let fields = json!({"typed": typed, "left_out": left_out, "origin": "device", "output": output, "range": range});
    reply.fields.insert("meanwhile".to_owned(), fields);
    let older = (*left_out > 0).then(|| format!("({left_out} older lines are not kept)\n"));
    let lines = lines.iter().map(|line| format!("{} typed: {}\n", line.by, line.text));
    let mut text: String = std::iter::once(format!("\nMeanwhile in {session}:\n")).chain(older).chain(lines).collect();
    text.push_str(&fenced(output));
    reply.text.push_str(&text);
}
