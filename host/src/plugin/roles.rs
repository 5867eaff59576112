//! What sessions and plugins say to each other, in the host's words.
//!
//! Answers have the shape of the contract's present track. The view is the host's own: each plugin is shown it with
//! its own hits and memo.

use super::bindings::jackfield::plugin::types as contract;

pub use contract::{Decision, Effect, Exchange, Failure, Lane, Page, Question, Reading, Ready, Request, Step};

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

/// A trigger that matches the last row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The trigger's name.
    pub trigger: String,
    /// Named groups and what they captured.
    pub captures: Vec<(String, String)>,
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
    pub facts: Vec<(String, String)>,
}

impl View {
    /// As one plugin sees it.
    #[must_use]
    pub fn for_plugin(&self, hits: &[Hit], memo: &[u8]) -> contract::View {
        let fact = |(name, value): &(String, String)| contract::Fact { name: name.clone(), value: value.clone() };
        let mut facts: Vec<contract::Fact> = self.facts.iter().map(fact).collect();
        if let Some(goal) = &self.goal {
            facts.push(contract::Fact { name: "goal".to_owned(), value: goal.clone() });
        }
        let hits = hits
            .iter()
            .map(|hit| contract::Hit { trigger: hit.trigger.clone(), captures: hit.captures.iter().map(fact).collect() })
            .collect();
        contract::View {
            tail: self.tail.clone(),
            recent: self.recent.clone(),
            hits,
            marks: self.marks.clone(),
            phase: self.phase.word().to_owned(),
            prompt: self.prompt.clone(),
            mode: self.mode.clone(),
            command: self.command.clone(),
            echoed: self.echoed,
            bytes_since_send: self.bytes_since_send,
            quiet_ms: self.quiet_ms,
            settle_ms: self.settle_ms,
            facts,
            memo: memo.to_vec(),
        }
    }
}
