//! Who waits for a turn, and who has gone.

use std::cell::Cell;
use std::future::{pending, ready};

use super::*;
use crate::limits::LOOK_EVERY;
use crate::policy;

/// A session of which this is the mailbox.
fn session() -> (SessionHandle, mpsc::Receiver<Request>) {
    let (requests, mailbox) = mpsc::channel(SESSION_MAILBOX);
    let (prompt, mode) = (String::new(), String::new());
    let status = Status { phase: Phase::Ready, prompt, mode, cwd: None, log_bytes: 0, size: (80, 24), degraded: None };
    let (id, kind, commons) = (SessionId::main("web1"), "linux".to_owned(), Arc::default());
    (SessionHandle { id, kind, welcome: Arc::default(), commons, requests, status: watch::channel(status).1 }, mailbox)
}

fn accepted() -> Accepted {
    let state = watch::channel(command::State::Running).1;
    Accepted { id: CommandId::next(), state, verdict: policy::person_verdict() }
}

fn command() -> RunRequest {
    RunRequest::new("reload", Purpose::Run, "test")
}

async fn asked(mailbox: &mut mpsc::Receiver<Request>) -> oneshot::Sender<Result<Accepted, Refusal>> {
    match mailbox.recv().await {
        Some(Request::Act(Act::Run(_, reply))) => reply,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn for_who_has_gone_nothing_is_even_asked() {
    let (handle, mut mailbox) = session();
    let refused = handle.run_unless(command(), ready("gone".to_owned())).await;
    assert_eq!(refused.unwrap_err(), Refusal::Cannot("gone".to_owned()));
    assert!(mailbox.try_recv().is_err());
}

#[tokio::test]
async fn what_has_begun_when_who_asked_goes_is_given_all_the_same() {
    let (handle, mut mailbox) = session();
    let (go, gone) = oneshot::channel();
    let begun = accepted();
    let id = begun.id;
    let device = async {
        let reply = asked(&mut mailbox).await;
        reply.send(Ok(begun)).unwrap();
        go.send("gone".to_owned()).unwrap();
    };
    let (taken, ()) = tokio::join!(handle.run_unless(command(), async { gone.await.unwrap() }), device);
    assert_eq!(taken.unwrap().id, id, "nobody would stop it");
}

/// To look for one may cost a timer.
#[tokio::test]
async fn once_it_has_begun_no_reason_against_it_is_looked_for() {
    let (handle, mut mailbox) = session();
    let (begun, is_looked_for) = (Cell::new(false), Cell::new(false));
    let reason = poll_fn(|_| {
        is_looked_for.set(is_looked_for.get() || begun.get());
        Poll::<String>::Pending
    });
    let device = async {
        asked(&mut mailbox).await.send(Ok(accepted())).unwrap();
        begun.set(true);
    };
    let (taken, ()) = tokio::join!(handle.run_unless(command(), reason), device);
    assert!(taken.is_ok() && !is_looked_for.get());
}

#[tokio::test]
async fn who_has_gone_is_answered_no_more() {
    let (handle, mut mailbox) = session();
    let (go, gone) = oneshot::channel();
    let device = async {
        let reply = asked(&mut mailbox).await;
        go.send("gone".to_owned()).unwrap();
        reply
    };
    let (taken, reply) = tokio::join!(handle.run_unless(command(), async { gone.await.unwrap() }), device);
    assert_eq!(taken.unwrap_err(), Refusal::Cannot("gone".to_owned()));
    assert!(reply.send(Ok(accepted())).is_err());
}

#[tokio::test]
async fn a_session_that_ends_says_so_to_those_who_wait() {
    let (handle, mut mailbox) = session();
    let device = async { drop(asked(&mut mailbox).await) };
    let (taken, ()) = tokio::join!(handle.run_unless(command(), pending()), device);
    assert!(matches!(taken.unwrap_err(), Refusal::Closed(_)));
}

#[tokio::test(start_paused = true)]
async fn who_waits_looks_when_something_stirs_and_no_more_often_than_it_may() {
    let (handle, _mailbox) = session();
    let (status, watched) = watch::channel(handle.status());
    let handle = SessionHandle { status: watched, ..handle };
    let mut looks = handle.looks();
    let long = Duration::from_secs(3600);
    assert!(timeout(long, looks.next()).await.is_err(), "nothing stirs");
    let begun = now();
    handle.commons.stir();
    looks.next().await;
    assert!(now() - begun < LOOK_EVERY);
    // One that prints without a pause.
    let prints = async {
        for _ in 0..10_000 {
            handle.commons.stir();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let looked = async {
        for _ in 0..25 {
            looks.next().await;
        }
    };
    tokio::select! {
        () = prints => {}
        () = looked => {}
    }
    assert!((LOOK_EVERY * 25..LOOK_EVERY * 27).contains(&(now() - begun)));
    // What came in the meantime is seen at the next look.
    handle.commons.stir();
    looks.next().await;
    assert!(timeout(long, looks.next()).await.is_err(), "it was seen");
    // Also a task that is gone without a word is an end.
    drop(status);
    timeout(long, looks.next()).await.unwrap();
}

/// Whoever hears that it has ended looks for what was lost, or opens another one.
#[tokio::test]
async fn a_session_that_has_too_much_to_do_has_not_ended() {
    let (handle, mut mailbox) = session();
    for _ in 0..SESSION_MAILBOX {
        let (reply, _) = oneshot::channel();
        handle.put(Look::Screen(None, reply)).unwrap();
    }
    for refused in [handle.run_in_turn(command()).await, handle.run_unless(command(), pending()).await] {
        assert!(matches!(&refused, Err(Refusal::Cannot(why)) if why.contains("requests waiting")), "{refused:?}");
    }
    mailbox.close();
    let refused = handle.run_in_turn(command()).await;
    assert!(matches!(&refused, Err(Refusal::Closed(_))), "{refused:?}");
}

/// All who wait for the same thing look at once, and what came of a command is asked for when it has run.
#[tokio::test]
async fn who_asks_for_output_waits_for_room() {
    let (handle, mut mailbox) = session();
    for _ in 0..SESSION_MAILBOX {
        let (reply, _) = oneshot::channel();
        handle.put(Look::Screen(None, reply)).unwrap();
    }
    let device = async {
        loop {
            match mailbox.recv().await {
                Some(Request::Look(Look::Report(_, reply))) => break reply.send(Err("asked".to_owned())).unwrap(),
                Some(_) => {}
                None => panic!("it was not asked"),
            }
        }
    };
    let (told, ()) = tokio::join!(handle.report(OutputQuery::default()), device);
    assert_eq!(told.unwrap_err(), "asked");
    mailbox.close();
    assert_eq!(handle.report(OutputQuery::default()).await.unwrap_err(), "the session has ended");
}
