//! Audit records as a table for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::audit::read::Event;
use crate::history::query::one_line;

const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();
const HEADINGS: [&str; 6] = ["TIME (UTC)", "WHO", "SESSION", "DECISION", "STATE", "RULE"];

/// Of these events, as they come.
pub(super) fn table(events: &[Event]) -> String {
    let rows: Vec<[String; 6]> = events.iter().map(cells).collect();
    let width = |column: usize, heading: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.fold(heading.chars().count(), usize::max)
    };
    let widths: Vec<usize> = HEADINGS.iter().enumerate().map(|(column, heading)| width(column, heading)).collect();
    let padded = |cell: &str, width: &usize| format!("{cell:<width$}");
    let mut out = String::new();
    if !rows.is_empty() {
        let headings: Vec<String> = HEADINGS.iter().zip(&widths).map(|(heading, width)| padded(heading, width)).collect();
        let _ = writeln!(out, "{DIM}{}  WHAT{DIM:#}", headings.join("  "));
    }
    for (row, event) in rows.iter().zip(events) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| padded(cell, width)).collect();
        let style = style(event);
        let _ = writeln!(out, "{style}{}{style:#}  {}", cells.join("  "), one_line(&what(event)));
    }
    let _ = writeln!(out, "{DIM}{} events{DIM:#}", rows.len());
    out
}

fn style(event: &Event) -> Style {
    let failed = event.end.as_ref().is_some_and(|end| end.get("failed") == Some(&Value::Bool(true)));
    match (event.text("kind"), event.text("decision")) {
        ("cut", _) | (_, "deny") => BAD,
        _ if failed => BAD,
        (_, "allow") if event.end.is_some() => GOOD,
        _ => Style::new(),
    }
}

fn cells(event: &Event) -> [String; 6] {
    let time: String = event.text("at").replace('T', " ").chars().take(19).collect();
    let is_verdict = event.text("kind") == "verdict";
    let decision = if is_verdict { event.text("decision") } else { event.text("kind") };
    let who = match event.text("caller") {
        "" => event.fields.get("process").map(|process| format!("process {process}")).unwrap_or_default(),
        caller => caller.to_owned(),
    };
    let cell = |text: &str| if text.is_empty() { "-".to_owned() } else { one_line(text) };
    [time, one_line(&who), cell(event.text("session")), cell(decision), state(event), cell(event.text("rule"))]
}

fn state(event: &Event) -> String {
    let Some(end) = &event.end else { return "-".to_owned() };
    let state = end.get("state").and_then(Value::as_str).unwrap_or("-");
    match end.get("exit_code").and_then(Value::as_i64) {
        Some(code) => format!("{state} exit={code}"),
        None => state.to_owned(),
    }
}

/// The command, or what else happened.
fn what(event: &Event) -> String {
    let keys = event.fields.get("keys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let keys: String = keys.map(|key| format!(" <{key}>")).collect();
    match event.text("kind") {
        "verdict" => format!("{}{keys}", event.text("text")),
        "open" => format!("session to {} as {} ({})", event.text("address"), event.text("user"), event.text("device_type")),
        "close" => event.text("reason").to_owned(),
        "secret" => format!("the secret `{}` is typed", event.text("name")),
        "host_keys" if !event.text("refused").is_empty() => event.text("refused").to_owned(),
        "host_keys" => {
            let count = |name: &str| event.fields.get(name).and_then(Value::as_array).map_or(0, Vec::len);
            format!("the host has proven its keys: {} learned, {} forgotten", count("learned"), count("forgotten"))
        }
        "start" => format!("jackfield {} of {} begins with {}", event.text("version"), event.text("user"), configuration(event)),
        "configuration" => configuration(event),
        "cut" => {
            let number = |name: &str| event.fields.get(name).and_then(Value::as_u64).unwrap_or_default();
            format!("records {} to {} were gone", number("from"), number("to"))
        }
        other => other.to_owned(),
    }
}

fn configuration(event: &Event) -> String {
    let complaints = event.fields.get("complaints").and_then(Value::as_array).map_or(0, Vec::len);
    match (event.text("file"), complaints) {
        (_, 1..) => format!("a configuration with {complaints} errors, which is not taken"),
        ("", _) => "no configuration".to_owned(),
        (file, _) => format!("configuration {file} {}", event.text("digest")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        let record = json!({
            "at": "2026-11-21T08:00:00Z", "kind": "verdict", "caller": "a\u{202e}b", "session": "web1", "decision": "allow",
            "text": "rm \u{202e}txt.a\u{200b}", "rule": "r\u{2066}",
        });
        let shown = table(&[Event { fields: record.as_object().unwrap().clone(), end: None }]);
        for part in ["a\\u{202e}b", "rm \\u{202e}txt.a\\u{200b}", "r\\u{2066}"] {
            assert!(shown.contains(part), "{part}: {shown:?}");
        }
    }
}
