//! What a session with a terminal remembers of a command.

use tokio::sync::watch;

use super::{CommandId, Ending, State, Witness};
use crate::session::journey::{LineError, Outcome};
use crate::session::records::Remembered;

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
    /// It has ended.
    pub(super) fn end(&mut self, ending: Ending, failure: Option<String>) {
        (self.ending, self.failure) = (Some(Ending { text: String::new(), ..ending }), failure);
    }
}

impl Remembered for Record {
    fn id(&self) -> CommandId {
        self.id
    }

    fn is_over(&self) -> bool {
        self.ending.is_some()
    }

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

    #[test]
    fn a_command_is_remembered_without_its_text() {
        let mut record = begun();
        assert!(!record.is_over() && record.bytes() == 0);
        record.end(ending(record.id, 3), None);
        assert!(record.is_over() && record.ending.as_ref().is_some_and(|ending| ending.text.is_empty()));
        assert_eq!(record.bytes(), 3 * size_of::<(u64, u64)>());
    }

    #[test]
    fn the_errors_of_lines_count_too() {
        let mut record = begun();
        let errors = vec![LineError { number: 1, line: "x".repeat(100), error: "y".repeat(50) }; 10];
        record.journey = Some(Outcome { errors, ..Outcome::default() });
        record.end(ending(record.id, 0), Some("z".to_owned()));
        assert_eq!(record.bytes(), 10 * (size_of::<LineError>() + 150) + 1);
    }
}
