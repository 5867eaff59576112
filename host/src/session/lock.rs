//! Who may type into a session: agents and people, people alone, or one agent.
//!
//! People are never kept out: the device is theirs. While a person types, agents wait; a lock that a person took is taken away by
//! nobody else than a person; and what a person has stopped everywhere ([`Halt`]) beats all.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::atomic;
use crate::author::{Author, AuthorKind};
use crate::limits::{LOCK_DEFAULT, LOCK_MAX, TYPING_LEASE};

/// Who may type into a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Agents and people.
    #[default]
    Everyone,
    /// People alone.
    People,
    /// One agent alone, and people, who are never kept out.
    OneAgent,
}

/// Who may type into a session, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockState {
    /// Who may.
    pub rule: Rule,
    /// Who took the lock, or is typing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Author>,
    /// It ends in so many seconds, if it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
    /// A person is typing right now: agents wait as long as this lasts.
    #[serde(default)]
    pub typing: bool,
}

/// Why somebody may not type now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// A sentence: who, how long, what to do.
    pub why: String,
    /// It is over then, if nobody types on: worth waiting for.
    pub until: Option<Instant>,
}

/// All input of agents, in every session: stopped by a person, or not.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<Halted>);

#[derive(Debug, Default)]
struct Halted {
    stand: Mutex<Stand>,
    /// Where it is kept for all processes of the account, also those that start later.
    file: OnceLock<PathBuf>,
}

#[derive(Debug, Default)]
struct Stand {
    /// Who stopped it, as far as it is known here.
    by: Option<String>,
    /// The file says how it is: any process of the account may have changed it since.
    is_kept: bool,
}

impl Halt {
    /// From now on kept in this file, which says how it is in every process that has the same one.
    pub fn keep_in(&self, file: PathBuf) {
        // A process has one such file.
        self.stand().is_kept |= self.0.file.set(file).is_ok();
    }

    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.0.stand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops it, or lets it go on with `None`.
    pub fn set(&self, by: Option<String>) {
        // Here at once, however long the disk takes.
        *self.stand() = Stand { by: by.clone(), is_kept: false };
        let Some(file) = self.0.file.get() else { return };
        match Self::write(file, by.as_deref()) {
            Ok(()) => self.stand().is_kept = true,
            Err(error) => crate::diagnostics::warn(&format!("no other process hears of it: `{}`: {error}", file.display())),
        }
    }

    /// Writes the file for all processes, or removes it.
    ///
    /// # Errors
    ///
    /// When that cannot be done.
    pub fn write(file: &Path, by: Option<&str>) -> io::Result<()> {
        match by {
            Some(by) => atomic::write(file, by.as_bytes(), 0o600),
            None => std::fs::remove_file(file).or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }),
        }
    }

    /// Why an agent is kept out, if it is; `what` was not done for it.
    #[must_use]
    pub fn refuses(&self, what: &str) -> Option<String> {
        self.by().map(|who| format!("{who} has stopped all input of agents; {what}. Ask them; only a person can let it go on"))
    }

    /// Who stopped it.
    #[must_use]
    pub fn by(&self) -> Option<String> {
        let mut stand = self.stand();
        if let Some(file) = self.0.file.get().filter(|_| stand.is_kept) {
            match std::fs::read_to_string(file) {
                Ok(by) => stand.by = Some(by),
                Err(error) if error.kind() == io::ErrorKind::NotFound => stand.by = None,
                // It is as it was when it could be read.
                Err(_) => {}
            }
        }
        stand.by.clone()
    }
}

/// A session's lock. Every part of the process that knows the session has the same one.
#[derive(Debug, Clone, Default)]
pub struct InputLock(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    halt: Halt,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    taken: Option<Taken>,
    /// The person who typed last, and until when that counts.
    typing: Option<(Author, Instant)>,
    /// A command runs: what ends by itself does not end meanwhile.
    is_busy: bool,
}

#[derive(Debug)]
struct Taken {
    by: Author,
    /// The agent that may type; none where people alone may.
    agent: Option<Author>,
    lease: Option<Lease>,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    length: Duration,
    until: Instant,
}

impl Kept {
    /// Forgets what is over.
    fn at(&mut self, now: Instant) -> &mut Self {
        if self.typing.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.typing = None;
        }
        let is_over = |taken: &Taken| taken.lease.is_some_and(|lease| lease.until <= now);
        if !self.is_busy && self.taken.as_ref().is_some_and(is_over) {
            self.taken = None;
        }
        self
    }

    fn renew(&mut self, now: Instant) {
        if let Some(Taken { lease: Some(lease), .. }) = &mut self.taken {
            lease.until = now.checked_add(lease.length).unwrap_or(lease.until);
        }
    }
}

