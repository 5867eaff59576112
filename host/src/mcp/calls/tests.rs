//! Calls in a shell of this machine that are given up, or that wait.

use std::path::Path;

use tokio::time::timeout;

use super::*;
use crate::config::Config;
use crate::startup;

fn caller() -> Caller {
    Caller {
        name: "test".to_owned(),
        ceiling_s: limits::WAIT_MAX_S,
        progress: None,
        told: std::sync::atomic::AtomicU32::new(0),
        cancelled: tokio_util::sync::CancellationToken::new(),
        has_word: true,
        has_said_all: Arc::default(),
        forerunner: Arc::default(),
    }
}

/// A shell of this machine.
fn this_machine() -> Arc<Directory> {
    let config = "[device.here]\nlocal = true\ntype = \"linux\"\n[policy]\nmode = \"full\"\n";
    let config = Config::parse(config, Path::new("jackfield.toml"), None).unwrap();
    let catalog = startup::catalog(&config).unwrap();
    Arc::new(Directory::new(config, catalog, None))
}

async fn run_for(directory: &Arc<Directory>, caller: &Caller, command: &str, wait: Duration) -> Reply {
    let wanted = Wanted { request: RunRequest::new(command, Purpose::Run, &caller.name), lane: LineKind::Terminal, end_within: None };
    let query = OutputQuery { max_chars: 100, ..OutputQuery::default() };
    one(directory, caller, "here", wanted, wait, query).await
}

#[tokio::test]
async fn a_silent_command_wakes_nobody_who_waits_and_neither_does_who_looks_at_it() {
    let directory = this_machine();
    assert_eq!(run_for(&directory, &caller(), "true", Duration::from_secs(20)).await.fields["state"], "done");
    let begun = run_for(&directory, &caller(), "sleep 5728", Duration::from_secs(1)).await;
    assert_eq!(begun.fields["state"], "running", "{begun:?}");
    let handle = directory.find(&SessionId::main("here")).unwrap();
    let mut looks = handle.looks();
    let pause = Duration::from_millis(500);
    // What it is may be asked about in its first seconds.
    let mut news = 0;
    while timeout(pause, looks.next()).await.is_ok() {
        news += 1;
        assert!(news < 100, "it never comes to rest");
    }
    for _ in 0..3 {
        handle.report(OutputQuery { max_chars: 100, ..OutputQuery::default() }).await.unwrap();
        handle.screen(None).await.unwrap();
    }
    assert!(timeout(pause, looks.next()).await.is_err());
    handle.stop(Stop::Interrupt, 0, None).await.unwrap();
    timeout(Duration::from_secs(20), looks.next()).await.expect("it is woken");
    directory.shut_down().await;
}

/// Who gives a call up in the moment in which its command begins leaves nothing behind that runs: it is not begun, or stopped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_runs_on_for_a_call_that_was_given_up_while_it_began() {
    let directory = this_machine();
    let run = async |caller: &Caller, command: &str| run_for(&directory, caller, command, Duration::from_secs(20)).await;
    assert_eq!(run(&caller(), "true").await.fields["state"], "done");
    for after in (0..40).map(|step| Duration::from_micros(15 * step)) {
        let leaving = caller();
        let begun = Instant::now();
        let gone = async {
            while begun.elapsed() < after {
                tokio::task::yield_now().await;
            }
            leaving.cancelled.cancel();
        };
        tokio::join!(run(&leaving, "sleep 5727"), gone);
        // What is asked now comes behind what was begun.
        let last = run(&caller(), "true").await;
        assert_eq!(last.fields["state"], "done", "{after:?}: it still runs: {last:?}");
    }
    directory.shut_down().await;
}

#[test]
fn equal_outputs_are_shown_once_where_the_commands_ended_alike_too() {
    let answer = |id: &str, state: &str, exit: i32, next: &str| {
        let fields = json!({"command_id": id, "state": state, "exit_code": exit, "failed": exit != 0, "output": "", "next": next});
        Reply::new(fields, format!("{id} {state}"))
    };
    let shown = |second: Reply| many(&["web1".to_owned(), "web2".to_owned()], &[answer("c1", "done", 3, ""), second]).text;
    let once = shown(answer("c2", "done", 3, ""));
    assert!(once.starts_with("equal on web1 c1, web2 c2: done exit=3 FAILED\n"), "{once}");
    let warned = answer("c2", "done", 3, "").with_warnings(&["look".to_owned()]);
    for other in [answer("c2", "done", 0, ""), answer("c2", "running", 3, "It goes on."), warned] {
        let each = shown(other);
        assert!(each.starts_with("== web1\nc1 done\n\n== web2\nc2 "), "{each}");
    }
}
