//! Audit records as a table for people.

use std::fmt::Write as _;

use anstyle::Style;
use serde_json::Value;

use crate::audit::read::Event;
use crate::cli::paint::{BAD, DIM, GOOD, painted_table};
use crate::history::query::one_line;

const HEADINGS: [&str; 7] = ["TIME (UTC)", "WHO", "SESSION", "DECISION", "STATE", "RULE", "WHAT"];

/// Of these events, as they come.
pub(super) fn table(events: &[Event]) -> String {
    let rows: Vec<Vec<String>> = events.iter().map(cells).collect();
    let styles: Vec<Style> = events.iter().map(style).collect();
    let style = |row: usize| styles.get(row).copied().unwrap_or_default();
    let mut out = if rows.is_empty() { String::new() } else { painted_table(&HEADINGS, &rows, style) };
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

fn cells(event: &Event) -> Vec<String> {
    let time: String = event.text("at").replace('T', " ").chars().take(19).collect();
    let is_verdict = event.text("kind") == "verdict";
    let decision = if is_verdict { event.text("decision") } else { event.text("kind") };
    let who = match event.text("caller") {
        "" => event.fields.get("process").map(|process| format!("process {process}")).unwrap_or_default(),
        caller => caller.to_owned(),
    };
    let cell = |text: &str| if text.is_empty() { "-".to_owned() } else { one_line(text) };
    let (session, rule, what) = (cell(event.text("session")), cell(event.text("rule")), one_line(&what(event)));
    vec![time, one_line(&who), session, cell(decision), state(event), rule, what]
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
        "file" => {
            let bytes = event.fields.get("bytes").and_then(Value::as_u64).unwrap_or_default();
            format!("{} {}: {bytes} bytes", event.text("direction"), event.text("path"))
        }
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

    fn shown(record: &Value) -> String {
        table(&[Event { fields: record.as_object().unwrap().clone(), end: None }])
    }

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        let record = json!({
            "at": "2026-11-21T08:00:00Z", "kind": "verdict", "caller": "a\u{202e}b", "session": "web1", "decision": "allow",
            "text": "rm \u{202e}txt.a\u{200b}", "rule": "r\u{2066}",
        });
        let shown = shown(&record);
        for part in ["a\\u{202e}b", "rm \\u{202e}txt.a\\u{200b}", "r\\u{2066}"] {
            assert!(shown.contains(part), "{part}: {shown:?}");
        }
    }

    #[test]
    fn what_was_done_with_a_file_is_told() {
        let record =
            json!({"at": "2026-11-21T08:00:00Z", "kind": "file", "session": "web1", "direction": "write", "path": "/etc/motd", "bytes": 7});
        assert!(shown(&record).contains("write /etc/motd: 7 bytes"), "{}", shown(&record));
    }
}
