//! `jackfield history`: past commands as a table for people, or as JSON.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::history;
use crate::history::query::{Entry, Page, Query, one_line};
use crate::instant;
use crate::limits::HISTORY_ROWS_MAX;
use crate::startup;

const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();
const HEADINGS: [&str; 7] = ["TIME (UTC)", "WHO", "SESSION", "ID", "STATE", "TOOK", "RULE"];

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
    let now_ms = instant::millis(SystemTime::now());
    let parse = |text: &String| instant::parse(text, now_ms).ok_or_else(|| format!("--since is `{text}`; {}", instant::ACCEPTED));
    let since_ms = wanted.since.as_ref().map(parse).transpose()?;
    if wanted.limit == 0 || wanted.limit as u64 > HISTORY_ROWS_MAX {
        return Err(format!("--limit is {}; it takes 1 to {HISTORY_ROWS_MAX}", wanted.limit));
    }
    let query = Query { text: wanted.query, target: wanted.target, since_ms, after: None, limit: wanted.limit };
    let folder = startup::state_folder().ok_or("neither XDG_STATE_HOME nor HOME is set, so there is no history")?;
    let page = history::read(&folder, &query).map_err(|error| error.to_string())?;
    let shown = if json { as_json(&page) } else { as_table(&page) };
    // A closed pipe is the reader's choice.
    let _ = write!(anstream::stdout(), "{shown}");
    Ok(ExitCode::SUCCESS)
}

fn as_json(page: &Page) -> String {
    let entries: Vec<Value> = page.entries.iter().map(Entry::fields).collect();
    format!("{}\n", json!({"entries": entries, "total": page.total}))
}

fn as_table(page: &Page) -> String {
    let rows: Vec<[String; 7]> = page.entries.iter().map(cells).collect();
    let width = |column: usize, heading: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.fold(heading.chars().count(), usize::max)
    };
    let widths: Vec<usize> = HEADINGS.iter().enumerate().map(|(column, heading)| width(column, heading)).collect();
    let mut out = String::new();
    let padded = |cell: &str, width: &usize| format!("{cell:<width$}");
    if !rows.is_empty() {
        let headings: Vec<String> = HEADINGS.iter().zip(&widths).map(|(heading, width)| padded(heading, width)).collect();
        let _ = writeln!(out, "{DIM}{}  COMMAND{DIM:#}", headings.join("  "));
    }
    for (row, entry) in rows.iter().zip(&page.entries) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| padded(cell, width)).collect();
        let style = match entry.state.as_str() {
            "denied" | "lost" => BAD,
            "done" if !entry.failed => GOOD,
            "done" => BAD,
            _ => Style::new(),
        };
        let _ = writeln!(out, "{style}{}{style:#}  {}", cells.join("  "), entry.line());
    }
    let _ = writeln!(out, "{DIM}{} of {} commands{DIM:#}", page.entries.len(), page.total);
    out
}

fn cells(entry: &Entry) -> [String; 7] {
    let time: String = instant::shown(entry.at_ms).replace('T', " ").chars().take(19).collect();
    let took = entry.duration_ms.map_or_else(|| "-".to_owned(), |ms| format!("{}.{:03} s", ms / 1000, ms % 1000));
    let id = entry.command_id.clone().unwrap_or_else(|| "-".to_owned());
    [time, one_line(&entry.who), one_line(&entry.session), id, entry.outcome(), took, one_line(&entry.rule)]
}
