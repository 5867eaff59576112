//! What sessions tell the journal: who ran what, what policy said, and how it ended.
//!
//! Telling it never waits and never fails: a note that does not fit into the queue is counted, and the operator is told once.
//! Notes carry a command as the caller gave it; whoever writes them masks it with [`Receiving::masks`] first. They never carry
//! what a device said.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, oneshot, watch};

use super::command::{self, Ending};
use crate::ids::{CommandId, SessionId};
use crate::limits::HISTORY_QUEUE;
use crate::plugin::roles::Effect;
use crate::policy::{Verdict, effect_word};
use crate::secret::Secret;
use crate::secret::prints::Prints;

/// How far an entry of the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was typed and has not ended.
    Running,
    /// It ended by itself.
    Done,
    /// It ended after somebody asked for it.
    Interrupted,
    /// Its line or its process ended first.
    Lost,
    /// Policy said no.
    Denied,
    /// Policy wants a person to agree.
    ApprovalNeeded,
}

impl State {
    /// The word in a result.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Interrupted => "interrupted",
            Self::Lost => "lost",
            Self::Denied => "denied",
            Self::ApprovalNeeded => "approval_needed",
        }
    }
}

impl From<command::State> for State {
    fn from(state: command::State) -> Self {
        match state {
            command::State::Running | command::State::NeedsInput => Self::Running,
            command::State::Done => Self::Done,
            command::State::Interrupted => Self::Interrupted,
            command::State::Lost | command::State::Unstarted => Self::Lost,
        }
    }
}

/// What somebody asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When policy had decided.
    pub at: SystemTime,
    /// Who.
    pub who: String,
    /// Where.
    pub session: SessionId,
    /// The command as it was given: not masked yet.
    pub text: String,
    /// Why, as its caller said; empty where it said nothing. Not masked yet either.
    pub why: String,
    /// What policy decided.
    pub decision: &'static str,
    /// By which rule.
    pub rule: String,
}

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Done, interrupted or lost.
    pub state: State,
    /// Exit status, where the device tells it.
    pub exit_code: Option<i32>,
    /// It failed, as far as anybody can tell.
    pub failed: bool,
    /// How long it took.
    pub duration: Duration,
    /// Bytes that the device sent for it, as the terminal has them.
    pub output_bytes: u64,
}

impl Ended {
    /// At a terminal; `failure` says that it failed whatever its status is.
    #[must_use]
    pub fn of(ending: &Ending, failure: Option<&String>) -> Self {
        let state = State::from(ending.state);
        let failed = failure.is_some() || ending.status.is_some_and(|status| status != 0) || state == State::Lost;
        let output_bytes = ending.pieces.iter().map(|(start, end)| end.saturating_sub(*start)).sum();
        Self { state, exit_code: ending.status, failed, duration: ending.duration, output_bytes }
    }
}

/// Something for the journal.
#[derive(Debug)]
pub enum Note {
    /// A command was let through and is typed.
    Begun(CommandId, Asked),
    /// A command was refused.
    Refused(State, Asked),
    /// A command has ended.
    Ended(CommandId, Ended),
    /// Answer when everything before is written.
    Flush(oneshot::Sender<()>),
    /// Write what is there, and no more.
    Finish(oneshot::Sender<()>),
}

/// How the journal fares.
#[derive(Debug, Default)]
pub struct Health {
    dropped: AtomicU64,
    told: AtomicBool,
    trouble: watch::Sender<Option<String>>,
}

impl Health {
    /// So many notes are not in the journal.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// What is wrong now.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// So many notes were lost; why. The operator is told the first time.
    pub fn on_trouble(&self, why: &str, lost: u64) {
        self.dropped.fetch_add(lost, Ordering::Relaxed);
        self.trouble.send_replace(Some(why.to_owned()));
        if !self.told.swap(true, Ordering::Relaxed) {
            crate::diagnostics::warn(&format!("the history is incomplete: {why}; commands run as usual"));
        }
    }

    /// Notes are written again.
    pub fn on_recovered(&self) {
        self.trouble.send_if_modified(|trouble| trouble.take().is_some());
    }
}

/// The sessions' end of the way to the journal. The default leads nowhere.
#[derive(Clone, Default)]
pub struct Journal(Option<Open>);

#[derive(Clone)]
struct Open {
    notes: mpsc::Sender<Note>,
    masks: Arc<watch::Sender<Prints>>,
    health: Arc<Health>,
    worker: Arc<OnceLock<Thread>>,
}

/// The writer's end.
pub struct Receiving {
    /// The notes, in order.
    pub notes: mpsc::Receiver<Note>,
    /// Every secret that the process has used so far.
    pub masks: watch::Receiver<Prints>,
    /// Where to say how it goes.
    pub health: Arc<Health>,
    /// Who takes the notes, once it runs: it may sleep between two looks, and is woken for those who wait.
    pub worker: Arc<OnceLock<Thread>>,
}

impl std::fmt::Debug for Receiving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiving").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Journal").field(&self.0.is_some()).finish()
    }
}

