//! What a session remembers of its commands: the newest ones, as many as there is room for.

use std::collections::VecDeque;

use tokio::sync::watch;

use super::{CommandId, Ending, State, Witness};
use crate::limits::{COMMANDS_KEPT, COMMANDS_KEPT_BYTES};
use crate::session::journey::{LineError, Outcome};

/// Those that stay whatever they take: one that has ended is still to be told of where the next one has begun.
const STAY: usize = 2;

/// What is remembered of a command. Its text is in the journal and in the record of the audit, and nobody asks for it here.
pub(super) struct Record {
    pub(super) id: CommandId,
    pub(super) state: watch::Sender<State>,
    pub(super) ending: Option<Ending>,
    pub(super) failure: Option<String>,
    pub(super) rule: (String, String),
    pub(super) journey: Option<Outcome>,
    pub(super) witness: Witness,
    /// Where it begins in the recording.
    pub(super) cast_from: f64,
}

impl Record {
    /// What its end has brought: one of many lines has a place for each of them, and perhaps an error.
    fn bytes(&self) -> usize {
        let Some(ending) = &self.ending else { return 0 };
        let texts = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        let journey = self.journey.as_ref().map_or(0, |journey| {
            let errors = journey.errors.iter().map(|error| size_of::<LineError>() + error.line.len() + error.error.len());
            errors.sum::<usize>() + size_of_val(journey.pieces.as_slice()) + texts(&journey.warnings)
        });
        journey + size_of_val(ending.pieces.as_slice()) + texts(&ending.warnings) + self.failure.as_ref().map_or(0, String::len)
    }
}

/// The commands that are remembered, the oldest first.
#[derive(Default)]
pub(super) struct Records {
    kept: VecDeque<Record>,
    /// What those that have ended take.
    bytes: usize,
}

impl Records {
    pub(super) fn of(&self, id: CommandId) -> Option<&Record> {
        self.kept.iter().rev().find(|record| record.id == id)
    }

    pub(super) fn of_mut(&mut self, id: CommandId) -> Option<&mut Record> {
        self.kept.iter_mut().rev().find(|record| record.id == id)
    }

    /// A command begins.
    pub(super) fn begin(&mut self, record: Record) {
        self.kept.push_back(record);
        self.forget();
    }

    /// It has ended.
    pub(super) fn end(&mut self, id: CommandId, ending: Ending, failure: Option<String>) {
        let Some(record) = self.of_mut(id) else { return };
        (record.ending, record.failure) = (Some(Ending { text: String::new(), ..ending }), failure);
        let bytes = record.bytes();
        self.bytes += bytes;
        self.forget();
    }

    /// The oldest go that there is no room for.
    fn forget(&mut self) {
        while self.kept.len() > COMMANDS_KEPT || self.bytes > COMMANDS_KEPT_BYTES && self.kept.len() > STAY {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn begun() -> Record {
        Record {
            id: CommandId::next(),
            state: watch::channel(State::Running).0,
            ending: None,
            failure: None,
            rule: (String::new(), String::new()),
            journey: None,
            witness: Witness::default(),
            cast_from: 0.0,
        }
    }

    /// The end of a command of so many lines.
    fn ending(id: CommandId, lines: usize) -> Ending {
        Ending {
            id,
            state: State::Done,
            text: "x\n".repeat(lines),
            mode: String::new(),
            typed: lines,
            pieces: vec![(0, 0); lines],
            ready: None,
            status: None,
            failure: None,
            unsaid: None,
            duration: Duration::ZERO,
            secrets: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn run(records: &mut Records, lines: usize) -> CommandId {
        let record = begun();
        let id = record.id;
        records.begin(record);
        records.end(id, ending(id, lines), None);
        id
    }

    #[test]
    fn so_many_commands_are_remembered_and_none_with_its_text() {
        let mut records = Records::default();
        let ids: Vec<CommandId> = (0..=COMMANDS_KEPT).map(|_| run(&mut records, 1)).collect();
        assert!(records.of(ids[0]).is_none() && records.of(ids[1]).is_some());
        assert!(records.kept.iter().flat_map(|record| &record.ending).all(|ending| ending.text.is_empty()));
        assert_eq!(records.bytes, COMMANDS_KEPT * size_of::<(u64, u64)>());
    }

    #[test]
    fn the_oldest_commands_go_where_what_is_known_of_all_takes_too_much() {
        let mut records = Records::default();
        let most = COMMANDS_KEPT_BYTES / size_of::<(u64, u64)>();
        let (first, second) = (run(&mut records, most / 2), run(&mut records, most / 2));
        assert!(records.of(first).is_some(), "there is room for both");
        let third = run(&mut records, 1);
        assert!(records.of(first).is_none() && records.of(second).is_some() && records.of(third).is_some());
        // What has just ended is told, however much it is, also where the next one has begun.
        let huge = run(&mut records, most * 2);
        records.begin(begun());
        assert!(records.of(huge).is_some() && records.of(third).is_none());
        let last = run(&mut records, 1);
        assert!(records.of(huge).is_none() && records.of(last).is_some());
        assert!(records.bytes <= COMMANDS_KEPT_BYTES);
    }

    #[test]
    fn the_errors_of_lines_count_too() {
        let mut records = Records::default();
        let record = begun();
        let id = record.id;
        records.begin(record);
        let errors = vec![LineError { number: 1, line: "x".repeat(100), error: "y".repeat(50) }; 10];
        if let Some(record) = records.of_mut(id) {
            record.journey = Some(Outcome { errors, ..Outcome::default() });
        }
        records.end(id, ending(id, 0), Some("z".to_owned()));
        assert_eq!(records.bytes, 10 * (size_of::<LineError>() + 150) + 1);
    }
}
