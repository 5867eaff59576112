//! What people did in a session that its agents have not been told: each is told once, with its next answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::author::Author;
use crate::limits::{CALLERS_MAX, HANDOVER_LINES_MAX};

/// What stands for what a terminal does not show.
pub const HIDDEN: &str = "[hidden]";

/// A line that somebody typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypedLine {
    /// Who.
    #[serde(serialize_with = "as_text")]
    pub by: Author,
    /// What, as far as the terminal shows it.
    pub text: String,
}

fn as_text<S: serde::Serializer>(author: &Author, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(author)
}

/// What an agent is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The lines, the oldest first.
    pub lines: Vec<TypedLine>,
    /// Older lines that are not kept.
    pub left_out: u64,
    /// Where what came out begins in the log.
    pub start: u64,
    /// Where it ends; none while it goes on.
    pub end: Option<u64>,
}

/// What is kept for the agents of a session.
#[derive(Debug, Default)]
pub struct Handover {
    /// Grows with each line; 0 while nobody but agents has typed.
    latest: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<Entry>,
    /// Per agent the last line that it was told.
    told: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    line: TypedLine,
    start: u64,
    end: Option<u64>,
}

impl Handover {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A person has typed a line; what comes out begins at `start` of the log.
    pub fn typed(&self, line: TypedLine, start: u64) {
        let mut kept = self.kept();
        let number = self.latest.load(Ordering::Relaxed) + 1;
        for entry in kept.lines.iter_mut().filter(|entry| entry.end.is_none()) {
            entry.end = Some(start);
        }
        if kept.lines.len() >= HANDOVER_LINES_MAX {
            kept.lines.pop_front();
        }
        kept.lines.push_back(Entry { number, line, start, end: None });
        self.latest.store(number, Ordering::Release);
    }

    /// An agent's command begins at `end` of the log: what people did has come out before.
    pub fn agent_begins(&self, end: u64) {
        if self.latest.load(Ordering::Relaxed) > 0 {
            self.kept().lines.iter_mut().filter(|entry| entry.end.is_none()).for_each(|entry| entry.end = Some(end.max(entry.start)));
        }
    }

    /// Is there something that this agent was not told? Costs next to nothing where people have not typed.
    #[must_use]
    pub fn has_news(&self, agent: &str) -> bool {
        let latest = self.latest.load(Ordering::Acquire);
        latest > 0 && self.kept().told.get(agent).is_none_or(|told| *told < latest)
    }

    /// Takes what this agent was not told.
    pub fn take(&self, agent: &str) -> Option<News> {
        let mut kept = self.kept();
        let latest = self.latest.load(Ordering::Acquire);
        if kept.told.len() >= CALLERS_MAX && !kept.told.contains_key(agent) {
            // Should that agent come back, it is told again what is still kept.
            let oldest = kept.told.iter().min_by_key(|(_, told)| **told).map(|(name, _)| name.clone());
            oldest.and_then(|name| kept.told.remove(&name));
        }
        let told = kept.told.insert(agent.to_owned(), latest).unwrap_or(0);
        let new: Vec<&Entry> = kept.lines.iter().filter(|entry| entry.number > told).collect();
        let (first, last) = (new.first()?, new.last()?);
        Some(News {
            left_out: first.number - told - 1,
            start: first.start,
            end: last.end,
            lines: new.iter().map(|entry| entry.line.clone()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> TypedLine {
        TypedLine { by: Author::person("anna"), text: text.to_owned() }
    }

    #[test]
    fn each_agent_is_told_once_and_exactly_what_it_missed() {
        let handover = Handover::default();
        assert!(!handover.has_news("a"));
        handover.typed(line("one"), 10);
        handover.typed(line("two"), 20);
        handover.agent_begins(30);
        let news = handover.take("a").unwrap();
        assert_eq!((news.lines, news.start, news.end, news.left_out), (vec![line("one"), line("two")], 10, Some(30), 0));
        assert!(!handover.has_news("a") && handover.has_news("b"));
        handover.typed(line("three"), 40);
        let news = handover.take("a").unwrap();
        assert_eq!((news.lines, news.start, news.end), (vec![line("three")], 40, None));
        assert_eq!(handover.take("b").unwrap().lines.len(), 3);
        assert_eq!(handover.take("b"), None);
    }

    #[test]
    fn so_many_agents_are_remembered_and_the_one_told_longest_ago_goes_first() {
        let handover = Handover::default();
        for number in 0..2 * CALLERS_MAX as u64 {
            handover.typed(line("x"), number);
            handover.take(&format!("agent {number}"));
        }
        assert_eq!(handover.kept().told.len(), CALLERS_MAX);
        let last = 2 * CALLERS_MAX - 1;
        assert!(!handover.has_news(&format!("agent {last}")));
        assert!(!handover.kept().told.contains_key(&format!("agent {}", CALLERS_MAX - 1)));
        assert!(handover.kept().told.contains_key(&format!("agent {CALLERS_MAX}")));
    }

    #[test]
    fn what_is_too_old_is_counted() {
        let handover = Handover::default();
        for number in 0..HANDOVER_LINES_MAX as u64 + 5 {
            handover.typed(line("x"), number);
        }
        let news = handover.take("a").unwrap();
        assert_eq!((news.lines.len(), news.left_out, news.start), (HANDOVER_LINES_MAX, 5, 5));
    }
}
