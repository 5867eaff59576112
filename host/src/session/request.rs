//! What a session's task is asked: to look, or to act.

use tokio::sync::oneshot;

use super::audience::Watched;
use super::report::{Meanwhile, OutputQuery, Report, ScreenReport};
use super::{Accepted, Refusal, Renewal, RunRequest, SendRequest, Stop};
use crate::author::Author;
use crate::ids::CommandId;
use crate::policy::Verdict;

/// What a session is asked.
#[derive(Debug)]
pub(super) enum Request {
    /// Nothing is another afterwards, and nobody who waits for a change is woken.
    Look(Look),
    /// Something may be.
    Act(Act),
}

impl From<Look> for Request {
    fn from(look: Look) -> Self {
        Self::Look(look)
    }
}

impl From<Act> for Request {
    fn from(act: Act) -> Self {
        Self::Act(act)
    }
}

/// What somebody wants to know. A session that has ended tells it, too.
#[derive(Debug)]
pub(super) enum Look {
    Report(OutputQuery, oneshot::Sender<Result<Report, String>>),
    Screen(Option<u64>, oneshot::Sender<ScreenReport>),
    Meanwhile(String, oneshot::Sender<Option<Meanwhile>>),
    Judge(RunRequest, oneshot::Sender<Verdict>),
}

/// What somebody wants to be done.
#[derive(Debug)]
pub(super) enum Act {
    Run(RunRequest, oneshot::Sender<Result<Accepted, Refusal>>),
    Send(SendRequest, oneshot::Sender<Result<u64, Refusal>>),
    Stop(Stop, usize, Option<CommandId>, oneshot::Sender<Result<Sent, String>>),
    Watch(oneshot::Sender<Result<Watched, String>>),
    Person(Author, Vec<u8>, oneshot::Sender<Result<(), String>>),
    Resize((u16, u16), oneshot::Sender<Result<(), String>>),
    Renew(Box<Renewal>, oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

impl Act {
    /// Does somebody use the session? Then it is not closed as one that nobody uses.
    pub(super) fn is_use(&self) -> bool {
        !matches!(self, Self::Renew(..) | Self::Close(_))
    }

    /// Answers what a session that has ended no longer does.
    pub(super) fn refuse(self, why: &str) {
        let closed = || Refusal::Closed(why.to_owned());
        let sentence = || format!("the session is closed: {why}");
        match self {
            Self::Run(_, reply) => drop(reply.send(Err(closed()))),
            Self::Send(_, reply) => drop(reply.send(Err(closed()))),
            Self::Stop(_, _, _, reply) => drop(reply.send(Err(sentence()))),
            Self::Watch(reply) => drop(reply.send(Err(sentence()))),
            Self::Person(_, _, reply) | Self::Resize(_, reply) => drop(reply.send(Err(sentence()))),
            Self::Renew(_, reply) | Self::Close(reply) => {
                let _ = reply.send(());
            }
        }
    }
}

/// What was sent to stop a command.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) what: String,
    /// Whether it was, where that is only known later.
    pub(super) told: Option<oneshot::Receiver<Result<(), String>>>,
}

impl From<&str> for Sent {
    fn from(what: &str) -> Self {
        Self { what: what.to_owned(), told: None }
    }
}
