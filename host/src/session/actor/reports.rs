//! What a caller is told: a command's output so far, the session's log, the screen.

use std::time::Duration;

use super::{Actor, CommandId, Report, ScreenReport, State, Travel, now, removed};
use crate::screen::Screen;
use crate::session::command::Running;
use crate::session::journey::Outcome;
use crate::session::report::OutputQuery;
use crate::session::view::Ready;

impl Actor {
    pub(super) fn screen_report(&mut self, since: Option<u64>) -> ScreenReport {
        let stream = self.machine.stream();
        let screen = self.screen.get_or_insert_with(|| Screen::replay(stream.log(), self.profile.size));
        let mut report = screen.report(since, self.profile.hidden());
        let known = self.profile.redactor();
        report.rows.iter_mut().for_each(|(_, text)| *text = known.text(text));
        report
    }

    pub(super) fn report(&self, query: &OutputQuery) -> Result<Report, String> {
        match query.command {
            Some(id) => self.command_report(id, query),
            None => {
                let log = self.machine.stream().log();
                let pieces = if query.raw { vec![(log.start(), log.end())] } else { self.machine.shown_log() };
                let (text, range) = self.profile.output(&self.source(), &pieces, query)?;
                let ask = self.asked();
                let state = match (&ask, self.machine.running()) {
                    (Some(_), _) => State::NeedsInput,
                    (None, Some(_)) => State::Running,
                    (None, None) => State::Done,
                };
                let mut blank = self.blank(self.machine.ready());
                blank.warnings.extend(removed(range.removed));
                Ok(Report { state, output: text, range, ask, ..blank })
            }
        }
    }

    fn command_report(&self, id: CommandId, query: &OutputQuery) -> Result<Report, String> {
        let record = self.records.of(id).ok_or_else(|| self.records.unknown(&self.profile.id, id))?;
        let ready = record.ending.as_ref().map_or_else(|| self.machine.ready(), |ending| ending.ready.as_ref());
        let blank = Report {
            command: Some(id),
            rule: Some(record.rule.clone()),
            warnings: record.witness.warning.iter().cloned().collect(),
            ..self.blank(ready)
        };
        let Some(ending) = &record.ending else { return self.running_report(blank, query) };
        let (text, range) = self.profile.output(&self.source(), &ending.pieces, query)?;
        let exit_code = ending.status;
        Ok(Report {
            state: ending.state,
            exit_code,
            failed: record.failure.is_some() || exit_code.is_some_and(|code| code != 0) || ending.state.is_lost(),
            failure: record.failure.as_deref().map(|failure| self.profile.shown(failure)),
            output: text,
            range,
            duration: ending.duration,
            confidence: ready.map(|ready| ready.proof.clone()),
            ask: None,
            warnings: self.warnings(&ending.warnings, &blank, range.removed),
            journey: record.journey.clone().map(|journey| self.shown_journey(journey)),
            ..blank
        })
    }

    fn running_report(&self, blank: Report, query: &OutputQuery) -> Result<Report, String> {
        let Some(running) = self.machine.running() else { return Ok(blank) };
        let pieces = self.pieces_so_far(running);
        let (text, range) = self.profile.output(&self.source(), &pieces, query)?;
        let ask = self.asked();
        Ok(Report {
            state: if ask.is_some() { State::NeedsInput } else { State::Running },
            output: text,
            range,
            duration: now().saturating_duration_since(self.begun_at(running)),
            ask,
            warnings: self.warnings(running.warnings(), &blank, range.removed),
            ..blank
        })
    }

    /// The parts of the log that are a running command's output: those of the lines that have ended, and what the one that runs has
    /// brought. Between them stand prompts and echoes, which are no output while it runs either.
    fn pieces_so_far(&self, running: &Running) -> Vec<(u64, u64)> {
        let mut pieces = self.travel.as_ref().map(Travel::pieces).unwrap_or_default();
        pieces.extend(&running.pieces);
        let stream = self.machine.stream();
        // Of a later line nothing is output before its echo was seen, and of the first one not while it is all that came.
        let is_first = pieces.is_empty() && running.typed <= 1 && !self.machine.is_echoing();
        let start = stream.output_start().or_else(|| (is_first || stream.is_echoed()).then(|| running.behind_pieces()));
        match start {
            Some(start) => pieces.push((start, stream.log().end())),
            None if pieces.is_empty() => pieces.push((running.log_start, running.log_start)),
            None => {}
        }
        pieces
    }

    /// What the caller of a command should know: its own warnings first.
    fn warnings(&self, own: &[String], blank: &Report, secrets_removed: usize) -> Vec<String> {
        own.iter().chain(&blank.warnings).chain(&self.note).cloned().chain(removed(secrets_removed)).collect()
    }

    /// Kind and text of what is asked now.
    fn asked(&self) -> Option<(String, String)> {
        self.machine.question().map(|question| (question.kind.clone(), self.profile.shown(&question.text)))
    }

    /// What the device said of single lines, as callers are shown it.
    fn shown_journey(&self, mut journey: Outcome) -> Outcome {
        for error in &mut journey.errors {
            error.error = self.profile.shown(&error.error);
        }
        journey
    }

    /// What is the same in every report, at this prompt.
    fn blank(&self, ready: Option<&Ready>) -> Report {
        Report {
            command: None,
            state: State::Running,
            exit_code: None,
            failed: false,
            failure: None,
            output: String::new(),
            range: Default::default(),
            errors: None,
            duration: Duration::ZERO,
            idle: self.machine.quiet(now()),
            prompt: ready.map(|ready| ready.prompt.clone()).unwrap_or_default(),
            cwd: ready.and_then(|ready| ready.cwd.clone()),
            mode: ready.map(|ready| ready.mode.clone()).unwrap_or_default(),
            confidence: None,
            ask: None,
            warnings: self.machine.stream().log().failure().map(|error| format!("older output is not kept: {error}")).into_iter().collect(),
            rule: None,
            journey: None,
        }
    }
}
