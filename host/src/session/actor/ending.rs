//! How a command ends: its output is judged, and who waits for it is told.

use super::{Actor, CommandId, Effect, Ending, State, now};
use crate::plugin::roles::Exchange;
use crate::session::render::Source;

/// Characters of output that an outcome plugin is shown at each end.
const JUDGED_CHARS: usize = 4096;

impl Actor {
    pub(super) async fn on_ended(&mut self, mut ending: Ending) -> Vec<Effect> {
        self.keys.on_prompt();
        self.machine.on_typed_ahead(&self.keys.line.pending().text);
        self.lookup.give_up();
        let mut failure = ending.failure.take();
        if failure.is_none() && ending.status.is_none() && ending.state == State::Done {
            let (judged, degraded) = self.judge_outcome(&ending).await;
            failure = judged;
            // A dialog to other rights in the same mode is over for its plugin, whatever the device has said: it is refused.
            if failure.is_some() && ending.ready.as_ref().is_some_and(|ready| ready.mode == ending.mode) {
                ending.secrets.iter().for_each(|name| self.note_refused(name));
            }
            ending.warnings.extend(degraded);
        }
        failure = failure.or_else(|| ending.unsaid.take());
        if self.travel.is_some() {
            return Box::pin(self.go_on(ending, failure)).await;
        }
        self.conclude(ending, failure);
        Vec::new()
    }

    /// A command is over: who waits for it is told.
    pub(super) fn conclude(&mut self, mut ending: Ending, failure: Option<String>) {
        let state = ending.state;
        let id = ending.id;
        // A line that was taken back is nobody's command.
        let Some(record) = self.records.of(id) else { return };
        ending.warnings.extend(self.profile.commons.take_loss_before());
        ending.warnings.extend(self.doubt.take());
        let failed = failure.clone().or_else(|| ending.status.filter(|status| *status != 0).map(|status| format!("exit status {status}")));
        let failed = failed.or_else(|| (state == State::Lost).then(|| "the line ended while it ran".to_owned()));
        self.profile.commons.ended(failed.map(|why| self.profile.shown(&format!("{}: {why}", ending.text))));
        let recorded = self.cast.part(record.cast_from, now());
        self.profile.witness_end(&ending, failure.as_ref(), &record.witness, recorded);
        if let Some(record) = self.records.of_mut(id) {
            record.end(ending, failure);
        }
        self.records.ended(id);
        self.set_state(id, state);
        self.used_at = now();
    }

    /// The device has refused this secret.
    pub(super) fn note_refused(&self, name: &str) {
        self.profile.book.on_failure(&self.profile.id.device, name, now());
    }

    /// Why it failed, and what the caller should know.
    async fn judge_outcome(&self, ending: &Ending) -> (Option<String>, Option<String>) {
        let Some((head, tail)) = self.edges(ending) else { return (None, None) };
        let (command, mode, tail) = (&ending.text, &ending.mode, tail.as_ref().unwrap_or(&head));
        let exchange = Exchange { command, mode, head: &head, tail, status: ending.status };
        let (failure, degraded) = self.plugins.judge(&exchange).await;
        (failure.map(|failure| failure.line), degraded)
    }

    /// How its output begins, and how it ends where that is not all.
    fn edges(&self, ending: &Ending) -> Option<(String, Option<String>)> {
        let source = self.source();
        let (start, end) = (ending.pieces.first()?.0, ending.pieces.last()?.1);
        let head = source.from(start, end, JUDGED_CHARS).ok()?;
        let tail = (head.end < end).then(|| source.to(start, end, JUDGED_CHARS, usize::MAX)).transpose().ok()?;
        Some((head.text, tail.map(|tail| tail.text)))
    }

    pub(super) fn source(&self) -> Source<'_> {
        Source { mask: self.profile.hidden(), ..self.machine.stream().source() }
    }

    pub(super) fn set_state(&mut self, id: CommandId, state: State) {
        if let Some(record) = self.records.of(id) {
            record.state.send_replace(state);
        }
    }
}
