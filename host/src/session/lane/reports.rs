//! What a caller is told: a command's outputs so far, how the session is.

use std::time::Duration;

use super::streams::Side;
use super::{Lane, MODE, Open, Phase, Report, Status, now};
use crate::limits::OUTPUT_DEFAULT_CHARS;
use crate::session::records::Remembered as _;
use crate::session::render::Source;
use crate::session::report::OutputQuery;
use crate::session::report::removed;

/// Share of a reply's budget for standard error.
const ERRORS_SHARE: usize = 4;

impl Lane {
    pub(super) fn report(&self, query: &OutputQuery) -> Result<Report, String> {
        let Some(id) = query.command else {
            return Err(format!("`{}` has no terminal log; ask for a command by command_id", self.profile.id));
        };
        let record = self.records.of(id).ok_or_else(|| self.records.unknown(&self.profile.id, id))?;
        let shared = match &self.way {
            Open::Pipe(pipe) => Some(&pipe.streams),
            Open::Programs { .. } => None,
        };
        let Some(streams) = record.own.as_deref().or(shared) else { return Err("its output is gone".to_owned()) };
        let part = |side: &Side, (start, end): (u64, Option<u64>), query: &OutputQuery| {
            let stream = &side.stream;
            let start = if record.own.is_none() && end.is_none() { stream.output_start().unwrap_or(start).max(start) } else { start };
            let source = Source { mask: self.profile.hidden(), ..stream.source() };
            self.profile.output(&source, &[(start, end.unwrap_or_else(|| stream.log().end()).max(start))], query)
        };
        let wanted = if query.errors { (&streams.err, record.err) } else { (&streams.out, record.out) };
        let (text, range) = part(wanted.0, wanted.1, query)?;
        let (errors, errors_range) = if query.errors || query.offset.is_some() {
            Default::default()
        } else {
            let budget = query.max_chars.max(OUTPUT_DEFAULT_CHARS) / ERRORS_SHARE;
            part(
                &streams.err,
                record.err,
                &OutputQuery {
                    command: query.command,
                    errors: true,
                    max_chars: budget,
                    grep: query.grep.clone(),
                    context: query.context,
                    ..OutputQuery::default()
                },
            )?
        };
        let state = *record.state.borrow();
        Ok(Report {
            command: Some(id),
            state,
            exit_code: record.status,
            failed: record.is_over() && record.has_failed(state),
            failure: record.failure.as_deref().map(|failure| self.profile.shown(failure)),
            output: text,
            range,
            errors: Some((errors, errors_range.total)).filter(|_| !query.errors && query.offset.is_none()),
            duration: record.duration.unwrap_or_else(|| now().saturating_duration_since(record.started_at)),
            idle: Duration::ZERO,
            prompt: String::new(),
            cwd: record.cwd.clone(),
            mode: MODE.to_owned(),
            confidence: record.is_over().then(|| if record.own.is_some() { "protocol" } else { "mark" }.to_owned()),
            ask: None,
            warnings: record.warnings.iter().cloned().chain(removed(range.removed + errors_range.removed)).collect(),
            rule: Some(record.rule.clone()),
            journey: None,
        })
    }

    pub(super) fn publish(&self) {
        let (opening, cwd, pipe_bytes) = match &self.way {
            Open::Pipe(pipe) => (!pipe.is_open, pipe.cwd.clone(), pipe.streams.bytes()),
            Open::Programs { .. } => (false, None, 0),
        };
        self.profile.commons.lock.set_busy(self.running().is_some(), now());
        let own: u64 = self.records.iter().filter_map(|record| record.own.as_ref()).map(|own| own.bytes()).sum();
        let phase = match (&self.ended, self.running()) {
            (Some(why), _) => Phase::Closed(why.clone()),
            (None, _) if opening => Phase::Opening,
            (None, Some(id)) => Phase::Busy(id),
            (None, None) => Phase::Ready,
        };
        let (prompt, mode, log_bytes) = (String::new(), MODE.to_owned(), pipe_bytes + own);
        let status = Status { phase, prompt, mode, cwd, log_bytes, size: (0, 0), degraded: None };
        self.status.send_if_modified(|old| {
            let changed = (&old.phase, &old.cwd) != (&status.phase, &status.cwd);
            *old = status;
            changed
        });
    }
}
