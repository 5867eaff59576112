//! What somebody left unfinished at the prompt: it is taken back before a caller's command, which would else become part of it.

use std::collections::VecDeque;
use std::time::Instant;

use super::{Actor, Author, CommandId, Effect, Intent, RunRequest, Started, now};
use crate::limits::{ERASE_MAX, TYPED_AHEAD_SETTLE};
use crate::policy;
use crate::policy::keys::LineAssembler;

/// What may stand at the prompt.
#[derive(Debug, Default)]
pub(super) struct Leftover {
    /// Somebody has typed since the last command of a caller.
    touched: bool,
    /// Whole lines were typed into what ran: what has not taken them leaves them to the shell.
    lines_ahead: bool,
    /// An agent has typed at the prompt and has not sent it: it stands there, whether the device shows it or not.
    stands: bool,
    /// The keys that empty the line were pressed, and have effect until then or never.
    erased: Option<Instant>,
    /// The terminal has answered while a command ran. If that has not asked but shown a file that asks, the answer is left to the shell,
    /// which may not show it.
    answered: bool,
}

impl Leftover {
    /// Somebody types. Whole lines, while something runs, may be left to the prompt behind it.
    pub(super) fn on_typed(&mut self, lines_ahead: bool) {
        self.touched = true;
        self.lines_ahead |= lines_ahead;
        self.erased = None;
    }

    /// What an agent has typed at the prompt so far.
    pub(super) fn on_unsent(&mut self) {
        self.stands = true;
    }

    /// The terminal has answered what runs.
    pub(super) fn on_answered(&mut self) {
        self.answered = true;
    }

    /// A command has ended. Behind its prompt nobody has typed yet.
    pub(super) fn on_prompt(&mut self, nothing_typed: bool) {
        self.touched &= self.lines_ahead || !nothing_typed;
    }
}

impl Actor {
    /// Nothing of a line stands there now.
    pub(super) fn forget_typed(&mut self) {
        (self.keys.line, self.keys.ahead) = (LineAssembler::default(), 0);
        self.keys.leftover.stands = false;
    }

    /// Makes sure that the next command is typed at an empty prompt. `None` when it is; else what to do for it, or nothing but wait.
    pub(super) async fn take_back(&mut self) -> Option<Vec<Effect>> {
        let effects = self.take_back_typed().await;
        // The keys that empty the line come before the command in any case, and do nothing where nothing stands.
        if effects.is_none() && std::mem::take(&mut self.keys.leftover.answered) && self.profile.kind.clear_line.is_some() {
            self.on_intent(&Intent::Erase);
        }
        effects
    }

    async fn take_back_typed(&mut self) -> Option<Vec<Effect>> {
        let at = now();
        if self.keys.leftover.lines_ahead {
            let left = TYPED_AHEAD_SETTLE.saturating_sub(self.machine.quiet(at));
            if !left.is_zero() {
                return Some(self.wait_for_line(at + left));
            }
        }
        if self.machine.is_at_prompt() {
            return self.take_back_unseen(at).await;
        }
        if !self.keys.leftover.touched {
            return None;
        }
        if !self.machine.has_unfinished_line() {
            // What they started still goes on.
            return Some(self.wait_for_line(at + ERASE_MAX));
        }
        match self.keys.leftover.erased {
            Some(until) if at < until => Some(self.wait_for_line(until)),
            None if self.profile.kind.clear_line.is_some() => {
                self.keys.leftover.erased = Some(at + ERASE_MAX);
                self.on_intent(&Intent::Erase);
                Some(self.wait_for_line(at + ERASE_MAX))
            }
            // The row is as it was, or the device type has no such keys.
            _ => Some(self.cancel_line()),
        }
    }

    /// The row shows nothing behind the prompt. That says enough, unless something stands there that the device does not show.
    async fn take_back_unseen(&mut self, at: Instant) -> Option<Vec<Effect>> {
        if self.keys.leftover.erased.take().is_some() {
            self.forget_typed();
        }
        if self.keys.line.is_untouched() {
            return None;
        }
        // Perhaps it is only not shown yet.
        let left = TYPED_AHEAD_SETTLE.saturating_sub(self.machine.quiet(at));
        if !left.is_zero() {
            return Some(self.wait_for_line(at + left));
        }
        // Keys that leave nothing, such as those that empty the line.
        let pending = self.keys.line.pending();
        let is_nothing = pending.text.is_empty() && pending.raw.is_none() && !pending.unknown;
        // What was typed into the last command has most likely been taken by it.
        let stands = self.keys.leftover.stands && !is_nothing || Box::pin(self.changes_the_next()).await;
        stands.then(|| self.cancel_line())
    }

    /// Would policy say more of the next command if what was typed into the last one had not been taken, and stood before it?
    async fn changes_the_next(&self) -> bool {
        let before = self.keys.line.pending();
        let Some(request) = self.waiting.first(|request| self.may_now(request)) else { return false };
        let alone = self.judge(request).await;
        for text in [Some(&before.text), before.raw.as_ref()].into_iter().flatten() {
            let unknown = before.unknown || request.unknown;
            let joined = RunRequest { text: format!("{text}{}", request.text), unknown, ..request.clone() };
            if self.judge(&joined).await.is_stricter_than(&alone) {
                return true;
            }
        }
        false
    }

    fn wait_for_line(&mut self, until: Instant) -> Vec<Effect> {
        self.held_until = Some(until);
        Vec::new()
    }

    /// The cancel key is a line of its own: the prompt behind it proves that nothing of the line is left.
    fn cancel_line(&mut self) -> Vec<Effect> {
        let text = self.machine.shown_line();
        self.forget_typed();
        self.keys.leftover = Leftover::default();
        let caller = Author::runtime().to_string();
        let lines: VecDeque<_> =
            policy::intent(&Intent::Cancel { tried: 0 }, &self.profile.kind, self.profile.filling()).into_iter().collect();
        let id = CommandId::next();
        let started = Started { id, caller, text, lines, goal: None, limit: None, one_prompt: false, manual: true };
        let effects = self.machine.on_run(now(), started);
        self.machine.on_cancel_typed(now());
        effects
    }
}
