//! The deadlines of a session, by name.

use std::time::Instant;

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// A prompt plugin asked for more silence.
    Settle,
    /// A row that may be a question has to stand for a while.
    Question,
    /// The typed line did not come back.
    Echo,
    /// The first prompt did not come.
    Login,
    /// The command has run as long as its caller allowed.
    Kill,
    /// No prompt came behind the cancel key.
    Cancel,
    /// No prompt came behind a line typed after login.
    Setup,
    /// The command has not shown its start, and its caller has typed something for it.
    Held,
}

const KINDS: [Timer; 8] =
    [Timer::Settle, Timer::Question, Timer::Echo, Timer::Login, Timer::Kill, Timer::Cancel, Timer::Setup, Timer::Held];

/// One deadline at most of each kind.
#[derive(Debug, Clone, Default)]
pub struct Timers {
    due: [Option<Instant>; KINDS.len()],
}

impl Timers {
    /// Sets a deadline, in place of the former one.
    pub fn set(&mut self, timer: Timer, at: Instant) {
        self.change(timer, Some(at));
    }

    /// Removes a deadline.
    pub fn clear(&mut self, timer: Timer) {
        self.change(timer, None);
    }

    fn change(&mut self, timer: Timer, at: Option<Instant>) {
        for (kind, due) in KINDS.iter().zip(&mut self.due) {
            if *kind == timer {
                *due = at;
            }
        }
    }

    /// The nearest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.due.iter().flatten().min().copied()
    }

    /// Takes one that has passed.
    pub fn pop(&mut self, now: Instant) -> Option<Timer> {
        let (kind, due) = KINDS.iter().zip(&mut self.due).find(|(_, due)| due.is_some_and(|at| at <= now))?;
        *due = None;
        Some(*kind)
    }
}
