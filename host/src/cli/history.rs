//! `jackfield history`: past commands as a table for people, or as JSON.

use std::fmt::Write as _;
use std::process::ExitCode;

use anstyle::Style;
use serde_json::{Value, json};

use super::paint::{BAD, DIM, GOOD, painted_table, say};
use super::since::since_ms;
use crate::history;
use crate::history::query::{Entry, Page, Query, one_line};
use crate::instant;
use crate::limits::HISTORY_ROWS_MAX;
use crate::startup;

const HEADINGS: [&str; 8] = ["TIME (UTC)", "WHO", "SESSION", "ID", "STATE", "TOOK", "RULE", "COMMAND"];

/// What is wanted.
#[derive(Debug)]
pub struct Wanted {
    /// Part of a command, a target or a caller.
    pub query: String,
    /// A device or a session.
    pub target: Option<String>,
    /// Since when, as it was typed.
    pub since: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// Prints what is found.
///
/// # Errors
///
/// A sentence, when an argument is wrong or the history cannot be read.
pub fn run(wanted: Wanted, json: bool) -> Result<ExitCode, String> {
    let since_ms = wanted.since.as_deref().map(since_ms).transpose()?;
    if wanted.limit == 0 || wanted.limit as u64 > HISTORY_ROWS_MAX {
        return Err(format!("--limit is {}; it takes 1 to {HISTORY_ROWS_MAX}", wanted.limit));
    }
    let query = Query { text: wanted.query, target: wanted.target, since_ms, after: None, limit: wanted.limit };
    let folder = startup::state_folder().ok_or("neither XDG_STATE_HOME nor HOME is set, so there is no history")?;
    let page = history::read(&folder, &query).map_err(|error| error.to_string())?;
    say(&if json { as_json(&page) } else { as_table(&page) });
    Ok(ExitCode::SUCCESS)
}

fn as_json(page: &Page) -> String {
    let entries: Vec<Value> = page.entries.iter().map(Entry::fields).collect();
    format!("{}\n", json!({"entries": entries, "total": page.total}))
}

fn as_table(page: &Page) -> String {
    let rows: Vec<Vec<String>> = page.entries.iter().map(cells).collect();
    let styles: Vec<Style> = page.entries.iter().map(style).collect();
    let style = |row: usize| styles.get(row).copied().unwrap_or_default();
    let mut out = if rows.is_empty() { String::new() } else { painted_table(&HEADINGS, &rows, style) };
    let _ = writeln!(out, "{DIM}{} of {} commands{DIM:#}", page.entries.len(), page.total);
    out
}

fn style(entry: &Entry) -> Style {
    match entry.state.as_str() {
        "denied" | "lost" => BAD,
        "done" if !entry.failed => GOOD,
        "done" => BAD,
        _ => Style::new(),
    }
}

fn cells(entry: &Entry) -> Vec<String> {
    let time: String = instant::shown(entry.at_ms).replace('T', " ").chars().take(19).collect();
    let took = entry.duration_ms.map_or_else(|| "-".to_owned(), |ms| format!("{}.{:03} s", ms / 1000, ms % 1000));
    let id = entry.command_id.clone().unwrap_or_else(|| "-".to_owned());
    let (who, session, rule) = (one_line(&entry.who), one_line(&entry.session), one_line(&entry.rule));
    vec![time, who, session, id, entry.outcome(), took, rule, entry.line()]
}
