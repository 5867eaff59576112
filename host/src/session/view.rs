//! What the machine shows plugins and what it hears back, in the session's own words.
//!
//! The same shapes as the contract's, but independent of its version: `plugin` translates.

pub use crate::plugin::roles::{Page, Phase, Question, Reading, Ready, Step, View};

/// A goal's next step.
#[derive(Debug, Clone, PartialEq)]
pub struct Stepping {
    /// The plugin that said it.
    pub plugin: String,
    /// The step.
    pub step: Step,
    /// The end of the last row, which it answers and which is no output.
    pub strip: String,
    /// The plugin has not said it, but failed.
    pub is_fault: bool,
}

/// The plugins' answer to one view: the first one that claims it, role by role.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readings {
    /// The view's revision.
    pub revision: u64,
    /// The running goal's next step.
    pub step: Option<Stepping>,
    /// A pager waits; the plugin that knows it.
    pub page: Option<(String, Page)>,
    /// The device asks something.
    pub question: Option<Question>,
    /// What the row reads like, where no plugin that knows the device takes it for a question or a prompt.
    pub guess: Option<Question>,
    /// What the prompt plugin makes of it.
    pub prompt: Option<Reading>,
    /// The row may be a pager's marker or a question, but nobody is sure yet: ask again after some silence.
    pub unsure: bool,
    /// A plugin failed and another one, or nobody, stood in for it.
    pub degraded: Option<String>,
}

impl Question {
    /// Is the answer one that nobody may see?
    #[must_use]
    pub fn wants_secret(&self) -> bool {
        matches!(self.kind.as_str(), "password" | "code" | "remote-password")
    }
}
