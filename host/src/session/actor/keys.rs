//! What is typed at a session key by key: the line that it makes up, what of it may be left over, and what waits for its prompt.

use std::collections::VecDeque;
use std::time::Instant;

use super::leftover::Leftover;
use super::{Actor, Author, now};
use crate::limits::{KEYS_KEPT, KEYS_KEPT_MAX};
use crate::policy::keys::LineAssembler;

/// Keys, and what they have made so far.
#[derive(Default)]
pub(super) struct Keys {
    /// The line that is being typed.
    pub(super) line: LineAssembler,
    /// How much of that was typed before the last command ended, in bytes: what ran may have taken it.
    pub(super) ahead: usize,
    /// What people have typed into the first moments of a caller's command: it may be meant for the prompt behind it.
    pub(super) kept: VecDeque<(Author, Vec<u8>)>,
    pub(super) leftover: Leftover,
}

impl Keys {
    /// A command has ended: what was typed so far may have been for it.
    pub(super) fn on_prompt(&mut self) {
        self.ahead = self.line.length();
        self.leftover.on_prompt(self.line.is_untouched());
    }

    /// Keeps what a person types for later.
    fn keep(&mut self, who: Author, bytes: Vec<u8>) -> Result<(), String> {
        if self.kept.len() >= KEYS_KEPT_MAX {
            return Err("too much was typed ahead; nothing more is taken for a moment".to_owned());
        }
        self.kept.push_back((who, bytes));
        Ok(())
    }
}

impl Actor {
    /// Bytes that a person types now, or a moment later.
    pub(super) async fn on_persons_keys(&mut self, who: Author, bytes: Vec<u8>) -> Result<(), String> {
        self.profile.commons.lock.on_typed(&who, now());
        if self.keys.kept.is_empty() && self.keys_wait_until().is_none_or(|until| until <= now()) {
            return Box::pin(self.on_person(who, bytes)).await;
        }
        self.keys.keep(who, bytes)
    }

    /// Until when keys wait: a command of an agent has just begun and asks nothing, or the session is being set up. Who types then
    /// means the prompt that they have seen.
    fn keys_wait_until(&self) -> Option<Instant> {
        if self.setup_from.is_some() {
            return Some(now() + KEYS_KEPT);
        }
        let running = self.machine.running().filter(|running| !running.manual && running.asked.is_none())?;
        // Each step of a command that goes through modes is one of the machine's: who types behind the first means what they see.
        Some(self.begun_at(running) + KEYS_KEPT)
    }

    /// When keys that were kept are typed in any case.
    pub(super) fn keys_kept_until(&self) -> Option<Instant> {
        if self.keys.kept.is_empty() { None } else { self.keys_wait_until() }
    }

    /// Types what was kept, once it may be.
    pub(super) async fn type_kept(&mut self) {
        while !self.keys.kept.is_empty() && self.ended.is_none() && self.keys_wait_until().is_none_or(|until| until <= now()) {
            let Some((who, bytes)) = self.keys.kept.pop_front() else { return };
            if let Err(why) = Box::pin(self.on_person(who, bytes)).await {
                crate::diagnostics::warn(&format!("session `{}`: what a person typed was not: {why}", self.profile.id));
            }
        }
        if self.keys.kept.is_empty() {
            self.go_on_waiting().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_pieces_of_typing_wait() {
        let mut keys = Keys::default();
        let mut keep = || keys.keep(Author::runtime(), b"x".to_vec());
        assert!((0..KEYS_KEPT_MAX).all(|_| keep().is_ok()));
        assert!(keep().unwrap_err().contains("too much was typed ahead"));
    }

    #[test]
    fn what_was_typed_while_a_command_ran_stands_ahead_of_what_comes() {
        let mut keys = Keys::default();
        let _ = keys.line.on_typed(b"ls");
        assert_eq!(keys.ahead, 0);
        keys.on_prompt();
        let _ = keys.line.on_typed(b" /");
        assert_eq!((keys.ahead, keys.line.pending().text.as_str()), (2, "ls /"));
    }
}