impl Journal {
    /// Both ends of a way.
    #[must_use]
    pub fn open() -> (Self, Receiving) {
        let (notes, received) = mpsc::channel(HISTORY_QUEUE);
        let (masks, seen) = watch::channel(Prints::default());
        let health = Arc::<Health>::default();
        let worker = Arc::<OnceLock<Thread>>::default();
        let open = Open { notes, masks: Arc::new(masks), health: Arc::clone(&health), worker: Arc::clone(&worker) };
        (Self(Some(open)), Receiving { notes: received, masks: seen, health, worker })
    }

    /// How it fares, if there is one.
    #[must_use]
    pub fn health(&self) -> Option<&Health> {
        self.0.as_ref().map(|open| open.health.as_ref())
    }

    /// This value is masked from now on, also in commands that are on their way.
    pub fn learn(&self, name: &str, secret: &Secret) {
        if let Some(open) = &self.0 {
            open.masks.send_if_modified(|masks| masks.learn(name, secret));
        }
    }

    /// A command is typed.
    pub fn begun(&self, id: CommandId, session: &SessionId, who: &str, text: &str, verdict: &Verdict) {
        self.note(|| Note::Begun(id, asked(session, who, text, verdict)));
    }

    /// Policy has decided: a refusal is noted.
    pub fn judged(&self, session: &SessionId, who: &str, text: &str, verdict: &Verdict) {
        let state = match verdict.decision.effect {
            Effect::Allow => return,
            Effect::Ask => State::ApprovalNeeded,
            Effect::Deny | Effect::Abstain => State::Denied,
        };
        self.note(|| Note::Refused(state, asked(session, who, text, verdict)));
    }

    /// A command has ended; `failure` says that it failed whatever its status is.
    pub fn ended(&self, ending: &Ending, failure: Option<&String>) {
        self.ended_as(ending.id, Ended::of(ending, failure));
    }

    /// A command has ended in this way.
    pub fn ended_as(&self, id: CommandId, ended: Ended) {
        self.note(|| Note::Ended(id, ended));
    }

    fn note(&self, note: impl FnOnce() -> Note) {
        let Some(open) = &self.0 else { return };
        match open.notes.try_send(note()) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                open.health.on_trouble(&format!("{HISTORY_QUEUE} notes wait for the disk, which is the most"), 1);
            }
            Err(mpsc::error::TrySendError::Closed(_)) => open.health.on_trouble("its thread has ended", 1),
        }
    }

    /// Waits until everything said so far is written, at most so long.
    pub async fn flush(&self, limit: Duration) {
        self.ask(Note::Flush, limit).await;
    }

    /// The last word.
    pub async fn finish(&self, limit: Duration) {
        self.ask(Note::Finish, limit).await;
    }

    async fn ask(&self, note: impl FnOnce(oneshot::Sender<()>) -> Note, limit: Duration) {
        let Some(open) = &self.0 else { return };
        let (reply, answer) = oneshot::channel();
        let asking = async {
            if open.notes.send(note(reply)).await.is_ok() {
                open.worker.get().inspect(|worker| worker.unpark());
                // A thread that has ended has nothing to wait for.
                let _ = answer.await;
            }
        };
        // What is not written by then is told by the health.
        let _ = tokio::time::timeout(limit, asking).await;
    }
}

fn asked(session: &SessionId, who: &str, text: &str, verdict: &Verdict) -> Asked {
    Asked {
        at: SystemTime::now(),
        who: who.to_owned(),
        session: session.clone(),
        text: text.to_owned(),
        why: verdict.why.clone(),
        decision: effect_word(verdict.decision.effect),
        rule: verdict.decision.rule.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::roles::Decision;

    fn verdict(effect: Effect) -> Verdict {
        Verdict::of(Decision { effect, rule: "a.rule".to_owned(), reason: String::new() })
    }

    #[test]
    fn a_full_queue_delays_nobody_and_is_counted() {
        let (journal, receiving) = Journal::open();
        let session = SessionId::main("web1");
        for _ in 0..HISTORY_QUEUE + 3 {
            journal.begun(CommandId::next(), &session, "test", "true", &verdict(Effect::Allow));
        }
        let health = journal.health().unwrap();
        assert_eq!(health.dropped(), 3);
        assert!(health.trouble().unwrap().contains("wait for the disk"));
        drop(receiving);
        journal.judged(&session, "test", "true", &verdict(Effect::Deny));
        assert_eq!(health.dropped(), 4);
    }

    #[test]
    fn only_refusals_are_noted_when_policy_has_decided() {
        let (journal, mut receiving) = Journal::open();
        let session = SessionId::main("web1");
        for effect in [Effect::Allow, Effect::Ask, Effect::Deny] {
            journal.judged(&session, "test", "true", &verdict(effect));
        }
        let mut states = Vec::new();
        while let Ok(Note::Refused(state, asked)) = receiving.notes.try_recv() {
            states.push((state, asked.decision));
        }
        assert_eq!(states, [(State::ApprovalNeeded, "ask"), (State::Denied, "deny")]);
    }
}
