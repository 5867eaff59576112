//! What takes time: silence, output that goes on, questions to the terminal.

use regex::Regex;

use super::super::keys::is_one_of;
use super::super::spec::{Query, Repeat};
use super::{Device, Entry, State};

/// Output that goes on.
#[derive(Debug)]
pub(super) struct Repeating {
    rule: Repeat,
    pub(super) due_ms: u64,
    done: u64,
    pub(super) count: Option<u64>,
}

impl Device {
    pub(super) fn wait(&mut self, until_ms: u64) -> bool {
        if self.is_cancelled() {
            self.cancel();
            return true;
        }
        if self.now_ms < until_ms {
            return self.stay(State::Waiting(until_ms));
        }
        true
    }

    pub(super) fn start_repeat(&mut self, rule: Repeat) {
        let count = rule.count.as_ref().and_then(|count| self.fill(count).parse().ok());
        self.state = State::Repeating(Box::new(Repeating { rule, due_ms: self.now_ms, done: 0, count }));
    }

    pub(super) fn repeat(&mut self, mut repeating: Box<Repeating>) -> bool {
        let stopped = self.is_cancelled() || std::iter::from_fn(|| self.next_key()).any(|key| repeating.stops(&key));
        if stopped {
            self.entries.push(Entry::Stopped);
            self.tasks.clear();
            self.write(&repeating.rule.stopped);
        }
        if stopped || repeating.count.is_some_and(|count| repeating.done >= count) {
            return self.end_repeat(&repeating.rule, stopped);
        }
        if self.now_ms < repeating.due_ms {
            return self.stay(State::Repeating(repeating));
        }
        if repeating.needs_head() {
            let head = self.fill(repeating.rule.head.as_deref().unwrap_or_default());
            self.write_line(&head);
        }
        self.values.insert("i".to_owned(), repeating.done.to_string());
        repeating.done += 1;
        self.values.insert("n".to_owned(), repeating.done.to_string());
        let piece = self.fill(&repeating.rule.template);
        if repeating.rule.newline {
            self.write_line(&piece)
        } else {
            self.write(&piece)
        }
        repeating.due_ms = self.now_ms.saturating_add(repeating.rule.every_ms.max(1));
        self.state = State::Repeating(repeating);
        true
    }

    fn end_repeat(&mut self, rule: &Repeat, stopped: bool) -> bool {
        if !rule.newline && !stopped {
            self.write_line("");
        }
        if let Some(end) = &rule.end {
            self.print_now(end);
        }
        true
    }

    pub(super) fn start_query(&mut self, query: &Query) {
        let Ok(answer) = Regex::new(&query.answer) else { return };
        if self.login.no_queries || self.exec {
            return;
        }
        self.write(&query.ask);
        self.state = State::Querying { answer, until_ms: self.now_ms.saturating_add(query.timeout_ms), held: Vec::new() };
    }

    pub(super) fn query(&mut self, answer: Regex, until_ms: u64, mut held: Vec<u8>) -> bool {
        let mut answered = self.now_ms >= until_ms;
        while let (false, Some(key)) = (answered, self.next_key()) {
            answered = std::str::from_utf8(&key).is_ok_and(|key| answer.is_match(key));
            if !answered {
                held.extend(key);
            }
        }
        if !answered {
            return self.stay(State::Querying { answer, until_ms, held });
        }
        held.into_iter().rev().for_each(|byte| self.input.push_front(byte));
        true
    }
}

impl Repeating {
    fn stops(&self, key: &[u8]) -> bool {
        is_one_of(key, &self.rule.stop)
    }

    fn needs_head(&self) -> bool {
        let again = self.rule.head_every > 0 && self.done.is_multiple_of(self.rule.head_every);
        self.rule.head.is_some() && (self.done == 0 || again)
    }
}