fn seconds(until: Instant, now: Instant) -> u64 {
    u64::try_from(until.saturating_duration_since(now).as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

impl InputLock {
    /// An open lock under this halt.
    #[must_use]
    pub fn under(halt: Halt) -> Self {
        Self(Arc::new(Shared { halt, ..Shared::default() }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something may have changed for who waits.
    pub fn wake(&self) {
        self.0.changed.notify_one();
    }

    /// Waits for a change.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// May this author type now?
    ///
    /// # Errors
    ///
    /// Who keeps the author out, and how long.
    pub fn check(&self, by: &Author, now: Instant) -> Result<(), Held> {
        if by.kind != AuthorKind::Agent {
            return Ok(());
        }
        if let Some(why) = self.0.halt.refuses("nothing was typed") {
            return Err(Held { why, until: None });
        }
        let mut kept = self.kept();
        let kept = kept.at(now);
        if let Some(taken) = kept.taken.as_ref().filter(|taken| taken.agent.as_ref() != Some(by)) {
            let whose = match &taken.agent {
                None => "for people alone".to_owned(),
                Some(agent) if *agent == taken.by => "for itself".to_owned(),
                Some(agent) => format!("for {agent} alone"),
            };
            let (how_long, until) = match taken.lease {
                Some(_) if kept.is_busy => (" while a command runs there".to_owned(), None),
                Some(lease) => (format!(" for {} s more unless it is used", seconds(lease.until, now)), Some(lease.until)),
                None => (String::new(), None),
            };
            // Without an end, waiting does not help.
            let ask = if taken.lease.is_none() { ". Ask them; only a person can give it back" } else { "" };
            let why = format!("{} has this session's input {whose}{how_long}; nothing was typed{ask}", taken.by);
            return Err(Held { why, until: until.filter(|_| taken.agent.is_some()) });
        }
        if let Some((person, until)) = &kept.typing {
            let why =
                format!("{person} is typing here; nothing was typed. It is free again in {} s unless they go on", seconds(*until, now));
            return Err(Held { why, until: Some(*until) });
        }
        Ok(())
    }

    /// Has a person stopped this author's input for good? Who. What runs for the author goes no further then; that somebody types, or an
    /// agent has the lock, only keeps new commands out.
    #[must_use]
    pub fn stops(&self, by: &Author, now: Instant) -> Option<String> {
        if by.kind != AuthorKind::Agent {
            return None;
        }
        if let Some(who) = self.0.halt.by() {
            return Some(format!("{who} has stopped all input of agents: nothing more was typed"));
        }
        let mut kept = self.kept();
        let taken = kept.at(now).taken.as_ref().filter(|taken| taken.by.is_person() && taken.agent.as_ref() != Some(by))?;
        Some(format!("{} has taken this session's input: nothing more was typed", taken.by))
    }

    /// Takes the lock for an agent, or for people alone. Without a length it lasts until a person gives it back; an agent's has one.
    ///
    /// # Errors
    ///
    /// When somebody else has it whom the author cannot overrule.
    pub fn take(&self, by: &Author, agent: Option<Author>, length: Option<Duration>, now: Instant) -> Result<(), String> {
        let agent = if by.is_person() { agent } else { Some(by.clone()) };
        let length = if by.is_person() { length } else { Some(length.unwrap_or(LOCK_DEFAULT).min(LOCK_MAX)) };
        {
            let mut kept = self.kept();
            let kept = kept.at(now);
            if let Some(taken) = kept.taken.as_ref().filter(|taken| taken.by != *by && !by.is_person()) {
                let left = taken.lease.map(|lease| format!(", for {} s more unless it is used", seconds(lease.until, now)));
                return Err(format!("{} has it already{}", taken.by, left.unwrap_or_default()));
            }
            if let Some((person, _)) = kept.typing.as_ref().filter(|_| !by.is_person()) {
                return Err(format!("{person} is typing here; wait until they are done"));
            }
            // What is longer than time can be told has no end.
            let lease = length.and_then(|length| Some(Lease { length, until: now.checked_add(length)? }));
            kept.taken = Some(Taken { by: by.clone(), agent, lease });
        }
        self.wake();
        Ok(())
    }

    /// Gives the lock back. A person takes it from anybody; an agent from another agent if it is forced.
    ///
    /// # Errors
    ///
    /// When it is another's.
    pub fn release(&self, by: &Author, force: bool, now: Instant) -> Result<(), String> {
        {
            let mut kept = self.kept();
            let kept = kept.at(now);
            if let Some(taken) = &kept.taken {
                let may = by.is_person() || taken.by == *by || force && !taken.by.is_person();
                if !may && taken.by.is_person() {
                    return Err(format!("{} has the lock; an agent cannot take it away, ask them", taken.by));
                }
                if !may {
                    return Err(format!("{} has the lock; action=force_release takes it away", taken.by));
                }
            }
            kept.taken = None;
            if by.is_person() {
                // Handing back ends what their typing has kept others from.
                kept.typing = None;
            }
        }
        self.wake();
        Ok(())
    }

    /// Somebody has typed: that renews what is theirs, and a person's typing keeps agents out for a while.
    pub fn on_typed(&self, by: &Author, now: Instant) {
        let mut kept = self.kept();
        let kept = kept.at(now);
        if by.is_person() {
            kept.typing = Some((by.clone(), now + TYPING_LEASE));
        }
        if kept.taken.as_ref().is_some_and(|taken| taken.by == *by) {
            kept.renew(now);
        }
    }

    /// A person who had typed has gone.
    pub fn on_left(&self, by: &Author) {
        let mut kept = self.kept();
        if kept.typing.as_ref().is_some_and(|(typing, _)| typing == by) {
            kept.typing = None;
            drop(kept);
            self.wake();
        }
    }

    /// A command runs, or has ended: leases last as long as it does, and for their length after it.
    pub fn set_busy(&self, is_busy: bool, now: Instant) {
        let mut kept = self.kept();
        if kept.is_busy != is_busy {
            kept.is_busy = is_busy;
            kept.renew(now);
        }
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self, now: Instant) -> LockState {
        let mut kept = self.kept();
        let kept = kept.at(now);
        let typing = kept.typing.as_ref();
        match &kept.taken {
            Some(taken) => LockState {
                rule: if taken.agent.is_some() { Rule::OneAgent } else { Rule::People },
                holder: Some(taken.by.clone()),
                seconds_left: taken.lease.filter(|_| !kept.is_busy).map(|lease| seconds(lease.until, now)),
                typing: typing.is_some(),
            },
            None => LockState {
                rule: Rule::Everyone,
                holder: typing.map(|(by, _)| by.clone()),
                seconds_left: typing.map(|(_, until)| seconds(*until, now)),
                typing: typing.is_some(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
