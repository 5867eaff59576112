//! Commands that wait for their turn, first in, first out.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::sync::oneshot;

use super::lock::Held;
use super::{Accepted, Refusal, RunRequest};
use crate::ids::SessionId;
use crate::limits::COMMANDS_QUEUED_MAX;

/// Where the answer to a command goes.
pub(super) type Reply = oneshot::Sender<Result<Accepted, Refusal>>;

/// The queue of a session.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<(RunRequest, Reply)>);

impl Queue {
    /// Adds a command, or tells its caller that there are too many. Who has stopped waiting leaves the queue.
    pub(super) fn add(&mut self, session: &SessionId, request: RunRequest, reply: Reply) {
        if self.0.len() >= COMMANDS_QUEUED_MAX {
            self.0.retain(|(_, reply)| !reply.is_closed());
        }
        if self.0.len() < COMMANDS_QUEUED_MAX {
            self.0.push_back((request, reply));
        } else {
            let crowded = format!("{COMMANDS_QUEUED_MAX} commands wait for `{session}` already; nothing was typed. Open another session");
            let _ = reply.send(Err(Refusal::Cannot(crowded)));
        }
    }

    /// Does nobody wait?
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first command whose caller still waits and may type.
    pub(super) fn next(&mut self, may: impl Fn(&RunRequest) -> bool) -> Option<(RunRequest, Reply)> {
        self.0.retain(|(_, reply)| !reply.is_closed());
        let at = self.0.iter().position(|(request, _)| may(request))?;
        self.0.remove(at)
    }

    /// The same one, which goes on waiting.
    pub(super) fn first(&self, may: impl Fn(&RunRequest) -> bool) -> Option<&RunRequest> {
        self.0.iter().filter(|(_, reply)| !reply.is_closed()).map(|(request, _)| request).find(|request| may(request))
    }

    /// Tells those who are kept from typing without an end in sight. When the next of the others may, if they are kept from it too, and
    /// whether somebody may now who still waits.
    pub(super) fn refuse_held(&mut self, check: impl Fn(&RunRequest) -> Result<(), Held>) -> (Option<Instant>, bool) {
        let (mut earliest, mut somebody): (Option<Instant>, bool) = (None, false);
        for (request, reply) in std::mem::take(&mut self.0) {
            match check(&request) {
                Err(Held { why, until: None }) => drop(reply.send(Err(Refusal::Cannot(why)))),
                Err(Held { until: Some(until), .. }) => {
                    earliest = Some(earliest.map_or(until, |earliest| earliest.min(until)));
                    self.0.push_back((request, reply));
                }
                Ok(()) => {
                    somebody |= !reply.is_closed();
                    self.0.push_back((request, reply));
                }
            }
        }
        (earliest, somebody)
    }

    /// Tells everybody that the session is closed.
    pub(super) fn close(&mut self, why: &str) {
        for (_, reply) in self.0.drain(..) {
            let _ = reply.send(Err(Refusal::Closed(why.to_owned())));
        }
    }
}

/// Who has gone while it was judged wants nothing typed any more.
pub(super) fn still_wanted(reply: &Reply) -> Result<(), Refusal> {
    if reply.is_closed() { Err(Refusal::Cannot("nobody waits for it any more; nothing was typed".to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Purpose;

    fn session() -> SessionId {
        SessionId::main("web1")
    }

    fn add(queue: &mut Queue, text: &str) -> oneshot::Receiver<Result<Accepted, Refusal>> {
        let (reply, answer) = oneshot::channel();
        queue.add(&session(), RunRequest::new(text, Purpose::Run, "test"), reply);
        answer
    }

    #[test]
    fn who_may_type_is_told_apart_from_who_is_kept_from_it() {
        let (mut queue, until) = (Queue::default(), Instant::now());
        let check = |request: &RunRequest| match request.text.as_str() {
            "may" => Ok(()),
            "later" => Err(Held { why: String::new(), until: Some(until) }),
            _ => Err(Held { why: "stopped".to_owned(), until: None }),
        };
        let (mut never, _later) = (add(&mut queue, "never"), add(&mut queue, "later"));
        assert_eq!(queue.refuse_held(check), (Some(until), false));
        assert!(matches!(never.try_recv(), Ok(Err(Refusal::Cannot(why))) if why == "stopped"));
        drop(add(&mut queue, "may"));
        assert_eq!(queue.refuse_held(check), (Some(until), false), "nobody waits for it any more");
        let _may = add(&mut queue, "may");
        assert_eq!(queue.refuse_held(check), (Some(until), true));
    }

    #[test]
    fn who_has_stopped_waiting_leaves_room() {
        let mut queue = Queue::default();
        let mut answers: Vec<_> = (0..COMMANDS_QUEUED_MAX).map(|n| add(&mut queue, &n.to_string())).collect();
        let Ok(Err(Refusal::Cannot(why))) = add(&mut queue, "late").try_recv() else { panic!("it was not refused") };
        assert!(why.contains("wait for `web1` already; nothing was typed"), "{why}");
        drop(answers.remove(0));
        drop(answers.remove(0));
        let mut kept = add(&mut queue, "kept");
        assert_eq!(queue.next(|_| true).map(|(request, _)| request.text).as_deref(), Some("2"));
        queue.close("the line is down");
        assert!(matches!(kept.try_recv(), Ok(Err(Refusal::Closed(why))) if why == "the line is down"));
        assert!(queue.next(|_| true).is_none());
    }
}
