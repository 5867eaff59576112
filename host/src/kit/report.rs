//! What came of the checks.

use serde_json::{Value, json};

use super::KIT_VERSION;
use super::subject::Subject;
use crate::limits::KIT_PROBLEMS_MAX;
use crate::plugin::grants::{CONTRACT, TRACK};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
    /// There was nothing to try it on.
    NotTested,
}

impl State {
    /// The word of the report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotTested => "not tested",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// How it ended.
    pub state: State,
    /// How many cases were tried.
    pub cases: u64,
    /// What was tried, or why nothing was.
    pub about: String,
    /// What is wrong, the first ones.
    pub problems: Vec<String>,
    /// All that is wrong.
    pub wrong: u64,
}

impl Check {
    /// A check that has not tried anything yet.
    #[must_use]
    pub fn new(name: &'static str, about: &str) -> Self {
        Self { name, state: State::Passed, cases: 0, about: about.to_owned(), problems: Vec::new(), wrong: 0 }
    }

    /// One that cannot be tried.
    #[must_use]
    pub fn not_tested(name: &'static str, why: &str) -> Self {
        Self { state: State::NotTested, ..Self::new(name, why) }
    }

    /// Counts a case.
    pub fn case(&mut self, result: Result<(), String>) {
        self.cases += 1;
        if let Err(problem) = result {
            self.problem(problem);
        }
    }

    /// Something is wrong.
    pub fn problem(&mut self, problem: String) {
        self.state = State::Failed;
        self.wrong += 1;
        if self.problems.len() < KIT_PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    /// The same, or not tested when there was no case.
    #[must_use]
    pub fn or_not_tested(self, why: &str) -> Self {
        if self.cases == 0 && self.state == State::Passed { Self { state: State::NotTested, about: why.to_owned(), ..self } } else { self }
    }
}

/// Figures of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The function.
    pub function: &'static str,
    /// How many calls.
    pub calls: usize,
    /// Half of the calls take no more: nanoseconds or instructions.
    pub p50: u64,
    /// 99 of 100 take no more.
    pub p99: u64,
    /// The most.
    pub max: u64,
}

/// How many random views reached a role: the host would have asked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The role.
    pub role: &'static str,
    /// Views whose last row its triggers know; without triggers, those with text in it.
    pub asked: u32,
    /// How often it then had something to say: a prompt, a page, a question or a step.
    pub answered: u32,
}

/// The whole report.
#[derive(Debug, Clone)]
pub struct Report {
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// Its digest.
    pub digest: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// The checks.
    pub checks: Vec<Check>,
    /// Nanoseconds of calls.
    pub times: Vec<Figures>,
    /// Instructions of calls.
    pub fuel: Vec<Figures>,
    /// Random views that were shown.
    pub views: u32,
    /// How many of them reached each role that is shown views.
    pub reached: Vec<Reached>,
    /// The most linear memory that an instance had, in bytes.
    pub memory_bytes: usize,
    /// Recordings that say nothing about the plugin, and why.
    pub left_out: Vec<String>,
}

impl Report {
    /// An empty one.
    #[must_use]
    pub fn new(subject: &Subject) -> Self {
        Self {
            plugin: subject.name.clone(),
            version: subject.checked.manifest.version.clone(),
            digest: subject.checked.digest.clone(),
            roles: subject.checked.roles.iter().filter(|role| *role != "setup").cloned().collect(),
            checks: Vec::new(),
            times: Vec::new(),
            fuel: Vec::new(),
            views: 0,
            reached: Vec::new(),
            memory_bytes: 0,
            left_out: Vec::new(),
        }
    }

    /// Adds a check.
    pub fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Counts a view that reached a role.
    pub fn reach(&mut self, role: &'static str, answered: bool) {
        if !self.reached.iter().any(|reached| reached.role == role) {
            self.reached.push(Reached { role, asked: 0, answered: 0 });
        }
        if let Some(reached) = self.reached.iter_mut().find(|reached| reached.role == role) {
            reached.asked += 1;
            reached.answered += u32::from(answered);
        }
    }

    /// Has nothing failed?
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.state != State::Failed)
    }

    /// As JSON, for a file that goes with a release.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let check = |check: &Check| {
            json!({"check": check.name, "state": check.state.word(), "cases": check.cases, "about": check.about,
                   "wrong": check.wrong, "problems": check.problems})
        };
        let figures = |list: &[Figures]| -> Vec<Value> {
            let one = |one: &Figures| json!({"function": one.function, "calls": one.calls, "p50": one.p50, "p99": one.p99, "max": one.max});
            list.iter().map(one).collect()
        };
        let reached = |one: &Reached| json!({"role": one.role, "asked": one.asked, "answered": one.answered});
        json!({
            "kit": KIT_VERSION, "host": env!("CARGO_PKG_VERSION"), "contract": format!("{CONTRACT} {}", TRACK.trim_end_matches('.')),
            "plugin": self.plugin, "version": self.version, "digest": format!("sha256:{}", self.digest), "roles": self.roles,
            "passed": self.passed(), "checks": self.checks.iter().map(check).collect::<Vec<_>>(),
            "views": self.views, "reached": self.reached.iter().map(reached).collect::<Vec<_>>(),
            "nanoseconds": figures(&self.times), "instructions": figures(&self.fuel), "memory_bytes": self.memory_bytes,
            "left_out": self.left_out,
        })
    }
}
