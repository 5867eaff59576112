//! Reads records for people and for other programs.

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::files;
use super::record::Link;
use crate::instant;
use crate::limits::AUDIT_LINE_MAX_BYTES;

/// Which records.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only this device, or this session as `device#session`.
    pub target: Option<String>,
    /// Not before this time, in milliseconds.
    pub since_ms: Option<i64>,
    /// At most so many, the newest.
    pub limit: usize,
}

/// Something that happened, and how it ended where that is told.
#[derive(Debug)]
pub struct Event {
    /// The record.
    pub fields: Map<String, Value>,
    /// The record of its end.
    pub end: Option<Map<String, Value>>,
}

impl Event {
    /// A field as a text.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        text(&self.fields, name)
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What a line must have to be looked at.
#[derive(Deserialize)]
struct Where {
    device: Option<String>,
    session: Option<String>,
}

/// Goes through all whole records, the oldest first, with their lines as they stand in the files, without newlines.
///
/// # Errors
///
/// When a file cannot be read, or the visitor gives one.
pub fn each(folder: &Path, mut visit: impl FnMut(&Link, &[u8]) -> io::Result<()>) -> Result<(), (PathBuf, io::Error)> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    for (path, file, length) in files::at_once(folder)?.0 {
        let mut reader = BufReader::new(file.take(length));
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader.by_ref().take(AUDIT_LINE_MAX_BYTES).read_until(b'\n', &mut line).map_err(failed(&path))? == 0 {
                break;
            }
            // A record that lacks nothing but its newline is whole; whoever writes next adds it.
            let record = line.strip_suffix(b"\n").unwrap_or(&line);
            if let Some(link) = Link::parse(record) {
                visit(&link, record).map_err(failed(&path))?;
            }
        }
    }
    Ok(())
}

/// Is a record not older than that?
#[must_use]
pub fn is_since(link: &Link, since_ms: Option<i64>) -> bool {
    since_ms.is_none_or(|since| instant::parse(&link.at, 0).is_some_and(|at| at >= since))
}

/// The newest events that are wanted, the newest first. An end belongs to its verdict.
///
/// # Errors
///
/// When a file cannot be read.
pub fn events(folder: &Path, wanted: &Wanted) -> Result<Vec<Event>, (PathBuf, io::Error)> {
    let mut events: VecDeque<Event> = VecDeque::new();
    let mut open: HashMap<u64, Map<String, Value>> = HashMap::new();
    each(folder, |link, line| {
        if !is_since(link, wanted.since_ms) || matches!(link.kind.as_str(), "head" | "torn") {
            return Ok(());
        }
        if let Some(target) = &wanted.target {
            let place: Where = serde_json::from_slice(line).map_err(io::Error::other)?;
            if place.device.as_ref() != Some(target) && place.session.as_ref() != Some(target) {
                return Ok(());
            }
        }
        let fields: Map<String, Value> = serde_json::from_slice(line).map_err(io::Error::other)?;
        if link.kind == "end" {
            // One whose verdict is not shown is not shown either.
            let verdict = fields.get("verdict").and_then(Value::as_u64).unwrap_or_default();
            let oldest = events.front().and_then(|event| event.fields.get("seq")).and_then(Value::as_u64).unwrap_or(u64::MAX);
            if verdict >= oldest {
                open.insert(verdict, fields);
            }
            return Ok(());
        }
        events.push_back(Event { fields, end: None });
        if events.len() > wanted.limit
            && let Some(gone) = events.pop_front()
        {
            open.remove(&gone.fields.get("seq").and_then(Value::as_u64).unwrap_or_default());
        }
        Ok(())
    })?;
    for event in &mut events {
        event.end = event.fields.get("seq").and_then(Value::as_u64).and_then(|seq| open.remove(&seq));
    }
    Ok(events.into_iter().rev().collect())
}
