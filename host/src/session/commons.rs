//! What everybody at a session shares beside its line: who may type, what people did, a note, who opened it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use tokio::sync::watch;

use super::handover::Handover;
use super::lock::{Halt, InputLock};
use crate::author::Author;
use crate::ids::CommandId;
use crate::instant;
use crate::limits::{COMMANDS_KEPT, NOTE_MAX_BYTES};
use crate::terminal::text::first_bytes;

/// What everybody at a session shares.
#[derive(Debug, Default)]
pub struct Commons {
    /// Who may type.
    pub lock: InputLock,
    /// What people did that agents have not been told.
    pub handover: Handover,
    /// Who opened it.
    pub opened_by: OnceLock<Author>,
    /// It has a terminal that can be watched and typed into.
    pub has_terminal: bool,
    note: Mutex<String>,
    /// Its line was lost: nobody wanted it to end.
    line_lost: AtomicBool,
    /// Why it ended while nothing ran, so that nobody was told.
    loss: Mutex<Option<String>>,
    /// The same of the session of this name before it, until somebody is told.
    loss_before: Mutex<Option<String>>,
    activity: Mutex<Activity>,
    /// When commands began, and the log's end then.
    begun: Mutex<VecDeque<(CommandId, i64, u64)>>,
    /// Told of each turn of the session's task in which something may have changed.
    stirs: watch::Sender<()>,
}

/// What was done there last.
#[derive(Debug, Clone)]
pub struct Activity {
    /// The command that was started last.
    pub running: Option<Started>,
    /// What it asks.
    pub asks: Option<String>,
    /// How the last command that failed did so.
    pub last_error: Option<String>,
    /// When a command began or ended last.
    pub used_at: Instant,
}

impl Default for Activity {
    fn default() -> Self {
        Self { running: None, asks: None, last_error: None, used_at: Instant::now() }
    }
}

/// A command that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its number.
    pub id: CommandId,
    /// Its text, without secrets.
    pub text: String,
    /// Whose it is.
    pub by: Author,
    /// Since when.
    pub since: SystemTime,
}

impl Commons {
    /// Of a session whose agents a person can stop by this.
    #[must_use]
    pub fn under(halt: Halt, has_terminal: bool) -> Self {
        Self { lock: InputLock::under(halt), has_terminal, ..Self::default() }
    }

    fn activity_mut(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was done there last.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.activity_mut().clone()
    }

    /// Something of the session may be another now: those who wait for that are woken. Where nobody waits it costs next to nothing.
    pub fn stir(&self) {
        if self.stirs.receiver_count() > 0 {
            self.stirs.send_replace(());
        }
    }

    /// Hears of that from now on.
    #[must_use]
    pub fn stirs(&self) -> watch::Receiver<()> {
        self.stirs.subscribe()
    }

    /// A command begins.
    pub fn begun(&self, id: CommandId, text: String, by: Author, log_end: u64) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.len() >= COMMANDS_KEPT {
            begun.pop_front();
        }
        begun.push_back((id, instant::millis(SystemTime::now()), log_end));
        drop(begun);
        let running = Some(Started { id, text, by, since: SystemTime::now() });
        let mut activity = self.activity_mut();
        *activity = Activity { running, asks: None, last_error: activity.last_error.take(), used_at: Instant::now() };
    }

    /// Where the first command since this time, in milliseconds of Unix time, begins in the log.
    #[must_use]
    pub fn begun_since(&self, since_ms: i64) -> Option<u64> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        // What is older than all that is known begins where that does.
        begun.iter().find(|(_, at, _)| *at >= since_ms).or_else(|| begun.back()).map(|(.., log_end)| *log_end)
    }

    /// Is this command, if it was not too long ago, one of the session's?
    #[must_use]
    pub fn has_begun(&self, id: CommandId) -> bool {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|(known, ..)| *known == id)
    }

    /// It asks something, or does no longer.
    pub fn asks(&self, question: Option<String>) {
        self.activity_mut().asks = question;
    }

    /// It has ended; how it failed, if it did.
    pub fn ended(&self, failure: Option<String>) {
        let mut activity = self.activity_mut();
        activity.asks = None;
        activity.used_at = Instant::now();
        if failure.is_some() {
            activity.last_error = failure;
        }
    }

    /// It ends because its line was lost.
    pub fn lose_line(&self) {
        self.line_lost.store(true, Ordering::Release);
    }

    /// Did it end because its line was lost?
    #[must_use]
    pub fn has_lost_line(&self) -> bool {
        self.line_lost.load(Ordering::Acquire)
    }

    /// It ends, and no command is there whose result could say so.
    pub fn note_loss(&self, why: &str) {
        *self.loss.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    /// This session takes the place of another one of its name.
    pub fn follows(&self, before: &Self) {
        let loss = before.loss.lock().unwrap_or_else(PoisonError::into_inner).take();
        *self.loss_before.lock().unwrap_or_else(PoisonError::into_inner) = loss;
    }

    /// What the first command should tell: that it runs in another session than its caller thinks.
    #[must_use]
    pub fn take_loss_before(&self) -> Option<String> {
        let why = self.loss_before.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(format!(
            "the session before this one ended while nothing ran there ({why}): this is a new one, which knows nothing of its directory, variables and modes"
        ))
    }

    /// What people and agents should know of the session.
    #[must_use]
    pub fn note(&self) -> String {
        self.note.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets it; what is too long is cut.
    pub fn set_note(&self, text: &str) {
        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = first_bytes(text.trim(), NOTE_MAX_BYTES).to_owned();
    }
}
