//! What sessions and plugins say to each other, in the host's words.
//!
//! Answers have the shape of the contract's present track. The view is the host's own: each plugin is shown it with
//! its own hits and memo.

use std::sync::Arc;

use super::bindings::jackfield::plugin::types as contract;
use super::manifest::Role;

pub use contract::{Decision, Effect, Exchange, Fact, Failure, Lane, Page, Question, Reading, Ready, Request, Step};

/// What a session is doing, as a view says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No prompt was accepted yet.
    Login,
    /// A send of `prepare` runs.
    Setup,
    /// Nothing runs.
    Idle,
    /// A command runs.
    Running,
    /// A goal is carried through.
    Goal,
}

impl Phase {
    /// The contract's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Setup => "setup",
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Goal => "goal",
        }
    }
}

/// A trigger that matches the last row. It borrows the trigger's names and the row's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit<'a> {
    /// Whom it concerns.
    pub role: Role,
    /// The trigger's name.
    pub trigger: &'a str,
    /// Named groups and what they captured.
    pub captures: Vec<Fact<'a>>,
}

/// The lists of a view as one plugin sees it, in the contract's shape: the shown view borrows them.
#[derive(Debug)]
pub struct Lists<'a> {
    hits: Vec<contract::Hit<'a>>,
    marks: Vec<&'a str>,
    facts: Vec<Fact<'a>>,
}

/// What is shown of a session. The fields are those of the contract's `view`.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Counts changes; an answer to an older view is dropped.
    pub revision: u64,
    /// The last row.
    pub tail: String,
    /// The rows before.
    pub recent: String,
    /// Marks since the last line was typed.
    pub marks: Vec<String>,
    /// What the session is doing.
    pub phase: Phase,
    /// The last accepted prompt.
    pub prompt: Option<String>,
    /// Its mode.
    pub mode: String,
    /// What runs.
    pub command: String,
    /// The typed line came back.
    pub echoed: bool,
    /// Rows completed so far. Plugins are not told.
    pub rows_done: u64,
    /// Bytes since something was typed.
    pub bytes_since_send: u64,
    /// Silence so far.
    pub quiet_ms: u32,
    /// Silence proposed.
    pub settle_ms: u32,
    /// The running goal.
    pub goal: Option<String>,
    /// More about the session.
    pub facts: Vec<(&'static str, Arc<str>)>,
}

impl View {
    /// Its lists, with one plugin's hits.
    #[must_use]
    pub fn lists<'a>(&'a self, hits: &'a [Hit<'a>]) -> Lists<'a> {
        let facts = self.facts.iter().map(|(name, value)| Fact { name, value });
        let goal = self.goal.iter().map(|goal| Fact { name: "goal", value: goal });
        Lists {
            hits: hits.iter().map(|hit| contract::Hit { trigger: hit.trigger, captures: &hit.captures }).collect(),
            marks: self.marks.iter().map(String::as_str).collect(),
            facts: facts.chain(goal).collect(),
        }
    }

    /// As one plugin sees it. Nothing is copied: it is shown for every row that hits a trigger.
    #[must_use]
    pub fn shown<'a>(&'a self, lists: &'a Lists<'a>, memo: &'a [u8]) -> contract::View<'a> {
        contract::View {
            tail: &self.tail,
            recent: &self.recent,
            hits: &lists.hits,
            marks: &lists.marks,
            phase: self.phase.word(),
            prompt: self.prompt.as_deref(),
            mode: &self.mode,
            command: &self.command,
            echoed: self.echoed,
            bytes_since_send: self.bytes_since_send,
            quiet_ms: self.quiet_ms,
            settle_ms: self.settle_ms,
            facts: &lists.facts,
            memo,
        }
    }
}
