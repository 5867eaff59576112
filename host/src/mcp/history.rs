//! `ssh_history`: past commands, as a page of a list.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::reply::Reply;
use super::tools::Arguments;
use crate::directory::Directory;
use crate::history::query::{Entry, Page, Query};
use crate::ids::SessionId;
use crate::instant;
use crate::limits::{HISTORY_DEFAULT, HISTORY_LIMIT_MAX};

/// Calls the tool.
///
/// # Errors
///
/// A sentence that names the wrong value and what is accepted.
pub async fn history(directory: &Directory, arguments: &Arguments) -> Result<Reply, String> {
    let query = query(arguments)?;
    let page = directory.history().read(query.clone()).await.map_err(|error| error.to_string())?;
    if let Some(target) = query.target.as_ref().filter(|_| page.total == 0) {
        // A device that is gone from the configuration still has a past.
        directory.device(&SessionId::parse(target).device).map_err(|error| format!("nothing was run on `{target}`, and {error}"))?;
    }
    Ok(reply(&page, directory.history().run(), &arguments.again(&["query", "target", "since", "limit"])))
}

fn query(arguments: &Arguments) -> Result<Query, String> {
    let now_ms = instant::millis(SystemTime::now());
    let since = arguments.text("since").filter(|text| !text.is_empty());
    let since_ms = since.map(|text| instant::parse(text.trim(), now_ms).ok_or_else(|| not_since(text))).transpose()?;
    let cursor = arguments.text("cursor").filter(|text| !text.is_empty());
    let not_cursor = |text| format!("`cursor` of ssh_history is `{text}`; it takes next_cursor of the last answer");
    let after = cursor.map(|text| text.parse().map_err(|()| not_cursor(text))).transpose()?;
    let limit = arguments.count("limit").unwrap_or(HISTORY_DEFAULT as u64);
    let fits = usize::try_from(limit).ok().filter(|limit| (1..=HISTORY_LIMIT_MAX).contains(limit));
    let limit = fits.ok_or_else(|| format!("`limit` of ssh_history is {limit}; it takes 1 to {HISTORY_LIMIT_MAX}"))?;
    let target = arguments.text("target").filter(|text| !text.is_empty()).map(|text| SessionId::parse(text).to_string());
    Ok(Query { text: arguments.text_or_empty("query").to_owned(), target, since_ms, after, limit })
}

fn not_since(text: &str) -> String {
    format!("`since` of ssh_history is `{text}`; {}", instant::ACCEPTED)
}

fn reply(page: &Page, run: &str, chosen: &str) -> Reply {
    let entries: Vec<Value> = page.entries.iter().map(Entry::fields).collect();
    let next_cursor = page.next.map(|cursor| cursor.to_string());
    let mut text = format!("{} of {} commands; run {run} is this process", page.entries.len(), page.total);
    for entry in &page.entries {
        text.push('\n');
        text.push_str(&line(entry, run));
    }
    let next = next_cursor.as_ref().map(|cursor| format!("More: ssh_history{chosen} cursor={cursor}.")).unwrap_or_default();
    let fields = json!({"entries": entries, "total": page.total, "next_cursor": next_cursor, "run": run});
    Reply::new(fields, text).with_next(&next)
}

/// One entry. The id of another process's command is told with that process: ssh_output does not know it.
fn line(entry: &Entry, run: &str) -> String {
    let mut words = vec![instant::shown(entry.at_ms), entry.who.clone(), entry.target.clone()];
    if entry.session != entry.target {
        words.push(format!("session={}", entry.session));
    }
    words.extend(entry.command_id.as_ref().map(|id| if entry.run == run { id.clone() } else { format!("{id}@{}", entry.run) }));
    words.push(entry.outcome());
    words.extend(entry.duration_ms.map(|ms| format!("{ms} ms")));
    words.extend(entry.output_bytes.map(|bytes| format!("{} B", super::reply::grouped(bytes))));
    words.push(format!("{} ({})", entry.decision, entry.rule));
    words.push(entry.line());
    words.extend(Some(&entry.why).filter(|why| !why.is_empty()).map(|why| format!("reason: {why}")));
    let words: Vec<String> = words.iter().map(|word| crate::history::query::one_line(word)).collect();
    words.join("  ")
}

/// How the history fares, for `ssh_info topic=health`: as fields, and as a part of the line.
pub fn health(directory: &Directory) -> (Value, String) {
    let Some(health) = directory.history().health() else {
        return (json!({"state": "off"}), "; no history is kept".to_owned());
    };
    let (dropped, trouble) = (health.dropped(), health.trouble());
    let text = match (&trouble, dropped) {
        (None, 0) => String::new(),
        (None, dropped) => format!("; {dropped} notes are missing in the history"),
        (Some(why), dropped) => format!("; the history is not written: {why} ({dropped} notes are missing)"),
    };
    let state = if trouble.is_some() { "failing" } else { "ok" };
    (json!({"state": state, "dropped": dropped, "trouble": trouble}), text)
}
