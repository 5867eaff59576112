//! What a reader asks for, and what it gets.

use serde_json::{Map, Value};

use crate::instant;
use crate::limits::{HISTORY_DEFAULT, HISTORY_LINE_CHARS};
use crate::terminal::text::escaped;

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Part of a command, a target or a caller. Case does not count.
    pub text: String,
    /// A device, or a session as `device#session`.
    pub target: Option<String>,
    /// Not before this time, in milliseconds.
    pub since_ms: Option<i64>,
    /// Only what comes after this one in the list.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self { text: String::new(), target: None, since_ms: None, after: None, limit: HISTORY_DEFAULT }
    }
}

/// A place in the list. It stays where it is when entries come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Time of the entry.
    pub at_ms: i64,
    /// Its number in the file, which is never used again.
    pub row: i64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.at_ms, self.row)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at_ms, row) = text.split_once('-').ok_or(())?;
        Ok(Self { at_ms: at_ms.parse().map_err(|_| ())?, row: row.parse().map_err(|_| ())? })
    }
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// When, in milliseconds.
    pub at_ms: i64,
    /// Who.
    pub who: String,
    /// The device.
    pub target: String,
    /// The session.
    pub session: String,
    /// Digits of the process that ran it.
    pub run: String,
    /// Its id in that process. A refused one has none.
    pub command_id: Option<String>,
    /// The command, masked and perhaps cut.
    pub command: String,
    /// Its length as it was given, masked.
    pub command_bytes: u64,
    /// How far it is.
    pub state: String,
    /// Exit status, where the device tells it.
    pub exit_code: Option<i32>,
    /// It failed.
    pub failed: bool,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// Bytes of its output.
    pub output_bytes: Option<u64>,
    /// What policy decided.
    pub decision: String,
    /// By which rule.
    pub rule: String,
    /// Why, as its caller said, masked; empty where it said nothing.
    pub why: String,
}

/// A part of the list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// How many there are in all.
    pub total: u64,
    /// Where it goes on.
    pub next: Option<Cursor>,
}

impl Entry {
    /// As a result has it.
    #[must_use]
    pub fn fields(&self) -> Value {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("time", instant::shown(self.at_ms).into());
        put("who", self.who.clone().into());
        put("target", self.target.clone().into());
        put("session", self.session.clone().into());
        put("run", self.run.clone().into());
        put("command_id", self.command_id.clone().into());
        put("command", self.command.clone().into());
        if self.is_cut() {
            put("command_bytes", self.command_bytes.into());
        }
        put("state", self.state.clone().into());
        put("exit_code", self.exit_code.into());
        put("failed", self.failed.into());
        put("duration_ms", self.duration_ms.into());
        put("output_bytes", self.output_bytes.into());
        put("decision", self.decision.clone().into());
        put("rule", self.rule.clone().into());
        if !self.why.is_empty() {
            put("reason", self.why.clone().into());
        }
        Value::Object(fields)
    }

    /// Is a part of the command missing?
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.command.len() as u64 != self.command_bytes
    }

    /// The command in one line that moves no cursor and hides nothing.
    #[must_use]
    pub fn line(&self) -> String {
        let line = one_line(&self.command);
        let short: String = line.chars().take(HISTORY_LINE_CHARS).collect();
        if self.is_cut() || short.len() < line.len() { format!("{short}...") } else { short }
    }

    /// The words of how it ended.
    #[must_use]
    pub fn outcome(&self) -> String {
        let mut words = vec![self.state.clone()];
        words.extend(self.exit_code.map(|code| format!("exit={code}")));
        if self.failed {
            words.push("FAILED".to_owned());
        }
        words.join(" ")
    }
}

/// Control characters and what cannot be seen written out: the text moves no cursor and reads as it stands.
#[must_use]
pub fn one_line(text: &str) -> String {
    let line: String = text.chars().flat_map(|ch| if ch.is_control() { ch.escape_default().collect() } else { vec![ch] }).collect();
    escaped(&line)
}
