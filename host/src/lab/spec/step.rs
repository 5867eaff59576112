//! The shape of a step: what a device does at a command, a key, an answer, a login.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Name;

/// Something that the device does. All keys are optional; they act in the order in which they stand here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct Step {
    /// What has to be typed (commands, keys, answers).
    #[serde(rename = "match")]
    pub(in super::super) patterns: Patterns,
    /// Modes in which it exists, all unless given.
    pub(in super::super) modes: Vec<Name>,
    /// Placeholders that must have these values.
    pub(in super::super) when: BTreeMap<String, String>,
    /// Silence first.
    pub(in super::super) delay_ms: u64,
    /// Bytes exactly as given, outside the pager.
    pub(in super::super) raw: Option<String>,
    /// Lines of output, through the pager.
    pub(in super::super) print: Option<String>,
    /// Lines of output made by rule, through the pager.
    pub(in super::super) generate: Option<Generate>,
    /// Output that goes on until a key.
    pub(in super::super) repeat: Option<Repeat>,
    /// A question to the terminal, not to the person.
    pub(in super::super) query: Option<Query>,
    /// New values of placeholders.
    pub(in super::super) set: BTreeMap<String, String>,
    /// New page height; 0 = no pages, empty = that of the terminal.
    pub(in super::super) rows: Option<String>,
    /// New width.
    pub(in super::super) columns: Option<String>,
    /// New mode.
    pub(in super::super) mode: Option<Name>,
    /// Another command line to run.
    pub(in super::super) run: Option<Run>,
    /// A message some time afterwards.
    pub(in super::super) later: Option<Later>,
    /// A question to the person.
    pub(in super::super) ask: Option<Name>,
    /// Further steps.
    pub(in super::super) then: Vec<Self>,
    /// Whether the line typed so far is dropped (keys).
    pub(in super::super) clear: bool,
    /// Exit status of an exec request.
    pub(in super::super) status: Option<u32>,
    /// Whether the session ends.
    pub(in super::super) close: bool,
}

/// One text or a list of texts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub(in super::super) enum Patterns {
    /// Nothing to be typed.
    #[default]
    None,
    /// One.
    One(String),
    /// Several with the same effect.
    Many(Vec<String>),
}

impl Patterns {
    /// All of them.
    pub(in super::super) fn all(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Lines made by rule: head, then the blocks in turn, cut where the tail has to begin.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Generate {
    /// How many lines there are together.
    pub(in super::super) lines: usize,
    /// First lines.
    #[serde(default)]
    pub(in super::super) head: String,
    /// Blocks of lines, used in turn; `{n}`, `{line}`, `{hi}`, `{lo}`, `{hex}` vary.
    pub(in super::super) block: Vec<String>,
    /// Last lines.
    #[serde(default)]
    pub(in super::super) tail: String,
}

/// Output that goes on until a key or a number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Repeat {
    /// Each piece; `{n}` counts from 1, `{i}` from 0.
    pub(in super::super) template: String,
    /// Time between two pieces.
    pub(in super::super) every_ms: u64,
    /// Whether a piece is a line.
    #[serde(default = "yes")]
    pub(in super::super) newline: bool,
    /// A heading line.
    pub(in super::super) head: Option<String>,
    /// After how many pieces the heading comes again, 0 = never.
    #[serde(default)]
    pub(in super::super) head_every: u64,
    /// How many pieces, for ever unless given.
    pub(in super::super) count: Option<String>,
    /// Keys that stop it, besides the cancel keys of the editor.
    #[serde(default)]
    pub(in super::super) stop: Vec<String>,
    /// Bytes written when it was stopped by a key.
    #[serde(default)]
    pub(in super::super) stopped: String,
    /// Lines at the end.
    pub(in super::super) end: Option<String>,
}

fn yes() -> bool {
    true
}

/// A question to the terminal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Query {
    /// Bytes sent.
    pub(in super::super) ask: String,
    /// Regular expression for the answer, one key.
    pub(in super::super) answer: String,
    /// How long the device waits for it.
    pub(in super::super) timeout_ms: u64,
}

/// Another command line to run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Run {
    /// The line.
    pub(in super::super) line: String,
    /// The mode that understands it.
    pub(in super::super) mode: Name,
}

/// A message some time afterwards.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Later {
    /// When.
    pub(in super::super) delay_ms: u64,
    /// What.
    pub(in super::super) print: String,
}
